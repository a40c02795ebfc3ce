//! One player's conversation: pure.
//!
//! Whatever happens to a socket becomes one [`Input`]; what should happen next is
//! a list of [`Output`]s. Sockets, clocks, dice and the cluster are the caller's.
//!
//! A room has an id in here; the client knows it by its name.
//!
//! Every request is answered exactly once, unless the socket closes first: at
//! once, or when mail with its tag comes.

mod answers;
mod looks;
mod pending;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use hangraft_ids::{Lane, NoticeNumber, PlayerId, RoomId, Serial, Version};
use hangraft_proto::socket::{
    self, Action, Code, Following, LinkState, Nothing, Reply, ServerInfo, Welcome,
};

use crate::{
    client::Client,
    command::{Asked, Command, Outcome, Refusal},
    exchange::{Dice, Input, Now, Output, Premises},
    farewell::Farewell,
    mailbox::{Found, Mail, Tag},
    message::{self, BadMessage, ClientMessage, RequestId},
    names,
    pace::Pace,
    players::Paces,
    reply,
    token::Guest,
};
use answers::{accepted, refuse, send_ok};
use looks::Looks;
use pending::{Pending, Requests, Watching};

/// Rooms one socket may watch at once; one more is refused with `busy`.
const ROOMS_MAX: usize = 16;
/// Bad frames of one socket in [`STRIKES_WINDOW`] before it is closed.
const STRIKES_MAX: u32 = 20;
/// Frames refused as `too-fast` in [`STRIKES_WINDOW`] before the socket is closed.
/// Far more than an eager page that comes back with a full queue.
const HASTE_MAX: u32 = 200;
const STRIKES_WINDOW: Duration = Duration::from_secs(20);

/// One player's conversation.
#[derive(Debug)]
pub(crate) struct Session {
    premises: Arc<Premises>,
    /// Where the socket comes from.
    client: Client,
    dice: Dice,
    /// After the first `hello`.
    guest: Option<Guest>,
    /// The last serial number given out in this session's lane.
    serial: Serial,
    requests: Requests,
    watching: BTreeMap<RoomId, Watching>,
    /// The client has asked to be told in steps of rooms that it watches from now on.
    steps: bool,
    /// Whether the player's notices are heard.
    notices: Option<Watching>,
    looks: Looks,
    link: LinkState,
    /// The client was told to go to another frontend.
    moving: bool,
    strikes: Pace,
    haste: Pace,
}

impl Session {
    pub(crate) fn new(
        premises: Arc<Premises>,
        client: Client,
        dice: Dice,
        link: LinkState,
    ) -> Self {
        Self {
            premises,
            client,
            dice: Dice { lane: dice.lane.max(Lane(1)), ..dice },
            guest: None,
            serial: Serial(0),
            requests: Requests::new(),
            watching: BTreeMap::new(),
            steps: false,
            notices: None,
            looks: Looks::default(),
            link,
            moving: false,
            strikes: Pace::new(STRIKES_MAX - 1, STRIKES_WINDOW),
            haste: Pace::new(HASTE_MAX, STRIKES_WINDOW),
        }
    }

    /// Takes one thing in, and says what should happen next. `paces` are the
    /// player's, shared with their other sockets.
    pub(crate) fn on(&mut self, input: Input<'_>, now: Now, paces: &mut Paces) -> Vec<Output> {
        match input {
            Input::Frame(frame) => self.on_frame(frame, now, paces),
            Input::Binary => {
                let refusal = Refusal::new(Code::BadRequest, "frames are JSON text, not binary");
                self.strike(None, &refusal, now)
            }
            Input::Oversize => vec![Output::Bye(Farewell::OVERSIZE)],
            Input::Malformed => vec![Output::Bye(Farewell::MALFORMED)],
            Input::NotUtf8 => vec![Output::Bye(Farewell::NOT_UTF8)],
            Input::Flood => vec![Output::Bye(Farewell::HASTE)],
            Input::Mail(mail) => self.on_mail(mail),
            Input::Link(link) => self.on_link(link),
            Input::Shown(shown) => self.looks.on_shown(&shown, &mut self.requests, now),
            Input::Idle => vec![Output::Bye(Farewell::IDLE)],
            Input::Silent => vec![Output::Bye(Farewell::SILENT)],
            Input::Full => vec![Output::Bye(Farewell::FULL)],
            Input::Slow => vec![Output::Bye(Farewell::SLOW)],
            Input::Draining => self.on_draining(),
            Input::Stopping => {
                vec![Output::Bye(if self.moving { Farewell::MOVING } else { Farewell::STOPPING })]
            }
        }
    }

    fn on_frame(&mut self, frame: &str, now: Now, paces: &mut Paces) -> Vec<Output> {
        let in_time = paces.actions.take(now.instant);
        let ClientMessage { id, action, asked } = match message::parse(frame, &self.premises.names)
        {
            Ok(message) => message,
            // An old link is no nonsense, however often somebody follows it.
            Err(BadMessage { id, refusal })
                if matches!(refusal.code, Code::NoSuchRoom | Code::NoSuchOffer) =>
            {
                return if in_time {
                    refuse(id.as_ref(), &refusal)
                } else {
                    self.too_fast(id.as_ref(), now)
                };
            }
            Err(BadMessage { id, refusal }) => return self.strike(id.as_ref(), &refusal, now),
        };
        // A bot plays with whoever asks, so who brings one opens a room by themselves. A match
        // of two people needs two, who both have few offers and few tables; it ends when they
        // leave. Their own pace is enough to bound it.
        let opens = matches!(&asked, Asked::Change { wish, .. } if wish.opens());
        if !in_time || (opens && !paces.opens.take(now.instant)) {
            return self.too_fast(id.as_ref(), now);
        }
        if opens && self.guest.is_some() && !self.crowd_lets_open(now) {
            let text = "too many rooms are opened from your network; try again in a minute";
            return refuse(id.as_ref(), &Refusal::new(Code::TooFast, text));
        }
        let mut outputs = match self.on_action(id.clone(), action, asked, now) {
            Ok(outputs) => outputs,
            Err(refusal) if refusal.code == Code::BadRequest => {
                return self.strike(id.as_ref(), &refusal, now);
            }
            Err(refusal) => refuse(id.as_ref(), &refusal),
        };
        outputs.push(Output::Acted(action));
        outputs
    }

