//! Real cuts, in the words of nftables. Plain code; nothing is run here.
//!
//! A cut is a table of its own, `inet hangraft_1` and so on, in the namespace of the node that
//! is to hear nothing. It drops what comes from others when it comes in. Dropped on its way
//! out, the sender would be told. Nothing is tracked, so established connections stand still
//! like new ones. The addresses are a set, and leave it when their time is over: the kernel
//! heals, whoever else is gone.

use std::{fmt::Write, net::Ipv4Addr};

use hangraft_proto::v1::Traffic;
use serde_json::Value;

use super::wording;

/// How the tables of cuts begin; the number of the cut follows.
const TABLE: &str = "hangraft_";

/// The set of those who are not heard.
const SET: &str = "unheard";

/// What is dropped, by the name of the chain that does so.
const CHAINS: [(&str, &str, Traffic); 2] =
    [("streams", "tcp", Traffic::Streams), ("gossip", "udp", Traffic::Datagrams)];

/// A cut, as one namespace has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) id: u64,
    traffic: Traffic,
    /// Who is not heard, and for how long still: nothing for until it is healed.
    pub(super) unheard: Vec<(Ipv4Addr, Option<u64>)>,
}

impl Cut {
    /// What it is, with the name of who is not heard, as nodes tell their faults.
    pub(super) fn text(&self, peer: &str) -> String {
        format!("cut from {peer}{} (nftables)", wording::only(self.traffic))
    }
}

/// Begins a cut of this number. It fails when there is one already.
pub(super) fn begin(
    id: u64,
    unheard: &[Ipv4Addr],
    traffic: Traffic,
    for_ms: Option<u64>,
) -> String {
    let timeout = for_ms.map_or_else(String::new, |ms| format!(" timeout {ms}ms"));
    let elements: Vec<String> = unheard.iter().map(|ip| format!("{ip}{timeout}")).collect();
    let mut text = format!(
        "create table inet {TABLE}{id}\n\
         add set inet {TABLE}{id} {SET} {{ type ipv4_addr; flags timeout; elements = {{ {} }}; }}\n",
        elements.join(", ")
    );
    for (chain, protocol, what) in CHAINS {
        if traffic == Traffic::All || traffic == what {
            _ = write!(
                text,
                "add chain inet {TABLE}{id} {chain} {{ type filter hook input priority filter; }}\n\
                 add rule inet {TABLE}{id} {chain} ip protocol {protocol} ip saddr @{SET} drop\n"
            );
        }
    }
    text
}

/// Ends the cuts of these numbers.
pub(super) fn end(ids: &[u64]) -> String {
    ids.iter().map(|id| format!("delete table inet {TABLE}{id}\n")).collect()
}

/// The cuts in what `nft -j list ruleset` says, also those that are over. Nothing when that
/// cannot be understood.
///
/// nft tells whole seconds. What is left is told as the next one.
pub(super) fn read(said: &str) -> Option<Vec<Cut>> {
    let said: Value = serde_json::from_str(said).ok()?;
    let objects = said.get("nftables")?.as_array()?;
    let all = |kind: &'static str| objects.iter().filter_map(move |object| object.get(kind));
    let tables = all("table").filter_map(|table| {
        let name = table["name"].as_str()?;
        let id = name.strip_prefix(TABLE)?.parse().ok()?;
        let of = |object: &&Value| object["table"] == name;
        let sets = all("set").filter(of).filter(|set| set["name"] == SET);
        let elements = sets.filter_map(|set| set["elem"].as_array()).flatten();
        let chains = all("chain").filter(of);
        let names: Vec<&str> = chains.filter_map(|chain| chain["name"].as_str()).collect();
        Some(Cut { id, traffic: traffic(&names), unheard: elements.filter_map(element).collect() })
    });
    Some(tables.collect())
}

fn traffic(chains: &[&str]) -> Traffic {
    match CHAINS.iter().filter(|(name, ..)| chains.contains(name)).collect::<Vec<_>>()[..] {
        [(.., one)] => *one,
        _ => Traffic::All,
    }
}

