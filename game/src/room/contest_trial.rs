//! Matches on trial: rooms of two with their clocks, draws, claims and bots, without a lobby.

use super::Room;
use super::seats::Sitting;
use crate::answer::{Code, Rejection};
use crate::bots;
use crate::chance::Chance;
use crate::clock::Now;
use crate::command::{Command, Edition};
use crate::contest::{By, CLAIM_MS, Contest, Ended, RatingChange};
use crate::event::events_json;
use crate::notices::{Notice, Rating, Score};
use crate::rooms::{Activity, Change, Looked, Rooms};
use crate::rules::{Board, Strength};
use hangraft_ids::{PlayerId, RoomId, Seat};

pub(super) const ANN: PlayerId = PlayerId(1);
pub(super) const BEN: PlayerId = PlayerId(2);
const CAT: PlayerId = PlayerId(3);
pub(super) const ID: RoomId = RoomId(7);

/// When the match begins. Not 0, so that nothing depends on starting there.
const BEGUN_MS: u64 = 5_000;

/// A match, and what came of it so far.
#[derive(Default)]
pub(super) struct Trial {
    pub(super) rooms: Rooms,
    pub(super) now_ms: u64,
    seed: u64,
    /// What was heard of the room, as JSON.
    pub(super) heard: Vec<String>,
    pub(super) ended: Vec<Ended>,
    pub(super) notices: Vec<(PlayerId, Notice)>,
    pub(super) moved: u32,
}

impl Trial {
    /// A match of Ann, who sits first and is here, and another one.
    pub(super) fn of(game: &str, clock_s: u8, other: PlayerId, here: bool) -> Trial {
        let mut trial = Trial { now_ms: BEGUN_MS, ..Trial::default() };
        trial.open(game, clock_s, other, here);
        trial
    }

    pub(super) fn open(&mut self, game: &str, clock_s: u8, other: PlayerId, here: bool) {
        let options = Board::match_options(game, "").expect("a match is played");
        let board = Board::open(game, &options, &mut Chance::of(1, 0)).expect("its own options");
        let rating = Some(Rating { points: 1_500, provisional: true });
        let players = [(ANN, rating), (other, rating)];
        let contest = Contest::new(By::Seek, true, clock_s, players, self.now_ms);
        let sitting = |player, name, here| Sitting { player, name, likeness: name, here };
        let sittings = [sitting(ANN, "Ann", true), sitting(other, "Ben", here)];
        let (now, mut chance) = (self.now(), Chance::of(self.seed, 0));
        let opened = self.rooms.open_contest(ID, board, contest, sittings, now, &mut chance);
        self.note(Some(opened));
    }

    /// A tic-tac-toe of Ann with X, and Ben, who are both here.
    fn cells(clock_s: u8) -> Trial {
        Trial::of("tic-tac-toe", clock_s, BEN, true)
    }

    fn now(&self) -> Now {
        Now { ms: self.now_ms, edition: Edition::Third }
    }

    pub(super) fn room(&self) -> &Room {
        self.rooms.get(ID).expect("it has not left")
    }

    fn contest(&self) -> &Contest {
        self.room().contest().expect("it is that of a match")
    }

    /// Keeps what came of a change, and checks that nothing was forgotten.
    fn note(&mut self, change: Option<Change>) {
        self.heard.extend(change.map(|change| events_json(&change.events)));
        let outbox = self.rooms.take_outbox();
        self.ended.extend(outbox.ended);
        self.notices.extend(outbox.notices);
        self.moved += outbox.moved;
        assert_eq!(self.rooms.digest(), self.rooms.recompute_digest());
        if let Some(room) = self.rooms.get(ID) {
            assert!(room.due_ms() <= room.look_ms(), "nobody would look in time");
        }
    }

    /// Lets somebody do something.
    pub(super) fn act(&mut self, player: PlayerId, asked: &Command) -> Result<(), Code> {
        self.seed += 1;
        let (now, mut chance) = (self.now(), Chance::of(self.seed, 0));
        let changed = match asked {
            Command::Stand { .. } => {
                self.rooms.stand(ID, player, now, &mut chance).map(|changed| changed.change)
            }
            Command::Join { name, .. } => {
                let sitting = Sitting { player, name, likeness: name, here: true };
                self.rooms.sit(ID, sitting, now, &mut chance).map(|changed| changed.change)
            }
            Command::Remove { player: whom, .. } => {
                self.rooms.remove(ID, player, *whom, now, &mut chance).map(|changed| changed.change)
            }
            asked => self
                .rooms
                .change(ID, now, &mut chance, Activity::Yes, |room, step| {
                    room.take(player, asked, step)
                })
                .map(|changed| changed.change),
        };
        let done = changed.as_ref().map(|_| ()).map_err(Rejection::code);
        self.note(changed.ok().flatten());
        done
    }

