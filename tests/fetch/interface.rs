//! Addresses that are not loopback, on this machine all the same.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

const NEEDS: &str = "not run, needs root and iproute2";

/// Addresses on the loopback interface, taken away at the end. The process has its own, so that tests that run beside
/// each other do not take away each other's.
pub(crate) struct Addresses {
    pub(crate) link_local_v4: Ipv4Addr,
    pub(crate) link_local_v6: Ipv6Addr,
    /// An address that no registry calls special and that nobody has been given.
    pub(crate) ordinary: Ipv4Addr,
    added: Vec<String>,
    _turn: MutexGuard<'static, ()>,
}

/// Two cases of one process take turns.
static TURN: Mutex<()> = Mutex::new(());

impl Addresses {
    pub(crate) fn add() -> Result<Self, String> {
        let [.., high, low] = std::process::id().to_be_bytes();
        let last = low % 250 + 2;
        let mut addresses = Self {
            link_local_v4: Ipv4Addr::new(169, 254, 1 + high % 250, last),
            link_local_v6: Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, high.into(), last.into()),
            ordinary: Ipv4Addr::new(192, 0, 1, last),
            added: Vec::new(),
            _turn: TURN.lock().unwrap_or_else(PoisonError::into_inner),
        };
        let wanted = [
            format!("{}/32", addresses.link_local_v4),
            format!("{}/128", addresses.link_local_v6),
            format!("{}/32", addresses.ordinary),
        ];
        for address in wanted {
            ip("add", &address)?;
            addresses.added.push(address);
        }
        Ok(addresses)
    }

    /// The link-local IPv6 address with the interface that it is on, without which it cannot be used.
    pub(crate) fn link_local_v6_at(&self, port: u16) -> SocketAddr {
        let index = std::fs::read_to_string("/sys/class/net/lo/ifindex").expect("a loopback interface");
        let index = index.trim().parse().expect("its number");
        SocketAddrV6::new(self.link_local_v6, port, 0, index).into()
    }

    pub(crate) fn ordinary(&self) -> IpAddr {
        self.ordinary.into()
    }
}

impl Drop for Addresses {
    fn drop(&mut self) {
        for address in &self.added {
            if let Err(why) = ip("del", address) {
                eprintln!("{address} is left on the loopback interface: {why}");
            }
        }
    }
}

fn ip(verb: &str, address: &str) -> Result<(), String> {
    let status = Command::new("ip")
        .args(["address", verb, address, "dev", "lo"])
        // Else an address cannot be used until the kernel has looked whether somebody has it.
        .args((verb == "add" && address.contains(':')).then_some("nodad"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        _ => Err(NEEDS.to_owned()),
    }
}
