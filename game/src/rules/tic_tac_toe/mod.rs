//! Tic-tac-toe: three marks in a row, before the other has them.
//!
//! * Two play in turns. A round begins when both seats are taken; X goes first, and the
//!   other seat has X in the next round.
//! * Three in a row, a column or a diagonal win. A full board without them is a draw.
//! * A room can have a clock: so many seconds for each move. Whoever has not moved by then
//!   has lost the round, and so has whoever leaves the table in the middle of it. A round
//!   that is left before both have moved counts for nobody, and so does one from which the
//!   host takes the other.
//! * Without a clock the table waits for whoever is to move. When they have been away for as
//!   long as their seat is kept, the other may go on without them; that round counts for
//!   nobody.
//! * Nothing is hidden, and nothing is drawn.
//! * Of two who play for the result, either may give up and both may agree upon a draw,
//!   whatever was marked.
//! * Points: [`WIN`] for a round that is won, [`DRAW`] for each in a draw.

mod bot;
mod cells;
mod perfect;
mod stage;
mod view;

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use cells::{CELLS, Cells, Mark, three_in_line};
use perfect::Position;
use stage::{How, Stage};
use view::{About, Event, View, Won};

use crate::answer::Rejection;
use crate::chance::Chance;
use crate::rules::contract::{Audience, Rules, Turn};
use crate::rules::duel::{Conceded, Judged, Strength};
use crate::rules::phase::Phase;
use crate::table::{Table, Who};
use hangraft_ids::{PlayerId, Seat};

/// How many play.
const PLAYERS: u8 = 2;

/// Points for a round that is won.
const WIN: u32 = 2;

/// Points for each of the two when nobody has won.
const DRAW: u32 = 1;

/// Seconds for a move that a room can be opened with.
const CLOCKS_S: [u8; 3] = [10, 30, 60];

/// How much longer than it shows a clock runs, for the way that a move has to travel.
const GRACE_MS: u64 = 500;

/// One board of tic-tac-toe.
///
/// Invariants:
/// * Both seats are taken while the round goes on.
/// * There is a deadline only while the round goes on, and only in a room with a clock.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TicTacToe {
    /// Seconds for a move; none for as long as one likes.
    clock_s: Option<u8>,
    /// Counts from 1.
    round: u32,
    stage: Stage,
    cells: Cells,
    /// Who sits where.
    players: [Option<PlayerId>; PLAYERS as usize],
    /// Which seat has X in this round.
    crosses: Seat,
    /// The lobby time by which whoever's turn it is must have moved.
    deadline_ms: Option<u64>,
    /// Something was marked in this round or one before.
    marked: bool,
}

/// How a room can be opened.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<u8>,
}

/// A move: which cell, row by row from 0.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Move {
    cell: u8,
}

impl Rules for TicTacToe {
    const NAME: &'static str = "tic-tac-toe";
    const SEATS: RangeInclusive<u8> = PLAYERS..=PLAYERS;
    const MOVE_BYTES_MAX: usize = 64;
    type Options = Options;
    type Move = Move;
    type Event = Event;
    type View<'a> = View<'a>;
    type About<'a> = About;

    fn options_help() -> String {
        "tic-tac-toe is opened with a JSON object of: clock (10, 30 or 60 seconds for a move; \
         none without it)"
            .to_owned()
    }

