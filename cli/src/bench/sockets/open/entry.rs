//! How a room is opened and everybody comes in, one after the other.

use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::SinkExt;
use hangraft_ids::Version;
use hangraft_proto::socket::{Code, Push, RequestId};
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    bench::{
        socket::{Incoming, NAME, frame},
        sockets::open::plan::Plan,
    },
    socket::{Identity, Socket, Url, next_text},
};

/// How long to wait before asking again what was not taken.
const AGAIN: Duration = Duration::from_millis(100);

/// A socket in its room.
pub(super) struct Guest {
    pub(super) socket: Socket,
    pub(super) identity: Identity,
    /// The number of its frontend.
    pub(super) at: usize,
    /// The id of its last message.
    pub(super) last_id: u64,
    /// The newest version it was pushed.
    pub(super) seen: Version,
}

/// Opens the room with this number for so many players, and lets all in, watchers too; its
/// name, and the sockets, players first.
pub(super) async fn enter(
    plan: &Plan,
    number: usize,
    players: usize,
) -> anyhow::Result<(String, Vec<Guest>)> {
    let sockets = players + plan.watchers;
    // Rooms before this one are taken for full, so that their sockets are dealt out in turn.
    let first = number * sockets;
    let mut guests = Vec::with_capacity(sockets);
    for at in first..first + sockets {
        guests.push(Guest::arrive(plan, at).await?);
    }
    let opened = guests[0].ask(frame::open).await?;
    let room = opened.context("a frontend has opened a room without a name")?;
    for guest in &mut guests[..players] {
        guest.ask(|id| frame::sit(&room, id)).await?;
    }
    for guest in &mut guests {
        guest.ask(|id| frame::watch(&room, None, id)).await?;
    }
    Ok((room, guests))
}

impl Guest {
    async fn arrive(plan: &Plan, at: usize) -> anyhow::Result<Self> {
        let url: &Url = plan.url(at);
        let (socket, identity) = url.enter_by(plan.way(), NAME, None).await?;
        Ok(Self { socket, identity, at, last_id: 0, seen: Version(0) })
    }

    /// Asks until there is a yes; the name of the room in it, if it has one.
    async fn ask(&mut self, frame: impl Fn(u64) -> String) -> anyhow::Result<Option<String>> {
        self.last_id += 1;
        loop {
            self.socket.send(Message::text(frame(self.last_id))).await?;
            match self.answer().await? {
                Ok(room) => return Ok(room),
                Err(Code::Busy | Code::NoQuorum | Code::UnknownOutcome) => {}
                Err(Code::TooFast) => bail!(
                    "the frontends slow players down ({}); start the demo with --no-limits for a bench",
                    Code::TooFast
                ),
                Err(code) => bail!("a frontend refused: {code}"),
            }
            sleep(AGAIN).await;
        }
    }

    async fn answer(&mut self) -> anyhow::Result<Result<Option<String>, Code>> {
        while let Some(text) = next_text(&mut self.socket).await? {
            match Incoming::read(&text).context("cannot understand a frontend")? {
                Incoming::Push(Push::View(view)) => self.seen = view.version,
                Incoming::Push(Push::Step(step)) => self.seen = step.version,
                Incoming::Push(Push::Bye(bye)) => bail!("a socket was closed: {}", bye.code),
                Incoming::Push(_) => {}
                Incoming::Answer(answer) => {
                    if answer.id.and_then(RequestId::number) == Some(self.last_id) {
                        let room = |yes: hangraft_proto::socket::Accepted<'_>| {
                            yes.room.map(|room| room.into_owned())
                        };
                        return Ok(answer.answer.map(room).map_err(|no| no.code));
                    }
                }
            }
        }
        bail!("a socket was closed")
    }
}
