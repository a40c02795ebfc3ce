//! The lab's page, and what it asks for. Beside frontends' web the only folder that names axum.
//!
//! ```text
//! GET  /                the page
//! GET  /lines           what happens, as a stream of events (live)
//! GET  /timeline.jsonl  what is kept, as a file
//! POST /do              {"words": [..]} -> {"done", "said", "line"}
//! POST /show            {"hash": ..}: all who follow see the same
//! POST /fork            {"at_us", "fault"} -> {"packed"}: another day from there on (simulated days)
//! GET  /healthz         ok
//! ```

mod asks;
mod door;
mod guard;
mod lines;

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use hangraft_lab::viewer::{Settings, served, served_packed};

pub(crate) use door::serve;
pub(crate) use guard::{Guard, May, Tokens};

use crate::lab::{deeds::Deeds, fan::Fan, fork::Forks, recorded::Recorded};
use guard::{Admitted, Refusal};

/// The largest request, in bytes.
const REQUEST_BYTES_MAX: usize = 4 << 10;

/// Said with every response. What the page may do stands in the page.
const SECURITY: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, "frame-ancestors 'none'"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// What the page shows.
pub(crate) enum Shown {
    /// A cluster that runs.
    Live(Arc<Fan>),
    /// What was written down before.
    Recorded(Recorded),
}

/// What all handlers share.
pub(crate) struct Lab {
    guard: Guard,
    shown: Arc<Shown>,
    /// Nothing can be done without.
    deeds: Option<Deeds>,
    forks: Option<Forks>,
    /// The page of somebody who may break things, and of somebody who may only watch.
    pages: [Bytes; 2],
}

impl Lab {
    /// A lab with these settings, for whoever may do most.
    pub(crate) fn new(
        guard: Guard,
        shown: Shown,
        deeds: Option<Deeds>,
        forks: Option<Forks>,
        settings: &Settings,
    ) -> Self {
        let watching =
            Settings { watch_only: true, breaks: false, forks: false, ..settings.clone() };
        let page = |settings: &Settings| match &shown {
            Shown::Live(_) => served(&[], settings),
            Shown::Recorded(recorded) => served_packed(&recorded.packed, settings),
        };
        let pages = [page(settings).into(), page(&watching).into()];
        Self { guard, shown: Arc::new(shown), deeds, forks, pages }
    }

    /// What answers requests.
    pub(crate) fn router(self) -> Router {
        let lab = Arc::new(self);
        Router::new()
            .route("/", get(page))
            .route("/lines", get(lines::follow))
            .route("/timeline.jsonl", get(lines::file))
            .route("/do", post(asks::perform))
            .route("/show", post(asks::show))
            .route("/fork", post(asks::fork))
            .layer(middleware::from_fn_with_state(Arc::clone(&lab), asked_well))
            .route("/healthz", get(|| async { "ok\n" }))
            // Browsers ask for it; there is none.
            .route("/favicon.ico", get(|| async { StatusCode::NO_CONTENT }))
            .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
            .layer(middleware::map_response(secured))
            .with_state(lab)
    }
}

