//! Which URLs are fetched at all, judged before anything is looked up.

use std::net::IpAddr;

use url::{Host, Url};

use super::FetchError;
use super::address::special_use;

/// The longest URL that is fetched from, in bytes.
const LONGEST: usize = 2048;
/// Ports below belong to services of the machine; none but the scheme's own serves documents.
const FIRST_FREE_PORT: u16 = 1024;

/// A URL that may be fetched from, if its name leads to good addresses.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) url: Url,
    /// Its host, in lower case.
    pub(super) host: String,
}

impl Target {
    /// Judges a URL as the URL parser understands it, and then refuses every spelling of a host but the plain one:
    /// an address in octal, a name in percent signs or with a dot at its end has no honest use, and two readers
    /// could see two hosts in it. `loopback` admits loopback, by http too.
    pub(super) fn parse(text: &str, loopback: bool) -> Result<Self, FetchError> {
        let refuse = |why| Err(FetchError::Url(why));
        if text.len() > LONGEST {
            return refuse("too long");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
            return refuse("has characters that no URL has");
        }
        let Ok(url) = Url::parse(text) else { return refuse("malformed") };
        let Some(host) = url.host() else { return refuse("has no host") };
        let on_loopback = loopback && is_loopback(&host);
        match url.scheme() {
            "https" => {}
            "http" if on_loopback => {}
            _ => return refuse("not https"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("has user information");
        }
        if url.fragment().is_some() {
            return refuse("has a fragment");
        }
        if !on_loopback {
            judge_host(&host)?;
        }
        let host = host.to_string();
        if !is_plain(text, &url, &host) {
            return refuse("its host is not written plainly");
        }
        if url.port().is_some_and(|port| port < FIRST_FREE_PORT) {
            return refuse("has the port of another service");
        }
        Ok(Self { url, host })
    }
}

/// Whether an address may be dialled for `host`: only loopback ones for `localhost` on loopback, only ordinary ones
/// otherwise.
pub(super) fn judge_resolved(host: &str, address: IpAddr, loopback: bool) -> Result<(), FetchError> {
    if loopback && host == "localhost" {
        return match address.is_loopback() {
            true => Ok(()),
            false => Err(FetchError::SpecialAddress { address, range: "not loopback, as localhost is" }),
        };
    }
    judge_address(address)
}

fn judge_address(address: IpAddr) -> Result<(), FetchError> {
    special_use(address).map_or(Ok(()), |range| Err(FetchError::SpecialAddress { address, range }))
}

/// Host names by which a server on loopback may be named. A name from outside that leads to loopback is not among
/// them.
fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// A client library does not ask its resolver for an address, so addresses are judged here; names wait for theirs.
fn judge_host(host: &Host<&str>) -> Result<(), FetchError> {
    match host {
        Host::Ipv4(address) => judge_address(IpAddr::V4(*address)),
        Host::Ipv6(address) => judge_address(IpAddr::V6(*address)),
        Host::Domain(name) if name.ends_with('.') => Err(FetchError::Url("its host ends with a dot")),
        // RFC 6761 §6.3: everything under it is this machine, whatever a resolver says.
        Host::Domain(name) if *name == "localhost" || name.ends_with(".localhost") => {
            Err(FetchError::Url("names this machine"))
        }
        Host::Domain(name) if !name.contains('.') => {
            Err(FetchError::Url("its host has no dot, as names of a private network have"))
        }
        Host::Domain(_) => Ok(()),
    }
}

/// Whether the text between `//` and the path is the parsed host, in whatever case, and perhaps a port.
fn is_plain(text: &str, url: &Url, host: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let with_port = url.port_or_known_default().map(|port| format!("{host}:{port}"));
    authority.eq_ignore_ascii_case(host)
        || with_port.is_some_and(|with_port| authority.eq_ignore_ascii_case(&with_port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str, loopback: bool) -> Option<String> {
        Target::parse(text, loopback).err().map(|error| error.to_string())
    }

    #[test]
    fn plain_https_urls_are_fetched_from() {
        for text in [
            "https://client.example/id.json",
            "https://Client.EXAMPLE/id.json?v=2",
            "https://client.example:443/",
            "https://client.example:8443/id.json",
            "https://xn--bcher-kva.example/",
            "https://93.184.215.14/id.json",
            "https://[2606:4700::6810:84e5]:8443/id.json",
        ] {
            assert_eq!(refusal(text, false), None, "{text}");
            assert_eq!(refusal(text, true), None, "{text}");
        }
        assert_eq!(Target::parse("https://Client.EXAMPLE/", false).unwrap().host, "client.example");
    }

    #[test]
    fn what_is_no_plain_https_url_is_refused_before_any_look_up() {
        for (text, expected) in [
            ("http://client.example/id.json", "not https"),
            ("ftp://client.example/id.json", "not https"),
            ("file:///etc/passwd", "no host"),
            ("data:application/json,{}", "no host"),
            ("client.example/id.json", "malformed"),
            ("https:client.example/id.json", "not written plainly"),
            ("https:///client.example/id.json", "not written plainly"),
            ("https://user@client.example/", "user information"),
            ("https://user:secret@client.example/", "user information"),
            ("https://client.example@evil.example/", "user information"),
            ("https://@client.example/", "not written plainly"),
            ("https://client.example/#x", "a fragment"),
            ("https://client.example\\@evil.example/", "characters that no URL has"),
            ("https://client.exa\tmple/", "characters that no URL has"),
            (" https://client.example/", "characters that no URL has"),
            ("https://b\u{fc}cher.example/", "characters that no URL has"),
            ("https://client.example./", "ends with a dot"),
            ("https://localhost./", "ends with a dot"),
            ("https://clien%74.example/", "not written plainly"),
            ("https://client.example:0443/", "not written plainly"),
            ("https://client.example:/", "not written plainly"),
            ("https://client.example:22/", "port of another service"),
            ("https://client.example:0/", "port of another service"),
            ("https://client.example:80/", "port of another service"),
            ("https://client.example:65536/", "malformed"),
            ("https://intranet/", "no dot"),
            ("https://app.localhost/", "names this machine"),
            ("https://1572395790/", "not written plainly"),
            ("https://0x5d.0xb8.0xd7.0xe/", "not written plainly"),
            ("https://1.2.3.4.5/", "malformed"),
            ("https://[fe80::1%25lo]/", "malformed"),
            ("https://[2606:4700:0::6810:84e5]/", "not written plainly"),
        ] {
            for loopback in [false, true] {
                let found = refusal(text, loopback).unwrap_or_else(|| panic!("{text} is taken"));
                assert!(found.contains(expected), "{text}: {found}");
            }
        }
        assert_eq!(
            refusal(&format!("https://client.example/{}", "x".repeat(2048)), false).unwrap(),
            "not a URL to fetch from: too long"
        );
    }

    #[test]
    fn spellings_of_special_addresses_are_seen_through() {
        for text in [
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://127.1/",
            "https://127.0.0.1./",
            "https://%31%32%37.0.0.1/",
            "https://0/",
            "https://[::ffff:7f00:1]/",
            "https://[0:0:0:0:0:0:0:1]/",
        ] {
            assert!(matches!(Target::parse(text, false), Err(FetchError::SpecialAddress { .. })), "{text}");
        }
    }

    #[test]
    fn loopback_is_for_servers_on_loopback_and_named_as_such() {
        // Client ID Metadata Documents §6: loopback only when the server itself runs there.
        for text in [
            "http://localhost:3000/id.json",
            "http://127.0.0.1:3000/id.json",
            "http://127.8.9.1:3000/id.json",
            "https://[::1]:3000/id.json",
            "http://localhost/id.json",
        ] {
            assert_eq!(refusal(text, true), None, "{text}");
            assert!(refusal(text, false).is_some(), "{text}");
        }
        for text in [
            "http://0.0.0.0:3000/",
            "http://10.0.0.1:3000/",
            "https://10.0.0.1:3000/",
            "http://[::ffff:127.0.0.1]:3000/",
            "https://[::ffff:127.0.0.1]:3000/",
            "http://2130706433:3000/",
            "http://app.localhost:3000/",
            "http://localhost.:3000/",
            "http://127.0.0.1:22/",
        ] {
            assert!(refusal(text, true).is_some(), "{text}");
        }
    }

    #[test]
    fn a_name_stands_for_its_own_kind_of_address() {
        let judge = |host: &str, address: &str, loopback| {
            judge_resolved(host, address.parse().unwrap(), loopback).is_ok()
        };
        assert!(judge("localhost", "127.0.0.1", true) && judge("localhost", "::1", true));
        assert!(!judge("localhost", "93.184.215.14", true));
        assert!(!judge("localhost", "127.0.0.1", false));
        assert!(!judge("client.example", "127.0.0.1", true), "a name from outside is not loopback");
        assert!(judge("client.example", "93.184.215.14", true));
        assert!(judge("client.example", "93.184.215.14", false));
        assert!(!judge("client.example", "10.0.0.1", false));
    }
}
