//! `[[clients]]`: clients that the operator vouches for.

use std::collections::BTreeMap;

use super::check::Check;
use super::client_secrets;
use super::people::{DeclaredUser, tenant_reference};
use super::problem::Place;
use super::read::Example::{Instead, Value};
use super::read::{Section as _, section};
use super::resources::{known_scopes, resource_reference};
use super::secret::ConfigSecret;
use super::server::required;
use super::values::{Command, Text, Texts, Written};
use crate::protocol::{
    Client, ClientAuthMethod, ClientId, ClientOrigin, GrantType, RedirectUri, Resource, Scope, ScopeToken,
    Tenant, Timestamp,
};

/// How a configured client can authenticate: keys of its own cannot be configured.
const CONFIGURABLE: [ClientAuthMethod; 3] =
    [ClientAuthMethod::None, ClientAuthMethod::ClientSecretBasic, ClientAuthMethod::ClientSecretPost];

section! {
    /// A client that is known from the start. Its secret stands in a file, is printed by a program, or is given in
    /// the environment as `GATELET_CLIENT_<ID>_SECRET`, with the id in upper case and `_` for everything but letters
    /// and digits. To exchange a secret without downtime, give the old one as the previous secret for a while.
    RawClient {
        /// Required. Its `client_id`.
        id: Text = Value(r#""notes-app""#),
        /// Its name for people. Default: the id.
        name: Text = Value(r#""Notes app""#),
        /// Its home page.
        uri: Text = Value(r#""https://notes.example.com""#),
        /// Where answers may be sent: https, http on a loopback host (then with any port), or a scheme of its own.
        redirect_uris: Texts = Value(r#"["https://notes.example.com/callback", "http://127.0.0.1/callback"]"#),
        /// Where a browser may be sent after a logout that it asked for, of the same kinds.
        post_logout_redirect_uris: Texts = Value(r#"["https://notes.example.com/"]"#),
        /// What it may offer for tokens. Default: `authorization_code` and `refresh_token` for a client with
        /// redirect URIs, `client_credentials` for one without.
        grant_types: Texts = Value(r#"["authorization_code", "refresh_token", "client_credentials"]"#),
        /// How it authenticates: `client_secret_basic` (the default for a client with a secret),
        /// `client_secret_post`, or `none` (the default without).
        auth_method: Text = Value(r#""client_secret_basic""#),
        /// A file that holds its secret.
        secret_file: Text = Value(r#""/run/secrets/notes-app""#),
        /// A program that prints its secret. No shell is involved; it has ten seconds.
        secret_command: Option<Written<Command>> = Instead(r#"["pass", "show", "gatelet/notes-app"]"#),
        /// A file that holds the secret that it had before, while that is still good.
        previous_secret_file: Text = Instead(r#""/run/secrets/notes-app-previous""#),
        /// A program that prints the previous secret. Its variable is `GATELET_CLIENT_<ID>_PREVIOUS_SECRET`.
        previous_secret_command: Option<Written<Command>> = Instead(r#"["pass", "show", "gatelet/notes-app-old"]"#),
        /// What it asks for when a request names no scope. A default, not a ceiling.
        scope: Texts = Value(r#"["notes:read"]"#),
        /// The scopes that it may obtain for itself by client credentials.
        machine_scopes: Texts = Value(r#"["notes:read"]"#),
        /// The resource that it means when it names none.
        resource: Text = Value(r#""https://mcp.example.com/mcp""#),
        /// The id of the tenant that its own tokens (client credentials) belong to.
        tenant: Text = Value(r#""acme""#),
        /// Whether it is the operator's own, so that people are not asked for consent.
        first_party: Option<Written<bool>> = Value("false"),
    }
}

/// A client as declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredClient {
    /// The client without its secrets. Its `registered_at` is zero: only the store knows when it first saw it.
    pub client: Client,
    /// Its live secrets, two at most, the current one first; to be hashed when they are stored.
    pub secrets: Vec<ConfigSecret>,
}

/// The declared clients. `variables` are the secrets in the environment.
pub(super) fn clients(
    check: &mut Check<'_>,
    raw: Vec<RawClient>,
    mut variables: BTreeMap<String, String>,
    tenants: &[Tenant],
    resources: &[Resource],
) -> Vec<DeclaredClient> {
    let ids: Vec<_> = raw.iter().filter_map(|raw| raw.id.clone()).collect();
    check.refuse_twice("id", ids.iter().map(|id| (id.value.clone(), &id.place)));
    client_secrets::check_variables(check, &variables, &ids);
    raw.into_iter().filter_map(|raw| raw.check(check, &mut variables, tenants, resources)).collect()
}

/// A machine's token has the client's id as its `sub`: it must not read like a person's (RFC 9700 §4.15).
pub(super) fn refuse_ids_of_people(check: &mut Check<'_>, raw: &[RawClient], users: &[DeclaredUser]) {
    for id in raw.iter().filter_map(|raw| raw.id.as_ref()) {
        if users.iter().any(|user| user.id.as_ref().is_some_and(|user| user.as_str() == id.value)) {
            check.error(&id.place, "is the id of a person too; tokens of the two could not be told apart");
        }
    }
}

impl RawClient {
    fn check(
        mut self,
        check: &mut Check<'_>,
        variables: &mut BTreeMap<String, String>,
        tenants: &[Tenant],
        resources: &[Resource],
    ) -> Option<DeclaredClient> {
        let (has_secret, secrets) = self.secrets(check, variables);
        let redirect_uris: Vec<_> = unplaced(check.each_parsed(&self.redirect_uris, RedirectUri::parse));
        let post_logout_redirect_uris =
            unplaced(check.each_parsed(&self.post_logout_redirect_uris, RedirectUri::parse));
        let grant_types = self.grant_types(check);
        let auth_method = self.auth_method(check, has_secret);
        self.check_grants(check, &grant_types, auth_method, has_secret);
        let scope = check.each_parsed(&self.scope, ScopeToken::parse);
        check.warn_of_unknown(&scope, &known_scopes(resources.iter()));
        let scope = self.scope.is_some().then(|| unplaced::<_, Scope>(scope));
        let default_resource =
            self.resource.as_ref().and_then(|text| resource_reference(check, text, resources));
        let within = resources.iter().filter(|r| default_resource.as_ref().is_none_or(|uri| r.uri == *uri));
        let known = known_scopes(within);
        let machine_scopes = check.each_parsed(&self.machine_scopes, |text| {
            let token = ScopeToken::parse(text).map_err(|error| error.to_string())?;
            if known.contains(&token) {
                Ok(token)
            } else {
                Err(format!("no resource of this client knows `{text}`"))
            }
        });
        let tenant = self.tenant.as_ref().and_then(|text| tenant_reference(check, text, tenants));
        let uri = self.uri.as_ref().and_then(|uri| check.parsed(uri, parse_home_page));
        let id = required(check, &self.id, self.place(), "id")?;
        let rule = "must be at most 2048 printable ASCII characters without spaces";
        let id = check.parsed(id, |text| ClientId::parse(text).ok_or(rule))?;
        let client = Client {
            name: self.name.map(|name| name.value),
            uri,
            redirect_uris,
            post_logout_redirect_uris,
            grant_types,
            auth_methods: vec![auth_method],
            scope,
            default_resource,
            machine_scopes: unplaced(machine_scopes),
            tenant,
            first_party: self.first_party.is_some_and(|written| written.value),
            ..Client::new(id, ClientOrigin::Config, Timestamp::from_seconds(0))
        };
        Some(DeclaredClient { client, secrets: secrets.into_iter().map(|written| written.value).collect() })
    }

    fn grant_types(&self, check: &mut Check<'_>) -> Vec<GrantType> {
        let Some(list) = &self.grant_types else {
            let has_redirect_uris = self.redirect_uris.as_ref().is_some_and(|list| !list.value.is_empty());
            return if has_redirect_uris {
                vec![GrantType::AuthorizationCode, GrantType::RefreshToken]
            } else {
                vec![GrantType::ClientCredentials]
            };
        };
        if list.value.is_empty() {
            check.problems.missing(&list.place, "names no grant type; such a client could do nothing");
        }
        let parse =
            |text: &str| GrantType::parse(text).ok_or_else(|| one_of(&GrantType::ALL.map(GrantType::as_str)));
        let grant_types = check.each_parsed(&self.grant_types, parse);
        check.refuse_twice("grant type", grant_types.iter().map(|g| (g.value.as_str().to_owned(), &g.place)));
        unplaced(grant_types)
    }

    fn auth_method(&self, check: &mut Check<'_>, has_secret: bool) -> ClientAuthMethod {
        let default = if has_secret { ClientAuthMethod::ClientSecretBasic } else { ClientAuthMethod::None };
        check.word(&self.auth_method, &CONFIGURABLE.map(|method| (method.as_str(), method)), default)
    }

    /// Whether what the client may do, where it is answered and how it authenticates fit together.
    fn check_grants(
        &self,
        check: &mut Check<'_>,
        grant_types: &[GrantType],
        auth_method: ClientAuthMethod,
        has_secret: bool,
    ) {
        let has_redirect_uris = self.redirect_uris.as_ref().is_some_and(|list| !list.value.is_empty());
        let by_code = grant_types.contains(&GrantType::AuthorizationCode);
        let by_credentials = grant_types.contains(&GrantType::ClientCredentials);
        let place_of = |written: Option<&Place>| written.unwrap_or(self.place()).clone();
        let grants = place_of(self.grant_types.as_ref().map(|written| &written.place));
        let method = place_of(self.auth_method.as_ref().map(|written| &written.place));
        if by_code && !has_redirect_uris {
            check
                .problems
                .missing(&self.place().key("redirect_uris"), "authorization_code needs at least one");
        }
        if has_redirect_uris && !by_code {
            check.error(&grants, "has redirect_uris, which only authorization_code uses");
        }
        if grant_types.contains(&GrantType::RefreshToken) && !by_code {
            check.error(&grants, "refresh_token needs authorization_code");
        }
        if by_credentials && auth_method == ClientAuthMethod::None && !has_secret {
            let message = if self.grant_types.is_some() {
                "client_credentials needs a secret: secret_file, secret_command or its variable"
            } else {
                "has neither redirect_uris nor a secret; a public client needs the first, a machine the second"
            };
            check.error(&grants, message);
        } else if auth_method == ClientAuthMethod::None && has_secret {
            check.error(&method, "is `none`, but the client has a secret");
        } else if auth_method != ClientAuthMethod::None && !has_secret {
            let message = format!(
                "{} needs a secret: secret_file, secret_command or its variable",
                auth_method.as_str()
            );
            check.error(&method, message);
        }
        if let (Some(scopes), false) = (&self.machine_scopes, by_credentials) {
            check.error(&scopes.place, "only client_credentials uses them");
        }
    }
}

fn parse_home_page(text: &str) -> Result<String, &'static str> {
    let url = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "http"));
    url.map(|_| text.to_owned()).ok_or("must be an https URL")
}

fn one_of(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    format!("must be one of {}", words.join(", "))
}

fn unplaced<T, C: FromIterator<T>>(list: Vec<Written<T>>) -> C {
    list.into_iter().map(|written| written.value).collect()
}
