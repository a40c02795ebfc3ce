//! The socket's language: what a browser may say. What it hears is in [`crate::reply`].
//!
//! Every frame is one JSON object. Parsing borrows from the frame; a move is
//! never taken apart. Everything here is total: any text is either a
//! [`ClientMessage`] or a [`BadMessage`] that says what is wrong.
//!
//! Rooms have names here and ids everywhere behind: reading a frame turns one
//! into the other, and whoever writes a room into a frame writes its name.
//!
//! ```text
//! open    {game, options?, public?}        {room}           private unless public; who opens is the host
//! sit     {room}                           {seat, version}  unauthorized: locked, or removed by the host
//! stand   {room}                           {seat, version}
//! play    {room, move}                     {version}
//! again   {room}                           {version}        agrees to another round; begins it with the last
//! say     {room, text}                     {version}
//! remove  {room, player}                   {version}        the host only: that player sits here no more
//! lock    {room, locked}                   {version}        the host only: nobody new sits down
//! rooms   {game?, state?, all?, after?, limit?}  {rooms, next, games}
//!                                          public rooms: unlocked, not over, with somebody there and a seat;
//!                                          with `all` or a state every public one; and the
//!                                          games of which rooms can be opened
//! watch   {room, since?, epoch?}           {room, version, age?}, then views: the player is here while it lasts;
//!                                          what the view of that version says of times began `age` ms ago
//! unwatch {room}                           {}
//! ```
//!
//! Whoever has a private room's name may watch it, also somebody whom its host removed.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use hangraft_cluster_config::RoomNames;
use hangraft_ids::{NoPlayer, RoomId, Version};

use crate::command::{Code, Refusal, Serial, Wish};

/// The longest request id echoed, in bytes of JSON. One longer is refused.
const ID_BYTES_MAX: usize = 64;
/// The longest name of a game looked at, in bytes; there is no longer one.
const GAME_BYTES_MAX: usize = 32;

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

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("made from strings only")
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// What the client calls its request: a JSON number or string, echoed as it came.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct RequestId(Box<RawValue>);

/// A frame that makes sense.
#[derive(Debug)]
pub(crate) struct ClientMessage {
    pub(crate) id: Option<RequestId>,
    pub(crate) kind: Kind,
    pub(crate) action: Action,
}

/// A frame that does not.
#[derive(Debug)]
pub(crate) struct BadMessage {
    /// The request's id, where it could be read.
    pub(crate) id: Option<RequestId>,
    pub(crate) refusal: Refusal,
}

/// What a browser may ask for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Hello {
        name: Option<String>,
        token: Option<String>,
    },
    Rooms(RoomsQuery),
    Watch {
        room: RoomId,
        since: Option<Version>,
        /// What `since` belongs to; the present epoch when nothing is said.
        epoch: Option<String>,
    },
    Unwatch {
        room: RoomId,
    },
    /// A change of the lobby; with the player's own serial number, if they count.
    Change {
        wish: Wish,
        serial: Option<Serial>,
    },
    Ping,
}

/// The actions' names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Hello,
    Open,
    Rooms,
    Watch,
    Unwatch,
    Sit,
    Stand,
    Play,
    Again,
    Remove,
    Lock,
    Say,
    Ping,
}

impl Kind {
    pub(crate) const ALL: [Self; 13] = [
        Self::Hello,
        Self::Open,
        Self::Rooms,
        Self::Watch,
        Self::Unwatch,
        Self::Sit,
        Self::Stand,
        Self::Play,
        Self::Again,
        Self::Remove,
        Self::Lock,
        Self::Say,
        Self::Ping,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::Open => "open",
            Self::Rooms => "rooms",
            Self::Watch => "watch",
            Self::Unwatch => "unwatch",
            Self::Sit => "sit",
            Self::Stand => "stand",
            Self::Play => "play",
            Self::Again => "again",
            Self::Remove => "remove",
            Self::Lock => "lock",
            Self::Say => "say",
            Self::Ping => "ping",
        }
    }
}

/// A question about the lobby's rooms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct RoomsQuery {
    pub(crate) game: Option<String>,
    pub(crate) state: Option<String>,
    /// Full rooms, locked ones and those where nobody is, too.
    pub(crate) all: bool,
    pub(crate) after: Option<RoomId>,
    pub(crate) limit: Option<u32>,
}

// How frames look. Unknown fields are ignored, so that an older frontend
// understands a newer page.

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct IdOnly<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct NoData {}

