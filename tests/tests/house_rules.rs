//! The rules of the house: who may name whom, which files may not wait, how files
//! begin. This reads our sources and fails when one breaks a rule.
//!
//! Tests are exempt: `#[cfg(test)]` modules and `tests/` folders.

use std::{
    fs,
    path::{Path, PathBuf},
};

use hangraft_tests::modules::Modules;
use hangraft_tests::source::Code;

/// Something that may be named in few places only.
struct Rule {
    /// What is named: a word, or words joined by `::`.
    path: &'static str,
    /// Where the rule holds.
    within: &'static str,
    /// The only places it may be named in.
    only: &'static [&'static str],
}

const fn rule(path: &'static str, within: &'static str, only: &'static [&'static str]) -> Rule {
    Rule { path, within, only }
}

/// Where one library stops, and the next begins.
const LAYERS: &[Rule] = &[
    rule("openraft", "", &["node/src/raft/", "node/src/replica/", "node/src/real/contract.rs"]),
    rule("raft_log", "", &["node/src/real/"]),
    rule("sled", "", &["node/src/real/"]),
    rule("foca", "", &["node/src/gossip/"]),
    rule("axum", "", &["frontend-server/src/web/", "cli/src/lab/web/"]),
    rule("clap", "", &["cli/src/"]),
    rule("icu_properties", "", &["text/src/"]),
    rule("unicode_normalization", "", &["text/src/"]),
    rule("unicode_segmentation", "", &["text/src/"]),
    // Unicode's tables grow: what they say must not decide what an entry of the log does.
    rule("hangraft_text::name", "game/src/", &[]),
    rule("hangraft_text::line", "game/src/", &[]),
    rule("figment", "", &["cluster-config/src/"]),
    // Elsewhere a bug is one line, `planted!(...)`, of which nothing is left in what is shipped.
    rule(
        "hangraft_planted",
        "",
        &[
            "cli/src/planted.rs",
            "game/src/planted.rs",
            "node/src/planted.rs",
            "frontend-server/src/planted.rs",
        ],
    ),
    rule("anyhow", "", &["cli/src/", "tests/src/"]),
    rule(
        "tokio",
        "",
        &["proto/src/", "node/src/", "frontend-server/src/", "cli/src/", "tests/src/"],
    ),
];

/// Files of the seam: here a node touches the machine it runs on, and nowhere
/// else, so that everything else runs in a simulator as it is.
const SEAM: &[&str] = &["node/src/real/"];

/// What belongs behind the seam.
const MACHINE: &[Rule] = &[
    rule("std::fs", "node/src/", SEAM),
    rule("std::thread", "node/src/", SEAM),
    rule("std::net::TcpListener", "node/src/", SEAM),
    rule("std::net::TcpStream", "node/src/", SEAM),
    rule("std::net::UdpSocket", "node/src/", SEAM),
    rule("tokio::fs", "node/src/", SEAM),
    rule("spawn_blocking", "node/src/", SEAM),
    rule("std::time::Instant", "node/src/", SEAM),
    rule("SystemTime", "node/src/", SEAM),
    // A generator may be seeded; the seed comes through the seam.
    rule("rand::rng", "node/src/", SEAM),
    rule("rand::random", "node/src/", SEAM),
    rule("rand::make_rng", "node/src/", SEAM),
    rule("SysRng", "node/src/", SEAM),
    rule("getrandom", "node/src/", SEAM),
];

/// Files that name the system's sockets. Nodes and frontends take their streams and
/// datagrams from there, so that they run over a simulator's as well.
const SOCKETS: &[&str] = &["proto/src/net.rs", "node/src/real/"];

/// What belongs to those files.
const NETWORK: &[Rule] = &[
    rule("tokio::net", "proto/src/", SOCKETS),
    rule("tokio::net", "node/src/", SOCKETS),
    rule("tokio::net", "frontend-server/src/", SOCKETS),
    rule("TcpListener", "frontend-server/src/", SOCKETS),
    rule("TcpStream", "frontend-server/src/", SOCKETS),
];

