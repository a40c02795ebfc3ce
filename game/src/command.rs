//! What can be asked of the lobby, and how it lies in the log.
//!
//! The log carries wishes, never results. A [`Batch`] is what one log entry
//! holds: many players' [`Entry`]s under one [`Stamp`].

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest;
use hangraft_ids::{FrontendId, Lane, OfferId, PlayerId, RoomId, Serial};

/// The first byte of an encoded batch whose leader told only its wall clock.
const FORMAT_WITH_CLOCK: u8 = 1;

/// The first byte of an encoded batch whose leader measured how much time passes.
const FORMAT_MEASURED: u8 = 2;

/// The first byte of one that is of the edition of matches; otherwise as the one before. The
/// next number when the form changes in a way that older builds would misread.
const FORMAT_MATCHES: u8 = 3;

/// When and with what chance a batch happens; stamped once by the leader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// The leader's wall clock, in milliseconds since 1970. A date to show; clocks of
    /// two leaders are not comparable.
    pub at_ms: u64,
    /// Where every draw in this batch comes from.
    pub seed: u64,
    /// How much time the batch lets pass, in milliseconds: what its leader measured
    /// since the batch before. None in batches that older builds wrote, which let pass
    /// what their wall clocks differ by.
    pub passed_ms: Option<u64>,
    /// Every member knew of matches when the batch was written. Only with measured time.
    pub matches: bool,
}

/// By which rules the lobby takes a batch. What a batch means never changes: replicas of
/// two builds apply the same log, and a log is applied again after a restart. A change
/// of what a command does, or time, therefore begins an edition, and a format of batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Edition {
    /// Of batches without measured time.
    First,
    /// Of batches with measured time: rooms in which nobody is leave soon, words are
    /// composed and tidied whole, names and lines are only bounded, and a word that
    /// cannot be right costs nothing.
    Second,
    /// Of batches that every member knows of matches: games and moves are counted, players
    /// are told things, and strangers meet.
    Third,
}

impl Stamp {
    /// The rules that the batch was logged under.
    pub(crate) fn edition(self) -> Edition {
        match (self.passed_ms, self.matches) {
            (None, _) => Edition::First,
            (Some(_), false) => Edition::Second,
            (Some(_), true) => Edition::Third,
        }
    }
}

/// Which of a player's attempts an entry is. The same player, lane and serial
/// has one effect, however often it comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// A counter of its own: 0 is the player's, others belong to a frontend's
    /// session that numbers for the player.
    pub lane: Lane,
    /// Counts up within the lane, from 1.
    pub serial: Serial,
}

impl Attempt {
    /// Not numbered: for presence, which has a sequence of its own.
    pub const NONE: Attempt = Attempt { lane: Lane::OWN, serial: Serial(0) };
}

/// A command with who and which attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Who wishes. Not used by presence.
    pub player: PlayerId,
    /// Which attempt this is.
    pub attempt: Attempt,
    /// The wish.
    pub command: Command,
}

impl Entry {
    /// About how many bytes it takes in a batch.
    pub fn bytes_about(&self) -> usize {
        const FIXED: usize = 32;
        FIXED
            + match &self.command {
                Command::Open { game, options } => game.len() + options.len(),
                Command::Sit { name, .. } => name.len(),
                Command::Play { mv, .. } => mv.len(),
                Command::Say { name, text, .. } => name.len() + text.len(),
                Command::Presence { arrived, departed, .. } => {
                    10 * (arrived.len() + departed.len())
                }
                Command::Host { game, options, .. } => game.len() + options.len(),
                Command::Join { name, likeness, .. } => name.len() + likeness.len(),
                Command::Here { came, went, .. } => 15 * (came.len() + went.len()),
                Command::Stand { .. }
                | Command::Again { .. }
                | Command::Remove { .. }
                | Command::Lock { .. }
                | Command::Publish { .. }
                | Command::Decline { .. }
                | Command::Withdraw { .. }
                | Command::Resign { .. }
                | Command::Draw { .. }
                | Command::Claim { .. } => 0,
                Command::Seek { wanted, name, likeness, .. }
                | Command::Challenge { wanted, name, likeness, .. } => {
                    wanted.game.len() + wanted.options.len() + name.len() + likeness.len()
                }
                Command::Accept { name, likeness, .. } => name.len() + likeness.len(),
            }
    }
}

