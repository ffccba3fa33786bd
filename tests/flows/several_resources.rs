//! Several resources in one grant, and an access token for each (RFC 8707 §2).

use gatelet::testkit::{Browser, RequestParams, TestClient, TestResource, TestServer, TokenResponse};

use crate::cases;
use crate::world::{Database, NOTES, app, consent_page, logged_in, world};

cases![
    one_grant_holds_several_resources_and_each_token_is_for_one,
    a_code_for_several_resources_is_redeemed_for_one_that_is_named,
    a_refresh_names_one_of_several_resources,
    what_is_unticked_at_one_resource_is_granted_at_the_other,
    nothing_is_granted_at_a_resource_that_the_page_did_not_show,
    a_resource_without_scopes_can_be_unticked,
    a_resource_that_is_named_twice_is_one,
    an_unknown_resource_among_known_ones_is_refused,
    a_new_resource_is_told_from_what_was_allowed,
    what_was_left_unticked_is_not_ticked_again,
    the_answer_to_a_step_up_reports_the_union,
    consent_is_skipped_for_a_first_party_client_at_all_its_resources,
];

const CALENDAR: &str = "https://calendar.example.com/mcp";
const SEARCH: &str = "https://search.example.com/mcp";

/// The usual world with a second server, where `mcp:read` is a scope too and everything else is its own, and a third
/// without scopes.
async fn three(database: Database) -> TestServer {
    let calendar = TestResource::new(CALENDAR)
        .name("Calendar")
        .scope("mcp:read", "See when you are busy")
        .scope("mcp:book", "Make appointments")
        .alias("https://old-calendar.example.com/mcp");
    world(database).resource(calendar).resource(TestResource::new(SEARCH).name("Search")).start().await
}

fn both(request: RequestParams) -> RequestParams {
    request.scope("mcp:read mcp:write mcp:book").also("resource", NOTES).also("resource", CALENDAR)
}

async fn redeem(
    client: &TestClient,
    callback: &gatelet::testkit::Callback,
    resources: &[&str],
) -> TokenResponse {
    let mut pairs = client.redemption(callback).to_vec();
    pairs.extend(resources.iter().map(|uri| ("resource", *uri)));
    client.token(&pairs).await
}

async fn refresh(client: &TestClient, token: &str, more: &[(&str, &str)]) -> TokenResponse {
    let mut pairs = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
    pairs.extend(more);
    client.token(&pairs).await
}

async fn one_grant_holds_several_resources_and_each_token_is_for_one(database: Database) {
    // RFC 8707 §2.1, §2.2
    let server = three(database).await;
    let client = app(&server);
    let callback = client.authorize(&mut Browser::new(&server), "alice", both).await;
    let first = redeem(&client, &callback, &[NOTES]).await.granted();
    assert_eq!(first.scope(), "mcp:read mcp:write");
    let claims = server.verify(first.access_token()).await;
    assert_eq!((&claims["aud"], &claims["scope"]), (&NOTES.into(), &"mcp:read mcp:write".into()));
    let second = refresh(&client, first.refresh_token(), &[("resource", CALENDAR)]).await.granted();
    assert_eq!(second.scope(), "mcp:read mcp:book");
    let claims = server.verify(second.access_token()).await;
    assert_eq!((&claims["aud"], &claims["scope"]), (&CALENDAR.into(), &"mcp:read mcp:book".into()));
    let third = refresh(&client, second.refresh_token(), &[("resource", NOTES)]).await.granted();
    assert_eq!(server.verify(third.access_token()).await["aud"], NOTES);
}

async fn a_code_for_several_resources_is_redeemed_for_one_that_is_named(database: Database) {
    // RFC 8707 §2.2
    let server = three(database).await;
    let client = app(&server);
    let callback = client.authorize(&mut Browser::new(&server), "alice", both).await;
    for named in [&[][..], &[NOTES, CALENDAR], &[SEARCH], &["https://nobody.example/mcp"], &["mcp"]] {
        let answer = redeem(&client, &callback, named).await;
        assert_eq!(answer.refusal(), (400, "invalid_target"), "{named:?}");
    }
    let answer = redeem(&client, &callback, &["https://old-calendar.example.com/mcp/"]).await.granted();
    assert_eq!(
        server.verify(answer.access_token()).await["aud"],
        CALENDAR,
        "refusals have not spent the code"
    );
}

