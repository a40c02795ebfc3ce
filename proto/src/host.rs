//! Which host a request was sent to, as it says itself (RFC 9110, section 7.2).
//!
//! A browser can be made to send a request to any address: its owner binds a name of
//! their own to it (DNS rebinding). The browser then says that name in `Host`, which a
//! page cannot forge. So a server that answers only to names that it knows, and to bare
//! addresses, is safe from pages of strangers.
//!
//! The same host can be written in several ways: in capitals, with the dot that ends a
//! whole name, with the port that goes without saying. Here they become one value.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// The longest name that DNS can hold, in characters.
const NAME_CHARS_MAX: usize = 253;

/// The name every machine has for itself.
const LOCALHOST: &str = "localhost";

/// Endings of names that public DNS gives to nobody (RFC 6761, 6762, 8375, and ICANN's
/// resolution 2024.07.29.06), so that no stranger's page can be called so.
const PRIVATE_ENDINGS: [&str; 4] = [".localhost", ".local", ".home.arpa", ".internal"];

/// A machine as a URL names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// By its address.
    Address(IpAddr),
    /// By a name, in lower case and without a dot at its end.
    Dns(String),
}

/// A machine and a port on it, as `Host` names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The machine.
    pub name: Name,
    /// `None`: the usual one of whatever scheme is spoken.
    pub port: Option<u16>,
}

/// Why it is not known which host is meant. An answer to any of them is `400`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostError {
    /// The request names none.
    Missing,
    /// It has `Host` twice, so a proxy and we might each believe in another.
    Several,
    /// It names something that is no host.
    Malformed,
}

impl Name {
    /// Understands a name or an address. IPv6 addresses stand in brackets.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(inner) = text.strip_prefix('[') {
            let address: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
            return Some(Self::Address(IpAddr::V6(address).to_canonical()));
        }
        if let Ok(address) = text.parse() {
            return Some(Self::Address(IpAddr::V4(address)));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let good = (1..=NAME_CHARS_MAX).contains(&name.len())
            && name.chars().all(fits)
            && name.split('.').all(|label| !label.is_empty());
        good.then(|| Self::Dns(name.to_ascii_lowercase()))
    }

    /// Whether no stranger anywhere can have made this name lead here: an address leads
    /// where it says, and `localhost` to whoever asks.
    pub fn is_nobodys(&self) -> bool {
        match self {
            Self::Address(_) => true,
            Self::Dns(name) => name == LOCALHOST,
        }
    }

    /// Whether no stranger outside of this network can have made this name lead here: a
    /// name without a dot or with a private ending is in no public DNS.
    pub fn is_private(&self) -> bool {
        match self {
            Self::Address(_) => true,
            Self::Dns(name) => {
                !name.contains('.') || PRIVATE_ENDINGS.iter().any(|end| name.ends_with(end))
            }
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Dns(name) => f.write_str(name),
        }
    }
}

impl Host {
    /// Reads `name`, `name:port`, `1.2.3.4:port` or `[::1]:port`.
    pub fn parse(text: &str) -> Option<Self> {
        // The last colon, unless it is inside an IPv6 address.
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => (name, port),
            _ => (text, ""),
        };
        let port = match port {
            "" => None,
            port if port.bytes().all(|digit| digit.is_ascii_digit()) => Some(port.parse().ok()?),
            _ => return None,
        };
        Some(Self { name: Name::parse(name)?, port })
    }

    /// Whom a request means: the authority of its address, which HTTP/2 has and HTTP/1.1
    /// may have, counts more than its `Host` (RFC 9112, section 3.2.2).
    ///
    /// # Errors
    /// When it names none, `Host` twice, or what is no host in either place.
    pub fn of<'a>(
        authority: Option<&str>,
        hosts: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Self, HostError> {
        let mut hosts = hosts.into_iter();
        let header = hosts.next();
        if hosts.next().is_some() {
            return Err(HostError::Several);
        }
        let parse = |text: &str| Self::parse(text).ok_or(HostError::Malformed);
        let read = |bytes| std::str::from_utf8(bytes).map_err(|_| HostError::Malformed);
        let header = header.map(|bytes| parse(read(bytes)?)).transpose()?;
        let authority = authority.map(parse).transpose()?;
        authority.or(header).ok_or(HostError::Missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Option<String> {
        Host::parse(text).map(|host| match host.port {
            Some(port) => format!("{}:{port}", host.name),
            None => host.name.to_string(),
        })
    }

    /// However a host is written, it is the same; and what is none is none.
    #[test]
    fn a_host_is_one_value() {
        for (text, expected) in [
            ("play.example.org", Some("play.example.org")),
            ("Play.EXAMPLE.org:443", Some("play.example.org:443")),
            ("play.example.org.", Some("play.example.org")),
            ("play.example.org.:80", Some("play.example.org:80")),
            ("play.example.org:", Some("play.example.org")),
            ("XN--BCHER-KVA.example", Some("xn--bcher-kva.example")),
            ("127.0.0.1:8080", Some("127.0.0.1:8080")),
            ("[::1]", Some("::1")),
            ("[0:0:0:0:0:0:0:1]:8080", Some("::1:8080")),
            ("[::ffff:10.0.0.1]:80", Some("10.0.0.1:80")),
            ("hangraft_f1", Some("hangraft_f1")),
            ("", None),
            (".", None),
            (":80", None),
            ("a..b", None),
            (".a", None),
            ("a:b", None),
            ("a:+80", None),
            ("a:65536", None),
            ("::1", None),
            ("[::1", None),
            ("[::1]x", None),
            ("[fe80::1%25eth0]", None),
            ("user@play.example.org", None),
            ("play.example.org/x", None),
            ("a b", None),
            ("bücher.example", None),
        ] {
            assert_eq!(name(text).as_deref(), expected, "{text:?}");
        }
    }

    /// One host is meant, or none is believed.
    #[test]
    fn a_request_names_one_host() {
        let of = |authority, hosts: &[&str]| {
            let host = Host::of(authority, hosts.iter().map(|host| host.as_bytes()))?;
            Ok(host.name.to_string())
        };
        assert_eq!(of(None, &["a.example"]), Ok("a.example".into()));
        assert_eq!(of(Some("b.example"), &["a.example"]), Ok("b.example".into()));
        assert_eq!(of(Some("b.example"), &[]), Ok("b.example".into()));
        assert_eq!(of(None, &[]), Err(HostError::Missing));
        assert_eq!(of(None, &["a.example", "a.example"]), Err(HostError::Several));
        assert_eq!(of(None, &["a b"]), Err(HostError::Malformed));
        assert_eq!(of(Some("a.example"), &["a b"]), Err(HostError::Malformed));
        assert_eq!(of(Some("me@b.example"), &["a.example"]), Err(HostError::Malformed));
    }

    /// Names that a stranger may have in public DNS are told from those that nobody has.
    #[test]
    fn private_names_are_nobodys() {
        let private = |text| Name::parse(text).unwrap().is_private();
        for text in ["localhost", "f1", "10.0.0.1", "[::1]", "box.local", "f1.ns.svc.cluster.local"]
        {
            assert!(private(text), "{text}");
        }
        for text in ["evil.example", "localhost.evil.example", "notlocal", "127.1"] {
            assert_eq!(private(text), text == "notlocal", "{text}");
        }
        let nobodys = |text| Name::parse(text).unwrap().is_nobodys();
        assert!(nobodys("LocalHost") && nobodys("10.0.0.1") && nobodys("[::1]"));
        assert!(!nobodys("n1") && !nobodys("127.1") && !nobodys("localhost.evil.example"));
    }
}
