//! Bugs that can be planted, to see whether the simulation, `hangraft check` and the light of
//! `hangraft lab` find them.
//!
//! The crates that can carry a bug know this one only with their feature `planted`,
//! which nothing turns on but the simulation's second build, the build of
//! `scripts/faults/bugs` and that of the browser tests; what is shipped, and what the
//! simulation sweeps, has none of it. Even there, a bug is in effect only in a process that
//! asked for it.

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

/// A bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Entries are called durable before they are synced.
    AckBeforeFsync,
    /// A vote is not synced.
    VoteNotSaved,
    /// A node that believes that it leads answers linearizable reads from what it has.
    StaleRead,
    /// A snapshot forgets which attempts were answered.
    SerialsForgotten,
    /// Applying an entry looks at the clock of the machine.
    ApplyLooksAtClock,
    /// What is written to the log is shown before it is committed.
    PushBeforeCommit,
    /// A watch that is resumed leaves out one version.
    ResumeSkipsOne,
    /// A restarted leader goes on in its old term.
    LeaderRestored,
    /// What is asked again is numbered anew.
    RetryNumberedAnew,
    /// Who watches from the gallery sees the word.
    SecretShown,
    /// Requests of replication outlive their answers, and what asks for what is purged is left
    /// to itself.
    StreamAstray,
    /// A snapshot keeps the first membership that there was.
    RemovedVoterCounts,
    /// The lobby lets pass what its leaders' wall clocks differ by.
    WallClockBelieved,
    /// A node whose disk has been set back goes on as if nothing had happened.
    SetBackGoesOn,
    /// Whoever has a node's id and disk is taken for that node.
    CopyIsHeard,
    /// A seek that has led to a game still stands.
    MatchedTwice,
    /// Both of two who are matched are told that the first seat is theirs.
    SeatMistold,
    /// What a player was told last is told again when they come back.
    NoticeTwice,
    /// Time passes in the lobby while nobody leads, when the next leader is there.
    FlagsWithoutLeader,
    /// What is told of a change leaves out one of several fields.
    StepDropsAField,
}

impl Bug {
    /// All of them.
    pub const ALL: [Bug; 20] = [
        Bug::AckBeforeFsync,
        Bug::VoteNotSaved,
        Bug::StaleRead,
        Bug::SerialsForgotten,
        Bug::ApplyLooksAtClock,
        Bug::PushBeforeCommit,
        Bug::ResumeSkipsOne,
        Bug::LeaderRestored,
        Bug::RetryNumberedAnew,
        Bug::SecretShown,
        Bug::StreamAstray,
        Bug::RemovedVoterCounts,
        Bug::WallClockBelieved,
        Bug::SetBackGoesOn,
        Bug::CopyIsHeard,
        Bug::MatchedTwice,
        Bug::SeatMistold,
        Bug::NoticeTwice,
        Bug::FlagsWithoutLeader,
        Bug::StepDropsAField,
    ];

    /// How it is called on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Bug::AckBeforeFsync => "ack-before-fsync",
            Bug::VoteNotSaved => "vote-not-saved",
            Bug::StaleRead => "stale-read",
            Bug::SerialsForgotten => "serials-forgotten",
            Bug::ApplyLooksAtClock => "apply-looks-at-clock",
            Bug::PushBeforeCommit => "push-before-commit",
            Bug::ResumeSkipsOne => "resume-skips-one",
            Bug::LeaderRestored => "leader-restored",
            Bug::RetryNumberedAnew => "retry-numbered-anew",
            Bug::SecretShown => "secret-shown",
            Bug::StreamAstray => "stream-astray",
            Bug::RemovedVoterCounts => "removed-voter-counts",
            Bug::WallClockBelieved => "wall-clock-believed",
            Bug::SetBackGoesOn => "set-back-goes-on",
            Bug::CopyIsHeard => "copy-is-heard",
            Bug::MatchedTwice => "matched-twice",
            Bug::SeatMistold => "seat-mistold",
            Bug::NoticeTwice => "notice-twice",
            Bug::FlagsWithoutLeader => "flags-without-leader",
            Bug::StepDropsAField => "step-drops-a-field",
        }
    }
}

impl FromStr for Bug {
    type Err = UnknownBug;

    fn from_str(name: &str) -> Result<Self, UnknownBug> {
        let named = Bug::ALL.into_iter().find(|bug| bug.name() == name);
        named.ok_or_else(|| UnknownBug(name.to_owned()))
    }
}

/// No bug is called so.
#[derive(Debug)]
pub struct UnknownBug(String);

impl fmt::Display for UnknownBug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Bug::ALL.map(Bug::name).join(", ");
        write!(f, "no bug is called {:?}; there are {names}", self.0)
    }
}

impl Error for UnknownBug {}

/// The planted bug, by its place in [`Bug::ALL`] and one more; 0 for none.
static PLANTED: AtomicUsize = AtomicUsize::new(0);

/// Plants a bug in this process, in the place of the one before.
pub fn plant(bug: Bug) {
    let place = Bug::ALL.iter().position(|other| *other == bug).expect("all are there");
    PLANTED.store(place + 1, Ordering::Relaxed);
}

/// Whether this bug is planted.
pub fn is(bug: Bug) -> bool {
    let planted = PLANTED.load(Ordering::Relaxed);
    planted > 0 && Bug::ALL[planted - 1] == bug
}

/// Whether a bug is planted that makes disks break promises, or leaves those in service that
/// did. It is to be found by what comes of it, so nobody looks for such disks.
pub fn disks_are_believed() -> bool {
    [Bug::AckBeforeFsync, Bug::VoteNotSaved, Bug::SetBackGoesOn].into_iter().any(is)
}

/// The clock that nothing should look at, in milliseconds since 1970.
pub fn clock_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
