//! Nodes that this user runs on this machine, as their command lines tell (on Linux;
//! elsewhere none are found). Their keys need not be named.

use std::{
    ffi::OsString,
    fs, io,
    net::{IpAddr, SocketAddr},
    os::unix::{ffi::OsStringExt, fs::MetadataExt},
    path::{Path, PathBuf},
};

use hangraft_cluster_config::{ClusterKey, NodeConfig};

/// The key of the cluster that the node at this address belongs to, if one of this user's
/// processes here is that node, or one that was configured with it.
pub(crate) fn key_file(node: SocketAddr) -> Option<PathBuf> {
    let running: Vec<Running> = processes().ok()?.filter_map(|pid| Running::of(&pid)).collect();
    let itself = running.iter().find(|running| running.listens_at(node));
    let one = itself.or_else(|| running.iter().find(|running| running.others.contains(&node)))?;
    Some(one.key_file.clone())
}

/// The folders of this user's processes in `/proc`. Those of others do not count: what
/// their command lines say is theirs to choose.
fn processes() -> io::Result<impl Iterator<Item = PathBuf>> {
    let me = fs::metadata("/proc/self")?.uid();
    let mine = move |path: &PathBuf| fs::metadata(path).is_ok_and(|meta| meta.uid() == me);
    Ok(fs::read_dir("/proc")?.filter_map(|entry| Some(entry.ok()?.path())).filter(mine))
}

/// A node that runs.
#[derive(Debug, PartialEq, Eq)]
struct Running {
    address: SocketAddr,
    others: Vec<SocketAddr>,
    key_file: PathBuf,
}

impl Running {
    fn of(process: &Path) -> Option<Self> {
        let line = fs::read(process.join("cmdline")).ok()?;
        let words: Vec<OsString> =
            line.split(|byte| *byte == 0).map(|word| OsString::from_vec(word.to_vec())).collect();
        if words.get(1)? != "node" {
            return None;
        }
        Self::understood(&words, &fs::read_link(process.join("cwd")).ok()?)
    }

    /// What a command line says that was given in this folder.
    fn understood(words: &[OsString], folder: &Path) -> Option<Self> {
        let value = |option: &str| {
            let at = words.iter().position(|word| word == option);
            let glued = || {
                words.iter().find_map(|word| word.to_str()?.strip_prefix(option)?.strip_prefix('='))
            };
            at.map(|at| words.get(at + 1).cloned()).unwrap_or_else(|| glued().map(OsString::from))
        };
        if let Some(file) = value("--config") {
            let config = NodeConfig::load(&folder.join(file)).ok()?;
            let reached = config.reached_at();
            let members = config.cluster.members.iter().map(|member| member.address);
            let others = members.chain(config.cluster.seeds.iter().copied()).chain([reached]);
            let others = others.collect();
            return Some(Self {
                address: config.address,
                others,
                key_file: config.cluster.key_file,
            });
        }
        let address = value("--address")?.to_str()?.parse().ok()?;
        let key_file = ClusterKey::in_folder(&folder.join(value("--dir")?));
        Some(Self { address, others: Vec::new(), key_file })
    }

    /// Whether it is what answers at an address, as far as that is this machine's.
    fn listens_at(&self, node: SocketAddr) -> bool {
        let everywhere = self.address.ip().is_unspecified() && node.ip().is_loopback();
        let (ours, theirs): (IpAddr, IpAddr) = (self.address.ip(), node.ip());
        self.address.port() == node.port()
            && (ours.to_canonical() == theirs.to_canonical() || everywhere)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(line: &str) -> Option<Running> {
        let words: Vec<_> = line.split(' ').map(OsString::from).collect();
        Running::understood(&words, Path::new("/here"))
    }

    /// A command line says where a node is and where its key is.
    #[test]
    fn a_command_line_leads_to_the_key() {
        let running = understood("hangraft node --address 127.0.0.1:7101 --dir data").unwrap();
        assert_eq!(running.key_file, Path::new("/here/data/cluster.key"));
        assert!(running.listens_at("127.0.0.1:7101".parse().unwrap()));
        assert!(!running.listens_at("127.0.0.1:7102".parse().unwrap()));
        let running = understood("hangraft node --dir=/d --address=0.0.0.0:7101 --wait").unwrap();
        assert_eq!(running.key_file, Path::new("/d/cluster.key"));
        assert!(running.listens_at("127.0.0.1:7101".parse().unwrap()));
        assert!(!running.listens_at("10.0.0.1:7101".parse().unwrap()), "it may be another's");
        for nothing in ["hangraft node", "hangraft node --config /nowhere.toml", "x node --dir"] {
            assert_eq!(understood(nothing), None, "{nothing}");
        }
    }

    /// The files that we ship say who the others are, whose key is the same.
    #[test]
    fn a_configuration_leads_to_the_others() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cluster-config/local/node1.toml");
        let running = understood(&format!("hangraft node --config {}", file.display())).unwrap();
        assert_eq!(running.others.len(), 4, "{running:?}");
        assert!(running.others.iter().any(|other| !running.listens_at(*other)));
    }
}
