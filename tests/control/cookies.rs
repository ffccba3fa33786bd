//! Several issuers in one browser.

use gatelet::clock::Clock;
use gatelet::testkit::{Browser, Page};
use serde_json::json;

use crate::world::{Issuer, World};

/// Opens the login page; somebody who is logged in is sent on from there.
async fn login_page(browser: &mut Browser, issuer: &Issuer<'_>) -> Page {
    browser.get(&format!("{}/login", issuer.text("url"))).await.page()
}

async fn is_logged_in(browser: &mut Browser, issuer: &Issuer<'_>) -> bool {
    login_page(browser, issuer).await;
    browser.redirects() == [303]
}

#[tokio::test]
async fn issuers_in_one_browser_have_sessions_of_their_own() {
    let world = World::start().await;
    let root =
        Issuer { world: &world, view: world.ask(reqwest::Method::GET, "/issuers/default", None).await.1 };
    // The name of one begins with the other's: `/t/one` is no part of `/t/one-more` (RFC 6265 §5.1.4).
    let issuers = [
        root,
        world.issuer(json!({ "name": "one" })).await,
        world.issuer(json!({ "name": "one-more" })).await,
    ];
    let origin = world.gatelet.mode().control_url().replace("/control", "");
    let mut browser = Browser::at(&origin, Clock::system());
    for (n, issuer) in issuers.iter().enumerate() {
        let page = login_page(&mut browser, issuer).await;
        assert!(browser.redirects().is_empty(), "logged in by the session of another issuer");
        browser.log_in(&page, ("alice", "wonderland")).await.page();
        for (m, other) in issuers.iter().enumerate() {
            assert_eq!(is_logged_in(&mut browser, other).await, m <= n, "{m} after {n}");
        }
    }
    let page = browser.get(&format!("{}/logout", issuers[1].text("url"))).await.page();
    browser.submit(page.form_with("csrf")).await.page();
    for (issuer, expected) in issuers.iter().zip([true, false, true]) {
        assert_eq!(is_logged_in(&mut browser, issuer).await, expected, "{}", issuer.text("name"));
    }
}
