//! What a lab keeps: the last minutes of what happened, so that whoever opens the page sees
//! them, and whoever lost the connection goes on where it was. Plain code.
//!
//! News comes in ticks. A tick is packed once, for all who look. Ticks that are older than
//! anybody comes back after become a chunk, packed again as a whole. When there is too much,
//! older chunks lose what is told all the time first, messages before moves, and go when that
//! does not help. What a line that has gone still means, such as who leads, stays.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use hangraft_ids::NodeId;
use hangraft_lab::{
    history::Moment,
    timeline::{Head, Line, Message, Verdict},
    viewer::pack,
};
use serde_json::json;

/// How long something is kept, in microseconds: ten minutes.
pub(crate) const KEPT_US: Moment = 600 * 1_000_000;

/// The most lines that are kept, and the most bytes of them as they are sent. At a calm pace
/// three nodes tell less in ten minutes.
const LINES_MAX: usize = 300_000;
const BYTES_MAX: usize = 32 << 20;

/// How long somebody may be away who goes on where it was, in microseconds.
const RESUME_US: Moment = 20 * 1_000_000;

/// How much of the past becomes one chunk, in microseconds, and how many lines at most.
const CHUNK_US: Moment = 2 * 1_000_000;
const CHUNK_LINES_MAX: usize = 10_000;

/// Broken promises that are kept for good: the first ones.
const FINDINGS_MAX: usize = 100;

/// What is kept of a run.
pub(crate) struct Store {
    head: Head,
    /// What lines that are gone still mean.
    standing: Standing,
    chunks: VecDeque<Piece>,
    ticks: VecDeque<Piece>,
    seq: u64,
    lines: usize,
    bytes: usize,
    /// Before this moment everyday messages are left out, and before that one moves as well.
    thinned: [Moment; 2],
    /// Of what was told before this moment something has been forgotten.
    forgotten: Option<Moment>,
    bounds: Bounds,
}

/// How much is kept.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    us: Moment,
    lines: usize,
    bytes: usize,
}

/// Some lines, as they are sent.
struct Piece {
    /// The number of its last tick.
    seq: u64,
    /// When its last tick was.
    now: Moment,
    lines: Vec<Line>,
    event: Bytes,
    thinned: usize,
}

impl Store {
    /// An empty one.
    pub(crate) fn new(head: Head) -> Self {
        Self {
            head,
            standing: Standing::default(),
            chunks: VecDeque::new(),
            ticks: VecDeque::new(),
            seq: 0,
            lines: 0,
            bytes: 0,
            thinned: [0; 2],
            forgotten: None,
            bounds: Bounds { us: KEPT_US, lines: LINES_MAX, bytes: BYTES_MAX },
        }
    }

    /// Takes in what is new; it as it is sent, with since when somebody waits for a move to be
    /// answered: calls are told when they have returned, and an outage shall be seen growing.
    pub(crate) fn add(&mut self, now: Moment, waits: Option<Moment>, lines: Vec<Line>) -> Bytes {
        self.seq += 1;
        let event = event(self.seq, now, Also { waits, ..Also::default() }, &lines);
        let lines = self.behead(lines);
        self.count(&lines, &event);
        let tick = Piece { seq: self.seq, now, lines, event: event.clone(), thinned: 0 };
        self.ticks.push_back(tick);
        self.fold(now);
        self.bound(now);
        event
    }

    /// What is sent to somebody who comes: all that is kept, or what came behind the tick that
    /// they saw last.
    pub(crate) fn past(&self, after: Option<u64>) -> Vec<Bytes> {
        let kept = self.ticks.front().map_or(self.seq + 1, |first| first.seq);
        if let Some(after) = after.filter(|after| *after <= self.seq && after + 1 >= kept) {
            let newer = self.ticks.iter().filter(|tick| tick.seq > after);
            return newer.map(|tick| tick.event.clone()).collect();
        }
        let now = self.ticks.back().or(self.chunks.back()).map_or(0, |last| last.now);
        let head = self.head();
        let mut first: Vec<Line> = self.standing.lines(head.from).collect();
        first.extend(self.left_out());
        first.insert(0, Line::Head(head));
        let first = event(0, now, Also { anew: true, ..Also::default() }, &first);
        let pieces = self.chunks.iter().chain(&self.ticks);
        [first].into_iter().chain(pieces.map(|piece| piece.event.clone())).collect()
    }

