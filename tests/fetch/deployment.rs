//! The same through a whole server that fetches as one on the Internet does: what somebody who is logged in is made to
//! name, as a client, as a client's keys, as its logo.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use gatelet::clock::Clock;
use gatelet::fetch::{FetchOptions, Fetcher, Resolver};
use gatelet::testkit::{Browser, TestClient, TestServer};
use libtest_mimic::Trial;
use serde_json::json;

use crate::hostile::{ELSEWHERE, Ground, HERE};
use crate::interface::Addresses;
use crate::peer::{Manners, Peer, json};
use crate::{tls, with_addresses};

pub(crate) fn trials() -> Vec<Trial> {
    vec![with_addresses(
        "nothing_that_is_named_to_a_server_leads_here",
        nothing_that_is_named_to_a_server_leads_here,
    )]
}

const CALLBACK: &str = "https://client.example/cb";

async fn nothing_that_is_named_to_a_server_leads_here(addresses: Addresses) {
    // Client ID Metadata Documents §6; MCP Server-Side Request Forgery
    let ground = Ground::new().await;
    let at = [SocketAddr::new(addresses.link_local_v4.into(), 0), addresses.link_local_v6_at(0)];
    let (link_local, link_local_port) = Peer::start_each(&at, || Manners::answer(json(b"{}"))).await;
    let mut hosts: Vec<String> =
        HERE.iter().chain(ELSEWHERE).map(|host| format!("{host}:{}", ground.port)).collect();
    let mapped = addresses.link_local_v4.to_ipv6_mapped();
    for host in [
        addresses.link_local_v4.to_string(),
        addresses.link_local_v4.to_bits().to_string(),
        format!("[{mapped}]"),
        format!("[{}]", addresses.link_local_v6),
    ] {
        hosts.push(format!("{host}:{link_local_port}"));
    }
    assert!(hosts.len() > 70);

    // A good host, whose documents name the bad ones.
    let authority = tls::Authority::new();
    let file = authority.file("deployment");
    let (bad, port) = (Arc::new(hosts.clone()), Arc::new(OnceLock::new()));
    let manners = || {
        let (bad, port) = (bad.clone(), port.clone());
        let documents =
            move |number: usize| vec![json(document(number, *port.wait(), &bad[number]).as_bytes())];
        Manners::by_turns(documents).tls(authority.server("client.example"))
    };
    let at = SocketAddr::new(addresses.ordinary(), 0);
    let (publisher, bound) = Peer::start_each(&[at], manners).await;
    port.set(bound).unwrap();

    let clock = Clock::fixed(Clock::system().now());
    let names = HashMap::from([("client.example".to_owned(), vec![addresses.ordinary()])]);
    let options = FetchOptions {
        resolver: Resolver::fixed(names),
        ca_file: Some(file.path().to_owned()),
        ..FetchOptions::new(clock.clone())
    };
    assert!(!options.loopback);
    let server = TestServer::builder().clock(clock).fetcher(Fetcher::new(options).unwrap()).start().await;
    let mut browser = Browser::new(&server);
    let login = browser.get("/login").await.page();
    assert_eq!(browser.log_in(&login, "alice").await.page().status, 200);

    for host in &hosts {
        for scheme in ["https", "http"] {
            let id = format!("{scheme}://{host}/id.json");
            let request = TestClient::new(&server, &id, CALLBACK).authorization(|request| request);
            assert_eq!(browser.get(&request.url).await.page().status, 400, "{id}");
        }
    }
    let mut read = 0;
    for number in 0..hosts.len() {
        // A host is asked ten times a minute.
        server.clock().advance(Duration::from_secs(6));
        let id = url(number, bound);
        let request =
            TestClient::new(&server, &id, CALLBACK).authorization(|request| request.scope("mcp:read"));
        let page = browser.get(&request.url).await.page();
        assert!(!page.html.contains("logo"), "{}", page.html);
        // A document with an address that no URL has is refused as a whole; the others are read, without their keys.
        read += usize::from(page.has_form_with("decision"));
    }
    assert_eq!(publisher[0].connections(), hosts.len(), "each document was fetched");
    assert!(read >= 60, "only {read} documents led to the question whether their keys can be had");
    assert_eq!(ground.connections(), [0, 0, 0]);
    assert_eq!(link_local.iter().map(Peer::connections).collect::<Vec<_>>(), [0, 0]);
}

fn url(number: usize, port: u16) -> String {
    format!("https://client.example:{port}/{number}.json")
}

/// The document of a client whose keys and logo are at `host`.
fn document(number: usize, port: u16, host: &str) -> String {
    let bad = |path: &str| format!("https://{host}/{path}");
    json!({
        "client_id": url(number, port), "client_name": "App", "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": bad("jwks"),
        "logo_uri": bad("logo.png"), "client_uri": bad(""), "tos_uri": bad("tos"), "policy_uri": bad("policy"),
    })
    .to_string()
}
