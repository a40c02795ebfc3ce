//! Tests: a fork is the same day until its moment, whatever is done then, and another one after
//! it; and it says which day it is.

use hangraft_lab::history::{Call, Outcome, What};
use hangraft_lab::timeline::file::{self, Timeline};
use hangraft_lab::timeline::{Fault, Line};
use hangraft_tests::skip::skip;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::ops::Range;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// Days that are forked, at another moment and in another way each.
const DAYS: u64 = 8;

/// The same where they are slow.
const SLOW: u64 = 2;

/// When days are forked, in microseconds: something has happened before, and faults go on.
const MIDDLE: Range<u64> = 2_500_000..17_000_000;

/// What is done, each on another day.
const FAULTS: [&str; DAYS as usize] = [
    "kill leader",
    "instead isolate leader 3s",
    "nothing",
    "pause leader 2s",
    "one-way leader follower",
    "drop 20 5s",
    "slow-disk leader 4s",
    "restart leader 1s",
];

/// A day, as it was told and written down.
struct Day {
    story: Vec<String>,
    timeline: Timeline,
    output: Output,
}

fn simulate(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hangraft-sim"));
    command.args(args).output().expect("the simulation starts")
}

/// Lives through a day, and takes down all of it.
fn live(folder: &Path, args: &[&str]) -> Day {
    let path = folder.join("day.jsonl");
    let written = path.to_str().expect("our names are plain");
    let output = simulate(&[args, &["--trace", "--timeline", written]].concat());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {errors}");
    let text = String::from_utf8(output.stdout.clone()).expect("stories are text");
    let story = text.lines().map(str::to_owned).collect();
    let file = BufReader::new(File::open(&path).expect("it was written"));
    Day { story, timeline: file::read(file).expect("it can be read"), output }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder can be made")
}

fn days() -> u64 {
    if env!("HANGRAFT_SIM_OPTIMISED") == "yes" {
        return DAYS;
    }
    skip("most forked days", "this build is not optimised; build with --profile sim");
    SLOW
}

/// What was known of a line at a moment: how a call ended, or whether a message came, may
/// depend on what is done later.
fn as_known(line: &Line, at: u64) -> Line {
    match line.clone() {
        Line::Call(call) if call.returned.is_none_or(|returned| returned > at) => {
            let Call { invoked, client, what, .. } = call;
            let outcome = Outcome::Unknown;
            let (by, room) = (String::new(), String::new());
            Line::Call(Call { invoked, returned: None, client, by, room, what, outcome })
        }
        Line::Message(mut message) => {
            message.received = message.received.filter(|received| *received <= at);
            Line::Message(message)
        }
        line => line,
    }
}

/// Whether a line may be there on one day only: of reads those are told that were answered.
fn is_pending_read(line: &Line, at: u64) -> bool {
    let Line::Call(Call { what: What::Read { .. }, returned, .. }) = line else { return false };
    returned.is_none_or(|returned| returned > at)
}

/// All that is known until a moment, and this moment included, line by line.
fn past(day: &Day, at: u64) -> Vec<String> {
    let known = |line: &&Line| line.at() <= at && !is_pending_read(line, at);
    let lines = day.timeline.lines.iter().filter(known);
    let text = |line: &Line| serde_json::to_string(&as_known(line, at)).expect("plain data");
    lines.map(text).collect()
}

/// Whose line of the story it is.
fn who(line: &str) -> &str {
    line.split_whitespace().nth(1).unwrap_or_default()
}

/// The story without the plan, and without what sums up for listeners.
fn told(day: &Day) -> Vec<&str> {
    let lines = day.story.iter().map(String::as_str);
    lines.filter(|line| !["plan", "players"].contains(&who(line))).collect()
}

/// An odd moment of a day at which somebody leads: a leader has just told somebody something,
/// in this microsecond or seven before.
fn moment(day: &Day, nth: u64) -> u64 {
    let lines = day.timeline.lines.iter().filter_map(|line| match line {
        Line::Message(sent) if sent.what == "append" && !sent.answer => Some(sent.at),
        _ => None,
    });
    let told: Vec<u64> = lines.filter(|at| MIDDLE.contains(at)).collect();
    let place = told.len() / 3 + usize::try_from(nth).expect("few days") * 7;
    let at = told[place % told.len()];
    if nth.is_multiple_of(2) { at } else { at + 7 }
}

