//! The resources that a request names (RFC 8707 §2.1, §2.2).

use super::ResourceUri;
use crate::protocol::{ErrorCode, OAuthError};

/// The most resources of one authorization request: what a person can decide about on one page.
const MAX_WISHES: usize = 10;

/// The resources that an authorization request names in its `resource` parameters (RFC 8707 §2.1), each once however
/// often and in whichever spelling it is named.
///
/// # Errors
/// `invalid_target` for what is no resource indicator, or for more than a person can decide about at once.
pub fn wishes(named: &[&str]) -> Result<Vec<ResourceUri>, OAuthError> {
    let refused = |description| OAuthError::new(ErrorCode::InvalidTarget, description);
    let mut wishes: Vec<ResourceUri> = Vec::new();
    for text in named {
        let uri = ResourceUri::parse(text)
            .map_err(|_| refused("resource must be an absolute URI without fragment"))?;
        if wishes.iter().any(|wish| wish.lookup_key() == uri.lookup_key()) {
            continue;
        }
        if wishes.len() == MAX_WISHES {
            return Err(refused("at most ten resources can be named in a request"));
        }
        wishes.push(uri);
    }
    Ok(wishes)
}

/// The one resource that a token request names, if it names one: a token is for one (RFC 8707 §2.2).
///
/// # Errors
/// `invalid_target` for several, and as [`wishes`].
pub fn single_wish(named: &[&str]) -> Result<Option<ResourceUri>, OAuthError> {
    if named.len() > 1 {
        return Err(OAuthError::new(ErrorCode::InvalidTarget, "a token is for one resource"));
    }
    Ok(wishes(named)?.pop())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fixtures::resource_uri;

    #[test]
    fn an_authorization_request_names_several_resources_each_once() {
        // RFC 8707 §2.1
        let (a, b) = ("https://a.example", "https://b.example/mcp");
        assert_eq!(wishes(&[]), Ok(Vec::new()));
        assert_eq!(wishes(&[a, b, "https://A.example/"]), Ok(vec![resource_uri(a), resource_uri(b)]));
        let many: Vec<String> = (0..11).map(|i| format!("https://{i}.example")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(wishes(&many[..10]).map(|wishes| wishes.len()), Ok(10));
        for named in [&many[..], &[a, "x"]] {
            assert_eq!(wishes(named).map_err(|error| error.code()), Err(ErrorCode::InvalidTarget));
        }
    }

    #[test]
    fn a_token_request_names_at_most_one_well_formed_resource() {
        // RFC 8707 §2.2
        assert_eq!(single_wish(&[]), Ok(None));
        assert_eq!(single_wish(&["https://a.example"]), Ok(Some(resource_uri("https://a.example"))));
        for named in [&["x"][..], &["https://a.example", "https://b.example"][..]] {
            assert_eq!(single_wish(named).map_err(|error| error.code()), Err(ErrorCode::InvalidTarget));
        }
    }
}
