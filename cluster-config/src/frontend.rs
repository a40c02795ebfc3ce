//! The configuration of one frontend.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{
    block::AddressBlock,
    error::{ConfigError, ensure},
    file::{self, FromFile},
};

/// One frontend: where browsers reach it, and which nodes it asks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrontendConfig {
    /// Where it listens for HTTP. Port 0 lets the system choose.
    pub address: SocketAddr,
    /// Nodes to ask first. One that answers is enough: it names the others.
    pub nodes: Vec<SocketAddr>,
    /// The file with the cluster's key.
    pub key_file: PathBuf,
    /// The URLs of all frontends, this one too, as browsers write them. A page
    /// that loses its frontend turns to another of these.
    #[serde(default)]
    pub frontends: Vec<String>,
    /// Further names by which browsers and scrapers may call this frontend, without
    /// scheme and port. It always answers to the hosts of `frontends` and `addresses`, to
    /// IP addresses, and to names that are in no public DNS (`localhost`, those without a dot, those that
    /// end in `.local`, `.internal` or `.home.arpa`); to any other it says 421.
    #[serde(default)]
    pub names: Vec<String>,
    /// Further origins whose pages may open a socket. The frontend's own host
    /// and those of `frontends` always may.
    #[serde(default)]
    pub origins: Vec<String>,
    /// Where else people find this frontend, as browsers write it: a page that was opened
    /// at an address of its own machine alone shares one of these. May be empty.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// The proxies in front of it, as single addresses or as blocks like `10.0.0.0/24`.
    /// What one of these says in `X-Forwarded-For` is believed: the last address in it
    /// that is no trusted proxy's is the browser's. Empty by default: then nothing is
    /// believed, and whoever connects is the browser.
    #[serde(default)]
    pub trusted_proxies: Vec<AddressBlock>,
    /// What one frontend takes on.
    #[serde(default)]
    pub limits: FrontendLimits,
}

/// What one frontend takes on, and how fast players, and all behind one address, may be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FrontendLimits {
    /// Actions of one player in 20 seconds; more are refused with `too-fast`.
    /// 0 for no limit.
    pub actions_per_20s: u32,
    /// Rooms one player may open in a minute; more are refused with `too-fast`.
    /// 0 for no limit.
    pub rooms_per_minute: u32,
    /// New guests from one address (IPv4), or one /64 (IPv6), in a minute; more are told
    /// `too-fast`. People behind one router share it. 0 for no limit.
    pub guests_per_minute_from_address: u32,
    /// Rooms opened from one address or /64 in a minute, by whomever; more are refused
    /// with `too-fast`. 0 for no limit.
    pub rooms_per_minute_from_address: u32,
    /// New guests at this frontend in a minute, from everywhere. 0 for no limit.
    pub guests_per_minute_in_all: u32,
    /// Rooms opened at this frontend in a minute, from everywhere. 0 for no limit.
    pub rooms_per_minute_in_all: u32,
    /// Open sockets. For one more, the oldest that has not said hello is closed; when
    /// all have, it is turned away with status 503. The last twentieth is for players
    /// who come back with a token: new guests are told `full`, and `/readyz` says so.
    pub sockets_max: u32,
    /// Open sockets of one address (of one /64 in IPv6); one more is turned away with
    /// status 429. 0 for no limit.
    pub sockets_per_address: u32,
    /// Connections at once, sockets included; for one more, the one that is silent
    /// longest is closed. At most a thousand more than `sockets_max`, which is what 0
    /// stands for; and no more than the system's limit of open files allows.
    pub connections_max: u32,
}

impl FrontendConfig {
    /// Reads a file and the `HANGRAFT_FRONTEND_` environment variables on top of
    /// it. Relative paths are relative to the file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        file::load(path)
    }

    /// A frontend with the defaults.
    pub fn new(address: SocketAddr, nodes: Vec<SocketAddr>, key_file: PathBuf) -> Self {
        Self {
            address,
            nodes,
            key_file,
            frontends: Vec::new(),
            names: Vec::new(),
            origins: Vec::new(),
            addresses: Vec::new(),
            trusted_proxies: Vec::new(),
            limits: FrontendLimits::default(),
        }
    }

    /// Holds everything that must be true before a frontend may start.
    pub fn check(&self) -> Result<(), ConfigError> {
        ensure(!self.nodes.is_empty(), "nodes", || {
            "is empty; write the address of at least one node".into()
        })?;
        for node in &self.nodes {
            ensure(node.port() != 0 && !node.ip().is_unspecified(), "nodes", || {
                format!("has {node}, which nobody can connect to")
            })?;
        }
        let different: BTreeSet<_> = self.nodes.iter().collect();
        ensure(different.len() == self.nodes.len(), "nodes", || {
            "names the same address twice".into()
        })?;
        for (setting, urls) in [
            ("frontends", &self.frontends),
            ("origins", &self.origins),
            ("addresses", &self.addresses),
        ] {
            urls.iter().try_for_each(|url| check_origin(setting, url))?;
        }
        self.names.iter().try_for_each(|name| check_name(name))?;
        ensure(self.limits.sockets_max >= 1, "limits.sockets_max", || {
            "is 0; nobody could connect".into()
        })
    }
}

impl FromFile for FrontendConfig {
    const ENV_PREFIX: &'static str = "HANGRAFT_FRONTEND_";

    fn resolve(&mut self, folder: &Path) {
        self.key_file = folder.join(&self.key_file);
    }

    fn check(&self) -> Result<(), ConfigError> {
        FrontendConfig::check(self)
    }
}

impl FrontendLimits {
    /// Nobody is held to any pace, and sockets may all come from one address: for benches, and tests of other things.
    pub fn no_pace() -> Self {
        Self {
            actions_per_20s: 0,
            rooms_per_minute: 0,
            guests_per_minute_from_address: 0,
            rooms_per_minute_from_address: 0,
            guests_per_minute_in_all: 0,
            rooms_per_minute_in_all: 0,
            sockets_per_address: 0,
            ..Self::default()
        }
    }
}

impl Default for FrontendLimits {
    fn default() -> Self {
        Self {
            actions_per_20s: 100,
            rooms_per_minute: 20,
            guests_per_minute_from_address: 120,
            rooms_per_minute_from_address: 60,
            guests_per_minute_in_all: 3_000,
            rooms_per_minute_in_all: 1_000,
            sockets_max: 10_000,
            sockets_per_address: 500,
            connections_max: 0,
        }
    }
}

/// A name as a browser sends it in `Host`, without a port.
fn check_name(name: &str) -> Result<(), ConfigError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    ensure(!name.is_empty() && name.chars().all(fits), "names", || {
        format!(
            "has {name:?}; write it like \"games.example\", without scheme and port, and other letters than ASCII as browsers do (xn--...)"
        )
    })
}

/// An origin as a browser sends it: scheme, host and perhaps a port, no path.
fn check_origin(setting: &'static str, url: &str) -> Result<(), ConfigError> {
    let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let good = host.is_some_and(|host| {
        !host.is_empty() && host.chars().all(|c| c.is_ascii_graphic() && !"/?#@\\\"'".contains(c))
    });
    ensure(good, setting, || {
        format!(
            "has {url:?}; write it like \"http://games.example:8080\", without a path, and other letters than ASCII as browsers do (xn--...)"
        )
    })
}
