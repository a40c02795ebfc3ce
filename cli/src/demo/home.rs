//! A demo's folder: the key, the configurations, the logs, and the lock that
//! keeps a second demo out.

use std::{
    fs::{self, File, TryLockError},
    io,
    net::{SocketAddr, TcpListener, UdpSocket},
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, bail};
use hangraft_cluster_config::{ClusterKey, private};
use tempfile::TempDir;

use crate::demo::plan::Plan;

/// A folder that belongs to one running demo.
pub(super) struct Home {
    dir: PathBuf,
    /// Removed when dropped, which is why it comes before the lock.
    temporary: Option<TempDir>,
    /// Locked for as long as the demo runs, however it ends.
    _lock: File,
}

/// The configuration of a demo's process.
pub(crate) fn config_file(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.toml"))
}

/// What a demo's process logged, over all its lives.
pub(super) fn log_file(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.log"))
}

impl Home {
    /// Takes a folder, or a temporary one. Its path becomes absolute, as it will
    /// stand in the command lines of processes.
    pub(super) fn open(dir: Option<&Path>) -> anyhow::Result<Self> {
        let temporary = match dir {
            Some(_) => None,
            None => Some(TempDir::with_prefix("hangraft-").context("cannot make a folder")?),
        };
        let dir = dir.or(temporary.as_ref().map(TempDir::path)).expect("one of the two");
        fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let dir = dir.canonicalize().with_context(|| format!("cannot find {}", dir.display()))?;
        let lock = lock(&dir)?;
        close(&dir).with_context(|| format!("cannot close {} to others", dir.display()))?;
        Ok(Self { dir, temporary, _lock: lock })
    }

    /// The folder's absolute path.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Keeps a temporary folder, so that someone can look into its logs.
    pub(super) fn keep(&mut self) {
        _ = self.temporary.take().map(TempDir::keep);
    }

    /// Writes what the planned processes will read. A key that is there stays.
    pub(super) fn prepare(&self, plan: &Plan) -> anyhow::Result<()> {
        let key = ClusterKey::in_folder(&self.dir);
        if key.exists() { ClusterKey::load(&key) } else { ClusterKey::create(&key) }?;
        for i in 0..plan.nodes.len() {
            self.prepare_node(plan, i)?;
        }
        for (i, frontend) in plan.frontends.iter().enumerate() {
            self.write(&frontend.name, &plan.frontend_toml(i))?;
        }
        Ok(())
    }

