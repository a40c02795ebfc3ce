//! A history as Jepsen's checkers read it: rooms are lists, appended to and read.
//!
//! Elle (Kingsbury and Alvaro, 2020) recovers the order of appends from what reads show, and
//! needs the whole list for that. A room shows its last [`LINES_SHOWN`] lines. A read that
//! shows fewer has shown all. One that shows as many is completed by the lines that other
//! reads have shown before its first line; it is left out when none has shown that line.
//! Only lines that the read could not show are borrowed, so a right history stays right, and
//! where lists overlap, a contradiction stays one.
//!
//! # Not here
//! * Reads that may be stale: what they promise is not linearizability.
//! * Writes that add no line.

use super::json;
use super::operations::{Asked, Came, Operation, nanoseconds, operations};
use crate::history::{ClientId, LINES_SHOWN, Moment};
use crate::timeline::Line;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One line of the history.
#[derive(Serialize)]
struct Event<'a> {
    index: usize,
    /// Nanoseconds.
    time: u64,
    process: u64,
    r#type: &'static str,
    f: &'static str,
    /// A transaction of one step: what is done, to which list, and what with.
    value: [(&'static str, &'a str, Value); 1],
}

/// The history of a timeline as one JSON array of operations, which is what elle-cli takes:
/// `elle-cli --model list-append FILE.json`.
///
/// * Lines become integers, from 1, in the order they are first mentioned.
/// * `ok` was done, `fail` was refused and had no effect, `info` is unknown and stands at
///   the end.
/// * A process does one thing at a time, and nothing after an `info`: the client goes on
///   under a new number.
pub fn jepsen_json(lines: &[Line]) -> String {
    let operations = operations(lines);
    let mut whole = whole_lists(&operations);
    let end = operations.iter().map(|one| one.returned().unwrap_or(one.invoked)).max();
    let end = end.unwrap_or_default();
    let (mut numbers, mut processes) = (Numbers::default(), Processes::default());
    // Of one moment, what begins stands first: what ends then may have been concurrent.
    let mut events: Vec<((Moment, bool), Event<'_>)> = Vec::new();
    for (at, operation) in operations.iter().enumerate() {
        let shown = whole.remove(&at);
        let left_out = matches!(operation.asked, Asked::Read) && shown.is_none();
        if left_out && matches!(operation.came, Came::Done { .. }) {
            continue;
        }
        let Some((asked, told)) = values(operation, shown, &mut numbers) else { continue };
        let process = processes.take(operation);
        let mut write = |moment, is_end, kind, value| {
            let time = nanoseconds(moment);
            let event = Event { index: 0, time, process, r#type: kind, f: "txn", value: [value] };
            events.push(((moment, is_end), event));
        };
        write(operation.invoked, false, "invoke", asked);
        let kind = match operation.came {
            Came::Done { .. } => "ok",
            Came::Refused { .. } => "fail",
            Came::Unknown => "info",
        };
        write(operation.returned().unwrap_or(end), true, kind, told);
    }
    events.sort_by_key(|(place, _)| *place);
    let mut events: Vec<Event<'_>> = events.into_iter().map(|(_, event)| event).collect();
    events.iter_mut().enumerate().for_each(|(index, event)| event.index = index);
    json::array(&events) + "\n"
}

type Step<'a> = (&'static str, &'a str, Value);

/// An operation as it is asked, and as it is told.
fn values<'a>(
    operation: &Operation<'a>,
    shown: Option<Vec<&'a str>>,
    numbers: &mut Numbers<'a>,
) -> Option<(Step<'a>, Step<'a>)> {
    match operation.asked {
        Asked::Append(line) => {
            let append = ("append", operation.room, json!(numbers.of(line)));
            Some((append.clone(), append))
        }
        Asked::Read => {
            let asked = ("r", operation.room, Value::Null);
            let told = shown.map_or(Value::Null, |lines| {
                lines.into_iter().map(|line| numbers.of(line)).collect()
            });
            Some((asked, ("r", operation.room, told)))
        }
        Asked::Change { .. } => None,
    }
}

/// The whole lists that reads saw, by the place of the operation, where they are known.
fn whole_lists<'a>(operations: &[Operation<'a>]) -> BTreeMap<usize, Vec<&'a str>> {
    let mut reads: Vec<_> = operations
        .iter()
        .enumerate()
        .filter_map(|(at, operation)| match (operation.asked, operation.came) {
            (Asked::Read, Came::Done { version, lines: Some(lines), .. }) => {
                Some((operation.room, version, at, lines))
            }
            _ => None,
        })
        .collect();
    reads.sort();
    let mut longest: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut whole = BTreeMap::new();
    for (room, _, at, lines) in reads {
        let known = longest.entry(room).or_default();
        let Some(before) = before(lines, known) else { continue };
        let list: Vec<&str> =
            known[..before].iter().copied().chain(lines.iter().map(String::as_str)).collect();
        if list.len() > known.len() {
            known.clone_from(&list);
        }
        whole.insert(at, list);
    }
    whole
}

