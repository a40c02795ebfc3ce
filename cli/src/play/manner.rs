//! How players behave: how often they act, how they guess, how long they wait for an answer.
//! Plain code.

use std::time::Duration;

use rand::{RngExt, rngs::StdRng, seq::IteratorRandom};

use crate::play::workload::Workload;

/// How long a player of a check asks for one thing, one of little patience, and a bot.
const PATIENCE: Duration = Duration::from_secs(15);
const LITTLE_PATIENCE: Duration = Duration::from_millis(500);
const BOTS_PATIENCE: Duration = Duration::from_secs(30);

/// Every so many players of a check one has little patience.
const IMPATIENT: u32 = 3;

/// The pause between two calls of a player of a check, in microseconds.
const CHECKS_PAUSE_US: (u64, u64) = (100_000, 300_000);

/// The pause between two calls of a bot, in microseconds: people can follow them, and there
/// are enough in a short outage to see it.
const BOTS_PAUSE_US: (u64, u64) = (400_000, 1_200_000);

/// Of a hundred calls of bots so many write, read linearizably, read what they know of at
/// least, and read whatever one replica has.
const BOTS_SHARES: [u32; 4] = [60, 13, 12, 15];

/// The same where many moves are wanted.
const BUSY_SHARES: [u32; 4] = [97, 1, 1, 1];

/// Of a hundred writes of players of a check, of bots, and of busy ones so many are lines of
/// chat. A room that has as many as it shows is left, so bots say little.
const CHECKS_CHAT: u32 = 25;
const BOTS_CHAT: u32 = 6;
const BUSY_CHAT: u32 = 1;

/// What bots say.
const SMALL_TALK: [&str; 5] = [
    "nearly there, ",
    "well guessed, ",
    "whose turn is it? ",
    "a hard one, ",
    "again after this? ",
];

/// How often a bot acts at most, each second, where many moves are wanted.
const BUSY_BOT_MAX: u32 = 10;

/// The most bots.
pub(crate) const BOTS_MAX: u32 = 500;

/// The most moves that are wanted each second.
pub(crate) const RATE_MAX: u32 = 10_000;

/// When a player acts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// After a pause of so many microseconds, at least and at most.
    Pause(u64, u64),
    /// Every so often, also when an answer took long.
    Every(Duration),
}

/// What a player does next in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Write,
    Linearizable,
    AtLeast,
    Local,
}

/// How players behave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manner {
    /// What they call themselves, before their number.
    pub(crate) name: &'static str,
    pub(crate) workload: Workload,
    pub(crate) pace: Pace,
    /// Strangers find their rooms.
    pub(crate) public: bool,
    /// They come in at frontends, if there are any; otherwise every second one does.
    pub(crate) at_frontends: bool,
    /// They guess what nobody has guessed yet.
    sensible: bool,
    shares: [u32; 4],
    chat: u32,
}

impl Manner {
    /// That of players of a check. Some of them have little patience: what is unknown may
    /// still take effect, and the judge is to see that.
    pub(crate) fn of_check(workload: Workload) -> Self {
        let [write, linearizable] = workload.shares();
        let (least, most) = CHECKS_PAUSE_US;
        Self {
            name: "Check",
            workload,
            pace: Pace::Pause(least, most),
            public: false,
            at_frontends: false,
            sensible: false,
            shares: [write, linearizable, 100 - write - linearizable, 0],
            chat: if workload == Workload::Rooms { CHECKS_CHAT } else { 100 },
        }
    }

    /// That of bots whom people watch, and with whom they play.
    pub(crate) fn of_bots() -> Self {
        let (least, most) = BOTS_PAUSE_US;
        Self {
            name: "Bot",
            workload: Workload::Rooms,
            pace: Pace::Pause(least, most),
            public: true,
            at_frontends: true,
            sensible: true,
            shares: BOTS_SHARES,
            chat: BOTS_CHAT,
        }
    }

    /// That of bots who make so many moves a second together, and how many it takes: at
    /// least so many.
    pub(crate) fn of_busy_bots(rate: u32, bots: u32) -> (Self, u32) {
        let rate = rate.clamp(1, RATE_MAX);
        let bots = rate.div_ceil(BUSY_BOT_MAX).max(bots).clamp(1, BOTS_MAX);
        let every = Duration::from_micros(u64::from(bots) * 1_000_000 / u64::from(rate));
        let pace = Pace::Every(every);
        (Self { pace, shares: BUSY_SHARES, chat: BUSY_CHAT, ..Self::of_bots() }, bots)
    }

