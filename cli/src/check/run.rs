//! One run: everybody plays, somebody makes trouble, all of it is written down and judged.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, bail};
use hangraft_lab::{
    history::{Call, ClientId, Level, Moment, What},
    timeline::{ClientNamed, FORMAT, Head, Heard, Line, Named, gather},
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};

use crate::{
    check::tell::{Told, silence},
    play::{
        client::{Client, Scene},
        manner::Manner,
        reads::Reads,
        record::{Batch, Record, Seen},
        scenario::Scenario,
        script,
        stage::Stage,
        table::Table,
        watch::watch,
        workload::Workload,
    },
};

/// How long players go on after the last fault, so that what comes of it is seen.
const SETTLE: Duration = Duration::from_secs(2);

/// How long a script may take beyond the time of play.
const SCRIPT_MAX: Duration = Duration::from_secs(120);

/// How long the cluster may take to show every room once more, when all is over.
const FINALE: Duration = Duration::from_secs(30);

/// Before a room that could not be read is asked for again.
const AGAIN: Duration = Duration::from_millis(100);

/// How many share a room.
const AT_A_TABLE: u32 = 4;

/// What is to be done.
pub(super) struct Wanted {
    pub(super) workload: Workload,
    pub(super) players: u32,
    pub(super) time: Duration,
    /// The longest time without an acknowledged move.
    pub(super) bound: Option<Duration>,
    pub(super) seed: u64,
    /// The command line that does the same.
    pub(super) command: String,
}

/// All that was seen.
#[derive(Default)]
struct Played {
    /// In the order in which they were made; those that have not returned, too.
    calls: Vec<Call>,
    /// What nodes told of themselves, for each time that one was asked.
    heard: Vec<Heard>,
    /// What nodes call themselves.
    names: Vec<Named>,
    /// Everything else.
    others: Vec<Line>,
}

impl Played {
    fn of(record: &Record) -> Self {
        let mut heard: BTreeMap<u64, Heard> = BTreeMap::new();
        let mut played = Self::default();
        for seen in record.take() {
            match seen {
                Seen::Call(_, call) => played.calls.push(call),
                Seen::Begun(..) => {}
                Seen::Push(push) => played.others.push(Line::Push(push)),
                Seen::Line(line) => played.others.push(line),
                Seen::Named(named) => played.names.push(named),
                Seen::Batch(Batch { asked, came, observed }) => {
                    let batches = heard.entry(asked.number);
                    batches.or_insert_with(|| Heard::asked(asked.at)).came(came, observed);
                }
            }
        }
        played.calls.extend(record.open());
        played.calls.sort_by_key(|call| call.invoked);
        played.heard = heard.into_values().collect();
        played
    }
}

/// Plays on a stage; everything that happened, and what is to be said of it.
pub(super) async fn check(
    wanted: &Wanted,
    scenario: &Scenario,
    stage: &Stage,
) -> anyhow::Result<(Vec<Line>, Told)> {
    let mut head = head(wanted, scenario, stage);
    let scene = Arc::new(Scene {
        record: Arc::new(Record::new()),
        entrances: stage.entrances()?,
        nodes: Mutex::new(
            stage.record().nodes.iter().map(|node| (node.name.clone(), node.address)).collect(),
        ),
        members: stage.members(),
        access: stage.access()?,
        manner: Manner::of_check(wanted.workload),
        seed: wanted.seed,
    });
    let playing = async {
        let stopped = play(wanted, scenario, &scene, stage.dir()).await?;
        Ok::<_, anyhow::Error>((stopped, read_all(&scene, wanted.players).await))
    };
    let (stopped, unread) = tokio::select! {
        played = playing => played?,
        Err::<(), _>(err) = watch(stage.dir(), &scene.record) => return Err(err),
    };
    let Played { calls, heard, names, others } = Played::of(&scene.record);
    for named in names {
        head.name(named);
    }
    let silence = silence(&calls, stopped);
    let mut lines = gather(&heard);
    for line in others.into_iter().chain(calls.into_iter().map(Line::Call)) {
        lines.add(line);
    }
    let mut lines = lines.in_order();
    lines.insert(0, Line::Head(head));
    let told = Told::of(&mut lines, scenario, wanted.bound, silence, &unread);
    Ok((lines, told))
}

/// Lets everybody play, and trouble come; when they were told to stop.
async fn play(
    wanted: &Wanted,
    scenario: &Scenario,
    scene: &Arc<Scene>,
    dir: &Path,
) -> anyhow::Result<Moment> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    let tables = 0..wanted.players.div_ceil(AT_A_TABLE);
    let tables: Vec<_> = tables.map(|_| Table::new(wanted.workload.lines_max())).collect();
    for id in 0..wanted.players {
        let table = tables[(id / AT_A_TABLE) as usize].clone();
        clients.spawn(Client::new(id, scene, table).play(Arc::clone(&stop)));
    }
    let end = Instant::now() + wanted.time;
    if let Some(path) = &scenario.script {
        let trouble = timeout(wanted.time + SCRIPT_MAX, script::run(path, dir, scene));
        trouble.await.context("the script does not end")??;
        sleep(SETTLE).await;
    }
    sleep_until(end).await;
    stop.store(true, Ordering::Relaxed);
    let stopped = scene.record.now();
    // Each finishes what it has begun, in its own patience.
    while let Some(ended) = clients.join_next().await {
        if let Err(err) = ended {
            bail!("a player has panicked: {err}");
        }
    }
    Ok(stopped)
}

/// Reads every room once more, linearizably; the rooms that could not be read.
async fn read_all(scene: &Scene, reader: ClientId) -> Vec<String> {
    let deadline = Instant::now() + FINALE;
    let mut reads = Reads::new(scene.access.clone(), scene.manner.name);
    let mut unread = Vec::new();
    let nodes = scene.nodes();
    for (i, room) in scene.record.rooms().into_iter().enumerate() {
        let mut turn = i;
        loop {
            let (name, node) = &nodes[turn % nodes.len()];
            let level = Level::Linearizable;
            let call = scene.record.ask(reader, name, &room, What::Read { level });
            if let Ok(outcome) = reads.read(*node, &room, level).await {
                scene.record.told(call, name, &room, outcome);
                break;
            }
            if Instant::now() > deadline {
                unread.push(room);
                break;
            }
            turn += 1;
            sleep(AGAIN).await;
        }
    }
    unread
}

fn head(wanted: &Wanted, scenario: &Scenario, stage: &Stage) -> Head {
    let nodes = stage.record().nodes.iter();
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let named = |id: ClientId| ClientNamed { id, name: format!("player {id}") };
    let reader = ClientNamed { id: wanted.players, name: "the last reader".into() };
    Head {
        format: FORMAT,
        title: scenario.name.clone(),
        began_unix_ms: u64::try_from(unix.as_millis()).unwrap_or_default(),
        from: 0,
        command: wanted.command.clone(),
        about: scenario.about.clone(),
        nodes: nodes.map(|node| Named { id: node.id, name: node.name.clone() }).collect(),
        clients: (0..wanted.players).map(named).chain([reader]).collect(),
    }
}
