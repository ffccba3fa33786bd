//! What a test is told of its issuer.

use serde::Serialize;
use serde_json::{Value, json};

use super::TestIssuer;
use crate::control::spec::Described;
use crate::protocol::KnownScopes;

/// What a test is told of its issuer.
#[derive(Clone, Debug, Serialize)]
pub struct IssuerView {
    /// Its name.
    pub name: String,
    /// The issuer, byte for byte.
    pub issuer: String,
    /// Where its pages are.
    pub url: String,
    /// Where its control routes are.
    pub control_url: String,
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
        let Described { config, secrets, passwords } = &running.described;
        let origin = self.issuer.origin();
        let people = config.declared.users.iter().map(|user| {
            let memberships = user.memberships.iter();
            let memberships: Vec<Value> =
                memberships.map(|it| json!({ "tenant": it.tenant, "roles": it.roles })).collect();
            let mut view = json!({ "username": user.username, "memberships": memberships });
            if let Some(password) = passwords.get(&user.username) {
                view["password"] = password.as_str().into();
            }
            view
        });
        let clients = config.declared.clients.iter().map(|declared| {
            let client = &declared.client;
            let uris: Vec<String> = client.redirect_uris.iter().map(ToString::to_string).collect();
            let mut view = json!({ "client_id": client.id, "redirect_uris": uris });
            if let Some(secret) = secrets.get(client.id.as_str()) {
                view["client_secret"] = secret.as_str().into();
            }
            if !client.machine_scopes.is_empty() {
                let scopes: Vec<String> = client.machine_scopes.iter().map(ToString::to_string).collect();
                view["scopes"] = json!(scopes);
            }
            view
        });
        let resources = config.declared.resources.iter().map(|resource| {
            let scopes: Vec<String> = match &resource.scopes {
                KnownScopes::Listed(scopes) => scopes.iter().map(|scope| scope.token.to_string()).collect(),
                KnownScopes::Any => Vec::new(),
            };
            json!({ "uri": resource.uri.to_string(), "audience": resource.audience(), "scopes": scopes })
        });
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
            now: self.clock.now().seconds(),
            expires_at: self.until.map(|(_, at)| at),
            people: people.collect(),
            clients: clients.collect(),
            resources: resources.collect(),
            keys: keys.filter(|kid| !hidden.contains(kid)).collect(),
        }
    }
}
