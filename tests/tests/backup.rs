//! The last resorts of an operator: a backup becomes a new cluster, and so does the only
//! disk that is left. Players go on in their rooms, and hardly know.

use std::{
    fs,
    path::{Path, PathBuf},
};

use hangraft_proto::socket::Action;
use hangraft_tests::{
    cluster::Cluster,
    demo::{Demo, Home, Wanted, run_in_vain, run_well},
    player::Player,
    process::Process,
    socket::{Push, Socket, View},
    tables::board,
};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Rooms with two players each.
const ROOMS: usize = 5;

/// A demo whose leaders do not watch newcomers for long.
fn wanted() -> Wanted {
    Wanted { stable_ms: Some(500), ..Wanted::default() }
}

/// Two players, their room as they have seen it last, and what has been guessed.
struct Table {
    players: [Player; 2],
    room: String,
    version: u64,
    board: [Value; 6],
}

/// Everything burns, but for the key and a backup. Whoever was at a table goes on there
/// with what they had in their browser.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backup_destroy_restore_play_on() {
    let demo = Demo::start(&wanted()).await;
    let mut tables = play_some(&demo.frontends()).await;
    let safe = TempDir::new().expect("a temporary folder");
    let (backup, key) = (safe.path().join("games.backup"), safe.path().join("cluster.key"));
    fs::copy(demo.home().key(), &key).expect("the key is a file");
    let node = &demo.record().nodes[1].address;
    let (file, key_file) = (text(&backup), text(&key));
    let save = ["snapshot", "save", file, "--node", node, "--key-file", key_file];
    let saved = run_well(&[&save[..], &["--output", "json"]].concat()).await;
    tables.iter_mut().for_each(Table::close_browsers);
    let home = demo.stop(Signal::SIGINT).await;
    empty(home.dir());

    // A new cluster, of one node at first.
    let (dir, first) = (safe.path().join("n1"), home.new_address());
    let restore = ["snapshot", "restore", file, "--cluster", "phoenix", "--key-file", key_file];
    let place = ["--dir", text(&dir), "--address", &first, "--output", "json"];
    let restored = run_well(&[&restore[..], &place].concat()).await;
    for field in ["index", "term", "rooms", "hash"] {
        assert_eq!(json_of(&restored)[field], json_of(&saved)[field], "{field}");
    }
    assert!(json_of(&saved)["rooms"] == ROOMS && json_of(&restored)["cluster"] == "phoenix");
    let (again, said) = run_in_vain(&[&restore[..], &place].concat()).await;
    assert!(again == Some(1) && said.contains("is not empty"), "{said}");
    let mut node = Process::new("n1", &first, &["node", "--address", &first, "--dir", text(&dir)]);
    node.start();
    let mut cluster = Cluster::of([first]);
    assert_eq!(cluster.until_voters(1).await.cluster, "phoenix");
    let others = [join(&home, &mut cluster, &key).await, join(&home, &mut cluster, &key).await];
    let frontends = frontends(&home, &cluster, &key);

    for table in &mut tables {
        table.play_on().await;
    }
    cluster.agree(3).await;
    drop((frontends, others));
}

/// A page slept through a restore, and has seen more than the backup holds. Versions count
/// for nothing across that: it is shown the room as it is, and hears how it goes on. Nor has
/// a room that is opened now the name of one that was lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_slept_through_a_restore_is_shown_the_whole_room() {
    let demo = Demo::start(&Wanted { nodes: 1, frontends: 1, ..wanted() }).await;
    let mut ann = Player::arrive("Ann", &demo.frontends(), 0).await;
    let room = ann.open(json!({})).await;
    let before = hello(&demo.frontends()[0], ann.token()).await.1;
    let safe = TempDir::new().expect("a temporary folder");
    let (backup, key) = (safe.path().join("games.backup"), safe.path().join("cluster.key"));
    fs::copy(demo.home().key(), &key).expect("the key is a file");
    let node = &demo.record().nodes[0].address;
    let save = ["snapshot", "save", text(&backup), "--node", node, "--key-file", text(&key)];
    run_well(&save).await;
    for letter in ['q', 'z', 'x'] {
        ann.guess(letter).await.expect("a new letter");
    }
    let (seen, token) = (ann.version(), ann.token().to_owned());
    let lost = ann.open(json!({})).await;
    drop(ann);
    let home = demo.stop(Signal::SIGINT).await;
    empty(home.dir());

    let (dir, first) = (safe.path().join("n1"), home.new_address());
    let restore = ["snapshot", "restore", text(&backup), "--cluster", "phoenix"];
    let place = ["--dir", text(&dir), "--address", &first, "--key-file", text(&key)];
    run_well(&[&restore[..], &place].concat()).await;
    let mut node = Process::new("n1", &first, &["node", "--address", &first, "--dir", text(&dir)]);
    node.start();
    let cluster = Cluster::of([first]);
    cluster.until_voters(1).await;
    let frontends = frontends(&home, &cluster, &key);
    let url = format!("http://127.0.0.1:{}", home.port());
    let mut bo = Player::arrive("Bo", std::slice::from_ref(&url), 0).await;
    assert_ne!(bo.open(json!({})).await, lost, "a link to a lost room leads nowhere");

    let (mut page, after) = hello(&url, &token).await;
    assert_ne!(before, after);
    let asked = json!({"room": room, "since": seen, "epoch": before});
    page.ask(Action::Watch, asked).await.expect("it is heard").expect("the room is there");
    let whole = next_view(&mut page).await;
    assert!(whole.resync && whole.version < seen, "{whole:?} after {seen}");
    let guess = json!({"room": room, "move": {"letter": "q"}});
    let granted = page.ask(Action::Play, guess).await.expect("it is heard").expect("it was lost");
    let shown = next_view(&mut page).await;
    assert!(granted["version"].as_u64().is_some_and(|version| version >= shown.version));
    drop(frontends);
}

