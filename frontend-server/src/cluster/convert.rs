//! Between this crate's words and the wire's: only here and, for who is where, in
//! [`crate::command`] are both known.
//!
//! What comes from a node is checked for anything missing; what does not make
//! sense is dropped by the caller with a warning, never guessed at.

use std::time::Duration;

use bytes::Bytes;
use hangraft_cluster_config::RoomNames;
use hangraft_ids::{NodeId, NoticeNumber, OfferId, PlayerId, RoomId, Seat, Term, Version};
use hangraft_proto::{
    socket::{Bot, Code, Epoch, Listed, Listing, Lobby, Notice, NoticeKind, Offer, OfferKind},
    v1,
};
use serde_json::value::RawValue;
use tonic::{Code as GrpcCode, Status};

use super::{
    nodes::{Member, Word},
    route::Standing,
};
use crate::{
    command::{Accepted, Command, Outcome, Refusal, RoomsQuery},
    reply,
    upstream::{FollowRequest, Glance, Live, Step, Told, Update, WatchRequest},
};

pub(super) fn command(id: u64, command: &Command) -> v1::Command {
    v1::Command {
        id,
        player: command.player.0,
        lane: command.lane.0,
        serial: command.serial.0,
        action: Some(command.wish.told(&command.name)),
    }
}

/// An answer: its id, what it says, and when to come back (in milliseconds, 0 for nothing said).
pub(super) fn answer(answer: v1::Answer) -> Option<(u64, Outcome, u32)> {
    match answer.outcome? {
        v1::answer::Outcome::Accepted(yes) => Some((answer.id, Ok(accepted(yes)), 0)),
        v1::answer::Outcome::Refused(no) => {
            let wait = no.retry_after_ms;
            Some((answer.id, Err(refusal(no)), wait))
        }
    }
}

fn accepted(yes: v1::Accepted) -> Accepted {
    Accepted {
        room: RoomId(yes.room),
        version: Version(yes.version),
        seat: seat(yes.seat),
        lease_lost: yes.lease_lost,
        offer: OfferId(yes.offer),
    }
}

/// There is no table with more seats than a byte counts.
fn seat(seat: Option<u32>) -> Option<Seat> {
    seat.and_then(|seat| u8::try_from(seat).ok()).map(Seat)
}

fn refusal(refused: v1::Refused) -> Refusal {
    let code = refused.code().into();
    Refusal { forgotten: refused.forgotten, ..Refusal::new(code, refused.message) }
}

/// What a node says of itself and of its cluster.
pub(super) fn word(standing: v1::Standing) -> Word {
    Word {
        standing: Standing {
            node: NodeId(standing.node),
            leader: (standing.leader != 0).then_some(NodeId(standing.leader)),
            term: Term(standing.term),
            draining: standing.draining,
        },
        cluster: standing.cluster,
        epoch: Epoch(standing.epoch),
        members: standing.peers.into_iter().map(member).collect(),
        bots: standing.bots.into_iter().map(bot).collect(),
    }
}

fn bot(bot: v1::Bot) -> Bot {
    let v1::Bot { player, name, game, strength } = bot;
    Bot { player: PlayerId(player), name, game, strength }
}

fn member(peer: v1::Peer) -> Member {
    Member { node: NodeId(peer.node), address: peer.address, votes: peer.votes }
}

pub(super) fn watch(question: WatchRequest) -> v1::Watch {
    v1::Watch {
        room: question.room.0,
        since: question.since.map(|Version(since)| since),
        players: question.players.into_iter().map(|player| player.0).collect(),
        ask: question.number,
        steps: true,
    }
}

pub(super) fn unwatch(room: RoomId) -> v1::Unwatch {
    v1::Unwatch { room: room.0 }
}

pub(super) fn follow(question: FollowRequest) -> v1::Follow {
    let FollowRequest { player, since, number } = question;
    v1::Follow { player: player.0, since: since.map(|NoticeNumber(since)| since), ask: number }
}

pub(super) fn unfollow(player: PlayerId) -> v1::Unfollow {
    v1::Unfollow { player: player.0 }
}

pub(super) fn glance(glance: Glance) -> v1::Glance {
    v1::Glance { lobby: glance.lobby, live: glance.live }
}

/// What a player was told, with the names that browsers know.
pub(super) fn told(told: v1::Told, names: &RoomNames) -> Told {
    Told {
        player: PlayerId(told.player),
        notices: told.notices.into_iter().map(|said| notice(said, names)).collect(),
        newest: NoticeNumber(told.newest),
        resync: told.resync,
        answers: told.ask,
    }
}

