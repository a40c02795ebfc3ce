//! Where domain types become wire types and back. Fails on anything missing.

use crate::events::Event;
use crate::raft::propose::ProposeError;
use crate::replica::leadership::Leadership;
use crate::replica::reads::ReadError;
use bytes::Bytes;
use hangraft_game::{
    Answer as GameAnswer, Attempt, Code as GameCode, Command as GameCommand, Entry, Finished,
    FrontendId, Lane, Notice, NoticeNumber, OfferId, OpenOffer, Other, PlayerId, Rating, Rejection,
    Room, RoomId, Serial, State, Told, Version, Wanted, bots,
};
use hangraft_ids::NodeId;
use hangraft_proto::socket;
use hangraft_proto::v1::command::Action;
use hangraft_proto::v1::{
    Accepted, Answer, Bot, Challenge, Code, Command, Event as WireEvent, Notice as WireNotice,
    OpenOffer as WireOpenOffer, Peer, Place as WirePlace, Rating as WireRating, Refused,
    RoomSummary, Seek, Seeks, Standing, Told as WireTold, Wanted as WireWanted, answer,
};
use prost::Message;

/// When a node is full it asks to be left alone for this long, in milliseconds.
pub(crate) const BUSY_RETRY_MS: u32 = 50;

/// Something that happened, as operators hear of it.
pub(crate) fn event(event: Event) -> WireEvent {
    let Event { at_ms, term, index, kind, text } = event;
    WireEvent { at_ms, term: term.0, index: index.0, kind: kind.to_owned(), text }
}

/// A command from the wire, or why it cannot be one. Until every member knows of
/// `hosts`, commands become those of before: all rooms are public and have no host, and
/// presence does not say where.
pub(crate) fn entry(command: Command, bytes_max: usize, hosts: bool) -> Result<Entry, Refused> {
    if command.encoded_len() > bytes_max {
        let why = format!("a command may have {bytes_max} bytes at most");
        return Err(refused(Code::TooLarge, why));
    }
    let action = command
        .action
        .ok_or_else(|| refused(Code::BadRequest, "the command says nothing to do".into()))?;
    let presence = matches!(action, Action::Presence(_));
    let player = PlayerId(command.player);
    if player.is_reserved() && !presence {
        let why = if command.player == 0 {
            "the command names no player"
        } else {
            "bots play by themselves"
        };
        return Err(refused(Code::BadRequest, why.into()));
    }
    let attempt = if presence {
        Attempt::NONE
    } else {
        Attempt { lane: Lane(command.lane), serial: Serial(command.serial) }
    };
    let command_of = if hosts { game_command } else { command_of_before };
    Ok(Entry { player, attempt, command: command_of(action)? })
}

/// Names and lines are made fit to be shown here, before they reach the log: no
/// frontend gets round it, and what is applied needs no table of Unicode's.
fn game_command(action: Action) -> Result<GameCommand, Refused> {
    let places = |places: Vec<WirePlace>| {
        places.into_iter().map(|place| (PlayerId(place.player), RoomId(place.room))).collect()
    };
    Ok(match action {
        Action::Open(open) => {
            GameCommand::Host { game: open.game, options: open.options, public: open.public }
        }
        Action::Sit(sit) => {
            let (name, likeness) = fit_and_likeness(&sit.name)?;
            GameCommand::Join { room: RoomId(sit.room), name, likeness }
        }
        Action::Remove(remove) => {
            GameCommand::Remove { room: RoomId(remove.room), player: PlayerId(remove.whom) }
        }
        Action::Lock(lock) => GameCommand::Lock { room: RoomId(lock.room), locked: lock.locked },
        Action::Publish(publish) => {
            GameCommand::Publish { room: RoomId(publish.room), public: publish.public }
        }
        Action::Presence(presence) if presence.by_room => GameCommand::Here {
            frontend: FrontendId(presence.frontend),
            sequence: presence.sequence,
            whole: presence.whole,
            came: places(presence.came),
            went: places(presence.went),
        },
        other => return command_of_before(other),
    })
}

