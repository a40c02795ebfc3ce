//! Which host a request was sent to, as it says itself.
//!
//! A browser can be made to send a request to any address: its owner binds a name of
//! their own to it (DNS rebinding). The browser then says that name in `Host`, which a
//! page cannot forge. So a server that answers only to names that it knows, and to bare
//! addresses, is safe from pages of strangers.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The name every machine has for itself.
const LOCALHOST: &str = "localhost";

/// A host name or address, in lower case, and the port if one was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    name: String,
    port: Option<u16>,
}

/// Why it is not known which host is meant. An answer to any of them is `400`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostError {
    /// The request names none.
    Missing,
    /// It names two, so a proxy and we might each believe in another.
    Several,
    /// It names something that is no host.
    Malformed,
}

impl Host {
    /// The one host that a request names: in its `Host` headers, and in the authority of
    /// its address, which HTTP/2 has and HTTP/1.1 may have.
    ///
    /// # Errors
    /// When it names none, different ones, or `Host` twice.
    pub fn of<'a>(
        authority: Option<&str>,
        hosts: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Self, HostError> {
        let mut hosts = hosts.into_iter();
        let header = hosts.next();
        if hosts.next().is_some() {
            return Err(HostError::Several);
        }
        let header = header.map(|host| std::str::from_utf8(host).ok().and_then(Host::parse));
        let authority = authority.map(Host::parse);
        match (header, authority) {
            (None, None) => Err(HostError::Missing),
            (Some(one), None) | (None, Some(one)) => one.ok_or(HostError::Malformed),
            (Some(Some(one)), Some(Some(other))) if one == other => Ok(one),
            (Some(Some(_)), Some(Some(_))) => Err(HostError::Several),
            (Some(_), Some(_)) => Err(HostError::Malformed),
        }
    }

    /// Reads `name`, `name:port`, `1.2.3.4:port` or `[::1]:port`.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, after) = rest.split_once(']')?;
                address.parse::<Ipv6Addr>().ok()?;
                let port = match after {
                    "" => None,
                    after => Some(after.strip_prefix(':')?),
                };
                (address, port)
            }
            None => match text.split_once(':') {
                Some((name, port)) => (name, Some(port)),
                None => (text, None),
            },
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
        if name.is_empty() || !name.bytes().all(plain) {
            return None;
        }
        let digits = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
        let port = match port {
            Some(port) if digits(port) => Some(port.parse().ok()?),
            Some(_) => return None,
            None => None,
        };
        Some(Host { name: name.to_ascii_lowercase(), port })
    }

    /// The name or address alone; an IPv6 address without brackets.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The port, if it was named. Browsers leave out that of the scheme.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether no stranger can have bound it: an address, or this machine's own name.
    pub fn is_nobodys_name(&self) -> bool {
        self.name == LOCALHOST
            || self.name.parse::<Ipv4Addr>().is_ok()
            || self.name.parse::<Ipv6Addr>().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(authority: Option<&str>, hosts: &[&str]) -> Result<(String, Option<u16>), HostError> {
        let host = Host::of(authority, hosts.iter().map(|host| host.as_bytes()))?;
        Ok((host.name, host.port))
    }

    /// One host is meant, or none is believed.
    #[test]
    fn a_request_names_one_host() {
        let named = |name: &str, port| Ok((name.to_owned(), port));
        assert_eq!(of(None, &["Play.Example.org:443"]), named("play.example.org", Some(443)));
        assert_eq!(of(None, &["[::1]:7101"]), named("::1", Some(7101)));
        assert_eq!(of(None, &["[::1]"]), named("::1", None));
        assert_eq!(of(Some("127.0.0.1:1"), &[]), named("127.0.0.1", Some(1)));
        assert_eq!(of(Some("n1:1"), &["N1:1"]), named("n1", Some(1)));
        assert_eq!(of(None, &[]), Err(HostError::Missing));
        assert_eq!(of(None, &["n1", "n1"]), Err(HostError::Several));
        assert_eq!(of(Some("n1"), &["evil.example"]), Err(HostError::Several));
        for wrong in ["", ":80", "a b", "me@n1", "n1:", "n1:x", "n1:+1", "n1:99999", "[::1", "::1"]
        {
            assert_eq!(of(None, &[wrong]), Err(HostError::Malformed), "{wrong:?}");
        }
        assert_eq!(of(Some("n1"), &["n 1"]), Err(HostError::Malformed));
    }

    /// A stranger's page can be called by a name, but not by these.
    #[test]
    fn addresses_and_localhost_are_nobodys_names() {
        for (host, nobodys) in [
            ("127.0.0.1:7101", true),
            ("[::1]:7101", true),
            ("LocalHost", true),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("127.1", false),
            ("n1", false),
        ] {
            assert_eq!(Host::parse(host).unwrap().is_nobodys_name(), nobodys, "{host}");
        }
    }
}
