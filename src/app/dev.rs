//! Dev mode: everything ready-made, for somebody who writes an MCP server or client.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use axum::Router;

use super::serve_mode::{in_directory, not_in_place_of_another, private_directory};
use super::{App, Setup, StartError};
use super::{admin, dev_commands};
use crate::clock::Clock;
use crate::config::{
    ConfigSecret, Declared, DeclaredClient, DeclaredMembership, DeclaredPassword, DeclaredUser,
};
use crate::demo;
use crate::fetch::{FetchOptions, Fetcher};
use crate::http::{Home, SiteFacts};
use crate::pages::{HomePage, MachineClientView, PersonView, QuickLogin, well_known_clients};
use crate::protocol::{
    Attributes, ClaimNames, Client, ClientAuthMethod, ClientDocuments, ClientId, ClientOrigin, GrantType,
    IntrospectionMode, Issuer, KnownScopes, Lifetimes, PasswordHash, Policy, Rates, RedirectUri,
    RegistrationMode, Resource, ResourceScope, ResourceUri, Role, RoleName, Scope, ScopeToken, Tenant,
    TenantId, Timestamp, UserId,
};
use crate::random::Random;
use crate::store::{Mode, StoreOptions};
use crate::tokens::{ClientSecret, NewKeys, PasswordHasher, Secret};

/// The password of every ready-made person.
pub const PASSWORD: &str = "wonderland";
/// [`PASSWORD`], hashed: what a page prints needs no secret salt, and hashing it at each start would take longer than
/// all the rest of the start.
const PASSWORD_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$Z2F0ZWxldC1kZXYtbW9kZQ$YMeoP+Rr2Cb9m6Vmv6i9yIabXLfsWYAaLFbxA3Zcvy8";
/// The machine client's identifier.
pub const MACHINE_CLIENT: &str = "dev-machine";
/// A public client of the operator's own, for the commands of the banner: people are not asked about it.
pub const TERMINAL_CLIENT: &str = "dev-terminal";

/// What dev mode may be told.
#[derive(Clone, Debug)]
pub struct DevOptions {
    /// Where its files are.
    pub data: PathBuf,
    /// The issuer.
    pub issuer: Issuer,
    /// Whether it can be reached from other machines.
    pub exposed: bool,
    /// Further host names by which it may be called.
    pub hosts: Vec<String>,
    /// Tells the time, to the demonstration server too.
    pub clock: Clock,
}

/// A server in dev mode, and what a developer needs to know of it.
pub struct Dev {
    /// The server.
    pub app: App,
    /// All its routes, the demonstration server's among them.
    pub router: Router,
    /// What its home page and its banner say.
    pub home: HomePage,
}

struct Person {
    username: &'static str,
    name: &'static str,
    tenant: (&'static str, &'static str),
    roles: &'static [&'static str],
    about: &'static str,
}

/// Identifiers and names of the tenants.
const ACME: (&str, &str) = ("acme", "Acme");
const GLOBEX: (&str, &str) = ("globex", "Globex");

const PEOPLE: [Person; 3] = [
    Person { username: "alice", name: "Alice Liddell", tenant: ACME, roles: &["member"], about: "member" },
    Person {
        username: "admin",
        name: "Ada Admin",
        tenant: ACME,
        roles: &["admin", "member"],
        about: "admin and member",
    },
    Person { username: "grace", name: "Grace Globe", tenant: GLOBEX, roles: &["member"], about: "member" },
];

const SCOPES: [(&str, &str); 2] =
    [("mcp:read", "Read your notes"), ("mcp:write", "Write and change your notes")];

