//! Who a request comes from, when there may be proxies in between.
//!
//! Behind a proxy every connection is the proxy's; who is behind it stands in
//! `X-Forwarded-For`, to which each proxy adds, at the right, whom it saw. Anybody may
//! write such a header, so it is read from the right, and only as far as proxies that
//! are configured as trusted have written it.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};
use hangraft_cluster_config::AddressBlock;

use crate::client::Client;

/// The header in which proxies say whom they speak for.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies whose word is believed.
#[derive(Clone, Debug)]
pub(crate) struct Proxies {
    trusted: Vec<AddressBlock>,
}

impl Proxies {
    pub(crate) fn new(trusted: Vec<AddressBlock>) -> Self {
        Self { trusted }
    }

    /// Who sent a request with these headers over a connection from `peer`: the last one
    /// that is no trusted proxy. When all are, it is the first of them; and when a proxy
    /// forwarded something that is no address, it is that proxy.
    pub(super) fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> Client {
        let mut address = peer.ip();
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        let mut claims = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        while self.trusts(address) {
            match claims.next().and_then(address_of) {
                Some(claimed) => address = claimed,
                None => break,
            }
        }
        Client::at(address)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|block| block.contains(address))
    }
}

/// The address in one entry of the header. Some proxies write the port too.
fn address_of(entry: &[u8]) -> Option<IpAddr> {
    let entry = std::str::from_utf8(entry).ok()?.trim();
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let with_port = || entry.parse::<SocketAddr>().map(|address| address.ip()).ok();
    bare.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, lines: &[&str]) -> Client {
        let trusted = trusted.iter().map(|block| block.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let peer = SocketAddr::new(peer.parse().unwrap(), 4711);
        Proxies::new(trusted).client(peer, &headers)
    }

    /// Nobody becomes somebody else by writing a header: what counts is what the last
    /// trusted proxy saw.
    #[test]
    fn only_trusted_proxies_say_who_somebody_is() {
        let proxies = ["10.0.0.5", "172.16.0.0/12"];
        for (trusted, peer, lines, expected) in [
            // Nobody is trusted unless it is said.
            (&[][..], "203.0.113.9", &["198.51.100.1"][..], "203.0.113.9"),
            (&[], "127.0.0.1", &["198.51.100.1"], "127.0.0.1"),
            (&proxies, "203.0.113.9", &["198.51.100.1"], "203.0.113.9"),
            // One proxy, two, and what a client wrote itself before them.
            (&proxies, "10.0.0.5", &["198.51.100.1"], "198.51.100.1"),
            (&proxies, "::ffff:10.0.0.5", &["198.51.100.1"], "198.51.100.1"),
            (&proxies, "10.0.0.5", &["1.2.3.4, 198.51.100.1"], "198.51.100.1"),
            (&proxies, "10.0.0.5", &["1.2.3.4", "198.51.100.1"], "198.51.100.1"),
            (&proxies, "10.0.0.5", &["1.2.3.4,198.51.100.1, 172.16.9.9"], "198.51.100.1"),
            (&proxies, "10.0.0.5", &["10.0.0.5, 198.51.100.1"], "198.51.100.1"),
            // Only proxies: the first of them.
            (&proxies, "10.0.0.5", &["172.16.0.1"], "172.16.0.1"),
            (&proxies, "10.0.0.5", &[], "10.0.0.5"),
            // With a port, as some write it; and no address at all.
            (&proxies, "10.0.0.5", &["198.51.100.1:5000"], "198.51.100.1"),
            (&proxies, "10.0.0.5", &["[2001:db8::7]:5000"], "2001:db8::7"),
            (&proxies, "10.0.0.5", &["[2001:db8::7]"], "2001:db8::7"),
            (&proxies, "10.0.0.5", &["unknown"], "10.0.0.5"),
            (&proxies, "10.0.0.5", &[""], "10.0.0.5"),
            (&proxies, "10.0.0.5", &["198.51.100.1, unknown"], "10.0.0.5"),
            (&proxies, "10.0.0.5", &["198.51.100.1,"], "10.0.0.5"),
        ] {
            let expected = Client::at(expected.parse().unwrap());
            assert_eq!(client(trusted, peer, lines), expected, "{peer} forwards {lines:?}");
        }
    }
}
