//! One watched room: who looks at it, through whose eyes, and what they have
//! seen. Pure: time and the way to a node are the caller's.
//!
//! Upstream there is one watch per room. It names every player who looks, so that
//! the node can add views that only they may see. When somebody new comes, the
//! node is asked for the whole view again, made for their eyes too; until that
//! comes they wait, and everybody else goes on undisturbed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use hangraft_ids::{PlayerId, RoomId, Version};
use hangraft_proto::socket::Code;

use super::{
    fields::NotAView,
    history::{History, Shape, Taken},
};
use crate::{
    command::Refusal,
    mailbox::{Mail, SocketId, Tag},
    upstream::{Update, WatchRequest},
};

/// How long a room, and a player's place among the eyes, is kept after the last
/// session left: a page that reloads finds everything as it was.
const GRACE: Duration = Duration::from_secs(10);
/// How long somebody waits for their first view.
const PATIENCE: Duration = Duration::from_secs(10);
/// Waits after a node said that there is no such room, in milliseconds. A room
/// just opened may not have reached the node we watch through.
const MISSING_MS: [u64; 5] = [5, 15, 40, 100, 200];
/// The wait when a node is behind us, or could not take the watch.
const BEHIND: Duration = Duration::from_millis(50);

/// What is under way to have the whole view.
#[derive(Debug)]
enum Asking {
    Nothing,
    /// It is on its way, as the answer to this question, for these eyes.
    Asked {
        number: u64,
        eyes: BTreeSet<PlayerId>,
    },
    /// It is asked for then.
    Later {
        at: Instant,
    },
}

/// A session that wants to look. `W` is how to reach it.
#[derive(Debug)]
pub(crate) struct Joining<W> {
    pub(crate) session: SocketId,
    pub(crate) player: PlayerId,
    pub(crate) tag: Tag,
    pub(crate) since: Option<Version>,
    pub(crate) shape: Shape,
    pub(crate) way: W,
}

/// One watched room.
#[derive(Debug)]
pub(crate) struct Room<W> {
    room: RoomId,
    history: History,
    /// When the newest version was made.
    made: Option<Instant>,
    watchers: BTreeMap<SocketId, Watcher<W>>,
    eyes: BTreeMap<PlayerId, Eye>,
    asking: Asking,
    /// Questions made so far.
    questions: u64,
    /// How often in a row a node did not know the room.
    missing: usize,
    empty_since: Option<Instant>,
}

#[derive(Debug)]
struct Watcher<W> {
    player: PlayerId,
    shape: Shape,
    way: W,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// For the first view.
    Waiting { tag: Tag, since: Option<Version>, until: Instant },
    /// Has seen this version.
    Shown(Version),
}

/// A player who looks, with one or more sessions.
#[derive(Debug, Default)]
struct Eye {
    sessions: usize,
    /// From this version on, what we have was made for these eyes too.
    open_from: Option<Version>,
    left_at: Option<Instant>,
}

/// What became of an update.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The room goes on; perhaps there is more to ask.
    On(Option<WatchRequest>),
    /// It was the last.
    Over,
}

impl<W> Room<W> {
    /// Nobody looks yet; players call the room `name`.
    pub(crate) fn new(room: RoomId, name: Arc<str>) -> Self {
        Self {
            room,
            history: History::new(name),
            made: None,
            watchers: BTreeMap::new(),
            eyes: BTreeMap::new(),
            asking: Asking::Nothing,
            questions: 0,
            missing: 0,
            empty_since: None,
        }
    }

    /// The newest version shown.
    pub(crate) fn version(&self) -> Option<Version> {
        self.history.version()
    }

    /// A session begins to look; one that looked already begins anew.
    pub(crate) fn join(
        &mut self,
        joining: Joining<W>,
        now: Instant,
        deliver: &mut impl FnMut(&W, Mail),
    ) -> Option<WatchRequest> {
        let Joining { session, player, tag, since, shape, way } = joining;
        self.leave(session, now);
        self.history.will_be(shape);
        self.empty_since = None;
        let eye = self.eyes.entry(player).or_default();
        eye.sessions += 1;
        eye.left_at = None;
        let place = Place::Waiting { tag, since, until: now + PATIENCE };
        let mut watcher = Watcher { player, shape, way, place };
        let age = self.made.map_or(Duration::ZERO, |made| now.saturating_duration_since(made));
        watcher.settle(self.room, &self.history, age, eye, deliver);
        let waits = matches!(watcher.place, Place::Waiting { .. });
        self.watchers.insert(session, watcher);
        if waits { self.ask() } else { None }
    }

