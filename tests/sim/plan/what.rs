//! What can go wrong on a day, and who is meant.

use crate::world::disk::Deed;
use std::fmt;

/// A node to hurt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Whoever leads then.
    Leader,
    /// The first that runs and does not.
    Follower,
    /// This one, from 0, of those that are in service then.
    Node(usize),
    /// The node of this id.
    Called(u64),
}

/// Which traffic a cut concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Traffic {
    All,
    /// Raft and players, but not gossip.
    Streams,
    /// Only gossip.
    Datagrams,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// All cuts and delays between machines end.
    Heal,
    /// A node hears and reaches no other.
    Isolate(Target, Traffic),
    /// A node is heard by no other, or hears no other.
    OneWay(Target, Direction),
    /// A minority with this node, and the rest, do not hear each other.
    Halves(Target),
    /// The same, but this node hears both.
    Bridge(Target),
    /// Each node hears only its two neighbours.
    Ring,
    /// One pair does not hear each other.
    Pair(usize, usize),
    /// What one node sends does not reach the other, or neither hears the other.
    Between { from: Target, to: Target, both_ways: bool },
    /// The frontends do not reach a node.
    CutFrontends(Target),
    /// Packets from and to a node take up to so many milliseconds.
    Delay(Target, u64),
    /// Of a million packets between nodes, so many are lost from now on.
    Loss(u64),
    /// A node is gone and comes back: with the power, or as a killed process.
    Crash { target: Target, power: bool, down_ms: u64 },
    /// A node crashes right after it has done this for the next time.
    CrashAt { target: Target, deed: Deed, down_ms: u64 },
    /// The leader crashes. So soon after the first vote for a candidate all others lose their
    /// power; whatever was cut is healed, and the candidate is cut off.
    TearElection { after_us: u64, down_ms: u64, leader_down_ms: u64 },
    /// All nodes lose their power at once.
    Blackout { down_ms: u64 },
    /// A node stands still; with its clock, if it is frozen.
    Pause { target: Target, frozen: bool, millis: u64 },
    /// A node is stopped in good order and comes back.
    Restart { target: Target, down_ms: u64 },
    /// A node that does not run is started before its time.
    Start(Target),
    /// A node that stands still goes on before its time.
    Resume(Target),
    /// A node's disk becomes slow, and good again.
    SlowDisk { target: Target, millis: u64 },
    /// A node's disk is full; the node stops, and is started until there is space.
    FullDisk { target: Target, millis: u64 },
    /// A node's syncs fail; the node stops, and comes back with another disk's luck.
    FailFsync { target: Target, millis: u64 },
    /// A node's time of day jumps by so many milliseconds.
    Skew(Target, i64),
    /// All disks are put aside as they are: somebody takes snapshots of the machines.
    KeepDisks,
    /// A machine loses its power, and comes back with the disk that was put aside; if the
    /// others have all that it had promised since.
    SetBack { target: Target, down_ms: u64 },
    /// A frontend is gone and comes back.
    FrontendCrash { frontend: usize, down_ms: u64 },
    /// A disk is copied while its machine runs, and started after so long on a further
    /// machine, by its number among those.
    Copy { target: Target, to: usize, after_ms: u64 },
    /// A machine breaks, and its disk is started after so long in a further machine, which
    /// has another address.
    Migrate { target: Target, to: usize, after_ms: u64 },

    /// A member comes or goes, which need not be wrong.
    Move(Move),
}

/// A member comes or goes, or somebody asks that one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// A machine that was not there in the beginning starts, and joins; by its number
    /// among those that may, from 0.
    Join(usize),
    /// An operator asks for something.
    Ask(Request),
    /// A machine is gone for ever, if the rest can do without it.
    Perish(Target),
    /// A machine comes back with an empty disk, and does not know better than that it is
    /// who it was; if the rest can do without what it had.
    Wipe { target: Target, down_ms: u64 },
    /// A machine whose node is gone for good, if there is one, joins as a new node.
    ComeBack,
    /// A node that is gone for good is started once more, by mistake.
    StartSpent,
}

/// What an operator asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// So many voters.
    Voters(u32),
    /// That a voter is replaced when it was silent for so many milliseconds.
    ReplaceAfter(u64),
    /// That this node leads, or somebody else than now.
    Transfer(Option<Target>),
    /// That a node leaves.
    Leave(Target),
    /// That a node leaves, and the one on the next machine, at once.
    LeaveBoth(Target),
}

/// In one direction only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Out,
    In,
}

impl What {
    /// The same for so many milliseconds, if it is something that lasts by itself.
    pub(super) fn lasting(self, ms: u64) -> Self {
        match self {
            What::Crash { target, power, .. } => What::Crash { target, power, down_ms: ms },
            What::Blackout { .. } => What::Blackout { down_ms: ms },
            What::Restart { target, .. } => What::Restart { target, down_ms: ms },
            What::Pause { target, frozen, .. } => What::Pause { target, frozen, millis: ms },
            What::SlowDisk { target, .. } => What::SlowDisk { target, millis: ms },
            What::FullDisk { target, .. } => What::FullDisk { target, millis: ms },
            What::FailFsync { target, .. } => What::FailFsync { target, millis: ms },
            other => other,
        }
    }

    /// The nodes that are meant, where it is said which.
    pub(crate) fn targets(&self) -> Vec<Target> {
        match self {
            What::Isolate(target, _)
            | What::OneWay(target, _)
            | What::Halves(target)
            | What::Bridge(target)
            | What::CutFrontends(target)
            | What::Delay(target, _)
            | What::Skew(target, _)
            | What::Start(target)
            | What::Resume(target)
            | What::Crash { target, .. }
            | What::CrashAt { target, .. }
            | What::Pause { target, .. }
            | What::Restart { target, .. }
            | What::SlowDisk { target, .. }
            | What::FullDisk { target, .. }
            | What::FailFsync { target, .. }
            | What::SetBack { target, .. } => vec![*target],
            What::Between { from, to, .. } => vec![*from, *to],
            _ => Vec::new(),
        }
    }

    /// Whether it lasts until the network is healed.
    pub(crate) fn is_of_network(&self) -> bool {
        matches!(
            self,
            What::Isolate(..)
                | What::OneWay(..)
                | What::Halves(_)
                | What::Bridge(_)
                | What::Ring
                | What::Pair(..)
                | What::Between { .. }
                | What::CutFrontends(_)
                | What::Delay(..)
                | What::Loss(_)
        )
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Leader => f.write_str("the leader"),
            Target::Follower => f.write_str("a follower"),
            Target::Node(number) => write!(f, "n{}", number + 1),
            Target::Called(id) => write!(f, "n{id}"),
        }
    }
}