/// Files that decide. They may not wait, or look at a clock or at dice.
const PURE: &[&str] = &[
    "ids/src/",
    "text/src/",
    "game/src/",
    "cli/src/bench/cost/bill.rs",
    "cli/src/bench/cost/proc.rs",
    "cli/src/bench/seeks/ledger.rs",
    "cli/src/bench/sockets/open/game.rs",
    "cli/src/bench/sockets/open/report.rs",
    "cli/src/bench/sockets/open/rhythm.rs",
    "cli/src/bench/sockets/open/screens.rs",
    "cli/src/bench/sockets/open/sheet.rs",
    "cli/src/bench/spread.rs",
    "cli/src/bot/moves.rs",
    "cli/src/fault/nft.rs",
    "cli/src/fault/patterns.rs",
    "cli/src/fault/plan.rs",
    "cli/src/fault/wording.rs",
    "cli/src/lab/store.rs",
    "cli/src/lab/thin.rs",
    "cli/src/lab/web/guard.rs",
    "cli/src/lab/words.rs",
    "cli/src/play/manner.rs",
    "cli/src/play/workload.rs",
    "cli/src/rolling/order.rs",
    "frontend-server/src/boards.rs",
    "frontend-server/src/bots.rs",
    "frontend-server/src/cluster/crew.rs",
    "frontend-server/src/cluster/flight.rs",
    "frontend-server/src/cluster/nodes.rs",
    "frontend-server/src/cluster/route.rs",
    "frontend-server/src/command.rs",
    "frontend-server/src/deck.rs",
    "frontend-server/src/exchange.rs",
    "frontend-server/src/farewell.rs",
    "frontend-server/src/hub/debt.rs",
    "frontend-server/src/hub/fields.rs",
    "frontend-server/src/hub/followed.rs",
    "frontend-server/src/hub/follows.rs",
    "frontend-server/src/hub/history.rs",
    "frontend-server/src/hub/room.rs",
    "frontend-server/src/message.rs",
    "frontend-server/src/names.rs",
    "frontend-server/src/pace.rs",
    "frontend-server/src/reply.rs",
    "frontend-server/src/session/",
    "frontend-server/src/web/frames.rs",
    "lab/src/",
    "node/src/charter.rs",
    "node/src/faults/weather.rs",
    "node/src/faults/what.rs",
    "node/src/membership/plan/",
    "proto/src/map.rs",
    "proto/src/socket/",
    "tests/events/src/blocks.rs",
    "tests/events/src/card.rs",
    "tests/events/src/page.rs",
    "tests/events/src/pen.rs",
    "tests/events/src/picture.rs",
    "tests/sim/plan/",
    "tests/steps/src/needs.rs",
    "tests/steps/src/report.rs",
    "tests/steps/src/steps.rs",
    "tests/steps/src/totals.rs",
];

/// What a file that decides does not do: wait, look at a clock, draw a number that nobody
/// can draw again, open something.
const IMPURE: &[&str] = &[
    "tokio",
    "async",
    "Instant::now",
    "SystemTime",
    "rand::rng",
    "rand::random",
    "getrandom",
    "std::fs",
    "std::env",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
];

/// Crates that are built with assertions for tests where a world is simulated; see the profile
/// `sim`.
const WATCHED: &[&str] = &["game/src/"];

/// Elsewhere nobody would check these there; `assert!` is checked everywhere.
const ASSERTIONS: &[&str] = &["debug_assert", "debug_assert_eq", "debug_assert_ne"];

/// What a page does not do with what players wrote: take it for markup or for code.
const MARKUP: &[&str] =
    &["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval", "new Function"];

/// Which of our crates a crate may know.
const ACQUAINTANCES: &[(&str, &[&str])] = &[
    ("ids", &[]),
    ("text", &[]),
    ("game", &["hangraft-ids", "hangraft-text", "hangraft-planted"]),
    ("proto", &["hangraft-ids", "hangraft-text"]),
    ("cluster-config", &["hangraft-ids"]),
    (
        "node",
        &[
            "hangraft-game",
            "hangraft-ids",
            "hangraft-text",
            "hangraft-proto",
            "hangraft-cluster-config",
            "hangraft-planted",
        ],
    ),
    (
        "frontend-server",
        &[
            "hangraft-ids",
            "hangraft-text",
            "hangraft-proto",
            "hangraft-cluster-config",
            "hangraft-planted",
        ],
    ),
    ("lab", &["hangraft-ids", "hangraft-proto"]),
    (
        "cli",
        &[
            "hangraft-ids",
            "hangraft-lab",
            "hangraft-node",
            "hangraft-frontend-server",
            "hangraft-proto",
            "hangraft-cluster-config",
            "hangraft-planted",
        ],
    ),
    ("tests/steps", &[]),
    ("tests/events", &["hangraft-proto"]),
];

