//! Who may ask a lab for what. Plain code.
//!
//! On loopback everybody on this machine may. What has to be kept out there are other
//! people's pages in a browser of this machine. `Host` says whom the browser believes to talk
//! to: a stranger can have a name of theirs lead here (DNS rebinding), so only loopback's own
//! names are answered. `Origin` says where a page is from that asks: only ours may.
//!
//! Where the whole network can ask, whoever has a link may: one link lets its owner break
//! things, the other only watch. A link's token is taken out of the address at once and kept
//! in a cookie that no script and no other site's page can use. Names are not looked at then:
//! a page under a stranger's name has no cookie of ours.

use axum::http::{HeaderMap, Uri, header};
use hangraft_proto::host::{Host, Name};

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum May {
    /// Break things, and show to all what they look at.
    Break,
    /// Look.
    Watch,
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It names no host, or two.
    NoHost,
    /// It means somebody else.
    Misdirected,
    /// Another site's page sends it.
    Foreign,
    /// It shows no token, or a wrong one.
    Unknown,
}

/// Whom a lab lets in.
#[derive(Clone)]
pub(crate) enum Guard {
    /// Everybody on this machine.
    Loopback(May),
    /// Whoever has a token.
    Tokens(Tokens),
}

/// What lets people in.
#[derive(Clone)]
pub(crate) struct Tokens {
    pub(crate) breaks: String,
    pub(crate) watches: String,
    /// The lab's port. Browsers give cookies of one port to the others of a machine.
    pub(crate) port: u16,
}

/// Who is let in, and whether an answer has to give them their cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Admitted {
    pub(super) may: May,
    /// The header that gives it, and where to go on.
    pub(super) moves: Option<(String, String)>,
}

impl Guard {
    /// Looks at a request.
    pub(super) fn admit(&self, uri: &Uri, headers: &HeaderMap) -> Result<Admitted, Refusal> {
        let hosts = headers.get_all(header::HOST).iter().map(|host| host.as_bytes());
        let host = Host::of(uri.authority().map(|authority| authority.as_str()), hosts)
            .map_err(|_| Refusal::NoHost)?;
        if matches!(self, Self::Loopback(_)) && !is_loopback(&host.name) {
            return Err(Refusal::Misdirected);
        }
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let ours = |origin: &[u8]| origin_of(origin).is_some_and(|origin| origin == host);
        if !origins.all(|origin| ours(origin.as_bytes())) {
            return Err(Refusal::Foreign);
        }
        match self {
            Self::Loopback(may) => Ok(Admitted { may: *may, moves: None }),
            Self::Tokens(tokens) => tokens.admit(uri, headers).ok_or(Refusal::Unknown),
        }
    }
}

impl Tokens {
    fn admit(&self, uri: &Uri, headers: &HeaderMap) -> Option<Admitted> {
        let pairs = uri.query().into_iter().flat_map(|query| query.split('&'));
        let mut shown = pairs.filter_map(|pair| pair.split_once('='));
        if let Some((_, token)) = shown.rfind(|(name, _)| ["token", "watch"].contains(name)) {
            let may = self.means(token)?;
            let name = self.cookie_name();
            let cookie = format!("{name}={token}; HttpOnly; SameSite=Strict; Path=/");
            return Some(Admitted { may, moves: Some((cookie, uri.path().to_owned())) });
        }
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|all| all.to_str().ok());
        let cookies = cookies.flat_map(|all| all.split(';')).filter_map(|one| one.split_once('='));
        let name = self.cookie_name();
        let mut ours = cookies.filter(|(one, _)| one.trim() == name);
        let may = ours.find_map(|(_, token)| self.means(token.trim()))?;
        Some(Admitted { may, moves: None })
    }

    fn cookie_name(&self) -> String {
        format!("hangraft_lab_{}", self.port)
    }

    fn means(&self, token: &str) -> Option<May> {
        // Both are looked at whatever the first says.
        let (breaks, watches) = (same(token, &self.breaks), same(token, &self.watches));
        match (breaks, watches) {
            (true, _) => Some(May::Break),
            (false, true) => Some(May::Watch),
            (false, false) => None,
        }
    }
}

