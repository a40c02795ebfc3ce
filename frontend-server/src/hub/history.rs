//! A room's last versions, ready to be sent: pure.
//!
//! What is seen is kept field by field, once for everyone and once for each player who sees
//! it differently. Each version is rendered as a step from the one before, and as a whole view
//! too where somebody understands no steps. Someone who was away gets what they missed, in
//! order, as long as all of it is still here and was made for their eyes; else the whole view.

use std::{
    borrow::Cow,
    cell::OnceCell,
    collections::{BTreeSet, VecDeque},
    str,
    sync::Arc,
};

use bytes::Bytes;
use hangraft_ids::{PlayerId, Version};
use hangraft_proto::socket;

use super::fields::{self, Fields, NotAView};
use crate::{
    message::Text,
    upstream::{Step, Update},
};

/// Versions of a room kept for players who come back. Someone further behind
/// gets the whole room again.
const VERSIONS_MAX: usize = 64;

/// What an update was to the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// An earlier version than the newest, or the newest again.
    Old,
    /// The newest again, but for other eyes.
    Same,
    /// The version after the newest.
    Next,
    /// A later version, with something missing in between.
    Jump,
    /// A step from what is not here: nothing was taken, and the whole view is wanted.
    Lost,
}

/// How somebody is told of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Views,
    Steps,
}

/// The last versions of one room.
#[derive(Debug)]
pub(crate) struct History {
    /// What players call the room.
    name: Arc<str>,
    newest: Option<Newest>,
    /// Consecutive versions; the last one is the newest, if there is any.
    steps: VecDeque<Rendered>,
    bytes: usize,
    /// Somebody looks, or has looked, who understands no steps.
    in_views: bool,
}

/// What is seen at the newest version.
#[derive(Debug)]
struct Newest {
    version: Version,
    closed: bool,
    /// It came as the version after the one before.
    is_next: bool,
    seen: Seen<Sight>,
}

/// A view, and how it is pushed as a whole once it was.
#[derive(Clone, Debug, Default)]
struct Sight {
    fields: Fields,
    whole: OnceCell<Text>,
    whole_without_chat: OnceCell<Text>,
}

/// A version as it is pushed to who has the one before.
#[derive(Debug)]
struct Rendered {
    version: Version,
    steps: Seen<Text>,
    views: Option<Seen<Text>>,
}

/// Something for everyone, and for each player who sees something else.
#[derive(Clone, Debug, Default)]
struct Seen<T> {
    gallery: T,
    private: Vec<(PlayerId, T)>,
}

impl<T> Seen<T> {
    /// The only place where it is decided who sees which view.
    fn by(&self, player: PlayerId) -> &T {
        self.own(player).unwrap_or(&self.gallery)
    }

    fn own(&self, player: PlayerId) -> Option<&T> {
        self.private.iter().find(|(whose, _)| *whose == player).map(|(_, own)| own)
    }

    fn all(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.gallery).chain(self.private.iter().map(|(_, own)| own))
    }
}

impl Shape {
    /// A whole view for who is told so.
    fn of(self, fields: &Fields) -> String {
        match self {
            Self::Views => fields.view(),
            Self::Steps => fields.view_without_chat(),
        }
    }
}

impl History {
    /// Of a room that players call so; nothing is known yet.
    pub(crate) fn new(name: Arc<str>) -> Self {
        Self { name, newest: None, steps: VecDeque::new(), bytes: 0, in_views: false }
    }

    /// The newest version, if any is known.
    pub(crate) fn version(&self) -> Option<Version> {
        self.newest.as_ref().map(|newest| newest.version)
    }

    /// Somebody is told so from now on.
    pub(crate) fn will_be(&mut self, shape: Shape) {
        self.in_views |= shape == Shape::Views;
    }

    /// Takes an update in and keeps at most so many bytes of old versions.
    pub(crate) fn take(&mut self, update: &Update, bytes_max: usize) -> Result<Taken, NotAView> {
        let taken = match self.version() {
            Some(newest) if update.version < newest => Taken::Old,
            Some(newest) if update.version == newest && !update.resync => Taken::Old,
            Some(newest) if update.version == newest => Taken::Same,
            Some(newest) if update.version == newest.next() && !update.resync => Taken::Next,
            _ if update.step.is_some() => Taken::Lost,
            _ => Taken::Jump,
        };
        match taken {
            Taken::Old | Taken::Lost => return Ok(taken),
            Taken::Same => self.newest = Some(Newest::of(update, false, Seen::whole(update)?)),
            Taken::Jump => {
                self.newest = Some(Newest::of(update, false, Seen::whole(update)?));
                self.steps.clear();
                self.bytes = 0;
            }
            Taken::Next => return self.go_on(update, bytes_max),
        }
        Ok(taken)
    }

