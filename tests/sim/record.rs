//! Writes a day down as a timeline, when one is wanted.
//!
//! Like the story, it draws no dice and asks no clock but the world's: a day is the same
//! whether it is written down or not.

use crate::clock::MICRO;
use crate::day::Outcome as DayOutcome;
use crate::history::{Action, History, Level, Outcome, Read, Wish};
use crate::plan::Plan;
use crate::promises::Judge;
use hangraft_cluster_config::{ClusterKey, RoomNames};
use hangraft_game::RoomId;
use hangraft_ids::NodeId;
use hangraft_lab::history::{self as lab, Call, ClientId, Moment, What};
use hangraft_lab::timeline::{
    ClientNamed, FORMAT, Finding, Head, Line, Lines, Named, Process, ProcessEvent, Told, Verdict,
    file,
};
use hangraft_proto::v1::Observed;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

/// The number of the first reader among clients; players and watchers come before.
const FIRST_READER: ClientId = 1_000;

/// Takes down what happens, or nothing. Clones write into the same timeline.
#[derive(Clone, Default)]
pub(crate) struct Record(Option<Arc<Mutex<Inner>>>);

#[derive(Default)]
struct Inner {
    lines: Lines,
}

/// The world's nanoseconds as a timeline has them.
pub(crate) fn moment(now: u64) -> Moment {
    now / MICRO
}

/// The number of a reader among clients.
pub(crate) fn reader(number: usize) -> ClientId {
    FIRST_READER + client(number)
}

/// The number of a player or a watcher among clients.
pub(crate) fn client(number: usize) -> ClientId {
    ClientId::try_from(number).expect("a day has few clients")
}

impl Record {
    /// One that is kept.
    pub(crate) fn kept() -> Self {
        Record(Some(Arc::default()))
    }

    pub(crate) fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// A line that the timeline has.
    pub(crate) fn add(&self, line: impl FnOnce() -> Line) {
        if let Some(mut inner) = self.lock() {
            inner.lines.add(line());
        }
    }

    /// Something became of a process.
    pub(crate) fn process(&self, now: u64, name: &str, event: ProcessEvent) {
        self.add(|| Line::Process(Process { at: moment(now), name: name.to_owned(), event }));
    }

    /// A process is called otherwise from now on: it turned out which node it is.
    pub(crate) fn rename(&self, now: u64, before: &str, name: &str) {
        if before != name {
            self.process(now, before, ProcessEvent::Ended);
            self.process(now, name, ProcessEvent::Started);
        }
    }

    /// All that a node has to tell. All of it happened while it ran last: the world's time
    /// stands still meanwhile.
    pub(crate) fn hear(&self, now: u64, batch: &Observed) {
        let Some(mut inner) = self.lock() else { return };
        let (at, node) = (moment(now), NodeId(batch.node));
        if batch.missed > 0 {
            inner.lines.missed(at, node, batch.missed);
        }
        inner.lines.sampled(at, node, batch.instance, batch.one_in);
        for what in batch.happenings.iter().filter_map(|happening| happening.what.as_ref()) {
            inner.lines.told(at, node, batch.instance, what);
        }
    }

    /// Something that whoever looks at the world has to say.
    pub(crate) fn say(&self, now: u64, text: impl FnOnce() -> String) {
        let about = || "story".to_owned();
        let told = || Told { at: moment(now), node: None, about: about(), text: text() };
        self.add(|| Line::Told(told()));
    }

    /// Something else is done from here on.
    pub(crate) fn fork(&self, now: u64, text: impl FnOnce() -> String) {
        let about = || "fork".to_owned();
        let told = || Told { at: moment(now), node: None, about: about(), text: text() };
        self.add(|| Line::Told(told()));
    }

    /// The day is over: what clients asked and were told, and what the judge says.
    pub(crate) fn close(&self, now: u64, key: &ClusterKey, judge: &Judge) {
        let Some(mut inner) = self.lock() else { return };
        let at = moment(now);
        for call in calls(&judge.history, &RoomNames::of(key)) {
            inner.lines.add(Line::Call(call));
        }
        if let Some(broken) = judge.verdict() {
            let (promise, text) = (broken.promise.to_owned(), broken.how.clone());
            inner.lines.add(Line::Finding(Finding { at, promise, text }));
        }
        let good = judge.verdict().is_none();
        let (promises, operations, left_out) = (judge.judged(), 0, 0);
        let verdict = Verdict { at, good, promises, operations, left_out };
        inner.lines.add(Line::Verdict(verdict));
    }

    /// Writes it into a file.
    pub(crate) fn write(
        self,
        path: &Path,
        plan: &Plan,
        command: String,
        outcome: &DayOutcome,
    ) -> io::Result<()> {
        let Some(mut inner) = self.lock() else { return Ok(()) };
        let lines = std::mem::take(&mut inner.lines).in_order();
        let mut to = BufWriter::new(File::create(path)?);
        file::write(&head(plan, command, outcome), &lines, &mut to)?;
        to.flush()
    }

