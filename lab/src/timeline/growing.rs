//! Tests: a timeline that grows ends as the one that is gathered afterwards.

use super::tests::{batch, happening, letter};
use super::{HOLD, Heard, Line, LiveTimeline, Message, ProcessEvent, SENDER_WAITED_FOR, gather};
use crate::history::Moment;
use hangraft_ids::NodeId;
use hangraft_proto::sampling::is_kept;
use hangraft_proto::v1::Observed;
use hangraft_proto::v1::happening::{Fault, Letter, Log, Role, Told, What};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Everything begins by then.
const START: u64 = 1_000_000;

/// The longest time that a batch takes.
const SLOWEST: u64 = 20_000;

/// A few nodes, what happens to them, and how long it takes until that is heard.
#[derive(Clone, Debug)]
struct World {
    /// Since when each clock runs, by the timeline's.
    began: Vec<u64>,
    /// Sender, receiver, when it is sent, how long it takes; none if it is lost.
    messages: Vec<(usize, usize, u64, Option<u64>)>,
    /// Node, when, what.
    happenings: Vec<(usize, u64, u8)>,
    /// When a node is started again.
    restarts: Vec<(usize, u64)>,
    /// How long batches take, one after the other.
    delays: Vec<u64>,
    /// How long it takes until it is asked again what is ready.
    pauses: Vec<u64>,
}

fn worlds(delays: impl Strategy<Value = u64>) -> impl Strategy<Value = World> {
    let at = || START..START + 2_000_000;
    let takes = prop_oneof![
        8 => (0..3_000_u64).prop_map(Some),
        1 => (0..900_000_u64).prop_map(Some),
        1 => Just(None),
    ];
    (
        prop::collection::vec(0..START, 3),
        prop::collection::vec((0..3_usize, 0..3_usize, at(), takes), 1..60),
        prop::collection::vec((0..3_usize, at(), 0..8_u8), 0..40),
        prop::collection::vec((0..3_usize, at()), 0..3),
        prop::collection::vec(delays, 1..20),
        prop::collection::vec(1_000..200_000_u64, 1..20),
    )
        .prop_map(|(began, messages, happenings, restarts, delays, pauses)| World {
            began,
            messages,
            happenings,
            restarts,
            delays,
            pauses,
        })
}

/// Something that a node can tell besides messages.
fn told(which: u8) -> What {
    match which {
        0 | 1 => What::Role(Role { term: which.into(), role: "leader".into(), ..Role::default() }),
        2 | 3 => What::Log(Log { last: Some(which.into()), ..Log::default() }),
        4 => What::Told(Told { kind: "node".into(), text: "ready".into() }),
        _ => What::Fault(Fault { id: 1, text: "slow disk".into(), healed: which > 6 }),
    }
}

impl World {
    /// What is heard: for each process of each node a call, with a batch for each happening.
    fn heard(&self) -> Vec<Heard> {
        let mut what: Vec<Vec<(u64, What)>> = vec![Vec::new(); self.began.len()];
        for (number, (from, to, at, takes)) in (1..).zip(&self.messages) {
            let (one, other) = (*from as u64, *to as u64);
            let from_instance = self.instance(*from, *at);
            let letter = Letter { bytes: number, from_instance, ..letter(number, one, other) };
            what[*from].push((*at, What::Sent(letter.clone())));
            what[*to].extend(takes.map(|takes| (at + takes, What::Received(letter))));
        }
        for (node, at, which) in &self.happenings {
            what[*node].push((*at, told(*which)));
        }
        let mut delays = self.delays.iter().cycle();
        let mut heard: BTreeMap<(usize, u64), Heard> = BTreeMap::new();
        for (node, mut what) in what.into_iter().enumerate() {
            what.sort_by_key(|(at, _)| *at);
            let mut came = START;
            for (at, what) in what {
                let instance = self.instance(node, at);
                // Each process has a clock of its own.
                let clock = at - self.began[node] + instance * 7_777;
                came = came.max(at + delays.next().expect("it cycles"));
                let call = heard.entry((node, instance)).or_insert_with(|| Heard::asked(at));
                call.came(came, batch(node as u64, instance, clock, vec![happening(clock, what)]));
            }
        }
        heard.into_values().collect()
    }

