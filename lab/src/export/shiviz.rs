//! What nodes told each other, as ShiViz reads it: events with vector clocks.
//!
//! A vector clock counts, for each node, the events that an event may have been caused by
//! (Fidge, 1988; Mattern, 1989). Nodes do not send them. They are rebuilt here, since each
//! message is known with both its ends: a node's own count grows with each of its events,
//! and what it receives brings what the sender had counted.

use super::json;
use super::names::Names;
use crate::history::Moment;
use crate::timeline::{Line, Message, Process, ProcessEvent, Role};
use hangraft_ids::NodeId;
use std::collections::BTreeMap;

/// Two lines for each event: the node with its vector clock, and what happened. ShiViz's
/// parser for it is `(?<host>\S*) (?<clock>{.*})\n(?<event>.*)`.
///
/// Events are messages sent and received, changes of role, and what became of nodes'
/// processes. A message that did not come is sent only.
pub fn shiviz(lines: &[Line]) -> String {
    let names = Names::of(lines);
    let mut events: Vec<Event<'_>> =
        lines.iter().enumerate().flat_map(|(at, line)| events(at, line, &names)).collect();
    events.sort_by_key(|event| (event.at, event.rank));
    let mut clocks: BTreeMap<NodeId, Clock> = BTreeMap::new();
    let mut under_way: BTreeMap<usize, Clock> = BTreeMap::new();
    let mut text = String::new();
    for Event { node, what, .. } in events {
        let clock = clocks.entry(node).or_default();
        *clock.entry(node).or_default() += 1;
        match &what {
            What::Sends(number, message) if message.received.is_some() => {
                under_way.insert(*number, clock.clone());
            }
            What::Receives(number, _) => {
                let brought = under_way.remove(number).expect("it was sent before");
                merge(clock, brought);
            }
            What::Sends(..) | What::Happens(_) => {}
        }
        let named: BTreeMap<String, u64> =
            clock.iter().map(|(node, count)| (host(*node, &names), *count)).collect();
        let event = words(&what, &names).replace(['\n', '\r'], " ");
        text += &format!("{} {}\n{event}\n", host(node, &names), json::text(&named));
    }
    text
}

/// How many events of each node are known of.
type Clock = BTreeMap<NodeId, u64>;

fn merge(clock: &mut Clock, brought: Clock) {
    for (node, count) in brought {
        let known = clock.entry(node).or_default();
        *known = count.max(*known);
    }
}

/// Something that happens at a node.
struct Event<'a> {
    at: Moment,
    /// Its place among those of one moment.
    rank: Rank,
    node: NodeId,
    what: What<'a>,
}

/// A node that receives, changes and answers in one moment does so in this order. What is
/// received in the moment it was sent comes last, since it was sent before.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Receives,
    Changes,
    Sends,
    ReceivesAtOnce,
}

enum What<'a> {
    /// The message that stands at this place in the timeline.
    Sends(usize, &'a Message),
    Receives(usize, &'a Message),
    Happens(String),
}

/// The events that a line of the timeline, at this place in it, tells of.
fn events<'a>(number: usize, line: &'a Line, names: &Names) -> Vec<Event<'a>> {
    match line {
        Line::Message(message) => ends(number, message),
        Line::Role(role) => {
            let what = What::Happens(role_words(role, names));
            vec![Event { at: role.at, rank: Rank::Changes, node: role.node, what }]
        }
        Line::Process(Process { at, name, event }) => {
            let what = What::Happens(process_words(*event).to_owned());
            let node = names.node(name);
            let event = node.map(|node| Event { at: *at, rank: Rank::Changes, node, what });
            event.into_iter().collect()
        }
        _ => vec![],
    }
}

/// Both ends of a message, or the first if it is lost.
fn ends(number: usize, message: &Message) -> Vec<Event<'_>> {
    let what = What::Sends(number, message);
    let sent = Event { at: message.at, rank: Rank::Sends, node: message.from, what };
    let Some(received) = message.received else { return vec![sent] };
    // Two clocks may differ: it was sent before, whatever they say.
    let at = received.max(message.at);
    let rank = if at == message.at { Rank::ReceivesAtOnce } else { Rank::Receives };
    let what = What::Receives(number, message);
    vec![sent, Event { at, rank, node: message.to, what }]
}

