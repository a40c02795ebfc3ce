//! What happened, in a few words. Plain code.

use std::collections::{BTreeMap, BTreeSet};

use hangraft_ids::{NodeId, Term};
use hangraft_lab::timeline::{Line, ProcessEvent};

/// Who led which term, and what became of processes: "n1 led term 2; n1 ended; n3 led term 3".
pub(super) fn in_words(lines: &[Line]) -> String {
    let mut names: BTreeMap<NodeId, &str> = BTreeMap::new();
    let mut led: BTreeSet<Term> = BTreeSet::new();
    let mut words = Vec::new();
    for line in lines {
        match line {
            Line::Head(head) => {
                names.extend(head.nodes.iter().map(|node| (node.id, node.name.as_str())));
            }
            Line::Role(role) if role.role == "leader" && led.insert(role.term) => {
                let name = names.get(&role.node).copied();
                let name = name.map_or_else(|| format!("n{}", role.node), str::to_owned);
                words.push(format!("{name} led term {}", role.term));
            }
            Line::Process(process) => match process.event {
                ProcessEvent::Started if process.at > STARTING_US => {
                    words.push(format!("{} came back", process.name));
                }
                ProcessEvent::Started => {}
                ProcessEvent::Ended => words.push(format!("{} ended", process.name)),
                ProcessEvent::Paused => words.push(format!("{} stood still", process.name)),
                ProcessEvent::Resumed => words.push(format!("{} went on", process.name)),
            },
            _ => {}
        }
    }
    words.join("; ")
}

/// What runs so soon was there before.
const STARTING_US: u64 = 500_000;

#[cfg(test)]
mod tests {
    use hangraft_lab::timeline::{Process, Role};

    use super::*;

    #[test]
    fn who_led_and_what_ended_is_told_in_order() {
        let role = |at, node, term| {
            let role = "leader".into();
            let (node, term) = (NodeId(node), Term(term));
            Line::Role(Role { at, node, term, role, leader: Some(node), voted: None })
        };
        let became = |at, event| Line::Process(Process { at, name: "n1".into(), event });
        let lines = [
            became(0, ProcessEvent::Started),
            role(1, 1, 2),
            became(1_000_000, ProcessEvent::Ended),
            role(1_300_000, 3, 3),
            role(1_300_001, 3, 3),
            became(2_000_000, ProcessEvent::Started),
        ];
        assert_eq!(in_words(&lines), "n1 led term 2; n1 ended; n3 led term 3; n1 came back");
    }
}
