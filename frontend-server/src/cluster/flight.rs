//! Commands on their way: pure.
//!
//! A command is in flight from the moment a session hands it over until there is
//! an answer, or the player's patience is over. In between it may be sent many
//! times, to this node and that: the same (player, lane, serial) has one effect,
//! so sending again is safe, and is the only way to learn what became of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use hangraft_proto::socket::Code;

use super::route::Slot;
use crate::command::{Command, Outcome, Refusal};

/// Commands in flight at once. One more is refused with `busy`.
pub(crate) const FLIGHTS_MAX: usize = 65_536;
/// How long a player waits for an answer. After that they are told honestly
/// whether nothing was done or nothing is known.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Waits before a node that could not help is asked again, in milliseconds; the
/// last one repeats. A new leader ends the wait at once and begins the row anew:
/// it may need a moment to find out itself.
const RETRY_MS: [u64; 8] = [5, 5, 10, 10, 20, 20, 50, 100];
/// The longest wait a node may ask for with `busy`.
const BUSY_WAIT_MAX: Duration = Duration::from_secs(2);
/// Attempts are told apart by the low bits of the id on the wire, so that an id
/// never has two unanswered attempts on one stream.
const ATTEMPT_BITS: u32 = 12;

/// All commands in flight. `R` is where the answer goes.
#[derive(Debug)]
pub(crate) struct Flights<R> {
    /// By the order they came in, which is also the order patience ends in.
    flights: BTreeMap<u64, Flight<R>>,
    next: u64,
    /// Those to send as soon as there is somebody to send to.
    ready: BTreeSet<u64>,
    /// Those to send later.
    later: BTreeSet<(Instant, u64)>,
}

#[derive(Debug)]
struct Flight<R> {
    /// Boxed: it is moved more often than looked at, and is not small.
    command: Box<Command>,
    reply: R,
    began: Instant,
    attempt: u64,
    /// Refusals since there was last somebody new to ask.
    refusals: usize,
    place: Place,
    /// Some attempt may have got into a log without our hearing of it.
    maybe_taken: bool,
    /// The last reason why a node could not help.
    trouble: Option<Refusal>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Ready,
    Later(Instant),
    Sent { to: Slot, at: Instant },
}

/// What an answer from a node means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Landed<R> {
    /// It is the answer.
    Answer(R, Outcome),
    /// The node could not help; the command goes out again.
    Again,
    /// The command is answered already, or a newer attempt is under way.
    Old,
}

impl<R> Flights<R> {
    pub(crate) fn new() -> Self {
        let (flights, ready, later) = Default::default();
        Self { flights, next: 1, ready, later }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.flights.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.flights.len()
    }

    /// Takes a command on, to be sent next; gives the reply back when there are
    /// too many already.
    pub(crate) fn begin(&mut self, command: Box<Command>, reply: R, now: Instant) -> Result<(), R> {
        if self.flights.len() >= FLIGHTS_MAX {
            return Err(reply);
        }
        let key = self.next;
        self.next += 1;
        let flight = Flight {
            command,
            reply,
            began: now,
            attempt: 0,
            refusals: 0,
            place: Place::Ready,
            maybe_taken: false,
            trouble: None,
        };
        self.flights.insert(key, flight);
        self.ready.insert(key);
        Ok(())
    }

    /// The next command to send, with its id for the wire. It counts as sent.
    pub(crate) fn send_next(&mut self, to: Slot, now: Instant) -> Option<(u64, &Command)> {
        let key = self.ready.pop_first()?;
        let flight = self.flights.get_mut(&key).expect("what is ready is in flight");
        planted!(RetryNumberedAnew => flight.command.serial.0 += 1_000_000 * flight.attempt.min(1));
        flight.attempt += 1;
        flight.place = Place::Sent { to, at: now };
        Some((wire_id(key, flight.attempt), &flight.command))
    }

