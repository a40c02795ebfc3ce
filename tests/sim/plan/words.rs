//! What a plan holds, in words.

use super::{Direction, Fault, Move, Plan, Request, Target, Traffic, What};
use crate::world::disk::Deed;
use std::fmt;

/// How a machine for a node is called, by its number, where there are so many first members.
pub(crate) fn name_of(first_members: usize, machine: usize) -> String {
    match machine.checked_sub(first_members) {
        None => format!("n{}", machine + 1),
        Some(spare) => format!("s{}", spare + 1),
    }
}

impl Plan {
    /// What else is done than the whole day's faults.
    pub(crate) fn forks_in_words(&self) -> impl Iterator<Item = String> + '_ {
        self.forks.iter().map(|fork| format!("forked at {}: {}", fork.moment(), fork.words()))
    }

    /// All faults to come, each with its number.
    pub(crate) fn faults_in_words(&self) -> impl Iterator<Item = String> + '_ {
        self.numbers.iter().zip(&self.faults).map(|(number, Fault { at_ms, what })| {
            let (seconds, millis) = (at_ms / 1_000, at_ms % 1_000);
            let what = self.in_words(what, &Target::to_string);
            format!("fault {number} at {seconds}.{millis:03}: {what}")
        })
    }

    /// What goes wrong, where somebody knows who is meant.
    pub(crate) fn in_words(&self, what: &What, who: &dyn Fn(&Target) -> String) -> String {
        match what {
            What::Heal => "cuts, delays and losses between machines end".into(),
            What::Crash { target, power, down_ms } => {
                let how = if *power { "loses its power" } else { "is killed" };
                format!("{} {how} for {down_ms} ms", who(target))
            }
            What::CrashAt { target, deed, down_ms } => {
                let who = who(target);
                format!("{who} loses its power for {down_ms} ms as soon as it {deed}")
            }
            What::TearElection { after_us, down_ms, leader_down_ms } => format!(
                "the leader loses its power for {leader_down_ms} ms; {after_us} us after the \
                 first vote for another the voters lose theirs for {down_ms} ms, and the \
                 candidate is cut off"
            ),
            What::Blackout { down_ms } => format!("all nodes lose their power for {down_ms} ms"),
            What::Pause { target, frozen, millis } => {
                let clock = if *frozen { " with its clock" } else { "" };
                format!("{} stands still{clock} for {millis} ms", who(target))
            }
            What::Restart { target, down_ms } => {
                format!("{} is stopped in good order for {down_ms} ms", who(target))
            }
            What::FrontendCrash { frontend, down_ms } => {
                format!("f{} is gone for {down_ms} ms", frontend % self.frontends + 1)
            }
            What::Start(target) => format!("{} starts before its time", who(target)),
            What::Resume(target) => format!("{} goes on before its time", who(target)),
            What::Move(what) => self.move_in_words(what, who),
            network if network.is_of_network() => self.network_in_words(what, who),
            _ => self.disk_in_words(what, who),
        }
    }

    fn network_in_words(&self, what: &What, who: &dyn Fn(&Target) -> String) -> String {
        let name = |machine| name_of(self.nodes, machine);
        match what {
            What::Isolate(target, traffic) => {
                let how = match traffic {
                    Traffic::All => "",
                    Traffic::Streams => " by streams; gossip gets through",
                    Traffic::Datagrams => " by gossip; streams get through",
                };
                format!("{} neither reaches nor hears other nodes{how}", who(target))
            }
            What::OneWay(target, Direction::Out) => {
                format!("{} hears other nodes, and reaches none", who(target))
            }
            What::OneWay(target, Direction::In) => {
                format!("{} reaches other nodes, and hears none", who(target))
            }
            What::Halves(target) => {
                format!("a minority with {} and the rest do not hear each other", who(target))
            }
            What::Bridge(target) => {
                format!("two sides do not hear each other, and {} hears both", who(target))
            }
            What::Pair(one, other) => {
                format!("{} and {} do not hear each other", name(*one), name(*other))
            }
            What::Between { from, to, both_ways: true } => {
                format!("{} and {} do not hear each other", who(from), who(to))
            }
            What::Between { from, to, both_ways: false } => {
                format!("nothing that {} sends reaches {}", who(from), who(to))
            }
            What::CutFrontends(target) => format!("frontends do not reach {}", who(target)),
            What::Delay(target, millis) => {
                format!("packets from and to {} take up to {millis} ms", who(target))
            }
            What::Loss(ppm) => format!("of a million packets between nodes {ppm} are lost"),
            _ => "each node hears only its two neighbours".into(),
        }
    }

    fn disk_in_words(&self, what: &What, who: &dyn Fn(&Target) -> String) -> String {
        let machine = |to: usize| name_of(self.nodes, self.nodes + self.spares + to);
        match what {
            What::SlowDisk { target, millis } => {
                format!("{}'s disk is slow for {millis} ms", who(target))
            }
            What::FullDisk { target, millis } => {
                format!("{}'s disk is full for {millis} ms", who(target))
            }
            What::FailFsync { target, millis } => {
                format!("syncs of {}'s disk fail for {millis} ms", who(target))
            }
            What::Skew(target, millis) => {
                format!("{}'s time of day jumps by {millis} ms", who(target))
            }
            What::SetBack { target, down_ms } => format!(
                "{} loses its power for {down_ms} ms, and its disk becomes what was put aside",
                who(target)
            ),
            What::Copy { target, to, after_ms } => format!(
                "{}'s disk is copied to {}, which starts {after_ms} ms later",
                who(target),
                machine(*to)
            ),
            What::Migrate { target, to, after_ms } => format!(
                "{} breaks; its disk starts in {} {after_ms} ms later, at another address",
                who(target),
                machine(*to)
            ),
            _ => "all disks are put aside as they are".into(),
        }
    }

    fn move_in_words(&self, what: &Move, who: &dyn Fn(&Target) -> String) -> String {
        match what {
            Move::Join(spare) => {
                format!("{} starts, to join", name_of(self.nodes, self.nodes + spare))
            }
            Move::Ask(request) => format!("an operator asks {}", request.in_words(who)),
            Move::Perish(target) => {
                format!("{} is gone for ever, if the rest can do without it", who(target))
            }
            Move::Wipe { target, down_ms } => format!(
                "{}'s disk is emptied, if the rest can do without it; it starts {down_ms} ms later",
                who(target)
            ),
            Move::ComeBack => "a machine whose node is gone for good joins as a new node".into(),
            Move::StartSpent => "a node that is gone for good is started by mistake".into(),
        }
    }
}

impl Request {
    fn in_words(&self, who: &dyn Fn(&Target) -> String) -> String {
        match self {
            Request::Voters(voters) => format!("that {voters} vote"),
            Request::ReplaceAfter(ms) => format!("that a voter is replaced after {ms} ms"),
            Request::Transfer(None) => "that somebody else leads".into(),
            Request::Transfer(Some(to)) => format!("that {} leads", who(to)),
            Request::Leave(target) => format!("{} to leave", who(target)),
            Request::LeaveBoth(target) => format!("{} and the next one to leave", who(target)),
        }
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Deed::Vote => "writes a vote",
            Deed::Append => "writes entries",
            Deed::Sync => "has synced",
            Deed::Snapshot => "has stored a snapshot",
            Deed::Purge => "lets go of old entries",
        })
    }
}