/// Everything up to the moment is the same, to the byte: the story, and every line of the
/// timeline, with each message, its size and its microsecond. After it the days differ.
#[test]
fn a_fork_differs_only_from_its_moment_on() {
    let folder = folder();
    for nth in 0..days() {
        let seed = (nth + 40).to_string();
        let original = live(folder.path(), &["--seed", &seed]);
        let at = moment(&original, nth);
        let fault = FAULTS[usize::try_from(nth).expect("few days")];
        let asked = format!("{at}us {fault}");
        let fork = live(folder.path(), &["--seed", &seed, "--fork", &asked]);
        let what = format!("seed {seed}, {asked}");

        let (story, other) = (told(&fork), told(&original));
        let forked = story.iter().position(|line| who(line) == "fork");
        let forked = forked.unwrap_or_else(|| panic!("{what}: the story does not say so"));
        assert!(forked > 20, "{what}: there is a past");
        assert!(story[..forked] == other[..forked], "{what}: the story before is another");
        assert!(story[forked + 1..] != other[forked..], "{what}: the story goes on the same");

        let (lines, others) = (past(&fork, at), past(&original, at));
        let mut rest = lines.iter();
        for line in &others {
            assert!(rest.any(|other| other == line), "{what}: the fork has no {line}");
        }
        let before = |lines: &[String]| {
            let at = format!("\"at\":{at},");
            lines.iter().filter(|line| !line.contains(&at)).count()
        };
        assert_eq!(before(&lines), before(&others), "{what}: the fork's past has more");
        let after = |day: &Day| {
            let lines = day.timeline.lines.iter().filter(|line| line.at() > at);
            lines.map(|line| serde_json::to_string(line).expect("plain data")).collect::<Vec<_>>()
        };
        assert!(after(&fork) != after(&original), "{what}: nothing became of it");
    }
}

/// A fork that changes nothing is the same day to its last byte: where nothing is cut, healing
/// does nothing, and the digest weighs every byte that was ever delivered. So nothing was
/// drawn, no timer was set and no order changed to make the fork.
#[test]
fn a_fork_that_changes_nothing_is_the_same_day() {
    for nth in 0..days() {
        let seed = (nth + 100).to_string();
        let day = ["--seed", &seed, "--faults", "none"];
        let at = format!("{}us heal", 2_000_000 + nth * 1_234_567);
        let last = |output: Output| {
            let text = String::from_utf8(output.stdout).expect("stories are text");
            text.lines().last().expect("a day ends with its digest").to_owned()
        };
        let original = last(simulate(&day));
        assert!(original.contains("digest"), "{original}");
        let fork = last(simulate(&[&day[..], &["--fork", &at]].concat()));
        assert_eq!(fork, original, "seed {seed}, {at}");
    }
}

/// Two runs of one fork are the same, and so is one by the command that its head gives.
#[test]
fn a_fork_is_one_day() {
    let folder = folder();
    let asked = ["--seed", "3", "--nodes", "5", "--fork", "6.000001s instead kill leader 2s"];
    let one = live(folder.path(), &asked);
    let other = live(folder.path(), &asked);
    assert!(one.output.stdout == other.output.stdout, "the stories differ");
    assert!(one.timeline == other.timeline, "the timelines differ");
    let head = &one.timeline.head;
    assert_eq!(head.title, "seed 3, forked at 6.000001 s: instead kill leader 2s");
    let command = "scripts/simulate --seed 3 --nodes 5 --fork \"6000001us instead kill leader 2s\"";
    assert_eq!(head.command, command);
    let (flags, fork) = command.split_once(" --fork ").expect("it is there");
    let flags = flags.split(' ').skip(1).chain(["--fork", fork.trim_matches('"')]);
    let again = live(folder.path(), &flags.collect::<Vec<_>>());
    assert!(again.timeline == one.timeline, "its command makes another day");
}

/// What comes later can be forked once more; the first fork stays.
#[test]
fn a_fork_can_be_forked() {
    let folder = folder();
    let first = ["--seed", "3", "--fork", "5s nothing"];
    let fork = live(folder.path(), &first);
    let both = live(folder.path(), &[&first[..], &["--fork", "9s kill leader 1s"]].concat());
    assert!(past(&fork, 8_999_999) == past(&both, 8_999_999), "the first fork is another");
    let title = "seed 3, forked at 5 s: nothing; forked at 9 s: kill leader 1s";
    assert_eq!(both.timeline.head.title, title);
    let killed =
        told(&both).into_iter().any(|line| line.contains("(leader) is killed for 1000 ms"));
    assert!(killed, "{}", both.story.join("\n"));
    let others = faults(&both, false).into_iter().filter(|(at, ..)| *at > 5_000_000);
    assert_eq!(others.collect::<Vec<_>>(), [], "others strike as well");
}

