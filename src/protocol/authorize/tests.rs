use super::*;
use crate::protocol::fixtures;

const VALID: &str = "client_id=c&redirect_uri=https://a.example/cb&response_type=code&state=s&\
    code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

fn issuer() -> Issuer {
    Issuer::parse("https://id.example/oauth").unwrap()
}

fn addressed(query: &str, uris: &[&str]) -> Result<Addressed, OAuthError> {
    let params = Params::parse(query.as_bytes())?;
    Received::parse(params)?.address(fixtures::client(uris), &issuer())
}

fn validated(query: &str) -> Result<AuthorizationRequest, OAuthError> {
    addressed(query, &["https://a.example/cb"]).unwrap().validate()
}

/// `VALID` with one parameter set to another value, or taken out.
fn with(name: &str, value: Option<&str>) -> String {
    let kept = VALID.split('&').filter(|pair| !pair.starts_with(&format!("{name}=")));
    kept.map(str::to_owned).chain(value.map(|value| format!("{name}={value}"))).collect::<Vec<_>>().join("&")
}

#[test]
fn a_request_without_a_client_has_no_address() {
    for query in ["", "client_id=", "client_id=a&client_id=b"] {
        let error = Received::parse(Params::parse(query.as_bytes()).unwrap()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidRequest, "{query}");
    }
    let error = Received::parse(Params::parse(b"client_id=a%20b").unwrap()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidClient);
    let received = Received::parse(Params::parse(VALID.as_bytes()).unwrap()).unwrap();
    assert_eq!((received.client_id().as_str(), received.params().one("state")), ("c", Ok("s")));
}

#[test]
fn only_a_registered_redirect_uri_becomes_an_address() {
    // OAuth 2.1 §2.3.2, §2.3.5; RFC 9700 §4.1.3
    let two = ["https://a.example/cb", "http://127.0.0.1/cb"];
    for (query, ok) in [
        ("client_id=c&redirect_uri=https://a.example/cb", true),
        ("client_id=c&redirect_uri=http://127.0.0.1:5/cb", true),
        ("client_id=c&redirect_uri=https://a.example/cb/x", false),
        ("client_id=c&redirect_uri=javascript:alert(1)", false),
        ("client_id=c&redirect_uri=https://a.example/cb&redirect_uri=https://a.example/cb", false),
        ("client_id=c&redirect_uri=https://a.example/cb&state=1&state=2", false),
        ("client_id=c", false),
    ] {
        let result = addressed(query, &two);
        assert_eq!(result.is_ok(), ok, "{query}");
        if let Err(error) = result {
            assert_eq!(error.code(), ErrorCode::InvalidRequest);
        }
    }
    let only = addressed("client_id=c", &two[..1]).unwrap();
    assert_eq!(only.return_address().redirect_uri().as_str(), two[0]);
    assert_eq!(only.client().id.as_str(), "c");
    assert!(addressed("client_id=c", &[]).is_err());
}

#[test]
fn what_is_not_supported_is_refused_by_its_name_and_what_only_informs_is_ignored() {
    // OpenID Connect Core §3.1.2.1, §3.1.2.6, §6, §7.2.1
    for (name, code) in [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ] {
        for value in ["x", "x&{}=y"] {
            let query = format!("{VALID}&{name}={}", value.replace("{}", name));
            assert_eq!(validated(&query).unwrap_err().code().as_str(), code, "{query}");
        }
        assert!(
            validated(&format!("{VALID}&{name}=")).is_ok(),
            "a parameter without a value is an omitted one"
        );
    }
    let ignored = "display=popup&ui_locales=de&claims_locales=de&claims=%7B%7D";
    assert_eq!(validated(&format!("{VALID}&{ignored}&response_mode=query")), validated(VALID));
}

#[test]
fn the_answer_goes_to_the_port_that_the_request_named() {
    // RFC 8252 §7.3
    let query = "client_id=c&redirect_uri=http://127.0.0.1:5/cb";
    let address = addressed(query, &["http://127.0.0.1/cb"]).unwrap().return_address().clone();
    assert!(address.with_code("x").starts_with("http://127.0.0.1:5/cb?code=x&"));
}

#[test]
fn state_and_issuer_come_back_with_success_and_error() {
    // RFC 9207 §2
    let query = "client_id=c&redirect_uri=https://a.example/cb%3Fx=1&state=%7B%22a%22%3A%22%2525%22%7D%20%2B";
    let address = addressed(query, &["https://a.example/cb?x=1"]).unwrap().return_address().clone();
    let tail = "&state=%7B%22a%22%3A%22%2525%22%7D%20%2B&iss=https%3A%2F%2Fid.example%2Foauth";
    assert_eq!(address.with_code("gtl"), format!("https://a.example/cb?x=1&code=gtl{tail}"));
    let error = OAuthError::new(ErrorCode::AccessDenied, "no");
    assert_eq!(
        address.with_error(&error),
        format!("https://a.example/cb?x=1&error=access_denied&error_description=no{tail}")
    );
    let without = addressed("client_id=c", &["https://a.example/cb"]).unwrap();
    assert_eq!(
        without.return_address().with_code("x"),
        "https://a.example/cb?code=x&iss=https%3A%2F%2Fid.example%2Foauth"
    );
}

