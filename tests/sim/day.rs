//! One day: builds the world of a plan, lets it live, hurts it, heals it, and asks
//! the judge.

use crate::clock::{DriftingClock, MICRO, MILLI, SECOND};
use crate::faults::Nemesis;
use crate::nodes::Cluster;
use crate::plan::{Plan, Step, name_of};
use crate::players::player::Player;
use crate::players::reader::Reader;
use crate::players::seeker::Seeker;
use crate::players::{Scene, operator};
use crate::promises::recovery::Scenery;
use crate::promises::sums::Played;
use crate::promises::{Broken, Judge, recovery};
use crate::record::Record;
use crate::story::Story;
use crate::world::disk::{Disk, Pace};
use crate::world::net::Net;
use crate::world::{Machines, World};
use hangraft_cluster_config::RoomNames;
use hangraft_lab::timeline::Judged;
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::fmt;
use std::ops::AddAssign;
use std::sync::{Arc, Mutex};

/// What came of a day.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) seed: u64,
    /// The promise that was broken, and how.
    pub(crate) broken: Option<(String, String)>,
    /// The same for two runs that did the same.
    pub(crate) digest: String,
    pub(crate) virtual_ms: u64,
    pub(crate) faults: usize,
    pub(crate) crashes: u64,
    pub(crate) lost_writes: u64,
    pub(crate) terms: u64,
    pub(crate) entries: u64,
    pub(crate) wishes: usize,
    pub(crate) answered: usize,
    pub(crate) reads: usize,
    pub(crate) pushes: u64,
    pub(crate) delivered: u64,
    pub(crate) members: Moves,
    pub(crate) played: Played,
}

/// How members came and went.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Moves {
    /// Nodes that became members.
    pub(crate) joined: u64,
    /// Nodes that left because somebody asked.
    pub(crate) left: u64,
    /// Members that were let go of, for whatever reason.
    pub(crate) removed: u64,
    /// Changes of voters that were finished.
    pub(crate) changes: u64,
    /// Voters that were lost for ever and then replaced or dropped.
    pub(crate) replaced: u64,
    /// Times that leadership moved because somebody asked.
    pub(crate) transferred: u64,
    pub(crate) perished: u64,
    pub(crate) wiped: u64,
    /// Disks that became what they once were, and how many of them were found out.
    pub(crate) set_back: u64,
    pub(crate) found_out: u64,
    /// So much was lost that nothing could be decided any more; such a day has no end.
    pub(crate) beyond_help: u64,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} of {} wishes answered, {} reads, {} views, {} entries in {} terms, {} crashes \
             that took back {} writes, {} bytes delivered, {} virtual ms",
            self.answered,
            self.wishes,
            self.reads,
            self.pushes,
            self.entries,
            self.terms,
            self.crashes,
            self.lost_writes,
            self.delivered,
            self.virtual_ms
        )?;
        writeln!(f, "{}", self.members)?;
        writeln!(f, "{}", self.played)?;
        match &self.broken {
            None => write!(f, "every promise kept; digest {}", self.digest),
            Some((promise, how)) => write!(f, "BROKEN {promise}: {how}; digest {}", self.digest),
        }
    }
}

impl fmt::Display for Moves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} joined, {} left, {} removed in all, {} changes of voters, {} lost ones replaced, \
             {} transfers, {} machines lost, {} disks emptied, {} disks set back and {} of them \
             found out, {} days beyond help",
            self.joined,
            self.left,
            self.removed,
            self.changes,
            self.replaced,
            self.transferred,
            self.perished,
            self.wiped,
            self.set_back,
            self.found_out,
            self.beyond_help
        )
    }
}

impl AddAssign for Moves {
    fn add_assign(&mut self, more: Self) {
        let Moves { joined, left, removed, changes, replaced, .. } = more;
        self.joined += joined;
        self.left += left;
        self.removed += removed;
        self.changes += changes;
        self.replaced += replaced;
        self.transferred += more.transferred;
        self.perished += more.perished;
        self.wiped += more.wiped;
        self.set_back += more.set_back;
        self.found_out += more.found_out;
        self.beyond_help += more.beyond_help;
    }
}

thread_local! {
    static PANICKED: Cell<bool> = const { Cell::new(false) };
}

/// Panics anywhere in the world break a promise.
pub(crate) fn watch_for_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICKED.set(true);
        before(panic);
    }));
}

/// Lives through a plan.
///
/// # Errors
/// When a fork of it cannot be done, and why.
pub(crate) fn live(plan: &Plan, story: Story, record: Record) -> Result<Outcome, String> {
    let mut day = Day::new(plan, story, record);
    day.pass(plan)?;
    day.write_down();
    Ok(day.outcome(plan))
}

struct Day {
    world: World,
    net: Net,
    machines: Machines,
    cluster: Cluster,
    judge: Arc<Mutex<Judge>>,
    scene: Scene,
    nemesis: Nemesis,
    beyond_help: bool,
}

