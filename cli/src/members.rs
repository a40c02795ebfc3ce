//! `hangraft join`, `leave`, `transfer-leader` and `cluster set`: who belongs to a
//! cluster, who leads it, and how many voters it wants.

use std::{
    io::{self, IsTerminal},
    net::SocketAddr,
    time::Duration,
};

use anyhow::{Context, bail};
use clap::Subcommand;
use hangraft_ids::{NodeId, Term};
use hangraft_proto::v1::{
    JoinRequest, LeaveRequest, Member, SetReply, SetRequest, StatusReply, TransferLeaderRequest,
};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::{
    address,
    cluster::Door,
    fault::nodes::Nodes,
    key::KeyFile,
    leaving::{Outlook, votes},
    output::Output,
    reach::{self, Reach},
    usage::{Usage, ensure},
};

/// How long joining may take: an id, the first entries or a snapshot.
const JOIN: Duration = Duration::from_secs(60);

/// How long a node may take to leave; it gives up by itself before.
const LEAVE: Duration = Duration::from_secs(75);

/// How long other requests may take.
const ANSWER: Duration = Duration::from_secs(10);

/// How often we look.
const LOOK: Duration = Duration::from_millis(200);

/// Let an empty, running node join a cluster, and say what it has become there.
///
/// The node must have been started with `hangraft node --wait`, or with a configuration
/// that names neither members nor seeds.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  hangraft join --node 10.0.0.4:7101 --seed 10.0.0.1:7101")]
pub(crate) struct JoinArgs {
    /// The empty node.
    #[arg(long, value_name = "ADDR", value_parser = address::node)]
    node: SocketAddr,
    /// A node of the cluster; give several if some may be down.
    #[arg(long = "seed", value_name = "ADDR", required = true, id = "seeds", value_parser = address::node)]
    seeds: Vec<SocketAddr>,
    #[command(flatten)]
    key: KeyFile,
    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// Let a node leave its cluster for good: it hands leadership over, a spare takes its
/// place or the voters shrink to the next odd number, and it stops.
///
/// Refused, and nothing changed, when the others could not go on without it. When fewer
/// machines may fail afterwards it asks first, or needs --yes.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  hangraft leave --node 10.0.0.4:7101\n  hangraft leave --node 10.0.0.4:7101 --dry-run"
)]
pub(crate) struct LeaveArgs {
    /// The node that is to leave; with --dir also a demo's, by its name, or `leader`, or
    /// `follower`.
    #[arg(long, value_name = "ADDR")]
    node: String,
    /// Yes, fewer machines may fail afterwards.
    #[arg(long)]
    yes: bool,
    /// Only say how many machines may fail, before and after.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    key: KeyFile,
    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// Move leadership to another voter, and wait until it has moved.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  hangraft transfer-leader\n  hangraft transfer-leader --to n2 --node 10.0.0.1:7101"
)]
pub(crate) struct TransferArgs {
    /// The next leader, by its name or number; without it, the voter that is closest.
    #[arg(long, value_name = "NAME")]
    to: Option<String>,
    #[command(flatten)]
    reach: Reach,
    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// Settings that the whole cluster shares.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  hangraft cluster set --voters 5")]
pub(crate) struct ClusterArgs {
    #[command(subcommand)]
    command: ClusterCommand,
}

#[derive(Debug, Subcommand)]
enum ClusterCommand {
    Set(SetArgs),
}

/// Set how many voters the cluster wants, and when a silent one is replaced.
///
/// With fewer spares than that takes, the cluster grows when more nodes join.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  hangraft cluster set --voters 5\n  hangraft cluster set --replace-after 30m --node 10.0.0.1:7101"
)]
pub(crate) struct SetArgs {
    /// How many voters are wanted: 3, 5 or 7.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32))]
    voters: Option<u32>,
    /// A voter that gossip and Raft have missed for this long is replaced by a spare:
    /// 90s, 10m, 2h.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    replace_after: Option<Duration>,
    #[command(flatten)]
    reach: Reach,
    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct Joined {
    cluster: String,
    id: NodeId,
    name: String,
    role: String,
    why: String,
}

/// Joins, and waits until the node is a member.
pub(crate) async fn join(args: JoinArgs) -> anyhow::Result<()> {
    ensure(!args.seeds.contains(&args.node), || {
        "--seed is a node of the cluster to join, and not the node that joins".into()
    })?;
    let door = Door::new(args.node, args.key.pass(args.node)?);
    let mut client = door.client().await?;
    let seeds = args.seeds.iter().map(SocketAddr::to_string).collect();
    let reply = door.answer(JOIN, client.join(JoinRequest { seeds })).await?;
    let (status, member) = until_member(&door, NodeId(reply.node)).await?;
    let joined = Joined {
        cluster: reply.cluster,
        id: NodeId(reply.node),
        name: member.name.clone(),
        why: why(&status, &member),
        role: member.role,
    };
    args.output.print(&joined, |joined| {
        let Joined { cluster, id, name, role, why } = joined;
        let (name, role) = (called(name, *id), if role == "learner" { "spare" } else { role });
        format!("{name} has joined cluster {cluster} as a {role}: {why}")
    })
}

/// A name, and the number where the name does not tell it.
fn called(name: &str, id: NodeId) -> String {
    if name == format!("n{id}") { name.into() } else { format!("{name} (n{id})") }
}

/// Asks the new node itself, until it has heard that it belongs.
async fn until_member(node: &Door, id: NodeId) -> anyhow::Result<(StatusReply, Member)> {
    let deadline = Instant::now() + JOIN;
    loop {
        if let Ok(status) = node.status().await
            && let Some(member) = status.members.iter().find(|member| member.id == id.0)
            && member.role != "none"
        {
            return Ok((status.clone(), member.clone()));
        }
        if Instant::now() > deadline {
            bail!(
                "the node has id {id}, but the leader has not added it yet; look at `hangraft status`"
            );
        }
        sleep(LOOK).await;
    }
}

/// Why a new member votes or does not.
fn why(status: &StatusReply, member: &Member) -> String {
    let voters = voters_in(status);
    let wanted = status.voters_wanted as usize;
    if votes(member) {
        return format!("{voters} of {wanted} wanted voters are there");
    }
    // The leader knows best.
    let about = format!("{} ", member.name);
    if let Some(intent) = status.intents.iter().find(|intent| intent.starts_with(&about)) {
        return intent.clone();
    }
    if voters >= wanted {
        return format!(
            "a spare, because {wanted} voters are wanted and there; `hangraft cluster set --voters` wants more"
        );
    }
    "a spare until it has been stable for a while; voters grow by two, to stay odd".into()
}

impl LeaveArgs {
    /// Where the node is.
    async fn node(&self) -> anyhow::Result<SocketAddr> {
        match (address::node(&self.node), &self.key.dir) {
            (Ok(address), _) => Ok(address),
            (Err(_), Some(dir)) if !self.node.contains(':') => {
                let (_, nodes) = Nodes::ask_led(&reach::demo(dir)?).await?;
                nodes.address(&self.node)
            }
            (Err(why), _) => Err(Usage(format!("--node {}: {why}", self.node)).into()),
        }
    }
}

/// Leaves, and waits until the node has left.
pub(crate) async fn leave(args: LeaveArgs) -> anyhow::Result<()> {
    let node = args.node().await?;
    let door = Door::new(node, args.key.pass(node)?);
    let status = door.status().await?;
    let outlook = Outlook::of(&status, NodeId(door.report().await?.id));
    if args.dry_run {
        let outlook = outlook.context("that node is no member of its cluster")?;
        return args.output.print(&outlook, Outlook::text);
    }
    if let Some(outlook) = outlook.filter(|outlook| outlook.is_worse() && !args.yes) {
        agreed(&outlook)?;
    }
    let others = status.members;
    let mut client = door.client().await?;
    let reply = door.answer(LEAVE, client.leave(LeaveRequest {})).await?;
    #[derive(Serialize)]
    struct Left {
        left: bool,
        text: String,
        /// Who votes now; nothing when nobody could be asked.
        voters: Option<usize>,
        voters_wanted: Option<u32>,
    }
    let rest = status_of_others(&others, &door).await;
    let left = Left {
        left: true,
        text: reply.text,
        voters: rest.as_ref().map(voters_in),
        voters_wanted: rest.as_ref().map(|rest| rest.voters_wanted),
    };
    args.output.print(&left, |left| match (left.voters, left.voters_wanted) {
        (Some(1), Some(wanted)) => format!(
            "{}; 1 of {wanted} wanted voters is left, and no machine may fail: let others join",
            left.text
        ),
        (Some(voters), Some(wanted)) => {
            format!("{}; {voters} of {wanted} wanted voters are left", left.text)
        }
        _ => left.text.clone(),
    })
}

/// Asks whoever sits at the terminal. A script has said so before, or did not mean it.
fn agreed(outlook: &Outlook) -> anyhow::Result<()> {
    let text = outlook.text();
    let asked = io::stdin().is_terminal() && io::stderr().is_terminal();
    ensure(asked, || format!("{text}; if that is meant, say --yes"))?;
    eprint!("{text}.\nLet it leave for good? [y/N] ");
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).context("cannot read the answer")?;
    let yes = ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str());
    anyhow::ensure!(yes, "nothing was changed");
    Ok(())
}

