//! A cluster of paper: nodes that speak the wire and keep one made-up lobby
//! between them, so that a test can say what a node does and when it dies.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    ops::Range,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use futures_util::{SinkExt, Stream, StreamExt};
use hangraft_cluster_config::{ClusterKey, FrontendConfig, FrontendLimits, RoomNames};
use hangraft_frontend_server::Frontend;
use hangraft_ids::{OfferId, RoomId};
use hangraft_proto::{
    ACCESS_HEADER,
    net::{Network, Tcp},
    v1::{
        self,
        game_server::{Game, GameServer},
    },
};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    sync::{broadcast, mpsc},
    time::{Instant, sleep, timeout},
};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Error as SocketError, Message, client::IntoClientRequest,
        handshake::client::Request as Upgrade, protocol::CloseFrame,
    },
};
use tonic::{Request, Response, Status, Streaming};

/// The longest anything here may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(15);

/// The player who sees more than others in every room.
pub(crate) const SETTER: &str = "Setter";

/// (player, lane, serial)
pub(crate) type Attempt = (u64, u64, u64);

/// What a node does with commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Takes them and answers.
    Answer,
    /// Takes them and says nothing.
    Swallow,
    /// Neither takes them nor says anything.
    Ignore,
    /// Refuses them.
    Refuse(v1::Code),
}

/// The made-up lobby that all nodes share: rooms that count.
pub(crate) struct World {
    state: Mutex<State>,
    news: broadcast::Sender<News>,
}

#[derive(Default)]
struct State {
    /// The newest version of each room.
    rooms: BTreeMap<u64, u64>,
    /// Who sees more than others, and at which versions.
    setters: Vec<(u64, Range<u64>)>,
    /// Nodes know of steps.
    steps: bool,
    taken: HashMap<Attempt, v1::Accepted>,
    /// Offers that stand, the oldest first, and how many there ever were.
    offers: Vec<v1::OpenOffer>,
    offered: u64,
    /// What each player was told, all of it.
    told: HashMap<u64, Vec<v1::Notice>>,
    live: v1::Live,
    leader: u64,
    lease_lost: bool,
    /// All members, as every node names them.
    members: Vec<v1::Peer>,
    /// Bytes of padding in every view.
    padding: usize,
}

#[derive(Clone, Copy, Debug)]
enum News {
    Room { room: u64, version: u64, closed: bool },
    Told { player: u64 },
    Seeks,
    Live,
    Leader,
}

/// The bot of the made-up lobby.
pub(crate) const BOT: u64 = u64::MAX;

impl World {
    pub(crate) fn new() -> Arc<Self> {
        let (news, _) = broadcast::channel(10_000);
        Arc::new(Self { state: Mutex::default(), news })
    }

    /// A room appears.
    pub(crate) fn room(&self, room: u64) {
        self.state().rooms.insert(room, 1);
    }

    /// Something changes in a room, so many times, and only the last is told.
    pub(crate) fn change(&self, room: u64, by: u64) -> u64 {
        let version = {
            let mut state = self.state();
            let version = state.rooms.get_mut(&room).expect("a room to change");
            *version += by;
            *version
        };
        _ = self.news.send(News::Room { room, version, closed: false });
        version
    }

    /// A room leaves the lobby.
    pub(crate) fn close(&self, room: u64) {
        let version = self.state().rooms.remove(&room).expect("a room to close");
        _ = self.news.send(News::Room { room, version, closed: true });
    }

    pub(crate) fn elect(&self, leader: u64) {
        self.state().leader = leader;
        _ = self.news.send(News::Leader);
    }

    /// Every node names these members from now on, the last of whom is a learner.
    pub(crate) fn name_members(&self, nodes: &[FakeNode]) {
        let member = |(at, node): (usize, &FakeNode)| v1::Peer {
            node: node.desk.id,
            address: node.address.to_string(),
            votes: Some(at + 1 < nodes.len()),
        };
        self.state().members = nodes.iter().enumerate().map(member).collect();
        _ = self.news.send(News::Leader);
    }