    fn move_help() -> &'static str {
        r#"a move is {"cell":4}: the cells count from 0, row by row"#
    }

    fn match_options(options: Options) -> Result<Options, Rejection> {
        if options.clock.is_some() {
            return Err(Rejection::bad_request("a match has its clock beside the options"));
        }
        Ok(options)
    }

    fn open(options: Options, _: &mut Chance) -> Result<TicTacToe, Rejection> {
        if !options.clock.is_none_or(|clock_s| CLOCKS_S.contains(&clock_s)) {
            return Err(Rejection::bad_request(TicTacToe::options_help()));
        }
        Ok(TicTacToe {
            clock_s: options.clock,
            round: 1,
            stage: Stage::Waiting,
            cells: [None; CELLS],
            players: [None; PLAYERS as usize],
            crosses: Seat(0),
            deadline_ms: None,
            marked: false,
        })
    }

    fn seats(&self) -> u8 {
        PLAYERS
    }

    fn table_changed(&mut self, turn: &mut Turn<'_, Event>) {
        let before = self.players;
        self.note_players(&turn.table);
        let left = (0..PLAYERS).map(Seat).find(|seat| {
            let place = usize::from(seat.0);
            before[place].is_some() && before[place] != self.players[place]
        });
        let before = left.and_then(|left| before[usize::from(left.0)]);
        match (self.stage, left.zip(before)) {
            (Stage::Waiting, _) if turn.table.is_full() => self.begin(turn),
            (Stage::Playing, Some((seat, player))) => self.forfeit(Who { seat, player }, turn),
            _ => {}
        }
    }

    fn removed(&mut self, _: PlayerId, turn: &mut Turn<'_, Event>) {
        if self.stage == Stage::Playing {
            self.abandon(turn);
        }
        self.table_changed(turn);
    }

    fn play(&mut self, who: Who, mv: Move, turn: &mut Turn<'_, Event>) -> Result<(), Rejection> {
        let mark = self.turn_of(who.seat)?;
        let before = self.cells;
        let cell = self.cells.get_mut(usize::from(mv.cell));
        let cell = cell.ok_or_else(|| Rejection::illegal("the cells count from 0 to 8"))?;
        if cell.is_some() {
            return Err(Rejection::illegal("that cell is taken"));
        }
        *cell = Some(mark);
        self.marked = true;
        let (seat, name) = (who.seat, turn.table.name(who.player));
        turn.judge(|| {
            let good = Position::of(&before, mark).is_kept_by(mv.cell);
            Judged { seat, good, luck_permille: 0 }
        });
        turn.tell(Event::Marked { seat, name, cell: mv.cell, mark });
        if let (Some(_), Some(over)) = (three_in_line(&self.cells), self.who(other(who.seat))) {
            self.win(who, over, How::Line, turn);
        } else if self.cells.iter().all(Option::is_some) {
            self.draw(turn);
        } else {
            self.wind_clock(turn);
        }
        Ok(())
    }

    fn may_begin(&self, table: &Table<'_>) -> Result<(), Rejection> {
        let to_move = self.turn().and_then(|seat| self.player(seat));
        let stuck = self.clock_s.is_none() && to_move.is_some() && to_move == table.long_gone;
        if self.phase().is_over() || stuck {
            return Ok(());
        }
        Err(Rejection::illegal("this round is not over yet"))
    }

    fn again(&mut self, turn: &mut Turn<'_, Event>) -> Result<(), Rejection> {
        self.may_begin(&turn.table)?;
        if self.stage == Stage::Playing {
            self.abandon(turn);
        }
        self.round = self.round.saturating_add(1);
        self.cells = [None; CELLS];
        self.crosses = other(self.crosses);
        self.deadline_ms = None;
        self.stage = Stage::Waiting;
        if turn.table.is_full() {
            self.begin(turn);
        }
        Ok(())
    }

    fn due_ms(&self) -> Option<u64> {
        self.deadline_ms
    }

    fn due(&mut self, turn: &mut Turn<'_, Event>) {
        self.deadline_ms = None;
        let late = self.turn().and_then(|seat| self.who(seat));
        if let Some((late, by)) = late.and_then(|late| Some((late, self.who(other(late.seat))?))) {
            self.win(by, late, How::Clock, turn);
        }
    }

    fn awaits(&self, seat: Seat) -> bool {
        self.turn() == Some(seat)
    }

    fn concede(
        &mut self,
        who: Who,
        how: Conceded,
        turn: &mut Turn<'_, Event>,
    ) -> Result<(), Rejection> {
        self.check_playing()?;
        let by = self.who(other(who.seat));
        self.win(by.expect("two play"), who, how.into(), turn);
        Ok(())
    }

    fn agree_draw(&mut self, turn: &mut Turn<'_, Event>) -> Result<(), Rejection> {
        self.check_playing()?;
        self.draw(turn);
        Ok(())
    }

    fn ending(&self) -> Option<&'static str> {
        match self.stage {
            Stage::Waiting | Stage::Playing => None,
            Stage::Won { how, .. } => Some(how.as_str()),
            Stage::Draw if self.marks() < CELLS => Some("agreed"),
            Stage::Draw => Some("full"),
            Stage::Abandoned => Some("abandoned"),
        }
    }

    fn suggest(&self, who: Who, strength: Strength, chance: &mut Chance) -> Option<Move> {
        let mark = self.turn_of(who.seat).ok()?;
        bot::choose(Position::of(&self.cells, mark), strength, chance).map(|cell| Move { cell })
    }

    fn phase(&self) -> Phase {
        self.stage.phase()
    }

    fn round(&self) -> u32 {
        self.round
    }

    fn worth_keeping(&self) -> bool {
        self.marked
    }

    fn view<'a>(&'a self, _: Audience, table: &Table<'a>) -> View<'a> {
        let won = match self.stage {
            Stage::Won { by, over, how } => Some(Won::of(by, over, how, table)),
            _ => None,
        };
        let shown_ms = self.deadline_ms.map(|deadline_ms| deadline_ms.saturating_sub(GRACE_MS));
        View {
            cells: &self.cells,
            crosses: self.crosses,
            turn: self.turn(),
            won,
            line: three_in_line(&self.cells),
            clock: self.clock_s,
            left_ms: shown_ms.map(|shown_ms| shown_ms.saturating_sub(table.at_ms)),
        }
    }

    fn role(&self, player: PlayerId) -> &'static str {
        let sits = |seat: &Seat| self.player(*seat) == Some(player);
        match (0..PLAYERS).map(Seat).find(sits).map(|seat| self.mark_of(seat)) {
            Some(Mark::X) => "x",
            Some(Mark::O) => "o",
            None => "player",
        }
    }

    fn about(&self) -> About {
        About { clock: self.clock_s }
    }
}

