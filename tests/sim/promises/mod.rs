//! The promises, one file each, and the judge who holds the world to them.
//!
//! The judge sees three things: what nodes say of themselves and have on their
//! disks, after each time they ran; what players and readers did and were told
//! ([`crate::history`]); and [`truth`], the log that nodes called committed, applied
//! to a lobby of the judge's own. Most promises are held at every moment, the rest
//! at the end.

mod both_agree;
pub(crate) mod committed;
pub(crate) mod disks;
mod flags;
pub(crate) mod in_order;
pub(crate) mod linearizable;
pub(crate) mod lobby_time;
mod matched_once;
pub(crate) mod membership;
pub(crate) mod none_twice;
pub(crate) mod nothing_lost;
mod notices;
mod numbers;
pub(crate) mod one_leader;
pub(crate) mod recovery;
pub(crate) mod same_hash;
pub(crate) mod secrets;
pub(crate) mod settings;
mod steps;
pub(crate) mod sums;
pub(crate) mod truth;

use crate::day::Moves;
use crate::history::{Action, Asked, History, Level, Outcome, Read};
use crate::nodes::Who;
use crate::plan::Plan;
use crate::world::disk::Disk;
use hangraft_cluster_config::RoomNames;
use hangraft_game::{NoticeNumber, PlayerId, RoomId, Serial, Version};
use hangraft_ids::NodeId;
use hangraft_lab::judge::one_leader::Leaders;
use hangraft_node::Report;
use hangraft_proto::socket::{Code, Notice};
use std::collections::BTreeSet;
use std::fmt;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// Which, by the name of its file.
    pub(crate) promise: &'static str,
    /// How: the smallest part of the history that shows it.
    pub(crate) how: String,
}

impl Broken {
    pub(crate) fn new(promise: &'static str, how: impl Into<String>) -> Self {
        Broken { promise, how: how.into() }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.promise, self.how)
    }
}

/// What a promise says to something it saw.
pub(crate) type Verdict = Result<(), Broken>;

/// Holds the world to all promises, and remembers the first that was broken.
pub(crate) struct Judge {
    pub(crate) history: History,
    pub(crate) truth: truth::Truth,
    pub(crate) disks: disks::Disks,
    leaders: Leaders,
    members: membership::Members,
    pub(crate) settings: settings::Settings,
    hashes: same_hash::Hashes,
    secrets: secrets::Secrets,
    pub(crate) orders: in_order::Orders,
    /// Rooms that players have seen and do not watch.
    unwatched: BTreeSet<(PlayerId, RoomId)>,
    notices: notices::Heard,
    ends: matched_once::Ends,
    pairs: both_agree::Pairs,
    flags: flags::Flags,
    numbers: numbers::Numbers,
    names: RoomNames,
    verdict: Option<Broken>,
    /// How much was seen, for the last line.
    pub(crate) pushes: u64,
    /// Those of them to players who are told in steps.
    in_steps: u64,
    /// Nodes that have left, and times that leadership was moved, as operators know.
    pub(crate) left: u64,
    pub(crate) transferred: u64,
    /// Nodes that found out that their disk had been set back.
    pub(crate) found_out: u64,
    /// How often a node was looked at that had run, and how many frames were read.
    looks: u64,
    frames: u64,
    /// Notices that somebody was told.
    told: u64,
    /// Whole histories were looked at.
    ended: bool,
}

impl Judge {
    /// Over a world of first members with these disks, where rooms and offers have these names.
    pub(crate) fn new(plan: &Plan, disks: Vec<Disk>, names: RoomNames) -> Self {
        Judge {
            history: History::default(),
            truth: truth::Truth::default(),
            disks: disks::Disks::of_first_members(disks),
            leaders: Leaders::default(),
            members: membership::Members::default(),
            settings: settings::Settings::of_first_members(plan.nodes),
            hashes: same_hash::Hashes::default(),
            secrets: secrets::Secrets::default(),
            orders: in_order::Orders::default(),
            unwatched: BTreeSet::new(),
            notices: notices::Heard::default(),
            ends: matched_once::Ends::default(),
            pairs: both_agree::Pairs::default(),
            flags: flags::Flags::default(),
            numbers: numbers::Numbers::default(),
            names,
            verdict: None,
            pushes: 0,
            in_steps: 0,
            left: 0,
            transferred: 0,
            found_out: 0,
            looks: 0,
            frames: 0,
            told: 0,
            ended: false,
        }
    }