/// A node's name as a word without spaces, which end a name there.
fn host(node: NodeId, names: &Names) -> String {
    names.name(node).replace(char::is_whitespace, "_")
}

fn words(what: &What<'_>, names: &Names) -> String {
    match what {
        What::Sends(_, message) => {
            let lost = if message.received.is_none() { "; it is lost" } else { "" };
            format!("sends {} to {}{lost}", message_words(message), names.name(message.to))
        }
        What::Receives(_, message) => {
            format!("receives {} from {}", message_words(message), names.name(message.from))
        }
        What::Happens(what) => what.clone(),
    }
}

fn message_words(message: &Message) -> String {
    let Message { what, term, bytes, .. } = message;
    let answer = if message.answer { "answer to " } else { "" };
    let yes = match message.yes {
        Some(true) => ", yes",
        Some(false) => ", no",
        None => "",
    };
    let index = message.index.map_or(String::new(), |index| format!(", index {index}"));
    let entries = match message.entries {
        0 => String::new(),
        1 => ", 1 entry".to_owned(),
        entries => format!(", {entries} entries"),
    };
    format!("{answer}{what} (term {term}{yes}{index}{entries}, {bytes} bytes)")
}

fn role_words(role: &Role, names: &Names) -> String {
    let leader = role.leader.filter(|leader| *leader != role.node);
    let follows = leader.map_or(String::new(), |leader| format!(", led by {}", names.name(leader)));
    format!("is {} in term {}{follows}", role.role, role.term)
}

const fn process_words(event: ProcessEvent) -> &'static str {
    match event {
        ProcessEvent::Started => "starts",
        ProcessEvent::Ended => "ends",
        ProcessEvent::Paused => "is paused",
        ProcessEvent::Resumed => "goes on",
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::read;
    use super::*;

    /// A vote that comes and its answer that is lost: causes stand in the clocks.
    #[test]
    fn clocks_know_what_an_event_may_have_been_caused_by() {
        let lines = read(
            r#"{"kind":"head","format":1,"title":"t","nodes":[{"id":1,"name":"one"},{"id":2,"name":"node two"}]}
{"kind":"role","at":5,"node":1,"term":2,"role":"candidate"}
{"kind":"message","at":5,"received":9,"what":"vote","from":1,"to":2,"term":2,"index":4,"bytes":30}
{"kind":"role","at":9,"node":2,"term":2,"role":"follower","voted":1}
{"kind":"message","at":9,"what":"vote","answer":true,"from":2,"to":1,"term":2,"bytes":8,"yes":true}
{"kind":"process","at":20,"name":"one","event":"ended"}
{"kind":"process","at":21,"name":"f1","event":"ended"}"#,
        );
        assert_eq!(
            shiviz(&lines),
            r#"one {"one":1}
is candidate in term 2
one {"one":2}
sends vote (term 2, index 4, 30 bytes) to node two
node_two {"node_two":1,"one":2}
receives vote (term 2, index 4, 30 bytes) from one
node_two {"node_two":2,"one":2}
is follower in term 2
node_two {"node_two":3,"one":2}
sends answer to vote (term 2, yes, 8 bytes) to one; it is lost
one {"one":3}
ends
"#
        );
    }

    /// Two clocks that differ, and a message that takes no time, do not make an effect stand
    /// before its cause.
    #[test]
    fn nothing_is_received_before_it_is_sent() {
        let lines = read(
            r#"{"kind":"message","at":50,"received":40,"what":"append","from":1,"to":2,"term":1,"bytes":9}
{"kind":"message","at":60,"received":60,"what":"append","from":2,"to":3,"term":1,"entries":2,"bytes":9}"#,
        );
        assert_eq!(
            shiviz(&lines),
            r#"n1 {"n1":1}
sends append (term 1, 9 bytes) to n2
n2 {"n1":1,"n2":1}
receives append (term 1, 9 bytes) from n1
n2 {"n1":1,"n2":2}
sends append (term 1, 2 entries, 9 bytes) to n3
n3 {"n1":1,"n2":2,"n3":1}
receives append (term 1, 2 entries, 9 bytes) from n2
"#
        );
    }
}