/// The cluster as one of those sees it who are still in it.
async fn status_of_others(members: &[Member], gone: &Door) -> Option<StatusReply> {
    for member in members.iter().filter(|member| member.alive) {
        let address = member.address.parse().ok().filter(|address| *address != gone.node());
        let Some(address) = address else { continue };
        if let Ok(status) = gone.beside(address).status().await {
            return Some(status);
        }
    }
    None
}

fn voters_in(status: &StatusReply) -> usize {
    status.members.iter().filter(|member| votes(member)).count()
}

/// Moves leadership.
pub(crate) async fn transfer_leader(args: TransferArgs) -> anyhow::Result<()> {
    let (door, mut client) = args.reach.first().await?;
    let members = door.status().await?.members;
    let to = args.to.map_or(Ok(NodeId::NONE), |to| id_of(&members, &to))?;
    let request = TransferLeaderRequest { to: to.0 };
    let reply = door.answer(ANSWER, client.transfer_leader(request)).await?;
    #[derive(Serialize)]
    struct Moved {
        leader: NodeId,
        term: Term,
    }
    let moved = Moved { leader: NodeId(reply.leader), term: Term(reply.term) };
    args.output.print(&moved, |moved| {
        format!("{} leads in term {}", name_of(&members, moved.leader), moved.term)
    })
}

