//! What is looked up for players: rooms, ladders, cards, offers. It is asked of the node we
//! watch through, and kept for a moment, so that a lobby full of browsers costs the node one
//! question.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use hangraft_cluster_config::RoomNames;
use hangraft_proto::{ACCESS_HEADER, socket::Code, v1};
use serde_json::value::RawValue;
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
    command::{Question, Refusal, no_such_offer, no_such_room},
    mailbox::{Found, Mail, Mailbox, Tag},
    reply,
};

/// How old an answer may be. A lobby asks every two seconds.
const FRESH: Duration = Duration::from_millis(250);
/// How long the node may take.
const DEADLINE: Duration = Duration::from_secs(1);
/// Different questions remembered or under way; past it, `busy` until some are old.
const QUESTIONS_MAX: usize = 256;

/// A session's question.
#[derive(Debug)]
pub(crate) struct LookUp {
    pub(crate) question: Question,
    pub(crate) asker: Mailbox,
    pub(crate) tag: Tag,
}

enum Entry {
    Asked(Vec<(Mailbox, Tag)>),
    Known(Found, Instant),
}

/// Answers questions until nobody is left to ask.
pub(super) async fn run(
    mut questions: mpsc::Receiver<LookUp>,
    path: watch::Receiver<Option<Channel>>,
    access: MetadataValue<Ascii>,
    names: RoomNames,
) {
    let mut entries = HashMap::new();
    let mut calls = JoinSet::new();
    loop {
        tokio::select! {
            asked = questions.recv() => {
                let Some(asked) = asked else { return };
                if let Some(question) = admit(&mut entries, asked, Instant::now()) {
                    let (channel, access) = (path.borrow().clone(), access.clone());
                    calls.spawn(call(question, channel, access, names.clone()));
                }
            }
            Some(Ok((question, found))) = calls.join_next() => {
                settle(&mut entries, question, found, Instant::now());
            }
        }
    }
}

/// Answers from memory, or joins those waiting; says when the node must be asked.
fn admit(entries: &mut HashMap<Question, Entry>, asked: LookUp, now: Instant) -> Option<Question> {
    let LookUp { question, asker, tag } = asked;
    match entries.get_mut(&question) {
        Some(Entry::Asked(waiting)) => {
            waiting.push((asker, tag));
            return None;
        }
        Some(Entry::Known(found, at)) if now < *at + fresh(&question) => {
            asker.put(Mail::Found { tag, found: found.clone() });
            return None;
        }
        _ => {}
    }
    entries.retain(|_, entry| !matches!(entry, Entry::Known(_, at) if now >= *at + FRESH));
    if entries.len() >= QUESTIONS_MAX {
        let busy = Refusal::new(Code::Busy, "too many different things are asked for at once");
        asker.put(Mail::Found { tag, found: Err(busy) });
        return None;
    }
    entries.insert(question.clone(), Entry::Asked(vec![(asker, tag)]));
    Some(question)
}

/// How old the answer to a question may be. What was said is asked for by who has just been
/// shown the room, and was no answer if it were older than that.
fn fresh(question: &Question) -> Duration {
    if matches!(question, Question::History(_)) { Duration::ZERO } else { FRESH }
}

fn settle(entries: &mut HashMap<Question, Entry>, question: Question, found: Found, now: Instant) {
    if let Some(Entry::Asked(waiting)) = entries.insert(question, Entry::Known(found.clone(), now))
    {
        for (asker, tag) in waiting {
            asker.put(Mail::Found { tag, found: found.clone() });
        }
    }
}

async fn call(
    question: Question,
    channel: Option<Channel>,
    access: MetadataValue<Ascii>,
    names: RoomNames,
) -> (Question, Found) {
    let Some(channel) = channel else {
        let refusal = Refusal::new(Code::NoQuorum, "no node of the cluster can be reached now");
        return (question, Err(refusal));
    };
    let found = timeout(DEADLINE, ask(&question, channel, access, &names))
        .await
        .unwrap_or_else(|_| Err(Status::deadline_exceeded("the node did not answer in time")));
    let found = found.unwrap_or_else(|status| Err(convert::status(&status)));
    (question, found.map(Arc::from))
}

/// One call. What the node does not know of is refused; a call that fails is not its word.
async fn ask(
    question: &Question,
    channel: Channel,
    access: MetadataValue<Ascii>,
    names: &RoomNames,
) -> Result<Result<Box<RawValue>, Refusal>, Status> {
    use v1::look_request::At;
    let mut client = link::client(channel);
    let at = match question {
        Question::Rooms(query) => {
            let request = shown(convert::rooms_request(query), access);
            let reply = client.rooms(request).await?.into_inner();
            return Ok(Ok(convert::rooms_reply(reply, names)));
        }
        Question::Ladder { game, week } => {
            At::Ladder(v1::Ladder { game: game.clone(), week: *week })
        }
        Question::Card(player) => At::Card(v1::Card { player: player.0 }),
        Question::Offer(offer) => At::Offer(offer.0),
        Question::History(room) => At::History(room.0),
    };
    let request = shown(v1::LookRequest { at: Some(at) }, access);
    let v1::LookReply { json, offer } = client.look(request).await?.into_inner();
    if matches!(question, Question::Offer(_)) {
        let offer = offer.map(|offer| reply::found(&convert::offer(offer, names)));
        return Ok(offer.ok_or_else(no_such_offer));
    }
    if matches!(question, Question::History(_)) && json.is_empty() {
        return Ok(Err(no_such_room()));
    }
    convert::json(&json).map(Ok).ok_or_else(|| Status::internal("what was found is no JSON"))
}

/// A request that shows who we are.
fn shown<T>(request: T, access: MetadataValue<Ascii>) -> Request<T> {
    let mut request = Request::new(request);
    request.metadata_mut().insert(ACCESS_HEADER, access);
    request
}
