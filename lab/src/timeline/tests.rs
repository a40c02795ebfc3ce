//! Tests: many clocks become one, and what is written is read again.

use super::file::{KINDS, ReadError, Timeline, read, write};
use super::{Head, Heard, Line, Message, gather};
use crate::history::Moment;
use hangraft_ids::NodeId;
use hangraft_proto::v1::happening::{Fault, Letter, Role, Told, What};
use hangraft_proto::v1::{Happening, Observed};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Since when each clock runs, by the timeline's: a clock of one that runs since 40 shows 60
/// at 100.
#[derive(Debug)]
struct World {
    began: Vec<u64>,
    /// Sender, receiver, when it is sent, how long it takes.
    messages: Vec<(usize, usize, u64, u64)>,
    /// How long batches take, one after the other.
    delays: Vec<u64>,
}

/// Everything begins by then.
const START: u64 = 1_000_000;

fn worlds() -> impl Strategy<Value = World> {
    let message = (0..4_usize, 0..4_usize, START..START + 100_000, 0..3_000_u64);
    (
        proptest::collection::vec(0..START, 4),
        proptest::collection::vec(message, 1..60),
        proptest::collection::vec(1..20_000_u64, 1..20),
    )
        .prop_map(|(began, messages, delays)| World { began, messages, delays })
}

pub(super) fn happening(at_us: u64, what: What) -> Happening {
    Happening { at_us, what: Some(what) }
}

pub(super) fn batch(node: u64, instance: u64, now_us: u64, happenings: Vec<Happening>) -> Observed {
    Observed { node, instance, now_us, missed: 0, happenings, one_in: 0 }
}

pub(super) fn letter(number: u64, from: u64, to: u64) -> Letter {
    let (what, from_instance) = ("append".into(), from + 100);
    Letter { number, what, from, from_instance, to, bytes: 10, ..Letter::default() }
}

impl World {
    /// What is heard of it: a batch for each happening.
    fn heard(&self) -> Vec<Heard> {
        let mut told: Vec<Vec<(u64, What)>> = vec![Vec::new(); self.began.len()];
        for (number, (from, to, at, takes)) in (1..).zip(&self.messages) {
            let letter = letter(number, *from as u64, *to as u64);
            told[*from].push((*at, What::Sent(letter.clone())));
            told[*to].push((at + takes, What::Received(letter)));
        }
        let mut delays = self.delays.iter().cycle();
        let mut heard = Vec::new();
        for (node, mut told) in told.into_iter().enumerate() {
            told.sort_by_key(|(at, _)| *at);
            let mut call = Heard::asked(START);
            let mut came = START;
            for (at, what) in told {
                let clock = at - self.began[node];
                came = came.max(at + delays.next().expect("it cycles"));
                let happenings = vec![happening(clock, what)];
                call.came(came, batch(node as u64, node as u64 + 100, clock, happenings));
            }
            heard.push(call);
        }
        heard
    }
}

proptest! {
    /// Whatever clocks show and however long it takes: nothing is received before it was sent,
    /// each node's happenings keep their order, and no clock is further off than the quickest
    /// batch took.
    #[test]
    fn what_is_sent_comes_after(world in worlds()) {
        let lines = gather(&world.heard()).in_order();
        prop_assert_eq!(lines.len(), world.messages.len());
        prop_assert!(lines.is_sorted_by_key(Line::at));
        let mut ends: BTreeMap<usize, Vec<(u64, Moment)>> = BTreeMap::new();
        let mut numbers = BTreeMap::new();
        for line in &lines {
            let Line::Message(message) = line else { panic!("{line:?}") };
            let received = message.received.expect("all were received");
            prop_assert!(received >= message.at, "{:?}", message);
            *numbers.entry((message.from, message.to)).or_insert(0) += 1;
        }
        // Two messages of one way keep their order and their distance.
        for (from, to, at, takes) in &world.messages {
            let way = (NodeId(*from as u64), NodeId(*to as u64));
            prop_assert!(numbers.contains_key(&way));
            ends.entry(*from).or_default().push((*at, 0));
            ends.entry(*to).or_default().push((at + takes, 0));
        }
        for (node, ends) in &mut ends {
            ends.sort_unstable();
            let mut shown: Vec<Moment> = lines.iter().flat_map(|line| shown_at(line, *node)).collect();
            shown.sort_unstable();
            let shift = |(one, other): (&(u64, Moment), &Moment)| other.cast_signed() - one.0.cast_signed();
            let shifts: Vec<i64> = ends.iter().zip(&shown).map(shift).collect();
            prop_assert!(shifts.windows(2).all(|two| two[0] == two[1]), "n{}: {:?}", node, shifts);
        }
    }
}

/// When a node sent or received a message.
fn shown_at(line: &Line, node: usize) -> Vec<Moment> {
    let Line::Message(Message { from, to, at, received, .. }) = line else { return vec![] };
    let mine = |id: &NodeId| id.0 == node as u64;
    let sent = Some(*at).filter(|_| mine(from));
    sent.into_iter().chain(received.filter(|_| mine(to))).collect()
}