    /// The process that a node is at a moment.
    fn instance(&self, node: usize, at: u64) -> u64 {
        let restarts = self.restarts.iter().filter(|(who, when)| *who == node && *when <= at);
        100 + restarts.count() as u64
    }

    /// Everything that a live timeline gives out, in that order.
    fn grows(&self) -> Vec<Line> {
        let mut batches: Vec<(Moment, Moment, Observed)> = Vec::new();
        for call in self.heard() {
            let asked = call.asked;
            batches.extend(call.batches.into_iter().map(|(came, batch)| (came, asked, batch)));
        }
        batches.sort_by_key(|(came, ..)| *came);
        let (mut live, mut lines, mut now) = (LiveTimeline::new(), Vec::new(), START);
        let mut pauses = self.pauses.iter().cycle();
        for (came, asked, batch) in batches {
            while now <= came {
                lines.extend(live.ready(now));
                now += pauses.next().expect("it cycles");
            }
            live.came(asked, came, batch);
        }
        lines.extend(live.ready(now));
        lines.extend(live.rest());
        lines
    }
}

/// What stays of lines when a message that is told again takes the place of the first, and
/// faults have no numbers: those are given out in the order in which they are heard of.
fn settled(lines: Vec<Line>) -> Vec<Line> {
    let mut messages: BTreeMap<u64, Message> = BTreeMap::new();
    let mut settled = Vec::new();
    for line in lines {
        match line {
            Line::Message(message) => _ = messages.insert(message.bytes, message),
            Line::Fault(fault) => settled.push(Line::Fault(super::Fault { id: 0, ..fault })),
            line => settled.push(line),
        }
    }
    settled.extend(messages.into_values().map(Line::Message));
    settled
}

fn in_words(lines: Vec<Line>) -> Vec<String> {
    let words = |line: &Line| serde_json::to_string(line).expect("it can be written");
    let mut words: Vec<String> = settled(lines).iter().map(words).collect();
    words.sort();
    words
}

/// The same without moments.
fn timeless(lines: Vec<Line>) -> Vec<String> {
    let mut words = Vec::new();
    for line in settled(lines) {
        let mut value = serde_json::to_value(line).expect("it can be written");
        let fields = value.as_object_mut().expect("a line is an object");
        fields.remove("at");
        if fields.contains_key("received") {
            fields.insert("received".into(), true.into());
        }
        words.push(value.to_string());
    }
    words.sort();
    words
}

/// Who tells a line; of a message its sender.
fn teller(line: &Line) -> Option<NodeId> {
    match line {
        Line::Message(message) => Some(message.from),
        Line::Role(role) => Some(role.node),
        Line::Log(log) => Some(log.node),
        Line::Fault(fault) => fault.node,
        Line::Told(told) => told.node,
        _ => None,
    }
}

proptest! {
    /// When batches take no time clocks are known at once: in the end there are the very lines
    /// that are gathered afterwards.
    #[test]
    fn with_known_clocks_it_ends_as_what_is_gathered(world in worlds(Just(0))) {
        let gathered = gather(&world.heard()).in_order();
        prop_assert_eq!(in_words(world.grows()), in_words(gathered));
    }

    /// When they do, the lines are the same, and stand elsewhere by no more than the slowest
    /// batch took. Whatever estimates do, each node's lines are given out in their order, and
    /// nothing is received before it was sent.
    #[test]
    fn what_is_estimated_never_contradicts_what_was_given_out(world in worlds(1..SLOWEST)) {
        let gathered = gather(&world.heard()).in_order();
        let grown = world.grows();
        prop_assert_eq!(timeless(grown.clone()), timeless(gathered.clone()));
        let moments = |lines: Vec<Line>| -> BTreeMap<u64, Moment> {
            let messages = settled(lines).into_iter().filter_map(|line| match line {
                Line::Message(message) => Some((message.bytes, message.at)),
                _ => None,
            });
            messages.collect()
        };
        let (one, other) = (moments(grown.clone()), moments(gathered));
        for (number, at) in one {
            prop_assert!(at.abs_diff(other[&number]) <= SLOWEST, "{} {} {:?}", number, at, other);
        }
        let mut last: BTreeMap<NodeId, Moment> = BTreeMap::new();
        let mut known = BTreeMap::new();
        for line in &grown {
            if let Line::Message(message) = line {
                prop_assert!(message.received.is_none_or(|at| at >= message.at), "{:?}", message);
                // It is told again.
                if known.insert(message.bytes, ()).is_some() {
                    continue;
                }
            }
            if let Some(node) = teller(line) {
                let before = last.insert(node, line.at());
                prop_assert!(before.is_none_or(|before| before <= line.at()), "{:?}", line);
            }
        }
    }
}

