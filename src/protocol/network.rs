//! Networks of addresses, and who is at the other end of a connection.

use std::net::IpAddr;

/// An address or a range of addresses in CIDR form (RFC 4632 §3.1, RFC 4291 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: u128,
    prefix: u32,
}

/// The text is neither an address nor a range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an IP address or a range of them, such as `10.0.0.5`, `10.0.0.0/8` or `fd00::/8`")]
pub struct MalformedNetwork;

impl Network {
    /// Reads `10.0.0.5`, `10.0.0.0/8`, `fd00::/8`.
    ///
    /// # Errors
    /// When it is neither, or bits are set behind the prefix.
    pub fn parse(text: &str) -> Result<Self, MalformedNetwork> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| MalformedNetwork)?;
        let length = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => length,
            Some(digits) if digits.len() <= 3 && digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().ok().filter(|prefix| *prefix <= length).ok_or(MalformedNetwork)?
            }
            Some(_) => return Err(MalformedNetwork),
        };
        let network = Self { address: mapped(address), prefix: prefix + (128 - length) };
        if network.address & network.mask() == network.address { Ok(network) } else { Err(MalformedNetwork) }
    }

    /// Whether `address` lies in it. An IPv4 address and the same mapped into IPv6 are one.
    pub fn contains(&self, address: IpAddr) -> bool {
        mapped(address) & self.mask() == self.address
    }

    fn mask(&self) -> u128 {
        u128::MAX.checked_shl(128 - self.prefix).unwrap_or(0)
    }
}

fn mapped(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// Who sent a request: `peer`, the other end of the connection, unless that is a trusted proxy. Then it is whom the
/// proxies name in `X-Forwarded-For`, whose values `forwarded` gives in the order in which they were sent: each proxy
/// adds the address it was reached from at the end, so the last one that is not itself trusted. What stands before it
/// anybody may have written (RFC 9700 §4.13).
pub fn sender(peer: IpAddr, forwarded: &[&str], trusted: &[Network]) -> IpAddr {
    let is_trusted = |address| trusted.iter().any(|network| network.contains(address));
    let mut sender = peer;
    for text in forwarded.iter().rev().flat_map(|value| value.rsplit(',')) {
        if !is_trusted(sender) {
            break;
        }
        match forwarded_address(text.trim()) {
            Some(address) => sender = address,
            None => break,
        }
    }
    sender.to_canonical()
}

/// Some proxies add the port.
fn forwarded_address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<std::net::SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn networks(texts: &[&str]) -> Vec<Network> {
        texts.iter().map(|text| Network::parse(text).unwrap()).collect()
    }

    #[test]
    fn a_network_holds_the_addresses_with_its_prefix() {
        for (network, inside, outside) in [
            ("10.0.0.5", "10.0.0.5", "10.0.0.4"),
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("192.0.2.128/25", "192.0.2.128", "192.0.2.127"),
            ("10.0.0.0/8", "::ffff:10.1.1.1", "::10.1.1.1"),
            ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
            ("::/0", "2001:db8::1", ""),
            ("fd00::/8", "fdff::1", "fe00::1"),
            ("2001:db8::/64", "2001:db8::ffff", "2001:db8:0:1::"),
            ("::1", "::1", "::2"),
        ] {
            let network = Network::parse(network).unwrap();
            assert!(network.contains(ip(inside)), "{network:?} {inside}");
            assert!(outside.is_empty() || !network.contains(ip(outside)), "{network:?} {outside}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "10.0.0",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "10.0.0.1/8",
            "::/129",
            "fd00::1/8",
            "host",
            "10.0.0.0/8/8",
            "10.0.0.0/-1",
        ] {
            assert_eq!(Network::parse(text), Err(MalformedNetwork), "{text}");
        }
    }

    #[test]
    fn the_last_address_that_no_trusted_proxy_has_is_the_sender() {
        // RFC 9700 §4.13
        let trusted = networks(&["10.0.0.0/8", "127.0.0.1", "::1"]);
        for (peer, forwarded, expected) in [
            // Nobody vouches for it: the peer wrote it itself.
            ("203.0.113.1", &["198.51.100.7"][..], "203.0.113.1"),
            ("127.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("::ffff:127.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            // The sender wrote the first itself.
            ("127.0.0.1", &["192.0.2.66, 198.51.100.7"], "198.51.100.7"),
            ("127.0.0.1", &["192.0.2.66", "198.51.100.7"], "198.51.100.7"),
            ("127.0.0.1", &["192.0.2.66, 198.51.100.7, 10.1.2.3"], "198.51.100.7"),
            ("127.0.0.1", &["198.51.100.7", "10.1.2.3 , 10.9.9.9"], "198.51.100.7"),
            ("::1", &["2001:db8::7"], "2001:db8::7"),
            ("127.0.0.1", &["198.51.100.7:4711"], "198.51.100.7"),
            ("127.0.0.1", &["[2001:db8::7]:4711"], "2001:db8::7"),
            ("127.0.0.1", &["::ffff:198.51.100.7"], "198.51.100.7"),
            // What cannot be read names nobody, and what stands before it is not looked at.
            ("127.0.0.1", &["198.51.100.7, unknown"], "127.0.0.1"),
            ("127.0.0.1", &["198.51.100.7, "], "127.0.0.1"),
            ("127.0.0.1", &[], "127.0.0.1"),
            // All of them are proxies: the first, then.
            ("127.0.0.1", &["10.0.0.1, 10.0.0.2"], "10.0.0.1"),
        ] {
            assert_eq!(sender(ip(peer), forwarded, &trusted), ip(expected), "{peer} {forwarded:?}");
        }
        assert_eq!(sender(ip("127.0.0.1"), &["198.51.100.7"], &[]), ip("127.0.0.1"));
    }
}
