//! One player who is followed: which sessions hear what the player is told, and how far
//! each has heard. Pure: time and the way to a node are the caller's.
//!
//! Upstream a player is followed once, from the lowest number that any session needs. So a
//! session may come with any number: when we have not kept what it missed, which we never
//! do, the node is asked again, and everybody else is given nothing twice, for everybody has
//! a number of their own.
//!
//! Links break and nodes lag. Another node may know fewer notices than were heard here: a
//! number that a session has heard is never given to it again. It may also know more, which
//! it says as the answer to where we were. Where a number is missing and no node has said
//! that it is lost, the node is asked again before anybody is given what comes after it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use hangraft_ids::{NoticeNumber, PlayerId};
use hangraft_proto::socket::{Code, Notice};

use crate::{
    command::Refusal,
    mailbox::{Mail, SocketId, Tag},
    message::Text,
    upstream::{FollowRequest, Told},
};

/// How long a player is followed after the last session left: a page that reloads finds
/// everything as it was.
const GRACE: Duration = Duration::from_secs(10);
/// How long somebody waits for the node's first word of them.
const PATIENCE: Duration = Duration::from_secs(10);

/// A session that wants to hear. `W` is how to reach it.
#[derive(Debug)]
pub(crate) struct Listener<W> {
    pub(crate) session: SocketId,
    pub(crate) tag: Tag,
    /// The last notice it has heard; none for one that only wants what comes.
    pub(crate) since: Option<NoticeNumber>,
    pub(crate) way: W,
}

/// One player who is followed.
#[derive(Debug)]
pub(crate) struct Followed<W> {
    player: PlayerId,
    /// The highest number that was heard of.
    newest: NoticeNumber,
    members: BTreeMap<SocketId, Member<W>>,
    asking: Asking,
    /// The number of the last question.
    asked: u64,
    empty_since: Option<Instant>,
}

/// How it stands with the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asking {
    /// It does not know of us.
    Nothing,
    /// It is asked from here on, in the last question.
    Asked(Option<NoticeNumber>),
    /// It has answered, and says whatever comes.
    Answered,
}

#[derive(Debug)]
struct Member<W> {
    way: W,
    place: Place,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// For the answer.
    Waiting { tag: Tag, since: Option<NoticeNumber>, until: Instant },
    /// Has heard up to this one.
    Heard(NoticeNumber),
}

impl<W> Followed<W> {
    /// Nobody hears yet. Questions are numbered from behind `asked`, which differs each
    /// time: an answer that was meant for an earlier one of this player is none of ours.
    pub(crate) fn new(player: PlayerId, asked: u64) -> Self {
        Self {
            player,
            newest: NoticeNumber(0),
            members: BTreeMap::new(),
            asking: Asking::Nothing,
            asked,
            empty_since: None,
        }
    }

    /// A session begins to hear; one that heard already begins anew.
    pub(crate) fn join(
        &mut self,
        listener: Listener<W>,
        now: Instant,
        deliver: &mut impl FnMut(&W, Mail),
    ) -> Option<FollowRequest> {
        let Listener { session, tag, since: seen, way } = listener;
        let since =
            planted!(NoticeTwice ? seen.map(|it| NoticeNumber(it.0.saturating_sub(1))) => seen);
        self.empty_since = None;
        let up_to_date = since.unwrap_or(self.newest);
        if self.asking == Asking::Answered && up_to_date == self.newest {
            deliver(&way, Mail::Following { tag, number: up_to_date, missed: Vec::new() });
            self.members.insert(session, Member { way, place: Place::Heard(up_to_date) });
            return None;
        }
        let place = Place::Waiting { tag, since, until: now + PATIENCE };
        self.members.insert(session, Member { way, place });
        match (self.asking, since) {
            // What is on its way has all that this one needs.
            (Asking::Asked(_), None) => None,
            (Asking::Asked(Some(from)), Some(since)) if from <= since => None,
            _ => Some(self.ask()),
        }
    }

    /// A session is gone.
    pub(crate) fn leave(&mut self, session: SocketId, now: Instant) {
        if self.members.remove(&session).is_some() && self.members.is_empty() {
            self.empty_since = Some(now);
        }
    }

