//! One room in an open loop: what each player says next. Plain code; times count from the
//! beginning of the load.
//!
//! What is planned waits in a queue until the player's last one is answered, and keeps its
//! planned time. When a round is over, all agree to a new one at once; that is not planned
//! and not counted among the moves, and moves that are due meanwhile wait for it.

use std::{collections::VecDeque, time::Duration};

use hangraft_ids::Version;
use hangraft_proto::socket::Code;

use crate::bench::{sockets::open::rhythm::Doing, table::LETTERS};

/// How long a player waits before asking again what nobody could answer.
const UNSETTLED: Duration = Duration::from_millis(50);

/// How long a player who was told to slow down waits.
const TOO_FAST: Duration = Duration::from_millis(250);

/// How long a player waits for the view that shows the end of the round.
const OVER: Duration = Duration::from_millis(20);

/// Something that was planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) planned: Duration,
    pub(super) doing: Doing,
    /// It had to wait for the player's last one, or for a new round.
    pub(super) held: bool,
}

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Play(char),
    Say,
    Again,
}

/// Something to be said, for the first time or once more. The id serves as serial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) id: u64,
    pub(super) turn: Turn,
    /// What was planned; nothing of a wish for a new round.
    pub(super) due: Option<Due>,
}

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Of a wish that is not open any more.
    Echo,
    /// This was done, and made the version.
    Done(Due, Version),
    /// The player agrees to a new round.
    Agreed,
    /// Not now: the player rests for so long, and tries again.
    Rest(Code, Duration),
    /// The same is to be said once more after this time, with the same id.
    Resend(Code, Duration),
    /// The player cannot go on.
    Stuck(Code),
}

/// How a view shows the round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Playing,
    Over,
}

#[derive(Debug)]
pub(super) struct Game {
    players: Vec<Player>,
    /// The newest version that was looked at, and what it showed.
    stood: Version,
    over: bool,
    /// Letters tried in this round.
    tried: usize,
}

#[derive(Clone, Debug, Default)]
struct Player {
    due: VecDeque<Due>,
    open: Option<Wish>,
    last_id: u64,
    resting: bool,
    /// Agrees to a new round already.
    agrees: bool,
}

impl Game {
    /// A round has begun; ids up to this one are used up.
    pub(super) fn new(players: usize, last_id: u64) -> Self {
        let player = Player { last_id, ..Player::default() };
        let players = vec![player; players];
        Self { players, stood: Version(0), over: false, tried: 0 }
    }

    /// The time has come for something.
    pub(super) fn plan(&mut self, player: usize, planned: Duration, doing: Doing) {
        let over = self.over;
        let player = &mut self.players[player];
        let held = player.open.is_some() || player.resting || over || !player.due.is_empty();
        player.due.push_back(Due { planned, doing, held });
    }

    /// What a player says now, if anything. It is open from then on.
    pub(super) fn next(&mut self, player: usize) -> Option<Wish> {
        let one = &self.players[player];
        if one.open.is_some() || one.resting {
            return None;
        }
        let (turn, due) = match one.due.front().copied() {
            _ if self.over && !one.agrees => (Turn::Again, None),
            Some(due) if due.doing == Doing::Line => (Turn::Say, Some(due)),
            Some(due) if !self.over => (Turn::Play(self.letter()), Some(due)),
            _ => return None,
        };
        let id = self.id(player);
        let one = &mut self.players[player];
        if due.is_some() {
            one.due.pop_front();
        }
        one.open = Some(Wish { id, turn, due });
        one.open
    }

    /// What a player has said, and nobody has answered.
    pub(super) fn open(&self, player: usize) -> Option<Wish> {
        self.players[player].open
    }

    /// A number for a message of a player that is no wish.
    pub(super) fn id(&mut self, player: usize) -> u64 {
        self.players[player].last_id += 1;
        self.players[player].last_id
    }

    /// A player has heard an answer.
    pub(super) fn answered(
        &mut self,
        player: usize,
        id: u64,
        answer: Result<Version, Code>,
    ) -> Meaning {
        let one = &mut self.players[player];
        let Some(wish) = one.open.filter(|open| open.id == id) else { return Meaning::Echo };
        if let Err(code @ (Code::Busy | Code::NoQuorum | Code::UnknownOutcome)) = answer {
            // Nothing was done, or nobody knows: the same serial settles it.
            return Meaning::Resend(code, UNSETTLED);
        }
        one.open = None;
        match (answer, wish.due) {
            (Ok(version), Some(due)) => return Meaning::Done(due, version),
            // The others were enough.
            (Ok(_) | Err(Code::IllegalMove), None) => {
                one.agrees = true;
                return Meaning::Agreed;
            }
            _ => {}
        }
        if let Some(due) = wish.due {
            one.due.push_front(Due { held: true, ..due });
        }
        match answer {
            Err(code @ Code::TooFast) => self.rests(player, code, TOO_FAST),
            Err(code @ Code::GameOver) => self.rests(player, code, OVER),
            // Another has tried this letter.
            Err(code @ Code::IllegalMove) => self.rests(player, code, Duration::ZERO),
            Err(code) => Meaning::Stuck(code),
            Ok(_) => unreachable!("a wish that was planned is done, and one for a round agrees"),
        }
    }