/// The id of the member that people mean by a name, by `n` and a number, or by a number.
fn id_of(members: &[Member], said: &str) -> Result<NodeId, Usage> {
    let named = members.iter().find(|member| member.name == said).map(|member| NodeId(member.id));
    let numbered = said
        .strip_prefix('n')
        .unwrap_or(said)
        .parse()
        .ok()
        .map(NodeId)
        .filter(|id| *id != NodeId::NONE);
    named.or(numbered).ok_or_else(|| {
        let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
        Usage(format!("there is no {said}; name one of {}", names.join(", ")))
    })
}

/// What people call a member.
fn name_of(members: &[Member], id: NodeId) -> String {
    let member = members.iter().find(|member| member.id == id.0);
    member.map_or_else(|| format!("n{id}"), |member| member.name.clone())
}

/// Runs `hangraft cluster ...`.
pub(crate) async fn cluster(args: ClusterArgs) -> anyhow::Result<()> {
    let ClusterCommand::Set(args) = args.command;
    ensure(args.voters.is_some() || args.replace_after.is_some(), || {
        "nothing to set; give --voters or --replace-after".into()
    })?;
    ensure(args.voters.is_none_or(|voters| [3, 5, 7].contains(&voters)), || {
        "--voters is 3, 5 or 7: an even number costs a machine and survives no more".into()
    })?;
    let replace_after_ms = args.replace_after.map(|time| time.as_millis());
    let replace_after_ms = replace_after_ms.map(u64::try_from).transpose().context("too long")?;
    let (door, mut client) = args.reach.first().await?;
    let request = SetRequest { voters: args.voters, replace_after_ms };
    let SetReply { voters, replace_after_ms } = door.answer(ANSWER, client.set(request)).await?;
    #[derive(Serialize)]
    struct Settings {
        voters: u32,
        replace_after_ms: u64,
    }
    args.output.print(&Settings { voters, replace_after_ms }, |settings| {
        let after = Duration::from_millis(settings.replace_after_ms);
        format!(
            "{} voters are wanted; one that is silent for {} is replaced by a spare",
            settings.voters,
            humantime::format_duration(after)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_what_people_call_them() {
        let member = |id, name: &str| Member { id, name: name.into(), ..Member::default() };
        let members = [member(1, "n1"), member(2, "tokyo"), member(7, "n2")];
        for (said, id) in [("n1", 1), ("1", 1), ("tokyo", 2), ("2", 2), ("n2", 7), ("n9", 9)] {
            assert_eq!(id_of(&members, said).map_err(|err| err.0), Ok(NodeId(id)), "{said}");
        }
        for said in ["", "n", "0", "osaka", "-1"] {
            let refused = id_of(&members, said).expect_err(said);
            assert!(refused.0.contains("one of n1, tokyo, n2"), "{}", refused.0);
        }
        let name_of = |id| name_of(&members, NodeId(id));
        assert_eq!((name_of(2), name_of(5)), ("tokyo".into(), "n5".into()));
        let called = |name| called(name, NodeId(4));
        assert_eq!((called("n4"), called("rome")), ("n4".into(), "rome (n4)".into()));
    }
}
