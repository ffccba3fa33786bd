//! Opaque secrets: 256 random bits that a caller keeps and of which the database holds a keyed hash.

use std::fmt;

use super::base64url;
use crate::protocol::{BrowserSessionId, ClientId, CodeId, InitialAccessTokenId};
use crate::random::Random;

/// A text that proves something to whoever holds it. Implementors have no `Display` and no `Serialize`.
pub trait Secret {
    /// The secret itself. Never log it or store it; hash it with [`super::ServerSecrets::hash`].
    fn expose_secret(&self) -> &str;
}

/// 256 random bits as 43 characters of base64url. Has no `==`, which would tell by its timing how much was right.
#[derive(Clone)]
pub struct OpaqueSecret(String);

impl OpaqueSecret {
    /// Length of every opaque secret's text.
    pub const LENGTH: usize = 43;

    /// Draws a fresh secret.
    pub fn generate(random: &Random) -> Self {
        Self(base64url::encode(random.bytes::<32>()))
    }

    /// Accepts exactly what [`OpaqueSecret::generate`] makes; `None` for any other length, alphabet or spelling.
    pub fn parse(text: &str) -> Option<Self> {
        base64url::decode_exactly::<32>(text)?;
        Some(Self(text.to_owned()))
    }
}

impl Secret for OpaqueSecret {
    fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OpaqueSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpaqueSecret(..)")
    }
}

/// The id of a row that a token names; says by which prefix secret scanners know that token.
pub trait TokenId: Sized {
    /// What the token's text begins with.
    const PREFIX: &'static str;

    /// Accepts a generated id.
    fn parse_id(text: &str) -> Option<Self>;

    /// The id as text.
    fn id_text(&self) -> &str;
}

macro_rules! token_id {
    ($id:ty, $prefix:literal) => {
        impl TokenId for $id {
            const PREFIX: &'static str = $prefix;

            fn parse_id(text: &str) -> Option<Self> {
                <$id>::parse(text)
            }

            fn id_text(&self) -> &str {
                self.as_str()
            }
        }
    };
}

token_id!(CodeId, "gtl_ac_");
token_id!(BrowserSessionId, "gtl_bs_");
token_id!(InitialAccessTokenId, "gtl_ia_");
token_id!(ClientId, "gtl_ra_");

/// The text of an authorization code (RFC 6749 §4.1.2).
pub type CodeToken = OpaqueToken<CodeId>;

/// The value of a browser session's cookie.
pub type BrowserSessionToken = OpaqueToken<BrowserSessionId>;

/// The text of an initial access token that this server made (RFC 7591 §1.2).
pub type InitialAccessTokenText = OpaqueToken<InitialAccessTokenId>;

/// The text of a registration access token (RFC 7592 §1.2); it names the one client that it is good for.
pub type RegistrationToken = OpaqueToken<ClientId>;

/// A token whose text is a prefix, the id of the row that it belongs to, and a secret of which that row holds the
/// hash: rows are found by their time-ordered id, never by a random value.
#[derive(Clone)]
pub struct OpaqueToken<Id> {
    id: Id,
    secret: OpaqueSecret,
}

impl<Id: TokenId> OpaqueToken<Id> {
    /// Makes a token with a fresh secret for the row `id`.
    pub fn generate(id: Id, random: &Random) -> Self {
        Self { id, secret: OpaqueSecret::generate(random) }
    }

    /// Accepts exactly what [`OpaqueToken::expose_token`] prints.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(Id::PREFIX)?;
        let (id, secret) = rest.split_at_checked(rest.len().checked_sub(OpaqueSecret::LENGTH)?)?;
        Some(Self { id: Id::parse_id(id)?, secret: OpaqueSecret::parse(secret)? })
    }

    /// The row that the token names. Proves nothing before the secret is verified.
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// The part that proves possession.
    pub fn secret(&self) -> &OpaqueSecret {
        &self.secret
    }

    /// The token's text, to be handed to its owner and kept nowhere else.
    pub fn expose_token(&self) -> String {
        [Id::PREFIX, self.id.id_text(), self.secret.expose_secret()].concat()
    }
}

impl<Id: TokenId> fmt::Debug for OpaqueToken<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpaqueToken({}{}..)", Id::PREFIX, self.id.id_text())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::Timestamp;
    use crate::tokens::sample::one_character_changed;

    fn code(seed: u64) -> CodeToken {
        let random = Random::seeded(seed);
        let id = CodeId::new(Timestamp::from_seconds(1_800_000_000), random.bytes());
        OpaqueToken::generate(id, &random)
    }

    #[test]
    fn a_code_has_prefix_id_and_secret() {
        let text = code(1).expose_token();
        assert!(text.starts_with("gtl_ac_"));
        assert_eq!(text.len(), 7 + 26 + 43);
        assert!(BrowserSessionToken::parse(&text).is_none(), "a code is not a cookie");
    }

    #[test]
    fn a_text_of_another_shape_is_no_token() {
        let good = code(1).expose_token();
        let upper = format!("GTL_AC_{}", &good[7..]);
        let longer = format!("{good}A");
        let padded = format!("{good}=");
        let spaced = format!("{good} ");
        let accented = format!("gtl_ac_é{}", &good[9..]);
        for text in
            ["", "gtl_ac_", &good[..good.len() - 1], &good[1..], &upper, &longer, &padded, &spaced, &accented]
        {
            assert!(CodeToken::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let token = code(1);
        let shown = format!("{token:?} {:?}", token.secret());
        assert!(!shown.contains(token.secret().expose_secret()));
        assert!(!shown.contains(&token.secret().expose_secret()[..8]));
    }

    proptest! {
        #[test]
        fn what_is_printed_parses(seed: u64) {
            let text = code(seed).expose_token();
            prop_assert_eq!(CodeToken::parse(&text).map(|token| token.expose_token()), Some(text));
        }

        #[test]
        fn one_changed_character_makes_another_token_or_none(seed: u64, change in one_character_changed()) {
            let token = code(seed);
            if let Some(other) = CodeToken::parse(&change.apply(&token.expose_token())) {
                let same_secret = other.secret().expose_secret() == token.secret().expose_secret();
                prop_assert!(other.id() != token.id() || !same_secret);
            }
        }

        #[test]
        fn what_parses_prints_the_same(text in "gtl_ac_[0-9a-z]{26}[A-Za-z0-9_-]{43}") {
            if let Some(token) = CodeToken::parse(&text) {
                prop_assert_eq!(token.expose_token(), text);
            }
        }
    }
}