    fn on_action(
        &mut self,
        id: Option<RequestId>,
        action: Action,
        asked: Asked,
        now: Now,
    ) -> Result<Vec<Output>, Refusal> {
        match (asked, self.guest.clone()) {
            (Asked::Ping, _) => Ok(vec![send_ok(id.as_ref(), Reply::Nothing(Nothing {}))]),
            (Asked::Hello { name, token, steps }, _) => {
                let outputs = self.on_hello(id.as_ref(), name, token, now)?;
                self.steps |= steps;
                Ok(outputs)
            }
            (_, None) => Err(Refusal::new(Code::Unauthorized, "say hello first")),
            (Asked::LookUp(question), Some(_)) => {
                let tag = self.requests.expect(id, action)?;
                Ok(vec![Output::LookUp { tag, question }])
            }
            (Asked::Watch { room, since, epoch }, Some(guest)) => {
                // Of another epoch nothing is known, whatever the version.
                let since = since.filter(|_| epoch.is_none_or(|epoch| self.is_epoch(&epoch)));
                self.on_watch(id, guest.player, room, since)
            }
            (Asked::Notices { since, epoch }, Some(guest)) => {
                // Of another epoch everything is new. Before ours is known, the node will see.
                let ours = |epoch: String| self.link.epoch.is_none() || self.is_epoch(&epoch);
                let ours = epoch.is_none_or(ours);
                let since = since.map(|since| if ours { since } else { NoticeNumber(0) });
                self.on_notices(id, guest.player, since)
            }
            (Asked::Look { sight, open }, Some(_)) => {
                self.looks.on_look(id, sight, open, &mut self.requests)
            }
            (Asked::Unwatch { room }, Some(_)) => Ok(self.on_unwatch(id.as_ref(), room)),
            (Asked::Change { wish, serial }, Some(guest)) => {
                let (lane, serial) = self.attempt(serial)?;
                let tag = self.requests.expect(id, action)?;
                let Guest { player, name } = guest;
                let room = wish.shown_in();
                let shown =
                    room.is_some_and(|room| self.watching.get(&room) == Some(&Watching::On));
                let command = Box::new(Command { player, name, lane, serial, wish });
                Ok(vec![Output::Submit { tag, command, shown }])
            }
        }
    }

    /// Who is this? A token says it; without one, a new guest comes. Saying hello
    /// again may change the name, but not who one is: the views that this socket
    /// was shown are that player's.
    fn on_hello(
        &mut self,
        id: Option<&RequestId>,
        name: Option<String>,
        token: Option<String>,
        now: Now,
    ) -> Result<Vec<Output>, Refusal> {
        let unauthorized = |message| Refusal::new(Code::Unauthorized, message);
        let bearer = match &token {
            Some(token) => {
                Some((self.premises.tokens.verify(token, now.unix)).ok_or_else(|| {
                    unauthorized("that token was not made by this cluster, or is too old")
                })?)
            }
            None => None,
        };
        let known = self.guest.clone();
        if let (Some(bearer), Some(known)) = (&bearer, &known)
            && bearer.guest.player != known.player
        {
            return Err(unauthorized("this socket is another player's; open a new one"));
        }
        let name = name.map(|name| names::good_name(&name)).transpose()?.flatten();
        let first = known.is_none();
        let shown = bearer.as_ref().map(|bearer| bearer.guest.clone());
        let mut guest = match known.or(shown) {
            Some(guest) => guest,
            None if self.premises.crowd.lets_in_guest(self.client, now.instant) => self.new_guest(),
            None => {
                let text = "many new guests come from your network; try again in a minute";
                return Err(Refusal::new(Code::TooFast, text));
            }
        };
        if let Some(name) = name.or_else(|| names::good_name(&guest.name).ok().flatten()) {
            guest.name = name;
        } else {
            // In a token that was made when other names were good.
            guest.name = names::guest_name(guest.player);
        }
        let kept = bearer.as_ref().is_some_and(|bearer| bearer.is_good_for(&guest, now.unix));
        let token = match token {
            Some(token) if kept => token,
            _ => self.premises.tokens.sign(&guest, now.unix),
        };
        let reply = self.greeting(&guest, &token);
        let mut outputs = Vec::new();
        if first {
            outputs.push(Output::Enter { player: guest.player, known: bearer.is_some() });
        }
        outputs.push(send_ok(id, reply));
        self.guest = Some(guest);
        Ok(outputs)
    }

    fn is_epoch(&self, epoch: &str) -> bool {
        self.link.epoch.is_some_and(|ours| ours.to_string() == epoch)
    }

    fn crowd_lets_open(&self, now: Now) -> bool {
        self.premises.crowd.lets_open_room(self.client, now.instant)
    }

    fn on_watch(
        &mut self,
        id: Option<RequestId>,
        player: PlayerId,
        room: RoomId,
        since: Option<Version>,
    ) -> Result<Vec<Output>, Refusal> {
        match self.watching.get(&room) {
            Some(Watching::Asked(_)) => {
                return Err(Refusal::new(Code::Busy, "this watch is just beginning"));
            }
            None if self.watching.len() >= ROOMS_MAX => {
                let message =
                    format!("a socket watches at most {ROOMS_MAX} rooms; leave one first");
                return Err(Refusal::new(Code::Busy, message));
            }
            Some(Watching::On) | None => {}
        }
        let tag = self.requests.expect(id, Action::Watch)?;
        self.watching.insert(room, Watching::Asked(tag));
        Ok(vec![Output::Watch { tag, player, room, since, steps: self.steps }])
    }

    fn on_unwatch(&mut self, id: Option<&RequestId>, room: RoomId) -> Vec<Output> {
        let mut outputs = Vec::new();
        if let Some(Watching::Asked(tag)) = self.watching.remove(&room) {
            let pending = self.requests.take(tag);
            let refusal = Refusal::new(Code::BadRequest, "the room was left before it was shown");
            outputs.extend(refuse(pending.and_then(|pending| pending.id).as_ref(), &refusal));
        }
        outputs.push(Output::Unwatch { room });
        outputs.push(Output::Gone { room });
        outputs.push(send_ok(id, Reply::Nothing(Nothing {})));
        outputs
    }

    fn on_notices(
        &mut self,
        id: Option<RequestId>,
        player: PlayerId,
        since: Option<NoticeNumber>,
    ) -> Result<Vec<Output>, Refusal> {
        if let Some(Watching::Asked(_)) = self.notices {
            return Err(Refusal::new(Code::Busy, "what you are told is just being asked for"));
        }
        let tag = self.requests.expect(id, Action::Notices)?;
        self.notices = Some(Watching::Asked(tag));
        Ok(vec![Output::Follow { tag, player, since }])
    }