    /// The node says something; perhaps there is more to ask.
    pub(crate) fn hear(
        &mut self,
        told: &Told,
        deliver: &mut impl FnMut(&W, Mail),
    ) -> Option<FollowRequest> {
        let answers = told.answers == self.asked && matches!(self.asking, Asking::Asked(_));
        let mut said = Said::of(told);
        let mut hole = false;
        for member in self.members.values_mut() {
            let Place::Heard(heard) = member.place else { continue };
            if !answers && said.skips(heard) {
                hole = true;
                continue;
            }
            for text in said.after(heard) {
                deliver(&member.way, Mail::Notice { text });
            }
            member.place = Place::Heard(heard.max(said.last()));
        }
        let newest = self.newest.max(told.newest).max(said.last());
        if hole {
            // The next answer says what is missing, or that it is lost.
            return Some(self.ask());
        }
        self.newest = newest;
        if let Asking::Asked(from) = self.asking
            && answers
        {
            self.asking = Asking::Answered;
            // A node that is asked for more than it knows makes sure before it answers.
            let strange = from.is_some_and(|from| from > told.newest) && told.resync;
            self.settle(&mut said, strange, deliver);
        }
        None
    }

    /// There is another node to follow through, which knows nothing of us yet.
    pub(crate) fn moved(&mut self) -> FollowRequest {
        self.ask()
    }

    /// Nobody has heard for a while.
    pub(crate) fn is_abandoned(&self, now: Instant) -> bool {
        self.empty_since.is_some_and(|since| since + GRACE <= now)
    }

    /// Time has passed: refuses those who waited too long.
    pub(crate) fn sweep(&mut self, now: Instant, deliver: &mut impl FnMut(&W, Mail)) {
        let late = |member: &Member<W>| match member.place {
            Place::Waiting { tag, until, .. } if until <= now => Some(tag),
            _ => None,
        };
        let late: Vec<(SocketId, Tag)> = self
            .members
            .iter()
            .filter_map(|(session, member)| Some((*session, late(member)?)))
            .collect();
        for (session, tag) in &late {
            let message = "no node could say in time what you are told; try again";
            let refusal = Refusal::new(Code::NoQuorum, message);
            if let Some(member) = self.members.get(session) {
                deliver(&member.way, Mail::FollowRefused { tag: *tag, refusal });
            }
            self.leave(*session, now);
        }
        if !late.is_empty() {
            // Whatever was asked for them is not coming; the next to come asks anew.
            self.asking = Asking::Nothing;
        }
    }

    /// Begins for those who wait: the answer is here. `strange`: no number that they have
    /// heard is known, so they have heard it of another cluster.
    fn settle(&mut self, said: &mut Said<'_>, strange: bool, deliver: &mut impl FnMut(&W, Mail)) {
        for member in self.members.values_mut() {
            let Place::Waiting { tag, since, .. } = member.place else { continue };
            let (number, missed) = match since {
                None => (self.newest, Vec::new()),
                Some(_) if strange && !said.is_empty() => (said.last(), said.all()),
                Some(since) => (since.max(said.last()), said.after(since)),
            };
            deliver(&member.way, Mail::Following { tag, number, missed });
            member.place = Place::Heard(number);
        }
    }

    fn ask(&mut self) -> FollowRequest {
        let needed = self.members.values().filter_map(|member| match member.place {
            Place::Waiting { since, .. } => since,
            Place::Heard(heard) => Some(heard),
        });
        let since = needed.min();
        self.asked += 1;
        self.asking = Asking::Asked(since);
        FollowRequest { player: self.player, since, number: self.asked }
    }
}

/// What a node said, each notice written once for all who hear it.
struct Said<'a> {
    told: &'a Told,
    texts: Vec<Option<Text>>,
}

impl<'a> Said<'a> {
    fn of(told: &'a Told) -> Self {
        Self { told, texts: vec![None; told.notices.len()] }
    }

    /// The number of the last notice; 0 for none.
    fn last(&self) -> NoticeNumber {
        self.told.notices.last().map(|notice| notice.number).unwrap_or_default()
    }

    /// The first notice behind this number.
    fn next(&self, heard: NoticeNumber) -> Option<NoticeNumber> {
        let mut numbers = self.told.notices.iter().map(|notice| notice.number);
        numbers.find(|number| *number > heard)
    }