/// Builds a server in dev mode.
///
/// # Errors
/// Whatever keeps the server from starting.
pub async fn build(options: DevOptions) -> Result<Dev, StartError> {
    let (random, clock) = (Random::system(), options.clock.clone());
    private_directory(&options.data)?;
    let (key, made) = in_directory(&options.data.join("keys"), &random)?;
    let secret = machine_secret(&options.data.join("keys").join("machine-client-secret"), &random)?;
    let home = home(&options, &secret);
    let database = admin::dev_database(&options.data);
    let app = App::build(Setup {
        policy: policy(&options.issuer, options.exposed),
        store: StoreOptions::new(format!("sqlite:{}", database.display()), Mode::Dev),
        key,
        new_keys: NewKeys::Generated,
        declared: declared(&options.issuer, &secret),
        facts: SiteFacts {
            mode_notice: home.mode_notice,
            quick_logins: if options.exposed { Vec::new() } else { PEOPLE.iter().map(quick_login).collect() },
            home: Home::Developer(Box::new(home.clone())),
            hosts: options.hosts.iter().cloned().collect::<HashSet<_>>(),
            trusted_proxies: Vec::new(),
        },
        one_click_login: !options.exposed,
        fetcher: Fetcher::new(FetchOptions {
            loopback: options.issuer.is_loopback() && !options.exposed,
            ..FetchOptions::new(clock.clone())
        })?,
        passwords: PasswordHasher::new(random.clone()),
        clock: clock.clone(),
        random,
    })
    .await
    .map_err(|error| not_in_place_of_another(error, made))?;
    app.engine().store.record_issuer(options.issuer.as_str()).await?;
    let demo = demo::router(options.issuer.origin(), options.issuer.as_str(), clock)?;
    Ok(Dev { router: app.router(demo), app, home })
}

/// Where the demonstration server is.
pub fn demo_url(issuer: &Issuer) -> String {
    format!("{}/demo/mcp", issuer.origin())
}

pub(super) fn policy(issuer: &Issuer, exposed: bool) -> Policy {
    Policy {
        issuer: issuer.clone(),
        lifetimes: Lifetimes::default(),
        registration: RegistrationMode::Open,
        client_documents: ClientDocuments::Any,
        registration_scopes: None,
        max_unused_clients: Policy::MAX_UNUSED_CLIENTS,
        rates: if exposed { Rates::default() } else { Rates::on_loopback() },
        // Servers under development ask without credentials, as their guides tell them to.
        introspection: if exposed { IntrospectionMode::Authenticated } else { IntrospectionMode::Open },
        loopback_resources: true,
        claims: ClaimNames::default(),
        default_resource: ResourceUri::parse(&demo_url(issuer)).ok(),
        scopes_supported: Policy::nameable_scopes(&scopes().into_iter().collect(), None),
    }
}

fn scopes() -> Vec<ScopeToken> {
    SCOPES.iter().filter_map(|(name, _)| ScopeToken::parse(name).ok()).collect()
}

fn declared(issuer: &Issuer, machine_secret: &str) -> Declared {
    let tenant =
        |(id, name): (&str, &str)| TenantId::parse(id).map(|id| Tenant { id, name: name.to_owned() });
    let role = |name: &str, description: &str| {
        RoleName::parse(name).map(|name| Role { name, description: description.to_owned() })
    };
    Declared {
        tenants: [ACME, GLOBEX].map(tenant).into_iter().flatten().collect(),
        roles: [role("member", "Belongs to the tenant"), role("admin", "Runs the tenant")]
            .into_iter()
            .flatten()
            .collect(),
        users: PEOPLE.iter().filter_map(declared_user).collect(),
        resources: notes(issuer).into_iter().collect(),
        clients: clients(issuer, machine_secret),
        registration_tokens: Vec::new(),
    }
}

fn declared_user(person: &Person) -> Option<DeclaredUser> {
    let roles = person.roles.iter().filter_map(|role| RoleName::parse(role)).collect();
    Some(DeclaredUser {
        id: UserId::parse(person.username),
        username: person.username.to_owned(),
        name: Some(person.name.to_owned()),
        email: Some(format!("{}@{}.example", person.username, person.tenant.0)),
        password: Some(DeclaredPassword::Hash(PasswordHash::from_stored(PASSWORD_HASH.to_owned()))),
        attributes: Attributes::new(),
        memberships: vec![DeclaredMembership {
            tenant: TenantId::parse(person.tenant.0)?,
            roles,
            attributes: Attributes::new(),
        }],
    })
}

