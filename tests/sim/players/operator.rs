//! An operator: asks nodes for what the plan says, each time as somebody at a terminal
//! would, and at the end asks every node what holds.

use super::Scene;
use crate::promises::settings::Setting;
use hangraft_ids::NodeId;
use hangraft_proto::ACCESS_HEADER;
use hangraft_proto::v1::cluster_client::ClusterClient;
use hangraft_proto::v1::{
    LeaveRequest, ReportRequest, SetReply, SetRequest, StatusRequest, TransferLeaderRequest,
};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tonic::{Code, Request, Status};

/// What an operator is sent to ask.
#[derive(Clone, Debug)]
pub(crate) enum Errand {
    Set(Setting),
    /// That this node leads; somebody else than now, for 0.
    Transfer {
        to: NodeId,
    },
    /// That a node leaves.
    Leave {
        node: NodeId,
        address: SocketAddr,
    },
}

impl fmt::Display for Errand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Errand::Set(Setting::Voters(voters)) => write!(f, "let {voters} vote"),
            Errand::Set(Setting::ReplaceAfter(ms)) => {
                write!(f, "let a voter be replaced after {ms} ms of silence")
            }
            Errand::Transfer { to: NodeId::NONE } => f.write_str("let somebody else lead"),
            Errand::Transfer { to } => write!(f, "let n{to} lead"),
            Errand::Leave { node, .. } => write!(f, "let n{node} leave"),
        }
    }
}

/// How long an operator waits for a connection and for most answers. A node gives up
/// earlier.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long somebody waits who has asked a node to leave, which may take a minute.
const LEAVING: Duration = Duration::from_secs(70);

/// Nodes that are asked in turn until one answers yes, or no for good.
const TRIES: usize = 8;

/// Between two tries.
const AGAIN: Duration = Duration::from_millis(300);

/// Between two times of asking everybody what holds, at the end.
const LOOK_AROUND: Duration = Duration::from_millis(300);

/// Goes on errands until the world ends.
pub(crate) async fn run(scene: Scene, mut errands: mpsc::UnboundedReceiver<Errand>) {
    tokio::spawn(look_around(scene.clone()));
    while let Some(errand) = errands.recv().await {
        // Nobody waits for the errand before.
        tokio::spawn(go(scene.clone(), errand));
    }
}

async fn go(scene: Scene, errand: Errand) {
    match errand {
        Errand::Leave { node, address } => leave(&scene, &errand, node, address).await,
        Errand::Set(_) | Errand::Transfer { .. } => {
            for _ in 0..TRIES {
                let node = *scene.choose(&scene.nodes);
                if ask(&scene, node, &errand).await {
                    return;
                }
                sleep(AGAIN).await;
            }
            scene.world.tell("operator", format_args!("gives up: {errand}"));
        }
    }
}

/// Asks one node; whether that settles it.
async fn ask(scene: &Scene, node: SocketAddr, errand: &Errand) -> bool {
    let connecting = timeout(PATIENCE, scene.connect(node)).await;
    let Ok(Ok(channel)) = connecting else { return false };
    let mut client = ClusterClient::new(channel);
    match errand {
        Errand::Set(setting) => {
            let question = {
                let mut judge = scene.judge();
                let invoked = judge.history.moment();
                judge.settings.ask(*setting, invoked)
            };
            let answer = within(PATIENCE, client.set(shown(scene, request_of(*setting)))).await;
            let mut judge = scene.judge();
            let now = judge.history.moment();
            match &answer {
                Ok(_) => judge.settings.granted(question, now),
                Err(no) if is_final(no) => judge.settings.refused(question),
                Err(_) => {}
            }
            drop(judge);
            if answer.is_ok() {
                scene.is_set();
            }
            let answer = answer.map(|said| said_of(&said.into_inner()));
            hear(scene, errand, answer)
        }
        Errand::Transfer { to } => {
            let request = shown(scene, TransferLeaderRequest { to: to.0 });
            let answer = within(PATIENCE, client.transfer_leader(request)).await;
            if answer.is_ok() {
                scene.judge().was_transferred();
            }
            let answer = answer.map(|said| format!("n{} leads now", said.into_inner().leader));
            hear(scene, errand, answer)
        }
        Errand::Leave { .. } => unreachable!("only the node itself is asked"),
    }
}

async fn leave(scene: &Scene, errand: &Errand, node: NodeId, address: SocketAddr) {
    let connecting = timeout(PATIENCE, scene.connect(address)).await;
    let Ok(Ok(channel)) = connecting else {
        return scene.world.tell("operator", format_args!("does not reach n{node}"));
    };
    let mut client = ClusterClient::new(channel);
    // Another node may be there by now.
    let there = within(PATIENCE, client.report(shown(scene, ReportRequest {}))).await;
    if there.is_ok_and(|there| there.into_inner().id != node.0) {
        return scene.world.tell("operator", format_args!("finds n{node} gone"));
    }
    let answer = within(LEAVING, client.leave(shown(scene, LeaveRequest {}))).await;
    if answer.is_ok() {
        scene.judge().has_left(node);
    }
    hear(scene, errand, answer.map(|said| said.into_inner().text));
}

/// Asks everybody what holds, again and again, once the day is over.
async fn look_around(scene: Scene) {
    loop {
        sleep(LOOK_AROUND).await;
        if scene.closing() {
            for node in scene.nodes.clone() {
                tokio::spawn(note_status(scene.clone(), node));
            }
        }
    }
}

async fn note_status(scene: Scene, node: SocketAddr) {
    let settings = scene.tables().settings;
    let asking = async {
        let channel = scene.connect(node).await.ok()?;
        let status = ClusterClient::new(channel).status(shown(&scene, StatusRequest {})).await;
        Some(status.ok()?.into_inner())
    };
    let status = timeout(PATIENCE, asking).await.ok().flatten();
    scene.told(node, status, settings);
}

fn request_of(setting: Setting) -> SetRequest {
    match setting {
        Setting::Voters(voters) => SetRequest { voters: Some(voters), replace_after_ms: None },
        Setting::ReplaceAfter(ms) => SetRequest { voters: None, replace_after_ms: Some(ms) },
    }
}

/// A request that shows the cluster's access token.
fn shown<T>(scene: &Scene, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let access = scene.key.operator_token().parse().expect("a token is plain ASCII");
    request.metadata_mut().insert(ACCESS_HEADER, access);
    request
}

async fn within<T>(
    patience: Duration,
    asking: impl Future<Output = Result<T, Status>>,
) -> Result<T, Status> {
    timeout(patience, asking).await.unwrap_or_else(|_| Err(Status::deadline_exceeded("silence")))
}

/// Whether asking again changes nothing.
fn is_final(no: &Status) -> bool {
    no.code() == Code::FailedPrecondition
}

fn said_of(set: &SetReply) -> String {
    let SetReply { voters, replace_after_ms } = set;
    format!("{voters} are wanted, and a voter is replaced after {replace_after_ms} ms")
}

/// Tells what was answered; whether it settles the question.
fn hear(scene: &Scene, asked: &Errand, answer: Result<String, Status>) -> bool {
    match answer {
        Ok(said) => {
            scene.world.tell("operator", format_args!("is told to \"{asked}\": {said}"));
            true
        }
        Err(no) => {
            let (code, why) = (no.code(), no.message());
            let told = format_args!("is told to \"{asked}\": no, {why} ({code:?})");
            scene.world.tell("operator", told);
            is_final(&no)
        }
    }
}
