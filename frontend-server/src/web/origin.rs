//! Whose pages may open a socket.
//!
//! Browsers let any page open a socket anywhere and say where the page is from;
//! whether that is fine is ours to decide. Programs that are no browsers send no
//! origin and are let in: the check protects people from other people's pages,
//! and is no lock.

use axum::http::{HeaderMap, HeaderValue, header};

/// The origins allowed besides a frontend's own.
#[derive(Clone, Debug)]
pub(crate) struct Origins {
    /// In lower case, with their scheme.
    whole: Vec<String>,
    /// Host and port of every frontend, in lower case.
    hosts: Vec<String>,
}

impl Origins {
    /// `origins` as configured, and the URLs of all `frontends`.
    pub(crate) fn new(origins: &[String], frontends: &[String]) -> Self {
        let whole = origins.iter().map(|origin| origin.to_ascii_lowercase()).collect();
        let host = |url: &String| host_of(url).unwrap_or(url).to_ascii_lowercase();
        Self { whole, hosts: frontends.iter().map(host).collect() }
    }

    /// Whether a request with these headers may open a socket.
    pub(super) fn allow(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(header::ORIGIN) else { return true };
        let Ok(origin) = origin.to_str().map(str::to_ascii_lowercase) else { return false };
        let Some(host) = host_of(&origin) else { return false };
        let own = headers.get(header::HOST).map(HeaderValue::as_bytes);
        own.is_some_and(|own| own.eq_ignore_ascii_case(host.as_bytes()))
            || self.whole.contains(&origin)
            || self.hosts.iter().any(|known| known == host)
            || own.is_some_and(|own| self.is_sibling(host, own))
    }

    /// Whether a page came from another frontend of this machine, whatever name the
    /// machine was called by: the same host name, and a port of one of our frontends.
    fn is_sibling(&self, host: &str, own: &[u8]) -> bool {
        let Some((name, port)) = host.rsplit_once(':') else { return false };
        let Ok(own) = std::str::from_utf8(own) else { return false };
        let own_name = own.rsplit_once(':').map_or(own, |(name, _)| name);
        let ours = |known: &String| known.rsplit_once(':').is_some_and(|(_, known)| known == port);
        name.eq_ignore_ascii_case(own_name) && self.hosts.iter().any(ours)
    }
}

/// Host and port of an origin.
fn host_of(origin: &str) -> Option<&str> {
    origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_pages_open_sockets() {
        let origins = Origins::new(
            &["https://arcade.example".to_owned()],
            &["http://127.0.0.1:8080".to_owned(), "http://127.0.0.1:8081".to_owned()],
        );
        for (origin, host, allowed) in [
            (None, "games.example", true),
            (Some("https://games.example"), "games.example", true),
            (Some("http://Games.example:80"), "games.example:80", true),
            (Some("http://127.0.0.1:8081"), "127.0.0.1:8080", true),
            (Some("http://localhost:8081"), "localhost:8080", true),
            (Some("http://192.168.1.7:8080"), "192.168.1.7:8081", true),
            (Some("http://localhost:3000"), "localhost:8080", false),
            (Some("http://evil.example:8081"), "localhost:8080", false),
            (Some("https://arcade.example"), "games.example", true),
            (Some("http://arcade.example"), "games.example", false),
            (Some("https://evil.example"), "games.example", false),
            (Some("https://games.example.evil.example"), "games.example", false),
            (Some("http://127.0.0.1"), "127.0.0.1:8080", false),
            (Some("null"), "games.example", false),
            (Some("file://"), "games.example", false),
            (Some(""), "", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            assert_eq!(origins.allow(&headers), allowed, "{origin:?} at {host}");
        }
    }
}