fn notes(issuer: &Issuer) -> Option<Resource> {
    let known = SCOPES.iter().filter_map(|(name, description)| {
        let token = ScopeToken::parse(name).ok()?;
        Some(ResourceScope { description: (*description).to_owned(), ..ResourceScope::new(token) })
    });
    Some(Resource {
        name: "Demo notes".to_owned(),
        scopes: KnownScopes::Listed(known.collect()),
        default_scopes: scopes().into_iter().take(1).collect(),
        ..Resource::unregistered(ResourceUri::parse(&demo_url(issuer)).ok()?)
    })
}

fn clients(issuer: &Issuer, machine_secret: &str) -> Vec<DeclaredClient> {
    let machine = client(MACHINE_CLIENT, "Dev machine").map(|client| DeclaredClient {
        client: Client {
            grant_types: vec![GrantType::ClientCredentials],
            auth_methods: vec![ClientAuthMethod::ClientSecretBasic],
            machine_scopes: scopes().into_iter().collect(),
            tenant: TenantId::parse(ACME.0),
            ..client
        },
        secrets: vec![ConfigSecret::new(machine_secret)],
    });
    let terminal = client(TERMINAL_CLIENT, "Your terminal").map(|client| DeclaredClient {
        client: Client {
            redirect_uris: RedirectUri::parse(&format!("{}/", issuer.origin())).into_iter().collect(),
            grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
            first_party: true,
            ..client
        },
        secrets: Vec::new(),
    });
    machine.into_iter().chain(terminal).collect()
}

fn client(id: &str, name: &str) -> Option<Client> {
    let client = Client::new(ClientId::parse(id)?, ClientOrigin::Config, Timestamp::from_seconds(0));
    Some(Client { name: Some(name.to_owned()), ..client })
}

fn quick_login(person: &Person) -> QuickLogin {
    QuickLogin {
        username: person.username.to_owned(),
        display_name: person.name.to_owned(),
        tenant: person.tenant.1.to_owned(),
        description: person.about.to_owned(),
        password: PASSWORD.to_owned(),
    }
}

fn home(options: &DevOptions, machine_secret: &str) -> HomePage {
    let demo_url = demo_url(&options.issuer);
    HomePage {
        issuer: options.issuer.to_string(),
        people: PEOPLE
            .iter()
            .map(|person| PersonView {
                username: person.username.to_owned(),
                display_name: person.name.to_owned(),
                password: PASSWORD.to_owned(),
                tenants: vec![person.tenant.1.to_owned()],
                description: person.about.to_owned(),
            })
            .collect(),
        machine: Some(MachineClientView {
            client_id: MACHINE_CLIENT.to_owned(),
            client_secret: machine_secret.to_owned(),
            scopes: scopes().into_iter().collect::<Scope>().to_string(),
        }),
        curl: dev_commands::commands(&options.issuer, &demo_url, machine_secret),
        clients: well_known_clients("gatelet-demo", &demo_url),
        signed_in_as: None,
        exposed: options.exposed,
        mode_notice: HomePage::notice(options.exposed),
        demo_url,
    }
}

/// The secret of the machine client: made at the first start and kept beside the keys, so that what was pasted somewhere
/// goes on working.
fn machine_secret(path: &Path, random: &Random) -> Result<String, StartError> {
    let fault = |source| StartError::File { path: path.display().to_string(), source };
    match std::fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(fault(error)),
        _ => {
            let secret = ClientSecret::generate(random).expose_secret().to_owned();
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create(true).truncate(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(path).map_err(fault)?;
            std::io::Write::write_all(&mut file, format!("{secret}\n").as_bytes()).map_err(fault)?;
            Ok(secret)
        }
    }
}
