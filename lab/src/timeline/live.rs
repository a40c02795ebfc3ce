//! A timeline that grows: what nodes tell comes in, lines that are ready go out.
//!
//! A line is ready [`HOLD`] after its moment: what belongs before it has come by then, unless a
//! node or the way from it was slower. Late lines come late, with the moment at which it
//! happened, and whoever shows them puts them in their place. A client's call is such a line:
//! it comes when it has ended, and stands where it began. A message that nobody was seen to
//! receive is given out as such, and once more if its receipt is told later
//! ([`TOLD_AGAIN`](super::TOLD_AGAIN)).
//!
//! # Clocks
//!
//! Offsets of clocks are estimated as in [`gather`](super::gather()), but from what has come
//! within the last minute (one or two windows of half a minute each), so that clocks that run
//! apart are followed for hours. Nothing of a process is placed before it was heard for
//! [`HOLD`]: by then the quickest of many batches is known. After that an estimate may still
//! move. What was placed stays where it is, and what a process tells next is never placed
//! before it. When an offset grows smaller, the happenings of that process stand at one moment
//! until its clock has caught up. So the lines of one node are in the order in which it told
//! them, whatever the estimates do; where they stand among the lines of other nodes may differ
//! from what `gather` says afterwards by as much as the estimates do.
//!
//! # Bounds
//!
//! What is held is what came within [`HOLD`] and between two calls of [`LiveTimeline::ready`],
//! receipts without a sender of the last two seconds, and what `PROCESSES_MAX`, `HALVES_MAX`
//! and `TOLD_AGAIN_MAX` allow.

use super::clocks::{Clocks, Process, process_of};
use super::line::Line;
use super::lines::Lines;
use super::tales::{Tale, tell};
use crate::history::Moment;
use hangraft_ids::NodeId;
use hangraft_proto::v1::Observed;
use std::collections::BTreeMap;

/// How long a line waits for what belongs before it, in microseconds. Nodes gather what they
/// tell for ten milliseconds.
pub const HOLD: Moment = 250_000;

/// How long clocks are listened to before the oldest of it is let go: for one or two of these.
const WINDOW: Moment = 30_000_000;

/// Processes of nodes that are known at once. The one that was silent for the longest time is
/// forgotten first; if it speaks again, it is as if it were met for the first time.
const PROCESSES_MAX: usize = 64;

/// Halves of messages that wait for the other one to tell about clocks; up to twice as many.
const HALVES_MAX: usize = 20_000;

/// A timeline that grows.
#[derive(Debug)]
pub struct LiveTimeline {
    clocks: Clocks,
    processes: BTreeMap<Process, Heard>,
    nodes: BTreeMap<NodeId, Placed>,
    /// What has come since, in order.
    waiting: Vec<Observed>,
    lines: Lines,
    /// Up to where lines were given out.
    ready: Moment,
}

/// A process that was heard.
#[derive(Debug)]
struct Heard {
    first: Moment,
    last: Moment,
    reading: Reading,
}

/// How far a node's happenings are placed.
#[derive(Clone, Copy, Debug, Default)]
struct Placed {
    /// The process that told last.
    instance: u64,
    /// The last moment of any.
    last: Moment,
    /// Nothing more is placed before this.
    floor: Moment,
}

/// How the clock of a process is read.
#[derive(Clone, Copy, Debug, Default)]
struct Reading {
    /// What to add.
    offset: i64,
    /// The latest time that was read.
    newest_us: Option<u64>,
    /// Up to which time it was read otherwise, and what was added then.
    before: Option<(u64, i64)>,
}

impl Default for LiveTimeline {
    fn default() -> Self {
        LiveTimeline::new()
    }
}

impl LiveTimeline {
    /// Nothing has happened yet.
    pub fn new() -> Self {
        LiveTimeline {
            clocks: Clocks::of(WINDOW, HALVES_MAX),
            processes: BTreeMap::new(),
            nodes: BTreeMap::new(),
            waiting: Vec::new(),
            lines: Lines::default(),
            ready: 0,
        }
    }

