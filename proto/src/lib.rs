//! The wire: generated types for players ([`v1::game_client`]), operators
//! ([`v1::cluster_client`]) and replicas ([`v1::raft_client`]), and the contract of the
//! browsers' sockets ([`socket`]).
//!
//! The `.proto` files beside this crate are the documentation of the first three; nothing
//! here knows a rule of any game. Domain types do not depend on these: one file per crate converts.

pub mod channel;
pub mod host;
pub mod map;
pub mod net;
pub mod pass;
pub mod sampling;
pub mod socket;

/// Package `hangraft.v1`.
#[allow(missing_docs, unreachable_pub, reason = "generated; documented in the .proto files")]
#[allow(clippy::all, reason = "generated")]
pub mod v1 {
    tonic::include_proto!("hangraft.v1");
}

/// All descriptors, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.bin"));

/// The metadata entry that carries an access token, made from the cluster key: a
/// frontend's, an operator's or another node's.
pub const ACCESS_HEADER: &str = "hangraft-access";

/// The metadata entry of a link by which a node says which cluster it means. One of
/// another cluster refuses.
pub const CLUSTER_HEADER: &str = "hangraft-cluster";

/// The largest gRPC message either side sends or takes, in bytes. Batches are
/// cut well below it; a larger one is refused by the receiver.
pub const MESSAGE_BYTES_MAX: usize = 16 << 20;
