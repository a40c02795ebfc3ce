//! What every member must know before it may be logged.

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
    /// That a host opens a room to strangers, or closes it, while it is there.
    Publish,
    /// That strangers meet: offers, notices, contests, ratings, numbers, and batches that
    /// say that all of these are there.
    Matches,
}

impl Feature {
    /// All but the games.
    pub const REST: [Feature; 4] =
        [Feature::MeasuredTime, Feature::Hosts, Feature::Publish, Feature::Matches];
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Feature::Game(game) => write!(f, "game:{game}"),
            Feature::MeasuredTime => f.write_str("batch:2"),
            Feature::Hosts => f.write_str("rooms:hosts"),
            Feature::Publish => f.write_str("rooms:publish"),
            Feature::Matches => f.write_str("lobby:matches"),
        }
    }
}
