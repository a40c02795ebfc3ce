//! Who is there, by SWIM: foca stops here.
//!
//! One task owns foca and turns datagrams and timers into a [`Roster`] that others
//! watch. Members find each other through any configured address, probe each other
//! directly and through others (SWIM section 4.1), and suspect before they declare
//! dead (section 4.2). Each member's [`Card`] travels along.
//!
//! Gossip suggests, Raft decides: nothing here changes who may vote.

mod cipher;
mod member;
mod schedule;

use crate::env::{Datagrams, Env};
use crate::observe::Observers;
use crate::tasks::Tasks;
use cipher::Cipher;
use foca::{
    AccumulatingRuntime, BroadcastHandler, Foca, Invalidates, OwnedNotification, PeriodicParams,
    Timer,
};
use hangraft_cluster_config::{ClusterKey, NodeConfig};
use hangraft_ids::{NodeId, Term};
use hangraft_proto::v1::happening;
use member::{Member, Plain};
use rand::SeedableRng;
use rand::rngs::StdRng;
use schedule::Schedule;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::num::{NonZeroU8, NonZeroUsize};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, Interval, timeout};

/// The largest plain datagram; sealed, it still fits an Ethernet frame.
const PACKET_BYTES_MAX: usize = 1_350;

/// How often a member tells how it is.
const CARD_EVERY: Duration = Duration::from_secs(1);

/// A goodbye that is not sent by then is left unsaid; the others notice by themselves.
const LEAVE_DEADLINE: Duration = Duration::from_secs(1);

/// LatestCard again within this time that it is dead, a member renews itself by more than before.
const RENEWED_LATELY: Duration = Duration::from_secs(10);

/// Warnings of foca's errors come no more often; the others are for `debug`.
const COMPLAINT_EVERY: Duration = Duration::from_secs(60);

/// Doublings of the step by which a member renews itself; past all clocks there are.
const DOUBLINGS_MAX: u32 = 50;

/// What a member says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Its node id.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// Its Raft state: `leader`, `follower`, `candidate` or `learner`.
    pub role: String,
    /// Its Raft term.
    pub term: Term,
    /// The version of its build.
    pub version: String,
    /// Commands between arrival and answer.
    pub load: u64,
    /// The format of its log and messages.
    pub format: u8,
    /// What its build can do, such as `game:hangman`.
    pub features: BTreeSet<String>,
}

/// A member as gossip sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Where it is.
    pub address: SocketAddr,
    /// Alive or only suspected; dead members stay listed as not alive.
    pub alive: bool,
    /// What it last said of itself.
    pub card: Option<Card>,
}

/// All members gossip has heard of, by node id.
pub type Roster = BTreeMap<NodeId, Seen>;

/// What gossip asks the rest of the node.
pub(crate) struct Knowledge {
    /// News of this node.
    pub(crate) card: Box<dyn Fn() -> Card + Send>,
    /// Where members may be.
    pub(crate) others: Box<dyn Fn() -> BTreeSet<SocketAddr> + Send>,
    /// Whether this node's disk is known to be its id's.
    pub(crate) proven: watch::Receiver<bool>,
    /// Whether this process is known to be the one that speaks for its node.
    pub(crate) cleared: watch::Receiver<bool>,
    /// Who follow what is held of others.
    pub(crate) observers: Observers,
}

/// A handle to the running gossip.
pub struct Gossip {
    roster: watch::Receiver<Roster>,
    leave: mpsc::Sender<oneshot::Sender<()>>,
}

