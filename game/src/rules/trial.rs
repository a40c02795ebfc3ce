//! A board on trial: rules tested without a room around them.

use std::collections::BTreeMap;

use super::contract::{Audience, Rules, Turn, parse_move};
use super::duel::{Conceded, Judged};
use crate::answer::{Code, Rejection};
use crate::chance::Chance;
use crate::clock::Now;
use crate::command::Edition;
use crate::table::{Person, Sitter, Table, Who};
use hangraft_ids::{PlayerId, Seat};

/// A board and those who sit around it.
#[derive(Clone)]
pub(crate) struct Trial<R: Rules> {
    pub(crate) board: R,
    seats: Vec<Option<Sitter>>,
    /// Who has been away for long.
    pub(crate) long_gone: Option<PlayerId>,
    /// Lobby time.
    pub(crate) now_ms: u64,
    /// What was told, from the first.
    pub(crate) told: Vec<R::Event>,
    /// What was said of moves, from the first.
    pub(crate) judged: Vec<Judged>,
}

impl<R: Rules> Trial<R> {
    /// A board at whose table these players sit, and are here.
    pub(crate) fn of(board: R, seated: &[Option<PlayerId>]) -> Trial<R> {
        let mut trial = Trial {
            board,
            seats: Vec::new(),
            long_gone: None,
            now_ms: 0,
            told: Vec::new(),
            judged: Vec::new(),
        };
        trial.seat(seated);
        trial
    }

    /// These sit there now.
    pub(crate) fn seat(&mut self, seated: &[Option<PlayerId>]) {
        let sitter = |player: PlayerId| Sitter { player, online: true };
        self.seats = seated.iter().map(|player| player.map(sitter)).collect();
        self.turn(|board, turn| board.table_changed(turn));
    }

    /// The host takes somebody from the table.
    pub(crate) fn remove(&mut self, player: PlayerId) {
        for seat in self.seats.iter_mut() {
            seat.take_if(|sitter| sitter.player == player);
        }
        self.turn(|board, turn| board.removed(player, turn));
    }

    /// The points of those in whose seat somebody moves, or why not. What is refused
    /// leaves no trace.
    pub(crate) fn play(&mut self, seat: u8, mv: &str) -> Result<u32, Code> {
        let player = self.seats[usize::from(seat)].as_ref().expect("somebody sits there").player;
        let who = Who { seat: Seat(seat), player };
        let before = (format!("{:?}", self.board), self.told.len());
        let (played, points) = self.turn(|board, turn| board.play(who, parse_move::<R>(mv)?, turn));
        if played.is_err() {
            assert_eq!(before, (format!("{:?}", self.board), self.told.len()), "{mv} left a trace");
        } else {
            assert!(self.told.len() > before.1, "nobody hears of {mv}");
        }
        played.map(|()| points).map_err(|rejection| rejection.code())
    }

    pub(crate) fn again(&mut self) -> Result<(), Code> {
        let (again, _) = self.turn(|board, turn| board.again(turn));
        again.map_err(|rejection| rejection.code())
    }

    /// Somebody gives up; the points that were given for it, or why not. What is refused
    /// leaves no trace.
    pub(crate) fn concede(&mut self, who: Who, how: Conceded) -> Result<u32, Code> {
        self.end(|board, turn| board.concede(who, how, turn))
    }

    /// The two want no winner; the points that were given for it, or why not.
    pub(crate) fn agree_draw(&mut self) -> Result<u32, Code> {
        self.end(|board, turn| board.agree_draw(turn))
    }

    fn end(
        &mut self,
        act: impl FnOnce(&mut R, &mut Turn<'_, R::Event>) -> Result<(), Rejection>,
    ) -> Result<u32, Code> {
        let before = (format!("{:?}", self.board), self.told.len());
        let (ended, points) = self.turn(act);
        if ended.is_err() {
            assert_eq!(before, (format!("{:?}", self.board), self.told.len()), "a trace is left");
        } else {
            assert!(self.board.decided().is_some() && self.told.len() > before.1);
        }
        ended.map(|()| points).map_err(|rejection| rejection.code())
    }

    /// The time the board asked for has come; the points that were given for it.
    pub(crate) fn due(&mut self) -> u32 {
        assert!(self.board.due_ms().is_some_and(|due_ms| due_ms <= self.now_ms));
        let ((), points) = self.turn(|board, turn| board.due(turn));
        assert!(self.board.due_ms().is_none_or(|due_ms| due_ms > self.now_ms), "called in vain");
        points
    }

    /// What the gallery sees.
    pub(crate) fn view(&self) -> String {
        let people = BTreeMap::new();
        let table = table(&self.seats, &people, self.long_gone, self.now_ms);
        let view = self.board.view(Audience::GALLERY, &table);
        serde_json::to_string(&view).expect("a view has a JSON form")
    }

    fn turn<T>(&mut self, act: impl FnOnce(&mut R, &mut Turn<'_, R::Event>) -> T) -> (T, u32) {
        let people = BTreeMap::new();
        let table = table(&self.seats, &people, self.long_gone, self.now_ms);
        let now = Now { ms: self.now_ms, edition: Edition::Second };
        let mut points = Vec::new();
        let mut tell = |event| self.told.push(event);
        let mut chance = Chance::of(1, 0);
        let judged = Some(&mut self.judged);
        let mut turn = Turn::new(table, now, &mut chance, &mut tell, &mut points, judged);
        let acted = act(&mut self.board, &mut turn);
        (acted, points.iter().map(|points| points.count).sum())
    }
}

fn table<'a>(
    seats: &'a [Option<Sitter>],
    people: &'a BTreeMap<PlayerId, Person>,
    long_gone: Option<PlayerId>,
    at_ms: u64,
) -> Table<'a> {
    Table { seats, people, prefer_here: true, long_gone, at_ms }
}