    /// How long this player asks for one thing.
    pub(crate) fn patience(&self, player: u32) -> Duration {
        match self.public {
            true => BOTS_PATIENCE,
            false if player.is_multiple_of(IMPATIENT) => LITTLE_PATIENCE,
            false => PATIENCE,
        }
    }

    /// What to do next.
    pub(crate) fn next(&self, dice: &mut StdRng) -> Next {
        let [write, linearizable, at_least, _] = self.shares;
        match dice.random_range(0..100) {
            at if at < write => Next::Write,
            at if at < write + linearizable => Next::Linearizable,
            at if at < write + linearizable + at_least => Next::AtLeast,
            _ => Next::Local,
        }
    }

    /// Whether a write is a line of chat.
    pub(crate) fn says(&self, dice: &mut StdRng) -> bool {
        dice.random_range(0..100) < self.chat
    }

    /// A line of chat. Each is written once, so that it is known again.
    pub(crate) fn line(&self, player: u32, number: u32) -> String {
        let words = if self.sensible { SMALL_TALK[number as usize % SMALL_TALK.len()] } else { "" };
        format!("{words}c{player}x{number}")
    }

    /// A letter to guess, when these have been guessed.
    pub(crate) fn letter(&self, tried: Letters, dice: &mut StdRng) -> char {
        let left = ('a'..='z').filter(|letter| !self.sensible || !tried.has(*letter));
        left.choose(dice).unwrap_or('e')
    }
}

/// Whether a line of chat is one of those that [`Manner::line`] makes.
pub(crate) fn is_known(line: &str) -> bool {
    let last = line.rsplit(' ').next().unwrap_or(line);
    let numbers = last.strip_prefix('c').and_then(|rest| rest.split_once('x'));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers.is_some_and(|(player, number)| is_number(player) && is_number(number))
}

/// Some of the letters a to z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Letters(u32);

impl Letters {
    /// Those that a room's view says have been guessed.
    pub(crate) fn tried(view: &str) -> Self {
        // In what players write a quotation mark has a backslash before it.
        const GUESS: &str = r#""letter":""#;
        let guesses = view.match_indices(GUESS);
        let letters = guesses.filter_map(|(at, _)| view.as_bytes().get(at + GUESS.len()).copied());
        Self(letters.filter(u8::is_ascii_lowercase).fold(0, |all, one| all | 1 << (one - b'a')))
    }

    fn has(self, letter: char) -> bool {
        u8::try_from(letter).is_ok_and(|letter| self.0 >> letter.saturating_sub(b'a') & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn bots_guess_what_nobody_has_guessed() {
        let view = r#"{"tried":[{"letter":"e"},{"letter":"x"}],"chat":"\"letter\":\"q"}"#;
        let tried = Letters::tried(view);
        assert!(tried.has('e') && tried.has('x') && !tried.has('q') && !tried.has('a'));
        let (bots, mut dice) = (Manner::of_bots(), StdRng::seed_from_u64(7));
        for _ in 0..200 {
            assert!(!['e', 'x'].contains(&bots.letter(tried, &mut dice)));
        }
        assert!(bots.letter(Letters(u32::MAX), &mut dice).is_ascii_lowercase());
    }

    /// Many moves take many bots, and none of them acts more than ten times a second.
    #[test]
    fn a_rate_is_shared_by_enough_bots() {
        for (rate, bots, (many, every_ms)) in [
            (1, 8, (8, 8_000)),
            (100, 8, (10, 100)),
            (5_000, 8, (500, 100)),
            (9_000_000, 1, (500, 50)),
        ] {
            let (manner, number) = Manner::of_busy_bots(rate, bots);
            let every = Pace::Every(Duration::from_millis(every_ms));
            assert_eq!((number, manner.pace), (many, every), "{rate}");
        }
    }

    #[test]
    fn lines_are_known_again() {
        for manner in [Manner::of_bots(), Manner::of_check(Workload::Append)] {
            assert!((0..9).all(|number| is_known(&manner.line(3, number))));
        }
        for other in ["", "hello", "c1", "c1x", "cx1", "c1xy", "c1x1 no"] {
            assert!(!is_known(other), "{other}");
        }
    }

    #[test]
    fn shares_are_of_a_hundred() {
        let check = [Workload::Rooms, Workload::Register, Workload::Append].map(Manner::of_check);
        let busy = Manner::of_busy_bots(100, 8).0;
        for manner in check.into_iter().chain([Manner::of_bots(), busy]) {
            assert_eq!(manner.shares.iter().sum::<u32>(), 100, "{manner:?}");
        }
    }
}
