//! Which tokens are good.

use super::*;

#[tokio::test]
async fn a_good_token_reaches_the_handler() {
    let server = builder().build().unwrap();
    for changes in [
        json!({}),
        json!({"aud": ["https://other.example", RESOURCE]}),
        json!({"exp": NOW + 1}),
        json!({"exp": NOW as f64 + 5.5, "nbf": NOW, "iat": NOW + 59}),
        json!({"roles": "editor"}),
        json!({"scope": "mcp:read  mcp:write"}),
    ] {
        let response = with_token(&server, &KEY.token(&claims(changes.clone()))).await;
        assert_eq!(response.status(), StatusCode::OK, "{changes}");
        assert_eq!(text(response).await, r#"user-1 Some("acme") ["editor"]"#);
    }
    for typ in ["AT+JWT", "application/at+jwt"] {
        let token = KEY.sign(&json!({"typ": typ, "alg": "RS256", "kid": "key-1"}), &claims(json!({})));
        assert_eq!(with_token(&server, &token).await.status(), StatusCode::OK, "{typ}");
    }
    let without_kid = KEY.sign(&json!({"typ": "at+jwt", "alg": "RS256"}), &claims(json!({})));
    assert_eq!(with_token(&server, &without_kid).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_bad_token_is_answered_401_with_the_reason() {
    let server = builder().build().unwrap();
    let stranger = TestKey::rsa("key-1");
    let unpublished = TestKey::rsa("key-2");
    let with = |changes: Value| KEY.token(&claims(changes));
    let headed = |header: Value| KEY.sign(&header, &claims(json!({})));
    let good = with(json!({}));
    let (signed, _) = good.rsplit_once('.').unwrap();
    let hmac_header = json!({"typ": "at+jwt", "alg": "HS256", "kid": "key-1"});
    let none_header = json!({"typ": "at+jwt", "alg": "none", "kid": "key-1"});
    let cases = [
        (with(json!({"aud": "https://other.example/mcp"})), TokenError::WrongAudience),
        (with(json!({"aud": format!("{RESOURCE}/")})), TokenError::WrongAudience),
        (with(json!({"aud": []})), TokenError::WrongAudience),
        (with(json!({"iss": "https://evil.example"})), TokenError::WrongIssuer),
        (with(json!({"iss": format!("{ISSUER}/")})), TokenError::WrongIssuer),
        (with(json!({"exp": NOW})), TokenError::Expired),
        (with(json!({"nbf": NOW + 1})), TokenError::NotYetValid),
        (with(json!({"iat": NOW + 61})), TokenError::NotYetValid),
        (with(json!({"exp": null})), TokenError::MissingClaim("exp")),
        (with(json!({"iat": null})), TokenError::MissingClaim("iat")),
        (with(json!({"jti": null})), TokenError::MissingClaim("jti")),
        (with(json!({"sub": null})), TokenError::MissingClaim("sub")),
        (with(json!({"sub": ""})), TokenError::MissingClaim("sub")),
        (with(json!({"client_id": null})), TokenError::MissingClaim("client_id")),
        (with(json!({"aud": null})), TokenError::MissingClaim("aud")),
        (with(json!({"exp": "soon"})), TokenError::Malformed),
        (with(json!({"scope": ["mcp:read"]})), TokenError::Malformed),
        (headed(json!({"typ": "JWT", "alg": "RS256", "kid": "key-1"})), TokenError::WrongType),
        (headed(json!({"alg": "RS256", "kid": "key-1"})), TokenError::WrongType),
        (
            headed(json!({"typ": "at+jwt", "alg": "RS256", "kid": "key-1", "crit": ["b64"], "b64": false})),
            TokenError::UnknownCriticalHeader,
        ),
        (headed(json!({"typ": "at+jwt", "alg": "RS256", "kid": 1})), TokenError::Malformed),
        (headed(json!({"typ": "at+jwt", "alg": "PS256", "kid": "key-1"})), TokenError::WrongAlgorithm),
        (headed(none_header.clone()), TokenError::WrongAlgorithm),
        (format!("{}.", unsigned(&none_header, &claims(json!({})))), TokenError::WrongAlgorithm),
        (hmac_with_public_key(&unsigned(&hmac_header, &claims(json!({})))), TokenError::WrongAlgorithm),
        (unpublished.token(&claims(json!({}))), TokenError::UnknownKey),
        (stranger.token(&claims(json!({}))), TokenError::BadSignature),
        (format!("{signed}."), TokenError::BadSignature),
        (format!("{good}.x"), TokenError::Malformed),
        (signed.to_owned(), TokenError::Malformed),
        ("garbage".to_owned(), TokenError::Malformed),
        ("...".to_owned(), TokenError::Malformed),
        (format!("{good}, {good}"), TokenError::Malformed),
        (String::new(), TokenError::Malformed),
        (with(json!({"padding": "x".repeat(16 * 1024)})), TokenError::Malformed),
    ];
    for (token, why) in cases {
        let response = with_token(&server, &token).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{why:?}");
        let expected =
            format!(r#"{CHALLENGE}, error="invalid_token", error_description="{why}", scope="mcp:read""#);
        assert_eq!(challenge(&response), expected);
        assert_eq!(
            json_body(response).await,
            json!({"error": "invalid_token", "error_description": why.to_string()})
        );
    }
}

/// The classic confusion: the published key as the secret of an HMAC.
fn hmac_with_public_key(message: &str) -> String {
    use base64::Engine as _;
    let secret = KEY.public()["n"].as_str().unwrap().to_owned();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
    let tag = aws_lc_rs::hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(tag))
}

#[tokio::test]
async fn a_token_made_for_tests_is_good_on_loopback_alone() {
    // RFC 9068 §5: a resource server takes no token that was meant for somewhere else.
    let [here, there] = ["http://127.0.0.1:8000", "https://mcp.example"];
    let cases = [
        (here, "http://localhost:8710", true),
        ("http://[::1]:8000", "http://127.0.0.2:1", true),
        ("https://mcp.localhost", "https://id.localhost", true),
        (here, "https://id.example", false),
        (there, "http://localhost:8710", false),
        (there, "https://id.example", false),
        ("http://127.0.0.1.evil.example", "http://localhost:8710", false),
        (here, "http://localhost.evil.example", false),
    ];
    for (origin, issuer, taken) in cases {
        let (resource, issuer) = (format!("{origin}/mcp"), format!("{issuer}/oauth"));
        let server = ResourceServer::builder(&resource, &issuer).jwks(jwks([&KEY])).clock(clock());
        let server = server.build().unwrap();
        let with = |changes: Value| {
            let mut claims = claims(changes);
            (claims["iss"], claims["aud"]) = (json!(issuer), json!(resource));
            KEY.token(&claims)
        };
        assert_eq!(with_token(&server, &with(json!({}))).await.status(), 200, "{resource} {issuer}");
        // Whatever it says: only a server in test mode writes it.
        for mark in [json!(true), json!(false)] {
            let response = with_token(&server, &with(json!({"gatelet_test": mark}))).await;
            assert_eq!(response.status(), if taken { 200 } else { 401 }, "{resource} {issuer} {mark}");
            if !taken {
                let why = TokenError::MadeForTests.to_string();
                let body = json!({"error": "invalid_token", "error_description": why});
                assert_eq!(json_body(response).await, body);
            }
        }
    }
}

#[tokio::test]
async fn the_log_says_why_a_token_made_for_tests_is_refused() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let server = builder().build().unwrap();
    // Not for what anybody can send.
    let stranger = TestKey::rsa("key-1");
    let marked = claims(json!({"gatelet_test": true}));
    assert_eq!(with_token(&server, &stranger.token(&marked)).await.status(), 401);
    assert_eq!(log.text(), "");
    assert_eq!(with_token(&server, &KEY.token(&marked)).await.status(), 401);
    let said = log.text();
    assert!(said.contains(" WARN ") && said.contains("the issuer is gatelet in test mode"), "{said}");
    assert!(said.contains(ISSUER), "{said}");
}

/// What is logged.
#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl tracing_subscriber::fmt::MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_token_of_another_tenant_is_refused_where_one_is_configured() {
    let server = builder().tenant("acme").build().unwrap();
    for (tenant, status) in [(json!("acme"), 200), (json!("globex"), 401), (Value::Null, 401)] {
        let response = with_token(&server, &KEY.token(&claims(json!({"tenant": tenant})))).await;
        assert_eq!(response.status().as_u16(), status, "{tenant}");
    }
}

#[tokio::test]
async fn leeway_and_audience_and_claim_names_are_configurable() {
    let server = builder()
        .leeway(Duration::from_secs(30))
        .audience("mcp-server-api")
        .claim_names("org", "role")
        .build()
        .unwrap();
    let changes = |exp: i64| json!({"aud": "mcp-server-api", "exp": exp, "org": "globex", "role": "admin"});
    let response = with_token(&server, &KEY.token(&claims(changes(NOW - 29)))).await;
    assert_eq!(text(response).await, r#"user-1 Some("globex") ["admin"]"#);
    let expired = with_token(&server, &KEY.token(&claims(changes(NOW - 30)))).await;
    assert_eq!(expired.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn another_algorithm_is_accepted_only_where_allowed_and_with_its_own_key() {
    let others = [
        (TestKey::p256("other"), Algorithm::Es256),
        (TestKey::ed25519("other"), Algorithm::EdDsa),
        (TestKey::pss("other"), Algorithm::Ps256),
    ];
    for (key, algorithm) in others {
        let token = key.token(&claims(json!({})));
        let with = |algorithms: &[Algorithm]| {
            builder().jwks(jwks([&KEY, &key])).algorithms(algorithms.to_vec()).build().unwrap()
        };
        let rs_only = with_token(&with(&[Algorithm::Rs256]), &token).await;
        assert_eq!(rs_only.status(), StatusCode::UNAUTHORIZED, "{algorithm:?}");
        let both = with(&[Algorithm::Rs256, algorithm]);
        assert_eq!(with_token(&both, &token).await.status(), StatusCode::OK, "{algorithm:?}");
        let misnamed = json!({"typ": "at+jwt", "alg": "RS256", "kid": "other"});
        let response = with_token(&both, &key.sign(&misnamed, &claims(json!({})))).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{algorithm:?}");
    }
}

#[tokio::test]
async fn a_token_without_kid_is_refused_where_several_keys_fit() {
    let server = builder().jwks(jwks([&KEY, &TestKey::rsa("key-2")])).build().unwrap();
    let token = KEY.sign(&json!({"typ": "at+jwt", "alg": "RS256"}), &claims(json!({})));
    let response = with_token(&server, &token).await;
    assert!(challenge(&response).contains(&TokenError::UnknownKey.to_string()));
}

#[tokio::test]
async fn keys_for_other_purposes_do_not_verify() {
    for change in [json!({"use": "enc"}), json!({"alg": "PS256"}), json!({"alg": "RSA-OAEP"})] {
        let mut document = jwks([&TestKey::rsa("other"), &KEY]);
        for (name, value) in change.as_object().unwrap() {
            document["keys"][1][name] = value.clone();
        }
        let server = builder().jwks(document).build().unwrap();
        let response = with_token(&server, &KEY.token(&claims(json!({})))).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{change}");
    }
}
