//! What a replica has applied, and how an entry changes it.

use crate::charter::{Charter, CharterCommand, unknown_of};
use crate::feed::{Feed, Publisher};
use crate::format::{corrupt, decode};
use crate::raft::alarm::Due;
use crate::raft::hashes::Hashes;
use crate::raft::snapshots::SnapshotContents;
use crate::raft::types::{
    Answers, Entry, LogId, Membership, Proposal, SnapshotMeta, StoredMembership, index_of,
    members_of, position_of,
};
use crate::storage::log::Position;
use bytes::Bytes;
use hangraft_game::{Answer, Batch, Change, Finished, Lobby, PlayerId};
use hangraft_ids::RoomId;
use openraft::EntryPayload;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

/// What the log makes of an empty lobby.
pub(super) struct State {
    pub(super) lobby: Lobby,
    pub(super) applied: Option<LogId>,
    pub(super) hashes: Hashes,
    pub(super) membership: StoredMembership,
    pub(super) charter: Charter,
    /// Games that left the lobby since the last snapshot, with their room numbers.
    pub(super) finished: BTreeMap<RoomId, Bytes>,
}

/// What one replica has applied, at one instant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Applied {
    pub(crate) applied: Option<Position>,
    pub(crate) hash: u64,
    pub(crate) rooms: u64,
}

/// What an entry asks of the state.
pub(super) enum Task {
    Nothing,
    Batch(Batch),
    Charter(CharterCommand),
    Membership(Membership),
}

impl Task {
    /// What an entry asks of the state.
    ///
    /// # Errors
    /// When this build cannot do it: the replica stops, for guessing would let it drift.
    pub(super) fn of(entry: &Entry) -> io::Result<Self> {
        let cannot =
            |why: String| corrupt(format!("cannot apply the entry at {}: {why}", entry.log_id));
        Ok(match &entry.payload {
            EntryPayload::Blank => Task::Nothing,
            EntryPayload::Membership(membership) => Task::Membership(membership.clone()),
            EntryPayload::Normal(Proposal::Batch(bytes)) => {
                let batch = Batch::decode(bytes).map_err(|err| cannot(err.to_string()))?;
                Task::Batch(
                    planted!(ApplyLooksAtClock ? crate::planted::by_own_clock(batch) => batch),
                )
            }
            EntryPayload::Normal(Proposal::Charter(bytes)) => {
                let command: CharterCommand =
                    decode(bytes).map_err(|err| cannot(err.to_string()))?;
                if let CharterCommand::Enable(feature) = &command
                    && unknown_of(&[feature.clone()].into()).is_some()
                {
                    return Err(cannot(unknown_feature(feature)));
                }
                Task::Charter(command)
            }
        })
    }
}

/// Why a replica of this build cannot go on in a cluster of a later one.
fn unknown_feature(feature: &str) -> String {
    format!(
        "this cluster uses {feature:?}, which version {} does not know; run a newer one",
        crate::format::VERSION
    )
}

impl State {
    pub(super) fn empty() -> Self {
        State {
            lobby: Lobby::default(),
            applied: None,
            hashes: Hashes::default(),
            membership: StoredMembership::default(),
            charter: Charter::default(),
            finished: BTreeMap::new(),
        }
    }

    pub(super) fn at(meta: &SnapshotMeta, held: SnapshotContents) -> Self {
        let mut hashes = Hashes::default();
        if let Some(id) = meta.last_log_id {
            hashes.note(index_of(&id), held.lobby.hash());
        }
        State {
            lobby: held.lobby,
            charter: held.charter,
            applied: meta.last_log_id,
            hashes,
            membership: meta.last_membership.clone(),
            finished: BTreeMap::new(),
        }
    }

    fn apply(&mut self, batch: &Batch, publisher: &mut Publisher<'_>) -> Vec<Answer> {
        let passed = self.lobby.tick(batch.stamp);
        self.keep(&passed.finished);
        self.publish(passed.changes, publisher);
        let mut told: BTreeSet<PlayerId> = passed.told.into_iter().collect();
        let mut answers = Vec::with_capacity(batch.entries.len());
        for (nth, entry) in batch.entries.iter().enumerate() {
            let outcome = self.lobby.apply(batch.stamp, nth as u32, entry);
            self.keep(&outcome.finished);
            self.publish(outcome.changes, publisher);
            told.extend(outcome.told);
            answers.push(outcome.answer);
        }
        publisher.tell(&told);
        publisher.show(&self.lobby);
        answers
    }

    /// Keeps games that have left the lobby, for the archive.
    fn keep(&mut self, finished: &[Finished]) {
        for game in finished {
            self.finished.insert(game.room, game.encode().into());
        }
    }

    fn publish(&self, changes: impl IntoIterator<Item = Change>, publisher: &mut Publisher<'_>) {
        for change in changes {
            if !publisher.is_watched(change.room) {
                continue;
            }
            // A room that has just left comes with its last state.
            let room = change.last.clone().or_else(|| self.lobby.room(change.room).cloned());
            if let Some(room) = room {
                publisher.publish(room, change);
            }
        }
    }

    /// What one entry asks for, and what comes of it.
    pub(super) fn carry_out(&mut self, task: Task, log_id: LogId, feed: &Feed) -> Answers {
        let answers = match task {
            Task::Nothing => Answers::default(),
            Task::Batch(batch) => {
                let batch = self.apply(&batch, &mut feed.publisher());
                Answers { batch, reply: None }
            }
            Task::Charter(command) => {
                let members = members_of(self.membership.membership());
                let reply = self.charter.apply(&command, &members);
                Answers { batch: Vec::new(), reply: Some(reply) }
            }
            Task::Membership(membership) => {
                self.charter.follow(&members_of(&membership));
                self.membership = StoredMembership::new(Some(log_id), membership);
                Answers::default()
            }
        };
        self.applied = Some(log_id);
        let hash = self.lobby.hash();
        self.hashes.note(index_of(&log_id), hash);
        answers
    }

    pub(super) fn standing(&self) -> Applied {
        Applied {
            applied: self.applied.as_ref().map(position_of),
            hash: self.lobby.hash(),
            rooms: self.lobby.len() as u64,
        }
    }

    /// What is due although nobody plays.
    pub(super) fn due(&self) -> Option<Due> {
        let (at_ms, after_ms) = (self.lobby.due_ms()?, self.lobby.due_in_ms()?);
        Some(Due { at_ms, after: Duration::from_millis(after_ms) })
    }
}