    /// A player has rested.
    pub(super) fn rested(&mut self, player: usize) {
        self.players[player].resting = false;
    }

    /// Whether a view of this version says anything new of the round.
    pub(super) fn is_new(&self, version: Version) -> bool {
        version > self.stood
    }

    /// A view shows the round; whether that is another phase than before.
    pub(super) fn saw(&mut self, version: Version, phase: Phase) -> bool {
        self.stood = self.stood.max(version);
        let over = phase == Phase::Over;
        let changed = over != self.over;
        if changed {
            self.over = over;
            self.tried = 0;
            self.players.iter_mut().for_each(|player| player.agrees = false);
        }
        changed
    }

    /// All that was planned and is not done.
    pub(super) fn left(&self) -> impl Iterator<Item = Due> + '_ {
        let open = |player: &Player| player.open.and_then(|wish| wish.due);
        self.players
            .iter()
            .flat_map(move |player| open(player).into_iter().chain(player.due.iter().copied()))
    }

    fn rests(&mut self, player: usize, code: Code, time: Duration) -> Meaning {
        self.players[player].resting = true;
        Meaning::Rest(code, time)
    }

    fn letter(&mut self) -> char {
        self.tried += 1;
        char::from(LETTERS[(self.tried - 1) % LETTERS.len()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn game(players: usize) -> Game {
        Game::new(players, 9)
    }

    fn turns(game: &mut Game, player: usize) -> Option<(u64, Turn)> {
        game.next(player).map(|wish| (wish.id, wish.turn))
    }

    /// What is due while a player waits keeps the time that it was planned for.
    #[test]
    fn what_waits_keeps_its_time() {
        let mut game = game(1);
        game.plan(0, MS, Doing::Move);
        assert_eq!(turns(&mut game, 0), Some((10, Turn::Play('e'))));
        game.plan(0, 2 * MS, Doing::Line);
        game.plan(0, 3 * MS, Doing::Move);
        assert_eq!(game.next(0), None, "its last is not answered");
        let planned: Vec<_> = game.left().map(|due| (due.planned, due.held)).collect();
        assert_eq!(planned, [(MS, false), (2 * MS, true), (3 * MS, true)]);
        let first = Due { planned: MS, doing: Doing::Move, held: false };
        assert_eq!(game.answered(0, 9, Ok(Version(4))), Meaning::Echo);
        assert_eq!(game.answered(0, 10, Ok(Version(4))), Meaning::Done(first, Version(4)));
        assert_eq!(turns(&mut game, 0), Some((11, Turn::Say)));
    }

    /// When a round ends all agree at once; moves wait for the new one, and lines do not.
    #[test]
    fn a_new_round_is_agreed_upon() {
        let mut game = game(2);
        assert!(game.saw(Version(5), Phase::Over) && !game.saw(Version(6), Phase::Over));
        for player in [0, 1] {
            assert_eq!(turns(&mut game, player), Some((10, Turn::Again)));
        }
        assert_eq!(game.answered(0, 10, Ok(Version(7))), Meaning::Agreed);
        game.plan(0, MS, Doing::Line);
        assert_eq!(turns(&mut game, 0), Some((11, Turn::Say)));
        assert!(matches!(game.answered(0, 11, Ok(Version(8))), Meaning::Done(..)));
        game.plan(0, MS, Doing::Move);
        assert_eq!(game.next(0), None, "no round");
        assert_eq!(game.answered(1, 10, Err(Code::IllegalMove)), Meaning::Agreed);
        assert!(!game.is_new(Version(6)) && game.is_new(Version(9)));
        assert!(game.saw(Version(9), Phase::Playing));
        assert_eq!(turns(&mut game, 0), Some((12, Turn::Play('e'))));
    }

    /// What is refused for now is tried again, with a new id unless nobody knows what became
    /// of it; its planned time stays.
    #[test]
    fn what_is_refused_is_tried_again() {
        let mut game = game(1);
        game.plan(0, MS, Doing::Move);
        for (id, code) in [(10, Code::TooFast), (11, Code::GameOver), (12, Code::IllegalMove)] {
            assert_eq!(game.next(0).map(|wish| wish.id), Some(id));
            assert!(matches!(game.answered(0, id, Err(code)), Meaning::Rest(..)));
            assert_eq!(game.next(0), None, "it rests");
            game.rested(0);
        }
        assert_eq!(turns(&mut game, 0), Some((13, Turn::Play('o'))));
        let unsettled = game.answered(0, 13, Err(Code::UnknownOutcome));
        assert_eq!(unsettled, Meaning::Resend(Code::UnknownOutcome, UNSETTLED));
        assert_eq!(game.open(0).map(|wish| wish.id), Some(13));
        assert_eq!(game.left().next().map(|due| due.planned), Some(MS));
        assert_eq!(game.answered(0, 13, Err(Code::NoSuchRoom)), Meaning::Stuck(Code::NoSuchRoom));
    }
}
