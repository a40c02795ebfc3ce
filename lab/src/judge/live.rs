//! Judges a timeline that grows.
//!
//! # No false alarm
//!
//! A call that is open may have had its effect already, and others may have been shown it. So
//! the judge is told of each call before it is asked ([`LiveJudge::begins`]). While it is open
//! it counts as one of which nobody knows whether it took effect, as one does that was given
//! up. With that, what is known at any moment is a beginning of the whole history, and each
//! promise about rooms that a beginning breaks is broken by the whole. One is not looked at
//! before a room is over, because it speaks of the last read there is (`nothing_lost.rs`). For
//! promises about nodes see `nodes.rs`.
//!
//! # Bounds
//!
//! Only rooms that have changed are looked at. Of a room that is played in for long, what is
//! settled is let go (`kept.rs`). A room in which nothing was done for [`STAYS`] is over: what
//! was counted of it stays, and all else but its name is forgotten. Where a bound is reached,
//! calls and pushes are left out, and the verdict says how many ([`Verdict::left_out`]): those
//! of a room that is over or has too many of them, and those of a room for which no order was
//! found within `EFFORT`. They are not judged, so they cannot alarm.
//!
//! # From the middle
//!
//! In a room whose beginning nobody has told, lines are read that nobody has written. A judge
//! that comes late ([`LiveJudge::late`]) holds such rooms to those promises alone that any part
//! of a history keeps if the whole does: versions, pushes, and that what was acknowledged while
//! it listened is there. A room of whose opening it is told it judges like any other. Calls that
//! had begun before it came are not told to it, nor what became of them.

use super::kept::{How, Kept};
use super::nodes::{Nodes, OF_NODES};
use super::promise::{Broken, Promise};
use super::record::{Names, rank_of};
use super::rooms::{COUNT, OF_ROOMS};
use super::rooms_stay::STAYS;
use crate::history::{Call, Moment, Push};
use crate::timeline::{Finding, Judged, Line, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// Rooms that are kept. When there are more, those in which nothing was done for the longest
/// time are over.
const ROOMS_MAX: usize = 1_000;

/// Calls and pushes of one room that are kept after a look. With more it is left out from then
/// on. Some four minutes of four players, if nobody reads.
const ROOM_LENGTH_MAX: usize = 4_000;

/// Names of rooms that are over. When there are so many, new rooms are left out.
const OVER_MAX: usize = 50_000;

/// Terms, indices and memberships that are compared, each: the newest.
const NODES_KEPT_MAX: usize = 20_000;

/// Findings of one promise that are told. It stays broken.
const FINDINGS_MAX: usize = 100;

/// States that the search for an order may look at in one room and one look.
const EFFORT: usize = 5_000;

/// A call that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Open(u64);

/// What a look has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// How it stands.
    pub verdict: Verdict,
    /// What was found since the last look, in the order of time. Of each promise one for each
    /// room, term, index or pair of nodes that it is about, and not more than a hundred.
    pub findings: Vec<Finding>,
}

/// A judge that judges while things happen.
#[derive(Debug, Default)]
pub struct LiveJudge {
    names: Names,
    rooms: BTreeMap<String, Kept>,
    open: BTreeMap<u64, Call>,
    begun: u64,
    ended: u64,
    /// Whether there may be rooms whose beginning it was not told.
    is_late: bool,
    /// What nodes told since the last look.
    told: Vec<Line>,
    nodes: Nodes,
    /// Rooms that are over.
    over: BTreeSet<String>,
    /// How often each promise about rooms was looked at for those.
    checked: [u64; COUNT],
    /// What was found of each promise, in the order of all.
    found: BTreeMap<&'static str, usize>,
    left_out: u64,
}

impl LiveJudge {
    /// Nothing has happened yet.
    pub fn new() -> Self {
        LiveJudge::default()
    }

    /// Something has happened already, of which it will not be told.
    pub fn late() -> Self {
        LiveJudge { is_late: true, ..LiveJudge::default() }
    }

    /// A client is about to ask. This has to be told before anybody can see that it did. The
    /// outcome of the call is not known yet, and an opening has no room.
    pub fn begins(&mut self, call: Call) -> Open {
        self.begun += 1;
        self.open.insert(self.begun, call);
        Open(self.begun)
    }

    /// A call has ended: it was answered, or the client waits for no answer any more and does
    /// not know what came of it.
    pub fn ends(&mut self, open: Open, call: Call) {
        let opens = self.open.remove(&open.0).is_some_and(|begun| begun.room.is_empty());
        self.ended += 1;
        // The opening of a room that nobody knows.
        if call.room.is_empty() {
            return;
        }
        if let Some(room) = self.room(&call.room) {
            room.is_whole |= opens;
            room.call(call);
        }
    }

    /// Any other line. What nodes tell and what clients were pushed is judged; calls are known
    /// already.
    pub fn add(&mut self, line: &Line) {
        match line {
            Line::Head(head) => self.names.learn(head),
            Line::Role(_) | Line::Log(_) | Line::Members(_) => self.told.push(line.clone()),
            Line::Push(push) => self.push(push),
            _ => {}
        }
    }

    fn push(&mut self, push: &Push) {
        if let Some(room) = self.room(&push.room) {
            room.push(push.clone());
        }
    }

