//! What a page asks for: to do something, to show something, to live another day.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Lab, May, Shown};
use crate::lab::{deeds::Not, fork::Unforked};

/// Said to whoever has the other link.
const WATCH_ONLY: &str = "this link is for watching";

/// Words of a command.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Do {
    words: Vec<String>,
}

/// Another day.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fork {
    at_us: u64,
    fault: String,
}

/// Does something.
pub(super) async fn perform(
    State(lab): State<Arc<Lab>>,
    Extension(may): Extension<May>,
    Json(Do { words }): Json<Do>,
) -> Response {
    if may == May::Watch {
        return refused(StatusCode::FORBIDDEN, WATCH_ONLY);
    }
    let Some(deeds) = &lab.deeds else {
        return refused(StatusCode::FORBIDDEN, "nothing can be broken here");
    };
    match deeds.perform(&words).await {
        Ok(done) => Json(done).into_response(),
        Err(Not::Allowed(why)) => refused(StatusCode::BAD_REQUEST, &why),
        Err(Not::Now) => refused(StatusCode::TOO_MANY_REQUESTS, "much is being done; ask again"),
    }
}

/// Shows something to all who follow.
pub(super) async fn show(
    State(lab): State<Arc<Lab>>,
    Extension(may): Extension<May>,
    Json(what): Json<Value>,
) -> Response {
    if may == May::Watch {
        return refused(StatusCode::FORBIDDEN, WATCH_ONLY);
    }
    if !what["hash"].is_string() {
        return refused(StatusCode::BAD_REQUEST, "what is shown has a hash");
    }
    if let Shown::Live(fan) = &*lab.shown {
        fan.show(&what);
    }
    Json(json!({ "done": true })).into_response()
}

/// Lives another day from a moment on.
pub(super) async fn fork(
    State(lab): State<Arc<Lab>>,
    Extension(may): Extension<May>,
    Json(Fork { at_us, fault }): Json<Fork>,
) -> Response {
    if may == May::Watch {
        return refused(StatusCode::FORBIDDEN, WATCH_ONLY);
    }
    let Some(forks) = &lab.forks else {
        return refused(StatusCode::NOT_FOUND, "only a simulated day can be lived again");
    };
    match forks.live(at_us, &fault).await {
        Ok(packed) => Json(json!({ "packed": packed })).into_response(),
        Err(Unforked::Words(why)) => refused(StatusCode::BAD_REQUEST, &why),
        Err(Unforked::Busy) => {
            refused(StatusCode::TOO_MANY_REQUESTS, "another day is being lived; ask again")
        }
        Err(Unforked::Failed(why)) => refused(StatusCode::INTERNAL_SERVER_ERROR, &why),
    }
}

fn refused(code: StatusCode, why: &str) -> Response {
    (code, Json(json!({ "done": false, "said": why, "line": "" }))).into_response()
}
