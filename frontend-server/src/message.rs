//! What a browser says, understood: rooms by their numbers, texts fit to be shown. How it
//! is said is the contract's: [`hangraft_proto::socket`]. What can be asked for is said in
//! [`crate::command`].
//!
//! Everything here is total: any text is either a [`ClientMessage`] or a [`BadMessage`] that
//! says what is wrong.
//!
//! Rooms have names there and numbers everywhere behind: reading a frame turns one
//! into the other, and whoever writes a room into a frame writes its name.

use bytes::Bytes;
use hangraft_cluster_config::RoomNames;
use hangraft_proto::socket::{self, Action};
use serde_json::value::RawValue;

use crate::command::{Asked, Refusal, nonsense};

/// JSON text on its way to browsers: made once, shared by all sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text(Bytes);

impl Text {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        self.0
    }

    #[cfg(test)]
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("made from strings only")
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// What the client calls its request, kept until it is answered.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(Box<RawValue>);

impl RequestId {
    fn of(id: socket::RequestId<'_>) -> Self {
        Self(id.as_raw().to_owned())
    }

    /// As the client said it.
    pub(crate) fn as_said(&self) -> socket::RequestId<'_> {
        socket::RequestId::new(&self.0)
    }
}

/// A frame that makes sense.
#[derive(Debug)]
pub(crate) struct ClientMessage {
    pub(crate) id: Option<RequestId>,
    pub(crate) action: Action,
    pub(crate) asked: Asked,
}

/// A frame that does not.
#[derive(Debug)]
pub(crate) struct BadMessage {
    /// The request's id, where it could be read.
    pub(crate) id: Option<RequestId>,
    pub(crate) refusal: Refusal,
}

/// Understands one text frame.
pub(crate) fn parse(frame: &str, names: &RoomNames) -> Result<ClientMessage, BadMessage> {
    let socket::ClientMessage { id, request } =
        socket::ClientMessage::read(frame).map_err(|bad| BadMessage {
            id: bad.id.map(RequestId::of),
            refusal: nonsense(bad.why.to_string()),
        })?;
    let (id, action) = (id.map(RequestId::of), request.action());
    match Asked::of(request, names) {
        Ok(asked) => Ok(ClientMessage { id, action, asked }),
        Err(refusal) => Err(BadMessage { id, refusal }),
    }
}

