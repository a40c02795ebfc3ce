//! What is below deck: the nodes that carry the game, as far as a player may know them.

use hangraft_ids::{NodeId, Term};
use serde::{Deserialize, Serialize};

use super::push::{self, text};

/// The nodes, as the frontend that says so knows them. Nodes are known by their numbers
/// only: where they are is nobody's business here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deck {
    /// The leader's term; without a leader, the newest that was heard of. Nothing before
    /// any node has spoken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<Term>,
    /// Who leads, when somebody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader: Option<NodeId>,
    /// While nobody leads: who led last, if anybody ever did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<NodeId>,
    /// For how long it has been so, in milliseconds: led by that leader, or by nobody.
    pub for_ms: u64,
    /// The node through which rooms are watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<NodeId>,
    /// All nodes that are known, by their numbers.
    pub nodes: Vec<Aboard>,
}

/// A node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aboard {
    /// Its number.
    pub node: NodeId,
    /// Whether it votes; otherwise it is a learner. Nothing when nobody has said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub votes: Option<bool>,
    /// Whether the frontend hears it now.
    pub heard: bool,
}

impl Deck {
    /// The push as a frame.
    pub fn text(&self) -> String {
        text(push::DECK, self)
    }
}
