//! The consent page.

use std::time::Duration;

use gatelet::testkit::{Browser, Page, RequestParams, TestResource};
use serde_json::json;

use crate::cases;
use crate::world::{
    Database, NOTES, app, assert_error_page, consent_page, logged_in, self_registered, server, web, world,
};

cases![
    what_is_unticked_is_not_granted,
    a_refusal_is_told_to_the_client,
    an_interaction_belongs_to_one_session,
    an_interaction_is_decided_once,
    an_interaction_expires,
    a_forged_decision_is_refused,
    what_was_not_offered_is_not_granted_whoever_ticks_it,
    a_person_with_several_tenants_chooses_one,
    a_tenant_that_is_not_theirs_is_not_granted,
    a_wish_for_a_tenant_is_only_a_wish,
    roles_decide_who_may_give_a_scope_away,
    what_depends_on_the_tenant_says_so_and_is_asked_once,
    what_the_named_tenant_cannot_give_is_not_shown,
    a_remembered_consent_is_short_and_marks_what_is_new,
    a_remembered_consent_counts_for_one_receiver,
    the_page_tells_who_asks_and_where_the_browser_goes,
];

const EXPIRED: &str = "This page has expired";

fn ask(scope: &'static str) -> impl Fn(RequestParams) -> RequestParams {
    move |request| request.scope(scope)
}

fn ticked(page: &Page) -> Vec<(String, bool)> {
    let form = page.form_with("decision");
    let scope = |value: &str| value.strip_prefix(NOTES).map(|scope| scope.trim().to_owned());
    form.options("scope").into_iter().filter_map(|(value, ticked)| Some((scope(value)?, ticked))).collect()
}

