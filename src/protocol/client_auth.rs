//! How a client proves who it is (RFC 6749 §2.3.1; RFC 7523 §2.2; OAuth 2.1 §2.4).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::client_assertion::{ClientAssertion, JWT_BEARER};
use super::params::decode_text;
use super::{Client, ClientAuthMethod, ClientId, ErrorCode, OAuthError, Params};

/// What a request presents.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Who it says it is.
    pub client_id: ClientId,
    proof: Proof,
}

#[derive(Clone, PartialEq, Eq)]
enum Proof {
    /// Nothing: what a public client presents.
    None,
    /// A secret, as the standard decodes it and as most clients mean it.
    Secret(Vec<String>),
    /// An assertion.
    Assertion(ClientAssertion),
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl Credentials {
    /// Reads the `Authorization` header and the form.
    ///
    /// RFC 6749 §2.3.1 form-encodes identifier and secret before they are joined; the released MCP SDKs disagree on
    /// whether to. Both readings of a secret are tried; identifiers read the same either way. Beside an assertion, which
    /// names the client itself, `client_id` may be left out (RFC 7523 §3).
    ///
    /// # Errors
    /// `invalid_client` when nobody is named or the header or the assertion cannot be read; `invalid_request` when two
    /// ways are used at once (OAuth 2.1 §2.4) or two clients are named.
    pub fn read(authorization: Option<&str>, params: &Params) -> Result<Self, OAuthError> {
        let form_id = params.optional("client_id")?;
        let form_secret = params.optional("client_secret")?;
        let assertion = assertion(params)?;
        let ways = [authorization.is_some(), form_secret.is_some(), assertion.is_some()];
        if ways.into_iter().filter(|used| *used).count() > 1 {
            return Err(OAuthError::new(
                ErrorCode::InvalidRequest,
                "one way of client authentication can be used at a time",
            ));
        }
        let (named, proof) = match (authorization, assertion) {
            (Some(header), _) => {
                let (id, readings) = read_basic(header).ok_or(OAuthError::new(
                    ErrorCode::InvalidClient,
                    "the Authorization header is not well-formed Basic",
                ))?;
                (Some(id), Proof::Secret(readings))
            }
            (None, Some(assertion)) => {
                let named = assertion.named_client().ok_or_else(unauthenticated)?;
                (Some(named.to_string()), Proof::Assertion(assertion))
            }
            (None, None) => {
                let secret = form_secret.map(|secret| Proof::Secret(vec![secret.to_owned()]));
                (None, secret.unwrap_or(Proof::None))
            }
        };
        let client_id = match (form_id, &named) {
            (Some(id), Some(other)) if id != other => {
                return Err(OAuthError::new(ErrorCode::InvalidRequest, "two different clients are named"));
            }
            (Some(id), _) => id,
            (None, Some(named)) => named,
            (None, None) => {
                return Err(OAuthError::new(ErrorCode::InvalidClient, "no client authentication was sent"));
            }
        };
        Ok(Self { client_id: known_shape(client_id)?, proof })
    }

    /// The assertion that `client` presents, when it may prove itself by one. It proves nothing before its claims, its
    /// signature and its being new have been checked; [`Credentials::check`] refuses it.
    pub fn assertion_of(&self, client: &Client) -> Option<&ClientAssertion> {
        match &self.proof {
            Proof::Assertion(assertion) if client.auth_methods.contains(&ClientAuthMethod::PrivateKeyJwt) => {
                Some(assertion)
            }
            _ => None,
        }
    }

    /// Whether a secret or an assertion is presented, right or wrong.
    pub fn have_proof(&self) -> bool {
        !matches!(self.proof, Proof::None)
    }

    /// Whether `client` has proved itself. `matches` says whether a presented secret is one of the client's.
    ///
    /// # Errors
    /// `invalid_client`, in the same words whatever was wrong.
    pub fn check(&self, client: &Client, matches: impl Fn(&str) -> bool) -> Result<(), OAuthError> {
        let proved = match &self.proof {
            Proof::None => client.is_public(),
            // Secrets are taken by either way: SDKs choose by the server's metadata, not by their registration.
            Proof::Secret(readings) => {
                client.auth_methods.iter().any(|method| method.is_by_secret())
                    && readings.iter().any(|secret| matches(secret))
            }
            Proof::Assertion(_) => false,
        };
        if proved { Ok(()) } else { Err(unauthenticated()) }
    }
}

/// The one answer to an unknown client and to a wrong secret.
pub fn unauthenticated() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient, "the client is unknown or its authentication failed")
}

