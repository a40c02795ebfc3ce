//! `demo.json`: which processes a demo consists of, for scripts and for the
//! commands that break and mend it.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::Context;
use hangraft_ids::NodeId;
use serde::{Deserialize, Serialize};

/// The file's name in the demo's folder.
const FILE: &str = "demo.json";

/// A demo's processes. The form of the file is a contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) nodes: Vec<NodeRecord>,
    pub(crate) frontends: Vec<FrontendRecord>,
}

/// One node's process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeRecord {
    pub(crate) name: String,
    pub(crate) id: NodeId,
    /// The process that last ran it. It may be gone.
    pub(crate) pid: u32,
    pub(crate) address: SocketAddr,
    /// Where its data is.
    pub(crate) dir: PathBuf,
    /// The network namespace that it runs in, if it has one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) namespace: Option<String>,
    /// It is no first member, but has joined as a spare.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) spare: bool,
}

/// One frontend's process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FrontendRecord {
    /// The process that last ran it. It may be gone.
    pub(crate) pid: u32,
    /// The URL to open.
    pub(crate) http: String,
}

/// One process of a demo, node or frontend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) pid: u32,
    pub(crate) role: Role,
}

/// What a process of a demo is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Node(SocketAddr),
    Frontend(SocketAddr),
}

impl Record {
    /// Reads a demo's record; none when no demo has ever run there.
    pub(crate) fn load(dir: &Path) -> anyhow::Result<Option<Self>> {
        let path = dir.join(FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(err) => return Err(err).with_context(|| format!("cannot read {}", path.display())),
        };
        let record = serde_json::from_slice(&text)
            .with_context(|| format!("cannot understand {}", path.display()))?;
        Ok(Some(record))
    }

    /// Reads a demo's record.
    ///
    /// # Errors
    /// Also when no demo has ever run there.
    pub(crate) fn of(dir: &Path) -> anyhow::Result<Self> {
        Self::load(dir)?.with_context(|| {
            let dir = dir.display();
            format!("no demo has run in {dir}; start one with `hangraft demo --dir {dir}`")
        })
    }

    /// Writes the record. Whoever reads at this moment sees the old one or the
    /// new one, never a half.
    pub(crate) fn save(&self, dir: &Path) -> anyhow::Result<()> {
        let path = dir.join(FILE);
        let text = serde_json::to_vec(self).context("cannot write JSON")?;
        let write = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(dir)?;
            io::Write::write_all(&mut file, &text)?;
            file.persist(&path)?;
            Ok(())
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }

    /// Every process, nodes first.
    pub(crate) fn processes(&self) -> impl Iterator<Item = Process> {
        let nodes = self.nodes.iter().map(|node| Process {
            name: node.name.clone(),
            pid: node.pid,
            role: Role::Node(node.address),
        });
        let frontends = self.frontends.iter().zip(1_usize..).filter_map(|(frontend, i)| {
            let address = frontend.http.strip_prefix("http://")?.parse().ok()?;
            let (name, pid) = (super::plan::frontend_name(i), frontend.pid);
            Some(Process { name, pid, role: Role::Frontend(address) })
        });
        nodes.chain(frontends)
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn record() -> Record {
        Record {
            nodes: vec![NodeRecord {
                name: "n1".into(),
                id: NodeId(1),
                pid: 123,
                address: "127.0.0.1:7101".parse().unwrap(),
                dir: "/demo/n1".into(),
                namespace: None,
                spare: false,
            }],
            frontends: vec![FrontendRecord { pid: 124, http: "http://127.0.0.1:8080".into() }],
        }
    }

    /// Scripts read this.
    #[test]
    fn the_file_is_the_promised_one() {
        let dir = TempDir::new().unwrap();
        record().save(dir.path()).unwrap();
        assert_eq!(
            fs::read_to_string(dir.path().join("demo.json")).unwrap(),
            r#"{"nodes":[{"name":"n1","id":1,"pid":123,"address":"127.0.0.1:7101","dir":"/demo/n1"}],"frontends":[{"pid":124,"http":"http://127.0.0.1:8080"}]}"#
        );
        let mut apart = record();
        apart.nodes[0].namespace = Some("hangraft-n1".into());
        apart.save(dir.path()).unwrap();
        let text = fs::read_to_string(dir.path().join("demo.json")).unwrap();
        assert!(text.contains(r#""dir":"/demo/n1","namespace":"hangraft-n1"}"#), "{text}");
        assert_eq!(Record::load(dir.path()).unwrap(), Some(apart));
    }

    /// A second save replaces the first and leaves nothing else behind.
    #[test]
    fn a_record_is_replaced_as_a_whole() {
        let dir = TempDir::new().unwrap();
        assert_eq!(Record::load(dir.path()).unwrap(), None);
        record().save(dir.path()).unwrap();
        let mut changed = record();
        changed.nodes[0].pid = 999;
        changed.save(dir.path()).unwrap();
        assert_eq!(Record::load(dir.path()).unwrap(), Some(changed));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn processes_go_by_name() {
        let names: Vec<_> = record().processes().map(|process| process.name).collect();
        assert_eq!(names, ["n1", "f1"]);
    }
}
