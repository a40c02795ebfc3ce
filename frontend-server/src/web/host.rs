//! How a request says whom it means, and a page where it is from: hosts and origins
//! (RFC 9110, section 7.2; RFC 6454).
//!
//! The same host can be written in several ways: in capitals, with the dot that ends a
//! whole name, with the port that goes without saying. Here they become one value.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

use axum::http::{HeaderMap, Uri, Version, header};

/// The longest name that DNS can hold, in characters.
const NAME_CHARS_MAX: usize = 253;

/// Endings of names that public DNS gives to nobody (RFC 6761, 6762, 8375, and ICANN's
/// resolution 2024.07.29.06), so that no stranger's page can be called so.
const PRIVATE_ENDINGS: [&str; 4] = [".localhost", ".local", ".home.arpa", ".internal"];

/// A machine as a URL names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Address(IpAddr),
    /// In lower case, without a dot at its end.
    Dns(String),
}

/// A machine and a port on it, as `Host` names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host {
    pub(super) name: Name,
    /// `None`: the usual one of whatever scheme is spoken.
    pub(super) port: Option<u16>,
}

/// Where a page is from.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    scheme: Scheme,
    pub(super) host: Host,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

/// A request that names no host, or several, or something that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadHost;

impl Name {
    /// Understands a name or an address. IPv6 addresses stand in brackets.
    pub(crate) fn parse(text: &str) -> Option<Self> {
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

    /// Whether no stranger can have made this name lead here: an address leads where it
    /// says, and a name without a dot or with a private ending is in no public DNS.
    pub(super) fn is_private(&self) -> bool {
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
    pub(super) fn parse(text: &str) -> Option<Self> {
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

    /// Whom a request means. A whole URL in its first line counts more than `Host`
    /// (RFC 9112, section 3.2.2); HTTP/1.0 need not say.
    pub(super) fn of(
        version: Version,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Option<Self>, BadHost> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let (host, another) = (hosts.next(), hosts.next());
        if another.is_some() || (host.is_none() && version > Version::HTTP_10) {
            return Err(BadHost);
        }
        let host = host.map(|host| host.to_str().map_err(|_| BadHost)).transpose()?;
        let host = host.map(|host| Self::parse(host).ok_or(BadHost)).transpose()?;
        match uri.authority() {
            Some(authority) => Ok(Some(Self::parse(authority.as_str()).ok_or(BadHost)?)),
            None => Ok(host),
        }
    }
}

impl Origin {
    /// Understands an origin, or a URL without a path.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (scheme, host) = text.split_once("://")?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return None,
        };
        Some(Self { scheme, host: Host::parse(host)? })
    }

    /// Its port, which need not be said.
    pub(super) fn port(&self) -> u16 {
        self.host.port.unwrap_or(self.usual_port())
    }

    /// Whether it is the origin of pages that are asked for at this host. Which scheme
    /// that is, only the proxy in front knows; so the page is believed.
    pub(super) fn is_of(&self, host: &Host) -> bool {
        self.host.name == host.name && self.port() == host.port.unwrap_or(self.usual_port())
    }

    fn usual_port(&self) -> u16 {
        match self.scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

/// The usual port need not be said.
impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        self.scheme == other.scheme
            && self.host.name == other.host.name
            && self.port() == other.port()
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

    /// A request names one host, and a whole URL counts more than the header.
    #[test]
    fn a_request_names_one_host() {
        let of = |version, uri: &str, hosts: &[&str]| {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(header::HOST, host.parse().unwrap());
            }
            let host = Host::of(version, &uri.parse().unwrap(), &headers)?;
            Ok(host.map(|host| host.name.to_string()))
        };
        let (v10, v11) = (Version::HTTP_10, Version::HTTP_11);
        assert_eq!(of(v11, "/", &["a.example"]), Ok(Some("a.example".into())));
        assert_eq!(of(v11, "http://b.example/", &["a.example"]), Ok(Some("b.example".into())));
        assert_eq!(of(v10, "/", &[]), Ok(None));
        for (version, uri, hosts) in [
            (v11, "/", &[][..]),
            (v11, "http://b.example/", &[]),
            (v11, "/", &["a.example", "a.example"]),
            (v10, "/", &["a.example", "b.example"]),
            (v11, "/", &[""]),
            (v11, "/", &["a b"]),
            (v11, "http://me@b.example/", &["a.example"]),
        ] {
            assert_eq!(of(version, uri, hosts), Err(BadHost), "{uri} {hosts:?}");
        }
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
    }
}
