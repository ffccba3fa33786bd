//! Identifiers: one type per kind, so that a grant's id cannot be handed where a user's belongs.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// Letters of generated identifiers: lower case and digits only, so that no encoding can spoil them
/// (RFC 6749 §2.3.1 form-encodes client ids in a Basic header) and in ASCII order, so that they sort by time.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A generated identifier: 26 letters and digits, the first ten of which are the millisecond-resolution time of
/// its making. Rows whose keys grow with time stay cheap to insert however many there are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(String);

impl Id {
    /// Length of every generated identifier.
    pub const LENGTH: usize = 26;

    /// Makes an identifier from the present and 10 random bytes.
    pub fn new(now: Timestamp, chance: [u8; 10]) -> Self {
        let millis = (now.seconds().max(0) as u128).saturating_mul(1000);
        let mut bits = millis << 80;
        for (i, byte) in chance.iter().enumerate() {
            bits |= u128::from(*byte) << (72 - 8 * i);
        }
        let letters =
            (0..Self::LENGTH).rev().map(|i| char::from(ALPHABET[((bits >> (5 * i)) & 31) as usize]));
        Self(letters.collect())
    }

    /// Accepts exactly what [`Id::new`] makes.
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = text.len() == Self::LENGTH && text.bytes().all(|b| ALPHABET.contains(&b));
        well_formed.then(|| Self(text.to_owned()))
    }

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! generated_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Id);

        impl $name {
            /// Makes a fresh identifier; see [`Id::new`].
            pub fn new(now: Timestamp, chance: [u8; 10]) -> Self {
                Self(Id::new(now, chance))
            }

            /// Accepts the 26 letters and digits of a generated identifier, nothing else.
            pub fn parse(text: &str) -> Option<Self> {
                Id::parse(text).map(Self)
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

macro_rules! named_id {
    ($(#[$doc:meta])* $name:ident, $max:expr, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Accepts a text of permitted length and characters; `None` otherwise.
            pub fn parse(text: &str) -> Option<Self> {
                let allowed: fn(u8) -> bool = $allowed;
                let well_formed = !text.is_empty() && text.len() <= $max && text.bytes().all(allowed);
                well_formed.then(|| Self(text.to_owned()))
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<Id> for $name {
            fn from(id: Id) -> Self {
                Self(id.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = &'static str;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text).ok_or(concat!("not a valid ", stringify!($name)))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// What may stand in an identifier that people write themselves.
fn is_name_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')
}

generated_id!(
    /// One completed authorization, and so one installation of a client; everything issued under it carries this id.
    GrantId
);
generated_id!(
    /// An authorization code's row; the code itself is this id and a secret.
    CodeId
);
generated_id!(
    /// A person's logged-in browser; the cookie is this id and a secret.
    BrowserSessionId
);
generated_id!(
    /// An authorization request parked while a logged-in person decides.
    InteractionId
);
generated_id!(
    /// A server secret from which the keys for refresh tokens, hashes and cookies are derived.
    ServerSecretId
);
generated_id!(
    /// An initial access token's row; the token itself is this id and a secret, unless the operator wrote it.
    InitialAccessTokenId
);
named_id!(
    /// A client's identifier (RFC 6749 §2.2): generated, configured, or the https URL of a client id metadata
    /// document. Printable ASCII without spaces (RFC 6749 appendix A.1, narrowed by the space).
    ClientId,
    2048,
    |b| b.is_ascii_graphic()
);
named_id!(
    /// A user's identifier, the `sub` of their tokens. Never given to another person.
    UserId,
    64,
    is_name_byte
);
named_id!(
    /// A tenant's identifier, a short word such as `acme`; the `tenant` claim.
    TenantId,
    64,
    is_name_byte
);
named_id!(
    /// A role's name, such as `editor`.
    RoleName,
    64,
    is_name_byte
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_ids_are_fixed_length_lower_case_and_sort_by_time() {
        let early = Id::new(Timestamp::from_seconds(1_700_000_000), [255; 10]);
        let late = Id::new(Timestamp::from_seconds(1_700_000_001), [0; 10]);
        assert!(early < late);
        assert_eq!(early.as_str().len(), Id::LENGTH);
        assert_eq!(Id::parse(early.as_str()), Some(early.clone()));
        assert!(early.as_str().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
    }

    #[test]
    fn ids_of_another_shape_are_refused() {
        for text in [
            "",
            "short",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "01arz3ndektsv4rrffq69g5fa",
            "01arz3ndektsv4rrffq69g5fav0",
        ] {
            assert_eq!(Id::parse(text), None, "{text}");
        }
        assert_eq!(Id::parse("01arz3ndektsv4rrffq69g5fau"), None, "u is not in the alphabet");
        assert_eq!(GrantId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV"), None);
    }

    #[test]
    fn a_generated_id_is_its_time_and_all_its_chance() {
        let id = |seconds, chance| Id::new(Timestamp::from_seconds(seconds), chance).to_string();
        // 1 700 000 000 000 ms, ten digits of base 32; then 80 bits.
        assert_eq!(id(1_700_000_000, [0; 10]), "01hf7yat000000000000000000");
        assert_eq!(id(1_700_000_000, [255; 10]), "01hf7yat00zzzzzzzzzzzzzzzz");
        assert_eq!(
            id(0, [0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0x0f, 0x1e]),
            "000000000028t5cy4tqkff03ry"
        );
        assert_eq!(id(-5, [0; 10]), "0".repeat(26), "a clock before 1970 is the start of time");
        assert_eq!(id(i64::MAX, [0; 10]).len(), Id::LENGTH, "nor does the end of time overflow");
    }

    #[test]
    fn every_kind_of_generated_id_reads_what_it_prints() {
        let (now, chance) = (Timestamp::from_seconds(1), [7; 10]);
        let text = Id::new(now, chance).to_string();
        let grant = GrantId::new(now, chance);
        assert_eq!((grant.as_str(), grant.to_string()), (text.as_str(), text.clone()));
        assert_eq!(GrantId::parse(&text), Some(grant));
        assert_eq!(ClientId::from(Id::new(now, chance)).as_str(), text);
    }

    #[test]
    fn a_name_that_people_write_is_a_short_word() {
        for text in ["acme", "Acme-2_b.c", &"a".repeat(64)] {
            let tenant = TenantId::parse(text).unwrap();
            assert_eq!((tenant.as_str(), tenant.to_string().as_str()), (text, text));
            assert!(UserId::parse(text).is_some() && RoleName::parse(text).is_some());
        }
        for text in ["", "ac me", "a/b", "a:b", "a\0", "é", &"a".repeat(65)] {
            assert_eq!(TenantId::parse(text), None, "{text:?}");
            assert!(UserId::parse(text).is_none() && RoleName::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn a_client_id_is_printable_ascii_of_at_most_2048_characters() {
        // RFC 6749 appendix A.1
        for text in ["!", "~", "https://app.example/client.json?a=b#c", &"a".repeat(2048)] {
            assert_eq!(ClientId::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "a b", "a\0b", "a\n", "a\u{7f}", "é", &"a".repeat(2049)] {
            assert_eq!(ClientId::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_stored_name_is_checked_like_a_sent_one() {
        let read = |json: &str| serde_json::from_str::<TenantId>(json).ok();
        assert_eq!(read("\"acme\""), TenantId::parse("acme"));
        assert_eq!(read("\"ac me\""), None);
        assert_eq!(serde_json::to_string(&TenantId::parse("acme")).unwrap(), "\"acme\"");
    }
}
