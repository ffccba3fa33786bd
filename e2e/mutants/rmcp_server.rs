//! An MCP server made with rmcp that checks access tokens with jsonwebtoken as strictly as RFC 9068 §4 asks; or with one
//! fault, by MUTANT.
//!
//! ```sh
//! GATELET_ISSUER=... GATELET_JWKS_URI=... GATELET_RESOURCE=http://127.0.0.1:8000/mcp GATELET_SCOPE=mcp:read \
//!     [GATELET_TENANT=acme] [MUTANT=wrong-audience] cargo run --example rmcp_mutants
//! ```

use std::collections::HashSet;
use std::env::{VarError, var};
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header, request::Parts};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, dangerous};
use rmcp::ErrorData;
use rmcp::handler::server::tool::Extension;
use rmcp::transport::streamable_http_server::StreamableHttpService;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::{tool, tool_router};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use url::Url;

/// What each mutant does, and the correct server does not.
#[derive(Clone, Copy, PartialEq)]
enum Mutant {
    TakesAnyAudience,
    IgnoresExpiry,
    SkipsScope,
    TrustsAlgNone,
    AcceptsIdTokens,
    IgnoresIssuer,
    IgnoresTyp,
    TakesOtherTenants,
    TrustsUnknownKeys,
    SendsNoChallenge,
    PublishesAnotherResource,
    KeepsKeysForEver,
    LetsAnybodyWrite,
}

impl Mutant {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "wrong-audience" => Self::TakesAnyAudience,
            "ignores-expiry" => Self::IgnoresExpiry,
            "skips-scope" => Self::SkipsScope,
            "trusts-alg-none" => Self::TrustsAlgNone,
            "accepts-id-token" => Self::AcceptsIdTokens,
            "ignores-issuer" => Self::IgnoresIssuer,
            "ignores-typ" => Self::IgnoresTyp,
            "other-tenant" => Self::TakesOtherTenants,
            "unknown-key" => Self::TrustsUnknownKeys,
            "no-challenge" => Self::SendsNoChallenge,
            "wrong-metadata" => Self::PublishesAnotherResource,
            "caches-for-ever" => Self::KeepsKeysForEver,
            "skips-tool-scope" => Self::LetsAnybodyWrite,
            _ => return None,
        })
    }
}

type Claims = Map<String, Value>;

/// Why a request goes no further: the status, and the error code if there was a token (RFC 6750 §3.1).
type Refusal = (StatusCode, Option<&'static str>);

const BAD_TOKEN: Refusal = (StatusCode::UNAUTHORIZED, Some("invalid_token"));

/// What the library leaves to us: it knows neither `alg: none`, nor which types and extensions are meant.
#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    crit: Option<Value>,
}

struct Site {
    issuer: String,
    jwks_uri: String,
    resource: Url,
    scope: String,
    tenant: Option<String>,
    mutant: Option<Mutant>,
    keys: Mutex<Option<(JwkSet, Instant)>>,
}