    /// Whether there are numbers missing between that one and what is said here. Who has
    /// heard nothing yet cannot know: a mailbox may begin with any number.
    fn is_gap(&self, heard: NoticeNumber) -> bool {
        let far = self.next(heard).is_some_and(|next| next > heard.next());
        far && (heard != NoticeNumber(0) || self.told.resync)
    }

    /// Whether numbers are missing of which no node has said that they are lost.
    fn skips(&self, heard: NoticeNumber) -> bool {
        self.is_gap(heard) && !self.told.resync
    }

    fn is_empty(&self) -> bool {
        self.told.notices.is_empty()
    }

    /// All of it, ready to be sent to who has lost everything.
    fn all(&mut self) -> Vec<Text> {
        self.behind(NoticeNumber(0), true)
    }

    /// What comes behind that number, ready to be sent.
    fn after(&mut self, heard: NoticeNumber) -> Vec<Text> {
        self.behind(heard, self.is_gap(heard))
    }

    fn behind(&mut self, heard: NoticeNumber, mut lost: bool) -> Vec<Text> {
        let mut texts = Vec::new();
        for (notice, text) in self.told.notices.iter().zip(&mut self.texts) {
            if notice.number <= heard {
                continue;
            }
            if std::mem::take(&mut lost) {
                texts.push(Notice { resync: true, ..notice.clone() }.text().into());
                continue;
            }
            texts.push(text.get_or_insert_with(|| notice.text().into()).clone());
        }
        texts
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use hangraft_proto::socket::{NoticeKind, Push, ServerMessage};
    use proptest::prelude::*;

    use super::*;

    const ANN: PlayerId = PlayerId(7);
    const NOTHING: std::ops::RangeInclusive<u64> = std::ops::RangeInclusive::new(1, 0);

    fn notices(numbers: impl Iterator<Item = u64>) -> Vec<Notice> {
        let notice = |number| Notice {
            number: NoticeNumber(number),
            kind: NoticeKind::Unmatched,
            ..Notice::default()
        };
        numbers.map(notice).collect()
    }

    /// What a node says of its own accord: these numbers.
    fn live(numbers: std::ops::RangeInclusive<u64>) -> Told {
        let newest = NoticeNumber(*numbers.end());
        Told { player: ANN, notices: notices(numbers), newest, resync: false, answers: 0 }
    }

    /// What a session has heard: "ok 7", "8", "9!" with something lost before it, "no".
    #[derive(Clone, Default)]
    struct Ears(Rc<RefCell<Vec<String>>>);

    impl Ears {
        fn heard(&self) -> Vec<String> {
            std::mem::take(&mut self.0.borrow_mut())
        }
    }

    fn deliver(ears: &Ears, mail: Mail) {
        let line = |text: &Text| match ServerMessage::<()>::read(text.as_str()) {
            Ok(ServerMessage::Push(Push::Notice(notice))) => {
                format!("{}{}", notice.number.0, if notice.resync { "!" } else { "" })
            }
            other => panic!("{other:?}"),
        };
        let mut heard = ears.0.borrow_mut();
        match mail {
            Mail::Following { number, missed, .. } => {
                heard.push(format!("ok {}", number.0));
                heard.extend(missed.iter().map(line));
            }
            Mail::Notice { text } => heard.push(line(&text)),
            Mail::FollowRefused { refusal, .. } => heard.push(refusal.code.to_string()),
            other => panic!("{other:?}"),
        }
    }

    /// A player under test.
    struct Stage {
        followed: Followed<Ears>,
        now: Instant,
    }

    impl Stage {
        fn new() -> Self {
            Self { followed: Followed::new(ANN, 100), now: Instant::now() }
        }

        /// Session `number` comes; what it hears with, and what the node is asked.
        fn joins(&mut self, number: u64, since: Option<u64>) -> (Ears, Option<FollowRequest>) {
            let (way, since) = (Ears::default(), since.map(NoticeNumber));
            let listener =
                Listener { session: SocketId(number), tag: Tag(1), since, way: way.clone() };
            let asked = self.followed.join(listener, self.now, &mut deliver);
            (way, asked)
        }

        fn hears(&mut self, told: Told) -> Option<FollowRequest> {
            self.followed.hear(&told, &mut deliver)
        }

        /// The answer to this question of a node that knows these numbers.
        fn answers(&mut self, asked: Option<FollowRequest>, known: std::ops::RangeInclusive<u64>) {
            let asked = asked.expect("the node is asked");
            let told = Told { answers: asked.number, ..live(known) };
            let from = asked.since.unwrap_or(told.newest);
            let told = Told {
                resync: from.0 > 0 && from.0 + 1 < told.notices.first().map_or(0, |n| n.number.0),
                notices: told.notices.into_iter().filter(|n| n.number > from).collect(),
                ..told
            };
            assert_eq!(self.hears(told), None);
        }
    }

    /// What was missed comes with the answer, then each notice once; who only wants what
    /// comes hears where that begins.
    #[test]
    fn a_session_hears_what_it_missed_and_what_comes() {
        let mut stage = Stage::new();
        let (ann, asked) = stage.joins(1, Some(2));
        assert_eq!(asked.unwrap().since, Some(NoticeNumber(2)));
        stage.answers(asked, 1..=4);
        assert_eq!(ann.heard(), ["ok 4", "3", "4"]);
        stage.hears(live(5..=5));
        stage.hears(live(4..=5));
        assert_eq!(ann.heard(), ["5"]);
        let (phone, asked) = stage.joins(2, None);
        assert_eq!((asked, phone.heard()), (None, vec!["ok 5".to_owned()]));
        stage.hears(live(6..=7));
        assert_eq!(
            (ann.heard(), phone.heard()),
            (vec!["6".into(), "7".into()], vec!["6".into(), "7".into()])
        );
    }

    /// Another session needs more than we follow from: the node is asked once more, from
    /// there, and who has heard that already hears nothing twice.
    #[test]
    fn the_lowest_number_that_is_needed_is_asked_for() {
        let mut stage = Stage::new();
        let (first, asked) = stage.joins(1, Some(8));
        stage.answers(asked, 1..=9);
        assert_eq!(first.heard(), ["ok 9", "9"]);
        let (second, asked) = stage.joins(2, Some(6));
        assert_eq!(asked.unwrap().since, Some(NoticeNumber(6)));
        let (third, more) = stage.joins(3, Some(7));
        assert_eq!(more, None, "it is on its way");
        stage.answers(asked, 1..=10);
        assert_eq!(first.heard(), ["10"]);
        assert_eq!(second.heard(), ["ok 10", "7", "8", "9", "10"]);
        assert_eq!(third.heard(), ["ok 10", "8", "9", "10"]);
    }

    /// What is no more is said to be lost, once, to those who have not heard it.
    #[test]
    fn what_is_lost_is_said_to_be() {
        let mut stage = Stage::new();
        let (late, asked) = stage.joins(1, Some(3));
        stage.answers(asked, 70..=71);
        assert_eq!(late.heard(), ["ok 71", "70!", "71"]);
        // Everything was forgotten, and begins anew with a higher number.
        stage.hears(Told { resync: true, ..live(900..=901) });
        assert_eq!(late.heard(), ["900!", "901"]);
        // Who was never told anything has lost nothing.
        let mut stage = Stage::new();
        let (new, asked) = stage.joins(1, Some(0));
        stage.answers(asked, NOTHING);
        assert_eq!(new.heard(), ["ok 0"]);
        stage.hears(live(500..=500));
        assert_eq!(new.heard(), ["500"]);
    }

    /// A number is missing and nobody has said that it is lost: the node is asked before
    /// anything is given.
    #[test]
    fn nothing_is_skipped_in_silence() {
        let mut stage = Stage::new();
        let (ann, asked) = stage.joins(1, Some(4));
        stage.answers(asked, 1..=4);
        assert_eq!(ann.heard(), ["ok 4"]);
        let asked = stage.hears(live(6..=6));
        assert_eq!((asked.unwrap().since, ann.heard()), (Some(NoticeNumber(4)), vec![]));
        stage.answers(asked, 1..=7);
        assert_eq!(ann.heard(), ["5", "6", "7"]);
    }

    /// Another node is behind: it is asked from where we are, and what was heard is not
    /// heard again.
    #[test]
    fn a_node_that_lags_repeats_nothing() {
        let mut stage = Stage::new();
        let (ann, asked) = stage.joins(1, Some(0));
        stage.answers(asked, 1..=7);
        assert_eq!(ann.heard().len(), 8);
        let asked = stage.followed.moved();
        assert_eq!(asked.since, Some(NoticeNumber(7)));
        // An answer to what was asked before is none of this one's.
        stage.hears(Told { answers: asked.number - 1, ..live(1..=5) });
        stage.answers(Some(asked), 1..=5);
        // A session that was here before has heard more than this node knows.
        let (phone, asked) = stage.joins(2, Some(6));
        stage.answers(asked, 1..=5);
        assert_eq!(phone.heard(), ["ok 6"]);
        stage.hears(live(6..=8));
        assert_eq!((ann.heard(), phone.heard()), (vec!["8".into()], vec!["7".into(), "8".into()]));
    }

    /// A number that no node knows of, though it has made sure, is another cluster's: all
    /// there is is new to who has heard it.
    #[test]
    fn a_number_of_another_cluster_counts_for_nothing() {
        let mut stage = Stage::new();
        let (ann, asked) = stage.joins(1, Some(99));
        let number = asked.unwrap().number;
        stage.hears(Told { answers: number, resync: true, ..live(1..=2) });
        assert_eq!(ann.heard(), ["ok 2", "1!", "2"]);
        stage.hears(live(3..=3));
        assert_eq!(ann.heard(), ["3"]);
        // Unless there is nothing left of what it has heard.
        let mut stage = Stage::new();
        let (bo, asked) = stage.joins(1, Some(7));
        let number = asked.unwrap().number;
        stage.hears(Told { answers: number, resync: true, notices: vec![], ..live(NOTHING) });
        assert_eq!(bo.heard(), ["ok 7"]);
    }

    /// Nobody waits for ever, and a player is followed a little longer than somebody hears.
    #[test]
    fn waits_end() {
        let mut stage = Stage::new();
        let (ann, _) = stage.joins(1, None);
        stage.now += PATIENCE;
        stage.followed.sweep(stage.now, &mut deliver);
        assert_eq!(ann.heard(), ["no-quorum"]);
        assert!(!stage.followed.is_abandoned(stage.now));
        assert!(stage.followed.is_abandoned(stage.now + GRACE));
        let (back, asked) = stage.joins(1, None);
        assert!(!stage.followed.is_abandoned(stage.now + GRACE));
        stage.answers(asked, 1..=3);
        assert_eq!(back.heard(), ["ok 3"]);
        stage.followed.leave(SocketId(1), stage.now);
        // A reload finds everything as it was.
        let (again, asked) = stage.joins(2, Some(3));
        assert_eq!((again.heard(), asked), (vec!["ok 3".to_owned()], None));
    }

    /// What happens around a player.
    #[derive(Clone, Copy, Debug)]
    enum Event {
        /// The player is told something.
        Posted,
        /// All that a mailbox keeps of the oldest is forgotten but for so many.
        Forgotten(u64),
        /// The node applies so many more.
        Applied(u64),
        /// The link breaks, and the next node has applied so many less than there are.
        Moved(u64),
        /// A session comes that has heard all but so many; or wants only what comes.
        Came(Option<u64>),
        /// One goes.
        Went(usize),
        /// The node says what there is to say.
        Spoke,
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            4 => Just(Event::Posted),
            1 => (1_u64..4).prop_map(Event::Forgotten),
            3 => (1_u64..4).prop_map(Event::Applied),
            1 => (0_u64..4).prop_map(Event::Moved),
            2 => prop::option::of(0_u64..6).prop_map(Event::Came),
            1 => (0_usize..4).prop_map(Event::Went),
            6 => Just(Event::Spoke),
        ]
    }

