//! What a game is to the room that holds it.
//!
//! Rules know seats, moves, lobby time and chance, and nothing else in the world. The room
//! gives them the [`Table`] as it stands, checks that whoever plays has a seat, keeps
//! points and names, counts who wants another round, and says who may look.
//!
//! ```text
//! open --> Waiting --(enough have sat down, something was set ...)--> Playing
//!          Playing --(a move, due, a seat that was left)--> Over(Outcome)
//!          Over --(again)--> Waiting or Playing, the next round
//! ```

use std::fmt;
use std::ops::RangeInclusive;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::duel::{Conceded, Decided, Judged, Strength};
use super::phase::{Outcome, Phase};
use crate::answer::Rejection;
use crate::chance::Chance;
use crate::clock::Now;
use crate::step::Fields;
use crate::table::{Table, Who};
use hangraft_ids::{PlayerId, Seat};

/// Bytes of JSON in options. More is refused before it is read.
const OPTIONS_BYTES_MAX: usize = 1024;

/// Seats at any table.
pub(crate) const SEATS_MAX: u8 = 8;

/// The rules of one game, and one board of it.
///
/// Nothing here may fail but with a [`Rejection`], and what is rejected
/// changes nothing. Fields are only added at the end: snapshots hold boards.
pub(crate) trait Rules:
    Clone + fmt::Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The name the log, the wire and the browser know this game by.
    const NAME: &'static str;
    /// How many seats a table may have.
    const SEATS: RangeInclusive<u8>;
    /// Bytes of JSON in a move. More is refused before it is read.
    const MOVE_BYTES_MAX: usize = 1024;
    /// What can be chosen when a room is opened.
    type Options: Serialize + DeserializeOwned + Default;
    /// What a player may do.
    type Move: Serialize + DeserializeOwned;
    /// What can happen on the board, for those who watch. An object with its `kind`, as
    /// JSON. It goes to everybody, so it holds nothing that is hidden. Never stored.
    type Event: Clone + fmt::Debug + PartialEq + Eq + Serialize + Send + Sync + 'static;
    /// What a player may see; joins the room's own fields in one JSON object.
    type View<'a>: Serialize + Fields;
    /// What to say of a room in a list.
    type About<'a>: Serialize;

    /// What options there are, in words for someone who got them wrong.
    fn options_help() -> String;
    /// What moves there are, in words for someone who got them wrong.
    fn move_help() -> &'static str;

    /// Sets up a new board.
    fn open(options: Self::Options, chance: &mut Chance) -> Result<Self, Rejection>;
    /// The options of a match of two, complete: equal for whoever wants the same game. Or why
    /// no match is played so. [`Rules::open`] takes what comes out.
    fn match_options(_options: Self::Options) -> Result<Self::Options, Rejection> {
        Err(Rejection::bad_request(format!("{} is not played as a match of two", Self::NAME)))
    }
    /// How many seats the table has.
    fn seats(&self) -> u8;
    /// Someone sat down or stood up.
    fn table_changed(&mut self, turn: &mut Turn<'_, Self::Event>);
    /// The host has taken someone from the table, who did not leave by themselves.
    fn removed(&mut self, _player: PlayerId, turn: &mut Turn<'_, Self::Event>) {
        self.table_changed(turn);
    }

    /// Plays a move, or refuses it and changes nothing.
    fn play(
        &mut self,
        who: Who,
        mv: Self::Move,
        turn: &mut Turn<'_, Self::Event>,
    ) -> Result<(), Rejection>;
    /// Whether a new round may begin: this one is over, or stuck for want of somebody
    /// who is not here.
    fn may_begin(&self, table: &Table<'_>) -> Result<(), Rejection>;
    /// Begins a new round, or refuses to and changes nothing.
    fn again(&mut self, turn: &mut Turn<'_, Self::Event>) -> Result<(), Rejection>;

    /// The lobby time at which the board wants to be called although nobody moved: a
    /// clock that runs out, a bot that moves. None while it waits for players only.
    fn due_ms(&self) -> Option<u64> {
        None
    }

    /// The time of [`Rules::due_ms`] has come. What it asked for is done by this, so it
    /// wants nothing at that time any more.
    fn due(&mut self, _turn: &mut Turn<'_, Self::Event>) {}

    /// Whether a move of whoever sits there is what the table waits for.
    fn awaits(&self, _seat: Seat) -> bool {
        false
    }

    /// Somebody of two has lost the round without being beaten, and the other has won it. Or
    /// says why there is nothing to lose, and changes nothing.
    fn concede(
        &mut self,
        _who: Who,
        _how: Conceded,
        _turn: &mut Turn<'_, Self::Event>,
    ) -> Result<(), Rejection> {
        Err(Rejection::illegal("nobody can give up in this game"))
    }

    /// Both of two want no winner: the round is over. Or says why it is not, and changes
    /// nothing.
    fn agree_draw(&mut self, _turn: &mut Turn<'_, Self::Event>) -> Result<(), Rejection> {
        Err(Rejection::illegal("there is no draw in this game"))
    }

    /// What the round has decided between two; none before it is over.
    fn decided(&self) -> Option<Decided> {
        match self.phase() {
            Phase::Waiting | Phase::Playing => None,
            Phase::Over(Outcome::Seats(seats)) => seats.iter().next().map(Decided::Won),
            Phase::Over(Outcome::Draw) => Some(Decided::Drawn),
            Phase::Over(Outcome::Together { .. } | Outcome::Abandoned) => Some(Decided::Void),
        }
    }

    /// How the round ended, in a word such as `line` or `resigned`; none before it is over.
    fn ending(&self) -> Option<&'static str>;

    /// A move that a bot of this strength would make as `who`; none if it is not theirs to
    /// move, or no bot plays this game. Depends on what their audience sees, and on chance.
    fn suggest(&self, _who: Who, _strength: Strength, _chance: &mut Chance) -> Option<Self::Move> {
        None
    }

    /// The side somebody plays on, for statistics.
    fn side(&self, player: PlayerId) -> &'static str {
        self.role(player)
    }

    /// How the round stands.
    fn phase(&self) -> Phase;
    /// Which round it is, from 1.
    fn round(&self) -> u32;
    /// Whether anything was played that people may want to look up later.
    fn worth_keeping(&self) -> bool;

    /// With whose eyes a player looks. Everybody of one audience sees the same.
    fn audience(&self, _viewer: PlayerId) -> Audience {
        Audience::GALLERY
    }

    /// All players who look with other eyes than the gallery's, whether or not they sit here.
    fn insiders(&self) -> Vec<PlayerId> {
        Vec::new()
    }

    /// The board as an audience sees it.
    fn view<'a>(&'a self, audience: Audience, table: &Table<'a>) -> Self::View<'a>;
    /// What a seated player is in this game, in a word.
    fn role(&self, player: PlayerId) -> &'static str;
    /// What to say of the room in a list.
    fn about(&self) -> Self::About<'_>;
}

/// What happens on a board at one moment, and where that goes.
pub(crate) struct Turn<'a, E> {
    pub(crate) table: Table<'a>,
    /// Lobby time stands still while the cluster has no leader, so nobody's clock runs out
    /// because machines failed.
    pub(crate) now: Now,
    pub(crate) chance: &'a mut Chance,
    events: &'a mut dyn FnMut(E),
    points: &'a mut Vec<Points>,
    /// None where nobody wants to know how good moves are.
    judged: Option<&'a mut Vec<Judged>>,
}

/// Points that a player has earned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Points {
    pub(crate) player: PlayerId,
    pub(crate) count: u32,
}

