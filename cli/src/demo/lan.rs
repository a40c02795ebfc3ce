//! How friends on the same network find a demo: this machine's addresses there, and a
//! code that a phone reads.

use std::net::IpAddr;

use nix::{ifaddrs::getifaddrs, net::if_::InterfaceFlags};
use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};

/// Addresses that are named. A machine with more has networks that no friend is on.
const ADDRESSES_MAX: usize = 4;

/// This machine's addresses on its networks, the most likely one first: IPv4, and IPv6
/// where there is nothing else.
pub(crate) fn addresses() -> Vec<IpAddr> {
    let Ok(interfaces) = getifaddrs() else { return Vec::new() };
    let mut found: Vec<IpAddr> = interfaces
        .filter(|interface| interface.flags.contains(InterfaceFlags::IFF_UP))
        .filter_map(|interface| {
            let address = interface.address?;
            let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
            v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
        })
        .filter(|ip| is_of_a_network(*ip))
        .collect();
    found.sort_by_key(IpAddr::is_ipv6);
    if found.first().is_some_and(IpAddr::is_ipv4) {
        found.retain(IpAddr::is_ipv4);
    }
    found.truncate(ADDRESSES_MAX);
    found
}

/// Whether others on a network can reach this address: it is neither this machine's own
/// nor one that holds for a single cable.
fn is_of_a_network(ip: IpAddr) -> bool {
    let local = match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    !ip.is_loopback() && !ip.is_unspecified() && !local
}

/// The lines that invite friends: every address, and the first one as a QR code when
/// somebody looks at a terminal.
pub(super) fn invitation(urls: &[String], terminal: bool) -> String {
    let Some(first) = urls.first() else { return String::new() };
    let mut text = "\nFriends on your network:\n".to_owned();
    for url in urls {
        text += &format!("  {url}\n");
    }
    if terminal && let Some(code) = qr(first) {
        text += &format!("\n{code}\n");
    }
    text
}

/// A QR code in half blocks, dark on light as phones want it.
fn qr(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    // A terminal's text is light on dark more often than not, so the colours change places.
    let (dark, light) = (Dense1x2::Light, Dense1x2::Dark);
    Some(code.render::<Dense1x2>().dark_color(dark).light_color(light).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_networks_are_named() {
        for (ip, named) in [
            ("192.168.1.7", true),
            ("10.0.0.1", true),
            ("fd00::7", true),
            ("127.0.0.1", false),
            ("0.0.0.0", false),
            ("169.254.3.4", false),
            ("::1", false),
            ("fe80::1", false),
        ] {
            assert_eq!(is_of_a_network(ip.parse().unwrap()), named, "{ip}");
        }
        assert!(addresses().len() <= ADDRESSES_MAX);
    }

    /// The code is for eyes; a log gets the addresses alone.
    #[test]
    fn a_terminal_shows_a_code_too() {
        let urls = ["http://192.168.1.7:8080".to_owned()];
        let plain = invitation(&urls, false);
        assert!(plain.contains("  http://192.168.1.7:8080\n") && plain.is_ascii(), "{plain}");
        let shown = invitation(&urls, true);
        // 25 modules and a margin of 4 on each side, two rows of them to a line.
        let code = shown.lines().filter(|line| line.chars().count() == 33);
        assert_eq!(code.count(), 17, "{shown}");
        assert_eq!(invitation(&[], true), "");
    }
}