/// A message that nobody took is one that was not received; one whose sender had no time to
/// tell of it came all the same.
#[test]
fn halves_without_another_are_told() {
    let mut heard = Heard::asked(0);
    let (sent, received) = (letter(1, 1, 2), letter(7, 2, 1));
    let happenings = vec![
        happening(10, What::Sent(sent)),
        happening(20, What::Received(received.clone())),
        happening(30, What::Received(Letter { number: 8, bytes: 90, ..received.clone() })),
    ];
    heard.came(100, batch(1, 101, 100, happenings));
    let mut other = Heard::asked(0);
    let begins = vec![happening(25, What::Sent(Letter { number: 8, ..received }))];
    other.came(100, batch(2, 102, 100, begins));
    let lines = gather(&[heard, other]).in_order();
    let seen: Vec<_> = lines
        .iter()
        .map(|line| match line {
            Line::Message(Message { at, received, from, bytes, .. }) => {
                (from.0, *at, *received, *bytes)
            }
            line => panic!("{line:?}"),
        })
        .collect();
    assert_eq!(seen, [(1, 10, None, 10), (2, 20, Some(20), 10), (2, 25, Some(30), 90)]);
}

/// A node that is asked again tells how all stands again; that is no news, unless it is
/// another process. Faults end with theirs, and no two have a number.
#[test]
fn what_stands_already_is_told_once() {
    let role = || What::Role(Role { term: 3, role: "leader".into(), ..Role::default() });
    let fault = |id| What::Fault(Fault { id, text: "full disk".into(), healed: false });
    let call = |at, node, instance, missed, what: Vec<What>| {
        let mut heard = Heard::asked(at);
        let happenings = what.into_iter().map(|what| happening(at, what)).collect();
        heard.came(at, Observed { missed, ..batch(node, instance, at, happenings) });
        heard
    };
    let told = What::Told(Told { kind: "leader".into(), text: "n1 leads".into() });
    let lines = gather(&[
        call(10, 1, 101, 0, vec![role(), fault(1)]),
        call(15, 2, 102, 0, vec![fault(1)]),
        call(20, 1, 101, 4, vec![role(), fault(1), told]),
        call(30, 1, 103, 0, vec![role()]),
    ])
    .in_order();
    let said: Vec<_> = lines.iter().map(|line| serde_json::to_string(line).unwrap()).collect();
    assert_eq!(
        said,
        [
            r#"{"kind":"role","at":10,"node":1,"term":3,"role":"leader"}"#,
            r#"{"kind":"fault","at":10,"id":1,"node":1,"what":"full disk"}"#,
            r#"{"kind":"fault","at":15,"id":2,"node":2,"what":"full disk"}"#,
            r#"{"kind":"told","at":20,"about":"story","text":"4 happenings of n1 are missing here: whoever asked was slow"}"#,
            r#"{"kind":"told","at":20,"node":1,"about":"leader","text":"n1 leads"}"#,
            r#"{"kind":"fault","at":30,"id":1,"node":1,"what":"full disk","healed":true}"#,
            r#"{"kind":"role","at":30,"node":1,"term":3,"role":"leader"}"#,
        ]
    );
}

/// The examples of docs/timeline.md.
fn examples() -> Vec<&'static str> {
    let page = include_str!("../../../docs/timeline.md");
    page.lines().filter(|line| line.starts_with(r#"{"kind":"#)).collect()
}

/// The page shows each kind once at least, and each example is what would be written.
#[test]
fn the_page_shows_what_is_written() {
    let mut shown = Vec::new();
    for example in examples() {
        let line: Line = serde_json::from_str(example).expect(example);
        assert_eq!(serde_json::to_string(&line).unwrap(), example);
        let value: serde_json::Value = serde_json::from_str(example).unwrap();
        shown.push(value["kind"].as_str().unwrap().to_owned());
    }
    for kind in KINDS {
        assert!(shown.iter().any(|shown| shown == kind), "docs/timeline.md does not show {kind}");
    }
}

fn timeline() -> Timeline {
    let text = examples().join("\n");
    read(text.as_bytes()).expect("the examples are a timeline")
}

#[test]
fn what_is_written_is_read_again() {
    let timeline = timeline();
    let mut written = Vec::new();
    write(&timeline.head, &timeline.lines, &mut written).unwrap();
    assert_eq!(read(&written[..]).unwrap(), timeline);
    assert_eq!(timeline.lines.len() + 1, examples().len());
}

/// A later version may add kinds; what they say is left out. Another format is refused by its
/// number, whatever else it holds, and a broken line is named.
#[test]
fn what_cannot_be_read_is_said() {
    let head = examples()[0];
    let role = r#"{"kind":"role","at":10,"node":1,"term":3,"role":"leader"}"#;
    let unknown = r#"{"kind":"weather","at":10,"sun":true}"#;
    let read = |lines: &[&str]| read(lines.join("\n").as_bytes());
    assert_eq!(read(&[head, unknown, "", role]).unwrap().lines.len(), 1);
    let later = r#"{"kind":"head","format":2,"titles":[]}"#;
    let refused = read(&[later, role]).unwrap_err();
    assert_eq!(refused.to_string(), "this timeline has format 2; this program reads format 1");
    for (text, line) in [
        (&[head, role, r#"{"kind":"role","at":10}"#][..], 3),
        (&[head, r#"{"kind":"role","at":"#], 2),
        (&[head, unknown, r#"{"at":10}"#], 3),
    ] {
        let refused = read(text).unwrap_err();
        assert!(matches!(refused, ReadError::Broken { line: at, .. } if at == line), "{refused}");
        assert_eq!(refused.to_string(), format!("line {line} of the timeline is broken"));
    }
    for text in [&[][..], &[role, head], &["x"], &[unknown]] {
        assert!(matches!(read(text), Err(ReadError::NoHead)), "{text:?}");
    }
}

/// A head as short as it may be.
#[test]
fn a_head_needs_little() {
    let head = r#"{"kind":"head","format":1,"title":"x","nodes":[]}"#;
    let Head { title, clients, .. } = read(head.as_bytes()).unwrap().head;
    assert_eq!((title.as_str(), clients.len()), ("x", 0));
}
