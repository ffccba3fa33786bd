//! Keys of clients, and what clients sign with them (RFC 7523).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::tokens::{TEST_KEYS, TestKey};

/// An RS256 key that a test client signs with: one of those in Gatelet's repository.
#[derive(Clone, Copy, Debug)]
pub struct ClientKey(TestKey);

impl ClientKey {
    /// A key.
    pub const FIRST: Self = Self(TEST_KEYS[1]);
    /// Another key, for a client that exchanges its keys.
    pub const SECOND: Self = Self(TEST_KEYS[0]);

    /// Its name.
    pub fn kid(&self) -> &'static str {
        self.0.thumbprint
    }

    /// Its public part, as a JSON Web Key.
    pub fn jwk(&self) -> Value {
        serde_json::to_value(self.0.signing_key().public_jwk()).expect("a key can be written")
    }

    /// A JSON Web Key Set with its public part alone.
    pub fn jwks(&self) -> Value {
        json!({"keys": [self.jwk()]})
    }

    /// A JWT with this header and these claims, whatever they say.
    ///
    /// # Panics
    /// When the library does not sign.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.0.signing_key().sign(signed.as_bytes()).expect("a test key signs");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
