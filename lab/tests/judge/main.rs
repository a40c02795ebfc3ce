//! Every promise finds the history that breaks it, and leaves alone the ones that keep it.

mod cluster;
mod live;
mod random;
mod rooms;
mod story;

use hangraft_lab::judge::judge;
use hangraft_lab::timeline::Line;
use story::Story;

/// A promise that there is nothing to hold against is told with a count of 0, and of nothing
/// there is no good verdict.
#[test]
fn of_nothing_there_is_no_good_verdict() {
    let nothing = judge(&[]);
    assert!(nothing.findings.is_empty() && !nothing.good() && !nothing.verdict(7).good);
    assert!(nothing.promises.iter().all(|promise| promise.checked == 0));

    let written = Story::new().say(1, 10, 20, "a", 1).judge();
    let checked = |name: &str| {
        let judged = written.promises.iter().find(|judged| judged.promise == name);
        judged.expect("the promise is told").checked
    };
    assert!(written.good());
    assert_eq!((checked("linearizable"), checked("none_twice")), (1, 1));
    assert_eq!((checked("nothing_lost"), checked("in_order"), checked("one_leader")), (0, 0, 0));
}

/// A timeline as it is written in a file: the answer is found stale, and told in sentences.
#[test]
fn a_stale_read_in_a_file_is_told_as_a_small_story() {
    let text = include_str!("histories/stale_read.jsonl");
    let lines: Vec<Line> =
        text.lines().map(|line| serde_json::from_str(line).expect("a line")).collect();
    let judgement = judge(&lines);
    let finding = judgement.findings.iter().find(|finding| finding.promise == "linearizable");
    let finding = finding.expect("the read is stale");
    assert_eq!(finding.at, 4_305_000);
    assert_eq!(
        finding.text,
        "player 3 was told at 4.210 s by f1 that \"x\" was written as version 12 of room abc; it \
         had asked at 4.200 s. A linearizable read by player 4 through n2 that began at 4.300 s \
         showed version 11 of room abc at 4.305 s."
    );
    let verdict = judgement.verdict(5_000_000);
    assert!(!verdict.good);
    assert!(verdict.promises.iter().any(|one| one.promise == "linearizable" && !one.kept));
}