    /// Takes the version after the newest.
    fn go_on(&mut self, update: &Update, bytes_max: usize) -> Result<Taken, NotAView> {
        let before = &self.newest.as_ref().expect("there is a version before").seen;
        let Some(after) = Seen::after(before, update)? else { return Ok(Taken::Lost) };
        let rendered = self.render(before, &after, update)?;
        self.bytes += rendered.bytes();
        self.steps.push_back(rendered);
        self.newest = Some(Newest::of(update, true, after));
        self.forget(bytes_max);
        Ok(Taken::Next)
    }

    /// The newest version as it is pushed to this player: as what has changed for someone
    /// who has the version before, as a whole for anyone else.
    pub(crate) fn newest_for(
        &self,
        player: PlayerId,
        shown: Version,
        shape: Shape,
    ) -> Option<Text> {
        let newest = self.newest.as_ref()?;
        let follows = newest.is_next && shown.next() == newest.version;
        let next = self.steps.back().filter(|_| follows);
        let next = next.and_then(|step| step.told_to(player, shape));
        Some(next.unwrap_or_else(|| self.whole(newest, player, shape)))
    }

    /// What a player misses who has version `since`, and whose eyes the versions
    /// from `eyes_from` on were made for. Oldest first; empty when nothing is missing.
    pub(crate) fn since(
        &self,
        player: PlayerId,
        since: Option<Version>,
        eyes_from: Version,
        shape: Shape,
    ) -> Vec<Text> {
        let Some(newest) = &self.newest else { return Vec::new() };
        let whole = || vec![self.whole(newest, player, shape)];
        let Some(since) = since else { return whole() };
        if since >= newest.version {
            return Vec::new();
        }
        let first = since.next();
        let here = self.steps.front().is_some_and(|step| step.version <= first);
        if !here || first < eyes_from {
            return whole();
        }
        let from = planted!(ResumeSkipsOne ? first.next() => first);
        let missed = self.steps.iter().filter(|step| step.version >= from);
        let missed: Option<_> = missed.map(|step| step.told_to(player, shape)).collect();
        missed.unwrap_or_else(whole)
    }

    /// The newest version as the room's last, for a player who has seen `shown`.
    pub(crate) fn last_for(&self, player: PlayerId, shown: Version, shape: Shape) -> Option<Text> {
        let newest = self.newest.as_ref()?;
        if newest.closed {
            return self.newest_for(player, shown, shape);
        }
        // Nobody said that it was the last when it came.
        let sight = newest.seen.by(player);
        Some(self.push(newest.version, &shape.of(&sight.fields), "[]", true, true))
    }

    /// A whole view, rendered once for all who see the same.
    fn whole(&self, newest: &Newest, player: PlayerId, shape: Shape) -> Text {
        let sight = newest.seen.by(player);
        let rendered = match shape {
            Shape::Views => &sight.whole,
            Shape::Steps => &sight.whole_without_chat,
        };
        let Newest { version, closed, .. } = *newest;
        let render = || self.push(version, &shape.of(&sight.fields), "[]", true, closed);
        rendered.get_or_init(render).clone()
    }

    fn render(
        &self,
        before: &Seen<Sight>,
        after: &Seen<Sight>,
        update: &Update,
    ) -> Result<Rendered, NotAView> {
        let events = str::from_utf8(&update.events).map_err(|_| NotAView)?;
        let events = if events.is_empty() { "[]" } else { events };
        let Update { version, closed, .. } = *update;
        let step = |given: Option<&Step>, before: &Sight, after: &Sight| -> Text {
            let found = given
                .map_or_else(|| Cow::Owned(before.fields.step_to(&after.fields)), Cow::Borrowed);
            let (set, unset) = fields::told(&found);
            let room = Cow::from(&*self.name);
            socket::Step { room, version, set: &set, unset: &unset, events, closed }.text().into()
        };
        let differs = before.private.iter().chain(&after.private).map(|(player, _)| *player);
        let differs: BTreeSet<PlayerId> = differs.collect();
        let own = |player: PlayerId| {
            let given = update.private_steps.iter().find(|(whose, _)| *whose == player);
            let given = given.map(|(_, step)| step);
            (player, step(given, before.by(player), after.by(player)))
        };
        let steps = Seen {
            gallery: step(update.step.as_ref(), &before.gallery, &after.gallery),
            private: differs.into_iter().map(own).collect(),
        };
        let view = |sight: &Sight| self.push(version, &sight.fields.view(), events, false, closed);
        let views = self.in_views.then(|| Seen {
            gallery: view(&after.gallery),
            private: after.private.iter().map(|(player, sight)| (*player, view(sight))).collect(),
        });
        Ok(Rendered { version, steps, views })
    }