    /// All that is kept as a timeline: its head, and its lines in order. Of several verdicts
    /// only the last.
    pub(crate) fn timeline(&self) -> (Head, Vec<Line>) {
        let head = self.head();
        let mut verdict: Option<&Verdict> = None;
        let mut lines: Vec<Line> = self.standing.lines(head.from).collect();
        lines.extend(self.left_out());
        for line in self.kept() {
            match line {
                Line::Verdict(last) => verdict = Some(last),
                line => lines.push(line.clone()),
            }
        }
        lines.sort_by_key(Line::at);
        lines.extend(verdict.cloned().map(Line::Verdict));
        (head, lines)
    }

    /// The head of what is kept, which says from when on that is. What lines that are gone
    /// still mean comes before all that is kept of the same.
    fn head(&self) -> Head {
        let states = self.kept().filter(|line| Subject::of(line).is_some()).map(Line::at);
        let from = self.forgotten.map_or(0, |forgotten| states.fold(forgotten, Moment::min));
        Head { from, ..self.head.clone() }
    }

    fn kept(&self) -> impl Iterator<Item = &Line> {
        self.chunks.iter().chain(&self.ticks).flat_map(|piece| &piece.lines)
    }

    /// Takes out heads: the newest is the head of all that is kept.
    fn behead(&mut self, lines: Vec<Line>) -> Vec<Line> {
        let mut others = Vec::with_capacity(lines.len());
        for line in lines {
            match line {
                Line::Head(head) => self.head = head,
                line => others.push(line),
            }
        }
        others
    }

    fn from(&self, now: Moment) -> Moment {
        now.saturating_sub(self.bounds.us)
    }

    /// Makes a chunk of ticks that nobody comes back to.
    fn fold(&mut self, now: Moment) {
        let old = |tick: &&Piece| tick.now + RESUME_US < now;
        let Some(first) = self.ticks.front().map(|tick| tick.now) else { return };
        if first + RESUME_US + CHUNK_US >= now {
            return;
        }
        let mut chunk =
            Piece { seq: 0, now: 0, lines: Vec::new(), event: Bytes::new(), thinned: 0 };
        while let Some(tick) = self.ticks.front().filter(old) {
            if chunk.lines.len() + tick.lines.len() > CHUNK_LINES_MAX && !chunk.lines.is_empty() {
                break;
            }
            let tick = self.ticks.pop_front().expect("just seen");
            self.bytes -= tick.event.len();
            (chunk.seq, chunk.now) = (tick.seq, tick.now);
            chunk.lines.extend(tick.lines);
        }
        chunk.pack();
        self.bytes += chunk.event.len();
        self.chunks.push_back(chunk);
    }

    /// Sees that there is not too much.
    fn bound(&mut self, now: Moment) {
        let from = self.from(now);
        while self.chunks.front().is_some_and(|chunk| chunk.now < from) {
            self.forget();
        }
        while self.lines > self.bounds.lines || self.bytes > self.bounds.bytes {
            let thicker = |level: usize| self.chunks.iter().position(|chunk| chunk.thinned < level);
            match thicker(1).map(|place| (place, 1)).or(thicker(2).map(|place| (place, 2))) {
                Some((place, level)) => self.thin(place, level),
                None if self.chunks.is_empty() => return,
                None => self.forget(),
            }
        }
    }

    /// Leaves out what a chunk has that is told all the time.
    fn thin(&mut self, place: usize, level: usize) {
        let chunk = &mut self.chunks[place];
        let (lines, bytes) = (chunk.lines.len(), chunk.event.len());
        chunk.lines.retain(|line| weight(line) > level);
        chunk.thinned = level;
        chunk.pack();
        self.lines -= lines - chunk.lines.len();
        self.bytes = self.bytes - bytes + chunk.event.len();
        self.thinned[level - 1] = self.thinned[level - 1].max(chunk.now);
    }

    /// The oldest chunk goes.
    fn forget(&mut self) {
        let Some(chunk) = self.chunks.pop_front() else { return };
        self.lines -= chunk.lines.len();
        self.bytes -= chunk.event.len();
        self.forgotten = Some(chunk.now);
        chunk.lines.into_iter().for_each(|line| self.standing.remember(line));
    }

