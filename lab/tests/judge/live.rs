//! The judge of a timeline that grows ends with what the other one says of the whole, and never
//! alarms before.

use crate::random::{execute, stale, steps, story};
use crate::story::Story;
use hangraft_lab::history::{Call, Moment, Outcome};
use hangraft_lab::judge::{Judgement, LiveJudge, Look, Open, judge};
use hangraft_lab::timeline::{Finding, Judged, Line, Verdict};
use proptest::prelude::*;

/// What a live judge is told, in the order of time.
enum Event<'a> {
    /// The call at this place begins.
    Begins(usize, &'a Call),
    Line(&'a Line),
    Ends(usize, &'a Call),
}

/// What a judge finds that is told of what begins at a moment or later, and of no more.
fn found_from(mut judge: LiveJudge, lines: &[Line], from: Moment, every: usize) -> Vec<Finding> {
    let mut open: Vec<Option<Open>> = vec![None; lines.len()];
    let (mut findings, mut last) = (Vec::new(), from);
    let later = events(lines).into_iter().filter(|(at, _, _)| *at >= from);
    for (place, (at, _, event)) in later.enumerate() {
        match event {
            Event::Begins(number, call) => {
                let (returned, outcome) = (None, Outcome::Unknown);
                open[number] = Some(judge.begins(Call { returned, outcome, ..call.clone() }));
            }
            Event::Line(line) => judge.add(line),
            Event::Ends(number, call) => {
                open[number].into_iter().for_each(|open| judge.ends(open, call.clone()));
            }
        }
        last = if at < Moment::MAX { at } else { last };
        if place % every == every - 1 {
            findings.extend(judge.look(last).findings);
        }
    }
    findings.extend(judge.close(last).findings);
    findings
}

/// What a live judge has said.
struct Said {
    /// In the end.
    verdict: Verdict,
    findings: Vec<Finding>,
    /// How many of them it had found before the end.
    early: usize,
}

/// Tells a live judge of a timeline, and lets it look after each so many lines.
fn said(lines: &[Line], every: usize) -> Said {
    let mut judge = LiveJudge::new();
    let mut open: Vec<Option<Open>> = vec![None; lines.len()];
    let mut findings = Vec::new();
    let mut last = 0;
    for (place, (at, _, event)) in events(lines).into_iter().enumerate() {
        match event {
            Event::Begins(number, call) => {
                let outcome = Outcome::Unknown;
                let begun = Call { returned: None, outcome, ..call.clone() };
                open[number] = Some(judge.begins(begun));
            }
            Event::Line(line) => judge.add(line),
            Event::Ends(number, call) => {
                judge.ends(open[number].expect("it has begun"), call.clone());
            }
        }
        last = if at < Moment::MAX { at } else { last };
        if place % every == every - 1 {
            let Look { findings: found, verdict } = judge.look(last);
            findings.extend(found);
            assert_eq!(
                verdict.good,
                verdict.promises.iter().any(|one| one.checked > 0) && findings.is_empty()
            );
        }
    }
    let early = findings.len();
    let Look { findings: found, verdict } = judge.close(last);
    findings.extend(found);
    Said { verdict, findings, early }
}

/// In the order of time; of one moment what begins comes first. A call that nobody was told of
/// is given up in the end.
fn events(lines: &[Line]) -> Vec<(Moment, u8, Event<'_>)> {
    let mut events = Vec::new();
    for (place, line) in lines.iter().enumerate() {
        let Line::Call(call) = line else {
            events.push((line.at(), 1, Event::Line(line)));
            continue;
        };
        events.push((call.invoked, 0, Event::Begins(place, call)));
        events.push((call.returned.unwrap_or(Moment::MAX), 2, Event::Ends(place, call)));
    }
    events.sort_by_key(|(at, rank, _)| (*at, *rank));
    events
}

/// Each promise, and whether it was kept.
fn kept(promises: &[Judged]) -> Vec<(&str, bool)> {
    promises.iter().map(|judged| (judged.promise.as_str(), judged.kept)).collect()
}

/// Whatever the other judge says of the whole, the live one says in the end, however often it
/// looks before. It alarms only if the other one does.
#[track_caller]
pub(crate) fn ends_as(lines: &[Line], judgement: &Judgement) {
    // The one took too long to decide; the live judge says that it has left something out.
    let undecided = judgement.findings.iter().any(|finding| finding.text.contains("took too long"));
    // Of a long one there are others to be tried.
    let looks = if lines.len() < 40 { &[1, 3, 50][..] } else { &[50] };
    for every in looks.iter().copied() {
        let Said { verdict, findings, .. } = said(lines, every);
        if undecided {
            assert!(findings.is_empty() && verdict.left_out > 0, "{findings:#?}");
            continue;
        }
        assert_eq!(kept(&verdict.promises), kept(&judgement.promises), "{findings:#?}");
        assert_eq!((verdict.good, verdict.left_out), (judgement.good(), 0));
        if judgement.findings.is_empty() {
            assert_eq!(verdict.promises, judgement.promises);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    /// A long time in one room: what is settled is let go on the way, and neither the verdict
    /// nor any count differs.
    #[test]
    fn a_long_history_that_is_right_never_alarms(steps in steps(400), every in 10..60_usize) {
        let story = story(&execute(&steps));
        let judgement = judge(story.lines());
        let Said { verdict, findings, .. } = said(story.lines(), every);
        prop_assert_eq!(findings, []);
        prop_assert_eq!(verdict.promises, judgement.promises);
    }

    /// Whoever begins to listen in the middle knows nothing of what was before, and claims
    /// nothing about it.
    #[test]
    fn a_judge_who_comes_late_never_alarms_for_what_is_right(
        steps in steps(200),
        cut in any::<prop::sample::Index>(),
        every in 1..40_usize,
    ) {
        let story = story(&execute(&steps));
        let moments: Vec<Moment> = events(story.lines()).iter().map(|(at, _, _)| *at).collect();
        let from = moments[cut.index(moments.len())];
        prop_assert_eq!(found_from(LiveJudge::late(), story.lines(), from, every), []);
    }

    /// One answer of many is stale: that is found, though what it contradicts was let go.
    #[test]
    fn one_stale_read_of_many_is_found(
        steps in steps(400),
        from in any::<prop::sample::Index>(),
        honest in any::<bool>(),
        every in 10..60_usize,
    ) {
        let took = execute(&steps);
        let Some((story, returned)) = stale(&took, from.index(took.len()), honest) else {
            return Ok(());
        };
        let Said { verdict, findings, .. } = said(story.lines(), every);
        let judgement = judge(story.lines());
        prop_assert_eq!(kept(&verdict.promises), kept(&judgement.promises), "{:#?}", findings);
        let found = findings.iter().find(|finding| finding.promise == "linearizable");
        prop_assert_eq!(found.map(|finding| finding.at), Some(returned * 1_000));
    }
}

/// Somebody writes "a". From some millisecond on another sits down again and again, and is
/// shown that; then it is read so often that all of that is let go.
fn long_ago(from: u64) -> Story {
    let mut story = Story::new().say(1, 1, 2, "a", 1).push(7, 2, 1);
    for number in 1..60 {
        let at = from + number * 10;
        story = story.sit(5, at, at + 1, number + 1).push(7, at + 1, number + 1);
    }
    for number in 60..500 {
        let at = from + number * 10;
        story = story.read(6, at + 2, at + 3, 60, &["a"]);
    }
    story
}

/// What was let go long ago still counts: what a client was told, what it was pushed, and that
/// there was somebody in the room.
#[test]
fn what_was_let_go_is_held_to() {
    long_ago(10).is_right();
    let cases = [
        ("read_your_writes", long_ago(10).at_least(5, 6_000, 6_001, 3, 2)),
        ("read_your_writes", long_ago(10).read(5, 6_000, 6_001, 50, &["a"])),
        ("in_order", long_ago(10).push(7, 6_000, 59)),
        ("in_order", long_ago(10).push(7, 6_000, 62)),
        ("rooms_stay", long_ago(100_000).denied(8, 150_000, 150_001)),
        ("linearizable", long_ago(10).read(8, 6_000, 6_001, 60, &[])),
        ("nothing_lost", long_ago(10).read(8, 6_000, 6_001, 60, &[])),
    ];
    for (promise, story) in cases {
        let judgement = judge(story.lines());
        let Said { verdict, findings, .. } = said(story.lines(), 10);
        assert!(kept(&judgement.promises).contains(&(promise, false)), "{promise}");
        assert_eq!(kept(&verdict.promises), kept(&judgement.promises), "{promise} {findings:#?}");
    }
}

/// Somebody asks for the room, is answered at once, and hears of it much later. By then the
/// lines that were shown are old; they were not let go before the answer came.
#[test]
fn an_answer_that_is_long_on_its_way_is_no_alarm() {
    let mut story = Story::new().say(1, 1, 2, "line 0", 1).read(9, 5, 5_000, 1, &["line 0"]);
    let mut lines = vec!["line 0".to_owned()];
    for number in 1..200 {
        let (at, version) = (number * 10, number + 1);
        lines.push(format!("line {number}"));
        story = story.say(1, at, at + 1, &lines[number as usize], version);
        let shown: Vec<&str> = lines.iter().rev().take(20).rev().map(String::as_str).collect();
        story = story.read(6, at + 2, at + 3, version, &shown);
    }
    assert!(judge(story.lines()).good());
    let Said { verdict, findings, .. } = said(story.lines(), 10);
    assert_eq!((findings, verdict.left_out), (vec![], 0));
}

/// A line that was written before anybody listened is no lie, unless the judge was to know of
/// everything. What happens while it listens is held to all the same.
#[test]
fn who_comes_late_takes_nothing_for_a_lie_that_was_before() {
    let story = Story::new().say(1, 10, 20, "a", 1).say(1, 30, 40, "b", 2);
    let right = story.clone().read(2, 50, 60, 2, &["a", "b"]);
    assert_eq!(found_from(LiveJudge::late(), right.lines(), 25_000, 1), []);
    assert!(!found_from(LiveJudge::new(), right.lines(), 25_000, 1).is_empty());
    let promises = |story: &Story| {
        let found = found_from(LiveJudge::late(), story.lines(), 25_000, 1);
        found.into_iter().map(|finding| finding.promise).collect::<Vec<_>>()
    };
    assert_eq!(
        promises(&story.clone().read(2, 50, 60, 1, &["a", "b"])),
        ["linearizable", "nothing_lost"]
    );
    assert_eq!(promises(&story.clone().read(2, 50, 60, 2, &["a"])), ["nothing_lost"]);
    assert_eq!(promises(&story.push(7, 50, 4).push(7, 60, 3)), ["in_order"]);
}

/// A room that is opened while the judge listens is known from its beginning, however late the
/// judge came.
#[test]
fn who_comes_late_knows_rooms_that_are_opened_later() {
    let mut judge = LiveJudge::late();
    let story = Story::new().say(1, 10, 20, "a", 1).read(2, 30, 40, 1, &["a", "b"]);
    let calls = story.lines().iter().filter_map(|line| match line {
        Line::Call(call) => Some(call),
        _ => None,
    });
    for (place, call) in calls.enumerate() {
        let room = if place == 0 { String::new() } else { call.room.clone() };
        let outcome = Outcome::Unknown;
        let open = judge.begins(Call { room, returned: None, outcome, ..call.clone() });
        judge.ends(open, call.clone());
    }
    let found = judge.look(50_000).findings;
    assert!(found.iter().any(|one| one.text.contains("Nobody has written \"b\"")), "{found:#?}");
}

/// It does not wait for the end: two looks after the answer, the alarm has been given once.
#[test]
fn an_alarm_is_given_at_once_and_once() {
    let story = Story::new().say(1, 10, 20, "a", 1).read(2, 30, 40, 0, &[]).sit(3, 50, 60, 2);
    let Said { findings, early, .. } = said(story.lines(), 1);
    let linearizable = findings.iter().filter(|finding| finding.promise == "linearizable");
    assert_eq!(linearizable.count(), 1);
    assert!(early > 0);
    let lost = findings.iter().filter(|finding| finding.promise == "nothing_lost");
    assert_eq!(lost.count(), 1);
}

/// Somebody reads what another has only asked for yet. Nobody knows whether that was done,
/// until somebody says that nobody had asked.
#[test]
fn what_is_under_way_may_be_seen() {
    let story = Story::new().say(1, 10, 900, "a", 1).read(2, 20, 30, 1, &["a"]);
    let Said { findings, .. } = said(story.lines(), 1);
    assert_eq!(findings, []);
    story.read(2, 40, 50, 2, &["a", "b"]).breaks("linearizable", 50);
}

/// A room that everybody has left is over after two minutes. It is counted, and forgotten:
/// what is done in it later is left out, and that is said.
#[test]
fn a_room_that_is_over_is_counted_and_forgotten() {
    let early = Story::new().say(1, 10, 20, "a", 1).read(2, 30, 40, 1, &["a"]);
    let Said { verdict, .. } = said(early.lines(), 1);
    let late = early.role(130_000, 1, 1, "leader").role(140_000, 1, 2, "leader");
    let late = late.read(2, 150_000, 150_010, 1, &["a"]);
    let Said { verdict: after, findings, .. } = said(late.lines(), 1);
    assert_eq!(findings, []);
    assert_eq!((verdict.left_out, after.left_out), (0, 1));
    assert_eq!((verdict.operations, after.operations), (2, 3), "all that it has heard of");
    assert_eq!(verdict.promises[..6], after.promises[..6]);
}

/// Somebody writes for ever, and nobody reads: there is nothing by which anything could be let
/// go. The room is left out when it is too long, and that is no alarm.
#[test]
fn a_room_that_is_too_long_is_left_out() {
    let mut story = Story::new();
    for number in 0..5_000 {
        story = story.say(1, number * 10 + 1, number * 10 + 5, &number.to_string(), number + 1);
    }
    let Said { verdict, findings, .. } = said(story.lines(), 100);
    assert_eq!(findings, []);
    assert!(verdict.good && verdict.left_out >= 4_000, "{verdict:?}");
    let checked: u64 = verdict.promises[0].checked;
    assert!((4_000..5_000).contains(&checked), "{checked}");
}
