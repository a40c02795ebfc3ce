//! Whom limits per address count as one.

use std::net::IpAddr;

use hangraft_cluster_config::AddressBlock;

/// Bits of an IPv6 address that are one client's: a household has a whole /64.
const CLIENT_BITS_V6: u8 = 64;

/// Somebody on the internet, as far as addresses tell: an IPv4 address, or a /64 of
/// IPv6 addresses. People behind one router are one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Client(IpAddr);

impl Client {
    /// Who an address belongs to.
    pub(crate) fn at(address: IpAddr) -> Self {
        match address.to_canonical() {
            v4 @ IpAddr::V4(_) => Self(v4),
            v6 @ IpAddr::V6(_) => Self(AddressBlock::around(v6, CLIENT_BITS_V6).first()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All addresses of one household are one client.
    #[test]
    fn an_ipv6_client_is_its_64() {
        let at = |address: &str| Client::at(address.parse().unwrap());
        assert_eq!(at("2001:db8:1:2::1"), at("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
        assert_eq!(at("::ffff:203.0.113.9"), at("203.0.113.9"));
        assert_ne!(at("203.0.113.9"), at("203.0.113.8"));
    }
}
