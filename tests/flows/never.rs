//! What this server never does, however it is asked.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatelet::testkit::{Browser, ClientAuth, TestClient};
use serde_json::json;

use crate::cases;
use crate::world::{Database, ROBOT_SECRET, app, consent_page, granted, logged_in, server, tokens, web};

cases![
    no_token_is_in_an_authorization_response,
    grants_that_are_not_offered_are_refused,
    a_form_is_answered_with_303_and_never_sent_on,
    credentials_in_the_uri_are_not_looked_at,
    unknown_parameters_are_ignored_everywhere,
    forwarded_headers_change_nothing,
    a_client_does_not_choose_its_identifier,
    a_code_tells_nothing_of_its_challenge,
    what_is_issued_cannot_be_guessed,
    pages_run_no_script_and_load_nothing_of_others,
    what_a_client_says_of_itself_is_text,
];

async fn no_token_is_in_an_authorization_response(database: Database) {
    // RFC 9700 §2.1.2; OAuth 2.1 §10.1: there is no implicit grant.
    let server = server(database).await;
    let document = server.get(&server.url("/.well-known/oauth-authorization-server/oauth")).await.json;
    assert_eq!(document["response_types_supported"], json!(["code"]));
    let client = web(&server);
    for kind in ["token", "id_token", "id_token token", "code token", "token code", "code id_token", "none"] {
        let request = client.authorization(|request| request.param("response_type", kind));
        let answer = request.callback(&logged_in(&server, "alice").await.get(&request.url).await.left());
        assert_eq!(answer.error(), "unsupported_response_type", "{kind}");
        assert!(!answer.url.contains("token="), "{}", answer.url);
    }
}

async fn grants_that_are_not_offered_are_refused(database: Database) {
    // RFC 9700 §2.4: the password grant must not be used; RFC 6749 §5.2.
    let server = server(database).await;
    let document = server.get(&server.url("/.well-known/oauth-authorization-server/oauth")).await.json;
    let offered = document["grant_types_supported"].to_string();
    let robot = ClientAuth::Post("robot".to_owned(), ROBOT_SECRET.to_owned());
    for grant in [
        "password",
        "implicit",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "CLIENT_CREDENTIALS",
    ] {
        let pairs = [("grant_type", grant), ("username", "alice"), ("password", "wonderland")];
        assert_eq!(server.token(&pairs, &robot).await.refusal(), (400, "unsupported_grant_type"), "{grant}");
        assert!(!offered.contains(&format!("\"{grant}\"")), "{offered}");
    }
}

async fn a_form_is_answered_with_303_and_never_sent_on(database: Database) {
    // RFC 9700 §4.12: a 307 would hand what was typed to the client.
    let server = server(database).await;
    for client in [app(&server), web(&server)] {
        // What was allowed once would not be asked about again.
        for allowed in [false, true] {
            let mut browser = Browser::new(&server);
            let request = client.authorization(|request| request.scope("mcp:read"));
            let login = browser.get(&request.url).await.page();
            let consent = browser.log_in(&login, "alice").await.page();
            let statuses = browser.redirects().to_vec();
            assert!(!statuses.is_empty() && statuses.iter().all(|status| *status == 303), "{statuses:?}");
            let page = browser.consent(&consent);
            let left = if allowed { page.allow().await } else { page.deny().await }.left();
            let answer = request.callback(&left);
            assert_eq!(answer.url.contains("error=access_denied"), !allowed, "{left}");
            assert_eq!(browser.redirects(), [303], "allowed: {allowed}");
        }
    }
    let request = app(&server).authorization(|request| request.scope("mcp:read"));
    let (url, query) = request.url.split_once('?').unwrap();
    let form = server.http().post(url).header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(form.body(query.to_owned()).send().await.unwrap().status(), 303);
}

