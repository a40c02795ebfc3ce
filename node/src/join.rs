//! How a node without an id gets one.
//!
//! It asks the seeds, one after another, until the leader has found it a number that was
//! never used; whoever answers names the leader. What it says is sealed with the cluster
//! key, so it proves that it knows it, and so does whoever answers. Asking again from the
//! same disk is harmless: it gets the same id.

use crate::dial::channel_to;
use crate::env::Env;
use crate::identity::Identity;
use crate::membership::charter::known_features;
use crate::raft::{Party, Seal, client};
use hangraft_cluster_config::{ClusterKey, NodeConfig};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// A seed that has not answered by then is left for the next. Longer than a leader takes
/// to bring the admission into the log.
const ANSWER_DEADLINE: Duration = Duration::from_secs(5);

/// Between two rounds over all seeds.
const ROUND: Duration = Duration::from_millis(500);

/// Rounds between two complaints.
const SAY_EVERY: u32 = 20;

/// A node wants in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Application {
    /// The cluster it wants to join; any whose key it knows, if it does not say.
    pub(crate) cluster: Option<String>,
    /// The name it would like.
    pub(crate) name: Option<String>,
    /// Where others reach it.
    pub(crate) address: SocketAddr,
    /// The number of its disk.
    pub(crate) disk: u64,
    /// What its build can do.
    pub(crate) features: BTreeSet<String>,
    /// Its version, for people.
    pub(crate) version: String,
}

/// What became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Decision {
    Admitted {
        cluster: String,
        id: u64,
        name: String,
        /// The disk that the id belongs to, as it was asked for: an answer to an earlier
        /// question is none to this one.
        disk: u64,
        /// Where the members are.
        known: BTreeMap<u64, SocketAddr>,
    },
    /// Ask there; that is the leader.
    Elsewhere(SocketAddr),
    /// Ask again later.
    NotNow(String),
    /// Do not ask again.
    Refused(String),
}

/// The cluster does not want this node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cluster does not take this node: {0}")]
pub struct Refused(pub(crate) String);

/// A node that asks to be admitted.
pub(crate) struct Applicant<'a> {
    pub(crate) config: &'a NodeConfig,
    /// Where others reach it.
    pub(crate) address: SocketAddr,
    /// The number of its disk, which is stored already: asking again from the same disk
    /// must not give another id.
    pub(crate) disk: u64,
    pub(crate) key: &'a ClusterKey,
    pub(crate) env: &'a Arc<dyn Env>,
    /// Why it was not admitted last.
    pub(crate) complaint: String,
}

impl Applicant<'_> {
    /// Asks until the cluster has decided.
    ///
    /// # Errors
    /// When it is refused. While nobody answers, it goes on asking.
    pub(crate) async fn apply(&mut self, seeds: &[SocketAddr]) -> Result<Identity, Refused> {
        let Applicant { config, address, disk, key, env, .. } = *self;
        let seal = Seal::new("", key, Party::unmet(0));
        let application = Application {
            cluster: config.cluster.id.clone(),
            name: config.name.clone(),
            address,
            disk,
            features: known_features(),
            version: crate::VERSION.to_owned(),
        };
        let (mut rounds, mut leader) = (0, None);
        loop {
            let mut complaint = "no seed answers".to_owned();
            for seed in leader.take().into_iter().chain(seeds.iter().copied()) {
                match ask(env, &seal, seed, &application).await {
                    Ok(Decision::Admitted { cluster, id, name, disk: admitted, known }) => {
                        if admitted == disk {
                            return Ok(Identity::given(cluster, id, name, disk, address, known));
                        }
                        complaint = format!("{seed}: the answer was to another question");
                    }
                    Ok(Decision::Refused(why)) => return Err(Refused(why)),
                    Ok(Decision::Elsewhere(there)) => {
                        leader = Some(there);
                        break;
                    }
                    Ok(Decision::NotNow(why)) => complaint = format!("{seed}: {why}"),
                    Err(why) => complaint = format!("{seed}: {why}"),
                }
            }
            if leader.is_none() {
                self.complaint.clone_from(&complaint);
                if rounds % SAY_EVERY == 0 {
                    tracing::warn!(why = complaint, "not admitted to the cluster yet; asking on");
                }
                rounds += 1;
                sleep(ROUND).await;
            }
        }
    }
}

async fn ask(
    env: &Arc<dyn Env>,
    seal: &Seal,
    seed: SocketAddr,
    application: &Application,
) -> Result<Decision, String> {
    let mut client = client(channel_to(env, seed));
    let answer =
        timeout(ANSWER_DEADLINE, client.admit(seal.seal(Party::unmet(0), application))).await;
    let answer = answer.map_err(|_| "no answer in time".to_owned())?;
    let answer = answer.map_err(|status| match status.code() {
        tonic::Code::Unauthenticated => "the key here is not that cluster's".to_owned(),
        _ => status.message().to_owned(),
    })?;
    // Whoever does not know the key cannot take a node in.
    let (_, decision) = seal.open(&answer.into_inner()).map_err(|s| s.message().to_owned())?;
    Ok(decision)
}
