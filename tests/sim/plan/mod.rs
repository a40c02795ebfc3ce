//! From a seed to a bad day: pure.
//!
//! Everything that is decided beforehand stands in a [`Plan`]: how many machines,
//! how good their network, disks and clocks are, who plays, and which faults
//! happen when. A smaller plan of the same seed, with fewer faults or players or
//! less time, is a [`Cut`]; shrinking looks for the smallest that still fails.

mod copies;
mod elections;
mod fork;
mod members;
mod set_back;
mod what;
mod words;

pub(crate) use fork::{Fork, GRAMMAR, Step};
pub(crate) use what::{Direction, Move, Request, Target, Traffic, What};
pub(crate) use words::name_of;

use crate::world::disk::Deed;
use hangraft_cluster_config::LogKind;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use std::fmt;

/// What a day is made of.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// First members.
    pub(crate) nodes: usize,
    /// Machines that may join them later.
    pub(crate) spares: usize,
    /// Machines that get the disk of another one, or a copy of it.
    pub(crate) copies: usize,
    /// Whether members come and go on this day.
    pub(crate) members_change: bool,
    pub(crate) frontends: usize,
    /// Rooms that are played in.
    pub(crate) rooms: usize,
    /// Players, who sit in the rooms in turn.
    pub(crate) players: usize,
    /// Those who only look on.
    pub(crate) watchers: usize,
    /// Those who look for each other, and for bots, to play with.
    pub(crate) seekers: usize,
    /// Those who read from replicas directly.
    pub(crate) readers: usize,
    /// How long the faults last, in milliseconds; after it everything heals.
    pub(crate) millis: u64,
    pub(crate) heartbeat_ms: u64,
    pub(crate) snapshot_after: u64,
    /// Entries kept behind a snapshot.
    pub(crate) keep: u64,
    /// The longest time a packet takes, in microseconds.
    pub(crate) latency_us: u64,
    /// Of a million packets, so many are lost even on a good day.
    pub(crate) loss_ppm: u64,
    pub(crate) double_ppm: u64,
    /// The longest time of a good sync, in microseconds.
    pub(crate) sync_us: u64,
    /// Of a million syncs, so many stall.
    pub(crate) stall_ppm: u64,
    /// How much too fast each node's clock is, and how wrong its time of day.
    pub(crate) clocks: Vec<(i64, i64)>,
    /// In order of their time.
    pub(crate) faults: Vec<Fault>,
    /// Which of the whole day's faults these are, from 0.
    pub(crate) numbers: Vec<usize>,
    /// What else is done, in order of its time.
    pub(crate) forks: Vec<Fork>,
    /// How nodes keep their logs. Not drawn: somebody asks for it.
    pub(crate) log: LogKind,
}

/// Something goes wrong.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) at_ms: u64,
    pub(crate) what: What,
}

/// Less of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Only these faults, by their number in the whole plan.
    pub(crate) faults: Option<Vec<usize>>,
    /// Only so many players, watchers and readers.
    pub(crate) players: Option<usize>,
    /// Only so long.
    pub(crate) millis: Option<u64>,
}

/// A small error of a time of day, or one of hours: half of the clocks were never set.
fn wrong_ms(drawn_ms: i64) -> i64 {
    if drawn_ms % 2 == 0 { drawn_ms } else { drawn_ms * 60 }
}

/// How many look for each other. Drawn with dice of their own, so that days are what they
/// would be anyway.
fn seekers(seed: u64) -> usize {
    // What a disk has forgotten must still be in the leader's log, or it is sent a snapshot,
    // and nothing is amiss: so few write on days when such a disk is believed.
    #[cfg(feature = "planted")]
    if hangraft_planted::is(hangraft_planted::Bug::SetBackGoesOn) {
        return 0;
    }
    StdRng::seed_from_u64(seed ^ 0x7365_656b).random_range(2..=4)
}

/// How long the first leader may take before anything goes wrong.
const QUIET_MS: u64 = 1_200;

