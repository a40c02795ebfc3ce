//! What is done when a session wants something done.

use std::{
    io,
    sync::{Arc, PoisonError},
    time::SystemTime,
};

use bytes::Bytes;
use hangraft_proto::socket::ByeCode;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::{
    lookout::Lookouts,
    shared::{Place, Shared},
};
use crate::{
    cluster::LookUp,
    command::Sight,
    exchange::{Input, Now, Output},
    farewell::Farewell,
    hub::HubInput,
    mailbox::{Mail, Mailbox, SocketId},
    message::Text,
    players::{Here, SharedPaces},
    session::Session,
};

/// How a conversation ended.
pub(super) enum End {
    /// The client is gone.
    Gone,
    /// The client has closed, and waits for an answer.
    Closed,
    /// It is over, and the client is to be told.
    Bye(Farewell),
}

/// Carries out what a session wants done.
pub(super) struct Actions {
    pub(super) number: SocketId,
    pub(super) shared: Arc<Shared>,
    pub(super) place: Place,
    pub(super) session: Session,
    pub(super) mailbox: Mailbox,
    /// What they look at besides rooms.
    pub(super) lookouts: Lookouts,
    /// The player's place among those here, after hello.
    pub(super) here: Option<Here>,
    /// The player's pace; before hello, the socket's own.
    pub(super) paces: SharedPaces,
    /// To be written next.
    pub(super) frames: Vec<Message>,
}

impl Actions {
    pub(super) async fn on_all(&mut self, mail: Vec<Mail>) -> Option<End> {
        for mail in mail {
            let end = self.on(Input::Mail(mail)).await;
            if end.is_some() {
                return end;
            }
        }
        None
    }

    pub(super) async fn on(&mut self, input: Input<'_>) -> Option<End> {
        if matches!(input, Input::Slow) {
            self.shared.meters.overflows.increment(1);
        }
        let outputs = {
            let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
            self.session.on(input, now(), &mut paces)
        };
        for output in outputs {
            // After the last word nothing more is said.
            if let Some(farewell) = self.carry_out(output).await {
                return Some(End::Bye(farewell));
            }
        }
        None
    }

    /// Asks a quiet client whether it is there.
    pub(super) fn ping(&mut self) -> Option<End> {
        self.frames.push(Message::Ping(Bytes::new()));
        None
    }

    /// The stream has failed: the client is gone, or does not take what is sent to it.
    pub(super) fn not_taken(&self, err: &Error) -> End {
        if matches!(err, Error::Io(err) if err.kind() == io::ErrorKind::TimedOut) {
            self.shared.meters.overflows.increment(1);
            self.shared.meters.closed(ByeCode::Slow);
        }
        End::Gone
    }

    async fn carry_out(&mut self, output: Output) -> Option<Farewell> {
        match output {
            Output::Send(text) => self.frames.push(text_frame(text)),
            Output::Enter { player, known } => {
                if !self.place.visit.greets(known) {
                    return Some(Farewell::FULL);
                }
                let here = self.shared.players.enter(player);
                self.paces = here.paces();
                self.here = Some(here);
            }
            Output::Submit { tag, command, shown } => {
                self.shared.cluster.submit(command, self.mailbox.clone(), tag, shown);
            }
            Output::Watch { tag, player, room, since, steps } => {
                let (session, mailbox) = (self.number, self.mailbox.clone());
                let watch = HubInput::Watch { session, mailbox, player, room, since, steps, tag };
                self.shared.hub.tell(watch).await;
            }
            Output::Unwatch { room } => {
                self.shared.hub.tell(HubInput::Unwatch { session: self.number, room }).await;
            }
            Output::Here { room } => {
                if let Some(here) = &mut self.here {
                    here.look_at(room);
                }
            }
            Output::Gone { room } => {
                if let Some(here) = &mut self.here {
                    here.look_away(room);
                }
            }
            Output::LookUp { tag, question } => {
                let asker = self.mailbox.clone();
                self.shared.cluster.look_up(LookUp { question, asker, tag });
            }
            Output::Follow { tag, player, since } => {
                let (session, mailbox) = (self.number, self.mailbox.clone());
                let follow = HubInput::Follow { session, mailbox, player, since, tag };
                self.shared.hub.tell(follow).await;
            }
            Output::Look { sight, open: true } => self.look(sight).await,
            Output::Look { sight, open: false } => self.lookouts.close(sight),
            Output::Acted(kind) => self.shared.meters.action(kind),
            Output::Refused(code) => self.shared.meters.refused(code),
            Output::Bye(farewell) => return Some(farewell),
        }
        None
    }
}

impl Actions {
    /// Something is looked at from now on.
    async fn look(&mut self, sight: Sight) {
        let (hub, lookouts) = (&self.shared.hub, &mut self.lookouts);
        match sight {
            Sight::Deck => lookouts.open_deck(self.shared.cluster.deck()),
            // Who has looked already is not counted twice: the look of before ends here.
            Sight::Lobby => lookouts.open_lobby(hub.seeks(), hub.look(sight).await),
            Sight::Live => lookouts.open_live(hub.numbers(), hub.look(sight).await),
        }
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        self.shared.meters.queues.leave(self.number);
        self.shared.hub.leave(self.number);
    }
}

fn now() -> Now {
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    // A clock before 1970 is no reason to turn players away.
    Now { instant: Instant::now().into_std(), unix: unix.map_or(0, |since| since.as_secs()) }
}

pub(super) fn text_frame(text: Text) -> Message {
    let text = Utf8Bytes::try_from(text.into_bytes()).expect("texts are made from strings");
    Message::Text(text)
}
