//! Between which ends of a cluster a fault is put: patterns over its nodes. Plain code;
//! nothing is asked here.
//!
//! A pattern is understood before anybody is asked, and becomes links when it is known who
//! the nodes are and who leads.

use anyhow::bail;

use super::nodes::{FOLLOWER, LEADER, Nodes};
use crate::usage::{Usage, ensure};

/// What stands for all frontends.
pub(super) const FRONTENDS: &str = "frontends";

/// The patterns that have a name, and how each is written.
const NAMED: [(&str, &str); 7] = [
    ("isolate", "isolate n1"),
    ("one-way", "one-way n1 n2"),
    ("flap", "flap n1 n2"),
    ("halves", "halves"),
    ("bridge", "bridge"),
    ("ring", "ring"),
    ("all", "all"),
];

/// The smallest number of voters of which a minority can be cut off.
const VOTERS_MIN: usize = 3;

/// One end of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// A node, by its place among the nodes.
    Node(usize),
    /// All frontends.
    Frontends,
}

/// The way from one end to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) from: Endpoint,
    pub(super) to: Endpoint,
}

/// The links between pairs of ends. No pair is there twice, and one end of each is a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Links {
    pub(super) pairs: Vec<(Endpoint, Endpoint)>,
    /// Only from the first to the second of each pair.
    pub(super) one_way: bool,
}

/// A pattern, as it was written. A word stands for a node or for the frontends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// Two ends, both ways.
    Pair(String, String),
    /// What the first sends to the second.
    OneWay(String, String),
    /// Two ends, both ways, on and off.
    Flap(String, String),
    /// One node and every other.
    Isolate(String),
    /// A minority of the voters, with the leader in it, and everybody else.
    Halves,
    /// The same, but one voter of the majority hears both sides.
    Bridge,
    /// Every two nodes that are no neighbours in a ring of all.
    Ring,
    /// Every two nodes.
    All,
}

impl Pattern {
    /// Understands the words of a command line.
    ///
    /// # Errors
    /// How to write it.
    pub(super) fn parse(words: &[String]) -> Result<Self, String> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let pattern = match words[..] {
            ["isolate", node] if node != FRONTENDS => Self::Isolate(node.into()),
            ["one-way", from, to] => Self::OneWay(from.into(), to.into()),
            ["flap", one, other] => Self::Flap(one.into(), other.into()),
            ["halves"] => Self::Halves,
            ["bridge"] => Self::Bridge,
            ["ring"] => Self::Ring,
            ["all"] => Self::All,
            [one, other] if form(one).is_none() => Self::Pair(one.into(), other.into()),
            _ => return Err(advice(&words)),
        };
        match pattern.ends() {
            Some((FRONTENDS, FRONTENDS)) => Err(format!(
                "there is no link between {FRONTENDS}; name a node and {FRONTENDS}, as in `n1 {FRONTENDS}`"
            )),
            Some((one, other)) if one == other => {
                Err(format!("{one} is there twice; name two nodes, as in `n1 n2`"))
            }
            _ => Ok(pattern),
        }
    }

    /// Whether the fault is to come and go.
    pub(super) fn flaps(&self) -> bool {
        matches!(self, Self::Flap(..))
    }

    /// Whether it is about frontends.
    pub(super) fn names_frontends(&self) -> bool {
        self.ends().is_some_and(|(one, other)| one == FRONTENDS || other == FRONTENDS)
    }

    fn ends(&self) -> Option<(&str, &str)> {
        match self {
            Self::Pair(one, other) | Self::OneWay(one, other) | Self::Flap(one, other) => {
                Some((one, other))
            }
            _ => None,
        }
    }

    /// The links it means among these nodes.
    ///
    /// # Errors
    /// When there are too few nodes for it, no node has that name, or nobody leads.
    pub(super) fn links(&self, nodes: &Nodes) -> anyhow::Result<Links> {
        let pairs = match self {
            Self::Pair(one, other) | Self::OneWay(one, other) | Self::Flap(one, other) => {
                vec![pair(one, other, nodes)?]
            }
            Self::Isolate(node) => isolated(nodes.find(node)?, nodes)?,
            Self::Halves => {
                let (minority, majority) = halves(nodes)?;
                across(&minority, &majority)
            }
            Self::Bridge => {
                let (minority, mut majority) = halves(nodes)?;
                let bridge = majority.iter().position(|place| nodes.at(*place).votes);
                majority.remove(bridge.expect("a majority has voters"));
                across(&minority, &majority)
            }
            Self::Ring => ring(nodes.count())?,
            Self::All => every_pair(nodes.count())?,
        };
        Ok(Links { pairs, one_way: matches!(self, Self::OneWay(..)) })
    }
}

