//! What a load generator says and hears on a player's socket.

use std::borrow::Cow;

use hangraft_ids::Serial;
use hangraft_proto::socket::{Accepted, InRoom, Open, Play, Request, ServerMessage, Watch};
use serde_json::value::RawValue;

use crate::bench::table::{Action, Wish};

/// What players are called.
pub(super) const NAME: &str = "Bench";

/// What a frontend says, as far as a load generator listens.
pub(super) type Incoming<'a> = ServerMessage<'a, Accepted<'a>>;

/// Whether a view, or what has changed in one, shows a round that is over. Its JSON is not
/// parsed for it: that would cost this side more than the frontend's pays.
pub(super) fn shows_the_end(view: &str) -> bool {
    [r#""state":"won""#, r#""state":"lost""#].iter().any(|state| view.contains(state))
}

/// A wish as a frontend reads it, in the room with this name. Its serial serves as the
/// message's id, too: a player has one open wish at a time.
pub(super) fn text(wish: &Wish, room: &str) -> String {
    let (id, serial) = (wish.serial, Some(Serial(wish.serial)));
    let room = Cow::from(room);
    let request = match wish.action {
        Action::Open => {
            let options = json(r#"{"mode":"together"}"#.to_owned());
            let game = Cow::from("hangman");
            return Request::Open(Open { game, options: Some(&options), public: true, serial })
                .frame(id);
        }
        Action::Sit => Request::Sit(InRoom { room, serial }),
        Action::Again => Request::Again(InRoom { room, serial }),
        Action::Watch => Request::Watch(Watch { room, since: None, epoch: None }),
        Action::Play(letter) => {
            let mv = json(format!(r#"{{"letter":"{letter}"}}"#));
            return Request::Play(Play { room, mv: &mv, serial }).frame(id);
        }
    };
    request.frame(id)
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
