//! The parameters of a request, as they were sent.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

use super::{ErrorCode, OAuthError};

/// What stays as it is in a query: the unreserved characters of RFC 3986 §2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Form-encoded parameters in their order, repeated ones included.
///
/// OAuth 2.1 §3.1 and §3.2: unknown parameters are ignored, a parameter without a value is an omitted one, and a
/// parameter must not be repeated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Decodes a query or a form body.
    ///
    /// # Errors
    /// `invalid_request` when a name or value is not UTF-8 or holds a NUL, which no database text can hold.
    pub fn parse(encoded: &[u8]) -> Result<Self, OAuthError> {
        let pairs = encoded.split(|b| *b == b'&').filter(|pair| !pair.is_empty());
        pairs.map(decode_pair).collect::<Option<_>>().map(Self).ok_or_else(|| {
            OAuthError::new(
                ErrorCode::InvalidRequest,
                "the parameters must be form-encoded UTF-8 without NUL",
            )
        })
    }

    /// The value of a parameter that must be there.
    ///
    /// # Errors
    /// `invalid_request` when it is missing, empty or repeated.
    pub fn one(&self, name: &'static str) -> Result<&str, OAuthError> {
        self.optional(name)?
            .ok_or(OAuthError::new(ErrorCode::InvalidRequest, "the parameter is missing").about(name))
    }

    /// The value of a parameter that may be missing.
    ///
    /// # Errors
    /// `invalid_request` when it is repeated.
    pub fn optional(&self, name: &'static str) -> Result<Option<&str>, OAuthError> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_some() {
            return Err(OAuthError::new(ErrorCode::InvalidRequest, "the parameter is repeated").about(name));
        }
        Ok(first.filter(|value| !value.is_empty()))
    }

    /// The values of a parameter that may be repeated (`resource`, RFC 8707 §2).
    pub fn many(&self, name: &str) -> Vec<&str> {
        self.0
            .iter()
            .filter(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// The parameters in form encoding; [`Params::parse`] reads them back to the same.
    pub fn encode(&self) -> String {
        let pairs: Vec<String> = self.0.iter().map(|(name, value)| encode_pair(name, value)).collect();
        pairs.join("&")
    }
}

/// One parameter in form encoding, every byte but the unreserved ones as `%XX`.
pub(super) fn encode_pair(name: &str, value: &str) -> String {
    format!("{}={}", utf8_percent_encode(name, RESERVED), utf8_percent_encode(value, RESERVED))
}

fn decode_pair(pair: &[u8]) -> Option<(String, String)> {
    let (name, value) = match pair.iter().position(|b| *b == b'=') {
        Some(at) => (&pair[..at], &pair[at + 1..]),
        None => (pair, &b""[..]),
    };
    Some((decode_text(name)?, decode_text(value)?))
}

/// Decodes one form-encoded text; `None` when it is not UTF-8 or holds a NUL.
pub(super) fn decode_text(encoded: &[u8]) -> Option<String> {
    let spaced: Vec<u8> = encoded.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    let text = String::from_utf8(percent_decode(&spaced).collect()).ok()?;
    (!text.contains('\0')).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn params(text: &str) -> Params {
        Params::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_parameter_without_a_value_is_an_omitted_one() {
        // OAuth 2.1 §3.1
        let params = params("a=&b&c=1");
        assert_eq!(
            (params.optional("a"), params.optional("b"), params.optional("c")),
            (Ok(None), Ok(None), Ok(Some("1")))
        );
        let missing = params.one("a").unwrap_err();
        assert_eq!(
            (missing.code(), missing.description()),
            (ErrorCode::InvalidRequest, "a: the parameter is missing".into())
        );
        assert_eq!(params.one("c"), Ok("1"));
    }

    #[test]
    fn a_parameter_must_not_be_repeated() {
        // OAuth 2.1 §3.1
        let params = params("a=1&a=1&a=&r=x&r=y&r=");
        assert_eq!(params.optional("a").unwrap_err().description(), "a: the parameter is repeated");
        assert_eq!(params.one("a").unwrap_err().code(), ErrorCode::InvalidRequest);
        assert_eq!(params.many("r"), ["x", "y"]);
    }

    #[test]
    fn only_unreserved_characters_stay_as_they_are() {
        // RFC 3986 §2.3
        assert_eq!(encode_pair("a", "azAZ09-._~"), "a=azAZ09-._~");
        assert_eq!(encode_pair("a&b", "=&+ %#?/:\"<'"), "a%26b=%3D%26%2B%20%25%23%3F%2F%3A%22%3C%27");
    }

    #[test]
    fn ill_encoded_text_and_nul_are_refused() {
        // OAuth 2.1 §3.2.2
        for text in ["a=%ff", "%c3=1", "a=%00", "%00=a"] {
            assert_eq!(
                Params::parse(text.as_bytes()).unwrap_err().code(),
                ErrorCode::InvalidRequest,
                "{text}"
            );
        }
        assert_eq!(params("a=%C3%A4+%2B=").one("a"), Ok("ä +="));
        assert_eq!(params("a=%zz").one("a"), Ok("%zz"));
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_the_same(pairs in proptest::collection::vec(("[^\0]{1,8}", "[^\0]{0,8}"), 0..5)) {
            let params = Params(pairs);
            prop_assert_eq!(Params::parse(params.encode().as_bytes()).unwrap(), params);
        }
    }
}