impl Links {
    /// Each way by itself.
    pub(super) fn directed(&self) -> Vec<Link> {
        let mut links = Vec::new();
        for (one, other) in &self.pairs {
            links.push(Link { from: *one, to: *other });
            if !self.one_way {
                links.push(Link { from: *other, to: *one });
            }
        }
        links
    }
}

/// How a pattern of this name is written.
fn form(name: &str) -> Option<&'static str> {
    NAMED.iter().find(|(known, _)| *known == name).map(|(_, form)| *form)
}

fn advice(words: &[&str]) -> String {
    if let Some((name, form)) = words.first().and_then(|name| Some((name, form(name)?))) {
        return format!("write the pattern {name} as `{form}`");
    }
    let forms: Vec<&str> = NAMED.iter().map(|(_, form)| *form).collect();
    format!(
        "`{}` is no pattern; give one of: n1 n2, n1 {FRONTENDS}, {}; {LEADER} or {FOLLOWER} may stand for a node",
        words.join(" "),
        forms.join(", ")
    )
}

fn pair(one: &str, other: &str, nodes: &Nodes) -> anyhow::Result<(Endpoint, Endpoint)> {
    let ends = (endpoint(one, nodes)?, endpoint(other, nodes)?);
    if let (Endpoint::Node(place), true) = (ends.0, ends.0 == ends.1) {
        let name = &nodes.at(place).name;
        return Err(Usage(format!("{one} and {other} are both {name}; name two nodes")).into());
    }
    Ok(ends)
}

fn endpoint(word: &str, nodes: &Nodes) -> anyhow::Result<Endpoint> {
    match word {
        FRONTENDS => Ok(Endpoint::Frontends),
        word => nodes.find(word).map(Endpoint::Node),
    }
}

fn isolated(node: usize, nodes: &Nodes) -> Result<Vec<(Endpoint, Endpoint)>, Usage> {
    at_least_two(nodes.count())?;
    let others: Vec<usize> = (0..nodes.count()).filter(|place| *place != node).collect();
    Ok(across(&[node], &others))
}

fn at_least_two(count: usize) -> Result<(), Usage> {
    ensure(count >= 2, || "this cluster has one node, and no links between nodes".into())
}

/// The leader with other voters, as many as make no majority, and everybody else.
fn halves(nodes: &Nodes) -> anyhow::Result<(Vec<usize>, Vec<usize>)> {
    let voters = nodes.voters();
    ensure(voters.len() >= VOTERS_MIN, || {
        let count = voters.len();
        format!("halves and bridge need at least {VOTERS_MIN} voters; this cluster has {count}")
    })?;
    let leader = nodes.leader()?;
    if !voters.contains(&leader) {
        bail!("the leader does not vote at the moment; wait until a voter leads");
    }
    let others = voters.iter().filter(|place| **place != leader);
    let mut minority: Vec<usize> = others.take((voters.len() - 1) / 2 - 1).copied().collect();
    minority.push(leader);
    minority.sort_unstable();
    let majority = (0..nodes.count()).filter(|place| !minority.contains(place)).collect();
    Ok((minority, majority))
}

/// Each of some with each of others.
fn across(some: &[usize], others: &[usize]) -> Vec<(Endpoint, Endpoint)> {
    let with_others = |one: &usize| {
        let one = Endpoint::Node(*one);
        others.iter().map(move |other| (one, Endpoint::Node(*other)))
    };
    some.iter().flat_map(with_others).collect()
}

fn ring(count: usize) -> Result<Vec<(Endpoint, Endpoint)>, Usage> {
    let neighbours = |one, other| other - one == 1 || (one == 0 && other == count - 1);
    let mut pairs = Vec::new();
    for one in 0..count {
        for other in (one + 1)..count {
            if !neighbours(one, other) {
                pairs.push((Endpoint::Node(one), Endpoint::Node(other)));
            }
        }
    }
    ensure(!pairs.is_empty(), || {
        format!("{count} nodes are neighbours already, and a ring cuts nothing; it needs 5 nodes")
    })?;
    Ok(pairs)
}