impl TicTacToe {
    fn begin(&mut self, turn: &mut Turn<'_, Event>) {
        self.stage = Stage::Playing;
        turn.tell(Event::Begun { crosses: self.crosses });
        self.wind_clock(turn);
    }

    fn note_players(&mut self, table: &Table<'_>) {
        self.players = [None; PLAYERS as usize];
        for who in table.taken() {
            if let Some(place) = self.players.get_mut(usize::from(who.seat.0)) {
                *place = Some(who.player);
            }
        }
    }

    /// Whoever is to move has their time from now on.
    fn wind_clock(&mut self, turn: &Turn<'_, Event>) {
        let move_ms = self.clock_s.map(|clock_s| u64::from(clock_s) * 1000 + GRACE_MS);
        self.deadline_ms = move_ms.map(|move_ms| turn.now.ms.saturating_add(move_ms));
    }

    /// Somebody has left in the middle of the round.
    fn forfeit(&mut self, left: Who, turn: &mut Turn<'_, Event>) {
        match self.who(other(left.seat)).filter(|_| self.marks() >= usize::from(PLAYERS)) {
            Some(stays) => self.win(stays, left, How::Left, turn),
            None => self.abandon(turn),
        }
    }

    fn abandon(&mut self, turn: &mut Turn<'_, Event>) {
        self.end(Stage::Abandoned);
        turn.tell(Event::Abandoned);
    }

    fn win(&mut self, by: Who, over: Who, how: How, turn: &mut Turn<'_, Event>) {
        self.end(Stage::Won { by, over, how });
        turn.award(by.player, WIN);
        let (seat, name) = (by.seat, turn.table.name(by.player));
        turn.tell(Event::Won { seat, name, how });
    }

    fn draw(&mut self, turn: &mut Turn<'_, Event>) {
        self.end(Stage::Draw);
        for player in self.players.into_iter().flatten() {
            turn.award(player, DRAW);
        }
        turn.tell(Event::Draw);
    }

    fn end(&mut self, stage: Stage) {
        self.stage = stage;
        self.deadline_ms = None;
    }

