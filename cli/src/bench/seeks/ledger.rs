//! What became of every seek. Plain code; times count from the beginning of the bench.
//!
//! A seek ends once: matched, or unmatched with a reason, or refused. The two of a match are
//! told of each other, and both see the board. Nobody waits longer than [`TOO_LONG`] for
//! somebody who waits for them. What is otherwise is wrong, has a name, and is counted.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use hangraft_ids::PlayerId;
use hangraft_proto::socket::Code;
use hdrhistogram::Histogram;

use crate::bench::tally::{histogram, micros};

/// How long two who suit each other may wait side by side.
pub(super) const TOO_LONG: Duration = Duration::from_secs(5);

/// A seek, by its place in the ledger.
pub(super) type TapId = usize;

/// A tap on "Play now".
#[derive(Clone, Debug)]
pub(super) struct Tap {
    /// Which bot's.
    pub(super) bot: usize,
    /// What is sought: those of one kind suit each other.
    pub(super) kind: usize,
    /// When it was to be.
    pub(super) planned: Duration,
    /// When it was.
    pub(super) sent: Duration,
}

/// How a seek ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum How {
    Matched {
        room: String,
        other: Option<PlayerId>,
    },
    Unmatched {
        why: String,
    },
    Refused(Code),
    /// It was answered, and nobody knows any more how.
    Forgotten,
}

/// All seeks of a bench.
#[derive(Debug)]
pub(super) struct Ledger {
    /// Who the bots are.
    players: Vec<Option<PlayerId>>,
    taps: Vec<Entry>,
    offers: HashMap<String, TapId>,
    /// Ends of offers whose seek was not answered yet.
    early: HashMap<String, Vec<(How, Duration)>>,
    /// First views, by room and bot.
    boards: HashMap<(String, usize), Duration>,
    wrong: Wrong,
}

#[derive(Debug)]
struct Entry {
    tap: Tap,
    offer: Option<String>,
    ends: Vec<(How, Duration)>,
}

/// What should not have been: how often, and the first of each.
#[derive(Clone, Debug, Default)]
pub(super) struct Wrong {
    pub(super) counts: BTreeMap<String, u64>,
    pub(super) firsts: BTreeMap<String, String>,
}

/// The sum of it all.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) seeks: u64,
    pub(super) matched: u64,
    pub(super) unmatched: BTreeMap<String, u64>,
    pub(super) refused: BTreeMap<&'static str, u64>,
    /// From the second tap until both were told.
    pub(super) told: Histogram<u64>,
    /// From the second tap until both saw the board.
    pub(super) boards: Histogram<u64>,
    /// The longest time that two who suit each other waited side by side.
    pub(super) longest_wait: Duration,
    pub(super) wrong: Wrong,
}

/// One of two in a room.
struct Side<'a> {
    tap: &'a Tap,
    told: Duration,
    other: Option<PlayerId>,
}

impl Ledger {
    pub(super) fn new(bots: usize) -> Self {
        Self {
            players: vec![None; bots],
            taps: Vec::new(),
            offers: HashMap::new(),
            early: HashMap::new(),
            boards: HashMap::new(),
            wrong: Wrong::default(),
        }
    }

    /// A bot was told who it is.
    pub(super) fn is_player(&mut self, bot: usize, player: PlayerId) {
        let before = self.players[bot].replace(player);
        if before.is_some_and(|before| before != player) {
            self.wrong("a token is another player's", || format!("bot {bot} is {player}"));
        }
    }

    /// A bot seeks.
    pub(super) fn tapped(&mut self, tap: Tap) -> TapId {
        self.taps.push(Entry { tap, offer: None, ends: Vec::new() });
        self.taps.len() - 1
    }

    /// A seek was answered with an offer; whether it has ended already.
    pub(super) fn offered(&mut self, id: TapId, offer: &str) -> bool {
        if let Some(other) = self.offers.insert(offer.to_owned(), id)
            && other != id
        {
            self.wrong("two seeks are one offer", || format!("{other} and {id}: {offer}"));
        }
        self.taps[id].offer = Some(offer.to_owned());
        let ends = self.early.remove(offer).unwrap_or_default();
        self.taps[id].ends.extend(ends);
        !self.taps[id].ends.is_empty()
    }

    /// A seek was refused for good.
    pub(super) fn refused(&mut self, id: TapId, code: Code, forgotten: bool, at: Duration) {
        let how = if forgotten { How::Forgotten } else { How::Refused(code) };
        self.taps[id].ends.push((how, at));
    }

    /// A notice says how an offer has ended; the bot's tap, if it is known and had not ended.
    pub(super) fn ended(&mut self, offer: &str, how: How, at: Duration) -> Option<TapId> {
        match self.offers.get(offer) {
            Some(id) => {
                let ends = &mut self.taps[*id].ends;
                ends.push((how, at));
                (ends.len() == 1).then_some(*id)
            }
            None => {
                self.early.entry(offer.to_owned()).or_default().push((how, at));
                None
            }
        }
    }

