//! `hangraft status`: who is there, who leads, how far each has come.

use std::{
    io::{self, IsTerminal},
    iter::repeat,
    net::SocketAddr,
    time::Duration,
};

use comfy_table::{Cell, CellAlignment, Color, Table, presets::NOTHING};
use hangraft_ids::{LogIndex, NodeId, Term};
use hangraft_proto::v1::{Member, StatusReply};
use serde::Serialize;

use crate::{
    cluster::{self, Door},
    fault::firewalls::Firewalls,
    output::{Output, print},
    reach::Reach,
};

/// How often `--watch` looks.
const WATCH: Duration = Duration::from_secs(1);

/// A member that has not answered the leader for longer is shown as silent. Heartbeats come
/// several times in this.
const SILENT: Duration = Duration::from_millis(500);

/// Digits of the state hash that are shown; enough to see that two differ.
const HASH_DIGITS: usize = 8;

/// Clears a terminal and goes to its top.
const CLEAR: &str = "\x1b[2J\x1b[H";

const EXAMPLES: &str = "\
Examples:
  hangraft status
  hangraft status --watch
  hangraft status --dir /tmp/demo
  hangraft status --node 10.0.0.2:7101 --key-file cluster.key --output json";

/// Show all members of a cluster: who leads, and how far each has come.
///
/// `gossip` is what the other nodes believe; they notice a death after some seconds. `raft`
/// is what the leader knows: who has answered it, or for how long not. A spare is a Raft
/// learner: it has the log and does not vote. `lag` counts entries of the leader's log that
/// a member has yet to apply.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    reach: Reach,
    /// Look every second, until Ctrl-C.
    #[arg(long)]
    watch: bool,
    /// All that is known, in a table of 130 columns.
    #[arg(long)]
    wide: bool,
    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// Asks and prints.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let (doors, firewalls) = (args.reach.doors()?, Firewalls::of_demo(args.reach.dir())?);
    if !args.watch {
        let status = look(&doors, firewalls.as_ref()).await?;
        return args.output.print(&status, |status| status.table(args.wide));
    }
    let redraw = args.output == Output::Text && io::stdout().is_terminal();
    loop {
        let clear = if redraw { CLEAR } else { "" };
        match look(&doors, firewalls.as_ref()).await {
            Ok(status) => {
                args.output
                    .print(&status, |status| format!("{clear}{}", status.table(args.wide)))?;
            }
            // It may come back; whoever watches wants to see that.
            Err(err) if args.output == Output::Text => print(&format!("{clear}{err:#}"))?,
            Err(err) => eprintln!("hangraft: {err:#}"),
        }
        tokio::time::sleep(WATCH).await;
    }
}

/// What the nodes say, and of which cuts only their firewalls know.
async fn look(doors: &[Door], firewalls: Option<&Firewalls>) -> anyhow::Result<Status> {
    let mut status = Status::from(cluster::status(doors).await?);
    let Some(firewalls) = firewalls else { return Ok(status) };
    let ip = |member: &MemberStatus| Some(member.address.parse::<SocketAddr>().ok()?.ip());
    let names: Vec<_> = status.members.iter().map(|one| (ip(one), one.name.clone())).collect();
    let name = |peer| names.iter().find(|(ip, _)| *ip == Some(peer)).map(|(_, name)| name.clone());
    for member in &mut status.members {
        if let Some(ip) = ip(member) {
            let cuts = firewalls.faults(ip, name).await?;
            member.faults.extend(cuts.into_iter().map(|cut| cut.text));
        }
    }
    Ok(status)
}

/// What is printed. The JSON form is a contract.
#[derive(Debug, Serialize)]
struct Status {
    cluster: String,
    /// Nothing while the node that was asked knows no leader.
    leader: Option<NodeId>,
    term: Term,
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
    id: NodeId,
    name: String,
    address: String,
    alive: bool,
    role: String,
    last_log: Option<LogIndex>,
    committed: Option<LogIndex>,
    applied: Option<LogIndex>,
    hash: Option<String>,
    version: Option<String>,
    /// For how long the leader has had no answer from it.
    silent_ms: Option<u64>,
    /// What is wrong there because somebody asked for it.
    faults: Vec<String>,
    /// For the table; the cluster's own term stands above the members in JSON.
    #[serde(skip)]
    term: Option<Term>,
}