    fn count(&mut self, lines: &[Line], event: &Bytes) {
        self.lines += lines.len();
        self.bytes += event.len();
    }

    /// What a reader has to know of what is not there.
    fn left_out(&self) -> Option<Line> {
        let [messages, moves] = self.thinned;
        let what = match (messages, moves) {
            (0, 0) => return None,
            (_, 0) => "everyday messages are",
            _ => "most messages and moves are",
        };
        let at = if moves > 0 { moves } else { messages };
        let text = format!("Before this moment {what} left out: there was too much to keep");
        let about = "story".into();
        Some(Line::Told(hangraft_lab::timeline::Told { at, node: None, about, text }))
    }
}

impl Piece {
    fn pack(&mut self) {
        self.event = event(self.seq, self.now, Also::default(), &self.lines);
    }
}

/// What an event says beside its lines.
#[derive(Clone, Copy, Default)]
struct Also {
    /// What was heard before counts no more.
    anew: bool,
    /// Since when somebody waits.
    waits: Option<Moment>,
}

/// Lines as an event of the stream.
fn event(seq: u64, now: Moment, also: Also, lines: &[Line]) -> Bytes {
    let mut data = json!({ "now": now, "seq": seq, "packed": pack(lines) });
    if also.anew {
        data["anew"] = true.into();
    }
    if let Some(since) = also.waits {
        data["waits"] = since.into();
    }
    format!("event: lines\nid: {seq}\ndata: {data}\n\n").into()
}

/// How much a line is worth: 1 is told all the time, 2 are moves, 3 is what moves stand beside.
fn weight(line: &Line) -> usize {
    match line {
        Line::Message(message) if is_everyday(message) => 1,
        Line::Call(_) | Line::Push(_) | Line::Message(_) | Line::Log(_) => 2,
        _ => 3,
    }
}

/// Whether nodes tell each other such things all the time.
pub(crate) fn is_everyday(message: &Message) -> bool {
    ["append", "heartbeat", "read-index"].contains(&&*message.what)
}

/// What lines that are gone still mean.
#[derive(Default)]
struct Standing {
    lines: BTreeMap<Subject, Line>,
    findings: Vec<Line>,
}

/// What a line is about. The next about the same makes it old.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Process(String),
    Role(NodeId),
    Log(NodeId),
    Members(NodeId),
    Gossip(NodeId, NodeId),
    Fault(u64),
    Sampled(NodeId),
}

impl Subject {
    /// What a line is about, if the next about the same makes it old.
    fn of(line: &Line) -> Option<Self> {
        Some(match line {
            Line::Process(process) => Self::Process(process.name.clone()),
            Line::Role(role) => Self::Role(role.node),
            Line::Log(log) => Self::Log(log.node),
            Line::Members(members) => Self::Members(members.node),
            Line::Gossip(gossip) => Self::Gossip(gossip.node, gossip.about),
            Line::Fault(fault) => Self::Fault(fault.id),
            Line::Sampled(sampled) => Self::Sampled(sampled.node),
            _ => return None,
        })
    }
}

impl Standing {
    fn remember(&mut self, line: Line) {
        match (Subject::of(&line), &line) {
            (Some(subject), Line::Fault(fault)) if fault.healed => {
                self.lines.remove(&subject);
            }
            (Some(subject), _) => _ = self.lines.insert(subject, line),
            (None, Line::Finding(_)) if self.findings.len() < FINDINGS_MAX => {
                self.findings.push(line);
            }
            (None, _) => {}
        }
    }

    /// These lines, as they stand at a moment before all that is kept.
    fn lines(&self, from: Moment) -> impl Iterator<Item = Line> {
        self.lines.values().chain(&self.findings).cloned().map(move |line| moved(from, line))
    }
}

/// The same, as if it were told at a moment.
fn moved(to: Moment, mut line: Line) -> Line {
    let at = match &mut line {
        Line::Process(line) => &mut line.at,
        Line::Role(line) => &mut line.at,
        Line::Log(line) => &mut line.at,
        Line::Members(line) => &mut line.at,
        Line::Gossip(line) => &mut line.at,
        Line::Fault(line) => &mut line.at,
        Line::Sampled(line) => &mut line.at,
        Line::Finding(line) => &mut line.at,
        _ => return line,
    };
    *at = to;
    line
}

