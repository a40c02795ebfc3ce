//! What a cluster is made of: the configuration of a [node](NodeConfig) and of a
//! [frontend](FrontendConfig), the [key](ClusterKey) they share, and the
//! [names](RoomNames) that rooms have in public.
//!
//! Configuration is TOML, overridden by the environment: `HANGRAFT_NODE_DATA_DIR`
//! or, for what is nested, `HANGRAFT_NODE_RAFT__HEARTBEAT_MS`. What a `load`
//! returns is good to use as it is: unknown keys are refused, every relation
//! between settings is checked once, here, and a relative path in a file has
//! become relative to that file.
//!
//! # Not here
//!
//! Limits that change what a command does to the lobby (rooms per group, names,
//! chat lines). All replicas must agree on those, so they are constants of the
//! lobby and no setting of one machine.

mod block;
mod error;
mod file;
mod frontend;
mod key;
mod log;
mod name;
mod node;
pub mod private;
mod rooms;

pub use block::{AddressBlock, NoAddressBlock};
pub use error::ConfigError;
pub use frontend::{FrontendConfig, FrontendLimits};
pub use key::{ClusterKey, KEY_BYTES, KeyError};
pub use log::LogKind;
pub use name::is_name;
pub use node::{
    ClusterConfig, GossipConfig, LimitsConfig, Member, MembershipConfig, NodeConfig, RaftConfig,
};
pub use rooms::RoomNames;
