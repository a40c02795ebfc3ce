//! AnswerSender to commands, on their way back.

use super::convert;
use crate::raft::propose::ProposeError;
use hangraft_proto::v1::{Answer, Code, Refused};
use tokio::sync::mpsc;

/// Where answers go: back along the stream the commands came by.
pub(crate) type AnswerSender = mpsc::UnboundedSender<Vec<Answer>>;

/// AnswerSender all with the same refusal.
pub(super) fn refuse_all(
    ids: impl IntoIterator<Item = u64>,
    err: ProposeError,
    answers: &AnswerSender,
) {
    let refused: Refused = err.into();
    assert_ne!(refused.code(), Code::Unspecified);
    let refusals = ids.into_iter().map(|id| convert::refusal(id, refused.clone())).collect();
    _ = answers.send(refusals);
}
