//! From what is seen to what is shown: every 50 ms lines become ready, the judge hears all of
//! them, and whoever looks gets them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use hangraft_lab::{
    history::{Moment, What},
    timeline::{Head, Line, LiveTimeline},
};
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    lab::{
        fan::Fan,
        judging::{Heard, Judging},
        thin::Thin,
    },
    play::record::{Batch, Record, Seen},
};

/// How often lines are told.
const TICK: Duration = Duration::from_millis(50);

/// After so many ticks without news the page is told what time it is.
const QUIET_TICKS: u32 = 10;

/// A move that has waited for so long (microseconds) is told while it waits.
const WAITS_LONG: Moment = 250_000;

/// A story that is being told.
pub(crate) struct Story {
    record: Arc<Record>,
    fan: Arc<Fan>,
    head: Head,
    timeline: LiveTimeline,
    judging: Judging,
    thin: Thin,
    /// When the writes were asked for that have no answer yet, by their numbers.
    waiting: BTreeMap<u64, Moment>,
    quiet: u32,
}

impl Story {
    pub(crate) fn new(record: &Arc<Record>, fan: &Arc<Fan>, head: Head) -> anyhow::Result<Self> {
        let judging = Judging::begin()?;
        judging.tell(0, vec![Heard::Line(Line::Head(head.clone()))]);
        Ok(Self {
            record: Arc::clone(record),
            fan: Arc::clone(fan),
            head,
            timeline: LiveTimeline::new(),
            judging,
            thin: Thin::default(),
            waiting: BTreeMap::new(),
            quiet: 0,
        })
    }

    /// Tells it until it is called off.
    pub(crate) async fn tell(mut self) -> anyhow::Result<()> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.tick()?;
        }
    }

    fn tick(&mut self) -> anyhow::Result<()> {
        let (mut heard, mut joined) = (Vec::new(), false);
        for seen in self.record.take() {
            match seen {
                Seen::Begun(number, call) => {
                    if matches!(call.what, What::Write { .. }) {
                        self.waiting.insert(number, call.invoked);
                    }
                    heard.push(Heard::Begun(number, call));
                }
                Seen::Call(number, call) => {
                    self.waiting.remove(&number);
                    heard.push(Heard::Ended(number, call.clone()));
                    self.timeline.add(Line::Call(call));
                }
                Seen::Push(push) => self.timeline.add(Line::Push(push)),
                Seen::Line(line) => self.timeline.add(line),
                Seen::Named(named) => joined |= self.head.name(named),
                Seen::Batch(Batch { asked, came, observed }) => {
                    self.timeline.came(asked.at, came, observed);
                }
            }
        }
        let now = self.record.now();
        let mut lines = self.timeline.ready(now);
        if joined {
            // Names are known before anything is told of who has them.
            lines.insert(0, Line::Head(self.head.clone()));
        }
        heard.extend(lines.iter().filter(|line| is_judged(line)).cloned().map(Heard::Line));
        if !self.judging.tell(now, heard) {
            self.judging = Judging::begin()?;
            self.judging.tell(now, vec![Heard::Line(Line::Head(self.head.clone()))]);
            let text = "the judge could not keep up and begins anew here; \
                        what it had not heard yet is not judged";
            self.record.say("story", text);
        }
        lines.extend(self.judging.said());
        let lines = self.thin.pass(now, lines);
        self.quiet = if lines.is_empty() { self.quiet + 1 } else { QUIET_TICKS };
        if self.quiet >= QUIET_TICKS {
            self.quiet = 0;
            let since = self.waiting.values().min().copied();
            let waits = since.filter(|since| now.saturating_sub(*since) > WAITS_LONG);
            self.fan.tell(now, waits, lines);
        }
        Ok(())
    }
}

/// Whether the judge hears this as a line. Calls it hears of when they begin and end.
fn is_judged(line: &Line) -> bool {
    !matches!(line, Line::Call(_) | Line::Message(_))
}