    /// The same for one node, by its place from 0.
    pub(super) fn prepare_node(&self, plan: &Plan, i: usize) -> anyhow::Result<()> {
        self.write(&plan.nodes[i].name, &plan.node_toml(i))
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = config_file(&self.dir, name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Closes to others what an earlier demo left open, logs and data with hidden words in it;
/// and the folder too, when there is nothing else in it.
fn close(dir: &Path) -> io::Result<()> {
    let mut strange = false;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        match entry.file_name().to_str().is_some_and(is_a_demos) {
            true if entry.file_type()?.is_symlink() => {}
            true => private::close_to_others(&entry.path())?,
            false => strange = true,
        }
    }
    if strange { Ok(()) } else { private::close_to_others(dir) }
}

/// Whether a demo writes a file, or a folder, of this name.
fn is_a_demos(name: &str) -> bool {
    let stem = name.strip_suffix(".toml").or_else(|| name.strip_suffix(".log")).unwrap_or(name);
    let number = stem.strip_prefix(['n', 'f']).unwrap_or_default();
    ["cluster.key", "control.sock", "demo.json", "demo.lock"].contains(&name)
        || !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn lock(dir: &Path) -> anyhow::Result<File> {
    let path = dir.join("demo.lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("a demo is already running in {}; stop it or choose another --dir", dir.display())
        }
        Err(TryLockError::Error(err)) => {
            Err(err).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

/// Sees that every port of a plan that is this machine's is free, before anything is started.
pub(super) fn check_ports(plan: &Plan) -> anyhow::Result<()> {
    // A namespace has ports of its own.
    for node in plan.nodes.iter().filter(|node| node.namespace.is_none()) {
        check_node_port(node.address)?;
    }
    plan.frontends.iter().try_for_each(|frontend| check_port(frontend.address, "--port"))
}

/// Sees that a node's port is free, for both of its languages.
pub(super) fn check_node_port(address: SocketAddr) -> anyhow::Result<()> {
    check_port(address, "--node-port")?;
    // Gossip.
    UdpSocket::bind(address).map(drop).map_err(|err| busy(address, "--node-port", &err))
}

fn check_port(address: SocketAddr, option: &str) -> anyhow::Result<()> {
    TcpListener::bind(address).map(drop).map_err(|err| busy(address, option, &err))
}

fn busy(address: SocketAddr, option: &str, err: &io::Error) -> anyhow::Error {
    let port = address.port();
    match err.kind() {
        io::ErrorKind::AddrInUse => {
            anyhow!("port {port} is in use; stop what uses it or choose others with {option}")
        }
        _ => anyhow!("cannot use port {port} ({err}); choose others with {option}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::demo::plan::Wanted;

    const LOCALHOST: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    /// Two demos in one folder would write over each other.
    #[test]
    fn a_folder_belongs_to_one_demo() {
        let dir = TempDir::new().unwrap();
        let first = Home::open(Some(dir.path())).unwrap();
        let err = Home::open(Some(dir.path())).err().expect("taken");
        assert!(err.to_string().contains("already running in"), "{err}");
        drop(first);
        Home::open(Some(dir.path())).expect("free again");
    }

    #[test]
    fn a_temporary_folder_goes_with_its_demo_unless_kept() {
        let home = Home::open(None).unwrap();
        let dir = home.dir().to_owned();
        assert!(dir.exists());
        drop(home);
        assert!(!dir.exists());

        let mut home = Home::open(None).unwrap();
        let dir = home.dir().to_owned();
        home.keep();
        drop(home);
        assert!(dir.exists());
        fs::remove_dir_all(dir).unwrap();
    }

    /// A second start in the same folder must find the games it left, so the key stays.
    #[test]
    fn a_folder_keeps_its_key() {
        let dir = TempDir::new().unwrap();
        let wanted = Wanted {
            nodes: None,
            node_port: None,
            spares: None,
            frontends: 1,
            port: 8080,
            namespaces: vec![],
            host: LOCALHOST,
            lan: vec![],
            limits: true,
        };
        let plan = Plan::new(&wanted, None).unwrap();
        let home = Home::open(Some(dir.path())).unwrap();
        home.prepare(&plan).unwrap();
        let key = ClusterKey::load(&ClusterKey::in_folder(dir.path())).unwrap();
        home.prepare(&plan).unwrap();
        assert_eq!(key, ClusterKey::load(&ClusterKey::in_folder(dir.path())).unwrap());
    }

    /// What an earlier version left open is closed; what is not a demo's stays as it is, and
    /// so does the folder that it shares with it.
    #[test]
    fn what_was_open_to_others_is_closed() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let open = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        let dir = TempDir::new().unwrap();
        let (log, data) = (log_file(dir.path(), "n1"), dir.path().join("n1"));
        fs::write(&log, "").unwrap();
        fs::create_dir(&data).unwrap();
        open(&log, 0o644);
        open(&data, 0o755);
        open(dir.path(), 0o755);
        drop(Home::open(Some(dir.path())).unwrap());
        assert_eq!([mode(&log), mode(&data), mode(dir.path())], [0o600, 0o700, 0o700]);
        let other = dir.path().join("notes.txt");
        fs::write(&other, "").unwrap();
        open(&other, 0o644);
        open(&log, 0o644);
        open(dir.path(), 0o755);
        drop(Home::open(Some(dir.path())).unwrap());
        assert_eq!([mode(&log), mode(&other), mode(dir.path())], [0o600, 0o644, 0o755]);
    }

    #[test]
    fn a_busy_port_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let wanted = Wanted {
            nodes: None,
            node_port: None,
            spares: None,
            frontends: 1,
            port,
            namespaces: vec![],
            host: LOCALHOST,
            lan: vec![],
            limits: true,
        };
        let mut plan = Plan::new(&wanted, None).unwrap();
        plan.nodes.clear();
        let err = format!("{:#}", check_ports(&plan).unwrap_err());
        let advice = "stop what uses it or choose others with --port";
        assert_eq!(err, format!("port {port} is in use; {advice}"));
    }
}