/// The floors of a crate, from the ground up: a file names files of its own place, and of
/// floors below it. What stands on one floor does not know each other.
const FLOORS: &[(&str, &[&[&str]])] = &[
    (
        "game",
        &[
            &["calendar", "digest", "json", "step"],
            &["answer", "chance", "chat", "command", "openings", "table", "terms"],
            &["attempts", "clock", "notices", "presence", "text"],
            &["offers"],
            &["rules"],
            &["bots", "event"],
            &["contest"],
            &["numbers", "ratings", "room"],
            &["outbox"],
            &["archive", "rooms"],
            &["lobby"],
            &["planted", "snapshot"],
            &["lib"],
        ],
    ),
    (
        "frontend-server",
        &[
            &["bots", "client", "command", "farewell", "pace", "planted"],
            &["crowd", "message", "names", "players", "token", "upstream"],
            &["deck", "mailbox", "reply"],
            &["boards", "meters"],
            &["exchange"],
            &["hub", "session"],
            &["cluster"],
            &["presence", "web"],
            &["lib"],
        ],
    ),
    (
        "node",
        &[
            &["charter", "format", "planted", "storage", "tasks"],
            &["env", "feed", "observe", "small_file"],
            &["events", "faults", "identity"],
            &["peers"],
            &["gossip", "join", "raft"],
            &["replica"],
            &["backup", "chronicle", "membership"],
            &["meters"],
            &["service"],
            &["lib", "real"],
        ],
    ),
    ("lab", &[&["history"], &["timeline"], &["export", "judge", "viewer"], &["lib"]]),
    ("tests/events", &[&["blocks", "page", "pen"], &["card"], &["picture"], &["lib"], &["main"]]),
    (
        "tests/steps",
        &[&["needs", "totals"], &["report", "shell", "steps"], &["machine"], &["run"], &["main"]],
    ),
];

/// Lines of a file, tests left out, and of a function. What is longer is two things.
const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 60;

/// Lines of a script for a shell. What is longer wants types and tests.
const SCRIPT_LINES_MAX: usize = 100;

/// All that the rules of games may lean on: nothing here waits, draws or opens.
const GAME_LEANS_ON: &[&str] = &[
    "hangraft-ids",
    "hangraft-planted",
    "hangraft-text",
    "imbl",
    "postcard",
    "serde",
    "serde_json",
    "thiserror",
    "xxhash-rust",
];

/// The only files that know of planted bugs; elsewhere one is a line, `planted!(...)`.
const PLANTED: &[&str] = &[
    "cli/src/planted.rs",
    "frontend-server/src/planted.rs",
    "game/src/planted.rs",
    "node/src/planted.rs",
    "node/src/raft/mod.rs",
];

/// A Rust file of ours.
struct Source {
    /// Its path from the root, with slashes.
    path: String,
    text: String,
    code: Code,
}

#[test]
fn libraries_stay_in_their_layers() {
    expect_none(breaches(&sources(), LAYERS));
}

#[test]
fn a_node_touches_the_machine_behind_the_seam_only() {
    expect_none(breaches(&sources(), MACHINE));
}

#[test]
fn streams_come_from_the_network_only() {
    expect_none(breaches(&sources(), NETWORK));
}

#[test]
fn files_stand_on_floors() {
    let mut found = Vec::new();
    for (name, floors) in FLOORS {
        found.extend(
            above(&modules(name), floors).into_iter().map(|what| format!("{name}: {what}")),
        );
    }
    expect_none(found);
}

#[test]
fn no_files_name_each_other_in_a_circle() {
    let circles = FLOORS.iter().flat_map(|(name, _)| {
        let circles = modules(name).circles().into_iter();
        circles.map(move |files| format!("{name}: {}", files.join(", ")))
    });
    expect_none(circles.collect());
}

#[test]
fn files_and_functions_are_short() {
    expect_none(sources().iter().flat_map(too_long).collect());
}

#[test]
fn scripts_are_short() {
    let scripts = scripts(root());
    for known in [".ci/run", "scripts/test", "scripts/deploy/hangraft-backup"] {
        assert!(scripts.iter().any(|(path, _)| path == known), "{known} was not found");
    }
    expect_none(scripts.iter().filter_map(|(path, text)| too_long_a_script(path, text)).collect());
}

