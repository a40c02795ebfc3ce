//! Who is told what, so that a fault is where it was asked for. Plain code; nothing is
//! asked here.
//!
//! A link has two ends, and each decides on the connections that it has opened itself. So
//! both are told of each way, one as what it sends and the other as what is sent to it. Of
//! a link to the frontends only the node is told.

use std::collections::BTreeMap;

use hangraft_proto::v1::{Fault, LinkFault, Traffic, Way, fault::What, link_fault::Trouble};

use super::{
    nodes::Nodes,
    patterns::{Endpoint, FRONTENDS, Link, Links, Pattern},
    wording,
};
use crate::usage::{Usage, ensure};

/// What is told to whom.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// What it is and where, in a line.
    pub(super) text: String,
    /// By the place of the node that is told.
    pub(super) faults: BTreeMap<usize, Vec<Fault>>,
}

/// A cut between nodes that is made in their networks, and of which they know nothing.
#[derive(Clone, Debug)]
pub(super) struct RealCut {
    /// What it is and where, in a line.
    pub(super) text: String,
    pub(super) traffic: Traffic,
    /// Whom a node does not hear, by places.
    pub(super) unheard: BTreeMap<usize, Vec<usize>>,
}

/// A trouble of links, as it was asked for.
#[derive(Clone, Debug)]
pub(super) struct LinkTrouble {
    pattern: Pattern,
    trouble: Trouble,
    traffic: Traffic,
    /// It is there for so long, then not for so long, and so on; 0 for always.
    flap_ms: u64,
}

impl LinkTrouble {
    /// # Errors
    /// When it would be a fault of nothing.
    pub(super) fn new(
        pattern: Pattern,
        trouble: Trouble,
        traffic: Traffic,
        flap_ms: u64,
    ) -> Result<Self, Usage> {
        let of_datagrams = matches!(trouble, Trouble::Duplicate(_) | Trouble::Reorder(_));
        ensure(!(of_datagrams && traffic == Traffic::Streams), || {
            "a stream brings everything once and in order; leave --only streams away".into()
        })?;
        let gossip = of_datagrams || traffic == Traffic::Datagrams;
        ensure(!(gossip && pattern.names_frontends()), || {
            format!("{FRONTENDS} have streams to nodes and no gossip; name two nodes")
        })?;
        Ok(Self { pattern, trouble, traffic, flap_ms })
    }

    /// Whether it can be made in the nodes' networks. There frontends cannot be told from
    /// operators, and nothing flaps.
    pub(super) fn can_be_real(&self) -> bool {
        let of_frontends = self.pattern.names_frontends();
        matches!(self.trouble, Trouble::Cut(_)) && self.flap_ms == 0 && !of_frontends
    }

    fn with(&self, peer: &str, way: Way) -> Fault {
        let link = LinkFault {
            peer: peer.into(),
            way: way.into(),
            traffic: self.traffic.into(),
            flap_ms: self.flap_ms,
            trouble: Some(self.trouble),
        };
        Fault { what: Some(What::Link(link)) }
    }

    fn text(&self, links: &Links, nodes: &Nodes) -> String {
        let cut = matches!(self.trouble, Trouble::Cut(_));
        let from = if cut && !links.one_way { "from" } else { "to" };
        let ways = if links.one_way { "one way" } else { "both ways" };
        let sides = sides(links).into_iter().map(|(some, others)| {
            format!("{} {from} {}", listed(&some, nodes), listed(&others, nodes))
        });
        let sides = sides.collect::<Vec<_>>().join("; ");
        let (trouble, only) = (wording::trouble(&self.trouble), wording::only(self.traffic));
        let text = format!("{trouble}{only}: {sides} ({ways})");
        match self.flap_ms {
            0 => text,
            ms => format!("{text}, {time} on and {time} off", time = wording::span(ms)),
        }
    }
}

impl RealCut {
    /// A cut that can be real, between these nodes. Each way is cut where it is heard.
    pub(super) fn of_links(wanted: &LinkTrouble, nodes: &Nodes) -> anyhow::Result<Self> {
        let links = wanted.pattern.links(nodes)?;
        let mut unheard: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for Link { from, to } in links.directed() {
            if let (Endpoint::Node(from), Endpoint::Node(to)) = (from, to) {
                unheard.entry(to).or_default().push(from);
            }
        }
        Ok(Self { text: wanted.text(&links, nodes), traffic: wanted.traffic, unheard })
    }
}

impl Plan {
    /// A trouble of links between these nodes.
    pub(super) fn of_links(wanted: &LinkTrouble, nodes: &Nodes) -> anyhow::Result<Self> {
        let links = wanted.pattern.links(nodes)?;
        let mut faults: BTreeMap<usize, Vec<Fault>> = BTreeMap::new();
        for Link { from, to } in links.directed() {
            for (told, peer, way) in [(from, to, Way::Out), (to, from, Way::In)] {
                let Endpoint::Node(told) = told else { continue };
                faults.entry(told).or_default().push(wanted.with(&address(peer, nodes), way));
            }
        }
        Ok(Self { text: wanted.text(&links, nodes), faults })
    }

