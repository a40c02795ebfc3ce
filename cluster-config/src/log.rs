//! Which kind of log a node keeps.

use serde::Deserialize;

/// How the Raft log is kept on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogKind {
    /// In preallocated files of our own: a write waits for the disk once, and for nothing
    /// else.
    Segments,
    /// As builds before it kept it, by the crate raft-log. To go back to such a build, start
    /// this one with it first.
    #[default]
    RaftLog,
}
