//! What a cluster may do only when all its members can.

use std::fmt;

/// Something that may come into the log only when every member knows it: a build that
/// does not would stop there. Gossip, the log and operators know it by its name, as it is
/// displayed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// A game.
    Game(String),
    /// Batches that say how much time passes, and the lobby's rules of their time: all
    /// that came with them, commands too, is used from the first such batch on.
    MeasuredTime,
    /// That rooms have hosts, and presence is by room: commands, answers and stored forms.
    Hosts,
}

impl Feature {
    /// All but the games.
    pub const REST: [Feature; 2] = [Feature::MeasuredTime, Feature::Hosts];
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Feature::Game(game) => write!(f, "game:{game}"),
            Feature::MeasuredTime => f.write_str("batch:2"),
            Feature::Hosts => f.write_str("rooms:hosts"),
        }
    }
}