/// RFC 7521 §4.2: an assertion says of what type it is.
fn assertion(params: &Params) -> Result<Option<ClientAssertion>, OAuthError> {
    let Some(text) = params.optional("client_assertion")? else {
        return match params.optional("client_assertion_type")? {
            None => Ok(None),
            Some(_) => Err(OAuthError::new(ErrorCode::InvalidRequest, "the parameter is missing")
                .about("client_assertion")),
        };
    };
    if params.one("client_assertion_type")? != JWT_BEARER {
        return Err(unauthenticated().with_detail("another client_assertion_type than jwt-bearer"));
    }
    ClientAssertion::parse(text).map(Some).map_err(|error| unauthenticated().with_detail(error.to_string()))
}

fn known_shape(text: &str) -> Result<ClientId, OAuthError> {
    ClientId::parse(text).ok_or_else(unauthenticated)
}

fn read_basic(header: &str) -> Option<(String, Vec<String>)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let raw = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = raw.split_once(':')?;
    let id = decode_text(id.as_bytes())?;
    let decoded = decode_text(secret.as_bytes());
    Some((id, decoded.into_iter().chain([secret.to_owned()]).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fixtures;

    fn basic(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    fn read(header: Option<&str>, form: &str) -> Result<Credentials, ErrorCode> {
        Credentials::read(header, &Params::parse(form.as_bytes()).unwrap()).map_err(|error| error.code())
    }

    fn accepts(credentials: &Credentials, method: ClientAuthMethod, secret: &str) -> bool {
        let client = Client { auth_methods: vec![method], ..fixtures::client(&[]) };
        credentials.check(&client, |presented| presented == secret).is_ok()
    }

    #[test]
    fn a_secret_by_basic_is_understood_in_every_encoding_that_clients_use() {
        use ClientAuthMethod::ClientSecretBasic;
        for (sent, secret) in [
            ("harness-m2m:s3cret", "s3cret"),
            ("harness%2Dm2m:s3cret", "s3cret"),
            ("harness-m2m:a%2Bb", "a+b"),
            ("harness-m2m:a+b", "a+b"),
            ("harness-m2m:a+b", "a b"),
            ("harness-m2m:a%2Bb", "a%2Bb"),
            ("harness-m2m:with:colon", "with:colon"),
        ] {
            let credentials = read(Some(&basic(sent)), "").unwrap();
            assert_eq!(credentials.client_id.as_str(), "harness-m2m");
            assert!(accepts(&credentials, ClientSecretBasic, secret), "{sent} {secret}");
            assert!(!accepts(&credentials, ClientSecretBasic, "other"));
        }
        let lower = basic("c:s").replace("Basic", "basic");
        assert!(read(Some(&lower), "").is_ok());
        let spaced = basic("c:s").replace(' ', "  ");
        assert!(read(Some(&spaced), "").is_ok(), "RFC 9110 §11.4: one or more spaces");
    }

    #[test]
    fn a_secret_is_taken_by_form_or_header_whichever_was_registered() {
        use ClientAuthMethod::{ClientSecretBasic, ClientSecretPost, None as Public};
        for credentials in
            [read(Some(&basic("c:s")), "").unwrap(), read(None, "client_id=c&client_secret=s").unwrap()]
        {
            assert!(accepts(&credentials, ClientSecretBasic, "s"));
            assert!(accepts(&credentials, ClientSecretPost, "s"));
            assert!(!accepts(&credentials, Public, "s"), "a public client has no secret");
        }
        let bare = read(None, "client_id=c").unwrap();
        assert!(accepts(&bare, Public, ""));
        assert!(!accepts(&bare, ClientSecretPost, "s"), "a secret cannot be left out");
        assert!(!accepts(&bare, ClientSecretBasic, "s"));
        assert!(accepts(&read(None, "client_id=c&client_secret=").unwrap(), Public, ""), "empty is omitted");
    }

    #[test]
    fn one_client_authenticates_in_one_way() {
        // OAuth 2.1 §2.4
        use ErrorCode::{InvalidClient, InvalidRequest};
        let header = basic("c:s");
        assert!(read(Some(&header), "client_id=c").is_ok(), "the Python SDK sends both");
        assert_eq!(read(Some(&header), "client_id=d"), Err(InvalidRequest));
        assert_eq!(read(Some(&header), "client_secret=s"), Err(InvalidRequest));
        assert_eq!(read(None, "client_id=c&client_id=c"), Err(InvalidRequest));
        assert_eq!(read(None, "client_id=c&client_secret=s&client_secret=s"), Err(InvalidRequest));
        assert_eq!(read(Some(&header), "client_id=c&client_secret=s"), Err(InvalidRequest));
        assert_eq!(read(None, ""), Err(InvalidClient));
        assert_eq!(read(None, "client_id=a%20b"), Err(InvalidClient));
    }

    #[test]
    fn a_header_that_cannot_be_read_is_no_authentication() {
        for header in [
            "Bearer x",
            "Basic",
            "Basic ???",
            &basic("nocolon"),
            &basic("a b:s"),
            &basic("a%00:s"),
            &basic(":s"),
            &format!("Basic {}", STANDARD.encode([b'c', b':', 255])),
        ] {
            assert_eq!(read(Some(header), ""), Err(ErrorCode::InvalidClient), "{header}");
        }
    }

    #[test]
    fn an_unknown_client_and_a_wrong_secret_get_the_same_answer() {
        // OWASP ASVS 6.3.8: who exists is not told
        let client =
            Client { auth_methods: vec![ClientAuthMethod::ClientSecretBasic], ..fixtures::client(&[]) };
        let wrong = read(Some(&basic("c:wrong")), "").unwrap();
        assert_eq!(wrong.check(&client, |_| false), Err(unauthenticated()));
        assert_eq!(read(None, "client_id=c").unwrap().check(&client, |_| true), Err(unauthenticated()));
    }

    /// `{"alg":"RS256"}.{"sub":"c"}.sig`
    const ASSERTION: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjIn0.c2ln";

    fn with_assertion(more: &str) -> String {
        format!(
            "client_assertion={ASSERTION}&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer{more}"
        )
    }

    #[test]
    fn an_assertion_names_its_client_and_proves_nothing_by_itself() {
        // RFC 7523 §2.2 and §3: client_id is optional beside it
        use ClientAuthMethod::{ClientSecretPost, None as Public, PrivateKeyJwt};
        for more in ["", "&client_id=c", "&client_id="] {
            let credentials = read(None, &with_assertion(more)).unwrap();
            assert_eq!(credentials.client_id.as_str(), "c");
            for methods in
                [vec![PrivateKeyJwt], vec![Public, PrivateKeyJwt], vec![Public], vec![ClientSecretPost]]
            {
                let client = Client { auth_methods: methods.clone(), ..fixtures::client(&[]) };
                let offered = credentials.assertion_of(&client).is_some();
                assert_eq!(offered, methods.contains(&PrivateKeyJwt), "{methods:?}");
                assert_eq!(credentials.check(&client, |_| true), Err(unauthenticated()), "{methods:?}");
            }
        }
        let client = Client { auth_methods: vec![Public, PrivateKeyJwt], ..fixtures::client(&[]) };
        let without = read(None, "client_id=c").unwrap();
        assert!(without.assertion_of(&client).is_none() && without.check(&client, |_| false).is_ok());
        let client = Client { auth_methods: vec![PrivateKeyJwt], ..client };
        assert!(without.check(&client, |_| true).is_err(), "who only signs cannot come without");
    }

    #[test]
    fn an_assertion_stands_alone_and_says_of_what_type_it_is() {
        // OAuth 2.1 §2.4; RFC 7521 §4.2
        use ErrorCode::{InvalidClient, InvalidRequest};
        assert_eq!(read(Some(&basic("c:s")), &with_assertion("")), Err(InvalidRequest));
        assert_eq!(read(None, &with_assertion("&client_secret=s")), Err(InvalidRequest));
        assert_eq!(read(None, &with_assertion("&client_id=d")), Err(InvalidRequest));
        assert_eq!(read(None, &with_assertion("&client_assertion=x")), Err(InvalidRequest));
        assert_eq!(read(None, &format!("client_assertion={ASSERTION}")), Err(InvalidRequest));
        assert_eq!(read(None, "client_id=c&client_assertion_type=x"), Err(InvalidRequest));
        let other = format!("client_assertion={ASSERTION}&client_assertion_type=urn:other");
        assert_eq!(read(None, &other), Err(InvalidClient));
        let bearer = "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        assert_eq!(read(None, &format!("client_id=c&{bearer}&client_assertion=x")), Err(InvalidClient));
        // {"alg":"RS256"}.{}
        let nameless = format!("{bearer}&client_assertion=eyJhbGciOiJSUzI1NiJ9.e30.c2ln");
        assert_eq!(read(None, &nameless), Err(InvalidClient));
    }

    #[test]
    fn nothing_secret_is_printed() {
        let credentials = read(None, "client_id=c&client_secret=hunter2").unwrap();
        let printed = format!("{credentials:?}");
        assert!(printed.contains("ClientId") && !printed.contains("hunter2"), "{printed}");
        assert_eq!(unauthenticated().code(), ErrorCode::InvalidClient);
    }
}
