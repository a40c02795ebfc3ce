//! Views that are kept by their steps, held against whole ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use hangraft_game::{Audience, Change, Lobby, PlayerId, Room, RoomId};
use serde_json::{Map, Value};

/// What each viewer sees.
type Views = Vec<Map<String, Value>>;

/// The newest version of each room, and what each of some viewers has put together of it.
pub(crate) struct Kept {
    viewers: Vec<Option<PlayerId>>,
    rooms: BTreeMap<RoomId, (Arc<Room>, Views)>,
}

impl Kept {
    /// These players look at every room, and somebody who is none of them.
    pub(crate) fn by(players: impl Iterator<Item = PlayerId>) -> Kept {
        let viewers = std::iter::once(None).chain(players.map(Some)).collect();
        Kept { viewers, rooms: BTreeMap::new() }
    }

    /// Rooms have changed so: what was kept has to lead to what is seen now.
    pub(crate) fn see(&mut self, lobby: &Lobby, changes: &[Change]) {
        for change in changes {
            let room = change.last.as_ref().or_else(|| lobby.room(change.room));
            let room = room.expect("a room that has changed").clone();
            self.hold(&room);
        }
    }

    fn hold(&mut self, room: &Arc<Room>) {
        let insiders = room.insiders();
        let views = self.viewers.iter().enumerate().map(|(nth, viewer)| {
            let knows = viewer.is_some_and(|viewer| insiders.contains(&viewer));
            assert_eq!(knows, room.audience(*viewer) != Audience::GALLERY, "{viewer:?}");
            let whole = object(&room.view(*viewer));
            if let Some((before, kept)) = self.rooms.get(&room.id())
                && before.version().next() == room.version()
            {
                let step = room.step(before, before.audience(*viewer), room.audience(*viewer));
                let mut led = kept[nth].clone();
                for name in step.unset() {
                    assert!(led.remove(*name).is_some(), "{name} was not there");
                }
                for (name, place) in step.set() {
                    let value = serde_json::from_slice(&step.json()[place.clone()]).expect("JSON");
                    let value: Value = value;
                    assert_ne!(led.get(*name), Some(&value), "{name} is as it was");
                    led.insert((*name).to_owned(), value);
                }
                assert_eq!(led, whole, "{} at {:?} for {viewer:?}", room.id(), room.version());
            }
            whole
        });
        let views = views.collect();
        self.rooms.insert(room.id(), (room.clone(), views));
    }
}

fn object(view: &str) -> Map<String, Value> {
    serde_json::from_str(view).expect("a view is a JSON object")
}
