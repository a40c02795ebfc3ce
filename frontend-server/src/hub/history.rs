//! A room's last versions, ready to be sent: pure.
//!
//! Each version is rendered once for everyone, and once for each player who sees
//! it differently. Someone who was away gets what they missed, in order, as long
//! as all of it is still here and was made for their eyes; else the whole view.

use std::{borrow::Cow, collections::VecDeque, ops::Range, str, sync::Arc};

use bytes::Bytes;
use hangraft_ids::{PlayerId, Version};
use hangraft_proto::socket::View;

use crate::{message::Text, upstream::Update};

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
}

/// A view that is no text; nodes do not send such.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a view is not valid UTF-8")]
pub(crate) struct NotText(#[from] str::Utf8Error);

/// The last versions of one room.
#[derive(Debug)]
pub(crate) struct History {
    /// What players call the room.
    name: Arc<str>,
    newest: Option<Rendered>,
    /// Consecutive versions; the last one is the newest, if there is any.
    steps: VecDeque<Rendered>,
    bytes: usize,
}

/// One version, rendered for everyone.
#[derive(Clone, Debug)]
struct Rendered {
    name: Arc<str>,
    version: Version,
    closed: bool,
    public: Push,
    private: Vec<(PlayerId, Push)>,
}

/// A push, and where in it the view is.
#[derive(Clone, Debug)]
struct Push {
    text: Text,
    view: Range<usize>,
    resync: bool,
}

impl History {
    /// Of a room that players call so; nothing is known yet.
    pub(crate) fn new(name: Arc<str>) -> Self {
        Self { name, newest: None, steps: VecDeque::new(), bytes: 0 }
    }

    /// The newest version, if any is known.
    pub(crate) fn version(&self) -> Option<Version> {
        self.newest.as_ref().map(|newest| newest.version)
    }

    /// Takes an update in and keeps at most so many bytes of old versions.
    pub(crate) fn take(&mut self, update: &Update, bytes_max: usize) -> Result<Taken, NotText> {
        let taken = match self.version() {
            Some(newest) if update.version < newest => Taken::Old,
            Some(newest) if update.version == newest && !update.resync => Taken::Old,
            Some(newest) if update.version == newest => Taken::Same,
            Some(newest) if update.version == newest.next() && !update.resync => Taken::Next,
            _ => Taken::Jump,
        };
        match taken {
            Taken::Old => return Ok(taken),
            Taken::Same => self.newest = Some(Rendered::render(&self.name, update, true)?),
            Taken::Jump => {
                self.newest = Some(Rendered::render(&self.name, update, true)?);
                self.steps.clear();
                self.bytes = 0;
            }
            Taken::Next => {
                let step = Rendered::render(&self.name, update, false)?;
                self.bytes += step.bytes();
                self.newest = Some(step.clone());
                self.steps.push_back(step);
                self.forget(bytes_max);
            }
        }
        Ok(taken)
    }

    /// The newest version as it is pushed to this player: as a step for someone
    /// who has the version before, as a whole for anyone else.
    pub(crate) fn newest_for(&self, player: PlayerId, shown: Version) -> Option<Text> {
        let newest = self.newest.as_ref()?;
        let push = newest.seen_by(player);
        Some(if shown.next() == newest.version { push.text.clone() } else { push.whole(newest) })
    }

    /// What a player misses who has version `since`, and whose eyes the versions
    /// from `eyes_from` on were made for. Oldest first; empty when nothing is missing.
    pub(crate) fn since(
        &self,
        player: PlayerId,
        since: Option<Version>,
        eyes_from: Version,
    ) -> Vec<Text> {
        let Some(newest) = &self.newest else { return Vec::new() };
        let whole = || vec![newest.seen_by(player).whole(newest)];
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
        missed.map(|step| step.seen_by(player).text.clone()).collect()
    }

    /// The newest version as the room's last, for a player who has seen `shown`.
    pub(crate) fn last_for(&self, player: PlayerId, shown: Version) -> Option<Text> {
        let newest = self.newest.as_ref()?;
        if newest.closed {
            return self.newest_for(player, shown);
        }
        // Nobody said that it was the last when it came.
        Some(newest.seen_by(player).again(newest, true))
    }

    fn forget(&mut self, bytes_max: usize) {
        while self.steps.len() > VERSIONS_MAX || (self.bytes > bytes_max && self.steps.len() > 1) {
            let step = self.steps.pop_front().expect("there is more than one");
            self.bytes -= step.bytes();
        }
    }
}

impl Rendered {
    fn render(name: &Arc<str>, update: &Update, resync: bool) -> Result<Self, NotText> {
        let events = if resync { "[]" } else { str::from_utf8(&update.events)? };
        let events = if events.is_empty() { "[]" } else { events };
        let Update { version, closed, .. } = *update;
        let render = |view: &Bytes| -> Result<Push, NotText> {
            let (room, view) = (Cow::from(&**name), str::from_utf8(view)?);
            Ok(Push::render(View { room, version, view, events, resync, closed }))
        };
        let public = render(&update.view)?;
        let private = update.private.iter().map(|(player, view)| Ok((*player, render(view)?)));
        let private = private.collect::<Result<_, NotText>>()?;
        Ok(Self { name: name.clone(), version, closed, public, private })
    }

    /// The only place where it is decided who sees which view.
    fn seen_by(&self, player: PlayerId) -> &Push {
        let own = self.private.iter().find(|(whose, _)| *whose == player);
        own.map_or(&self.public, |(_, push)| push)
    }

    fn bytes(&self) -> usize {
        let private: usize = self.private.iter().map(|(_, push)| push.text.len()).sum();
        self.public.text.len() + private
    }
}

impl Push {
    fn render(push: View<'_>) -> Self {
        let (text, view) = push.text();
        Self { text: text.into(), view, resync: push.resync }
    }

    /// The same view for someone who has not seen the version before it.
    fn whole(&self, of: &Rendered) -> Text {
        if self.resync { self.text.clone() } else { self.again(of, of.closed) }
    }

    fn again(&self, of: &Rendered, closed: bool) -> Text {
        let view = &self.text.as_str()[self.view.clone()];
        let (room, version) = (Cow::from(&*of.name), of.version);
        Self::render(View { room, version, view, events: "[]", resync: true, closed }).text
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
        for update in updates {
            history.take(&update, PLENTY).unwrap();
        }
        history
    }

    /// What a player misses who has a version, whose eyes opened at another.
    fn missed(history: &History, since: Option<u64>, eyes_from: u64) -> Vec<Text> {
        history.since(ANN, since.map(Version), Version(eyes_from))
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
        assert_eq!(history.newest_for(ANN, Version(1)).unwrap().as_str(), step);
        assert_eq!(history.newest_for(ANN, Version(0)).unwrap().as_str(), jump);
        assert_eq!(history.last_for(ANN, Version(2)).unwrap().as_str(), last);
        let end = Update { closed: true, ..update(3, &[]) };
        let end = self::history([whole(2, &[]), end]).last_for(ANN, Version(2)).unwrap();
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

    proptest! {
        /// A private view is seen by its owner and by nobody else, whatever the
        /// way it is asked for; and versions never go backwards.
        #[test]
        fn private_views_are_kept_apart(
            steps in prop::collection::vec((0u64..4, any::<bool>(), any::<bool>(), any::<bool>()), 1..40),
            since in prop::option::of(0u64..60),
            eyes_from in 0u64..60,
        ) {
            let mut history = History::new("k3v7".into());
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
                let mut texts = history.since(eyes, since.map(Version), Version(eyes_from));
                let (seen, shown) = (versions(&texts), Version(since.unwrap_or(0)));
                prop_assert!(seen.iter().all(|(version, _)| since.is_none_or(|since| *version > since)));
                prop_assert!(seen.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0));
                texts.extend(history.newest_for(eyes, shown));
                texts.extend(history.last_for(eyes, shown));
                prop_assert!(texts.iter().all(|text| !text.as_str().contains(&foreign)));
            }
        }
    }
}
