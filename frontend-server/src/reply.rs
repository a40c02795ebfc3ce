//! What a browser hears, ready to be sent; views apart, which are put together once per
//! room by [`crate::hub`]. How it looks is the contract's: [`hangraft_proto::socket`].

use hangraft_proto::socket::{Answer, Bye, LinkState, Refused, Reply};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    command::Refusal,
    farewell::Farewell,
    message::{RequestId, Text},
};

/// A yes.
pub(crate) fn ok(id: Option<&RequestId>, reply: Reply<'_>) -> Text {
    answer(id, Ok(reply))
}

/// A no.
pub(crate) fn refused(id: Option<&RequestId>, refusal: &Refusal) -> Text {
    let Refusal { code, message, forgotten } = refusal;
    answer(id, Err(Refused { code: *code, message: message.into(), forgotten: *forgotten }))
}

fn answer(id: Option<&RequestId>, answer: Result<Reply<'_>, Refused<'_>>) -> Text {
    Answer { id: id.map(RequestId::as_said), answer }.text().into()
}

/// Why the socket is closed next, or soon.
pub(crate) fn bye(farewell: Farewell) -> Text {
    Bye { code: farewell.code, message: farewell.message.into() }.text().into()
}

/// Whether the cluster can be reached.
pub(crate) fn cluster(link: LinkState) -> Text {
    link.text().into()
}

/// The body of an `ok` to what was looked up: an object, ready to be sent.
pub(crate) fn found(body: &impl Serialize) -> Box<RawValue> {
    to_raw_value(body).expect("strings, numbers and raw JSON are JSON")
}
