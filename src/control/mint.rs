//! Tokens without a flow: good ones, as the server issues them, and the specimens of the [zoo](crate::zoo).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::Refused;
use super::decide::alice;
use super::issuer::TestIssuer;
use crate::flow::admin::{AdminError, TokenWish};
use crate::protocol::{ClaimSource, ClientId, ResourceUri, Scope, TenantId};
use crate::zoo::{DependsOn, SPECIMENS, Specimen, Template, ZooKeys, specimen};

/// What a token is to be. Everything can be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MintSpec {
    /// Whom it speaks for, by user name; `alice` unless a client is named alone.
    pub user: Option<String>,
    /// As which client. Alone, the token is the client's own (client credentials).
    pub client: Option<String>,
    /// For which MCP server; the first of the issuer unless given.
    pub resource: Option<String>,
    /// How far it goes: the default scopes of the server unless given.
    pub scope: Option<String>,
    /// In which tenant; the person's only one unless given.
    pub tenant: Option<String>,
    /// How long it lasts, in seconds from now; may be negative.
    pub ttl: Option<i64>,
    /// Claims in place of, or beside, those that it would have; null takes one away.
    pub claims: Map<String, Value>,
    /// The same for its header. A `kid` or `alg` that is not the key's makes no other signature.
    pub header: Map<String, Value>,
    /// The specimen of the zoo that it is to be.
    pub defect: Option<String>,
}

/// A token, and what it says.
#[derive(Clone, Debug, Serialize)]
pub struct Minted {
    /// What goes into `Authorization: Bearer`.
    pub token: String,
    /// Its header.
    pub header: Map<String, Value>,
    /// Its claims.
    pub claims: Map<String, Value>,
}

/// A specimen of the zoo, with its token.
#[derive(Clone, Debug, Serialize)]
pub struct ZooView {
    /// What it is, and what a server must do.
    #[serde(flatten)]
    pub specimen: Specimen,
    /// The token; none where only the list was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl TestIssuer {
    /// Makes a token.
    ///
    /// # Errors
    /// Something that is named is not there or may not be had, or there is no such specimen.
    pub async fn mint(&self, spec: &MintSpec) -> Result<Minted, Refused> {
        let wanted = match &spec.defect {
            Some(name) => Some(specimen(name).ok_or_else(|| Refused::not_found("specimen", name))?),
            None => None,
        };
        let issued = self.issue(spec).await?;
        let is_as_issued = spec.ttl.is_none() && spec.claims.is_empty() && spec.header.is_empty();
        if is_as_issued && wanted.is_none() {
            let (header, claims) = read(&issued)?;
            return Ok(Minted { token: issued, header, claims });
        }
        let valid = || specimen("valid").ok_or_else(|| Refused::not_found("specimen", "valid"));
        let template = self.template(spec, &issued)?;
        self.specimen(wanted.map_or_else(valid, Ok)?, &template).await
    }

    /// The whole zoo, made of one good token.
    ///
    /// # Errors
    /// As [`TestIssuer::mint`].
    pub async fn zoo(&self, spec: &MintSpec) -> Result<Vec<ZooView>, Refused> {
        if spec.defect.is_some() {
            return Err(Refused::invalid("defect: the zoo has all of them"));
        }
        let mut zoo = Vec::with_capacity(SPECIMENS.len());
        for specimen in SPECIMENS {
            // Each has an identifier of its own: revoking one leaves the others.
            let template = self.template(spec, &self.issue(spec).await?)?;
            let made = self.specimen(specimen, &template).await?;
            zoo.push(ZooView { specimen: *specimen, token: Some(made.token) });
        }
        Ok(zoo)
    }

    /// Revokes a token of this issuer, in its client's place (RFC 7009 §2.1): introspection calls it inactive from now on.
    ///
    /// # Errors
    /// It is no token of this issuer.
    pub async fn revoke(&self, token: &str) -> Result<(), Refused> {
        Ok(self.administrator().revoke_token(token).await.map(drop)?)
    }

    async fn specimen(&self, specimen: &Specimen, template: &Template) -> Result<Minted, Refused> {
        let admin = self.administrator();
        let kid = template.header.get("kid").and_then(Value::as_str).unwrap_or_default();
        let signing = admin.lend_signing_key(Some(kid)).await?;
        let foreign = self.foreign_key(signing.alg()).await?;
        let made = specimen.make(template, &ZooKeys { signing: &signing, foreign: &foreign });
        let made = made.map_err(|error| Refused::fault(&error))?;
        // With what the test wants otherwise, it may be nothing that could be revoked, or that had to be.
        if specimen.depends_on == Some(DependsOn::Introspection)
            && let Err(AdminError::Failed(failure)) = admin.revoke_token(&made.token).await
        {
            return Err(Refused::fault(&failure));
        }
        Ok(Minted { token: made.token, header: made.header, claims: made.claims })
    }

