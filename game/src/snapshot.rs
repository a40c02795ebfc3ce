//! Snapshots: a lobby as bytes, made beside play.
//!
//! ```text
//! format: u8, 1 to 3, then frames until the last, then nothing
//! frame:  length: u32 little-endian, then that many bytes of a Part (postcard)
//! ```
//!
//! Format 2 holds parts that format 1 does not know: rooms' terms, and presence by
//! room. Format 3 holds what came with matches: offers, notices, ratings, numbers and
//! rooms' contests. A lobby without any of these is still written in the format before,
//! which is what a cluster has until all its members know the other.
//!
//! The first part is the head, the last is the end, which carries the hash of
//! the lobby that was frozen. Whoever restores computes the hash anew from
//! what came out and compares: a snapshot is taken whole or not at all.

use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::attempts::{FrozenAttempts, StoredLane};
use crate::chat::{Chat, StoredChat};
use crate::clock::Clock;
use crate::contest::Contest;
use crate::lobby::{Lobby, counters_digest};
use crate::notices::{FrozenNotices, StoredMailbox};
use crate::numbers::{Numbers, StoredNumbers};
use crate::offers::{FrozenOffers, StoredOffer};
use crate::presence::{FrozenFrontends, Stored, StoredFrontend, StoredPlaces};
use crate::ratings::{FrozenRatings, StoredRecord};
use crate::room::Room;
use crate::terms::Terms;
use hangraft_ids::{PlayerId, RoomId};

/// The first byte of a snapshot. Grows when the form changes in a way that
/// older builds would misread.
const SNAPSHOT_FORMAT: u8 = 3;

/// The format of before there were matches.
const HOSTS_FORMAT: u8 = 2;

/// The format of before there were terms.
const PLAIN_FORMAT: u8 = 1;

/// Bytes in a chunk, give or take one frame. Where chunks end does not matter.
const CHUNK_BYTES: usize = 192 * 1024;

/// Bytes in a frame. A longer one is refused before memory is taken for it;
/// the longest we write, a room with a full chat, is far below.
const FRAME_BYTES_MAX: usize = 1024 * 1024;

/// Room numbers left out when a lobby begins another cluster: more rooms than were ever
/// opened between a backup and the end of its cluster. There is room for a thousand
/// restores and as many rooms after them; when the numbers end, `open` is refused.
const ROOMS_SKIPPED: u32 = 1 << 21;

/// A lobby at rest.
#[derive(Clone, Debug)]
pub struct Frozen {
    head: Head,
    rooms: OrdMap<RoomId, Arc<Room>>,
    attempts: FrozenAttempts,
    openings: OrdMap<PlayerId, u32>,
    frontends: FrozenFrontends,
    matches: Matches,
    hash: u64,
}

/// What came with matches.
#[derive(Clone, Debug)]
struct Matches {
    notices: FrozenNotices,
    offers: FrozenOffers,
    ratings: FrozenRatings,
    numbers: Numbers,
}

/// Puts a lobby together from a snapshot's bytes, as they come.
#[derive(Debug, Default)]
pub struct Restore {
    /// Bytes that are not yet a whole frame.
    pending: Vec<u8>,
    begun: bool,
    head: bool,
    lobby: Lobby,
    /// The hash the snapshot says it has, once its end was read.
    end: Option<u64>,
}

/// Why bytes are not a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Written by a build that knows more than this one.
    #[error("the snapshot has format {0}; this build reads format {SNAPSHOT_FORMAT}")]
    Format(u8),
    /// A frame is longer than any we write.
    #[error("a frame of the snapshot has {0} bytes; {FRAME_BYTES_MAX} is the most")]
    FrameTooLong(u32),
    /// A frame is not what it should be.
    #[error("a frame of the snapshot is damaged")]
    Damaged(#[source] postcard::Error),
    /// A frame says something no lobby can be.
    #[error("the snapshot contradicts itself: {0}")]
    Contradiction(&'static str),
    /// It ends before its end.
    #[error("the snapshot is cut off")]
    CutOff,
    /// Something comes after its end.
    #[error("bytes are left over after the snapshot's end")]
    LeftOver,
    /// What came out is not what went in.
    #[error("the snapshot restores to hash {found:016x}, but was made at {expected:016x}")]
    Hash {
        /// What its end says.
        expected: u64,
        /// What the restored lobby has.
        found: u64,
    },
}

/// The numbers that are there once.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Head {
    clock: Clock,
    opened: u32,
    era_ends_ms: u64,
    minute: u64,
}