#[test]
fn a_valid_request_is_read_whole() {
    let query = format!(
        "{VALID}&scope=+a++b&resource=https://mcp.example/mcp&tenant=acme&prompt=login+consent&max_age=60&login_hint=x&response_mode=query"
    );
    let request = validated(&query).unwrap();
    assert_eq!(request.challenge.as_str(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    assert_eq!(request.scope, Some(Scope::parse("a b").unwrap()));
    assert_eq!(request.resources, [ResourceUri::parse("https://mcp.example/mcp").unwrap()]);
    assert_eq!(request.tenant, TenantId::parse("acme"));
    assert_eq!(request.prompt, Prompt { none: false, login: true, consent: true });
    assert_eq!(request.max_age, Some(Duration::from_secs(60)));
    assert_eq!(request.login_hint.as_deref(), Some("x"));
    let bare = validated(VALID).unwrap();
    assert_eq!((bare.scope, bare.resources, bare.tenant, bare.max_age), (None, Vec::new(), None, None));
    let two = validated(&format!("{VALID}&resource=https://a.example&resource=https://b.example"));
    assert_eq!(two.unwrap().resources.len(), 2);
    assert_eq!(validated(&with("scope", Some("+"))).unwrap().scope, None);
    assert!(validated(&with("prompt", Some("select_account"))).unwrap().prompt.login);
    assert!(validated(&with("prompt", Some("none"))).unwrap().prompt.none);
    assert_eq!(validated(&with("tenant", Some("ac+me"))).unwrap().tenant, None, "a wish, not a demand");
}

#[test]
fn what_breaks_a_rule_is_refused_in_its_own_words() {
    // OAuth 2.1 §4.1.2.1
    use ErrorCode::*;
    for (name, value, code) in [
        ("response_type", None, InvalidRequest),
        ("response_type", Some("token"), UnsupportedResponseType),
        ("response_mode", Some("fragment"), InvalidRequest),
        // OAuth 2.1 §4.1.1: code_challenge is required; §4.1.2.1: unsupported method is invalid_request
        ("code_challenge", None, InvalidRequest),
        ("code_challenge", Some("short"), InvalidRequest),
        ("code_challenge_method", None, InvalidRequest),
        ("code_challenge_method", Some("plain"), InvalidRequest),
        ("scope", Some("a%22"), InvalidScope),
        ("resource", Some("mcp"), InvalidTarget),
        ("resource", Some("https://a.example&resource=mcp"), InvalidTarget),
        ("prompt", Some("none+login"), InvalidRequest),
        ("prompt", Some("none+consent"), InvalidRequest),
        ("prompt", Some("dance"), InvalidRequest),
        ("response_mode", Some("fragment"), InvalidRequest),
        ("nonce", Some("a&nonce=b"), InvalidRequest),
        ("prompt", Some("Login"), InvalidRequest),
        ("max_age", Some("-1"), InvalidRequest),
        ("max_age", Some("soon"), InvalidRequest),
        // OAuth 2.1 §3.1: a parameter must not be repeated
        ("response_type", Some("code&response_type=code"), InvalidRequest),
        ("response_mode", Some("query&response_mode=query"), InvalidRequest),
        ("code_challenge_method", Some("S256&code_challenge_method=plain"), InvalidRequest),
        ("scope", Some("a&scope=b"), InvalidRequest),
        ("prompt", Some("login&prompt=login"), InvalidRequest),
        ("tenant", Some("a&tenant=b"), InvalidRequest),
        ("max_age", Some("1&max_age=1"), InvalidRequest),
        ("login_hint", Some("a&login_hint=b"), InvalidRequest),
        ("acr_values", Some("a&acr_values=b"), InvalidRequest),
    ] {
        let error = validated(&with(name, value)).unwrap_err();
        assert_eq!(error.code(), code, "{name}={value:?}");
    }
}

#[test]
fn a_client_without_the_grant_type_cannot_use_it() {
    let mut client = fixtures::client(&["https://a.example/cb"]);
    client.grant_types = vec![GrantType::ClientCredentials];
    let received = Received::parse(Params::parse(VALID.as_bytes()).unwrap()).unwrap();
    let error = received.address(client, &issuer()).unwrap().validate().unwrap_err();
    assert_eq!(error.code(), ErrorCode::UnauthorizedClient);
}