async fn a_refresh_names_one_of_several_resources(database: Database) {
    // RFC 8707 §2.2
    let server = three(database).await;
    let client = app(&server);
    let callback = client.authorize(&mut Browser::new(&server), "alice", both).await;
    let first = redeem(&client, &callback, &[NOTES]).await.granted();
    let token = first.refresh_token();
    for more in [&[][..], &[("resource", NOTES), ("resource", CALENDAR)], &[("resource", SEARCH)]] {
        assert_eq!(refresh(&client, token, more).await.refusal(), (400, "invalid_target"), "{more:?}");
    }
    let narrow = [("resource", CALENDAR), ("scope", "mcp:read mcp:write")];
    let answer = refresh(&client, token, &narrow).await.granted();
    assert_eq!(answer.scope(), "mcp:read", "what is granted at the other resource narrows nothing here");
    let foreign = [("resource", CALENDAR), ("scope", "mcp:write")];
    let refused = refresh(&client, answer.refresh_token(), &foreign).await;
    assert_eq!(refused.refusal(), (400, "invalid_scope"));
    let whole = refresh(&client, answer.refresh_token(), &[("resource", CALENDAR)]).await.granted();
    assert_eq!(whole.scope(), "mcp:read mcp:book", "scope narrows one answer only");
}

