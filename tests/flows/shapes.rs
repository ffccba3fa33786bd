//! Every shape that an issuer and a public URL can have, each through a whole code flow, directly and through a proxy that
//! passes on one path of its origin alone.

use gatelet::protocol::PublicUrl;
use gatelet::resource::ResourceServer;
use gatelet::testkit::{Browser, Page, TestServer};
use reqwest::Url;

use crate::cases;
use crate::proxy::{Hears, Proxy, Sees};
use crate::world::{APP_CALLBACK, Database, NOTES, app, tokens, world};

cases![
    an_issuer_of_any_shape_works_and_is_the_same_everywhere,
    a_server_under_a_path_works_behind_a_proxy_that_passes_on_that_path_alone,
    a_server_under_a_path_works_behind_a_proxy_that_takes_the_path_off,
    pages_and_links_of_a_server_under_a_path_stay_under_it,
    what_is_not_there_is_told_in_the_same_form_under_a_path,
    no_header_of_a_request_changes_an_address,
    cookies_go_to_the_public_path_and_no_further,
];

/// Paths of public URLs, and of issuers under them.
const SHAPES: [(&str, &str); 10] = [
    ("", "/oauth"),
    ("", ""),
    ("", "/"),
    ("", "/t/acme/"),
    ("", "/a/b/c/d"),
    ("/auth", "/oauth"),
    ("/auth", ""),
    ("/auth", "/"),
    ("/auth", "/t/acme/"),
    ("/a/b", "/c/d"),
];

async fn an_issuer_of_any_shape_works_and_is_the_same_everywhere(_: Database) {
    for (_, path) in SHAPES.into_iter().filter(|(base, _)| base.is_empty()) {
        let server = world(Database::Sqlite).issuer_path(path).start().await;
        assert_eq!(server.issuer(), format!("http://{}{path}", server.address()));
        every_well_known_address_answers(&server, &[]).await;
        a_whole_flow_works(&server).await;
    }
}

async fn a_server_under_a_path_works_behind_a_proxy_that_passes_on_that_path_alone(_: Database) {
    for (base, path) in SHAPES.into_iter().filter(|(base, _)| !base.is_empty()) {
        for hears in [Hears::PublicHost, Hears::Address, Hears::Name("gatelet:8710")] {
            let (server, _proxy) = behind_proxy(base, path, Sees::Whole, hears).await;
            every_well_known_address_answers(&server, &["/.well-known/oauth-authorization-server"]).await;
            a_whole_flow_works(&server).await;
        }
    }
}

async fn a_server_under_a_path_works_behind_a_proxy_that_takes_the_path_off(_: Database) {
    for (base, path) in SHAPES.into_iter().filter(|(base, _)| !base.is_empty()) {
        let (server, _proxy) = behind_proxy(base, path, Sees::Rest, Hears::PublicHost).await;
        every_well_known_address_answers(&server, &["/.well-known/oauth-authorization-server"]).await;
        a_whole_flow_works(&server).await;
    }
}

/// A server whose public URL is `base` at a proxy.
async fn behind_proxy(base: &str, path: &str, sees: Sees, hears: Hears) -> (TestServer, Proxy) {
    let proxy = Proxy::bind().await;
    let public_url = format!("{}{base}", proxy.origin());
    let server =
        world(Database::Sqlite).public_url(&public_url).issuer_path(path).host("gatelet").start().await;
    let issuer = Url::parse(server.issuer()).unwrap();
    let rule = format!("/.well-known/oauth-authorization-server{}", issuer.path().trim_end_matches('/'));
    let proxy = proxy.serve(server.address(), base, rule, sees, hears);
    (server, proxy)
}

