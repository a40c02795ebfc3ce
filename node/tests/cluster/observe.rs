//! What operators see who observe nodes, and the timeline that is made of it.

use crate::harness::{Cluster, Player, eventually};
use hangraft_ids::{NodeId, Term};
use hangraft_lab::timeline::{Heard, Line, Message, gather};
use hangraft_proto::v1::fault::What;
use hangraft_proto::v1::{Fault, HealRequest, InjectRequest, ObserveRequest, Skew};
use std::sync::{Arc, Mutex};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Observes nodes, for as long as they run.
struct Watch {
    began: Instant,
    heard: Vec<Arc<Mutex<Heard>>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Watch {
    async fn of(cluster: &Cluster, nodes: impl IntoIterator<Item = u64>) -> Self {
        let mut watch = Watch { began: Instant::now(), heard: Vec::new(), tasks: Vec::new() };
        for id in nodes {
            watch.observe(cluster, id).await;
        }
        watch
    }

    async fn observe(&mut self, cluster: &Cluster, id: u64) {
        let began = self.began;
        let now = move || began.elapsed().as_micros() as u64;
        let mut operator = cluster.operator(id).await;
        let heard = Arc::new(Mutex::new(Heard::asked(now())));
        self.heard.push(heard.clone());
        let request = ObserveRequest { messages: true };
        let mut batches = operator.observe(request).await.unwrap().into_inner();
        self.tasks.push(tokio::spawn(async move {
            while let Ok(Some(batch)) = batches.message().await {
                heard.lock().unwrap().came(now(), batch);
            }
        }));
    }

    /// What is known by now.
    fn lines(&self) -> Vec<Line> {
        let heard: Vec<Heard> =
            self.heard.iter().map(|heard| heard.lock().unwrap().clone()).collect();
        gather(&heard).in_order()
    }

    /// Waits until a line is there.
    async fn sees(&self, what: &str, is_it: impl Fn(&Line) -> bool) {
        let seen = || async { self.lines().iter().any(&is_it) };
        eventually(what, seen).await;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

fn is_role(line: &Line, of: u64, called: &str, newer: Term) -> bool {
    matches!(line, Line::Role(role)
        if role.node == NodeId(of) && role.role == called && role.term > newer)
}

fn messages(lines: &[Line]) -> impl Iterator<Item = &Message> {
    lines.iter().filter_map(|line| match line {
        Line::Message(message) => Some(message),
        _ => None,
    })
}

/// A leader is lost while three nodes are observed. The timeline shows who asked for votes and
/// who gave one, who leads in which term, the first entry of that term on its way, and that
/// gossip first suspects the lost one and then gives it up.
#[tokio::test(flavor = "multi_thread")]
async fn an_election_is_seen_from_outside() {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    let old = cluster.leader().await;
    let watch = Watch::of(&cluster, 1..=3).await;
    watch.sees("the leader is told at once", |line| is_role(line, old, "leader", Term(0))).await;
    watch.sees("members are told", |line| matches!(line, Line::Members(_))).await;
    let before = cluster.report(old).await.unwrap().term;
    cluster.stop_now(old).await;
    let new = cluster.leader().await;
    watch.sees("the new leader", |line| is_role(line, new, "leader", Term(before))).await;
    for state in ["suspect", "down"] {
        let held = |line: &Line| {
            matches!(line, Line::Gossip(gossip)
            if gossip.about == NodeId(old) && gossip.state == state)
        };
        watch.sees(state, held).await;
    }
    let lines = watch.lines();
    assert!(lines.is_sorted_by_key(Line::at));
    assert!(messages(&lines).all(|message| message.received.is_none_or(|at| at >= message.at)));
    let leads = lines.iter().find_map(|line| match line {
        Line::Role(role) if is_role(line, new, "leader", Term(before)) => Some(role),
        _ => None,
    });
    let leads = leads.expect("it was seen");
    assert_eq!((leads.voted, leads.leader), (Some(NodeId(new)), Some(NodeId(new))));
    let in_term = |what: &str, answer, from_new: bool| {
        let other = |message: &&Message| {
            let (one, other) = (message.from, message.to);
            let (new_one, other) = if from_new { (one, other) } else { (other, one) };
            new_one == NodeId(new) && other != NodeId(old)
        };
        let is_it = |message: &&Message| {
            (message.what.as_str(), message.answer, message.term) == (what, answer, leads.term)
        };
        messages(&lines).filter(is_it).find(other).cloned()
    };
    let asked = in_term("vote", false, true).expect("votes were asked for");
    let granted = in_term("vote", true, false).expect("they were answered");
    let append = in_term("append", false, true).expect("the new leader appends");
    assert_eq!(granted.yes, Some(true));
    assert!(asked.received.unwrap() <= granted.at, "{asked:?} {granted:?}");
    assert!(granted.received.unwrap() <= append.at, "{granted:?} {append:?}");
    assert!(append.received.is_some() && append.entries > 0, "{append:?}");
    assert!(in_term("append", true, false).is_some_and(|yes| yes.yes == Some(true)));
    let suspected = |state: &str| {
        lines.iter().position(|line| {
            matches!(line, Line::Gossip(gossip)
            if gossip.about == NodeId(old) && gossip.state == state)
        })
    };
    assert!(suspected("suspect") < suspected("down"), "suspicion comes first");
    cluster.stop_all().await;
}

/// A move is seen on its way: the leader's log grows, all nodes apply it, and their hashes are
/// the same at the same index. A fault is told when it begins and when it ends, with one number;
/// a skewed wall clock moves nothing. Who looks in later hears of what stands.
#[tokio::test(flavor = "multi_thread")]
async fn entries_and_faults_are_seen() {
    let mut cluster = Cluster::new(3);
    cluster.allow_faults();
    cluster.start_all().await;
    let leader = cluster.leader().await;
    let mut watch = Watch::of(&cluster, 1..=3).await;
    let skew = Fault { what: Some(What::Skew(Skew { ms: 3_600_000 })) };
    let mut operator = cluster.operator(leader).await;
    let request = InjectRequest { faults: vec![skew], for_ms: 0 };
    operator.inject(request).await.unwrap();
    let is_fault = |line: &Line, ends: bool| {
        matches!(line, Line::Fault(fault)
        if fault.node == Some(NodeId(leader)) && fault.healed == ends)
    };
    watch.sees("the fault begins", |line| is_fault(line, false)).await;
    let mut player = Player::at(cluster.address(leader), &cluster).await;
    let room = player.open_and_sit().await;
    player.play_letters(room, "etaoin").await;
    let applied = cluster.report(leader).await.unwrap().applied;
    for id in 1..=3 {
        let has = |line: &Line| {
            matches!(line, Line::Log(log)
            if log.node == NodeId(id) && log.applied.is_some_and(|at| at.0 >= applied))
        };
        watch.sees("it is applied", has).await;
    }
    watch.heard.clear();
    watch.observe(&cluster, leader).await;
    watch.sees("a late observer hears of it", |line| is_fault(line, false)).await;
    operator.heal(HealRequest::default()).await.unwrap();
    watch.sees("the fault ends", |line| is_fault(line, true)).await;
    let lines = watch.lines();
    let ids = lines.iter().filter_map(|line| match line {
        Line::Fault(fault) => Some(fault.id),
        _ => None,
    });
    assert_eq!(ids.collect::<Vec<_>>(), [1, 1]);
    let now = watch.began.elapsed().as_micros() as u64;
    assert!(lines.iter().all(|line| line.at() <= now), "the skewed clock is not the running one");
    let told = |line: &Line| {
        matches!(line, Line::Told(told)
        if told.about == "fault" && told.text.starts_with("heals"))
    };
    watch.sees("the node's own words", told).await;
    cluster.stop_all().await;
}
