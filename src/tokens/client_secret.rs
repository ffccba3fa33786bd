//! Client secrets (RFC 6749 §2.3.1): generated ones are letters and digits only, so that neither form encoding nor
//! base64 in a Basic header can spoil them; configured ones may be any text.

use std::fmt;

use super::secret::Secret;
use crate::random::Random;

const PREFIX: &str = "gtlcs";
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 62^43 is the first power of 62 above 2^256.
const RANDOM_LETTERS: usize = 43;

/// A client's secret: generated, configured or presented.
#[derive(Clone)]
pub struct ClientSecret(String);

impl ClientSecret {
    /// Draws a secret of 256 bits: `gtlcs` and 43 letters and digits.
    pub fn generate(random: &Random) -> Self {
        let mut text = String::from(PREFIX);
        while text.len() < PREFIX.len() + RANDOM_LETTERS {
            // Bytes from 248 up are dropped: 248 is four times 62, so every letter stays equally likely.
            let fair = random.bytes::<64>().into_iter().filter(|byte| *byte < 248);
            let missing = PREFIX.len() + RANDOM_LETTERS - text.len();
            text.extend(fair.take(missing).map(|byte| char::from(ALPHABET[usize::from(byte % 62)])));
        }
        Self(text)
    }

    /// Takes a secret as somebody wrote it in the configuration or presented it in a request.
    pub fn from_text(text: String) -> Self {
        Self(text)
    }

    /// An upper bound of the secret's strength in bits, from its length and the kinds of characters in it. Whoever
    /// configures one below 128 deserves a warning; a high value proves nothing.
    pub fn strength_at_most(&self) -> u32 {
        let has = |kind: fn(char) -> bool| self.0.chars().any(kind);
        let beyond_hex = has(|c| c.is_ascii_alphabetic() && !c.is_ascii_hexdigit());
        let letters = if beyond_hex { 26 } else { 6 };
        let mut alphabet = 0.0_f64;
        for (present, size) in [
            (has(|c| c.is_ascii_digit()), 10.0),
            (has(|c| c.is_ascii_lowercase()), f64::from(letters)),
            (has(|c| c.is_ascii_uppercase()), f64::from(letters)),
            (has(|c| !c.is_ascii_alphanumeric()), 33.0),
        ] {
            alphabet += if present { size } else { 0.0 };
        }
        let characters = u32::try_from(self.0.chars().count()).unwrap_or(u32::MAX);
        if characters == 0 { 0 } else { (f64::from(characters) * alphabet.log2()) as u32 }
    }
}

impl Secret for ClientSecret {
    fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn two_generated_secrets_differ() {
        let random = Random::seeded(1);
        let (a, b) = (ClientSecret::generate(&random), ClientSecret::generate(&random));
        assert_ne!(a.expose_secret(), b.expose_secret());
    }

    #[test]
    fn every_letter_is_drawn() {
        let random = Random::seeded(1);
        let drawn: String =
            (0..100).map(|_| ClientSecret::generate(&random).expose_secret()[5..].to_owned()).collect();
        assert!(ALPHABET.iter().all(|letter| drawn.contains(char::from(*letter))));
    }

    #[test]
    fn strength_is_bounded_by_length_and_alphabet() {
        for (text, bits) in [
            ("", 0),
            ("1234", 13),
            ("changeme", 37),
            ("00112233445566778899aabbccddeeff", 128),
            ("hunter2!", 48),
        ] {
            assert_eq!(ClientSecret::from_text(text.to_owned()).strength_at_most(), bits, "{text:?}");
        }
        assert!(ClientSecret::generate(&Random::seeded(1)).strength_at_most() >= 256);
    }

    #[test]
    fn debug_shows_no_secret() {
        assert_eq!(format!("{:?}", ClientSecret::from_text("hunter2".to_owned())), "ClientSecret(..)");
    }

    proptest! {
        #[test]
        fn generated_secrets_are_letters_and_digits_of_one_length(seed: u64) {
            let secret = ClientSecret::generate(&Random::seeded(seed));
            let text = secret.expose_secret();
            prop_assert!(text.starts_with("gtlcs") && text.len() == 48);
            prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric()));
        }
    }
}
