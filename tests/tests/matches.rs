//! Strangers find each other: on two frontends, while a leader dies, while everything is
//! restarted. Who is alone gets a bot, who is gone is not waited for, and what players are
//! told comes each once and in order, wherever they are.

use std::{
    path::Path,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use hangraft_proto::socket::{Action, Code, Notice, NoticeKind};
use hangraft_tests::{
    cluster::Status,
    demo::{Demo, Wanted, binary},
    killer::kill_nodes,
    player::Player,
    socket::{Push, Socket},
    wait::eventually,
};
use serde_json::{Value, json};
use tokio::{
    process::Command,
    task::JoinSet,
    time::{sleep, timeout},
};

/// How long something may take that people wait for: two cores, many demos.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a program that plays, or restarts everything, may take.
const PROGRAM: Duration = Duration::from_secs(300);

/// What every node must know of every other before matches are made.
const NEEDED: [&str; 3] = ["batch:2", "rooms:hosts", "lobby:matches"];

/// Players in a run with kills, and how long they begin new matches.
const STRANGERS: usize = 8;
const CHAOS: Duration = Duration::from_secs(30);

/// Bots that play while everything is restarted, and games of each, in one go.
const BOTS: u64 = 6;
const GAMES: u64 = 2;

/// Ann presses "Play now" at one frontend and Bo at the other. They are in a game with each
/// other, and both see the same end of it.
#[tokio::test]
async fn two_strangers_on_two_frontends_play_with_each_other() {
    let demo = demo(true).await;
    let (mut ann, mut bo) = strangers(&demo.frontends()).await;
    ann.seek(json!({"game": "tic-tac-toe"})).await;
    bo.seek(json!({"game": "tic-tac-toe"})).await;
    let told = both_matched(&mut ann, &mut bo).await;
    play_out(&mut ann, &mut bo, &told).await;
}

/// The leader dies between Ann's tap and Bo's.
#[tokio::test]
async fn a_seek_outlives_the_leader() {
    let demo = demo(true).await;
    let (mut ann, mut bo) = strangers(&demo.frontends()).await;
    let offer = ann.seek(json!({"game": "tic-tac-toe", "clock": 30})).await;
    demo.kill(&demo.leader().await).await;
    bo.seek(json!({"game": "tic-tac-toe", "clock": 30})).await;
    let told = both_matched(&mut ann, &mut bo).await;
    assert_eq!(told[0].offer, Some(offer));
    play_out(&mut ann, &mut bo, &told).await;
}

/// Nobody else is there: a bot plays, says that it is one, and the game comes to its end.
#[tokio::test]
async fn who_is_alone_gets_a_bot() {
    let demo = demo(true).await;
    let mut ann = Player::arrive("Ann", &demo.frontends(), 0).await;
    ann.listen().await;
    ann.seek(json!({"game": "tic-tac-toe", "bot_after_ms": 300})).await;
    let told = ann.be_matched().await;
    assert!(told.bot.is_some(), "{told:?}");
    let seat = u64::from(told.seat.expect("a seat").0);
    let mine = |view: &Value| is_over(view) || view["turn"] == seat;
    ann.see("her turn", mine).await;
    while !is_over(ann.view()) {
        let played = ann.play(first_free(ann.view())).await.expect("it is her turn");
        ann.see_version(played["version"].as_u64().expect("changes have versions")).await;
        ann.see("the bot's mark, or the end", mine).await;
    }
    assert_eq!(ann.view()["match"]["rated"], false, "bots are not rated");
    assert_eq!(ann.book().complaints, [""; 0]);
}

/// Ann's battery is empty. Nobody is matched with her: her seek is withdrawn, and when she
/// comes back, at another frontend, she is told so.
#[tokio::test]
async fn who_is_gone_does_not_seek_any_more() {
    let demo = demo(true).await;
    let (mut ann, mut bo) = strangers(&demo.frontends()).await;
    let offer = ann.seek(json!({"game": "tic-tac-toe"})).await;
    bo.ask(Action::Offer, json!({"offer": offer})).await.expect("it stands");
    ann.go_to(1);
    eventually("the offer is gone", PATIENCE, async || {
        let looked = bo.ask(Action::Offer, json!({"offer": offer})).await;
        looked.is_err_and(|no| no.code == Code::NoSuchOffer).then_some(())
    })
    .await;
    let told = ann.hear(NoticeKind::Unmatched).await;
    assert_eq!((told.offer, told.why.as_deref()), (Some(offer), Some("gone")));
    assert_eq!(ann.book().complaints, [""; 0]);
}

/// Ann's frontend dies before Bo comes. At the other one she is told what she has missed,
/// by its number; whoever asks for it again from there on is told the same again.
#[tokio::test]
async fn what_players_are_told_follows_them() {
    let demo = demo(true).await;
    let (mut ann, mut bo) = strangers(&demo.frontends()).await;
    let first = ann.seek(json!({"game": "hangman"})).await;
    ann.wish(Action::Withdraw, json!({"offer": first})).await.expect("it is hers");
    assert_eq!(ann.hear(NoticeKind::Unmatched).await.offer, Some(first));
    let before = ann.told();
    ann.seek(json!({"game": "tic-tac-toe"})).await;
    demo.kill("f1").await;
    bo.seek(json!({"game": "tic-tac-toe"})).await;
    ann.go_to(1);
    let told = both_matched(&mut ann, &mut bo).await;
    assert_eq!(told[0].number.0, before + 1);

    let mut again = Socket::open(&demo.frontends()[1]).await.expect("it is well");
    again.ask(Action::Hello, json!({"token": ann.token()})).await.unwrap().expect("welcome");
    let asked = again.ask(Action::Notices, json!({"since": before})).await.unwrap();
    assert_eq!(asked.expect("they are hers")["number"], before + 1);
    let told_again = timeout(PATIENCE, next_notice(&mut again)).await.expect("it is told again");
    assert_eq!((told_again.number, &told_again.room), (told[0].number, &told[0].room));
    play_out(&mut ann, &mut bo, &told).await;
}

/// Every node and every frontend is restarted, one after the other, while Ann and Bo are in
/// a match and bots play one match after the other over sockets. Every match comes to its
/// end, and nobody is told anything twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn matches_outlive_a_rolling_restart() {
    let demo = demo(false).await;
    let (mut ann, mut bo) = strangers(&demo.frontends()).await;
    ann.seek(json!({"game": "tic-tac-toe"})).await;
    bo.seek(json!({"game": "tic-tac-toe"})).await;
    let told = both_matched(&mut ann, &mut bo).await;
    let (urls, over) = (demo.frontends(), Arc::<AtomicBool>::default());
    let playing = tokio::spawn(bots_play(urls, over.clone()));
    let said = restart_all(demo.home().dir()).await;
    over.store(true, Ordering::Relaxed);
    let games = playing.await.expect("bots play to the end");
    println!("{games} games of bots\n{said}");
    play_out(&mut ann, &mut bo, &told).await;
    assert!(games > 0, "nobody played meanwhile");
    assert!(ann.book().reconnects + bo.book().reconnects > 2, "nobody's socket moved");
    demo.cluster().agree(3).await;
}

