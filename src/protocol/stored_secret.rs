//! What is left of a secret once it is stored: texts from which the secret cannot be read.
//!
//! They are types of their own so that the store, which accepts nothing else, can never be handed a secret.

use std::fmt;

macro_rules! stored_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// Takes back what [`Self::as_str`] gave to the database.
            pub fn from_stored(text: String) -> Self {
                Self(text)
            }

            /// The text to store.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

stored_text!(
    /// Keyed hash of a random secret (a client secret, a code, a cookie), with the name of its key.
    SecretHash
);
stored_text!(
    /// Argon2id hash of a password, in PHC string format.
    PasswordHash
);
stored_text!(
    /// Bytes encrypted and authenticated under a key that the database does not hold.
    Sealed
);

impl Sealed {
    /// The name of the key that opens it, which stands before the first dot; nothing if it is no sealed text.
    pub fn key_name(&self) -> &str {
        self.0.split_once('.').map_or("", |(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_of_a_secret_is_read_back_and_never_printed() {
        let hash = SecretHash::from_stored("k1.abc".into());
        assert_eq!((hash.as_str(), format!("{hash:?}").as_str()), ("k1.abc", "SecretHash(..)"));
        let password = PasswordHash::from_stored("$argon2id$".into());
        assert_eq!((password.as_str(), format!("{password:?}").as_str()), ("$argon2id$", "PasswordHash(..)"));
        let sealed = Sealed::from_stored("bytes".into());
        assert_eq!((sealed.as_str(), format!("{sealed:?}").as_str()), ("bytes", "Sealed(..)"));
        assert_eq!((sealed.key_name(), Sealed::from_stored("key.bytes".into()).key_name()), ("", "key"));
    }
}