    fn push(&self, version: Version, view: &str, events: &str, resync: bool, closed: bool) -> Text {
        let room = Cow::from(&*self.name);
        socket::View { room, version, view, events, resync, closed }.text().0.into()
    }

    fn forget(&mut self, bytes_max: usize) {
        while self.steps.len() > VERSIONS_MAX || (self.bytes > bytes_max && self.steps.len() > 1) {
            let step = self.steps.pop_front().expect("there is more than one");
            self.bytes -= step.bytes();
        }
    }
}

impl Seen<Sight> {
    /// What is seen after a whole view.
    fn whole(update: &Update) -> Result<Self, NotAView> {
        let sight = |view: &Bytes| Ok(Sight::of(Fields::of(view)?));
        let private = update.private.iter().map(|(player, view)| Ok((*player, sight(view)?)));
        Ok(Self { gallery: sight(&update.view)?, private: private.collect::<Result<_, _>>()? })
    }

    /// What is seen after the next version; none if it is a step from what was not seen.
    fn after(before: &Self, update: &Update) -> Result<Option<Self>, NotAView> {
        let Some(step) = &update.step else { return Self::whole(update).map(Some) };
        let mut private = Vec::new();
        for (player, view) in &update.private {
            private.push((*player, Sight::of(Fields::of(view)?)));
        }
        for (player, step) in &update.private_steps {
            let Some(own) = before.own(*player) else { return Ok(None) };
            private.push((*player, Sight::of(own.fields.after(step)?)));
        }
        let gallery = Sight::of(before.gallery.fields.after(step)?);
        Ok(Some(Self { gallery, private }))
    }
}

impl Sight {
    fn of(fields: Fields) -> Self {
        Self { fields, ..Self::default() }
    }
}

impl Newest {
    fn of(update: &Update, is_next: bool, seen: Seen<Sight>) -> Self {
        Self { version: update.version, closed: update.closed, is_next, seen }
    }
}

impl Rendered {
    /// As it is pushed to a player; none if nobody was to be told so when it came.
    fn told_to(&self, player: PlayerId, shape: Shape) -> Option<Text> {
        match shape {
            Shape::Steps => Some(self.steps.by(player).clone()),
            Shape::Views => self.views.as_ref().map(|views| views.by(player).clone()),
        }
    }

