//! `hangraft fault list` and `heal`: what is wrong in a cluster now, and the end of it.
//!
//! A node that does not answer is named. What the others say is printed, and what they can
//! heal is healed.

use std::time::Duration;

use anyhow::bail;
use comfy_table::{Table, presets::NOTHING};
use futures_util::future::join_all;
use hangraft_proto::v1::{ActiveFault, FaultsRequest, HealRequest};
use serde::Serialize;

use super::{
    args::{HealArgs, ListArgs},
    firewalls::{Firewalls, name},
    nodes::Nodes,
    wording,
};
use crate::{cluster::Door, output::Output};

/// How long a node may take to change its surroundings, or to say how they are.
pub(super) const ANSWER: Duration = Duration::from_secs(3);

/// What is printed of the faults of a cluster. The JSON form is a contract.
#[derive(Debug, Serialize)]
struct Listed {
    faults: Vec<Row>,
    unanswered: Vec<Unanswered>,
}

/// One fault of one node.
#[derive(Debug, Serialize)]
struct Row {
    node: String,
    id: u64,
    fault: String,
    /// Nothing for until it is healed.
    left_ms: Option<u64>,
}

/// What is printed of a healing. The JSON form is a contract.
#[derive(Debug, Serialize)]
struct Healed {
    nodes: Vec<HealedNode>,
    unanswered: Vec<Unanswered>,
}

/// How many faults a node has no more.
#[derive(Debug, Serialize)]
struct HealedNode {
    node: String,
    healed: u32,
}

/// A node that has not said anything, or refused.
#[derive(Debug, Serialize)]
struct Unanswered {
    node: String,
    why: String,
}

/// Prints what is wrong.
///
/// # Errors
/// When no node says it.
pub(super) async fn list(args: ListArgs) -> anyhow::Result<()> {
    let firewalls = Firewalls::of_demo(args.reach.dir())?;
    let (door, nodes) = Nodes::ask(&args.reach.doors()?).await?;
    let places: Vec<usize> = (0..nodes.count()).collect();
    let (mut said, unanswered) = ask_each(&places, &door, &nodes, faults).await;
    if said.is_empty() {
        bail!(blamed(&unanswered));
    }
    if let Some(firewalls) = firewalls {
        said.extend(cuts(&firewalls, &nodes).await?);
    }
    let rows = said.into_iter().flat_map(|(node, faults)| {
        faults.into_iter().map(move |fault| Row {
            node: node.clone(),
            id: fault.id,
            fault: fault.text,
            left_ms: fault.left_ms,
        })
    });
    args.output.print(&Listed { faults: rows.collect(), unanswered }, Listed::text)
}

/// Heals, and prints how much.
///
/// # Errors
/// When a node was not healed. The others are.
pub(super) async fn heal_all(args: HealArgs) -> anyhow::Result<()> {
    let firewalls = Firewalls::of_demo(args.reach.dir())?;
    let (door, nodes) = Nodes::ask(&args.reach.doors()?).await?;
    let places = match &args.names[..] {
        [] => (0..nodes.count()).collect(),
        names => nodes.find_all(names)?,
    };
    let healing = async |door: Door| {
        let heard = match &firewalls {
            Some(firewalls) => firewalls.heal(door.node().ip()).await?,
            None => 0,
        };
        anyhow::Ok(heard + heal(&door, Vec::new()).await?)
    };
    let (said, unanswered) = ask_each(&places, &door, &nodes, healing).await;
    let healed = said.into_iter().map(|(node, healed)| HealedNode { node, healed });
    let healed = Healed { nodes: healed.collect(), unanswered };
    if !healed.nodes.is_empty() || args.output == Output::Json {
        args.output.print(&healed, Healed::text)?;
    }
    if healed.unanswered.is_empty() { Ok(()) } else { bail!(blamed(&healed.unanswered)) }
}

/// Heals these faults of a node, or all when none is named; how many there were.
pub(super) async fn heal(door: &Door, ids: Vec<u64>) -> anyhow::Result<u32> {
    let mut client = door.client().await?;
    let reply = door.answer(ANSWER, client.heal(HealRequest { ids })).await?;
    Ok(reply.healed)
}

async fn faults(door: Door) -> anyhow::Result<Vec<ActiveFault>> {
    let mut client = door.client().await?;
    let reply = door.answer(ANSWER, client.faults(FaultsRequest {})).await?;
    Ok(reply.faults)
}