#[derive(Deserialize)]
struct HelloData {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    token: Option<String>,
}

#[derive(Deserialize)]
struct OpenData<'a> {
    game: String,
    #[serde(borrow, default)]
    options: Option<&'a RawValue>,
    #[serde(default)]
    public: bool,
    #[serde(default)]
    serial: Option<Serial>,
}

#[derive(Deserialize)]
struct RoomsData<'a> {
    #[serde(default)]
    game: Option<String>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    all: bool,
    #[serde(borrow, default)]
    after: Option<Cow<'a, str>>,
    #[serde(default)]
    limit: Option<u32>,
}

#[derive(Deserialize)]
struct RoomData<'a> {
    #[serde(borrow)]
    room: Cow<'a, str>,
    #[serde(default)]
    serial: Option<Serial>,
}

#[derive(Deserialize)]
struct WatchData<'a> {
    #[serde(borrow)]
    room: Cow<'a, str>,
    #[serde(default)]
    since: Option<Version>,
    #[serde(default)]
    epoch: Option<String>,
}

#[derive(Deserialize)]
struct PlayData<'a> {
    #[serde(borrow)]
    room: Cow<'a, str>,
    #[serde(borrow, rename = "move")]
    mv: &'a RawValue,
    #[serde(default)]
    serial: Option<Serial>,
}

#[derive(Deserialize)]
struct RemoveData<'a> {
    #[serde(borrow)]
    room: Cow<'a, str>,
    #[serde(borrow)]
    player: Cow<'a, str>,
    #[serde(default)]
    serial: Option<Serial>,
}

#[derive(Deserialize)]
struct LockData<'a> {
    #[serde(borrow)]
    room: Cow<'a, str>,
    locked: bool,
    #[serde(default)]
    serial: Option<Serial>,
}

#[derive(Deserialize)]
struct SayData<'a> {
    #[serde(borrow)]
    room: Cow<'a, str>,
    text: String,
    #[serde(default)]
    serial: Option<Serial>,
}

/// Understands one text frame.
pub(crate) fn parse(frame: &str, names: &RoomNames) -> Result<ClientMessage, BadMessage> {
    let Ok(outer) = object::<Frame<'_>>(frame) else {
        let id = object::<IdOnly<'_>>(frame).ok().and_then(|only| only.id);
        let id = id.and_then(|id| request_id(id).ok());
        return Err(bad(id, r#"a frame is a JSON object like {"id":1,"action":"ping","data":{}}"#));
    };
    let id = match outer.id.map(request_id).transpose() {
        Ok(id) => id,
        Err(refusal) => return Err(BadMessage { id: None, refusal }),
    };
    let data = outer.data.map_or("{}", RawValue::get);
    match action(&outer.action, data, names) {
        Ok((kind, action)) => Ok(ClientMessage { id, kind, action }),
        Err(refusal) => Err(BadMessage { id, refusal }),
    }
}

/// Reads a JSON object. (An array would do for serde, its fields by position.)
fn object<'a, T: Deserialize<'a>>(json: &'a str) -> serde_json::Result<T> {
    if json.trim_start().starts_with('{') {
        serde_json::from_str(json)
    } else {
        Err(serde::de::Error::custom("not an object"))
    }
}

fn request_id(raw: &RawValue) -> Result<RequestId, Refusal> {
    let json = raw.get();
    let kind = json.as_bytes().first();
    let plain = kind.is_some_and(|c| matches!(c, b'"' | b'-' | b'0'..=b'9'));
    if plain && json.len() <= ID_BYTES_MAX {
        return Ok(RequestId(raw.to_owned()));
    }
    let message = format!("an id is a number or a string of at most {ID_BYTES_MAX} characters");
    Err(Refusal::new(Code::BadRequest, message))
}

fn action(name: &str, data: &str, names: &RoomNames) -> Result<(Kind, Action), Refusal> {
    let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.as_str() == name) else {
        return Err(Refusal::new(Code::BadRequest, unknown_action()));
    };
    let malformed = |err: serde_json::Error| {
        // Only serde's own words about the shape; never a piece of the data.
        let message = format!("{}: data does not fit: {}", kind.as_str(), shape_error(&err));
        Refusal::new(Code::BadRequest, message)
    };
    let action = read(kind, data, names).map_err(malformed)??;
    Ok((kind, action))
}