async fn credentials_in_the_uri_are_not_looked_at(database: Database) {
    // OAuth 2.1 §2.4.1, §3.2: URIs end up in logs.
    let server = server(database).await;
    let client = web(&server);
    let callback = granted(&server, &client).await;
    let post = async |query: &str, body: String| {
        let url = format!("{}?{query}", server.endpoint("token"));
        let request = server.http().post(url).header("content-type", "application/x-www-form-urlencoded");
        request.body(body).send().await.unwrap().status().as_u16()
    };
    let secret = format!("client_id=robot&client_secret={ROBOT_SECRET}");
    assert_eq!(post(&secret, "grant_type=client_credentials".to_owned()).await, 401);
    assert_eq!(post("grant_type=client_credentials", secret.clone()).await, 400);
    assert_eq!(post("", format!("grant_type=client_credentials&{secret}")).await, 200);
    let code = format!("code={}", callback.code());
    assert_eq!(post(&code, "grant_type=authorization_code&client_id=app".to_owned()).await, 400);
    client.redeem(&callback).await.granted();
}

async fn unknown_parameters_are_ignored_everywhere(database: Database) {
    // OAuth 2.1 §3.1, §3.2
    let server = server(database).await;
    let client = app(&server);
    let odd = |request: gatelet::testkit::RequestParams| {
        request
            .scope("mcp:read")
            .param("nonce", "n")
            .param("x-unheard-of", "\u{1f41a}")
            .also("again", "1")
            .also("again", "2")
    };
    let callback = client.authorize(&mut Browser::new(&server), "alice", odd).await;
    let mut pairs = client.redemption(&callback).to_vec();
    pairs.extend([("x-unheard-of", "1"), ("x-unheard-of", "2"), ("audience", "https://other.example")]);
    let answer = client.token(&pairs).await.granted();
    assert_eq!(server.verify(answer.access_token()).await["aud"], crate::world::NOTES);
}

async fn forwarded_headers_change_nothing(database: Database) {
    // RFC 9700 §4.13: whoever can reach the server can set them.
    let server = server(database).await;
    let url = app(&server).authorization(|request| request.scope("mcp:read")).url;
    let metadata = server.url("/.well-known/oauth-authorization-server/oauth");
    let plain = server.get(&metadata).await.body;
    for (name, value) in [
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-prefix", "/evil"),
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-port", "444"),
        ("forwarded", "for=203.0.113.7;host=evil.example;proto=https"),
        ("x-original-url", "/login"),
        ("x-rewrite-url", "/login"),
        ("x-http-method-override", "POST"),
    ] {
        let ask = async |url: &str| server.http().get(url).header(name, value).send().await.unwrap();
        assert_eq!(ask(&metadata).await.text().await.unwrap(), plain, "{name}");
        let answer = ask(&url).await;
        assert_eq!(answer.status(), 303, "{name}");
        let location = answer.headers()["location"].to_str().unwrap();
        assert!(location.starts_with("/login?continue="), "{name}: {location}");
        let cookie = answer.headers().get("set-cookie").map(|cookie| cookie.to_str().unwrap().to_owned());
        assert!(!cookie.unwrap_or_default().contains("Secure"), "{name}");
    }
}

async fn a_client_does_not_choose_its_identifier(database: Database) {
    // RFC 9700 §4.15; RFC 7591 §3.2.1: identifier and secret are the server's to give.
    let server = server(database).await;
    let registered = server
        .register(&json!({
            "redirect_uris": ["http://127.0.0.1/cb"], "client_id": "alice", "client_secret": "chosen0by0me",
            "client_id_issued_at": 1, "registration_access_token": "x",
        }))
        .await;
    assert_eq!(registered.status, 201, "{}", registered.body);
    let (id, secret) = (registered.text("client_id"), registered.text("client_secret"));
    assert_eq!((id.len(), id.contains("alice")), (26, false), "{id}");
    assert!(secret.len() >= 43 && secret != "chosen0by0me");
    let chosen = TestClient::new(&server, id, "http://127.0.0.1/cb").secret("chosen0by0me");
    let pairs = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    assert_eq!(chosen.token(&pairs).await.refusal(), (401, "invalid_client"));
}