/// Strangers play one match after the other while nodes die. The numbers that everybody sees
/// are those that the players have counted themselves: moves that were accepted, and matches
/// that have ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_numbers_are_those_that_players_count() {
    let demo = Arc::new(demo(false).await);
    let (over, counted) = (Arc::<AtomicBool>::default(), Arc::<Counted>::default());
    let mut playing = JoinSet::new();
    for nth in 0..STRANGERS {
        let mut player = Player::arrive(&format!("P{nth}"), &demo.frontends(), nth).await;
        player.listen().await;
        playing.spawn(play_matches(player, over.clone(), counted.clone()));
    }
    let killing = Arc::<AtomicBool>::default();
    let killer = tokio::spawn(kill_nodes(demo.clone(), killing.clone()));
    sleep(CHAOS).await;
    over.store(true, Ordering::Relaxed);
    while let Some(player) = playing.join_next().await {
        assert_eq!(player.expect("they play to the end").book().complaints, [""; 0]);
    }
    killing.store(true, Ordering::Relaxed);
    let (kills, leaders) = killer.await.expect("nodes are killed");
    let moves = counted.moves.load(Ordering::Relaxed);
    // Both of a match have counted it.
    let matches = counted.ended.load(Ordering::Relaxed) / 2;
    println!("{moves} moves, {matches} matches; {kills} nodes killed, {leaders} of them led");
    assert!(moves > 20 && matches > 2, "hardly anybody played");

    for frontend in demo.frontends() {
        let numbers = timeout(PATIENCE, numbers(&frontend, moves, matches)).await;
        let numbers = numbers.expect("the numbers come to what was counted").expect("a socket");
        assert_eq!((&numbers["moves"], &numbers["matches"]), (&moves.into(), &matches.into()));
    }
    let hashes = demo.hashes_at_rest().await;
    assert!(hashes.iter().all(|hash| *hash == hashes[0]), "replicas drifted apart: {hashes:?}");
}

