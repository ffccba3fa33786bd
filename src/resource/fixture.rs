//! For tests: an issuer's keys, tokens good and bad, and an issuer's endpoints over HTTP.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;
use axum::{Router, routing::get};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::protocol::Timestamp;

/// The present in all tests.
pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const RESOURCE: &str = "https://mcp.example/mcp";
pub(crate) const ISSUER: &str = "https://id.example/oauth";

pub(crate) fn clock() -> Clock {
    Clock::fixed(Timestamp::from_seconds(NOW))
}

/// A private key of the issuer.
pub(crate) struct TestKey {
    pub(crate) kid: &'static str,
    algorithm: Algorithm,
    private: EncodingKey,
}

impl TestKey {
    pub(crate) fn rsa(kid: &'static str) -> Self {
        let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
        let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
        let pkcs1 = rsa::RsaPrivateKey::from_pkcs8_der(pkcs8.as_ref()).unwrap().to_pkcs1_der().unwrap();
        Self { kid, algorithm: Algorithm::RS256, private: EncodingKey::from_rsa_der(pkcs1.as_bytes()) }
    }

    /// An RSA key that signs with PSS.
    pub(crate) fn pss(kid: &'static str) -> Self {
        Self { algorithm: Algorithm::PS256, ..Self::rsa(kid) }
    }

    pub(crate) fn ed25519(kid: &'static str) -> Self {
        let random = aws_lc_rs::rand::SystemRandom::new();
        let pkcs8 = aws_lc_rs::signature::Ed25519KeyPair::generate_pkcs8v1(&random).unwrap();
        Self { kid, algorithm: Algorithm::EdDSA, private: EncodingKey::from_ed_der(pkcs8.as_ref()) }
    }

    pub(crate) fn p256(kid: &'static str) -> Self {
        use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let pkcs8 = pair.to_pkcs8v1().unwrap();
        Self { kid, algorithm: Algorithm::ES256, private: EncodingKey::from_ec_der(pkcs8.as_ref()) }
    }

    pub(crate) fn public(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.private, self.algorithm).unwrap();
        jwk.common.key_id = Some(self.kid.to_owned());
        let mut value = serde_json::to_value(jwk).unwrap();
        value["use"] = json!("sig");
        value
    }

    pub(crate) fn header(&self) -> Value {
        json!({"typ": "at+jwt", "alg": self.algorithm, "kid": self.kid})
    }

    /// Signs whatever it is given.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = unsigned(header, claims);
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), &self.private, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }

    /// A token with these claims.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.sign(&self.header(), claims)
    }
}

pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", encode(header), encode(claims))
}

/// The issuer's key in most tests; making one takes a moment.
pub(crate) static KEY: LazyLock<TestKey> = LazyLock::new(|| TestKey::rsa("key-1"));

pub(crate) fn jwks<const N: usize>(keys: [&TestKey; N]) -> Value {
    json!({"keys": keys.map(TestKey::public).to_vec()})
}

/// Claims of a good token, changed by the members of `changes`; `null` removes one.
pub(crate) fn claims(changes: Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "sub": "user-1", "aud": RESOURCE, "client_id": "client-1", "iat": NOW - 10,
        "exp": NOW + 890, "jti": "jti-1", "scope": "mcp:read", "tenant": "acme", "roles": ["editor"],
    });
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

/// An issuer's metadata and keys on a loopback port.
pub(crate) struct StubIssuer {
    pub(crate) issuer: String,
    state: Arc<StubState>,
}

struct StubState {
    jwks: Mutex<Option<Value>>,
    jwks_fetches: AtomicUsize,
    max_age: u32,
    origin: String,
}

impl StubIssuer {
    /// Serves `jwks` under the issuer `<origin>/oauth`, cached for `max_age` seconds.
    pub(crate) async fn start(jwks: Value, max_age: u32) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(StubState {
            jwks: Mutex::new(Some(jwks)),
            jwks_fetches: AtomicUsize::new(0),
            max_age,
            origin: origin.clone(),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration/oauth", get(metadata))
            .route("/oauth/jwks", get(serve_jwks))
            .with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { issuer: format!("{origin}/oauth"), state }
    }

    /// Serves other keys from now on; `None` is an outage.
    pub(crate) fn publish(&self, jwks: Option<Value>) {
        *self.state.jwks.lock().unwrap() = jwks;
    }

    pub(crate) fn jwks_fetches(&self) -> usize {
        self.state.jwks_fetches.load(Ordering::SeqCst)
    }
}

async fn metadata(State(stub): State<Arc<StubState>>) -> String {
    let origin = &stub.origin;
    json!({"issuer": format!("{origin}/oauth"), "jwks_uri": format!("{origin}/oauth/jwks")}).to_string()
}

async fn serve_jwks(State(stub): State<Arc<StubState>>) -> axum::response::Response {
    stub.jwks_fetches.fetch_add(1, Ordering::SeqCst);
    // Long enough for requests that come at once to meet.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    match &*stub.jwks.lock().unwrap() {
        Some(jwks) => {
            ([(CACHE_CONTROL, format!("max-age={}", stub.max_age))], jwks.to_string()).into_response()
        }
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
