//! `hangraft status`: who is there, who leads, how far each has come.

use std::{
    io::{self, IsTerminal},
    net::SocketAddr,
    time::Duration,
};

use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use hangraft_proto::v1::{Member, StatusReply};
use serde::Serialize;

use crate::{
    address, cluster,
    output::{Output, print},
};

/// How often `--watch` looks.
const WATCH: Duration = Duration::from_secs(1);

/// Clears a terminal and goes to its top.
const CLEAR: &str = "\x1b[2J\x1b[H";

const EXAMPLES: &str = "\
Examples:
  hangraft status
  hangraft status --watch
  hangraft status --node 10.0.0.2:7101 --output json";

/// Show all members of a cluster: who leads, and how far each has come.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The node to ask; any will do.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7101", value_parser = address::node)]
    node: SocketAddr,
    /// Look every second, until Ctrl-C.
    #[arg(long)]
    watch: bool,
    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// Asks and prints.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    if !args.watch {
        let status = Status::from(cluster::status(args.node).await?);
        return args.output.print(&status, Status::table);
    }
    let redraw = args.output == Output::Text && io::stdout().is_terminal();
    loop {
        let clear = if redraw { CLEAR } else { "" };
        match cluster::status(args.node).await.map(Status::from) {
            Ok(status) => {
                args.output.print(&status, |status| format!("{clear}{}", status.table()))?;
            }
            // It may come back; whoever watches wants to see that.
            Err(err) if args.output == Output::Text => print(&format!("{clear}{err:#}"))?,
            Err(err) => eprintln!("hangraft: {err:#}"),
        }
        tokio::time::sleep(WATCH).await;
    }
}

/// What is printed. The JSON form is a contract.
#[derive(Debug, Serialize)]
struct Status {
    cluster: String,
    /// Nothing while the node that was asked knows no leader.
    leader: Option<u64>,
    term: u64,
    members: Vec<MemberStatus>,
    /// How many voters are wanted.
    voters_wanted: u32,
    /// A voter silent for so long is replaced.
    replace_after_ms: u64,
    /// What the leader intends with the members, and why it does not act.
    intents: Vec<String>,
    /// What every member can do.
    features: Vec<String>,
}

/// One member. What only itself can know is missing while it does not answer.
#[derive(Debug, Serialize)]
struct MemberStatus {
    id: u64,
    name: String,
    address: String,
    alive: bool,
    role: String,
    last_log: Option<u64>,
    committed: Option<u64>,
    applied: Option<u64>,
    hash: Option<String>,
    version: Option<String>,
    /// For the table; the cluster's own term stands above the members in JSON.
    #[serde(skip)]
    term: Option<u64>,
}

impl Status {
    fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED).set_header([
            "id",
            "name",
            "address",
            "alive",
            "role",
            "term",
            "last log",
            "committed",
            "applied",
            "lag",
            "state hash",
            "version",
        ]);
        for member in &self.members {
            table.add_row(self.row(member));
        }
        for column in [0, 5, 6, 7, 8, 9] {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let leader = match self.leader {
            Some(leader) => format!("n{leader}"),
            None => "nobody".into(),
        };
        let leader = self
            .members
            .iter()
            .find(|member| Some(member.id) == self.leader)
            .map_or(leader, |member| member.name.clone());
        let votes = |member: &&MemberStatus| member.role == "leader" || member.role == "voter";
        let voters = self.members.iter().filter(votes).count();
        let mut text = format!(
            "cluster {}, led by {leader} in term {}, {voters} of {} wanted voters\n{table}",
            self.cluster, self.term, self.voters_wanted
        );
        for intent in &self.intents {
            text += &format!("\n* {intent}");
        }
        text
    }

    fn row(&self, member: &MemberStatus) -> [String; 12] {
        [
            member.id.to_string(),
            member.name.clone(),
            member.address.clone(),
            if member.alive { "yes" } else { "no" }.into(),
            member.role.clone(),
            shown(member.term),
            shown(member.last_log),
            shown(member.committed),
            shown(member.applied),
            shown(self.lag(member)),
            shown(member.hash.as_ref()),
            shown(member.version.as_ref()),
        ]
    }

    /// How many of the leader's entries a member has yet to apply. The reports
    /// are not from one instant, so a member may seem to be ahead; it is not.
    fn lag(&self, member: &MemberStatus) -> Option<u64> {
        let leader = self.members.iter().find(|member| Some(member.id) == self.leader)?;
        Some(leader.last_log?.saturating_sub(member.applied?))
    }
}

