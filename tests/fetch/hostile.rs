//! Addresses that this server must not be talked into dialling (Client ID Metadata Documents §6, RFC 6890, MCP security
//! best practices on server-side request forgery).
//!
//! Listeners on this machine count who comes. Every URL that would reach one of them is first tried with a client that
//! has no guard, so that a listener which sees nothing means something.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gatelet::fetch::{FetchError, FetchOptions, Fetcher, Resolver};
use libtest_mimic::Trial;
use tokio::net::TcpStream;

use crate::interface::Addresses;
use crate::peer::{Manners, Peer, fetcher, json, loopback_options, options};
use crate::{tls, trials, with_addresses};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = trials![
        no_url_of_this_machine_is_dialled,
        no_url_of_another_special_address_is_dialled,
        no_name_that_leads_here_is_dialled,
        one_special_address_among_good_ones_spoils_a_name,
        a_server_on_loopback_reaches_loopback_and_nothing_else_that_is_special,
        a_name_is_looked_up_once_for_each_fetch,
    ];
    trials.push(with_addresses("nothing_link_local_is_dialled", nothing_link_local_is_dialled));
    trials.push(with_addresses(
        "an_ordinary_address_is_dialled_and_a_name_cannot_be_rebound_in_between",
        an_ordinary_address_is_dialled_and_a_name_cannot_be_rebound_in_between,
    ));
    trials
}

/// Listeners of one port: 127.0.0.1, ::1, and an IPv6 socket that is bound to an IPv4 address.
pub(crate) struct Ground {
    peers: Vec<Peer>,
    pub(crate) port: u16,
}

impl Ground {
    pub(crate) async fn new() -> Self {
        let addresses = ["127.0.0.1:0", "[::1]:0", "[::ffff:127.0.0.2]:0"].map(|text| text.parse().unwrap());
        let (peers, port) = Peer::start_each(&addresses, || Manners::answer(json(b"{}"))).await;
        Self { peers, port }
    }

    /// Who came, by listener.
    pub(crate) fn connections(&self) -> Vec<usize> {
        self.peers.iter().map(Peer::connections).collect()
    }

    fn total(&self) -> usize {
        self.connections().iter().sum()
    }
}

/// Every way to write an address of this machine. What no parser takes is in the tests of `fetch::target`.
pub(crate) const HERE: &[&str] = &[
    "127.0.0.1",
    "127.0.0.2",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7F.1",
    "0x7f.0x0.0x0.0x1",
    "0177.0.0.1",
    "0177.1",
    "017700000001",
    "127.0.0.1.",
    "0.0.0.0",
    "0",
    "0x0",
    "00.00.00.00",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000::0001]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:127.0.0.2]",
    "[::ffff:7f00:1]",
    "[::FFFF:7F00:0001]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
    "\u{2460}\u{2461}\u{2466}.0.0.1",
    "127\u{3002}0\u{3002}0\u{3002}1",
    "127.\t0.0.1",
    "client.example@127.0.0.1",
    "client.example:443@[::1]",
    "client.example%40@127.0.0.1",
];

/// Special addresses of other machines. Nobody listens there, so these are judged and not dialled in any case.
pub(crate) const ELSEWHERE: &[&str] = &[
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "169.254.170.2",
    "2852039166",
    "0xa9fea9fe",
    "172.16.0.1",
    "172.31.255.254",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.251",
    "240.0.0.1",
    "255.255.255.255",
    "[::127.0.0.1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::10.0.0.1]",
    "[100::1]",
    "[2001::1]",
    "[2001:0:7f00:1::]",
    "[2001:db8::1]",
    "[2002:7f00:1::1]",
    "[2002:a9fe:a9fe::]",
    "[3fff::1]",
    "[5f00::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
];

fn judged(outcome: Result<gatelet::fetch::Fetched, FetchError>, what: &str) {
    let error = outcome.expect_err(what);
    assert!(matches!(error, FetchError::Url(_) | FetchError::SpecialAddress { .. }), "{what}: {error}");
    assert!(!error.is_our_limit(), "{what}");
}

/// A client without any guard, that knows these names.
fn unguarded(names: &[(&str, &str, u16)]) -> reqwest::Client {
    let mut client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5));
    for (name, address, port) in names {
        client = client.resolve(name, SocketAddr::new(address.parse().unwrap(), *port));
    }
    client.build().unwrap()
}

async fn no_url_of_this_machine_is_dialled() {
    // Client ID Metadata Documents §6; MCP Server-Side Request Forgery
    let (ground, unguarded) = (Ground::new().await, unguarded(&[]));
    for host in HERE {
        let before = ground.total();
        let url = format!("http://{host}:{}/id.json", ground.port);
        assert!(unguarded.get(&url).send().await.is_ok(), "{url} would not lead here");
        assert_eq!(ground.total(), before + 1, "{url} would not lead here");
    }
    let before = ground.connections();
    assert!(before.iter().all(|connections| *connections > 0), "{before:?}");
    let fetcher = fetcher(options());
    for host in HERE {
        for scheme in ["https", "http"] {
            for form in ["://", ":", ":\\\\", ":///"] {
                let url = format!("{scheme}{form}{host}:{}/id.json", ground.port);
                judged(fetcher.json(&url).await, &url);
            }
        }
    }
    assert_eq!(ground.connections(), before);
}

