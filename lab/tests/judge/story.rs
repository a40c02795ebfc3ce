//! Writes a timeline down, one call after the other. Moments are milliseconds.

use hangraft_ids::{LogIndex, NodeId, Term, Version};
use hangraft_lab::history::{Call, Level, Outcome, Push, What};
use hangraft_lab::judge::{Judgement, judge};
use hangraft_lab::timeline::{Finding, Line, Log, Members, Role};

/// A timeline of one room and one cluster.
#[derive(Clone, Default)]
pub(crate) struct Story(Vec<Line>);

impl Story {
    pub(crate) fn new() -> Self {
        Story::default()
    }

    /// Adds a call.
    pub(crate) fn call(
        mut self,
        client: u32,
        invoked: u64,
        returned: Option<u64>,
        what: What,
        outcome: Outcome,
    ) -> Self {
        let returned = returned.map(|at| at * 1_000);
        let (by, room) = ("f1".to_owned(), "abc".to_owned());
        let invoked = invoked * 1_000;
        self.0.push(Line::Call(Call { invoked, returned, client, by, room, what, outcome }));
        self
    }

    /// A line was written.
    pub(crate) fn say(self, client: u32, from: u64, to: u64, line: &str, version: u64) -> Self {
        let outcome = Outcome::Ok { version: Version(version), lines: None };
        self.call(client, from, Some(to), write("say", Some(line), false), outcome)
    }

    /// A value was set.
    pub(crate) fn set(self, client: u32, from: u64, to: u64, value: &str, version: u64) -> Self {
        let outcome = Outcome::Ok { version: Version(version), lines: None };
        self.call(client, from, Some(to), write("set", Some(value), false), outcome)
    }

    /// A line was perhaps written.
    pub(crate) fn perhaps(self, client: u32, from: u64, line: &str) -> Self {
        self.call(client, from, None, write("say", Some(line), false), Outcome::Unknown)
    }

    /// A line was refused.
    pub(crate) fn refused(self, client: u32, from: u64, to: u64, line: &str) -> Self {
        let outcome = Outcome::Refused { code: "room-full".to_owned() };
        self.call(client, from, Some(to), write("say", Some(line), false), outcome)
    }

    /// Somebody was told that there is no such room.
    pub(crate) fn denied(self, client: u32, from: u64, to: u64) -> Self {
        let outcome = Outcome::Refused { code: "no-such-room".to_owned() };
        self.call(client, from, Some(to), write("say", Some("no"), false), outcome)
    }

    /// Somebody sat down, or sat already.
    pub(crate) fn sit(self, client: u32, from: u64, to: u64, version: u64) -> Self {
        let outcome = Outcome::Ok { version: Version(version), lines: None };
        self.call(client, from, Some(to), write("sit", None, true), outcome)
    }

    /// A linearizable read.
    pub(crate) fn read(
        self,
        client: u32,
        from: u64,
        to: u64,
        version: u64,
        lines: &[&str],
    ) -> Self {
        self.read_at(Level::Linearizable, client, from, to, version, lines)
    }

    /// A read at some level.
    pub(crate) fn read_at(
        self,
        level: Level,
        client: u32,
        from: u64,
        to: u64,
        version: u64,
        lines: &[&str],
    ) -> Self {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        let outcome = Outcome::Ok { version: Version(version), lines: Some(lines) };
        self.call(client, from, Some(to), What::Read { level }, outcome)
    }

    /// A read at least at a version.
    pub(crate) fn at_least(self, client: u32, from: u64, to: u64, least: u64, got: u64) -> Self {
        let level = Level::AtLeast { least: Version(least) };
        let outcome = Outcome::Ok { version: Version(got), lines: None };
        self.call(client, from, Some(to), What::Read { level }, outcome)
    }

    /// A push.
    pub(crate) fn push(self, client: u32, at: u64, version: u64) -> Self {
        self.push_as(client, at, version, false, false)
    }

    /// A push that says why it is as it is.
    pub(crate) fn push_as(
        mut self,
        client: u32,
        at: u64,
        version: u64,
        resync: bool,
        closed: bool,
    ) -> Self {
        let (room, version) = ("abc".to_owned(), Version(version));
        self.0.push(Line::Push(Push { at: at * 1_000, client, room, version, resync, closed }));
        self
    }

    /// A node has a role.
    pub(crate) fn role(mut self, at: u64, node: u64, term: u64, role: &str) -> Self {
        let (node, term, role) = (NodeId(node), Term(term), role.to_owned());
        let at = at * 1_000;
        self.0.push(Line::Role(Role { at, node, term, role, leader: None, voted: None }));
        self
    }

    /// A node has applied up to an index, with a hash; or does not tell one.
    pub(crate) fn log(mut self, at: u64, node: u64, applied: u64, hash: &str) -> Self {
        self.0.push(Line::Log(Log {
            at: at * 1_000,
            node: NodeId(node),
            applied: Some(LogIndex(applied)),
            hash: hash.to_owned(),
            ..Log::default()
        }));
        self
    }

    /// A node knows of these voters.
    pub(crate) fn members(mut self, at: u64, node: u64, index: u64, voters: &[&[u64]]) -> Self {
        let list = |ids: &&[u64]| ids.iter().copied().map(NodeId).collect();
        self.0.push(Line::Members(Members {
            at: at * 1_000,
            node: NodeId(node),
            index: LogIndex(index),
            voters: voters.iter().map(list).collect(),
            learners: vec![],
        }));
        self
    }

    /// All of it.
    pub(crate) fn lines(&self) -> &[Line] {
        &self.0
    }

    /// What the judge says.
    pub(crate) fn judge(&self) -> Judgement {
        let judgement = judge(&self.0);
        crate::live::ends_as(&self.0, &judgement);
        judgement
    }

    /// Nothing is wrong with it.
    #[track_caller]
    pub(crate) fn is_right(&self) {
        let judgement = self.judge();
        assert!(judgement.good(), "{:#?}", judgement.findings);
    }

    /// One promise, and perhaps others, is found broken once; the finding.
    #[track_caller]
    pub(crate) fn breaks(&self, promise: &str, at: u64) -> Finding {
        let judgement = self.judge();
        let findings = judgement.findings.iter().filter(|finding| finding.promise == promise);
        let findings: Vec<&Finding> = findings.collect();
        assert_eq!(findings.len(), 1, "{promise}: {:#?}", judgement.findings);
        assert_eq!(findings[0].at, at * 1_000, "{}", findings[0].text);
        let judged = judgement.promises.iter().find(|judged| judged.promise == promise);
        assert!(judged.is_some_and(|judged| !judged.kept && judged.checked > 0));
        findings[0].clone()
    }
}

fn write(action: &str, line: Option<&str>, may_change_nothing: bool) -> What {
    let (action, line) = (action.to_owned(), line.map(str::to_owned));
    What::Write { action, line, detail: String::new(), may_change_nothing }
}
