//! What a node says to those who do not show its cluster's key, also from its own machine.

use super::harness::{Cluster, eventually};
use bytes::Bytes;
use hangraft_proto::MESSAGE_BYTES_MAX;
use hangraft_proto::pass::Pass;
use hangraft_proto::v1::cluster_client::ClusterClient;
use hangraft_proto::v1::game_client::GameClient;
use hangraft_proto::v1::{
    BackupRequest, EventsRequest, JoinRequest, LeaveRequest, ObserveRequest, ReadRequest,
    ReportRequest, RoomsRequest, SetRequest, StatusRequest, TransferLeaderRequest,
};
use http::{Request, Response};
use hyper::body::{Body as _, Frame};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tonic::Code;
use tonic::body::Body;
use tonic::transport::Channel;
use tower::ServiceExt;

/// A half message is given up on by then, on a busy machine too.
const GIVEN_UP: Duration = Duration::from_secs(30);

/// What a message of some length begins with, and then nothing more comes.
struct Half(Option<Bytes>);

impl Half {
    fn of(announced: usize) -> Self {
        let mut bytes = vec![0];
        bytes.extend(u32::try_from(announced).unwrap().to_be_bytes());
        bytes.resize(1_000, 7);
        Half(Some(bytes.into()))
    }
}

impl hyper::body::Body for Half {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.0.take() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None => Poll::Pending,
        }
    }
}

/// Makes a call by hand, with half a message; the code it ends with.
async fn call_by_half(channel: Channel, path: &str, announced: usize) -> Code {
    let request = Request::post(format!("http://node{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::new(Half::of(announced)))
        .unwrap();
    let response = channel.oneshot(request).await.unwrap();
    code_of(response).await
}

/// A call's code is among the headers when it failed at once, and in the trailers else.
async fn code_of(response: Response<Body>) -> Code {
    let code = |headers: &http::HeaderMap| {
        headers.get("grpc-status").map(|code| Code::from_bytes(code.as_bytes()))
    };
    if let Some(code) = code(response.headers()) {
        return code;
    }
    let mut body = response.into_body();
    loop {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        let frame = frame.expect("it says how it ended").unwrap();
        if let Some(code) = frame.trailers_ref().and_then(code) {
            return code;
        }
    }
}

/// Every call of operators and players is refused, from the node's own machine too, to who
/// shows nothing, to who shows another cluster's key, and to who shows a token that is for
/// something else. Nothing is changed, and operators hear of it.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_let_in_without_the_key() {
    let mut cluster = Cluster::new(1);
    cluster.start_all().await;
    let leader = cluster.leader().await;
    let other = hangraft_cluster_config::ClusterKey::generate().unwrap();
    let passes = [
        Pass::none(),
        Pass::new(&other.operator_token()),
        Pass::new(&cluster.key().access_token()),
        Pass::new(&cluster.key().peer_token()),
    ];
    let endpoint = Channel::from_shared(format!("http://{}", cluster.address(leader))).unwrap();
    let channel = endpoint.connect().await.unwrap();
    for (nth, pass) in passes.into_iter().enumerate() {
        let mut client = ClusterClient::with_interceptor(channel.clone(), pass.clone());
        let set = SetRequest { voters: Some(5), replace_after_ms: None };
        let refusals = [
            client.status(StatusRequest {}).await.err(),
            client.events(EventsRequest { past: 1 }).await.err(),
            client.observe(ObserveRequest { messages: true }).await.err(),
            client.set(set).await.err(),
            client.transfer_leader(TransferLeaderRequest { to: 0 }).await.err(),
            client.join(JoinRequest { seeds: vec![] }).await.err(),
            client.leave(LeaveRequest {}).await.err(),
            client.backup(BackupRequest {}).await.err(),
        ];
        for refused in refusals {
            let refused = refused.unwrap_or_else(|| panic!("pass {nth} lets in"));
            assert_eq!(refused.code(), Code::Unauthenticated, "{refused:?}");
        }
        let report = client.report(ReportRequest {}).await;
        assert_eq!(report.is_ok(), nth == 3, "only nodes ask each other how they are");
        let mut client = GameClient::with_interceptor(channel.clone(), pass);
        let rooms = client.rooms(RoomsRequest::default()).await;
        assert_eq!(rooms.is_ok(), nth == 2, "only frontends ask for players");
        let read = client.read(ReadRequest::default()).await.unwrap_err();
        assert_eq!(read.code() == Code::Unauthenticated, nth != 2, "{read:?}");
    }
    let status = cluster.status(leader).await.unwrap();
    assert_eq!((status.members.len(), status.voters_wanted), (1, 3));
    let said = || async {
        let request = EventsRequest { past: 100 };
        let mut events = cluster.operator(leader).await.events(request).await.unwrap().into_inner();
        loop {
            let event = events.message().await.unwrap().unwrap();
            if event.text.contains("Leave was asked for without the cluster's key, from 127.0.0.1")
            {
                return true;
            }
        }
    };
    eventually("an operator hears of it", said).await;
    cluster.stop_all().await;
}

/// Who shows no key is answered from the headers: nothing of a body is waited for. What may
/// be sealed is waited for, but only so many bytes at a time, and not for long; a service
/// that is open to everybody takes short messages. Meanwhile the node works.
#[tokio::test(flavor = "multi_thread")]
async fn half_messages_of_strangers_are_not_kept() {
    let mut cluster = Cluster::new(1);
    cluster.start_all().await;
    let leader = cluster.leader().await;
    let url = format!("http://{}", cluster.address(leader));
    let connect = || async { Channel::from_shared(url.clone()).unwrap().connect().await.unwrap() };
    let channel = connect().await;
    for path in [
        "/hangraft.v1.Cluster/Leave",
        "/hangraft.v1.Cluster/Status",
        "/hangraft.v1.Game/Link",
        "/hangraft.v1.Game/Read",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/hangraft.v1.Nothing/Nothing",
    ] {
        let begun = Instant::now();
        let code = call_by_half(channel.clone(), path, MESSAGE_BYTES_MAX).await;
        assert_eq!(code, Code::Unauthenticated, "{path}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{path} was waited for");
    }

    let begun = Instant::now();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let channel = connect().await;
        for path in ["/hangraft.v1.Raft/Vote", "/hangraft.v1.Raft/Append"] {
            for _ in 0..6 {
                let call = call_by_half(channel.clone(), path, MESSAGE_BYTES_MAX);
                calls.spawn(timeout(GIVEN_UP, call));
            }
        }
    }
    let (mut refused, mut given_up) = (0, 0);
    while let Some(ended) = calls.join_next().await {
        match ended.unwrap().expect("nobody holds a call for ever") {
            Code::ResourceExhausted => {
                refused += 1;
                // Members are served while strangers are held.
                assert!(cluster.status(leader).await.is_some());
            }
            Code::DeadlineExceeded => given_up += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((refused, given_up), (58, 2), "two of the largest messages are held");
    assert!(begun.elapsed() < GIVEN_UP);

    let health = "/grpc.health.v1.Health/Check";
    let code = call_by_half(connect().await, health, 2_000).await;
    assert_eq!(code, Code::DeadlineExceeded, "short, but never whole");
    cluster.stop_all().await;
}