    fn on_mail(&mut self, mail: Mail) -> Vec<Output> {
        match mail {
            Mail::Answer { tag, outcome } => self.on_answer(tag, outcome),
            Mail::Found { tag, found } => self.on_found(tag, found),
            Mail::Watching { tag, room, version, age, missed } => {
                let Some(Pending { id, .. }) = self.requests.take(tag) else { return vec![] };
                self.watching.insert(room, Watching::On);
                let name = self.premises.names.name(room);
                let reply = send_ok(
                    id.as_ref(),
                    Reply::Watching(socket::Watching {
                        room: name.into(),
                        version,
                        age: age.as_millis() as u64,
                    }),
                );
                let here = Output::Here { room };
                [here, reply].into_iter().chain(missed.into_iter().map(Output::Send)).collect()
            }
            Mail::WatchRefused { tag, room, refusal } => {
                let Some(Pending { id, .. }) = self.requests.take(tag) else { return vec![] };
                self.watching.remove(&room);
                let mut outputs = refuse(id.as_ref(), &refusal);
                outputs.push(Output::Gone { room });
                outputs
            }
            // A room that was left (and perhaps asked for again) meanwhile.
            Mail::View { room, .. } | Mail::Closed { room, .. }
                if self.watching.get(&room) != Some(&Watching::On) =>
            {
                vec![]
            }
            Mail::View { text, .. } => vec![Output::Send(text)],
            Mail::Closed { room, text } => {
                self.watching.remove(&room);
                vec![Output::Send(text), Output::Gone { room }]
            }
            Mail::Following { tag, number, missed } => {
                let Some(Pending { id, .. }) = self.requests.take(tag) else { return vec![] };
                self.notices = Some(Watching::On);
                let reply = send_ok(id.as_ref(), Reply::Following(Following { number }));
                [reply].into_iter().chain(missed.into_iter().map(Output::Send)).collect()
            }
            Mail::FollowRefused { tag, refusal } => {
                let Some(Pending { id, .. }) = self.requests.take(tag) else { return vec![] };
                self.notices = None;
                refuse(id.as_ref(), &refusal)
            }
            // What was told before they were asked for anew comes again.
            Mail::Notice { text } if self.notices == Some(Watching::On) => {
                vec![Output::Send(text)]
            }
            Mail::Notice { .. } => vec![],
        }
    }

    fn on_found(&mut self, tag: Tag, found: Found) -> Vec<Output> {
        let Some(Pending { id, .. }) = self.requests.take(tag) else { return vec![] };
        match found {
            Ok(found) => vec![send_ok(id.as_ref(), Reply::Found(&found))],
            Err(refusal) => refuse(id.as_ref(), &refusal),
        }
    }

    fn on_answer(&mut self, tag: Tag, outcome: Outcome) -> Vec<Output> {
        let Some(Pending { id, action }) = self.requests.take(tag) else { return vec![] };
        match outcome {
            Ok(yes) => vec![send_ok(id.as_ref(), accepted(action, yes, &self.premises.names))],
            Err(refusal) => refuse(id.as_ref(), &refusal),
        }
    }

    fn on_link(&mut self, link: LinkState) -> Vec<Output> {
        if std::mem::replace(&mut self.link, link) == link {
            return vec![];
        }
        vec![Output::Send(reply::cluster(link))]
    }

    /// Said once. Nothing else changes: what is in flight is still answered here.
    fn on_draining(&mut self) -> Vec<Output> {
        if std::mem::replace(&mut self.moving, true) {
            return vec![];
        }
        vec![Output::Send(reply::bye(Farewell::MOVING))]
    }

    /// Something that makes no sense: it is said, and counted.
    fn strike(&mut self, id: Option<&RequestId>, refusal: &Refusal, now: Now) -> Vec<Output> {
        let mut outputs = refuse(id, refusal);
        if !self.strikes.take(now.instant) {
            outputs.push(Output::Bye(Farewell::ABUSE));
        }
        outputs
    }

    fn too_fast(&mut self, id: Option<&RequestId>, now: Now) -> Vec<Output> {
        let refusal = Refusal::new(Code::TooFast, "slow down a little, and send it again");
        let mut outputs = refuse(id, &refusal);
        if !self.haste.take(now.instant) {
            outputs.push(Output::Bye(Farewell::HASTE));
        }
        outputs
    }

    /// The attempt's lane and serial: the player's own, or the next of this session.
    fn attempt(&mut self, serial: Option<Serial>) -> Result<(Lane, Serial), Refusal> {
        match serial {
            Some(Serial(0)) => Err(Refusal::new(Code::BadRequest, "serials count from 1")),
            Some(serial) => Ok((Lane::OWN, serial)),
            None => {
                self.serial.0 += 1;
                Ok((self.dice.lane, self.serial))
            }
        }
    }

    fn new_guest(&self) -> Guest {
        let player = self.dice.player;
        Guest { player, name: names::guest_name(player) }
    }

