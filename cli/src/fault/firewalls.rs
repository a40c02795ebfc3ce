//! The firewalls of the namespaces in which a demo's nodes run: real cuts are made there.
//! What they are told is written in `nft.rs`; this runs it.

use std::{
    net::{IpAddr, Ipv4Addr},
    path::Path,
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, bail};
use futures_util::future::join_all;
use hangraft_proto::v1::{ActiveFault, Traffic};
use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
    time::timeout,
};

use super::{
    args::How,
    inject::{Done, Taken, ask_all, failure},
    nft::{self, Cut},
    nodes::Nodes,
    plan::RealCut,
    wording,
};
use crate::{
    cluster::Door,
    demo::{namespaces::Namespaces, record::Record},
};

/// How long a firewall may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The firewalls of a demo.
pub(crate) struct Firewalls(Namespaces);

impl Firewalls {
    /// Those of the demo in a folder, if its nodes have namespaces.
    pub(crate) fn of_demo(dir: Option<&Path>) -> anyhow::Result<Option<Self>> {
        let record = dir.map(Record::load).transpose()?.flatten();
        Ok(record.as_ref().and_then(Namespaces::of).map(Self))
    }

    /// What a node does not hear, as nodes tell their own faults. `name` says what the node at
    /// an address is called.
    pub(crate) async fn faults(
        &self,
        node: IpAddr,
        name: impl Fn(IpAddr) -> Option<String>,
    ) -> anyhow::Result<Vec<ActiveFault>> {
        let cuts = self.cuts(node).await?;
        let faults = cuts.iter().flat_map(|cut| {
            let name = &name;
            cut.unheard.iter().map(move |(ip, left_ms)| {
                let peer = name((*ip).into()).unwrap_or_else(|| ip.to_string());
                ActiveFault { id: cut.id, text: cut.text(&peer), left_ms: *left_ms }
            })
        });
        Ok(faults.collect())
    }

    /// Lets a node hear everybody; how many it did not hear.
    pub(super) async fn heal(&self, node: IpAddr) -> anyhow::Result<u32> {
        let cuts = self.cuts(node).await?;
        if cuts.is_empty() {
            return Ok(0);
        }
        self.tell(node, &nft::end(&ids(&cuts))).await?;
        Ok(cuts.iter().map(|cut| cut.unheard.len() as u32).sum())
    }

    /// Lets a node hear some others no more; the number of the cut there.
    async fn cut(
        &self,
        node: IpAddr,
        unheard: &[Ipv4Addr],
        traffic: Traffic,
        for_ms: Option<u64>,
    ) -> anyhow::Result<u64> {
        let cuts = self.cuts(node).await?;
        let id = cuts.iter().map(|cut| cut.id).max().unwrap_or_default() + 1;
        let over: Vec<Cut> = cuts.into_iter().filter(|cut| cut.unheard.is_empty()).collect();
        let text = nft::end(&ids(&over)) + &nft::begin(id, unheard, traffic, for_ms);
        self.tell(node, &text).await?;
        Ok(id)
    }

    /// The cuts of a node, also those that are over. One in no namespace has none.
    async fn cuts(&self, node: IpAddr) -> anyhow::Result<Vec<Cut>> {
        let Some(namespace) = self.0.at(node) else { return Ok(Vec::new()) };
        let said = run(&namespace, &["-j", "list", "ruleset"], "").await?;
        nft::read(&said).with_context(|| format!("cannot understand the firewall of {namespace}"))
    }

    async fn tell(&self, node: IpAddr, text: &str) -> anyhow::Result<()> {
        let Some(namespace) = self.0.at(node) else {
            bail!("the node at {node} is in no namespace of this demo");
        };
        run(&namespace, &["-f", "-"], text).await.map(drop)
    }
}

/// Carries a plan out, all or nothing, and prints what is cut now. Nodes are asked for their
/// consent as for other faults.
pub(super) async fn carry_out(
    plan: RealCut,
    how: &How,
    door: &Door,
    firewalls: &Firewalls,
    nodes: &Nodes,
) -> anyhow::Result<()> {
    ask_all(plan.unheard.keys(), door, nodes).await?;
    let (for_ms, ip) = (how.for_ms, |place: usize| nodes.at(place).address.ip());
    let telling = plan.unheard.iter().map(async |(place, unheard)| {
        let unheard: Vec<Ipv4Addr> = unheard.iter().filter_map(|place| v4(ip(*place))).collect();
        let node = nodes.at(*place).name.clone();
        match firewalls.cut(ip(*place), &unheard, plan.traffic, for_ms).await {
            Ok(id) => Ok(Taken { node, ids: vec![id], place: *place }),
            Err(err) => Err(format!("{node}: {err:#}")),
        }
    });
    let (mut taken, mut refused) = (Vec::new(), Vec::new());
    for outcome in join_all(telling).await {
        match outcome {
            Ok(one) => taken.push(one),
            Err(err) => refused.push(err),
        }
    }
    if refused.is_empty() {
        let done = Done { faults: taken, for_ms };
        return how.output.print(&done, |_| plan.text + ", by nftables" + &wording::end(for_ms));
    }
    let mut stuck = Vec::new();
    for Taken { node, ids, place } in &taken {
        if firewalls.tell(ip(*place), &nft::end(ids)).await.is_err() {
            stuck.push(node.clone());
        }
    }
    bail!(failure(&refused, !taken.is_empty(), &stuck))
}

/// What the node at an address is called.
pub(super) fn name(nodes: &Nodes, ip: IpAddr) -> Option<String> {
    let mut all = (0..nodes.count()).map(|place| nodes.at(place));
    all.find(|node| node.address.ip() == ip).map(|node| node.name.clone())
}

fn ids(cuts: &[Cut]) -> Vec<u64> {
    cuts.iter().map(|cut| cut.id).collect()
}

fn v4(ip: IpAddr) -> Option<Ipv4Addr> {
    match ip {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(_) => None,
    }
}

/// Runs `nft` in a namespace; what it says.
async fn run(namespace: &str, args: &[&str], text: &str) -> anyhow::Result<String> {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace, "nft"]).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let child = command.spawn().context("cannot run `ip`; install iproute2")?;
    let output = timeout(PATIENCE, finish(child, text)).await;
    let output = output.with_context(|| format!("nft in {namespace} does not end"))??;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let first = said.lines().next().unwrap_or_default();
        bail!("nft in {namespace} refuses ({first}); are you root, and is nftables installed?");
    }
    String::from_utf8(output.stdout).context("nft says no text")
}

async fn finish(mut child: Child, text: &str) -> anyhow::Result<std::process::Output> {
    let mut stdin = child.stdin.take().context("no way to tell nft")?;
    // If it has ended, its output says why.
    _ = stdin.write_all(text.as_bytes()).await;
    drop(stdin);
    child.wait_with_output().await.context("cannot hear nft")
}
