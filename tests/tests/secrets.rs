//! A hidden word never leaves a node except to someone who may see it, and is
//! never logged.
//!
//! One player sets words; others guess, watch, leave, come back at another
//! frontend, guess wrong, talk, break rules, while nodes and frontends die. Every
//! byte that came to them is kept and read afterwards. The setter's own socket
//! shows the word, and so does everybody's when the round is over, so this test
//! knows what it looks for.

use std::time::Duration;

use hangraft_proto::socket::{Action, Code};
use hangraft_tests::{
    demo::{Demo, Wanted},
    player::Player,
    socket::{Socket, Transcript},
};
use serde_json::{Value, json};

/// Words that nobody says by chance; as they are set, and what would give them away.
const SECRETS: [(&str, &[&str]); 3] = [
    ("Zugzwang", &["zugzwang"]),
    ("quixotic  flummox", &["quixotic", "flummox"]),
    ("Crème-brûlée d’été", &["crème", "brûlée", "brulee", "creme-"]),
];

/// Letters that are in none of them.
const WRONG: [&str; 5] = ["k", "p", "s", "v", "y"];

/// The most detail there is: ours, and that of every library.
const LOG: &str = "trace";

/// Someone who must not see the word, and all that came to them.
struct Outsider {
    player: Player,
    heard: Transcript,
}

#[tokio::test]
async fn nobody_sees_the_word_who_may_not() {
    let demo = Demo::start(&Wanted { log: LOG, ..Wanted::default() }).await;
    let frontends = demo.frontends();
    let told = Transcript::kept();
    let mut setter = Player::arrive_with("Sue", &frontends, 0, told.clone()).await;
    let token = token_in(&told.text());
    for (round, (secret, traces)) in SECRETS.into_iter().enumerate() {
        let room = setter.open(json!({"mode": "setter"})).await;
        // Two beside the setter, two at the other frontend.
        let mut guessers = [outsider(&frontends, 0).await, outsider(&frontends, 1).await];
        let mut watchers = [outsider(&frontends, 0).await, outsider(&frontends, 1).await];
        for guesser in &mut guessers {
            guesser.player.sit(&room).await;
        }
        for watcher in &mut watchers {
            watcher.player.watch(&room).await;
        }
        set_word(&mut setter, secret).await;
        break_rules(&mut guessers[0].player, &room).await;
        let breakage = async {
            match round {
                0 => demo.kill(&demo.leader().await).await,
                1 => demo.kill("f2").await,
                _ => demo.pause(&demo.leader().await).await,
            }
        };
        breakage.await;
        for (i, letter) in WRONG.iter().enumerate() {
            let answer = guessers[i % 2].player.play(json!({"letter": letter})).await;
            answer.expect("a wrong letter is a move");
            guessers[i % 2].player.say("is it an animal?").await.expect("everybody may talk");
            come_and_go(&mut guessers[(i + 1) % 2].player, &mut watchers[i % 2].player, i).await;
        }
        watchers[0].player.ask(Action::Rooms, json!({"game": "hangman"})).await.expect("a list");
        for outsider in watchers.iter_mut().chain(&mut guessers) {
            outsider.player.watch_for(Duration::from_millis(300)).await;
            outsider.player.see("all wrong letters", |view| wrong(view) == WRONG.len()).await;
            let heard = outsider.heard.text();
            assert!(heard.contains("is it an animal?"), "nothing was heard at all");
            assert_eq!(found(&heard, traces), [""; 0], "{heard}");
        }
        setter.see("the own word", |view| view["answer"].is_string()).await;
        assert!(!found(&told.text(), traces).is_empty(), "the setter's socket shows the word");

        // Over: now everybody may see it.
        guessers[0].player.guess('j').await.expect("the last wrong letter");
        for outsider in watchers.iter_mut().chain(&mut guessers) {
            outsider.player.see("the end", |view| view["state"] == "lost").await;
            assert!(!found(&outsider.heard.text(), traces).is_empty(), "the end shows the word");
        }
        mend(&demo).await;
    }
    words_are_not_logged(&demo);
    // Neither is what lets its bearer be somebody.
    assert!(demo.home().logs().iter().all(|(_, text)| !text.contains(&token)), "a token is logged");
}

/// The token that a player was told.
fn token_in(heard: &str) -> String {
    let token = heard.split("\"token\":\"").nth(1).and_then(|rest| rest.split('"').next());
    token.expect("a player is told a token").to_owned()
}