/// A wish to change the lobby. New kinds are added at the end: the place is
/// what the log stores.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Opens a room.
    Open {
        /// The rules' name.
        game: String,
        /// A JSON object the rules understand; empty for none.
        options: String,
    },
    /// Takes the lowest free seat.
    Sit {
        /// Where.
        room: RoomId,
        /// The name to show at the table.
        name: String,
    },
    /// Leaves the table.
    Stand {
        /// Where.
        room: RoomId,
    },
    /// Makes a move.
    Play {
        /// Where.
        room: RoomId,
        /// The move as JSON the rules understand. May hold a secret: never printed.
        mv: String,
    },
    /// Asks for a new round.
    Again {
        /// Where.
        room: RoomId,
    },
    /// Says something to the room, seated or not.
    Say {
        /// Where.
        room: RoomId,
        /// The name to show with it.
        name: String,
        /// What is said.
        text: String,
    },
    /// A frontend tells who is online there, and renews its lease.
    Presence {
        /// Which frontend.
        frontend: FrontendId,
        /// Counts up within a frontend.
        sequence: u64,
        /// The lists are the whole truth, not a change.
        whole: bool,
        /// Who came.
        arrived: Vec<PlayerId>,
        /// Who went.
        departed: Vec<PlayerId>,
    },
    /// Opens a room whose host the player is. This and what follows may come into the
    /// log only when every replica knows it.
    Host {
        /// The rules' name.
        game: String,
        /// A JSON object the rules understand; empty for none.
        options: String,
        /// Strangers may find the room.
        public: bool,
    },
    /// Takes a seat: the lowest that nobody has, or one whose player is long away.
    Join {
        /// Where.
        room: RoomId,
        /// The name to show at the table.
        name: String,
        /// What the name looks like: equal for names that people take for each other.
        /// Made by whoever proposes this, so that the lobby depends on no table of
        /// Unicode's.
        likeness: String,
    },
    /// The host takes a player from the table, who may not come back to it.
    Remove {
        /// Where.
        room: RoomId,
        /// Whom.
        player: PlayerId,
    },
    /// The host lets nobody new sit down, or somebody again.
    Lock {
        /// Where.
        room: RoomId,
        /// Nobody.
        locked: bool,
    },
    /// A frontend tells who is where: which player looks at which room through a live
    /// socket. It renews its lease by that.
    Here {
        /// Which frontend.
        frontend: FrontendId,
        /// Counts up within a frontend.
        sequence: u64,
        /// The lists are the whole truth, not a change.
        whole: bool,
        /// Who came where.
        came: Vec<Place>,
        /// Who went from where.
        went: Vec<Place>,
    },
    /// The host lets strangers find the room, or nobody any more.
    Publish {
        /// Where.
        room: RoomId,
        /// They find it.
        public: bool,
    },
    /// Wants to play with somebody: whoever seeks the same and suits, at once, or whoever
    /// comes. This and what follows may come into the log only when every replica knows of
    /// matches.
    Seek {
        /// What is to be played.
        wanted: Wanted,
        /// The name to show at the table.
        name: String,
        /// What the name looks like, as in [`Command::Join`].
        likeness: String,
        /// How far the other's rating may be from one's own; 0 for anybody.
        within: u16,
        /// When nobody has come after so long, a bot plays. None: never.
        bot_after_ms: Option<u32>,
    },
    /// Asks a certain player for a game; a bot plays at once.
    Challenge {
        /// Whom; none for whoever is told of the offer.
        to: Option<PlayerId>,
        /// What is to be played.
        wanted: Wanted,
        /// The name to show at the table.
        name: String,
        /// What the name looks like, as in [`Command::Join`].
        likeness: String,
    },
    /// Takes an open seek, or accepts a challenge.
    Accept {
        /// Which.
        offer: OfferId,
        /// The name to show at the table.
        name: String,
        /// What the name looks like, as in [`Command::Join`].
        likeness: String,
    },
    /// Who was challenged does not want to play.
    Decline {
        /// Which challenge.
        offer: OfferId,
    },
    /// Whose offer it is takes it back.
    Withdraw {
        /// Which.
        offer: OfferId,
    },
    /// Gives up the round of a match.
    Resign {
        /// Where.
        room: RoomId,
    },
    /// Offers a draw in a match, agrees to the other's, or declines it.
    Draw {
        /// Where.
        room: RoomId,
        /// Offers or agrees; otherwise declines.
        agreed: bool,
    },
    /// Ends a match whose other player has been gone for long.
    Claim {
        /// Where.
        room: RoomId,
        /// The win; otherwise a draw.
        win: bool,
    },
}

