//! The requests of one socket that have no answer yet.

use std::collections::HashMap;

use hangraft_proto::socket::{Action, Code};

use crate::{command::Refusal, mailbox::Tag, message::RequestId};

/// Requests of one socket without an answer yet; one more is refused with `busy`.
pub(super) const PENDING_MAX: usize = 64;

/// A request that has no answer yet.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) id: Option<RequestId>,
    pub(super) action: Action,
}

/// All of them, each under the tag that its answer has.
#[derive(Debug)]
pub(super) struct Requests {
    next: Tag,
    open: HashMap<Tag, Pending>,
}

/// How it stands with something that is shown from its answer on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watching {
    /// The request with this tag has no answer yet.
    Asked(Tag),
    On,
}

impl Requests {
    pub(super) fn new() -> Self {
        Self { next: Tag(1), open: HashMap::new() }
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// One more; what its answer will be known by.
    pub(super) fn expect(&mut self, id: Option<RequestId>, action: Action) -> Result<Tag, Refusal> {
        if self.open.len() >= PENDING_MAX {
            let message = format!("at most {PENDING_MAX} requests may be without an answer");
            return Err(Refusal::new(Code::Busy, message));
        }
        let tag = self.next;
        self.next = Tag(tag.0 + 1);
        self.open.insert(tag, Pending { id, action });
        Ok(tag)
    }

    /// The one that is answered now; none if it was answered before.
    pub(super) fn take(&mut self, tag: Tag) -> Option<Pending> {
        self.open.remove(&tag)
    }
}
