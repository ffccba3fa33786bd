//! Where the browser goes, and where it does not.

use gatelet::testkit::{PASSWORD, TestClient};

use crate::cases;
use crate::listener::{CONNECTED, Listener};
use crate::person::Person;
use crate::stage::Stage;

cases![
    an_answer_reaches_a_program_that_listens_here,
    an_answer_reaches_a_web_site,
    an_answer_reaches_an_application_of_the_device,
    an_answer_reaches_the_window_that_opened_ours,
    an_unknown_client_is_not_answered,
    an_address_that_is_not_registered_is_not_visited,
];

async fn an_answer_reaches_a_program_that_listens_here(stage: &Stage) {
    // RFC 8252 §7.3: any port, by either name. RFC 9700 §4.2.4: no Referer.
    for host in ["127.0.0.1", "localhost"] {
        stage.browser.forget().await.unwrap();
        let listener = Listener::open().await;
        let registered = format!("http://{host}/cb");
        let used = listener.url(host, "/cb");
        let client = stage.self_registered(&format!("Tool on {host}"), &registered, &used).await;
        let request = client.authorization(|request| request.scope("mcp:read"));
        let person = Person(&stage.browser);
        person.opens(&request.url).await;
        let asked = person.logs_in("alice", PASSWORD).await;
        asked.says(&format!("{host}:{}", listener.port));
        asked.says("Did you start this yourself?");
        person.presses("Allow").await.is(200, "Connected");
        let visit = listener.visit().await;
        let callback = request.callback(&listener.url(host, &visit.target));
        assert_eq!(client.redeem(&callback).await.granted().scope(), "mcp:read");
        assert_eq!(visit.headers.get("referer"), None);
        assert_eq!(person.evaluates("document.referrer").await, "");
        person.complained_of_nothing().await;
    }
}

async fn an_answer_reaches_a_web_site(stage: &Stage) {
    // The site is in no name server; that the browser asks for it, and how, is all there is to see.
    let client = TestClient::new(&stage.server, "web", "https://web.example/cb");
    let request = client.authorization(|request| request.scope("mcp:read"));
    let person = Person(&stage.browser);
    person.opens(&request.url).await;
    person.logs_in("alice", PASSWORD).await.says("web.example");
    stage.browser.events().await.unwrap();
    person.presses("Allow").await;
    let callback = request.callback(&stage.browser.url().await.unwrap());
    assert_eq!(client.redeem(&callback).await.granted().scope(), "mcp:read");
    let events = stage.browser.events().await.unwrap();
    let sent = events.iter().find(|event| {
        event.method == "Network.requestWillBeSent" && event.params["request"]["url"] == callback.url.as_str()
    });
    let sent = &sent.expect("the browser asked for the client's page").params;
    assert_eq!(sent["request"]["method"], "GET", "no form goes along (RFC 9700 §4.12)");
    assert_eq!(sent["redirectResponse"]["status"], 303);
    let names: Vec<_> = sent["request"]["headers"].as_object().unwrap().keys().collect();
    assert!(!names.iter().any(|name| name.eq_ignore_ascii_case("referer")), "{names:?}");
    person.complained_only_of(&[]).await;
}

async fn an_answer_reaches_an_application_of_the_device(stage: &Stage) {
    // RFC 8252 §7.1
    let schemes = [
        ("Cursor", "cursor://anysphere.cursor-mcp/oauth/callback"),
        ("Notes for the desk", "com.example.notes:/callback"),
    ];
    for (name, uri) in schemes {
        stage.browser.forget().await.unwrap();
        let client = stage.self_registered(name, uri, uri).await;
        let request = client.authorization(|request| request.scope("mcp:read"));
        let person = Person(&stage.browser);
        person.opens(&request.url).await;
        let asked = person.logs_in("alice", PASSWORD).await;
        asked.says("An application on this device");
        person.touches("Allow").await;
        let callback = request.callback(&person.handed_over(uri).await);
        assert_eq!(client.redeem(&callback).await.granted().scope(), "mcp:read");
        // The browser itself stays where it was, and the page says so beforehand.
        let left = person.sees().await;
        assert_eq!(left.heading, asked.heading);
        left.says("you can then close this page");
        person.presses("Allow").await.is(400, "This page has expired");
        let launched = format!("Launched external handler for '{uri}");
        person.complained_only_of(&[&launched, "status of 400"]).await;
    }
}

async fn an_answer_reaches_the_window_that_opened_ours(stage: &Stage) {
    // Clients that live in a page open a window for the login and wait for its message: no page of ours may part the
    // two (that is what `Cross-Origin-Opener-Policy` would do).
    let listener = Listener::open().await;
    let client = TestClient::new(&stage.server, "editor", &listener.url("localhost", "/cb"));
    let request = client.authorization(|request| request.scope("mcp:read"));
    let opener = format!(
        "<!doctype html><title>Client</title><h1>Client</h1><button onclick=\"window.open('{}')\">Connect</button>\
         <script>onmessage = (message) => {{ document.querySelector('h1').textContent = message.data }}</script>",
        request.url
    );
    listener.show("/", &opener);
    listener.show(
        "/cb",
        &format!("{CONNECTED}<script>opener.postMessage(location.search, location.origin)</script>"),
    );
    let person = Person(&stage.browser);
    person.opens(&listener.url("localhost", "/")).await;
    let page = stage.browser.tab_in_use().await.unwrap();
    person.touches("Connect").await;
    person.turns_to_what_opened(&page).await;
    person.logs_in("grace", PASSWORD).await.is(200, "Allow editor to use Notes?");
    person.presses("Allow").await.is(200, "Connected");
    stage.browser.turn_to(&page).await.unwrap();
    let told = person.sees().await.heading;
    request.callback(&listener.url("localhost", &format!("/cb{told}"))).code();
    person.complained_of_nothing().await;
}

async fn an_unknown_client_is_not_answered(stage: &Stage) {
    // RFC 6749 §4.1.2.1: no redirect.
    let listener = Listener::open().await;
    let client = TestClient::new(&stage.server, "nobody", &listener.url("127.0.0.1", "/cb"));
    let person = Person(&stage.browser);
    let seen = person.opens(&client.authorization(|request| request).url).await;
    seen.is(400, "This server does not know the application");
    seen.says("nobody");
    assert!(listener.visits().is_empty());
    person.complained_only_of(&["status of 400"]).await;
}

async fn an_address_that_is_not_registered_is_not_visited(stage: &Stage) {
    // RFC 9700 §4.11.2: neither a stranger's browser nor one with a session is sent there.
    let listener = Listener::open().await;
    let client = TestClient::new(&stage.server, "editor", &listener.url("127.0.0.1", "/elsewhere"));
    let person = Person(&stage.browser);
    person
        .opens(&client.authorization(|request| request).url)
        .await
        .is(400, "The way back is not registered");
    person.opens(&stage.server.url("/login")).await;
    person.logs_in("alice", PASSWORD).await;
    let seen = person.opens(&client.authorization(|request| request).url).await;
    seen.is(400, "The way back is not registered");
    seen.says("/elsewhere");
    assert!(listener.visits().is_empty());
    person.complained_only_of(&["status of 400"]).await;
}
