//! One table of simulated players: who does what next. Plain code, shared by all
//! workloads; it knows neither sockets nor time.
//!
//! The first player opens a room and all sit down. Then everyone plays the
//! commonest letters in order, each player waiting for an answer before the next
//! move, until the round is over; all agree to a new round and play goes on. So
//! every player has exactly one wish open at any moment, or is parked until the
//! others have agreed as well.

use std::time::Duration;

use hangraft_ids::{RoomId, Version};
use hangraft_proto::socket::Code;

/// The letters, by how often they occur in English.
pub(super) const LETTERS: &[u8; 26] = b"etaoinshrdlcumwfgypbvkjxqz";

/// How long a player who was told to slow down waits.
const TOO_FAST: Duration = Duration::from_millis(250);

/// How long a player waits before asking again what nobody could answer.
const UNSETTLED: Duration = Duration::from_millis(50);

/// Some players, their room, and the round they play.
#[derive(Debug)]
pub(super) struct Table {
    players: Vec<Player>,
    room: RoomId,
    /// Whether players watch their room before they play.
    watching: bool,
    /// The version that began this round.
    round_from: Version,
    /// Letters played in this round.
    played: usize,
    /// A view has shown that the round is over.
    over: bool,
    /// Players who have agreed to a new round.
    parked: Vec<usize>,
}

#[derive(Clone, Debug)]
struct Player {
    serial: u64,
    /// The open wish, none before the first and while parked.
    wish: Option<Action>,
}

/// What a player can want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Open,
    Sit,
    Watch,
    Play(char),
    Again,
}

/// A wish to be sent. The same serial again is the same wish again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    /// The player's place at the table.
    pub(super) player: usize,
    pub(super) serial: u64,
    pub(super) room: RoomId,
    pub(super) action: Action,
    /// How long to wait before sending it.
    pub(super) after: Duration,
}

/// How a wish was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Accepted { room: RoomId, version: Version },
    Refused(Code),
}

/// What an answer meant for whoever counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Getting ready.
    Preparation,
    /// This player has sat down and plays from now on.
    Ready,
    /// A move was committed.
    Moved,
    /// A new round was started.
    NewRound,
    /// Refused; play goes on.
    Refused(Code),
    /// Refused, and this player cannot go on.
    Stuck(Code),
}

impl Table {
    /// A table for `players`, and its first wish.
    pub(super) fn new(players: usize, watching: bool) -> (Self, Wish) {
        assert!(players > 0, "an empty table has nobody to open a room");
        let mut table = Self {
            players: vec![Player { serial: 0, wish: None }; players],
            room: RoomId(0),
            round_from: Version(0),
            watching,
            played: 0,
            over: false,
            parked: Vec::new(),
        };
        let first = table.wish(0, Action::Open);
        (table, first)
    }

    /// Takes an answer to a player's open wish; appends what is wished next.
    pub(super) fn answered(
        &mut self,
        player: usize,
        answer: Answer,
        next: &mut Vec<Wish>,
    ) -> Meaning {
        let Some(action) = self.players[player].wish.take() else {
            // An echo of a wish that was sent twice.
            return Meaning::Preparation;
        };
        match (action, answer) {
            (Action::Open, Answer::Accepted { room, .. }) => {
                self.room = room;
                next.extend((0..self.players.len()).map(|player| self.wish(player, Action::Sit)));
                Meaning::Preparation
            }
            (Action::Sit, Answer::Accepted { .. }) if self.watching => {
                next.push(self.wish(player, Action::Watch));
                Meaning::Preparation
            }
            (Action::Sit | Action::Watch, Answer::Accepted { .. }) => {
                self.go_on(player, next);
                Meaning::Ready
            }
            (Action::Play(_), Answer::Accepted { .. }) => {
                self.go_on(player, next);
                Meaning::Moved
            }
            (Action::Again, Answer::Accepted { version, .. }) => {
                self.round_from = self.round_from.max(version);
                self.agreed(player, next)
            }
            (action, Answer::Refused(code)) => self.refused(player, action, code, next),
        }
    }

