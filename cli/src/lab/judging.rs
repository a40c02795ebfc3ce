//! The judge of a lab, on a thread of its own: it may think for as long as it needs, and
//! nobody waits for it. It judges what it was told of from the beginning, and of what was there
//! before only what it hears itself.

use std::{
    collections::BTreeMap,
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use hangraft_lab::{
    history::{Call, Moment},
    judge::{LiveJudge, Open},
    timeline::Line,
};
use tokio::sync::mpsc;

/// How often it says what it thinks.
const LOOK: Duration = Duration::from_secs(2);

/// What it has not heard yet, as ticks of 50 ms: a minute of them.
const UNHEARD_MAX: usize = 1_200;

/// Verdicts that nobody has read yet.
const UNREAD_MAX: usize = 16;

/// What a judge is told.
pub(crate) enum Heard {
    Begun(u64, Call),
    Ended(u64, Call),
    Line(Line),
}

/// What happened up to a moment.
struct Tick {
    now: Moment,
    heard: Vec<Heard>,
}

/// A judge who listens.
pub(crate) struct Judging {
    tell: SyncSender<Tick>,
    said: mpsc::Receiver<Vec<Line>>,
}

impl Judging {
    /// One who has heard nothing yet.
    pub(crate) fn begin() -> anyhow::Result<Self> {
        let (tell, heard) = sync_channel(UNHEARD_MAX);
        let (say, said) = mpsc::channel(UNREAD_MAX);
        let judge = move || judge(&heard, &say);
        thread::Builder::new().name("judge".into()).spawn(judge).context("cannot start a judge")?;
        Ok(Self { tell, said })
    }

    /// Tells it what has happened. `false` when it is so far behind that it must begin anew:
    /// what it missed would look like broken promises.
    pub(crate) fn tell(&self, now: Moment, heard: Vec<Heard>) -> bool {
        !matches!(self.tell.try_send(Tick { now, heard }), Err(TrySendError::Full(_)))
    }

    /// What it has said meanwhile: findings and verdicts.
    pub(crate) fn said(&mut self) -> Vec<Line> {
        let mut lines = Vec::new();
        while let Ok(said) = self.said.try_recv() {
            lines.extend(said);
        }
        lines
    }
}

/// Listens until nobody tells any more, and says every now and then what it thinks.
fn judge(heard: &Receiver<Tick>, say: &mpsc::Sender<Vec<Line>>) {
    // Rooms may be there already: a cluster that runs is watched, or judging begins anew.
    let mut judge = LiveJudge::late();
    let mut open: BTreeMap<u64, Open> = BTreeMap::new();
    let (mut looked, mut now) = (Instant::now(), 0);
    loop {
        match heard.recv_timeout(LOOK) {
            Ok(tick) => {
                now = tick.now;
                tick.heard.into_iter().for_each(|one| hear(&mut judge, &mut open, one));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if looked.elapsed() >= LOOK {
            let look = judge.look(now);
            let findings = look.findings.into_iter().map(Line::Finding);
            let said = findings.chain([Line::Verdict(look.verdict)]).collect();
            if say.blocking_send(said).is_err() {
                return;
            }
            looked = Instant::now();
        }
    }
}

fn hear(judge: &mut LiveJudge, open: &mut BTreeMap<u64, Open>, heard: Heard) {
    match heard {
        Heard::Begun(number, call) => {
            open.insert(number, judge.begins(call));
        }
        Heard::Ended(number, call) => {
            if let Some(begun) = open.remove(&number) {
                judge.ends(begun, call);
            }
        }
        Heard::Line(line) => judge.add(&line),
    }
}
