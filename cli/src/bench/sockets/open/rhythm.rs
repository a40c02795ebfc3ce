//! When a player does what: planned before anybody knows how the cluster fares. Plain code;
//! the same seed makes the same plan.
//!
//! A player thinks, makes a move, and thinks again. Now and then several things are done in
//! quick succession, as by somebody who types. Some of what is done are chat lines.

use std::{
    f64::consts::{E, TAU},
    time::Duration,
};

use clap::ValueEnum;
use rand::{RngExt, SeedableRng, rngs::StdRng};

/// How many things a burst has, at least and at most, and their mean.
const BURST: [u32; 2] = [2, 5];
const BURST_MEAN: f64 = 3.5;

/// The mean time between two things of a burst, in seconds, as between two keys of somebody
/// who types. A player who does more than that at all times has half of its own pause.
const KEY_S: f64 = 0.155;

/// How far the time between two keys, and an even pause, may be from its mean.
const JITTER: f64 = 0.6;

/// How thinking times are spread around their mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::bench) enum Thinking {
    /// Exponentially: without bursts all moves together are a Poisson process.
    #[default]
    Poisson,
    /// Log-normally, as people do: mostly short, and sometimes very long.
    Lognormal,
    /// Evenly, give or take three fifths.
    Even,
}

/// What players are like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habits {
    pub(super) thinking: Thinking,
    /// The mean time between two things that a player does, in seconds.
    pub(super) mean_s: f64,
    /// The share of thoughts that end in a burst.
    pub(super) bursts: f64,
    /// The share of things done that are chat lines.
    pub(super) lines: f64,
}

/// What somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    Move,
    Line,
}

/// The plan of one player, made as it is needed.
#[derive(Debug)]
pub(super) struct Rhythm {
    dice: StdRng,
    habits: Habits,
    /// When the last thing was to be done, in seconds.
    last_s: f64,
    /// How many more the burst has.
    left: u32,
    begun: bool,
}

impl Rhythm {
    pub(super) fn new(habits: Habits, seed: u64) -> Self {
        let dice = StdRng::seed_from_u64(seed);
        Self { dice, habits, last_s: 0.0, left: 0, begun: false }
    }

    /// What is done next, and when, from the beginning on.
    pub(super) fn next(&mut self) -> (Duration, Doing) {
        let pause_s = match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                self.key_s() * self.around_one()
            }
            None => self.thought_s(),
        };
        self.last_s += pause_s;
        let line = self.dice.random_bool(self.habits.lines);
        (Duration::from_secs_f64(self.last_s), if line { Doing::Line } else { Doing::Move })
    }

    /// A thinking time, after which a burst may begin. The first is cut short anywhere:
    /// players think already when we begin to look.
    fn thought_s(&mut self) -> f64 {
        let Habits { thinking, mean_s, bursts, .. } = self.habits;
        if self.dice.random_bool(bursts) {
            self.left = self.dice.random_range(BURST[0]..=BURST[1]) - 1;
        }
        let extra = bursts * (BURST_MEAN - 1.0);
        let mean_s = (1.0 + extra) * mean_s - extra * self.key_s();
        let first = !std::mem::replace(&mut self.begun, true);
        match thinking {
            Thinking::Poisson => mean_s * self.exponential(),
            // A long thought is likelier to be the one we come into.
            Thinking::Lognormal => mean_s * self.lognormal() * self.part_of_the_first(first, E),
            Thinking::Even => mean_s * self.around_one() * self.part_of_the_first(first, 1.0),
        }
    }

    fn key_s(&self) -> f64 {
        KEY_S.min(self.habits.mean_s / 2.0)
    }

    fn part_of_the_first(&mut self, first: bool, longer: f64) -> f64 {
        if first { longer * self.dice.random::<f64>() } else { 1.0 }
    }

    fn around_one(&mut self) -> f64 {
        self.dice.random_range(1.0 - JITTER..1.0 + JITTER)
    }

    fn exponential(&mut self) -> f64 {
        exponential(&mut self.dice)
    }

    /// With mean 1 and the deviation of its logarithm 1; by Box and Muller.
    fn lognormal(&mut self) -> f64 {
        let (radius, angle): (f64, f64) = (self.exponential(), self.dice.random());
        let normal = (2.0 * radius).sqrt() * (TAU * angle).cos();
        (normal - 0.5).exp()
    }
}