/// Asked every fifty milliseconds, it gives each line out a moment after its time, whoever
/// told it.
#[test]
fn a_line_is_ready_when_what_belongs_before_it_has_come() {
    let mut live = LiveTimeline::new();
    let role = |term| What::Role(Role { term, role: "leader".into(), ..Role::default() });
    live.came(0, 1_000, batch(1, 101, 900, vec![happening(900, role(1))]));
    let ended = super::Process { at: 400_000, name: "n1".into(), event: ProcessEvent::Ended };
    live.add(Line::Process(ended));
    assert_eq!(live.ready(HOLD), []);
    live.came(0, 390_100, batch(1, 101, 390_000, vec![happening(390_000, role(2))]));
    let at = |lines: Vec<Line>| lines.iter().map(Line::at).collect::<Vec<_>>();
    assert_eq!(at(live.ready(HOLD + 300_000)), [1_000]);
    assert_eq!(live.ready(HOLD + 390_099), []);
    assert_eq!(at(live.ready(HOLD + 500_000)), [390_100, 400_000]);
    assert_eq!(live.rest(), []);
}

fn one_message(lines: Vec<Line>) -> Option<(Moment, Option<Moment>)> {
    assert!(lines.len() < 2, "{lines:?}");
    lines.first().map(|line| match line {
        Line::Message(message) => (message.at, message.received),
        line => panic!("{line:?}"),
    })
}

/// A node is slow to tell that a message came: the message is given out as one that did not
/// come, and then again.
#[test]
fn a_receipt_that_is_told_late_is_told() {
    let mut live = LiveTimeline::new();
    let (sent, received) = (What::Sent(letter(1, 1, 2)), What::Received(letter(1, 1, 2)));
    live.came(0, 1_000, batch(1, 101, 1_000, vec![happening(1_000, sent)]));
    live.came(0, 1_000, batch(2, 102, 1_000, vec![]));
    assert_eq!(one_message(live.ready(400_000)), Some((1_000, None)));
    live.came(0, 900_000, batch(2, 102, 900_000, vec![happening(1_200, received)]));
    assert_eq!(one_message(live.ready(900_000)), Some((1_000, Some(1_200))));
    assert_eq!(live.ready(20_000_000), []);
}

/// Nobody tells that a message was sent: it is given out after a while, as one that stands
/// where it came. What its sender tells after that is left out.
#[test]
fn a_sender_that_tells_late_is_waited_for() {
    let told = |late: Moment| {
        let mut live = LiveTimeline::new();
        let (sent, received) = (What::Sent(letter(1, 1, 2)), What::Received(letter(1, 1, 2)));
        live.came(0, 1_000, batch(1, 101, 1_000, vec![]));
        live.came(0, 2_000, batch(2, 102, 2_000, vec![happening(2_000, received)]));
        let before = live.ready(late);
        live.came(0, late, batch(1, 101, late, vec![happening(1_500, sent)]));
        (one_message(before), one_message(live.ready(late + HOLD)))
    };
    assert_eq!(told(1_000_000), (None, Some((1_500, Some(2_000)))));
    let late = SENDER_WAITED_FOR + HOLD + 2_000;
    assert_eq!(told(late), (Some((2_000, Some(2_000))), None));
}