    /// A room that is judged; none where what happens to it is left out, which is counted.
    fn room(&mut self, name: &str) -> Option<&mut Kept> {
        let is_known = self.rooms.contains_key(name);
        if !is_known && (self.over.contains(name) || self.over.len() >= OVER_MAX) {
            self.left_out += 1;
            return None;
        }
        if !is_known {
            self.rooms.insert(name.to_owned(), Kept::new(!self.is_late));
        }
        self.rooms.get_mut(name)
    }

    /// Judges what has changed.
    pub fn look(&mut self, now: Moment) -> Look {
        let mut findings = self.nodes_told(now);
        let names: Vec<String> = self.rooms.keys().cloned().collect();
        for name in names {
            let Some(room) = self.rooms.get(&name) else { continue };
            let is_quiet = now.saturating_sub(room.touched) >= STAYS;
            if is_quiet && !self.open.values().any(|call| call.room == name) {
                findings.extend(self.ends_room(&name));
            } else if room.has_changed {
                findings.extend(self.look_at(&name, false));
            }
        }
        findings.extend(self.let_rooms_go());
        self.tell(now, findings)
    }

    /// Nothing more will happen. Calls that are open have no answer, and every room is over.
    pub fn close(&mut self, now: Moment) -> Look {
        let mut findings = self.nodes_told(Moment::MAX);
        let open = std::mem::take(&mut self.open);
        for (number, call) in open {
            self.ends(Open(number), call);
        }
        let names: Vec<String> = self.rooms.keys().cloned().collect();
        for name in names {
            findings.extend(self.ends_room(&name));
        }
        self.tell(now, findings)
    }

    /// What nodes have told of moments before this one.
    fn nodes_told(&mut self, now: Moment) -> Vec<Finding> {
        let mut told: Vec<Line> = self.told.extract_if(.., |line| line.at() < now).collect();
        told.sort_by_key(|line| (line.at(), rank_of(line)));
        for line in &told {
            self.nodes.see(&self.names, line);
        }
        self.nodes.keep(NODES_KEPT_MAX);
        let mut found = Vec::new();
        for (promise, held) in OF_NODES.into_iter().zip(&mut self.nodes.held) {
            found.extend(held.broken.drain(..).map(|broken| (promise, broken)));
        }
        self.new_findings(found)
    }

    fn look_at(&mut self, name: &str, is_over: bool) -> Vec<Finding> {
        let Some(room) = self.rooms.get_mut(name) else { return Vec::new() };
        let (names, open) = (&self.names, &self.open);
        let found = room.look(How { names, name, open, is_over, effort: EFFORT });
        let is_too_long = room.len() > ROOM_LENGTH_MAX;
        let found = found.into_iter().map(|(at, broken)| (OF_ROOMS[at].promise, broken)).collect();
        let findings = self.new_findings(found);
        if is_too_long && let Some(room) = self.rooms.get(name) {
            self.left_out += room.len() as u64;
            self.forget(name);
        }
        findings
    }

    /// A room is over: it is looked at once more.
    fn ends_room(&mut self, name: &str) -> Vec<Finding> {
        let findings = self.look_at(name, true);
        if let Some(room) = self.rooms.get(name)
            && room.is_undecided
        {
            self.left_out += room.len() as u64;
        }
        self.forget(name);
        findings
    }

    fn forget(&mut self, name: &str) {
        let Some(room) = self.rooms.remove(name) else { return };
        for (all, checked) in self.checked.iter_mut().zip(room.checked) {
            *all += checked;
        }
        self.over.insert(name.to_owned());
    }

    fn let_rooms_go(&mut self) -> Vec<Finding> {
        let mut findings = Vec::new();
        while self.rooms.len() > ROOMS_MAX {
            let quiet = self.rooms.iter().min_by_key(|(_, room)| room.touched);
            let Some(name) = quiet.map(|(name, _)| name.clone()) else { break };
            findings.extend(self.ends_room(&name));
        }
        findings
    }

    fn new_findings(&mut self, found: Vec<(Promise, Broken)>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (promise, broken) in found {
            let count = self.found.entry(promise.name).or_default();
            *count += 1;
            if *count <= FINDINGS_MAX {
                findings.push(promise.finding(broken));
            }
        }
        findings
    }

    fn tell(&self, at: Moment, mut findings: Vec<Finding>) -> Look {
        findings.sort_by_key(|finding| finding.at);
        let mut checked = self.checked;
        for room in self.rooms.values() {
            for (all, checked) in checked.iter_mut().zip(room.checked) {
                *all += checked;
            }
        }
        let judged = |promise: Promise, checked| {
            promise.judged(checked, !self.found.contains_key(promise.name))
        };
        let of_rooms =
            OF_ROOMS.iter().zip(checked).map(|(of, checked)| judged(of.promise, checked));
        let of_nodes = OF_NODES.into_iter().zip(&self.nodes.held);
        let of_nodes = of_nodes.map(|(promise, held)| judged(promise, held.checked));
        let promises: Vec<Judged> = of_rooms.chain(of_nodes).collect();
        let good = self.found.is_empty() && promises.iter().any(|promise| promise.checked > 0);
        let (operations, left_out) = (self.ended, self.left_out);
        Look { verdict: Verdict { at, good, promises, operations, left_out }, findings }
    }
}