/// What somebody wants to play.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Wanted {
    /// The rules' name.
    pub game: String,
    /// A JSON object the rules understand; empty for none.
    pub options: String,
    /// Seconds for a move; 0 for as long as one likes.
    pub clock_s: u8,
    /// Whether it counts for the ratings.
    pub rated: bool,
}

/// A player in a room, seated or not.
pub type Place = (PlayerId, RoomId);

/// What one log entry carries. An empty batch is a tick: time passes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// When, and with what chance.
    pub stamp: Stamp,
    /// The wishes, in order.
    pub entries: Vec<Entry>,
}

impl Command {
    /// The room that is asked; [`RoomId`] 0, which is no room's, for what the lobby is asked.
    pub(crate) fn room(&self) -> RoomId {
        match self {
            Command::Sit { room, .. }
            | Command::Join { room, .. }
            | Command::Stand { room }
            | Command::Play { room, .. }
            | Command::Again { room }
            | Command::Say { room, .. }
            | Command::Remove { room, .. }
            | Command::Lock { room, .. }
            | Command::Publish { room, .. }
            | Command::Resign { room }
            | Command::Draw { room, .. }
            | Command::Claim { room, .. } => *room,
            Command::Open { .. }
            | Command::Host { .. }
            | Command::Seek { .. }
            | Command::Challenge { .. }
            | Command::Accept { .. }
            | Command::Decline { .. }
            | Command::Withdraw { .. }
            | Command::Presence { .. }
            | Command::Here { .. } => RoomId(0),
        }
    }

    /// What every member must know before this may be logged.
    pub fn needs(&self) -> Option<Feature> {
        match self {
            Command::Open { game, .. } | Command::Host { game, .. } => {
                Some(Feature::Game(game.clone()))
            }
            Command::Join { .. }
            | Command::Remove { .. }
            | Command::Lock { .. }
            | Command::Here { .. } => Some(Feature::Hosts),
            Command::Publish { .. } => Some(Feature::Publish),
            Command::Seek { .. }
            | Command::Challenge { .. }
            | Command::Accept { .. }
            | Command::Decline { .. }
            | Command::Withdraw { .. }
            | Command::Resign { .. }
            | Command::Draw { .. }
            | Command::Claim { .. } => Some(Feature::Matches),
            Command::Sit { .. }
            | Command::Stand { .. }
            | Command::Play { .. }
            | Command::Again { .. }
            | Command::Say { .. }
            | Command::Presence { .. } => None,
        }
    }
}

/// Something that may come into the log only when every member knows it: a build that
/// does not would stop there. Gossip, the log and operators know it by its name, as it is
/// displayed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// A game.
    Game(String),
    /// Batches that say how much time passes, and the lobby's rules of their time: all
    /// that came with them, commands too, is used from the first such batch on.
    MeasuredTime,
    /// That rooms have hosts, and presence is by room: commands, answers and stored forms.
    Hosts,
    /// That a host opens a room to strangers, or closes it, while it is there.
    Publish,
    /// That strangers meet: offers, notices, contests, ratings, numbers, and batches that
    /// say that all of these are there.
    Matches,
}

