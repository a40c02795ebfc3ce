//! Tells nodes what is wrong with them, all or none.
//!
//! First each node is asked something harmless. One that does not answer ends the command
//! before anything has changed: a paused node would hear later what it is told now. Then all
//! are told at once. One that refuses ends the command too: what the others have taken is
//! healed again, by the ids they gave, so that older faults stay.

use anyhow::{Context, bail};
use futures_util::future::join_all;
use hangraft_proto::v1::{Fault, FaultsRequest, InjectRequest};
use serde::Serialize;
use tokio::time::timeout;

use super::{
    active::{ANSWER, heal},
    args::How,
    nodes::{Node, Nodes},
    plan::Plan,
    wording,
};
use crate::cluster::{Door, OperatorClient};

/// What is printed. The JSON form is a contract.
#[derive(Debug, Serialize)]
pub(super) struct Done {
    pub(super) faults: Vec<Taken>,
    /// Nothing for until they are healed.
    pub(super) for_ms: Option<u64>,
}

/// What one node has taken.
#[derive(Debug, Serialize)]
pub(super) struct Taken {
    pub(super) node: String,
    pub(super) ids: Vec<u64>,
    #[serde(skip)]
    pub(super) place: usize,
}

/// Carries a plan out, and prints what is wrong now.
pub(super) async fn carry_out(
    plan: Plan,
    how: &How,
    door: &Door,
    nodes: &Nodes,
) -> anyhow::Result<()> {
    let for_ms = how.for_ms;
    ask_all(plan.faults.keys(), door, nodes).await?;
    let telling = plan.faults.into_iter().map(async |(place, faults)| {
        let node = nodes.at(place);
        let ids = tell(door, node, faults, for_ms).await?;
        anyhow::Ok(Taken { node: node.name.clone(), ids, place })
    });
    let (mut taken, mut refused) = (Vec::new(), Vec::new());
    for outcome in join_all(telling).await {
        match outcome {
            Ok(one) => taken.push(one),
            Err(err) => refused.push(format!("{err:#}")),
        }
    }
    if refused.is_empty() {
        let done = Done { faults: taken, for_ms };
        return how.output.print(&done, |_| plan.text + &wording::end(for_ms));
    }
    let stuck = take_back(&taken, door, nodes).await;
    bail!(failure(&refused, !taken.is_empty(), &stuck))
}

/// Asks these nodes what is wrong with them already, to know that they answer and allow faults.
///
/// # Errors
/// When one does not.
pub(super) async fn ask_all(
    places: impl Iterator<Item = &usize>,
    door: &Door,
    nodes: &Nodes,
) -> anyhow::Result<()> {
    let asking = places.map(|place| ask(door, nodes.at(*place)));
    let silent = join_all(asking).await.into_iter().filter_map(Result::err);
    let silent: Vec<String> = silent.map(|err| format!("{err:#}")).collect();
    if silent.is_empty() { Ok(()) } else { bail!(failure(&silent, false, &[])) }
}

/// Asks one node what is wrong with it already, to know that it answers.
async fn ask(door: &Door, node: &Node) -> anyhow::Result<()> {
    let (door, mut client) = reach(door, node).await?;
    let reply = door.answer(ANSWER, client.faults(FaultsRequest {})).await;
    reply.map(drop).with_context(|| node.name.clone())
}

/// Tells one node; the ids it gives.
async fn tell(
    door: &Door,
    node: &Node,
    faults: Vec<Fault>,
    for_ms: Option<u64>,
) -> anyhow::Result<Vec<u64>> {
    let (door, mut client) = reach(door, node).await?;
    let request = InjectRequest { faults, for_ms: for_ms.unwrap_or_default() };
    let Ok(reply) = timeout(ANSWER, client.inject(request)).await else {
        let name = &node.name;
        bail!("{name} has not answered and may have it now: `hangraft fault heal {name}`");
    };
    let reply = door.answer(ANSWER, async { reply }).await;
    Ok(reply.with_context(|| node.name.clone())?.ids)
}

async fn reach(door: &Door, node: &Node) -> anyhow::Result<(Door, OperatorClient)> {
    let door = door.beside(node.address);
    let client = door.client().await;
    let client =
        client.with_context(|| format!("{} does not answer; name those that run", node.name))?;
    Ok((door, client))
}

/// Heals what nodes have taken; the names of those that did not answer to that.
async fn take_back(taken: &[Taken], door: &Door, nodes: &Nodes) -> Vec<String> {
    let healing = taken.iter().map(async |Taken { node, ids, place }| {
        let door = door.beside(nodes.at(*place).address);
        heal(&door, ids.clone()).await.err().map(|_| node.clone())
    });
    join_all(healing).await.into_iter().flatten().collect()
}

/// Why nothing was changed, or what was.
pub(super) fn failure(refused: &[String], healed: bool, stuck: &[String]) -> String {
    let why = refused.join("; ");
    if !stuck.is_empty() {
        let stuck = stuck.join(" ");
        return format!("{why}; not healed again: `hangraft fault heal {stuck}`");
    }
    if healed { format!("{why}; what the others took is healed again") } else { why }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scripts read this.
    #[test]
    fn the_json_is_the_promised_one() {
        let taken = |place, node: &str| Taken { node: node.into(), ids: vec![1, 2], place };
        for (done, json) in [
            (
                Done { faults: vec![taken(0, "n1")], for_ms: Some(10_000) },
                r#"{"faults":[{"node":"n1","ids":[1,2]}],"for_ms":10000}"#,
            ),
            (
                Done { faults: vec![taken(0, "n1"), taken(1, "n2")], for_ms: None },
                r#"{"faults":[{"node":"n1","ids":[1,2]},{"node":"n2","ids":[1,2]}],"for_ms":null}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&done).unwrap(), json);
        }
    }

    #[test]
    fn a_failure_says_what_is_left() {
        let refused = ["n3 does not answer".to_owned()];
        for (healed, stuck, text) in [
            (false, &[][..], "n3 does not answer"),
            (true, &[], "n3 does not answer; what the others took is healed again"),
            (
                true,
                &["n1".to_owned(), "n2".to_owned()],
                "n3 does not answer; not healed again: `hangraft fault heal n1 n2`",
            ),
        ] {
            assert_eq!(failure(&refused, healed, stuck), text);
        }
    }
}
