//! Which hosts are the machine that names them.

use url::Host;

/// Whether a host is the machine of whoever reads it: a loopback address, or `localhost` and the names under it, which
/// resolve to one (RFC 6761 §6.3).
pub fn is_loopback<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => name.as_ref() == "localhost" || name.as_ref().ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}