impl Feature {
    /// All but the games.
    pub const REST: [Feature; 4] =
        [Feature::MeasuredTime, Feature::Hosts, Feature::Publish, Feature::Matches];
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Feature::Game(game) => write!(f, "game:{game}"),
            Feature::MeasuredTime => f.write_str("batch:2"),
            Feature::Hosts => f.write_str("rooms:hosts"),
            Feature::Publish => f.write_str("rooms:publish"),
            Feature::Matches => f.write_str("lobby:matches"),
        }
    }
}

impl Batch {
    /// The batch as it lies in the log: a format byte, then its postcard form.
    pub fn encode(&self) -> Vec<u8> {
        let Stamp { at_ms, seed, passed_ms, matches } = self.stamp;
        let mut bytes = Vec::new();
        match passed_ms {
            None => {
                bytes.push(FORMAT_WITH_CLOCK);
                digest::write(&(at_ms, seed, &self.entries), &mut bytes);
            }
            Some(passed_ms) => {
                bytes.push(if matches { FORMAT_MATCHES } else { FORMAT_MEASURED });
                digest::write(&(at_ms, seed, passed_ms, &self.entries), &mut bytes);
            }
        }
        bytes
    }

    /// The batch that `bytes` hold.
    ///
    /// # Errors
    ///
    /// A replica that gets one of these cannot follow the log and must stop.
    pub fn decode(bytes: &[u8]) -> Result<Batch, Undecodable> {
        if bytes.first() == Some(&FORMAT_WITH_CLOCK) {
            let (at_ms, seed, entries) = decode_with(FORMAT_WITH_CLOCK, bytes)?;
            let stamp = Stamp { at_ms, seed, passed_ms: None, matches: false };
            return Ok(Batch { stamp, entries });
        }
        let matches = bytes.first() != Some(&FORMAT_MEASURED);
        let format = if matches { FORMAT_MATCHES } else { FORMAT_MEASURED };
        let (at_ms, seed, passed_ms, entries) = decode_with(format, bytes)?;
        let stamp = Stamp { at_ms, seed, passed_ms: Some(passed_ms), matches };
        Ok(Batch { stamp, entries })
    }
}

/// Why bytes are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    /// No bytes at all.
    #[error("there are no bytes to decode")]
    Empty,
    /// Written by a build that knows more than this one.
    #[error("the bytes have format {found}; this build reads formats up to {known}")]
    Format {
        /// The format they say they have.
        found: u8,
        /// The newest format this build reads.
        known: u8,
    },
    /// The right format, but not its content.
    #[error("the bytes are damaged")]
    Damaged(#[source] postcard::Error),
    /// More bytes than the value needs.
    #[error("{0} bytes are left over after the end")]
    LeftOver(usize),
}

/// Reads a format byte and the postcard form behind it.
pub(crate) fn decode_with<'a, T: Deserialize<'a>>(
    known: u8,
    bytes: &'a [u8],
) -> Result<T, Undecodable> {
    let (&found, body) = bytes.split_first().ok_or(Undecodable::Empty)?;
    if found != known {
        return Err(Undecodable::Format { found, known });
    }
    let (value, rest) = postcard::take_from_bytes(body).map_err(Undecodable::Damaged)?;
    if rest.is_empty() { Ok(value) } else { Err(Undecodable::LeftOver(rest.len())) }
}

