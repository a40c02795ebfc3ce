//! What happens in the cluster, as one node sees it, for operators who follow along.

use crate::env::Env;
use crate::observe::Observers;
use hangraft_ids::{LogIndex, Term};
use hangraft_proto::v1::happening::{Told, What};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::sync::broadcast;

/// Past events a node remembers. Older ones are forgotten; logs have them.
const PAST_MAX: usize = 1_024;

/// Events on their way to one who follows; who is further behind misses some and is told.
const BEHIND_MAX: usize = 256;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// The wall clock, in milliseconds since 1970.
    pub(crate) at_ms: u64,
    pub(crate) term: Term,
    /// The log index it belongs to, or what was applied when it happened.
    pub(crate) index: LogIndex,
    pub(crate) kind: &'static str,
    pub(crate) text: String,
}

/// Takes events in and gives them out. Clones share them.
#[derive(Clone)]
pub(crate) struct Events(Arc<Inner>);

struct Inner {
    env: Arc<dyn Env>,
    observers: Observers,
    past: Mutex<VecDeque<Event>>,
    news: broadcast::Sender<Event>,
}

impl Events {
    pub(crate) fn new(env: Arc<dyn Env>, observers: Observers) -> Self {
        let (news, _) = broadcast::channel(BEHIND_MAX);
        Events(Arc::new(Inner { env, observers, past: Mutex::default(), news }))
    }

    pub(crate) fn note(&self, kind: &'static str, term: Term, index: LogIndex, text: String) {
        // What is wrong with a disk is no everyday news.
        match kind {
            "disk" => tracing::warn!(kind, term = term.0, index = index.0, "{text}"),
            _ => tracing::info!(kind, term = term.0, index = index.0, "{text}"),
        }
        let told = || What::Told(Told { kind: kind.into(), text: text.clone() });
        self.0.observers.note(told);
        let event = Event { at_ms: self.0.env.unix_ms(), term, index, kind, text };
        let mut past = self.0.past.lock().expect("never poisoned");
        if past.len() == PAST_MAX {
            past.pop_front();
        }
        past.push_back(event.clone());
        // Nobody may be following; that is fine. Sent under the lock, so that none falls
        // between the past and the news.
        _ = self.0.news.send(event);
    }

    /// The last `past` events, and all that come.
    pub(crate) fn follow(&self, past: usize) -> (Vec<Event>, broadcast::Receiver<Event>) {
        let kept = self.0.past.lock().expect("never poisoned");
        let skip = kept.len().saturating_sub(past);
        (kept.iter().skip(skip).cloned().collect(), self.0.news.subscribe())
    }
}