    /// A good token, as the server itself issues one.
    async fn issue(&self, spec: &MintSpec) -> Result<String, Refused> {
        let admin = self.administrator();
        let resource = match &spec.resource {
            Some(uri) => Some(ResourceUri::parse(uri).map_err(|error| bad("resource", &error))?),
            None => self.first_resource(),
        };
        let scope = spec.scope.as_deref().map(Scope::parse).transpose();
        let scope = scope.map_err(|error| bad("scope", &error))?;
        let client = spec.client.as_deref().map(|id| {
            ClientId::parse(id).ok_or_else(|| Refused::invalid(format!("client: {id:?} is no client_id")))
        });
        let client = client.transpose()?;
        if let (Some(client), None) = (&client, &spec.user) {
            return Ok(admin.issue_machine_token(client, resource.as_ref(), scope.as_ref()).await?);
        }
        let tenant = spec.tenant.as_deref().map(|id| {
            TenantId::parse(id).ok_or_else(|| Refused::invalid(format!("tenant: {id:?} is no tenant")))
        });
        let client = match client {
            Some(client) => client,
            None => self.first_client()?,
        };
        let user = spec.user.clone().unwrap_or_else(alice);
        let wish = TokenWish { user, tenant: tenant.transpose()?, client, resource, scope };
        Ok(admin.issue_token(wish).await?.access_token)
    }

    fn first_resource(&self) -> Option<ResourceUri> {
        let running = self.running();
        running.described.declared.resources.first().map(|resource| resource.uri.clone())
    }

    /// The first client that people use.
    fn first_client(&self) -> Result<ClientId, Refused> {
        let running = self.running();
        let clients = &running.described.declared.clients;
        let first =
            clients.iter().find(|declared| !declared.client.redirect_uris.is_empty()).or(clients.first());
        let none = || Refused::invalid("client: the issuer has none; name one that is registered");
        first.map(|declared| declared.client.id.clone()).ok_or_else(none)
    }

    /// The claims in which a token for this audience says its tenant.
    fn tenant_claims(&self, audience: Option<&Value>) -> Vec<String> {
        let running = self.running();
        let config = &running.described;
        let mut resources = config.declared.resources.iter();
        let Some(resource) = resources.find(|one| audience.is_some_and(|it| it == one.audience())) else {
            return vec![config.policy.claims.tenant.to_string()];
        };
        let claims = config.policy.claims.at(resource).into_iter();
        claims.filter(|one| one.from == ClaimSource::Tenant).map(|one| one.name.to_string()).collect()
    }

    /// What a token is made of: what was issued, and what the test wants otherwise.
    fn template(&self, spec: &MintSpec, issued: &str) -> Result<Template, Refused> {
        let (mut header, mut claims) = read(issued)?;
        let tenant_claims = self.tenant_claims(claims.get("aud"));
        let now = self.clock().now().seconds();
        if let Some(ttl) = spec.ttl {
            claims.insert("exp".to_owned(), now.saturating_add(ttl).into());
        }
        overlay(&mut claims, &spec.claims);
        overlay(&mut header, &spec.header);
        let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (client_id, audience) = (text("client_id"), text("aud"));
        let tenant = tenant_claims.first().map(|name| text(name)).unwrap_or_default();
        let running = self.running();
        let declared = &running.described.declared;
        let tenants = declared.tenants.iter().map(|tenant| tenant.id.to_string());
        let other_tenant =
            tenants.into_iter().find(|id| *id != tenant).unwrap_or_else(|| format!("not-{tenant}"));
        let audiences = declared.resources.iter().map(|resource| resource.audience().to_owned());
        let another = || "https://another.example/mcp".to_owned();
        let other_audience = audiences.into_iter().find(|other| *other != audience).unwrap_or_else(another);
        Ok(Template { header, claims, now, client_id, tenant_claims, other_tenant, other_audience })
    }
}

/// The list of the zoo, without tokens.
pub(super) fn listed() -> Vec<ZooView> {
    SPECIMENS.iter().map(|specimen| ZooView { specimen: *specimen, token: None }).collect()
}

fn overlay(members: &mut Map<String, Value>, changes: &Map<String, Value>) {
    for (name, value) in changes {
        match value {
            Value::Null => drop(members.remove(name)),
            value => drop(members.insert(name.clone(), value.clone())),
        }
    }
}

/// A header, and claims.
type Both = (Map<String, Value>, Map<String, Value>);

fn read(token: &str) -> Result<Both, Refused> {
    let mut parts = token.split('.').map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
        serde_json::from_slice::<Map<String, Value>>(&bytes).ok()
    });
    let both = parts.next().flatten().zip(parts.next().flatten());
    both.ok_or_else(|| Refused::invalid("a token of this server cannot be read"))
}

fn bad(member: &str, error: &dyn std::error::Error) -> Refused {
    Refused::invalid(format!("{member}: {error}"))
}