/// Programs in Go that ask others: a second judge, and the load of others beside us.
#[test]
fn files_and_functions_of_go_are_short() {
    let programs = files(&root().join("scripts"), "go");
    for known in ["scripts/faults/porcupine/main.go", "scripts/peers/main.go"] {
        assert!(programs.iter().any(|(path, _)| path == known), "{known} was not found");
    }
    expect_none(programs.iter().flat_map(|(path, text)| too_long_in_go(path, text)).collect());
}

#[test]
fn what_decides_does_not_wait() {
    expect_none(impurities(&sources()).into_iter().chain(impurities(&test_sources())).collect());
}

#[test]
fn every_file_says_what_it_is() {
    let silent = |source: &&Source| !source.text.starts_with("//!");
    let mut files = sources();
    files.extend(test_sources());
    expect_none(files.iter().filter(silent).map(|source| source.path.clone()).collect());
}

#[test]
fn nothing_is_unwrapped_outside_tests() {
    let unwraps = sources().iter().flat_map(unwraps).collect();
    expect_none(unwraps);
}

#[test]
fn assertions_are_checked_where_worlds_are_simulated() {
    expect_none(unchecked(&sources()));
}

#[test]
fn the_page_takes_nothing_for_markup() {
    let mut scripts = files(&root().join("frontend-server/ui"), "js");
    scripts.extend(files(&root().join("lab/src/viewer"), "js"));
    assert!(scripts.len() > 10, "only {} scripts were found", scripts.len());
    let scripts: Vec<_> = scripts.into_iter().map(|(path, text)| source(path, text)).collect();
    expect_none(named(scripts.iter(), MARKUP));
}

#[test]
fn crates_know_whom_they_may() {
    let mut strangers = Vec::new();
    for (name, known) in ACQUAINTANCES {
        let manifest = read(&root().join(name).join("Cargo.toml"));
        strangers.extend(
            dependencies(&manifest)
                .into_iter()
                .filter(|other| other.starts_with("hangraft") && !known.contains(&other.as_str()))
                .map(|other| format!("{name} may not know {other}")),
        );
    }
    expect_none(strangers);
}

#[test]
fn the_rules_of_games_lean_on_little() {
    let used = dependencies(&read(&root().join("game/Cargo.toml")));
    assert!(!used.is_empty(), "the manifest was not understood");
    expect_none(used.into_iter().filter(|name| !GAME_LEANS_ON.contains(&name.as_str())).collect());
}

#[test]
fn bugs_are_planted_behind_their_feature_only() {
    let marked = |source: &&Source| source.text.contains("feature = \"planted\"");
    let open = sources();
    let open = open.iter().filter(marked).filter(|source| !PLANTED.contains(&&*source.path));
    expect_none(open.map(|source| format!("{} knows of planted bugs", source.path)).collect());
    for name in ["game", "node", "frontend-server", "cli"] {
        let manifest = read(&root().join(name).join("Cargo.toml"));
        assert!(manifest.contains("hangraft-planted = { workspace = true, optional = true }"));
        assert!(!manifest.contains("default ="), "{name} may turn bugs on by itself");
    }
}

#[test]
fn what_is_counted_is_described() {
    expect_none(undescribed(&sources()));
}

/// A rule about a place that is gone would hold for ever.
#[test]
fn the_rules_speak_of_places_that_exist() {
    let rules = LAYERS.iter().chain(MACHINE).chain(NETWORK);
    let places = rules.flat_map(|rule| rule.only.iter().chain([&rule.within])).chain(PURE);
    for place in places {
        assert!(root().join(place).exists(), "there is no {place}");
    }
}