/// Prints what is asked, but neither moves nor chat: a move may hold a secret,
/// and what people say to each other is theirs.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Command::Open { game, options } => {
                f.debug_struct("Open").field("game", game).field("options", options).finish()
            }
            Command::Sit { room, name } => {
                f.debug_struct("Sit").field("room", room).field("name", name).finish()
            }
            Command::Stand { room } => f.debug_struct("Stand").field("room", room).finish(),
            Command::Play { room, .. } => {
                f.debug_struct("Play").field("room", room).finish_non_exhaustive()
            }
            Command::Again { room } => f.debug_struct("Again").field("room", room).finish(),
            Command::Say { room, name, .. } => f
                .debug_struct("Say")
                .field("room", room)
                .field("name", name)
                .finish_non_exhaustive(),
            Command::Presence { frontend, sequence, whole, arrived, departed } => f
                .debug_struct("Presence")
                .field("frontend", frontend)
                .field("sequence", sequence)
                .field("whole", whole)
                .field("arrived", &arrived.len())
                .field("departed", &departed.len())
                .finish(),
            Command::Host { game, options, public } => f
                .debug_struct("Host")
                .field("game", game)
                .field("options", options)
                .field("public", public)
                .finish(),
            Command::Join { room, name, .. } => {
                f.debug_struct("Join").field("room", room).field("name", name).finish()
            }
            Command::Remove { room, player } => {
                f.debug_struct("Remove").field("room", room).field("player", player).finish()
            }
            Command::Lock { room, locked } => {
                f.debug_struct("Lock").field("room", room).field("locked", locked).finish()
            }
            Command::Publish { room, public } => {
                f.debug_struct("Publish").field("room", room).field("public", public).finish()
            }
            Command::Here { frontend, sequence, whole, came, went } => f
                .debug_struct("Here")
                .field("frontend", frontend)
                .field("sequence", sequence)
                .field("whole", whole)
                .field("came", &came.len())
                .field("went", &went.len())
                .finish(),
            Command::Seek { wanted, name, within, bot_after_ms, .. } => f
                .debug_struct("Seek")
                .field("wanted", wanted)
                .field("name", name)
                .field("within", within)
                .field("bot_after_ms", bot_after_ms)
                .finish(),
            Command::Challenge { to, wanted, name, .. } => f
                .debug_struct("Challenge")
                .field("to", to)
                .field("wanted", wanted)
                .field("name", name)
                .finish(),
            Command::Accept { offer, name, .. } => {
                f.debug_struct("Accept").field("offer", offer).field("name", name).finish()
            }
            Command::Decline { offer } => f.debug_struct("Decline").field("offer", offer).finish(),
            Command::Withdraw { offer } => {
                f.debug_struct("Withdraw").field("offer", offer).finish()
            }
            Command::Resign { room } => f.debug_struct("Resign").field("room", room).finish(),
            Command::Draw { room, agreed } => {
                f.debug_struct("Draw").field("room", room).field("agreed", agreed).finish()
            }
            Command::Claim { room, win } => {
                f.debug_struct("Claim").field("room", room).field("win", win).finish()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Batch {
        let command = Command::Play { room: RoomId(3), mv: r#"{"secret":"owl"}"#.into() };
        let attempt = Attempt { lane: Lane::OWN, serial: Serial(1) };
        Batch {
            stamp: Stamp { at_ms: 5, seed: 6, passed_ms: Some(7), matches: false },
            entries: vec![Entry { player: PlayerId(1), attempt, command }],
        }
    }

    #[test]
    fn a_batch_comes_back_as_it_went() {
        let mut batch = batch();
        for (passed_ms, matches, format) in
            [(Some(7), false, 2), (Some(u64::MAX), false, 2), (None, false, 1), (Some(7), true, 3)]
        {
            batch.stamp = Stamp { passed_ms, matches, ..batch.stamp };
            let bytes = batch.encode();
            assert_eq!((Batch::decode(&bytes), bytes[0]), (Ok(batch.clone()), format));
        }
    }

    #[test]
    fn other_bytes_are_refused_in_words() {
        assert_eq!(Batch::decode(&[]), Err(Undecodable::Empty));
        let mut bytes = batch().encode();
        bytes.push(0);
        assert_eq!(Batch::decode(&bytes), Err(Undecodable::LeftOver(1)));
        assert!(matches!(Batch::decode(&bytes[..9]), Err(Undecodable::Damaged(_))));
        bytes[0] = 9;
        let err = Batch::decode(&bytes).expect_err("another format");
        assert_eq!(err.to_string(), "the bytes have format 9; this build reads formats up to 3");
    }

    #[test]
    fn a_printed_command_keeps_its_secret() {
        assert!(!format!("{:?}", batch()).contains("owl"));
    }
}
