//! Which addresses may be dialled for somebody who is not trusted.
//!
//! The IANA special-purpose address registries (RFC 6890), and what reaches an IPv4 address by way of an IPv6 one:
//! Client ID Metadata Documents §6 forbids to connect to any of them. Of IPv6 the one block that is given out for the
//! Internet is open and everything else is closed, so that a range that somebody sets aside tomorrow is closed today.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A block: its first address, the length of its prefix, and what it is for.
struct Block<A>(A, u32, &'static str);

const V4: &[Block<Ipv4Addr>] = &[
    Block(Ipv4Addr::new(0, 0, 0, 0), 8, "this network"),
    Block(Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    Block(Ipv4Addr::new(100, 64, 0, 0), 10, "shared by a carrier's customers"),
    Block(Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    Block(Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    Block(Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    Block(Ipv4Addr::new(192, 0, 0, 0), 24, "protocol assignments"),
    Block(Ipv4Addr::new(192, 0, 2, 0), 24, "documentation"),
    Block(Ipv4Addr::new(192, 31, 196, 0), 24, "AS112"),
    Block(Ipv4Addr::new(192, 52, 193, 0), 24, "AMT"),
    Block(Ipv4Addr::new(192, 88, 99, 0), 24, "6to4 relays"),
    Block(Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    Block(Ipv4Addr::new(192, 175, 48, 0), 24, "AS112"),
    Block(Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarks"),
    Block(Ipv4Addr::new(198, 51, 100, 0), 24, "documentation"),
    Block(Ipv4Addr::new(203, 0, 113, 0), 24, "documentation"),
    Block(Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    Block(Ipv4Addr::new(240, 0, 0, 0), 4, "reserved, or broadcast"),
];

/// All that is given out for the Internet (RFC 4291 §2.4).
const GLOBAL_UNICAST: Block<Ipv6Addr> = Block(v6([0x2000, 0, 0, 0]), 3, "global unicast");

/// What is special within [`GLOBAL_UNICAST`].
const V6: &[Block<Ipv6Addr>] = &[
    Block(v6([0x2001, 0, 0, 0]), 23, "protocol assignments, Teredo among them"),
    Block(v6([0x2001, 0xdb8, 0, 0]), 32, "documentation"),
    Block(v6([0x2002, 0, 0, 0]), 16, "6to4"),
    Block(v6([0x2620, 0x4f, 0x8000, 0]), 48, "AS112"),
    Block(v6([0x3fff, 0, 0, 0]), 20, "documentation"),
];

/// What is special outside of it and has a name worth telling. All the rest is refused too.
const V6_ELSEWHERE: &[Block<Ipv6Addr>] = &[
    Block(Ipv6Addr::UNSPECIFIED, 128, "unspecified"),
    Block(Ipv6Addr::LOCALHOST, 128, "loopback"),
    Block(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, "IPv4 in IPv6"),
    Block(v6([0x64, 0xff9b, 0, 0]), 96, "NAT64"),
    Block(v6([0x64, 0xff9b, 1, 0]), 48, "NAT64"),
    Block(v6([0xfc00, 0, 0, 0]), 7, "private"),
    Block(v6([0xfe80, 0, 0, 0]), 10, "link-local"),
    Block(v6([0xff00, 0, 0, 0]), 8, "multicast"),
];

const fn v6([a, b, c, d]: [u16; 4]) -> Ipv6Addr {
    Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)
}

/// What an address is set aside for; `None` when it is an ordinary address of the Internet.
pub(super) fn special_use(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => V4.iter().find(|block| within_v4(address, block)).map(|block| block.2),
        IpAddr::V6(address) if within_v6(address, &GLOBAL_UNICAST) => name_of(address, V6),
        IpAddr::V6(address) => name_of(address, V6_ELSEWHERE).or(Some("not for the Internet")),
    }
}

fn name_of(address: Ipv6Addr, blocks: &[Block<Ipv6Addr>]) -> Option<&'static str> {
    blocks.iter().find(|block| within_v6(address, block)).map(|block| block.2)
}

fn within_v4(address: Ipv4Addr, Block(first, prefix, _): &Block<Ipv4Addr>) -> bool {
    (address.to_bits() ^ first.to_bits()) >> (Ipv4Addr::BITS - prefix) == 0
}

fn within_v6(address: Ipv6Addr, Block(first, prefix, _): &Block<Ipv6Addr>) -> bool {
    (address.to_bits() ^ first.to_bits()) >> (Ipv6Addr::BITS - prefix) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_special(text: &str) -> bool {
        special_use(text.parse().unwrap()).is_some()
    }

    /// First and last address of a range; the neighbours below and above it, and whether those are special too.
    type Row = (&'static str, &'static str, Option<(&'static str, bool)>, Option<(&'static str, bool)>);

    fn walk(rows: &[Row]) {
        for (first, last, below, above) in rows {
            assert!(is_special(first), "{first}");
            assert!(is_special(last), "{last}");
            for (neighbour, special) in [below, above].into_iter().flatten() {
                assert_eq!(is_special(neighbour), *special, "{neighbour}");
            }
        }
    }

    #[test]
    fn every_special_range_of_ipv4_is_refused_to_its_edges_and_not_beyond() {
        // IANA IPv4 Special-Purpose Address Registry (RFC 6890), multicast (RFC 5771), 6to4 relays (RFC 7526)
        let open = |text| Some((text, false));
        let shut = |text| Some((text, true));
        walk(&[
            ("0.0.0.0", "0.255.255.255", None, open("1.0.0.0")),
            ("10.0.0.0", "10.255.255.255", open("9.255.255.255"), open("11.0.0.0")),
            ("100.64.0.0", "100.127.255.255", open("100.63.255.255"), open("100.128.0.0")),
            ("127.0.0.0", "127.255.255.255", open("126.255.255.255"), open("128.0.0.0")),
            ("169.254.0.0", "169.254.255.255", open("169.253.255.255"), open("169.255.0.0")),
            ("172.16.0.0", "172.31.255.255", open("172.15.255.255"), open("172.32.0.0")),
            ("192.0.0.0", "192.0.0.255", open("191.255.255.255"), open("192.0.1.0")),
            ("192.0.2.0", "192.0.2.255", open("192.0.1.255"), open("192.0.3.0")),
            ("192.31.196.0", "192.31.196.255", open("192.31.195.255"), open("192.31.197.0")),
            ("192.52.193.0", "192.52.193.255", open("192.52.192.255"), open("192.52.194.0")),
            ("192.88.99.0", "192.88.99.255", open("192.88.98.255"), open("192.88.100.0")),
            ("192.168.0.0", "192.168.255.255", open("192.167.255.255"), open("192.169.0.0")),
            ("192.175.48.0", "192.175.48.255", open("192.175.47.255"), open("192.175.49.0")),
            ("198.18.0.0", "198.19.255.255", open("198.17.255.255"), open("198.20.0.0")),
            ("198.51.100.0", "198.51.100.255", open("198.51.99.255"), open("198.51.101.0")),
            ("203.0.113.0", "203.0.113.255", open("203.0.112.255"), open("203.0.114.0")),
            ("224.0.0.0", "239.255.255.255", open("223.255.255.255"), shut("240.0.0.0")),
            ("240.0.0.0", "255.255.255.255", shut("239.255.255.255"), None),
        ]);
        // What clouds keep their machines' credentials at.
        walk(&[
            ("169.254.169.254", "169.254.170.2", None, None),
            ("100.100.100.200", "192.0.0.192", None, None),
        ]);
    }

    #[test]
    fn every_special_range_of_ipv6_is_refused_to_its_edges_and_not_beyond() {
        // IANA IPv6 Special-Purpose Address Registry (RFC 6890), IPv6 Address Space (RFC 4291)
        let open = |text| Some((text, false));
        let shut = |text| Some((text, true));
        walk(&[
            ("::", "::1", None, shut("::2")),
            ("::0.0.0.0", "::255.255.255.255", None, shut("::1:0:0")),
            ("::ffff:0.0.0.0", "::ffff:255.255.255.255", shut("::fffe:ffff:ffff"), shut("::1:0:0:0")),
            ("64:ff9b::", "64:ff9b::ffff:ffff", shut("64:ff9a::"), shut("64:ff9b::1:0:0")),
            (
                "64:ff9b:1::",
                "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
                shut("64:ff9b:0:ffff::"),
                shut("64:ff9b:2::"),
            ),
            ("100::", "100::ffff:ffff:ffff:ffff", shut("ff::"), shut("100:0:0:1::")),
            ("1fff::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, open("2000::")),
            ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", open("2000:ffff::"), open("2001:200::")),
            (
                "2001:db8::",
                "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
                open("2001:db7:ffff::"),
                open("2001:db9::"),
            ),
            ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", open("2001:ffff:ffff::"), open("2003::")),
            (
                "2620:4f:8000::",
                "2620:4f:8000:ffff:ffff:ffff:ffff:ffff",
                open("2620:4f:7fff:ffff::"),
                open("2620:4f:8001::"),
            ),
            ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", open("3ffe:ffff::"), open("3fff:1000::")),
            ("4000::", "5eff:ffff::", open("3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), shut("5f00::")),
            ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, shut("5f01::")),
            ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", shut("fbff:ffff::"), shut("fe00::")),
            ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", shut("fe7f:ffff::"), shut("fec0::")),
            ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, shut("ff00::")),
            ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, None),
        ]);
    }

    #[test]
    fn an_ipv4_address_inside_an_ipv6_one_does_not_slip_through() {
        for text in [
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:93.184.215.14",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::7f00:1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2001:0:7f00:1::",
            "2001:0:4136:e378:8000:63bf:80ff:fffe",
            "::ffff:0:127.0.0.1",
            "fe80::5efe:127.0.0.1",
        ] {
            assert!(is_special(text), "{text}");
        }
    }

    #[test]
    fn ordinary_addresses_are_not_special() {
        for text in
            ["1.1.1.1", "8.8.8.8", "93.184.215.14", "2606:4700::6810:84e5", "2a00:1450:4001:80f::200e"]
        {
            assert!(!is_special(text), "{text}");
        }
    }
}