/// Everything of a node comes late, until a message shows how late. What follows is not placed
/// before what was told first, though that stands too late.
#[test]
fn what_follows_a_better_estimate_keeps_its_order() {
    let mut live = LiveTimeline::new();
    let role = |term| What::Role(Role { term, role: "leader".into(), ..Role::default() });
    let (sent, received) = (What::Sent(letter(1, 1, 2)), What::Received(letter(1, 1, 2)));
    live.came(0, 1_000_500, batch(2, 102, 1_000_500, vec![happening(1_000_500, received)]));
    let mut given = Vec::new();
    for term in 1..=40 {
        let clock = term * 50_000;
        let also = (term == 20).then(|| happening(clock, sent.clone()));
        let happenings = [happening(clock, role(term))].into_iter().chain(also).collect();
        live.came(0, clock + 200_000, batch(1, 101, clock, happenings));
        given.extend(live.ready(clock + 200_000));
    }
    given.extend(live.rest());
    given.retain(|line| matches!(line, Line::Role(_)));
    assert_eq!(terms(&given), (1..=40).collect::<Vec<_>>());
    assert!(given.is_sorted_by_key(Line::at), "{given:?}");
    assert_eq!(given.last().map(Line::at), Some(2_000_500));
}

fn terms(lines: &[Line]) -> Vec<u64> {
    let term = |line: &Line| match line {
        Line::Role(role) => role.term.0,
        line => panic!("{line:?}"),
    };
    lines.iter().map(term).collect()
}

/// All that was heard of a process came late, so it stands late. The process after it is heard
/// at once, and what it tells is not placed before; nor is what a batch brings that is older
/// than what was given out.
#[test]
fn what_another_process_tells_is_not_placed_before() {
    let mut live = LiveTimeline::new();
    let role = |term| What::Role(Role { term, role: "leader".into(), ..Role::default() });
    let tell = |live: &mut LiveTimeline, came, instance, clock, term| {
        live.came(0, came, batch(1, instance, clock, vec![happening(clock, role(term))]));
    };
    tell(&mut live, 900_000, 101, 300_000, 1);
    let mut given = live.ready(1_100_000);
    tell(&mut live, 910_000, 103, 500, 2);
    given.extend(live.ready(1_200_000));
    for term in 3..9 {
        let came = 900_000 + term * 50_000;
        tell(&mut live, came, 103, came - 600_000, term);
    }
    given.extend(live.ready(1_700_000));
    live.came(0, 1_700_000, batch(1, 103, 1_100_000, vec![happening(400_000, role(9))]));
    given.extend(live.ready(2_000_000));
    assert_eq!(terms(&given), (1..=9).collect::<Vec<_>>());
    assert!(given.is_sorted_by_key(Line::at), "{given:?}");
}

/// Nodes that are started again and again are not remembered for ever.
#[test]
fn processes_that_are_gone_are_forgotten() {
    let mut live = LiveTimeline::new();
    let role = What::Role(Role { term: 1, role: "leader".into(), ..Role::default() });
    let mut given = 0;
    for process in 1..=500 {
        let at = process * 1_000_000;
        live.came(at, at, batch(process, process, 5, vec![happening(5, role.clone())]));
        given += live.ready(at + 500_000).len();
    }
    assert_eq!(given, 500);
    assert!(live.knows() <= 65, "{}", live.knows());
}

/// Messages between two nodes that tell some of them only.
#[derive(Clone, Debug)]
struct Busy {
    /// Of each node: from when on it tells one in so many.
    levels: [Vec<(u64, u64)>; 2],
    /// When it is sent, whether by the second node, whether it is a vote, whether it is lost.
    messages: Vec<(u64, bool, bool, bool)>,
}

fn busy() -> impl Strategy<Value = Busy> {
    let levels = || {
        let change = (0..5_000_000_u64, 0..5_u32);
        let changes = prop::collection::vec(change, 0..4);
        changes.prop_map(|mut changes| {
            changes.sort_unstable();
            changes.into_iter().map(|(at, k)| (START + at, 1 << k)).collect::<Vec<_>>()
        })
    };
    let message =
        (0..5_000_000_u64, any::<bool>(), prop::bool::weighted(0.1), prop::bool::weighted(0.3));
    (levels(), levels(), prop::collection::vec(message, 1..300)).prop_map(
        |(one, other, mut messages)| {
            messages.sort_unstable();
            messages.iter_mut().for_each(|(at, ..)| *at += START);
            Busy { levels: [one, other], messages }
        },
    )
}

impl Busy {
    fn level(&self, node: usize, at: u64) -> u64 {
        self.levels[node].iter().rfind(|(since, _)| *since <= at).map_or(1, |(_, one_in)| *one_in)
    }