    /// A cluster whose mailbox of Ann has the numbers from `oldest` to `newest`, and a node
    /// that has applied a part of it.
    #[derive(Default)]
    struct Cluster {
        oldest: u64,
        newest: u64,
        applied: u64,
        /// Followed from there.
        sent: Option<Option<u64>>,
        asked: Option<u64>,
    }

    impl Cluster {
        fn follow(&mut self, request: FollowRequest) {
            self.sent = Some(request.since.map(|since| since.0));
            self.asked = Some(request.number);
        }

        /// As a node does it: what comes after the last that it sent, when it is not behind.
        fn speak(&mut self) -> Option<Told> {
            let sent = self.sent?;
            if sent.is_some_and(|sent| sent > self.applied) {
                return None;
            }
            let from = sent.unwrap_or(self.applied);
            let numbers = (from + 1).max(self.oldest)..=self.applied;
            let resync = from + 1 < self.oldest && self.applied >= self.oldest;
            let (answers, empty) = (self.asked.take(), numbers.is_empty());
            self.sent = Some(Some(self.applied));
            if empty && answers.is_none() {
                return None;
            }
            let newest = NoticeNumber(self.applied);
            let notices = notices(numbers);
            Some(Told { player: ANN, notices, newest, resync, answers: answers.unwrap_or(0) })
        }
    }