async fn no_url_of_another_special_address_is_dialled() {
    assert!(HERE.len() + ELSEWHERE.len() >= 50);
    for fetcher in [fetcher(options()), fetcher(loopback_options())] {
        for host in ELSEWHERE {
            for url in [format!("https://{host}/id.json"), format!("https://{host}:8443/")] {
                judged(fetcher.json(&url).await, &url);
            }
        }
    }
}

async fn no_name_that_leads_here_is_dialled() {
    let ground = Ground::new().await;
    let names = [
        ("loop.client.example", "127.0.0.1"),
        ("loop6.client.example", "::1"),
        ("mapped.client.example", "::ffff:127.0.0.2"),
        ("any.client.example", "0.0.0.0"),
        ("any6.client.example", "::"),
        ("localhost", "127.0.0.1"),
        ("app.localhost", "127.0.0.1"),
        ("localhost.localdomain", "127.0.0.1"),
        ("127.0.0.1.client.example", "127.0.0.1"),
        ("0x7f000001.client.example", "127.0.0.1"),
        ("intranet", "127.0.0.1"),
    ];
    let unguarded = unguarded(&names.map(|(name, address)| (name, address, ground.port)));
    for (name, _) in names {
        let before = ground.total();
        let url = format!("http://{name}:{}/", ground.port);
        assert!(unguarded.get(&url).send().await.is_ok(), "{url} would not lead here");
        assert_eq!(ground.total(), before + 1);
    }
    let before = ground.total();
    let resolver = resolver(&names);
    let fetcher = fetcher(FetchOptions { resolver, ..options() });
    for (name, _) in names {
        for url in [
            format!("https://{name}:{}/", ground.port),
            format!("https://{}:{}/", name.to_uppercase(), ground.port),
            format!("https://{name}.:{}/", ground.port),
            format!("https://%{:x}{}:{}/", name.as_bytes()[0], &name[1..], ground.port),
        ] {
            judged(fetcher.json(&url).await, &url);
        }
    }
    assert_eq!(ground.total(), before);
}

fn resolver(names: &[(&str, &str)]) -> Resolver {
    let names = names.iter().map(|(name, address)| ((*name).to_owned(), vec![address.parse().unwrap()]));
    Resolver::fixed(names.collect())
}

async fn one_special_address_among_good_ones_spoils_a_name() {
    let ground = Ground::new().await;
    let good: [IpAddr; 2] = ["192.0.1.1".parse().unwrap(), "2606:4700::1".parse().unwrap()];
    let hosts = ELSEWHERE.iter().chain(&["127.0.0.1", "[::1]", "[::ffff:127.0.0.2]", "0.0.0.0", "[::]"]);
    let special: Vec<IpAddr> = hosts.filter_map(|host| host.trim_matches(['[', ']']).parse().ok()).collect();
    assert!(special.len() >= 40);
    let mut names = HashMap::new();
    for (number, address) in special.iter().enumerate() {
        for (place, addresses) in
            [vec![*address, good[0]], vec![good[0], good[1], *address], vec![good[1], *address, good[0]]]
                .into_iter()
                .enumerate()
        {
            names.insert(format!("n{number}-{place}.client.example"), addresses);
        }
    }
    let fetcher = fetcher(FetchOptions { resolver: Resolver::fixed(names.clone()), ..options() });
    for (name, addresses) in names {
        let error = fetcher.json(&format!("https://{name}:{}/", ground.port)).await.unwrap_err();
        let FetchError::SpecialAddress { address, .. } = error else { panic!("{addresses:?}: {error}") };
        assert!(special.contains(&address) && addresses.contains(&address));
    }
    assert_eq!(ground.total(), 0);
}

async fn a_server_on_loopback_reaches_loopback_and_nothing_else_that_is_special() {
    // Client ID Metadata Documents §6: the exception for development. It is also the control of the cases above: the
    // same listeners see who may come.
    let ground = Ground::new().await;
    let port = ground.port;
    let names = [("localhost", "::1"), ("evil.example", "127.0.0.1"), ("app.localhost", "127.0.0.1")];
    let fetcher = fetcher(FetchOptions { resolver: resolver(&names), ..loopback_options() });
    for (host, expected) in
        [("127.0.0.1", [1, 0, 0]), ("[::1]", [1, 1, 0]), ("127.0.0.2", [1, 1, 1]), ("localhost", [1, 2, 1])]
    {
        assert!(fetcher.json(&format!("http://{host}:{port}/")).await.is_ok(), "{host}");
        assert_eq!(ground.connections(), expected, "{host}");
    }
    for host in
        ["0.0.0.0", "[::]", "[::ffff:127.0.0.2]", "2130706433", "127.1", "evil.example", "app.localhost"]
    {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{port}/");
            judged(fetcher.json(&url).await, &url);
        }
    }
    assert_eq!(ground.connections(), [1, 2, 1]);
}