#[cfg(test)]
mod tests {
    use hangraft_ids::Term;
    use hangraft_lab::timeline::{FORMAT, Named, Role, Told};

    use super::*;

    const SECOND: Moment = 1_000_000;

    fn store() -> Store {
        Store::new(Head {
            format: FORMAT,
            title: "a lab".into(),
            began_unix_ms: 0,
            from: 0,
            command: String::new(),
            about: String::new(),
            nodes: Vec::new(),
            clients: Vec::new(),
        })
    }

    fn told(at: Moment) -> Line {
        Line::Told(Told { at, node: None, about: "story".into(), text: "x".into() })
    }

    fn heartbeat(at: Moment) -> Line {
        Line::Message(Message {
            at,
            received: None,
            what: "heartbeat".into(),
            answer: false,
            from: NodeId(1),
            to: NodeId(2),
            term: Term(1),
            index: None,
            entries: 0,
            bytes: 10,
            yes: None,
        })
    }

    fn leads(at: Moment, term: u64) -> Line {
        let (node, term, role) = (NodeId(1), Term(term), "leader".into());
        Line::Role(Role { at, node, term, role, leader: Some(node), voted: None })
    }

    fn run(store: &mut Store, seconds: Moment, line: impl Fn(Moment) -> Line) {
        for at in (0..seconds * 10).map(|tenth| tenth * SECOND / 10) {
            store.add(at, None, vec![line(at)]);
        }
    }

    fn ids(past: &[Bytes]) -> Vec<u64> {
        let id = |event: &Bytes| {
            let text = String::from_utf8(event.to_vec()).unwrap();
            let line = text.lines().find_map(|line| line.strip_prefix("id: ")).unwrap();
            line.parse::<u64>().unwrap()
        };
        past.iter().map(id).collect()
    }