/// Compares in a time that tells nothing of where two texts of one length differ.
fn same(one: &str, other: &str) -> bool {
    let differences = one.bytes().zip(other.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && std::hint::black_box(differences) == 0
}

/// Whether it is a name that a machine has for itself.
fn is_loopback(name: &Name) -> bool {
    match name {
        Name::Address(address) => address.is_loopback(),
        Name::Dns(name) => name == "localhost" || name.ends_with(".localhost"),
    }
}

/// The host that a page is from. A lab speaks HTTP only.
fn origin_of(origin: &[u8]) -> Option<Host> {
    let origin = std::str::from_utf8(origin).ok()?;
    Host::parse(origin.strip_prefix("http://")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn admit(guard: &Guard, uri: &str, pairs: &[(&'static str, &str)]) -> Result<May, Refusal> {
        guard.admit(&uri.parse().unwrap(), &headers(pairs)).map(|admitted| admitted.may)
    }

    /// A stranger's name that leads here, and a stranger's page, get nothing.
    #[test]
    fn on_loopback_only_our_own_pages_ask() {
        let guard = Guard::Loopback(May::Break);
        for host in ["127.0.0.1:8090", "localhost:8090", "[::1]:8090", "LOCALHOST.", "127.0.0.9"] {
            assert_eq!(admit(&guard, "/", &[("host", host)]), Ok(May::Break), "{host}");
            let origin = format!("http://{host}");
            let said = admit(&guard, "/do", &[("host", host), ("origin", &origin)]);
            assert_eq!(said, Ok(May::Break), "{host}");
        }
        for host in
            ["evil.example:8090", "127.0.0.1.evil.example", "10.0.0.1:8090", "lab", "0.0.0.0"]
        {
            assert_eq!(admit(&guard, "/", &[("host", host)]), Err(Refusal::Misdirected), "{host}");
        }
        let host = ("host", "127.0.0.1:8090");
        for origin in [
            "http://evil.example",
            "http://127.0.0.1:8080",
            "http://127.0.0.1",
            "http://localhost:8090",
            "https://127.0.0.1:8090",
            "http://127.0.0.1:8090.evil.example",
            "http://127.0.0.1:8090/",
            "null",
            "",
        ] {
            let said = admit(&guard, "/do", &[host, ("origin", origin)]);
            assert_eq!(said, Err(Refusal::Foreign), "{origin}");
        }
        let both = [host, ("origin", "http://127.0.0.1:8090"), ("origin", "http://evil.example")];
        assert_eq!(admit(&guard, "/do", &both), Err(Refusal::Foreign));
        for hosts in [&[][..], &[host, host], &[("host", "a b")], &[("host", "")]] {
            assert_eq!(admit(&guard, "/", hosts), Err(Refusal::NoHost), "{hosts:?}");
        }
        let said = admit(&guard, "http://evil.example/", &[host]);
        assert_eq!(said, Err(Refusal::Misdirected), "a whole URL counts more");
    }

    /// A link lets in, its cookie afterwards; a wrong one does not.
    #[test]
    fn a_token_says_what_somebody_may_do() {
        let tokens = Tokens { breaks: "aaaa".into(), watches: "bbbb".into(), port: 8090 };
        let guard = Guard::Tokens(tokens);
        let host = ("host", "192.168.1.7:8090");
        for (uri, may) in [("/?token=aaaa", May::Break), ("/?watch=bbbb", May::Watch)] {
            let admitted = guard.admit(&uri.parse().unwrap(), &headers(&[host])).unwrap();
            let (cookie, path) = admitted.moves.unwrap();
            assert_eq!((admitted.may, &*path), (may, "/"), "the token leaves the address");
            assert!(cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");
            let cookie = cookie.split(';').next().unwrap();
            assert_eq!(admit(&guard, "/do", &[host, ("cookie", cookie)]), Ok(may));
        }
        let known = ("cookie", "x=y; hangraft_lab_8090=bbbb; z=1");
        assert_eq!(admit(&guard, "/lines", &[host, known]), Ok(May::Watch));
        let foreign = [host, known, ("origin", "http://evil.example")];
        assert_eq!(admit(&guard, "/do", &foreign), Err(Refusal::Foreign));
        for (uri, cookie) in [
            ("/", ""),
            ("/", "hangraft_lab_8090=aaab"),
            ("/", "hangraft_lab_8090="),
            ("/", "hangraft_lab_8091=aaaa"),
            ("/", "hangraft_lab_8090=aaaaa"),
            ("/?token=", ""),
            ("/?token=cccc", "hangraft_lab_8090=aaaa"),
            ("/?watch=", ""),
        ] {
            let said = admit(&guard, uri, &[host, ("cookie", cookie)]);
            assert_eq!(said, Err(Refusal::Unknown), "{uri} {cookie}");
        }
    }
}