async fn what_is_unticked_at_one_resource_is_granted_at_the_other(database: Database) {
    // RFC 8707 §2.1
    let server = three(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    let request = client.authorization(both);
    let page = consent_page(&mut browser, &request.url).await;
    assert!(page.heading().contains("2 MCP servers"), "{}", page.heading());
    for words in ["At Notes it asks to", "At Calendar it asks to", "See when you are busy", CALENDAR] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    let unticked = format!("{CALENDAR} mcp:read");
    let left = browser.consent(&page).untick(&unticked).untick("mcp:write").allow().await.left();
    let callback = request.callback(&left);
    let answer = redeem(&client, &callback, &[CALENDAR]).await.granted();
    assert_eq!(answer.scope(), "mcp:book");
    let notes = refresh(&client, answer.refresh_token(), &[("resource", NOTES)]).await.granted();
    assert_eq!(notes.scope(), "mcp:read");

    let page = consent_page(&mut browser, &request.url).await;
    let left = browser.consent(&page).untick(&unticked).untick("mcp:book").allow().await.left();
    let callback = request.callback(&left);
    assert_eq!(redeem(&client, &callback, &[CALENDAR]).await.refusal(), (400, "invalid_target"));
}

async fn nothing_is_granted_at_a_resource_that_the_page_did_not_show(database: Database) {
    let server = three(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    let request = client.authorization(|request| request.scope("mcp:read").resource(NOTES));
    let page = consent_page(&mut browser, &request.url).await;
    let form = page.form_with("decision").forge("scope", &format!("{CALENDAR} mcp:read"));
    let form = form.forge("scope", SEARCH).forge("scope", CALENDAR).forge("resource", CALENDAR);
    let callback = request.callback(&browser.submit_with(form, "decision", "allow").await.left());
    for uri in [CALENDAR, SEARCH] {
        assert_eq!(redeem(&client, &callback, &[uri]).await.refusal(), (400, "invalid_target"));
    }
    assert_eq!(redeem(&client, &callback, &[]).await.granted().scope(), "mcp:read");
}

async fn a_resource_without_scopes_can_be_unticked(database: Database) {
    let server = three(database).await;
    let client = app(&server);
    let ask = |request: RequestParams| request.also("resource", SEARCH).also("resource", NOTES);
    let mut browser = logged_in(&server, "alice").await;
    let request = client.authorization(ask);
    let page = consent_page(&mut browser, &request.url).await;
    let callback = request.callback(&browser.consent(&page).untick(SEARCH).allow().await.left());
    assert_eq!(redeem(&client, &callback, &[SEARCH]).await.refusal(), (400, "invalid_target"));
    assert_eq!(redeem(&client, &callback, &[]).await.granted().scope(), "mcp:read");
    let callback = client.authorize(&mut browser, "alice", ask).await;
    let answer = redeem(&client, &callback, &[SEARCH]).await.granted();
    assert_eq!((answer.scope(), &server.verify(answer.access_token()).await["aud"]), ("", &SEARCH.into()));
}

async fn a_resource_that_is_named_twice_is_one(database: Database) {
    // RFC 8707 §2.1
    let server = three(database).await;
    let client = app(&server);
    let ask = |request: RequestParams| {
        let spellings =
            [CALENDAR, "https://CALENDAR.example.com/mcp/", "https://old-calendar.example.com/mcp"];
        spellings.iter().fold(request.scope("mcp:book"), |request, uri| request.also("resource", uri))
    };
    let callback = client.authorize(&mut Browser::new(&server), "alice", ask).await;
    let answer = client.redeem(&callback).await.granted();
    assert_eq!(server.verify(answer.access_token()).await["aud"], CALENDAR);
}

async fn an_unknown_resource_among_known_ones_is_refused(database: Database) {
    // RFC 8707 §2
    let server = three(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    for uri in ["https://nobody.example/mcp", "mcp", "https://mcp.example.com/mcp#x"] {
        let request = client.authorization(|request| both(request).also("resource", uri));
        let left = browser.get(&request.url).await.left();
        assert_eq!(request.callback(&left).error(), "invalid_target", "{uri}");
    }
}

async fn a_new_resource_is_told_from_what_was_allowed(database: Database) {
    let server = three(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    client.authorize(&mut browser, "alice", |request| request.scope("mcp:read").resource(NOTES)).await.code();
    let page = consent_page(&mut browser, &client.authorization(both).url).await;
    for words in [
        "New: at Notes it also asks to Write notes",
        "New: Calendar, where it asks to https://calendar.example.com/mcp See when you",
        "Already allowed: 1 permission, on behalf of acme",
    ] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    assert!(page.text().contains("At Notes it may Read notes"), "{}", page.text());
    browser.consent(&page).allow().await.left();
    let page = consent_page(&mut browser, &client.authorization(both).url).await;
    assert!(!page.text().contains("New:"), "{}", page.text());
    assert!(page.text().contains("Already allowed: 4 permissions at 2 MCP servers"), "{}", page.text());
}

async fn what_was_left_unticked_is_not_ticked_again(database: Database) {
    // OAuth 2.1 §7.9: what was refused is not given by the next click
    let server = three(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    let request = client.authorization(|request| request.scope("mcp:read mcp:write").resource(NOTES));
    let page = consent_page(&mut browser, &request.url).await;
    browser.consent(&page).untick("mcp:write").allow().await.left();
    for tick in [false, true] {
        let page = consent_page(&mut browser, &request.url).await;
        let (read, write) = (format!("{NOTES} mcp:read"), format!("{NOTES} mcp:write"));
        let shown = page.form_with("decision");
        let mut shown = shown.options("scope");
        shown.sort_unstable();
        assert_eq!(shown, [(&*read, true), (&*write, false)]);
        assert!(
            page.text().contains("You left unticked before; it asks again to Write notes"),
            "{}",
            page.text()
        );
        assert!(!page.text().contains("New"), "{}", page.text());
        let consent = browser.consent(&page);
        let consent = if tick { consent.tick("mcp:write") } else { consent };
        let callback = request.callback(&consent.allow().await.left());
        let scope = client.redeem(&callback).await.granted().scope().to_owned();
        assert_eq!(scope, if tick { "mcp:read mcp:write" } else { "mcp:read" });
    }
    let page = consent_page(&mut browser, &request.url).await;
    assert!(!page.text().contains("You left unticked"), "the last word counts");
}

async fn the_answer_to_a_step_up_reports_the_union(database: Database) {
    // MCP Scope Challenge Handling: the client asks anew for the union
    let server = three(database).await;
    let client = app(&server);
    let mut browser = logged_in(&server, "alice").await;
    let ask = |scope: &'static str| move |request: RequestParams| request.scope(scope).resource(NOTES);
    let callback = client.authorize(&mut browser, "alice", ask("mcp:read")).await;
    let first = client.redeem(&callback).await.granted();
    let request = client.authorization(ask("mcp:read mcp:write"));
    let page = consent_page(&mut browser, &request.url).await;
    assert!(page.text().contains("New: it also asks to Write notes"), "{}", page.text());
    let callback = request.callback(&browser.consent(&page).allow().await.left());
    let second = client.redeem(&callback).await.granted();
    assert_eq!(second.scope(), "mcp:read mcp:write");
    assert_eq!(server.verify(second.access_token()).await["scope"], "mcp:read mcp:write");
    let old = client.refresh(first.refresh_token()).await.granted();
    assert_eq!(old.scope(), "mcp:read", "the grant before is as it was");
}

async fn consent_is_skipped_for_a_first_party_client_at_all_its_resources(database: Database) {
    let server = three(database).await;
    let client = TestClient::new(&server, "own", "http://127.0.0.1/own");
    let mut browser = logged_in(&server, "alice").await;
    let request = client.authorization(both);
    let callback = request.callback(&browser.get(&request.url).await.left());
    let answer = redeem(&client, &callback, &[CALENDAR]).await.granted();
    assert_eq!(answer.scope(), "mcp:read mcp:book");
}
