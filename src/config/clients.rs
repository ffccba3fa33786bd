//! `[[clients]]`: clients that the operator vouches for.

use std::collections::BTreeMap;

use super::check::Check;
use super::claims::RawAttributes;
use super::client_machine::{RawMachine, warn_of_shared_audiences};
use super::client_secrets;
use super::people::{DeclaredUser, tenant_reference};
use super::read::Example::{Instead, Value};
use super::read::{Section as _, section};
use super::resources::resource_reference;
use super::secret::ConfigSecret;
use super::server::required;
use super::values::{Command, Text, Texts, WordOrTexts, Written};
use crate::protocol::client_rules::Proofs;
use crate::protocol::{Client, ClientId, ClientOrigin, GrantType, RedirectUri, Resource, Tenant, Timestamp};

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
        /// `client_secret_post`, `private_key_jwt` (the default for one with keys), or `none` (the default without
        /// either); or a list of these, of which each will do (the default for one with both a secret and keys).
        auth_method: Option<Written<WordOrTexts>> = Value(r#""client_secret_basic""#),
        /// A file that holds its secret.
        secret_file: Text = Value(r#""/run/secrets/notes-app""#),
        /// A program that prints its secret. No shell is involved; it has ten seconds.
        secret_command: Option<Written<Command>> = Instead(r#"["pass", "show", "gatelet/notes-app"]"#),
        /// A file that holds the secret that it had before, while that is still good.
        previous_secret_file: Text = Instead(r#""/run/secrets/notes-app-previous""#),
        /// A program that prints the previous secret. Its variable is `GATELET_CLIENT_<ID>_PREVIOUS_SECRET`.
        previous_secret_command: Option<Written<Command>> = Instead(r#"["pass", "show", "gatelet/notes-app-old"]"#),
        /// Its public keys, by which it signs instead of showing a secret (`private_key_jwt`): a JSON Web Key Set.
        jwks: Text = Instead(r#"'{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'"#),
        /// A file that holds its public keys.
        jwks_file: Text = Instead(r#""notes-app.jwks.json""#),
        /// The https address of its public keys. They are fetched when it first signs, and again when it signs with
        /// one that is not among them, so that it can exchange its keys.
        jwks_uri: Text = Instead(r#""https://notes.example.com/jwks.json""#),
        /// What it asks for when a request names no scope. A default, not a ceiling.
        scope: Texts = Value(r#"["notes:read"]"#),
        /// The scopes that it may obtain for itself by client credentials, at every resource that knows them.
        machine_scopes: Texts = Value(r#"["notes:read"]"#),
        /// The scopes that it may obtain for itself at single resources, where these are not `machine_scopes`.
        machine: Vec<RawMachine> = Value(r#"[{ resource = "https://mcp.example.com/mcp", scopes = ["notes:write"] }]"#),
        /// The resource that it means when it names none.
        resource: Text = Value(r#""https://mcp.example.com/mcp""#),
        /// The `aud` claim of its tokens when it names no resource: for a program that checks for its own name, or for
        /// an agreed word. Its scopes there are those of `scope` and `machine_scopes`.
        audience: Text = Instead(r#""notes-app""#),
        /// What claims can be mapped from (`claims` of a resource): texts, and lists of texts, by name.
        attributes: RawAttributes = Value(r#"{ tier = "gold" }"#),
        /// The id of the tenant that its own tokens (client credentials) belong to.
        tenant: Text = Value(r#""acme""#),
        /// The ids of the tenants in which people may use it. Default: `tenant` alone, or every tenant.
        tenants: Texts = Value(r#"["acme"]"#),
        /// The resources that it is the server of: it may introspect tokens for them (`POST <issuer>/introspect`) with
        /// its secret or its keys. About a client that does only that, nothing else has to be said but its id.
        introspects: Texts = Value(r#"["https://mcp.example.com/mcp"]"#),
        /// Whether it is the operator's own, so that people are not asked for consent, not even once. It holds where the
        /// answer goes to one of `redirect_uris` as it is written here, with no other port on loopback. They are asked
        /// all the same for `prompt=consent`, about scopes with `consent = "always"` and what they left unticked before,
        /// and when they have several tenants and the request names none. Other clients that are declared here are asked
        /// about once or each time: see `consent` of a scope.
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

/// What clients are checked against.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) tenants: &'a [Tenant],
    pub(super) resources: &'a [Resource],
    /// Whether this server runs on loopback itself, and so may fetch from there.
    pub(super) loopback: bool,
}

/// The declared clients. `variables` are the secrets in the environment.
pub(super) fn clients(
    check: &mut Check<'_>,
    raw: Vec<RawClient>,
    mut variables: BTreeMap<String, String>,
    known: Known<'_>,
) -> Vec<DeclaredClient> {
    let ids: Vec<_> = raw.iter().filter_map(|raw| raw.id.clone()).collect();
    check.refuse_twice("id", ids.iter().map(|id| (id.value.clone(), &id.place)));
    client_secrets::check_variables(check, &variables, &ids);
    warn_of_shared_audiences(check, &raw);
    raw.into_iter().filter_map(|raw| raw.check(check, &mut variables, known)).collect()
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
        known: Known<'_>,
    ) -> Option<DeclaredClient> {
        let Known { tenants, resources, loopback } = known;
        let (has_secret, secrets) = self.secrets(check, variables);
        let (has_keys, keys) = self.keys(check, loopback);
        let proofs = Proofs { secret: has_secret, keys: has_keys };
        let default_resource =
            self.resource.as_ref().and_then(|text| resource_reference(check, text, resources));
        let id = required(check, &self.id, self.place(), "id").cloned();
        let id = id.and_then(|id| check.parsed(&id, Client::parse_id));
        // What else is wrong is told of a client without a name too.
        let client = Client {
            name: self.name.as_ref().map(|name| name.value.clone()),
            uri: self.uri.as_ref().and_then(|uri| check.parsed(uri, Client::parse_home_page)),
            redirect_uris: unplaced(check.each_parsed(&self.redirect_uris, RedirectUri::parse)),
            post_logout_redirect_uris: unplaced(
                check.each_parsed(&self.post_logout_redirect_uris, RedirectUri::parse),
            ),
            grant_types: self.grant_types(check),
            auth_methods: self.auth_methods(check, proofs),
            keys,
            scope: self.scope(check, resources),
            audience: self.audience(check, resources),
            machine_scopes: self.machine_scopes(check, resources, default_resource.as_ref()),
            machine: self.machine(check, resources),
            default_resource,
            attributes: self.attributes.0.clone(),
            tenant: self.tenant.as_ref().and_then(|text| tenant_reference(check, text, tenants)),
            tenants: references(&self.tenants, |text| tenant_reference(check, text, tenants)),
            introspects: references(&self.introspects, |text| resource_reference(check, text, resources)),
            first_party: self.first_party.as_ref().is_some_and(|written| written.value),
            ..Client::new(
                id.clone().or(ClientId::parse("?"))?,
                ClientOrigin::Config,
                Timestamp::from_seconds(0),
            )
        };
        self.check_parts(check, &client, proofs);
        if client.grant_types.contains(&GrantType::ClientCredentials) {
            self.warn_of_nothing(check);
        }
        id?;
        Some(DeclaredClient { client, secrets: secrets.into_iter().map(|written| written.value).collect() })
    }

    fn grant_types(&self, check: &mut Check<'_>) -> Vec<GrantType> {
        if self.grant_types.is_none() {
            let has_redirect_uris = self.redirect_uris.as_ref().is_some_and(|list| !list.value.is_empty());
            return if has_redirect_uris {
                vec![GrantType::AuthorizationCode, GrantType::RefreshToken]
            } else {
                vec![GrantType::ClientCredentials]
            };
        };
        let parse =
            |text: &str| GrantType::parse(text).ok_or_else(|| one_of(&GrantType::ALL.map(GrantType::as_str)));
        let grant_types = check.each_parsed(&self.grant_types, parse);
        check.refuse_twice("grant type", grant_types.iter().map(|g| (g.value.as_str().to_owned(), &g.place)));
        unplaced(grant_types)
    }
}

/// What a list of references refers to.
fn references<T>(list: &Texts, refer: impl FnMut(&Written<String>) -> Option<T>) -> Vec<T> {
    list.iter().flat_map(|list| &list.value).filter_map(refer).collect()
}

pub(super) fn one_of(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    format!("must be one of {}", words.join(", "))
}

pub(super) fn unplaced<T, C: FromIterator<T>>(list: Vec<Written<T>>) -> C {
    list.into_iter().map(|written| written.value).collect()
}
