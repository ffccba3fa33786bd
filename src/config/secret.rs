//! A secret between where it is configured and where it is hashed.

use std::fmt;

/// A secret that was configured: a password, a client secret, a key, a URL that may hold a password. It has no
/// `Display`, and its `Debug` prints nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigSecret(String);

impl ConfigSecret {
    /// Takes a secret in.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself. Named so that every use of it can be found.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ConfigSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConfigSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_prints_nothing_of_a_secret() {
        assert_eq!(format!("{:?}", ConfigSecret::new("hunter2")), "ConfigSecret(..)");
    }
}
