//! The socket's language: what a browser hears.

use std::fmt;

use hangraft_ids::{NodeId, Seat, Version};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    command::Refusal,
    message::{RequestId, Text},
};

/// What a browser hears, views apart: those are put together once per room by
/// [`crate::hub`].
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum ServerMessage<'a> {
    /// The answer yes.
    Ok {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a RequestId>,
        ok: Reply<'a>,
    },
    /// The answer no.
    Refused {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a RequestId>,
        refused: Trouble<'a>,
    },
    /// The server closes this socket next; or, with the code `moving`, soon, and
    /// the client should go on at another frontend.
    Bye { push: &'static str, code: &'static str, message: &'a str },
    /// The way to the cluster was lost or found.
    Cluster {
        push: &'static str,
        #[serde(flatten)]
        link: LinkState,
    },
}

/// What an `ok` holds.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Reply<'a> {
    Hello {
        player: String,
        name: &'a str,
        token: &'a str,
        server: ServerInfo<'a>,
    },
    Opened {
        room: &'a str,
    },
    Watching {
        room: &'a str,
        version: Version,
        /// How long ago that version was made, in milliseconds.
        #[serde(skip_serializing_if = "is_zero")]
        age: u64,
    },
    Seat {
        seat: Option<Seat>,
        version: Version,
    },
    Version {
        version: Version,
    },
    Listing(&'a RawValue),
    Nothing {},
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What a page should know about the server.
#[derive(Serialize)]
pub(crate) struct ServerInfo<'a> {
    pub(crate) version: &'static str,
    /// Where else to go when this frontend is gone.
    pub(crate) frontends: &'a [String],
    /// Where else people find this frontend; left out when nobody said.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(crate) addresses: &'a [String],
    /// As in a `cluster` push.
    pub(crate) cluster: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) leader: Option<NodeId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) epoch: Option<Epoch>,
}

/// The inside of a refusal.
#[derive(Serialize)]
pub(crate) struct Trouble<'a> {
    code: &'static str,
    message: &'a str,
    /// Nobody will ever know: asking again is of no use.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    forgotten: bool,
}

/// Whether the cluster can be reached, for pages to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LinkState {
    /// "connected" or "reconnecting".
    pub(crate) state: &'static str,
    /// The leader's node id, when one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) leader: Option<NodeId>,
    /// What versions of rooms belong to; nothing before the cluster was ever reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) epoch: Option<Epoch>,
}

/// Versions of rooms can be compared only within one epoch. A cluster that was restored
/// from a backup has another than before: what it shows may be older than what was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch(pub(crate) u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for Epoch {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl LinkState {
    pub(crate) const fn reconnecting(epoch: Option<Epoch>) -> Self {
        Self { state: "reconnecting", leader: None, epoch }
    }

    pub(crate) const fn connected(leader: NodeId, epoch: Option<Epoch>) -> Self {
        Self { state: "connected", leader: Some(leader), epoch }
    }
}

impl ServerMessage<'_> {
    pub(crate) fn text(&self) -> Text {
        serde_json::to_string(self).expect("strings, numbers and raw JSON are JSON").into()
    }
}

pub(crate) fn ok(id: Option<&RequestId>, reply: Reply<'_>) -> Text {
    ServerMessage::Ok { id, ok: reply }.text()
}

pub(crate) fn refused(id: Option<&RequestId>, refusal: &Refusal) -> Text {
    let Refusal { code, message, forgotten } = refusal;
    let refused = Trouble { code: code.as_str(), message, forgotten: *forgotten };
    ServerMessage::Refused { id, refused }.text()
}

pub(crate) fn bye(code: &'static str, message: &str) -> Text {
    ServerMessage::Bye { push: "bye", code, message }.text()
}

pub(crate) fn cluster(link: LinkState) -> Text {
    ServerMessage::Cluster { push: "cluster", link }.text()
}

/// The body of an `ok` to `rooms`: an object, ready to be sent.
pub(crate) fn listing(body: &impl Serialize) -> Box<RawValue> {
    to_raw_value(body).expect("strings, numbers and raw JSON are JSON")
}
