//! From a day that fails to the smallest that still does: less time, fewer faults,
//! fewer players (Zeller and Hildebrandt, 2002, for the faults).

use crate::day::Outcome;
use crate::plan::{Cut, Plan};
use crate::{DAY_MS, Request};

/// Days lived in search of a smaller one.
const TRIES_MAX: u32 = 150;

/// The smallest day found that breaks the same promise, and what came of it.
pub(crate) fn shrink(whole: &Request, outcome: &Outcome) -> (Request, Outcome) {
    let mut search = Search {
        whole: Plan::of(whole.seed, DAY_MS, whole.nodes),
        best: (whole.clone(), outcome.clone()),
        promise: outcome.broken.as_ref().map(|(promise, _)| promise.clone()),
        tries: 0,
    };
    search.shorten();
    search.drop_faults();
    search.drop_players();
    search.shorten();
    search.best
}

struct Search {
    whole: Plan,
    best: (Request, Outcome),
    promise: Option<String>,
    tries: u32,
}

impl Search {
    /// Takes a smaller day when it breaks the same promise.
    fn attempt(&mut self, cut: Cut) -> bool {
        if self.tries >= TRIES_MAX {
            return false;
        }
        self.tries += 1;
        let request = Request { cut, ..self.best.0.clone() };
        let outcome = request.live();
        let same = outcome.broken.as_ref().map(|(promise, _)| promise) == self.promise.as_ref();
        if same {
            self.best = (request, outcome);
        }
        same
    }

    fn cut(&self) -> Cut {
        self.best.0.cut.clone()
    }

    /// Heals right after the promise was broken, or even before.
    fn shorten(&mut self) {
        let millis = self.cut().millis.unwrap_or(self.whole.millis);
        let broken_at = self.best.1.virtual_ms + 1;
        for shorter in [broken_at, millis / 4, millis / 2, millis * 3 / 4] {
            if shorter < self.cut().millis.unwrap_or(self.whole.millis) {
                self.attempt(Cut { millis: Some(shorter), ..self.cut() });
            }
        }
    }

    /// Leaves out halves of the faults, then smaller and smaller parts.
    fn drop_faults(&mut self) {
        let all = self.whole.faults.len();
        let mut kept = self.cut().faults.unwrap_or_else(|| (0..all).collect());
        let mut part = kept.len().div_ceil(2);
        while part > 0 {
            let mut from = 0;
            while from < kept.len() {
                let mut fewer = kept.clone();
                fewer.drain(from..(from + part).min(kept.len()));
                if self.attempt(Cut { faults: Some(fewer.clone()), ..self.cut() }) {
                    kept = fewer;
                } else {
                    from += part;
                }
            }
            part = if part == 1 { 0 } else { part.div_ceil(2) };
        }
    }

    fn drop_players(&mut self) {
        for players in 1..4 {
            if self.attempt(Cut { players: Some(players), ..self.cut() }) {
                return;
            }
        }
    }
}
