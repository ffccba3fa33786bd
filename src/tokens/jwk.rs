//! Public RSA keys as JSON Web Keys (RFC 7517).

use aws_lc_rs::digest;
use rsa::RsaPublicKey;
use rsa::traits::PublicKeyParts;
use serde::{Deserialize, Serialize};

use super::base64url;

/// The public part of an RS256 signing key as the JWKS shows it (RFC 7517 §4, RFC 7518 §6.3.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicJwk {
    kty: String,
    #[serde(rename = "use")]
    usage: String,
    alg: String,
    kid: String,
    n: String,
    e: String,
}

impl PublicJwk {
    /// Describes a public key; `kid` is its thumbprint unless another is given.
    pub(super) fn new(key: &RsaPublicKey, kid: Option<&str>) -> Self {
        let mut jwk = Self {
            kty: "RSA".to_owned(),
            usage: "sig".to_owned(),
            alg: "RS256".to_owned(),
            kid: String::new(),
            n: base64url::encode(key.n().to_bytes_be()),
            e: base64url::encode(key.e().to_bytes_be()),
        };
        jwk.kid = kid.map_or_else(|| jwk.thumbprint(), str::to_owned);
        jwk
    }

    /// The key's name, unique within a key ring.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The SHA-256 thumbprint of RFC 7638 §3 in base64url: the same for the same key, whatever its `kid`.
    pub fn thumbprint(&self) -> String {
        let required = format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, self.e, self.n);
        base64url::encode(digest::digest(&digest::SHA256, required.as_bytes()))
    }

    /// Modulus and exponent in base64url, as verifiers take them.
    pub(super) fn components(&self) -> (&str, &str) {
        (&self.n, &self.e)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638_section_3_1() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_\
                 BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_\
                 FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI\
                 4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let key = RsaPublicKey::new(
            rsa::BigUint::from_bytes_be(&base64url::decode(n).unwrap()),
            rsa::BigUint::from(65537_u32),
        );
        let jwk = PublicJwk::new(&key.unwrap(), None);
        assert_eq!(jwk.kid(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        assert_eq!(jwk.components(), (n, "AQAB"));
    }
}
