//! Where a node is: an IP address or a name, and a port.

use std::net::{SocketAddr, ToSocketAddrs};

/// Reads an address from the command line, and looks a name up.
pub(crate) fn node(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let host = text.rsplit_once(':').filter(|(host, port)| {
        !host.is_empty() && !host.contains(':') && port.parse::<u16>().is_ok()
    });
    if host.is_none() {
        return Err("give an address and a port, such as 10.0.0.1:7101 or node1:7101".into());
    }
    let found = text.to_socket_addrs().map_err(|err| format!("cannot look it up: {err}"))?;
    // Nodes listen where they are configured to, which is IPv4 more often than not.
    let mut found: Vec<SocketAddr> = found.collect();
    found.sort_by_key(SocketAddr::is_ipv6);
    found.into_iter().next().ok_or_else(|| "there is no such machine".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_or_a_name_with_a_port() {
        assert_eq!(node("10.0.0.1:7101"), Ok(([10, 0, 0, 1], 7101).into()));
        assert_eq!(node("[::1]:7101").unwrap().port(), 7101);
        assert!(node("localhost:7101").unwrap().ip().is_loopback());
        for wrong in ["", "localhost", ":7101", "10.0.0.1", "host:port", "::1:7101:"] {
            assert!(node(wrong).unwrap_err().contains("such as"), "{wrong}");
        }
    }
}
