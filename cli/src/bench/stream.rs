//! `hangraft bench stream`: many players on few links straight to the leader, as
//! frontends have them. What this reaches is what the cluster can, without
//! sockets and JSON.

use std::{collections::BTreeSet, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, anyhow, bail};
use futures_util::FutureExt;
use hangraft_cluster_config::ClusterKey;
use hangraft_ids::{PlayerId, RoomId, Version};
use hangraft_proto::{
    ACCESS_HEADER, MESSAGE_BYTES_MAX,
    pass::Pass,
    v1::{
        Again, Answer as WireAnswer, Command, Downlink, Open, Play, Sit, Standing, Uplink,
        answer::Outcome, command, game_client::GameClient,
    },
};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Streaming, metadata::MetadataValue};

use crate::{
    bench::{
        Load,
        cost::Meter,
        late::Late,
        table::{Action, Answer, Table, Wish},
        tally::Recorder,
    },
    cluster::{self, Door},
    demo::record::Record,
};

/// Commands in one message. More make another, so that the first is on its way.
const BATCH_MAX: usize = 1024;

/// Messages from the node taken in one go, when they are there already.
const DRAIN_MAX: usize = 64;

/// Messages to the node that wait for the network.
const UPLINKS_MAX: usize = 64;

/// A link on which nothing comes for this long is given up: its node is gone or
/// paused, and everything unanswered is asked elsewhere.
const SILENCE: Duration = Duration::from_secs(1);

/// How long a link may take to be made.
const LINK: Duration = Duration::from_secs(2);

/// How long to wait before looking for a leader again.
const LOOK: Duration = Duration::from_millis(50);

const EXAMPLES: &str = "\
Examples:
  hangraft bench stream --dir /tmp/demo
  hangraft bench stream --node 10.0.0.1:7101 --key-file cluster.key --players 5000";

/// Play straight at the leader, many players to a link.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A node; it names the leader.
    #[arg(long, value_name = "ADDR", requires = "key_file", required_unless_present = "dir")]
    node: Option<SocketAddr>,
    /// The file with the cluster's key.
    #[arg(long, value_name = "FILE", conflicts_with = "dir")]
    key_file: Option<PathBuf>,
    /// A demo's folder, instead of the two. It also says what its processes cost.
    #[arg(long, conflicts_with = "node")]
    dir: Option<PathBuf>,
    /// How many links.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    streams: u32,
    #[command(flatten)]
    load: Load,
}

/// Runs the workload and prints what it saw.
pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let (nodes, key) = args.cluster()?;
    let passes = Passes { player: key.access_token(), operator: Pass::new(&key.operator_token()) };
    let mut meter = Meter::of(args.dir.as_deref()).await?;
    let recorder = Arc::new(Recorder::new());
    let mut links = JoinSet::new();
    for tables in deal(args.load.tables(), args.streams as usize) {
        let link = Link::new(tables, nodes.clone(), passes.clone(), Arc::clone(&recorder));
        links.spawn(link.run());
    }
    let report = args.load.measure("stream", &recorder, &mut meter).await?;
    links.shutdown().await;
    args.load.print(&recorder, &report)
}

impl Args {
    /// Nodes to ask first, and the key that lets us in.
    fn cluster(&self) -> anyhow::Result<(BTreeSet<SocketAddr>, ClusterKey)> {
        match (&self.dir, self.node, &self.key_file) {
            (Some(dir), _, _) => {
                let record = Record::load(dir)?.ok_or_else(|| {
                    anyhow!(
                        "no demo has run in {dir}; start one with `hangraft demo --dir {dir}`",
                        dir = dir.display()
                    )
                })?;
                let nodes = record.nodes.iter().map(|node| node.address).collect();
                Ok((nodes, ClusterKey::load(&dir.join("cluster.key"))?))
            }
            (None, Some(node), Some(key_file)) => {
                Ok((BTreeSet::from([node]), ClusterKey::load(key_file)?))
            }
            _ => unreachable!("clap asks for a folder, or for a node and a key"),
        }
    }
}

/// Deals tables to links, one after the other; no link without a table.
fn deal(tables: Vec<usize>, links: usize) -> Vec<Vec<usize>> {
    let mut dealt = vec![Vec::new(); links.min(tables.len())];
    let hands = dealt.len();
    for (i, seats) in tables.into_iter().enumerate() {
        dealt[i % hands].push(seats);
    }
    dealt
}

/// What lets us play, and what lets us ask who leads.
#[derive(Clone)]
struct Passes {
    player: String,
    operator: Pass,
}

/// One link and everyone who plays through it.
struct Link {
    tables: Vec<Table>,
    players: Vec<Player>,
    /// The first player of each table.
    first_of: Vec<usize>,
    /// The first wishes, until there is a link to send them on.
    next: Vec<Wish>,
    /// Commands to send, with the player's number as the command's id: a player has
    /// one open wish at a time.
    ready: Vec<Command>,
    /// Wishes that wait: table and wish.
    late: Late<(usize, Wish)>,
    known: BTreeSet<SocketAddr>,
    /// There was a link already, so the next is one made anew.
    linked: bool,
    passes: Passes,
    recorder: Arc<Recorder>,
}

