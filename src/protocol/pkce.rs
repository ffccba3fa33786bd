//! Proof Key for Code Exchange (RFC 7636), method S256 only.
//!
//! `plain` does not exist here: OAuth 2.1 §7.5.2 and MCP ask for S256, and a server that knows one method
//! cannot be talked down to the other.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The hash of a verifier that only the client knows yet (RFC 7636 §4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeChallenge(String);

impl CodeChallenge {
    /// Accepts the base64url form of 32 bytes without padding: 43 characters, the last of which leaves no bit over.
    pub fn parse(text: &str) -> Option<Self> {
        let decoded = URL_SAFE_NO_PAD.decode(text).ok()?;
        (decoded.len() == 32).then(|| Self(text.to_owned()))
    }

    /// The challenge as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `verifier` is the one that this challenge was made from (RFC 7636 §4.6).
    pub fn is_met_by(&self, verifier: &CodeVerifier) -> bool {
        self.0.as_bytes().ct_eq(verifier.challenge().0.as_bytes()).into()
    }
}

/// The secret that a client made for one authorization (RFC 7636 §4.1).
#[derive(Clone)]
pub struct CodeVerifier(String);

impl CodeVerifier {
    /// Accepts 43 to 128 unreserved characters.
    pub fn parse(text: &str) -> Option<Self> {
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
        let well_formed = (43..=128).contains(&text.len()) && text.bytes().all(unreserved);
        well_formed.then(|| Self(text.to_owned()))
    }

    /// The challenge that belongs to this verifier.
    pub fn challenge(&self) -> CodeChallenge {
        CodeChallenge(URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.as_bytes())))
    }
}

impl std::fmt::Debug for CodeVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeVerifier(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_verifies() {
        // RFC 7636 appendix B
        let verifier = CodeVerifier::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").unwrap();
        let challenge = CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap();
        assert!(challenge.is_met_by(&verifier));
        let other = CodeVerifier::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl").unwrap();
        assert!(!challenge.is_met_by(&other));
    }

    #[test]
    fn verifiers_have_43_to_128_unreserved_characters() {
        // RFC 7636 §4.1
        assert!(CodeVerifier::parse(&"a".repeat(42)).is_none());
        assert!(CodeVerifier::parse(&"a".repeat(43)).is_some());
        assert!(CodeVerifier::parse(&"a".repeat(128)).is_some());
        assert!(CodeVerifier::parse(&"a".repeat(129)).is_none());
        assert!(CodeVerifier::parse(&"-._~".repeat(11)).is_some());
        for bad in ["+", "/", "=", " ", "é", "%"] {
            assert!(CodeVerifier::parse(&format!("{}{bad}", "a".repeat(43))).is_none(), "{bad}");
        }
    }

    #[test]
    fn challenges_are_exactly_32_bytes_in_canonical_base64url() {
        assert!(CodeChallenge::parse(&"A".repeat(42)).is_none());
        assert!(CodeChallenge::parse(&"A".repeat(44)).is_none());
        assert!(CodeChallenge::parse(&format!("{}B", "A".repeat(42))).is_none(), "bits left over");
        assert!(CodeChallenge::parse(&format!("{}=", "A".repeat(43))).is_none());
    }

    #[test]
    fn a_verifier_is_not_printed() {
        let verifier = CodeVerifier::parse(&"v".repeat(43)).unwrap();
        assert_eq!(format!("{verifier:?}"), "CodeVerifier(..)");
        assert_eq!(verifier.challenge().as_str().len(), 43);
    }
}
