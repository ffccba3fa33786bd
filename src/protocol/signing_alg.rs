//! The algorithms that tokens are signed with.

use serde::{Deserialize, Serialize};

/// A signature algorithm of ours (RFC 7518 §3.1). A key signs with one of them, and what it signed is checked with that
/// one alone (RFC 8725 §3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SigningAlg {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3): what every verifier knows (RFC 9068 §2.1).
    #[default]
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA on P-256 with SHA-256 (RFC 7518 §3.4): shorter tokens, for resource servers that know it.
    #[serde(rename = "ES256")]
    Es256,
}

impl SigningAlg {
    /// All of them, the one that is always there first.
    pub const ALL: [Self; 2] = [Self::Rs256, Self::Es256];

    /// Its registered name, which is also how it is stored and configured.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }

    /// Reads a registered name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|alg| alg.as_str() == text)
    }
}

impl std::fmt::Display for SigningAlg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_are_registered() {
        // RFC 7518 §3.1
        for (alg, name) in SigningAlg::ALL.into_iter().zip(["RS256", "ES256"]) {
            assert_eq!((alg.as_str(), SigningAlg::parse(name)), (name, Some(alg)));
            assert_eq!(serde_json::to_value(alg).unwrap(), name);
        }
        for name in ["none", "HS256", "rs256", "RS512", ""] {
            assert_eq!(SigningAlg::parse(name), None, "{name}");
        }
    }
}
