//! Who the person is: id tokens and the userinfo endpoint (OpenID Connect Core §2, §3.1, §5, §12).

use std::time::Duration;

use gatelet::audit::{AuditEvent, AuditKind};
use gatelet::protocol::UserId;
use gatelet::testkit::{Browser, JsonAnswer, RequestParams, TestClient, TestServer, TestUser, TokenResponse};
use serde_json::{Value, json};

use crate::cases;
use crate::introspecting::{SERVER_SECRET, is_active, notes_server};
use crate::world::{
    APP_CALLBACK, Database, NOTES, ROBOT_SECRET, app, consent_page, logged_in, self_registered, web, world,
};

cases![
    a_sign_in_tells_the_client_who_when_and_for_whom,
    a_refreshed_id_token_tells_of_the_same_login,
    without_openid_nobody_is_told_who_the_person_is,
    the_person_decides_what_is_told_about_them,
    identity_scopes_stand_beside_those_of_the_resource,
    a_sign_in_alone_is_for_no_mcp_server,
    a_token_of_several_resources_is_for_the_mcp_server,
    userinfo_tells_what_the_token_opens,
    a_bearer_token_is_taken_from_the_header_or_the_form_and_from_nowhere_else,
    an_id_token_is_no_access_token,
    userinfo_ends_with_the_token_the_grant_and_the_person,
    strangers_clients_learn_what_the_operator_lets_them,
];

/// The usual world, with ada, who has a name and an address.
async fn server(database: Database) -> TestServer {
    let ada = TestUser::new("ada").name("Ada Ngata").email("ada@example.com");
    world(database).user(ada.member_of("acme", ["member"])).start().await
}

async fn signed_in(server: &TestServer, client: &TestClient, scope: &str) -> TokenResponse {
    let ask = |request: RequestParams| request.scope(scope).param("nonce", "n-0S6_WzA2Mj");
    let callback = client.authorize(&mut Browser::new(server), "ada", ask).await;
    client.redeem(&callback).await.granted()
}

async fn userinfo(server: &TestServer, token: &str) -> JsonAnswer {
    let request = server.http().get(server.endpoint("userinfo")).bearer_auth(token);
    JsonAnswer::read(request).await
}

async fn a_sign_in_tells_the_client_who_when_and_for_whom(database: Database) {
    // OpenID Connect Core §2, §3.1.3.3, §3.1.3.6, §15.1
    let server = server(database).await;
    for client in [app(&server), web(&server)] {
        let answer = signed_in(&server, &client, "openid profile mcp:read").await;
        let claims = server.verify_id_token(answer.id_token(), client.client_id()).await;
        let now = server.clock().now().seconds();
        let access = server.verify(answer.access_token()).await;
        let expected = json!({
            "iss": server.issuer(), "sub": access["sub"], "aud": client.client_id(), "iat": now,
            "exp": now + 15 * 60, "auth_time": access["auth_time"], "acr": "urn:gatelet:acr:password",
            "nonce": "n-0S6_WzA2Mj",
            "at_hash": claims["at_hash"], "gatelet_test": true,
        });
        assert_eq!(claims, expected, "§5.4: with the code flow, names come from the userinfo endpoint");
    }
    let request = app(&server).authorization(|request| request.scope("openid"));
    let mut browser = logged_in(&server, "ada").await;
    let page = consent_page(&mut browser, &request.url).await;
    let callback = request.callback(&browser.consent(&page).allow().await.left());
    let answer = app(&server).redeem(&callback).await.granted();
    let claims = server.verify_id_token(answer.id_token(), "app").await;
    assert_eq!(claims.get("nonce"), None, "what was not sent is not repeated");
}

async fn a_refreshed_id_token_tells_of_the_same_login(database: Database) {
    // OpenID Connect Core §12.2
    let server = server(database).await;
    let client = app(&server);
    let first = signed_in(&server, &client, "openid mcp:read").await;
    let old = server.verify_id_token(first.id_token(), "app").await;
    server.clock().advance(Duration::from_secs(1000));
    let second = client.refresh(first.refresh_token()).await.granted();
    let new = server.verify_id_token(second.id_token(), "app").await;
    for claim in ["iss", "sub", "aud", "auth_time"] {
        assert_eq!(new[claim], old[claim], "{claim}");
    }
    assert_eq!(new["iat"], server.clock().now().seconds());
    assert_eq!(new.get("nonce"), None);
    assert_ne!(new["at_hash"], old["at_hash"]);
    let narrow =
        [("grant_type", "refresh_token"), ("refresh_token", second.refresh_token()), ("scope", "mcp:read")];
    let narrow = client.token(&narrow).await.granted();
    assert_eq!(narrow.json.get("id_token"), None, "RFC 6749 §6: it was not asked for");
    assert_eq!(userinfo(&server, narrow.access_token()).await.refusal(), (403, "insufficient_scope"));
}