/// How many of the known lines came before those that a read showed, if that is known.
fn before(lines: &[String], known: &[&str]) -> Option<usize> {
    match lines {
        [first, ..] if lines.len() >= LINES_SHOWN => known.iter().position(|line| line == first),
        _ => Some(0),
    }
}

/// Integers for lines.
#[derive(Default)]
struct Numbers<'a>(BTreeMap<&'a str, usize>);

impl<'a> Numbers<'a> {
    fn of(&mut self, line: &'a str) -> usize {
        let next = self.0.len() + 1;
        *self.0.entry(line).or_insert(next)
    }
}

/// Which process a client is now, and until when it is busy.
#[derive(Default)]
struct Processes {
    of: BTreeMap<ClientId, (u64, Moment)>,
    next: u64,
}

impl Processes {
    /// The process that does this.
    fn take(&mut self, operation: &Operation<'_>) -> u64 {
        let free = self.of.get(&operation.client).filter(|(_, busy)| *busy < operation.invoked);
        let process = free.map_or(self.next, |(process, _)| *process);
        self.next = self.next.max(process + 1);
        let busy = operation.returned().unwrap_or(Moment::MAX);
        self.of.insert(operation.client, (process, busy));
        process
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    /// What happened, in a few words, in the order of the history.
    fn told(lines: &[Line]) -> Vec<String> {
        let events: Vec<Value> = serde_json::from_str(&jepsen_json(lines)).unwrap();
        for (index, event) in events.iter().enumerate() {
            assert_eq!((&event["index"], &event["f"]), (&json!(index), &json!("txn")));
        }
        let words = |event: &Value| {
            let kind = event["type"].as_str().unwrap();
            format!("{} {} {kind} {}", event["time"], event["process"], event["value"])
        };
        events.iter().map(words).collect()
    }

    fn call(at: Moment, returned: Option<Moment>, client: ClientId, rest: &str) -> Line {
        let returned = returned.map_or(String::new(), |at| format!("\"returned\":{at},"));
        let text = format!(
            "{{\"kind\":\"call\",\"at\":{at},{returned}\"client\":{client},\"by\":\"f1\",\
             \"room\":\"r\",{rest}}}"
        );
        serde_json::from_str(&text).expect(&text)
    }

    fn append(at: Moment, returned: Option<Moment>, client: ClientId, line: &str) -> Line {
        let outcome = match returned {
            Some(_) => "\"outcome\":\"ok\",\"version\":1",
            None => "\"outcome\":\"unknown\"",
        };
        let rest = format!(
            "\"asked\":\"write\",\"action\":\"say\",\"line\":{},{outcome}",
            json::text(&line)
        );
        call(at, returned, client, &rest)
    }

    fn read(at: Moment, version: u64, lines: std::ops::Range<u32>) -> Line {
        let lines: Vec<String> = lines.map(|line| format!("line {line}")).collect();
        let rest = format!(
            "\"asked\":\"read\",\"level\":\"linearizable\",\"outcome\":\"ok\",\
             \"version\":{version},\"lines\":{}",
            json::text(&lines)
        );
        call(at, Some(at + 1), 9, &rest)
    }

    /// Whoever does not know what came of its wish goes on as another process; the wish may
    /// be done until the end.
    #[test]
    fn an_unknown_outcome_retires_its_process() {
        let lines = [
            append(1, None, 3, "a"),
            append(2, Some(4), 5, "b"),
            append(5, Some(6), 5, "d"),
            append(7, Some(8), 3, "c"),
        ];
        assert_eq!(
            told(&lines),
            [
                r#"1000 0 invoke [["append","r",1]]"#,
                r#"2000 1 invoke [["append","r",2]]"#,
                r#"4000 1 ok [["append","r",2]]"#,
                r#"5000 1 invoke [["append","r",3]]"#,
                r#"6000 1 ok [["append","r",3]]"#,
                r#"7000 2 invoke [["append","r",4]]"#,
                r#"8000 0 info [["append","r",1]]"#,
                r#"8000 2 ok [["append","r",4]]"#,
            ]
        );
    }

    /// What was refused had no effect; stale reads, writes without a line, and calls without
    /// a room are not part of it.
    #[test]
    fn only_what_speaks_of_lists_is_told() {
        let refused = r#""asked":"write","action":"say","line":"x","outcome":"refused","code":"c""#;
        let stale = r#""asked":"read","level":"local","outcome":"ok","version":1,"lines":[]"#;
        let sat = r#""asked":"write","action":"sit","outcome":"ok","version":1"#;
        let unread = r#""asked":"read","level":"linearizable","outcome":"unknown""#;
        let lines = [
            call(1, Some(2), 1, refused),
            call(3, Some(4), 1, stale),
            call(5, Some(6), 1, sat),
            call(7, None, 1, unread),
        ];
        assert_eq!(
            told(&lines),
            [
                r#"1000 0 invoke [["append","r",1]]"#,
                r#"2000 0 fail [["append","r",1]]"#,
                r#"7000 0 invoke [["r","r",null]]"#,
                r#"7000 0 info [["r","r",null]]"#,
            ]
        );
    }

    /// A read that shows twenty lines is completed by what others have shown before them,
    /// and left out when nobody has.
    #[test]
    fn reads_are_completed_or_left_out() {
        let shown = |lines: &[Line]| -> Vec<usize> {
            let events: Vec<Value> = serde_json::from_str(&jepsen_json(lines)).unwrap();
            let ok = events.iter().filter(|event| event["type"] == "ok");
            ok.map(|event| event["value"][0][2].as_array().unwrap().len()).collect()
        };
        let few = read(10, 19, 0..19);
        assert_eq!(shown(std::slice::from_ref(&few)), [19]);
        assert_eq!(shown(&[read(30, 25, 5..25)]), [0; 0]);
        // Each is completed by the one before; the last would need a line that none has shown.
        let lines = [few, read(20, 30, 10..30), read(30, 45, 25..45), read(40, 90, 70..90)];
        assert_eq!(shown(&lines), [19, 30, 45]);
    }

    /// Completing hides nothing: a line that is missing where reads overlap is missing.
    #[test]
    fn a_contradiction_stays_one() {
        let mut other = read(20, 30, 10..31);
        let Line::Call(call) = &mut other else { panic!("a call") };
        let crate::history::Outcome::Ok { lines: Some(lines), .. } = &mut call.outcome else {
            panic!("an answer");
        };
        lines.remove(5);
        let events: Vec<Value> =
            serde_json::from_str(&jepsen_json(&[read(10, 19, 0..19), other])).unwrap();
        let [first, second] = [1, 3].map(|at| events[at]["value"][0][2].as_array().unwrap());
        assert_eq!(first[..15], second[..15]);
        assert_ne!(first[15], second[15]);
    }

    /// What begins in the moment in which another ends was concurrent with it.
    #[test]
    fn one_moment_is_concurrent() {
        let lines = samples::read(samples::RIGHT);
        assert!(!told(&lines).is_empty());
        let lines = [append(1, Some(5), 1, "a"), append(5, Some(6), 1, "b")];
        let told: Vec<String> = told(&lines).iter().map(|one| one[..8].to_owned()).collect();
        assert_eq!(told, ["1000 0 i", "5000 1 i", "5000 0 o", "6000 1 o"]);
    }
}