/// One frame's content. New kinds are added at the end.
#[derive(Serialize, Deserialize)]
enum Part {
    Head(Head),
    Room(Arc<Room>, StoredChat),
    Lane(StoredLane),
    Opening(PlayerId, u32),
    Frontend(StoredFrontend),
    End(u64),
    Terms(RoomId, Terms),
    Places(StoredPlaces),
    Contest(RoomId, Contest),
    Made(Made),
    Offer(StoredOffer),
    Mailbox(StoredMailbox),
    Numbers(StoredNumbers),
    Record(StoredRecord),
}

/// How many there ever were.
#[derive(Serialize, Deserialize)]
struct Made {
    offers: u64,
    notices: u64,
}

impl Lobby {
    /// The lobby as it is now, to make a snapshot of while play goes on.
    /// Cheap: shares everything with the lobby.
    pub fn freeze(&self) -> Frozen {
        Frozen::of(self)
    }
}

impl Frozen {
    fn of(whole: &Lobby) -> Frozen {
        let lobby = planted!(SerialsForgotten ? &whole.without_attempts() => whole);
        let attempts = lobby.attempts.freeze();
        let head = Head {
            clock: lobby.clock,
            opened: lobby.opened,
            era_ends_ms: attempts.era_ends_ms,
            minute: lobby.openings.minute(),
        };
        Frozen {
            head,
            rooms: lobby.rooms.freeze(),
            attempts,
            openings: lobby.openings.counts(),
            frontends: lobby.presence.freeze(),
            matches: Matches::of(lobby),
            hash: lobby.hash(),
        }
    }

    /// The hash of the lobby when it was frozen.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// A room that was live then.
    pub fn room(&self, id: RoomId) -> Option<&Arc<Room>> {
        self.rooms.get(&id)
    }

    /// The same lobby as the beginning of another cluster, whose players may hold links to
    /// rooms that were opened after it was frozen and are lost: no number that may have
    /// been given to one of those is given again.
    pub fn begun_anew(mut self) -> Frozen {
        let before = counters_digest(&self.head.clock, self.head.opened);
        self.head.opened = self.head.opened.saturating_add(ROOMS_SKIPPED);
        let after = counters_digest(&self.head.clock, self.head.opened);
        self.hash = self.hash.wrapping_sub(before).wrapping_add(after);
        let skipped = self.matches.offers.skip(ROOMS_SKIPPED.into());
        self.hash = self.hash.wrapping_add(skipped);
        self
    }

    /// The last room that was opened before, live or not; room 0 when there was none.
    pub fn newest_room(&self) -> RoomId {
        RoomId::new(0, self.head.opened)
    }