async fn page(State(lab): State<Arc<Lab>>, Extension(may): Extension<May>) -> Response {
    let [breaks, watches] = &lab.pages;
    let page = if may == May::Break { breaks } else { watches };
    let headers =
        [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (headers, page.clone()).into_response()
}

async fn secured(mut response: Response) -> Response {
    for (name, value) in SECURITY {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Lets a request on if whoever sends it may ask.
async fn asked_well(State(lab): State<Arc<Lab>>, mut request: Request, next: Next) -> Response {
    match lab.guard.admit(request.uri(), request.headers()) {
        Ok(Admitted { moves: Some((cookie, path)), .. }) => {
            let headers = [(header::SET_COOKIE, cookie), (header::LOCATION, path)];
            (StatusCode::SEE_OTHER, headers).into_response()
        }
        Ok(Admitted { may, moves: None }) => {
            request.extensions_mut().insert(may);
            next.run(request).await
        }
        Err(refusal) => refusal.into_response(),
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (code, why) = match self {
            Self::NoHost => (StatusCode::BAD_REQUEST, "a request names one host\n"),
            Self::Misdirected => (
                StatusCode::MISDIRECTED_REQUEST,
                "this lab is called localhost or by a loopback address\n",
            ),
            Self::Foreign => (StatusCode::FORBIDDEN, "this page may not ask here\n"),
            Self::Unknown => (
                StatusCode::UNAUTHORIZED,
                "open one of the links that `hangraft lab` has printed\n",
            ),
        };
        (code, why).into_response()
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};
    use hangraft_lab::timeline::{FORMAT, Head};
    use tower::ServiceExt;

    use super::*;

    fn lab(guard: Guard) -> Router {
        let head = Head {
            format: FORMAT,
            title: "a day".into(),
            began_unix_ms: 0,
            from: 0,
            command: String::new(),
            about: String::new(),
            nodes: Vec::new(),
            clients: Vec::new(),
        };
        let shown = Shown::Live(Arc::new(Fan::new(head)));
        let settings = Settings { live: true, breaks: true, ..Settings::default() };
        Lab::new(guard, shown, None, None, &settings).router()
    }

    async fn ask(router: &Router, request: Request<Body>) -> (StatusCode, Response) {
        let response = router.clone().oneshot(request).await.unwrap();
        (response.status(), response)
    }

    fn post(path: &str, cookie: &str, body: &'static str) -> Request<Body> {
        let request = Request::post(path).header("host", "10.0.0.1:8090").header("cookie", cookie);
        request.header("content-type", "application/json").body(body.into()).unwrap()
    }

    /// Whoever may only watch does nothing, shows nothing and lives no other day; and gets a
    /// page that says so.
    #[tokio::test]
    async fn watchers_watch() {
        let tokens = Tokens { breaks: "aa".into(), watches: "bb".into(), port: 8090 };
        let router = lab(Guard::Tokens(tokens));
        let (breaks, watches) = ("hangraft_lab_8090=aa", "hangraft_lab_8090=bb");
        for (path, body) in [
            ("/do", r#"{"words":["kill","n1"]}"#),
            ("/show", r##"{"hash":"#t=1"}"##),
            ("/fork", r#"{"at_us":1,"fault":"kill n1"}"#),
        ] {
            let (status, said) = ask(&router, post(path, watches, body)).await;
            let said = axum::body::to_bytes(said.into_body(), 1 << 10).await.unwrap();
            let said = String::from_utf8_lossy(&said).into_owned();
            assert_eq!(status, 403, "{path}");
            assert!(said.contains("this link is for watching"), "{path}: {said}");
            assert_eq!(ask(&router, post(path, "", body)).await.0, 401, "{path}");
        }
        let shown = ask(&router, post("/show", breaks, r##"{"hash":"#t=1"}"##)).await.0;
        assert_eq!(shown, 200);
        assert_eq!(ask(&router, post("/show", breaks, r#"{"hash":1}"#)).await.0, 400);
        for (cookie, only) in [(breaks, false), (watches, true)] {
            let request = Request::get("/").header("host", "x").header("cookie", cookie);
            let (status, page) = ask(&router, request.body(Body::empty()).unwrap()).await;
            let page = axum::body::to_bytes(page.into_body(), 64 << 20).await.unwrap();
            let page = String::from_utf8_lossy(&page);
            assert_eq!(status, 200);
            assert!(page.contains(&format!(r#""breaks":{},"watch_only":{only}"#, !only)));
        }
    }

    /// A link becomes a cookie, and its token leaves the address.
    #[tokio::test]
    async fn a_link_is_followed() {
        let tokens = Tokens { breaks: "aa".into(), watches: "bb".into(), port: 8090 };
        let request = Request::get("/?watch=bb").header("host", "10.0.0.1:8090");
        let router = lab(Guard::Tokens(tokens));
        let (status, answer) = ask(&router, request.body(Body::empty()).unwrap()).await;
        assert_eq!(
            (status, &answer.headers()["location"]),
            (StatusCode::SEE_OTHER, &"/".parse().unwrap())
        );
        assert!(
            answer.headers()["set-cookie"].to_str().unwrap().starts_with("hangraft_lab_8090=bb;")
        );
    }

    /// Every answer says how it may be used, refusals too; and large questions are refused.
    #[tokio::test]
    async fn answers_are_closed_to_other_sites() {
        let router = lab(Guard::Loopback(May::Break));
        for host in ["127.0.0.1:8090", "evil.example"] {
            let request = Request::get("/").header("host", host).body(Body::empty()).unwrap();
            let (_, answer) = ask(&router, request).await;
            for (name, value) in SECURITY {
                assert_eq!(answer.headers()[&name], value, "{host}");
            }
        }
        let request = Request::post("/do").header("host", "localhost");
        let request = request.header("content-type", "application/json");
        let large = format!(r#"{{"words":["{}"]}}"#, "x".repeat(REQUEST_BYTES_MAX));
        assert_eq!(ask(&router, request.body(large.into()).unwrap()).await.0, 413);
    }
}