/// A resolver that gives `first` at the first look-up of `name` and `then` at all others, and counts.
fn rebinding(name: &'static str, first: IpAddr, then: IpAddr) -> (Resolver, Arc<AtomicUsize>) {
    let look_ups = Arc::new(AtomicUsize::new(0));
    let counted = look_ups.clone();
    let resolver = Resolver::asking(move |asked| {
        assert_eq!(asked, name);
        match counted.fetch_add(1, Ordering::SeqCst) {
            0 => vec![first],
            _ => vec![then],
        }
    });
    (resolver, look_ups)
}

async fn a_name_is_looked_up_once_for_each_fetch() {
    let ground = Ground::new().await;
    let loopback = [[127, 0, 0, 1].into(), [10, 0, 0, 1].into()];
    let (resolver, look_ups) = rebinding("localhost", loopback[0], loopback[1]);
    let fetcher = fetcher(FetchOptions { resolver, ..loopback_options() });
    let url = format!("http://localhost:{}/", ground.port);
    assert!(fetcher.json(&url).await.is_ok());
    assert_eq!((look_ups.load(Ordering::SeqCst), ground.connections()), (1, vec![1, 0, 0]));
    judged(fetcher.json(&url).await, "the second look-up");
    assert_eq!((look_ups.load(Ordering::SeqCst), ground.total()), (2, 1));
}

async fn nothing_link_local_is_dialled(addresses: Addresses) {
    let at = [SocketAddr::new(addresses.link_local_v4.into(), 0), addresses.link_local_v6_at(0)];
    let (peers, port) = Peer::start_each(&at, || Manners::answer(json(b"{}"))).await;
    // The control: they can be reached.
    for peer in &peers {
        TcpStream::connect(peer.address).await.unwrap();
        while peer.connections() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(peer.connections(), 1, "{}", peer.address);
    }
    let ip = addresses.link_local_v4;
    let mapped = ip.to_ipv6_mapped();
    let names = [
        ("v4.client.example", ip.to_string()),
        ("v6.client.example", addresses.link_local_v6.to_string()),
        ("mapped.client.example", mapped.to_string()),
    ];
    let resolver = resolver(&names.each_ref().map(|(name, address)| (*name, address.as_str())));
    let hosts = [
        ip.to_string(),
        ip.to_bits().to_string(),
        format!("{:#x}", ip.to_bits()),
        format!("{ip}."),
        format!("[{mapped}]"),
        format!("[{}]", addresses.link_local_v6),
        format!("[{}%25lo]", addresses.link_local_v6),
        format!("[{}%lo]", addresses.link_local_v6),
        format!("[{}%251]", addresses.link_local_v6),
    ];
    let hosts = hosts.into_iter().chain(names.map(|(name, _)| name.to_owned()));
    let hosts: Vec<_> = hosts.collect();
    for loopback in [false, true] {
        let fetcher = fetcher(FetchOptions { resolver: resolver.clone(), loopback, ..options() });
        for host in &hosts {
            for scheme in ["https", "http"] {
                let url = format!("{scheme}://{host}:{port}/latest/meta-data");
                judged(fetcher.json(&url).await, &url);
            }
        }
    }
    assert_eq!(peers.iter().map(Peer::connections).collect::<Vec<_>>(), [1, 1]);
}

async fn an_ordinary_address_is_dialled_and_a_name_cannot_be_rebound_in_between(addresses: Addresses) {
    let authority = tls::Authority::new();
    let manners =
        || Manners::answer(json(b"{\"client_name\":\"x\"}")).tls(authority.server("client.example"));
    let at = [SocketAddr::new(addresses.ordinary(), 0), ([127, 0, 0, 1], 0).into()];
    let (peers, port) = Peer::start_each(&at, manners).await;
    let [ordinary, here] = &peers[..] else { panic!("two were started") };
    let (resolver, look_ups) = rebinding("client.example", addresses.ordinary(), here.address.ip());
    let file = authority.file("rebinding");
    let fetcher: Fetcher =
        fetcher(FetchOptions { resolver, ca_file: Some(file.path().to_owned()), ..options() });
    let url = format!("https://client.example:{port}/id.json");
    assert_eq!(&fetcher.json(&url).await.unwrap().body[..], b"{\"client_name\":\"x\"}");
    assert_eq!((look_ups.load(Ordering::SeqCst), ordinary.connections()), (1, 1));
    judged(fetcher.json(&url).await, "the second look-up");
    assert_eq!((look_ups.load(Ordering::SeqCst), ordinary.connections(), here.connections()), (2, 1, 0));
}