    /// A bot sees the board in a room for the first time.
    pub(super) fn board(&mut self, bot: usize, room: &str, at: Duration) {
        self.boards.entry((room.to_owned(), bot)).or_insert(at);
    }

    /// Something should not have been.
    pub(super) fn wrong(&mut self, what: &str, which: impl FnOnce() -> String) {
        self.wrong.count(what, which);
    }

    /// The offers of a bot that stand, as far as it has been told.
    pub(super) fn standing(&self, bot: usize) -> Vec<String> {
        let stands = |entry: &&Entry| entry.tap.bot == bot && entry.ends.is_empty();
        self.taps.iter().filter(stands).filter_map(|entry| entry.offer.clone()).collect()
    }

    /// How many seeks have not ended.
    pub(super) fn waiting(&self) -> usize {
        self.taps.iter().filter(|entry| entry.ends.is_empty()).count()
    }

    /// The sum of it all, now.
    pub(super) fn verdict(&self, now: Duration) -> Verdict {
        let mut verdict = Verdict {
            seeks: self.taps.len() as u64,
            matched: 0,
            unmatched: BTreeMap::new(),
            refused: BTreeMap::new(),
            told: histogram(),
            boards: histogram(),
            longest_wait: Duration::ZERO,
            wrong: self.wrong.clone(),
        };
        let mut rooms: BTreeMap<&str, Vec<Side<'_>>> = BTreeMap::new();
        for (id, entry) in self.taps.iter().enumerate() {
            let Some((how, at)) = verdict.count(id, entry) else { continue };
            if let How::Matched { room, other } = how {
                rooms.entry(room).or_default().push(Side {
                    tap: &entry.tap,
                    told: *at,
                    other: *other,
                });
            }
        }
        for offer in self.early.keys() {
            verdict.wrong.count("a notice of an offer that nobody made", || offer.clone());
        }
        for (room, sides) in &rooms {
            self.judge(room, sides, &mut verdict);
        }
        self.judge_waits(now, &mut verdict);
        verdict
    }

    /// Looks at one match.
    fn judge(&self, room: &str, sides: &[Side<'_>], verdict: &mut Verdict) {
        let which = || {
            format!("{room}: bots {:?}", sides.iter().map(|side| side.tap.bot).collect::<Vec<_>>())
        };
        let [one, two] = sides else {
            return verdict.wrong.count(&format!("a match of {}", sides.len()), which);
        };
        if one.tap.bot == two.tap.bot {
            verdict.wrong.count("matched with themselves", which);
        }
        if one.tap.kind != two.tap.kind {
            verdict.wrong.count("matched though they sought other games", which);
        }
        let is = |side: &Side<'_>| self.players[side.tap.bot];
        if one.other != is(two) || two.other != is(one) {
            verdict.wrong.count("told of another opponent", which);
        }
        let second = one.tap.planned.max(two.tap.planned);
        let since = |at: Duration| micros(at.saturating_sub(second)).max(1);
        verdict.told.saturating_record(since(one.told.max(two.told)));
        let board = |side: &Side<'_>| self.boards.get(&(room.to_owned(), side.tap.bot));
        match board(one).zip(board(two)) {
            Some((first, other)) => verdict.boards.saturating_record(since(*first.max(other))),
            None => verdict.wrong.count("a board that was not seen", which),
        }
    }

    /// Looks who waited side by side.
    fn judge_waits(&self, now: Duration, verdict: &mut Verdict) {
        let end = |entry: &Entry| entry.ends.first().map_or(now, |(_, at)| *at);
        let long = |entry: &&Entry| end(entry).saturating_sub(entry.tap.sent) > TOO_LONG;
        let long: Vec<&Entry> = self.taps.iter().filter(long).collect();
        for (i, one) in long.iter().enumerate() {
            let suits = |two: &&&Entry| two.tap.kind == one.tap.kind && two.tap.bot != one.tap.bot;
            let both = |two: &&Entry| {
                let from = one.tap.sent.max(two.tap.sent);
                end(one).min(end(two)).saturating_sub(from)
            };
            let longest = long[i + 1..].iter().filter(suits).map(both).max().unwrap_or_default();
            if longest > TOO_LONG {
                verdict.wrong.count("waited too long for somebody who was there", || {
                    format!("bot {} for {longest:.1?}", one.tap.bot)
                });
            }
            verdict.longest_wait = verdict.longest_wait.max(longest);
        }
    }
}

impl Verdict {
    /// Counts how a seek has ended; that, if it has ended once.
    fn count<'a>(&mut self, id: TapId, entry: &'a Entry) -> Option<&'a (How, Duration)> {
        let which = || format!("seek {id} of bot {}: {:?}", entry.tap.bot, entry.ends);
        let [end] = &entry.ends[..] else {
            let words: Vec<_> = entry.ends.iter().map(|(how, _)| how.word()).collect();
            let what = match words.is_empty() {
                true => "never told how it ended".to_owned(),
                false => words.join(" and "),
            };
            self.wrong.count(&what, which);
            return None;
        };
        match &end.0 {
            How::Matched { .. } => self.matched += 1,
            How::Unmatched { why } => *self.unmatched.entry(why.clone()).or_default() += 1,
            How::Refused(code) => *self.refused.entry(code.as_str()).or_default() += 1,
            How::Forgotten => self.wrong.count("answered, and forgotten how", which),
        }
        Some(end)
    }
}