    /// A trouble of each of these nodes.
    pub(super) fn of_nodes(what: &What, names: &[String], nodes: &Nodes) -> anyhow::Result<Self> {
        let places = nodes.find_all(names)?;
        let ends: Vec<Endpoint> = places.iter().map(|place| Endpoint::Node(*place)).collect();
        let fault = Fault { what: Some(what.clone()) };
        Ok(Self {
            text: format!("{}: {}", wording::what(what), listed(&ends, nodes)),
            faults: places.into_iter().map(|place| (place, vec![fault.clone()])).collect(),
        })
    }
}

/// How a node knows the other end.
fn address(end: Endpoint, nodes: &Nodes) -> String {
    match end {
        Endpoint::Node(place) => nodes.at(place).address.to_string(),
        Endpoint::Frontends => FRONTENDS.into(),
    }
}

/// The ends on one side of links, and those on the other, for people.
type Sides = (Vec<Endpoint>, Vec<Endpoint>);

/// Links as few groups, in each of which everybody on the left has a link to everybody on
/// the right.
fn sides(links: &Links) -> Vec<Sides> {
    let mut of_one: Vec<(Endpoint, Vec<Endpoint>)> = Vec::new();
    for (one, other) in &links.pairs {
        match of_one.iter_mut().find(|(known, _)| known == one) {
            Some((_, others)) => others.push(*other),
            None => of_one.push((*one, vec![*other])),
        }
    }
    let mut sides: Vec<Sides> = Vec::new();
    for (one, others) in of_one {
        match sides.iter_mut().find(|(_, known)| *known == others) {
            Some((some, _)) => some.push(one),
            None => sides.push((vec![one], others)),
        }
    }
    sides
}

