//! How a client reads what it hears: in one go, whatever it is.

use std::borrow::Cow;

use hangraft_ids::{NodeId, Version};
use serde::{Deserialize, de::Error};
use serde_json::value::RawValue;

use super::answer::{Answer, Refused};
use super::code::ByeCode;
use super::epoch::Epoch;
use super::push::{self, Bye, Link, LinkState, Push, Step, View};
use super::request::RequestId;
use super::words;

/// What a client hears. `T` is what it reads of a yes; the views are not taken apart.
#[derive(Clone, Debug)]
pub enum ServerMessage<'a, T> {
    /// What became of a request.
    Answer(Answer<'a, T>),
    /// What nobody asked for.
    Push(Push<'a>),
}

/// Everything that any frame of a server can have.
#[derive(Deserialize)]
struct Frame<'a, T> {
    #[serde(borrow)]
    id: Option<RequestId<'a>>,
    ok: Option<T>,
    #[serde(borrow)]
    refused: Option<Refused<'a>>,
    #[serde(borrow, default, deserialize_with = "words::optional")]
    push: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "words::optional")]
    room: Option<Cow<'a, str>>,
    version: Option<Version>,
    #[serde(borrow)]
    view: Option<&'a RawValue>,
    #[serde(borrow)]
    set: Option<&'a RawValue>,
    #[serde(borrow)]
    unset: Option<&'a RawValue>,
    #[serde(borrow)]
    events: Option<&'a RawValue>,
    #[serde(default)]
    resync: bool,
    #[serde(default)]
    closed: bool,
    code: Option<ByeCode>,
    #[serde(borrow, default, deserialize_with = "words::optional")]
    message: Option<Cow<'a, str>>,
    state: Option<Link>,
    leader: Option<NodeId>,
    epoch: Option<Epoch>,
}

#[derive(Deserialize)]
struct PushOnly<'a> {
    #[serde(borrow)]
    push: Cow<'a, str>,
}

impl<'a, T: Deserialize<'a>> ServerMessage<'a, T> {
    /// Understands one text frame.
    ///
    /// # Errors
    /// When it is not of the contract. A push that is not known is.
    pub fn read(text: &'a str) -> serde_json::Result<Self> {
        match serde_json::from_str::<Frame<'a, T>>(text) {
            Ok(frame) => match seldom(frame.push.as_deref(), text)? {
                Some(push) => Ok(Self::Push(push)),
                None => frame.understood(),
            },
            // What a push of tomorrow holds may look like nothing of today.
            Err(err) => match serde_json::from_str::<PushOnly<'_>>(text) {
                Ok(PushOnly { push }) if !is_known(&push) => Ok(Self::Push(Push::Unknown)),
                _ => Err(err),
            },
        }
    }
}

/// A push that few hear, so that the frame that all are read as has no fields for it.
fn seldom<'a>(push: Option<&str>, text: &'a str) -> serde_json::Result<Option<Push<'a>>> {
    Ok(Some(match push {
        Some(push::DECK) => Push::Deck(serde_json::from_str(text)?),
        Some(push::NOTICE) => Push::Notice(serde_json::from_str(text)?),
        Some(push::LOBBY) => Push::Lobby(serde_json::from_str(text)?),
        Some(push::LIVE) => Push::Live(serde_json::from_str(text)?),
        _ => return Ok(None),
    }))
}

impl<'a, T> Frame<'a, T> {
    fn understood(self) -> serde_json::Result<ServerMessage<'a, T>> {
        if let Some(push) = &self.push {
            let pushed = match &**push {
                push::VIEW => self.view().map(Push::View),
                push::STEP => self.step().map(Push::Step),
                push::BYE => self.bye().map(Push::Bye),
                push::CLUSTER => self.cluster().map(Push::Cluster),
                _ => Some(Push::Unknown),
            };
            let pushed = pushed.ok_or_else(|| Error::custom("a part of the push is missing"))?;
            return Ok(ServerMessage::Push(pushed));
        }
        let answer = match (self.ok, self.refused) {
            (Some(yes), None) => Ok(yes),
            (None, Some(no)) => Err(no),
            _ => return Err(Error::custom("neither an answer nor a push")),
        };
        Ok(ServerMessage::Answer(Answer { id: self.id, answer }))
    }

    fn view(&self) -> Option<View<'a>> {
        Some(View {
            room: self.room.clone()?,
            version: self.version?,
            view: self.view?.get(),
            events: self.events.map_or("[]", RawValue::get),
            resync: self.resync,
            closed: self.closed,
        })
    }

    fn step(&self) -> Option<Step<'a>> {
        Some(Step {
            room: self.room.clone()?,
            version: self.version?,
            set: self.set?.get(),
            unset: self.unset.map_or("[]", RawValue::get),
            events: self.events.map_or("[]", RawValue::get),
            closed: self.closed,
        })
    }

    fn bye(&self) -> Option<Bye<'a>> {
        Some(Bye { code: self.code?, message: self.message.clone()? })
    }

    fn cluster(&self) -> Option<LinkState> {
        Some(LinkState { state: self.state?, leader: self.leader, epoch: self.epoch })
    }
}