/// The command as builds know it that know no hosts.
fn command_of_before(action: Action) -> Result<GameCommand, Refused> {
    let players = |ids: Vec<u64>| ids.into_iter().map(PlayerId).collect();
    Ok(match action {
        Action::Open(open) => GameCommand::Open { game: open.game, options: open.options },
        Action::Sit(sit) => GameCommand::Sit { room: RoomId(sit.room), name: fit_name(&sit.name)? },
        Action::Stand(stand) => GameCommand::Stand { room: RoomId(stand.room) },
        Action::Play(play) => GameCommand::Play { room: RoomId(play.room), mv: play.r#move },
        Action::Again(again) => GameCommand::Again { room: RoomId(again.room) },
        Action::Say(say) => GameCommand::Say {
            room: RoomId(say.room),
            name: fit_name(&say.name)?,
            text: hangraft_text::line(&say.text).map_err(unfit)?,
        },
        Action::Presence(presence) => GameCommand::Presence {
            frontend: FrontendId(presence.frontend),
            sequence: presence.sequence,
            whole: presence.whole,
            arrived: players(presence.arrived),
            departed: players(presence.departed),
        },
        Action::Remove(_) | Action::Lock(_) | Action::Publish(_) => return Err(no_hosts()),
        // Whether every member knows of matches is looked at afterwards.
        Action::Seek(seek) => seek_command(seek)?,
        Action::Challenge(challenge) => challenge_command(challenge)?,
        Action::Accept(accept) => {
            let (name, likeness) = fit_and_likeness(&accept.name)?;
            GameCommand::Accept { offer: OfferId(accept.offer), name, likeness }
        }
        Action::Decline(decline) => GameCommand::Decline { offer: OfferId(decline.offer) },
        Action::Withdraw(withdraw) => GameCommand::Withdraw { offer: OfferId(withdraw.offer) },
        Action::Resign(resign) => GameCommand::Resign { room: RoomId(resign.room) },
        Action::Draw(draw) => GameCommand::Draw { room: RoomId(draw.room), agreed: draw.agreed },
        Action::Claim(claim) => GameCommand::Claim { room: RoomId(claim.room), win: claim.win },
    })
}

fn seek_command(seek: Seek) -> Result<GameCommand, Refused> {
    let Seek { wanted: asked, name, within, bot_after_ms } = seek;
    let (name, likeness) = fit_and_likeness(&name)?;
    let wide = |_| refused(Code::BadRequest, "no two ratings are so far apart".into());
    let within = u16::try_from(within).map_err(wide)?;
    Ok(GameCommand::Seek { wanted: wanted(asked)?, name, likeness, within, bot_after_ms })
}

fn challenge_command(challenge: Challenge) -> Result<GameCommand, Refused> {
    let Challenge { whom, wanted: asked, name } = challenge;
    let (name, likeness) = fit_and_likeness(&name)?;
    let to = (whom != 0).then_some(PlayerId(whom));
    Ok(GameCommand::Challenge { to, wanted: wanted(asked)?, name, likeness })
}

/// A name as it is shown, and what it looks like.
fn fit_and_likeness(typed: &str) -> Result<(String, String), Refused> {
    let name = fit_name(typed)?;
    let likeness = hangraft_text::confusable_key(&name);
    Ok((name, likeness))
}

fn wanted(wanted: Option<WireWanted>) -> Result<Wanted, Refused> {
    let missing = || refused(Code::BadRequest, "it is not said what is to be played".into());
    let WireWanted { game, options, clock_s, rated } = wanted.ok_or_else(missing)?;
    let slow = |_| refused(Code::BadRequest, "a clock has at most 255 seconds".into());
    Ok(Wanted { game, options, clock_s: u8::try_from(clock_s).map_err(slow)?, rated })
}

fn fit_name(typed: &str) -> Result<String, Refused> {
    hangraft_text::name(typed).map_err(unfit)
}

fn unfit(unfit: hangraft_text::Unfit) -> Refused {
    let code = if unfit.is_too_long() { Code::TooLarge } else { Code::BadRequest };
    refused(code, unfit.to_string())
}

fn no_hosts() -> Refused {
    refused(Code::Unauthorized, "this room has no host: a node of the cluster is too old".into())
}

/// The lobby's answer on the wire.
pub(crate) fn answer(id: u64, answer: GameAnswer) -> Answer {
    let outcome = match answer {
        Ok(reply) => answer::Outcome::Accepted(Accepted {
            room: reply.room().map_or(0, |room| room.0),
            version: reply.version().map_or(0, |version| version.0),
            seat: reply.seat().map(|seat| seat.0.into()),
            lease_lost: matches!(reply, hangraft_game::Reply::Present { lease_lost: true }),
            offer: reply.offer().map_or(0, |offer| offer.0),
        }),
        Err(rejection) => {
            // A full lobby empties over minutes: no use in asking again at once.
            let code = code(rejection.code());
            count(code);
            let forgotten = matches!(rejection, Rejection::ForgottenAttempt { .. });
            answer::Outcome::Refused(Refused { forgotten, ..refused(code, rejection.to_string()) })
        }
    };
    Answer { id, outcome: Some(outcome) }
}

/// An answer that is a refusal.
pub(crate) fn refusal(id: u64, refused: Refused) -> Answer {
    count(refused.code());
    Answer { id, outcome: Some(answer::Outcome::Refused(refused)) }
}

/// Refusals are counted by the words that players and operators know them by.
fn count(code: Code) {
    let word = socket::Code::from(code).as_str();
    metrics::counter!("hangraft_refusals_total", "code" => word).increment(1);
}

pub(crate) fn refused(code: Code, message: String) -> Refused {
    Refused { code: code.into(), message, ..Refused::default() }
}

fn code(code: GameCode) -> Code {
    match code {
        GameCode::NoSuchRoom => Code::NoSuchRoom,
        GameCode::NotSeated => Code::NotSeated,
        GameCode::RoomFull => Code::RoomFull,
        GameCode::NotYourTurn => Code::NotYourTurn,
        GameCode::IllegalMove => Code::IllegalMove,
        GameCode::GameOver => Code::GameOver,
        GameCode::BadRequest => Code::BadRequest,
        GameCode::TooLarge => Code::TooLarge,
        GameCode::TooFast => Code::TooFast,
        GameCode::Busy => Code::Busy,
        GameCode::UnknownOutcome => Code::UnknownOutcome,
        GameCode::Unauthorized => Code::Unauthorized,
        GameCode::NoSuchOffer => Code::NoSuchOffer,
    }
}

impl From<ProposeError> for Refused {
    fn from(err: ProposeError) -> Self {
        let code = match err {
            ProposeError::NotLeader => Code::NoQuorum,
            ProposeError::Busy => Code::Busy,
            ProposeError::Unknown => Code::UnknownOutcome,
        };
        let retry_after_ms = if code == Code::Busy { BUSY_RETRY_MS } else { 0 };
        Refused { retry_after_ms, ..refused(code, err.to_string()) }
    }
}

impl From<ReadError> for tonic::Status {
    fn from(err: ReadError) -> Self {
        match err {
            ReadError::NoQuorum => tonic::Status::unavailable(err.to_string()),
            ReadError::Behind => tonic::Status::deadline_exceeded(err.to_string()),
        }
    }
}

/// Where this node stands, for frontends.
pub(crate) fn standing(
    me: NodeId,
    cluster: &str,
    leadership: &Leadership,
    draining: bool,
) -> Standing {
    let leader = leadership.leader.as_ref();
    Standing {
        node: me.0,
        cluster: cluster.to_owned(),
        leader: leader.map_or(NodeId::NONE, |(id, _)| *id).0,
        leader_address: leader.map_or_else(String::new, |(_, peer)| peer.address.to_string()),
        term: leadership.term.0,
        peers: leadership
            .members
            .iter()
            .map(|(id, member)| {
                let (address, votes) = (member.peer.address.to_string(), Some(member.votes));
                Peer { node: id.0, address, votes }
            })
            .collect(),
        draining,
        epoch: 0,
        bots: bots(),
    }
}

/// The bots that live in the lobby.
fn bots() -> Vec<Bot> {
    let told = |(player, bot): (PlayerId, hangraft_game::bots::Bot)| Bot {
        player: player.0,
        name: bot.name.to_owned(),
        game: bot.game.to_owned(),
        strength: bot.strength.as_str().to_owned(),
    };
    hangraft_game::bots::all().map(told).collect()
}

/// A live room in a list.
pub(crate) fn live_summary(room: &Room, watchers: u32) -> RoomSummary {
    let names: Vec<String> = room.players().map(|player| player.name.to_string()).collect();
    let here = room.players().filter(|player| player.online).count();
    RoomSummary {
        room: room.id().0,
        game: room.game().to_owned(),
        state: room.state().as_str().to_owned(),
        players: u32::try_from(names.len()).unwrap_or(u32::MAX),
        version: room.version().0,
        seats: room.seats_max().into(),
        about: room.about(),
        watchers,
        names,
        here: u32::try_from(here).unwrap_or(u32::MAX),
        locked: room.is_locked(),
        public: room.is_public(),
    }
}

/// An archived room in a list.
pub(crate) fn archived_summary(game: Finished) -> RoomSummary {
    RoomSummary {
        room: game.room.0,
        game: game.game,
        state: ARCHIVED.to_owned(),
        players: u32::try_from(game.names.len()).unwrap_or(u32::MAX),
        version: game.version.0,
        seats: game.seats.into(),
        about: game.about,
        watchers: 0,
        names: game.names,
        here: 0,
        locked: false,
        public: game.public,
    }
}

/// The state that asks for archived rooms instead of live ones.
pub(crate) const ARCHIVED: &str = "archived";

/// The state a list is narrowed to; `Err` for a word that is none.
pub(crate) fn state(name: &str) -> Result<Option<State>, tonic::Status> {
    if name.is_empty() {
        return Ok(None);
    }
    State::named(name).map(Some).ok_or_else(|| {
        tonic::Status::invalid_argument(format!(
            "no rooms are ever {name:?}; ask for waiting, playing, won, lost or archived"
        ))
    })
}

pub(crate) fn version(version: u64) -> Version {
    Version(version)
}

/// The last view of an archived game, as an update's view.
pub(crate) fn last_view(game: Finished) -> (u64, Bytes) {
    (game.version.0, game.view.into())
}

/// What was said last in an archived game, and of which version, as JSON.
pub(crate) fn last_history(game: &Finished) -> String {
    #[derive(serde::Deserialize)]
    struct Said<'a> {
        #[serde(borrow)]
        chat: &'a serde_json::value::RawValue,
    }
    let said = serde_json::from_str(&game.view).map_or("[]", |Said { chat }| chat.get());
    format!(r#"{{"version":{},"lines":{said}}}"#, game.version.0)
}

/// What a player was told, and which `ask` it answers; 0 for none.
pub(crate) fn told(player: PlayerId, told: Told, ask: u64) -> WireTold {
    let Told { notices, newest, resync } = told;
    let notices = notices.into_iter().map(|(number, told)| notice(number, told)).collect();
    WireTold { player: player.0, notices, newest: newest.0, resync, ask }
}

fn notice(number: NoticeNumber, notice: Notice) -> WireNotice {
    let of =
        |kind: &str| WireNotice { number: number.0, kind: kind.into(), ..WireNotice::default() };
    let between = |kind: &str, room: RoomId, game: &str, other: Other| {
        let wanted = Some(WireWanted { game: game.into(), ..WireWanted::default() });
        with_other(WireNotice { room: room.0, wanted, ..of(kind) }, other)
    };
    match notice {
        Notice::Matched { offer, room, seat, other, rating, wanted } => {
            let (seat, rating) = (Some(seat.0.into()), rating.map(wire_rating));
            let (offer, room, wanted) = (offer.0, room.0, Some(wire_wanted(wanted)));
            with_other(WireNotice { offer, room, seat, rating, wanted, ..of("matched") }, other)
        }
        Notice::Unmatched { offer, why } => {
            WireNotice { offer: offer.0, why: why.as_str().into(), ..of("unmatched") }
        }
        Notice::Challenged { offer, other, rating, wanted } => {
            let (rating, wanted) = (Some(wire_rating(rating)), Some(wire_wanted(wanted)));
            with_other(WireNotice { offer: offer.0, rating, wanted, ..of("challenged") }, other)
        }
        Notice::Unchallenged { offer } => WireNotice { offer: offer.0, ..of("unchallenged") },
        Notice::Turn { room, game, other } => between("turn", room, &game, other),
        Notice::Rematch { room, game, other } => between("rematch", room, &game, other),
        Notice::Over { room, game, other, score } => {
            let result = score.as_str().into();
            WireNotice { result, ..between("over", room, &game, other) }
        }
    }
}

fn with_other(notice: WireNotice, other: Other) -> WireNotice {
    let Other { player, name } = other;
    let bot = bots::find(player).map_or("", |bot| bot.strength.as_str()).to_owned();
    WireNotice { player: player.0, name: name.to_string(), bot, ..notice }
}

/// Open seeks as they were read, so many milliseconds ago.
pub(crate) fn seeks(offers: &[OpenOffer], total: usize, read_ago_ms: u64) -> Seeks {
    let older = |offer: &OpenOffer| {
        let age_ms = offer.age_ms.saturating_add(read_ago_ms);
        WireOpenOffer { age_ms, ..open_offer(offer.clone()) }
    };
    let total = u32::try_from(total).unwrap_or(u32::MAX);
    Seeks { seeks: offers.iter().map(older).collect(), total }
}

/// An offer that stands.
pub(crate) fn open_offer(offer: OpenOffer) -> WireOpenOffer {
    let OpenOffer { offer, player, name, wanted, rating, age_ms, challenge, to } = offer;
    WireOpenOffer {
        offer: offer.0,
        player: player.0,
        name: name.to_string(),
        wanted: Some(wire_wanted(wanted)),
        rating: Some(wire_rating(rating)),
        age_ms,
        challenge,
        whom: to.map_or(0, |whom| whom.0),
    }
}

fn wire_wanted(wanted: Wanted) -> WireWanted {
    let Wanted { game, options, clock_s, rated } = wanted;
    WireWanted { game, options, clock_s: clock_s.into(), rated }
}

fn wire_rating(rating: Rating) -> WireRating {
    let Rating { points, provisional } = rating;
    WireRating { points: points.into(), provisional }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever a frontend sends is an entry or a refusal, and never a panic.
        #[test]
        fn any_bytes_become_an_entry_or_a_refusal(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(command) = Command::decode(bytes.as_slice()) {
                let nothing = command.action.is_none();
                let entry = entry(command, 1_000, true);
                prop_assert!(!(nothing && entry.is_ok()));
            }
        }

        #[test]
        fn a_play_keeps_who_and_which_attempt(
            player in 1u64..1 << 63, lane in any::<u64>(), serial in any::<u64>(), text in ".{0,40}",
        ) {
            let play = hangraft_proto::v1::Play { room: 7, r#move: text.clone() };
            let command = Command { id: 1, player, lane, serial, action: Some(Action::Play(play)) };
            let entry = entry(command, 1_000, true).unwrap();
            prop_assert_eq!(entry.player, PlayerId(player));
            prop_assert_eq!(entry.attempt, Attempt { lane: Lane(lane), serial: Serial(serial) });
            prop_assert_eq!(entry.command, GameCommand::Play { room: RoomId(7), mv: text });
        }
    }

    /// What the lobby has forgotten is told apart from what nobody knows yet: asking
    /// again settles only the one.
    #[test]
    fn a_forgotten_answer_is_told_as_the_last_word() {
        let refused_of = |answer: Answer| match answer.outcome {
            Some(answer::Outcome::Refused(refused)) => refused,
            other => panic!("{other:?}"),
        };
        let told = refused_of(answer(1, Err(Rejection::ForgottenAttempt { serial: Serial(3) })));
        assert_eq!((told.code(), told.forgotten), (Code::UnknownOutcome, true));
        assert!(told.message.contains("asking again"), "{}", told.message);
        let unknown: Refused = ProposeError::Unknown.into();
        assert_eq!((unknown.code(), unknown.forgotten), (Code::UnknownOutcome, false));
        let over = refused_of(answer(1, Err(Rejection::GameOver)));
        assert!(!over.forgotten);
    }

    #[test]
    fn a_command_over_the_limit_is_too_large() {
        let say = hangraft_proto::v1::Say { room: 1, name: "A".into(), text: "x".repeat(2_000) };
        let command = Command { player: 1, action: Some(Action::Say(say)), ..Command::default() };
        assert_eq!(entry(command, 1_000, true).unwrap_err().code(), Code::TooLarge);
    }

    /// A frontend that looks at nothing gets no hidden name and no towering line into
    /// the log, and what it sends apart comes together.
    #[test]
    fn names_and_lines_are_made_fit_before_they_are_logged() {
        use hangraft_proto::v1::{Say, Sit};
        let taken = |action| {
            let command = Command { player: 1, action: Some(action), ..Command::default() };
            entry(command, 10_000, false)
                .map(|entry| entry.command)
                .map_err(|refused| refused.code())
        };
        let sit = |name: &str| Action::Sit(Sit { room: 7, name: name.into() });
        let say = |name: &str, text: &str| {
            Action::Say(Say { room: 7, name: name.into(), text: text.into() })
        };
        for nothing in ["", " ", "\u{3164}", "\u{2800}", "a\u{202e}b", "\u{301}"] {
            assert_eq!(taken(sit(nothing)), Err(Code::BadRequest), "{nothing:?}");
            assert_eq!(taken(say(nothing, "hello")), Err(Code::BadRequest), "{nothing:?}");
            assert_eq!(taken(say("Ann", nothing)), Err(Code::BadRequest), "{nothing:?}");
        }
        let towering = format!("x{}", "\u{301}".repeat(200));
        assert_eq!(taken(say("Ann", &towering)), Err(Code::BadRequest));
        assert_eq!(taken(sit(&"x".repeat(25))), Err(Code::TooLarge));
        assert_eq!(taken(say("Ann", &"x".repeat(501))), Err(Code::TooLarge));

        let name = "👨\u{200d}👩\u{200d}👧".to_owned();
        let sat = GameCommand::Sit { room: RoomId(7), name: name.clone() };
        assert_eq!(taken(sit(&name)), Ok(sat));
        let (name, text) = ("Zoë".to_owned(), "Café".to_owned());
        let said = GameCommand::Say { room: RoomId(7), name, text };
        assert_eq!(taken(say(" Zoe\u{308}\u{200b}", "Cafe\u{301}\n")), Ok(said));
    }

    /// Nor is one that is said for a bot: bots play by themselves.
    #[test]
    fn a_command_without_player_or_action_is_a_bad_request() {
        let again = || Some(Action::Again(hangraft_proto::v1::Again { room: 1 }));
        for command in [
            Command { player: 1, ..Command::default() },
            Command { player: 0, action: again(), ..Command::default() },
            Command { player: u64::MAX, action: again(), ..Command::default() },
        ] {
            assert_eq!(entry(command, 1_000, true).unwrap_err().code(), Code::BadRequest);
        }
    }

    /// What is asked about matches becomes what is logged, with the name as it is shown and
    /// what it looks like; and nothing that no replica could hold.
    #[test]
    fn what_is_asked_about_matches_is_what_is_logged() {
        use hangraft_proto::v1::{Accept, Claim, Decline, Draw, Resign, Withdraw};
        let taken = |action| {
            let command = Command { player: 1, action: Some(action), ..Command::default() };
            entry(command, 10_000, true)
                .map(|entry| entry.command)
                .map_err(|refused| refused.code())
        };
        let wire =
            WireWanted { game: "nim".into(), options: "{}".into(), clock_s: 30, rated: true };
        let wanted = Wanted { game: "nim".into(), options: "{}".into(), clock_s: 30, rated: true };
        let (name, likeness) = ("Zoë".to_owned(), hangraft_text::confusable_key("Zoë"));
        let seek = |clock_s: u32, within: u32, name: &str| {
            let wanted = Some(WireWanted { clock_s, ..wire.clone() });
            Action::Seek(Seek { wanted, name: name.into(), within, bot_after_ms: Some(9) })
        };
        assert_eq!(
            taken(seek(30, 200, " Zoe\u{308}")),
            Ok(GameCommand::Seek {
                wanted: wanted.clone(),
                name: name.clone(),
                likeness: likeness.clone(),
                within: 200,
                bot_after_ms: Some(9),
            })
        );
        for bad in [seek(256, 200, "Zoë"), seek(30, 1 << 16, "Zoë"), seek(30, 200, " ")] {
            assert_eq!(taken(bad), Err(Code::BadRequest));
        }
        let nothing = Seek { name: "Zoë".into(), ..Seek::default() };
        assert_eq!(taken(Action::Seek(nothing)), Err(Code::BadRequest));
        for (whom, to) in [(0, None), (7, Some(PlayerId(7)))] {
            let challenge = Challenge { whom, wanted: Some(wire.clone()), name: "Zoë".into() };
            let (wanted, name, likeness) = (wanted.clone(), name.clone(), likeness.clone());
            let logged = GameCommand::Challenge { to, wanted, name, likeness };
            assert_eq!(taken(Action::Challenge(challenge)), Ok(logged));
        }
        let (offer, room) = (OfferId(5), RoomId(6));
        for (action, logged) in [
            (
                Action::Accept(Accept { offer: 5, name: "Zoë".into() }),
                GameCommand::Accept { offer, name, likeness },
            ),
            (Action::Decline(Decline { offer: 5 }), GameCommand::Decline { offer }),
            (Action::Withdraw(Withdraw { offer: 5 }), GameCommand::Withdraw { offer }),
            (Action::Resign(Resign { room: 6 }), GameCommand::Resign { room }),
            (
                Action::Draw(Draw { room: 6, agreed: true }),
                GameCommand::Draw { room, agreed: true },
            ),
            (Action::Claim(Claim { room: 6, win: true }), GameCommand::Claim { room, win: true }),
        ] {
            assert_eq!(logged.needs(), Some(hangraft_game::Feature::Matches));
            assert_eq!(taken(action), Ok(logged));
        }
    }

    /// Who is online and looks at no room is at a place of its own, which is taken as any.
    #[test]
    fn being_online_is_a_place() {
        use hangraft_proto::v1::Presence;
        let place = WirePlace { player: 7, room: u64::MAX };
        let presence = Presence { by_room: true, came: vec![place], ..Presence::default() };
        let action = Some(Action::Presence(presence));
        let entry = entry(Command { action, ..Command::default() }, 1_000, true).unwrap();
        let GameCommand::Here { came, .. } = entry.command else { panic!("{entry:?}") };
        assert_eq!(came, [(PlayerId(7), RoomId::ONLINE)]);
    }

    /// Whatever a player is told arrives with all that belongs to it.
    #[test]
    fn what_a_player_is_told_is_told_whole() {
        use hangraft_game::{Score, Seat, Strength, Why};
        let (offer, room, game) = (OfferId(5), RoomId(6), || "nim".into());
        let other = |player| Other { player: PlayerId(player), name: "Bea".into() };
        let wanted =
            || Wanted { game: "nim".into(), options: "{}".into(), clock_s: 30, rated: true };
        let rating = Rating { points: 1_512, provisional: true };
        let bot = bots::of("tic-tac-toe", Strength::Hard).expect("there is one").0;
        let notices = [
            Notice::Matched {
                offer,
                room,
                seat: Seat(1),
                other: other(bot),
                rating: None,
                wanted: wanted(),
            },
            Notice::Unmatched { offer, why: Why::Elsewhere },
            Notice::Challenged { offer, other: other(9), rating, wanted: wanted() },
            Notice::Unchallenged { offer },
            Notice::Turn { room, game: game(), other: other(9) },
            Notice::Rematch { room, game: game(), other: other(9) },
            Notice::Over { room, game: game(), other: other(9), score: Score::Drawn },
        ];
        let notices = (3..).map(NoticeNumber).zip(notices).collect();
        let told = told(PlayerId(7), Told { notices, newest: NoticeNumber(9), resync: true }, 4);
        assert_eq!((told.player, told.newest, told.resync, told.ask), (7, 9, true, 4));
        let lines: Vec<String> = told.notices.iter().map(line).collect();
        assert_eq!(
            lines,
            [
                format!("3 matched offer=5 room=6 seat=1 {bot} Bea bot=hard nim{{}}30rated"),
                "4 unmatched offer=5 why=elsewhere".into(),
                "5 challenged offer=5 9 Bea 1512? nim{}30rated".into(),
                "6 unchallenged offer=5".into(),
                "7 turn room=6 9 Bea nim".into(),
                "8 rematch room=6 9 Bea nim".into(),
                "9 over room=6 9 Bea nim result=draw".into(),
            ]
        );
    }

    /// All that is said in a notice, in a line.
    fn line(notice: &WireNotice) -> String {
        let mut words = vec![notice.number.to_string(), notice.kind.clone()];
        let mut say = |is: bool, word: String| words.extend(is.then_some(word));
        say(notice.offer != 0, format!("offer={}", notice.offer));
        say(notice.room != 0, format!("room={}", notice.room));
        say(notice.seat.is_some(), format!("seat={}", notice.seat.unwrap_or(0)));
        say(notice.player != 0, format!("{} {}", notice.player, notice.name));
        say(!notice.bot.is_empty(), format!("bot={}", notice.bot));
        if let Some(WireRating { points, provisional }) = notice.rating {
            say(true, format!("{points}{}", if provisional { "?" } else { "" }));
        }
        if let Some(WireWanted { game, options, clock_s, rated }) = notice.wanted.clone() {
            let rest = format!("{options}{clock_s}{}", if rated { "rated" } else { "" });
            say(true, format!("{game}{}", rest.strip_suffix('0').unwrap_or(&rest)));
        }
        say(!notice.why.is_empty(), format!("why={}", notice.why));
        say(!notice.result.is_empty(), format!("result={}", notice.result));
        words.join(" ")
    }

    /// Open seeks that were read a while ago are that much older now.
    #[test]
    fn open_seeks_grow_older() {
        let offer = |number, age_ms| OpenOffer {
            offer: OfferId(number),
            player: PlayerId(7),
            name: "Ann".into(),
            wanted: Wanted { game: "nim".into(), options: String::new(), clock_s: 0, rated: false },
            rating: Rating { points: 1_500, provisional: true },
            age_ms,
            challenge: number == 2,
            to: (number == 2).then_some(PlayerId(8)),
        };
        let seeks = seeks(&[offer(2, 10), offer(1, 500)], 90, 40);
        let seen: Vec<_> =
            seeks.seeks.iter().map(|o| (o.offer, o.age_ms, o.challenge, o.whom)).collect();
        assert_eq!((seen, seeks.total), (vec![(2, 50, true, 8), (1, 540, false, 0)], 90));
    }
}
