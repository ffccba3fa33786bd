//! Public keys of the issuer (RFC 7517).

use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use serde_json::Value;

/// Keys read from one document; more are ignored.
const MAX_KEYS: usize = 100;

/// A signature algorithm that access tokens may use. There is no symmetric one and no `none`: they cannot be asked
/// for by mistake (RFC 8725 §3.1, §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256, which RFC 9068 §2.1 makes mandatory.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "PS256" => Some(Self::Ps256),
            "ES256" => Some(Self::Es256),
            "EdDSA" => Some(Self::EdDsa),
            _ => None,
        }
    }

    fn to_jose(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
            Self::Ps256 => jsonwebtoken::Algorithm::PS256,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        }
    }
}

/// The signing keys of one JWKS document.
#[derive(Debug)]
pub(super) struct KeySet(Vec<PublicKey>);

/// One public key.
#[derive(Clone, Debug)]
pub(super) struct PublicKey {
    kid: Option<String>,
    jwk: Jwk,
    key: DecodingKey,
}

impl KeySet {
    /// Reads a JWKS. Keys of another use or of an unknown kind are left out, as RFC 7517 §5 asks; `None` if it is no
    /// JWKS at all.
    pub(super) fn parse(document: &Value) -> Option<Self> {
        let listed = document.get("keys")?.as_array()?;
        Some(Self(listed.iter().take(MAX_KEYS).filter_map(PublicKey::parse).collect()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key that a token names. A token without `kid` is accepted only where it leaves no choice.
    pub(super) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<&PublicKey> {
        let mut fitting =
            self.0.iter().filter(|key| key.fits(algorithm) && (kid.is_none() || key.kid.as_deref() == kid));
        let first = fitting.next()?;
        (kid.is_some() || fitting.next().is_none()).then_some(first)
    }
}

impl PublicKey {
    fn parse(value: &Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
        let for_signatures = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
        // A symmetric key in a public document is everyone's key.
        let asymmetric = matches!(
            jwk.algorithm,
            AlgorithmParameters::RSA(_)
                | AlgorithmParameters::EllipticCurve(_)
                | AlgorithmParameters::OctetKeyPair(_)
        );
        if !for_signatures || !asymmetric {
            return None;
        }
        let key = DecodingKey::from_jwk(&jwk).ok()?;
        Some(Self { kid: jwk.common.key_id.clone(), jwk, key })
    }

    /// Whether this key may be used with `algorithm`: by its kind, and by its own `alg` if it has one.
    fn fits(&self, algorithm: Algorithm) -> bool {
        let (kind, named) = match (&self.jwk.algorithm, algorithm) {
            (AlgorithmParameters::RSA(_), Algorithm::Rs256) => (true, KeyAlgorithm::RS256),
            (AlgorithmParameters::RSA(_), Algorithm::Ps256) => (true, KeyAlgorithm::PS256),
            (AlgorithmParameters::EllipticCurve(ec), Algorithm::Es256) => {
                (ec.curve == EllipticCurve::P256, KeyAlgorithm::ES256)
            }
            (AlgorithmParameters::OctetKeyPair(okp), Algorithm::EdDsa) => {
                (okp.curve == EllipticCurve::Ed25519, KeyAlgorithm::EdDSA)
            }
            _ => return false,
        };
        kind && self.jwk.common.key_algorithm.is_none_or(|own| own == named)
    }

    /// Whether `signature` (base64url) is this key's over `message`.
    pub(super) fn verifies(&self, message: &[u8], signature: &str, algorithm: Algorithm) -> bool {
        jsonwebtoken::crypto::verify(signature, message, &self.key, algorithm.to_jose()).unwrap_or(false)
    }
}
