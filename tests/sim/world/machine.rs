//! One machine: a tokio runtime of one thread that runs only when there is
//! something to do.
//!
//! The runtime is tokio's own with its real timers, over the clock of
//! `process.c`. Left alone, it runs all that can run and then wants to wait until
//! its next timer; the process does not wait but notes until when, and control
//! comes back to the world.

use super::show;
use crate::clock::{self, DriftingClock};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Poll, Waker};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// A runtime without a timer would wait without an end.
const LONG: Duration = Duration::from_secs(3_600);

pub(crate) struct Machine {
    pub(crate) name: String,
    pub(super) clock: DriftingClock,
    /// The running software; none while it is switched off.
    runtime: Option<Runtime>,
    /// Since when it is paused, and whether its clock stands still.
    paused: Option<(u64, bool)>,
    /// The moment it wants to be woken.
    wake_at: u64,
}

thread_local! {
    /// The runtime has run out of things to do.
    static IDLE: Cell<bool> = const { Cell::new(false) };
    /// Wakes who waits for that.
    static WAITING: RefCell<Option<Waker>> = const { RefCell::new(None) };
}

impl Machine {
    pub(super) fn new(name: String, clock: DriftingClock) -> Self {
        Machine { name, clock, runtime: None, paused: None, wake_at: 0 }
    }

    /// Whether it is switched on, paused or not.
    pub(crate) fn is_on(&self) -> bool {
        self.runtime.is_some()
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused.is_some()
    }

    pub(super) fn is_due(&self, now: u64) -> bool {
        self.wake_at == now
    }

    pub(super) fn boot(&mut self, now: u64, boot: impl FnOnce()) {
        assert!(self.runtime.is_none(), "{} is on already", self.name);
        show(&self.clock, now);
        let runtime = Builder::new_current_thread()
            .enable_time()
            .on_thread_unpark(|| {
                IDLE.set(true);
                WAITING.with_borrow(|waker| waker.as_ref().map(Waker::wake_by_ref));
            })
            .build()
            .expect("a runtime without threads and sockets needs nothing");
        {
            let _inside = runtime.enter();
            tokio::spawn(async {
                loop {
                    tokio::time::sleep(LONG).await;
                }
            });
            boot();
        }
        self.runtime = Some(runtime);
    }

    pub(super) fn crash(&mut self, now: u64) {
        self.resume(now);
        show(&self.clock, now);
        self.runtime = None;
    }

    pub(super) fn pause(&mut self, now: u64, frozen: bool) {
        if self.paused.is_none() {
            self.paused = Some((now, frozen));
        }
    }

    pub(super) fn resume(&mut self, now: u64) {
        if let Some((since, true)) = self.paused.take() {
            self.clock.stood_still(since, now);
        }
    }

    /// Runs all that can run; when it wants to be woken, unless that is known.
    pub(super) fn run(&mut self, now: u64) -> Option<u64> {
        let runtime = self.runtime.as_ref().filter(|_| self.paused.is_none())?;
        show(&self.clock, now);
        let alarm = loop {
            clock::clear_alarm();
            IDLE.set(false);
            runtime.block_on(idle());
            // Without an alarm a timer was due just now, and has work to do.
            if let Some(alarm) = clock::alarm() {
                break alarm;
            }
        };
        let wake_at = self.clock.when(alarm).max(now + 1);
        let news = wake_at != self.wake_at;
        self.wake_at = wake_at;
        news.then_some(wake_at)
    }
}

/// Ends when the runtime has run out of things to do.
async fn idle() {
    poll_fn(|context| {
        if IDLE.get() {
            return Poll::Ready(());
        }
        WAITING.set(Some(context.waker().clone()));
        Poll::Pending
    })
    .await;
}