    /// A batch came at `came`, of a call of `Cluster.Observe` that was made at `asked`. Batches
    /// of one node have to be told in the order in which they came.
    pub fn came(&mut self, asked: Moment, came: Moment, batch: Observed) {
        self.clocks.learn(asked, came, &batch);
        let process = process_of(&batch);
        let heard = Heard { first: came, last: came, reading: Reading::default() };
        self.processes.entry(process).or_insert(heard).last = came;
        self.waiting.push(batch);
        if self.processes.len() > PROCESSES_MAX {
            self.forget_one();
        }
    }

    /// Another line than what nodes tell: a call that has ended, for example.
    pub fn add(&mut self, line: Line) {
        self.lines.add(line);
    }

    /// The lines whose moment is [`HOLD`] before `now`, or longer ago, and that were not given
    /// out yet, in the order of their moments. `now` never goes back.
    pub fn ready(&mut self, now: Moment) -> Vec<Line> {
        let due = now.saturating_sub(HOLD);
        self.place(now, |heard| heard.first <= due);
        self.ready = self.ready.max(due);
        for node in self.nodes.values_mut() {
            node.floor = node.floor.max(node.last.min(self.ready));
        }
        self.lines.until(self.ready)
    }

    /// All that is held, when nothing more will come.
    pub fn rest(&mut self) -> Vec<Line> {
        let now = self.processes.values().map(|heard| heard.last).max().unwrap_or_default();
        self.place(now, |_| true);
        self.lines.rest()
    }

    /// Places what processes have told whose clocks are known well enough.
    fn place(&mut self, now: Moment, is_known: impl Fn(&Heard) -> bool) {
        let known =
            |batch: &mut Observed| self.processes.get(&process_of(batch)).is_none_or(&is_known);
        let batches: Vec<Observed> = self.waiting.extract_if(.., known).collect();
        if batches.is_empty() {
            return;
        }
        for (process, offset) in self.clocks.offsets(now) {
            if let Some(heard) = self.processes.get_mut(&process) {
                heard.reading.turn(offset);
            }
        }
        let mut tales = Vec::new();
        for batch in &batches {
            let Some(heard) = self.processes.get_mut(&process_of(batch)) else { continue };
            let reading = heard.reading;
            tales.extend(Tale::all(batch, |us| reading.moment(us)));
            let newest = batch.happenings.iter().map(|happening| happening.at_us).max();
            heard.reading.newest_us = reading.newest_us.max(newest);
        }
        for tale in &mut tales {
            let (node, instance) = tale.process();
            let node = self.nodes.entry(NodeId(node)).or_default();
            if node.instance != instance {
                *node = Placed { instance, floor: node.last, ..*node };
            }
            tale.not_before(node.floor);
            node.last = node.last.max(tale.at());
        }
        tell(tales, &mut self.lines);
    }

    /// How many processes and nodes it knows, whichever is more.
    #[cfg(test)]
    pub(super) fn knows(&self) -> usize {
        self.processes.len().max(self.nodes.len())
    }

    /// Lets go of the process that was silent for the longest time, and of its node, if there
    /// is no other process of it.
    fn forget_one(&mut self) {
        let waits =
            |process: &Process| self.waiting.iter().any(|batch| process_of(batch) == *process);
        let silent = self.processes.iter().filter(|(process, _)| !waits(process));
        let Some(process) = silent.min_by_key(|(_, heard)| heard.last).map(|(process, _)| *process)
        else {
            return;
        };
        self.processes.remove(&process);
        self.clocks.forget(process);
        let node = NodeId(process.0);
        if !self.processes.keys().any(|other| other.0 == node.0) {
            self.nodes.remove(&node);
            self.lines.forget(node);
        }
    }
}

impl Reading {
    /// The moment at which the clock showed a time.
    fn moment(&self, at_us: u64) -> Moment {
        let at = at_us.saturating_add_signed(self.offset);
        match self.before {
            Some((upto_us, offset)) if at_us <= upto_us => at_us.saturating_add_signed(offset),
            Some((upto_us, offset)) => at.max(upto_us.saturating_add_signed(offset)),
            None => at,
        }
    }

    /// From here on another number is added. What was read stays, and what follows is not
    /// placed before it.
    fn turn(&mut self, offset: i64) {
        if offset == self.offset {
            return;
        }
        if let Some(newest_us) = self.newest_us {
            let last = self.moment(newest_us).cast_signed();
            self.before = Some((newest_us, last.saturating_sub(newest_us.cast_signed())));
        }
        self.offset = offset;
    }
}
