//! Answers to `rooms`: asked of the node we watch through, and kept for a moment,
//! so that a lobby full of browsers costs the node one question.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use hangraft_cluster_config::RoomNames;
use hangraft_proto::{ACCESS_HEADER, socket::Code};
use std::sync::Arc;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::timeout,
};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    transport::Channel,
};

use super::{convert, link};
use crate::{
    command::{Refusal, RoomsQuery},
    mailbox::{Listing, Mail, Mailbox, Tag},
};

/// How old an answer may be. A lobby asks every two seconds.
const FRESH: Duration = Duration::from_millis(250);
/// How long the node may take.
const DEADLINE: Duration = Duration::from_secs(1);
/// Different questions remembered or under way; past it, `busy` until some are old.
const QUESTIONS_MAX: usize = 256;

/// A session's question.
#[derive(Debug)]
pub(crate) struct ListRequest {
    pub(crate) query: RoomsQuery,
    pub(crate) asker: Mailbox,
    pub(crate) tag: Tag,
}

enum Entry {
    Asked(Vec<(Mailbox, Tag)>),
    Known(Listing, Instant),
}

/// Answers questions until nobody is left to ask.
pub(super) async fn run(
    mut questions: mpsc::Receiver<ListRequest>,
    path: watch::Receiver<Option<Channel>>,
    access: MetadataValue<Ascii>,
    names: RoomNames,
) {
    let mut entries = HashMap::new();
    let mut calls = JoinSet::new();
    loop {
        tokio::select! {
            question = questions.recv() => {
                let Some(question) = question else { return };
                if let Some(query) = admit(&mut entries, question, Instant::now()) {
                    let names = names.clone();
                    calls.spawn(call(query, path.borrow().clone(), access.clone(), names));
                }
            }
            Some(Ok((query, listing))) = calls.join_next() => {
                settle(&mut entries, query, listing, Instant::now());
            }
        }
    }
}

/// Answers from memory, or joins those waiting; says when the node must be asked.
fn admit(
    entries: &mut HashMap<RoomsQuery, Entry>,
    question: ListRequest,
    now: Instant,
) -> Option<RoomsQuery> {
    let ListRequest { query, asker, tag } = question;
    match entries.get_mut(&query) {
        Some(Entry::Asked(waiting)) => {
            waiting.push((asker, tag));
            return None;
        }
        Some(Entry::Known(listing, at)) if now < *at + FRESH => {
            asker.put(Mail::Listing { tag, listing: listing.clone() });
            return None;
        }
        _ => {}
    }
    entries.retain(|_, entry| !matches!(entry, Entry::Known(_, at) if now >= *at + FRESH));
    if entries.len() >= QUESTIONS_MAX {
        let busy = Refusal::new(Code::Busy, "too many different listings are asked for at once");
        asker.put(Mail::Listing { tag, listing: Err(busy) });
        return None;
    }
    entries.insert(query.clone(), Entry::Asked(vec![(asker, tag)]));
    Some(query)
}

fn settle(
    entries: &mut HashMap<RoomsQuery, Entry>,
    query: RoomsQuery,
    listing: Listing,
    now: Instant,
) {
    if let Some(Entry::Asked(waiting)) = entries.insert(query, Entry::Known(listing.clone(), now)) {
        for (asker, tag) in waiting {
            asker.put(Mail::Listing { tag, listing: listing.clone() });
        }
    }
}

async fn call(
    query: RoomsQuery,
    channel: Option<Channel>,
    access: MetadataValue<Ascii>,
    names: RoomNames,
) -> (RoomsQuery, Listing) {
    let Some(channel) = channel else {
        let refusal = Refusal::new(Code::NoQuorum, "no node of the cluster can be reached now");
        return (query, Err(refusal));
    };
    let mut request = Request::new(convert::rooms_request(&query));
    request.metadata_mut().insert(ACCESS_HEADER, access);
    let reply = timeout(DEADLINE, async { link::client(channel).rooms(request).await })
        .await
        .unwrap_or_else(|_| Err(Status::deadline_exceeded("the node did not answer in time")));
    let listing = reply
        .map(|reply| Arc::from(convert::rooms_reply(reply.into_inner(), &names)))
        .map_err(|status| convert::status(&status));
    (query, listing)
}
