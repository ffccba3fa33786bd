//! What a test is told of its issuer.

use serde::Serialize;
use serde_json::{Value, json};

use super::TestIssuer;
use crate::config::{DeclaredClient, DeclaredPassword, DeclaredUser};
use crate::control::ready_made::{PASSWORD, PASSWORD_HASH};
use crate::protocol::{KnownScopes, Resource};

/// What a test is told of its issuer.
#[derive(Clone, Debug, Serialize)]
pub struct IssuerView {
    /// Its name.
    pub name: String,
    /// The issuer, byte for byte.
    pub issuer: String,
    /// Where its pages are.
    pub url: String,
    /// Where its control routes are; nowhere for that of a [`TestServer`](crate::testkit::TestServer).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control_url: Option<String>,
    /// Its metadata (RFC 8414).
    pub metadata_url: String,
    /// Its public keys.
    pub jwks_uri: String,
    /// Its present.
    pub now: i64,
    /// When it ends by itself, by the machine's clock.
    pub expires_at: Option<i64>,
    /// Who can log in, by what password.
    pub people: Vec<Value>,
    /// The clients that it knows from the start.
    pub clients: Vec<Value>,
    /// The MCP servers.
    pub resources: Vec<Value>,
    /// The names of its published keys.
    pub keys: Vec<String>,
}

impl TestIssuer {
    /// What a test is told of it.
    pub async fn view(&self) -> IssuerView {
        let running = self.running();
        let hidden = self.held().hidden_keys.clone();
        let ring = running.app.engine().keys_to_publish().await;
        let keys = ring.published().iter().map(|key| key.kid().to_owned());
        let declared = &running.described.declared;
        let origin = self.issuer.origin();
        IssuerView {
            name: self.name.clone(),
            issuer: self.issuer.to_string(),
            url: self.issuer.public_url().page_url(""),
            control_url: self.control_url.clone(),
            metadata_url: format!(
                "{origin}/.well-known/oauth-authorization-server{}",
                self.issuer.base_path()
            ),
            jwks_uri: self.issuer.endpoint("jwks"),
            now: self.clock().now().seconds(),
            expires_at: self.until.map(|(_, at)| at),
            people: declared.users.iter().map(person).collect(),
            clients: declared.clients.iter().map(client).collect(),
            resources: declared.resources.iter().map(resource).collect(),
            keys: keys.filter(|kid| !hidden.contains(kid)).collect(),
        }
    }
}

fn person(user: &DeclaredUser) -> Value {
    let memberships = user.memberships.iter();
    let memberships: Vec<Value> =
        memberships.map(|it| json!({ "tenant": it.tenant, "roles": it.roles })).collect();
    let mut view = json!({ "username": user.username, "memberships": memberships });
    let known = match &user.password {
        Some(DeclaredPassword::Plain(plain)) => Some(plain.expose_secret()),
        Some(DeclaredPassword::Hash(hash)) => (hash.as_str() == PASSWORD_HASH).then_some(PASSWORD),
        None => None,
    };
    if let Some(password) = known {
        view["password"] = password.into();
    }
    view
}

fn client(declared: &DeclaredClient) -> Value {
    let client = &declared.client;
    let uris: Vec<String> = client.redirect_uris.iter().map(ToString::to_string).collect();
    let mut view = json!({ "client_id": client.id, "redirect_uris": uris });
    if let Some(secret) = declared.secrets.first() {
        view["client_secret"] = secret.expose_secret().into();
    }
    if !client.machine_scopes.is_empty() {
        let scopes: Vec<String> = client.machine_scopes.iter().map(ToString::to_string).collect();
        view["scopes"] = json!(scopes);
    }
    view
}

fn resource(resource: &Resource) -> Value {
    let scopes: Vec<String> = match &resource.scopes {
        KnownScopes::Listed(scopes) => scopes.iter().map(|scope| scope.token.to_string()).collect(),
        KnownScopes::Any => Vec::new(),
    };
    json!({ "uri": resource.uri.to_string(), "audience": resource.audience(), "scopes": scopes })
}
