//! Who may call a frontend by which name, and whose pages may ask it.
//!
//! Two checks of every request. `Host`: a stranger can have a name of theirs lead to
//! this machine, and a browser then takes our answers for theirs (DNS rebinding). So a
//! frontend answers to the names it is configured with, and to those that no stranger
//! can have: addresses, and names that are in no public DNS. `Origin`: browsers let
//! any page open a socket anywhere and say where the page is from; whether that is
//! fine is ours to decide. Programs that are no browsers send no origin and are let
//! in: the checks protect people from other people's pages, and are no lock.

use axum::http::{HeaderMap, header};
use hangraft_proto::host::{Host, Name};

use super::host::Origin;

/// The names a frontend answers to, and the origins allowed besides its own.
#[derive(Clone, Debug)]
pub(crate) struct Origins {
    origins: Vec<Origin>,
    frontends: Vec<Origin>,
    names: Vec<Name>,
}

impl Origins {
    /// `origins` and `names` as configured, and the URLs of all `frontends`.
    pub(crate) fn new(origins: &[String], frontends: &[String], names: &[String]) -> Self {
        let parse = |urls: &[String]| urls.iter().filter_map(|url| Origin::parse(url)).collect();
        let (origins, frontends): (_, Vec<Origin>) = (parse(origins), parse(frontends));
        let theirs = frontends.iter().map(|frontend| frontend.host.name.clone());
        let names = names.iter().filter_map(|name| Name::parse(name)).chain(theirs).collect();
        Self { origins, frontends, names }
    }

    /// Whether this frontend may be called so.
    pub(super) fn answers_to(&self, name: &Name) -> bool {
        name.is_private() || self.names.contains(name)
    }

    /// Whether a request for `own` may come from the page that sent it, if one did.
    pub(super) fn allow(&self, headers: &HeaderMap, own: Option<&Host>) -> bool {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let Some(origin) = origins.next() else { return true };
        if origins.next().is_some() {
            return false;
        }
        let Some(origin) = origin.to_str().ok().and_then(Origin::parse) else { return false };
        own.is_some_and(|own| origin.is_of(own) || self.is_sibling(&origin, own))
            || self.origins.contains(&origin)
            || self.frontends.iter().any(|known| *known == origin || origin.is_of(&known.host))
    }

    /// Whether a page came from another frontend of this machine, whatever name the
    /// machine was called by: the same name, and a port of one of our frontends.
    fn is_sibling(&self, origin: &Origin, own: &Host) -> bool {
        let ours = |known: &Origin| known.port() == origin.port();
        origin.host.name == own.name && self.frontends.iter().any(ours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins() -> Origins {
        Origins::new(
            &["https://Arcade.example".to_owned(), "https://port.example:443".to_owned()],
            &["http://127.0.0.1:8080".to_owned(), "http://127.0.0.1:8081".to_owned()],
            &["Games.example".to_owned()],
        )
    }

    #[test]
    fn only_our_pages_open_sockets() {
        let origins = origins();
        for (origin, host, allowed) in [
            (None, "games.example", true),
            (Some("https://games.example"), "games.example", true),
            (Some("http://Games.example:80"), "games.example:80", true),
            // The usual port need not be said, on either side.
            (Some("https://games.example"), "games.example:443", true),
            (Some("http://games.example"), "games.example:80", true),
            (Some("https://games.example:443"), "games.example", true),
            (Some("https://games.example"), "GAMES.example.:443", true),
            (Some("https://games.example."), "games.example", true),
            (Some("HTTPS://[0:0::1]"), "[::1]:443", true),
            (Some("https://xn--bcher-kva.example"), "XN--bcher-kva.example:443", true),
            (Some("http://games.example"), "games.example:443", false),
            (Some("https://games.example"), "games.example:80", false),
            (Some("https://games.example"), "games.example:4430", false),
            (Some("http://127.0.0.1:8081"), "127.0.0.1:8080", true),
            (Some("http://localhost:8081"), "localhost:8080", true),
            (Some("http://192.168.1.7:8080"), "192.168.1.7:8081", true),
            (Some("http://localhost:3000"), "localhost:8080", false),
            (Some("http://evil.example:8081"), "localhost:8080", false),
            (Some("https://arcade.example"), "games.example", true),
            (Some("https://port.example"), "games.example", true),
            (Some("https://port.example:443"), "games.example", true),
            (Some("http://arcade.example"), "games.example", false),
            (Some("https://evil.example"), "games.example", false),
            (Some("https://games.example.evil.example"), "games.example", false),
            (Some("https://games.example@evil.example"), "games.example", false),
            (Some("http://127.0.0.1"), "127.0.0.1:8080", false),
            (Some("null"), "games.example", false),
            (Some("file://"), "games.example", false),
            (Some(""), "games.example", false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            let own = Host::parse(host);
            assert_eq!(origins.allow(&headers, own.as_ref()), allowed, "{origin:?} at {host}");
        }
    }

    /// A page cannot be from two places.
    #[test]
    fn two_origins_are_none() {
        let mut headers = HeaderMap::new();
        headers.append(header::ORIGIN, "https://games.example".parse().unwrap());
        headers.append(header::ORIGIN, "https://games.example".parse().unwrap());
        assert!(!origins().allow(&headers, Host::parse("games.example").as_ref()));
    }

    /// A stranger's name for this machine is not answered to.
    #[test]
    fn a_frontend_knows_its_names() {
        let origins = origins();
        for (name, known) in [
            ("games.example", true),
            ("GAMES.example.", true),
            ("127.0.0.1", true),
            ("192.168.1.7", true),
            ("localhost", true),
            ("f1", true),
            ("evil.example", false),
            ("games.example.evil.example", false),
            ("arcade.example", false),
        ] {
            assert_eq!(origins.answers_to(&Name::parse(name).unwrap()), known, "{name}");
        }
    }
}
