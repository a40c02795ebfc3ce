//! Watches the cluster while players play: what its nodes tell, and what becomes of its
//! processes.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::Duration,
};

use hangraft_ids::NodeId;
use hangraft_lab::timeline::{Line, Process as Became, ProcessEvent};
use hangraft_node::real::RealEnv;
use hangraft_proto::v1::ObserveRequest;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    cluster::{Door, status},
    demo::{faults::Doing, record::Record},
    play::record::Record as Seen,
    reach,
};

/// How soon a node is asked again that does not answer.
const AGAIN: Duration = Duration::from_millis(50);

/// How long a node may tell nothing. One that runs hears or sends a heartbeat all the time,
/// or asks for votes.
const SILENCE: Duration = Duration::from_secs(3);

/// How often we look what processes do, and whether there are more.
const LOOK: Duration = Duration::from_millis(20);

/// How often we look whether a cluster has more members.
const LOOK_AT_MEMBERS: Duration = Duration::from_secs(2);

/// The largest batch that is taken.
const BATCH_BYTES_MAX: usize = 16 << 20;

/// Watches the demo in a folder until it is called off.
pub(crate) async fn watch(dir: &Path, record: &Arc<Seen>) -> anyhow::Result<()> {
    let mut observers = Observers::new(record);
    let mut before = BTreeMap::new();
    loop {
        for door in reach::demo(dir)? {
            observers.meet(door);
        }
        before = look(dir, record, &before)?;
        sleep(LOOK).await;
    }
}

/// Watches a cluster that is reached by some of its nodes, until it is called off: those, and
/// all that they know.
pub(crate) async fn watch_nodes(doors: &[Door], record: &Arc<Seen>) {
    let mut observers = Observers::new(record);
    loop {
        doors.iter().cloned().for_each(|door| observers.meet(door));
        if let (Some(first), Ok(status)) = (doors.first(), status(doors).await) {
            for member in status.members {
                if let Ok(address) = member.address.parse() {
                    observers.meet(first.beside(address));
                }
            }
        }
        sleep(LOOK_AT_MEMBERS).await;
    }
}

/// Those who ask nodes what happens, one for each. They end with this.
struct Observers {
    record: Arc<Seen>,
    asking: JoinSet<()>,
    met: BTreeSet<SocketAddr>,
}

impl Observers {
    fn new(record: &Arc<Seen>) -> Self {
        Self { record: Arc::clone(record), asking: JoinSet::new(), met: BTreeSet::new() }
    }

    /// Asks a node from now on, if it is not asked yet.
    fn meet(&mut self, door: Door) {
        if self.met.insert(door.node()) {
            let record = Arc::clone(&self.record);
            self.asking.spawn(async move { observe(&door, &record).await });
        }
    }
}

/// Asks a node what happens, again and again.
async fn observe(door: &Door, record: &Seen) {
    loop {
        if let Err(err) = listen(door, record).await {
            tracing::debug!(node = %door.node(), %err, "a node tells nothing");
        }
        sleep(AGAIN).await;
    }
}

async fn listen(door: &Door, record: &Seen) -> anyhow::Result<()> {
    let mut client = door.client().await?.max_decoding_message_size(BATCH_BYTES_MAX);
    let call = record.observes();
    let request = ObserveRequest { messages: true };
    let mut batches = door.answer(SILENCE, client.observe(request)).await?;
    let mut first = true;
    while let Some(batch) = timeout(SILENCE, batches.message()).await?? {
        record.came(call, batch);
        if std::mem::take(&mut first) {
            learn_name(door, record).await;
        }
    }
    Ok(())
}

/// Asks a node what it is called: it may have joined after everybody else was known. One that
/// does not say goes by its number, until it is asked again.
async fn learn_name(door: &Door, record: &Seen) {
    match door.report().await {
        // One that has not been given an id yet tells nothing either.
        Ok(report) if report.id != 0 => record.named(NodeId(report.id), &report.name),
        Ok(_) => {}
        Err(err) => tracing::debug!(node = %door.node(), %err, "a node does not say its name"),
    }
}

/// What every process did when it was looked at last, and which it was.
type Looked = BTreeMap<String, (u32, Option<Doing>)>;

fn look(dir: &Path, seen: &Seen, before: &Looked) -> anyhow::Result<Looked> {
    let mut now = Looked::new();
    for process in Record::of(dir)?.processes() {
        let does = process.does(dir);
        for event in events(before.get(&process.name).copied(), (process.pid, does)) {
            let (at, name) = (seen.now(), process.name.clone());
            seen.note(Line::Process(Became { at, name, event }));
            let spent = RealEnv::why_spent(&dir.join(&process.name));
            if let (ProcessEvent::Ended, Some(why)) = (event, spent) {
                seen.say("node", &format!("{} does not come back: {why}", process.name));
            }
        }
        now.insert(process.name, (process.pid, does));
    }
    Ok(now)
}

/// What has become of a process between two looks.
fn events(before: Option<(u32, Option<Doing>)>, now: (u32, Option<Doing>)) -> Vec<ProcessEvent> {
    let (pid, does) = now;
    let same = before.filter(|(former, _)| *former == pid);
    let was = same.and_then(|(_, was)| was);
    // Whoever is gone when somebody begins to look is gone.
    let ran = before.is_none_or(|(_, was)| was.is_some());
    let ended = ran && (does.is_none() || (before.is_some() && same.is_none()));
    let mut events: Vec<_> = ended.then_some(ProcessEvent::Ended).into_iter().collect();
    match (was, does) {
        (None, Some(Doing::Running)) => events.push(ProcessEvent::Started),
        (None, Some(Doing::Paused)) => events.extend([ProcessEvent::Started, ProcessEvent::Paused]),
        (Some(Doing::Running), Some(Doing::Paused)) => events.push(ProcessEvent::Paused),
        (Some(Doing::Paused), Some(Doing::Running)) => events.push(ProcessEvent::Resumed),
        _ => {}
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_a_process_is_seen_between_two_looks() {
        use {
            Doing::{Paused, Running},
            ProcessEvent::{Ended, Resumed, Started},
        };
        let (runs, paused, gone) = (Some(Running), Some(Paused), None);
        for (before, now, expected) in [
            (None, (1, runs), &[Started] as &[_]),
            (None, (1, paused), &[Started, ProcessEvent::Paused]),
            (None, (1, gone), &[Ended]),
            (Some((1, runs)), (1, runs), &[]),
            (Some((1, runs)), (1, paused), &[ProcessEvent::Paused]),
            (Some((1, paused)), (1, runs), &[Resumed]),
            (Some((1, paused)), (1, gone), &[Ended]),
            (Some((1, gone)), (2, runs), &[Started]),
            (Some((1, runs)), (2, runs), &[Ended, Started]),
            (Some((1, gone)), (1, gone), &[]),
        ] {
            assert_eq!(events(before, now), expected, "{before:?} {now:?}");
        }
    }
}