    /// A session looks away.
    pub(crate) fn leave(&mut self, session: SocketId, now: Instant) {
        let Some(watcher) = self.watchers.remove(&session) else { return };
        let eye = self.eyes.get_mut(&watcher.player).expect("a watcher has eyes");
        eye.sessions -= 1;
        if eye.sessions == 0 {
            eye.left_at = Some(now);
        }
        if self.watchers.is_empty() {
            self.empty_since = Some(now);
        }
    }

    /// The node says something new, or again. Keeps so many bytes of the past.
    pub(crate) fn hear(
        &mut self,
        update: &Update,
        bytes_max: usize,
        now: Instant,
        deliver: &mut impl FnMut(&W, Mail),
    ) -> Result<Heard, NotAView> {
        let taken = self.history.take(update, bytes_max)?;
        if taken == Taken::Lost {
            return Ok(Heard::On(self.ask()));
        }
        if taken != Taken::Old {
            self.made = now.checked_sub(update.age);
        }
        self.missing = 0;
        let answered = update.resync && self.is_answer(update);
        if taken == Taken::Old && answered && matches!(self.asking, Asking::Asked { .. }) {
            // The node is behind what we have shown; what it says now would be
            // a step back for some.
            self.asking = Asking::Later { at: now + BEHIND };
        }
        if taken != Taken::Old && answered {
            self.open_eyes(update.version);
        }
        if update.closed {
            self.end(deliver);
            return Ok(Heard::Over);
        }
        if matches!(taken, Taken::Next | Taken::Jump) {
            self.show(update.version, deliver);
        }
        self.settle(now, deliver);
        Ok(Heard::On(self.ask_for_the_waiting()))
    }

    /// The node refused the watch.
    pub(crate) fn refused(
        &mut self,
        refusal: &Refusal,
        now: Instant,
        deliver: &mut impl FnMut(&W, Mail),
    ) -> Heard {
        if refusal.code != Code::NoSuchRoom {
            self.asking = Asking::Later { at: now + BEHIND };
            return Heard::On(None);
        }
        if let Some(wait) = MISSING_MS.get(self.missing) {
            self.missing += 1;
            self.asking = Asking::Later { at: now + Duration::from_millis(*wait) };
            return Heard::On(None);
        }
        self.asking = Asking::Nothing;
        for watcher in self.watchers.values() {
            match watcher.place {
                Place::Waiting { tag, .. } => {
                    let (room, refusal) = (self.room, refusal.clone());
                    deliver(&watcher.way, Mail::WatchRefused { tag, room, refusal });
                }
                Place::Shown(shown) => self.close(watcher, shown, deliver),
            }
        }
        Heard::Over
    }

    /// There is another node to watch through, which knows nothing of us yet.
    pub(crate) fn moved(&mut self) -> Option<WatchRequest> {
        self.asking = Asking::Nothing;
        self.missing = 0;
        self.ask_for_the_waiting().or_else(|| Some(self.question(self.history.version())))
    }

    /// Whether something is to be asked later.
    pub(crate) fn asks_later(&self) -> bool {
        matches!(self.asking, Asking::Later { .. })
    }

    /// Asks what was to be asked later, when later is now.
    pub(crate) fn ask_if_due(&mut self, now: Instant) -> Option<WatchRequest> {
        if !matches!(self.asking, Asking::Later { at } if at <= now) {
            return None;
        }
        self.asking = Asking::Nothing;
        self.ask_for_the_waiting().or_else(|| Some(self.question(self.history.version())))
    }

    /// Nobody has looked for a while.
    pub(crate) fn is_abandoned(&self, now: Instant) -> bool {
        self.empty_since.is_some_and(|since| since + GRACE <= now)
    }