/// An address of a set: alone, or in an object with the time it has.
fn element(element: &Value) -> Option<(Ipv4Addr, Option<u64>)> {
    if let Some(ip) = element.as_str() {
        return Some((ip.parse().ok()?, None));
    }
    let ip = element["elem"]["val"].as_str()?.parse().ok()?;
    let left = element["elem"]["expires"].as_u64();
    Some((ip, left.map(|seconds| (seconds + 1) * 1_000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const N1: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
    const N2: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);

    #[test]
    fn a_cut_is_a_table_that_heals_by_itself() {
        assert_eq!(
            begin(7, &[N1, N2], Traffic::All, Some(3_500)),
            "create table inet hangraft_7\n\
             add set inet hangraft_7 unheard { type ipv4_addr; flags timeout; \
             elements = { 10.77.0.1 timeout 3500ms, 10.77.0.2 timeout 3500ms }; }\n\
             add chain inet hangraft_7 streams { type filter hook input priority filter; }\n\
             add rule inet hangraft_7 streams ip protocol tcp ip saddr @unheard drop\n\
             add chain inet hangraft_7 gossip { type filter hook input priority filter; }\n\
             add rule inet hangraft_7 gossip ip protocol udp ip saddr @unheard drop\n"
        );
        assert_eq!(end(&[7, 8]), "delete table inet hangraft_7\ndelete table inet hangraft_8\n");
    }

    /// Raft and gossip are cut apart, and without a time there is none.
    #[test]
    fn a_part_of_what_is_sent_is_cut() {
        for (traffic, there, missing) in
            [(Traffic::Streams, "tcp", "udp"), (Traffic::Datagrams, "udp", "tcp")]
        {
            let text = begin(1, &[N1], traffic, None);
            assert!(text.contains(&format!("ip protocol {there}")), "{text}");
            assert!(!text.contains(missing) && text.contains("{ 10.77.0.1 }"), "{text}");
        }
    }

    /// As nft 1.0.6 says it, shortened: three cuts, one of them over, and somebody else's table.
    #[test]
    fn cuts_are_read_back() {
        let said = r#"{"nftables": [{"metainfo": {"version": "1.0.6"}},
            {"table": {"family": "inet", "name": "hangraft_3", "handle": 1}},
            {"set": {"family": "inet", "name": "unheard", "table": "hangraft_3", "elem":
                [{"elem": {"val": "10.77.0.1", "timeout": 3, "expires": 2}}, "10.77.0.2"]}},
            {"chain": {"family": "inet", "table": "hangraft_3", "name": "streams"}},
            {"chain": {"family": "inet", "table": "hangraft_3", "name": "gossip"}},
            {"rule": {"family": "inet", "table": "hangraft_3", "chain": "streams", "expr": []}},
            {"table": {"family": "inet", "name": "hangraft_4"}},
            {"set": {"family": "inet", "name": "unheard", "table": "hangraft_4", "elem": ["10.77.0.1"]}},
            {"chain": {"family": "inet", "table": "hangraft_4", "name": "gossip"}},
            {"table": {"family": "inet", "name": "hangraft_12"}},
            {"set": {"family": "inet", "name": "unheard", "table": "hangraft_12"}},
            {"table": {"family": "ip", "name": "filter"}}]}"#;
        let cuts = read(said).unwrap();
        let told: Vec<_> = cuts.iter().map(|cut| (cut.id, cut.text("n1"))).collect();
        let (all, gossip) = ("cut from n1 (nftables)", "cut from n1, gossip only (nftables)");
        assert_eq!(told, [(3, all.into()), (4, gossip.into()), (12, all.into())]);
        assert_eq!(cuts[0].unheard, [(N1, Some(3_000)), (N2, None)]);
        assert_eq!(cuts[2].unheard, []);
        assert_eq!(read("nft: command not found"), None);
    }
}
