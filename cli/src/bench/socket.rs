//! What a load generator says and hears on a player's socket.

use hangraft_ids::RoomId;
use hangraft_proto::socket::{self, Accepted, ServerMessage};
use serde_json::value::RawValue;

use crate::bench::table::{Action, Answer, Wish};

/// What players are called.
pub(super) const NAME: &str = "Bench";

/// What a frontend says, as far as a load generator listens.
pub(super) type Incoming<'a> = ServerMessage<'a, Accepted<'a>>;

/// Whether a view, or what has changed in one, shows a round that is over. Its JSON is not
/// parsed for it: that would cost this side more than the frontend's pays.
pub(super) fn shows_the_end(view: &str) -> bool {
    [r#""state":"won""#, r#""state":"lost""#].iter().any(|state| view.contains(state))
}

/// The name of a room that was opened.
pub(super) fn name_of<'a>(heard: &'a socket::Answer<'_, Accepted<'_>>) -> Option<&'a str> {
    heard.answer.as_ref().ok()?.room.as_deref()
}

/// What a frontend answered.
pub(super) fn answer(heard: &socket::Answer<'_, Accepted<'_>>) -> Answer {
    match &heard.answer {
        // A frontend says the room's name, which its sockets keep for themselves.
        Ok(yes) => Answer::Accepted { room: RoomId(0), version: yes.version.unwrap_or_default() },
        Err(refused) => Answer::Refused(refused.code),
    }
}

/// A wish as a frontend reads it, in the room with this name. Its serial serves as the
/// message's id, too: a player has one open wish at a time.
pub(super) fn text(wish: &Wish, room: &str) -> String {
    let id = wish.serial;
    match wish.action {
        Action::Open => frame::open(id),
        Action::Sit => frame::sit(room, id),
        Action::Again => frame::again(room, id),
        Action::Watch => frame::watch(room, None, id),
        Action::Play(letter) => frame::play(room, letter, id),
    }
}

/// What a player says, as text. The id of what changes something is its serial as well.
pub(super) mod frame {
    use std::borrow::Cow;

    use hangraft_ids::{Serial, Version};
    use hangraft_proto::socket::{Epoch, InRoom, Open, Ping, Play, Request, Say, Watch};

    use super::json;

    pub(in crate::bench) fn open(id: u64) -> String {
        let options = json(r#"{"mode":"together"}"#.to_owned());
        let (game, serial) = (Cow::from("hangman"), Some(Serial(id)));
        Request::Open(Open { game, options: Some(&options), public: true, serial }).frame(id)
    }

    pub(in crate::bench) fn sit(room: &str, id: u64) -> String {
        Request::Sit(in_room(room, id)).frame(id)
    }

    pub(in crate::bench) fn again(room: &str, id: u64) -> String {
        Request::Again(in_room(room, id)).frame(id)
    }

    /// Watches a room, from a version of this epoch on if one was seen.
    pub(in crate::bench) fn watch(
        room: &str,
        since: Option<(Version, Option<Epoch>)>,
        id: u64,
    ) -> String {
        let epoch = since.and_then(|(_, epoch)| Some(epoch?.to_string().into()));
        let since = since.map(|(version, _)| version);
        Request::Watch(Watch { room: room.into(), since, epoch }).frame(id)
    }

    pub(in crate::bench) fn play(room: &str, letter: char, id: u64) -> String {
        let mv = json(format!(r#"{{"letter":"{letter}"}}"#));
        let serial = Some(Serial(id));
        Request::Play(Play { room: room.into(), mv: &mv, serial }).frame(id)
    }

    pub(in crate::bench) fn say(room: &str, text: &str, id: u64) -> String {
        let serial = Some(Serial(id));
        Request::Say(Say { room: room.into(), text: text.into(), serial }).frame(id)
    }

    pub(in crate::bench) fn ping(id: u64) -> String {
        Request::Ping(Ping {}).frame(id)
    }

    fn in_room(room: &str, id: u64) -> InRoom<'_> {
        InRoom { room: room.into(), serial: Some(Serial(id)) }
    }
}

fn json(text: String) -> Box<RawValue> {
    RawValue::from_string(text).expect("we write JSON")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hangraft_ids::RoomId;
    use hangraft_proto::socket::Push;

    use super::*;

    /// What we say is JSON of the promised shape.
    #[test]
    fn a_wish_is_said_in_json() {
        let wish = Wish {
            player: 0,
            serial: 7,
            room: RoomId(0),
            action: Action::Play('e'),
            after: Duration::ZERO,
        };
        for action in [Action::Open, Action::Sit, Action::Watch, Action::Play('e'), Action::Again] {
            let json: serde_json::Value =
                serde_json::from_str(&text(&Wish { action, ..wish }, "k3v7")).unwrap();
            assert_eq!(json["id"], 7);
            assert_eq!(
                json["data"]["room"],
                if action == Action::Open { json["none"].clone() } else { "k3v7".into() }
            );
        }
        let json: serde_json::Value = serde_json::from_str(&text(&wish, "k3v7")).unwrap();
        assert_eq!(
            json["data"],
            serde_json::json!({"room":"k3v7","move":{"letter":"e"},"serial":7})
        );
    }

    /// Whether a round is over is seen without taking the view apart.
    #[test]
    fn the_end_is_seen() {
        for (state, over) in [("won", true), ("lost", true), ("playing", false)] {
            let text = format!(
                r#"{{"push":"view","room":"k3v7","version":9,"view":{{"state":"{state}"}},"events":[]}}"#
            );
            let Ok(Incoming::Push(Push::View(view))) = Incoming::read(&text) else {
                panic!("{text}")
            };
            assert_eq!((view.version.0, shows_the_end(view.view)), (9, over));
        }
    }
}
