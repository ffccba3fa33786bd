//! The two cookies: one for a logged-in session, one that ties a login page to its browser.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};

use crate::protocol::{Issuer, Lifetimes};
use crate::random::Random;

/// What a cookie is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cookie {
    /// Proves who is logged in.
    Session,
    /// Ties login pages to the browser that asked for them, before anybody is known.
    Browser,
}

impl Cookie {
    /// `__Host-` on https, so that no neighbouring host can set it. Browsers refuse that prefix on http, and share
    /// cookies between the ports of one host, so there the port is in the name. The path of the public URL is in it
    /// too, where there is one: servers that share an origin would else take each other's cookies for their own, and
    /// the order in which a browser sends two of one name is nothing to rely on (RFC 6265 §4.2.2).
    fn name(self, issuer: &Issuer) -> String {
        let word = match self {
            Self::Session => "session",
            Self::Browser => "browser",
        };
        // No path has a plus, and a cookie's name may have it (RFC 6265 §4.1.1).
        let path = issuer.public_url().path().replace('/', "+");
        if issuer.is_https() {
            return format!("__Host-gatelet-{word}{path}");
        }
        let port = issuer.origin().rsplit_once(':').map_or("80", |(_, port)| port);
        let port = if port.bytes().all(|b| b.is_ascii_digit()) { port } else { "80" };
        format!("gatelet-{word}-{port}{path}")
    }

    /// Where a browser sends it: to the public URL and what is under it. `__Host-` wants it to be sent everywhere (RFC
    /// 6265bis §4.1.3.2), and keeps neighbouring hosts out, which no path does.
    fn path(issuer: &Issuer) -> &str {
        match issuer.public_url().path() {
            path if !path.is_empty() && !issuer.is_https() => path,
            _ => "/",
        }
    }

    /// The value that a request brought; the first, when there are several.
    pub(super) fn read(self, issuer: &Issuer, headers: &HeaderMap) -> Option<String> {
        let name = self.name(issuer);
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        lines
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, value)| *key == name && !value.is_empty())
            .map(|(_, value)| value.to_owned())
    }

    /// The header that sets it.
    pub(super) fn set(self, issuer: &Issuer, value: &str, max_age: Duration) -> Option<HeaderValue> {
        let secure = if issuer.is_https() { "; Secure" } else { "" };
        let (name, path, age) = (self.name(issuer), Self::path(issuer), max_age.as_secs());
        HeaderValue::from_str(&format!(
            "{name}={value}; Path={path}; Max-Age={age}; HttpOnly; SameSite=Lax{secure}"
        ))
        .ok()
    }

    /// The header that takes it away.
    pub(super) fn clear(self, issuer: &Issuer) -> Option<HeaderValue> {
        self.set(issuer, "", Duration::ZERO)
    }
}

/// The value of the browser cookie, the one that the browser has or a new one, with the header that sets it.
pub(super) fn browser(
    issuer: &Issuer,
    lifetimes: &Lifetimes,
    headers: &HeaderMap,
    random: &Random,
) -> (String, Option<HeaderValue>) {
    let well_formed = |value: &String| value.len() == 32 && value.bytes().all(|b| b.is_ascii_hexdigit());
    let known = Cookie::Browser.read(issuer, headers).filter(well_formed);
    let fresh = || random.bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let value = known.unwrap_or_else(fresh);
    // Set anew with each page, and for longer than the page is good for: a form that is sent late meets its cookie and
    // is told that it is late.
    let header = Cookie::Browser.set(issuer, &value, lifetimes.interaction * 6);
    (value, header)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::PublicUrl;

    fn issuer(text: &str) -> Issuer {
        Issuer::parse(text).unwrap()
    }

    #[test]
    fn cookies_are_bound_to_the_host_on_https_and_told_apart_by_port_on_http() {
        let https =
            Cookie::Session.set(&issuer("https://id.example/oauth"), "v", Duration::from_secs(9)).unwrap();
        assert_eq!(https, "__Host-gatelet-session=v; Path=/; Max-Age=9; HttpOnly; SameSite=Lax; Secure");
        let http =
            Cookie::Browser.set(&issuer("http://localhost:8710/oauth"), "v", Duration::from_secs(9)).unwrap();
        assert_eq!(http, "gatelet-browser-8710=v; Path=/; Max-Age=9; HttpOnly; SameSite=Lax");
        let portless = Cookie::Session.clear(&issuer("http://localhost")).unwrap();
        assert_eq!(portless, "gatelet-session-80=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    }

    #[test]
    fn servers_that_share_an_origin_have_cookies_of_their_own() {
        let within = |origin: &str, path: &str| {
            let url = PublicUrl::parse(&format!("{origin}{path}")).unwrap();
            Issuer::within(&url, &url.page_url("/oauth")).unwrap()
        };
        let set = |issuer: &Issuer| Cookie::Session.set(issuer, "v", Duration::from_secs(9)).unwrap();
        let one = within("http://localhost:8710", "/t/one");
        assert_eq!(set(&one), "gatelet-session-8710+t+one=v; Path=/t/one; Max-Age=9; HttpOnly; SameSite=Lax");
        // RFC 6265bis §4.1.3.2: __Host- is for Path=/ alone, and neighbouring hosts are to be kept out.
        let https = within("https://id.example", "/auth");
        let expected = "__Host-gatelet-session+auth=v; Path=/; Max-Age=9; HttpOnly; SameSite=Lax; Secure";
        assert_eq!(set(&https), expected);
        for (one, other) in
            [(one, within("http://localhost:8710", "/t")), (https, issuer("https://id.example"))]
        {
            let mut headers = HeaderMap::new();
            let pair = format!("{}=v", Cookie::Session.name(&other));
            headers.insert(header::COOKIE, HeaderValue::from_str(&pair).unwrap());
            assert_eq!(Cookie::Session.read(&one, &headers), None, "{pair}");
        }
    }

    #[test]
    fn a_cookie_is_read_by_its_whole_name() {
        let issuer = issuer("http://localhost:1");
        let mut headers = HeaderMap::new();
        headers.append(
            header::COOKIE,
            HeaderValue::from_static("xgatelet-session-1=no; gatelet-session-12=no; a"),
        );
        headers.append(
            header::COOKIE,
            HeaderValue::from_static("gatelet-session-1=; gatelet-session-1=yes; b=c"),
        );
        assert_eq!(Cookie::Session.read(&issuer, &headers).as_deref(), Some("yes"));
        assert_eq!(Cookie::Browser.read(&issuer, &headers), None);
    }

    #[test]
    fn a_browser_keeps_its_cookie_and_a_strange_value_is_replaced() {
        let (issuer, random, lifetimes) =
            (issuer("http://localhost:1"), Random::seeded(1), Lifetimes::default());
        let mut headers = HeaderMap::new();
        let (first, set) = browser(&issuer, &lifetimes, &headers, &random);
        assert!(set.is_some());
        headers.insert(header::COOKIE, HeaderValue::from_str(&format!("gatelet-browser-1={first}")).unwrap());
        assert_eq!(
            browser(&issuer, &lifetimes, &headers, &random),
            (first.clone(), set),
            "set anew, so that it lasts"
        );
        headers.insert(header::COOKIE, HeaderValue::from_static("gatelet-browser-1=short"));
        assert_ne!(browser(&issuer, &lifetimes, &headers, &random).0, first);
    }
}
