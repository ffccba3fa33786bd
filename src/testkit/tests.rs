use super::cookie_jar::CookieJar;
use super::page::Page;
use super::*;
use crate::clock::Clock;
use crate::protocol::Timestamp;

fn page(html: &str) -> Page {
    Page::new("http://127.0.0.1/".to_owned(), 200, reqwest::header::HeaderMap::new(), html.to_owned())
}

#[test]
fn a_form_sends_what_a_browser_sends() {
    let form = page(
        "<form action='/a'><input name=other></form><form method=post action='/c'>\
         <input type=hidden name=csrf value='a&amp;b'><input name=who value=''><input name=off disabled>\
         <input type=checkbox name=scope value=x checked><input type=checkbox name=scope value=y>\
         <input type=radio name=t value=1 checked><input type=radio name=t value=2>\
         <button name=decision value=allow>Go</button><button name=decision value=deny>No</button></form>",
    )
    .form_with("decision");
    assert_eq!(form.encoded(None), "csrf=a%26b&who=&scope=x&t=1");
    assert_eq!(form.options("scope"), [("x", true), ("y", false)]);
    let changed = form.fill("who", "å ").untick("x").tick("y").choose("t", "2");
    assert_eq!(
        changed.encoded(Some(("decision", "deny"))),
        "csrf=a%26b&who=%C3%A5+&scope=y&t=2&decision=deny"
    );
}

#[test]
fn a_page_is_read_as_people_read_it() {
    let page = page(
        "<title>A &lt;b</title><body><h1>Hello <b>you</b></h1><p>Not <a href='/x?a&amp;b'>you\n there</a>?</p>",
    );
    assert_eq!((page.title(), page.heading()), ("A <b", "Hello you"));
    assert_eq!(page.text(), "Hello youNot you there?");
    assert_eq!(page.link("you\n there"), "/x?a&b");
}

#[test]
fn cookies_are_kept_by_name_and_path_until_they_expire() {
    // RFC 6265 §5.3, §5.4
    let clock = Clock::fixed(Timestamp::from_seconds(100));
    let mut jar = CookieJar::new(false, clock.clone());
    jar.set("a=1; Path=/; Max-Age=60; HttpOnly", "/login");
    jar.set("b=2; path=/x", "/login");
    jar.set("c=3; Secure", "/");
    jar.set("__Host-d=4; Path=/", "/");
    assert_eq!(jar.header("/login").as_deref(), Some("a=1"));
    assert_eq!(jar.header("/x/y").as_deref(), Some("b=2; a=1"));
    assert_eq!(jar.header("/xy").as_deref(), Some("a=1"));
    jar.set("a=5; Path=/; Max-Age=60", "/");
    assert_eq!(jar.value("a"), Some("5"));
    clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(jar.header("/"), None);
    jar.set("b=; Path=/x; Max-Age=0", "/");
    assert_eq!(jar.header("/x"), None);
    // RFC 6265bis §4.1.3.2
    let mut jar = CookieJar::new(true, clock);
    jar.set("__Host-a=1; Path=/x; Secure", "/x");
    jar.set("__Host-b=1; Path=/; Domain=example.com; Secure", "/x");
    assert_eq!(jar.header("/x"), None);
    jar.set("__Host-c=1; Path=/; Secure", "/x");
    assert_eq!(jar.header("/x").as_deref(), Some("__Host-c=1"));
}

#[tokio::test]
async fn a_server_starts_with_somebody_and_something_and_starts_again_where_it_was() {
    let server = TestServer::builder().public_client("app", ["http://127.0.0.1/cb"]).start().await;
    let client = TestClient::new(&server, "app", "http://127.0.0.1:9/cb");
    let mut browser = Browser::new(&server);
    let callback = client.authorize(&mut browser, "alice", |request| request.scope("mcp:read")).await;
    let tokens = client.redeem(&callback).await.granted();
    let issuer = server.issuer().to_owned();
    let server = server.restart().await;
    assert_eq!(server.issuer(), issuer);
    let refreshed = client.refresh(tokens.refresh_token()).await.granted();
    assert_eq!(server.verify(refreshed.access_token()).await["sub"], "alice");
}