fn notice(said: v1::Notice, names: &RoomNames) -> Notice {
    let kind = said.kind.parse().unwrap_or(NoticeKind::Other);
    let wanted = said.wanted.unwrap_or_default();
    let words = |text: String| Some(text).filter(|text| !text.is_empty());
    // Of a game that goes on, or is over, only its name is of use.
    let asks = matches!(kind, NoticeKind::Matched | NoticeKind::Challenged);
    Notice {
        number: NoticeNumber(said.number),
        kind,
        offer: (said.offer != 0).then(|| names.offer_name(OfferId(said.offer))),
        room: (said.room != 0).then(|| names.name(RoomId(said.room))),
        seat: seat(said.seat),
        player: (said.player != 0).then_some(PlayerId(said.player)),
        name: words(said.name),
        rating: said.rating.map(|rating| rating.points),
        provisional: said.rating.map(|rating| rating.provisional),
        bot: words(said.bot),
        options: asks.then(|| options(&wanted.options)),
        clock: asks.then_some(wanted.clock_s),
        rated: asks.then_some(wanted.rated),
        game: words(wanted.game),
        why: words(said.why),
        result: words(said.result),
        resync: false,
    }
}

/// A game's options as JSON, whatever a node says.
fn options(said: &str) -> Box<RawValue> {
    let read = RawValue::from_string(said.to_owned());
    read.unwrap_or_else(|_| RawValue::from_string("{}".to_owned()).expect("an object"))
}

/// The open seeks.
pub(super) fn seeks(seeks: v1::Seeks, names: &RoomNames) -> Lobby {
    let seek = |said| Offer { kind: None, ..offer(said, names) };
    Lobby { seeks: seeks.seeks.into_iter().map(seek).collect(), total: seeks.total }
}

/// An offer that stands.
pub(super) fn offer(said: v1::OpenOffer, names: &RoomNames) -> Offer {
    let (wanted, rating) = (said.wanted.unwrap_or_default(), said.rating.unwrap_or_default());
    Offer {
        offer: names.offer_name(OfferId(said.offer)),
        kind: Some(if said.challenge { OfferKind::Challenge } else { OfferKind::Seek }),
        player: PlayerId(said.player),
        name: said.name,
        game: wanted.game,
        options: options(&wanted.options),
        clock: wanted.clock_s,
        rated: wanted.rated,
        rating: rating.points,
        provisional: rating.provisional,
        age_ms: said.age_ms,
        whom: (said.whom != 0).then_some(PlayerId(said.whom)),
    }
}

/// The numbers; none if they are not what they should be.
pub(super) fn live(said: v1::Live) -> Option<Live> {
    let numbers = json(&said.numbers)?;
    Some(Live { numbers, minutes: json(&said.minutes) })
}

/// JSON as a node has made it; none if there is none.
pub(super) fn json(said: &[u8]) -> Option<Box<RawValue>> {
    RawValue::from_string(std::str::from_utf8(said).ok()?.to_owned()).ok()
}

/// Of which room a watch was refused, and why.
pub(super) fn watch_refused(refused: v1::WatchRefused) -> Option<(RoomId, Refusal)> {
    Some((RoomId(refused.room), refusal(refused.refused?)))
}

pub(super) fn update(update: v1::Update) -> Update {
    let private = update.private.into_iter().map(|p| (PlayerId(p.player), p.view)).collect();
    let own = |own: v1::PrivateStep| (PlayerId(own.player), step(own.step.unwrap_or_default()));
    Update {
        room: RoomId(update.room),
        version: Version(update.version),
        view: update.view,
        events: update.events,
        private,
        resync: update.resync,
        closed: update.closed,
        answers: update.ask,
        age: Duration::from_millis(update.age_ms),
        step: update.step.map(step),
        private_steps: update.private_steps.into_iter().map(own).collect(),
    }
}

/// Values are copied: what came from the node is one piece with much else, and they are kept.
fn step(said: v1::Step) -> Step {
    let field = |v1::Field { name, value }| (name.into(), Bytes::copy_from_slice(&value));
    Step {
        set: said.set.into_iter().map(field).collect(),
        unset: said.unset.into_iter().map(Into::into).collect(),
    }
}

pub(super) fn rooms_request(query: &RoomsQuery) -> v1::RoomsRequest {
    v1::RoomsRequest {
        game: query.game.clone().unwrap_or_default(),
        state: query.state.clone().unwrap_or_default(),
        after: query.after.unwrap_or_default().0,
        limit: query.limit.unwrap_or(0),
        open: query.state.is_none() && !query.all,
        private: false,
        freshness: Some(v1::Freshness { level: Some(v1::freshness::Level::Local(true)) }),
    }
}

