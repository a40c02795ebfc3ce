//! What is where in a data folder.

/// Where snapshots are, and who the node is.
pub(super) const STATE: &str = "state";

/// How the names of files in the making end there.
pub(super) const TEMPORARY: &str = "tmp";