impl Gossip {
    /// Starts gossiping at the node's address, once the node is known to be who it says:
    /// before, others would take it for the one it may not be.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub(crate) async fn start(
        config: &NodeConfig,
        identity: &crate::identity::Identity,
        address: SocketAddr,
        key: &ClusterKey,
        env: Arc<dyn Env>,
        knowledge: Knowledge,
        tasks: &Tasks,
    ) -> io::Result<Self> {
        let Knowledge { card, others, mut proven, mut cleared, observers } = knowledge;
        let socket = env.datagrams(address).await?;
        // A node knows at once that it is there itself.
        let mine = Seen { address: identity.address, alive: true, card: None };
        let (publish, roster) = watch::channel([(identity.node, mine)].into());
        let (leave, leaving) = mpsc::channel(1);
        let me = Member {
            node: identity.node,
            address: identity.address,
            incarnation: identity.incarnation,
        };
        let cards = Cards::default();
        let swim = Foca::with_custom_broadcast(
            me.clone(),
            settings(config),
            StdRng::seed_from_u64(env.entropy()),
            Plain { me: identity.node },
            cards.clone(),
        );
        let cipher = Cipher::new(&identity.cluster, key, env);
        let task = Task {
            me,
            swim,
            cards,
            socket,
            cipher,
            runtime: AccumulatingRuntime::new(),
            timers: Schedule::new(),
            others,
            leaving,
            announcing: tokio::time::interval(Duration::from_millis(config.gossip.announce_ms)),
            telling: tokio::time::interval(CARD_EVERY),
            card,
            sequence: 0,
            renewed: None,
            complained: None,
            publish,
            observers,
        };
        let gossiping = async move {
            // An error means that the node is being dropped.
            if proven.wait_for(|proven| *proven).await.is_ok()
                && cleared.wait_for(|cleared| *cleared).await.is_ok()
            {
                task.run().await;
            }
        };
        tasks.spawn("gossip", gossiping);
        Ok(Gossip { roster, leave })
    }

    /// Tells the others that this node goes for good, and gossips no more.
    pub(crate) async fn leave(&self) {
        let (told, done) = oneshot::channel();
        if self.leave.send(told).await.is_ok() {
            // An error means that the task has ended.
            _ = timeout(LEAVE_DEADLINE, done).await;
        }
    }

    /// Follows who is there.
    pub fn roster(&self) -> watch::Receiver<Roster> {
        self.roster.clone()
    }
}

fn settings(config: &NodeConfig) -> foca::Config {
    let gossip = &config.gossip;
    foca::Config {
        probe_period: Duration::from_millis(gossip.probe_period_ms),
        probe_rtt: Duration::from_millis(gossip.probe_rtt_ms),
        num_indirect_probes: NonZeroUsize::new(3).expect("three"),
        max_transmissions: NonZeroU8::new(10).expect("ten"),
        suspect_to_down_after: Duration::from_millis(gossip.suspect_ms),
        remove_down_after: Some(Duration::from_millis(gossip.forget_ms)),
        max_packet_size: NonZeroUsize::new(PACKET_BYTES_MAX).expect("not zero"),
        notify_down_members: true,
        periodic_announce: None,
        periodic_announce_to_down_members: Some(PeriodicParams {
            frequency: Duration::from_millis(gossip.announce_ms),
            num_members: NonZeroUsize::new(2).expect("two"),
        }),
        periodic_gossip: Some(PeriodicParams {
            frequency: Duration::from_millis(gossip.probe_period_ms / 2 + 1),
            num_members: NonZeroUsize::new(3).expect("three"),
        }),
    }
}

/// The newest card of each member, with the count that orders a member's cards.
#[derive(Clone, Default)]
struct Cards(Arc<Mutex<BTreeMap<NodeId, LatestCard>>>);

#[derive(Clone, Serialize, Deserialize)]
struct LatestCard {
    incarnation: u64,
    sequence: u64,
    card: Card,
}

struct CardKey {
    node: NodeId,
    order: (u64, u64),
}

impl Invalidates for CardKey {
    fn invalidates(&self, other: &Self) -> bool {
        self.node == other.node && self.order >= other.order
    }
}

impl BroadcastHandler<Member> for Cards {
    type Key = CardKey;
    type Error = postcard::Error;

    fn receive_item(
        &mut self,
        data: &[u8],
        _sender: Option<&Member>,
    ) -> Result<Option<CardKey>, postcard::Error> {
        let told: LatestCard = postcard::from_bytes(data)?;
        let key = CardKey { node: told.card.node, order: (told.incarnation, told.sequence) };
        let mut cards = self.0.lock().expect("never poisoned");
        match cards.get(&key.node) {
            Some(known) if (known.incarnation, known.sequence) >= key.order => Ok(None),
            _ => {
                cards.insert(key.node, told);
                Ok(Some(key))
            }
        }
    }
}

type Swim = Foca<Member, Plain, StdRng, Cards>;

