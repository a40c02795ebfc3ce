//! Where domain types become wire types and back. Fails on anything missing.

use crate::events::Event;
use crate::raft::propose::ProposeError;
use crate::replica::leadership::Leadership;
use crate::replica::reads::ReadError;
use bytes::Bytes;
use hangraft_game::{
    Answer as GameAnswer, Attempt, Code as GameCode, Command as GameCommand, Entry, Finished,
    FrontendId, Lane, OfferId, PlayerId, Rejection, Room, RoomId, Serial, State, Version, Wanted,
};
use hangraft_ids::NodeId;
use hangraft_proto::socket;
use hangraft_proto::v1::command::Action;
use hangraft_proto::v1::{
    Accepted, Answer, Bot, Code, Command, Event as WireEvent, Peer, Place as WirePlace, Refused,
    RoomSummary, Standing, Wanted as WireWanted, answer,
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
    if command.player == 0 && !presence {
        return Err(refused(Code::BadRequest, "the command names no player".into()));
    }
    let attempt = if presence {
        Attempt::NONE
    } else {
        Attempt { lane: Lane(command.lane), serial: Serial(command.serial) }
    };
    let command_of = if hosts { game_command } else { command_of_before };
    Ok(Entry { player: PlayerId(command.player), attempt, command: command_of(action)? })
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
        Action::Seek(seek) => {
            let (name, likeness) = fit_and_likeness(&seek.name)?;
            let wanted = wanted(seek.wanted)?;
            let within = u16::try_from(seek.within).map_err(|_| too_wide())?;
            GameCommand::Seek { wanted, name, likeness, within, bot_after_ms: seek.bot_after_ms }
        }
        Action::Challenge(challenge) => {
            let (name, likeness) = fit_and_likeness(&challenge.name)?;
            let to = (challenge.whom != 0).then_some(PlayerId(challenge.whom));
            GameCommand::Challenge { to, wanted: wanted(challenge.wanted)?, name, likeness }
        }
        Action::Accept(accept) => {
            let (name, likeness) = fit_and_likeness(&accept.name)?;
            GameCommand::Accept { offer: OfferId(accept.offer), name, likeness }
        }
        Action::Decline(decline) => GameCommand::Decline { offer: OfferId(decline.offer) },
        Action::Withdraw(withdraw) => GameCommand::Withdraw { offer: OfferId(withdraw.offer) },
        Action::Resign(resign) => GameCommand::Resign { room: RoomId(resign.room) },
        Action::Draw(draw) => GameCommand::Draw { room: RoomId(draw.room), agreed: draw.agreed },
        Action::Claim(claim) => GameCommand::Claim { room: RoomId(claim.room), win: claim.win },
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
        Action::Seek(_)
        | Action::Challenge(_)
        | Action::Accept(_)
        | Action::Decline(_)
        | Action::Withdraw(_)
        | Action::Resign(_)
        | Action::Draw(_)
        | Action::Claim(_) => {
            return Err(refused(Code::BadRequest, "a node of the cluster is too old".into()));
        }
    })
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

fn too_wide() -> Refused {
    refused(Code::BadRequest, "no two ratings are so far apart".into())
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
            player in 1u64.., lane in any::<u64>(), serial in any::<u64>(), text in ".{0,40}",
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

    #[test]
    fn a_command_without_player_or_action_is_a_bad_request() {
        let again = Action::Again(hangraft_proto::v1::Again { room: 1 });
        for command in [
            Command { player: 1, ..Command::default() },
            Command { player: 0, action: Some(again), ..Command::default() },
        ] {
            assert_eq!(entry(command, 1_000, true).unwrap_err().code(), Code::BadRequest);
        }
    }
}
