//! The simulated world: machines, a network and disks under one virtual time.
//!
//! Everything that will happen stands in one queue, in order. The world takes the
//! next thing, moves its time there, lets it happen, and then lets those machines
//! run that it has stirred, until none of them has anything left to do at that
//! time. Nothing else runs, so what a seed does is always the same; and a machine
//! that sleeps costs nothing.
//!
//! [`World`] is the part that everybody holds: time, the queue, the dice.
//! [`Machines`] is the part that runs.

mod blocks;
#[cfg(test)]
mod contract;
pub(crate) mod disk;
pub(crate) mod env;
pub(crate) mod machine;
pub(crate) mod net;
mod segments;

use crate::clock::{self, DriftingClock};
use crate::record::Record;
use crate::story::Story;
use machine::Machine;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt::Arguments;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

/// Which machine.
pub(crate) type MachineId = usize;

/// Something that happens without any machine doing it.
type Happening = Box<dyn FnOnce() + Send>;

/// The world's time, what will happen, and its dice. Clones share it.
#[derive(Clone)]
pub(crate) struct World {
    /// What all of it follows from.
    pub(crate) seed: u64,
    inner: Arc<Mutex<Inner>>,
    pub(crate) story: Story,
    pub(crate) record: Record,
}

struct Inner {
    /// Nanoseconds since the world began.
    now: u64,
    queue: BinaryHeap<Reverse<Planned>>,
    planned: u64,
    dice: StdRng,
    /// Machines with something to do now, in the order they were stirred.
    stirred: Vec<MachineId>,
}

struct Planned {
    at: u64,
    /// What was planned first happens first.
    order: u64,
    what: What,
}

enum What {
    Happening(Happening),
    /// A machine wants to be looked at; out of date if it has changed its mind.
    Wake(MachineId),
}

impl PartialEq for Planned {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Planned {}

impl PartialOrd for Planned {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Planned {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

impl World {
    pub(crate) fn new(seed: u64, story: Story, record: Record) -> Self {
        let inner = Inner {
            now: 0,
            queue: BinaryHeap::new(),
            planned: 0,
            dice: StdRng::seed_from_u64(seed),
            stirred: Vec::new(),
        };
        World { seed, inner: Arc::new(Mutex::new(inner)), story, record }
    }

    /// Nanoseconds since the world began.
    pub(crate) fn now(&self) -> u64 {
        self.lock().now
    }

    /// Lets something happen `nanos` from now. It must not wait, and may plan more.
    pub(crate) fn after(&self, nanos: u64, happening: impl FnOnce() + Send + 'static) {
        let at = self.now().saturating_add(nanos);
        self.plan(at, What::Happening(Box::new(happening)));
    }

    /// Gives a machine the chance to do something about what has just happened.
    pub(crate) fn stir(&self, machine: MachineId) {
        let mut inner = self.lock();
        if !inner.stirred.contains(&machine) {
            inner.stirred.push(machine);
        }
    }

    /// A number from a range.
    pub(crate) fn draw(&self, range: Range<u64>) -> u64 {
        if range.is_empty() { range.start } else { self.lock().dice.random_range(range) }
    }

    /// 64 random bits.
    pub(crate) fn bits(&self) -> u64 {
        self.lock().dice.random()
    }

    /// Whether something that happens `ppm` times in a million happens now.
    pub(crate) fn happens(&self, ppm: u64) -> bool {
        ppm > 0 && self.draw(0..1_000_000) < ppm
    }

    /// Tells the story, in one line: who, and what.
    pub(crate) fn tell(&self, who: &str, what: Arguments<'_>) {
        self.story.tell(self.now(), who, what);
    }

    /// The same for those who listen alone: what is seen only because they do, or needs no
    /// place in the digest.
    pub(crate) fn note(&self, who: &str, what: Arguments<'_>) {
        self.story.note(self.now(), who, what);
    }

    fn plan(&self, at: u64, what: What) {
        let mut inner = self.lock();
        inner.planned += 1;
        let order = inner.planned;
        inner.queue.push(Reverse(Planned { at, order, what }));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("nothing panics while the world is held")
    }
}

/// All machines, and the loop that lets them live.
pub(crate) struct Machines {
    world: World,
    machines: Vec<Machine>,
    /// Those that run now; kept for its room.
    running: Vec<MachineId>,
}

impl Machines {
    pub(crate) fn new(world: World) -> Self {
        Machines { world, machines: Vec::new(), running: Vec::new() }
    }

    /// A new machine, switched off.
    pub(crate) fn add(&mut self, name: String, clock: DriftingClock) -> MachineId {
        self.machines.push(Machine::new(name, clock));
        self.machines.len() - 1
    }

    pub(crate) fn get(&self, id: MachineId) -> &Machine {
        &self.machines[id]
    }

    /// Switches a machine on; `boot` starts its software, inside its runtime.
    pub(crate) fn boot(&mut self, id: MachineId, boot: impl FnOnce()) {
        self.machines[id].boot(self.world.now(), boot);
        self.world.stir(id);
    }

    /// Everything that runs on a machine is gone at once.
    pub(crate) fn crash(&mut self, id: MachineId) {
        self.machines[id].crash(self.world.now());
    }

    /// The software of a machine stands still. Its clock goes on, unless the
    /// machine is `frozen` with it, as a virtual machine may be.
    pub(crate) fn pause(&mut self, id: MachineId, frozen: bool) {
        self.machines[id].pause(self.world.now(), frozen);
    }

    /// A paused machine goes on.
    pub(crate) fn resume(&mut self, id: MachineId) {
        self.machines[id].resume(self.world.now());
        self.world.stir(id);
    }

    /// The time of day jumps on a machine.
    pub(crate) fn jump_clock(&mut self, id: MachineId, by: i64) {
        self.machines[id].clock.jump(by);
    }

    /// Lets the world go on to the next thing and everybody do what follows from
    /// it, unless that is after `until`; then time only moves there. Calls
    /// `looked` after each machine that ran. False when the time is reached.
    pub(crate) fn step(&mut self, until: u64, mut looked: impl FnMut(MachineId)) -> bool {
        if !self.run_stirred(&mut looked) {
            let next = {
                let mut inner = self.world.lock();
                if inner.queue.peek().is_none_or(|Reverse(next)| next.at > until) {
                    inner.now = until;
                    return false;
                }
                let Reverse(next) = inner.queue.pop().expect("just seen");
                inner.now = next.at;
                next
            };
            match next.what {
                What::Happening(happening) => happening(),
                What::Wake(id) if self.machines[id].is_due(next.at) => self.world.stir(id),
                What::Wake(_) => {}
            }
            self.run_stirred(&mut looked);
        }
        true
    }

    /// Whether any machine had something to do.
    fn run_stirred(&mut self, looked: &mut impl FnMut(MachineId)) -> bool {
        self.running.clear();
        let now = {
            let mut inner = self.world.lock();
            std::mem::swap(&mut inner.stirred, &mut self.running);
            inner.now
        };
        for id in &self.running {
            self.world.story.enter(now, Some(*id));
            if let Some(wake_at) = self.machines[*id].run(now) {
                self.world.plan(wake_at, What::Wake(*id));
            }
            self.world.story.enter(now, None);
            looked(*id);
        }
        !self.running.is_empty()
    }
}

/// Sets the process's clock to what a machine's shows.
fn show(clock: &DriftingClock, now: u64) {
    let (monotonic, wall) = clock.at(now);
    clock::set(monotonic, wall);
}
