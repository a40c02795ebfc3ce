//! Promises about rooms: what clients were told.

use crate::story::Story;
use hangraft_lab::history::{LINES_SHOWN, Level};

/// A right history of some length: writes at once, one that nobody was told of and that took
/// effect late, one that had no effect, a refused one, reads at the same time as writes.
fn right() -> Story {
    Story::new()
        .sit(1, 1, 5, 1)
        .say(1, 10, 40, "a", 3)
        .say(2, 10, 30, "b", 2)
        .perhaps(3, 15, "late")
        .perhaps(4, 15, "never")
        .refused(5, 15, 16, "no")
        .read(6, 12, 50, 2, &["b"])
        .read(7, 60, 61, 3, &["b", "a"])
        .say(1, 62, 90, "c", 5)
        .read(7, 65, 70, 4, &["b", "a", "late"])
        .read(6, 66, 95, 5, &["b", "a", "late", "c"])
        .sit(2, 100, 101, 5)
        .read(7, 110, 111, 5, &["b", "a", "late", "c"])
}

#[test]
fn what_overlaps_and_what_is_unknown_is_right_in_any_order() {
    right().is_right();
}

#[test]
fn a_read_behind_an_answer_is_found_by_its_version() {
    let story = Story::new().sit(1, 10, 20, 7).read(2, 30, 40, 6, &[]);
    let finding = story.breaks("linearizable", 40);
    assert_eq!(
        finding.text,
        "client 1 was told at 0.020 s by f1 that \"sit\" was accepted as version 7 of room abc; \
         it had asked at 0.010 s. A linearizable read by client 2 through f1 that began at 0.030 \
         s showed version 6 of room abc at 0.040 s."
    );
    // While it is asked nobody knows.
    Story::new().sit(1, 10, 30, 7).read(2, 30, 40, 6, &[]).is_right();
}

#[test]
fn a_write_that_finds_an_old_version_is_found() {
    let story = Story::new().read(1, 10, 20, 5, &[]).say(2, 30, 40, "a", 5);
    story.breaks("linearizable", 40);
    Story::new().read(1, 10, 20, 5, &[]).say(2, 30, 40, "a", 6).is_right();
}

/// All versions are as they should be; the lines are not.
#[test]
fn a_read_that_goes_back_is_found_by_its_lines_though_its_version_lies() {
    let before = Story::new().perhaps(1, 10, "a").read(2, 20, 30, 1, &["a"]);
    let finding = before.clone().read(3, 40, 50, 1, &[]).breaks("linearizable", 50);
    assert!(finding.text.contains("It showed \"a\"."), "{}", finding.text);
    assert!(finding.text.ends_with("No order of what was written and read explains that."));
    before.read(3, 25, 50, 1, &[]).is_right();
}

#[test]
fn a_read_that_shows_what_is_not_written_yet_is_found() {
    let story = Story::new().read(1, 10, 20, 1, &["a"]).perhaps(2, 30, "a");
    let finding = story.breaks("linearizable", 20);
    assert!(finding.text.ends_with("\"a\" was written first at 0.030 s."), "{}", finding.text);
    let refused = Story::new().refused(1, 5, 6, "a").read(2, 10, 20, 1, &["a"]);
    let finding = refused.breaks("linearizable", 20);
    assert!(finding.text.ends_with("Nobody has written \"a\"."), "{}", finding.text);
}

#[test]
fn reads_that_disagree_on_the_order_of_lines_are_found() {
    let story = Story::new()
        .say(1, 10, 50, "a", 1)
        .say(2, 10, 50, "b", 2)
        .read(3, 60, 70, 2, &["a", "b"])
        .read(4, 80, 90, 2, &["b", "a"]);
    story.breaks("linearizable", 90);
}

/// What was set last is the value, and the older lines are not looked at.
#[test]
fn a_register_is_judged_by_its_newest_line() {
    let set = Story::new().set(1, 10, 20, "1", 1).set(1, 30, 40, "2", 2).set(1, 50, 60, "1", 3);
    set.clone().read(2, 70, 80, 3, &["1"]).is_right();
    set.clone().read(2, 70, 80, 3, &["1", "2", "1"]).is_right();
    let finding = set.read(2, 70, 80, 3, &["2"]).breaks("linearizable", 80);
    assert!(finding.text.starts_with("client 1 was told at 0.060 s"), "{}", finding.text);
}

/// Two rooms have nothing to do with each other, and each has its own finding.
#[test]
fn a_room_that_took_too_long_to_judge_is_not_passed_over() {
    // Twenty-two values that all may be written at any time, some twice, and a last read that
    // nothing explains: there is no shorter way than to look at all of them.
    let mut story = Story::new();
    for value in 0..44 {
        story = story.set(value, 10, 90, &(value / 2).to_string(), 50 + u64::from(value));
    }
    for value in 0..22 {
        story = story.read(100 + value, 20, 80, 50, &[&value.to_string()]);
    }
    let finding = story.read(99, 100, 110, 99, &["no"]).breaks("linearizable", 110);
    assert!(finding.text.contains("took too long"), "{}", finding.text);
}

#[test]
fn a_read_that_is_given_less_than_it_asked_for_is_found() {
    let story = Story::new().at_least(1, 10, 20, 4, 3);
    let finding = story.breaks("read_your_writes", 20);
    assert!(finding.text.ends_with("It had asked for at least 4."), "{}", finding.text);
    Story::new().at_least(1, 10, 20, 4, 4).is_right();
}

