//! What clients asked and were told.
//!
//! A call that was not answered for good is unknown: it may have had an effect or not, and
//! may still have one later.

use hangraft_ids::Version;
use serde::{Deserialize, Serialize};

/// A moment among others. In a timeline, microseconds since it began.
pub type Moment = u64;

/// The number of a client: whoever asks one thing after the other.
pub type ClientId = u32;

/// Everything that clients asked and were told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// In the order they were asked.
    pub calls: Vec<Call>,
    /// In the order they came, for each client.
    pub pushes: Vec<Push>,
}

/// A question or a wish, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// When it was first asked.
    #[serde(rename = "at")]
    pub invoked: Moment,
    /// When its last answer came; none when there was none for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<Moment>,
    /// Who asked.
    pub client: ClientId,
    /// Whom it was asked, by name: the one who answered, or the last.
    pub by: String,
    /// The room it is about, by its public name; empty for an opening that has no room yet.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub room: String,
    /// What was asked.
    #[serde(flatten)]
    pub what: What,
    /// What the client knows of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "asked", rename_all = "kebab-case")]
pub enum What {
    /// Something that changes the room, if it is accepted.
    Write {
        /// The socket's word for it, such as "play".
        action: String,
        /// What is added to the room's list of lines, where it adds one: every line is
        /// written once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<String>,
        /// A few words for people, such as "e".
        #[serde(default, skip_serializing_if = "String::is_empty")]
        detail: String,
        /// Whether it is granted, and changes nothing, where it is so already.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        may_change_nothing: bool,
    },
    /// Reads the room.
    Read {
        /// How fresh it has to be.
        #[serde(flatten)]
        level: Level,
    },
}

/// How fresh a read has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "level", rename_all = "kebab-case")]
pub enum Level {
    /// Nothing acknowledged before it began is missing.
    Linearizable,
    /// At least this version.
    AtLeast {
        /// The version.
        least: Version,
    },
    /// What one replica has.
    Local,
}

/// What a client knows of its call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// It may have had an effect, or not.
    Unknown,
    /// It was done.
    Ok {
        /// The version that a write made or found, or that a read showed.
        version: Version,
        /// What a read showed of the room's lines, oldest first; at most the last
        /// [`LINES_SHOWN`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lines: Option<Vec<String>>,
    },
    /// By the cluster, for good: it had no effect.
    Refused {
        /// The code, such as "illegal-move".
        code: String,
    },
}

/// Lines that a room shows.
pub const LINES_SHOWN: usize = 20;

/// A view that came by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    /// When it came.
    pub at: Moment,
    /// To whom.
    pub client: ClientId,
    /// Which room, by its public name.
    pub room: String,
    /// Which version.
    pub version: Version,
    /// It says that versions were left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resync: bool,
    /// It says that the room is over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
}
