//! What goes into a session, and what comes out of it.

use std::time::Instant;

use hangraft_cluster_config::RoomNames;
use hangraft_ids::{Lane, NoticeNumber, PlayerId, RoomId, Version};
use hangraft_proto::socket::{Action, Code, LinkState};

use crate::{
    boards::Shown,
    bots::Bots,
    command::{Command, Question, Sight},
    crowd::Crowd,
    farewell::Farewell,
    mailbox::{Mail, Tag},
    message::Text,
    token::TokenKey,
};

/// What holds for all sessions of a frontend.
#[derive(Debug)]
pub(crate) struct Premises {
    pub(crate) tokens: TokenKey,
    pub(crate) names: RoomNames,
    /// The URLs of all frontends.
    pub(crate) frontends: Vec<String>,
    /// Where else people find this frontend.
    pub(crate) addresses: Vec<String>,
    /// How many guests and rooms come from where.
    pub(crate) crowd: Crowd,
    /// The lobby's bots, as nodes name them.
    pub(crate) bots: Bots,
}

/// Random numbers for one session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice {
    /// Who a guest without a token becomes. No id that is reserved.
    pub(crate) player: PlayerId,
    /// The lane in which this session numbers for a player who does not count.
    pub(crate) lane: Lane,
}

/// What time it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) instant: Instant,
    /// Seconds since 1970, for tokens.
    pub(crate) unix: u64,
}

/// What happens to a session.
#[derive(Debug)]
pub(crate) enum Input<'a> {
    /// A text frame, not larger than allowed.
    Frame(&'a str),
    /// A binary frame; nobody should send one.
    Binary,
    /// A frame that is too large.
    Oversize,
    /// What comes in breaks the rules of the protocol that frames are made of.
    Malformed,
    /// A text frame that is no UTF-8.
    NotUtf8,
    /// Far more frames than are read.
    Flood,
    Mail(Mail),
    /// The way to the cluster was lost or found.
    Link(LinkState),
    /// Something as it is now; only to who looks at it.
    Shown(Shown),
    /// Nothing was heard of the client for too long.
    Idle,
    /// The client has not said hello in time.
    Silent,
    /// There is no place for this client: others, or those who come back, need it.
    Full,
    /// The client does not take what is sent to it.
    Slow,
    /// The frontend is about to stop: the client should go to another one, and
    /// may use this socket until it has.
    Draining,
    /// The frontend is stopping.
    Stopping,
}

/// What should happen next.
#[derive(Debug)]
pub(crate) enum Output {
    /// To the client.
    Send(Text),
    /// The session belongs to this player from now on, if there is a place for them. At
    /// most once. `known`: a token says that they were here before.
    Enter {
        player: PlayerId,
        known: bool,
    },
    /// To the cluster; the answer is mail with this tag. `shown`: what comes of it is shown
    /// here too, for the room is watched.
    Submit {
        tag: Tag,
        command: Box<Command>,
        shown: bool,
    },
    /// To the hub; the answer is mail with this tag.
    Watch {
        tag: Tag,
        player: PlayerId,
        room: RoomId,
        since: Option<Version>,
        /// In steps.
        steps: bool,
    },
    Unwatch {
        room: RoomId,
    },
    /// The player looks at the room through this socket from now on.
    Here {
        room: RoomId,
    },
    /// Not any more.
    Gone {
        room: RoomId,
    },
    /// To the cluster; the answer is mail with this tag.
    LookUp {
        tag: Tag,
        question: Question,
    },
    /// To the hub; the answer is mail with this tag.
    Follow {
        tag: Tag,
        player: PlayerId,
        since: Option<NoticeNumber>,
    },
    /// This is looked at from now on, and shown at once and whenever it changes; or it is
    /// not any more.
    Look {
        sight: Sight,
        open: bool,
    },
    /// A frame was understood to be this, for the counters.
    Acted(Action),
    /// A request was refused so, for the counters.
    Refused(Code),
    /// Tell the client, close, and end.
    Bye(Farewell),
}