impl Day {
    fn new(plan: &Plan, story: Story, record: Record) -> Self {
        let world = World::new(plan.seed, story.clone(), record);
        let net = Net::new(world.clone());
        let mut machines = Machines::new(world.clone());
        for (number, (drift, skew)) in plan.clocks.iter().enumerate() {
            let clock = DriftingClock::new(*drift, skew * MILLI as i64);
            machines.add(name_of(plan.nodes, number), clock);
        }
        for number in 0..plan.frontends {
            machines.add(format!("f{}", number + 1), DriftingClock::new(0, 0));
        }
        let people = machines.add("players".into(), DriftingClock::new(0, 0));
        story.call_them((0..=people).map(|id| machines.get(id).name.clone()).collect());
        let pace = Pace { sync: (80 * MICRO, plan.sync_us * MICRO), ..Pace::GOOD };
        let pace = Pace { stall_ppm: plan.stall_ppm, stall: Pace::SLOW.stall, ..pace };
        let disks: Vec<Disk> =
            (0..plan.clocks.len()).map(|id| Disk::new(world.clone(), id, pace, plan.log)).collect();
        let cluster = Cluster::new(plan, &world, &net, disks.clone());
        let (first, names) = (disks[..plan.nodes].to_vec(), RoomNames::of(&cluster.key()));
        let judge = Arc::new(Mutex::new(Judge::new(plan, first, names)));
        let scene = Scene::new(
            world.clone(),
            net.of(people),
            judge.clone(),
            cluster.frontend_addresses(),
            cluster.node_addresses(),
            cluster.key(),
            people,
        );
        let nemesis = Nemesis::new(plan, &world, pace, scene.clone());
        Day { world, net, machines, cluster, judge, scene, nemesis, beyond_help: false }
    }

    fn pass(&mut self, plan: &Plan) -> Result<(), String> {
        self.world.tell("plan", format_args!("{plan}"));
        for line in plan.faults_in_words().chain(plan.forks_in_words()) {
            self.world.note("plan", format_args!("{line}"));
        }
        self.nemesis.heal_network(&self.cluster, &self.net);
        for id in self.cluster.in_service().into_iter().chain(self.cluster.frontends()) {
            self.cluster.boot(id, &mut self.machines);
        }
        let people = self.cluster.len() + plan.frontends;
        let (scene, plan_) = (self.scene.clone(), plan.clone());
        scene.expect(plan.rooms.min(plan.players), plan.players + plan.seekers);
        self.machines.boot(people, move || seat_everybody(&scene, &plan_));
        for (at, step) in plan.steps() {
            if !self.run_until(at) {
                return self.is_forked(plan);
            }
            self.take(step)?;
        }
        if !self.run_until(plan.millis * MILLI) {
            return Ok(());
        }
        self.nemesis.heal_everything(&mut self.cluster, &mut self.machines, &self.net);
        self.scene.close();
        self.recover(plan);
        Ok(())
    }

    /// What is done to the world is done between two of its steps. Nothing waits for it in
    /// the world's queue, so a fork leaves all that came before as it was.
    fn take(&mut self, step: Step<'_>) -> Result<(), String> {
        let Day { nemesis, cluster, machines, net, .. } = self;
        match step {
            Step::Fault(number, what) => nemesis.strike(number, what, cluster, machines, net),
            Step::Fork(fork) => nemesis.fork(fork, cluster, machines, net)?,
        }
        Ok(())
    }

    /// A day that ended early got as far as its forks, or not.
    fn is_forked(&self, plan: &Plan) -> Result<(), String> {
        let now = self.world.now();
        let missed = plan.forks.iter().find(|fork| (fork.at_us + 1) * MICRO > now + 1);
        missed.map_or(Ok(()), |fork| {
            let ended = now as f64 / SECOND as f64;
            Err(format!(
                "the day broke a promise and ended at {ended:.3} s, before {}",
                fork.moment()
            ))
        })
    }

    /// Everything has to be well within a bounded time.
    fn recover(&mut self, plan: &Plan) {
        const LOOK_EVERY_MS: u64 = 50;
        for look in 1..=recovery::WITHIN_MS / LOOK_EVERY_MS {
            if !self.run_until((plan.millis + look * LOOK_EVERY_MS) * MILLI) {
                return;
            }
            let mut judge = self.judge.lock().expect("the judge does not panic");
            let seen = judge.behind().is_none();
            let played = self.scene.playing() == 0 && seen;
            if played && let Ok(shared) = self.scenery(plan, &judge).look() {
                let after_ms = look * LOOK_EVERY_MS;
                let all =
                    format_args!("sees everything work again, {after_ms} ms after the last fault");
                self.world.note("judge", all);
                judge.at_the_end(shared);
                return;
            }
        }
        let mut judge = self.judge.lock().expect("the judge does not panic");
        if judge.disks.are_too_few(&judge.truth) {
            self.world
                .tell("judge", format_args!("too much was lost; nothing can be decided any more"));
            self.beyond_help = true;
            return;
        }
        let behind = judge.behind();
        let late = recovery::too_late(&self.scenery(plan, &judge), self.scene.playing(), behind);
        judge.hold(Err(late));
    }