impl How {
    fn word(&self) -> &'static str {
        match self {
            Self::Matched { .. } => "matched",
            Self::Unmatched { .. } => "unmatched",
            Self::Refused(_) => "refused",
            Self::Forgotten => "forgotten",
        }
    }
}

impl Wrong {
    fn count(&mut self, what: &str, which: impl FnOnce() -> String) {
        *self.counts.entry(what.to_owned()).or_default() += 1;
        self.firsts.entry(what.to_owned()).or_insert_with(which);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn ledger() -> Ledger {
        let mut ledger = Ledger::new(3);
        (0..3).for_each(|bot| ledger.is_player(bot, PlayerId(bot as u64 + 1)));
        ledger
    }

    fn tap(ledger: &mut Ledger, bot: usize, at: u64) -> TapId {
        ledger.tapped(Tap { bot, kind: 0, planned: s(at), sent: s(at) })
    }

    fn matched(room: &str, other: u64) -> How {
        How::Matched { room: room.into(), other: Some(PlayerId(other)) }
    }

    /// Whether the answer comes first or the notice, the times are those of the second tap.
    #[test]
    fn a_match_is_one_of_two_who_are_told() {
        let mut ledger = ledger();
        let (one, two) = (tap(&mut ledger, 0, 1), tap(&mut ledger, 1, 3));
        assert!(!ledger.offered(one, "o1"));
        assert_eq!(ledger.ended("o1", matched("r", 2), s(4)), Some(one));
        assert_eq!(ledger.ended("o2", matched("r", 1), s(5)), None);
        assert!(ledger.offered(two, "o2"));
        ledger.board(0, "r", s(6));
        ledger.board(1, "r", s(7));
        ledger.board(1, "r", s(9));
        let verdict = ledger.verdict(s(60));
        assert!(verdict.wrong.counts.is_empty(), "{:?}", verdict.wrong);
        assert_eq!((verdict.matched, ledger.waiting()), (2, 0));
        let whole = |histogram: &Histogram<u64>| (histogram.max() as f64 / 1e6).round();
        assert_eq!((whole(&verdict.told), whole(&verdict.boards)), (2.0, 4.0));
    }

    /// Each thing that must not be is told by its name.
    #[test]
    fn what_is_wrong_has_a_name() {
        let names = |ledger: &Ledger| -> Vec<String> {
            ledger.verdict(s(60)).wrong.counts.into_keys().collect()
        };
        let mut one_side = ledger();
        let id = tap(&mut one_side, 0, 1);
        one_side.offered(id, "o1");
        assert_eq!(names(&one_side), ["never told how it ended"]);
        assert_eq!(one_side.standing(0), ["o1"]);
        one_side.ended("o1", matched("r", 2), s(2));
        assert_eq!(names(&one_side), ["a match of 1"]);
        assert_eq!(one_side.ended("o1", How::Unmatched { why: "gone".into() }, s(3)), None);
        assert_eq!(names(&one_side), ["matched and unmatched"]);
        one_side.ended("o7", How::Unmatched { why: "gone".into() }, s(3));
        assert_eq!(names(&one_side)[0], "a notice of an offer that nobody made");

        let mut strangers = ledger();
        for (bot, offer) in [(0, "o1"), (1, "o2")] {
            let id = tap(&mut strangers, bot, 1);
            strangers.offered(id, offer);
            strangers.ended(offer, matched("r", 3), s(2));
        }
        assert_eq!(names(&strangers), ["a board that was not seen", "told of another opponent"]);
    }

    /// Who waits side by side with themselves or with somebody who came late waits in vain.
    #[test]
    fn nobody_waits_long_for_somebody_who_is_there() {
        let waits = |taps: &[(usize, u64, u64)]| {
            let mut ledger = ledger();
            for (bot, from, to) in taps {
                let id = tap(&mut ledger, *bot, *from);
                ledger.refused(id, Code::Busy, false, s(*to));
            }
            ledger.verdict(s(60)).longest_wait
        };
        assert_eq!(waits(&[(0, 0, 20), (0, 1, 20)]), s(0));
        assert_eq!(waits(&[(0, 0, 20), (1, 15, 20)]), s(0));
        assert_eq!(waits(&[(0, 0, 20), (1, 4, 20)]), s(16));
    }
}