fn listed(ends: &[Endpoint], nodes: &Nodes) -> String {
    let name = |end: &Endpoint| match end {
        Endpoint::Node(place) => nodes.at(*place).name.as_str(),
        Endpoint::Frontends => FRONTENDS,
    };
    ends.iter().map(name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use hangraft_proto::v1::{Cut, Delay, Duplicate, Loss, Reorder, Skew};

    use super::*;
    use crate::fault::nodes::cluster;

    fn wanted(
        words: &str,
        trouble: Trouble,
        traffic: Traffic,
        flap_ms: u64,
    ) -> Result<LinkTrouble, Usage> {
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        LinkTrouble::new(Pattern::parse(&words).expect("a pattern"), trouble, traffic, flap_ms)
    }

    fn cut(words: &str) -> LinkTrouble {
        wanted(words, Trouble::Cut(Cut {}), Traffic::All, 0).expect("a cut of something")
    }

    /// Who is told what, such as `1:out 2`.
    fn told(plan: &Plan) -> Vec<String> {
        let line = |place: &usize, fault: &Fault| {
            let Some(What::Link(link)) = &fault.what else { panic!("a link") };
            let way = if link.way() == Way::Out { "out" } else { "in" };
            let peer = link.peer.strip_prefix("127.0.0.1:710").unwrap_or(&link.peer);
            format!("{}:{way} {peer}", place + 1)
        };
        plan.faults
            .iter()
            .flat_map(|(place, faults)| faults.iter().map(move |fault| line(place, fault)))
            .collect()
    }

    #[test]
    fn both_ends_of_a_link_are_told() {
        for (words, lines) in [
            ("n1 n2", &["1:out 2", "1:in 2", "2:in 1", "2:out 1"][..]),
            ("one-way n1 n2", &["1:out 2", "2:in 1"]),
            ("n1 frontends", &["1:out frontends", "1:in frontends"]),
            ("frontends n1", &["1:in frontends", "1:out frontends"]),
            ("one-way frontends n1", &["1:in frontends"]),
            ("one-way n1 frontends", &["1:out frontends"]),
            (
                "isolate n1",
                &[
                    "1:out 2", "1:in 2", "1:out 3", "1:in 3", "2:in 1", "2:out 1", "3:in 1",
                    "3:out 1",
                ],
            ),
        ] {
            let plan = Plan::of_links(&cut(words), &cluster(3, 1)).unwrap();
            assert_eq!(told(&plan), lines, "{words}");
        }
    }

    /// Whoever hears a way is where it is cut in a real network.
    #[test]
    fn a_real_cut_is_where_it_is_heard() {
        for (words, unheard) in [
            ("n1 n2", vec![(0, vec![1]), (1, vec![0])]),
            ("one-way n1 n2", vec![(1, vec![0])]),
            ("isolate leader", vec![(0, vec![1, 2]), (1, vec![0]), (2, vec![0])]),
        ] {
            let wanted = cut(words);
            assert!(wanted.can_be_real());
            let real = RealCut::of_links(&wanted, &cluster(3, 1)).unwrap();
            assert_eq!(real.unheard.into_iter().collect::<Vec<_>>(), unheard, "{words}");
        }
        let cut = Trouble::Cut(Cut {});
        for (words, trouble, flap_ms) in [
            ("n1 frontends", cut, 0),
            ("flap n1 n2", cut, 1_000),
            ("n1 n2", Trouble::Loss(Loss { ppm: 1 }), 0),
        ] {
            let wanted = wanted(words, trouble, Traffic::All, flap_ms).unwrap();
            assert!(!wanted.can_be_real(), "{words}");
        }
    }

    #[test]
    fn a_fault_carries_what_was_asked_for() {
        let loss = Trouble::Loss(Loss { ppm: 200_000 });
        let wanted = wanted("flap n1 n2", loss, Traffic::Datagrams, 1_500).unwrap();
        let plan = Plan::of_links(&wanted, &cluster(3, 1)).unwrap();
        let expected = LinkFault {
            peer: "127.0.0.1:7102".into(),
            way: Way::Out.into(),
            traffic: Traffic::Datagrams.into(),
            flap_ms: 1_500,
            trouble: Some(loss),
        };
        assert_eq!(plan.faults[&0][0].what, Some(What::Link(expected)));
        assert_eq!(
            plan.text,
            "loss of 20 %, gossip only: n1 to n2 (both ways), 1.5 s on and 1.5 s off"
        );
    }

    #[test]
    fn links_are_told_in_a_line() {
        for (nodes, words, text) in [
            (3, "n1 n2", "cut: n1 from n2 (both ways)"),
            (3, "isolate n1", "cut: n1 from n2, n3 (both ways)"),
            (3, "isolate n3", "cut: n3 from n1, n2 (both ways)"),
            (3, "one-way n1 n2", "cut: n1 to n2 (one way)"),
            (3, "n1 frontends", "cut: n1 from frontends (both ways)"),
            (5, "halves", "cut: n1, n2 from n3, n4, n5 (both ways)"),
            (5, "bridge", "cut: n1, n2 from n4, n5 (both ways)"),
            (5, "ring", "cut: n1 from n3, n4; n2 from n4, n5; n3 from n5 (both ways)"),
            (3, "all", "cut: n1 from n2, n3; n2 from n3 (both ways)"),
        ] {
            let plan = Plan::of_links(&cut(words), &cluster(nodes, 1)).unwrap();
            assert_eq!(plan.text, text, "{words}");
        }
        let delay = Trouble::Delay(Delay { ms: 100, jitter_ms: 0 });
        let delay = wanted("isolate n1", delay, Traffic::Streams, 0).unwrap();
        let plan = Plan::of_links(&delay, &cluster(3, 1)).unwrap();
        assert_eq!(plan.text, "delay of 100 ms, streams only: n1 to n2, n3 (both ways)");
    }

    #[test]
    fn whole_nodes_are_told_once_each() {
        let what = What::Skew(Skew { ms: -3_600_000 });
        for (words, places, text) in [
            ("leader", &[1][..], "clock 1h behind: n2"),
            ("n3 n1 n3", &[0, 2], "clock 1h behind: n3, n1"),
            ("all", &[0, 1, 2], "clock 1h behind: n1, n2, n3"),
        ] {
            let names: Vec<String> = words.split(' ').map(str::to_owned).collect();
            let plan = Plan::of_nodes(&what, &names, &cluster(3, 2)).unwrap();
            assert_eq!(plan.faults.keys().copied().collect::<Vec<_>>(), places, "{words}");
            assert!(plan.faults.values().all(|faults| faults.len() == 1));
            assert_eq!(plan.text, text);
        }
    }

    /// Frontends do not gossip, and streams neither repeat nor reorder.
    #[test]
    fn a_fault_of_nothing_is_refused() {
        let (twice, late) = (Duplicate { ppm: 1 }, Reorder { ppm: 1 });
        let cut = Trouble::Cut(Cut {});
        let (twice, late) = (Trouble::Duplicate(twice), Trouble::Reorder(late));
        for (words, trouble, traffic, holds) in [
            ("n1 n2", cut, Traffic::Datagrams, true),
            ("n1 n2", twice, Traffic::All, true),
            ("n1 n2", late, Traffic::Datagrams, true),
            ("n1 frontends", cut, Traffic::Streams, true),
            ("n1 n2", twice, Traffic::Streams, false),
            ("n1 n2", late, Traffic::Streams, false),
            ("n1 frontends", cut, Traffic::Datagrams, false),
            ("flap frontends n1", twice, Traffic::All, false),
        ] {
            let made = wanted(words, trouble, traffic, 0);
            assert_eq!(made.is_ok(), holds, "{words} {trouble:?} {traffic:?}");
        }
    }
}