    fn scenery<'a>(&self, plan: &Plan, judge: &'a Judge) -> Scenery<'a> {
        Scenery {
            standings: self.cluster.standings(),
            told: self.scene.settings_told(),
            intents: self.scene.intents_told(),
            asked: plan.members_change,
            truth: &judge.truth,
            disks: &judge.disks,
        }
    }

    /// Lets the world live until then; false when a promise was broken before.
    fn run_until(&mut self, until: u64) -> bool {
        let Day { machines, cluster, judge, nemesis, net, world, .. } = self;
        loop {
            let led = cluster.leader().is_some();
            judge.lock().expect("the judge does not panic").is_led(led, world.now());
            let mut ran = Vec::new();
            if !machines.step(until, |id| ran.push(id)) {
                return true;
            }
            for id in ran {
                cluster.listen(id, machines);
                if let Some((who, report)) = cluster.news(id) {
                    let mut judge = judge.lock().expect("the judge does not panic");
                    judge.node_ran(&who, &report, world.now());
                    for news in judge.take_news() {
                        world.tell("judge", format_args!("sees {news}"));
                        world.record.say(world.now(), || news);
                    }
                }
                if let Some(report) = cluster.copy_says(id) {
                    judge.lock().expect("the judge does not panic").copy_ran(&report);
                }
                if let Some((node, why)) = cluster.note_end(id, machines) {
                    judge.lock().expect("the judge does not panic").is_spent(node, &why);
                }
            }
            nemesis.look(cluster, machines, net);
            if PANICKED.get() {
                let how = "a part of the software panicked; its message stands above";
                let panic = Broken::new("no_panic", how);
                judge.lock().expect("the judge does not panic").hold(Err(panic));
            }
            if let Some(broken) = judge.lock().expect("the judge does not panic").verdict() {
                world.tell("judge", format_args!("BROKEN {broken}"));
                return false;
            }
        }
    }

    /// The end of the day's story and of its record.
    fn write_down(&self) {
        self.nemesis.tell_losses(&self.net);
        let judge = self.judge.lock().expect("the judge does not panic");
        for Judged { promise, checked, kept, .. } in judge.judged() {
            let how = if kept { "kept" } else { "BROKEN" };
            self.world.note("judge", format_args!("{promise}: {how}, looked at {checked} times"));
        }
        match judge.verdict() {
            None => self.world.note("judge", format_args!("verdict: every promise kept")),
            Some(broken) => self.world.note("judge", format_args!("verdict: BROKEN {broken}")),
        }
        self.world.record.close(self.world.now(), &self.cluster.key(), &judge);
    }

    fn outcome(&self, plan: &Plan) -> Outcome {
        let judge = self.judge.lock().expect("the judge does not panic");
        let wishes = &judge.history.wishes;
        Outcome {
            seed: plan.seed,
            broken: judge.verdict().map(|broken| (broken.promise.to_owned(), broken.how.clone())),
            digest: format!("{:016x}", self.world.story.digest()),
            virtual_ms: self.world.now() / MILLI,
            faults: plan.faults.len(),
            crashes: self.nemesis.crashes(),
            lost_writes: self.cluster.lost_writes(),
            terms: self.cluster.highest_term().0,
            entries: judge.truth.len().0,
            wishes: wishes.len(),
            answered: wishes.iter().filter(|wish| wish.returned.is_some()).count(),
            reads: judge.history.reads.len(),
            pushes: judge.pushes,
            delivered: self.net.delivered(),
            played: judge.played(),
            members: Moves {
                left: judge.left,
                transferred: judge.transferred,
                perished: self.nemesis.counts().perished,
                wiped: self.nemesis.counts().wiped,
                set_back: self.nemesis.counts().set_back,
                found_out: judge.found_out,
                beyond_help: self.beyond_help.into(),
                ..judge.moves()
            },
        }
    }
}

/// On the players' machine: everybody takes their place.
fn seat_everybody(scene: &Scene, plan: &Plan) {
    let rooms = plan.rooms.min(plan.players);
    for number in 0..plan.players {
        let player = Player::new(scene, number, number % rooms, false);
        tokio::spawn(player.run(number < rooms));
    }
    for number in 0..plan.watchers {
        let watcher = Player::new(scene, plan.players + number, number % rooms, true);
        tokio::spawn(watcher.run(false));
    }
    for number in 0..plan.seekers {
        let number = plan.players + plan.watchers + number;
        tokio::spawn(Seeker::new(scene, number).run());
    }
    for number in 0..plan.readers {
        tokio::spawn(Reader::new(scene, number).run());
    }
    if plan.members_change {
        tokio::spawn(operator::run(scene.clone(), scene.take_errands()));
    }
}
