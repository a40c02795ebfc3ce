//! What a check says in the end.

use std::{collections::BTreeSet, fmt::Write, time::Duration};

use comfy_table::{Table, presets::NOTHING};
use hangraft_lab::{
    history::{Call, Moment, Outcome, What},
    judge::judge,
    timeline::{Finding, Judged, Line, Verdict},
};
use serde::Serialize;

use crate::{check::happened, play::scenario::Scenario};

/// A line of it that breaks no promise of the cluster, but one of the scenario.
const BOUND: &str = "bound";

/// After the last fault everything can be read and changed again.
const RECOVERY: &str = "recovery";

/// What a check says. Its JSON form is for scripts.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Told {
    scenario: String,
    /// Who led, and what became of processes, in a few words.
    happened: String,
    seconds: f64,
    calls: usize,
    accepted: usize,
    refused: usize,
    unknown: usize,
    pushes: usize,
    /// The longest time without an acknowledged move.
    silence_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    bound_ms: Option<f64>,
    promises: Vec<Judged>,
    findings: Vec<Finding>,
    pub(super) good: bool,
}

/// The longest time without an acknowledged move, and when it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Silence {
    from: Moment,
    lasts: Moment,
}

/// Looks for it between the first acknowledged move and the end of play.
pub(super) fn silence(calls: &[Call], stopped: Moment) -> Silence {
    let moved = |call: &&Call| {
        matches!(call.what, What::Write { .. }) && matches!(call.outcome, Outcome::Ok { .. })
    };
    let mut moves: Vec<Moment> =
        calls.iter().filter(moved).filter_map(|call| call.returned).collect();
    moves.sort_unstable();
    let begun = moves.first().copied().unwrap_or(0);
    moves.retain(|at| *at <= stopped);
    let ends = moves.iter().copied().skip(1).chain([stopped.max(begun)]);
    let begins = if moves.is_empty() { vec![0] } else { moves.clone() };
    let gaps = begins
        .iter()
        .zip(ends)
        .map(|(from, to)| Silence { from: *from, lasts: to.saturating_sub(*from) });
    gaps.max_by_key(|gap| gap.lasts).unwrap_or_default()
}

impl Told {
    /// Judges, and writes into the timeline what came of it.
    pub(super) fn of(
        lines: &mut Vec<Line>,
        scenario: &Scenario,
        bound: Option<Duration>,
        silence: Silence,
        unread: &[String],
    ) -> Self {
        let end = lines.iter().map(Line::at).max().unwrap_or_default();
        let judgement = judge(lines);
        let (mut promises, mut findings) = (judgement.promises, judgement.findings);
        promises.push(recovered(unread, end, &mut findings));
        promises.extend(bound.map(|bound| kept(bound, silence, &mut findings)));
        let good = findings.is_empty() && promises.iter().all(|promise| promise.kept);
        lines.extend(findings.iter().cloned().map(Line::Finding));
        lines.sort_by_key(Line::at);
        lines.push(Line::Verdict(Verdict {
            at: end,
            good,
            promises: promises.clone(),
            operations: 0,
            left_out: 0,
        }));
        let calls = lines.iter().filter_map(|line| match line {
            Line::Call(call) => Some(&call.outcome),
            _ => None,
        });
        let count = |of: fn(&Outcome) -> bool| calls.clone().filter(|outcome| of(outcome)).count();
        Self {
            scenario: scenario.name.clone(),
            happened: happened::in_words(lines),
            seconds: seconds(end),
            calls: count(|_| true),
            accepted: count(|outcome| matches!(outcome, Outcome::Ok { .. })),
            refused: count(|outcome| matches!(outcome, Outcome::Refused { .. })),
            unknown: count(|outcome| *outcome == Outcome::Unknown),
            pushes: lines.iter().filter(|line| matches!(line, Line::Push(_))).count(),
            silence_ms: seconds(silence.lasts) * 1_000.0,
            bound_ms: bound.map(|bound| bound.as_secs_f64() * 1_000.0),
            promises,
            findings,
            good,
        }
    }

    /// In one line.
    pub(super) fn line(&self) -> String {
        let Self { scenario, silence_ms, .. } = self;
        format!("{scenario}: silent for {silence_ms:.0} ms at most, {}", self.word())
    }