/// What players have counted.
#[derive(Debug, Default)]
struct Counted {
    moves: AtomicU64,
    ended: AtomicU64,
}

/// A demo in which matches are made: every node knows that every node can.
async fn demo(limits: bool) -> Demo {
    let demo = Demo::start(&Wanted { limits, ..Wanted::default() }).await;
    let known = |status: &Status| NEEDED.iter().all(|it| status.features.contains(&(*it).into()));
    demo.cluster().until("every node can make matches", known).await;
    demo
}

/// Ann and Bo, at two frontends; both listen to what they are told.
async fn strangers(frontends: &[String]) -> (Player, Player) {
    let mut ann = Player::arrive("Ann", frontends, 0).await;
    let mut bo = Player::arrive("Bo", frontends, 1).await;
    ann.listen().await;
    bo.listen().await;
    (ann, bo)
}

/// Both are told of the same match, and of each other.
async fn both_matched(ann: &mut Player, bo: &mut Player) -> [Notice; 2] {
    let told = [ann.be_matched().await, bo.be_matched().await];
    assert_eq!(told[0].room, told[1].room, "one match");
    assert_ne!(told[0].seat, told[1].seat);
    let others = told.each_ref().map(|told| told.player.expect("an opponent").to_string());
    assert_eq!(others, [bo.id(), ann.id()]);
    told
}

/// Both mark the first free cell, turn by turn, until one has three in a row.
async fn play_out(ann: &mut Player, bo: &mut Player, told: &[Notice; 2]) {
    let seat = |told: &Notice| u64::from(told.seat.expect("a seat").0);
    let (anns, bos) = (seat(&told[0]), seat(&told[1]));
    while !is_over(ann.view()) {
        let (player, other) = match ann.view()["turn"] == anns {
            true => (&mut *ann, &mut *bo),
            false => (&mut *bo, &mut *ann),
        };
        let played = player.play(first_free(other.view())).await.expect("it is their turn");
        let version = played["version"].as_u64().expect("changes have versions");
        tokio::join!(player.see_version(version), other.see_version(version));
    }
    for player in [ann, bo] {
        player.see("the result", |view| view["match"]["result"].is_object()).await;
        let winner = &player.view()["match"]["result"]["winner"];
        assert!(*winner == anns || *winner == bos, "{}", player.view());
        assert_eq!(player.book().complaints, [""; 0]);
    }
}

fn is_over(view: &Value) -> bool {
    view["state"] != "playing" && view["state"] != "waiting"
}

/// A mark in the first cell that has none.
fn first_free(view: &Value) -> Value {
    let cells = view["cells"].as_array().expect("a board of tic-tac-toe");
    json!({"cell": cells.iter().position(Value::is_null).expect("a free cell")})
}

async fn next_notice(socket: &mut Socket) -> Notice {
    loop {
        if let Push::Notice(notice) = socket.push().await.expect("it is well") {
            return *notice;
        }
    }
}

