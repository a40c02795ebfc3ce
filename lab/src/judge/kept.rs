//! A room, as a judge keeps it that judges while it is played in.
//!
//! A room may be played in for hours, so what is settled is let go. That must neither make
//! wrong what was right, nor hide what is wrong later. Here is why it does not.
//!
//! Let R be a linearizable read that has shown lines, had been answered when every call that is
//! still open began, and found the room good. Every call that begins from now on stands behind R
//! in the room's order, and so does every open one. Now leave out
//!
//! * each read that was answered before R began, and
//! * each write that was answered before R began, or was shown by a read before that, and whose
//!   line is in no read that is kept.
//!
//! Whatever order explains the whole explains what is kept, when the rest is taken out of it: a
//! line that is left out stands before those that R shows, and each read that is kept or is yet
//! to come shows lines that are kept, the last of the list, so it shows the same without what
//! stands before them. And what contradicts what was left out contradicts R, which is kept: its
//! lines, and its version, which is no older than any that was told before R began.
//!
//! Some of what is left out is still needed by promises that do not look at the order, and is
//! kept without the lines that it showed: what told each client most, the last accepted write,
//! and the last push to each client. Lines are written once, as docs/timeline.md says; where one
//! is written twice, and its first writing was let go, a local read that shows both would be
//! taken for wrong.

use super::promise::{Broken, Held};
use super::record::{Done, Names, Room, line_of};
use super::rooms::{COUNT, OF_ROOMS};
use crate::history::{Call, ClientId, Moment, Outcome, Push, What};
use std::collections::{BTreeMap, BTreeSet};

/// Calls and pushes of a room that are kept before what is settled is let go for the first
/// time. Later it is done when there are twice as many as were left, and these.
const SETTLES_AT: usize = 100;

/// A room and what is to be known of it.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// In the order they began.
    calls: Vec<Call>,
    /// In the order they came.
    pushes: Vec<Push>,
    /// How often each promise was looked at.
    pub(super) checked: [u64; COUNT],
    /// How often each was looked at for what was let go.
    before: [u64; COUNT],
    /// Which promises were found broken.
    broken: [bool; COUNT],
    /// Whether its beginning is known, and all that came after.
    pub(super) is_whole: bool,
    /// Whether nobody knows how it stands.
    pub(super) is_undecided: bool,
    /// How many are kept when what is settled is let go.
    settles_at: usize,
    /// Whether something has happened since it was looked at.
    pub(super) has_changed: bool,
    /// When something happened last.
    pub(super) touched: Moment,
}

/// How a room is looked at.
#[derive(Clone, Copy)]
pub(super) struct How<'a> {
    pub(super) names: &'a Names,
    pub(super) name: &'a str,
    /// Calls that are open, of any room.
    pub(super) open: &'a BTreeMap<u64, Call>,
    pub(super) is_over: bool,
    /// States that a search may look at.
    pub(super) effort: usize,
}

impl Kept {
    /// A room of which nothing is known yet; whether all that was ever asked of it will be.
    pub(super) fn new(is_whole: bool) -> Self {
        Kept { is_whole, ..Kept::default() }
    }

    /// A call has ended.
    pub(super) fn call(&mut self, call: Call) {
        self.touch(call.returned.unwrap_or(call.invoked));
        let place = self.calls.partition_point(|other| other.invoked <= call.invoked);
        self.calls.insert(place, call);
    }

    /// A view has come.
    pub(super) fn push(&mut self, push: Push) {
        self.touch(push.at);
        let place = self.pushes.partition_point(|other| other.at <= push.at);
        self.pushes.insert(place, push);
    }

    /// How many calls and pushes are kept.
    pub(super) fn len(&self) -> usize {
        self.calls.len() + self.pushes.len()
    }

    fn touch(&mut self, at: Moment) {
        self.has_changed = true;
        self.touched = self.touched.max(at);
    }

    /// Looks at it; the promises, by their places, that are found broken now and were not
    /// before. A promise that was is not looked at again.
    pub(super) fn look(&mut self, how: How<'_>) -> Vec<(usize, Broken)> {
        self.has_changed = false;
        let mut found = Vec::new();
        let held = self.hold(how);
        self.is_undecided = held.iter().flatten().any(|held| !held.undecided.is_empty());
        for (at, held) in held.into_iter().enumerate() {
            let Some(held) = held else { continue };
            self.checked[at] = self.before[at] + held.checked;
            if let Some(broken) = held.broken.into_iter().next() {
                self.broken[at] = true;
                found.push((at, broken));
            }
        }
        let is_good = !self.is_undecided && !self.broken.contains(&true);
        if is_good && self.len() > self.settles_at.max(SETTLES_AT) {
            self.settle(how);
        }
        found
    }