    fn greeting<'a>(&'a self, guest: &'a Guest, token: &'a str) -> Reply<'a> {
        let bots = self.premises.bots.all().to_vec();
        let server = ServerInfo {
            version: env!("CARGO_PKG_VERSION").into(),
            frontends: self.premises.frontends.as_slice().into(),
            addresses: self.premises.addresses.as_slice().into(),
            cluster: self.link.state,
            leader: self.link.leader,
            epoch: self.link.epoch,
            bots: bots.into(),
        };
        let name = (&*guest.name).into();
        Reply::Welcome(Welcome { player: guest.player, name, token: token.into(), server })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use hangraft_cluster_config::{FrontendLimits, RoomNames};
    use hangraft_ids::{NodeId, OfferId, Seat};
    use hangraft_proto::socket::Epoch;
    use proptest::prelude::*;

    use super::pending::PENDING_MAX;
    use super::*;
    use crate::{
        boards::{Numbers, Seeks, Shown},
        bots::Bots,
        command::Accepted,
        crowd::Crowd,
        deck::Deck,
        token::TokenKey,
        upstream::Live,
    };

    const ROOM: RoomId = RoomId(4);
    const EPOCH: Option<Epoch> = Some(Epoch(0xe0));

    /// A session under test, at a time that stands still unless moved.
    struct Stage {
        session: Session,
        now: Now,
        paces: Paces,
    }

    fn premises(limits: &FrontendLimits) -> Arc<Premises> {
        let frontends = vec!["http://a".to_owned(), "http://b".to_owned()];
        let addresses = vec!["http://192.168.1.7:8080".to_owned()];
        let (tokens, crowd) = (TokenKey::new(&[1; 32]), Crowd::new(limits));
        let bots = Bots::default();
        Arc::new(Premises { tokens, names: names(), frontends, addresses, crowd, bots })
    }

    fn client() -> Client {
        Client::at([192, 0, 2, 1].into())
    }

    fn names() -> RoomNames {
        RoomNames::of(&hangraft_cluster_config::ClusterKey::from_bytes([7; 32]))
    }

    /// The name of a room, in quotes.
    fn name(room: RoomId) -> String {
        format!("\"{}\"", names().name(room))
    }

    /// Writes rooms' names where `"room":4` stands.
    fn with_names(frame: &str) -> String {
        let mut parts = frame.split("\"room\":");
        let mut written = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            let room = part[..digits]
                .parse()
                .map_or_else(|_| part[..digits].into(), |id| name(RoomId(id)));
            written.extend(["\"room\":", &room, &part[digits..]]);
        }
        written
    }

    impl Stage {
        fn with(limits: &FrontendLimits) -> Self {
            Self::among(premises(limits), limits)
        }

        /// Another socket of the same frontend, from the same address.
        fn among(premises: Arc<Premises>, limits: &FrontendLimits) -> Self {
            let dice = Dice { player: PlayerId(0xbeef), lane: Lane(77) };
            let session =
                Session::new(premises, client(), dice, LinkState::connected(NodeId(1), EPOCH));
            let now = Now { instant: Instant::now(), unix: 1_700_000_000 };
            Self { session, now, paces: Paces::new(limits) }
        }

        fn new() -> Self {
            Self::with(&FrontendLimits::no_pace())
        }

        fn greeted() -> Self {
            let mut stage = Self::new();
            stage.says(r#"{"action":"hello","data":{"name":"Ann"}}"#);
            stage
        }

        fn on(&mut self, input: Input<'_>) -> Vec<String> {
            let outputs = self.session.on(input, self.now, &mut self.paces);
            outputs.iter().filter_map(line).collect()
        }

        fn says(&mut self, frame: &str) -> Vec<String> {
            self.on(Input::Frame(&with_names(frame)))
        }
    }

    /// An output in a few words.
    fn line(output: &Output) -> Option<String> {
        Some(match output {
            Output::Send(text) => text.as_str().to_owned(),
            Output::Submit { tag, command, .. } => {
                let Command { player, name, lane, serial, wish } = &**command;
                format!("submit {tag:?}: {player} {name} {lane}/{serial} {wish:?}")
            }
            Output::Acted(_) | Output::Refused(_) => return None,
            Output::Here { .. } | Output::Gone { .. } => return None,
            Output::Bye(farewell) => format!("bye {} {}", farewell.code, farewell.close),
            other => format!("{other:?}"),
        })
    }

    /// `{"id":..,"refused":{"code":"..."` without the message, which may change.
    fn code(lines: &[String]) -> &str {
        let refused = lines.first().expect("there is an answer");
        refused
            .split("\"code\":\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .unwrap_or("none")
    }

    /// A guest comes, gets a token, and is the same player with it on another socket.
    #[test]
    fn a_guest_is_known_again() {
        let mut stage = Stage::new();
        let lines = stage.says(r#"{"id":1,"action":"hello"}"#);
        assert_eq!(lines[0], "Enter { player: PlayerId(48879), known: false }");
        let ok: serde_json::Value = serde_json::from_str(&lines[1]).unwrap();
        let ok = &ok["ok"];
        assert_eq!(
            (&ok["player"], &ok["name"]),
            (&"p000000000000beef".into(), &"Guest 8879".into())
        );
        assert_eq!(ok["server"]["frontends"], serde_json::json!(["http://a", "http://b"]));
        assert_eq!(ok["server"]["addresses"], serde_json::json!(["http://192.168.1.7:8080"]));
        assert_eq!(
            (&ok["server"]["cluster"], &ok["server"]["leader"]),
            (&"connected".into(), &1.into())
        );

        let mut other = Stage::new();
        other.session.dice.player = PlayerId(1);
        let hello =
            format!(r#"{{"action":"hello","data":{{"token":{},"name":" Bo "}}}}"#, ok["token"]);
        let lines = other.says(&hello);
        assert_eq!(lines[0], "Enter { player: PlayerId(48879), known: true }");
        assert!(lines[1].contains(r#""name":"Bo""#));
        // Again, with another name; it is no second arrival.
        let lines = other.says(r#"{"action":"hello","data":{"name":"Cy"}}"#);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].contains(r#""name":"Cy""#));
    }

    /// A bad token, someone else's token on this socket, and a bad name are refused;
    /// the socket stays as it was.
    #[test]
    fn nobody_becomes_somebody_else() {
        let mut stage = Stage::new();
        let bad = r#"{"action":"hello","data":{"token":"e30.AAAA"}}"#;
        assert_eq!(code(&stage.says(bad)), "unauthorized");
        stage.says(r#"{"action":"hello"}"#);
        let other = Guest { player: PlayerId(5), name: "Eve".into() };
        let token = premises(&FrontendLimits::no_pace()).tokens.sign(&other, stage.now.unix);
        let hello = format!(r#"{{"action":"hello","data":{{"token":"{token}"}}}}"#);
        assert_eq!(code(&stage.says(&hello)), "unauthorized");
        for (name, expected) in [
            ("x".repeat(25), "too-large"),
            ("a\\u202eb".to_owned(), "bad-request"),
            ("a\\nb".to_owned(), "bad-request"),
            ("\\u3164".to_owned(), "bad-request"),
            ("\\u2800 \\ufe0f".to_owned(), "bad-request"),
        ] {
            let hello = format!(r#"{{"action":"hello","data":{{"name":"{name}"}}}}"#);
            assert_eq!(code(&stage.says(&hello)), expected);
        }
        let lines = stage.says(r#"{"action":"sit","data":{"room":1}}"#);
        assert_eq!(lines, ["submit 1: p000000000000beef Guest 8879 77/1 Sit { room: RoomId(1) }"]);
    }

    /// A token that is used stays good: the same one for a day, then a newer one. One
    /// that nobody used for too long is refused, and who had it may come as a guest.
    #[test]
    fn a_token_is_renewed_by_use() {
        const DAY: u64 = 24 * 60 * 60;
        let mut stage = Stage::new();
        let hello = |stage: &mut Stage, token: &str| {
            let hello = format!(r#"{{"action":"hello","data":{{"token":"{token}"}}}}"#);
            let lines = stage.says(&hello);
            let answer: serde_json::Value = serde_json::from_str(lines.last().unwrap()).unwrap();
            answer["ok"]["token"].as_str().map(str::to_owned)
        };
        let guest = Guest { player: PlayerId(0xbeef), name: "Ann".into() };
        let first = premises(&FrontendLimits::no_pace()).tokens.sign(&guest, stage.now.unix);
        stage.now.unix += DAY - 1;
        assert_eq!(hello(&mut stage, &first).as_ref(), Some(&first));
        stage.now.unix += 1;
        let second = hello(&mut stage, &first).unwrap();
        assert_ne!(second, first);
        stage.now.unix += 400 * DAY;
        assert_eq!(hello(&mut stage, &first), None);
        assert!(hello(&mut stage, &second).is_some());
    }

    /// A family, Reza and a name in Malayalam keep their joiners; an accent that came
    /// apart from its letter comes together with it; blanks alone change nothing.
    #[test]
    fn people_are_called_what_they_are_called() {
        let mut stage = Stage::greeted();
        for (typed, shown) in [
            ("👨\u{200d}👩\u{200d}👧", "👨\u{200d}👩\u{200d}👧"),
            ("علی\u{200c}رضا", "علی\u{200c}رضا"),
            ("അവന്\u{200d}", "അവന്\u{200d}"),
            (" Cafe\u{301} ", "Café"),
            (" ", "Café"),
        ] {
            let hello = serde_json::json!({"id": 1, "action": "hello", "data": {"name": typed}});
            let lines = stage.says(&hello.to_string());
            let ok: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
            assert_eq!(ok["ok"]["name"], shown, "{}", typed.escape_unicode());
        }
    }

    /// Names were good once that are not any more; whoever comes back with one in a
    /// token is called as somebody who has not said.
    #[test]
    fn a_hidden_name_in_an_old_token_is_not_shown() {
        let old = Guest { player: PlayerId(5), name: "\u{3164}".into() };
        let mut stage = Stage::new();
        let token = premises(&FrontendLimits::no_pace()).tokens.sign(&old, stage.now.unix);
        let lines = stage.says(&format!(r#"{{"action":"hello","data":{{"token":"{token}"}}}}"#));
        assert!(lines[1].contains(r#""name":"Guest 0005""#), "{lines:?}");
    }

    /// The longest name there can be fits into a token, which is shown again.
    #[test]
    fn the_longest_name_comes_back() {
        let name = "\u{5d0}\u{5b0}\u{5bc}\u{591}\u{59c}".repeat(24);
        let name: String = name.chars().take(hangraft_text::NAME_BYTES_MAX / 2).collect();
        let mut stage = Stage::greeted();
        let hello = serde_json::json!({"id": 1, "action": "hello", "data": {"name": name}});
        let lines = stage.says(&hello.to_string());
        let ok: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
        let (token, name) = (&ok["ok"]["token"], ok["ok"]["name"].as_str().expect("a name"));
        assert!(name.len() > hangraft_text::NAME_BYTES_MAX - 20, "{}", name.len());
        let tokens = premises(&FrontendLimits::no_pace()).tokens.clone();
        let known = tokens.verify(token.as_str().expect("a token"), stage.now.unix);
        assert_eq!(known.map(|bearer| bearer.guest.name.to_string()).as_deref(), Some(name));
    }

    /// Before hello there is only hello and ping.
    #[test]
    fn hello_comes_first() {
        let mut stage = Stage::new();
        assert_eq!(stage.says(r#"{"id":1,"action":"ping"}"#), [r#"{"id":1,"ok":{}}"#]);
        for action in ["open", "rooms", "watch", "unwatch", "sit", "stand", "again", "say", "lock"]
        {
            let data = r#"{"room":1,"game":"g","text":"t","move":1,"locked":true}"#;
            let frame = format!(r#"{{"id":2,"action":"{action}","data":{data}}}"#);
            assert_eq!(code(&stage.says(&frame)), "unauthorized", "{action}");
        }
    }

    /// A change goes to the cluster with the player's serial or the session's own,
    /// and is answered in the words of its kind.
    #[test]
    fn a_change_is_numbered_and_answered() {
        let mut stage = Stage::greeted();
        let accepted = Accepted {
            room: RoomId(9),
            version: Version(4),
            seat: Some(Seat(2)),
            ..Accepted::default()
        };
        for (tag, frame, submitted, answered) in [
            (
                1,
                r#"{"id":1,"action":"open","data":{"game":"hangman"}}"#,
                r#"77/1 Open { game: "hangman", options: "", public: false }"#,
                with_names(r#"{"id":1,"ok":{"room":9}}"#),
            ),
            (
                2,
                r#"{"id":2,"action":"sit","data":{"room":9,"serial":5}}"#,
                "0/5 Sit { room: RoomId(9) }",
                r#"{"id":2,"ok":{"seat":2,"version":4}}"#.to_owned(),
            ),
            (
                3,
                r#"{"id":3,"action":"play","data":{"room":9,"move":{"letter":"e"}}}"#,
                r#"77/2 Play { room: RoomId(9), mv: "{\"letter\":\"e\"}" }"#,
                r#"{"id":3,"ok":{"version":4}}"#.to_owned(),
            ),
        ] {
            let lines = stage.says(frame);
            assert_eq!(lines, [format!("submit {tag}: p000000000000beef Ann {submitted}")]);
            let answer = Mail::Answer { tag: Tag(tag), outcome: Ok(accepted) };
            assert_eq!(stage.on(Input::Mail(answer.clone())), [answered]);
            assert_eq!(stage.on(Input::Mail(answer)), [] as [&str; 0], "answered once");
        }
        assert_eq!(
            code(&stage.says(r#"{"action":"sit","data":{"room":9,"serial":0}}"#)),
            "bad-request"
        );
    }

    /// Views come after the answer, only while the room is watched, and end with it.
    #[test]
    fn a_room_is_watched_until_it_is_left() {
        let mut stage = Stage::greeted();
        let view = |text: &str| Mail::View { room: ROOM, text: text.to_owned().into() };
        let watch = r#"{"id":1,"action":"watch","data":{"room":4,"since":2}}"#;
        assert_eq!(
            stage.says(watch),
            [
                "Watch { tag: 1, player: PlayerId(48879), room: RoomId(4), since: Some(Version(2)), steps: false }"
            ]
        );
        assert_eq!(stage.on(Input::Mail(view("early"))), [] as [&str; 0]);
        assert_eq!(code(&stage.says(watch)), "busy");
        let missed = vec!["a".to_owned().into(), "b".to_owned().into()];
        let age = Duration::from_millis(250);
        let began = Mail::Watching { tag: Tag(1), room: ROOM, version: Version(4), age, missed };
        let ok = with_names(r#"{"id":1,"ok":{"room":4,"version":4,"age":250}}"#);
        let ok = ok.as_str();
        assert_eq!(stage.on(Input::Mail(began)), [ok, "a", "b"]);
        assert_eq!(stage.on(Input::Mail(view("c"))), ["c"]);
        let unwatch = r#"{"id":2,"action":"unwatch","data":{"room":4}}"#;
        assert_eq!(stage.says(unwatch), ["Unwatch { room: RoomId(4) }", r#"{"id":2,"ok":{}}"#]);
        assert_eq!(stage.on(Input::Mail(view("late"))), [] as [&str; 0]);

        // Left before it began: both requests have their answer.
        stage.says(watch);
        let lines = stage.says(unwatch);
        assert_eq!((code(&lines), lines.len()), ("bad-request", 3));
        let began = Mail::Watching {
            tag: Tag(2),
            room: ROOM,
            version: Version(4),
            age: Duration::ZERO,
            missed: vec![],
        };
        assert_eq!(stage.on(Input::Mail(began)), [] as [&str; 0]);

        stage.says(watch);
        stage.on(Input::Mail(Mail::Watching {
            tag: Tag(3),
            room: ROOM,
            version: Version(4),
            age: Duration::ZERO,
            missed: vec![],
        }));
        let closed = Mail::Closed { room: ROOM, text: "last".to_owned().into() };
        assert_eq!(stage.on(Input::Mail(closed)), ["last"]);
        assert_eq!(stage.on(Input::Mail(view("late"))), [] as [&str; 0]);
    }

    /// A page that slept through a restore knows versions that mean nothing any more, and
    /// is shown the whole room.
    #[test]
    fn a_version_of_another_epoch_counts_for_nothing() {
        for (epoch, since) in [
            (r#","epoch":"00000000000000e0""#, "Some(Version(16))"),
            ("", "Some(Version(16))"),
            (r#","epoch":"00000000000000e1""#, "None"),
            (r#","epoch":"""#, "None"),
        ] {
            let mut stage = Stage::greeted();
            let data = format!(r#"{{"room":4,"since":16{epoch}}}"#);
            let asked = stage.says(&format!(r#"{{"action":"watch","data":{data}}}"#));
            let expected = format!(
                "Watch {{ tag: 1, player: PlayerId(48879), room: RoomId(4), since: {since}, steps: false }}"
            );
            assert_eq!(asked, [expected], "{data}");
        }
    }

    /// A player is where their socket shows a room: from the first view on, until the
    /// room is left, has left or is refused.
    #[test]
    fn a_player_is_here_while_they_look() {
        let mut stage = Stage::greeted();
        let mut places = |input: Input<'_>| -> Vec<String> {
            let outputs = stage.session.on(input, stage.now, &mut stage.paces);
            let places = outputs
                .iter()
                .filter(|output| matches!(output, Output::Here { .. } | Output::Gone { .. }));
            places.map(|place| format!("{place:?}")).collect()
        };
        let watch = with_names(r#"{"action":"watch","data":{"room":4}}"#);
        let unwatch = with_names(r#"{"action":"unwatch","data":{"room":4}}"#);
        let began = |tag| {
            let age = Duration::ZERO;
            Input::Mail(Mail::Watching {
                tag: Tag(tag),
                room: ROOM,
                version: Version(4),
                age,
                missed: vec![],
            })
        };
        assert_eq!(places(Input::Frame(&watch)), [""; 0], "nothing is shown yet");
        assert_eq!(places(began(1)), ["Here { room: RoomId(4) }"]);
        assert_eq!(places(Input::Frame(&unwatch)), ["Gone { room: RoomId(4) }"]);
        places(Input::Frame(&watch));
        places(began(2));
        let closed = Mail::Closed { room: ROOM, text: "last".to_owned().into() };
        assert_eq!(places(Input::Mail(closed)), ["Gone { room: RoomId(4) }"]);
        places(Input::Frame(&watch));
        let refusal = Refusal::new(Code::NoSuchRoom, "");
        let refused = Mail::WatchRefused { tag: Tag(3), room: ROOM, refusal };
        assert_eq!(places(Input::Mail(refused)), ["Gone { room: RoomId(4) }"]);
    }

    /// One socket may want only so much at once.
    #[test]
    fn one_socket_is_not_the_world() {
        let mut stage = Stage::greeted();
        for room in 0..ROOMS_MAX {
            stage.says(&format!(r#"{{"action":"watch","data":{{"room":{room}}}}}"#));
        }
        assert_eq!(code(&stage.says(r#"{"action":"watch","data":{"room":99}}"#)), "busy");
        for _ in ROOMS_MAX..PENDING_MAX {
            stage.says(r#"{"action":"again","data":{"room":1}}"#);
        }
        assert_eq!(code(&stage.says(r#"{"action":"again","data":{"room":1}}"#)), "busy");
        assert_eq!(stage.says(r#"{"id":1,"action":"ping"}"#), [r#"{"id":1,"ok":{}}"#]);
    }

    /// The nodes are shown to who has asked, and to nobody who has not, or has closed again.
    /// The first answer says how long ago they came to be so.
    #[test]
    fn the_nodes_are_shown_while_somebody_looks() {
        let mut stage = Stage::new();
        let open = r#"{"id":9,"action":"deck","data":{"open":true}}"#;
        let close = r#"{"id":10,"action":"deck","data":{"open":false}}"#;
        assert_eq!(code(&stage.says(open)), "unauthorized");
        stage.says(r#"{"action":"hello"}"#);
        let said = socket::Deck { leader: Some(NodeId(2)), ..socket::Deck::default() };
        let text = said.text();
        let deck = Arc::new(Deck::new(said, stage.now.instant));
        assert_eq!(stage.on(Input::Shown(Shown::Deck(deck.clone()))), [""; 0]);

        stage.now.instant += Duration::from_millis(840);
        assert_eq!(stage.says(open), ["Look { sight: Deck, open: true }"]);
        assert_eq!(code(&stage.says(open)), "busy");
        let age = r#"{"id":9,"ok":{"age":840}}"#;
        assert_eq!(stage.on(Input::Shown(Shown::Deck(deck.clone()))), [age, &*text]);
        assert_eq!(stage.on(Input::Shown(Shown::Deck(deck.clone()))), [text]);

        let closed = [r#"Look { sight: Deck, open: false }"#, r#"{"id":10,"ok":{}}"#];
        assert_eq!(stage.says(close), closed);
        assert_eq!(stage.on(Input::Shown(Shown::Deck(deck.clone()))), [""; 0]);
        // Closed before anything was shown: both are answered.
        stage.says(open);
        let lines = stage.says(close);
        assert_eq!((lines.len(), code(&lines[1..])), (3, "bad-request"));
        assert_eq!(stage.on(Input::Shown(Shown::Deck(deck))), [""; 0]);
        assert!(stage.session.requests.len() == 0);
    }

    /// Whoever looks for somebody is told of the offer, and where they play when somebody
    /// was there.
    #[test]
    fn offers_and_rooms_have_names() {
        let mut stage = Stage::greeted();
        let (offer, room) = (names().offer_name(OfferId(7)), names().name(ROOM));
        let seek = r#"{"id":1,"action":"seek","data":{"game":"nim"}}"#;
        let accept = format!(r#"{{"id":1,"action":"accept","data":{{"offer":"{offer}"}}}}"#);
        for (tag, frame, wish, at, answer) in [
            (1, seek, "Seek", RoomId(0), format!(r#"{{"id":1,"ok":{{"offer":"{offer}"}}}}"#)),
            (
                2,
                &*accept,
                "Accept { offer: OfferId(7) }",
                ROOM,
                format!(r#"{{"id":1,"ok":{{"offer":"{offer}","room":"{room}"}}}}"#),
            ),
        ] {
            let submitted = stage.says(frame);
            assert!(submitted[0].contains(wish), "{submitted:?}");
            let yes = Accepted { room: at, offer: OfferId(7), ..Accepted::default() };
            let mail = Mail::Answer { tag: Tag(tag), outcome: Ok(yes) };
            assert_eq!(stage.on(Input::Mail(mail)), [answer]);
        }
        let decline = accept.replace("accept", "decline");
        assert!(stage.says(&decline)[0].contains("Decline { offer: OfferId(7) }"));
        let mail = Mail::Answer { tag: Tag(3), outcome: Ok(Accepted::default()) };
        assert_eq!(stage.on(Input::Mail(mail)), [r#"{"id":1,"ok":{}}"#]);
        // An old link is no nonsense.
        for _ in 0..2 * STRIKES_MAX {
            let gone = r#"{"action":"accept","data":{"offer":"aaaaaaaaaaaaaaaa"}}"#;
            assert_eq!(code(&stage.says(gone)), "no-such-offer");
        }
    }

    /// What a player is told comes after the answer, and only to a socket that has asked.
    #[test]
    fn notices_are_for_who_asks() {
        let mut stage = Stage::greeted();
        let told = |text: &str| Input::Mail(Mail::Notice { text: text.to_owned().into() });
        assert_eq!(stage.on(told("early")), [""; 0]);
        let ask = r#"{"id":1,"action":"notices","data":{"since":3}}"#;
        let asked = "Follow { tag: 1, player: PlayerId(48879), since: Some(NoticeNumber(3)) }";
        assert_eq!(stage.says(ask), [asked]);
        assert_eq!(code(&stage.says(ask)), "busy");
        let missed = vec!["4".to_owned().into(), "5".to_owned().into()];
        let began = Mail::Following { tag: Tag(1), number: NoticeNumber(5), missed };
        assert_eq!(stage.on(Input::Mail(began)), [r#"{"id":1,"ok":{"number":5}}"#, "4", "5"]);
        assert_eq!(stage.on(told("6")), ["6"]);
        // Asked anew, what was on its way comes again with the answer.
        stage.says(ask);
        assert_eq!(stage.on(told("7")), [""; 0]);
        let refusal = Refusal::new(Code::NoQuorum, "");
        let refused = stage.on(Input::Mail(Mail::FollowRefused { tag: Tag(2), refusal }));
        assert_eq!(code(&refused), "no-quorum");
        assert_eq!(stage.on(told("8")), [""; 0]);
        for (epoch, since) in
            [("00000000000000e0", "Some(NoticeNumber(3))"), ("e1", "Some(NoticeNumber(0))")]
        {
            let mut stage = Stage::greeted();
            let data = format!(r#"{{"since":3,"epoch":"{epoch}"}}"#);
            let asked = stage.says(&format!(r#"{{"action":"notices","data":{data}}}"#));
            assert!(asked[0].ends_with(&format!("since: {since} }}")), "{asked:?}");
        }
    }

    /// The open seeks and the numbers are shown while they are looked at; the last hour
    /// only when it has not been seen.
    #[test]
    fn boards_are_shown_while_somebody_looks() {
        let mut stage = Stage::greeted();
        let raw = |json: &str| serde_json::value::RawValue::from_string(json.into()).unwrap();
        let live = |minutes: Option<&str>, before: Option<&Numbers>| {
            let said = Live { numbers: raw(r#"{"online":2}"#), minutes: minutes.map(raw) };
            Arc::new(Numbers::new(said, before))
        };
        let seeks = Arc::new(Seeks::new(socket::Lobby::default(), stage.now.instant));
        let first = live(Some("[[1,0]]"), None);
        let second = live(None, Some(&first));
        let shown = |shown: &Shown| Input::Shown(shown.clone());
        let [lobby, first, second] = [Shown::Lobby(seeks), Shown::Live(first), Shown::Live(second)];
        assert_eq!(stage.on(shown(&lobby)), [""; 0]);
        assert_eq!(stage.on(shown(&first)), [""; 0]);
        for sight in ["lobby", "live"] {
            let name = if sight == "lobby" { "Lobby" } else { "Live" };
            let open = format!(r#"{{"id":1,"action":"{sight}","data":{{"open":true}}}}"#);
            let look = format!("Look {{ sight: {name}, open: true }}");
            assert_eq!(stage.says(&open), [&*look, r#"{"id":1,"ok":{}}"#]);
        }
        assert_eq!(stage.on(shown(&lobby)), [r#"{"push":"lobby","seeks":[],"total":0}"#]);
        let with = r#"{"push":"live","numbers":{"online":2},"minutes":[[1,0]]}"#;
        let without = r#"{"push":"live","numbers":{"online":2}}"#;
        assert_eq!(stage.on(shown(&first)), [with]);
        assert_eq!(stage.on(shown(&second)), [without]);
        // Looking anew is looking for the first time.
        stage.says(r#"{"id":2,"action":"live","data":{"open":true}}"#);
        assert_eq!(stage.on(shown(&second)), [with]);
        stage.says(r#"{"id":3,"action":"live","data":{"open":false}}"#);
        assert_eq!(stage.on(shown(&second)), [""; 0]);
    }

    /// A bot needs no second player, so who brings one opens a room; who looks for people
    /// does not.
    #[test]
    fn bots_are_played_at_leisure() {
        let limits = FrontendLimits { rooms_per_minute: 3, ..FrontendLimits::no_pace() };
        let mut stage = Stage::with(&limits);
        stage.says(r#"{"action":"hello"}"#);
        let mut submitted =
            |frame: &str| (0..5).filter(|_| stage.says(frame)[0].starts_with("submit")).count();
        let people = r#"{"action":"seek","data":{"game":"nim"}}"#;
        let bot = r#"{"action":"seek","data":{"game":"nim","bot_after_ms":9000}}"#;
        assert_eq!((submitted(people), submitted(bot), submitted(people)), (5, 3, 5));
    }

    /// Mistakes are answered; a stream of them ends the socket.
    #[test]
    fn abuse_ends_the_socket() {
        let mut stage = Stage::greeted();
        for round in 0..3 {
            for _ in 0..STRIKES_MAX - 1 {
                assert_eq!(stage.says("{}").len(), 1, "round {round}");
            }
            stage.now.instant += 2 * STRIKES_WINDOW;
        }
        let all: Vec<_> = (0..STRIKES_MAX).flat_map(|_| stage.on(Input::Binary)).collect();
        assert_eq!(all.last().unwrap(), "bye abuse 1008");
        assert_eq!(all.iter().filter(|line| line.starts_with("bye")).count(), 1);
    }

    /// Too many actions are refused, with the id; hammering on ends the socket.
    #[test]
    fn too_fast_is_told_then_ended() {
        let mut stage = Stage::with(&FrontendLimits::default());
        let ping = r#"{"id":1,"action":"ping"}"#;
        for _ in 0..100 {
            assert_eq!(stage.says(ping), [r#"{"id":1,"ok":{}}"#]);
        }
        let refused = stage.says(ping);
        assert_eq!(code(&refused), "too-fast");
        assert!(refused[0].starts_with(r#"{"id":1,"#));
        let more: Vec<_> = (0..HASTE_MAX).flat_map(|_| stage.says(ping)).collect();
        assert_eq!(more.last().unwrap(), "bye abuse 1008");
        stage.now.instant += STRIKES_WINDOW;
        assert_eq!(stage.says(ping), [r#"{"id":1,"ok":{}}"#]);
    }

    /// Rooms may be opened less often than other things may be done.
    #[test]
    fn rooms_are_opened_at_leisure() {
        let mut stage = Stage::with(&FrontendLimits::default());
        stage.says(r#"{"action":"hello"}"#);
        let open = r#"{"action":"open","data":{"game":"hangman"}}"#;
        let opened = (0..30).filter(|_| stage.says(open)[0].starts_with("submit")).count();
        assert_eq!(opened, 20);
    }

    /// With every hello somebody may be another guest, but not at another address: so
    /// many come from there in a minute, and open so many rooms. Who has a token is no
    /// new guest.
    #[test]
    fn one_address_has_its_share_of_guests_and_rooms() {
        let limits = FrontendLimits {
            guests_per_minute_from_address: 3,
            rooms_per_minute_from_address: 5,
            ..FrontendLimits::no_pace()
        };
        let premises = premises(&limits);
        let hello = r#"{"id":1,"action":"hello"}"#;
        let open = r#"{"id":2,"action":"open","data":{"game":"hangman"}}"#;
        let socket = || Stage::among(premises.clone(), &limits);
        let mut sockets: Vec<_> = (0..3).map(|_| socket()).collect();
        let greetings: Vec<_> = sockets.iter_mut().map(|socket| socket.says(hello)).collect();
        assert!(greetings.iter().all(|lines| lines[0].starts_with("Enter")), "{greetings:?}");
        assert_eq!(code(&socket().says(hello)), "too-fast");
        let ok: serde_json::Value = serde_json::from_str(&greetings[0][1]).unwrap();
        let known = format!(r#"{{"action":"hello","data":{{"token":{}}}}}"#, ok["ok"]["token"]);
        assert!(socket().says(&known)[0].starts_with("Enter"));
        // Saying hello again is no new guest either.
        assert!(sockets[0].says(hello)[0].contains("token"));

        let opened = |socket: &mut Stage| {
            (0..3).filter(|_| socket.says(open)[0].starts_with("submit")).count()
        };
        assert_eq!(sockets.iter_mut().map(opened).collect::<Vec<_>>(), [3, 2, 0]);
        assert_eq!(code(&sockets[2].says(open)), "too-fast");
        let mut later = socket();
        later.now.instant += Duration::from_secs(60);
        later.says(hello);
        assert_eq!(opened(&mut later), 3);
    }

    /// What ends a socket from outside is said before it ends.
    #[test]
    fn every_end_has_a_reason() {
        for (input, bye) in [
            (Input::Idle, "bye idle 1000"),
            (Input::Slow, "bye slow 1013"),
            (Input::Oversize, "bye too-large 1009"),
            (Input::Stopping, "bye restarting 1012"),
        ] {
            assert_eq!(Stage::greeted().on(input), [bye]);
        }
    }

    /// A client is told once to move and served until it has; when it does not
    /// move, the close is all that is left to say.
    #[test]
    fn who_should_move_is_told_once_and_served_meanwhile() {
        let mut stage = Stage::greeted();
        stage.says(r#"{"id":1,"action":"play","data":{"room":4,"move":{},"serial":9}}"#);
        let bye = r#"{"push":"bye","code":"moving","message":"this frontend is about to stop; go on at another one"}"#;
        assert_eq!(stage.on(Input::Draining), [bye]);
        assert_eq!(stage.on(Input::Draining), [] as [&str; 0]);
        let outcome = Ok(Accepted { room: ROOM, version: Version(7), ..Accepted::default() });
        let answer = Mail::Answer { tag: Tag(1), outcome };
        assert_eq!(stage.on(Input::Mail(answer)), [r#"{"id":1,"ok":{"version":7}}"#]);
        let again = stage.says(r#"{"action":"again","data":{"room":4,"serial":10}}"#);
        assert!(again[0].starts_with("submit"), "{again:?}");
        assert_eq!(stage.on(Input::Stopping), ["bye moving 1001"]);
    }

    /// The state of the cluster is told when it changes, not when it does not.
    #[test]
    fn the_link_is_shown_honestly() {
        let mut stage = Stage::greeted();
        assert_eq!(stage.on(Input::Link(LinkState::connected(NodeId(1), EPOCH))), [] as [&str; 0]);
        let lost = r#"{"push":"cluster","state":"reconnecting","epoch":"00000000000000e0"}"#;
        assert_eq!(stage.on(Input::Link(LinkState::reconnecting(EPOCH))), [lost]);
        let found =
            r#"{"push":"cluster","state":"connected","leader":2,"epoch":"00000000000000e0"}"#;
        assert_eq!(stage.on(Input::Link(LinkState::connected(NodeId(2), EPOCH))), [found]);
    }

    proptest! {
        /// Whatever frames come, each is answered at once or has exactly one
        /// request under way; nothing panics and nothing else is sent.
        #[test]
        fn every_frame_has_one_answer(frames in prop::collection::vec(frame(), 0..60)) {
            let mut stage = Stage::greeted();
            for frame in frames {
                let before = stage.session.requests.len();
                let frame = with_names(&frame);
                let outputs = stage.session.on(Input::Frame(&frame), stage.now, &mut stage.paces);
                let sent = outputs.iter().filter(|output| matches!(output, Output::Send(_))).count();
                let after = stage.session.requests.len();
                prop_assert_eq!(sent + after, before + 1, "{}", frame);
                if outputs.iter().any(|output| matches!(output, Output::Bye(_))) {
                    break;
                }
            }
        }
    }

    /// Anything at all, and now and then something that is nearly right.
    fn frame() -> impl Strategy<Value = String> {
        let action = prop::sample::select(Action::ALL.to_vec());
        let data = prop::sample::select(vec![
            "{}",
            "null",
            "[]",
            r#"{"room":1}"#,
            r#"{"room":2,"serial":3}"#,
            r#"{"room":-1}"#,
            r#"{"room":1,"move":{}}"#,
            r#"{"game":"x"}"#,
            r#"{"room":1,"text":"hi"}"#,
            r#"{"room":1,"locked":true}"#,
            r#"{"room":1,"player":"p0000000000000001"}"#,
            r#"{"open":true}"#,
            r#"{"open":false}"#,
            r#"{"game":"x","bot_after_ms":0}"#,
            r#"{"player":"p0000000000000001","game":"x"}"#,
            r#"{"since":3}"#,
        ]);
        let nearly = (action, data)
            .prop_map(|(action, data)| format!(r#"{{"id":1,"action":"{action}","data":{data}}}"#));
        prop_oneof![1 => ".{0,80}", 4 => nearly]
    }
}