/// A listing as browsers read it.
pub(super) fn rooms_reply(reply: v1::RoomsReply, names: &RoomNames) -> Box<RawValue> {
    let room = |summary: v1::RoomSummary| Listed {
        room: names.name(RoomId(summary.room)),
        game: summary.game,
        state: summary.state,
        players: summary.players,
        watchers: summary.watchers,
        version: Version(summary.version),
        seats: summary.seats,
        names: summary.names,
        here: summary.here,
        locked: summary.locked,
        about: RawValue::from_string(summary.about).ok(),
    };
    let rooms = reply.rooms.into_iter().map(room).collect();
    let next = (reply.next != 0).then(|| names.name(RoomId(reply.next)));
    reply::found(&Listing { rooms, next, games: reply.games })
}

/// What a status means to a player who asked for a listing.
pub(super) fn status(status: &Status) -> Refusal {
    let code = match status.code() {
        GrpcCode::InvalidArgument => Code::BadRequest,
        GrpcCode::ResourceExhausted => Code::Busy,
        GrpcCode::Unauthenticated | GrpcCode::PermissionDenied => Code::Unauthorized,
        _ => Code::NoQuorum,
    };
    let message = match code {
        Code::BadRequest => status.message(),
        _ => "the node asked could not say; try again",
    };
    Refusal::new(code, message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use hangraft_ids::{Lane, Serial};
    use hangraft_proto::socket::Wish;

    /// The names shown at the table travel with the wishes that show them.
    #[test]
    fn a_command_keeps_its_attempt_and_its_name() {
        let ours = Command {
            player: PlayerId(9),
            name: "Ann".into(),
            lane: Lane(3),
            serial: Serial(4),
            wish: Wish::Say { room: RoomId(5), text: "hi".into() },
        };
        let theirs = command(77, &ours);
        assert_eq!((theirs.id, theirs.player, theirs.lane, theirs.serial), (77, 9, 3, 4));
        let said = v1::Say { room: 5, name: "Ann".into(), text: "hi".into() };
        assert_eq!(theirs.action, Some(v1::command::Action::Say(said)));
    }

    #[test]
    fn an_answer_without_an_outcome_is_none() {
        assert_eq!(answer(v1::Answer { id: 1, outcome: None }), None);
    }

    /// A node of before names its peers without saying who of them votes.
    #[test]
    fn a_peer_may_not_say_whether_it_votes() {
        let votes = |bytes: &[u8]| {
            let peer = <v1::Peer as prost::Message>::decode(bytes).expect("a peer");
            member(peer).votes
        };
        // Field 1 is the number, 2 the address, and 3 is new.
        assert_eq!(votes(&[8, 7, 18, 1, b'x']), None);
        assert_eq!(votes(&[8, 7, 18, 1, b'x', 24, 0]), Some(false));
        assert_eq!(votes(&[8, 7, 18, 1, b'x', 24, 1]), Some(true));
    }

    /// A listing is JSON whatever a node puts into it.
    #[test]
    fn a_listing_keeps_what_the_rules_say_as_an_object() {
        let about = |about: &str| v1::RoomSummary {
            room: 1,
            about: about.into(),
            names: vec!["A\"".into()],
            ..Default::default()
        };
        let rooms = vec![about(r#"{"mode":"together"}"#), about("{broken")];
        let names = RoomNames::of(&hangraft_cluster_config::ClusterKey::from_bytes([7; 32]));
        let listing =
            rooms_reply(v1::RoomsReply { rooms, next: 0, games: vec!["chess".into()] }, &names);
        let value: serde_json::Value = serde_json::from_str(listing.get()).unwrap();
        assert_eq!(value["rooms"][0]["room"], names.name(RoomId(1)));
        assert_eq!(value["rooms"][0]["about"]["mode"], "together");
        assert_eq!(value["rooms"][0]["names"][0], "A\"");
        assert!(value["rooms"][1].get("about").is_none());
        assert!(value["next"].is_null());
        assert_eq!(value["games"], serde_json::json!(["chess"]));
    }

    proptest! {
        /// A refusal with any code becomes one we know.
        #[test]
        fn any_code_is_some_code(code in any::<i32>(), message in ".{0,20}") {
            let refused = v1::Refused { code, message: message.clone(), ..v1::Refused::default() };
            prop_assert_eq!(refusal(refused).message, message);
        }
    }
}
