//! Cookies as a browser keeps them (RFC 6265 §5), as far as one origin needs it.

use std::collections::BTreeMap;

use crate::clock::Clock;
use crate::protocol::Timestamp;

/// The cookies of one origin.
#[derive(Clone, Debug)]
pub(super) struct CookieJar {
    clock: Clock,
    secure: bool,
    cookies: BTreeMap<(String, String), Cookie>,
}

#[derive(Clone, Debug)]
struct Cookie {
    value: String,
    expires_at: Option<Timestamp>,
}

impl CookieJar {
    /// A jar for an origin that is or is not https; cookies expire by `clock`.
    pub(super) fn new(secure: bool, clock: Clock) -> Self {
        Self { clock, secure, cookies: BTreeMap::new() }
    }

    /// Takes a `Set-Cookie` header that came with the answer to `path`.
    pub(super) fn set(&mut self, header: &str, path: &str) {
        let mut parts = header.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { return };
        let attributes: BTreeMap<String, &str> = parts
            .map(|part| part.split_once('=').unwrap_or((part, "")))
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();
        // RFC 6265bis §5.7: what is Secure, or is named so, is kept from an origin that is.
        let named_secure = name.starts_with("__Host-") || name.starts_with("__Secure-");
        if !self.secure && (attributes.contains_key("secure") || named_secure) {
            return;
        }
        // The same: a name that promises a host of its own is for Path=/ and no Domain.
        let is_for_host = attributes.get("path") == Some(&"/") && !attributes.contains_key("domain");
        if name.starts_with("__Host-") && !is_for_host {
            return;
        }
        let directory = path.rsplit_once('/').map_or("/", |(directory, _)| directory);
        let given = attributes.get("path").copied().filter(|path| path.starts_with('/'));
        let path = given.unwrap_or(if directory.is_empty() { "/" } else { directory }).to_owned();
        let max_age = attributes.get("max-age").and_then(|age| age.parse::<i64>().ok());
        let now = self.clock.now().seconds();
        let expires_at = max_age.map(|age| Timestamp::from_seconds(now.saturating_add(age)));
        self.cookies.insert((name.to_owned(), path), Cookie { value: value.to_owned(), expires_at });
    }

    /// The `Cookie` header for a request to `path`; nothing when there are no cookies for it.
    pub(super) fn header(&self, path: &str) -> Option<String> {
        let mut meant: Vec<_> = self.alive().filter(|((_, of), _)| is_within(path, of)).collect();
        // RFC 6265 §5.4: longer paths first.
        meant.sort_by_key(|((_, of), _)| std::cmp::Reverse(of.len()));
        let pairs: Vec<String> =
            meant.into_iter().map(|((name, _), cookie)| format!("{name}={}", cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// The value of the cookie whose name begins with `prefix`.
    pub(super) fn value(&self, prefix: &str) -> Option<&str> {
        self.alive().find(|((name, _), _)| name.starts_with(prefix)).map(|(_, cookie)| cookie.value.as_str())
    }

    /// Forgets the cookies whose names begin with `prefix`.
    pub(super) fn forget(&mut self, prefix: &str) {
        self.cookies.retain(|(name, _), _| !name.starts_with(prefix));
    }

    fn alive(&self) -> impl Iterator<Item = (&(String, String), &Cookie)> {
        let now = self.clock.now();
        self.cookies.iter().filter(move |(_, cookie)| cookie.expires_at.is_none_or(|end| end > now))
    }
}

/// RFC 6265 §5.1.4.
fn is_within(path: &str, of: &str) -> bool {
    path == of || (path.starts_with(of) && (of.ends_with('/') || path[of.len()..].starts_with('/')))
}