/// A player who has seen nothing yet and watches from the start has no more to
/// see than one who comes late, with an old version or none.
#[tokio::test]
async fn the_archive_and_the_page_tell_nothing_either() {
    let demo = Demo::start(&Wanted::default()).await;
    let frontends = demo.frontends();
    let mut setter = Player::arrive("Sue", &frontends, 0).await;
    let room = setter.open(json!({"mode": "setter"})).await;
    setter.play(json!({"secret": "zugzwang"})).await.expect("a word is set");
    // The setter's own version, asked for by a stranger.
    let heard = Transcript::kept();
    let mut socket = Socket::open_with(&frontends[0], None, heard.clone()).await.unwrap();
    socket.ask(Action::Hello, json!({"name": "Eve"})).await.unwrap().unwrap();
    for since in [json!(null), json!(0), json!(setter.version() - 1), json!(setter.version())] {
        let watch = json!({"room": room, "since": since});
        socket.ask(Action::Watch, watch).await.unwrap().expect("everybody may watch");
        socket.ask(Action::Unwatch, json!({"room": room})).await.unwrap().expect("and stop");
    }
    // The setter leaves the table; the word stays hidden.
    setter.wish(Action::Stand, json!({"room": room})).await.expect("one may always leave");
    socket.ask(Action::Watch, json!({"room": room})).await.unwrap().expect("everybody may watch");
    socket.ask(Action::Rooms, json!({})).await.unwrap().expect("a list");
    socket.ask(Action::Sit, json!({"room": room})).await.unwrap().expect("there are seats");
    socket.push().await.unwrap();
    assert_eq!(found(&heard.text(), &["zugzwang"]), [""; 0]);
    words_are_not_logged(&demo);
}

async fn outsider(frontends: &[String], at: usize) -> Outsider {
    let heard = Transcript::kept();
    let player = Player::arrive_with("Out", frontends, at, heard.clone()).await;
    Outsider { player, heard }
}

/// Sets a word, after some that are refused: those are nobody's business either.
async fn set_word(setter: &mut Player, secret: &str) {
    for bad in [format!("{secret} 4711"), secret.repeat(9), format!("{secret}\u{0}")] {
        let refusal = setter.play(json!({"secret": bad})).await.expect_err("not a word");
        assert_eq!(refusal.code, Code::IllegalMove, "{refusal:?}");
    }
    setter.play(json!({"secret": secret})).await.expect("a word is set");
}

/// A guesser tries what is not theirs.
async fn break_rules(guesser: &mut Player, room: &str) {
    for mv in [
        json!({"secret": "walrus"}),
        json!({"letter": "ab"}),
        json!({"word": ""}),
        json!({"reveal": true}),
        json!(17),
    ] {
        guesser.play(mv).await.expect_err("that is not a guess");
    }
    guesser.wish(Action::Again, json!({"room": room})).await.expect_err("the round is not over");
}

/// Sockets come and go: with the version seen, and anew.
async fn come_and_go(guesser: &mut Player, watcher: &mut Player, i: usize) {
    guesser.go_to(i);
    watcher.go_to(i + 1);
    guesser.ask(Action::Ping, json!({})).await.expect("a ping is answered");
    let room = watcher.room();
    watcher.watch(&room).await;
}

/// Whatever is down comes back.
async fn mend(demo: &Demo) {
    for name in demo.nodes().iter().map(String::as_str).chain(["f1", "f2"]) {
        demo.restart(name).await;
    }
}

fn words_are_not_logged(demo: &Demo) {
    let logs = demo.home().logs();
    assert!(logs.len() >= 5, "there is a log of every process");
    for (file, text) in &logs {
        assert!(text.contains("ready") || text.contains("serves"), "{file} is no log");
        for (_, traces) in SECRETS {
            assert_eq!(found(text, traces), [""; 0], "in {file}");
        }
    }
    let printed = demo.printed();
    assert!(SECRETS.iter().all(|(_, traces)| found(&printed, traces).is_empty()));
}

/// The traces that a text holds: plain, in capitals, with JSON's escapes undone,
/// or spelled in the pattern.
fn found<'a>(text: &str, traces: &[&'a str]) -> Vec<&'a str> {
    let text = text.to_lowercase();
    let spelled = |trace: &str| {
        let letters: Vec<String> = trace.chars().map(|c| format!("\"{c}\"")).collect();
        letters.join(",")
    };
    let escaped = |trace: &str| {
        let escape = |c: char| match c.is_ascii() {
            true => c.to_string(),
            false => format!("\\u{:04x}", u32::from(c)),
        };
        trace.chars().map(escape).collect::<String>()
    };
    let holds = |trace: &&&str| {
        [(**trace).to_owned(), spelled(trace), escaped(trace)]
            .iter()
            .any(|form| text.contains(form))
    };
    traces.iter().filter(holds).copied().collect()
}

fn wrong(view: &Value) -> usize {
    view["wrong"].as_array().map_or(0, Vec::len)
}

/// The search finds what it looks for.
#[test]
fn traces_are_found() {
    for text in [
        r#"{"answer":"Zugzwang"}"#,
        r#"["z","u","g","z","w","a","n","g"]"#,
        "DEBUG secret=ZUGZWANG",
    ] {
        assert_eq!(found(text, &["zugzwang"]), ["zugzwang"], "{text}");
    }
    assert_eq!(found(r#"{"answer":"br\u00fbl\u00e9e"}"#, &["brûlée"]), ["brûlée"]);
    assert_eq!(found(r#"["z",null,"g"]"#, &["zugzwang"]), [""; 0]);
}
