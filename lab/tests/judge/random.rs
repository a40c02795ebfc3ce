//! Random executions of a room that works are right, and one stale answer makes them wrong.

use crate::story::Story;
use hangraft_lab::history::{LINES_SHOWN, Level};
use proptest::prelude::*;

/// What a client did, around the moment at which it took effect.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    kind: Kind,
    /// Milliseconds before and after that moment.
    before: u64,
    after: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Say,
    /// Took effect, and nobody was told.
    SayUnknown,
    /// Had no effect, and nobody was told.
    Lost,
    Read,
    AtLeast,
}

/// A call, and what was true when it took effect.
#[derive(Clone, Debug)]
pub(crate) struct Took {
    step: Step,
    client: u32,
    invoked: u64,
    returned: u64,
    /// How many lines there were then, its own included.
    lines: usize,
}

/// So many steps at most.
pub(crate) fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let kind = prop_oneof![
        4 => Just(Kind::Say),
        1 => Just(Kind::SayUnknown),
        1 => Just(Kind::Lost),
        4 => Just(Kind::Read),
        1 => Just(Kind::AtLeast),
    ];
    let step = (kind, 0..400u64, 0..400u64);
    prop::collection::vec(
        step.prop_map(|(kind, before, after)| Step { kind, before, after }),
        1..most,
    )
}

/// One after the other they take effect, a hundred milliseconds apart; each is asked by a client
/// that asks nothing else meanwhile.
pub(crate) fn execute(steps: &[Step]) -> Vec<Took> {
    let mut free_at: Vec<u64> = Vec::new();
    let mut lines = 0;
    let steps = (1u64..).zip(steps).map(|(number, step)| {
        let effect = 1_000 + number * 100;
        let (invoked, returned) = (effect - step.before, effect + step.after);
        lines += usize::from(matches!(step.kind, Kind::Say | Kind::SayUnknown));
        let client = free_at.iter().position(|free| *free < invoked).unwrap_or(free_at.len());
        free_at.resize(free_at.len().max(client + 1), 0);
        free_at[client] = returned;
        Took { step: step.clone(), client: client as u32, invoked, returned, lines }
    });
    steps.collect()
}

/// Writes it down. One client is pushed all versions.
pub(crate) fn story(took: &[Took]) -> Story {
    let mut story = Story::new();
    for (number, call) in took.iter().enumerate() {
        let Took { client, invoked, returned, lines, .. } = *call;
        let line = format!("line {number}");
        story = match call.step.kind {
            Kind::Say => story.say(client, invoked, returned, &line, lines as u64).push(
                u32::MAX,
                1_000 + (number as u64 + 1) * 100,
                lines as u64,
            ),
            Kind::SayUnknown => story.perhaps(client, invoked, &line).push(
                u32::MAX,
                1_000 + (number as u64 + 1) * 100,
                lines as u64,
            ),
            Kind::Lost => story.perhaps(client, invoked, &line),
            Kind::Read => reads(story, took, call, lines as u64, lines),
            Kind::AtLeast => {
                let level = Level::AtLeast { least: hangraft_ids::Version(lines as u64 / 2) };
                let shown = shown(took, lines);
                let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
                story.read_at(level, client, invoked, returned, lines as u64, &shown)
            }
        };
    }
    story
}

/// A linearizable read that shows a version, and the lines that there were when there were so
/// many.
fn reads(story: Story, took: &[Took], call: &Took, version: u64, lines: usize) -> Story {
    let shown = shown(took, lines);
    let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
    story.read(call.client, call.invoked, call.returned, version, &shown)
}

/// What a room shows of its first lines.
fn shown(took: &[Took], lines: usize) -> Vec<String> {
    let said = took.iter().enumerate();
    let said = said.filter(|(_, call)| matches!(call.step.kind, Kind::Say | Kind::SayUnknown));
    let all: Vec<String> = said.take(lines).map(|(number, _)| format!("line {number}")).collect();
    all[lines.saturating_sub(LINES_SHOWN)..].to_vec()
}

/// The read that is made stale: the first among those asked for, from `from` on, before which
/// a line was acknowledged; and how many lines there were before the newest such line.
fn to_make_stale(took: &[Took], from: usize) -> Option<(usize, usize)> {
    let order = (from..took.len()).chain(0..from);
    let mut reads = order.filter(|at| took[*at].step.kind == Kind::Read);
    reads.find_map(|at| {
        let acknowledged = took
            .iter()
            .filter(|call| call.step.kind == Kind::Say && call.returned < took[at].invoked);
        let lines = acknowledged.map(|call| call.lines).max()?;
        Some((at, lines - 1))
    })
}

/// The same with one stale answer, and when it came. It tells the version that it shows, or
/// lies.
pub(crate) fn stale(took: &[Took], from: usize, honest: bool) -> Option<(Story, u64)> {
    let (stale, lines) = to_make_stale(took, from)?;
    let mut without = took.to_vec();
    without[stale].step.kind = Kind::Lost;
    let version = if honest { lines } else { took[stale].lines };
    let story = reads(story(&without), took, &took[stale], version as u64, lines);
    Some((story, took[stale].returned))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_a_room_that_works_tells_is_right(steps in steps(80)) {
        let judgement = story(&execute(&steps)).judge();
        prop_assert!(judgement.findings.is_empty(), "{:#?}", judgement.findings);
    }

    /// It shows the lines of before, and says so by its version or does not.
    #[test]
    fn one_stale_read_is_found(
        steps in steps(80),
        from in any::<prop::sample::Index>(),
        honest in any::<bool>(),
    ) {
        let took = execute(&steps);
        let Some((story, returned)) = stale(&took, from.index(took.len()), honest) else {
            return Ok(());
        };
        let judgement = story.judge();
        for promise in ["linearizable", "nothing_lost"] {
            let told = judgement.findings.iter().filter(|finding| finding.promise == promise);
            let at: Vec<u64> = told.map(|finding| finding.at).collect();
            prop_assert_eq!(at, [returned * 1_000], "{}", promise);
        }
    }
}
