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
    let client = Client { auth_methods: vec![ClientAuthMethod::ClientSecretBasic], ..fixtures::client(&[]) };
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