    /// Holds it to each promise that is not known to be broken.
    fn hold(&self, how: How<'_>) -> [Option<Held>; COUNT] {
        let mut calls: Vec<&Call> = self.calls.iter().collect();
        calls.extend(how.open.values().filter(|call| call.room == how.name));
        calls.sort_by_key(|call| call.invoked);
        let pushes = self.pushes.iter().collect();
        let How { names, name, is_over, effort, .. } = how;
        let room = Room { name, calls, pushes, is_over, is_whole: self.is_whole, effort };
        std::array::from_fn(|at| {
            (!self.broken[at]).then(|| {
                let mut held = Held::default();
                (OF_ROOMS[at].hold)(names, &room, &mut held);
                held
            })
        })
    }

    /// Lets go of what is settled. What is left is looked at once more, to know how much of
    /// what was counted it is.
    fn settle(&mut self, how: How<'_>) {
        let open = how.open.values().filter(|call| call.room == how.name);
        let open = open.map(|call| call.invoked).min().unwrap_or(Moment::MAX);
        let reads = self.calls.iter().filter_map(Done::of);
        let is_known = |read: &Done<'_>| {
            read.is_linearizable() && read.lines.is_some() && read.returned < open
        };
        if let Some(read) = reads.filter(is_known).max_by_key(|read| read.call.invoked) {
            let began = read.call.invoked;
            self.let_calls_go(began);
            self.let_pushes_go(began);
            for (at, held) in self.hold(how).into_iter().enumerate() {
                let left = held.map_or(0, |held| held.checked);
                self.before[at] = self.checked[at].saturating_sub(left);
            }
        }
        self.settles_at = 2 * self.len() + SETTLES_AT;
    }

    fn let_calls_go(&mut self, began: Moment) {
        let calls = std::mem::take(&mut self.calls);
        let (mut old, mut kept): (Vec<Call>, Vec<Call>) =
            calls.into_iter().partition(|call| match call {
                // Nobody was told anything, and nobody can be shown it.
                Call { outcome: Outcome::Unknown, .. } if line_of(call).is_none() => true,
                Call { returned: Some(returned), .. } => *returned < began,
                Call { returned: None, .. } => false,
            });
        let shown = |calls: &[Call]| -> BTreeSet<String> {
            let lines = calls.iter().filter_map(Done::of).filter_map(|done| done.lines);
            lines.flatten().cloned().collect()
        };
        let (still_shown, was_shown) = (shown(&kept), shown(&old));
        // Nobody knows when they were written, but it was before R.
        kept.retain(|call| {
            let line = line_of(call).filter(|_| call.outcome == Outcome::Unknown);
            line.is_none_or(|line| !was_shown.contains(line) || still_shown.contains(line))
        });
        let is_kept =
            |call: &mut Call| line_of(call).is_some_and(|line| still_shown.contains(line));
        kept.extend(old.extract_if(.., is_kept));
        kept.extend(witnesses(&old));
        kept.sort_by_key(|call| call.invoked);
        self.calls = kept;
    }

    /// Of what came to each client before, only the last is kept.
    fn let_pushes_go(&mut self, began: Moment) {
        let mut last: BTreeMap<ClientId, usize> = BTreeMap::new();
        for (at, push) in self.pushes.iter().enumerate().take_while(|(_, push)| push.at < began) {
            last.insert(push.client, at);
        }
        let mut at = 0;
        self.pushes.retain(|push| {
            let is_kept = last.get(&push.client).is_none_or(|last| at >= *last);
            at += 1;
            is_kept
        });
    }
}

/// Of calls that are let go, those that promises still look at, without the lines that they
/// showed: what told each client most, and the last that was accepted.
fn witnesses(old: &[Call]) -> Vec<Call> {
    let mut most: BTreeMap<ClientId, Done<'_>> = BTreeMap::new();
    let mut last: Option<Done<'_>> = None;
    for done in old.iter().filter_map(Done::of) {
        let known = most.entry(done.call.client).or_insert(done);
        if done.version > known.version {
            *known = done;
        }
        if matches!(done.call.what, What::Write { .. }) {
            last = Some(done);
        }
    }
    let last = last.filter(|last| !most.values().any(|done| std::ptr::eq(done.call, last.call)));
    let bare = |done: Done<'_>| {
        let outcome = Outcome::Ok { version: done.version, lines: None };
        Call { outcome, ..done.call.clone() }
    };
    most.into_values().chain(last).map(bare).collect()
}
