//! Refresh tokens that are derived, not stored: the grant's row holds the generation, and the token proves it with a
//! keyed hash. A stolen database forges none without the server secret; a stolen token derives no successor.

use std::fmt;

use aws_lc_rs::hmac;

use super::server_secret::ServerSecret;
use super::{base64url, subkey};
use crate::protocol::{GrantId, Id};

const PREFIX: &str = "gtl_rt_";
const GENERATION_DIGITS: usize = 8;

/// A refresh token (RFC 6749 §1.5) to be handed to a client.
#[derive(Clone)]
pub struct RefreshToken(String);

impl RefreshToken {
    /// The token of a grant's generation; the same whenever it is asked for. `secret` is the one that the grant names.
    pub fn derive(secret: &ServerSecret, grant: &GrantId, generation: u32) -> Self {
        let proved = proved(grant, generation);
        let mac = subkey::tag(secret.refresh_key(), proved.as_bytes());
        Self([PREFIX, &proved, &base64url::encode(mac)].concat())
    }

    /// The token's text, to be handed to its client and kept nowhere else.
    pub fn expose_token(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(..)")
    }
}

/// A refresh token as a client presented it. It names a grant, but proves nothing until [`Self::is_authentic`].
#[derive(Clone)]
pub struct PresentedRefreshToken {
    grant: GrantId,
    generation: u32,
    mac: [u8; 32],
}

impl PresentedRefreshToken {
    /// Accepts the one spelling that [`RefreshToken::derive`] makes.
    pub fn parse(text: &str) -> Option<Self> {
        let (grant, rest) = text.strip_prefix(PREFIX)?.split_at_checked(Id::LENGTH)?;
        let (digits, mac) = rest.split_at_checked(GENERATION_DIGITS)?;
        if !digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        Some(Self {
            grant: GrantId::parse(grant)?,
            generation: u32::from_str_radix(digits, 16).ok()?,
            mac: base64url::decode_exactly(mac)?,
        })
    }

    /// The grant that the token names.
    pub fn grant(&self) -> &GrantId {
        &self.grant
    }

    /// The generation that the token names, counted from the grant's first.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Whether this server made the token with `secret`, the one that the grant names; in constant time. Says nothing
    /// about whether the generation is still good.
    #[must_use]
    pub fn is_authentic(&self, secret: &ServerSecret) -> bool {
        let proved = proved(&self.grant, self.generation);
        hmac::verify(secret.refresh_key(), proved.as_bytes(), &self.mac).is_ok()
    }
}

impl fmt::Debug for PresentedRefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PresentedRefreshToken({}, generation {}, ..)", self.grant, self.generation)
    }
}

/// What the keyed hash covers: both parts have a fixed length, so no two pairs give the same text.
fn proved(grant: &GrantId, generation: u32) -> String {
    format!("{grant}{generation:08x}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::Timestamp;
    use crate::tokens::sample::{one_character_changed, server_secret};

    fn grant(chance: [u8; 10]) -> GrantId {
        GrantId::new(Timestamp::from_seconds(1_800_000_000), chance)
    }

    #[test]
    fn a_generation_always_has_the_same_token_and_its_neighbours_others() {
        let (secret, grant) = (server_secret(1), grant([1; 10]));
        let token = |generation| RefreshToken::derive(&secret, &grant, generation).expose_token().to_owned();
        assert_eq!(token(1), token(1));
        assert_ne!(token(1), token(2));
        assert_eq!(token(u32::MAX).len(), 7 + 26 + 8 + 43);
    }

    #[test]
    fn another_server_secret_or_a_forged_generation_is_not_authentic() {
        let (secret, grant) = (server_secret(1), grant([1; 10]));
        let text = RefreshToken::derive(&secret, &grant, 1).expose_token().to_owned();
        assert!(PresentedRefreshToken::parse(&text).unwrap().is_authentic(&secret));
        assert!(!PresentedRefreshToken::parse(&text).unwrap().is_authentic(&server_secret(2)));
        let forged = text.replacen("00000001", "00000002", 1);
        assert!(!PresentedRefreshToken::parse(&forged).unwrap().is_authentic(&secret));
    }

    #[test]
    fn a_text_of_another_shape_is_no_refresh_token() {
        let good = RefreshToken::derive(&server_secret(1), &grant([1; 10]), 0xab).expose_token().to_owned();
        let upper = good.replacen("000000ab", "000000AB", 1);
        let signed = good.replacen("000000ab", "+00000ab", 1);
        let (longer, padded) = (format!("{good}A"), format!("{good}="));
        for text in ["", "gtl_rt_", &good[..83], &good[1..], &upper, &signed, &longer, &padded] {
            assert!(PresentedRefreshToken::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let token = RefreshToken::derive(&server_secret(1), &grant([1; 10]), 1);
        let presented = PresentedRefreshToken::parse(token.expose_token()).unwrap();
        let mac = &token.expose_token()[41..];
        for shown in [format!("{token:?}"), format!("{presented:?}")] {
            assert!(!shown.contains(mac) && !shown.contains(&format!("{:?}", presented.mac)), "{shown}");
        }
    }

    proptest! {
        #[test]
        fn what_is_derived_parses_and_is_authentic(chance: [u8; 10], generation: u32) {
            let (secret, grant) = (server_secret(1), grant(chance));
            let token = RefreshToken::derive(&secret, &grant, generation);
            let presented = PresentedRefreshToken::parse(token.expose_token()).unwrap();
            prop_assert_eq!((presented.grant(), presented.generation()), (&grant, generation));
            prop_assert!(presented.is_authentic(&secret));
        }

        #[test]
        fn one_changed_character_is_not_authentic(generation: u32, change in one_character_changed()) {
            let secret = server_secret(1);
            let token = RefreshToken::derive(&secret, &grant([1; 10]), generation);
            let altered = PresentedRefreshToken::parse(&change.apply(token.expose_token()));
            prop_assert!(!altered.is_some_and(|token| token.is_authentic(&secret)));
        }
    }
}