    /// The snapshot in chunks of moderate size, made one at a time.
    pub fn chunks(&self) -> impl Iterator<Item = Vec<u8>> + Send + 'static + use<> {
        let mut parts = self.clone().into_parts();
        let format = self.format();
        let mut first = true;
        std::iter::from_fn(move || {
            let mut chunk = Vec::new();
            if std::mem::take(&mut first) {
                chunk.push(format);
            }
            while chunk.len() < CHUNK_BYTES {
                let Some(part) = parts.next() else { break };
                write_frame(&part, &mut chunk);
            }
            (!chunk.is_empty()).then_some(chunk)
        })
    }

    fn format(&self) -> u8 {
        let plain = self.rooms.values().all(|room| room.terms().is_none())
            && self.frontends.are_of_before();
        let matches =
            !self.matches.is_empty() || self.rooms.values().any(|room| room.contest().is_some());
        match (matches, plain) {
            (true, _) => SNAPSHOT_FORMAT,
            (false, true) => PLAIN_FORMAT,
            (false, false) => HOSTS_FORMAT,
        }
    }

    fn into_parts(self) -> impl Iterator<Item = Part> + Send + 'static {
        let rooms = self.rooms.into_iter().flat_map(|(id, room)| {
            let chat = room.chat().store();
            let terms = room.terms().map(|terms| Part::Terms(id, terms.clone()));
            let contest = room.contest().map(|contest| Part::Contest(id, contest.clone()));
            std::iter::once(Part::Room(room, chat)).chain(terms).chain(contest)
        });
        let frontends = self.frontends.into_parts().map(|stored| match stored {
            Stored::Frontend(frontend) => Part::Frontend(frontend),
            Stored::Places(places) => Part::Places(places),
        });
        let openings =
            self.openings.into_iter().map(|(player, count)| Part::Opening(player, count));
        std::iter::once(Part::Head(self.head))
            .chain(rooms)
            .chain(self.attempts.into_lanes().map(Part::Lane))
            .chain(openings)
            .chain(frontends)
            .chain(self.matches.into_parts())
            .chain(std::iter::once(Part::End(self.hash)))
    }
}

impl Matches {
    fn of(lobby: &Lobby) -> Matches {
        Matches {
            notices: lobby.notices.freeze(),
            offers: lobby.offers.freeze(),
            ratings: lobby.ratings.freeze(),
            numbers: lobby.numbers.clone(),
        }
    }

    /// Whether there never were any.
    fn is_empty(&self) -> bool {
        self.notices.posted == 0
            && self.offers.made == 0
            && self.ratings.is_empty()
            && self.numbers.is_empty()
    }

    fn into_parts(self) -> impl Iterator<Item = Part> + Send + 'static {
        let made = Made { offers: self.offers.made, notices: self.notices.posted };
        let made = (made.offers > 0 || made.notices > 0).then_some(Part::Made(made));
        let numbers = self.numbers.freeze().map(Part::Numbers);
        made.into_iter()
            .chain(self.offers.into_parts().map(Part::Offer))
            .chain(self.notices.into_parts().map(Part::Mailbox))
            .chain(numbers)
            .chain(self.ratings.into_parts().map(Part::Record))
    }
}

impl Restore {
    /// Nothing yet.
    pub fn new() -> Restore {
        Restore::default()
    }