/// A socket on which somebody has said who they are, and the epoch that it names.
async fn hello(frontend: &str, token: &str) -> (Socket, Value) {
    let mut socket = Socket::open(frontend).await.expect("the frontend lets it in");
    let said = socket.ask(Action::Hello, json!({"token": token})).await.expect("it is heard");
    let epoch = said.expect("the token is good")["server"]["epoch"].clone();
    assert!(epoch.is_string(), "{epoch}");
    (socket, epoch)
}

async fn next_view(socket: &mut Socket) -> View {
    loop {
        if let Push::View(view) = socket.push().await.expect("the socket is open") {
            return view;
        }
    }
}

/// A backup that was damaged is refused before anything is touched, wherever it was.
#[tokio::test]
async fn a_damaged_backup_is_refused() {
    let demo = Demo::start(&Wanted { nodes: 1, frontends: 1, ..wanted() }).await;
    play_some(&demo.frontends()).await;
    let dir = TempDir::new().expect("a temporary folder");
    let (backup, damaged) = (dir.path().join("games.backup"), dir.path().join("damaged.backup"));
    let (node, key) = (&demo.record().nodes[0].address, demo.home().key());
    run_well(&["snapshot", "save", text(&backup), "--node", node, "--key-file", text(&key)]).await;
    let whole = fs::read(&backup).expect("it was saved");

    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let longer = [&whole[..], b"x"].concat();
    let shorter = whole[..whole.len() - 1].to_vec();
    let everywhere = (0..10).map(|i| flipped(i * (whole.len() - 1) / 9));
    let target = dir.path().join("n1");
    for bytes in everywhere.chain([shorter, longer, vec![]]) {
        fs::write(&damaged, bytes).expect("a temporary folder");
        let (code, said) = restore(&damaged, &target, &key).await;
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("nothing was touched"), "{said}");
        assert!(!target.exists(), "{} was made", target.display());
    }
    // And one that is whole is not saved over by one that cannot be had.
    let nowhere = ["snapshot", "save", text(&backup), "--node", "127.0.0.1:1"];
    run_in_vain(&[&nowhere[..], &["--key-file", text(&key)]].concat()).await;
    assert_eq!(fs::read(&backup).expect("it is there still"), whole);
}

/// A backup holds hidden words: who does not show the key gets none.
#[tokio::test]
async fn a_backup_needs_the_key() {
    let demo = Demo::start(&Wanted { nodes: 1, frontends: 1, ..wanted() }).await;
    let dir = TempDir::new().expect("a temporary folder");
    let backup = dir.path().join("games.backup");
    let node = &demo.record().nodes[0].address;
    let save = ["snapshot", "save", text(&backup), "--node", node];
    let wrong = dir.path().join("wrong.key");
    fs::write(&wrong, format!("{:A<43}=", "")).expect("a temporary folder");
    let with_key = [&save[..], &["--key-file", text(&wrong)]].concat();
    let (code, said) = run_in_vain(&with_key).await;
    assert!(code == Some(1) && said.contains("needs the cluster's key"), "{code:?}: {said}");
    assert!(said.contains("--key-file"), "it says what to give: {said}");
    demo.cluster().until_event(node, "Backup was asked for without the cluster's key").await;
    assert!(!backup.exists());
}

