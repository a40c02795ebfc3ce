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
//! A client sends `{"id": 7, "action": "play", "data": {...}}`, see [`Request`]. The id is
//! the client's, and comes back with the answer: `{"id": 7, "ok": {...}}` or
//! `{"id": 7, "refused": {"code": "...", "message": "..."}}`. What nobody asked for comes
//! as `{"push": "...", ...}`. See [`ServerMessage`].
//!
//! Rooms have names here and numbers everywhere behind. Somebody who has a private room's
//! name may watch it, also after the room's host has removed them.
//!
//! ```text
//! hello   {name?, token?}                  {player, name, token, server}  a guest gets a token; the same
//!                                          token is the same player at every frontend
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
//! ping    {}                               {}
//! ```
//!
//! What changes the lobby (`open` to `lock`) may have a `serial`, the player's own counter:
//! the same serial has one effect, however often it is said.

mod answer;
mod code;
mod epoch;
mod limits;
mod message;
mod push;
mod read;
mod request;
mod words;

pub use answer::{
    Accepted, Answer, Changed, Listed, Listing, Nothing, Opened, Refused, Reply, Seated,
    ServerInfo, Watching, Welcome,
};
pub use code::{ByeCode, Code};
pub use epoch::Epoch;
pub use limits::{FRAME_BYTES_MAX, GAME_BYTES_MAX, REQUEST_ID_BYTES_MAX};
pub use message::ServerMessage;
pub use push::{Bye, Link, LinkState, Push, View};
pub use read::{BadFrame, ClientMessage, WhyBad};
pub use request::{
    Action, Hello, InRoom, Lock, Open, Ping, Play, Remove, Request, RequestId, Rooms, Say, Watch,
    frame,
};