#[cfg(test)]
mod tests {
    use hangraft_ids::{NodeId, NoticeNumber, OfferId, PlayerId, RoomId, Seat, Serial, Version};
    use hangraft_proto::socket::{
        Changed, Code, Epoch, LinkState, Nothing, Opened, Reply, Seated, Wish,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::command::{Question, RoomsQuery, Sight};
    use crate::farewell::Farewell;
    use crate::reply::{bye, cluster, ok, refused};

    const ROOM: RoomId = RoomId(4);
    const OFFER: OfferId = OfferId(12);

    fn names() -> RoomNames {
        RoomNames::of(&hangraft_cluster_config::ClusterKey::from_bytes([7; 32]))
    }

    /// Reads a frame in which `ROOM` stands for the name of room 4, `OFFER` for that of
    /// offer 12.
    fn read_frame(frame: &str) -> Result<ClientMessage, BadMessage> {
        let frame = frame.replace("ROOM", &format!("\"{}\"", names().name(ROOM)));
        parse(&frame.replace("OFFER", &format!("\"{}\"", names().offer_name(OFFER))), &names())
    }

    fn understood(frame: &str) -> Asked {
        read_frame(frame).unwrap_or_else(|bad| panic!("{frame}: {bad:?}")).asked
    }

    /// Every action of the contract, as a page writes it.
    #[test]
    fn the_contract_is_understood() {
        let change = |wish, serial| Asked::Change { wish, serial };
        for (frame, asked) in [
            (r#"{"action":"hello"}"#, Asked::Hello { name: None, token: None, steps: false }),
            (
                r#"{"id":1,"action":"hello","data":{"name":"Ann","token":null}}"#,
                Asked::Hello { name: Some("Ann".into()), token: None, steps: false },
            ),
            (
                r#"{"action":"hello","data":{"steps":true}}"#,
                Asked::Hello { name: None, token: None, steps: true },
            ),
            (
                r#"{"action":"history","data":{"room":ROOM}}"#,
                Asked::LookUp(Question::History(ROOM)),
            ),
            (
                r#"{"id":"a","action":"open","data":{"game":"hangman","options":{"category":"animals"}}}"#,
                change(
                    Wish::Open {
                        game: "hangman".into(),
                        options: r#"{"category":"animals"}"#.into(),
                        public: false,
                    },
                    None,
                ),
            ),
            (
                r#"{"id":2,"action":"rooms","data":{"state":"archived","limit":5}}"#,
                Asked::LookUp(Question::Rooms(RoomsQuery {
                    state: Some("archived".into()),
                    limit: Some(5),
                    ..RoomsQuery::default()
                })),
            ),
            (
                r#"{"id":3,"action":"watch","data":{"room":ROOM,"since":9}}"#,
                Asked::Watch { room: ROOM, since: Some(Version(9)), epoch: None },
            ),
            (
                r#"{"id":3,"action":"watch","data":{"room":ROOM,"since":9,"epoch":"00c0ffee00c0ffee"}}"#,
                Asked::Watch {
                    room: ROOM,
                    since: Some(Version(9)),
                    epoch: Some("00c0ffee00c0ffee".into()),
                },
            ),
            (r#"{"id":3,"action":"unwatch","data":{"room":ROOM}}"#, Asked::Unwatch { room: ROOM }),
            (r#"{"action":"sit","data":{"room":ROOM}}"#, change(Wish::Sit { room: ROOM }, None)),
            (
                r#"{"action":"stand","data":{"room":ROOM,"serial":8}}"#,
                change(Wish::Stand { room: ROOM }, Some(Serial(8))),
            ),
            (
                r#"{"action":"play","data":{"room":ROOM, "move": {"letter" : "e"} ,"serial":9}}"#,
                change(
                    Wish::Play { room: ROOM, mv: r#"{"letter" : "e"}"#.into() },
                    Some(Serial(9)),
                ),
            ),
            (
                r#"{"action":"again","data":{"room":ROOM}}"#,
                change(Wish::Again { room: ROOM }, None),
            ),
            (
                r#"{"action":"remove","data":{"room":ROOM,"player":"p00000000000000ab","serial":3}}"#,
                change(Wish::Remove { room: ROOM, whom: PlayerId(0xab) }, Some(Serial(3))),
            ),
            (
                r#"{"action":"lock","data":{"room":ROOM,"locked":true}}"#,
                change(Wish::Lock { room: ROOM, locked: true }, None),
            ),
            (
                r#"{"action":"publish","data":{"room":ROOM,"public":false}}"#,
                change(Wish::Publish { room: ROOM, public: false }, None),
            ),
            (
                r#"{"action":"open","data":{"game":"hangman","public":true}}"#,
                change(
                    Wish::Open { game: "hangman".into(), options: String::new(), public: true },
                    None,
                ),
            ),
            (
                r#"{"action":"rooms","data":{"all":true}}"#,
                Asked::LookUp(Question::Rooms(RoomsQuery { all: true, ..RoomsQuery::default() })),
            ),
            (
                r#"{"action":"say","data":{"room":ROOM,"text":" hi there\n"}}"#,
                change(Wish::Say { room: ROOM, text: "hi there".into() }, None),
            ),
            (r#"{"id":-1.5e3,"action":"ping","data":{}}"#, Asked::Ping),
            (
                r#"{"action":"accept","data":{"offer":OFFER,"serial":3}}"#,
                change(Wish::Accept { offer: OFFER }, Some(Serial(3))),
            ),
            (
                r#"{"action":"notices","data":{"since":7,"epoch":"e0"}}"#,
                Asked::Notices { since: Some(NoticeNumber(7)), epoch: Some("e0".into()) },
            ),
            (r#"{"action":"notices"}"#, Asked::Notices { since: None, epoch: None }),
            (
                r#"{"action":"deck","data":{"open":true}}"#,
                Asked::Look { sight: Sight::Deck, open: true },
            ),
            (
                r#"{"action":"lobby","data":{"open":true}}"#,
                Asked::Look { sight: Sight::Lobby, open: true },
            ),
            (
                r#"{"action":"live","data":{"open":false}}"#,
                Asked::Look { sight: Sight::Live, open: false },
            ),
            (
                r#"{"action":"ladder","data":{"game":"nim"}}"#,
                Asked::LookUp(Question::Ladder { game: "nim".into(), week: false }),
            ),
            (
                r#"{"action":"card","data":{"player":"p00000000000000ab"}}"#,
                Asked::LookUp(Question::Card(PlayerId(0xab))),
            ),
            (r#"{"action":"offer","data":{"offer":OFFER}}"#, Asked::LookUp(Question::Offer(OFFER))),
        ] {
            assert_eq!(understood(frame), asked, "{frame}");
        }
    }

    /// Every kind of wrong frame is named for what it is, with the id where it has one.
    #[test]
    fn nonsense_is_refused_with_its_id() {
        for (frame, id, part) in [
            ("", "none", "a frame is"),
            ("null", "none", "a frame is"),
            ("[1]", "none", "a frame is"),
            (r#"{"id":7}"#, "7", "a frame is"),
            (r#"{"id":7,"action":5}"#, "7", "a frame is"),
            (r#"{"id":7,"action":"dance"}"#, "7", "no such action"),
            (r#"{"id":{},"action":"ping"}"#, "none", "an id is"),
            (r#"{"id":true,"action":"ping"}"#, "none", "an id is"),
            (r#"{"id":7,"action":"watch"}"#, "7", "watch: data"),
            (r#"{"id":7,"action":"watch","data":[1]}"#, "7", "watch: data"),
            (r#"[7,"ping"]"#, "none", "a frame is"),
            (r#"{"id":7,"action":"watch","data":{"room":-1}}"#, "7", "watch: data"),
            (r#"{"id":7,"action":"watch","data":{"room":4}}"#, "7", "watch: data"),
            (r#"{"id":7,"action":"play","data":{"room":ROOM}}"#, "7", "play: data"),
            (r#"{"id":7,"action":"open","data":{"game":"x","options":3}}"#, "7", "must be"),
            (r#"{"id":7,"action":"seek","data":{"game":"x","options":3}}"#, "7", "must be"),
            (r#"{"id":7,"action":"seek","data":{"game":"x","clock":256}}"#, "7", "seek: data"),
            (r#"{"id":7,"action":"claim","data":{"room":ROOM}}"#, "7", "claim: data"),
            (r#"{"id":7,"action":"card","data":{"player":"Ann"}}"#, "7", "card: data"),
            (r#"{"id":7,"action":"notices","data":{"since":-1}}"#, "7", "notices: data"),
            (r#"{"id":7,"action":"lock","data":{"room":ROOM}}"#, "7", "lock: data"),
            (r#"{"id":7,"action":"remove","data":{"room":ROOM,"player":"Ann"}}"#, "7", "no player"),
            (r#"{"id":"q","action":"say","data":{"room":ROOM,"text":" "}}"#, "\"q\"", "empty"),
            (r#"{"id":1,"id":2,"action":"ping"}"#, "none", "a frame is"),
            (r#"{"id":7,"action":"ping"} x"#, "none", "a frame is"),
        ] {
            let BadMessage { id: got, refusal } = read_frame(frame).expect_err(frame);
            assert_eq!(got.as_ref().map_or("none", |id| id.0.get()), id, "{frame}");
            assert!(refusal.message.contains(part), "{frame}: {}", refusal.message);
            assert_eq!(refusal.code, Code::BadRequest);
        }
        let long =
            format!(r#"{{"action":"say","data":{{"room":ROOM,"text":"{}"}}}}"#, "é".repeat(501));
        assert_eq!(read_frame(&long).unwrap_err().refusal.code, Code::TooLarge);
        let id = format!(r#"{{"id":"{}","action":"ping"}}"#, "x".repeat(64));
        assert!(read_frame(&id).unwrap_err().id.is_none());
    }

    /// A room is asked for by its name. A number, another cluster's name and a name
    /// that somebody made up are no room's, wherever one can be said.
    #[test]
    fn a_name_that_is_no_rooms_is_no_such_room() {
        let other = RoomNames::of(&hangraft_cluster_config::ClusterKey::from_bytes([8; 32]));
        for name in ["4", "", "room 4", "aaaaaaaaaaaaaaaa", &other.name(ROOM)] {
            for (action, more) in [
                ("watch", ""),
                ("unwatch", ""),
                ("sit", ""),
                ("stand", ""),
                ("again", ""),
                ("say", r#","text":"hi""#),
                ("play", r#","move":{}"#),
            ] {
                let data = format!(r#"{{"room":"{name}"{more}}}"#);
                let frame = format!(r#"{{"id":7,"action":"{action}","data":{data}}}"#);
                let BadMessage { id, refusal } = read_frame(&frame).expect_err(&frame);
                assert_eq!((id.unwrap().0.get(), refusal.code), ("7", Code::NoSuchRoom), "{frame}");
            }
            let frame = format!(r#"{{"action":"rooms","data":{{"after":"{name}"}}}}"#);
            assert_eq!(read_frame(&frame).unwrap_err().refusal.code, Code::NoSuchRoom, "{frame}");
        }
        let after = understood(r#"{"action":"rooms","data":{"after":ROOM}}"#);
        assert_eq!(
            after,
            Asked::LookUp(Question::Rooms(RoomsQuery {
                after: Some(ROOM),
                ..RoomsQuery::default()
            }))
        );
    }

    /// The same of offers; and a room's name is none of an offer.
    #[test]
    fn a_name_that_is_no_offers_is_no_such_offer() {
        let other = RoomNames::of(&hangraft_cluster_config::ClusterKey::from_bytes([8; 32]));
        for name in ["12", "", "aaaaaaaaaaaaaaaa", &names().name(ROOM), &other.offer_name(OFFER)] {
            for action in ["accept", "decline", "withdraw", "offer"] {
                let frame =
                    format!(r#"{{"id":7,"action":"{action}","data":{{"offer":"{name}"}}}}"#);
                let refusal = read_frame(&frame).expect_err(&frame).refusal;
                assert_eq!(refusal.code, Code::NoSuchOffer, "{frame}");
            }
        }
    }

    /// The answers, letter for letter: pages depend on them.
    #[test]
    fn answers_look_as_promised() {
        let message = read_frame(r#"{"id": 7, "action": "ping"}"#).unwrap();
        let id = message.id.as_ref();
        for (text, expected) in [
            (ok(id, Reply::Nothing(Nothing {})), r#"{"id":7,"ok":{}}"#),
            (ok(None, Reply::Changed(Changed { version: Version(3) })), r#"{"ok":{"version":3}}"#),
            (
                ok(id, Reply::Seated(Seated { seat: Some(Seat(0)), version: Version(3) })),
                r#"{"id":7,"ok":{"seat":0,"version":3}}"#,
            ),
            (
                ok(id, Reply::Opened(Opened { room: "k3v7".into() })),
                r#"{"id":7,"ok":{"room":"k3v7"}}"#,
            ),
            (
                refused(id, &Refusal::new(Code::GameOver, "it is \"over\"")),
                r#"{"id":7,"refused":{"code":"game-over","message":"it is \"over\""}}"#,
            ),
            (
                bye(Farewell::FULL),
                r#"{"push":"bye","code":"full","message":"this frontend is full; try another, or later"}"#,
            ),
            (
                cluster(LinkState::connected(NodeId(2), Some(Epoch(0xc0ffee)))),
                r#"{"push":"cluster","state":"connected","leader":2,"epoch":"0000000000c0ffee"}"#,
            ),
            (
                cluster(LinkState::reconnecting(None)),
                r#"{"push":"cluster","state":"reconnecting"}"#,
            ),
        ] {
            assert_eq!(text.as_str(), expected);
        }
    }

    proptest! {
        /// Whatever a browser sends, it is understood or refused; never a panic.
        #[test]
        fn any_text_is_understood_or_refused(frame in ".{0,200}") {
            _ = read_frame(&frame);
        }

        /// Nearly right frames, too: pieces of real ones in any order.
        #[test]
        fn nearly_right_frames_are_understood_or_refused(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "{", "}", "\"id\":", "7", ",", "\"action\":", "\"play\"", "\"open\"", "\"data\":",
                "{\"room\":ROOM,\"move\":", "{\"letter\":\"e\"}", "null", "[", "]", "\"", "-", "1e999",
                "\\ud800", "\"text\":", "\"serial\":18446744073709551616", "\"seek\"", "\"accept\"",
                "{\"offer\":OFFER", "\"game\":\"nim\"", "\"clock\":", "\"rated\":false", "\"within\":",
            ]), 0..24),
        ) {
            if let Ok(message) = read_frame(&pieces.concat()) {
                let echoed = ok(message.id.as_ref(), Reply::Nothing(Nothing {}));
                prop_assert!(serde_json::from_str::<serde_json::Value>(echoed.as_str()).is_ok());
            }
        }
    }
}