struct Player {
    /// What the cluster knows it by.
    id: PlayerId,
    table: usize,
    /// The open wish's serial and when it was first sent.
    open: (u64, Instant),
}

/// Why a link is left.
enum Left {
    /// Another node leads.
    For(SocketAddr),
    /// The node is going, or does not answer.
    Lost(anyhow::Error),
}

impl Link {
    fn new(
        tables: Vec<usize>,
        known: BTreeSet<SocketAddr>,
        passes: Passes,
        recorder: Arc<Recorder>,
    ) -> Self {
        let mut link = Self {
            tables: Vec::new(),
            players: Vec::new(),
            first_of: Vec::new(),
            next: Vec::new(),
            ready: Vec::new(),
            late: Late::new(),
            known,
            linked: false,
            passes,
            recorder,
        };
        let now = Instant::now();
        for (number, seats) in tables.into_iter().enumerate() {
            let (table, _open) = Table::new(seats, false);
            link.tables.push(table);
            link.first_of.push(link.players.len());
            let player = || Player { id: PlayerId(rand::random()), table: number, open: (0, now) };
            link.players.extend(std::iter::repeat_with(player).take(seats));
        }
        link
    }

    /// Plays until called off.
    async fn run(mut self) {
        let mut leader = None;
        loop {
            let node = match leader.take() {
                Some(node) => node,
                None => self.find_leader().await,
            };
            match self.play_at(node).await {
                Left::For(node) => leader = Some(node),
                Left::Lost(err) => {
                    tracing::debug!(%node, %err, "link lost");
                    sleep(LOOK).await;
                }
            }
        }
    }

    /// Asks every node it has heard of, until one knows.
    async fn find_leader(&self) -> SocketAddr {
        loop {
            for node in &self.known {
                if let Ok(status) = Door::new(*node, self.passes.operator.clone()).status().await
                    && let Some(leader) = status.members.iter().find(|m| m.id == status.leader)
                    && let Ok(address) = leader.address.parse()
                {
                    return address;
                }
            }
            sleep(LOOK).await;
        }
    }

    async fn play_at(&mut self, node: SocketAddr) -> Left {
        match self.converse(node).await {
            Ok(leader) => Left::For(leader),
            Err(err) => Left::Lost(err),
        }
    }

    /// Plays on one link, for as long as it goes to the leader.
    async fn converse(&mut self, node: SocketAddr) -> anyhow::Result<SocketAddr> {
        let (up, uplinks) = mpsc::channel(UPLINKS_MAX);
        let mut down =
            timeout(LINK, self.open(node, uplinks)).await.context("no link in time")??;
        if std::mem::replace(&mut self.linked, true) {
            self.recorder.reconnected();
        }
        self.ask_everything_again();
        loop {
            self.send(&up).await?;
            tokio::select! {
                (table, wish) = self.late.next() => self.wish(table, &wish),
                message = timeout(SILENCE, down.message()) => {
                    let message = message.context("the node is silent")??;
                    if let Some(leader) = self.hear(message, &mut down)? {
                        return Ok(leader);
                    }
                }
            }
        }
    }