/// Reads an action's data: the outer error is JSON's, the inner one ours.
fn read(kind: Kind, data: &str, names: &RoomNames) -> serde_json::Result<Result<Action, Refusal>> {
    let named = |name: &str| names.room(name).ok_or_else(no_such_room);
    Ok(match kind {
        Kind::Hello => {
            let HelloData { name, token } = object(data)?;
            Ok(Action::Hello { name, token })
        }
        Kind::Open => open(object(data)?),
        Kind::Rooms => rooms(object(data)?, names),
        Kind::Watch => {
            let WatchData { room, since, epoch } = object(data)?;
            named(&room).map(|room| Action::Watch { room, since, epoch })
        }
        Kind::Unwatch => {
            let RoomData { room, .. } = object(data)?;
            named(&room).map(|room| Action::Unwatch { room })
        }
        Kind::Sit | Kind::Stand | Kind::Again => {
            let RoomData { room, serial } = object(data)?;
            named(&room).map(|room| Action::Change { wish: plain(kind, room), serial })
        }
        Kind::Play => {
            let PlayData { room, mv, serial } = object(data)?;
            let wish = |room| Wish::Play { room, mv: mv.get().to_owned() };
            named(&room).map(|room| Action::Change { wish: wish(room), serial })
        }
        Kind::Remove => remove(object(data)?, names),
        Kind::Lock => {
            let LockData { room, locked, serial } = object(data)?;
            named(&room).map(|room| Action::Change { wish: Wish::Lock { room, locked }, serial })
        }
        Kind::Say => say(object(data)?, names),
        Kind::Ping => {
            let NoData {} = object(data)?;
            Ok(Action::Ping)
        }
    })
}

/// The wish of a kind that says nothing but where.
fn plain(kind: Kind, room: RoomId) -> Wish {
    match kind {
        Kind::Sit => Wish::Sit { room },
        Kind::Stand => Wish::Stand { room },
        _ => Wish::Again { room },
    }
}

/// The answer to a name that is no room's, in the words of a node that knows no
/// such room: who guesses names learns nothing from the difference.
fn no_such_room() -> Refusal {
    Refusal::new(Code::NoSuchRoom, "there is no such room")
}

fn open(data: OpenData<'_>) -> Result<Action, Refusal> {
    if data.game.len() > GAME_BYTES_MAX {
        return Err(Refusal::new(Code::BadRequest, "open: there is no game with such a long name"));
    }
    let options = data.options.map_or("", RawValue::get);
    if !options.is_empty() && !options.starts_with('{') {
        return Err(Refusal::new(Code::BadRequest, "open: options must be an object"));
    }
    let wish = Wish::Open { game: data.game, options: options.to_owned(), public: data.public };
    Ok(Action::Change { wish, serial: data.serial })
}

fn rooms(data: RoomsData<'_>, names: &RoomNames) -> Result<Action, Refusal> {
    let RoomsData { game, state, all, after, limit } = data;
    let long = |text: &Option<String>| text.as_ref().is_some_and(|t| t.len() > GAME_BYTES_MAX);
    if long(&game) || long(&state) {
        return Err(Refusal::new(Code::BadRequest, "rooms: no game or state has such a long name"));
    }
    let after = after.map(|name| names.room(&name).ok_or_else(no_such_room)).transpose()?;
    Ok(Action::Rooms(RoomsQuery { game, state, all, after, limit }))
}

fn remove(data: RemoveData<'_>, names: &RoomNames) -> Result<Action, Refusal> {
    let room = names.room(&data.room).ok_or_else(no_such_room)?;
    let nobody = |NoPlayer| Refusal::new(Code::BadRequest, "remove: no player is called so");
    let whom = data.player.parse().map_err(nobody)?;
    Ok(Action::Change { wish: Wish::Remove { room, whom }, serial: data.serial })
}

fn say(data: SayData<'_>, names: &RoomNames) -> Result<Action, Refusal> {
    let room = names.room(&data.room).ok_or_else(no_such_room)?;
    let text = hangraft_text::line(&data.text)?;
    let wish = Wish::Say { room, text };
    Ok(Action::Change { wish, serial: data.serial })
}

fn bad(id: Option<RequestId>, message: &str) -> BadMessage {
    BadMessage { id, refusal: Refusal::new(Code::BadRequest, message) }
}

fn unknown_action() -> String {
    let names = Kind::ALL.map(Kind::as_str).join(", ");
    format!("there is no such action; there are {names}")
}

/// What serde says of the shape, without quoting what was sent.
fn shape_error(err: &serde_json::Error) -> &'static str {
    match err.classify() {
        serde_json::error::Category::Data => "a field is missing, twice there or of a wrong type",
        _ => "it is no JSON object",
    }
}

