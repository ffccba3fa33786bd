//! Whether the address that everybody is told leads to where the server listens, as far as that can be seen from here.

use std::net::{IpAddr, SocketAddr};

use url::Host;

use crate::protocol::Issuer;

/// Why requests to `issuer` do not arrive at any of the addresses `listen`. It may be as it should: a proxy, a tunnel
/// or the port mapping of a container may stand between, which cannot be seen from here.
pub fn unheard(issuer: &Issuer, listen: &[SocketAddr]) -> Option<String> {
    // Whoever wrote a public address, or https, has something in front.
    if !issuer.is_loopback() || issuer.is_https() || listen.iter().any(|address| answers(issuer, *address)) {
        return None;
    }
    Some(format!(
        "nothing listens at {}, only at {}; make port and address the same, unless something forwards the one to the \
         other",
        issuer.origin(),
        listed(listen.iter())
    ))
}

/// Why other machines, which the addresses `listen` let in, can do nothing with `issuer`.
pub fn misleading(issuer: &Issuer, listen: &[SocketAddr]) -> Option<String> {
    let beyond: Vec<_> = listen.iter().filter(|address| !address.ip().is_loopback()).collect();
    (issuer.is_loopback() && !beyond.is_empty()).then(|| {
        format!(
            "listens for other machines at {}, but to each of them {} is itself; give the https address by which all \
             of them reach this server",
            listed(beyond.into_iter()),
            issuer.origin()
        )
    })
}

fn listed<'a>(addresses: impl Iterator<Item = &'a SocketAddr>) -> String {
    addresses.map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Whether a request to a loopback issuer arrives at `address`. Port 0 is any that is free.
fn answers(issuer: &Issuer, address: SocketAddr) -> bool {
    let Ok(url) = url::Url::parse(issuer.origin()) else { return false };
    let port_fits = address.port() == 0 || url.port_or_known_default() == Some(address.port());
    let ip = address.ip();
    let host_fits = match url.host() {
        Some(Host::Ipv4(host)) => ip == IpAddr::V4(host) || ip.is_unspecified(),
        Some(Host::Ipv6(host)) => ip == IpAddr::V6(host) || (ip.is_ipv6() && ip.is_unspecified()),
        // `localhost`
        _ => ip.is_loopback() || ip.is_unspecified(),
    };
    port_fits && host_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(text: &str) -> Issuer {
        Issuer::parse(text).unwrap()
    }

    fn listen(list: &[&str]) -> Vec<SocketAddr> {
        list.iter().map(|address| address.parse().unwrap()).collect()
    }

    #[test]
    fn a_public_issuer_fits_whatever_the_proxy_is_told() {
        for at in ["127.0.0.1:8710", "0.0.0.0:1", "[::1]:9000"] {
            let public = issuer("https://id.example/oauth");
            assert_eq!((unheard(&public, &listen(&[at])), misleading(&public, &listen(&[at]))), (None, None));
        }
        let terminated = issuer("https://localhost/oauth");
        assert_eq!(unheard(&terminated, &listen(&["127.0.0.1:8710"])), None, "a proxy speaks https");
    }

    #[test]
    fn a_loopback_issuer_is_listened_at() {
        for (text, at) in [
            ("http://localhost:8710/oauth", "127.0.0.1:8710"),
            ("http://localhost:8710/oauth", "[::1]:8710"),
            ("http://localhost:8710/oauth", "127.0.0.1:0"),
            ("http://localhost:8710/oauth", "0.0.0.0:8710"),
            ("http://localhost", "127.0.0.1:80"),
            ("http://127.0.0.1:8710", "127.0.0.1:8710"),
            ("http://[::1]:8710", "[::1]:8710"),
        ] {
            assert_eq!(unheard(&issuer(text), &listen(&[at])), None, "{text} {at}");
        }
        for (text, at) in [
            ("http://localhost:8710/oauth", "127.0.0.1:9000"),
            ("http://localhost", "127.0.0.1:8710"),
            ("http://127.0.0.1:8710", "[::1]:8710"),
            ("http://127.0.0.2:8710", "127.0.0.1:8710"),
            ("http://[::1]:8710", "127.0.0.1:8710"),
            ("http://localhost:8710", "192.168.1.5:8710"),
        ] {
            let said = unheard(&issuer(text), &listen(&[at])).unwrap();
            let origin = text.trim_end_matches("/oauth");
            assert!(said.starts_with(&format!("nothing listens at {origin}, only at {at}; ")), "{said}");
        }
        let one_of_two = listen(&["127.0.0.1:9000", "[::1]:8710"]);
        assert_eq!(unheard(&issuer("http://localhost:8710"), &one_of_two), None);
    }

    #[test]
    fn a_loopback_issuer_is_of_no_use_to_other_machines() {
        for text in ["http://localhost:8710/oauth", "https://localhost:8710/oauth"] {
            for at in ["0.0.0.0:8710", "[::]:8710", "192.168.1.5:8710"] {
                let said = misleading(&issuer(text), &listen(&["127.0.0.1:8710", at])).unwrap();
                let origin = text.trim_end_matches("/oauth");
                let expected =
                    format!("listens for other machines at {at}, but to each of them {origin} is itself; ");
                assert!(said.starts_with(&expected), "{said}");
            }
            assert_eq!(misleading(&issuer(text), &listen(&["127.0.0.1:8710", "[::1]:8710"])), None);
        }
    }
}
