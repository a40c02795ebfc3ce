//! How a round stands, and how it can end.

use std::fmt;

use serde::{Deserialize, Serialize};

use hangraft_ids::Seat;

/// How the round on a board stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It has not begun.
    Waiting,
    /// It goes on.
    Playing,
    /// It has ended.
    Over(Outcome),
}

/// How a round has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All who play do so together, and have won or lost as one.
    Together {
        /// They have found the word, or whatever there was to reach.
        won: bool,
    },
    /// Those in these seats have won; whoever else played has lost.
    Seats(SeatSet),
    /// Nobody has won, and nobody has lost.
    Draw,
    /// It ended before it was decided, and counts for nobody.
    Abandoned,
}

/// Some of the seats of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeatSet(u8);

/// How a room's game stands, in one word: what lists, the archive and the browser know it by.
/// New ones are added at the end: the archive stores the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It has not begun.
    Waiting,
    /// It goes on.
    Playing,
    /// It is over, and the table or somebody at it has won.
    Won,
    /// It is over, and the table has lost.
    Lost,
    /// It is over, and nobody has won or lost.
    Draw,
    /// It is over, and counts for nobody.
    Abandoned,
}

impl Phase {
    /// Whether the round has ended.
    pub fn is_over(self) -> bool {
        matches!(self, Phase::Over(_))
    }

    /// The seats that have won the round, if it has ended with such.
    pub fn winners(self) -> Option<SeatSet> {
        match self {
            Phase::Over(Outcome::Seats(seats)) => Some(seats),
            Phase::Waiting | Phase::Playing | Phase::Over(_) => None,
        }
    }
}

impl From<Seat> for SeatSet {
    /// One seat alone; nobody, if no table has such a seat.
    fn from(seat: Seat) -> SeatSet {
        SeatSet(1_u8.checked_shl(seat.0.into()).unwrap_or_default())
    }
}

impl SeatSet {
    /// The seats, from the lowest.
    pub fn iter(self) -> impl Iterator<Item = Seat> {
        (0..8).filter(move |seat| self.0 & (1 << seat) != 0).map(Seat)
    }
}

impl State {
    /// Every state there is.
    pub const ALL: [State; 6] =
        [State::Waiting, State::Playing, State::Won, State::Lost, State::Draw, State::Abandoned];

    /// The state as views and lists call it.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Playing => "playing",
            State::Won => "won",
            State::Lost => "lost",
            State::Draw => "draw",
            State::Abandoned => "abandoned",
        }
    }

    /// The state that is called `name`.
    pub fn named(name: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether the round has ended.
    pub fn is_over(self) -> bool {
        !matches!(self, State::Waiting | State::Playing)
    }
}

impl From<Phase> for State {
    fn from(phase: Phase) -> State {
        match phase {
            Phase::Waiting => State::Waiting,
            Phase::Playing => State::Playing,
            Phase::Over(Outcome::Together { won: true } | Outcome::Seats(_)) => State::Won,
            Phase::Over(Outcome::Together { won: false }) => State::Lost,
            Phase::Over(Outcome::Draw) => State::Draw,
            Phase::Over(Outcome::Abandoned) => State::Abandoned,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_found_by_its_name_and_tells_whether_the_round_is_over() {
        for (place, state) in State::ALL.into_iter().enumerate() {
            assert_eq!(State::named(state.as_str()), Some(state));
            assert_eq!(state as usize, place, "{state}: the archive stores the place");
        }
        assert_eq!(State::named("archived"), None);
        let phases = [
            Phase::Waiting,
            Phase::Playing,
            Phase::Over(Outcome::Together { won: true }),
            Phase::Over(Outcome::Together { won: false }),
            Phase::Over(Outcome::Seats(SeatSet::from(Seat(1)))),
            Phase::Over(Outcome::Draw),
            Phase::Over(Outcome::Abandoned),
        ];
        for phase in phases {
            assert_eq!(State::from(phase).is_over(), phase.is_over(), "{phase:?}");
        }
    }

    #[test]
    fn a_set_of_seats_tells_them_from_the_lowest() {
        assert_eq!(SeatSet::from(Seat(7)).iter().collect::<Vec<_>>(), [Seat(7)]);
        assert_eq!(SeatSet(0b101).iter().collect::<Vec<_>>(), [Seat(0), Seat(2)]);
        assert_eq!(SeatSet::default().iter().count(), 0);
        // As only a damaged snapshot can have it.
        assert_eq!(SeatSet::from(Seat(8)), SeatSet::default());
    }
}