impl Status {
    fn table(&self, wide: bool) -> String {
        let mut table = plain_table();
        let columns: Vec<Column> = Column::ALL.into_iter().filter(|c| wide || c.narrow()).collect();
        table.set_header(columns.iter().map(|column| column.title()));
        for member in &self.members {
            table.add_row(columns.iter().map(|column| self.cell(*column, member)));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        for (place, column) in columns.iter().enumerate() {
            if let Some(shown) = table.column_mut(place).filter(|_| column.is_number()) {
                shown.set_cell_alignment(CellAlignment::Right);
            }
        }
        let leader = match self.leader {
            Some(leader) => self.name_of(leader),
            None => "nobody".into(),
        };
        let votes = |member: &&MemberStatus| member.role == "leader" || member.role == "voter";
        let voters = self.members.iter().filter(votes).count();
        let mut text = format!(
            "cluster {}, led by {leader} in term {}, {voters} of {} wanted voters\n\n",
            self.cluster, self.term, self.voters_wanted
        );
        let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
        text += &lines.join("\n");
        text += &self.faults();
        for (intent, gap) in self.intents.iter().zip(["\n\n"].into_iter().chain(repeat("\n"))) {
            text += &format!("{gap}* {intent}");
        }
        text
    }

    /// A line for each member with faults, in red.
    fn faults(&self) -> String {
        let mut table = plain_table();
        for MemberStatus { name, faults, .. } in &self.members {
            if !faults.is_empty() {
                let line = format!("{name}: faults: {}", faults.join("; "));
                table.add_row([Cell::new(line).fg(Color::Red)]);
            }
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 0));
        }
        let lines = table.lines().zip(["\n\n"].into_iter().chain(repeat("\n")));
        lines.map(|(line, gap)| format!("{gap}{}", line.trim_end())).collect()
    }

    /// A member's name, or its id as members are called that have none.
    fn name_of(&self, id: NodeId) -> String {
        let member = self.members.iter().find(|member| member.id == id);
        member.map_or_else(|| format!("n{id}"), |member| member.name.clone())
    }

    fn cell(&self, column: Column, member: &MemberStatus) -> Cell {
        let lag = self.lag(member);
        let text = match column {
            Column::Id => member.id.to_string(),
            Column::Name => member.name.clone(),
            Column::Address => member.address.clone(),
            Column::Role if member.role == "learner" => "spare".into(),
            Column::Role => member.role.clone(),
            Column::Gossip => if member.alive { "alive" } else { "dead" }.into(),
            Column::Raft => self.heard(member),
            Column::Term => shown(member.term),
            Column::LastLog => shown(member.last_log),
            Column::Committed => shown(member.committed),
            Column::Applied => shown(member.applied),
            Column::Lag => shown(lag),
            Column::Hash => {
                shown(member.hash.as_ref().map(|hash| hash.get(..HASH_DIGITS).unwrap_or(hash)))
            }
            Column::Version => shown(member.version.as_ref()),
        };
        let color = match column {
            Column::Gossip if !member.alive => Some(Color::Red),
            Column::Raft if text.starts_with("silent") => Some(Color::Red),
            Column::Name | Column::Role if member.role == "leader" => Some(Color::Green),
            Column::Lag if lag.is_some_and(|lag| lag > 0) => Some(Color::Yellow),
            _ => None,
        };
        let cell = Cell::new(text);
        color.into_iter().fold(cell, Cell::fg)
    }

    /// What Raft knows of a member: it leads, answers the leader, or is silent.
    fn heard(&self, member: &MemberStatus) -> String {
        if Some(member.id) == self.leader {
            return if member.term.is_some() { "leads".into() } else { "silent".into() };
        }
        match member.silent_ms.map(Duration::from_millis) {
            Some(silent) if silent > SILENT => {
                let tenths = silent.as_millis() / 100;
                if tenths < 100 {
                    format!("silent {}.{} s", tenths / 10, tenths % 10)
                } else {
                    format!("silent {} s", tenths / 10)
                }
            }
            Some(_) => "answers".into(),
            None if member.term.is_none() => "silent".into(),
            None => "-".into(),
        }
    }

    /// How many of the leader's entries a member has yet to apply. The reports
    /// are not from one instant, so a member may seem to be ahead; it is not.
    fn lag(&self, member: &MemberStatus) -> Option<u64> {
        let leader = self.members.iter().find(|member| Some(member.id) == self.leader)?;
        Some(leader.last_log?.since(member.applied?))
    }
}

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Id,
    Name,
    Address,
    Role,
    Gossip,
    Raft,
    Term,
    LastLog,
    Committed,
    Applied,
    Lag,
    Hash,
    Version,
}