fn is_known(push: &str) -> bool {
    use push::{BYE, CLUSTER, DECK, LIVE, LOBBY, NOTICE, STEP, VIEW};
    [VIEW, STEP, BYE, CLUSTER, DECK, NOTICE, LOBBY, LIVE].contains(&push)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::answer::{Accepted, Changed, Reply};
    use super::super::code::{Code, NoticeKind};
    use super::super::deck::{Aboard, Deck};
    use super::super::matches::{Numbers, Offer, OfferKind};
    use super::super::read::ClientMessage;
    use super::super::request::{Action, Look, Play, Request};
    use super::*;
    use hangraft_ids::{NoticeNumber, PlayerId, Serial, Term};

    fn read(text: &str) -> ServerMessage<'_, Accepted<'_>> {
        ServerMessage::read(text).unwrap_or_else(|err| panic!("{text}: {err}"))
    }

    /// What one side writes, the other reads: a request and its answers.
    #[test]
    fn a_request_and_its_answers_are_understood() {
        let mv = serde_json::value::to_raw_value(&serde_json::json!({"letter": "e"})).unwrap();
        let play = Request::Play(Play { room: "k3v7".into(), mv: &mv, serial: Some(Serial(9)) });
        let frame = play.frame(7);
        assert_eq!(
            frame,
            r#"{"id":7,"action":"play","data":{"room":"k3v7","move":{"letter":"e"},"serial":9}}"#
        );
        let ClientMessage { id, request } = ClientMessage::read(&frame).unwrap();
        assert_eq!(request.action(), Action::Play);
        let Request::Play(play) = request else { panic!("{frame}") };
        assert_eq!((&*play.room, play.mv.get(), play.serial), ("k3v7", mv.get(), Some(Serial(9))));

        let yes = Answer { id, answer: Ok(Reply::Changed(Changed { version: Version(12) })) };
        assert_eq!(yes.text(), r#"{"id":7,"ok":{"version":12}}"#);
        let yes = yes.text();
        let ServerMessage::Answer(Answer { id, answer }) = read(&yes) else { panic!("{yes}") };
        assert_eq!(id.and_then(RequestId::number), Some(7));
        assert_eq!(answer.unwrap().version, Some(Version(12)));

        let message = Cow::from("it \"is\"");
        let no = Refused { code: Code::GameOver, message, forgotten: false };
        let no = Answer::<Reply<'_>> { id: None, answer: Err(no) }.text();
        assert_eq!(no, r#"{"refused":{"code":"game-over","message":"it \"is\""}}"#);
        let ServerMessage::Answer(Answer { id: None, answer }) = read(&no) else { panic!("{no}") };
        assert_eq!(answer.unwrap_err().code, Code::GameOver);
    }

    /// The pushes, letter for letter, and read again.
    #[test]
    fn pushes_are_understood() {
        let view = View {
            room: "k3v7".into(),
            version: Version(9),
            view: r#"{"state":"won"}"#,
            events: "[1]",
            resync: true,
            closed: true,
        };
        let (text, place) = view.text();
        assert_eq!(&text[place], view.view);
        assert_eq!(
            text,
            r#"{"push":"view","room":"k3v7","version":9,"view":{"state":"won"},"events":[1],"resync":true,"closed":true}"#
        );
        let ServerMessage::Push(Push::View(same)) = read(&text) else { panic!("{text}") };
        assert_eq!(same.text().0, text);

        let step = r#"{"push":"step","room":"k3v7","version":9,"set":{"lives":3},"unset":["how"],"events":[1],"closed":true}"#;
        let short = r#"{"push":"step","room":"k3v7","version":9,"set":{"lives":3},"events":[]}"#;
        for text in [step, short] {
            let ServerMessage::Push(Push::Step(same)) = read(text) else { panic!("{text}") };
            assert_eq!((same.text(), same.set), (text.to_owned(), r#"{"lives":3}"#));
        }

        let bye = Bye { code: ByeCode::Slow, message: "too slow".into() }.text();
        assert_eq!(bye, r#"{"push":"bye","code":"slow","message":"too slow"}"#);
        let ServerMessage::Push(Push::Bye(same)) = read(&bye) else { panic!("{bye}") };
        assert_eq!((same.code, &*same.message), (ByeCode::Slow, "too slow"));

        for link in
            [LinkState::connected(NodeId(2), Some(Epoch(0xc0_ffee))), LinkState::reconnecting(None)]
        {
            let text = link.text();
            let ServerMessage::Push(Push::Cluster(same)) = read(&text) else { panic!("{text}") };
            assert_eq!(same, link);
        }
    }

    /// The nodes, letter for letter, and read again; what is not known is left out.
    #[test]
    fn what_is_below_deck_is_understood() {
        let aboard = |node, votes, heard| Aboard { node: NodeId(node), votes, heard };
        let led = Deck {
            term: Some(Term(4)),
            leader: Some(NodeId(2)),
            lost: None,
            for_ms: 1250,
            through: Some(NodeId(3)),
            nodes: vec![aboard(2, Some(true), true), aboard(5, Some(false), false)],
        };
        let text = r#"{"push":"deck","term":4,"leader":2,"for_ms":1250,"through":3,"nodes":[{"node":2,"votes":true,"heard":true},{"node":5,"votes":false,"heard":false}]}"#;
        let lost =
            Deck { lost: Some(NodeId(1)), nodes: vec![aboard(1, None, false)], ..Deck::default() };
        let lost_text = r#"{"push":"deck","lost":1,"for_ms":0,"nodes":[{"node":1,"heard":false}]}"#;
        for (deck, text) in [(led, text), (lost, lost_text)] {
            assert_eq!(deck.text(), text);
            let ServerMessage::Push(Push::Deck(same)) = read(text) else { panic!("{text}") };
            assert_eq!(same, deck);
        }
        let newer = r#"{"push":"deck","for_ms":1,"nodes":[],"weather":"fair"}"#;
        assert!(matches!(read(newer), ServerMessage::Push(Push::Deck(_))));
        let asked = Request::Deck(Look { open: true }).frame(9);
        assert_eq!(asked, r#"{"id":9,"action":"deck","data":{"open":true}}"#);
    }

    /// What players are told, letter for letter, and read again; also what is not known yet.
    #[test]
    fn notices_are_understood() {
        let matched = r#"{"push":"notice","number":7,"kind":"matched","offer":"o7","room":"k3v7","seat":1,"game":"tic-tac-toe","player":"p00000000000000ab","name":"Ann","rating":1500,"provisional":true,"options":{"size":3},"clock":30,"rated":true}"#;
        let unmatched = r#"{"push":"notice","number":8,"kind":"unmatched","offer":"o7","why":"expired","resync":true}"#;
        for text in [matched, unmatched] {
            let ServerMessage::Push(Push::Notice(notice)) = read(text) else { panic!("{text}") };
            assert_eq!(notice.text(), text);
        }
        let newer = r#"{"push":"notice","number":9,"kind":"poked","by":["Bo"]}"#;
        let ServerMessage::Push(Push::Notice(notice)) = read(newer) else { panic!("{newer}") };
        assert_eq!((notice.number, notice.kind), (NoticeNumber(9), NoticeKind::Other));
    }

    /// The open seeks and the numbers, letter for letter, and read again.
    #[test]
    fn what_goes_on_is_understood() {
        let lobby = r#"{"push":"lobby","seeks":[{"offer":"o7","player":"p00000000000000ab","name":"Ann","game":"hangman","options":{},"clock":0,"rated":true,"rating":1500,"provisional":true,"age_ms":1200}],"total":3}"#;
        let ServerMessage::Push(Push::Lobby(same)) = read(lobby) else { panic!("{lobby}") };
        assert_eq!((same.text(), same.seeks[0].player), (lobby.to_owned(), PlayerId(0xab)));
        let offer = r#"{"offer":"o7","kind":"challenge","player":"p00000000000000ab","name":"Ann","game":"hangman","options":{},"clock":30,"rated":false,"rating":1500,"provisional":true,"age_ms":0,"whom":"p00000000000000cd"}"#;
        let same: Offer = serde_json::from_str(offer).unwrap();
        assert_eq!((same.kind, same.whom), (Some(OfferKind::Challenge), Some(PlayerId(0xcd))));
        assert_eq!(serde_json::to_string(&same).unwrap(), offer);

        let quiet = r#"{"push":"live","numbers":{"online":12,"sides":{"hangman":{"setter":2}}}}"#;
        let whole = r#"{"push":"live","numbers":{"online":12},"minutes":[[0,0],[7,1]]}"#;
        for (text, minutes) in [(quiet, None), (whole, Some("[[0,0],[7,1]]"))] {
            let ServerMessage::Push(Push::Live(same)) = read(text) else { panic!("{text}") };
            assert_eq!((same.text(), same.minutes.map(RawValue::get)), (text.to_owned(), minutes));
            let numbers: Numbers = serde_json::from_str(same.numbers.get()).unwrap();
            assert_eq!((numbers.online, numbers.moves), (12, 0));
        }
    }

    /// What a newer frontend says does not break an older client.
    #[test]
    fn what_is_not_known_is_no_trouble() {
        for text in [r#"{"push":"confetti"}"#, r#"{"push":"confetti","version":"all","code":[]}"#] {
            assert!(matches!(read(text), ServerMessage::Push(Push::Unknown)), "{text}");
        }
        let text = r#"{"id":1,"refused":{"code":"too-late","message":"m","since":4},"more":{}}"#;
        let ServerMessage::Answer(Answer { answer, .. }) = read(text) else { panic!("{text}") };
        assert_eq!(answer.unwrap_err().code, Code::BadRequest);
        for text in [
            "",
            "[]",
            "{}",
            r#"{"push":"view"}"#,
            r#"{"push":"view","version":"x"}"#,
            r#"{"push":"step","room":"k3v7","version":2}"#,
            r#"{"push":"deck"}"#,
            r#"{"push":"notice","number":1}"#,
            r#"{"push":"lobby"}"#,
            r#"{"push":"live","numbers":}"#,
        ] {
            assert!(ServerMessage::<Value>::read(text).is_err(), "{text}");
        }
    }
}