    /// Says why no round goes on, if none does.
    fn check_playing(&self) -> Result<(), Rejection> {
        match self.stage {
            Stage::Waiting => {
                Err(Rejection::not_your_turn("the round begins when both seats are taken"))
            }
            Stage::Playing => Ok(()),
            Stage::Won { .. } | Stage::Draw | Stage::Abandoned => Err(Rejection::GameOver),
        }
    }

    /// The mark of the seat whose turn it is; or why it is not this seat's.
    fn turn_of(&self, seat: Seat) -> Result<Mark, Rejection> {
        self.check_playing()?;
        if self.turn() != Some(seat) {
            return Err(Rejection::not_your_turn("it is the other player's turn"));
        }
        Ok(self.mark_of(seat))
    }

    /// Whose turn it is, while the round goes on.
    fn turn(&self) -> Option<Seat> {
        let crosses = self.marks().is_multiple_of(2);
        let seat = if crosses { self.crosses } else { other(self.crosses) };
        (self.stage == Stage::Playing).then_some(seat)
    }

    fn who(&self, seat: Seat) -> Option<Who> {
        Some(Who { seat, player: self.player(seat)? })
    }

    fn player(&self, seat: Seat) -> Option<PlayerId> {
        self.players.get(usize::from(seat.0)).copied().flatten()
    }

    fn mark_of(&self, seat: Seat) -> Mark {
        if seat == self.crosses { Mark::X } else { Mark::O }
    }

    /// How many cells are marked.
    fn marks(&self) -> usize {
        self.cells.iter().flatten().count()
    }
}

/// The other of the two seats.
fn other(seat: Seat) -> Seat {
    Seat(1 - seat.0.min(1))
}

#[cfg(test)]
mod tests {
    use super::cells::LINES;
    use super::*;
    use crate::answer::Code;
    use crate::rules::contract::parse_options;
    use crate::rules::duel::Decided;
    use crate::rules::phase::Outcome;
    use crate::rules::trial::Trial;

    const ANN: PlayerId = PlayerId(1);
    const BEN: PlayerId = PlayerId(2);
    const CAT: PlayerId = PlayerId(3);

    fn opened(options: &str) -> Result<TicTacToe, Rejection> {
        TicTacToe::open(parse_options::<TicTacToe>(options)?, &mut Chance::of(1, 0))
    }

    /// A board at whose table Ann and Ben sit.
    fn trial(options: &str) -> Trial<TicTacToe> {
        Trial::of(opened(options).expect("good options"), &[Some(ANN), Some(BEN)])
    }