impl Column {
    const ALL: [Column; 13] = [
        Column::Id,
        Column::Name,
        Column::Address,
        Column::Role,
        Column::Gossip,
        Column::Raft,
        Column::Term,
        Column::LastLog,
        Column::Committed,
        Column::Applied,
        Column::Lag,
        Column::Hash,
        Column::Version,
    ];

    fn title(self) -> &'static str {
        match self {
            Column::Id => "id",
            Column::Name => "name",
            Column::Address => "address",
            Column::Role => "role",
            Column::Gossip => "gossip",
            Column::Raft => "raft",
            Column::Term => "term",
            Column::LastLog => "last log",
            Column::Committed => "committed",
            Column::Applied => "applied",
            Column::Lag => "lag",
            Column::Hash => "state",
            Column::Version => "version",
        }
    }

    /// Whether it is shown where there are 80 columns of text.
    fn narrow(self) -> bool {
        use Column::{Committed, Id, LastLog, Term, Version};
        !matches!(self, Id | Term | LastLog | Committed | Version)
    }

    fn is_number(self) -> bool {
        use Column::{Applied, Committed, Id, Lag, LastLog, Term};
        matches!(self, Id | Term | LastLog | Committed | Applied | Lag)
    }
}

/// A table without lines; in colours where somebody sees them and wants them.
fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    if std::env::var_os("NO_COLOR").is_some() {
        table.force_no_tty();
    }
    table
}

fn shown(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".into(), |value| value.to_string())
}