    async fn open(
        &self,
        node: SocketAddr,
        uplinks: mpsc::Receiver<Uplink>,
    ) -> anyhow::Result<Streaming<Downlink>> {
        let mut client = GameClient::new(cluster::connect(node).await?)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX);
        let mut request = Request::new(ReceiverStream::new(uplinks));
        let token =
            MetadataValue::try_from(&self.passes.player).context("a token is plain ASCII")?;
        request.metadata_mut().insert(ACCESS_HEADER, token);
        Ok(client.link(request).await?.into_inner())
    }

    /// Everything unanswered goes to the new link. That is safe: the serials are
    /// the same, so nothing happens twice.
    fn ask_everything_again(&mut self) {
        self.ready.clear();
        self.late.clear();
        for number in 0..self.players.len() {
            let table = self.players[number].table;
            let wish = self.tables[table].open_wish(number - self.first_of[table]);
            if let Some(wish) = wish {
                self.wish(table, &wish);
            }
        }
    }

    /// Takes a message, and those that have come meanwhile.
    fn hear(
        &mut self,
        first: Option<Downlink>,
        down: &mut Streaming<Downlink>,
    ) -> anyhow::Result<Option<SocketAddr>> {
        let mut message = first;
        for _ in 0..DRAIN_MAX {
            let downlink = message.ok_or_else(|| anyhow!("the node has closed the link"))?;
            if let Some(standing) = &downlink.standing
                && let Some(leader) = self.on_standing(standing)?
            {
                return Ok(Some(leader));
            }
            for answer in &downlink.answers {
                self.on_answer(answer);
            }
            match down.message().now_or_never() {
                Some(more) => message = more?,
                None => break,
            }
        }
        Ok(None)
    }

    /// The leader, if it is another node.
    fn on_standing(&mut self, standing: &Standing) -> anyhow::Result<Option<SocketAddr>> {
        self.known.extend(
            standing.peers.iter().filter_map(|peer| peer.address.parse::<SocketAddr>().ok()),
        );
        if standing.leader != 0 && standing.leader != standing.node {
            let leader = standing.leader_address.parse().context("a leader without an address")?;
            return Ok(Some(leader));
        }
        if standing.draining {
            bail!("the node is shutting down");
        }
        Ok(None)
    }

    fn on_answer(&mut self, answer: &WireAnswer) {
        let number = usize::try_from(answer.id).unwrap_or(usize::MAX);
        let (Some(player), Some(outcome)) = (self.players.get(number), &answer.outcome) else {
            return;
        };
        let answer = match outcome {
            Outcome::Accepted(done) => {
                Answer::Accepted { room: RoomId(done.room), version: Version(done.version) }
            }
            Outcome::Refused(refused) => Answer::Refused(refused.code().into()),
        };
        let (table, took) = (player.table, player.open.1.elapsed());
        let seat = number - self.first_of[table];
        let mut next = std::mem::take(&mut self.next);
        let meaning = self.tables[table].answered(seat, answer, &mut next);
        self.recorder.answer(meaning, took);
        for wish in next.drain(..) {
            if wish.after.is_zero() {
                self.wish(table, &wish);
            } else {
                self.late.push(Instant::now() + wish.after, (table, wish));
            }
        }
        self.next = next;
    }

    /// Makes a command of a wish.
    fn wish(&mut self, table: usize, wish: &Wish) {
        let number = self.first_of[table] + wish.player;
        let player = &mut self.players[number];
        if player.open.0 != wish.serial {
            player.open = (wish.serial, Instant::now());
        }
        self.ready.push(Command {
            id: number as u64,
            player: player.id.0,
            lane: 0,
            serial: wish.serial,
            action: Some(action(wish)),
        });
    }

    async fn send(&mut self, up: &mpsc::Sender<Uplink>) -> anyhow::Result<()> {
        while !self.ready.is_empty() {
            let rest = self.ready.split_off(self.ready.len().min(BATCH_MAX));
            let commands = std::mem::replace(&mut self.ready, rest);
            let uplink = Uplink { commands, ..Uplink::default() };
            up.send(uplink).await.map_err(|_| anyhow!("the link is closed"))?;
        }
        Ok(())
    }
}

fn action(wish: &Wish) -> command::Action {
    let RoomId(room) = wish.room;
    match wish.action {
        Action::Open => command::Action::Open(Open {
            game: "hangman".into(),
            options: r#"{"mode":"together"}"#.into(),
            public: true,
        }),
        Action::Sit => command::Action::Sit(Sit { room, name: "Bench".into() }),
        Action::Play(letter) => {
            command::Action::Play(Play { room, r#move: format!(r#"{{"letter":"{letter}"}}"#) })
        }
        Action::Again => command::Action::Again(Again { room }),
        Action::Watch => unreachable!("tables of this workload do not watch"),
    }
}

#[cfg(test)]
mod tests {
    use hangraft_proto::v1::{Accepted, Code, Refused};

    use super::*;

    fn link(tables: Vec<usize>) -> Link {
        let passes = Passes { player: "token".into(), operator: Pass::none() };
        Link::new(tables, BTreeSet::new(), passes, Arc::new(Recorder::new()))
    }

    fn yes(id: u64) -> WireAnswer {
        let accepted = Accepted { room: 5, version: 2, ..Accepted::default() };
        WireAnswer { id, outcome: Some(Outcome::Accepted(accepted)) }
    }

    #[test]
    fn tables_are_dealt_to_links() {
        assert_eq!(deal(vec![2, 2, 1], 2), [vec![2, 1], vec![2]]);
        assert_eq!(deal(vec![1], 4), [vec![1]]);
    }

    /// Ids lead an answer back to its player, whatever the table.
    #[test]
    fn an_answer_finds_its_player() {
        let mut link = link(vec![1, 2]);
        link.ask_everything_again();
        let ids: Vec<_> = link.ready.drain(..).map(|command| command.id).collect();
        assert_eq!(ids, [0, 1], "the first of each table opens a room");
        link.on_answer(&yes(1));
        let ids: Vec<_> = link.ready.drain(..).map(|command| command.id).collect();
        assert_eq!(ids, [1, 2], "both players of the second table sit down");
        link.on_answer(&yes(99));
        assert!(link.ready.is_empty());
    }

    /// A new link asks what was unanswered with the same serial, and nothing else.
    #[test]
    fn a_new_link_repeats_what_is_open() {
        let mut link = link(vec![1]);
        link.ask_everything_again();
        link.ready.clear();
        link.on_answer(&yes(0));
        let before = link.ready.clone();
        link.ask_everything_again();
        assert_eq!(link.ready, before);
        assert_eq!(before[0].serial, 2);
    }

    /// What the node could not take waits before it is asked again.
    #[test]
    fn a_busy_node_is_not_hurried() {
        let mut link = link(vec![1]);
        link.ask_everything_again();
        link.ready.clear();
        let refused = Refused { code: Code::Busy.into(), ..Refused::default() };
        link.on_answer(&WireAnswer { id: 0, outcome: Some(Outcome::Refused(refused)) });
        assert!(link.ready.is_empty());
    }
}