/// foca stops its timers when this member changes its identity, and starts them when somebody
/// speaks to it. Those whom it knows may all have died meanwhile: it probes them, and finds out.
fn go_on(swim: &mut Swim, runtime: &mut AccumulatingRuntime<Member>) -> Result<(), foca::Error> {
    // No news, after which foca looks again whether it knows anybody.
    swim.apply_many(std::iter::empty(), false, runtime)
}

/// What wakes the task.
enum Input {
    Datagram(io::Result<(usize, SocketAddr)>),
    Timer(Timer<Member>),
    Announce,
    Tell,
    Leave(oneshot::Sender<()>),
}

struct Task {
    me: Member,
    swim: Swim,
    cards: Cards,
    socket: Arc<dyn Datagrams>,
    cipher: Cipher,
    runtime: AccumulatingRuntime<Member>,
    timers: Schedule<Member>,
    others: Box<dyn Fn() -> BTreeSet<SocketAddr> + Send>,
    leaving: mpsc::Receiver<oneshot::Sender<()>>,
    announcing: Interval,
    telling: Interval,
    card: Box<dyn Fn() -> Card + Send>,
    sequence: u64,
    /// How often in a row this member was told that it is dead, and when last.
    renewed: Option<(u32, Instant)>,
    /// When a warning was last written.
    complained: Option<Instant>,
    publish: watch::Sender<Roster>,
    observers: Observers,
}

impl Task {
    async fn run(mut self) {
        let mut buffer = vec![0; 2 * PACKET_BYTES_MAX];
        loop {
            self.send_and_schedule().await;
            let input = tokio::select! {
                received = self.socket.receive_from(&mut buffer) => Input::Datagram(received),
                timer = self.timers.next() => Input::Timer(timer),
                _ = self.announcing.tick() => Input::Announce,
                _ = self.telling.tick() => Input::Tell,
                Some(told) = self.leaving.recv() => Input::Leave(told),
            };
            if let Input::Leave(told) = input {
                self.leave().await;
                _ = told.send(());
                return;
            }
            self.on(input, &buffer);
            self.show();
            self.observers.hold(self.held());
        }
    }

    fn on(&mut self, input: Input, buffer: &[u8]) {
        let done = match input {
            Input::Datagram(Err(err)) => {
                // For example, nobody listens where we sent to.
                tracing::trace!(%err, "receiving a datagram failed");
                Ok(())
            }
            Input::Datagram(Ok((length, from))) => match self.cipher.open(&buffer[..length]) {
                Some(plain) => self.swim.handle_data(&plain, &mut self.runtime),
                None => {
                    metrics::counter!("hangraft_gossip_refused_total").increment(1);
                    tracing::debug!(%from, "a datagram was not made with this cluster's key");
                    Ok(())
                }
            },
            Input::Timer(timer) => self.swim.handle_timer(timer, &mut self.runtime),
            Input::Announce => self.announce(),
            Input::Tell => self.tell(),
            Input::Leave(_) => Ok(()),
        };
        if let Err(err) = done {
            self.complain(&err);
        }
    }

    /// foca was asked something that it did not expect, as after a pause. It goes on.
    fn complain(&mut self, err: &foca::Error) {
        if self.complained.is_some_and(|at| at.elapsed() < COMPLAINT_EVERY) {
            tracing::debug!(%err, "gossip");
            return;
        }
        self.complained = Some(Instant::now());
        tracing::warn!(%err, "gossip");
    }

    async fn leave(&mut self) {
        if let Err(err) = self.swim.leave_cluster(&mut self.runtime) {
            self.complain(&err);
        }
        self.send_and_schedule().await;
    }

    /// Greets the members that are not known to be alive.
    fn announce(&mut self) -> Result<(), foca::Error> {
        let alive: BTreeSet<SocketAddr> =
            self.swim.iter_members().map(|m| m.id().address).collect();
        for address in (self.others)().difference(&alive) {
            if *address == self.me.address {
                continue;
            }
            let whoever = Member { node: NodeId::NONE, address: *address, incarnation: 0 };
            self.swim.announce(whoever, &mut self.runtime)?;
        }
        go_on(&mut self.swim, &mut self.runtime)
    }

    fn tell(&mut self) -> Result<(), foca::Error> {
        self.sequence += 1;
        let incarnation = self.swim.identity().incarnation;
        let told = LatestCard { incarnation, sequence: self.sequence, card: (self.card)() };
        let bytes = postcard::to_allocvec(&told).expect("a card is plain data");
        self.swim.add_broadcast(&bytes)?;
        self.swim.broadcast(&mut self.runtime)
    }

