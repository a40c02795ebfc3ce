//! The configuration of one frontend.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{
    ConfigError,
    error::ensure,
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
    /// Further origins whose pages may open a socket. The frontend's own host
    /// and those of `frontends` always may.
    #[serde(default)]
    pub origins: Vec<String>,
    /// Where else people find this frontend, as browsers write it: a page that was opened
    /// at an address of its own machine alone shares one of these. May be empty.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// What one frontend takes on.
    #[serde(default)]
    pub limits: FrontendLimits,
}

/// What one frontend takes on, and how fast one player may be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FrontendLimits {
    /// Actions of one player in 20 seconds; more are refused with `too-fast`.
    /// 0 for no limit.
    pub actions_per_20s: u32,
    /// Rooms one player may open in a minute; more are refused with `too-fast`.
    /// 0 for no limit.
    pub rooms_per_minute: u32,
    /// Open sockets; one more is turned away with status 503.
    pub sockets_max: u32,
}

impl FrontendConfig {
    /// Reads a file and the `HANGRAFT_FRONTEND_` environment variables on top of
    /// it. Relative paths are relative to the file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        file::load(path)
    }

    /// A frontend with the defaults.
    pub fn new(address: SocketAddr, nodes: Vec<SocketAddr>, key_file: PathBuf) -> Self {
        let (frontends, origins, addresses) = Default::default();
        Self {
            address,
            nodes,
            key_file,
            frontends,
            origins,
            addresses,
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

impl Default for FrontendLimits {
    fn default() -> Self {
        Self { actions_per_20s: 100, rooms_per_minute: 20, sockets_max: 10_000 }
    }
}

/// An origin as a browser sends it: scheme, host and perhaps a port, no path.
fn check_origin(setting: &'static str, url: &str) -> Result<(), ConfigError> {
    let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let good = host.is_some_and(|host| {
        !host.is_empty() && host.chars().all(|c| c.is_ascii_graphic() && !"/?#@\\\"'".contains(c))
    });
    ensure(good, setting, || {
        format!("has {url:?}; write it like \"http://games.example:8080\", without a path")
    })
}