    proptest! {
        /// Whatever breaks, lags and is forgotten: each session hears each number at most
        /// once, in order, from where it was, and without a hole that is not said to be one;
        /// and when all is well again, everybody has heard the newest.
        #[test]
        fn everybody_hears_everything_once(events in prop::collection::vec(event(), 1..120)) {
            let mut stage = Stage::new();
            let mut cluster = Cluster { oldest: 1, ..Cluster::default() };
            let mut sessions: Vec<(u64, Option<u64>, Ears)> = Vec::new();
            let mut gone = Vec::new();
            let mut come = 0;
            let settle = [Event::Applied(u64::MAX), Event::Spoke, Event::Spoke, Event::Spoke];
            for event in events.into_iter().chain(settle) {
                let asked = match event {
                    Event::Posted => {
                        cluster.newest += 1;
                        None
                    }
                    Event::Forgotten(left) => {
                        let oldest = (cluster.newest + 1).saturating_sub(left).max(1);
                        cluster.oldest = cluster.oldest.max(oldest);
                        None
                    }
                    Event::Applied(more) => {
                        cluster.applied = cluster.applied.saturating_add(more).min(cluster.newest);
                        None
                    }
                    Event::Moved(less) => {
                        cluster.applied = cluster.newest.saturating_sub(less);
                        cluster.sent = None;
                        Some(stage.followed.moved())
                    }
                    Event::Came(behind) => {
                        come += 1;
                        let since = behind.map(|behind| cluster.newest.saturating_sub(behind));
                        let (ears, asked) = stage.joins(come, since);
                        sessions.push((come, since, ears));
                        asked
                    }
                    Event::Went(at) if at < sessions.len() => {
                        let (number, since, ears) = sessions.remove(at);
                        stage.followed.leave(SocketId(number), stage.now);
                        gone.push((since, ears));
                        None
                    }
                    Event::Went(_) => None,
                    Event::Spoke => cluster.speak().and_then(|told| stage.hears(told)),
                };
                if let Some(asked) = asked {
                    cluster.follow(asked);
                }
            }
            for (since, ears) in &gone {
                is_orderly(*since, &ears.heard())?;
            }
            for (_, since, ears) in &sessions {
                let last = is_orderly(*since, &ears.heard())?;
                // Nothing is left of what was forgotten before it was heard.
                let left = cluster.newest >= cluster.oldest;
                prop_assert!(last == Some(cluster.newest) || !left, "{last:?}");
            }
        }
    }

    /// The last number heard; none for who was never answered.
    fn is_orderly(since: Option<u64>, heard: &[String]) -> Result<Option<u64>, TestCaseError> {
        let Some((answer, numbers)) = heard.split_first() else { return Ok(None) };
        let promised: u64 = answer.strip_prefix("ok ").unwrap().parse().unwrap();
        let mut last = since.unwrap_or(promised);
        for one in numbers {
            let (number, resync) = match one.strip_suffix('!') {
                Some(number) => (number, true),
                None => (one.as_str(), false),
            };
            let number: u64 = number.parse().unwrap();
            prop_assert!(number > last, "{heard:?} since {since:?}");
            let gap = number > last + 1 && last > 0;
            prop_assert!(gap == resync || last == 0, "{heard:?} since {since:?}");
            last = number;
        }
        prop_assert!(last >= promised, "{heard:?} since {since:?}");
        Ok(Some(last))
    }
}