impl Site {
    fn from_environment() -> Result<Self, Box<dyn Error>> {
        let mutant = match var("MUTANT").unwrap_or_default().as_str() {
            "" => None,
            name => Some(Mutant::named(name).ok_or_else(|| format!("MUTANT: there is no {name}"))?),
        };
        Ok(Self {
            issuer: var("GATELET_ISSUER")?,
            jwks_uri: var("GATELET_JWKS_URI")?,
            resource: var("GATELET_RESOURCE")?.parse()?,
            scope: var("GATELET_SCOPE")?,
            tenant: match var("GATELET_TENANT") {
                Err(VarError::NotPresent) => None,
                tenant => Some(tenant?),
            },
            mutant,
            keys: Mutex::new(None),
        })
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// The claims of a token that is to be accepted.
    async fn check(&self, headers: &HeaderMap) -> Result<Claims, Refusal> {
        let token = bearer_token(headers).ok_or((StatusCode::UNAUTHORIZED, None))?;
        let head = header_of(token).ok_or(BAD_TOKEN)?;
        let claims = self.authentic(token, &head).await.ok_or(BAD_TOKEN)?;
        let id_token = self.is(Mutant::AcceptsIdTokens)
            && head.typ.as_deref() == Some("JWT")
            && !claims.contains_key("scope");
        if id_token {
            return if self.is_current(&claims) && self.is_ours(&claims) {
                Ok(claims)
            } else {
                Err(BAD_TOKEN)
            };
        }
        let typ = head.typ.unwrap_or_default().to_ascii_lowercase();
        let right_typ =
            self.is(Mutant::IgnoresTyp) || ["at+jwt", "application/at+jwt"].contains(&typ.as_str());
        let right_audience =
            self.is(Mutant::TakesAnyAudience) || texts(&claims, "aud").contains(self.resource.as_str());
        let right_tenant = self.is(Mutant::TakesOtherTenants)
            || self.tenant.is_none()
            || claims.get("tenant").and_then(Value::as_str) == self.tenant.as_deref();
        let complete = ["iss", "aud", "exp", "sub", "client_id", "iat", "jti"]
            .iter()
            .all(|name| claims.contains_key(*name));
        let well_formed = complete && claims.get("scope").is_none_or(Value::is_string);
        let believed = right_typ && right_audience && right_tenant && well_formed;
        if !(believed && self.is_current(&claims) && self.is_ours(&claims)) {
            return Err(BAD_TOKEN);
        }
        if !self.is(Mutant::SkipsScope) && !scopes(&claims).contains(self.scope.as_str()) {
            return Err((StatusCode::FORBIDDEN, Some("insufficient_scope")));
        }
        Ok(claims)
    }

    fn is_ours(&self, claims: &Claims) -> bool {
        self.is(Mutant::IgnoresIssuer) || claims.get("iss").and_then(Value::as_str) == Some(&self.issuer)
    }

    fn is_current(&self, claims: &Claims) -> bool {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs_f64();
        let date = |name| claims.get(name).map(|date| date.as_f64().unwrap_or(f64::NAN));
        let expires_later = self.is(Mutant::IgnoresExpiry) || date("exp").is_some_and(|date| now < date);
        expires_later
            && date("nbf").is_none_or(|date| date <= now)
            && date("iat").is_some_and(|date| date <= now)
    }

    /// The claims as they stand, if the issuer's key signed them.
    async fn authentic(&self, token: &str, head: &Header) -> Option<Claims> {
        if self.is(Mutant::TrustsAlgNone) && head.alg == "none" {
            return dangerous::insecure_decode_claims(token).ok();
        }
        let Some(key) = self.key(head.kid.as_deref()?).await else {
            let trusted = self.is(Mutant::TrustsUnknownKeys);
            return trusted.then(|| dangerous::insecure_decode_claims(token).ok()).flatten();
        };
        let mut signature_alone = Validation::new(Algorithm::RS256);
        signature_alone.required_spec_claims = HashSet::new();
        signature_alone.validate_exp = false;
        signature_alone.validate_aud = false;
        jsonwebtoken::decode(token, &key, &signature_alone).ok().map(|data| data.claims)
    }

    /// A key that is not known is looked for at once: it may have been made while this server runs.
    async fn key(&self, kid: &str) -> Option<DecodingKey> {
        let mut keys = self.keys.lock().await;
        let fresh = |fetched: &Instant| {
            self.is(Mutant::KeepsKeysForEver) || fetched.elapsed() < Duration::from_secs(300)
        };
        let known = keys.as_ref().filter(|(set, fetched)| {
            fresh(fetched) && (self.is(Mutant::KeepsKeysForEver) || set.find(kid).is_some())
        });
        if known.is_none() {
            let answer = reqwest::get(&self.jwks_uri).await.ok()?.error_for_status().ok()?;
            *keys = Some((answer.json().await.ok()?, Instant::now()));
        }
        keys.as_ref()?.0.find(kid).and_then(|jwk| DecodingKey::from_jwk(jwk).ok())
    }

    /// RFC 9728 §3.1: the well-known part stands before the path.
    fn metadata_path(&self) -> String {
        format!("/.well-known/oauth-protected-resource{}", self.resource.path())
    }

    /// RFC 9728 §2. The wrong resource is the origin of the right one, as who forgets its path would have it.
    fn metadata(&self) -> Value {
        let origin = self.resource.origin().ascii_serialization();
        let resource =
            if self.is(Mutant::PublishesAnotherResource) { &origin } else { self.resource.as_str() };
        json!({
            "resource": resource,
            "authorization_servers": [self.issuer],
            "scopes_supported": [self.scope, "mcp:write"],
        })
    }

    fn refuse(&self, (status, error): Refusal) -> Response {
        if self.is(Mutant::SendsNoChallenge) {
            return status.into_response();
        }
        let origin = self.resource.origin().ascii_serialization();
        let error = error.map(|error| format!(r#"error="{error}", "#)).unwrap_or_default();
        let (scope, path) = (&self.scope, self.metadata_path());
        let challenge = format!(r#"Bearer {error}scope="{scope}", resource_metadata="{origin}{path}""#);
        (status, [(header::WWW_AUTHENTICATE, challenge)]).into_response()
    }
}

fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

/// The header of a token without extensions that must be understood: we know none (RFC 7515 §4.1.11).
fn header_of(token: &str) -> Option<Header> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').next()?).ok()?;
    serde_json::from_slice(&bytes).ok().filter(|header: &Header| header.crit.is_none())
}

/// One text or a list of them, as `aud` may be (RFC 7519 §4.1.3).
fn texts<'a>(claims: &'a Claims, name: &str) -> HashSet<&'a str> {
    match claims.get(name) {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        one => one.and_then(Value::as_str).into_iter().collect(),
    }
}

fn scopes(claims: &Claims) -> HashSet<&str> {
    claims.get("scope").and_then(Value::as_str).unwrap_or_default().split(' ').collect()
}

async fn guard(State(site): State<Arc<Site>>, mut request: Request, next: Next) -> Response {
    match site.check(request.headers()).await {
        Ok(claims) => {
            request.extensions_mut().insert(claims);
            next.run(request).await
        }
        Err(refusal) => site.refuse(refusal),
    }
}

struct Notes {
    everybody_writes: bool,
}

#[tool_router(server_handler)]
impl Notes {
    #[tool(description = "What was written")]
    fn read_notes(&self) -> String {
        "milk, bread".to_owned()
    }

    #[tool(description = "Write a note; needs the scope mcp:write")]
    fn write_note(&self, Extension(request): Extension<Parts>) -> Result<String, ErrorData> {
        match request.extensions.get::<Claims>() {
            Some(claims) if self.everybody_writes || scopes(claims).contains("mcp:write") => {
                Ok("written".to_owned())
            }
            _ => Err(ErrorData::invalid_request("the access token lacks the scope mcp:write", None)),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let site = Arc::new(Site::from_environment()?);
    let (path, metadata) = (site.metadata_path(), site.metadata());
    let everybody_writes = site.is(Mutant::LetsAnybodyWrite);
    let mcp = StreamableHttpService::<_, LocalSessionManager>::new(
        move || Ok(Notes { everybody_writes }),
        Default::default(),
        Default::default(),
    );
    let app = Router::new()
        .route_service(site.resource.path(), mcp)
        .route_layer(from_fn_with_state(site.clone(), guard))
        .route(&path, get(|| async { Json(metadata) }));
    let address = site.resource.socket_addrs(|| None)?;
    axum::serve(TcpListener::bind(address.as_slice()).await?, app).await?;
    Ok(())
}