/// When a socket is closed and opened again, of which each minute this share is.
#[derive(Debug)]
pub(super) struct Leaving {
    dice: StdRng,
    a_minute: f64,
}

impl Leaving {
    pub(super) fn new(a_minute: f64, seed: u64) -> Self {
        Self { dice: StdRng::seed_from_u64(seed), a_minute }
    }

    /// How long the socket stays open; as long as anybody looks on when it is none.
    pub(super) fn after(&mut self) -> Option<Duration> {
        let minutes = exponential(&mut self.dice) / self.a_minute;
        (self.a_minute > 0.0).then(|| Duration::from_secs_f64((60.0 * minutes).min(1e9)))
    }
}

/// With mean 1.
fn exponential(dice: &mut StdRng) -> f64 {
    let share: f64 = dice.random();
    -(1.0 - share).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HABITS: Habits =
        Habits { thinking: Thinking::Poisson, mean_s: 2.0, bursts: 0.1, lines: 0.05 };

    /// What many players do in a time.
    fn plan(habits: Habits, players: u64, until: Duration) -> Vec<(Duration, Doing)> {
        let of = |seed| {
            let mut rhythm = Rhythm::new(habits, seed);
            std::iter::repeat_with(move || rhythm.next()).take_while(move |(at, _)| *at < until)
        };
        (0..players).flat_map(of).collect()
    }

    /// However people think, and whether they type or not, all together are as fast as was
    /// wanted, from the first second on.
    #[test]
    fn the_rate_is_the_wanted_one() {
        for thinking in [Thinking::Poisson, Thinking::Lognormal, Thinking::Even] {
            for (bursts, mean_s) in [(0.0, 2.0), (0.3, 2.0), (0.1, 0.01)] {
                let habits = Habits { thinking, bursts, mean_s, ..HABITS };
                let until = Duration::from_secs_f64(mean_s * 20.0);
                let done = plan(habits, 2000, until).len() as f64;
                let share = done / (2000.0 * 20.0);
                assert!((0.93..1.07).contains(&share), "{habits:?}: {share}");
            }
        }
    }

    #[test]
    fn the_same_seed_is_the_same_plan() {
        let plan = |seed| {
            let mut rhythm = Rhythm::new(HABITS, seed);
            (0..50).map(|_| rhythm.next()).collect::<Vec<_>>()
        };
        assert_eq!(plan(7), plan(7));
        assert_ne!(plan(7), plan(8));
    }

    /// Bursts and chat lines are as frequent as was wanted.
    #[test]
    fn people_type_and_chat() {
        let until = Duration::from_secs(2000);
        let count = |habits| {
            let done = plan(habits, 100, until);
            let close = done.windows(2).filter(|two| {
                two[0].0 < two[1].0 && two[1].0 - two[0].0 < Duration::from_millis(250)
            });
            let lines = done.iter().filter(|(_, doing)| *doing == Doing::Line).count();
            [close.count(), lines].map(|count| count as f64 / done.len() as f64)
        };
        let [close, lines] = count(Habits { thinking: Thinking::Even, ..HABITS });
        // Of 1.25 things a thought, 0.25 follow another quickly.
        assert!((0.18..0.22).contains(&close) && (0.045..0.055).contains(&lines));
        let never = Habits { thinking: Thinking::Even, bursts: 0.0, lines: 0.0, ..HABITS };
        assert_eq!(count(never), [0.0, 0.0]);
    }

    #[test]
    fn so_many_sockets_leave_in_a_minute() {
        let mut leaving = Leaving::new(0.5, 1);
        let mean = (0..5000).filter_map(|_| leaving.after()).sum::<Duration>() / 5000;
        assert!((114..126).contains(&mean.as_secs()), "{mean:?}");
        assert_eq!(Leaving::new(0.0, 1).after(), None);
    }
}