    /// A view has shown that a round is over. If it is this one, whoever is next to
    /// move agrees to a new one.
    pub(super) fn saw_the_end(&mut self, version: Version) {
        self.over |= version > self.round_from;
    }

    /// A player's open wish once more, for a new connection.
    pub(super) fn open_wish(&self, player: usize) -> Option<Wish> {
        self.players[player].wish.map(|action| self.sent(player, action, Duration::ZERO))
    }

    fn refused(
        &mut self,
        player: usize,
        action: Action,
        code: Code,
        next: &mut Vec<Wish>,
    ) -> Meaning {
        match (action, code) {
            // Nothing was done, or nobody knows: the same wish settles it.
            (_, Code::Busy | Code::NoQuorum | Code::UnknownOutcome) => {
                self.players[player].wish = Some(action);
                next.push(self.sent(player, action, UNSETTLED));
            }
            // This refusal is remembered, so it takes a new wish.
            (_, Code::TooFast) => {
                let wish = self.wish(player, action);
                next.push(Wish { after: TOO_FAST, ..wish });
            }
            (Action::Play(_), Code::GameOver) => {
                self.over = true;
                self.go_on(player, next);
            }
            // Another had played this letter, in the last moments of the round before.
            (Action::Play(_), Code::IllegalMove) => self.go_on(player, next),
            // The others were enough.
            (Action::Again, Code::IllegalMove) => _ = self.agreed(player, next),
            _ => return Meaning::Stuck(code),
        }
        Meaning::Refused(code)
    }

    fn go_on(&mut self, player: usize, next: &mut Vec<Wish>) {
        if !self.over {
            let letter = char::from(LETTERS[self.played % LETTERS.len()]);
            self.played += 1;
            next.push(self.wish(player, Action::Play(letter)));
        } else {
            next.push(self.wish(player, Action::Again));
        }
    }

    /// A player has agreed to a new round. It begins with the last of them.
    fn agreed(&mut self, player: usize, next: &mut Vec<Wish>) -> Meaning {
        self.parked.push(player);
        if self.parked.len() < self.players.len() {
            return Meaning::Preparation;
        }
        (self.played, self.over) = (0, false);
        for parked in std::mem::take(&mut self.parked) {
            self.go_on(parked, next);
        }
        Meaning::NewRound
    }

    /// A new wish.
    fn wish(&mut self, player: usize, action: Action) -> Wish {
        self.players[player].serial += 1;
        self.players[player].wish = Some(action);
        self.sent(player, action, Duration::ZERO)
    }

