//! A history for porcupine, a checker in Go, with what a picture of it should show beside.
//!
//! Porcupine has no file format of its own. This one is read by the program in
//! `scripts/faults/porcupine`, which judges without a line of ours.

use super::json;
use super::names::Names;
use super::operations::{Asked, Came, Operation, nanoseconds, operations};
use crate::history::{ClientId, LINES_SHOWN, Moment};
use crate::timeline::{Fault, Line, Process, ProcessEvent, Role};
use hangraft_ids::{NodeId, Version};
use serde::Serialize;
use std::collections::BTreeMap;

/// The number of this format. The program refuses another.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Written<'a> {
    client: ClientId,
    room: &'a str,
    call_ns: u64,
    /// None when nobody was told what came of it.
    return_ns: Option<u64>,
    input: Input<'a>,
    output: Output<'a>,
}

#[derive(Serialize)]
struct Input<'a> {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    may_change_nothing: bool,
}

#[derive(Default, Serialize)]
struct Output<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<Version>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unknown: bool,
}

/// Something that a picture shows beside the clients.
#[derive(Serialize)]
struct Annotation {
    /// The lane it stands in.
    tag: String,
    start_ns: u64,
    end_ns: u64,
    description: String,
}

/// The history of a timeline for porcupine: one JSON object.
///
/// * `format` is 1, `title` the timeline's, `lines_shown` how many lines a read shows at most.
/// * `operations`: writes and linearizable reads, in the order they began, with times in
///   nanoseconds. `input.kind` is "append" (adds `input.line`), "change" (adds none) or
///   "read". What was refused had no effect and is left out. What is unknown has
///   `output.unknown` and no `return_ns`: it may have an effect at any time after its call.
/// * `annotations`: faults, who led in which term, processes that were down or paused, and
///   what our own judge found.
pub fn porcupine(lines: &[Line]) -> String {
    let title = lines.iter().find_map(|line| match line {
        Line::Head(head) => Some(head.title.as_str()),
        _ => None,
    });
    let written: Vec<Written<'_>> = operations(lines).iter().filter_map(written).collect();
    let ends = written.iter().map(|one| one.return_ns.unwrap_or(one.call_ns));
    let annotations = annotations(lines, ends.max().unwrap_or_default());
    format!(
        "{{\"format\":{FORMAT},\"title\":{},\"lines_shown\":{LINES_SHOWN},\n\
         \"operations\":{},\n\"annotations\":{}}}\n",
        json::text(&title.unwrap_or_default()),
        json::array(&written),
        json::array(&annotations),
    )
}

fn written<'a>(operation: &Operation<'a>) -> Option<Written<'a>> {
    let (kind, line, may_change_nothing) = match operation.asked {
        Asked::Append(line) => ("append", Some(line), false),
        Asked::Change { may_change_nothing } => ("change", None, may_change_nothing),
        Asked::Read => ("read", None, false),
    };
    let output = match operation.came {
        Came::Done { version, lines, .. } => {
            Output { lines, version: Some(version), unknown: false }
        }
        Came::Unknown => Output { unknown: true, ..Output::default() },
        Came::Refused { .. } => return None,
    };
    Some(Written {
        client: operation.client,
        room: operation.room,
        call_ns: nanoseconds(operation.invoked),
        return_ns: operation.returned().map(nanoseconds),
        input: Input { kind, line, may_change_nothing },
        output,
    })
}

/// What happened beside the clients; what does not end by itself ends with the timeline.
fn annotations(lines: &[Line], end_ns: u64) -> Vec<Annotation> {
    let names = Names::of(lines);
    let mut spans = Spans::default();
    for line in lines {
        match line {
            Line::Fault(fault) => spans.fault(fault, &names),
            Line::Role(role) => spans.role(role, &names),
            Line::Process(process) => spans.process(process, &names),
            Line::Finding(finding) => {
                let what = format!("{}: {}", finding.promise, finding.text);
                spans.moment("judge", finding.at, what);
            }
            _ => {}
        }
    }
    spans.into_annotations(end_ns)
}

/// What a span of time is of.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Of {
    Fault(u64),
    Leading(NodeId),
    Process(String),
}

/// Spans of time, some of which go on.
#[derive(Default)]
struct Spans {
    open: BTreeMap<Of, Annotation>,
    done: Vec<Annotation>,
}

impl Spans {
    fn fault(&mut self, fault: &Fault, names: &Names) {
        if fault.healed {
            self.end(&Of::Fault(fault.id), fault.at);
            return;
        }
        let tag =
            fault.node.map_or("fault".to_owned(), |node| format!("fault {}", names.name(node)));
        self.begin(Of::Fault(fault.id), fault.at, tag, fault.what.clone());
    }

