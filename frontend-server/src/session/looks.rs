//! What one player looks at besides rooms: the nodes, the open seeks, the numbers.
//!
//! The nodes are always known, so the first that is shown of them goes with the answer, which
//! says how old they are. For the rest a node may have to be asked first: the answer does not
//! wait for it, and what is shown says itself how old it is.

use hangraft_proto::socket::{Action, Code, Looking, Nothing, Reply};

use super::{
    answers::{refuse, send_ok},
    pending::{Pending, Requests, Watching},
};
use crate::{
    boards::Shown,
    command::{Refusal, Sight},
    exchange::{Now, Output},
    message::RequestId,
};

/// What is looked at.
#[derive(Debug, Default)]
pub(super) struct Looks {
    deck: Option<Watching>,
    /// Whether any seeks were shown since they were opened.
    lobby: Option<bool>,
    /// The last hour that was shown since the numbers were opened; 0 for none.
    live: Option<u64>,
}

impl Looks {
    /// Something is to be looked at from now on, or not any more.
    pub(super) fn on_look(
        &mut self,
        id: Option<RequestId>,
        sight: Sight,
        open: bool,
        requests: &mut Requests,
    ) -> Result<Vec<Output>, Refusal> {
        let look = Output::Look { sight, open };
        match sight {
            Sight::Deck => return self.on_deck(id, open, look, requests),
            Sight::Lobby => self.lobby = open.then_some(false),
            Sight::Live => self.live = open.then_some(0),
        }
        Ok(vec![look, send_ok(id.as_ref(), Reply::Nothing(Nothing {}))])
    }

    fn on_deck(
        &mut self,
        id: Option<RequestId>,
        open: bool,
        look: Output,
        requests: &mut Requests,
    ) -> Result<Vec<Output>, Refusal> {
        let asked = match self.deck {
            Some(Watching::Asked(_)) if open => {
                return Err(Refusal::new(Code::Busy, "the nodes are about to be shown"));
            }
            Some(Watching::Asked(tag)) => requests.take(tag),
            Some(Watching::On) | None => None,
        };
        let mut outputs = vec![look];
        if open {
            self.deck = Some(Watching::Asked(requests.expect(id, Action::Deck)?));
            return Ok(outputs);
        }
        self.deck = None;
        if let Some(Pending { id, .. }) = asked {
            let refusal = Refusal::new(Code::BadRequest, "it was closed before it was shown");
            outputs.extend(refuse(id.as_ref(), &refusal));
        }
        outputs.push(send_ok(id.as_ref(), Reply::Nothing(Nothing {})));
        Ok(outputs)
    }

    /// Something that is looked at, as it is now.
    pub(super) fn on_shown(
        &mut self,
        shown: &Shown,
        requests: &mut Requests,
        now: Now,
    ) -> Vec<Output> {
        match shown {
            Shown::Deck(deck) => {
                let Some(looking) = self.deck.replace(Watching::On) else {
                    self.deck = None;
                    return vec![];
                };
                let mut outputs = Vec::new();
                // The first one is the answer to who asked for it, too.
                if let Watching::Asked(tag) = looking
                    && let Some(Pending { id, .. }) = requests.take(tag)
                {
                    let age = deck.age(now.instant).as_millis() as u64;
                    outputs.push(send_ok(id.as_ref(), Reply::Looking(Looking { age })));
                }
                outputs.push(Output::Send(deck.text()));
                outputs
            }
            Shown::Lobby(seeks) => match self.lobby.as_mut() {
                Some(any) => {
                    let seen = std::mem::replace(any, true);
                    let text = if seen { seeks.text() } else { seeks.text_at(now.instant) };
                    vec![Output::Send(text)]
                }
                None => vec![],
            },
            Shown::Live(numbers) => match self.live.as_mut() {
                Some(hour) => {
                    let seen = std::mem::replace(hour, numbers.hour());
                    vec![Output::Send(numbers.text(seen))]
                }
                None => vec![],
            },
        }
    }
}