/// A client that knows a version is not answered from before; one that asks for less may be.
#[test]
fn what_a_client_is_told_does_not_go_back_behind_what_it_knows() {
    let knows = Story::new().at_least(1, 10, 20, 0, 5);
    knows.clone().say(1, 30, 40, "a", 5).breaks("read_your_writes", 40);
    knows.clone().read(1, 30, 40, 4, &[]).breaks("read_your_writes", 40);
    knows.clone().push(1, 30, 7).read(1, 40, 50, 6, &[]).breaks("read_your_writes", 50);
    // It asks for what it knows, for less, one replica, or is another client.
    knows.clone().at_least(1, 30, 40, 5, 6).is_right();
    knows.clone().at_least(1, 30, 40, 2, 3).is_right();
    knows.clone().read_at(Level::Local, 1, 30, 40, 3, &[]).is_right();
    knows.read(2, 15, 40, 4, &[]).is_right();
}

#[test]
fn a_push_that_leads_back_or_leaves_something_out_is_found() {
    let seen = Story::new().push(1, 10, 3);
    seen.clone().push(1, 20, 3).breaks("in_order", 20);
    seen.clone().push(1, 20, 2).breaks("in_order", 20);
    seen.clone().push_as(1, 20, 2, true, false).breaks("in_order", 20);
    let gap = seen.clone().push(1, 20, 5).breaks("in_order", 20);
    assert!(gap.text.ends_with("Nothing said that versions were left out."), "{}", gap.text);
    seen.clone().push(1, 20, 4).push_as(1, 30, 9, true, false).push(1, 40, 10).is_right();
    seen.clone().push_as(1, 20, 3, true, true).is_right();
    seen.push(2, 20, 7).is_right();
}

#[test]
fn a_push_of_what_nobody_has_committed_is_found() {
    let story = Story::new().push(1, 10, 9).read(2, 20, 30, 8, &[]);
    let finding = story.breaks("in_order", 30);
    assert!(finding.text.starts_with("client 1 was pushed version 9"), "{}", finding.text);
    Story::new().push(1, 10, 9).read(2, 5, 30, 8, &[]).is_right();
    Story::new().push(1, 10, 9).say(2, 20, 30, "a", 10).is_right();
}

#[test]
fn a_line_that_was_acknowledged_and_is_gone_is_found() {
    let said = Story::new().say(1, 10, 20, "a", 1).say(2, 30, 40, "b", 2);
    let finding = said.clone().read(3, 50, 60, 2, &["b"]).breaks("nothing_lost", 60);
    assert!(finding.text.starts_with("client 1 was told at 0.020 s by f1 that \"a\" was written"));
    said.read(3, 50, 60, 2, &["a", "b"]).is_right();
}

/// A room shows its last lines: the first of more than these is not lost, one between them is.
#[test]
fn a_line_is_lost_if_later_ones_are_shown_and_not_if_it_was_shown_long_ago() {
    let texts: Vec<String> = (0..LINES_SHOWN as u64 + 5).map(|line| format!("{line}")).collect();
    let mut story = Story::new();
    for (at, text) in (0..).zip(&texts) {
        story = story.say(1, at * 10 + 1, at * 10 + 5, text, at + 1);
    }
    let all: Vec<&str> = texts.iter().map(String::as_str).collect();
    let last = &all[5..];
    let version = all.len() as u64;
    story.clone().read(2, 900, 910, version, last).is_right();
    let mut lost = all[4..].to_vec();
    lost.remove(7);
    let finding = story.read(2, 900, 910, version, &lost).breaks("nothing_lost", 910);
    assert!(finding.text.contains("\"11\" was written"), "{}", finding.text);
}

#[test]
fn a_room_that_ends_behind_an_acknowledged_version_is_found() {
    let story = Story::new().sit(1, 10, 20, 7).read(2, 30, 40, 6, &[]);
    let finding = story.breaks("nothing_lost", 40);
    assert!(finding.text.ends_with("Nobody has read it after that."), "{}", finding.text);
    Story::new().sit(1, 10, 20, 7).read(2, 30, 40, 8, &[]).is_right();
}

#[test]
fn a_line_that_shows_twice_is_found() {
    let said = Story::new().say(1, 10, 20, "a", 1);
    let twice = said.clone().read_at(Level::Local, 2, 30, 40, 2, &["a", "a"]);
    let finding = twice.breaks("none_twice", 40);
    assert!(finding.text.contains("It showed \"a\" 2 times"), "{}", finding.text);
    // It was said twice.
    let again = said.say(2, 21, 22, "a", 2);
    again.read(2, 30, 40, 2, &["a", "a"]).is_right();
}

#[test]
fn two_writes_that_made_one_version_are_found() {
    let story = Story::new().say(1, 10, 40, "a", 1).say(2, 15, 30, "b", 1);
    story.breaks("none_twice", 40);
    // What is so already is granted again.
    Story::new().sit(1, 10, 40, 1).sit(2, 15, 30, 1).is_right();
}

/// Two minutes after something was done a room may be over; sooner nobody is told so.
#[test]
fn a_room_that_is_denied_too_soon_is_found() {
    let said = Story::new().say(1, 10, 20, "a", 1);
    let finding = said.clone().denied(2, 30, 40).breaks("rooms_stay", 40);
    assert_eq!(
        finding.text,
        "client 1 was told at 0.020 s by f1 that \"a\" was written as version 1 of room abc; it \
         had asked at 0.010 s. client 2 was told at 0.040 s by f1 that there is no room abc."
    );
    said.clone().denied(2, 119_000, 120_009).breaks("rooms_stay", 120_009);
    said.denied(2, 119_000, 120_010).is_right();
    assert!(Story::new().denied(2, 30, 40).judge().findings.is_empty(), "nobody was ever in it");
}