async fn a_code_tells_nothing_of_its_challenge(database: Database) {
    // RFC 7636 §4.4
    let server = server(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    let request = client.authorization(|request| request.scope("mcp:read"));
    let challenge = reqwest::Url::parse(&request.url).unwrap();
    let challenge =
        challenge.query_pairs().find(|(name, _)| name == "code_challenge").unwrap().1.into_owned();
    let page = consent_page(&mut browser, &request.url).await;
    assert!(!page.html.contains(&challenge), "it stays on the server while the person decides");
    let callback = request.callback(&browser.consent(&page).allow().await.left());
    assert!(!callback.url.contains(&challenge), "{}", callback.url);
}

async fn what_is_issued_cannot_be_guessed(database: Database) {
    // OAuth 2.1 §7.7: at most a chance of 2^-128, better 2^-160. Everything has 256 bits after what names its row.
    let server = server(database).await;
    let client = app(&server);
    let chance = |token: &str| {
        let secret = &token[token.len() - 43..];
        assert_eq!(URL_SAFE_NO_PAD.decode(secret).unwrap().len(), 32, "{token}");
        secret.to_owned()
    };
    let (first, second) = (granted(&server, &client).await, granted(&server, &client).await);
    assert_ne!(chance(first.code()), chance(second.code()));
    let (first, second) = (client.redeem(&first).await.granted(), tokens(&server, &client).await);
    assert_ne!(chance(first.refresh_token()), chance(second.refresh_token()));
    let (alice, other) = (logged_in(&server, "alice").await, logged_in(&server, "alice").await);
    let session = |browser: &Browser| browser.cookie("gatelet-session").unwrap().to_owned();
    assert_ne!(chance(&session(&alice)), chance(&session(&other)));
}

async fn pages_run_no_script_and_load_nothing_of_others(database: Database) {
    // RFC 9700 §4.2.4 and §4.17
    let server = server(database).await;
    let mut browser = Browser::new(&server);
    let request = app(&server).authorization(|request| request.scope("mcp:read"));
    let login = browser.get(&request.url).await.page();
    let consent = browser.log_in(&login, "alice").await.page();
    let error = browser.get("/oauth/authorize?client_id=nobody").await.page();
    let home = browser.get("/").await.page();
    let logout = browser.get("/logout").await.page();
    for page in [login, consent, error, home, logout] {
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("script-src"), "{policy}");
        assert!(!policy.contains("://") && !policy.contains('*'), "{policy}");
        assert!(!page.html.contains("<script"), "{}", page.url);
        assert_eq!(page.header("referrer-policy"), "same-origin", "{}", page.url);
        for attribute in ["src=\"http", "src=\"//", "url(", "@import"] {
            assert!(!page.html.contains(attribute), "{}: {attribute}", page.url);
        }
    }
}

async fn what_a_client_says_of_itself_is_text(database: Database) {
    // RFC 7591 §5, OAuth 2.1 §7.12
    let server = server(database).await;
    let hostile = "<script>alert(1)</script>\" onload='x' &amp; \u{202e}gatelet";
    let registered = server
        .register(&json!({
            "redirect_uris": ["https://evil.example/cb"], "client_name": hostile, "token_endpoint_auth_method": "none",
            "client_uri": "https://bank.example/", "logo_uri": "https://evil.example/logo.svg",
            "tos_uri": "https://evil.example/tos", "policy_uri": "https://evil.example/policy",
        }))
        .await;
    assert_eq!(registered.status, 201, "{}", registered.body);
    let client = TestClient::new(&server, registered.text("client_id"), "https://evil.example/cb");
    let request = client.authorization(|request| request.scope("mcp:read"));
    let page = consent_page(&mut logged_in(&server, "alice").await, &request.url).await;
    assert!(page.text().contains("alert(1)"), "it is shown: {}", page.text());
    assert!(page.text().contains("evil.example"), "so is where the browser goes");
    for harm in ["<script", "onload='x'", "logo.svg", "\u{202e}", "href=\"https://evil"] {
        assert!(!page.html.contains(harm), "{harm}");
    }
}