#[cfg(test)]
mod tests {
    use hangraft_ids::{NodeId, PlayerId, Seat};
    use proptest::prelude::*;

    use super::*;
    use crate::reply::{Epoch, LinkState, Reply, bye, cluster, ok, refused};

    const ROOM: RoomId = RoomId(4);

    fn names() -> RoomNames {
        RoomNames::of(&hangraft_cluster_config::ClusterKey::from_bytes([7; 32]))
    }

    /// Reads a frame in which `ROOM` stands for the name of room 4.
    fn read_frame(frame: &str) -> Result<ClientMessage, BadMessage> {
        parse(&frame.replace("ROOM", &format!("\"{}\"", names().name(ROOM))), &names())
    }

    fn understood(frame: &str) -> Action {
        read_frame(frame).unwrap_or_else(|bad| panic!("{frame}: {bad:?}")).action
    }

    /// Every action of the contract, as a page writes it.
    #[test]
    fn the_contract_is_understood() {
        let change = |wish, serial| Action::Change { wish, serial };
        for (frame, action) in [
            (r#"{"action":"hello"}"#, Action::Hello { name: None, token: None }),
            (
                r#"{"id":1,"action":"hello","data":{"name":"Ann","token":null}}"#,
                Action::Hello { name: Some("Ann".into()), token: None },
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
                Action::Rooms(RoomsQuery {
                    state: Some("archived".into()),
                    limit: Some(5),
                    ..RoomsQuery::default()
                }),
            ),
            (
                r#"{"id":3,"action":"watch","data":{"room":ROOM,"since":9}}"#,
                Action::Watch { room: ROOM, since: Some(Version(9)), epoch: None },
            ),
            (
                r#"{"id":3,"action":"watch","data":{"room":ROOM,"since":9,"epoch":"00c0ffee00c0ffee"}}"#,
                Action::Watch {
                    room: ROOM,
                    since: Some(Version(9)),
                    epoch: Some("00c0ffee00c0ffee".into()),
                },
            ),
            (r#"{"id":3,"action":"unwatch","data":{"room":ROOM}}"#, Action::Unwatch { room: ROOM }),
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
                r#"{"action":"open","data":{"game":"hangman","public":true}}"#,
                change(
                    Wish::Open { game: "hangman".into(), options: String::new(), public: true },
                    None,
                ),
            ),
            (
                r#"{"action":"rooms","data":{"all":true}}"#,
                Action::Rooms(RoomsQuery { all: true, ..RoomsQuery::default() }),
            ),
            (
                r#"{"action":"say","data":{"room":ROOM,"text":" hi there\n"}}"#,
                change(Wish::Say { room: ROOM, text: "hi there".into() }, None),
            ),
            (r#"{"id":-1.5e3,"action":"ping","data":{}}"#, Action::Ping),
        ] {
            assert_eq!(understood(frame), action, "{frame}");
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
        assert_eq!(after, Action::Rooms(RoomsQuery { after: Some(ROOM), ..RoomsQuery::default() }));
    }

    /// The answers, letter for letter: pages depend on them.
    #[test]
    fn answers_look_as_promised() {
        let message = read_frame(r#"{"id": 7, "action": "ping"}"#).unwrap();
        let id = message.id.as_ref();
        for (text, expected) in [
            (ok(id, Reply::Nothing {}), r#"{"id":7,"ok":{}}"#),
            (ok(None, Reply::Version { version: Version(3) }), r#"{"ok":{"version":3}}"#),
            (
                ok(id, Reply::Seat { seat: Some(Seat(0)), version: Version(3) }),
                r#"{"id":7,"ok":{"seat":0,"version":3}}"#,
            ),
            (ok(id, Reply::Opened { room: "k3v7" }), r#"{"id":7,"ok":{"room":"k3v7"}}"#),
            (
                refused(id, &Refusal::new(Code::GameOver, "it is \"over\"")),
                r#"{"id":7,"refused":{"code":"game-over","message":"it is \"over\""}}"#,
            ),
            (bye("slow", "too slow"), r#"{"push":"bye","code":"slow","message":"too slow"}"#),
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
                "\\ud800", "\"text\":", "\"serial\":18446744073709551616",
            ]), 0..24),
        ) {
            if let Ok(message) = read_frame(&pieces.concat()) {
                let echoed = ok(message.id.as_ref(), Reply::Nothing {});
                prop_assert!(serde_json::from_str::<serde_json::Value>(echoed.as_str()).is_ok());
            }
        }
    }
}