    fn role(&mut self, role: &Role, names: &Names) {
        if role.role != "leader" {
            self.end(&Of::Leading(role.node), role.at);
            return;
        }
        let tag = format!("{} leads", names.name(role.node));
        self.begin(Of::Leading(role.node), role.at, tag, format!("term {}", role.term));
    }

    fn process(&mut self, process: &Process, names: &Names) {
        let of = Of::Process(process.name.clone());
        let what = match process.event {
            ProcessEvent::Started | ProcessEvent::Resumed => return self.end(&of, process.at),
            ProcessEvent::Ended => "down",
            ProcessEvent::Paused => "paused",
        };
        if process.event == ProcessEvent::Ended
            && let Some(node) = names.node(&process.name)
        {
            self.end(&Of::Leading(node), process.at);
        }
        self.begin(of, process.at, format!("{} process", process.name), what.to_owned());
    }

    fn moment(&mut self, tag: &str, at: Moment, description: String) {
        let at = nanoseconds(at);
        let tag = tag.to_owned();
        self.done.push(Annotation { tag, start_ns: at, end_ns: at, description });
    }

    /// Begins a span, and ends the one before; the same goes on.
    fn begin(&mut self, of: Of, at: Moment, tag: String, description: String) {
        if self.open.get(&of).is_some_and(|open| open.description == description) {
            return;
        }
        self.end(&of, at);
        let start_ns = nanoseconds(at);
        self.open.insert(of, Annotation { tag, start_ns, end_ns: start_ns, description });
    }

    fn end(&mut self, of: &Of, at: Moment) {
        if let Some(open) = self.open.remove(of) {
            self.done.push(Annotation { end_ns: nanoseconds(at), ..open });
        }
    }

    fn into_annotations(mut self, end_ns: u64) -> Vec<Annotation> {
        let ends = self.done.iter().map(|span| span.end_ns);
        let begins = self.open.values().map(|span| span.start_ns);
        let end_ns = ends.chain(begins).max().unwrap_or_default().max(end_ns);
        let open = self.open.into_values();
        self.done.extend(open.map(|span| Annotation { end_ns, ..span }));
        self.done.sort_by_key(|span| span.start_ns);
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    /// The Go program's tests judge these two files: they are what is exported today.
    #[test]
    fn the_go_program_is_tested_on_what_is_exported() {
        for (timeline, exported) in [
            (samples::RIGHT, include_str!("../../../scripts/faults/porcupine/testdata/right.json")),
            (samples::WRONG, include_str!("../../../scripts/faults/porcupine/testdata/wrong.json")),
        ] {
            let text = porcupine(&samples::read(timeline));
            assert_eq!(text, exported);
            let read: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert!(!read["operations"].as_array().unwrap().is_empty());
        }
    }

    /// A timeline in which nothing happened is a history, too.
    #[test]
    fn nothing_is_an_empty_history() {
        let read: serde_json::Value = serde_json::from_str(&porcupine(&[])).unwrap();
        assert_eq!(read["operations"], serde_json::json!([]));
        assert_eq!(read["annotations"], serde_json::json!([]));
    }

    /// A leader leads until it follows, leads in a later term, or its process has ended;
    /// being paused does not end it: it does not know yet.
    #[test]
    fn a_leader_leads_until_something_ends_it() {
        let lines = samples::read(
            r#"{"kind":"head","format":1,"title":"t","nodes":[{"id":1,"name":"one"}]}
{"kind":"role","at":10,"node":1,"term":2,"role":"leader"}
{"kind":"role","at":12,"node":1,"term":2,"role":"leader","voted":1}
{"kind":"process","at":20,"name":"one","event":"paused"}
{"kind":"process","at":30,"name":"one","event":"resumed"}
{"kind":"role","at":31,"node":1,"term":3,"role":"follower","leader":2}
{"kind":"role","at":32,"node":2,"term":3,"role":"leader"}
{"kind":"process","at":40,"name":"n2","event":"ended"}
{"kind":"role","at":50,"node":1,"term":4,"role":"leader"}
{"kind":"fault","at":60,"id":7,"what":"halves"}"#,
        );
        let told: Vec<_> = annotations(&lines, 0)
            .into_iter()
            .map(|a| format!("{} {}..{} {}", a.tag, a.start_ns, a.end_ns, a.description))
            .collect();
        assert_eq!(
            told,
            [
                "one leads 10000..31000 term 2",
                "one process 20000..30000 paused",
                "n2 leads 32000..40000 term 3",
                "n2 process 40000..60000 down",
                "one leads 50000..60000 term 4",
                "fault 60000..60000 halves",
            ]
        );
    }
}