async fn without_openid_nobody_is_told_who_the_person_is(database: Database) {
    // RFC 6750 §3.1; OpenID Connect Core §3.1.2.1
    let server = server(database).await;
    let answer = signed_in(&server, &app(&server), "mcp:read profile email").await;
    assert_eq!((answer.scope(), answer.json.get("id_token")), ("mcp:read", None));
    assert_eq!(server.verify(answer.access_token()).await["scope"], "mcp:read");
    let refused = userinfo(&server, answer.access_token()).await;
    assert_eq!(refused.refusal(), (403, "insufficient_scope"));
    assert!(refused.header("www-authenticate").contains(r#"error="insufficient_scope""#));
    assert!(refused.header("www-authenticate").contains(r#"scope="openid""#), "RFC 6750 §3.1");
}

async fn the_person_decides_what_is_told_about_them(database: Database) {
    // OpenID Connect Core §3.1.2.4, §17.1
    let server = server(database).await;
    let client = app(&server);
    let request = client.authorization(|request| request.scope("openid profile email mcp:read"));
    let mut browser = logged_in(&server, "ada").await;
    let page = consent_page(&mut browser, &request.url).await;
    for words in ["Know which account here is yours", "your name", "your mail address", "Read notes"] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    let decision = browser.consent(&page).untick("email").untick("mcp:read");
    let callback = request.callback(&decision.allow().await.left());
    let answer = client.redeem(&callback).await.granted();
    assert_eq!(answer.scope(), "openid profile", "openid goes with whoever allows anything at all");
    let told = userinfo(&server, answer.access_token()).await;
    assert_eq!(told.json, json!({"sub": "ada", "name": "Ada Ngata", "preferred_username": "ada"}));
    let page = consent_page(&mut browser, &request.url).await;
    assert!(
        page.text().contains("left unticked before about you"),
        "it is not ticked again: {}",
        page.text()
    );
}

async fn identity_scopes_stand_beside_those_of_the_resource(database: Database) {
    // OpenID Connect Core §5.4; released clients ask for `openid email profile` when nothing names scopes
    let server = server(database).await;
    let client = app(&server);
    let ask = |request: RequestParams| request.scope("openid email profile").resource(NOTES);
    let callback = client.authorize(&mut Browser::new(&server), "ada", ask).await;
    let answer = client.redeem(&callback).await.granted();
    assert_eq!(answer.scope(), "mcp:read openid email profile", "the resource's default is there");
    let claims = server.verify(answer.access_token()).await;
    assert_eq!((&claims["aud"], &claims["scope"]), (&json!(NOTES), &json!("mcp:read openid email profile")));
    let answer = signed_in(&server, &app(&server), "openid address phone mcp:write").await;
    assert_eq!(answer.scope(), "mcp:write openid", "others are ignored");
    let robot = TestClient::new(&server, "robot", APP_CALLBACK).secret(ROBOT_SECRET);
    let machine = robot.client_credentials(Some("openid mcp:read")).await.granted();
    assert_eq!((machine.scope(), machine.json.get("id_token")), ("mcp:read", None), "a machine is nobody");
}

async fn a_sign_in_alone_is_for_no_mcp_server(database: Database) {
    // RFC 9068 §3: the audience is the endpoint that takes the token; OpenID Connect Core §3.1.2.1
    let server = server(database).await;
    let client = app(&server);
    let request = client.authorization(|request| request.scope("openid profile email offline_access"));
    let mut browser = logged_in(&server, "ada").await;
    let page = consent_page(&mut browser, &request.url).await;
    assert!(page.heading().ends_with("to sign you in?"), "{}", page.heading());
    assert!(!page.text().contains("MCP server"), "nothing else is asked: {}", page.text());
    let callback = request.callback(&browser.consent(&page).untick("email").allow().await.left());
    let first = client.redeem(&callback).await.granted();
    let second = client.refresh(first.refresh_token()).await.granted();
    for answer in [first, second] {
        assert_eq!(answer.scope(), "openid profile offline_access");
        let claims = server.verify(answer.access_token()).await;
        let audience = json!(server.endpoint("userinfo"));
        assert_eq!((&claims["aud"], &claims["scope"]), (&audience, &json!("openid profile")));
        server.verify_id_token(answer.id_token(), "app").await;
        assert_eq!(userinfo(&server, answer.access_token()).await.json["name"], "Ada Ngata");
    }
    let everything = consent_page(&mut browser, &request.url).await;
    browser.consent(&everything).deny().await.left();
    let named = client.authorization(|request| request.scope("openid").resource(NOTES));
    assert!(
        consent_page(&mut browser, &named.url).await.heading().contains("Notes"),
        "who names one means it"
    );
}

async fn a_token_of_several_resources_is_for_the_mcp_server(database: Database) {
    // RFC 8707 §2.2; OpenID Connect Core §5.3.1
    let server = server(database).await;
    let client = app(&server);
    let tokens = signed_in(&server, &client, "openid mcp:read").await;
    assert_eq!(server.verify(tokens.access_token()).await["aud"], NOTES);
    assert_eq!(userinfo(&server, tokens.access_token()).await.json, json!({"sub": "ada"}));
    let own = server.endpoint("userinfo");
    let refresh =
        [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh_token()), ("resource", &own)];
    let narrow = client.token(&refresh).await.granted();
    let claims = server.verify(narrow.access_token()).await;
    assert_eq!((&claims["aud"], &claims["scope"]), (&json!(own), &json!("openid")), "for nobody else");
}

async fn userinfo_tells_what_the_token_opens(database: Database) {
    // OpenID Connect Core §5.3.2, §5.4
    let server = server(database).await;
    let name = json!("Ada Ngata");
    for (scope, told) in [
        ("openid", json!({"sub": "ada"})),
        ("openid profile", json!({"sub": "ada", "name": name, "preferred_username": "ada"})),
        ("openid email", json!({"sub": "ada", "email": "ada@example.com"})),
    ] {
        let tokens = signed_in(&server, &app(&server), scope).await;
        let answer = userinfo(&server, tokens.access_token()).await;
        assert_eq!((answer.status, &answer.json), (200, &told), "{scope}");
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-control"), "no-store");
        let claims = server.verify_id_token(tokens.id_token(), "app").await;
        assert_eq!(answer.json["sub"], claims["sub"], "§5.3.2: the same person as in the id token");
    }
}

async fn a_bearer_token_is_taken_from_the_header_or_the_form_and_from_nowhere_else(database: Database) {
    // OpenID Connect Core §5.3.1, RFC 6750 §2, §3.1; RFC 9700 §4.3.2
    let server = server(database).await;
    let tokens = signed_in(&server, &app(&server), "openid").await;
    let (token, url, http) = (tokens.access_token(), server.endpoint("userinfo"), server.http());
    let form = |token: &str| {
        let request = http.post(&url).header("content-type", "application/x-www-form-urlencoded");
        request.body(format!("access_token={token}"))
    };
    for (request, expected) in [
        (http.get(&url).bearer_auth(token), (200, "")),
        (http.get(&url).header("authorization", format!("bearer {token}")), (200, "")),
        (http.post(&url).bearer_auth(token), (200, "")),
        (form(token), (200, "")),
        (form(token).bearer_auth(token), (400, "invalid_request")),
        (http.get(format!("{url}?access_token={token}")), (401, "invalid_token")),
        (http.get(&url), (401, "invalid_token")),
        (http.get(&url).basic_auth("app", Some(token)), (401, "invalid_token")),
        (form("x"), (401, "invalid_token")),
        (http.post(&url).json(&json!({"access_token": token})), (415, "invalid_request")),
    ] {
        let answer = JsonAnswer::read(request).await;
        assert_eq!(answer.refusal(), expected, "{}", answer.body);
        if answer.status == 401 {
            assert!(answer.header("www-authenticate").starts_with("Bearer realm="), "{:?}", answer.headers);
        }
    }
    let nothing = JsonAnswer::read(http.get(&url)).await;
    assert_eq!(nothing.header("www-authenticate"), r#"Bearer realm="userinfo""#, "RFC 6750 §3.1");
    let wrong = userinfo(&server, "x").await;
    assert!(wrong.header("www-authenticate").contains(r#"error="invalid_token""#));
}

async fn an_id_token_is_no_access_token(database: Database) {
    // RFC 8725 §3.11, §3.12; RFC 9068 §4
    let ada = TestUser::new("ada").member_of("acme", ["member"]);
    let builder = world(database).user(ada).resource_server("notes-server", SERVER_SECRET, [NOTES]);
    let server = builder.start().await;
    let tokens = signed_in(&server, &app(&server), "openid profile mcp:read").await;
    assert_eq!(userinfo(&server, tokens.access_token()).await.status, 200);
    assert_eq!(userinfo(&server, tokens.id_token()).await.refusal(), (401, "invalid_token"));
    let asking = notes_server(&server);
    assert!(is_active(&asking, tokens.access_token()).await);
    assert!(!is_active(&asking, tokens.id_token()).await);
    let metadata = json!({"redirect_uris": ["https://b.example/cb"]});
    let registered = server.register(&metadata).await;
    let uri = registered.text("registration_client_uri");
    let own = server.http().get(uri).bearer_auth(registered.text("registration_access_token"));
    assert_eq!(JsonAnswer::read(own).await.status, 200);
    for token in [tokens.id_token(), tokens.access_token()] {
        let managed = JsonAnswer::read(server.http().get(uri).bearer_auth(token)).await;
        assert_eq!(managed.status, 401, "{}", managed.body);
    }
    let other = world(Database::Sqlite).start().await;
    assert_eq!(userinfo(&other, tokens.access_token()).await.refusal(), (401, "invalid_token"), "another's");
}

async fn userinfo_ends_with_the_token_the_grant_and_the_person(database: Database) {
    // OpenID Connect Core §5.3, §5.3.3, RFC 6750 §3.1
    let server = server(database).await;
    let client = app(&server);
    let gone = (401, "invalid_token");
    let revoked =
        client.authorize(&mut Browser::new(&server), "ada", |request| request.scope("openid")).await;
    let tokens = client.redeem(&revoked).await.granted();
    assert_eq!(userinfo(&server, tokens.access_token()).await.status, 200);
    client.redeem(&revoked).await;
    assert_eq!(userinfo(&server, tokens.access_token()).await.refusal(), gone, "the grant was revoked");
    let tokens = signed_in(&server, &client, "openid").await;
    let kept = signed_in(&server, &client, "openid").await;
    let taken_back = signed_in(&server, &client, "openid").await;
    assert_eq!(client.revoke(taken_back.access_token()).await.status, 200);
    assert_eq!(userinfo(&server, taken_back.access_token()).await.refusal(), gone, "RFC 7009 §2.1");
    server.clock().advance(Duration::from_secs(15 * 60 - 1));
    assert_eq!(userinfo(&server, tokens.access_token()).await.status, 200);
    let ada = UserId::parse("ada").unwrap();
    let audit = AuditEvent::new(server.clock().now(), AuditKind::Suspended).user(&ada);
    assert!(server.app().engine().store.suspend_user(&ada, audit).await.unwrap().is_won());
    assert_eq!(userinfo(&server, tokens.access_token()).await.refusal(), gone, "the person is suspended");
    server.clock().advance(Duration::from_secs(1));
    assert_eq!(userinfo(&server, kept.access_token()).await.refusal(), gone, "it has expired");
}

async fn strangers_clients_learn_what_the_operator_lets_them(database: Database) {
    // RFC 7591 §5: the scope of a registration is the server's to limit
    let ada = TestUser::new("ada").member_of("acme", ["member"]);
    let server = world(database).user(ada).registration_scopes(["mcp:read", "openid"]).start().await;
    let client = self_registered(&server).await;
    let answer = signed_in(&server, &client, "openid email mcp:read mcp:write").await;
    assert_eq!(answer.scope(), "mcp:read openid");
    let document: Value = server.get(&server.url("/.well-known/openid-configuration")).await.json;
    let named = document["scopes_supported"].as_array().unwrap();
    assert!(named.contains(&json!("openid")) && !named.contains(&json!("email")), "{named:?}");
}