    /// A node answered.
    pub(crate) fn land(
        &mut self,
        wire_id: u64,
        outcome: Outcome,
        wait: u32,
        now: Instant,
    ) -> Landed<R> {
        let (key, attempt) = (wire_id >> ATTEMPT_BITS, wire_id & ((1 << ATTEMPT_BITS) - 1));
        let Some(flight) = self.flights.get_mut(&key) else { return Landed::Old };
        let trouble = match outcome {
            Err(refusal) if is_trouble(&refusal, wait) => refusal,
            // Final, whichever attempt it answers.
            outcome => {
                let flight = self.remove(key).expect("looked up just now");
                return Landed::Answer(flight.reply, outcome);
            }
        };
        flight.maybe_taken |= trouble.code == Code::UnknownOutcome;
        let current = matches!(flight.place, Place::Sent { .. })
            && flight.attempt & ((1 << ATTEMPT_BITS) - 1) == attempt;
        if !current {
            return Landed::Old;
        }
        let at = now + retry_wait(flight.refusals, wait);
        flight.refusals += 1;
        flight.trouble = Some(trouble);
        flight.place = Place::Later(at);
        self.later.insert((at, key));
        Landed::Again
    }

    /// The link to a node broke: what it was to answer goes out again.
    pub(crate) fn recall_from(&mut self, slot: Slot) -> usize {
        self.recall(|place| matches!(place, Place::Sent { to, .. } if to == slot))
    }

    /// There is somebody better to ask: everything that is not with them goes out again.
    pub(crate) fn recall_all_but(&mut self, slot: Slot) -> usize {
        self.recall(|place| !matches!(place, Place::Sent { to, .. } if to == slot))
    }

    /// Since when the node has owed us an answer, if it does.
    pub(crate) fn owes_since(&self, slot: Slot) -> Option<Instant> {
        self.flights.values().find_map(|flight| match flight.place {
            Place::Sent { to, at } if to == slot => Some(at),
            _ => None,
        })
    }

    /// Time has passed: makes ready what has waited long enough, and gives up
    /// what has waited too long.
    pub(crate) fn tick(&mut self, now: Instant) -> Vec<(R, Refusal)> {
        while let Some((at, key)) = self.later.first().copied().filter(|(at, _)| *at <= now) {
            self.later.remove(&(at, key));
            self.flights.get_mut(&key).expect("what waits is in flight").place = Place::Ready;
            self.ready.insert(key);
        }
        let mut given_up = Vec::new();
        while let Some((key, _)) =
            self.flights.first_key_value().filter(|(_, flight)| flight.began + PATIENCE <= now)
        {
            let flight = self.remove(*key).expect("looked up just now");
            given_up.push(flight.give_up());
        }
        given_up
    }

    fn recall(&mut self, which: impl Fn(Place) -> bool) -> usize {
        let mut recalled = 0;
        for (key, flight) in &mut self.flights {
            if flight.place == Place::Ready || !which(flight.place) {
                continue;
            }
            match flight.place {
                // What becomes of that attempt will never be known for sure.
                Place::Sent { .. } => flight.maybe_taken = true,
                Place::Later(at) => _ = self.later.remove(&(at, *key)),
                Place::Ready => {}
            }
            flight.place = Place::Ready;
            flight.refusals = 0;
            self.ready.insert(*key);
            recalled += 1;
        }
        recalled
    }

    fn remove(&mut self, key: u64) -> Option<Flight<R>> {
        let flight = self.flights.remove(&key)?;
        match flight.place {
            Place::Ready => _ = self.ready.remove(&key),
            Place::Later(at) => _ = self.later.remove(&(at, key)),
            Place::Sent { .. } => {}
        }
        Some(flight)
    }
}

impl<R> Flight<R> {
    fn give_up(self) -> (R, Refusal) {
        let unanswered = matches!(self.place, Place::Sent { .. });
        let refusal = if self.maybe_taken || unanswered {
            let message = "nobody could say in time whether this took effect; sending it again with the same serial settles it";
            Refusal::new(Code::UnknownOutcome, message)
        } else {
            self.trouble.unwrap_or_else(|| {
                Refusal::new(
                    Code::NoQuorum,
                    "no node of the cluster could be reached; nothing was done",
                )
            })
        };
        (self.reply, refusal)
    }
}