    /// What the two tell, each ten milliseconds. A message takes half a millisecond.
    fn heard(&self) -> [Heard; 2] {
        let tell = |node: usize| {
            let mut told: Vec<(u64, What)> = Vec::new();
            for (number, (at, by_second, is_vote, is_lost)) in (1..).zip(&self.messages) {
                let from = u64::from(*by_second);
                let what = if *is_vote { "vote" } else { "append" }.to_owned();
                let letter = Letter { bytes: number, what, ..letter(number, from, 1 - from) };
                let told_at = |at| *is_vote || is_kept(number, self.level(node, at));
                if from == node as u64 && told_at(*at) {
                    told.push((*at, What::Sent(letter)));
                } else if from != node as u64 && !is_lost && told_at(at + 500) {
                    told.push((at + 500, What::Received(letter)));
                }
            }
            let mut heard = Heard::asked(START);
            for came in (START..START + 6_000_000).step_by(10_000) {
                let now = |(at, _): &mut (u64, What)| *at <= came;
                let told = told.extract_if(.., now).map(|(at, what)| happening(at, what));
                let batch = batch(node as u64, node as u64 + 100, came, told.collect());
                heard.came(came, Observed { one_in: self.level(node, came), ..batch });
            }
            heard
        };
        [tell(0), tell(1)]
    }

    /// What was shown of it is what happened.
    fn is_shown_by(&self, lines: &[Line]) {
        let mut shown: BTreeMap<u64, &Message> = BTreeMap::new();
        for line in lines {
            if let Line::Message(message) = line {
                shown.insert(message.bytes, message);
            }
        }
        for (number, (at, by_second, is_vote, is_lost)) in (1..).zip(&self.messages) {
            let shown = shown.get(&number).map(|message| message.received);
            let (sender, receiver) = (usize::from(*by_second), 1 - usize::from(*by_second));
            let kept = |node, at| is_kept(number, self.level(node, at));
            let is_calm = |node: usize| {
                self.levels[node].iter().all(|(since, _)| since.abs_diff(*at) > 600_000)
            };
            match (is_vote, is_lost) {
                (true, _) => assert_eq!(shown.map(|at| at.is_none()), Some(*is_lost), "{number}"),
                // Nothing is shown as lost that was not.
                (false, false) => assert!(shown != Some(None), "{number}"),
                (false, true) => assert!(!matches!(shown, Some(Some(_))), "{number}"),
            }
            // What both would tell is shown, whether it came or not.
            if kept(sender, *at) && kept(receiver, *at) && is_calm(receiver) && is_calm(sender) {
                assert!(shown.is_some(), "{number} is not shown");
            }
        }
    }
}

proptest! {
    /// Whatever each node leaves out, votes are shown, nothing is shown as lost that was told
    /// by one node and left out by the other, and what is really lost is shown as that.
    #[test]
    fn what_is_left_out_is_not_shown_as_lost(busy in busy()) {
        let heard = busy.heard();
        busy.is_shown_by(&gather(&heard).in_order());
        let mut batches: Vec<(Moment, Observed)> =
            heard.into_iter().flat_map(|heard| heard.batches).collect();
        batches.sort_by_key(|(came, _)| *came);
        let (mut live, mut lines) = (LiveTimeline::new(), Vec::new());
        for (came, batch) in batches {
            live.came(START, came, batch);
            lines.extend(live.ready(came));
        }
        lines.extend(live.rest());
        busy.is_shown_by(&lines);
    }
}

/// That a node leaves messages out is told when it changes, by each node for itself; a node
/// that is started again tells all.
#[test]
fn it_is_told_how_many_are_left_out() {
    let mut heard = Heard::asked(0);
    for (at, instance, one_in) in [(10, 101, 0), (20, 101, 4), (30, 101, 4), (40, 103, 1)] {
        let told = What::Told(Told { kind: "node".into(), text: "ready".into() });
        let batch = batch(1, instance, at, vec![happening(at, told)]);
        heard.came(at, Observed { one_in, ..batch });
    }
    let lines = gather(&[heard]).in_order();
    let sampled = lines.iter().filter_map(|line| match line {
        Line::Sampled(line) => Some((line.at, line.node.0, line.one_in)),
        _ => None,
    });
    assert_eq!(sampled.collect::<Vec<_>>(), [(20, 1, 4), (40, 1, 1)]);
}