    /// Time has passed: forgets eyes long gone, and refuses those who waited too long.
    pub(crate) fn sweep(
        &mut self,
        now: Instant,
        deliver: &mut impl FnMut(&W, Mail),
    ) -> Option<WatchRequest> {
        let late = self.watchers.iter().filter(|(_, watcher)| watcher.waited_too_long(now));
        let late: Vec<SocketId> = late.map(|(session, _)| *session).collect();
        for session in &late {
            self.give_up(*session, now, deliver);
        }
        if !late.is_empty() && matches!(self.asking, Asking::Asked { .. }) {
            // Whatever was asked for them is not coming.
            self.asking = Asking::Nothing;
        }
        let before = self.eyes.len();
        self.eyes.retain(|_, eye| eye.left_at.is_none_or(|at| at + GRACE > now));
        if !matches!(self.asking, Asking::Nothing) {
            return None;
        }
        let fewer = self.eyes.len() < before;
        self.ask_for_the_waiting().or_else(|| fewer.then(|| self.question(self.history.version())))
    }

    /// The whole view is asked for when somebody waits for it and it is not on
    /// its way already. One question at a time: its answer is the next whole view.
    fn ask_for_the_waiting(&mut self) -> Option<WatchRequest> {
        let waits = |watcher: &Watcher<W>| matches!(watcher.place, Place::Waiting { .. });
        if self.watchers.values().any(waits) { self.ask() } else { None }
    }

    fn ask(&mut self) -> Option<WatchRequest> {
        if !matches!(self.asking, Asking::Nothing) {
            return None;
        }
        let question = self.question(None);
        let eyes = self.eyes.keys().copied().collect();
        self.asking = Asking::Asked { number: question.number, eyes };
        Some(question)
    }

    fn question(&mut self, since: Option<Version>) -> WatchRequest {
        self.questions += 1;
        let players = self.eyes.keys().copied().collect();
        WatchRequest { room: self.room, since, players, number: self.questions }
    }

    /// Whether a whole view is the one that was asked for. Another was made for the
    /// eyes of an earlier question, or because the node had to leave something out.
    fn is_answer(&self, update: &Update) -> bool {
        let asked = match &self.asking {
            Asking::Asked { number, .. } => Some(*number),
            Asking::Nothing | Asking::Later { .. } => None,
        };
        update.answers.is_none() || update.answers == asked
    }

    /// A whole view came: from here on, what comes is made for those asked for.
    fn open_eyes(&mut self, version: Version) {
        let Asking::Asked { eyes, .. } = &self.asking else { return };
        for player in eyes {
            if let Some(eye) = self.eyes.get_mut(player) {
                eye.open_from.get_or_insert(version.next());
            }
        }
        self.asking = Asking::Nothing;
    }

    /// Shows the newest version to everyone who has not seen it.
    fn show(&mut self, version: Version, deliver: &mut impl FnMut(&W, Mail)) {
        for watcher in self.watchers.values_mut() {
            let Place::Shown(shown) = &mut watcher.place else { continue };
            if *shown >= version {
                continue;
            }
            if let Some(text) = self.history.newest_for(watcher.player, *shown, watcher.shape) {
                deliver(&watcher.way, Mail::View { room: self.room, text });
                *shown = version;
            }
        }
    }

    /// Begins the watches of those whose eyes have opened.
    fn settle(&mut self, now: Instant, deliver: &mut impl FnMut(&W, Mail)) {
        let age = self.made.map_or(Duration::ZERO, |made| now.saturating_duration_since(made));
        for watcher in self.watchers.values_mut() {
            let eye = self.eyes.get(&watcher.player).expect("a watcher has eyes");
            watcher.settle(self.room, &self.history, age, eye, deliver);
        }
    }

    /// The room has left the lobby: everyone is shown its last view, those who
    /// waited as the answer to their wait.
    fn end(&mut self, deliver: &mut impl FnMut(&W, Mail)) {
        let Some(version) = self.history.version() else { return };
        for watcher in self.watchers.values() {
            let shown = match watcher.place {
                Place::Shown(shown) => shown,
                Place::Waiting { tag, since, .. } => {
                    let (room, missed, age) = (self.room, Vec::new(), Duration::ZERO);
                    deliver(&watcher.way, Mail::Watching { tag, room, version, age, missed });
                    since.unwrap_or_default()
                }
            };
            self.close(watcher, shown, deliver);
        }
    }

    fn close(&self, watcher: &Watcher<W>, shown: Version, deliver: &mut impl FnMut(&W, Mail)) {
        if let Some(text) = self.history.last_for(watcher.player, shown, watcher.shape) {
            deliver(&watcher.way, Mail::Closed { room: self.room, text });
        }
    }

