//! What is said of a watched room on a stream: steps to who understands them, whole views
//! to everybody else and wherever a step would begin at a version that was not said.

use crate::feed::{Moment, Step, gallery_of};
use bytes::Bytes;
use hangraft_game::{Audience, PlayerId, Room, Version};
use hangraft_proto::v1::{Field, PrivateStep, PrivateView, Step as WireStep, Update};

/// One watched room.
pub(crate) struct Looking {
    /// Whose eyes look through this stream.
    pub(super) players: Vec<PlayerId>,
    /// The last version that was sent.
    pub(super) sent: Version,
    /// The other side understands steps.
    pub(super) steps: bool,
}

impl Looking {
    /// A version, for who has the one before; none if it has to be a whole view and was not
    /// rendered as one.
    pub(super) fn next(&self, moment: &Moment) -> Option<Update> {
        let said = Update {
            room: moment.room.0,
            version: moment.version.0,
            events: moment.events(),
            closed: moment.closed,
            ask: Some(0),
            ..Update::default()
        };
        match moment.step().filter(|_| self.steps) {
            Some(step) => {
                let (private, private_steps) = self.private_steps(moment);
                let step = Some(wire_step(step));
                Some(Update { step, private, private_steps, ..said })
            }
            None => {
                let view = moment.view()?.clone();
                Some(Update { view, private: self.private_views(moment)?, ..said })
            }
        }
    }

    /// A version whose whole views were rendered, for who may have missed others.
    pub(super) fn last(&self, moment: &Moment) -> Option<Update> {
        let whole = Looking { players: self.players.clone(), steps: false, ..*self };
        let update = whole.next(moment)?;
        Some(Update { resync: true, events: nothing(), ..update })
    }

    /// A room as it is, with nothing said of how it came to be so.
    pub(super) fn whole(&self, room: &Room) -> Update {
        let own = |player: &PlayerId| {
            let audience = room.audience(Some(*player));
            let view = (audience != Audience::GALLERY).then(|| room.view_of(audience).into());
            Some(PrivateView { player: player.0, view: view? })
        };
        Update {
            room: room.id().0,
            version: room.version().0,
            view: room.view_of(gallery_of(room)).into(),
            events: nothing(),
            private: self.players.iter().filter_map(own).collect(),
            resync: true,
            ask: Some(0),
            ..Update::default()
        }
    }

    /// None if a view is missing.
    fn private_views(&self, moment: &Moment) -> Option<Vec<PrivateView>> {
        let insiders = self.players.iter().filter_map(|player| {
            let view = moment.insider(*player)?.view.clone();
            Some(view.map(|view| PrivateView { player: player.0, view }))
        });
        insiders.collect()
    }

    /// Whole views of those who have just come to see more, and steps of all others who do.
    fn private_steps(&self, moment: &Moment) -> (Vec<PrivateView>, Vec<PrivateStep>) {
        let (mut views, mut steps) = (Vec::new(), Vec::new());
        for (PlayerId(player), insider) in
            self.players.iter().filter_map(|player| Some((*player, moment.insider(*player)?)))
        {
            match (&insider.step, &insider.view) {
                (Some(step), _) => {
                    steps.push(PrivateStep { player, step: Some(wire_step(step)) });
                }
                (None, Some(view)) => views.push(PrivateView { player, view: view.clone() }),
                (None, None) => unreachable!("an insider has a step or a view"),
            }
        }
        (views, steps)
    }
}

/// The events of a view that stands for itself.
pub(super) fn nothing() -> Bytes {
    Bytes::from_static(b"[]")
}

fn wire_step(step: &Step) -> WireStep {
    let field =
        |(name, value): &(&str, Bytes)| Field { name: (*name).into(), value: value.clone() };
    let unset = step.unset.iter().map(|name| (*name).to_owned());
    WireStep { set: step.set.iter().map(field).collect(), unset: unset.collect() }
}
