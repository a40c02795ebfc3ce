//! What is wrong on the ways between machines now, in the words of real nodes: what the
//! sender would say of its surroundings, such as "cut to n2".

use crate::clock::MILLI;
use crate::nodes::Cluster;
use crate::world::MachineId;
use crate::world::net::{Net, Way};
use hangraft_ids::NodeId;
use std::collections::BTreeSet;

/// Whose surroundings are bad, and what of them.
pub(super) type Trouble = (NodeId, String);

/// All that is worse than on a good day. The sender says it, or the receiver where nobody
/// knows yet which node the sender is.
pub(super) fn troubles(cluster: &Cluster, net: &Net, good: &Way) -> BTreeSet<Trouble> {
    let node = |machine: MachineId| cluster.who(machine).map(|who| who.node);
    let name = |machine: MachineId| {
        node(machine).map_or_else(|| cluster.name(machine), |node| format!("n{node}"))
    };
    let mut troubles = BTreeSet::new();
    let machines = cluster.in_service();
    for from in &machines {
        for to in machines.iter().filter(|to| *to != from) {
            let (who, end) = match (node(*from), node(*to)) {
                (Some(who), _) => (who, format!("to {}", name(*to))),
                (None, Some(who)) => (who, format!("from {}", name(*from))),
                (None, None) => continue,
            };
            let bad = in_words(&net.way(*from, *to), good, &end);
            troubles.extend(bad.into_iter().map(|words| (who, words)));
        }
        let Some(who) = node(*from) else { continue };
        let cut = |way: Way| way.streams_cut;
        if cluster.frontends().any(|frontend| cut(net.way(*from, frontend))) {
            troubles.insert((who, "cut to the frontends".to_owned()));
        }
        if cluster.frontends().any(|frontend| cut(net.way(frontend, *from))) {
            troubles.insert((who, "cut from the frontends".to_owned()));
        }
    }
    troubles
}

/// What is worse on a way than on a good one; `end` says from or to whom it is.
fn in_words(way: &Way, good: &Way, end: &str) -> Vec<String> {
    let cut = match (way.streams_cut, way.datagrams_cut) {
        (false, false) => None,
        (true, true) => Some(""),
        (true, false) => Some(", streams only"),
        (false, true) => Some(", gossip only"),
    };
    let cut = cut.map(|only| format!("cut {end}{only}"));
    let most = way.latency.1 / MILLI;
    let slow = (way.latency.1 > good.latency.1).then(|| format!("0 to {most} ms slower {end}"));
    let percent = way.loss_ppm as f64 / 10_000.0;
    let lossy = (way.loss_ppm > good.loss_ppm).then(|| format!("{percent} % lost {end}"));
    [cut, slow, lossy].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words are those of `node/src/faults/what.rs`.
    #[test]
    fn what_is_wrong_is_said_as_real_nodes_say_it() {
        let good = Way { loss_ppm: 500, ..Way::GOOD };
        let words = |way: Way| in_words(&way, &good, "to n2");
        assert_eq!(words(good), Vec::<String>::new());
        let cut = Way { streams_cut: true, datagrams_cut: true, ..good };
        assert_eq!(words(cut), ["cut to n2"]);
        assert_eq!(words(Way { streams_cut: true, ..good }), ["cut to n2, streams only"]);
        assert_eq!(words(Way { datagrams_cut: true, ..good }), ["cut to n2, gossip only"]);
        let latency = (good.latency.0, 142 * MILLI);
        let bad = Way { latency, loss_ppm: 205_000, ..good };
        assert_eq!(words(bad), ["0 to 142 ms slower to n2", "20.5 % lost to n2"]);
        assert_eq!(words(Way { loss_ppm: 0, ..good }), Vec::<String>::new());
    }
}