/// The node could not help, as opposed to: the answer is no. A `busy` without a
/// time to come back is the lobby's own answer, the same from every node, and so is
/// an outcome that it has forgotten.
fn is_trouble(refusal: &Refusal, wait: u32) -> bool {
    match refusal.code {
        Code::NoQuorum => true,
        Code::UnknownOutcome => !refusal.forgotten,
        Code::Busy => wait > 0,
        _ => false,
    }
}

fn retry_wait(refusals: usize, asked_ms: u32) -> Duration {
    let ours = Duration::from_millis(RETRY_MS[refusals.min(RETRY_MS.len() - 1)]);
    ours.max(Duration::from_millis(asked_ms.into())).min(BUSY_WAIT_MAX)
}

fn wire_id(key: u64, attempt: u64) -> u64 {
    key << ATTEMPT_BITS | attempt & ((1 << ATTEMPT_BITS) - 1)
}

#[cfg(test)]
mod tests {
    use hangraft_ids::{Lane, OfferId, PlayerId, RoomId, Serial, Version};
    use hangraft_proto::socket::Wish;

    use super::*;
    use crate::command::Accepted;

    fn command(serial: u64) -> Box<Command> {
        let (player, serial) = (PlayerId(1), Serial(serial));
        let wish = Wish::Sit { room: RoomId(1) };
        Box::new(Command { player, name: "Ann".into(), lane: Lane::OWN, serial, wish })
    }

    fn sent(flights: &mut Flights<u64>, to: Slot, now: Instant) -> Vec<(u64, u64)> {
        let mut all = Vec::new();
        while let Some((id, command)) = flights.send_next(to, now) {
            all.push((id, command.serial.0));
        }
        all
    }

    fn three(now: Instant) -> Flights<u64> {
        let mut flights = Flights::new();
        for serial in 1..=3 {
            flights.begin(command(serial), serial, now).unwrap();
        }
        flights
    }

    fn no(code: Code) -> Outcome {
        Err(Refusal::new(code, ""))
    }

    const YES: Outcome = Ok(Accepted {
        room: RoomId(1),
        version: Version(1),
        seat: None,
        lease_lost: false,
        offer: OfferId(0),
    });

    /// A stream dies with commands on it: they go out again, the same ones, in order.
    #[test]
    fn what_was_on_a_broken_stream_goes_out_again() {
        let now = Instant::now();
        let mut flights = three(now);
        let first = sent(&mut flights, 1, now);
        assert_eq!(flights.land(first[1].0, YES, 0, now), Landed::Answer(2, YES));
        assert_eq!(flights.recall_from(2), 0);
        assert_eq!(flights.recall_from(1), 2);
        let second = sent(&mut flights, 2, now);
        assert_eq!(second.iter().map(|(_, serial)| *serial).collect::<Vec<_>>(), [1, 3]);
        assert!(second.iter().all(|(id, _)| first.iter().all(|(old, _)| old != id)));
        // The old stream's last words still count when they are an answer ...
        assert_eq!(flights.land(first[0].0, YES, 0, now), Landed::Answer(1, YES));
        assert_eq!(flights.land(second[0].0, YES, 0, now), Landed::Old);
        // ... and do not disturb a newer attempt when they are not.
        assert_eq!(flights.land(first[2].0, no(Code::NoQuorum), 0, now), Landed::Old);
        assert_eq!(flights.land(second[1].0, YES, 0, now), Landed::Answer(3, YES));
        assert!(flights.is_empty());
    }

    /// A node that cannot help is asked again a little later, and at once when
    /// there is a new leader.
    #[test]
    fn trouble_is_not_an_answer() {
        let now = Instant::now();
        let mut flights = three(now);
        let first = sent(&mut flights, 1, now);
        assert_eq!(flights.land(first[0].0, no(Code::NoQuorum), 0, now), Landed::Again);
        assert_eq!(flights.land(first[1].0, no(Code::Busy), 300, now), Landed::Again);
        assert_eq!(flights.tick(now), []);
        assert_eq!(sent(&mut flights, 1, now), []);
        let soon = now + Duration::from_millis(RETRY_MS[0]);
        flights.tick(soon);
        assert_eq!(sent(&mut flights, 1, soon).len(), 1);
        flights.tick(now + Duration::from_millis(299));
        assert_eq!(sent(&mut flights, 1, soon).len(), 0);
        assert_eq!(flights.recall_all_but(2), 3);
        assert_eq!(sent(&mut flights, 2, soon).len(), 3);
        assert_eq!(flights.recall_all_but(2), 0);
    }

