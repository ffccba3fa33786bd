use proptest::prelude::*;

use super::*;

fn uri(text: &str) -> RedirectUri {
    RedirectUri::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn what_released_clients_register_is_accepted() {
    // OAuth 2.1 §2.3.1, §8.4.3; RFC 8252 §7
    for text in [
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "https://www.cursor.com/agents/mcp/oauth/callback",
        "http://localhost:8787/callback",
        "https://insiders.vscode.dev/redirect",
        "http://127.0.0.1/",
        "http://127.0.0.1:33418/",
        "http://[::1]:9/cb",
        "https://claude.ai/api/mcp/auth_callback",
        "https://grok.com/connectors-oauth-exchange-code/",
        "com.example.app:/oauth2redirect",
        "https://Example.com/cb",
        "https://example.com:443/cb",
        "http://localhost",
        "vscode://vscode.github-authentication/did-authenticate",
        "vscode-insiders://x/y",
        "https://a.example/-._~:/?[]@!$&'()*+,;=%20",
        "https://[2001:db8::1]:8443/cb",
        "https://a.example?x=1",
        "HTTPS://a.example/cb",
    ] {
        assert_eq!((uri(text).as_str(), uri(text).to_string().as_str()), (text, text));
    }
}

#[test]
fn what_could_harm_a_browser_or_a_parser_is_refused() {
    // RFC 9700 §2.6; OAuth 2.1 §2.3; MCP Communication Security
    use RedirectUriError::*;
    for (text, error) in [
        ("javascript:alert(1)", Scheme),
        ("data:text/html,x", Scheme),
        ("file:///etc/passwd", Scheme),
        ("myapp://callback", Scheme),
        ("http://example.com/cb", PlainHttp),
        ("http://localhost.evil.example/cb", PlainHttp),
        ("http://127.0.0.1.evil.example/", PlainHttp),
        ("http://127.0.0.1:99999/", Malformed),
        ("http://localhost:/cb", PlainHttp),
        ("http://localhost:+80/cb", Malformed),
        ("http://LOCALHOST/cb", PlainHttp),
        ("https://example.com/cb#x", Fragment),
        ("https://user@example.com/cb", Malformed),
        ("https://user:pw@example.com/cb", Malformed),
        ("https://:pw@example.com/cb", Malformed),
        ("cursor://user@anysphere.cursor-mcp/cb", Malformed),
        ("http://localhost@evil.example/", Malformed),
        ("http://127.0.0.1:80@evil.example/", Malformed),
        ("HTTP://localhost/cb", PlainHttp),
        ("vbscript:x", Scheme),
        ("about:blank", Scheme),
        ("vscode-evil://x", Scheme),
        ("cursor://a/b#x", Fragment),
        ("https://example.com/<", Malformed),
        ("https://example.com/\"", Malformed),
        ("https://example.com/\n", Malformed),
        ("https:example.com/cb", Malformed),
        ("https:/example.com/cb", Malformed),
        ("https:", Malformed),
        ("https:a", Malformed),
        ("https:///", Malformed),
        ("https://?x", Malformed),
        ("https://:443/", Malformed),
        ("https://example.com/a\\b", Malformed),
        ("https://example.com/a b", Malformed),
        ("cursor://:pw@anysphere.cursor-mcp/cb", Malformed),
        ("https:///example.com/cb", Malformed),
        ("https://exa\\mple.com", Malformed),
        ("https://exam ple.com", Malformed),
        ("https://0x7f.1/cb", Malformed),
        ("https://ex%61mple.com/cb", Malformed),
        ("/cb", Malformed),
        ("", Malformed),
        ("https://", Malformed),
        ("https://ex\u{e4}mple.com", Malformed),
    ] {
        assert_eq!(RedirectUri::parse(text), Err(error), "{text}");
    }
    let longest = format!("https://a.example/{}", "x".repeat(2048 - 18));
    assert!(RedirectUri::parse(&longest).is_ok());
    assert_eq!(RedirectUri::parse(&format!("{longest}x")), Err(Malformed));
}

#[test]
fn a_stored_uri_is_checked_like_a_sent_one() {
    let read = |json: &str| serde_json::from_str::<RedirectUri>(json).ok();
    assert_eq!(read("\"https://A.example/cb\""), Some(uri("https://A.example/cb")));
    assert_eq!(read("\"http://a.example/cb\""), None);
    assert_eq!(serde_json::to_string(&uri("https://A.example/cb")).unwrap(), "\"https://A.example/cb\"");
}

#[test]
fn only_the_port_of_a_loopback_uri_is_free() {
    // RFC 9700 §4.1.3; RFC 8252 §8.3
    for (registered, requested, admitted) in [
        ("http://localhost/callback", "http://localhost:49152/callback", true),
        ("http://127.0.0.1/", "http://127.0.0.1:33419/", true),
        ("http://[::1]:1/cb", "http://[::1]:2/cb", true),
        ("http://127.0.0.1:1/cb?x=1", "http://127.0.0.1:2/cb?x=1", true),
        ("http://127.0.0.1/cb", "http://localhost/cb", false),
        ("http://127.0.0.1/cb", "http://[::1]/cb", false),
        ("http://127.0.0.1/cb", "http://127.0.0.1:1/cb/", false),
        ("http://127.0.0.1/cb", "http://127.0.0.1:1/cb?x=1", false),
        ("http://127.0.0.1/cb", "https://127.0.0.1/cb", false),
        ("https://127.0.0.1/cb", "https://127.0.0.1:1/cb", false),
        ("https://a.example/cb", "https://a.example/cb", true),
        ("https://a.example/cb", "https://A.example/cb", false),
        ("https://a.example/cb", "https://a.example:443/cb", false),
        ("https://a.example/cb", "https://a.example/cb/..", false),
        ("https://a.example/*", "https://a.example/x", false),
        ("cursor://a/b", "cursor://a/b", true),
        ("cursor://a/b", "cursor://a/b/c", false),
    ] {
        assert_eq!(uri(registered).admits(&uri(requested)), admitted, "{registered} {requested}");
    }
}

#[test]
fn the_receiver_is_shown_and_remembered_by_host() {
    for (text, shown, remembered) in [
        ("https://claude.ai/cb", "claude.ai", "claude.ai"),
        ("https://A.example:8443/cb", "a.example:8443", "a.example:8443"),
        ("http://127.0.0.1:7/cb", "127.0.0.1:7", "127.0.0.1"),
        ("http://localhost", "localhost", "localhost"),
        ("http://[::1]:7?x", "[::1]:7", "[::1]"),
        ("com.example.app:/cb", "com.example.app:", "com.example.app:"),
        ("cursor://x/y", "cursor:", "cursor:"),
    ] {
        assert_eq!(
            (uri(text).display_host().as_str(), uri(text).consent_host().as_str()),
            (shown, remembered)
        );
    }
    assert!(uri("http://127.0.0.1:7/cb").is_loopback() && !uri("https://a.example").is_loopback());
    assert!(uri("cursor://x/y").is_private_use() && !uri("https://a.example").is_private_use());
}

#[test]
fn an_https_uri_is_on_its_own_host_and_port() {
    let on = |text: &str, authority: &str| RedirectUri::parse(text).unwrap().is_https_on(authority);
    assert!(on("https://a.example/cb", "a.example") && on("https://A.example:443/cb", "a.example"));
    assert!(on("https://a.example:8443/cb", "a.example:8443"));
    assert!(!on("https://a.example:8443/cb", "a.example") && !on("https://b.a.example/", "a.example"));
    assert!(!on("http://localhost/cb", "localhost") && !on("a.example:/cb", "a.example"));
}

proptest! {
    #[test]
    fn a_longer_uri_is_never_admitted(tail in "[a-z0-9./?&=-]{1,12}") {
        for text in ["https://a.example/cb", "http://127.0.0.1/cb", "cursor://a/b"] {
            if let Ok(longer) = RedirectUri::parse(&format!("{text}{tail}")) {
                prop_assert!(!uri(text).admits(&longer));
                prop_assert!(!longer.admits(&uri(text)));
            }
        }
    }

    #[test]
    fn what_parses_is_kept_byte_for_byte(text in "(https://|http://localhost|cursor:|com\\.example:)[!-~]{0,30}") {
        if let Ok(parsed) = RedirectUri::parse(&text) {
            prop_assert_eq!(parsed.as_str(), text.as_str());
            prop_assert!(parsed.admits(&parsed));
        }
    }
}

#[test]
fn an_https_address_on_loopback_is_nobodys() {
    // RFC 8252 §8.6: whichever program listens there gets the answer.
    for (text, is_elsewhere) in [
        ("https://app.example/cb", true),
        ("https://app.example:8443/cb", true),
        ("https://[2001:db8::1]/cb", true),
        ("https://localhost.example/cb", true),
        ("https://localhost/cb", false),
        ("https://app.localhost:8443/cb", false),
        ("https://127.0.0.1/cb", false),
        ("https://127.9.9.9:8443/cb", false),
        ("https://[::1]/cb", false),
        ("http://127.0.0.1/cb", false),
        ("app.example:/cb", false),
    ] {
        assert_eq!(uri(text).is_https_elsewhere(), is_elsewhere, "{text}");
    }
}
