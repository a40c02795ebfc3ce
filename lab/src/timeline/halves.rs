//! Pairs what the sender of a message tells with what its receiver does.
//!
//! A node that has too many messages tells some of them ([`sampling`]). Its level is its own, so
//! of some messages one half is told and the other was left out. Such a half says nothing of
//! what became of the message, and is left out as well.

use super::line::Message;
use crate::history::Moment;
use hangraft_ids::NodeId;
use hangraft_proto::sampling;
use hangraft_proto::v1::happening::Letter;
use std::collections::BTreeMap;

/// What a message is known by: who sent it, which process of it, and which of its messages.
pub(super) type Key = (u64, u64, u64);

pub(super) fn key_of(letter: &Letter) -> Key {
    (letter.from, letter.from_instance, letter.number)
}

/// For how long a message whose sending nobody told waits for its sender, in microseconds.
/// Then it is given out as one that stands where it came, and so it stays.
pub const SENDER_WAITED_FOR: Moment = 2_000_000;

/// For how long after it was sent a message that was given out as not received may be given
/// out once more, as received, in microseconds.
pub const TOLD_AGAIN: Moment = 10_000_000;

/// Messages of which one half was given out and the other may come. Of more than that a late
/// half is given out as a message of its own.
const TOLD_AGAIN_MAX: usize = 20_000;

/// Around a change of a node's level it is not known which of its messages were told at which,
/// for so many microseconds: the level comes with the batch after it.
const CHANGES: Moment = 500_000;

/// Halves of messages.
#[derive(Debug, Default)]
pub(super) struct Halves {
    sent: Vec<(Key, Message)>,
    /// `at` is when it came.
    received: BTreeMap<Key, Message>,
    /// Given out as not received.
    lost: BTreeMap<Key, Message>,
    /// At which levels nodes tell messages, and since when.
    levels: BTreeMap<NodeId, Vec<(Moment, u64)>>,
    /// Given out without its sender, by when it came: what the sender tells later is left out.
    alone: BTreeMap<Key, Moment>,
}

impl Halves {
    /// The sender tells.
    pub(super) fn sent(&mut self, key: Key, message: Message) {
        if !self.alone.contains_key(&key) {
            self.sent.push((key, message));
        }
    }

    /// The receiver tells.
    pub(super) fn received(&mut self, key: Key, message: Message) {
        self.received.entry(key).or_insert(message);
    }

    /// From here on a node tells one in so many; whether that is news.
    pub(super) fn sampled(&mut self, at: Moment, node: NodeId, one_in: u64) -> bool {
        let levels = self.levels.entry(node).or_default();
        let is_news = levels.last().map_or(1, |(_, one_in)| *one_in) != one_in;
        if is_news {
            levels.push((at, one_in));
        }
        is_news
    }

    /// A node that will not be heard again.
    pub(super) fn forget(&mut self, node: NodeId) {
        self.levels.remove(&node);
    }

    /// Whether the other one of a message's two nodes may have left it out.
    fn may_be_left_out(&self, key: Key, other: NodeId, half: &Message) -> bool {
        let Some(levels) = self.levels.get(&other) else { return false };
        let number = key.2;
        sampling::is_everyday(&half.what)
            && levels.iter().enumerate().any(|(place, (since, one_in))| {
                let until = levels.get(place + 1).map_or(Moment::MAX, |(at, _)| *at);
                let held = since.saturating_sub(CHANGES)..=until.saturating_add(CHANGES);
                held.contains(&half.at) && !sampling::is_kept(number, *one_in)
            })
    }

    /// All messages that are left.
    pub(super) fn rest(&mut self) -> Vec<Message> {
        let sent = std::mem::take(&mut self.sent);
        let mut messages: Vec<Message> = Vec::new();
        for (key, message) in sent {
            if let Some(half) = self.received.remove(&key) {
                messages.push(whole(message, &half));
            } else if !self.may_be_left_out(key, message.to, &message) {
                messages.push(message);
            }
        }
        for (key, half) in std::mem::take(&mut self.received) {
            if let Some(message) = self.lost.remove(&key) {
                messages.push(whole(message, &half));
            } else if !self.may_be_left_out(key, half.from, &half) {
                messages.push(alone(half));
            }
        }
        messages
    }

    /// Messages that were sent up to a moment, each with its receipt if that is known. One
    /// that was given out without may come again, with it, for [`TOLD_AGAIN`]. One whose
    /// sending nobody has told comes [`SENDER_WAITED_FOR`] after its receipt.
    pub(super) fn until(&mut self, upto: Moment) -> Vec<Message> {
        let mut messages = Vec::new();
        let sent = self.sent.extract_if(.., |(_, message)| message.at <= upto);
        for (key, message) in sent.collect::<Vec<_>>() {
            if let Some(half) = self.received.remove(&key) {
                messages.push(whole(message, &half));
                continue;
            }
            if self.may_be_left_out(key, message.to, &message) {
                continue;
            }
            if self.lost.len() < TOLD_AGAIN_MAX {
                self.lost.insert(key, message.clone());
            }
            messages.push(message);
        }
        let late = upto.saturating_sub(SENDER_WAITED_FOR);
        let lost = &self.lost;
        let is_due = |key: &Key, half: &mut Message| {
            half.at <= late || half.at <= upto && lost.contains_key(key)
        };
        let due: Vec<_> = self.received.extract_if(.., is_due).collect();
        for (key, half) in due {
            if let Some(message) = self.lost.remove(&key) {
                messages.push(whole(message, &half));
            } else if !self.may_be_left_out(key, half.from, &half) {
                messages.push(self.give_alone(key, half));
            }
        }
        let long_ago = upto.saturating_sub(TOLD_AGAIN);
        self.lost.retain(|_, message| message.at >= long_ago);
        self.alone.retain(|_, came| *came >= long_ago);
        for levels in self.levels.values_mut() {
            // The last that began long ago still holds.
            let old = levels.partition_point(|(since, _)| *since < long_ago);
            levels.drain(..old.saturating_sub(1));
        }
        messages
    }

    fn give_alone(&mut self, key: Key, half: Message) -> Message {
        if self.alone.len() < TOLD_AGAIN_MAX {
            self.alone.insert(key, half.at);
        }
        alone(half)
    }
}

/// A message of which both halves are known. A receiver knows all that came, a sender only
/// what it began with.
fn whole(message: Message, half: &Message) -> Message {
    let bytes = message.bytes.max(half.bytes);
    Message { bytes, received: Some(half.at.max(message.at)), ..message }
}

/// Nobody told that it was sent; it came all the same.
fn alone(half: Message) -> Message {
    Message { received: Some(half.at), ..half }
}