fn shown(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".into(), |value| value.to_string())
}

impl From<StatusReply> for Status {
    fn from(reply: StatusReply) -> Self {
        Self {
            cluster: reply.cluster,
            leader: (reply.leader != 0).then_some(reply.leader),
            term: reply.term,
            voters_wanted: reply.voters_wanted,
            replace_after_ms: reply.replace_after_ms,
            intents: reply.intents,
            features: reply.features,
            members: reply.members.into_iter().map(MemberStatus::from).collect(),
        }
    }
}

impl From<Member> for MemberStatus {
    fn from(member: Member) -> Self {
        let report = member.report;
        Self {
            id: member.id,
            name: member.name,
            address: member.address,
            alive: member.alive,
            role: member.role,
            last_log: report.as_ref().map(|report| report.last_log),
            committed: report.as_ref().map(|report| report.committed),
            applied: report.as_ref().map(|report| report.applied),
            term: report.as_ref().map(|report| report.term),
            hash: report.as_ref().map(|report| report.hash.clone()),
            version: report.map(|report| report.version),
        }
    }
}

#[cfg(test)]
mod tests {
    use hangraft_proto::v1::NodeReport;

    use super::*;

    fn reply() -> StatusReply {
        let member = |id: u64, role: &str, applied: Option<u64>| Member {
            id,
            name: format!("n{id}"),
            address: format!("127.0.0.1:710{id}"),
            alive: applied.is_some(),
            role: role.into(),
            report: applied.map(|applied| NodeReport {
                id,
                term: 7,
                last_log: 20,
                committed: 20,
                applied,
                hash: "00c0ffee00c0ffee".into(),
                version: "0.1.0".into(),
                ..NodeReport::default()
            }),
        };
        StatusReply {
            cluster: "demo".into(),
            leader: 1,
            term: 7,
            members: vec![
                member(1, "leader", Some(20)),
                member(2, "voter", Some(17)),
                member(3, "voter", None),
            ],
            voters_wanted: 3,
            replace_after_ms: 600_000,
            intents: vec!["n3 silent for 3 min".into()],
            features: vec!["game:hangman".into()],
        }
    }

    /// Scripts read this.
    #[test]
    fn the_json_is_the_promised_one() {
        let json = serde_json::to_string(&Status::from(reply())).unwrap();
        assert_eq!(
            json,
            r#"{"cluster":"demo","leader":1,"term":7,"members":["#.to_owned()
                + r#"{"id":1,"name":"n1","address":"127.0.0.1:7101","alive":true,"role":"leader","last_log":20,"committed":20,"applied":20,"hash":"00c0ffee00c0ffee","version":"0.1.0"},"#
                + r#"{"id":2,"name":"n2","address":"127.0.0.1:7102","alive":true,"role":"voter","last_log":20,"committed":20,"applied":17,"hash":"00c0ffee00c0ffee","version":"0.1.0"},"#
                + r#"{"id":3,"name":"n3","address":"127.0.0.1:7103","alive":false,"role":"voter","last_log":null,"committed":null,"applied":null,"hash":null,"version":null}],"#
                + r#""voters_wanted":3,"replace_after_ms":600000,"intents":["n3 silent for 3 min"],"features":["game:hangman"]}"#
        );
    }

    /// A follower's lag is counted from the leader's log; a silent member has none.
    #[test]
    fn the_table_shows_who_lags() {
        let status = Status::from(reply());
        let lags: Vec<_> = status.members.iter().map(|member| status.lag(member)).collect();
        assert_eq!(lags, [Some(0), Some(3), None]);
        let table = status.table();
        assert!(
            table.starts_with("cluster demo, led by n1 in term 7, 3 of 3 wanted voters\n"),
            "{table}"
        );
        assert!(table.contains("state hash") && table.contains("* n3 silent"), "{table}");
    }

    #[test]
    fn a_cluster_without_a_leader_says_so() {
        let status = Status::from(StatusReply { leader: 0, ..reply() });
        assert_eq!(status.lag(&status.members[0]), None);
        assert!(status.table().contains("led by nobody"));
        assert!(serde_json::to_string(&status).unwrap().contains(r#""leader":null"#));
    }
}
