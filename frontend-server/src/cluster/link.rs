//! One link: a task that keeps a conversation with one node going, and starts it
//! again whenever it ends.
//!
//! Whatever is waiting when the connection can take more becomes one [`v1::Uplink`]:
//! batches grow by themselves when the node is slow, and nothing waits for a timer
//! when it is not.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::Stream;
use hangraft_cluster_config::RoomNames;
use hangraft_proto::{
    ACCESS_HEADER, MESSAGE_BYTES_MAX,
    channel::{Dial, Windows},
    net::Network,
    v1::{self, game_client::GameClient},
};
use prost::Message;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use tonic::{
    Request, Status, Streaming,
    metadata::{Ascii, MetadataValue},
    transport::Channel,
};
use tracing::debug;

use super::{convert, flight::FLIGHTS_MAX, nodes::Word, route};
use crate::{
    command::{Command, Outcome},
    hub::HubInput,
    upstream::{FromNode, Stuck, Upstream, WatchChange},
};

/// Commands in one message; the rest travels in the next.
const BATCH_COMMANDS_MAX: usize = 1024;
/// Bytes in one message, roughly; the rest travels in the next.
const BATCH_BYTES_MAX: usize = 256 << 10;
/// Things waiting to go up one link. A link that lets more pile up is treated as broken.
const QUEUE_MAX: usize = 2 * FLIGHTS_MAX;
/// How long a connection may take to come about. A node on the same continent
/// answers in a tenth of this.
const CONNECT_DEADLINE: Duration = Duration::from_millis(300);
/// How long the first word may take once connected; a paused node's kernel
/// accepts connections, but nobody speaks.
const GREETING_TIMEOUT: Duration = Duration::from_millis(500);
/// HTTP/2 pings: how often, and how long for the answer. Together the time until
/// a node that hangs is noticed on an idle link.
const KEEPALIVE: Duration = Duration::from_millis(500);
/// A link that lived this long was a good one; its next failure is the first.
const GOOD_LIFE: Duration = Duration::from_secs(2);
/// HTTP/2 windows: what may be on the way without the receiver's consent.
const WINDOWS: Windows = Windows { stream: 4 << 20, connection: 8 << 20 };

/// The sending end of a link that is up.
#[derive(Clone, Debug)]
pub(super) struct LinkSender {
    commands: mpsc::Sender<v1::Command>,
    /// The way up for the hub.
    pub(super) upstream: Upstream,
    /// For single questions beside the stream.
    pub(super) channel: Channel,
}

impl LinkSender {
    /// Tells this life of the link from its earlier ones.
    pub(super) fn life(&self) -> u64 {
        self.upstream.life
    }

    pub(super) fn command(&self, id: u64, command: &Command) -> Result<(), Stuck> {
        self.commands.try_send(convert::command(id, command)).map_err(|_| Stuck)
    }
}

/// What a link tells the cluster task.
#[derive(Debug)]
pub(super) enum News {
    /// The node spoke for the first time in this life.
    Up { sender: LinkSender, word: Word },
    /// The node stands differently now.
    Word(Word),
    /// Answers: id, outcome, wait in milliseconds.
    Answers(Vec<(u64, Outcome, u32)>),
    /// This life is over.
    Down,
}

/// What a link needs to know, and whom it tells.
#[derive(Clone)]
pub(super) struct LinkContext {
    pub(super) slot: route::Slot,
    pub(super) address: String,
    pub(super) network: Arc<dyn Network>,
    pub(super) access: MetadataValue<Ascii>,
    /// What browsers call rooms and offers.
    pub(super) names: RoomNames,
    pub(super) news: mpsc::Sender<(route::Slot, News)>,
    pub(super) hub: mpsc::Sender<HubInput>,
}

/// Keeps the link until the cluster task is gone.
pub(super) async fn keep(context: LinkContext) {
    let (mut failures, mut lives) = (0, 0);
    loop {
        let began = Instant::now();
        lives += 1;
        // Slots count from 1, so no two lives of any links share a number.
        match live(&context, u64::from(context.slot) << 32 | lives).await {
            Ok(()) => debug!(node = context.address, "a link ended"),
            Err(why) => debug!(node = context.address, %why, "a link failed"),
        }
        if context.news.send((context.slot, News::Down)).await.is_err() {
            return;
        }
        failures = if began.elapsed() > GOOD_LIFE { 0 } else { failures + 1 };
        sleep(route::backoff(failures.max(1) - 1, dice())).await;
    }
}