    /// A full lobby and a wrong move are answers, and final.
    #[test]
    fn a_refusal_of_the_lobby_is_final() {
        let now = Instant::now();
        let mut flights = three(now);
        let ids = sent(&mut flights, 1, now);
        for ((id, serial), code) in ids.into_iter().zip([Code::Busy, Code::GameOver, Code::TooFast])
        {
            assert_eq!(flights.land(id, no(code), 0, now), Landed::Answer(serial, no(code)));
        }
    }

    /// An outcome that the lobby has forgotten is said at once, as the last word; one
    /// that a node could not tell yet is asked for again.
    #[test]
    fn a_forgotten_answer_is_not_waited_for() {
        let now = Instant::now();
        let mut flights = Flights::new();
        flights.begin(command(1), 1, now).unwrap();
        let id = sent(&mut flights, 1, now)[0].0;
        assert_eq!(flights.land(id, no(Code::UnknownOutcome), 0, now), Landed::Again);
        let soon = now + Duration::from_millis(5);
        flights.tick(soon);
        let id = sent(&mut flights, 1, soon)[0].0;
        let refusal = Refusal::new(Code::UnknownOutcome, "look at the room");
        let forgotten = Err(Refusal { forgotten: true, ..refusal });
        assert_eq!(flights.land(id, forgotten.clone(), 0, soon), Landed::Answer(1, forgotten));
        assert!(flights.is_empty());
    }

    /// When patience is over, the player is told what is known and no more.
    #[test]
    fn giving_up_is_honest() {
        let start = Instant::now();
        let end = start + PATIENCE;
        let told = |prepare: &dyn Fn(&mut Flights<u64>)| {
            let mut flights = Flights::new();
            flights.begin(command(1), 1, start).unwrap();
            prepare(&mut flights);
            assert_eq!(flights.tick(end - Duration::from_nanos(1)), []);
            let given_up = flights.tick(end);
            assert!(flights.is_empty() && flights.ready.is_empty() && flights.later.is_empty());
            given_up[0].1.code
        };
        assert_eq!(told(&|_| ()), Code::NoQuorum);
        assert_eq!(told(&|flights| _ = sent(flights, 1, start)), Code::UnknownOutcome);
        for (code, wait) in [(Code::NoQuorum, 0), (Code::Busy, 5), (Code::UnknownOutcome, 0)] {
            let refused = |flights: &mut Flights<u64>| {
                let id = sent(flights, 1, end)[0].0;
                flights.land(id, no(code), wait, end);
            };
            assert_eq!(told(&refused), code);
        }
        // Once it may have been taken, a later "no quorum" does not take that back.
        let lost_then_refused = |flights: &mut Flights<u64>| {
            sent(flights, 1, start);
            flights.recall_from(1);
            let id = sent(flights, 2, end)[0].0;
            flights.land(id, no(Code::NoQuorum), 0, end);
        };
        assert_eq!(told(&lost_then_refused), Code::UnknownOutcome);
    }

    #[test]
    fn there_is_room_for_so_many() {
        let now = Instant::now();
        let mut flights = Flights::new();
        for serial in 0..FLIGHTS_MAX as u64 {
            flights.begin(command(serial), serial, now).unwrap();
        }
        assert_eq!(flights.begin(command(0), 7, now), Err(7));
    }

    /// A silent node is noticed by the oldest thing it owes.
    #[test]
    fn debts_are_remembered() {
        let now = Instant::now();
        let mut flights = three(now);
        assert_eq!(flights.owes_since(1), None);
        let ids = sent(&mut flights, 1, now);
        assert_eq!(flights.owes_since(1), Some(now));
        for (id, _) in ids {
            flights.land(id, YES, 0, now);
        }
        assert_eq!(flights.owes_since(1), None);
    }
}
