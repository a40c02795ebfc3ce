//! What a game does to a rating: Elo's system as the World Chess Federation runs it.
//!
//! The rating changes by `K * (score - expected)`. What is expected comes from the
//! difference of the two ratings by the table of FIDE's Rating Regulations (Handbook B.02,
//! 2024, section 8.1.2), which gives it in hundredths; more than 400 points count as 400
//! (8.3.1). Scores are hundredths, too, so a change is a whole number of hundredths of a
//! point, and nothing is ever rounded but for showing it.
//!
//! K is 40 while a rating is provisional, and 20 after (8.3.3 has 40, 20 and 10; chess
//! players of more than 2400 points need to be steadier than ours).
//!
//! # Why not Glicko
//!
//! Glicko knows besides how sure a rating is, so it finds a new player's place in fewer
//! games, and lets who comes back after a year move faster. It needs roots, exponentials
//! and logarithms. Replicas must agree to the bit, also between builds and machines, and
//! libraries of floating point do not promise that. Here the results come one by one in the
//! order of the log, and anybody can check a change with a table of one page.

use serde::{Deserialize, Serialize};

use crate::notices::Score;

/// Rated games before a rating means something. Until then it is provisional, moves twice
/// as fast, and is not on the ladder of all time.
pub(crate) const PROVISIONAL_GAMES: u32 = 20;

/// Points that a difference counts for at most.
const DIFFERENCE_MAX: u16 = 400;

/// K: points that are at stake between equals, times two.
const K_PROVISIONAL: i32 = 40;
const K_ESTABLISHED: i32 = 20;

/// What the higher rated one is expected to score, in hundredths: 50 plus the place of the
/// first of these that the difference does not exceed. FIDE's table goes on to 735 points
/// and 99 hundredths; more than 400 never count here.
const DIFFERENCES: [u16; 43] = [
    3, 10, 17, 25, 32, 39, 46, 53, 61, 68, 76, 83, 91, 98, 106, 113, 121, 129, 137, 145, 153, 162,
    170, 179, 188, 197, 206, 215, 225, 235, 245, 256, 267, 278, 290, 302, 315, 328, 344, 357, 374,
    391, 411,
];

/// A rating, in hundredths of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Elo(u32);

impl Elo {
    /// Of a player who has not played yet.
    pub(crate) const NEW: Elo = Elo(150_000);
    /// Nobody falls below it.
    pub(crate) const FLOOR: Elo = Elo(10_000);
    /// Nobody climbs above it. Against who has the floor one still wins 1.6 points a game,
    /// so two who want to could go on for ever.
    pub(crate) const CEILING: Elo = Elo(400_000);

    /// As players know it: whole points, the nearest.
    pub(crate) fn points(self) -> u16 {
        u16::try_from((self.0 + 50) / 100).expect("the ceiling is far below")
    }

    /// The rating after a game.
    pub(crate) fn after(self, other: Elo, score: Score, provisional: bool) -> Elo {
        let k = if provisional { K_PROVISIONAL } else { K_ESTABLISHED };
        let scored = match score {
            Score::Won => 100,
            Score::Drawn => 50,
            Score::Lost => 0,
        };
        let change = k * (scored - self.expected(other));
        Elo(self.0.saturating_add_signed(change)).clamp(Elo::FLOOR, Elo::CEILING)
    }

    /// Whether a rating can be this one.
    pub(crate) fn is_possible(self) -> bool {
        (Elo::FLOOR..=Elo::CEILING).contains(&self)
    }