    /// The first promise that was broken.
    pub(crate) fn verdict(&self) -> Option<&Broken> {
        self.verdict.as_ref()
    }

    /// Takes a verdict in.
    pub(crate) fn hold(&mut self, verdict: Verdict) {
        if let Err(broken) = verdict {
            self.verdict.get_or_insert(broken);
        }
    }

    /// A node has run until `now`, and says this of itself.
    pub(crate) fn node_ran(&mut self, who: &Who, report: &Report, now: u64) {
        self.looks += 1;
        if self.members.is_disk_of(who.node, who.disk_number) {
            self.disks.belongs(who);
        }
        let verdict = one_leader::see(&mut self.leaders, who.node, report);
        self.hold(verdict);
        self.flags.wrote(who, report, &self.truth, now);
        let verdict = committed::see(who, report, &mut self.truth);
        self.hold(verdict);
        self.follow_matches();
        let verdict = self.members.follow(&self.truth);
        self.hold(verdict);
        let verdict = self.members.see(who, report, &self.truth);
        self.hold(verdict);
        let verdict = self.hashes.see(who.node, report, &self.truth);
        self.hold(verdict);
        let verdict = lobby_time::see(&self.truth, now);
        self.hold(verdict);
    }

    /// What the log has led to where strangers play.
    fn follow_matches(&mut self) {
        for happened in self.truth.take_happened() {
            self.numbers.see(&happened);
            let verdicts = [
                self.ends.see(&happened),
                self.pairs.see(&happened, &self.truth),
                self.flags.see(&happened),
            ];
            verdicts.into_iter().for_each(|verdict| self.hold(verdict));
        }
    }

    /// It is `now`, and somebody leads, or nobody does.
    pub(crate) fn is_led(&mut self, led: bool, now: u64) {
        self.flags.is_led(led, now);
    }

    /// A copy of a node's disk runs, while the node may run as well, and says this of itself.
    pub(crate) fn copy_ran(&mut self, report: &Report) {
        if report.state == "leader" {
            let how = format!("a copy of a node leads term {}", report.term);
            self.hold(Err(Broken::new(one_leader::NAME, how)));
        }
    }

    /// What has happened to the members, and to clocks of players, since this was asked last,
    /// in words.
    pub(crate) fn take_news(&mut self) -> Vec<String> {
        let mut news = self.members.take_news();
        news.extend(self.flags.take_news());
        news
    }

    /// A node has ended, because its id is spent.
    pub(crate) fn is_spent(&mut self, node: NodeId, why: &str) {
        if !why.contains("has been set back") {
            return;
        }
        self.found_out += 1;
        if !self.disks.was_set_back(node) {
            let how = format!("n{node} kept all that it had promised, and stopped: {why}");
            self.hold(Err(Broken::new(disks::NAME, how)));
        }
    }

    /// An operator was told that a node has left.
    pub(crate) fn has_left(&mut self, node: NodeId) {
        self.left += 1;
        let verdict = membership::has_left(node, &self.truth);
        self.hold(verdict);
    }

    /// An operator was told that leadership has moved.
    pub(crate) fn was_transferred(&mut self) {
        self.transferred += 1;
    }

    /// A player wishes for something, for the first time.
    pub(crate) fn invoked(
        &mut self,
        player: PlayerId,
        serial: Serial,
        action: Action,
        asked: Asked,
    ) -> usize {
        self.history.invoke(player, serial, action, asked)
    }

    /// A wish was answered for good.
    pub(crate) fn answered(&mut self, wish: usize, outcome: Outcome, at_us: u64) {
        self.history.answer(wish, outcome, at_us);
        let wish = &self.history.wishes[wish];
        let verdict = nothing_lost::on_answer(wish, &self.truth, &self.disks);
        self.hold(verdict);
    }

    /// A setter is about to choose this word, which only they may see before the
    /// round is over.
    pub(crate) fn secret(&mut self, room: RoomId, setter: PlayerId, word: &str) {
        self.secrets.keep(room, setter, word);
    }

    /// A player's socket was sent this frame.
    pub(crate) fn frame(&mut self, player: PlayerId, text: &str) {
        self.frames += 1;
        let verdict = self.secrets.see(player, text, &self.truth);
        self.hold(verdict);
    }