    pub(super) fn play(&mut self, player: PlayerId, mv: &str) -> Result<(), Code> {
        self.act(player, &Command::Play { room: ID, mv: mv.to_owned() })
    }

    fn mark(&mut self, player: PlayerId, cell: u8) -> Result<(), Code> {
        self.play(player, &format!(r#"{{"cell":{cell}}}"#))
    }

    fn resign(&mut self, player: PlayerId) -> Result<(), Code> {
        self.act(player, &Command::Resign { room: ID })
    }

    fn draw(&mut self, player: PlayerId, agreed: bool) -> Result<(), Code> {
        self.act(player, &Command::Draw { room: ID, agreed })
    }

    fn claim(&mut self, player: PlayerId, win: bool) -> Result<(), Code> {
        self.act(player, &Command::Claim { room: ID, win })
    }

    fn again(&mut self, player: PlayerId) -> Result<(), Code> {
        self.act(player, &Command::Again { room: ID })
    }

    /// Frontends tell that somebody is here, or has gone.
    pub(super) fn show(&mut self, player: PlayerId, here: bool) {
        let (now, mut chance) = (self.now(), Chance::of_room(self.seed, ID));
        let show = |room: &mut Room, step: &mut super::Step<'_>| {
            room.set_online(player, here, step);
            Ok(())
        };
        let changed = self.rooms.change(ID, now, &mut chance, Activity::No, show);
        self.note(changed.expect("it is there").change);
    }

    /// Time passes, with a look at the room whenever it asks for one.
    pub(super) fn pass(&mut self, ms: u64) {
        let end_ms = self.now_ms + ms;
        while let Some(due_ms) = self.rooms.due_ms().filter(|due_ms| *due_ms <= end_ms) {
            self.now_ms = self.now_ms.max(due_ms);
            self.look();
        }
        self.now_ms = end_ms;
    }

    /// Looks at the room now.
    pub(super) fn look(&mut self) {
        self.seed += 1;
        match self.rooms.look(ID, self.now(), self.seed) {
            Some(Looked::Changed(change)) => self.note(Some(change)),
            Some(Looked::Left(_)) | None => self.note(None),
        }
    }

    /// What everybody sees of the match.
    fn view(&self) -> serde_json::Value {
        let view: serde_json::Value = serde_json::from_str(&self.room().view(None)).expect("JSON");
        view["match"].clone()
    }

    /// How the only round so far has ended: in a word, and for Ann.
    fn end(&self) -> (&'static str, Score) {
        let [ended] = &self.ended[..] else { panic!("{} rounds were decided", self.ended.len()) };
        (ended.how, ended.sides[0].score)
    }
}

/// A flag falls at the very millisecond, not before, and nothing is played behind it.
#[test]
fn a_flag_falls_exactly_at_the_deadline() {
    let mut trial = Trial::cells(30);
    trial.pass(20_000);
    assert_eq!(trial.mark(ANN, 4), Ok(()));
    trial.pass(29_999);
    assert_eq!((trial.ended.len(), trial.rooms.due_ms()), (0, Some(BEGUN_MS + 50_000)));
    assert_eq!(trial.view()["clock"]["left_ms"], 30_000, "from the version on");
    trial.now_ms += 1;
    assert_eq!(trial.mark(BEN, 0), Err(Code::IllegalMove), "nobody has looked yet");
    assert_eq!(trial.resign(BEN), Err(Code::IllegalMove));
    trial.look();
    assert_eq!(trial.end(), ("clock", Score::Won));
    let ended = &trial.ended[0];
    assert_eq!((ended.moves, ended.ms, ended.rated), (1, 50_000, true));
    assert_eq!(trial.mark(BEN, 0), Err(Code::GameOver));
    let clock = r#"{"seconds":30}"#;
    assert_eq!(trial.view()["clock"].to_string(), clock, "nobody's runs");
}

/// The clock of hangman's guesser begins anew with every guess; the setter has one too.
#[test]
fn every_move_has_its_own_time() {
    let mut trial = Trial::of("hangman", 10, BEN, true);
    trial.pass(9_999);
    assert_eq!(trial.play(ANN, r#"{"secret":"owl"}"#), Ok(()));
    for letter in ["a", "b", "c"] {
        trial.pass(9_000);
        assert_eq!(trial.play(BEN, &format!(r#"{{"letter":"{letter}"}}"#)), Ok(()));
    }
    let tally = trial.contest().contestant(Seat(1)).tally;
    assert_eq!((tally.moves, tally.ms, tally.slowest_ms), (3, 27_000, 9_000));
    trial.pass(10_000);
    assert_eq!(trial.end(), ("clock", Score::Won));
    assert_eq!([0, 1].map(|seat| trial.ended[0].sides[seat].side), ["setter", "guesser"]);
    assert_eq!((trial.ended[0].moves, trial.moved), (4, 4));
}

/// While nobody lets time pass, as without a leader, nobody's time runs out: what counts is
/// the lobby's time alone.
#[test]
fn nobody_is_out_of_time_while_time_stands_still() {
    let mut trial = Trial::cells(10);
    trial.pass(9_999);
    (0..100).for_each(|_| trial.look());
    assert_eq!(trial.ended, []);
    assert_eq!(trial.mark(ANN, 4), Ok(()));
    assert_eq!(trial.contest().contestant(Seat(0)).tally.ms, 9_999);
}

/// One gives up, whoever's turn it is, and both see what it was worth.
#[test]
fn one_of_the_two_gives_up() {
    let mut trial = Trial::cells(0);
    assert_eq!(trial.resign(CAT), Err(Code::NotSeated));
    trial.pass(1_234);
    assert_eq!(trial.resign(BEN), Ok(()));
    assert_eq!(trial.end(), ("resigned", Score::Won));
    assert_eq!(trial.resign(ANN), Err(Code::GameOver));
    let change = |before, after| RatingChange { before, after, provisional: true };
    let before = (trial.room().version(), trial.rooms.digest());
    let changes = [change(1_500, 1_520), change(1_500, 1_480)];
    trial.rooms.amend(ID, |room| room.show_ratings(changes)).expect("it is there");
    assert_eq!(trial.room().version(), before.0, "the same version");
    assert_ne!(trial.rooms.digest(), before.1);
    assert_eq!(trial.rooms.digest(), trial.rooms.recompute_digest());
    let view = trial.view();
    assert_eq!(view["ratings"][1]["rating"], 1_480);
    let result = r#"{"changes":[{"after":1520,"before":1500,"seat":0},{"after":1480,"before":1500,"seat":1}],"how":"resigned","ms":1234,"statistics":[{"good":0,"luck":0,"moves":0,"ms":0,"seat":0,"slowest_ms":0},{"good":0,"luck":0,"moves":0,"ms":0,"seat":1,"slowest_ms":0}],"winner":0}"#;
    assert_eq!(view["result"].to_string(), result);
}

/// An offer of a draw stands until the asked one answers or moves; and comes again only
/// after a move of who made it.
#[test]
fn a_draw_is_offered_declined_and_agreed_upon() {
    let mut trial = Trial::cells(30);
    assert_eq!(trial.draw(ANN, false), Err(Code::IllegalMove), "nobody has offered");
    assert_eq!(trial.draw(BEN, true), Ok(()));
    assert_eq!(trial.draw(BEN, true), Err(Code::IllegalMove), "it stands");
    assert_eq!(trial.draw(BEN, false), Err(Code::IllegalMove), "it is his own");
    assert_eq!(trial.view()["draw_offered"], 1);
    assert_eq!(trial.mark(ANN, 4), Ok(()), "no answer is one");
    assert!(trial.view()["draw_offered"].is_null());
    assert_eq!(trial.draw(BEN, true), Err(Code::IllegalMove), "he has not moved");
    assert_eq!(trial.draw(ANN, true), Ok(()));
    assert_eq!(trial.draw(BEN, false), Ok(()));
    assert_eq!(trial.draw(ANN, true), Err(Code::IllegalMove), "she has not moved");
    assert_eq!(trial.mark(BEN, 0), Ok(()));
    assert_eq!(trial.draw(BEN, true), Ok(()));
    let clock = trial.contest().awaited();
    assert_eq!(trial.draw(ANN, true), Ok(()));
    assert_eq!(clock.map(|awaited| awaited.seat), Some(Seat(0)), "it ran all the time");
    assert_eq!(trial.end(), ("agreed", Score::Drawn));
    assert_eq!(trial.draw(ANN, true), Err(Code::GameOver));
    let told = [r#"[{"kind":"draw_offered","seat":1}]"#, r#"[{"kind":"draw_declined","seat":1}]"#];
    assert!(told.iter().all(|told| trial.heard.iter().any(|heard| heard == told)));
}

/// Who has gone may be claimed against after 45 s, and not when they are back in time.
#[test]
fn who_has_gone_is_claimed_against() {
    let mut trial = Trial::cells(0);
    trial.pass(3_000);
    trial.show(BEN, false);
    assert_eq!(trial.view()["gone"].to_string(), r#"{"claim_in_ms":45000,"seat":1}"#);
    trial.pass(CLAIM_MS - 1);
    assert_eq!(trial.claim(ANN, true), Err(Code::IllegalMove));
    trial.show(BEN, true);
    trial.pass(1);
    assert_eq!(trial.claim(ANN, true), Err(Code::IllegalMove));
    assert!(trial.view()["gone"].is_null());
    trial.show(BEN, false);
    trial.pass(CLAIM_MS);
    assert_eq!(trial.claim(CAT, true), Err(Code::NotSeated));
    assert_eq!(trial.claim(BEN, true), Err(Code::IllegalMove), "Ann is here");
    assert_eq!(trial.claim(ANN, true), Ok(()));
    assert_eq!(trial.end(), ("claimed", Score::Won));
    let over = |score| matches!(score, (BEN, Notice::Over { score: Score::Lost, .. }));
    assert!(matches!(&trial.notices[..], [told] if over(told.clone())), "{:?}", trial.notices);
}

/// Who never came counts as gone since the match was made; a draw can be claimed as well.
#[test]
fn who_never_came_is_gone_from_the_start() {
    let mut trial = Trial::of("tic-tac-toe", 0, BEN, false);
    trial.pass(9_999);
    assert!(trial.view()["gone"].is_null(), "expected");
    trial.pass(1);
    assert_eq!(trial.view()["gone"]["claim_in_ms"], CLAIM_MS - 10_000);
    trial.pass(CLAIM_MS - 10_001);
    assert_eq!(trial.claim(ANN, false), Err(Code::IllegalMove));
    trial.pass(1);
    assert_eq!(trial.claim(ANN, false), Ok(()));
    assert_eq!(trial.end(), ("claimed", Score::Drawn));
    assert_eq!(trial.view()["result"]["how"], "claimed");
    trial.pass(60_000);
    assert!(!trial.heard.concat().contains("seat_free"), "nobody else sits down");
}

/// Who stands up in a round has lost it; nobody takes the seat, and nobody hosts.
#[test]
fn who_leaves_has_lost_and_nobody_else_sits_down() {
    let mut trial = Trial::cells(30);
    let join = Command::Join { room: ID, name: "Cat".into(), likeness: "cat".into() };
    assert_eq!(trial.act(CAT, &join), Err(Code::Unauthorized));
    for player in [ANN, PlayerId(0)] {
        for asked in [
            Command::Lock { room: ID, locked: false },
            Command::Publish { room: ID, public: true },
            Command::Remove { room: ID, player: BEN },
        ] {
            assert_eq!(trial.act(player, &asked), Err(Code::Unauthorized));
        }
    }
    let say = Command::Say { room: ID, name: "Cat".into(), text: "hm".into() };
    assert_eq!(trial.act(CAT, &say), Ok(()), "but others watch, and talk");
    assert_eq!(trial.act(BEN, &Command::Stand { room: ID }), Ok(()));
    assert_eq!(trial.end(), ("left", Score::Won));
    assert_eq!(trial.ended[0].sides[1].side, "o");
    assert_eq!(trial.again(ANN), Err(Code::IllegalMove), "there is nobody to play");
    for player in [BEN, CAT] {
        assert_eq!(trial.act(player, &join), Err(Code::Unauthorized));
    }
    trial.pass(60_000);
    assert_eq!(trial.rooms.finished_contests_of(ANN), [ID]);
    assert_eq!(trial.rooms.finished_contests_of(BEN), []);
    assert_eq!(trial.ended.len(), 1);
}

/// Another round begins when both want it, and the other has X; who goes away wants none.
#[test]
fn another_round_needs_both_and_swaps_the_sides() {
    let mut trial = Trial::cells(10);
    assert_eq!(trial.again(ANN), Err(Code::IllegalMove));
    trial.resign(ANN).expect("the round goes on");
    trial.show(BEN, false);
    assert_eq!(trial.again(ANN), Ok(()));
    assert!(matches!(&trial.notices[..], [(BEN, Notice::Rematch { .. })]));
    trial.pass(60_000);
    assert_eq!(trial.view()["result"]["winner"], 1, "it waits for both");
    trial.show(BEN, true);
    trial.show(ANN, false);
    assert_eq!(trial.again(BEN), Ok(()), "but now Ann has gone");
    trial.show(ANN, true);
    assert!(trial.room().phase().is_over());
    assert_eq!(trial.again(ANN), Ok(()));
    assert!(trial.view()["result"].is_null());
    assert_eq!(trial.view()["clock"]["seat"], 1, "Ben has X now");
    assert_eq!(trial.mark(ANN, 0), Err(Code::NotYourTurn));
    trial.pass(10_000);
    assert_eq!((trial.ended.len(), trial.ended[1].sides[0].score), (2, Score::Won));
    assert_eq!(trial.ended[1].sides[1].side, "x");
}

/// Only who is not here is told of a turn or an end.
#[test]
fn who_is_not_here_is_told() {
    let mut trial = Trial::cells(0);
    trial.mark(ANN, 0).expect("X begins");
    trial.show(ANN, false);
    trial.mark(BEN, 1).expect("then O");
    trial.mark(ANN, 3).expect("from wherever she is");
    trial.mark(BEN, 2).expect("then O");
    trial.mark(ANN, 6).expect("and wins");
    let turn = |(player, notice): &(PlayerId, Notice)| {
        *player == ANN && matches!(notice, Notice::Turn { other, .. } if other.player == BEN)
    };
    assert_eq!(trial.notices.iter().filter(|told| turn(told)).count(), 2);
    assert!(matches!(&trial.notices[2..], [(ANN, Notice::Over { score: Score::Won, .. })]));
    assert_eq!(trial.end(), ("line", Score::Won));
    assert_eq!(trial.view()["result"]["statistics"][0]["moves"], 3);
}

/// A bot thinks a while, plays to the end, declines a draw, and is ready for more.
#[test]
fn a_bot_plays_when_its_time_has_come() {
    for strength in Strength::ALL {
        let bot = bots::of("tic-tac-toe", strength).expect("there is one");
        let mut trial = Trial::of("tic-tac-toe", 30, bot, true);
        assert_eq!(trial.draw(ANN, true), Ok(()));
        assert!(trial.heard.concat().contains("draw_declined"));
        for round in 1..=4 {
            while trial.ended.len() < round {
                let free = (0..9).find(|cell| trial.mark(ANN, *cell).is_ok());
                assert!(free.is_some() || round % 2 == 0, "it was Ann's turn");
                let before = (trial.moved, trial.ended.len());
                trial.pass(599);
                assert_eq!((trial.moved, trial.ended.len()), before, "it thinks");
                trial.pass(1_201);
                assert!(trial.moved > before.0 || before.1 == round, "it has moved");
            }
            assert!(!trial.ended[round - 1].rated && trial.ended[round - 1].sides[1].bot);
            assert_eq!(trial.again(ANN), Ok(()));
            assert!(trial.view()["result"].is_null(), "it begins at once");
        }
        let view = trial.room().view(None);
        assert!(view.contains(&format!(r#""bot":"{}""#, strength.as_str())), "{view}");
        assert_eq!(trial.notices, []);
    }
}

/// In hangman a bot sets words and guesses at them; a short clock does not beat it.
#[test]
fn a_bot_sets_words_and_guesses() {
    for strength in Strength::ALL {
        let bot = bots::of("hangman", strength).expect("there is one");
        let mut trial = Trial::of("hangman", 1, bot, true);
        trial.play(ANN, r#"{"secret":"owl"}"#).expect("Ann sets first");
        trial.pass(60_000);
        let how = trial.end().0;
        assert!(["found", "unfound"].contains(&how), "{how}");
        assert!(trial.ended[0].moves > 1);
        trial.again(ANN).expect("it is over");
        trial.pass(999);
        assert_eq!(trial.contest().contestant(Seat(1)).tally.moves, 1, "the bot has set a word");
        assert!(!trial.room().view(Some(ANN)).contains("answer"));
        trial.pass(1_000);
        assert_eq!((trial.ended[1].how, trial.ended[1].sides[1].score), ("clock", Score::Won));
    }
}

/// Where only a bot is left, nobody is: the room leaves as any that was deserted.
#[test]
fn a_room_in_which_only_a_bot_is_leaves() {
    let bot = bots::of("tic-tac-toe", Strength::Easy).expect("there is one");
    let mut trial = Trial::of("tic-tac-toe", 0, bot, true);
    assert!(!trial.rooms.has_deserted());
    assert_eq!(trial.rooms.tables_of(bot), 0, "it sits everywhere");
    trial.pass(2_000);
    trial.show(ANN, false);
    assert!(trial.rooms.has_deserted());
    trial.pass(5 * 60_000 + 1);
    assert!(trial.rooms.get(ID).is_none());
    assert_eq!(trial.ended, [], "it was never decided");
}

/// What is said of moves is counted for who made them. Ben's first mark throws the game away;
/// behind it none of his is worse than another.
#[test]
fn good_moves_are_counted() {
    let mut trial = Trial::cells(0);
    for (player, cell) in [(ANN, 4), (BEN, 1), (ANN, 0), (BEN, 5), (ANN, 8)] {
        trial.pass(1_000);
        trial.mark(player, cell).expect("a free cell");
    }
    let tallies = [0, 1].map(|seat| trial.contest().contestant(Seat(seat)).tally);
    let counted = tallies.map(|tally| (tally.moves, tally.good, tally.ms, tally.slowest_ms));
    assert_eq!(counted, [(3, 3, 3_000, 1_000), (2, 1, 2_000, 1_000)]);
}

/// A snapshot says nothing of a match that cannot be.
#[test]
fn what_cannot_be_is_not_restored() {
    let trial = Trial::cells(10);
    let (contest, rating) = (trial.contest().clone(), None);
    let refused = |contest: Contest| {
        let mut room = trial.room().clone();
        room.contest = None;
        room.restore_contest(contest).is_err()
    };
    assert!(!refused(contest.clone()));
    assert!(trial.room().clone().restore_contest(contest.clone()).is_err(), "twice");
    let between = |players: [PlayerId; 2]| {
        Contest::new(By::Seek, true, 10, players.map(|player| (player, rating)), 0)
    };
    for players in [[BEN, ANN], [ANN, CAT], [ANN, ANN], [ANN, PlayerId(0)]] {
        assert!(refused(between(players)), "{players:?}");
    }
    let mut wrong = between([ANN, BEN]);
    wrong.want_again(Seat(0));
    assert!(refused(wrong), "another round, while one goes on");
    let mut wrong = Contest::new(By::Seek, true, 0, [(ANN, rating), (BEN, rating)], 0);
    wrong.wait_for(Seat(2), 0, &mut Chance::of(1, 0));
    assert!(refused(wrong), "nobody sits there");
    let mut left = trial.room().clone();
    left.contest = None;
    left.seats[1] = None;
    assert!(left.restore_contest(contest).is_err(), "nobody is there to play with");
}

/// Whoever is looked at for another reason a moment before has that moment left.
#[test]
fn a_look_for_another_reason_lets_no_flag_fall() {
    let mut trial = Trial::cells(60);
    trial.pass(4_999);
    trial.show(ANN, false);
    trial.pass(1);
    trial.mark(ANN, 4).expect("from wherever she is");
    trial.pass(59_998);
    assert_eq!(trial.rooms.due_ms(), Some(BEGUN_MS + 64_999), "she has been away for long");
    trial.pass(1);
    assert_eq!((trial.ended.len(), trial.rooms.due_ms()), (0, Some(BEGUN_MS + 65_000)));
    trial.pass(1);
    assert_eq!(trial.end(), ("clock", Score::Won));
}

/// The setter's role moves on with every round, whoever is here.
#[test]
fn sides_swap_also_with_somebody_who_is_elsewhere() {
    let mut trial = Trial::of("hangman", 0, BEN, true);
    trial.show(ANN, false);
    for round in 0..4_u8 {
        let setter = trial.contest().awaited().map(|awaited| awaited.seat);
        assert_eq!(setter, Some(Seat(round % 2)));
        trial.resign(BEN).expect("the round goes on");
        trial.again(ANN).expect("from wherever she is");
        trial.again(BEN).expect("and he is here");
    }
}