    /// Whoever was away for a moment gets what is new; whoever was longer away begins anew.
    #[test]
    fn whoever_comes_back_goes_on() {
        let mut store = store();
        run(&mut store, 60, told);
        assert_eq!(ids(&store.past(Some(597))), [598, 599, 600]);
        assert!(ids(&store.past(Some(600))).is_empty());
        for after in [None, Some(0), Some(5), Some(601), Some(u64::MAX)] {
            let past = store.past(after);
            let first = String::from_utf8(past[0].to_vec()).unwrap();
            assert!(first.contains(r#""anew":true"#), "{after:?}: {first}");
            assert!(first.contains("a lab"), "the head comes first");
            let ids = ids(&past);
            assert_eq!((ids[0], *ids.last().unwrap()), (0, 600));
            assert!(ids.len() < 300, "older ticks are sent in chunks: {}", ids.len());
        }
        let (_, lines) = store.timeline();
        assert_eq!(lines.len(), 600, "each line is there once");
    }

    /// What is too old goes; who leads is known all the same.
    #[test]
    fn what_is_old_goes_and_what_it_means_stays() {
        let mut store = store();
        store.bounds.us = 30 * SECOND;
        store.add(0, None, vec![leads(0, 3)]);
        store.add(1, None, vec![leads(1, 4)]);
        run(&mut store, 90, told);
        let (head, lines) = store.timeline();
        assert!((300..360).contains(&lines.len()), "{}", lines.len());
        let roles: Vec<_> = lines.iter().filter(|line| matches!(line, Line::Role(_))).collect();
        assert_eq!(roles, [&leads(head.from, 4)]);
        let first = lines.iter().find(|line| matches!(line, Line::Told(_))).unwrap().at();
        assert!((first - SECOND / 10..=first).contains(&head.from), "{} {first}", head.from);
        let anew = String::from_utf8(store.past(None)[0].to_vec()).unwrap();
        assert!(anew.contains(r#""from""#), "a page is told where it begins: {anew}");
    }

    /// What is gone came before what is kept, also where that was told late: of two leaders
    /// the later one is the later one in the file as well.
    #[test]
    fn what_stood_before_stands_before() {
        let mut store = store();
        store.bounds.us = 30 * SECOND;
        store.add(0, None, vec![leads(0, 3)]);
        let elected = |at| if at == 63 * SECOND { leads(at - 3 * SECOND, 4) } else { told(at) };
        run(&mut store, 91, elected);
        let (head, lines) = store.timeline();
        let terms = lines.iter().filter_map(|line| match line {
            Line::Role(role) => Some((role.at, role.term.0)),
            _ => None,
        });
        assert_eq!(terms.collect::<Vec<_>>(), [(head.from, 3), (60 * SECOND, 4)]);
        assert!(lines.is_sorted_by_key(Line::at) && head.from <= 60 * SECOND);
    }

    /// Nothing is said to be missing where nothing is.
    #[test]
    fn what_is_whole_has_its_beginning() {
        let mut store = store();
        run(&mut store, 60, told);
        assert_eq!(store.timeline().0.from, 0);
    }

    /// Whoever looks is told that somebody waits, while they do; later it is in the calls.
    #[test]
    fn somebody_who_waits_is_told_of_while_they_wait() {
        let mut store = store();
        let text = |event: &Bytes| String::from_utf8(event.to_vec()).unwrap();
        assert!(text(&store.add(900_000, Some(500_000), vec![])).contains(r#""waits":500000"#));
        assert!(!text(&store.add(950_000, None, vec![])).contains("waits"));
        run(&mut store, 60, told);
        assert!(!store.past(None).iter().any(|event| text(event).contains("waits")));
    }

    /// Who joins is named: to whoever looks already, to whoever comes later, and in the file.
    #[test]
    fn who_joins_has_a_name_for_everybody() {
        let mut store = store();
        store.add(0, None, vec![leads(0, 3)]);
        let oak = Named { id: NodeId(7), name: "oak".into() };
        let mut joined = store.head.clone();
        assert!(joined.name(oak.clone()) && !joined.name(oak.clone()), "it is news once");
        let told = store.add(1, None, vec![Line::Head(joined), leads(1, 4)]);
        assert!(String::from_utf8(told.to_vec()).unwrap().contains("oak"));
        let past = String::from_utf8(store.past(None)[0].to_vec()).unwrap();
        assert!(past.contains("oak"), "{past}");
        assert_eq!(store.past(Some(1)), [told], "whoever comes back is told as well");
        run(&mut store, 60, super::tests::told);
        let (head, lines) = store.timeline();
        assert_eq!(head.nodes, [oak]);
        assert_eq!(lines.len(), 602, "a file has one head");
        assert!(!lines.iter().any(|line| matches!(line, Line::Head(_))));
    }

    /// When there is too much, older messages go first, and the page is told.
    #[test]
    fn everyday_messages_go_first() {
        let mut store = store();
        store.bounds.lines = 800;
        run(&mut store, 60, |at| if at % SECOND == 0 { told(at) } else { heartbeat(at) });
        assert!(store.lines <= 800);
        let before = store.timeline().1.len();
        assert_eq!(before, 600);
        for at in (0..600).map(|tenth| 60 * SECOND + tenth * SECOND / 10) {
            store.add(at, None, vec![if at % SECOND == 0 { told(at) } else { heartbeat(at) }]);
        }
        assert!(store.lines <= 800, "{}", store.lines);
        let (_, lines) = store.timeline();
        let kept = lines.iter().filter(|line| matches!(line, Line::Told(_))).count();
        assert_eq!(kept, 121, "every story is there, and one that says what is left out");
        let last = lines.iter().rev().take(200).filter(|line| matches!(line, Line::Message(_)));
        assert_eq!(last.count(), 180, "the newest is whole");
        let counted = store.chunks.iter().chain(&store.ticks).map(|piece| piece.lines.len());
        assert_eq!(counted.sum::<usize>(), store.lines);
        let bytes = store.chunks.iter().chain(&store.ticks).map(|piece| piece.event.len());
        assert_eq!(bytes.sum::<usize>(), store.bytes);
    }

    /// Not even what is worth much grows without end.
    #[test]
    fn there_is_an_end_to_everything() {
        let mut store = store();
        store.bounds.lines = 400;
        run(&mut store, 120, told);
        assert!(store.lines <= 400);
        let mut store = super::tests::store();
        store.bounds.bytes = 60_000;
        run(&mut store, 120, told);
        assert!(store.bytes <= 60_000);
    }
}