    async fn send_and_schedule(&mut self) {
        while let Some((to, plain)) = self.runtime.to_send() {
            let sealed = self.cipher.seal(&plain);
            if let Err(err) = self.socket.send_to(&sealed, to.address).await {
                tracing::trace!(%err, to = %to.address, "sending a datagram failed");
            }
        }
        while let Some((after, timer)) = self.runtime.to_schedule() {
            self.timers.add(after, timer);
        }
        while let Some(notification) = self.runtime.to_notify() {
            match notification {
                OwnedNotification::MemberUp(member) => {
                    tracing::info!(node = member.node.0, address = %member.address, "member is there");
                }
                OwnedNotification::MemberDown(member) => {
                    tracing::info!(node = member.node.0, address = %member.address, "member is gone");
                }
                OwnedNotification::Rejoin(_) => self.renew(),
                _ => {}
            }
        }
    }

    /// The others believed this member dead, and foca has raised its incarnation by one. If
    /// that is not enough, because they know a far higher one (its clock or its disk may have
    /// been set back), the step doubles until it is.
    fn renew(&mut self) {
        let lately = self.renewed.filter(|(_, at)| at.elapsed() < RENEWED_LATELY);
        let times = lately.map_or(0, |(times, _)| times + 1);
        self.renewed = Some((times, Instant::now()));
        if times == 0 {
            return;
        }
        let mut me = self.swim.identity().clone();
        me.incarnation = me.incarnation.saturating_add(1 << times.min(DOUBLINGS_MAX));
        if let Err(err) = self.swim.change_identity(me, &mut self.runtime) {
            self.complain(&err);
        }
    }

    /// What foca holds of each other member. Of a node that is known in several of its lives
    /// only the last counts.
    fn held(&self) -> impl Iterator<Item = happening::Gossip> {
        let mut lives: BTreeMap<NodeId, &foca::Member<Member>> = BTreeMap::new();
        for member in self.swim.iter_membership_state() {
            let life = |member: &foca::Member<Member>| member.id().incarnation;
            let last = lives.entry(member.id().node).or_insert(member);
            if life(member) > life(last) {
                *last = member;
            }
        }
        lives.remove(&NodeId::NONE);
        lives.remove(&self.me.node);
        lives.into_iter().map(|(node, member)| happening::Gossip {
            about: node.0,
            state: match member.state() {
                foca::State::Alive => "alive",
                foca::State::Suspect => "suspect",
                foca::State::Down => "down",
            }
            .to_owned(),
            incarnation: member.incarnation().into(),
        })
    }

