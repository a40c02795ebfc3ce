//! One version of one room, as those who watch will see it.
//!
//! It is rendered when the first stream asks for it, once for each audience, and shared by
//! all. What it is rendered from is let go then: a history keeps bytes, and no rooms.

use bytes::Bytes;
use hangraft_game::{Audience, Change, Event, PlayerId, Room, RoomId, Version, events_json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

/// One version of one room.
pub(crate) struct Moment {
    pub(crate) room: RoomId,
    pub(crate) version: Version,
    pub(crate) closed: bool,
    /// The lobby time at which it was made.
    pub(crate) made_ms: u64,
    sources: Mutex<Option<Sources>>,
    rendered: OnceLock<Rendered>,
}

/// What a moment is rendered from.
struct Sources {
    /// The room at the version before, if that was seen here.
    before: Option<Arc<Room>>,
    room: Arc<Room>,
    events: Vec<Event>,
    /// Somebody needs whole views.
    whole: bool,
}

struct Rendered {
    events: Bytes,
    view: Option<Bytes>,
    step: Option<Step>,
    insiders: Vec<Insider>,
}

/// A player who sees something else than the gallery. One of both is there at least.
pub(crate) struct Insider {
    player: PlayerId,
    /// What brings them here; none if they saw what the gallery saw at the version before.
    pub(crate) step: Option<Step>,
    pub(crate) view: Option<Bytes>,
}

/// What brings a view to that of the next version.
#[derive(Clone)]
pub(crate) struct Step {
    /// Names of fields, and their values as JSON.
    pub(crate) set: Vec<(&'static str, Bytes)>,
    pub(crate) unset: Vec<&'static str>,
}

impl Moment {
    /// What a change has made of a room. Steps are made if `before` is the version before;
    /// whole views if they are not, or if somebody needs them.
    pub(super) fn new(
        before: Option<Arc<Room>>,
        room: Arc<Room>,
        change: Change,
        whole: bool,
    ) -> Self {
        let is_next = |before: &Arc<Room>| before.version().next() == room.version();
        let before = before.filter(is_next);
        let whole = whole || change.closed || before.is_none();
        Moment {
            room: room.id(),
            version: change.version,
            closed: change.closed,
            made_ms: room.made_ms(),
            sources: Mutex::new(Some(Sources { before, room, events: change.events, whole })),
            rendered: OnceLock::new(),
        }
    }

    /// What brings the gallery here from the version before.
    pub(crate) fn step(&self) -> Option<&Step> {
        self.rendered().step.as_ref()
    }

    /// The view for everybody who knows nothing special. It is there if there is no step.
    pub(crate) fn view(&self) -> Option<&Bytes> {
        self.rendered().view.as_ref()
    }

    /// How a player sees it, if they see something else than the gallery.
    pub(crate) fn insider(&self, player: PlayerId) -> Option<&Insider> {
        self.rendered().insiders.iter().find(|insider| insider.player == player)
    }

    /// What happened, as JSON.
    pub(crate) fn events(&self) -> Bytes {
        self.rendered().events.clone()
    }

    fn rendered(&self) -> &Rendered {
        self.rendered.get_or_init(|| {
            let sources = self.sources.lock().expect("nothing panics here").take();
            sources.expect("it is rendered once").render()
        })
    }
}

impl Sources {
    fn render(self) -> Rendered {
        let (gallery, mut steps) = (gallery_of(&self.room), BTreeMap::new());
        let was = self.before.as_deref().map(gallery_of);
        let insiders =
            self.room.insiders().into_iter().map(|player| self.insider(player, &mut steps));
        Rendered {
            insiders: insiders.collect(),
            events: events_json(&self.events).into(),
            view: self.whole.then(|| self.room.view_of(gallery).into()),
            step: was.and_then(|was| self.step(was, gallery)),
        }
    }

    fn insider(
        &self,
        player: PlayerId,
        steps: &mut BTreeMap<(Audience, Audience), Option<Step>>,
    ) -> Insider {
        let is = self.room.audience(Some(player));
        let was = self.before.as_ref().map(|before| before.audience(Some(player)));
        let was = was.filter(|was| *was != Audience::GALLERY);
        let step = was
            .and_then(|was| steps.entry((was, is)).or_insert_with(|| self.step(was, is)).clone());
        let view = (self.whole || step.is_none()).then(|| self.room.view_of(is).into());
        Insider { player, step, view }
    }

    fn step(&self, was: Audience, is: Audience) -> Option<Step> {
        let step = self.room.step(self.before.as_ref()?, was, is);
        let json = Bytes::copy_from_slice(step.json());
        let set = step.set().iter().map(|(name, place)| (*name, json.slice(place.clone())));
        Some(Step { set: set.collect(), unset: step.unset().to_vec() })
    }
}

/// With whose eyes those look who know nothing special.
pub(crate) fn gallery_of(_room: &Room) -> Audience {
    planted!(SecretShown => return crate::planted::who_knows(_room));
    Audience::GALLERY
}
