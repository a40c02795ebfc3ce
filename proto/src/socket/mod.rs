//! The socket between a browser and a frontend: what a client may say, what it hears,
//! by which words it is refused, and how long things may be.
//!
//! This is the one place where that is written down. The frontend reads what clients write
//! here and writes what they read; load generators, tests and the simulator do it the other
//! way round.
//!
//! Every text frame is one JSON object. Reading borrows from the frame. A move, a view and
//! options of a game stay the JSON that they are: nothing here knows the rules of any game.
//! Fields that are not known are ignored, and so are pushes and codes, so that an older
//! client understands a newer frontend, and an older frontend a newer client.
//!
//! A client sends `{"id": 7, "action": "play", "data": {...}}`; [`Action`] lists
//! what can be asked for. The id is the client's, and comes back with the answer: `{"id": 7, "ok": {...}}` or
//! `{"id": 7, "refused": {"code": "...", "message": "..."}}`. What nobody asked for comes
//! as `{"push": "...", ...}`. See [`ServerMessage`].
//!
//! Rooms and offers have names here and numbers everywhere behind. Somebody who has a private room's
//! name may watch it, also after the room's host has removed them.

mod answer;
mod code;
mod deck;
mod epoch;
mod kept;
mod limits;
mod matches;
mod message;
mod push;
mod read;
mod request;
mod words;

pub use answer::{
    Accepted, Answer, Bot, Changed, Following, History, Line, Listed, Listing, Looking, Nothing,
    Offered, Opened, Refused, Reply, Seated, ServerInfo, Watching, Welcome,
};
pub use code::{ByeCode, Code, NoticeKind};
pub use deck::{Aboard, Deck};
pub use epoch::Epoch;
pub use kept::KeptView;
pub use limits::{FRAME_BYTES_MAX, GAME_BYTES_MAX, REQUEST_ID_BYTES_MAX};
pub use matches::{Card, Ladder, Live, Lobby, Notice, Numbers, Offer, OfferKind, Ranked};
pub use message::ServerMessage;
pub use push::{Bye, Link, LinkState, Push, Step, View};
pub use read::{BadFrame, ClientMessage, WhyBad};
pub use request::*;