    fn sent(&self, player: usize, action: Action, after: Duration) -> Wish {
        let serial = self.players[player].serial;
        Wish { player, serial, room: self.room, action, after }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YES: Answer = Answer::Accepted { room: RoomId(5), version: Version(9) };

    /// Answers one wish and returns what it meant and what is wished next.
    fn answer(table: &mut Table, player: usize, answer: Answer) -> (Meaning, Vec<Wish>) {
        let mut next = Vec::new();
        let meaning = table.answered(player, answer, &mut next);
        (meaning, next)
    }

    fn actions(wishes: &[Wish]) -> Vec<Action> {
        wishes.iter().map(|wish| wish.action).collect()
    }

    /// A table of one that has sat down and plays `e`.
    fn seated() -> Table {
        let (mut table, _) = Table::new(1, false);
        answer(&mut table, 0, YES);
        answer(&mut table, 0, YES);
        table
    }

    #[test]
    fn a_player_opens_sits_watches_and_plays() {
        let (mut table, first) = Table::new(1, true);
        assert_eq!((first.action, first.serial), (Action::Open, 1));
        let (meaning, next) = answer(&mut table, 0, YES);
        assert_eq!(
            (meaning, next[0].action, next[0].room),
            (Meaning::Preparation, Action::Sit, RoomId(5))
        );
        assert_eq!(actions(&answer(&mut table, 0, YES).1), [Action::Watch]);
        let (meaning, next) = answer(&mut table, 0, YES);
        assert_eq!((meaning, actions(&next)), (Meaning::Ready, vec![Action::Play('e')]));
        let (meaning, next) = answer(&mut table, 0, YES);
        assert_eq!((meaning, actions(&next)), (Meaning::Moved, vec![Action::Play('t')]));
        assert_eq!(next[0].serial, 5);
    }

    /// Whether a refusal or a view tells of the end, a new round begins with `e`.
    #[test]
    fn a_round_ends_and_another_begins() {
        for seen in [false, true] {
            let mut table = seated();
            let told = if seen {
                table.saw_the_end(Version(10));
                answer(&mut table, 0, YES)
            } else {
                answer(&mut table, 0, Answer::Refused(Code::GameOver))
            };
            assert_eq!(actions(&told.1), [Action::Again]);
            let (meaning, next) = answer(&mut table, 0, YES);
            assert_eq!((meaning, actions(&next)), (Meaning::NewRound, vec![Action::Play('e')]));
        }
    }

    /// The last view of a round may come after the next has begun.
    #[test]
    fn an_old_end_is_not_this_end() {
        let mut table = seated();
        answer(&mut table, 0, Answer::Refused(Code::GameOver));
        answer(&mut table, 0, YES);
        table.saw_the_end(Version(8));
        assert_eq!(actions(&answer(&mut table, 0, YES).1), [Action::Play('t')]);
    }

    /// An unsettled wish is asked again as it was; a hasty one as a new one.
    #[test]
    fn what_is_asked_again_is_the_same_wish() {
        let mut table = seated();
        for code in [Code::Busy, Code::NoQuorum, Code::UnknownOutcome] {
            let (meaning, next) = answer(&mut table, 0, Answer::Refused(code));
            assert_eq!(meaning, Meaning::Refused(code));
            assert_eq!((next[0].serial, next[0].action), (3, Action::Play('e')));
            assert!(next[0].after > Duration::ZERO);
        }
        assert_eq!(table.open_wish(0).map(|wish| wish.serial), Some(3));
        let (_, next) = answer(&mut table, 0, Answer::Refused(Code::TooFast));
        assert_eq!((next[0].serial, next[0].action), (4, Action::Play('e')));
    }

    /// Two share the letters; the new round begins when both have agreed, or when one
    /// hears that it has begun.
    #[test]
    fn a_table_of_two_shares_the_round() {
        let (mut table, _) = Table::new(2, false);
        assert_eq!(actions(&answer(&mut table, 0, YES).1), [Action::Sit, Action::Sit]);
        assert_eq!(actions(&answer(&mut table, 0, YES).1), [Action::Play('e')]);
        assert_eq!(actions(&answer(&mut table, 1, YES).1), [Action::Play('t')]);
        let over = Answer::Refused(Code::GameOver);
        for last in [YES, Answer::Refused(Code::IllegalMove)] {
            assert_eq!(actions(&answer(&mut table, 1, over).1), [Action::Again]);
            assert_eq!(answer(&mut table, 1, YES), (Meaning::Preparation, vec![]));
            assert_eq!(table.open_wish(1), None);
            assert_eq!(actions(&answer(&mut table, 0, over).1), [Action::Again]);
            let (_, next) = answer(&mut table, 0, last);
            assert_eq!(actions(&next), [Action::Play('e'), Action::Play('t')]);
            assert_eq!((next[0].player, next[1].player), (1, 0));
        }
    }

    /// A room that is gone is nothing to go on with, and an echo is nothing at all.
    #[test]
    fn a_lost_room_stops_its_player() {
        let mut table = seated();
        let (meaning, next) = answer(&mut table, 0, Answer::Refused(Code::NoSuchRoom));
        assert_eq!((meaning, next), (Meaning::Stuck(Code::NoSuchRoom), vec![]));
        assert_eq!(answer(&mut table, 0, YES), (Meaning::Preparation, vec![]));
    }
}
