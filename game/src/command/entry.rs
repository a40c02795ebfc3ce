//! Who wishes for what: commands, and which attempt of whom each is.

use serde::{Deserialize, Serialize};

use super::feature::Feature;
use hangraft_ids::{FrontendId, Lane, OfferId, PlayerId, RoomId, Serial};

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