impl Plan {
    /// The plan of a seed, over `millis` of virtual time, or somewhat more.
    pub(crate) fn of(seed: u64, millis: u64, nodes: Option<usize>) -> Self {
        let mut dice = StdRng::seed_from_u64(seed ^ 0x706c_616e);
        let drawn = *[3, 3, 3, 5, 5, 7].choose(&mut dice).expect("not empty");
        let nodes = nodes.unwrap_or(drawn);
        let comings = members::draw(seed, nodes, millis + members::LONGER_MS);
        let members_change = comings.is_some();
        let millis = if members_change { millis + members::LONGER_MS } else { millis };
        let spares = comings.as_ref().map_or(0, |comings| comings.spares);
        let heartbeat_ms = dice.random_range(80..240);
        let drift: i64 = *[0, 0, 200, 50_000].choose(&mut dice).expect("not empty");
        let clocks = (0..nodes + spares)
            .map(|_| {
                (dice.random_range(-drift..=drift), wrong_ms(dice.random_range(-120_000..120_000)))
            })
            .collect();
        let snapshot_after = dice.random_range(8..70);
        let mut plan = Plan {
            seed,
            nodes,
            spares,
            copies: 0,
            members_change,
            frontends: 2,
            rooms: dice.random_range(1..=3),
            players: dice.random_range(3..=5),
            watchers: 1,
            seekers: seekers(seed),
            readers: 1,
            millis,
            heartbeat_ms,
            snapshot_after,
            keep: *[0, snapshot_after / 4, snapshot_after].choose(&mut dice).expect("not empty"),
            latency_us: *[400, 2_000, 8_000, 40_000].choose(&mut dice).expect("not empty"),
            loss_ppm: *[0, 0, 500, 5_000].choose(&mut dice).expect("not empty"),
            double_ppm: *[0, 20_000].choose(&mut dice).expect("not empty"),
            sync_us: dice.random_range(200..6_000),
            stall_ppm: *[0, 0, 5_000].choose(&mut dice).expect("not empty"),
            clocks,
            faults: Vec::new(),
            numbers: Vec::new(),
            forks: Vec::new(),
            log: LogKind::default(),
        };
        // Now and then a day without any trouble.
        let faults_until = if dice.random_bool(0.03) { 0 } else { millis };
        let kinds = kinds(&mut dice);
        let mut at_ms = QUIET_MS;
        loop {
            at_ms += dice.random_range(50..2_200);
            if at_ms >= faults_until {
                break;
            }
            let what = what(&mut dice, &kinds, nodes + spares, plan.frontends);
            plan.faults.push(Fault { at_ms, what });
        }
        plan.faults.extend(elections::draw(&plan, faults_until));
        plan.faults.extend(set_back::draw(seed, nodes + spares, millis));
        plan.faults.extend(comings.map(|comings| comings.events).unwrap_or_default());
        let copies = copies::draw(seed, nodes + spares, millis);
        plan.copies = copies.clocks.len();
        plan.clocks.extend(copies.clocks);
        plan.faults.extend(copies.events);
        plan.faults.sort_by_key(|fault| fault.at_ms);
        plan.numbers = (0..plan.faults.len()).collect();
        plan
    }

    /// What is left of it.
    pub(crate) fn cut(&mut self, cut: &Cut) {
        if let Some(kept) = &cut.faults {
            let mut number = 0;
            self.faults.retain(|_| {
                number += 1;
                kept.contains(&(number - 1))
            });
            self.numbers.retain(|number| kept.contains(number));
        }
        if let Some(players) = cut.players {
            self.players = self.players.min(players);
            self.watchers = self.watchers.min(players.saturating_sub(self.players));
            self.seekers = self.seekers.min(players);
            self.readers = self.readers.min(players);
        }
        if let Some(millis) = cut.millis {
            self.millis = self.millis.min(millis);
            self.faults.retain(|fault| fault.at_ms < millis);
            self.numbers.truncate(self.faults.len());
        }
    }
}

fn target(dice: &mut StdRng, nodes: usize) -> Target {
    if dice.random_bool(0.5) { Target::Leader } else { Target::Node(dice.random_range(0..nodes)) }
}

/// The kinds of faults, and how often each strikes on a day that has them all.
const KINDS: [(Kind, u32); 20] = [
    (Kind::Heal, 12),
    (Kind::Isolate, 6),
    (Kind::OneWay, 4),
    (Kind::Halves, 2),
    (Kind::Bridge, 1),
    (Kind::Ring, 1),
    (Kind::Pair, 1),
    (Kind::CutFrontends, 1),
    (Kind::Delay, 2),
    (Kind::Loss, 1),
    (Kind::Crash, 5),
    (Kind::CrashAt, 8),
    (Kind::Blackout, 3),
    (Kind::Pause, 5),
    (Kind::Restart, 2),
    (Kind::SlowDisk, 2),
    (Kind::FullDisk, 1),
    (Kind::FailFsync, 1),
    (Kind::Skew, 2),
    (Kind::FrontendCrash, 4),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Heal,
    Isolate,
    OneWay,
    Halves,
    Bridge,
    Ring,
    Pair,
    CutFrontends,
    Delay,
    Loss,
    Crash,
    CrashAt,
    Blackout,
    Pause,
    Restart,
    SlowDisk,
    FullDisk,
    FailFsync,
    Skew,
    FrontendCrash,
}