fn every_pair(count: usize) -> Result<Vec<(Endpoint, Endpoint)>, Usage> {
    at_least_two(count)?;
    let later = |one: usize| (one + 1..count).collect::<Vec<_>>();
    Ok((0..count).flat_map(|one| across(&[one], &later(one))).collect())
}

#[cfg(test)]
mod tests {
    use hangraft_proto::v1::{Member, StatusReply};

    use super::*;
    use crate::fault::nodes::cluster;

    fn parsed(words: &str) -> Result<Pattern, String> {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        Pattern::parse(&words)
    }

    /// The directed links of a pattern, such as `1>2`; `f` are the frontends.
    fn links(words: &str, nodes: &Nodes) -> String {
        let links = parsed(words).expect(words).links(nodes).expect(words).directed();
        let end = |end| match end {
            Endpoint::Node(place) => (place + 1).to_string(),
            Endpoint::Frontends => "f".into(),
        };
        let link = |Link { from, to }: Link| format!("{}>{}", end(from), end(to));
        links.into_iter().map(link).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_pattern_becomes_links() {
        for (nodes, leader, words, expected) in [
            (3, 1, "n1 n2", "1>2 2>1"),
            (3, 1, "n1 frontends", "1>f f>1"),
            (3, 1, "frontends n1", "f>1 1>f"),
            (3, 2, "leader n1", "2>1 1>2"),
            (3, 1, "leader follower", "1>2 2>1"),
            (3, 2, "leader follower", "2>1 1>2"),
            (3, 3, "one-way n1 n2", "1>2"),
            (3, 3, "one-way leader follower", "3>1"),
            (3, 3, "one-way frontends n2", "f>2"),
            (3, 3, "flap n1 n2", "1>2 2>1"),
            (3, 3, "isolate n2", "2>1 1>2 2>3 3>2"),
            (3, 3, "isolate leader", "3>1 1>3 3>2 2>3"),
            (5, 1, "isolate follower", "2>1 1>2 2>3 3>2 2>4 4>2 2>5 5>2"),
            (2, 1, "isolate n1", "1>2 2>1"),
            (3, 1, "halves", "1>2 2>1 1>3 3>1"),
            (3, 3, "halves", "3>1 1>3 3>2 2>3"),
            (5, 1, "halves", "1>3 3>1 1>4 4>1 1>5 5>1 2>3 3>2 2>4 4>2 2>5 5>2"),
            (5, 4, "halves", "1>2 2>1 1>3 3>1 1>5 5>1 4>2 2>4 4>3 3>4 4>5 5>4"),
            (3, 1, "bridge", "1>3 3>1"),
            (3, 2, "bridge", "2>3 3>2"),
            (5, 1, "bridge", "1>4 4>1 1>5 5>1 2>4 4>2 2>5 5>2"),
            (5, 1, "ring", "1>3 3>1 1>4 4>1 2>4 4>2 2>5 5>2 3>5 5>3"),
            (4, 1, "ring", "1>3 3>1 2>4 4>2"),
            (2, 1, "all", "1>2 2>1"),
            (3, 1, "all", "1>2 2>1 1>3 3>1 2>3 3>2"),
        ] {
            assert_eq!(links(words, &cluster(nodes, leader)), expected, "{words} of {nodes}");
        }
    }

    /// Of many nodes, how many links there are.
    #[test]
    fn a_pattern_grows_with_the_cluster() {
        for (words, three, five, seven) in [
            ("n1 n2", 2, 2, 2),
            ("one-way n1 n2", 1, 1, 1),
            ("isolate leader", 4, 8, 12),
            // 1 and 2, 2 and 3, 3 and 4.
            ("halves", 4, 12, 24),
            ("bridge", 2, 8, 18),
            ("all", 6, 20, 42),
        ] {
            for (nodes, count) in [(3, three), (5, five), (7, seven)] {
                let links = parsed(words).unwrap().links(&cluster(nodes, 2)).unwrap().directed();
                assert_eq!(links.len(), count, "{words} of {nodes}");
            }
        }
        for (nodes, count) in [(5, 10), (7, 28)] {
            let links = parsed("ring").unwrap().links(&cluster(nodes, 2)).unwrap().directed();
            assert_eq!(links.len(), count, "ring of {nodes}");
        }
    }

    /// Two of three voters could still decide; a spare does not count.
    #[test]
    fn halves_are_halves_of_those_that_vote() {
        let member = |(id, role): (u64, &&str)| Member {
            id,
            name: format!("n{id}"),
            address: format!("127.0.0.1:710{id}"),
            role: (**role).into(),
            ..Member::default()
        };
        let roles = ["learner", "voter", "leader", "voter", "learner"];
        let members = (1..).zip(&roles).map(member).collect();
        let status = StatusReply { leader: 3, members, ..StatusReply::default() };
        let nodes = Nodes::read(&status).unwrap();
        assert_eq!(links("halves", &nodes), "3>1 1>3 3>2 2>3 3>4 4>3 3>5 5>3");
        // The bridge is a voter, too.
        assert_eq!(links("bridge", &nodes), "3>1 1>3 3>4 4>3 3>5 5>3");
    }

    #[test]
    fn only_a_flap_comes_and_goes() {
        for (words, flaps, frontends) in [
            ("flap n1 n2", true, false),
            ("flap n1 frontends", true, true),
            ("n1 n2", false, false),
            ("frontends n1", false, true),
            ("one-way n1 frontends", false, true),
            ("isolate n1", false, false),
            ("halves", false, false),
        ] {
            let pattern = parsed(words).unwrap();
            assert_eq!((pattern.flaps(), pattern.names_frontends()), (flaps, frontends), "{words}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_explained() {
        for (words, advice) in [
            ("", "give one of: n1 n2, n1 frontends, isolate n1, one-way n1 n2"),
            ("n1", "`n1` is no pattern"),
            ("n1 n2 n3", "leader or follower may stand for a node"),
            ("isolate", "as `isolate n1`"),
            ("isolate n1 n2", "as `isolate n1`"),
            ("isolate frontends", "as `isolate n1`"),
            ("one-way n1", "as `one-way n1 n2`"),
            ("flap n1", "as `flap n1 n2`"),
            ("halves n1", "as `halves`"),
            ("bridge n1", "as `bridge`"),
            ("ring n1 n2", "as `ring`"),
            ("all n1", "as `all`"),
            ("n1 n1", "n1 is there twice"),
            ("one-way n2 n2", "n2 is there twice"),
            ("frontends frontends", "there is no link between frontends"),
        ] {
            let said = parsed(words).expect_err(words);
            assert!(said.contains(advice), "{words}: {said}");
        }
    }

    #[test]
    fn what_the_cluster_does_not_have_is_explained() {
        for (nodes, leader, words, advice, wrong) in [
            (3, 1, "n1 n4", "there is no n4; name one of n1, n2, n3", true),
            (3, 1, "isolate n4", "there is no n4", true),
            (3, 1, "n1 halves", "there is no halves", true),
            (3, 1, "leader n1", "leader and n1 are both n1", true),
            (3, 1, "ring", "3 nodes are neighbours already, and a ring cuts nothing", true),
            (3, 1, "ring", "it needs 5 nodes", true),
            (1, 1, "ring", "it needs 5 nodes", true),
            (1, 1, "isolate n1", "has one node", true),
            (1, 1, "all", "has one node", true),
            (1, 1, "halves", "halves and bridge need at least 3 voters; this cluster has 1", true),
            (2, 1, "bridge", "this cluster has 2", true),
            (3, 0, "halves", "nobody leads", false),
            (3, 0, "bridge", "nobody leads", false),
            (3, 0, "isolate leader", "nobody leads", false),
            (3, 0, "n1 follower", "nobody leads", false),
            (1, 1, "n1 follower", "there is no follower", false),
        ] {
            let pattern = parsed(words).expect(words);
            let err = pattern.links(&cluster(nodes, leader)).expect_err(words);
            assert!(err.to_string().contains(advice), "{words}: {err}");
            assert_eq!(err.is::<Usage>(), wrong, "{words}");
        }
    }
}