    fn give_up(&mut self, session: SocketId, now: Instant, deliver: &mut impl FnMut(&W, Mail)) {
        if let Some(watcher) = self.watchers.get(&session)
            && let Place::Waiting { tag, .. } = watcher.place
        {
            let message = "no node could show this room in time; try again";
            let refusal = Refusal::new(Code::NoQuorum, message);
            deliver(&watcher.way, Mail::WatchRefused { tag, room: self.room, refusal });
        }
        self.leave(session, now);
    }
}

impl<W> Watcher<W> {
    /// Begins the watch of someone who waits, if there is something to show them.
    fn settle(
        &mut self,
        room: RoomId,
        history: &History,
        age: Duration,
        eye: &Eye,
        deliver: &mut impl FnMut(&W, Mail),
    ) {
        let Place::Waiting { tag, since, .. } = self.place else { return };
        let (Some(open_from), Some(version)) = (eye.open_from, history.version()) else { return };
        let missed = history.since(self.player, since, open_from, self.shape);
        deliver(&self.way, Mail::Watching { tag, room, version, age, missed });
        // Someone who has seen more than we have is shown nothing older.
        self.place = Place::Shown(version.max(since.unwrap_or_default()));
    }

    fn waited_too_long(&self, now: Instant) -> bool {
        matches!(self.place, Place::Waiting { until, .. } if until <= now)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{message::Text, upstream::Step};

    const ROOM: RoomId = RoomId(4);
    const ANN: PlayerId = PlayerId(1);
    const BO: PlayerId = PlayerId(2);

    /// A room under test, with what its watchers were told since the last look.
    struct Stage {
        room: Room<&'static str>,
        now: Instant,
        told: Vec<(&'static str, String)>,
        /// How those are told who join next.
        shape: Shape,
    }

    impl Stage {
        fn new() -> Self {
            let (room, shape) = (Room::new(ROOM, "k3v7".into()), Shape::Views);
            Self { room, now: Instant::now(), told: Vec::new(), shape }
        }

        fn join(
            &mut self,
            name: &'static str,
            socket: u64,
            player: PlayerId,
            since: Option<u64>,
        ) -> Option<WatchRequest> {
            let (session, tag, since) = (SocketId(socket), Tag(socket), since.map(Version));
            let shape = self.shape;
            let joining = Joining { session, player, tag, since, shape, way: name };
            plain(self.room.join(joining, self.now, &mut note(&mut self.told)))
        }

        fn hear(&mut self, update: &Update) -> Heard {
            let heard = self.room.hear(update, 1 << 20, self.now, &mut note(&mut self.told));
            match heard.unwrap() {
                Heard::On(question) => Heard::On(plain(question)),
                Heard::Over => Heard::Over,
            }
        }

        fn refused(&mut self, code: Code) -> Heard {
            let refusal = Refusal::new(code, "");
            self.room.refused(&refusal, self.now, &mut note(&mut self.told))
        }

        fn told(&mut self) -> Vec<(&'static str, String)> {
            std::mem::take(&mut self.told)
        }
    }

    fn note(told: &mut Vec<(&'static str, String)>) -> impl FnMut(&&'static str, Mail) {
        |who, mail| told.push((*who, line(&mail)))
    }

    /// Mail in a few words: "5" is version 5, "+5" a step to it, "=5" a whole view, "5*2" a view
    /// of player 2's.
    fn line(mail: &Mail) -> String {
        let short = |text: &Text| {
            let value: serde_json::Value = serde_json::from_str(text.as_str()).unwrap();
            let step = if value["push"] == "step" { "+" } else { "" };
            let whole = if value["resync"] == true { "=" } else { step };
            let own = value["view"]["own"].as_u64().map_or(String::new(), |p| format!("*{p}"));
            format!("{whole}{}{own}", value["version"])
        };
        match mail {
            Mail::View { text, .. } => short(text),
            Mail::Closed { text, .. } => format!("closed {}", short(text)),
            Mail::Watching { version, age, missed, .. } => {
                let missed: Vec<_> = missed.iter().map(short).collect();
                let age = age.as_secs();
                let old = if age > 0 { format!(", {age} s old") } else { String::new() };
                format!("watching {}{old}: {}", version.0, missed.join(" "))
            }
            Mail::WatchRefused { refusal, .. } => format!("refused {}", refusal.code),
            other => format!("{other:?}"),
        }
    }

    fn update(version: u64, private: &[PlayerId]) -> Update {
        let own = |player: &PlayerId| (*player, format!(r#"{{"own":{}}}"#, player.0).into());
        Update {
            room: ROOM,
            version: Version(version),
            view: Bytes::from_static(b"{}"),
            events: Bytes::from_static(b"[]"),
            private: private.iter().map(own).collect(),
            ..Update::default()
        }
    }

    fn whole(version: u64, private: &[PlayerId]) -> Update {
        Update { resync: true, ..update(version, private) }
    }

    fn asks(since: Option<u64>, players: &[PlayerId]) -> Option<WatchRequest> {
        Some(WatchRequest {
            room: ROOM,
            since: since.map(Version),
            players: players.to_vec(),
            number: 0,
        })
    }

    /// A question without its number.
    fn plain(question: Option<WatchRequest>) -> Option<WatchRequest> {
        question.map(|question| WatchRequest { number: 0, ..question })
    }

    fn says(lines: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        lines.iter().map(|(who, what)| (*who, (*what).to_owned())).collect()
    }

    /// The first one asks the node, the second tab of the same player does not have to.
    #[test]
    fn one_watch_upstream_serves_many() {
        let mut stage = Stage::new();
        assert_eq!(stage.join("ann", 1, ANN, None), asks(None, &[ANN]));
        assert_eq!(stage.told(), []);
        assert_eq!(stage.hear(&whole(3, &[])), Heard::On(None));
        assert_eq!(stage.told(), says(&[("ann", "watching 3: =3")]));
        assert_eq!(stage.join("ann's phone", 2, ANN, Some(3)), None);
        assert_eq!(stage.told(), says(&[("ann's phone", "watching 3: ")]));
        stage.hear(&update(4, &[]));
        stage.hear(&update(4, &[]));
        assert_eq!(stage.told(), says(&[("ann", "4"), ("ann's phone", "4")]));
    }

    /// Someone new waits until the view was made for their eyes too; the others
    /// go on meanwhile, and nobody sees through another's eyes.
    #[test]
    fn a_setter_sees_their_own_view_from_the_first() {
        let mut stage = Stage::new();
        stage.join("ann", 1, ANN, None);
        stage.hear(&whole(3, &[]));
        assert_eq!(stage.join("bo", 2, BO, None), asks(None, &[ANN, BO]));
        stage.told();
        // Made before the node heard of Bo.
        stage.hear(&update(4, &[]));
        assert_eq!(stage.told(), says(&[("ann", "4")]));
        stage.hear(&whole(4, &[BO]));
        assert_eq!(stage.told(), says(&[("bo", "watching 4: =4*2")]));
        stage.hear(&update(5, &[BO]));
        assert_eq!(stage.told(), says(&[("ann", "5"), ("bo", "5*2")]));
        // Bo's reload: version 4 was made before his eyes were open.
        stage.join("bo", 3, BO, Some(4));
        stage.join("bo", 4, BO, Some(3));
        assert_eq!(stage.told(), says(&[("bo", "watching 5: 5*2"), ("bo", "watching 5: =5*2")]));
    }

    /// Whoever comes later learns how long ago the room became as it is, for what it says
    /// of times; the node may have known it for a while already.
    #[test]
    fn who_comes_later_learns_how_old_the_view_is() {
        let mut stage = Stage::new();
        stage.join("ann", 1, ANN, None);
        stage.hear(&Update { age: Duration::from_secs(3), ..whole(3, &[]) });
        stage.now += Duration::from_secs(4);
        stage.join("ann's phone", 2, ANN, None);
        stage.hear(&update(4, &[]));
        stage.hear(&update(4, &[]));
        stage.now += Duration::from_secs(2);
        stage.join("ann's tablet", 3, ANN, Some(4));
        let told = [
            ("ann", "watching 3, 3 s old: =3"),
            ("ann's phone", "watching 3, 7 s old: =3"),
            ("ann", "4"),
            ("ann's phone", "4"),
            ("ann's tablet", "watching 4, 2 s old: "),
        ];
        assert_eq!(stage.told(), says(&told));
    }

    /// Two who come while a question is on its way share the next one.
    #[test]
    fn one_question_at_a_time() {
        let mut stage = Stage::new();
        assert!(stage.join("ann", 1, ANN, None).is_some());
        assert_eq!(stage.join("bo", 2, BO, None), None);
        let Heard::On(next) = stage.hear(&whole(3, &[])) else { panic!("it goes on") };
        assert_eq!(next, asks(None, &[ANN, BO]));
        assert_eq!(stage.told(), says(&[("ann", "watching 3: =3")]));
        stage.hear(&whole(3, &[]));
        assert_eq!(stage.told(), says(&[("bo", "watching 3: =3")]));
    }

    /// Another node goes on where the last one stopped; what overlaps is not shown
    /// again, and a gap is shown as what it is.
    #[test]
    fn moving_to_another_node_shows_nothing_twice() {
        let mut stage = Stage::new();
        stage.join("ann", 1, ANN, None);
        stage.hear(&whole(3, &[]));
        stage.told();
        assert_eq!(plain(stage.room.moved()), asks(Some(3), &[ANN]));
        stage.hear(&update(3, &[]));
        stage.hear(&update(4, &[]));
        stage.hear(&update(7, &[]));
        stage.hear(&update(6, &[]));
        stage.hear(&update(8, &[]));
        assert_eq!(stage.told(), says(&[("ann", "4"), ("ann", "=7"), ("ann", "8")]));
    }

    /// The answer to an earlier question was not made for the eyes of a later one. A
    /// setter who came in between was once shown the word as hidden.
    #[test]
    fn an_earlier_answer_opens_no_later_eyes() {
        let mut stage = Stage::new();
        stage.join("ann", 1, ANN, None);
        stage.hear(&whole(3, &[]));
        let earlier = stage.room.moved().expect("the new node is asked").number;
        let joining = Joining {
            session: SocketId(2),
            player: BO,
            tag: Tag(2),
            since: None,
            shape: Shape::Views,
            way: "bo",
        };
        let later = stage.room.join(joining, stage.now, &mut note(&mut stage.told));
        let later = later.expect("a view for new eyes is asked for").number;
        stage.told();
        stage.hear(&Update { answers: Some(earlier), ..whole(5, &[]) });
        assert_eq!(stage.told(), says(&[("ann", "=5")]));
        stage.hear(&Update { answers: Some(0), ..whole(6, &[]) });
        assert_eq!(stage.told(), says(&[("ann", "=6")]));
        stage.hear(&Update { answers: Some(later), ..whole(6, &[BO]) });
        assert_eq!(stage.told(), says(&[("bo", "watching 6: =6*2")]));
    }

    /// Who is told in steps hears what has changed. A step from what was not shown is nothing
    /// to guess from: the whole view is asked for.
    #[test]
    fn a_step_from_elsewhere_is_not_taken() {
        let step = |version| {
            let set = vec![("n".into(), Bytes::from_static(b"1"))];
            let step = Some(Step { set, unset: Vec::new() });
            Update { step, view: Bytes::new(), ..update(version, &[]) }
        };
        let mut stage = Stage::new();
        stage.join("old ann", 1, ANN, None);
        stage.hear(&whole(3, &[]));
        stage.shape = Shape::Steps;
        stage.join("ann", 2, ANN, Some(3));
        stage.told();
        stage.hear(&step(4));
        assert_eq!(stage.told(), says(&[("old ann", "4"), ("ann", "+4")]));
        assert_eq!(stage.hear(&step(7)), Heard::On(asks(None, &[ANN])));
        assert_eq!(stage.told(), []);
        stage.hear(&whole(7, &[]));
        assert_eq!(stage.told(), says(&[("old ann", "=7"), ("ann", "=7")]));
        let own = vec![(ANN, Step::default())];
        let unheard_of = Update { private_steps: own, ..step(8) };
        assert_eq!(stage.hear(&unheard_of), Heard::On(asks(None, &[ANN])));
        stage.hear(&whole(8, &[ANN]));
        assert_eq!(stage.told(), says(&[("old ann", "=8*1"), ("ann", "=8*1")]));
    }

    /// A node that is behind is asked again, rather than showing a step back.
    #[test]
    fn nobody_goes_backwards() {
        let mut stage = Stage::new();
        stage.join("ann", 1, ANN, None);
        stage.hear(&whole(9, &[]));
        stage.room.moved();
        assert!(stage.join("bo", 2, BO, Some(8)).is_some());
        stage.told();
        stage.hear(&whole(7, &[]));
        assert_eq!(stage.told(), []);
        assert!(stage.room.asks_later());
        assert_eq!(stage.room.ask_if_due(stage.now), None);
        assert_eq!(plain(stage.room.ask_if_due(stage.now + BEHIND)), asks(None, &[ANN, BO]));
        stage.hear(&whole(9, &[]));
        assert_eq!(stage.told(), says(&[("bo", "watching 9: =9")]));
        // Someone who has seen more than any node here knows is shown nothing older.
        stage.join("bo", 2, BO, Some(11));
        stage.hear(&update(10, &[]));
        stage.hear(&update(11, &[]));
        stage.hear(&update(12, &[]));
        let bo: Vec<_> = stage.told().into_iter().filter(|(who, _)| *who == "bo").collect();
        assert_eq!(bo, says(&[("bo", "watching 9: "), ("bo", "12")]));
    }

    /// A room just opened may not be known everywhere yet; one that is nowhere is refused.
    #[test]
    fn a_missing_room_gets_a_little_time() {
        let mut stage = Stage::new();
        stage.join("ann", 1, ANN, None);
        for wait in MISSING_MS {
            assert_eq!(stage.refused(Code::NoSuchRoom), Heard::On(None));
            stage.now += Duration::from_millis(wait);
            assert_eq!(plain(stage.room.ask_if_due(stage.now)), asks(None, &[ANN]));
        }
        assert_eq!(stage.told(), []);
        assert_eq!(stage.refused(Code::NoSuchRoom), Heard::Over);
        assert_eq!(stage.told(), says(&[("ann", "refused no-such-room")]));
    }

    /// A room that ends says so to everyone, in everyone's own view.
    #[test]
    fn the_end_is_told() {
        let mut stage = Stage::new();
        stage.join("ann", 1, ANN, None);
        stage.join("bo", 2, BO, None);
        stage.hear(&whole(3, &[]));
        stage.hear(&whole(3, &[BO]));
        stage.told();
        let last = Update { closed: true, ..update(4, &[BO]) };
        assert_eq!(stage.hear(&last), Heard::Over);
        assert_eq!(stage.told(), says(&[("ann", "closed 4"), ("bo", "closed 4*2")]));
    }

    /// Someone who asks for a room that is over is shown how it ended.
    #[test]
    fn a_room_from_the_archive_is_shown_once() {
        for (since, told) in [(None, "closed =9"), (Some(8), "closed =9"), (Some(9), "closed =9")] {
            let mut stage = Stage::new();
            stage.join("ann", 1, ANN, since);
            assert_eq!(stage.hear(&Update { closed: true, ..whole(9, &[]) }), Heard::Over);
            assert_eq!(stage.told(), says(&[("ann", "watching 9: "), ("ann", told)]));
        }
    }

    /// Eyes are kept for a while after the last session left, then given up.
    #[test]
    fn a_reload_finds_everything_as_it_was() {
        let mut stage = Stage::new();
        stage.join("ann", 1, ANN, None);
        stage.hear(&whole(3, &[]));
        stage.join("bo", 2, BO, None);
        stage.hear(&whole(3, &[BO]));
        stage.room.leave(SocketId(2), stage.now);
        stage.hear(&update(4, &[BO]));
        stage.told();
        let soon = stage.now + GRACE - Duration::from_millis(1);
        assert_eq!(stage.room.sweep(soon, &mut note(&mut stage.told)), None);
        assert_eq!(stage.join("bo", 3, BO, Some(3)), None);
        assert_eq!(stage.told(), says(&[("bo", "watching 4: 4*2")]));

        stage.room.leave(SocketId(3), soon);
        assert_eq!(
            plain(stage.room.sweep(soon + GRACE, &mut note(&mut stage.told))),
            asks(Some(4), &[ANN])
        );
        assert!(!stage.room.is_abandoned(soon + 2 * GRACE));
        stage.room.leave(SocketId(1), soon + GRACE);
        assert!(stage.room.is_abandoned(soon + 2 * GRACE));
    }

    /// Without any node, the first view does not come, and that is said.
    #[test]
    fn waiting_has_an_end() {
        let mut stage = Stage::new();
        stage.join("ann", 1, ANN, None);
        let late = stage.now + PATIENCE;
        stage.room.sweep(late, &mut note(&mut stage.told));
        assert_eq!(stage.told(), says(&[("ann", "refused no-quorum")]));
        assert!(stage.room.is_abandoned(late + GRACE));
    }
}
