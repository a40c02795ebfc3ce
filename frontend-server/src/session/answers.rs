//! Answers, in the words of their kind.

use hangraft_cluster_config::RoomNames;
use hangraft_ids::RoomId;
use hangraft_proto::socket::{Action, Changed, Nothing, Offered, Opened, Reply, Seated};

use crate::{
    command::{Accepted, Refusal},
    exchange::Output,
    message::RequestId,
    reply,
};

/// The cluster's yes to an action.
pub(super) fn accepted(action: Action, yes: Accepted, names: &RoomNames) -> Reply<'static> {
    let Accepted { room, version, seat, offer, .. } = yes;
    match action {
        Action::Open => Reply::Opened(Opened { room: names.name(room).into() }),
        Action::Sit | Action::Stand => Reply::Seated(Seated { seat, version }),
        Action::Seek | Action::Challenge | Action::Accept => Reply::Offered(Offered {
            offer: names.offer_name(offer).into(),
            room: (room != RoomId(0)).then(|| names.name(room).into()),
        }),
        Action::Decline | Action::Withdraw => Reply::Nothing(Nothing {}),
        _ => Reply::Changed(Changed { version }),
    }
}

/// A yes.
pub(super) fn send_ok(id: Option<&RequestId>, reply: Reply<'_>) -> Output {
    Output::Send(reply::ok(id, reply))
}

/// A no, which is counted.
pub(super) fn refuse(id: Option<&RequestId>, refusal: &Refusal) -> Vec<Output> {
    vec![Output::Send(reply::refused(id, refusal)), Output::Refused(refusal.code)]
}