/// Each rule finds who breaks it.
#[test]
fn the_rules_can_be_broken() {
    let file = |path: &str, text: &str| source(path.into(), text.into());
    for (path, text, rules) in [
        ("cli/src/status.rs", "use openraft::Raft;", LAYERS),
        ("node/src/service/game.rs", "use {foca::Foca, x::y};", LAYERS),
        ("frontend-server/src/session.rs", "fn f(x: axum::Json<u8>) {}", LAYERS),
        ("game/src/lobby.rs", "tokio::spawn(x);", LAYERS),
        ("node/src/raft/machine.rs", "use std::{io, fs};", MACHINE),
        ("node/src/gossip/mod.rs", "let at = SystemTime::now();", MACHINE),
        ("node/src/raft/mod.rs", "spawn_blocking(x).await;", MACHINE),
        ("node/src/peers/channel.rs", "use tokio::{net::UdpSocket, sync::mpsc};", NETWORK),
        ("frontend-server/src/web/mod.rs", "use tokio::net;", NETWORK),
        ("frontend-server/src/cluster/link.rs", "use std::{io, net::TcpStream};", NETWORK),
    ] {
        assert_eq!(breaches(&[file(path, text)], rules).len(), 1, "{text} in {path}");
    }
    assert_eq!(impurities(&[file("game/src/room.rs", "let now = Instant::now();")]).len(), 1);
    let asserts = "debug_assert_eq!(a, b);";
    assert_eq!(unchecked(&[file("node/src/raft/mod.rs", asserts)]).len(), 1);
    assert_eq!(unchecked(&[file("game/src/lobby.rs", asserts)]).len(), 0);
    let page = file("ui/room.js", "element.innerHTML = name;");
    assert_eq!(named([&page].into_iter(), MARKUP).len(), 1);
    assert_eq!(unwraps(&file("cli/src/main.rs", "x.unwrap();")).count(), 1);
    assert_eq!(breaches(&[file("node/src/raft/mod.rs", "use openraft::Raft;")], LAYERS).len(), 0);
    let counted =
        file("node/src/peers/channel.rs", "metrics::counter!(\"dials_total\").increment(1);");
    let meters = |text| file("node/src/meters.rs", text);
    let told = meters("describe_counter!(\n    \"dials_total\",\n    \"Dials\"\n);");
    let other = meters("describe_gauge!(\"links\", \"Links\");\ngauge!(\"links\").set(1.0);");
    assert_eq!(undescribed(&[file(&counted.path, &counted.text), other]).len(), 1);
    assert_eq!(undescribed(&[counted, told]).len(), 0);
    let long =
        |lines| format!("impl X {{\n    fn f() {{\n{}    }}\n}}\n", "        x();\n".repeat(lines));
    assert_eq!(too_long(&file("x.rs", &long(FUNCTION_LINES_MAX - 2))), Vec::<String>::new());
    assert_eq!(too_long(&file("x.rs", &long(FUNCTION_LINES_MAX - 1))), ["x.rs:2 f has 61 lines"]);
    assert_eq!(too_long(&file("x.rs", &"x();\n".repeat(FILE_LINES_MAX))).len(), 0);
    assert_eq!(too_long(&file("x.rs", &"x();\n".repeat(FILE_LINES_MAX + 1))).len(), 1);
    assert!(is_script("run.sh", "x") && is_script("run", "#!/usr/bin/env bash\nx"));
    assert!(!is_script("run", "x") && !is_script("run", "#!/usr/bin/env node\nx"));
    let long = |lines| format!("// f.\nfunc f() {{\n{}}}\n", "\tx()\n".repeat(lines));
    assert_eq!(too_long_in_go("x.go", &long(FUNCTION_LINES_MAX - 2)), Vec::<String>::new());
    assert_eq!(too_long_in_go("x.go", &long(FUNCTION_LINES_MAX - 1)), ["x.go:2 has 61 lines"]);
    assert_eq!(too_long_in_go("x.go", &"x\n".repeat(FILE_LINES_MAX + 1)).len(), 1);
    assert_eq!(too_long_a_script("run", &"x\n".repeat(SCRIPT_LINES_MAX)), None);
    assert!(too_long_a_script("run", &"x\n".repeat(SCRIPT_LINES_MAX + 1)).is_some());
    let floors: &[&[&str]] = &[&["ground"], &["roof", "tower"]];
    let house = |ground, roof| {
        Modules::read([("ground.rs", ground), ("roof/mod.rs", roof), ("tower.rs", "")].into_iter())
    };
    for (ground, roof, breaches) in [
        ("", "use crate::ground::G;", 0),
        ("use crate::roof::R;", "", 1),
        ("", "use crate::tower::T;", 1),
        ("use crate::roof::R;", "use crate::ground::G;", 1),
    ] {
        assert_eq!(above(&house(ground, roof), floors).len(), breaches, "{ground} {roof}");
    }
    assert_eq!(house("use crate::roof::R;", "use crate::ground::G;").circles().len(), 1);
    assert_eq!(above(&house("", ""), &[&["ground"], &["roof"]]), ["tower.rs stands on no floor"]);

    let manifest = "[package]\nname = \"x\"\n[dependencies]\nhangraft-game.workspace = true\n\
                    tokio = { workspace = true }\n[dev-dependencies]\nproptest.workspace = true\n";
    assert_eq!(dependencies(manifest), ["hangraft-game", "tokio"]);
}

