//! `docs/protocol.md` says what is true: its frames are read with the socket's own types, and
//! every word that a client may say or hear is on it.

use std::{collections::BTreeMap, fs, path::Path};

use hangraft_proto::socket::{
    Action, Answer, ByeCode, Card, Changed, ClientMessage, Code, Following, History, Ladder,
    Listing, Looking, Nothing, NoticeKind, Offer, Offered, Opened, Push, Seated, ServerMessage,
    Watching, Welcome,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

/// What stands on the page behind an arrow.
fn frames() -> Vec<(char, String)> {
    let page = page();
    let lines = page.lines().filter_map(|line| {
        let (arrow, frame) = line.split_once(' ')?;
        let arrow = arrow.chars().next().filter(|arrow| ['→', '←'].contains(arrow))?;
        Some((arrow, frame.to_owned()))
    });
    let frames: Vec<_> = lines.collect();
    assert!(frames.len() > 50, "only {} frames were found", frames.len());
    frames
}

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol.md");
    fs::read_to_string(path).expect("the page")
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|err| panic!("{text}: {err}"))
}

/// What a client says on the page is what a frontend would have it say: nothing is left over
/// when it was read.
#[test]
fn every_request_is_one() {
    for (_, frame) in frames().iter().filter(|(arrow, _)| *arrow == '→') {
        let said = ClientMessage::read(frame).unwrap_or_else(|bad| panic!("{frame}: {}", bad.why));
        assert_eq!(value(&said.request.frame(0))["data"], value(frame)["data"], "{frame}");
    }
}

/// What it hears is what a frontend would say: an answer of the kind that belongs to the
/// question, or a push.
#[test]
fn every_answer_and_every_push_is_one() {
    let mut asked = BTreeMap::new();
    for (arrow, frame) in frames() {
        if arrow == '→' {
            let said = ClientMessage::read(&frame).expect("a request");
            asked.insert(value(&frame)["id"].to_string(), said.request.action());
            continue;
        }
        let heard = ServerMessage::<&RawValue>::read(&frame);
        match heard.unwrap_or_else(|err| panic!("{frame}: {err}")) {
            ServerMessage::Push(push) => pushed(&frame, &push),
            ServerMessage::Answer(Answer { answer: Ok(yes), id }) => {
                let id = id.expect("every question on the page has an id").as_raw().get();
                let action = asked.remove(id).unwrap_or_else(|| panic!("{frame}: not asked"));
                answered(action, yes.get());
            }
            ServerMessage::Answer(Answer { answer: Err(no), .. }) => {
                assert_eq!(value(&frame)["refused"]["code"], no.code.as_str(), "{frame}");
            }
        }
    }
}

fn pushed(frame: &str, push: &Push<'_>) {
    let text = match push {
        Push::View(view) => view.text().0,
        Push::Step(step) => step.text(),
        Push::Bye(bye) => bye.text(),
        Push::Cluster(link) => link.text(),
        Push::Deck(deck) => deck.text(),
        Push::Notice(notice) => notice.text(),
        Push::Lobby(lobby) => lobby.text(),
        Push::Live(live) => live.text(),
        Push::Unknown => panic!("{frame}: nobody knows this push"),
    };
    assert_eq!(value(&text), value(frame));
}

fn answered(action: Action, yes: &str) {
    match action {
        Action::Hello => same::<Welcome<'_>>(yes),
        Action::Open => same::<Opened<'_>>(yes),
        Action::Rooms => same::<Listing>(yes),
        Action::Watch => same::<Watching<'_>>(yes),
        Action::Sit | Action::Stand => same::<Seated>(yes),
        Action::Deck => same::<Looking>(yes),
        Action::Seek | Action::Challenge | Action::Accept => same::<Offered<'_>>(yes),
        Action::Notices => same::<Following>(yes),
        Action::Offer => same::<Offer>(yes),
        Action::History => same::<History>(yes),
        Action::Ladder => drop(serde_json::from_str::<Ladder>(yes).expect("a ladder")),
        Action::Card => drop(serde_json::from_str::<Card>(yes).expect("a card")),
        Action::Unwatch
        | Action::Ping
        | Action::Decline
        | Action::Withdraw
        | Action::Lobby
        | Action::Live => same::<Nothing>(yes),
        Action::Play
        | Action::Again
        | Action::Say
        | Action::Remove
        | Action::Lock
        | Action::Publish
        | Action::Resign
        | Action::Draw
        | Action::Claim
        | Action::Rematch => same::<Changed>(yes),
    }
}

/// It is of that type, and has nothing that the type does not know.
fn same<'a, T: Deserialize<'a> + Serialize>(text: &'a str) {
    let read: T = serde_json::from_str(text).unwrap_or_else(|err| panic!("{text}: {err}"));
    assert_eq!(serde_json::to_value(read).expect("it was JSON before"), value(text));
}

/// Who reads the page knows every word: actions and pushes by an example, codes and kinds
/// from tables.
#[test]
fn every_word_is_explained() {
    let (page, frames) = (page(), frames());
    for action in Action::ALL {
        let said = format!(r#""action":"{action}""#);
        assert!(frames.iter().any(|(_, frame)| frame.contains(&said)), "{action} has no example");
    }
    let pushes = hangraft_proto::map::MAP.iter().flat_map(|chapter| chapter.messages);
    for push in pushes.filter(|message| message.is_on(hangraft_proto::map::Wire::Push)) {
        let heard = format!(r#"{{"push":"{}""#, push.name);
        assert!(frames.iter().any(|(_, frame)| frame.starts_with(&heard)), "{}", push.name);
    }
    let codes = Code::ALL.iter().map(|code| code.as_str());
    let codes = codes.chain(ByeCode::ALL.iter().map(|code| code.as_str()));
    let kinds = NoticeKind::ALL.iter().filter(|kind| **kind != NoticeKind::Other);
    for word in codes.chain(kinds.map(|kind| kind.as_str())) {
        assert!(page.contains(&format!("\n| `{word}` |")), "{word} is in no table");
    }
}
