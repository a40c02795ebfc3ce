//! What remains of a room that has left the lobby.

use serde::{Deserialize, Serialize};

use crate::command::{Undecodable, decode_with};
use crate::digest;
use crate::room::Room;
use crate::rules::State;
use hangraft_ids::{RoomId, Version};

/// The first byte of an encoded finished room that strangers may find.
const PUBLIC_FORMAT: u8 = 1;

/// The first byte of one that they may not. Builds that know no such rooms do not read
/// it, and never meet it: rooms of such a cluster are public.
const PRIVATE_FORMAT: u8 = 2;

/// A room's last words, for the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    /// Which room.
    pub room: RoomId,
    /// Its last version.
    pub version: Version,
    /// What was played.
    pub game: String,
    /// How it stood at the end; not every room that leaves was played out.
    pub state: State,
    /// When it left, by the leader's wall clock.
    pub closed_at_ms: u64,
    /// The gallery's view at the end, as JSON.
    pub view: String,
    /// What the rules said of it, as a JSON object.
    pub about: String,
    /// How many seats there were.
    pub seats: u8,
    /// Who played there, seated at the end or not.
    pub names: Vec<String>,
    /// Whether strangers may find it. Told by the format it is stored in.
    #[serde(skip)]
    pub public: bool,
}

impl Finished {
    pub(crate) fn of(room: &Room, closed_at_ms: u64) -> Finished {
        Finished {
            room: room.id(),
            version: room.version(),
            game: room.game().to_owned(),
            state: room.state(),
            closed_at_ms,
            view: room.view(None),
            about: room.about(),
            seats: room.seats_max(),
            names: room.names().map(|name| name.to_string()).collect(),
            public: room.is_public(),
        }
    }

    /// The room as the archive stores it: a format byte, then its postcard form.
    pub fn encode(&self) -> Vec<u8> {
        let format = if self.public { PUBLIC_FORMAT } else { PRIVATE_FORMAT };
        let mut bytes = vec![format];
        digest::write(self, &mut bytes);
        bytes
    }

    /// The room that `bytes` hold.
    ///
    /// # Errors
    ///
    /// When they are damaged or written by a build that knows more than this one.
    pub fn decode(bytes: &[u8]) -> Result<Finished, Undecodable> {
        let public = bytes.first() != Some(&PRIVATE_FORMAT);
        let format = if public { PUBLIC_FORMAT } else { PRIVATE_FORMAT };
        let finished: Finished = decode_with(format, bytes)?;
        Ok(Finished { public, ..finished })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A finished room comes back as it went; whether strangers may find it, too.
    #[test]
    fn a_finished_room_comes_back_as_it_went() {
        for public in [true, false] {
            let finished = Finished {
                room: RoomId(1),
                version: Version(9),
                game: "hangman".into(),
                state: State::Won,
                closed_at_ms: 5,
                view: "{}".into(),
                about: "{}".into(),
                seats: 8,
                names: vec!["Ann".into()],
                public,
            };
            let bytes = finished.encode();
            assert_eq!(Finished::decode(&bytes), Ok(finished));
            assert!(Finished::decode(&bytes[..5]).is_err());
        }
        assert!(Finished::decode(&[3]).is_err());
    }
}