    /// Takes the next bytes, cut anywhere.
    ///
    /// # Errors
    ///
    /// As soon as something cannot be part of a snapshot.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        let bytes = if self.begun { bytes } else { self.begin(bytes)? };
        self.pending.extend_from_slice(bytes);
        let pending = std::mem::take(&mut self.pending);
        let mut rest = &pending[..];
        while let Some((frame, behind)) = split_frame(rest)? {
            self.take_in(frame)?;
            rest = behind;
        }
        if self.end.is_some() && !rest.is_empty() {
            return Err(SnapshotError::LeftOver);
        }
        self.pending = rest.to_vec();
        Ok(())
    }

    /// The hash of what came out, if the snapshot was whole and comes out as it went in.
    /// Quicker than [`Restore::finish`], which looks at everything once more; for a look
    /// beside play at what was just written.
    ///
    /// # Errors
    ///
    /// When the end is missing, or the hash is another one.
    pub fn verify(self) -> Result<u64, SnapshotError> {
        let expected = self.end.ok_or(SnapshotError::CutOff)?;
        // Every part's digest was computed from what was read.
        match self.lobby.hash() {
            found if found == expected => Ok(found),
            found => Err(SnapshotError::Hash { expected, found }),
        }
    }

    /// The lobby, if the snapshot was whole and comes out as it went in.
    ///
    /// # Errors
    ///
    /// When the end is missing, or the hash is another one.
    pub fn finish(self) -> Result<Lobby, SnapshotError> {
        let expected = self.end.ok_or(SnapshotError::CutOff)?;
        for found in [self.lobby.recompute_hash(), self.lobby.hash()] {
            if found != expected {
                return Err(SnapshotError::Hash { expected, found });
            }
        }
        Ok(self.lobby)
    }

    fn begin<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], SnapshotError> {
        match bytes.split_first() {
            None => Ok(bytes),
            Some((&(PLAIN_FORMAT..=SNAPSHOT_FORMAT), rest)) => {
                self.begun = true;
                Ok(rest)
            }
            Some((&format, _)) => Err(SnapshotError::Format(format)),
        }
    }

    fn take_in(&mut self, frame: &[u8]) -> Result<(), SnapshotError> {
        if self.end.is_some() {
            return Err(SnapshotError::LeftOver);
        }
        let (part, behind) =
            postcard::take_from_bytes::<Part>(frame).map_err(SnapshotError::Damaged)?;
        if !behind.is_empty() {
            return Err(SnapshotError::Contradiction("a frame is longer than its content"));
        }
        if self.head == matches!(part, Part::Head(_)) {
            return Err(SnapshotError::Contradiction("the head is not the first part"));
        }
        self.head = true;
        self.put(part).map_err(SnapshotError::Contradiction)
    }

    fn put(&mut self, part: Part) -> Result<(), &'static str> {
        match part {
            Part::Head(head) => self.put_head(head),
            Part::Room(room, chat) => return self.put_room(Arc::unwrap_or_clone(room), chat),
            Part::Lane(lane) => return self.lobby.attempts.restore_lane(lane),
            Part::Opening(player, count) => self.lobby.openings.restore_count(player, count),
            Part::Frontend(frontend) => return self.lobby.presence.restore(frontend),
            Part::Terms(room, terms) => return self.lobby.rooms.restore_terms(room, terms),
            Part::Places(places) => return self.lobby.presence.restore_places(places),
            Part::Made(made) => {
                self.lobby.offers.restore_count(made.offers);
                self.lobby.notices.restore_count(made.notices);
            }
            Part::Offer(offer) => return self.lobby.offers.restore(offer),
            Part::Mailbox(mailbox) => return self.lobby.notices.restore(mailbox),
            Part::Numbers(numbers) => return self.lobby.numbers.restore(numbers),
            Part::Record(record) => return self.lobby.ratings.restore(record),
            Part::Contest(room, contest) => {
                return self.lobby.rooms.restore_contest(room, contest);
            }
            Part::End(hash) => self.end = Some(hash),
        }
        Ok(())
    }

    fn put_head(&mut self, head: Head) {
        self.lobby.clock = head.clock;
        self.lobby.opened = head.opened;
        self.lobby.attempts.restore_era(head.era_ends_ms);
        self.lobby.openings.restore_minute(head.minute);
    }

    fn put_room(&mut self, room: Room, chat: StoredChat) -> Result<(), &'static str> {
        let chat = Chat::restore(chat).ok_or("a chat holds more than it can")?;
        let room = room.restore(chat)?;
        if self.lobby.rooms.get(room.id()).is_some() {
            return Err("a room is there twice");
        }
        self.lobby.rooms.insert(room);
        Ok(())
    }
}

fn write_frame(part: &Part, to: &mut Vec<u8>) {
    let at = to.len();
    to.extend_from_slice(&[0; 4]);
    crate::digest::write(part, to);
    let length = to.len() - at - 4;
    let length = u32::try_from(length).expect("no part is as long as that");
    to[at..at + 4].copy_from_slice(&length.to_le_bytes());
}

/// A frame's content, and the bytes behind the frame.
type Split<'a> = (&'a [u8], &'a [u8]);

/// Takes the first frame off; none while it is not whole.
fn split_frame(bytes: &[u8]) -> Result<Option<Split<'_>>, SnapshotError> {
    let Some((length, rest)) = bytes.split_first_chunk() else { return Ok(None) };
    let length = u32::from_le_bytes(*length);
    match usize::try_from(length) {
        Ok(bytes) if bytes <= FRAME_BYTES_MAX => Ok(rest.split_at_checked(bytes)),
        _ => Err(SnapshotError::FrameTooLong(length)),
    }
}