    fn lock(&self) -> Option<MutexGuard<'_, Inner>> {
        let inner = self.0.as_ref()?;
        Some(inner.lock().expect("nothing panics while the record is held"))
    }
}

fn head(plan: &Plan, command: String, outcome: &DayOutcome) -> Head {
    let named = |id, name| ClientNamed { id, name };
    let players = (0..plan.players).map(|id| named(client(id), format!("player {}", id + 1)));
    let watchers = (0..plan.watchers)
        .map(|id| named(client(plan.players + id), format!("watcher {}", id + 1)));
    let before = plan.players + plan.watchers;
    let seekers =
        (0..plan.seekers).map(|id| named(client(before + id), format!("seeker {}", id + 1)));
    let readers = (0..plan.readers).map(|id| named(reader(id), format!("reader {}", id + 1)));
    let nodes = (1..=plan.nodes as u64).map(|id| Named { id: NodeId(id), name: format!("n{id}") });
    Head {
        format: FORMAT,
        title: title(plan),
        began_unix_ms: 0,
        from: 0,
        command,
        about: format!("{plan}\n{outcome}"),
        nodes: nodes.collect(),
        clients: players.chain(watchers).chain(seekers).chain(readers).collect(),
    }
}

fn title(plan: &Plan) -> String {
    let forks: Vec<String> = plan.forks_in_words().collect();
    match &forks[..] {
        [] => format!("day {}", plan.seed),
        forks => format!("seed {}, {}", plan.seed, forks.join("; ")),
    }
}

fn calls(history: &History, names: &RoomNames) -> Vec<Call> {
    // A timeline's calls are about rooms. What is said of offers is in the story.
    let wishes = history.wishes.iter().filter(|wish| !wish.action.is_about_an_offer());
    let wishes = wishes.map(|wish| call_of(wish, names));
    wishes.chain(history.reads.iter().map(|read| read_of(read, names))).collect()
}

fn call_of(wish: &Wish, names: &RoomNames) -> Call {
    let (room, outcome) = match &wish.outcome {
        Outcome::Unknown | Outcome::Offered { .. } | Outcome::Done => (None, lab::Outcome::Unknown),
        Outcome::Accepted { room, version } => {
            (Some(*room), lab::Outcome::Ok { version: *version, lines: None })
        }
        Outcome::Refused(code) => {
            let code = serde_json::to_value(code).expect("a code is plain data");
            let code = code.as_str().unwrap_or_default().to_owned();
            (None, lab::Outcome::Refused { code })
        }
    };
    let (action, line) = action_of(&wish.action);
    let room: Option<RoomId> = wish.action.room().or(room);
    Call {
        invoked: wish.asked.at_us,
        returned: wish.returned_us,
        client: wish.asked.client,
        by: wish.asked.by.clone(),
        room: room.map_or_else(String::new, |room| names.name(room)),
        what: What::Write {
            action: action.to_owned(),
            line,
            detail: String::new(),
            may_change_nothing: wish.action.may_change_nothing(),
        },
        outcome,
    }
}

/// The socket's word for an action, and the line that it adds.
fn action_of(action: &Action) -> (&'static str, Option<String>) {
    match action {
        Action::Open => ("open", None),
        Action::Sit(_) => ("sit", None),
        Action::Stand(_) => ("stand", None),
        Action::Play(_) => ("play", None),
        Action::Again(_) => ("again", None),
        Action::Remove(_) => ("remove", None),
        Action::Lock(_) => ("lock", None),
        Action::Publish(_) => ("publish", None),
        Action::Say(_, text) => ("say", Some(text.clone())),
        Action::Seek => ("seek", None),
        Action::Challenge(_) => ("challenge", None),
        Action::Accept(_) => ("accept", None),
        Action::Decline(_) => ("decline", None),
        Action::Withdraw(_) => ("withdraw", None),
        Action::Resign(_) => ("resign", None),
        Action::Draw(..) => ("draw", None),
        Action::Claim(..) => ("claim", None),
    }
}

fn read_of(read: &Read, names: &RoomNames) -> Call {
    let level = match read.level {
        Level::Linearizable => lab::Level::Linearizable,
        Level::Local { .. } => lab::Level::Local,
        Level::AtLeast(least) => lab::Level::AtLeast { least },
    };
    Call {
        invoked: read.asked.at_us,
        returned: Some(read.returned_us),
        client: read.asked.client,
        by: read.asked.by.clone(),
        room: names.name(read.room),
        what: What::Read { level },
        outcome: lab::Outcome::Ok { version: read.version, lines: Some(read.chat.clone()) },
    }
}
