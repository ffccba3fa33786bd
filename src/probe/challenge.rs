//! Reading `WWW-Authenticate` (RFC 9110 §11.6.1).

/// The parameters of a `Bearer` challenge (RFC 6750 §3), in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge(Vec<(String, String)>);

impl Challenge {
    /// The first challenge of the scheme `Bearer` in these header fields, each of which may have several.
    pub(super) fn bearer<'a>(fields: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        fields
            .into_iter()
            .flat_map(challenges)
            .find(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, parameters)| Self(parameters))
    }

    /// The value of a parameter; names have no case.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// The challenges of one field: each scheme with its parameters. A `token68` is left out.
fn challenges(field: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut found: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut rest = field;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() && after.is_empty() {
            return found;
        }
        match after.trim_start().strip_prefix('=') {
            Some(value) => {
                let (value, left) = parameter(value.trim_start());
                if let Some((_, parameters)) = found.last_mut().filter(|_| !word.is_empty()) {
                    parameters.push((word.to_owned(), value));
                }
                rest = left;
            }
            None => {
                found.push((word.to_owned(), Vec::new()));
                rest = after;
            }
        }
    }
}

/// A token or a quoted string (RFC 9110 §5.6.4), and what comes after it.
fn parameter(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', '\t', ',']).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            c => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bearer_challenge_is_found_among_others() {
        // RFC 9110 §11.6.1: several challenges, in one field or in several
        let url = "https://mcp.example/.well-known/oauth-protected-resource";
        for fields in [
            vec![format!(r#"Bearer resource_metadata="{url}", error="invalid_token", scope="a b""#)],
            vec![format!(
                r#"Basic realm="x, y", bearer  resource_metadata="{url}",error=invalid_token , scope="a \b""#
            )],
            vec![
                "Negotiate YQ==".to_owned(),
                format!(r#"BEARER Error="invalid_token",scope="a b", resource_metadata = {url}"#),
            ],
            vec![format!(
                r#"Negotiate YQ==, Bearer error="invalid_token",scope="a b",resource_metadata="{url}"#
            )],
        ] {
            let challenge = Challenge::bearer(fields.iter().map(String::as_str)).unwrap();
            assert_eq!(challenge.get("error"), Some("invalid_token"), "{fields:?}");
            assert_eq!(challenge.get("scope"), Some("a b"), "{fields:?}");
            assert_eq!(challenge.get("resource_metadata"), Some(url), "{fields:?}");
            assert_eq!(challenge.get("realm"), None, "{fields:?}");
        }
    }

    #[test]
    fn a_bare_scheme_is_a_challenge_and_nothing_is_none() {
        assert_eq!(Challenge::bearer(["Bearer"]), Some(Challenge(Vec::new())));
        for other in ["", "Basic realm=\"Bearer\"", ", ,", "=", "Basic ==, ="] {
            assert_eq!(Challenge::bearer([other]), None, "{other}");
        }
    }
}