    /// A player was pushed a view.
    pub(crate) fn pushed(&mut self, player: PlayerId, push: &in_order::Push<'_>) {
        self.pushes += 1;
        self.in_steps += u64::from(push.in_steps);
        let verdict = in_order::is_next(&mut self.orders, player, push);
        self.hold(verdict);
        let verdict = in_order::is_true(player, push, &self.truth);
        self.hold(verdict);
    }

    /// A player was told a step to a version, who was shown another last than the one before.
    pub(crate) fn told_of_elsewhere(
        &mut self,
        player: PlayerId,
        room: RoomId,
        shown: Version,
        version: Version,
    ) {
        self.hold(Err(steps::begins_elsewhere(player, room, shown, version)));
    }

    /// The number of the last notice that a player has heard, who follows from there.
    pub(crate) fn heard_of(&mut self, player: PlayerId) -> NoticeNumber {
        self.notices.since(player)
    }

    /// A player was told something.
    pub(crate) fn told(&mut self, player: PlayerId, notice: &Notice) {
        self.told += 1;
        let verdict = self.notices.hear(player, notice, &self.truth, &self.names);
        self.hold(verdict);
    }

    /// Who has not seen the newest version of what they watch, or not heard the newest of what
    /// they are told, in words.
    pub(crate) fn behind(&self) -> Option<String> {
        let views = in_order::behind(&self.orders, &self.unwatched, &self.truth);
        views.or_else(|| self.notices.behind(&self.truth))
    }

    /// A player looks at a room from now on.
    pub(crate) fn looks_at(&mut self, player: PlayerId, room: RoomId) {
        self.unwatched.remove(&(player, room));
    }

    /// A player does not look at a room any more. What they have seen counts when they come
    /// back.
    pub(crate) fn looks_away(&mut self, player: PlayerId, room: RoomId) {
        self.unwatched.insert((player, room));
    }

    /// A player's watch was refused.
    ///
    /// Gives whether the room is gone: there is nothing more to see of it.
    pub(crate) fn watch_refused(&mut self, player: PlayerId, room: RoomId, code: Code) -> bool {
        let verdict = in_order::may_refuse(player, room, code, &self.truth);
        let gone = code == Code::NoSuchRoom && verdict.is_ok();
        if gone {
            self.orders.forget(player, room);
        }
        self.hold(verdict);
        gone
    }

    /// The wish after the last fault was answered.
    pub(crate) fn last_answered(&mut self, who: &str, room: RoomId, outcome: &Outcome) {
        let verdict = recovery::is_progress(who, room, outcome, &self.truth);
        self.hold(verdict);
    }

    /// Whoever looked for a game after the last fault was answered.
    pub(crate) fn last_sought(&mut self, who: &str, outcome: &Outcome) {
        let verdict = recovery::is_sought(who, outcome, &self.truth);
        self.hold(verdict);
    }

    /// A read was answered.
    pub(crate) fn read(&mut self, read: Read) {
        if let Level::AtLeast(asked) = read.level
            && read.version < asked
        {
            let (asked, version) = (asked.0, read.version.0);
            let how = format!("a read of {} at least at {asked} gave {version}", read.room);
            self.hold(Err(Broken::new(linearizable::NAME, how)));
        }
        self.history.reads.push(read);
    }

    /// How members came and went, by the log.
    pub(crate) fn moves(&self) -> Moves {
        membership::moves(&self.truth, &self.disks)
    }

    /// The world has ended: the promises about whole histories. Nodes said that these
    /// settings hold, if they were asked.
    pub(crate) fn at_the_end(&mut self, told: Option<settings::Shared>) {
        if let Some(shared) = told {
            let verdict = self.settings.may_be(shared);
            self.hold(verdict);
        }
        self.ended = true;
        let verdicts = [
            nothing_lost::at_the_end(&self.history, &self.truth),
            none_twice::at_the_end(&self.history, &self.truth),
            linearizable::by_version(&self.history, &self.truth),
            linearizable::by_search(&self.history, &self.truth),
            linearizable::local_reads(&self.history),
            self.ends.at_the_end(&self.history, &self.truth),
            self.numbers.at_the_end(&self.truth),
        ];
        for verdict in verdicts {
            self.hold(verdict);
        }
    }
}