fn breaches(sources: &[Source], rules: &[Rule]) -> Vec<String> {
    let mut found = Vec::new();
    for Rule { path: name, within, only } in rules {
        let bound = sources.iter().filter(|source| {
            source.path.starts_with(within)
                && !only.iter().any(|place| source.path.starts_with(place))
        });
        for source in bound {
            let lines = source.code.naming(name);
            found.extend(lines.iter().map(|line| format!("{}:{line} names {name}", source.path)));
        }
    }
    found
}

/// Metrics of which `/metrics` would not say what they are.
fn undescribed(sources: &[Source]) -> Vec<String> {
    let described: Vec<&str> =
        sources.iter().flat_map(|source| metrics_in(&source.text, "describe_")).collect();
    let mut found = Vec::new();
    for Source { path, text, .. } in sources {
        let counted = metrics_in(text, "").into_iter().filter(|name| !described.contains(name));
        found.extend(counted.map(|name| format!("{path}: {name} is not described")));
    }
    found
}

/// The names that are given to `counter!` and its like, or to those with this before.
fn metrics_in<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    let mut names = Vec::new();
    for kind in ["counter", "gauge", "histogram"] {
        let call = format!("{before}{kind}!(");
        for (at, _) in text.match_indices(&call) {
            let argument = text[at + call.len()..].trim_start().strip_prefix('"');
            let name = argument.and_then(|rest| rest.split('"').next());
            names.extend(name.filter(|_| !text[..at].ends_with('_')));
        }
    }
    names
}

/// What of a file is too long to be seen at once.
fn too_long(source: &Source) -> Vec<String> {
    let Source { path, code, .. } = source;
    let lines = Some(code.length()).filter(|lines| *lines > FILE_LINES_MAX);
    let mut found: Vec<String> =
        lines.iter().map(|lines| format!("{path} has {lines} lines")).collect();
    let functions = code.functions().into_iter();
    let long = functions.filter(|(_, _, lines)| *lines > FUNCTION_LINES_MAX);
    found.extend(long.map(|(at, name, lines)| format!("{path}:{at} {name} has {lines} lines")));
    found
}

/// The same of a file in Go, as gofmt leaves it: a function ends with a bracket at the margin.
fn too_long_in_go(path: &str, text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found: Vec<String> = Some(lines.len())
        .filter(|count| *count > FILE_LINES_MAX)
        .map(|count| format!("{path} has {count} lines"))
        .into_iter()
        .collect();
    let functions = |(_, line): &(usize, &&str)| line.starts_with("func ") && !line.ends_with('}');
    for (at, _) in lines.iter().enumerate().filter(functions) {
        let end = lines[at..].iter().position(|line| line.starts_with('}'));
        let length = end.map_or(lines.len() - at, |end| end + 1);
        if length > FUNCTION_LINES_MAX {
            found.push(format!("{path}:{} has {length} lines", at + 1));
        }
    }
    found
}

fn too_long_a_script(path: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > SCRIPT_LINES_MAX).then(|| format!("{path} has {lines} lines; write it in Rust"))
}

/// Whether a file is one that a shell runs.
fn is_script(name: &str, text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    let shell = first.rsplit(['/', ' ']).next().is_some_and(|last| last.ends_with("sh"));
    name.ends_with(".sh") || (first.starts_with("#!") && shell)
}

fn impurities(sources: &[Source]) -> Vec<String> {
    let pure = |path: &str| PURE.iter().any(|place| path.starts_with(place));
    named(sources.iter().filter(|source| pure(&source.path)), IMPURE)
}

fn unchecked(sources: &[Source]) -> Vec<String> {
    let watched = |path: &str| WATCHED.iter().any(|place| path.starts_with(place));
    named(sources.iter().filter(|source| !watched(&source.path)), ASSERTIONS)
}

/// Where sources name what they should not.
fn named<'a>(sources: impl Iterator<Item = &'a Source>, names: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        for name in names {
            let lines = source.code.naming(name);
            found.extend(lines.iter().map(|line| format!("{}:{line} names {name}", source.path)));
        }
    }
    found
}