/// What each node does not hear, by its name: a firewall says it, also of a node that is silent.
async fn cuts(
    firewalls: &Firewalls,
    nodes: &Nodes,
) -> anyhow::Result<Vec<(String, Vec<ActiveFault>)>> {
    let mut cuts = Vec::new();
    for place in 0..nodes.count() {
        let node = nodes.at(place);
        let unheard = firewalls.faults(node.address.ip(), |ip| name(nodes, ip)).await?;
        cuts.push((node.name.clone(), unheard));
    }
    Ok(cuts)
}

/// Asks several nodes at once; what each said, by its name, and who said nothing.
async fn ask_each<T>(
    places: &[usize],
    door: &Door,
    nodes: &Nodes,
    ask: impl AsyncFn(Door) -> anyhow::Result<T>,
) -> (Vec<(String, T)>, Vec<Unanswered>) {
    let asking = places.iter().map(|place| ask(door.beside(nodes.at(*place).address)));
    let (mut said, mut unanswered) = (Vec::new(), Vec::new());
    for (place, outcome) in places.iter().zip(join_all(asking).await) {
        let node = nodes.at(*place).name.clone();
        match outcome {
            Ok(answer) => said.push((node, answer)),
            Err(err) => unanswered.push(Unanswered { node, why: format!("{err:#}") }),
        }
    }
    (said, unanswered)
}

fn blamed(unanswered: &[Unanswered]) -> String {
    let lines: Vec<String> = unanswered.iter().map(Unanswered::text).collect();
    lines.join("; ")
}

impl Unanswered {
    fn text(&self) -> String {
        format!("{}: {}", self.node, self.why)
    }
}

impl Listed {
    fn text(&self) -> String {
        let mut lines = match &self.faults[..] {
            [] => vec!["no faults".to_owned()],
            rows => table(rows),
        };
        lines.extend(self.unanswered.iter().map(Unanswered::text));
        lines.join("\n")
    }
}

impl Healed {
    fn text(&self) -> String {
        let one = |HealedNode { node, healed }: &HealedNode| format!("{node}: {healed} healed");
        self.nodes.iter().map(one).collect::<Vec<_>>().join("\n")
    }
}

fn table(rows: &[Row]) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["node", "id", "fault", "left"]);
    for Row { node, id, fault, left_ms } in rows {
        let left = left_ms.map_or_else(|| "until healed".into(), wording::span);
        table.add_row([node.clone(), id.to_string(), fault.clone(), left]);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(node: &str, id: u64, fault: &str, left_ms: Option<u64>) -> Row {
        Row { node: node.into(), id, fault: fault.into(), left_ms }
    }

    fn silent() -> Vec<Unanswered> {
        vec![Unanswered { node: "n3".into(), why: "no node answers".into() }]
    }

    #[test]
    fn faults_are_listed() {
        for (faults, unanswered, text) in [
            (vec![], vec![], "no faults"),
            (vec![], silent(), "no faults\nn3: no node answers"),
            (
                vec![row("n1", 1, "cut from n2", Some(8_500)), row("n2", 12, "slow disk", None)],
                silent(),
                "node  id  fault        left\n\
                 n1    1   cut from n2  8.5 s\n\
                 n2    12  slow disk    until healed\n\
                 n3: no node answers",
            ),
        ] {
            assert_eq!(Listed { faults, unanswered }.text(), text);
        }
    }

    #[test]
    fn healing_is_told_by_node() {
        let node = |node: &str, healed| HealedNode { node: node.into(), healed };
        let healed = Healed { nodes: vec![node("n1", 2), node("n2", 0)], unanswered: silent() };
        assert_eq!(healed.text(), "n1: 2 healed\nn2: 0 healed");
        assert_eq!(blamed(&healed.unanswered), "n3: no node answers");
    }

    /// Scripts read this.
    #[test]
    fn the_json_is_the_promised_one() {
        let listed = Listed {
            faults: vec![row("n1", 1, "cut from n2", Some(8_500)), row("n1", 2, "cut", None)],
            unanswered: silent(),
        };
        assert_eq!(
            serde_json::to_string(&listed).unwrap(),
            r#"{"faults":[{"node":"n1","id":1,"fault":"cut from n2","left_ms":8500},"#.to_owned()
                + r#"{"node":"n1","id":2,"fault":"cut","left_ms":null}],"#
                + r#""unanswered":[{"node":"n3","why":"no node answers"}]}"#
        );
        let healed =
            Healed { nodes: vec![HealedNode { node: "n1".into(), healed: 2 }], unanswered: vec![] };
        assert_eq!(
            serde_json::to_string(&healed).unwrap(),
            r#"{"nodes":[{"node":"n1","healed":2}],"unanswered":[]}"#
        );
    }
}
