//! The token zoo against the layer that Gatelet has for resource servers.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use axum::routing::get;
use gatelet::clock::Clock;
use gatelet::protocol::Timestamp;
use gatelet::resource::ResourceServer;
use gatelet::tokens::TEST_KEYS;
use gatelet::zoo::{DependsOn, SPECIMENS, Specimen, Template, ZooKeys};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::cases;
use crate::world::Database;

cases![the_valid_specimen_passes_and_every_other_is_refused_as_the_zoo_says];

const NOW: i64 = 1_800_000_000;
const RESOURCE: &str = "http://127.0.0.1:8000/mcp";
const ISSUER: &str = "http://127.0.0.1:8710/oauth";

async fn the_valid_specimen_passes_and_every_other_is_refused_as_the_zoo_says(_: Database) {
    // RFC 9068 §4, RFC 8725 §3, RFC 7515 §4.1.11; each specimen names its own section.
    let (signing, foreign) = (TEST_KEYS[0].signing_key(), TEST_KEYS[1].signing_key());
    let zoo = ZooKeys { signing: &signing, foreign: &foreign };
    let server = ResourceServer::builder(RESOURCE, ISSUER)
        .required_scopes(["mcp:read"])
        .tenant("acme")
        .jwks(json!({"keys": [signing.public_jwk()]}))
        .clock(Clock::fixed(Timestamp::from_seconds(NOW)))
        .build()
        .unwrap();
    for specimen in SPECIMENS {
        let made = specimen.make(&template(signing.kid()), &zoo).unwrap();
        let response = answer(&server, &made.token).await;
        let challenge =
            response.headers().get("www-authenticate").map_or("", |challenge| challenge.to_str().unwrap());
        let (status, error) = expected(specimen);
        assert_eq!(response.status(), status, "{}: {challenge}", specimen.name);
        let code = error.map(|code| format!("error=\"{code}\"")).unwrap_or_default();
        assert!(challenge.contains(&code), "{}: {challenge}", specimen.name);
    }
}

/// What the layer asks nobody about, it does not see: RFC 7662 §2.2 is for those who do.
fn expected(specimen: &Specimen) -> (u16, Option<&'static str>) {
    match specimen.depends_on {
        Some(DependsOn::Introspection) => (200, None),
        Some(DependsOn::Tenant) | None => (specimen.status, specimen.error),
    }
}

async fn answer(server: &ResourceServer, token: &str) -> Response<Body> {
    let app = Router::new().route("/mcp", get(|| async { "in" })).layer(server.layer());
    let request = Request::get("/mcp").header("authorization", format!("Bearer {token}"));
    app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

fn template(kid: &str) -> Template {
    let object = |value: Value| value.as_object().unwrap().clone();
    Template {
        header: object(json!({"typ": "at+jwt", "alg": "RS256", "kid": kid})),
        claims: object(json!({
            "iss": ISSUER, "sub": "ada", "aud": RESOURCE, "client_id": "editor", "iat": NOW, "exp": NOW + 900,
            "jti": "AAAAAAAAAAAAAAAAAAAAAA", "scope": "mcp:read", "tenant": "acme",
        })),
        now: NOW,
        client_id: "editor".to_owned(),
        tenant_claims: vec!["tenant".to_owned()],
        other_tenant: "globex".to_owned(),
        other_audience: "https://other.example/mcp".to_owned(),
    }
}
