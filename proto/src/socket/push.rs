//! What a client hears though it has not asked.

use std::{borrow::Cow, ops::Range};

use hangraft_ids::{NodeId, Version};
use serde::{Deserialize, Deserializer, Serialize};

use super::code::ByeCode;
use super::deck::Deck;
use super::epoch::Epoch;
use super::matches::{Live, Lobby, Notice};

/// Something that nobody asked for.
#[derive(Clone, Debug)]
pub enum Push<'a> {
    /// A room at a version.
    View(View<'a>),
    /// What has changed in a room, for who has asked for steps.
    Step(Step<'a>),
    /// The server closes this socket next; or, with the code `moving`, soon.
    Bye(Bye<'a>),
    /// The way to the cluster was lost or found.
    Cluster(LinkState),
    /// The nodes, for who has asked to see them.
    Deck(Deck),
    /// What the player is told, for who has asked to hear it.
    Notice(Box<Notice>),
    /// The open seeks, for who has asked to see them.
    Lobby(Lobby),
    /// The numbers, for who has asked to see them.
    Live(Live<'a>),
    /// One that this build does not know: a newer frontend's, and none to act on.
    Unknown,
}

/// A room at one version. Versions come in order.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// The room's name.
    pub room: Cow<'a, str>,
    /// Which version.
    pub version: Version,
    /// What is to be seen: JSON, made by the game's rules.
    pub view: &'a str,
    /// What happened between the version before and this one: a JSON array.
    pub events: &'a str,
    /// A whole view: versions before it may have been left out.
    pub resync: bool,
    /// The room's last view.
    pub closed: bool,
}

/// What brings a view of a room to that of the next version.
#[derive(Clone, Debug)]
pub struct Step<'a> {
    /// The room's name.
    pub room: Cow<'a, str>,
    /// The version that the view is brought to.
    pub version: Version,
    /// The fields of the view that are new or have another value: a JSON object.
    pub set: &'a str,
    /// The names of those that are not there any more: a JSON array.
    pub unset: &'a str,
    /// What happened between the version before and this one: a JSON array.
    pub events: &'a str,
    /// The room's last version.
    pub closed: bool,
}

/// A server's last word, or with the code `moving` its last but one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bye<'a> {
    /// For programs.
    pub code: ByeCode,
    /// For people.
    #[serde(borrow)]
    pub message: Cow<'a, str>,
}

/// Whether the cluster can be reached, for pages to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkState {
    /// Whether it can.
    pub state: Link,
    /// The leader, when one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader: Option<NodeId>,
    /// What versions of rooms belong to; nothing before the cluster was ever reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
}

/// The way from a frontend to the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Link {
    /// It is there.
    Connected,
    /// It is looked for.
    Reconnecting,
}

/// The words that pushes begin with.
pub(super) const VIEW: &str = "view";
pub(super) const STEP: &str = "step";
pub(super) const BYE: &str = "bye";
pub(super) const CLUSTER: &str = "cluster";
pub(super) const DECK: &str = "deck";
pub(super) const NOTICE: &str = "notice";
pub(super) const LOBBY: &str = "lobby";
pub(super) const LIVE: &str = "live";

impl View<'_> {
    /// The push as a frame, and where in it the view is. Made by hand: a view is large,
    /// many see it, and it is not read again for that.
    pub fn text(&self) -> (String, Range<usize>) {
        let Self { room, version: Version(version), view, events, resync, closed } = self;
        let head = format!(r#"{{"push":"{VIEW}","room":"{room}","version":{version},"view":"#);
        let resync = if *resync { r#","resync":true"# } else { "" };
        let closed = if *closed { r#","closed":true"# } else { "" };
        let text = [&head, *view, r#","events":"#, events, resync, closed, "}"].concat();
        (text, head.len()..head.len() + view.len())
    }
}

impl Step<'_> {
    /// The push as a frame, made by hand like a view's. No `unset` is said where nothing is.
    pub fn text(&self) -> String {
        let Self { room, version: Version(version), set, unset, events, closed } = self;
        let head = format!(r#"{{"push":"{STEP}","room":"{room}","version":{version},"set":"#);
        let (key, unset) = if *unset == "[]" { ("", "") } else { (r#","unset":"#, *unset) };
        let closed = if *closed { r#","closed":true"# } else { "" };
        [&head, *set, key, unset, r#","events":"#, events, closed, "}"].concat()
    }
}

impl Bye<'_> {
    /// The push as a frame.
    pub fn text(&self) -> String {
        text(BYE, self)
    }
}

impl LinkState {
    /// The cluster is looked for.
    pub const fn reconnecting(epoch: Option<Epoch>) -> Self {
        Self { state: Link::Reconnecting, leader: None, epoch }
    }

    /// The cluster is there, and led.
    pub const fn connected(leader: NodeId, epoch: Option<Epoch>) -> Self {
        Self { state: Link::Connected, leader: Some(leader), epoch }
    }

    /// The push as a frame.
    pub fn text(&self) -> String {
        text(CLUSTER, self)
    }
}

impl<'de> Deserialize<'de> for Link {
    /// What is no word of today is not `connected`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = Cow::<'de, str>::deserialize(deserializer)?;
        Ok(if word == "connected" { Self::Connected } else { Self::Reconnecting })
    }
}

/// A push as a frame.
pub(super) fn text(push: &str, body: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Pushed<'a, T> {
        push: &'a str,
        #[serde(flatten)]
        body: &'a T,
    }
    serde_json::to_string(&Pushed { push, body }).expect("strings and numbers are JSON")
}