/// One match after the other, with whoever comes, until it is over; then the last seek is
/// taken back, unless somebody came first.
async fn play_matches(mut player: Player, over: Arc<AtomicBool>, counted: Arc<Counted>) -> Player {
    while !over.load(Ordering::Relaxed) {
        let offer = player.seek(json!({"game": "tic-tac-toe", "within": 0})).await;
        if let Some(told) = until_matched(&mut player, &offer, &over).await {
            play_match(&mut player, &told, &counted).await;
        }
    }
    player
}

/// Waits until an offer has become a match, or until it is over.
async fn until_matched(player: &mut Player, offer: &str, over: &AtomicBool) -> Option<Notice> {
    let mut withdrawn = false;
    loop {
        let told = player.hear_within(Duration::from_millis(200)).await;
        match told.filter(|told| told.offer.as_deref() == Some(offer)) {
            Some(told) if told.kind == NoticeKind::Matched => {
                player.watch(told.room.as_deref().expect("a match has a room")).await;
                return Some(told);
            }
            Some(_) => return None,
            None if over.load(Ordering::Relaxed) && !withdrawn => {
                // Refused when somebody came first; then they are told so.
                _ = player.wish(Action::Withdraw, json!({"offer": offer})).await;
                withdrawn = true;
            }
            None => {}
        }
    }
}

async fn play_match(player: &mut Player, told: &Notice, counted: &Counted) {
    let seat = u64::from(told.seat.expect("a seat").0);
    let mine = |view: &Value| is_over(view) || view["turn"] == seat;
    loop {
        player.see("their turn, or the end", mine).await;
        if is_over(player.view()) {
            break;
        }
        let answer = player.play(first_free(player.view())).await.expect("it is their turn");
        counted.moves.fetch_add(1, Ordering::Relaxed);
        let version = answer["version"].as_u64().expect("changes have versions");
        player.see_version(version).await;
    }
    player.see("the result", |view| view["match"]["result"].is_object()).await;
    counted.ended.fetch_add(1, Ordering::Relaxed);
    let room = player.room();
    player.wish(Action::Stand, json!({"room": room})).await.expect("the round is over");
}

/// The numbers at a frontend, as soon as they have come to those.
async fn numbers(frontend: &str, moves: u64, matches: u64) -> anyhow::Result<Value> {
    let mut socket = Socket::open(frontend).await?;
    socket.ask(Action::Hello, json!({"name": "Wim"})).await?.expect("welcome");
    socket.ask(Action::Live, json!({"open": true})).await?.expect("anybody may look");
    let least = |numbers: &Value, field: &str, least| numbers[field].as_u64() >= Some(least);
    loop {
        if let Push::Live(numbers) = socket.push().await?
            && least(&numbers, "moves", moves)
            && least(&numbers, "matches", matches)
        {
            return Ok(numbers);
        }
    }
}

/// Bots play some games, again and again, until it is over; how many games. Every game of
/// every bot must come to its end.
async fn bots_play(urls: Vec<String>, over: Arc<AtomicBool>) -> u64 {
    let mut games = 0;
    while !over.load(Ordering::Relaxed) {
        let mut command = Command::new(binary());
        command.args(["bot", "--output", "json", "--think", "400"]);
        command.args(["--bots", &BOTS.to_string(), "--games", &GAMES.to_string()]);
        urls.iter().for_each(|url| _ = command.args(["--url", url]));
        let output = timeout(PROGRAM, run(command)).await.expect("every game ends");
        let summary: Value = serde_json::from_str(&output).expect("a summary");
        assert_eq!((&summary["games"], &summary["void"]), (&(BOTS * GAMES).into(), &0.into()));
        games += BOTS * GAMES;
    }
    games
}

/// Runs the script that operators run; what it says.
async fn restart_all(dir: &Path) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/rolling-restart");
    let mut command = Command::new(script);
    command.arg("--dir").arg(dir).env("HANGRAFT_BIN", binary());
    timeout(PROGRAM, run(command)).await.expect("it ends")
}

/// Runs a program that must do well; what it prints.
async fn run(mut command: Command) -> String {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    String::from_utf8(output.stdout).expect("text")
}