/// With whose eyes a room is seen. Equal audiences have identical views.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Audience(u8);

impl<'a, E> Turn<'a, E> {
    /// A turn at `now`; events, points and what is said of moves go to where they are
    /// collected. Nothing is judged where nobody collects it.
    pub(crate) fn new(
        table: Table<'a>,
        now: Now,
        chance: &'a mut Chance,
        events: &'a mut dyn FnMut(E),
        points: &'a mut Vec<Points>,
        judged: Option<&'a mut Vec<Judged>>,
    ) -> Turn<'a, E> {
        Turn { table, now, chance, events, points, judged }
    }

    /// Tells those who watch.
    pub(crate) fn tell(&mut self, event: E) {
        (self.events)(event);
    }

    /// Gives a player points.
    pub(crate) fn award(&mut self, player: PlayerId, count: u32) {
        self.points.push(Points { player, count });
    }

    /// Says how a move was, if anybody wants to know: only then it is found out.
    pub(crate) fn judge(&mut self, judge: impl FnOnce() -> Judged) {
        if let Some(judged) = &mut self.judged {
            judged.push(judge());
        }
    }

    /// The same turn for rules whose events are one kind of these.
    pub(crate) fn within<F, T>(
        &mut self,
        wrap: impl Fn(F) -> E,
        act: impl FnOnce(&mut Turn<'_, F>) -> T,
    ) -> T {
        let events = &mut *self.events;
        act(&mut Turn {
            table: self.table,
            now: self.now,
            chance: self.chance,
            events: &mut |event| events(wrap(event)),
            points: self.points,
            judged: self.judged.as_deref_mut(),
        })
    }
}

impl Audience {
    /// Everybody without special knowledge: watchers, and most players.
    pub const GALLERY: Audience = Audience(0);

    /// One of the rules' own audiences, who see something of their own.
    pub(crate) const fn insider(nth: u8) -> Audience {
        Audience(nth.saturating_add(1))
    }
}

/// The options in a JSON object; the usual ones if there is none.
pub(crate) fn parse_options<R: Rules>(json: &str) -> Result<R::Options, Rejection> {
    if json.len() > OPTIONS_BYTES_MAX {
        return Err(Rejection::too_large(format!(
            "options have at most {OPTIONS_BYTES_MAX} bytes"
        )));
    }
    if json.trim().is_empty() {
        return Ok(R::Options::default());
    }
    parse_object(json).ok_or_else(|| Rejection::bad_request(R::options_help()))
}

/// The move in a JSON object.
pub(crate) fn parse_move<R: Rules>(json: &str) -> Result<R::Move, Rejection> {
    let bytes_max = R::MOVE_BYTES_MAX;
    if json.len() > bytes_max {
        return Err(Rejection::too_large(format!("a move has at most {bytes_max} bytes")));
    }
    parse_object(json).ok_or_else(|| Rejection::bad_request(R::move_help()))
}

/// Reads a JSON object. We explain what is right rather than what is wrong:
/// the parser's own words may quote what it read, and that may be a secret.
fn parse_object<T: DeserializeOwned>(json: &str) -> Option<T> {
    // A struct could also be read from an array; only an object is a wish.
    json.trim_start().starts_with('{').then(|| serde_json::from_str(json).ok()).flatten()
}
