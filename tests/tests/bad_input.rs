//! Whatever comes in at a socket that makes no sense is refused clearly and
//! changes nothing, and nobody else notices.

use std::time::Duration;

use hangraft_proto::socket::{Action, ByeCode, Code, FRAME_BYTES_MAX};
use hangraft_tests::{
    demo::{Demo, Wanted},
    player::Player,
    socket::{Heard, Push, Refusal, Socket},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

/// How long an answer may take.
const SOON: Duration = Duration::from_secs(10);

/// Seeds of random frames; a failure prints its seed.
const SEEDS: u64 = 40;

/// A table with two players, and someone with bad manners at the same frontend.
struct Scene {
    demo: Demo,
    ann: Player,
    bo: Player,
    board: Value,
    version: u64,
}

impl Scene {
    async fn new(limits: bool) -> Self {
        let demo = Demo::start(&Wanted { limits, ..Wanted::default() }).await;
        let frontends = demo.frontends();
        let mut ann = Player::arrive("Ann", &frontends, 0).await;
        let mut bo = Player::arrive("Bo", &frontends, 1).await;
        let room = ann.open(json!({"category": "science"})).await;
        bo.sit(&room).await;
        ann.guess('e').await.expect("a first letter");
        let ready = |view: &Value| {
            let players = view["players"].as_array().expect("a list");
            let online = players.iter().filter(|player| player["online"] == true).count();
            online == 2 && view["tried"].as_array().is_some_and(|tried| tried.len() == 1)
        };
        ann.see("two players and a letter", ready).await;
        bo.see("two players and a letter", ready).await;
        let (board, version) = (ann.view().clone(), ann.version());
        Self { demo, ann, bo, board, version }
    }

    fn frontend(&self) -> String {
        self.demo.frontends()[0].clone()
    }

    async fn socket(&self) -> Socket {
        Socket::open(&self.frontend()).await.expect("sockets are let in")
    }

    /// A socket that has said who it is.
    async fn guest(&self) -> Socket {
        let mut socket = self.socket().await;
        socket
            .ask(Action::Hello, json!({"name": "Mal"}))
            .await
            .unwrap()
            .expect("everybody is welcome");
        socket
    }

    /// Nothing has changed at the table, and the game goes on.
    async fn unharmed(mut self) {
        self.ann.watch_for(Duration::from_millis(300)).await;
        assert_eq!((self.ann.version(), self.ann.view()), (self.version, &self.board));
        self.bo.guess('q').await.expect("the game goes on");
        let letter = |view: &Value| view["tried"].as_array().is_some_and(|t| t.len() == 2);
        self.ann.see("the next letter", letter).await;
        for player in [&self.ann, &self.bo] {
            assert_eq!(player.book().complaints, [""; 0]);
            assert_eq!(player.book().reconnects, 0, "their sockets stayed open");
        }
    }
}

/// Frames that make no sense are told so, each by its id, and the socket stays open.
#[tokio::test]
async fn nonsense_is_refused_and_the_socket_stays_open() {
    let scene = Scene::new(false).await;
    let room = scene.ann.room();
    let mut socket = scene.guest().await;
    let frames: [(&str, Option<u64>); 17] = [
        ("", None),
        ("hello", None),
        ("{", None),
        ("[]", None),
        ("null", None),
        (r#"{"id":1}"#, Some(1)),
        (r#"{"id":2,"action":"fly","data":{}}"#, Some(2)),
        (r#"{"id":3,"action":7,"data":{}}"#, Some(3)),
        (r#"{"id":4,"action":"sit","data":{"room":1}}"#, Some(4)),
        (r#"{"id":5,"action":"sit","data":[1]}"#, Some(5)),
        (r#"{"id":6,"action":"sit","data":{"room":-1}}"#, Some(6)),
        (r#"{"id":7,"action":"play","data":{"room":ROOM}}"#, Some(7)),
        (r#"{"id":8,"action":"open","data":{"game":"hangman","options":[]}}"#, Some(8)),
        (r#"{"id":{"x":1},"action":"ping","data":{}}"#, None),
        (r#"{"id":9,"action":"say","data":{"room":ROOM,"text":"  "}}"#, Some(9)),
        (r#"{"id":10,"action":"say","data":{"room":ROOM,"text":7}}"#, Some(10)),
        (r#"{"id":11,"action":"sit","data":{"room":ROOM,"serial":0}}"#, Some(11)),
    ];
    for (frame, id) in frames {
        let frame = frame.replace("ROOM", &format!("\"{room}\""));
        let refusal = refused(&mut socket, Message::text(frame.clone()), id).await;
        assert_eq!(refusal.code, Code::BadRequest, "{frame}: {refusal:?}");
        assert!(refusal.message.len() > 10, "{frame}: {refusal:?}");
    }
    let refusal = refused(&mut socket, Message::binary(vec![1, 2, 3]), None).await;
    assert_eq!(refusal.code, Code::BadRequest);

    // What makes sense as a frame, and not as a wish.
    for (action, data, code) in [
        (Action::Open, json!({"game": "chess"}), Code::BadRequest),
        (Action::Open, json!({"game": "hangman", "options": {"mode": "solo"}}), Code::BadRequest),
        (Action::Open, json!({"game": "hangman", "options": {"seats": 99}}), Code::BadRequest),
        (Action::Sit, json!({"room": "one"}), Code::NoSuchRoom),
        (Action::Watch, json!({"room": "aaaaaaaaaaaaaaaa"}), Code::NoSuchRoom),
        (Action::Play, json!({"room": room, "move": {"letter": "z"}}), Code::NotSeated),
        (Action::Again, json!({"room": room}), Code::NotSeated),
        (Action::Say, json!({"room": room, "text": "x".repeat(501)}), Code::TooLarge),
    ] {
        let answer = socket.ask(action, data.clone()).await.unwrap();
        assert_eq!(answer.expect_err(action.as_str()).code, code, "{action} {data}");
    }
    socket.ask(Action::Ping, json!({})).await.unwrap().expect("the socket is open");
    scene.unharmed().await;
}

/// A move at the table that is none is refused to the player who tried it.
#[tokio::test]
async fn moves_that_are_none_change_nothing() {
    let mut scene = Scene::new(false).await;
    for (mv, code) in [
        (json!({}), Code::BadRequest),
        (json!(null), Code::BadRequest),
        (json!("e"), Code::BadRequest),
        (json!({"letter": 5}), Code::BadRequest),
        (json!({"letter": "q", "word": "quark"}), Code::BadRequest),
        (json!({"letter": "q", "seat": 1}), Code::BadRequest),
        (json!({"letter": "qq"}), Code::IllegalMove),
        (json!({"letter": "7"}), Code::IllegalMove),
        (json!({"letter": "e"}), Code::IllegalMove),
        (json!({"word": ""}), Code::IllegalMove),
        (json!({"secret": "walrus"}), Code::IllegalMove),
    ] {
        let refusal = scene.bo.play(mv.clone()).await.expect_err("not a move");
        assert_eq!(refusal.code, code, "{mv}: {refusal:?}");
    }
    scene.unharmed().await;
}

/// Before hello nothing can be done but ping; a token that is not ours is no
/// token; and a socket stays the player it was.
#[tokio::test]
async fn nobody_is_somebody_else() {
    let scene = Scene::new(false).await;
    let room = scene.ann.room();
    let mut socket = scene.socket().await;
    for (action, data) in [
        (Action::Rooms, json!({})),
        (Action::Watch, json!({"room": room})),
        (Action::Sit, json!({"room": room})),
        (Action::Play, json!({"room": room, "move": {"letter": "z"}})),
        (Action::Say, json!({"room": room, "text": "hi"})),
    ] {
        let refusal = socket.ask(action, data).await.unwrap().expect_err("who is it?");
        assert_eq!(refusal.code, Code::Unauthorized, "{action}");
    }
    let token = scene.ann.token().to_owned();
    for bad in ["", "x", ".", &token[1..], &token[..token.len() - 2], &format!("{token}A"), "é.é"]
    {
        let hello = json!({"name": "Mal", "token": bad});
        let refusal = socket.ask(Action::Hello, hello).await.unwrap().expect_err("not our token");
        assert_eq!(refusal.code, Code::Unauthorized, "{bad}");
    }
    for name in ["x".repeat(25), "bell\u{7}".into()] {
        let refusal = socket.ask(Action::Hello, json!({"name": name})).await.unwrap();
        let code = refusal.expect_err("not a name").code;
        assert!([Code::BadRequest, Code::TooLarge].contains(&code), "{name}: {code}");
    }
    let first = socket.ask(Action::Hello, json!({"name": "Mal"})).await.unwrap().expect("welcome");
    let again =
        socket.ask(Action::Hello, json!({"name": "Val"})).await.unwrap().expect("another name");
    assert_eq!((&first["player"], &again["name"]), (&again["player"], &json!("Val")));
    let refusal =
        socket.ask(Action::Hello, json!({"token": token})).await.unwrap().expect_err("Ann?");
    assert_eq!(refusal.code, Code::Unauthorized);
    let play = json!({"room": room, "move": {"letter": "z"}});
    assert_eq!(
        socket.ask(Action::Play, play).await.unwrap().expect_err("no seat").code,
        Code::NotSeated
    );
    scene.unharmed().await;
}

/// A frame of eight KiB is read; a larger one closes the socket with 1009, and
/// says why before.
#[tokio::test]
async fn an_oversized_frame_ends_the_socket() {
    let scene = Scene::new(false).await;
    let frame = |length: usize| {
        let start = r#"{"id":1,"action":"ping","data":{},"pad":""#;
        format!("{start}{}\"}}", "x".repeat(length - start.len() - 2))
    };
    let mut socket = scene.guest().await;
    socket.send(Message::text(frame(FRAME_BYTES_MAX))).await.unwrap();
    assert!(matches!(next(&mut socket).await, Heard::Answer(Some(1), Ok(_))), "just fits");
    for size in [FRAME_BYTES_MAX + 1, 60 << 10, 1 << 20] {
        let mut socket = scene.guest().await;
        // The server may hang up before it has all of it.
        _ = socket.send(Message::text(frame(size))).await;
        let (bye, close) = farewell(&mut socket).await;
        // Far too much is not read at all, so its sender may miss the last words.
        if size < 64 << 10 {
            assert_eq!(bye, Some(ByeCode::TooLarge), "{size}");
            assert_eq!(close, Some(1009), "{size}");
        }
    }
    scene.unharmed().await;
}

/// Whoever goes on sending nonsense is told goodbye, with 1008.
#[tokio::test]
async fn abuse_ends_the_socket() {
    let scene = Scene::new(true).await;
    let mut socket = scene.guest().await;
    for _ in 0..40 {
        if socket.send(Message::text("nonsense")).await.is_err() {
            break;
        }
    }
    assert_eq!(farewell(&mut socket).await, (Some(ByeCode::Abuse), Some(1008)));
    scene.unharmed().await;
}

/// A hundred actions in twenty seconds are fine; then it is too fast, for all
/// sockets of that player at this frontend, and for nobody else.
#[tokio::test]
async fn a_hasty_player_is_slowed_down() {
    let scene = Scene::new(true).await;
    let mut socket = scene.socket().await;
    let hello = socket.ask(Action::Hello, json!({"name": "Mal"})).await.unwrap().expect("welcome");
    let mut second = scene.socket().await;
    let token = json!({"token": hello["token"]});
    second.ask(Action::Hello, token).await.unwrap().expect("the same player");
    let mut answers = [0, 0];
    for i in 0..120 {
        let socket = if i % 2 == 0 { &mut socket } else { &mut second };
        match socket.ask(Action::Ping, json!({})).await.unwrap() {
            Ok(_) => answers[0] += 1,
            Err(refusal) => {
                assert_eq!(refusal.code, Code::TooFast);
                answers[1] += 1;
            }
        }
    }
    assert!((95..=105).contains(&answers[0]), "{answers:?}");
    scene.unharmed().await;
}

/// Pages of others may not open sockets here; programs without a page may.
#[tokio::test]
async fn other_peoples_pages_are_not_let_in() {
    let scene = Scene::new(true).await;
    let frontend = scene.frontend();
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        let err = Socket::open_from(&frontend, origin).await.expect_err(origin);
        assert!(err.to_string().contains("403"), "{err}");
    }
    for origin in scene.demo.frontends() {
        Socket::open_from(&frontend, &origin).await.expect("our own pages");
    }
    scene.unharmed().await;
}

/// Frames made by chance from pieces of good ones: each is answered or ends the
/// socket, and the table stays as it is.
#[tokio::test]
async fn frames_made_by_chance_harm_nobody() {
    let scene = Scene::new(false).await;
    for seed in 0..SEEDS {
        let mut dice = StdRng::seed_from_u64(seed);
        let mut socket = scene.guest().await;
        let frames = dice.random_range(1..20);
        for _ in 0..frames {
            let frame = random_frame(&mut dice, &scene.ann.room());
            if socket.send(frame).await.is_err() {
                break;
            }
        }
        // The socket is still of use, or was closed; it is not left hanging.
        if let Err(err) = socket.ask(Action::Ping, json!({})).await {
            assert_ne!(err.to_string(), "no answer", "seed {seed}");
        }
    }
    scene.unharmed().await;
}

/// A frame that is nearly good. It is never a wish that the table would grant.
fn random_frame(dice: &mut StdRng, room: &str) -> Message {
    const PIECES: [&str; 16] = [
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"id\"",
        "\"action\"",
        "\"data\"",
        "\"play\"",
        "\"watch\"",
        "1e999",
        "-0",
        "\"\\ud800\"",
        "\u{0}",
        "18446744073709551616",
    ];
    let text = match dice.random_range(0..3) {
        0 => (0..dice.random_range(1..30)).map(|_| PIECES[dice.random_range(0..16)]).collect(),
        1 => {
            let good =
                format!(r#"{{"id":1,"action":"watch","data":{{"room":"{room}","since":1}}}}"#);
            let mut bytes = good.into_bytes();
            let at = dice.random_range(0..bytes.len());
            bytes[at] = dice.random_range(32..127);
            String::from_utf8(bytes).expect("plain ASCII")
        }
        _ => "[".repeat(dice.random_range(1..8_000)),
    };
    match dice.random_range(0..8) {
        0 => Message::binary(text.into_bytes()),
        _ => Message::text(text),
    }
}

async fn refused(socket: &mut Socket, frame: Message, id: Option<u64>) -> Refusal {
    let sent = format!("{frame:?}");
    socket.send(frame).await.unwrap();
    match next(socket).await {
        Heard::Answer(answered, Err(refusal)) => {
            assert_eq!(answered, id, "{sent}");
            refusal
        }
        other => panic!("{sent} was not refused: {other:?}"),
    }
}

async fn next(socket: &mut Socket) -> Heard {
    loop {
        match timeout(SOON, socket.hear()).await.expect("something is heard") {
            // How the cluster is, nobody asked.
            Ok(Heard::Push(Push::Other)) => {}
            Ok(heard) => return heard,
            Err(_) => return Heard::Closed(None),
        }
    }
}

/// The last words of a server, and the code it closes with.
async fn farewell(socket: &mut Socket) -> (Option<ByeCode>, Option<u16>) {
    let mut bye = None;
    loop {
        match next(socket).await {
            Heard::Push(Push::Bye(words)) => bye = Some(words),
            Heard::Closed(frame) => return (bye, frame.map(|frame| frame.code.into())),
            Heard::Push(_) | Heard::Answer(..) => {}
        }
    }
}