/// One life of a link: connects, and passes on what the node says until it ends.
async fn live(context: &LinkContext, life: u64) -> Result<(), Status> {
    let channel = connect(&context.network, &context.address).await?;
    let (commands, waiting) = mpsc::channel(QUEUE_MAX);
    let (upstream, changes) = Upstream::new(life, QUEUE_MAX);
    let waiting = Uplinks::of(waiting, changes);
    let sender = LinkSender { commands, upstream, channel: channel.clone() };
    let (mut downlinks, standing) = timeout(GREETING_TIMEOUT, greet(context, channel, waiting))
        .await
        .map_err(|_| Status::deadline_exceeded("the node does not speak"))??;
    tell(context, News::Up { sender, word: convert::word(standing) }).await?;
    while let Some(downlink) = downlinks.message().await? {
        pass_on(context, life, downlink).await?;
    }
    Ok(())
}

async fn connect(network: &Arc<dyn Network>, address: &str) -> Result<Channel, Status> {
    let nowhere = |_| Status::invalid_argument("no address to connect to");
    let dial = Dial {
        connect_deadline: Some(CONNECT_DEADLINE),
        keep_alive: Some(KEEPALIVE),
        windows: Some(WINDOWS),
        ..Dial::to(network.clone(), address.parse().map_err(nowhere)?)
    };
    timeout(CONNECT_DEADLINE, dial.connect())
        .await
        .map_err(|_| Status::deadline_exceeded("the node does not accept connections"))?
        .map_err(|err| Status::unavailable(err.to_string()))
}

/// Opens the stream and hears the node's first word, which says where it stands.
async fn greet(
    context: &LinkContext,
    channel: Channel,
    waiting: Uplinks,
) -> Result<(Streaming<v1::Downlink>, v1::Standing), Status> {
    let mut request = Request::new(waiting);
    request.metadata_mut().insert(ACCESS_HEADER, context.access.clone());
    let mut downlinks = client(channel).link(request).await?.into_inner();
    let first = downlinks.message().await?;
    let standing = first.and_then(|downlink| downlink.standing);
    Ok((downlinks, standing.ok_or_else(|| Status::internal("the node does not say who it is"))?))
}

/// A client for the players' service with the limits we use.
pub(super) fn client(channel: Channel) -> GameClient<Channel> {
    GameClient::new(channel)
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX)
}

/// Answers and where the node stands go to the cluster task, the rest straight to the hub.
async fn pass_on(context: &LinkContext, life: u64, downlink: v1::Downlink) -> Result<(), Status> {
    let v1::Downlink { answers, updates, watch_refused, standing, told, seeks, live } = downlink;
    if let Some(standing) = standing {
        tell(context, News::Word(convert::word(standing))).await?;
    }
    if !answers.is_empty() {
        let answers = answers.into_iter().filter_map(convert::answer).collect();
        tell(context, News::Answers(answers)).await?;
    }
    let from_node = FromNode {
        life,
        updates: updates.into_iter().map(convert::update).collect(),
        refused: watch_refused.into_iter().filter_map(convert::watch_refused).collect(),
        told: told.into_iter().map(|told| convert::told(told, &context.names)).collect(),
        seeks: seeks.map(|seeks| convert::seeks(seeks, &context.names)),
        live: live.and_then(convert::live),
    };
    if !from_node.is_empty() {
        context.hub.send(HubInput::FromNode(from_node)).await.map_err(|_| gone())?;
    }
    Ok(())
}

async fn tell(context: &LinkContext, news: News) -> Result<(), Status> {
    context.news.send((context.slot, news)).await.map_err(|_| gone())
}

fn gone() -> Status {
    Status::cancelled("this frontend is stopping")
}

/// Jitter need not be good, only different.
fn dice() -> u64 {
    getrandom::u64().unwrap_or(0)
}

/// What is waiting, in batches.
struct Uplinks {
    commands: mpsc::Receiver<v1::Command>,
    changes: mpsc::Receiver<WatchChange>,
    taken: Taken,
    ended: bool,
}

/// Taken from the queues, not yet sent.
#[derive(Default)]
struct Taken {
    commands: VecDeque<v1::Command>,
    changes: VecDeque<WatchChange>,
}

impl Uplinks {
    fn of(commands: mpsc::Receiver<v1::Command>, changes: mpsc::Receiver<WatchChange>) -> Self {
        Uplinks { commands, changes, taken: Taken::default(), ended: false }
    }
}

impl Stream for Uplinks {
    type Item = v1::Uplink;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<v1::Uplink>> {
        if self.taken.is_empty() && !self.ended {
            let (mut commands, mut changes) = (Vec::new(), Vec::new());
            let asked = self.changes.poll_recv_many(cx, &mut changes, BATCH_COMMANDS_MAX);
            let sent = self.commands.poll_recv_many(cx, &mut commands, BATCH_COMMANDS_MAX);
            self.ended = asked == Poll::Ready(0) && sent == Poll::Ready(0);
            self.taken.changes.extend(changes);
            self.taken.commands.extend(commands);
            if self.taken.is_empty() && !self.ended {
                return Poll::Pending;
            }
        }
        Poll::Ready((!self.taken.is_empty()).then(|| self.taken.batch()))
    }
}

