//! What happens, as a stream and as a file.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Extension,
    body::Body,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use hangraft_lab::timeline::file;
use serde::Deserialize;
use tokio_stream::wrappers::ReceiverStream;

use super::{Lab, Shown, door::HangUp};

/// How soon a page comes back that was cut off.
const RETRY: Bytes = Bytes::from_static(b"retry: 500\n\n");

/// What somebody has seen last, where no header says it.
#[derive(Deserialize)]
pub(super) struct Seen {
    after: Option<u64>,
}

/// The stream: what is kept, or what is new behind what was seen last, and then what comes.
pub(super) async fn follow(
    State(lab): State<Arc<Lab>>,
    Extension(HangUp(hang_up)): Extension<HangUp>,
    Query(seen): Query<Seen>,
    headers: HeaderMap,
) -> Response {
    let Shown::Live(fan) = &*lab.shown else {
        return (StatusCode::NOT_FOUND, "nothing happens here: this was recorded\n")
            .into_response();
    };
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let Some(view) = fan.view(last.or(seen.after), hang_up) else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many look at this lab\n").into_response();
    };
    let past = stream::iter([RETRY].into_iter().chain(view.past));
    let events = past.chain(ReceiverStream::new(view.news)).map(Ok::<_, Infallible>);
    let headers =
        [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    (headers, Body::from_stream(events)).into_response()
}

/// All that is kept, one thing a line (docs/timeline.md).
pub(super) async fn file(State(lab): State<Arc<Lab>>) -> Response {
    let shown = Arc::clone(&lab.shown);
    let written = tokio::task::spawn_blocking(move || {
        let mut text = Vec::new();
        match &*shown {
            Shown::Live(fan) => {
                let (head, lines) = fan.timeline();
                file::write(&head, &lines, &mut text).map(|()| text)
            }
            Shown::Recorded(day) => file::write(&day.head, &day.lines, &mut text).map(|()| text),
        }
    });
    let Ok(Ok(text)) = written.await else {
        return (StatusCode::INTERNAL_SERVER_ERROR, "cannot write it\n").into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"lab.jsonl\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, text).into_response()
}