fn unwraps(source: &Source) -> impl Iterator<Item = String> {
    let lines = source.code.holding(".unwrap()");
    lines.into_iter().map(|line| format!("{}:{line} unwraps; say why it holds", source.path))
}

/// The names under `[dependencies]` and `[build-dependencies]`.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut section = "";
    let mut names = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
        } else if ["[dependencies]", "[build-dependencies]"].contains(&section)
            && let Some((name, _)) = line.split_once(['.', '=', ' '])
        {
            names.push(name.to_owned());
        }
    }
    names
}

/// Everything that is compiled into what we ship.
fn sources() -> Vec<Source> {
    let crates = ACQUAINTANCES.iter().map(|(name, _)| *name).chain(["tests"]);
    let files = crates.flat_map(|name| files(&root().join(name).join("src"), "rs"));
    let sources: Vec<_> = files.map(|(path, text)| source(path, text)).collect();
    assert!(sources.len() > 50, "only {} sources were found", sources.len());
    let tests: Vec<String> = sources.iter().flat_map(test_files).collect();
    sources.into_iter().filter(|source| !tests.contains(&source.path)).collect()
}

/// What names files that do not stand below it, and what stands on no floor at all.
fn above(modules: &Modules, floors: &[&[&str]]) -> Vec<String> {
    let place =
        |path: &str| path.split('/').next().unwrap_or(path).trim_end_matches(".rs").to_owned();
    let floor = |path: &str| floors.iter().position(|floor| floor.contains(&&*place(path)));
    let mut found = Vec::new();
    for path in modules.files() {
        let Some(mine) = floor(path) else {
            found.push(format!("{path} stands on no floor"));
            continue;
        };
        let others = modules.named_by(path).filter(|other| place(other) != place(path));
        let up = others.filter(|other| floor(other).is_none_or(|other| other >= mine));
        found.extend(up.map(|other| format!("{path} names {other}, which is not below it")));
    }
    found
}

/// The files of a crate, and which of them each names.
fn modules(name: &str) -> Modules {
    let within = format!("{name}/src/");
    let sources = sources();
    let files = sources
        .iter()
        .filter_map(|source| Some((source.path.strip_prefix(&within)?, source.text.as_str())));
    Modules::read(files)
}

fn test_sources() -> Vec<Source> {
    let crates = ACQUAINTANCES.iter().map(|(name, _)| *name).chain(["tests"]);
    let folders =
        crates.flat_map(|name| ["tests", "examples"].map(|folder| root().join(name).join(folder)));
    let simulation = ["tests/sim", "tests/planted"].map(|folder| root().join(folder));
    let files = folders.chain(simulation).flat_map(|folder| files(&folder, "rs"));
    files.map(|(path, text)| source(path, text)).collect()
}

fn source(path: String, text: String) -> Source {
    Source { code: Code::new(&text), path, text }
}

/// The files of the modules that a source declares for tests only.
fn test_files(source: &Source) -> Vec<String> {
    let folder = source.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let modules = Code::test_modules(&source.text);
    modules.iter().map(|module| format!("{folder}/{module}.rs")).collect()
}

/// All files below a folder that end so, with their text.
fn files(folder: &Path, end: &str) -> Vec<(String, String)> {
    let Ok(entries) = fs::read_dir(folder) else { return vec![] };
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a readable folder").path()).collect();
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(self::files(&path, end));
        } else if path.extension().is_some_and(|extension| extension == end) {
            files.push((below_root(&path), read(&path)));
        }
    }
    files
}

/// All scripts below a folder, hidden ones too, with their text.
fn scripts(folder: &Path) -> Vec<(String, String)> {
    let mut scripts = Vec::new();
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable folder").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("our names are plain");
        if path.is_symlink() || ["target", "node_modules", ".git"].contains(&name) {
            continue;
        } else if path.is_dir() {
            scripts.extend(self::scripts(&path));
        } else if path.is_file()
            && let Ok(text) = fs::read_to_string(&path)
            && is_script(name, &text)
        {
            scripts.push((below_root(&path), text));
        }
    }
    scripts
}

fn below_root(path: &Path) -> String {
    let name = path.strip_prefix(root()).expect("below the root");
    name.to_str().expect("our names are plain").replace('\\', "/")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|err| panic!("cannot read {}: {err}", path.display()))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is above")
}

#[track_caller]
fn expect_none(found: Vec<String>) {
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}