    /// What is expected in a game against another, in hundredths. Asks for the ratings as
    /// players know them, so that they can look it up.
    fn expected(self, other: Elo) -> i32 {
        let difference = self.points().abs_diff(other.points()).min(DIFFERENCE_MAX);
        let above = DIFFERENCES.partition_point(|most| *most < difference) as i32;
        if self < other { 50 - above } else { 50 + above }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(mine: u32, other: u32) -> i32 {
        Elo(mine * 100).expected(Elo(other * 100))
    }

    /// Lines of FIDE's table, at both of their ends, and its rule of 400 points.
    #[test]
    fn what_is_expected_is_what_the_table_says() {
        for (lowest, highest, hundredths) in [
            (0, 3, 50),
            (4, 10, 51),
            (54, 61, 58),
            (92, 98, 63),
            (146, 153, 70),
            (198, 206, 76),
            (236, 245, 80),
            (329, 344, 88),
            (358, 374, 90),
            (392, 411, 92),
            (412, 735, 92),
            (736, 3000, 92),
        ] {
            for difference in [lowest, highest] {
                let (strong, weak) = (100 + difference, 100);
                assert_eq!(expected(strong, weak), hundredths, "{difference}");
                assert_eq!(expected(weak, strong), 100 - hundredths, "{difference}");
            }
        }
    }

    /// The table is that of a normal distribution with a deviation of 2000/7 points; FIDE's
    /// own is off by one hundredth at six places, of which five are below 400.
    #[test]
    fn no_line_of_the_table_is_mistyped() {
        // The error function by its series, which is exact enough up to 400 points.
        let erf = |x: f64| {
            let mut term = x;
            let mut sum = x;
            for n in 1..40 {
                term *= -x * x / f64::from(n);
                sum += term / f64::from(2 * n + 1);
            }
            2.0 / std::f64::consts::PI.sqrt() * sum
        };
        let by_formula = |difference: u32| {
            let deviations = f64::from(difference) / (2000.0 / 7.0);
            (50.0 + 50.0 * erf(deviations / std::f64::consts::SQRT_2)).round() as i32
        };
        let odd: Vec<u32> =
            (0..=400).filter(|gap| expected(100 + gap, 100) != by_formula(*gap)).collect();
        assert_eq!(odd, [54, 343, 344, 358, 392]);
    }

    /// Worked by hand: K times what was scored beyond what the table expects.
    #[test]
    fn known_games_give_known_ratings() {
        let after = |mine: u32, other: u32, score, provisional| {
            Elo(mine).after(Elo(other), score, provisional).0
        };
        // Equals: 40 * 0.50 = 20 points; 20 * 0.50 = 10.
        assert_eq!(after(150_000, 150_000, Score::Won, true), 152_000);
        assert_eq!(after(150_000, 150_000, Score::Drawn, true), 150_000);
        assert_eq!(after(150_000, 150_000, Score::Lost, false), 149_000);
        // 100 points apart, 0.64 expected: 20 * 0.36 = 7.2, 20 * 0.14 = 2.8, 20 * 0.64.
        assert_eq!(after(160_000, 150_000, Score::Won, false), 160_720);
        assert_eq!(after(160_000, 150_000, Score::Drawn, false), 159_720);
        assert_eq!(after(150_000, 160_000, Score::Won, false), 151_280);
        // 450 points apart count as 400, 0.92 expected: 20 * 0.08 = 1.6.
        assert_eq!(after(195_000, 150_000, Score::Won, false), 195_160);
        assert_eq!(after(150_000, 195_000, Score::Won, true), 153_680);
        // 3.6 points apart are shown as 4, where 0.51 is expected; 3.4 as 3.
        assert_eq!(after(150_360, 150_000, Score::Won, false), 151_340);
        assert_eq!(after(150_340, 150_000, Score::Won, false), 151_340);
        // Floor and ceiling.
        assert_eq!(after(10_100, 10_100, Score::Lost, false), Elo::FLOOR.0);
        assert_eq!(after(399_999, 399_999, Score::Won, false), Elo::CEILING.0);
    }

    #[test]
    fn what_is_shown_is_the_nearest_point() {
        let shown = [150_049, 150_050, 10_000, 400_000].map(|hundredths| Elo(hundredths).points());
        assert_eq!(shown, [1500, 1501, 100, 4000]);
    }
}