impl Taken {
    fn is_empty(&self) -> bool {
        self.commands.is_empty() && self.changes.is_empty()
    }

    /// Takes as much as fits into one message. A node handles watches before unwatches, so
    /// a watch that was asked for after an unwatch waits for the next message; and so it is
    /// with players who are followed.
    fn batch(&mut self) -> v1::Uplink {
        let mut uplink = v1::Uplink::default();
        let mut bytes = 0;
        while bytes < BATCH_BYTES_MAX
            && let Some(next) = self.changes.front()
            && !overtakes(next, &uplink)
        {
            match self.changes.pop_front().expect("looked at just now") {
                WatchChange::Watch(request) => {
                    let watch = convert::watch(request);
                    bytes += watch.encoded_len();
                    uplink.watches.push(watch);
                }
                WatchChange::Unwatch { room } => uplink.unwatches.push(convert::unwatch(room)),
                WatchChange::Follow(request) => {
                    let follow = convert::follow(request);
                    bytes += follow.encoded_len();
                    uplink.follows.push(follow);
                }
                WatchChange::Unfollow { player } => {
                    uplink.unfollows.push(convert::unfollow(player));
                }
                // Only what was said last counts.
                WatchChange::Glance(glance) => uplink.glance = Some(convert::glance(glance)),
            }
        }
        while bytes < BATCH_BYTES_MAX
            && let Some(command) = self.commands.pop_front()
        {
            bytes += command.encoded_len();
            uplink.commands.push(command);
        }
        uplink
    }
}

/// Whether a node would handle this before something in the message that was asked for
/// earlier.
fn overtakes(next: &WatchChange, uplink: &v1::Uplink) -> bool {
    match next {
        WatchChange::Watch(_) => !uplink.unwatches.is_empty(),
        WatchChange::Follow(_) => !uplink.unfollows.is_empty(),
        WatchChange::Unwatch { .. } | WatchChange::Unfollow { .. } | WatchChange::Glance(_) => {
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use hangraft_ids::{NoticeNumber, PlayerId, RoomId};

    use super::*;
    use crate::upstream::{FollowRequest, Glance, WatchRequest};

    fn play(bytes: usize) -> v1::Command {
        let play = v1::Play { room: 1, r#move: "x".repeat(bytes) };
        let action = Some(v1::command::Action::Play(play));
        v1::Command { action, ..Default::default() }
    }

    fn watch(room: u64) -> WatchChange {
        WatchChange::Watch(WatchRequest {
            room: RoomId(room),
            since: None,
            players: vec![],
            number: 1,
        })
    }

    fn taken(commands: Vec<v1::Command>, changes: Vec<WatchChange>) -> Taken {
        Taken { commands: commands.into(), changes: changes.into() }
    }

    /// Everything waiting travels together, up to a size.
    #[test]
    fn a_batch_is_what_is_waiting() {
        let changes = vec![watch(1), WatchChange::Unwatch { room: RoomId(2) }];
        let mut waiting = taken(vec![play(10), play(10)], changes);
        let uplink = waiting.batch();
        assert_eq!(
            (uplink.commands.len(), uplink.watches.len(), uplink.unwatches.len()),
            (2, 1, 1)
        );
        assert!(waiting.is_empty());

        let mut waiting = taken((0..100).map(|_| play(8 << 10)).collect(), vec![]);
        let first = waiting.batch().commands.len();
        assert!((20..40).contains(&first), "{first}");
    }

    /// Leaving a room and coming back in one breath ends with being back.
    #[test]
    fn a_watch_does_not_overtake_an_unwatch() {
        let mut waiting =
            taken(vec![], vec![watch(1), WatchChange::Unwatch { room: RoomId(1) }, watch(1)]);
        let first = waiting.batch();
        assert_eq!((first.watches.len(), first.unwatches.len()), (1, 1));
        let second = waiting.batch();
        assert_eq!((second.watches.len(), second.unwatches.len()), (1, 0));
    }

    /// The same of a player who comes back; and of several looks only the last counts.
    #[test]
    fn a_follow_does_not_overtake_an_unfollow() {
        let (player, since) = (PlayerId(7), Some(NoticeNumber(3)));
        let follow = || WatchChange::Follow(FollowRequest { player, since, number: 1 });
        let glance = |lobby| WatchChange::Glance(Glance { lobby, live: true });
        let changes =
            vec![glance(true), follow(), WatchChange::Unfollow { player }, glance(false), follow()];
        let mut waiting = taken(vec![], changes);
        let first = waiting.batch();
        assert_eq!((first.follows.len(), first.unfollows.len()), (1, 1));
        assert_eq!(first.glance, Some(v1::Glance { lobby: false, live: true }));
        let second = waiting.batch();
        assert_eq!((second.follows.len(), second.unfollows.len()), (1, 0));
        assert_eq!((second.follows[0].player, second.follows[0].since), (7, Some(3)));
    }
}