    fn word(&self) -> &'static str {
        if self.good { "good" } else { "BAD" }
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "{}: {:.1} s, {} calls ({} accepted, {} refused, {} unknown), {} pushes\n\
             {}\n\
             longest time without an acknowledged move: {:.0} ms",
            self.scenario,
            self.seconds,
            self.calls,
            self.accepted,
            self.refused,
            self.unknown,
            self.pushes,
            self.happened,
            self.silence_ms,
        );
        if let Some(bound) = self.bound_ms {
            _ = write!(text, " (at most {bound:.0} ms)");
        }
        text.push_str("\n\n");
        for Judged { promise, says, checked, kept } in &self.promises {
            let word = if *kept { "kept  " } else { "BROKEN" };
            _ = writeln!(text, "  {word}  {promise:<16} {checked:>6}  {says}");
        }
        let mut told = BTreeSet::new();
        for Finding { at, promise, text: story } in &self.findings {
            if told.insert(promise) {
                let at = seconds(*at);
                _ = write!(text, "\n{promise} is broken, first seen at {at:.3} s:\n{story}\n");
            }
        }
        let rest = self.findings.len() - told.len();
        if rest > 0 {
            _ = writeln!(text, "\nThe timeline shows it {rest} more times.");
        }
        _ = write!(text, "\nverdict: {}", self.word());
        text
    }
}

/// Several in a table.
pub(super) fn table(all: &[Told]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["scenario", "what happened", "calls", "silent (at most)", "verdict"]);
    for told in all {
        let bound = told.bound_ms.map_or_else(String::new, |bound| format!(" ({bound:.0})"));
        table.add_row([
            told.scenario.clone(),
            told.happened.clone(),
            told.calls.to_string(),
            format!("{:.0}{bound} ms", told.silence_ms),
            told.word().to_owned(),
        ]);
    }
    table.trim_fmt()
}

fn recovered(unread: &[String], end: Moment, findings: &mut Vec<Finding>) -> Judged {
    if !unread.is_empty() {
        let text = format!("When all faults were over, nobody could read {}.", unread.join(", "));
        findings.push(Finding { at: end, promise: RECOVERY.into(), text });
    }
    Judged {
        promise: RECOVERY.into(),
        says: "When the faults are over, every room can be read.".into(),
        checked: 1,
        kept: unread.is_empty(),
    }
}

fn kept(bound: Duration, silence: Silence, findings: &mut Vec<Finding>) -> Judged {
    let Silence { from, lasts } = silence;
    let kept = u128::from(lasts) <= bound.as_micros();
    if !kept {
        let text = format!(
            "For {:.3} s, from {:.3} s on, no move was acknowledged. The scenario allows {:.3} s.",
            seconds(lasts),
            seconds(from),
            bound.as_secs_f64(),
        );
        findings.push(Finding { at: from, promise: BOUND.into(), text });
    }
    Judged {
        promise: BOUND.into(),
        says: "The longest time without an acknowledged move is what the scenario allows.".into(),
        checked: 1,
        kept,
    }
}

fn seconds(moment: Moment) -> f64 {
    moment as f64 / 1_000_000.0
}

#[cfg(test)]
mod tests {
    use hangraft_ids::Version;

    use super::*;

    fn moved(returned: Moment) -> Call {
        Call {
            invoked: returned.saturating_sub(5),
            returned: Some(returned),
            client: 1,
            by: "f1".into(),
            room: "abc".into(),
            what: What::Write {
                action: "say".into(),
                line: None,
                detail: String::new(),
                may_change_nothing: false,
            },
            outcome: Outcome::Ok { version: Version(1), lines: None },
        }
    }

    /// The longest silence is between two moves, or behind the last.
    #[test]
    fn silence_is_what_lies_between_moves() {
        let calls: Vec<_> = [10, 30, 90, 95].map(moved).into();
        assert_eq!(silence(&calls, 100), Silence { from: 30, lasts: 60 });
        assert_eq!(silence(&calls, 300), Silence { from: 95, lasts: 205 });
        assert_eq!(silence(&[], 300), Silence { from: 0, lasts: 300 });
    }

    /// Too long a silence is bad, though the cluster has promised nothing about it.
    #[test]
    fn a_bound_that_is_not_kept_is_found() {
        let told = |bound| {
            let mut lines = vec![Line::Call(moved(1_000)), Line::Call(moved(501_000))];
            let silence = Silence { from: 1_000, lasts: 500_000 };
            let bound = Some(Duration::from_millis(bound));
            Told::of(&mut lines, &Scenario::calm(), bound, silence, &[])
        };
        assert!(!told(499).good);
        assert!(told(499).text().contains("For 0.500 s, from 0.001 s on, no move was"));
        assert!(told(500).findings.iter().all(|finding| finding.promise != BOUND));
    }
}