    /// The two mark these cells in turns, whoever begins; what the last move was worth.
    fn mark(trial: &mut Trial<TicTacToe>, cells: &[usize]) -> u32 {
        let mut points = 0;
        for cell in cells {
            let seat = trial.board.turn().expect("the round goes on").0;
            points = trial.play(seat, &format!(r#"{{"cell":{cell}}}"#)).expect("a free cell");
        }
        points
    }

    #[test]
    fn a_room_has_one_of_three_clocks_or_none() {
        for (options, clock_s) in [
            ("", Some(None)),
            ("{}", Some(None)),
            (r#"{"clock":null}"#, Some(None)),
            (r#"{"clock":10}"#, Some(Some(10))),
            (r#"{"clock":30}"#, Some(Some(30))),
            (r#"{"clock":60}"#, Some(Some(60))),
            (r#"{"clock":0}"#, None),
            (r#"{"clock":31}"#, None),
            (r#"{"clock":-10}"#, None),
            (r#"{"clock":"10"}"#, None),
            (r#"{"seats":2}"#, None),
            ("[10]", None),
        ] {
            let board = opened(options);
            assert_eq!(board.as_ref().ok().map(|board| board.clock_s), clock_s, "{options}");
            let refused = Rejection::bad_request(TicTacToe::options_help());
            assert!(clock_s.is_some() || board.err() == Some(refused), "{options}");
        }
    }

    #[test]
    fn three_in_a_line_win_whichever_line() {
        for line in LINES {
            let mut trial = trial("");
            // Ann, who has X, marks the line; Ben marks what is in nobody's way.
            let apart = (0..CELLS).filter(|cell| !line.contains(&(*cell as u8)));
            let cells: Vec<usize> = line
                .iter()
                .map(|cell| usize::from(*cell))
                .zip(apart)
                .flat_map(|(a, b)| [a, b])
                .collect();
            assert_eq!(mark(&mut trial, &cells[..5]), WIN, "{line:?}");
            assert_eq!(trial.board.phase(), Phase::Over(Outcome::Seats(Seat(0).into())));
            assert_eq!(three_in_line(&trial.board.cells), Some(line));
            assert_eq!(trial.play(1, r#"{"cell":8}"#), Err(Code::GameOver));
        }
    }

    #[test]
    fn what_is_no_move_is_refused_and_costs_nothing() {
        let mut trial = trial("");
        for (seat, mv, refused) in [
            (1, r#"{"cell":0}"#, Code::NotYourTurn),
            (0, r#"{"cell":9}"#, Code::IllegalMove),
            (0, r#"{"cell":-1}"#, Code::BadRequest),
            (0, r#"{"cell":"0"}"#, Code::BadRequest),
            (0, r#"{}"#, Code::BadRequest),
            (0, r#"{"cell":0,"mark":"O"}"#, Code::BadRequest),
            (0, "[0]", Code::BadRequest),
            (0, &format!(r#"{{"cell":0{}}}"#, " ".repeat(64)), Code::TooLarge),
        ] {
            assert_eq!(trial.play(seat, mv), Err(refused), "{mv}");
        }
        mark(&mut trial, &[4]);
        assert_eq!(trial.play(1, r#"{"cell":4}"#), Err(Code::IllegalMove));
        assert_eq!(trial.again(), Err(Code::IllegalMove));
    }

    #[test]
    fn a_full_board_is_a_draw_and_the_other_begins_the_next_round() {
        let mut trial = trial("");
        assert_eq!(mark(&mut trial, &[0, 4, 8, 1, 7, 6, 2, 5, 3]), 2 * DRAW);
        assert_eq!(trial.board.phase(), Phase::Over(Outcome::Draw));
        assert_eq!([ANN, BEN].map(|player| trial.board.role(player)), ["x", "o"]);
        assert_eq!(trial.again(), Ok(()));
        assert_eq!([ANN, BEN].map(|player| trial.board.role(player)), ["o", "x"]);
        assert_eq!((trial.board.round(), trial.board.turn()), (2, Some(Seat(1))));
        assert_eq!(trial.told.last(), Some(&Event::Begun { crosses: Seat(1) }));
    }

    #[test]
    fn a_clock_that_runs_out_loses_the_round() {
        let mut trial = trial(r#"{"clock":10}"#);
        trial.now_ms = 4_000;
        mark(&mut trial, &[4]);
        assert_eq!(trial.board.due_ms(), Some(14_000 + GRACE_MS));
        assert!(trial.view().ends_with(r#""clock":10,"left_ms":10000}"#), "{}", trial.view());
        trial.now_ms = 14_000;
        mark(&mut trial, &[0]);
        trial.now_ms = 24_500;
        assert_eq!(trial.due(), WIN);
        let [by, over] =
            [(1, BEN), (0, ANN)].map(|(seat, player)| Who { seat: Seat(seat), player });
        assert_eq!(trial.board.stage, Stage::Won { by, over, how: How::Clock });
        assert_eq!(trial.board.due_ms(), None);
        // Without a clock nobody is ever late.
        let mut patient = super::tests::trial("");
        mark(&mut patient, &[4]);
        assert_eq!(patient.board.due_ms(), None);
    }

    #[test]
    fn who_leaves_a_round_has_lost_it_unless_it_had_hardly_begun() {
        for (cells, seated, stage) in [
            (&[4, 0][..], [Some(ANN), None], Some(ANN)),
            (&[4, 0], [None, Some(BEN)], Some(BEN)),
            // Another in the same breath is another player.
            (&[4, 0], [Some(CAT), Some(BEN)], Some(BEN)),
            (&[4], [Some(ANN), None], None),
            (&[], [Some(ANN), None], None),
            (&[4, 0], [None, None], None),
        ] {
            let mut trial = trial(r#"{"clock":30}"#);
            mark(&mut trial, cells);
            trial.seat(&seated);
            let winner = match trial.board.stage {
                Stage::Won { by, over, how: How::Left } => {
                    assert_ne!(over.player, CAT, "who has just come has lost nothing");
                    Some(by.player)
                }
                Stage::Abandoned => None,
                other => panic!("{other:?}"),
            };
            assert_eq!((winner, trial.board.due_ms()), (stage, None), "{cells:?} {seated:?}");
        }
    }

    #[test]
    fn a_host_does_not_win_by_taking_the_other_from_the_table() {
        let mut trial = trial("");
        mark(&mut trial, &[4, 0]);
        trial.remove(BEN);
        assert_eq!(trial.board.phase(), Phase::Over(Outcome::Abandoned));
        assert_eq!(trial.told.last(), Some(&Event::Abandoned));
    }

    #[test]
    fn the_table_goes_on_without_who_is_away_for_long_and_has_no_clock() {
        for (options, gone, goes_on) in [
            ("", None, Err(Code::IllegalMove)),
            ("", Some(ANN), Err(Code::IllegalMove)),
            ("", Some(BEN), Ok(())),
            (r#"{"clock":30}"#, Some(BEN), Err(Code::IllegalMove)),
        ] {
            let mut trial = trial(options);
            // It is Ben's turn.
            mark(&mut trial, &[4]);
            trial.long_gone = gone;
            assert_eq!(trial.again(), goes_on, "{options} {gone:?}");
            let abandoned = trial.told.contains(&Event::Abandoned);
            assert_eq!(
                (abandoned, trial.board.round()),
                (goes_on.is_ok(), 1 + u32::from(goes_on.is_ok()))
            );
        }
    }

    #[test]
    fn a_round_waits_for_two_also_the_next_one() {
        let mut trial = Trial::of(opened(r#"{"clock":30}"#).unwrap(), &[Some(ANN), None]);
        assert_eq!(trial.play(0, r#"{"cell":4}"#), Err(Code::NotYourTurn));
        assert_eq!((trial.board.phase(), trial.board.due_ms()), (Phase::Waiting, None));
        assert!(!trial.board.worth_keeping());
        trial.seat(&[Some(ANN), Some(BEN)]);
        mark(&mut trial, &[4, 0]);
        assert!(trial.board.worth_keeping());
        trial.seat(&[Some(ANN), None]);
        assert_eq!(trial.again(), Ok(()));
        assert_eq!((trial.board.phase(), trial.board.due_ms()), (Phase::Waiting, None));
        trial.seat(&[Some(ANN), Some(CAT)]);
        assert_eq!((trial.board.phase(), trial.board.turn()), (Phase::Playing, Some(Seat(1))));
    }

    /// Each kind of giving up gives the other the round, from the first moment to the last, and
    /// nothing can be given up that is over or has not begun.
    #[test]
    fn who_gives_up_has_lost_and_two_may_agree_upon_a_draw() {
        let [ann, ben] =
            [(0, ANN), (1, BEN)].map(|(seat, player)| Who { seat: Seat(seat), player });
        let ways = [
            (Conceded::Resigned, How::Resigned, "resigned"),
            (Conceded::Clock, How::Clock, "clock"),
            (Conceded::Left, How::Left, "left"),
            (Conceded::Claimed, How::Claimed, "claimed"),
        ];
        for (how, won, ending) in ways {
            for (cells, who, by) in [(&[][..], ann, ben), (&[4], ann, ben), (&[4, 0], ben, ann)] {
                let mut trial = trial("");
                mark(&mut trial, cells);
                assert_eq!((trial.board.decided(), trial.board.ending()), (None, None));
                assert_eq!(trial.concede(who, how), Ok(WIN));
                assert_eq!(trial.board.stage, Stage::Won { by, over: who, how: won });
                assert_eq!(trial.board.decided(), Some(Decided::Won(by.seat)));
                assert_eq!(trial.board.ending(), Some(ending));
                assert!(trial.view().contains(&format!(r#""how":"{ending}""#)), "{}", trial.view());
                assert_eq!(trial.concede(by, how), Err(Code::GameOver));
                assert_eq!(trial.agree_draw(), Err(Code::GameOver));
            }
        }
        let mut trial = trial("");
        mark(&mut trial, &[4]);
        assert_eq!(trial.agree_draw(), Ok(2 * DRAW));
        assert_eq!(
            (trial.board.decided(), trial.board.ending()),
            (Some(Decided::Drawn), Some("agreed"))
        );
        assert_eq!(trial.concede(ann, Conceded::Clock), Err(Code::GameOver));
        let mut alone = Trial::of(opened("").unwrap(), &[Some(ANN), None]);
        assert_eq!(alone.concede(ann, Conceded::Resigned), Err(Code::NotYourTurn));
        assert_eq!(alone.agree_draw(), Err(Code::NotYourTurn));
    }

    #[test]
    fn every_end_says_what_it_has_decided_and_how() {
        let mut line = trial("");
        mark(&mut line, &[0, 3, 1, 4, 2]);
        assert_eq!(
            (line.board.decided(), line.board.ending()),
            (Some(Decided::Won(Seat(0))), Some("line"))
        );
        let mut full = trial("");
        mark(&mut full, &[0, 4, 8, 1, 7, 6, 2, 5, 3]);
        assert_eq!(
            (full.board.decided(), full.board.ending()),
            (Some(Decided::Drawn), Some("full"))
        );
        let mut left = trial("");
        left.seat(&[Some(ANN), None]);
        assert_eq!(
            (left.board.decided(), left.board.ending()),
            (Some(Decided::Void), Some("abandoned"))
        );
    }

    #[test]
    fn the_table_waits_for_whoever_is_to_move() {
        let mut trial = trial("");
        let awaited =
            |trial: &Trial<TicTacToe>| [0, 1, 2].map(|seat| trial.board.awaits(Seat(seat)));
        assert_eq!(awaited(&trial), [true, false, false]);
        mark(&mut trial, &[4]);
        assert_eq!(awaited(&trial), [false, true, false]);
        assert_eq!(trial.concede(Who { seat: Seat(1), player: BEN }, Conceded::Clock), Ok(WIN));
        assert_eq!(awaited(&trial), [false, false, false]);
    }

    #[test]
    fn a_match_has_no_clock_among_its_options() {
        let of_match = |json| {
            let options = TicTacToe::match_options(parse_options::<TicTacToe>(json)?)?;
            Ok::<_, Rejection>(serde_json::to_string(&options).expect("options have a JSON form"))
        };
        for (options, agreed) in [
            ("", Ok("{}")),
            ("{}", Ok("{}")),
            (r#" {"clock":null}"#, Ok("{}")),
            (r#"{"clock":30}"#, Err(Code::BadRequest)),
            (r#"{"clock":31}"#, Err(Code::BadRequest)),
            (r#"{"seats":2}"#, Err(Code::BadRequest)),
        ] {
            let found = of_match(options);
            assert_eq!(found.as_deref().map_err(Rejection::code), agreed, "{options}");
            assert!(found.is_err() || opened(&found.unwrap()).is_ok());
        }
    }

    /// A move is judged by what it was worth before it was made.
    #[test]
    fn a_move_is_good_if_it_keeps_what_perfect_play_would_get() {
        let mut trial = trial("");
        mark(&mut trial, &[0, 1, 4, 8, 3, 5]);
        let judged = |seat, good| Judged { seat: Seat(seat), good, luck_permille: 0 };
        // Ben does not take the middle; Ann keeps her win, and Ben has nothing to lose.
        let good = [true, false, true, true, true, true];
        let moves = good.into_iter().zip([0, 1].into_iter().cycle());
        let expected: Vec<Judged> = moves.map(|(good, seat)| judged(seat, good)).collect();
        assert_eq!(trial.judged, expected);
    }
}