async fn what_is_unticked_is_not_granted(database: Database) {
    // OAuth 2.1 §7.9; MCP Scope Minimization
    let server = server(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    let request = client.authorization(ask("mcp:read mcp:write"));
    let page = consent_page(&mut browser, &request.url).await;
    assert_eq!(ticked(&page), [("mcp:read".to_owned(), true), ("mcp:write".to_owned(), true)]);
    let left = browser.consent(&page).untick("mcp:write").allow().await.left();
    let answer = client.redeem(&request.callback(&left)).await.granted();
    assert_eq!(answer.scope(), "mcp:read");
    assert_eq!(server.verify(answer.access_token()).await["scope"], "mcp:read");
    let page = consent_page(&mut browser, &request.url).await;
    let left = browser.consent(&page).untick("mcp:write").untick("mcp:read").allow().await.left();
    assert_eq!(request.callback(&left).error(), "access_denied", "nothing was left");
}

async fn a_refusal_is_told_to_the_client(database: Database) {
    // RFC 6749 §4.1.2.1
    let server = server(database).await;
    for client in [app(&server), web(&server), self_registered(&server).await] {
        let mut browser = logged_in(&server, "alice").await;
        let request = client.authorization(ask("mcp:read"));
        let page = consent_page(&mut browser, &request.url).await;
        let left = browser.consent(&page).deny().await.left();
        assert_eq!(request.callback(&left).error(), "access_denied");
        assert_error_page(browser.consent(&page).allow().await, 400, EXPIRED);
    }
}

async fn an_interaction_belongs_to_one_session(database: Database) {
    // MCP Confused Deputy
    let server = server(database).await;
    let client = app(&server);
    let mut alice = logged_in(&server, "alice").await;
    let request = client.authorization(ask("mcp:read"));
    let page = consent_page(&mut alice, &request.url).await;
    let interaction = page.form_with("decision").value("interaction").unwrap().to_owned();
    for username in ["alice", "bob"] {
        let mut other = logged_in(&server, username).await;
        assert_error_page(other.get(&page.url).await, 400, EXPIRED);
        let own = consent_page(&mut other, &request.url).await;
        let form = own.form_with("decision").fill("interaction", &interaction);
        assert_error_page(other.submit_with(form, "decision", "allow").await, 400, EXPIRED);
    }
    let mut stranger = Browser::new(&server);
    assert_error_page(stranger.get(&page.url).await, 400, "You are no longer logged in");
    assert_error_page(stranger.consent(&page).allow().await, 400, "You are no longer logged in");
    request.callback(&alice.consent(&page).allow().await.left()).code();
}

async fn an_interaction_is_decided_once(database: Database) {
    // MCP Confused Deputy
    let server = server(database).await;
    let request = app(&server).authorization(ask("mcp:read"));
    let mut browser = logged_in(&server, "alice").await;
    let page = consent_page(&mut browser, &request.url).await;
    request.callback(&browser.consent(&page).allow().await.left()).code();
    assert_error_page(browser.consent(&page).allow().await, 400, EXPIRED);
    assert_error_page(browser.consent(&page).deny().await, 400, EXPIRED);
    assert_error_page(browser.get(&page.url).await, 400, EXPIRED);
}

async fn an_interaction_expires(database: Database) {
    // MCP Confused Deputy
    let server = server(database).await;
    let request = app(&server).authorization(ask("mcp:read"));
    let mut browser = logged_in(&server, "alice").await;
    let page = consent_page(&mut browser, &request.url).await;
    server.clock().advance(Duration::from_secs(599));
    assert!(browser.get(&page.url).await.page().has_form_with("decision"));
    server.clock().advance(Duration::from_secs(1));
    assert_error_page(browser.consent(&page).allow().await, 400, EXPIRED);
    for nonsense in ["", "x", "0123456789abcdefghjkmnpqrs"] {
        assert_error_page(browser.get(&format!("/consent?interaction={nonsense}")).await, 400, EXPIRED);
    }
}

async fn a_forged_decision_is_refused(database: Database) {
    // MCP Confused Deputy
    let server = server(database).await;
    let request = app(&server).authorization(ask("mcp:read"));
    let mut alice = logged_in(&server, "alice").await;
    let page = consent_page(&mut alice, &request.url).await;
    let mut again = logged_in(&server, "alice").await;
    let others = consent_page(&mut again, &request.url).await;
    let others = others.form_with("decision").value("csrf").unwrap().to_owned();
    for csrf in ["", "x", &others] {
        let form = page.form_with("decision").fill("csrf", csrf);
        let landing = alice.submit_with(form, "decision", "allow").await;
        assert_error_page(landing, 403, "This form did not come from this server");
    }
    request.callback(&alice.consent(&page).allow().await.left()).code();
}

async fn what_was_not_offered_is_not_granted_whoever_ticks_it(database: Database) {
    let server = server(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    let request = client.authorization(ask("mcp:read mcp:write"));
    let page = consent_page(&mut browser, &request.url).await;
    let form = page.form_with("decision").untick("mcp:write");
    let at = |scope| format!("{NOTES} {scope}");
    let form = form.forge("scope", &at("mcp:admin")).forge("scope", &at("offline_access"));
    let form = form.forge("scope", &at("\"")).forge("scope", "mcp:write").forge("scope", NOTES);
    let left = browser.submit_with(form, "decision", "allow").await.left();
    assert_eq!(client.redeem(&request.callback(&left)).await.granted().scope(), "mcp:read");
}

async fn a_person_with_several_tenants_chooses_one(database: Database) {
    let server = server(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "bob").await;
    for (tenant, roles) in [("globex", json!(["member"])), ("acme", json!(["admin", "member"]))] {
        let request = client.authorization(ask("mcp:read"));
        let page = consent_page(&mut browser, &request.url).await;
        let callback = request.callback(&browser.consent(&page).tenant(tenant).allow().await.left());
        let answer = client.redeem(&callback).await.granted();
        let claims = server.verify(answer.access_token()).await;
        assert_eq!((&claims["tenant"], &claims["roles"]), (&json!(tenant), &roles));
        let refreshed = client.refresh(answer.refresh_token()).await.granted();
        assert_eq!(server.verify(refreshed.access_token()).await["tenant"], tenant);
    }
    let alone = logged_in(&server, "alice").await;
    let page = consent_page(&mut alone.clone(), &client.authorization(ask("mcp:read")).url).await;
    assert!(
        page.form_with("decision").options("tenant").is_empty(),
        "with one tenant there is nothing to choose"
    );
}

async fn a_tenant_that_is_not_theirs_is_not_granted(database: Database) {
    let server = server(database).await;
    let client = app(&server);
    for tenant in ["globex", "initech"] {
        let mut alice = logged_in(&server, "alice").await;
        let request = client.authorization(ask("mcp:read"));
        let page = consent_page(&mut alice, &request.url).await;
        let form = page.form_with("decision").fill("tenant", tenant);
        let left = alice.submit_with(form, "decision", "allow").await.left();
        assert_eq!(request.callback(&left).error(), "access_denied", "{tenant}");
    }
}

async fn a_wish_for_a_tenant_is_only_a_wish(database: Database) {
    let server = server(database).await;
    let client = app(&server);
    let mut bob = logged_in(&server, "bob").await;
    for (wish, proposed) in [("globex", "globex"), ("acme", "acme"), ("initech", "acme"), ("", "acme")] {
        let request = client.authorization(|request| request.scope("mcp:read").param("tenant", wish));
        let page = consent_page(&mut bob, &request.url).await;
        let chosen: Vec<_> = page
            .form_with("decision")
            .options("tenant")
            .into_iter()
            .map(|(id, on)| (id.to_owned(), on))
            .collect();
        assert!(chosen.contains(&(proposed.to_owned(), true)), "{wish}: {chosen:?}");
        assert!(!chosen.iter().any(|(id, _)| id == "initech"));
    }
    let mut alice = logged_in(&server, "alice").await;
    let ask = |request: RequestParams| request.scope("mcp:read").param("tenant", "globex");
    let answer = client.redeem(&client.authorize(&mut alice, "alice", ask).await).await.granted();
    assert_eq!(server.verify(answer.access_token()).await["tenant"], "acme");
}

async fn roles_decide_who_may_give_a_scope_away(database: Database) {
    let server = server(database).await;
    let client = app(&server);
    let everything = "mcp:read mcp:write mcp:admin";
    let mut alice = logged_in(&server, "alice").await;
    let page = consent_page(&mut alice, &client.authorization(ask(everything)).url).await;
    assert!(!ticked(&page).iter().any(|(scope, _)| scope == "mcp:admin"));
    let only = client.authorization(ask("mcp:admin"));
    assert_eq!(only.callback(&alice.get(&only.url).await.left()).error(), "invalid_scope");

    let mut bob = logged_in(&server, "bob").await;
    for (tenant, granted) in [("acme", everything), ("globex", "mcp:read mcp:write")] {
        let request = client.authorization(ask(everything));
        let page = consent_page(&mut bob, &request.url).await;
        let callback = request.callback(&bob.consent(&page).tenant(tenant).allow().await.left());
        let scope = client.redeem(&callback).await.granted().scope().to_owned();
        let mut words: Vec<_> = scope.split(' ').collect();
        let mut expected: Vec<_> = granted.split(' ').collect();
        words.sort_unstable();
        expected.sort_unstable();
        assert_eq!(words, expected, "bob is an admin of acme alone");
    }
}

async fn what_depends_on_the_tenant_says_so_and_is_asked_once(database: Database) {
    // OAuth 2.1 §7.9: what is ticked is what is given, or the page says on whose behalf it can be.
    const FILES: &str = "https://files.example.com/mcp";
    let files =
        TestResource::new(FILES).name("Files").scope("mcp:list", "List files").only_for_tenant("acme");
    let server = world(database).resource(files).start().await;
    let client = app(&server);
    let both = |scope: &'static str| {
        client.authorization(move |request| {
            request.scope(scope).also("resource", NOTES).also("resource", FILES)
        })
    };
    let mut bob = logged_in(&server, "bob").await;
    let first = both("mcp:read mcp:admin");
    let page = consent_page(&mut bob, &first.url).await;
    assert!(page.text().contains("Delete everything mcp:admin Only on behalf of acme"), "{}", page.text());
    let callback = first.callback(&bob.consent(&page).tenant("globex").allow().await.left());
    assert_eq!(client.redeem(&callback).await.granted().scope(), "mcp:read");

    let page = consent_page(&mut bob, &both("mcp:read mcp:admin").url).await;
    assert!(page.text().contains("You have allowed this before."), "{}", page.text());
    assert_eq!(ticked(&page), [("mcp:read".to_owned(), true)], "what globex cannot give is not asked again");

    let more = both("mcp:read mcp:admin mcp:list");
    let page = consent_page(&mut bob, &more.url).await;
    let (shown, folded) = page.html.split_once("<details").unwrap();
    for words in ["New: <bdi>Files", FILES, "Only on behalf of <bdi>acme", "name=\"tenant\""] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(!folded.contains("name=\"tenant\""), "the tenants are there once");
    assert!(!page.text().contains("Delete everything"), "{}", page.text());
    let callback = more.callback(&bob.consent(&page).tenant("acme").allow().await.left());
    let [grant, code, verifier, uri] = client.redemption(&callback);
    let tokens = client.token(&[grant, code, verifier, uri, ("resource", FILES)]).await.granted();
    assert_eq!(tokens.scope(), "mcp:list");
    assert_eq!(server.verify(tokens.access_token()).await["tenant"], "acme");
}

async fn what_the_named_tenant_cannot_give_is_not_shown(database: Database) {
    let server = server(database).await;
    let mut bob = logged_in(&server, "bob").await;
    let ask = |request: RequestParams| request.scope("mcp:read mcp:admin").param("tenant", "globex");
    let page = consent_page(&mut bob, &app(&server).authorization(ask).url).await;
    assert_eq!(ticked(&page), [("mcp:read".to_owned(), true)]);
    assert!(!page.text().contains("Only on behalf of"), "{}", page.text());
}

async fn a_remembered_consent_is_short_and_marks_what_is_new(database: Database) {
    // Step-up (MCP 2026-07-28 authorization, scope challenge): the same client asks for more.
    let server = server(database).await;
    let client = self_registered(&server).await;
    let mut browser = logged_in(&server, "alice").await;
    let first = client.authorization(ask("mcp:read"));
    let page = consent_page(&mut browser, &first.url).await;
    assert!(!page.text().contains("You have allowed this before"), "{}", page.text());
    first.callback(&browser.consent(&page).allow().await.left()).code();

    let page = consent_page(&mut browser, &client.authorization(ask("mcp:read")).url).await;
    assert!(page.text().contains("You have allowed this before."), "{}", page.text());
    let more = client.authorization(ask("mcp:read mcp:write"));
    let page = consent_page(&mut browser, &more.url).await;
    assert!(page.text().contains("New: it also asks to Write notes"), "{}", page.text());
    assert!(!page.text().contains("New: it also asks to Read notes"), "{}", page.text());
    let callback = more.callback(&browser.consent(&page).allow().await.left());
    assert_eq!(client.redeem(&callback).await.granted().scope(), "mcp:read mcp:write");
    let page = consent_page(&mut browser, &client.authorization(ask("mcp:read mcp:write")).url).await;
    assert!(page.text().contains("You have allowed this before."), "{}", page.text());
}

async fn a_remembered_consent_counts_for_one_receiver(database: Database) {
    // MCP Confused Deputy
    let server = server(database).await;
    let metadata = json!({
        "redirect_uris": ["https://a.example/cb", "https://b.example/cb"], "token_endpoint_auth_method": "none",
    });
    let id = server.register(&metadata).await.text("client_id").to_owned();
    let at = |uri| gatelet::testkit::TestClient::new(&server, &id, uri);
    let mut browser = logged_in(&server, "alice").await;
    at("https://a.example/cb").authorize(&mut browser, "alice", ask("mcp:read")).await.code();
    let before = "You have allowed this before";
    let page = at("https://a.example/cb").authorization(ask("mcp:read"));
    assert!(consent_page(&mut browser, &page.url).await.text().contains(before));
    let page = at("https://b.example/cb").authorization(ask("mcp:read"));
    assert!(!consent_page(&mut browser, &page.url).await.text().contains(before));
}

async fn the_page_tells_who_asks_and_where_the_browser_goes(database: Database) {
    // OAuth 2.1 §7.9; MCP Localhost Redirect URI Risks; MCP security best practices, confused deputy; RFC 8252 §8.6
    let server = server(database).await;
    let client = self_registered(&server).await;
    let mut browser = logged_in(&server, "alice").await;
    let page = consent_page(&mut browser, &client.authorization(ask("mcp:write")).url).await;
    for words in
        ["A stranger", "localhost:50123", "Notes", "Write notes", "Did you start this yourself?", "alice"]
    {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    let policy = page.header("content-security-policy");
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("form-action"), "{policy}");
}
