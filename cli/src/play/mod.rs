//! Players of a cluster, and who watches them: what `hangraft check` and `hangraft lab` share.
//!
//! Players come in through frontends' sockets and straight at nodes; reads go to any node.
//! What they ask and are told, what nodes tell and what becomes of processes goes into one
//! [`record::Record`].

pub(crate) mod client;
pub(crate) mod manner;
pub(crate) mod reads;
pub(crate) mod record;
pub(crate) mod scenario;
pub(crate) mod script;
pub(crate) mod stage;
pub(crate) mod table;
pub(crate) mod watch;
pub(crate) mod way;
pub(crate) mod workload;