/// Two of three disks are lost for good. What the third one holds becomes a new cluster,
/// and only when somebody says that they know what that means.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_survivor_is_recovered() {
    let demo = Demo::start(&wanted()).await;
    let mut tables = play_some(&demo.frontends()).await;
    // What the survivor holds is then everything.
    demo.cluster().agree(3).await;
    let survivor = demo.record().nodes.remove(0);
    let key = demo.home().key();
    tables.iter_mut().for_each(Table::close_browsers);
    let home = demo.stop(Signal::SIGINT).await;
    for lost in ["n2", "n3"] {
        fs::remove_dir_all(home.dir().join(lost)).expect("a dead node's data");
    }

    let config = home.dir().join("n1.toml");
    let recover = ["node", "recover", "--config", text(&config), "--cluster", "demo-2"];
    let (code, said) = run_in_vain(&recover).await;
    assert!(code == Some(2) && said.contains("--accept-loss"), "{code:?}: {said}");
    let recovered =
        run_well(&[&recover[..], &["--accept-loss", "--output", "json"]].concat()).await;
    assert_eq!(json_of(&recovered)["rooms"], ROOMS);

    // As before, but without `cluster.members`.
    let toml = format!("[cluster]\nkey_file = {key:?}\n");
    let mut node = Process::node("n1", &survivor.address, &toml);
    fs::rename(&survivor.dir, node.dir().join("data")).expect("both are temporary folders");
    node.start();
    let mut cluster = Cluster::of([survivor.address]);
    let status = cluster.until_voters(1).await;
    assert_eq!((status.cluster.as_str(), status.names()), ("demo-2", vec!["n1"]));
    let frontends = frontends(&home, &cluster, &key);
    for table in &mut tables {
        table.play_on().await;
    }
    let other = join(&home, &mut cluster, &key).await;
    cluster.agree(2).await;
    drop((frontends, other));
}

/// Two players at each of some tables, at two frontends, who have guessed a little.
async fn play_some(frontends: &[String]) -> Vec<Table> {
    let mut tables = Vec::new();
    for i in 0..ROOMS {
        let mut ann = Player::arrive("Ann", frontends, i).await;
        let mut bo = Player::arrive("Bo", frontends, i + 1).await;
        let room = ann.open(json!({})).await;
        bo.sit(&room).await;
        ann.guess('q').await.expect("a new letter");
        bo.guess('z').await.expect("a new letter");
        let line = bo.say("good luck").await.expect("everybody may talk");
        let version = line["version"].as_u64().expect("changes have versions");
        ann.see_version(version).await;
        let board = board(ann.view());
        tables.push(Table { players: [ann, bo], room, version, board });
    }
    tables
}

impl Table {
    /// Both go away. They keep their tokens and how far they have counted, as pages do.
    fn close_browsers(&mut self) {
        self.players.iter_mut().enumerate().for_each(|(i, player)| player.go_to(i));
    }

    /// Both come back to the room as it was, and go on.
    async fn play_on(&mut self) {
        for player in &mut self.players {
            player.watch(&self.room).await;
            assert_eq!(board(player.view()), self.board, "room {}", self.room);
            // Who is online changes by itself, and counts.
            assert!(player.version() >= self.version, "versions go on");
        }
        let [ann, bo] = &mut self.players;
        // What was granted before is not granted again.
        bo.guess('q').await.expect_err("this letter was guessed before");
        let answer = ann.guess('x').await.expect("the game goes on");
        let version = answer["version"].as_u64().expect("changes have versions");
        bo.see_version(version).await;
        assert_ne!(board(bo.view()), self.board);
        for player in &self.players {
            assert_eq!(player.book().complaints, [""; 0]);
        }
    }
}

/// Two frontends where the demo's were, for the nodes of another cluster.
fn frontends(home: &Home, cluster: &Cluster, key: &Path) -> Vec<Process> {
    let frontend = |i| format!("127.0.0.1:{}", home.port() + i);
    (0..2).map(|i| Process::frontend(&frontend(i), cluster.nodes(), key)).collect()
}

async fn restore(backup: &Path, dir: &Path, key: &Path) -> (Option<i32>, String) {
    let what = ["snapshot", "restore", text(backup), "--cluster", "phoenix"];
    let place = ["--dir", text(dir), "--address", "127.0.0.1:1", "--key-file", text(key)];
    run_in_vain(&[&what[..], &place].concat()).await
}

/// Starts a node that joins, and waits until it is a member.
async fn join(home: &Home, cluster: &mut Cluster, key: &Path) -> Process {
    let node = Process::joining(&home.new_address(), cluster.nodes(), key);
    cluster.until_joined(node.address()).await;
    cluster.meet(node.address());
    node
}

/// Deletes all that a demo has left.
fn empty(dir: &Path) {
    for entry in fs::read_dir(dir).expect("a demo's folder") {
        let path: PathBuf = entry.expect("a demo's folder").path();
        let removed =
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.expect("nobody uses it");
    }
}

fn json_of(printed: &str) -> Value {
    serde_json::from_str(printed).expect("JSON was asked for")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary folder has a plain name")
}