impl From<StatusReply> for Status {
    fn from(reply: StatusReply) -> Self {
        Self {
            cluster: reply.cluster,
            leader: (reply.leader != 0).then_some(NodeId(reply.leader)),
            term: Term(reply.term),
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
            id: NodeId(member.id),
            name: member.name,
            address: member.address,
            alive: member.alive,
            role: member.role,
            last_log: report.as_ref().map(|report| LogIndex(report.last_log)),
            committed: report.as_ref().map(|report| LogIndex(report.committed)),
            applied: report.as_ref().map(|report| LogIndex(report.applied)),
            term: report.as_ref().map(|report| Term(report.term)),
            hash: report.as_ref().map(|report| report.hash.clone()),
            silent_ms: member.silent_ms,
            faults: report.as_ref().map(|report| report.faults.clone()).unwrap_or_default(),
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
            alive: true,
            role: role.into(),
            silent_ms: match id {
                1 => None,
                2 => Some(80),
                _ => Some(849),
            },
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

    /// The same, with these faults on n2.
    fn broken(mut reply: StatusReply, faults: &[&str]) -> StatusReply {
        let report = reply.members[1].report.as_mut().unwrap();
        report.faults = faults.iter().map(|&fault| fault.into()).collect();
        reply
    }

    /// Scripts read this.
    #[test]
    fn the_json_is_the_promised_one() {
        let json = serde_json::to_string(&Status::from(broken(reply(), &["cut from n1"]))).unwrap();
        assert_eq!(
            json,
            r#"{"cluster":"demo","leader":1,"term":7,"members":["#.to_owned()
                + r#"{"id":1,"name":"n1","address":"127.0.0.1:7101","alive":true,"role":"leader","last_log":20,"committed":20,"applied":20,"hash":"00c0ffee00c0ffee","version":"0.1.0","silent_ms":null,"faults":[]},"#
                + r#"{"id":2,"name":"n2","address":"127.0.0.1:7102","alive":true,"role":"voter","last_log":20,"committed":20,"applied":17,"hash":"00c0ffee00c0ffee","version":"0.1.0","silent_ms":80,"faults":["cut from n1"]},"#
                + r#"{"id":3,"name":"n3","address":"127.0.0.1:7103","alive":true,"role":"voter","last_log":null,"committed":null,"applied":null,"hash":null,"version":null,"silent_ms":849,"faults":[]}],"#
                + r#""voters_wanted":3,"replace_after_ms":600000,"intents":["n3 silent for 3 min"],"features":["game:hangman"]}"#
        );
    }

    /// A follower's lag is counted from the leader's log; a silent member has none.
    #[test]
    fn the_table_shows_who_lags() {
        let status = Status::from(reply());
        let lags: Vec<_> = status.members.iter().map(|member| status.lag(member)).collect();
        assert_eq!(lags, [Some(0), Some(3), None]);
        let table = status.table(true);
        assert!(
            table.starts_with("cluster demo, led by n1 in term 7, 3 of 3 wanted voters\n"),
            "{table}"
        );
        assert!(table.contains("last log") && table.contains("* n3 silent"), "{table}");
    }

    /// What was killed a moment ago is not simply alive: gossip has not noticed, Raft has.
    #[test]
    fn raft_says_who_is_silent_before_gossip_does() {
        let table = Status::from(reply()).table(false);
        let row = table.lines().find(|line| line.starts_with("n3")).unwrap();
        assert!(row.contains("alive") && row.contains("silent 0.8 s"), "{table}");
        let row = table.lines().find(|line| line.starts_with("n2")).unwrap();
        assert!(row.contains("answers"), "{table}");
    }

    /// What is wrong because somebody asked for it stands below the table, before what the
    /// leader intends.
    #[test]
    fn faults_have_a_line_for_each_member() {
        let many = broken(reply(), &["cut from n1", "slow disk"]);
        for (reply, lines) in [
            (reply(), &["", "* n3 silent for 3 min"][..]),
            (many, &["", "n2: faults: cut from n1; slow disk", "", "* n3 silent for 3 min"]),
        ] {
            let table = Status::from(reply).table(false);
            let below: Vec<_> = table.lines().skip_while(|line| !line.starts_with("n3")).collect();
            assert_eq!(below[1..], *lines, "{table}");
        }
    }

    /// Long addresses, roles and counts fit a terminal of 80 columns.
    #[test]
    fn the_table_fits_a_terminal() {
        let mut reply = reply();
        for member in &mut reply.members {
            member.address = "192.168.100.200:7101".into();
            if let Some(report) = &mut member.report {
                report.applied = 1_234_567;
                report.last_log = 1_234_568;
            }
        }
        reply.members[2].role = "learner".into();
        reply.members[2].silent_ms = Some(123_456);
        let table = Status::from(reply).table(false);
        let widest = table.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= 80, "{widest}\n{table}");
        assert!(table.contains("spare"), "{table}");
    }

    #[test]
    fn a_cluster_without_a_leader_says_so() {
        let status = Status::from(StatusReply { leader: 0, ..reply() });
        assert_eq!(status.lag(&status.members[0]), None);
        assert!(status.table(false).contains("led by nobody"));
        assert!(serde_json::to_string(&status).unwrap().contains(r#""leader":null"#));
    }
}