/// The kinds of one day. Days with few kinds go where days with all of them do
/// not (Groce and others, Swarm testing, 2012).
fn kinds(dice: &mut StdRng) -> Vec<(Kind, u32)> {
    let share = *[0.2, 0.5, 1.0].choose(dice).expect("not empty");
    let chosen =
        KINDS.into_iter().filter(|(kind, _)| *kind == Kind::Heal || dice.random_bool(share));
    chosen.collect()
}

fn what(dice: &mut StdRng, kinds: &[(Kind, u32)], nodes: usize, frontends: usize) -> What {
    let target = target(dice, nodes);
    let down_ms = dice.random_range(10..3_500);
    let millis = dice.random_range(200..4_000);
    let kind = kinds.choose_weighted(dice, |(_, weight)| *weight).expect("healing is always there");
    match kind.0 {
        Kind::Heal => What::Heal,
        Kind::Isolate => {
            let traffic = [Traffic::All, Traffic::All, Traffic::Streams, Traffic::Datagrams];
            What::Isolate(target, *traffic.choose(dice).expect("not empty"))
        }
        Kind::OneWay => {
            let out = dice.random_bool(0.5);
            What::OneWay(target, if out { Direction::Out } else { Direction::In })
        }
        Kind::Halves => What::Halves(target),
        Kind::Bridge => What::Bridge(target),
        // Among three, everybody is a neighbour.
        Kind::Ring if nodes > 3 => What::Ring,
        Kind::Ring | Kind::Pair => {
            let one = dice.random_range(0..nodes);
            What::Pair(one, (one + dice.random_range(1..nodes)) % nodes)
        }
        Kind::CutFrontends => What::CutFrontends(target),
        Kind::Delay => What::Delay(target, dice.random_range(20..400)),
        Kind::Loss => What::Loss(dice.random_range(1_000..60_000)),
        Kind::Crash => What::Crash { target, power: dice.random_bool(0.5), down_ms },
        Kind::CrashAt => {
            let deeds =
                [Deed::Vote, Deed::Vote, Deed::Append, Deed::Sync, Deed::Snapshot, Deed::Purge];
            let deed = *deeds.choose(dice).expect("not empty");
            // One that comes back at once still matters to the election it left.
            let down_ms = if dice.random_bool(0.5) { dice.random_range(1..60) } else { down_ms };
            What::CrashAt { target, deed, down_ms }
        }
        Kind::Blackout => What::Blackout { down_ms: down_ms.min(1_500) },
        Kind::Pause => What::Pause { target, frozen: dice.random_bool(0.4), millis },
        Kind::Restart => What::Restart { target, down_ms },
        Kind::SlowDisk => What::SlowDisk { target, millis },
        Kind::FullDisk => What::FullDisk { target, millis },
        Kind::FailFsync => What::FailFsync { target, millis },
        Kind::Skew => What::Skew(target, wrong_ms(dice.random_range(-90_000..90_000))),
        Kind::FrontendCrash => {
            What::FrontendCrash { frontend: dice.random_range(0..frontends), down_ms }
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { seed, nodes, spares, frontends, rooms, players, seekers, millis, .. } = self;
        let spares = if *spares > 0 { format!(" and {spares} to come") } else { String::new() };
        write!(
            f,
            "seed {seed}: {nodes} nodes{spares}, {frontends} frontends, {players} players in \
             {rooms} rooms, {seekers} seekers, {} faults in {millis} ms",
            self.faults.len()
        )
    }
}

impl fmt::Display for Cut {
    /// As the flags that ask for it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(faults) = &self.faults {
            let list: Vec<String> = faults.iter().map(usize::to_string).collect();
            let list = if list.is_empty() { "none".to_owned() } else { list.join(",") };
            write!(f, " --faults {list}")?;
        }
        if let Some(players) = self.players {
            write!(f, " --players {players}")?;
        }
        if let Some(millis) = self.millis {
            write!(f, " --millis {millis}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_always_the_same_day() {
        let day = |seed| format!("{:?}", Plan::of(seed, 20_000, None));
        assert_eq!(day(7), day(7));
        assert_ne!(day(7), day(8));
    }

    #[test]
    fn a_cut_keeps_the_faults_it_names() {
        let whole = Plan::of(1, 20_000, Some(3));
        let mut less = whole.clone();
        less.cut(&Cut { faults: Some(vec![1, 4]), players: Some(2), millis: None });
        let times = |plan: &Plan| plan.faults.iter().map(|f| f.at_ms).collect::<Vec<_>>();
        assert_eq!(times(&less), [times(&whole)[1], times(&whole)[4]]);
        assert_eq!((less.players, less.watchers), (2, 0));
    }
}