/// RFC 8414 §3.1, OpenID Connect Discovery §4, MCP 2026-07-28 authorization server discovery: the forms that clients
/// try. `at_root` are those at the root that a proxy passes on, the issuer's path added; none means all.
async fn every_well_known_address_answers(server: &TestServer, at_root: &[&str]) {
    let (issuer, base) = (server.issuer().to_owned(), base(server));
    let path = Url::parse(&issuer).unwrap().path().trim_end_matches('/').to_owned();
    let mut addresses = Vec::new();
    for name in ["oauth-authorization-server", "openid-configuration"] {
        addresses.push(format!("{path}/.well-known/{name}"));
        addresses.push(format!("{base}/.well-known/{name}"));
        let root = format!("/.well-known/{name}");
        if at_root.is_empty() {
            addresses.push(root.clone());
            addresses.push(format!("{root}{path}/").trim_end_matches('/').to_owned());
        }
        if at_root.is_empty() || at_root.contains(&root.as_str()) {
            addresses.push(format!("{root}{path}"));
        }
    }
    for address in addresses {
        let answer = server.get(&format!("{}{address}", server.origin())).await;
        assert_eq!(answer.status, 200, "{issuer}: {address}: {}", answer.body);
        assert_eq!(answer.json["issuer"], issuer, "{address}");
        let endpoints: Vec<&str> =
            answer.json.as_object().unwrap().values().filter_map(|value| value.as_str()).collect();
        assert!(endpoints.len() >= 5, "{}", answer.body);
        for endpoint in endpoints.into_iter().filter(|endpoint| *endpoint != issuer) {
            assert_no_double_slash(endpoint);
            // Authorization endpoints with a query trip clients that add theirs with a `?`.
            assert!(endpoint.starts_with(&format!("{}{path}/", server.origin())) && !endpoint.contains('?'));
        }
    }
    for address in [
        format!("{path}/jwks"),
        format!("{path}/.well-known/jwks.json"),
        format!("{base}/.well-known/jwks.json"),
    ] {
        let answer = server.get(&format!("{}{address}", server.origin())).await;
        assert_eq!((answer.status, answer.json["keys"].is_array()), (200, true), "{issuer}: {address}");
    }
}

/// RFC 9207 §2.4, RFC 8414 §3.3, RFC 9728 §3.3, RFC 9068 §4: one string. The callback's is compared by the client of the
/// testkit, and the metadata's by `every_well_known_address_answers`.
async fn a_whole_flow_works(server: &TestServer) {
    let client = app(server);
    let answer = tokens(server, &client).await;
    assert_eq!(server.verify(answer.access_token()).await["iss"], server.issuer());
    let refreshed = client.refresh(answer.refresh_token()).await.granted();
    assert_eq!(server.verify(refreshed.access_token()).await["iss"], server.issuer());
    let resource = ResourceServer::builder(NOTES, server.issuer()).build().unwrap();
    assert_eq!(resource.metadata_json()["authorization_servers"][0], server.issuer());
    // A refusal has it too.
    let mut browser = Browser::new(server);
    let request = client.authorization(|request| request.scope("mcp:read"));
    let page = browser.get(&request.url).await.page();
    let page = browser.log_in(&page, "alice").await.page();
    let refused = browser.consent(&page).deny().await.left();
    assert!(refused.starts_with(APP_CALLBACK));
    assert_eq!(request.callback(&refused).error(), "access_denied");
}

async fn pages_and_links_of_a_server_under_a_path_stay_under_it(_: Database) {
    for (path, sees) in [("/oauth", Sees::Whole), ("", Sees::Whole), ("/t/acme/", Sees::Rest)] {
        let (server, _proxy) = behind_proxy("/auth", path, sees, Hears::PublicHost).await;
        let mut browser = Browser::new(&server);
        let home = browser.get("/auth").await.page();
        assert_eq!(browser.get("/auth/").await.page().html, home.html);
        links_lead_somewhere(&server, &home, &["/auth/login"]).await;
        let request = app(&server).authorization(|request| request.scope("mcp:read"));
        let login = browser.get(&request.url).await.page();
        assert!(login.url.starts_with(&server.url("/auth/login?continue=")), "{}", login.url);
        assert!(login.header("set-cookie").contains("; Path=/auth; "), "{}", login.header("set-cookie"));
        links_lead_somewhere(&server, &login, &["/auth/login"]).await;
        let consent = browser.log_in(&login, "alice").await.page();
        assert!(consent.url.starts_with(&server.url("/auth/consent?interaction=")), "{}", consent.url);
        links_lead_somewhere(&server, &consent, &["/auth/consent", "/auth/login?continue="]).await;
        let logout = browser.get("/auth/logout").await.page();
        links_lead_somewhere(&server, &logout, &["/auth/logout", "/auth/"]).await;
        assert_eq!(browser.get("/auth/login").await.page().url, server.url("/auth/"), "logged in already");
        let out = browser.submit(logout.form_with("csrf")).await.page();
        links_lead_somewhere(&server, &out, &["/auth/login"]).await;
        let error = browser.get("/auth/consent?interaction=nonsense").await.page();
        links_lead_somewhere(&server, &error, &[]).await;
        if !path.is_empty() {
            let issuer = browser.get(server.issuer()).await.page();
            assert!(issuer.text().contains(server.issuer()), "{}", issuer.text());
            links_lead_somewhere(&server, &issuer, &["/.well-known/oauth-authorization-server/auth/"]).await;
        }
    }
}