    fn bytes(&self) -> usize {
        let views = self.views.iter().flat_map(Seen::all);
        self.steps.all().chain(views).map(Text::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use hangraft_ids::RoomId;
    use proptest::prelude::*;

    use super::*;

    const ROOM: RoomId = RoomId(4);
    const ANN: PlayerId = PlayerId(1);
    const BO: PlayerId = PlayerId(2);
    const PLENTY: usize = 1 << 20;
    const VIEWS: Shape = Shape::Views;

    /// A version everyone sees the same, apart from those named.
    fn update(version: u64, private: &[PlayerId]) -> Update {
        let own = |player: &PlayerId| (*player, format!(r#"{{"for":{}}}"#, player.0).into());
        Update {
            room: ROOM,
            version: Version(version),
            view: Bytes::from_static(b"{}"),
            events: Bytes::from_static(b"[1]"),
            private: private.iter().map(own).collect(),
            ..Update::default()
        }
    }

    fn whole(version: u64, private: &[PlayerId]) -> Update {
        Update { resync: true, events: Bytes::new(), ..update(version, private) }
    }

    fn history(updates: impl IntoIterator<Item = Update>) -> History {
        let mut history = History::new("k3v7".into());
        history.will_be(VIEWS);
        for update in updates {
            history.take(&update, PLENTY).unwrap();
        }
        history
    }

    /// What a player misses who has a version, whose eyes opened at another.
    fn missed(history: &History, since: Option<u64>, eyes_from: u64) -> Vec<Text> {
        history.since(ANN, since.map(Version), Version(eyes_from), VIEWS)
    }

    fn versions(texts: &[Text]) -> Vec<(u64, bool)> {
        let read = |text: &Text| {
            let value: serde_json::Value = serde_json::from_str(text.as_str()).unwrap();
            (value["version"].as_u64().unwrap(), value["resync"] == true)
        };
        texts.iter().map(read).collect()
    }

    /// The push, letter for letter: pages depend on it.
    #[test]
    fn a_push_looks_as_promised() {
        let history = history([whole(1, &[]), update(2, &[])]);
        let step = r#"{"push":"view","room":"k3v7","version":2,"view":{},"events":[1]}"#;
        let jump =
            r#"{"push":"view","room":"k3v7","version":2,"view":{},"events":[],"resync":true}"#;
        let last = r#"{"push":"view","room":"k3v7","version":2,"view":{},"events":[],"resync":true,"closed":true}"#;
        assert_eq!(history.newest_for(ANN, Version(1), VIEWS).unwrap().as_str(), step);
        assert_eq!(history.newest_for(ANN, Version(0), VIEWS).unwrap().as_str(), jump);
        assert_eq!(history.last_for(ANN, Version(2), VIEWS).unwrap().as_str(), last);
        let end = Update { closed: true, ..update(3, &[]) };
        let end = self::history([whole(2, &[]), end]).last_for(ANN, Version(2), VIEWS).unwrap();
        let text =
            r#"{"push":"view","room":"k3v7","version":3,"view":{},"events":[1],"closed":true}"#;
        assert_eq!(end.as_str(), text);
    }

    /// Who comes back gets what they missed, or the whole view, or nothing.
    #[test]
    fn who_comes_back_gets_what_they_missed() {
        let history = history(
            (1..=5).map(|version| if version == 1 { whole(1, &[]) } else { update(version, &[]) }),
        );
        for (since, eyes_from, missed) in [
            (Some(5), 0, vec![]),
            (Some(9), 0, vec![]),
            (Some(3), 0, vec![(4, false), (5, false)]),
            (Some(1), 0, vec![(2, false), (3, false), (4, false), (5, false)]),
            (Some(0), 0, vec![(5, true)]),
            (None, 0, vec![(5, true)]),
            (Some(3), 4, vec![(4, false), (5, false)]),
            (Some(3), 5, vec![(5, true)]),
        ] {
            let texts = self::missed(&history, since, eyes_from);
            assert_eq!(versions(&texts), missed, "since {since:?}, eyes from {eyes_from}");
        }
    }

    /// What an update is depends on what is there.
    #[test]
    fn an_update_is_old_next_or_a_jump() {
        for (there, comes, taken) in [
            (None, update(7, &[]), Taken::Jump),
            (Some(7), update(8, &[]), Taken::Next),
            (Some(7), whole(8, &[]), Taken::Jump),
            (Some(7), update(9, &[]), Taken::Jump),
            (Some(7), update(7, &[]), Taken::Old),
            (Some(7), whole(7, &[]), Taken::Same),
            (Some(7), whole(6, &[]), Taken::Old),
        ] {
            let mut history = history(there.map(|version| whole(version, &[])));
            assert_eq!(history.take(&comes, PLENTY), Ok(taken), "{there:?} {comes:?}");
        }
    }

    /// Old versions are forgotten, by number and by size; the newest never.
    #[test]
    fn the_past_is_short() {
        let mut history = history([whole(1, &[])]);
        for version in 2..200 {
            history.take(&update(version, &[]), PLENTY).unwrap();
        }
        assert_eq!(missed(&history, Some(199 - 64), 0).len(), 64);
        assert_eq!(versions(&missed(&history, Some(199 - 65), 0)), [(199, true)]);
        history.take(&update(200, &[]), 0).unwrap();
        assert_eq!(history.steps.len(), 1);
        assert_eq!(versions(&missed(&history, Some(199), 0)), [(200, false)]);
    }

    #[test]
    fn what_is_no_text_changes_nothing() {
        let mut history = history([whole(1, &[])]);
        let broken = Update { view: Bytes::from_static(b"\xff"), ..update(2, &[]) };
        assert!(history.take(&broken, PLENTY).is_err());
        assert_eq!(history.version(), Some(Version(1)));
    }

    type Kept = serde_json::Map<String, serde_json::Value>;

    /// What somebody keeps who is pushed this.
    fn keep(kept: &mut Kept, text: &Text) {
        let mut push: serde_json::Value = serde_json::from_str(text.as_str()).unwrap();
        match push["view"].take() {
            serde_json::Value::Object(view) => *kept = view,
            _ => {
                for name in push["unset"].as_array().into_iter().flatten() {
                    kept.remove(name.as_str().unwrap()).expect("it was there");
                }
                kept.extend(push["set"].as_object().unwrap().clone());
            }
        }
    }

    /// A view of two fields that come and go, and of chat; and of a secret, if it is somebody's.
    fn fields((a, b): (u8, Option<u8>), said: u8, secret: Option<u8>) -> Fields {
        let b = b.map_or(String::new(), |b| format!(r#","b":{b}"#));
        let secret = secret.map_or(String::new(), |secret| format!(r#","secret":{secret}"#));
        Fields::of(format!(r#"{{"a":{a}{b}{secret},"chat":[{said}]}}"#).as_bytes()).unwrap()
    }

    proptest! {
        /// Whatever a node sends, steps or views, and whoever comes to see more or less by it:
        /// who keeps a view by its steps has what the whole view shows, without chat.
        #[test]
        fn steps_lead_to_what_the_view_shows(
            versions in prop::collection::vec(
                (0u8..3, prop::option::of(0u8..3), 0u8..2, prop::option::of(0u8..2), any::<bool>()),
                1..20,
            ),
        ) {
            let mut history = History::new("k3v7".into());
            history.will_be(VIEWS);
            let (mut kept, mut before) = ([Kept::new(), Kept::new()], None::<[Option<Fields>; 2]>);
            for (version, (a, b, said, secret, in_views)) in (1..).zip(versions) {
                let gallery = fields((a, b), said, None);
                let own = secret.map(|secret| fields((a, b), said, Some(secret)));
                let whole = |fields: &Fields| Bytes::from(fields.view());
                let mut made = Update { view: whole(&gallery), ..update(version, &[]) };
                let steps = before.as_ref().filter(|_| !in_views);
                if let Some([Some(before), _]) = steps {
                    (made.step, made.view) = (Some(before.step_to(&gallery)), Bytes::new());
                }
                match (steps, &own) {
                    (Some([_, Some(before)]), Some(own)) => {
                        made.private_steps.push((ANN, before.step_to(own)));
                    }
                    (_, Some(own)) => made.private.push((ANN, whole(own))),
                    (_, None) => {}
                }
                history.take(&made, PLENTY).unwrap();
                for (player, kept) in [ANN, BO].into_iter().zip(&mut kept) {
                    let shown = Version(version - 1);
                    let seen = own.as_ref().filter(|_| player == ANN).unwrap_or(&gallery);
                    keep(kept, &history.newest_for(player, shown, Shape::Steps).unwrap());
                    let wanted: Kept = serde_json::from_str(&seen.view_without_chat()).unwrap();
                    prop_assert_eq!(&*kept, &wanted);
                    let mut old = Kept::new();
                    keep(&mut old, &history.newest_for(player, shown, VIEWS).unwrap());
                    prop_assert_eq!(old, serde_json::from_str::<Kept>(&seen.view()).unwrap());
                    let mut back = Kept::new();
                    for text in history.since(player, None, Version(0), Shape::Steps) {
                        keep(&mut back, &text);
                    }
                    prop_assert_eq!(back, wanted);
                }
                before = Some([Some(gallery), own]);
            }
        }

        /// A private view is seen by its owner and by nobody else, whatever the
        /// way it is asked for; and versions never go backwards.
        #[test]
        fn private_views_are_kept_apart(
            steps in prop::collection::vec((0u64..4, any::<bool>(), any::<bool>(), any::<bool>()), 1..40),
            since in prop::option::of(0u64..60),
            eyes_from in 0u64..60,
        ) {
            let mut history = History::new("k3v7".into());
            history.will_be(VIEWS);
            let mut version = 0;
            for (ahead, resync, ann, bo) in steps {
                let before = history.version();
                version += ahead;
                let mut eyes = Vec::new();
                if ann { eyes.push(ANN) }
                if bo { eyes.push(BO) }
                let made = if resync { whole(version, &eyes) } else { update(version, &eyes) };
                history.take(&made, 400).unwrap();
                prop_assert!(history.version() >= before);
            }
            for (eyes, other) in [(ANN, BO), (BO, ANN), (PlayerId(3), ANN), (PlayerId(3), BO)] {
                let foreign = format!(r#""for":{}"#, other.0);
                let mut texts = history.since(eyes, since.map(Version), Version(eyes_from), VIEWS);
                let (seen, shown) = (versions(&texts), Version(since.unwrap_or(0)));
                prop_assert!(seen.iter().all(|(version, _)| since.is_none_or(|since| *version > since)));
                prop_assert!(seen.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0));
                for shape in [VIEWS, Shape::Steps] {
                    texts.extend(history.since(eyes, since.map(Version), Version(eyes_from), shape));
                    texts.extend(history.newest_for(eyes, shown, shape));
                    texts.extend(history.last_for(eyes, shown, shape));
                }
                prop_assert!(texts.iter().all(|text| !text.as_str().contains(&foreign)));
            }
        }
    }
}