    pub(crate) fn lose_lease(&self) {
        self.state().lease_lost = true;
    }

    pub(crate) fn pad_views(&self, bytes: usize) {
        self.state().padding = bytes;
    }

    /// Nodes are of a build that knows of steps.
    pub(crate) fn speak_in_steps(&self) {
        self.state().steps = true;
    }

    /// Nobody sees more than others from the next version of a room on.
    pub(crate) fn reveal(&self, room: u64) {
        let version = {
            let mut state = self.state();
            let version = state.rooms[&room] + 1;
            state.setters.iter_mut().for_each(|(_, at)| at.end = version);
            version
        };
        assert_eq!(self.change(room, 1), version);
    }

    pub(crate) fn version(&self, room: u64) -> u64 {
        self.state().rooms[&room]
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// A player is told something.
    pub(crate) fn tell(&self, player: u64, notice: v1::Notice) -> u64 {
        let number = {
            let mut state = self.state();
            let told = state.told.entry(player).or_default();
            let number = told.len() as u64 + 1;
            told.push(v1::Notice { number, ..notice });
            number
        };
        _ = self.news.send(News::Told { player });
        number
    }

    /// The numbers are these now.
    pub(crate) fn show_live(&self, numbers: &Value, minutes: &Value) {
        let [numbers, minutes] = [numbers, minutes].map(|json| json.to_string().into());
        self.state().live = v1::Live { numbers, minutes };
        _ = self.news.send(News::Live);
    }

    /// The numbers are these now, in the same minute.
    pub(crate) fn say_live(&self, numbers: &Value) {
        self.state().live = v1::Live { numbers: numbers.to_string().into(), minutes: "".into() };
        _ = self.news.send(News::Live);
    }

    fn seeks(&self) -> v1::Seeks {
        let state = self.state();
        let seeks: Vec<_> = state.offers.iter().rev().cloned().collect();
        v1::Seeks { total: seeks.len() as u32, seeks }
    }

    /// What a player was told after that number, as a node says it.
    fn told(&self, player: u64, since: Option<u64>, ask: u64) -> v1::Told {
        let state = self.state();
        let told = state.told.get(&player).cloned().unwrap_or_default();
        let newest = told.len() as u64;
        let since = since.unwrap_or(newest);
        let notices = told.into_iter().filter(|notice| notice.number > since).collect();
        v1::Told { player, notices, newest, resync: since > newest, ask }
    }

    /// Somebody looks for a game: whoever waits for one plays, or they wait themselves.
    fn seek(&self, player: u64, seek: &v1::Seek) -> v1::Accepted {
        let waiting = self.state().offers.iter().position(|offer| offer.player != player);
        if let Some(waiting) = waiting {
            let offer = self.state().offers.remove(waiting);
            return self.pair(&offer, player, &seek.name);
        }
        let offer = {
            let mut state = self.state();
            state.offered += 1;
            let offer = v1::OpenOffer {
                offer: state.offered,
                player,
                name: seek.name.clone(),
                wanted: seek.wanted.clone(),
                rating: Some(v1::Rating { points: 1500, provisional: true }),
                ..Default::default()
            };
            state.offers.push(offer.clone());
            offer.offer
        };
        _ = self.news.send(News::Seeks);
        v1::Accepted { offer, ..Default::default() }
    }

    /// Two have found each other.
    fn pair(&self, offer: &v1::OpenOffer, player: u64, name: &str) -> v1::Accepted {
        let room = self.state().rooms.keys().last().map_or(1, |last| last + 1);
        self.room(room);
        let both = [(offer.player, player, name), (player, offer.player, &offer.name)];
        for (seat, (whom, other, name)) in both.into_iter().enumerate() {
            let notice = v1::Notice {
                kind: "matched".into(),
                offer: offer.offer,
                room,
                seat: Some(seat as u32),
                player: other,
                name: name.to_owned(),
                rating: offer.rating,
                wanted: offer.wanted.clone(),
                ..Default::default()
            };
            self.tell(whom, notice);
        }
        _ = self.news.send(News::Seeks);
        v1::Accepted { room, version: 1, offer: offer.offer, ..Default::default() }
    }

    /// An offer that stands does not any more.
    fn end_offer(&self, offer: u64) -> Option<v1::OpenOffer> {
        let mut state = self.state();
        let at = state.offers.iter().position(|open| open.offer == offer)?;
        let ended = state.offers.remove(at);
        drop(state);
        _ = self.news.send(News::Seeks);
        Some(ended)
    }

    fn take(&self, command: &v1::Command) -> v1::Accepted {
        let attempt = (command.player, command.lane, command.serial);
        let taken = self.state().taken.get(&attempt).copied();
        if let Some(taken) = taken.filter(|_| command.player != 0) {
            return taken;
        }
        let accepted = self.take_new(command);
        self.state().taken.insert(attempt, accepted);
        accepted
    }

    fn take_new(&self, command: &v1::Command) -> v1::Accepted {
        use v1::command::Action;
        let room = match command.action.as_ref().expect("an action") {
            Action::Presence(_) => {
                let lease_lost = std::mem::take(&mut self.state().lease_lost);
                return v1::Accepted { lease_lost, ..Default::default() };
            }
            Action::Open(_) => {
                let room = self.state().rooms.keys().last().map_or(1, |last| last + 1);
                self.room(room);
                return v1::Accepted { room, version: 1, ..Default::default() };
            }
            Action::Sit(v1::Sit { room, name }) => {
                if name == SETTER {
                    let mut state = self.state();
                    let from = state.rooms[room] + 1;
                    state.setters.push((command.player, from..u64::MAX));
                }
                *room
            }
            Action::Stand(v1::Stand { room })
            | Action::Play(v1::Play { room, .. })
            | Action::Again(v1::Again { room })
            | Action::Remove(v1::Remove { room, .. })
            | Action::Lock(v1::Lock { room, .. })
            | Action::Publish(v1::Publish { room, .. })
            | Action::Resign(v1::Resign { room })
            | Action::Draw(v1::Draw { room, .. })
            | Action::Claim(v1::Claim { room, .. })
            | Action::Say(v1::Say { room, .. }) => *room,
            Action::Seek(seek) => return self.seek(command.player, seek),
            Action::Accept(v1::Accept { offer, name }) => {
                let offer = self.end_offer(*offer).expect("an offer that stands");
                return self.pair(&offer, command.player, name);
            }
            Action::Withdraw(v1::Withdraw { offer }) | Action::Decline(v1::Decline { offer }) => {
                self.end_offer(*offer);
                return v1::Accepted::default();
            }
            Action::Challenge(_) => return v1::Accepted { offer: 1, ..Default::default() },
        };
        let version = self.change(room, 1);
        v1::Accepted { room, version, seat: Some(0), lease_lost: false, offer: 0 }
    }

    /// A version for who knows the one before, as a step if they understand it.
    fn next(&self, room: u64, version: u64, watch: &v1::Watch) -> v1::Update {
        let whole = self.update(room, version, &watch.players, false);
        if !watch.steps || !self.state().steps {
            return whole;
        }
        let field = v1::Field { name: "v".into(), value: version.to_string().into() };
        let step = Some(v1::Step { set: vec![field], unset: vec![] });
        let knew = |player: u64| {
            let state = self.state();
            state.setters.iter().any(|(who, at)| *who == player && at.contains(&(version - 1)))
        };
        let (both, new): (Vec<_>, Vec<_>) =
            whole.private.into_iter().partition(|own| knew(own.player));
        let own = |own: v1::PrivateView| v1::PrivateStep { player: own.player, step: step.clone() };
        let private_steps = both.into_iter().map(own).collect();
        v1::Update { step, private: new, private_steps, view: "".into(), ..whole }
    }

    fn update(&self, room: u64, version: u64, players: &[u64], resync: bool) -> v1::Update {
        let state = self.state();
        let padding = "x".repeat(state.padding);
        let said = ["hello"];
        let view = json!({ "v": version, "padding": padding, "chat": said }).to_string().into();
        let own = json!({ "v": version, "secret": "kanna kamui", "chat": said }).to_string();
        let sees = |(who, at): &&(u64, Range<u64>)| players.contains(who) && at.contains(&version);
        let private = state.setters.iter().filter(sees);
        let private = private
            .map(|(setter, _)| v1::PrivateView { player: *setter, view: own.clone().into() });
        let events = if resync { "[]" } else { "[1]" }.into();
        v1::Update {
            room,
            version,
            view,
            events,
            private: private.collect(),
            resync,
            ..Default::default()
        }
    }
}

/// One node of paper. Killing it is dropping it.
pub(crate) struct FakeNode {
    address: SocketAddr,
    desk: Arc<Desk>,
    runtime: Option<Runtime>,
}

struct Desk {
    id: u64,
    world: Arc<World>,
    manner: Mutex<Manner>,
    commands: Mutex<Vec<v1::Command>>,
    watches: Mutex<Vec<v1::Watch>>,
    follows: Mutex<Vec<v1::Follow>>,
    unfollows: Mutex<usize>,
    glances: Mutex<Vec<v1::Glance>>,
    listings: Mutex<usize>,
    /// Hears of no change any more.
    cut_off: Mutex<bool>,
    access: String,
}

impl FakeNode {
    pub(crate) fn start(id: u64, world: &Arc<World>) -> Self {
        Self::start_at(id, world, SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    pub(crate) fn start_at(id: u64, world: &Arc<World>, address: SocketAddr) -> Self {
        let desk = Arc::new(Desk {
            id,
            world: world.clone(),
            manner: Mutex::new(Manner::Answer),
            commands: Mutex::default(),
            watches: Mutex::default(),
            follows: Mutex::default(),
            unfollows: Mutex::default(),
            glances: Mutex::default(),
            listings: Mutex::default(),
            cut_off: Mutex::default(),
            access: key().access_token(),
        });
        let listener = std::net::TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let service = GameServer::from_arc(Arc::new(Paper(desk.clone())));
        runtime.spawn(async move {
            let listener = TcpListenerStream::new(TcpListener::from_std(listener).unwrap());
            tonic::transport::Server::builder()
                .add_service(service)
                .serve_with_incoming(listener)
                .await
        });
        Self { address, desk, runtime: Some(runtime) }
    }

    /// Where it is.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn behave(&self, manner: Manner) {
        *self.desk.manner.lock().unwrap() = manner;
    }

    /// Cuts it off from the others, but not from frontends.
    pub(crate) fn cut_off(&self) {
        *self.desk.cut_off.lock().unwrap() = true;
    }

    /// The attempts that arrived here, presence apart.
    pub(crate) fn attempts(&self) -> Vec<Attempt> {
        let commands = self.desk.commands.lock().unwrap();
        let players = commands.iter().filter(|command| command.player != 0);
        players.map(|command| (command.player, command.lane, command.serial)).collect()
    }

    /// The presence reports that arrived here.
    pub(crate) fn presence(&self) -> Vec<v1::Presence> {
        let commands = self.desk.commands.lock().unwrap();
        let presence = commands.iter().filter_map(|command| match &command.action {
            Some(v1::command::Action::Presence(presence)) => Some(presence.clone()),
            _ => None,
        });
        presence.collect()
    }

    pub(crate) fn watches(&self) -> Vec<v1::Watch> {
        self.desk.watches.lock().unwrap().clone()
    }

    pub(crate) fn follows(&self) -> Vec<v1::Follow> {
        self.desk.follows.lock().unwrap().clone()
    }

    pub(crate) fn unfollows(&self) -> usize {
        *self.desk.unfollows.lock().unwrap()
    }

    /// What it was last told to show.
    pub(crate) fn glance(&self) -> Option<v1::Glance> {
        self.desk.glances.lock().unwrap().last().copied()
    }

    /// How often something was looked up here.
    pub(crate) fn listings(&self) -> usize {
        *self.desk.listings.lock().unwrap()
    }

    pub(crate) fn kill(mut self) -> SocketAddr {
        self.cut();
        self.address
    }

    fn cut(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for FakeNode {
    fn drop(&mut self) {
        self.cut();
    }
}

struct Paper(Arc<Desk>);

type Downlinks = Pin<Box<dyn Stream<Item = Result<v1::Downlink, Status>> + Send>>;

#[tonic::async_trait]
impl Game for Paper {
    type LinkStream = Downlinks;

    async fn link(
        &self,
        request: Request<Streaming<v1::Uplink>>,
    ) -> Result<Response<Downlinks>, Status> {
        let access = request.metadata().get(ACCESS_HEADER);
        if access.is_none_or(|access| access.as_bytes() != self.0.access.as_bytes()) {
            return Err(Status::unauthenticated("who are you?"));
        }
        let (downlinks, receiver) = mpsc::channel(1024);
        tokio::spawn(talk(self.0.clone(), request.into_inner(), downlinks));
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn rooms(
        &self,
        _: Request<v1::RoomsRequest>,
    ) -> Result<Response<v1::RoomsReply>, Status> {
        *self.0.listings.lock().unwrap() += 1;
        let rooms = self.0.world.state().rooms.clone();
        let summary = |(room, version)| v1::RoomSummary {
            room,
            version,
            about: r#"{"mode":"together"}"#.into(),
            ..Default::default()
        };
        Ok(Response::new(v1::RoomsReply {
            rooms: rooms.into_iter().map(summary).collect(),
            next: 0,
            games: Vec::new(),
        }))
    }

    async fn look(
        &self,
        request: Request<v1::LookRequest>,
    ) -> Result<Response<v1::LookReply>, Status> {
        use v1::look_request::At;
        *self.0.listings.lock().unwrap() += 1;
        let json = |json: Value| v1::LookReply { json: json.to_string().into(), offer: None };
        Ok(Response::new(match request.into_inner().at {
            Some(At::Ladder(v1::Ladder { game, week })) => {
                json(json!({ "names": [], "game": game, "week": week }))
            }
            Some(At::Card(v1::Card { player })) => {
                json(json!({ "name": player.to_string(), "games": {} }))
            }
            Some(At::Offer(offer)) => {
                let offers = self.0.world.state().offers.clone();
                let offer = offers.into_iter().find(|open| open.offer == offer);
                v1::LookReply { offer, ..Default::default() }
            }
            Some(At::History(room)) => match self.0.world.state().rooms.get(&room) {
                Some(version) => json(json!({ "version": version, "lines": ["hello"] })),
                None => v1::LookReply::default(),
            },
            None => return Err(Status::invalid_argument("look at what?")),
        }))
    }

    async fn read(&self, _: Request<v1::ReadRequest>) -> Result<Response<v1::ReadReply>, Status> {
        Err(Status::unimplemented("nobody asks"))
    }
}

/// What one stream watches, follows and looks at.
#[derive(Default)]
struct Eyes {
    /// How each is watched, and the last version that was sent.
    watched: HashMap<u64, (v1::Watch, u64)>,
    /// Players, and the last of their notices that was sent.
    followed: HashMap<u64, Option<u64>>,
    glance: v1::Glance,
}

/// One stream's conversation.
async fn talk(
    desk: Arc<Desk>,
    mut uplinks: Streaming<v1::Uplink>,
    downlinks: mpsc::Sender<Result<v1::Downlink, Status>>,
) {
    let mut news = desk.world.news.subscribe();
    let mut eyes = Eyes::default();
    _ = downlinks.send(Ok(desk.standing())).await;
    loop {
        let downlink = tokio::select! {
            uplink = uplinks.message() => match uplink {
                Ok(Some(uplink)) => Some(desk.hear(uplink, &mut eyes)),
                _ => return,
            },
            Ok(news) = news.recv() => desk.tell(news, &mut eyes),
        };
        if let Some(downlink) = downlink
            && downlinks.send(Ok(downlink)).await.is_err()
        {
            return;
        }
    }
}

impl Desk {
    fn standing(&self) -> v1::Downlink {
        let (leader, peers) = {
            let state = self.world.state();
            (state.leader, state.members.clone())
        };
        let bots = vec![v1::Bot {
            player: BOT,
            name: "Ada".into(),
            game: "hangman".into(),
            strength: "easy".into(),
        }];
        let (node, term) = (self.id, leader);
        let standing = v1::Standing { node, leader, term, peers, bots, ..Default::default() };
        v1::Downlink { standing: Some(standing), ..Default::default() }
    }

    /// What there is to say of what has happened.
    fn tell(&self, news: News, eyes: &mut Eyes) -> Option<v1::Downlink> {
        if matches!(news, News::Leader) {
            return Some(self.standing());
        }
        if *self.cut_off.lock().unwrap() {
            return None;
        }
        let mut downlink = v1::Downlink::default();
        match news {
            News::Room { room, version, closed } => {
                let (watch, sent) = eyes.watched.get_mut(&room)?;
                let is_next = version == *sent + 1 && !closed;
                let update = if is_next {
                    self.world.next(room, version, watch)
                } else {
                    self.world.update(room, version, &watch.players, false)
                };
                *sent = version;
                downlink.updates = vec![v1::Update { closed, ..update }];
            }
            News::Told { player } => {
                let sent = eyes.followed.get_mut(&player)?;
                let told = self.world.told(player, *sent, 0);
                *sent = Some(told.newest);
                downlink.told = vec![told];
            }
            News::Seeks => downlink.seeks = eyes.glance.lobby.then(|| self.world.seeks()),
            News::Live => downlink.live = eyes.glance.live.then(|| self.world.state().live.clone()),
            News::Leader => {}
        }
        Some(downlink)
    }

    fn hear(&self, uplink: v1::Uplink, eyes: &mut Eyes) -> v1::Downlink {
        let mut downlink = v1::Downlink::default();
        let watched = &mut eyes.watched;
        for command in uplink.commands {
            self.commands.lock().unwrap().push(command.clone());
            downlink.answers.extend(self.answer(&command));
        }
        for watch in uplink.watches {
            self.watches.lock().unwrap().push(watch.clone());
            let newest = self.world.state().rooms.get(&watch.room).copied();
            let Some(newest) = newest else {
                let refused =
                    v1::Refused { code: v1::Code::NoSuchRoom.into(), ..Default::default() };
                let refused = v1::WatchRefused { room: watch.room, refused: Some(refused) };
                downlink.watch_refused.push(refused);
                continue;
            };
            watched.insert(watch.room, (watch.clone(), newest));
            match watch.since {
                Some(since) => {
                    let missed = since + 1..=newest;
                    let next = |version| self.world.next(watch.room, version, &watch);
                    downlink.updates.extend(missed.map(next));
                }
                None => {
                    downlink.updates.push(self.world.update(
                        watch.room,
                        newest,
                        &watch.players,
                        true,
                    ));
                }
            }
        }
        for unwatch in uplink.unwatches {
            watched.remove(&unwatch.room);
        }
        for follow in uplink.follows {
            self.follows.lock().unwrap().push(follow);
            let told = self.world.told(follow.player, follow.since, follow.ask);
            eyes.followed.insert(follow.player, Some(told.newest));
            downlink.told.push(told);
        }
        for unfollow in uplink.unfollows {
            *self.unfollows.lock().unwrap() += 1;
            eyes.followed.remove(&unfollow.player);
        }
        if let Some(glance) = uplink.glance {
            self.glances.lock().unwrap().push(glance);
            eyes.glance = glance;
            downlink.seeks = glance.lobby.then(|| self.world.seeks());
            downlink.live = glance.live.then(|| self.world.state().live.clone());
        }
        downlink
    }

    fn answer(&self, command: &v1::Command) -> Option<v1::Answer> {
        let outcome = match *self.manner.lock().unwrap() {
            Manner::Answer => v1::answer::Outcome::Accepted(self.world.take(command)),
            Manner::Swallow => {
                self.world.take(command);
                return None;
            }
            Manner::Ignore => return None,
            Manner::Refuse(code) => v1::answer::Outcome::Refused(v1::Refused {
                code: code.into(),
                message: "as told".into(),
                retry_after_ms: 20,
                ..v1::Refused::default()
            }),
        };
        Some(v1::Answer { id: command.id, outcome: Some(outcome) })
    }
}

/// A world with room 1, and nodes numbered from 1; the first leads.
pub(crate) fn cluster(nodes: u64) -> (Arc<World>, Vec<FakeNode>) {
    let world = World::new();
    world.room(1);
    world.elect(1);
    let nodes = (1..=nodes).map(|id| FakeNode::start(id, &world)).collect();
    (world, nodes)
}

/// The data of requests about a room and nothing else.
pub(crate) fn room(room: u64) -> Value {
    json!({ "room": name(room) })
}

/// What players call an offer.
pub(crate) fn offer_name(offer: u64) -> String {
    RoomNames::of(&key()).offer_name(OfferId(offer))
}

/// What players call a room.
pub(crate) fn name(room: u64) -> String {
    RoomNames::of(&key()).name(RoomId(room))
}

/// The data of a move in room 1.
pub(crate) fn play(serial: u64) -> Value {
    json!({ "room": name(1), "move": { "letter": "e" }, "serial": serial })
}

/// The key of the cluster of paper.
pub(crate) fn key() -> ClusterKey {
    ClusterKey::from_bytes([7; 32])
}

/// A configuration for these nodes, with no limit on speed.
pub(crate) fn config(nodes: &[FakeNode]) -> FrontendConfig {
    let nodes = nodes.iter().map(|node| node.address).collect();
    let mut config = FrontendConfig::new(([127, 0, 0, 1], 0).into(), nodes, "unused".into());
    config.limits = FrontendLimits::no_pace();
    config
}

/// Starts a frontend and waits until it knows all of these nodes.
pub(crate) async fn serving(nodes: &[FakeNode]) -> Frontend {
    let frontend = start(config(nodes)).await;
    let linked = format!("{} nodes linked", nodes.len());
    eventually("all nodes are linked", async || {
        http(&frontend, "GET /readyz").await.contains(&linked)
    })
    .await;
    frontend
}

/// Starts a frontend.
pub(crate) async fn start(config: FrontendConfig) -> Frontend {
    let listener = Tcp.listen(([127, 0, 0, 1], 0).into()).await.unwrap();
    Frontend::start(config, &key(), listener, Arc::new(Tcp), None).unwrap()
}

/// A plain HTTP request; the whole response as text.
pub(crate) async fn http(frontend: &Frontend, request: &str) -> String {
    http_at(frontend.addr(), request).await
}

/// The same, of a frontend that belongs to someone else by now.
pub(crate) async fn http_at(addr: SocketAddr, request: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut tcp = TcpStream::connect(addr).await.unwrap();
    let (line, headers) = request.split_once('\n').unwrap_or((request, ""));
    let head = format!("{line} HTTP/1.1\r\nhost: {addr}\r\n{headers}connection: close\r\n\r\n");
    tcp.write_all(head.as_bytes()).await.unwrap();
    let mut response = String::new();
    timeout(DEADLINE, tcp.read_to_string(&mut response)).await.expect("a response").unwrap();
    response
}

/// Waits until something is true.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !holds().await {
        assert!(Instant::now() < end, "never happened: {what}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// A browser with one socket, without a screen.
pub(crate) struct Browser {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next_id: u64,
    /// Pushes that came while something else was waited for.
    pushes: Vec<Value>,
}

impl Browser {
    /// Connects, and says nothing yet.
    pub(crate) async fn connect(frontend: &Frontend) -> Self {
        Self::try_connect(frontend).await.expect("a socket")
    }

    pub(crate) async fn try_connect(frontend: &Frontend) -> Result<Self, SocketError> {
        Self::try_connect_at(frontend.addr()).await
    }

    pub(crate) async fn try_connect_at(addr: SocketAddr) -> Result<Self, SocketError> {
        let url = format!("ws://{addr}/ws");
        Self::try_connect_with(url.into_client_request()?).await
    }

    /// As a proxy does for a client at this address.
    pub(crate) async fn connect_for(frontend: &Frontend, client: &str) -> Self {
        let url = format!("ws://{}/ws", frontend.addr());
        let mut request = url.into_client_request().expect("a good URL");
        request.headers_mut().insert("x-forwarded-for", client.parse().expect("plain ASCII"));
        Self::try_connect_with(request).await.expect("a socket")
    }

    async fn try_connect_with(request: Upgrade) -> Result<Self, SocketError> {
        let (socket, _) = timeout(DEADLINE, connect_async(request)).await.expect("in time")?;
        Ok(Self { socket, next_id: 1, pushes: Vec::new() })
    }

    /// Connects and says hello.
    pub(crate) async fn greet(frontend: &Frontend, name: &str) -> Self {
        let mut browser = Self::connect(frontend).await;
        browser.ok("hello", json!({ "name": name })).await;
        browser
    }

    /// Only the socket, for who reads it otherwise.
    pub(crate) fn into_socket(self) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
        self.socket
    }

    pub(crate) async fn send_text(&mut self, text: String) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    pub(crate) async fn ask(&mut self, action: &str, data: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.send_text(json!({ "id": id, "action": action, "data": data }).to_string()).await;
        id
    }

    /// The answer to a request.
    pub(crate) async fn answer(&mut self, id: u64) -> Value {
        loop {
            let value = self.next().await;
            if value["id"] == id {
                return value;
            }
            assert!(value.get("push").is_some(), "an answer to something else: {value}");
            self.pushes.push(value);
        }
    }

    /// Asks, and expects a yes.
    pub(crate) async fn ok(&mut self, action: &str, data: Value) -> Value {
        let id = self.ask(action, data).await;
        let mut answer = self.answer(id).await;
        assert!(answer.get("ok").is_some(), "{action}: {answer}");
        answer["ok"].take()
    }

    /// Asks, and expects a no; its code.
    pub(crate) async fn refused(&mut self, action: &str, data: Value) -> String {
        let id = self.ask(action, data).await;
        let answer = self.answer(id).await;
        answer["refused"]["code"]
            .as_str()
            .unwrap_or_else(|| panic!("{action}: {answer}"))
            .to_owned()
    }

    /// The next push of a kind, however long ago it came.
    pub(crate) async fn push(&mut self, kind: &str) -> Value {
        loop {
            if let Some(at) = self.pushes.iter().position(|push| push["push"] == kind) {
                return self.pushes.remove(at);
            }
            let value = self.next().await;
            assert!(value.get("push").is_some(), "an answer nobody waits for: {value}");
            self.pushes.push(value);
        }
    }

    /// What has been pushed and not been asked for.
    pub(crate) fn pushed(&self) -> &[Value] {
        &self.pushes
    }

    /// The next notice: its number, its kind, and whether something was lost before it.
    pub(crate) async fn notice(&mut self) -> (u64, String, bool) {
        let push = self.push("notice").await;
        let kind = push["kind"].as_str().expect("a kind").to_owned();
        (push["number"].as_u64().expect("a number"), kind, push["resync"] == true)
    }

    /// The next view: its version, and whether it is a whole one.
    pub(crate) async fn view(&mut self) -> (u64, bool) {
        let push = self.push("view").await;
        (push["version"].as_u64().unwrap(), push["resync"] == true)
    }

    async fn next(&mut self) -> Value {
        loop {
            match timeout(DEADLINE, self.socket.next()).await.expect("something is heard") {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("the socket ended: {other:?}"),
            }
        }
    }

    /// Everything until the server closes: the texts, and how it closed.
    pub(crate) async fn until_closed(&mut self) -> (Vec<Value>, Option<CloseFrame>) {
        let mut texts = std::mem::take(&mut self.pushes);
        loop {
            match timeout(DEADLINE, self.socket.next()).await.expect("the end is heard") {
                Some(Ok(Message::Text(text))) => texts.push(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => return (texts, frame),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return (texts, None),
            }
        }
    }
}
