//! Where a page is from (RFC 6454), and whom a request means.

use axum::http::{HeaderMap, Uri, Version, header};
use hangraft_proto::host::{Host, HostError};

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

/// Whom a request means. HTTP/1.1 says it in `Host`, whatever else it says; HTTP/1.0 need
/// not say.
pub(super) fn host_of(
    version: Version,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Option<Host>, HostError> {
    let hosts = || headers.get_all(header::HOST).iter().map(|host| host.as_bytes());
    if version > Version::HTTP_10 && hosts().next().is_none() {
        return Err(HostError::Missing);
    }
    match Host::of(uri.authority().map(|authority| authority.as_str()), hosts()) {
        Err(HostError::Missing) => Ok(None),
        host => host.map(Some),
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

    /// A request names one host, and a whole URL counts more than the header.
    #[test]
    fn a_request_names_one_host() {
        let of = |version, uri: &str, hosts: &[&str]| {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(header::HOST, host.parse().unwrap());
            }
            let host = host_of(version, &uri.parse().unwrap(), &headers)?;
            Ok::<_, HostError>(host.map(|host| host.name.to_string()))
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
            assert!(of(version, uri, hosts).is_err(), "{uri} {hosts:?}");
        }
    }
}