/// What is wrong between nodes is said in the words of real nodes, way by way, and ends.
#[test]
fn faults_of_ways_are_said_as_nodes_say_them() {
    let folder = folder();
    let day = ["--seed", "8", "--nodes", "3", "--faults", "none"];
    for (fault, whats) in [
        ("one-way n1 n2 2s", vec![(1, "cut to n2")]),
        ("cut n1 n3 2s", vec![(1, "cut to n3"), (3, "cut to n1")]),
        (
            "gossip-cut n2 2s",
            vec![
                (1, "cut to n2, gossip only"),
                (2, "cut to n1, gossip only"),
                (2, "cut to n3, gossip only"),
                (3, "cut to n2, gossip only"),
            ],
        ),
        ("cut n1 frontends 2s", vec![(1, "cut from the frontends"), (1, "cut to the frontends")]),
        ("slow-disk n3 2s", vec![(3, "slow disk: syncs take 5 to 60 ms")]),
        ("full-disk n3 2s", vec![(3, "the disk is full")]),
    ] {
        let asked = format!("4s {fault}");
        let fork = live(folder.path(), &[&day[..], &["--fork", &asked]].concat());
        let expected = |at: u64| -> Vec<(u64, u64, String)> {
            whats.iter().map(|(node, what)| (at, *node, (*what).to_owned())).collect()
        };
        assert_eq!(faults(&fork, false), expected(4_000_000), "{fault} begins");
        assert_eq!(faults(&fork, true), expected(6_000_000), "{fault} ends");
    }
}

/// When faults begin or are healed, whose they are, and what.
fn faults(day: &Day, healed: bool) -> Vec<(u64, u64, String)> {
    let lines = day.timeline.lines.iter().filter_map(|line| match line {
        Line::Fault(fault) if fault.healed == healed => Some(fault),
        _ => None,
    });
    let node = |fault: &Fault| fault.node.expect("it is somebody's").0;
    lines.map(|fault| (fault.at, node(fault), fault.what.clone())).collect()
}

/// What cannot be done is said, with its own exit code, and nothing is written.
#[test]
fn what_cannot_be_done_is_said() {
    let folder = folder();
    let path = folder.path().join("nothing.jsonl");
    let written = path.to_str().expect("our names are plain");
    for (fork, why) in [
        ("kill n1", "kill is no moment"),
        ("5s burn n1", "is no fault"),
        ("5s kill n9", "no node in service is called n9 at 5 s"),
        ("0.001s kill leader", "nobody leads at 0.001 s"),
        ("5s start n1", "n1 runs already at 5 s"),
        ("5s resume n1", "n1 does not stand still at 5 s"),
        ("5s ring", "a ring of three nodes is what there is at 5 s"),
        ("999s heal", "999 s is too late: the faults of this day end at"),
    ] {
        let day = ["--seed", "2", "--nodes", "3", "--faults", "none", "--timeline", written];
        let output = simulate(&[&day[..], &["--fork", fork]].concat());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{fork}: {errors}");
        assert!(errors.contains(why), "{fork}: {errors}");
        assert!(!String::from_utf8_lossy(&output.stdout).contains("replay"), "{fork}");
        assert!(!path.exists(), "{fork}: a timeline was written");
    }
    let many = simulate(&["--seeds", "2", "--fork", "5s heal"]);
    assert_eq!(many.status.code(), Some(2), "many days have no fork");
}

/// Whoever has read enough closes the pipe, and the day ends as it does.
#[test]
fn a_reader_may_stop_reading() {
    let mut day = Command::new(env!("CARGO_BIN_EXE_hangraft-sim"));
    day.args(["--seed", "3", "--trace"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut day = day.spawn().expect("the simulation starts");
    let mut first = String::new();
    let mut story = BufReader::new(day.stdout.take().expect("it is piped"));
    story.read_line(&mut first).expect("a day begins");
    assert!(first.contains("seed 3"), "{first}");
    drop(story);
    let mut errors = String::new();
    let stderr = day.stderr.as_mut().expect("it is piped");
    stderr.read_to_string(&mut errors).expect("it is text");
    assert_eq!((day.wait().expect("it ends").code(), errors.as_str()), (Some(0), ""));
}