async fn what_is_not_there_is_told_in_the_same_form_under_a_path(_: Database) {
    let (server, _proxy) = behind_proxy("/auth", "/oauth", Sees::Whole, Hears::PublicHost).await;
    for address in ["/auth/.well-known/nothing", "/auth/oauth/.well-known/nothing"] {
        let answer = server.get(&server.url(address)).await;
        assert_eq!(answer.refusal(), (404, "invalid_request"), "{address}");
    }
    let page = server.get(&server.url("/auth/nothing")).await;
    assert_eq!((page.status, page.header("content-type")), (404, "text/html; charset=utf-8"));
    // Probes come directly.
    let direct = format!("http://{}/healthz", server.address());
    assert_eq!(server.get(&direct).await.body, "ok\n");
}

async fn no_header_of_a_request_changes_an_address(_: Database) {
    // RFC 9700 §4.13; and no answer can be poisoned for others.
    let server = world(Database::Sqlite).start().await;
    let request = app(&server).authorization(|request| request.scope("mcp:read"));
    let metadata = server.url("/.well-known/oauth-authorization-server/oauth");
    let plain = server.get(&metadata).await.body;
    let host = server.address().to_string();
    for (name, value) in [
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-port", "1"),
        ("x-forwarded-prefix", "/evil"),
        ("x-original-url", "/evil"),
        ("forwarded", "host=evil.example;proto=https"),
        ("host", &host.replace("127.0.0.1", "localhost")),
    ] {
        let with = |url: &str| server.http().get(url).header(name, value).send();
        assert_eq!(with(&metadata).await.unwrap().text().await.unwrap(), plain, "{name}");
        let answer = with(&request.url).await.unwrap();
        let location = answer.headers()["location"].to_str().unwrap();
        assert!(location.starts_with("/login?continue="), "{name}: {location}");
    }
}

/// Follows every link of a page, and finds the `expected` ones among them.
async fn links_lead_somewhere(server: &TestServer, page: &Page, expected: &[&str]) {
    let mut links = Vec::new();
    for attribute in ["href=\"", "src=\"", "action=\""] {
        links.extend(page.html.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()));
    }
    for wanted in expected {
        let found = links.iter().any(|link| link.trim_start_matches(server.origin()).starts_with(wanted));
        assert!(found, "{wanted} in {links:?}");
    }
    assert!(links.len() >= 3, "a stylesheet and a logo, twice: {links:?}");
    for link in links {
        let url = Url::parse(&page.url).unwrap().join(link).unwrap();
        assert_no_double_slash(url.as_str());
        assert_eq!(url.origin().ascii_serialization(), server.origin());
        let answer = server.get(url.as_str()).await;
        // A form's address asked for without the form, or without a session, says so and not 404.
        assert!(matches!(answer.status, 200 | 303 | 400 | 401 | 403 | 405), "{url}: {}", answer.status);
        assert_ne!(answer.body, crate::proxy::NOT_OURS, "{url}");
    }
}

/// RFC 6265 §5.1.4: to the browser, whatever else is on the origin has another path.
async fn cookies_go_to_the_public_path_and_no_further(_: Database) {
    for (base, sent_to) in [("", "/"), ("/auth", "/auth"), ("/a/b", "/a/b")] {
        let public_url = format!("http://localhost:8710{base}");
        let server = world(Database::Sqlite).public_url(&public_url).issuer_path("/oauth").start().await;
        let login = server.http().get(format!("http://{}{base}/login", server.address()));
        let answer = login.header("host", "localhost:8710").send().await.unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        assert!(cookie.starts_with(&format!("gatelet-browser-8710{}=", base.replace('/', "+"))), "{cookie}");
        assert!(cookie.contains(&format!("; Path={sent_to};")), "{cookie}");
    }
}

fn assert_no_double_slash(url: &str) {
    let (_, rest) = url.split_once("://").expect("an absolute URL");
    assert!(!rest.split('?').next().unwrap_or_default().contains("//"), "{url}");
}

fn base(server: &TestServer) -> String {
    let app = server.app();
    let public_url: &PublicUrl = app.engine().policy.issuer.public_url();
    public_url.path().to_owned()
}