    /// Publishes the roster, when it differs.
    fn show(&self) {
        let cards = self.cards.0.lock().expect("never poisoned");
        let card_of = |node: NodeId| cards.get(&node).map(|told| told.card.clone());
        let mut roster = Roster::new();
        roster.insert(
            self.me.node,
            Seen { address: self.me.address, alive: true, card: card_of(self.me.node) },
        );
        for member in self.swim.iter_membership_state() {
            let (id, alive) = (member.id(), member.state() != foca::State::Down);
            let seen = Seen { address: id.address, alive, card: card_of(id.node) };
            match roster.entry(id.node) {
                std::collections::btree_map::Entry::Vacant(entry) => _ = entry.insert(seen),
                // An earlier incarnation says nothing once a later one is alive.
                std::collections::btree_map::Entry::Occupied(mut entry) if alive => {
                    entry.insert(seen);
                }
                std::collections::btree_map::Entry::Occupied(_) => {}
            }
        }
        roster.remove(&NodeId::NONE);
        self.publish.send_if_modified(|known| {
            let changed = *known != roster;
            if changed {
                *known = roster;
            }
            changed
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A member, by foca, and what foca asks of its surroundings.
    struct One {
        swim: Swim,
        runtime: AccumulatingRuntime<Member>,
        timers: Vec<(Duration, Timer<Member>)>,
    }

    fn member(node: NodeId) -> Member {
        let address = SocketAddr::from(([192, 0, 2, 1], 7_100));
        Member { node, address, incarnation: 1 }
    }

    impl One {
        fn new(node: NodeId) -> Self {
            let config = NodeConfig::joining(member(node).address, "".as_ref(), Vec::new());
            let dice = StdRng::seed_from_u64(node.0);
            let (settings, plain) = (settings(&config), Plain { me: node });
            let swim =
                Foca::with_custom_broadcast(member(node), settings, dice, plain, Cards::default());
            One { swim, runtime: AccumulatingRuntime::new(), timers: Vec::new() }
        }

        fn hears(&mut self, of: foca::Member<Member>) {
            self.swim.apply_many([of].into_iter(), false, &mut self.runtime).unwrap();
        }

        fn sent(&mut self) -> Vec<bytes::Bytes> {
            std::iter::from_fn(|| self.runtime.to_send()).map(|(_, bytes)| bytes).collect()
        }

        fn receives(&mut self, datagrams: Vec<bytes::Bytes>) {
            for datagram in datagrams {
                self.swim.handle_data(&datagram, &mut self.runtime).unwrap();
            }
        }

        /// Time passes, and nobody speaks to it.
        fn waits(&mut self, time: Duration) {
            let mut now = Duration::ZERO;
            while now <= time {
                go_on(&mut self.swim, &mut self.runtime).unwrap();
                while let Some((after, timer)) = self.runtime.to_schedule() {
                    self.timers.push((now + after, timer));
                }
                self.timers.sort();
                match self.timers.first() {
                    Some((at, _)) => now = *at,
                    None => return,
                }
                let (_, timer) = self.timers.remove(0);
                self.swim.handle_timer(timer, &mut self.runtime).unwrap();
            }
        }
    }

    /// A member is told that it is dead, and renews itself. Whoever told it dies at that
    /// moment, and this is noticed.
    #[test]
    fn who_was_taken_for_dead_goes_on_probing() {
        let (mut one, mut other) = (One::new(NodeId(1)), One::new(NodeId(2)));
        one.hears(foca::Member::alive(member(NodeId(2))));
        other.hears(foca::Member::alive(member(NodeId(1))));
        other.hears(foca::Member::down(member(NodeId(1))));
        one.swim.announce(member(NodeId(2)), &mut one.runtime).unwrap();
        other.receives(one.sent());
        one.receives(other.sent());
        assert_eq!(one.swim.identity().incarnation, 2, "it was told that it is dead");
        assert_eq!(one.swim.num_members(), 1);
        while one.runtime.to_schedule().is_some() {}
        one.waits(Duration::from_secs(60));
        assert_eq!(one.swim.num_members(), 0, "the other does not answer any more");
    }

    /// What foca sends stands in the map of messages. When a version of foca has something
    /// new to say, this does not compile until it has a name here.
    #[test]
    fn datagrams_are_those_of_the_map() {
        use foca::Message::{
            Ack, Announce, Broadcast, Feed, ForwardedAck, Gossip, IndirectAck, IndirectPing, Ping,
            PingReq, TurnUndead,
        };
        use hangraft_proto::map::{MAP, Wire};
        let name = |message: &foca::Message<u8>| match message {
            Ping(_) => "Ping",
            Ack(_) => "Ack",
            PingReq { .. } => "PingReq",
            IndirectPing { .. } => "IndirectPing",
            IndirectAck { .. } => "IndirectAck",
            ForwardedAck { .. } => "ForwardedAck",
            Announce => "Announce",
            Feed => "Feed",
            Gossip => "Gossip",
            Broadcast => "Broadcast",
            TurnUndead => "TurnUndead",
        };
        let (probe_number, target, origin) = (1, 2, 3);
        let sent = [
            Ping(probe_number),
            Ack(probe_number),
            PingReq { target, probe_number },
            IndirectPing { origin, probe_number },
            IndirectAck { target, probe_number },
            ForwardedAck { origin, probe_number },
            Announce,
            Feed,
            Gossip,
            Broadcast,
            TurnUndead,
        ];
        let sent: BTreeSet<&str> = sent.iter().map(name).collect();
        let messages = MAP.iter().flat_map(|chapter| chapter.messages);
        let mapped = messages.filter(|message| message.is_on(Wire::Datagram));
        assert_eq!(mapped.map(|message| message.name).collect::<BTreeSet<_>>(), sent);
    }
}
