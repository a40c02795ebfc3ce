//! How a node without an id gets one.
//!
//! It asks the seeds, one after another, until the leader has found it a number that was
//! never used; whoever answers names the leader. What it says is sealed with the cluster
//! key, so it proves that it knows it, and so does whoever answers. Asking again from the
//! same disk is harmless: it gets the same id.

use crate::charter::known_features;
use crate::env::Env;
use crate::identity::Identity;
use crate::peers::asks::{Application, Decision};
use crate::peers::channel::channel_to;
use crate::peers::channel::client;
use crate::peers::envelope::{Party, Seal, Speaker};
use hangraft_cluster_config::{ClusterKey, NodeConfig};
use hangraft_ids::{Instance, NodeId, StorageId};
use std::collections::{BTreeSet, VecDeque};
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
    pub(crate) disk: StorageId,
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
        let nobody = Speaker { party: Party::unmet(NodeId::NONE), instance: Instance::NONE };
        let seal = Seal::new("", key, nobody);
        let application = Application {
            cluster: config.cluster.id.clone(),
            name: config.name.clone(),
            address,
            disk,
            features: known_features(),
            version: crate::format::VERSION.to_owned(),
        };
        let question = Arc::new((env.clone(), seal, application));
        let ask = |seed| {
            let question = question.clone();
            async move {
                let (env, seal, application) = &*question;
                ask(env, seal, seed, application).await
            }
        };
        self.apply_by(seeds, ask).await
    }

    async fn apply_by<A: Future<Output = Result<Decision, String>>>(
        &mut self,
        seeds: &[SocketAddr],
        ask: impl Fn(SocketAddr) -> A,
    ) -> Result<Identity, Refused> {
        let Applicant { address, disk, .. } = *self;
        self.complaint = "no seed has answered yet".into();
        let mut rounds = 0;
        loop {
            let mut round = Round::of(seeds, address);
            while let Some(seed) = round.next() {
                match ask(seed).await {
                    Ok(Decision::Admitted { cluster, id, name, disk: admitted, known })
                        if admitted == disk =>
                    {
                        return Ok(Identity::given(cluster, id, name, disk, address, known));
                    }
                    Ok(Decision::Refused(why)) => return Err(Refused(why)),
                    Ok(Decision::Admitted { .. }) => {
                        round.note(seed, "the answer was to another question");
                    }
                    Ok(Decision::Elsewhere(leader)) => round.follow(seed, leader),
                    Ok(Decision::NotNow(why)) | Err(why) => round.note(seed, &why),
                }
                // Whoever gives up in the middle of a later round has a whole one to show.
                if rounds == 0 {
                    self.complaint = round.complaint();
                }
            }
            self.complaint = round.complaint();
            if rounds % SAY_EVERY == 0 {
                let why = &self.complaint;
                tracing::warn!(why, "not admitted to the cluster yet; asking on");
            }
            rounds += 1;
            sleep(ROUND).await;
        }
    }
}

/// One round of asking: each address once, and whoever is named as the leader next. So it
/// ends, wherever the answers point to.
struct Round {
    me: SocketAddr,
    ahead: VecDeque<SocketAddr>,
    asked: BTreeSet<SocketAddr>,
    /// Why each has not admitted this node.
    notes: Vec<String>,
}

impl Round {
    fn of(seeds: &[SocketAddr], me: SocketAddr) -> Self {
        let ahead = seeds.iter().copied().collect();
        Round { me, ahead, asked: [me].into(), notes: Vec::new() }
    }

    /// Whom to ask now; nobody when the round is over.
    fn next(&mut self) -> Option<SocketAddr> {
        while let Some(address) = self.ahead.pop_front() {
            if self.asked.insert(address) {
                return Some(address);
            }
        }
        None
    }

    /// A seed has named the leader.
    fn follow(&mut self, seed: SocketAddr, leader: SocketAddr) {
        self.ahead.push_front(leader);
        // Somebody else may have been there before.
        let mine = if leader == self.me { ", which is this node's address" } else { "" };
        self.note(seed, &format!("{leader} leads{mine}"));
    }

    fn note(&mut self, seed: SocketAddr, why: &str) {
        self.notes.push(format!("{seed}: {why}"));
    }

    fn complaint(&self) -> String {
        self.notes.join("; ")
    }
}

async fn ask(
    env: &Arc<dyn Env>,
    seal: &Seal,
    seed: SocketAddr,
    application: &Application,
) -> Result<Decision, String> {
    let mut client = client(channel_to(env, seed), seal);
    let answer =
        timeout(ANSWER_DEADLINE, client.admit(seal.seal(Party::unmet(NodeId::NONE), application)))
            .await;
    let answer = answer.map_err(|_| "no answer in time".to_owned())?;
    let answer = answer.map_err(|status| match status.code() {
        tonic::Code::Unauthenticated => "the key here is not that cluster's".to_owned(),
        _ => status.message().to_owned(),
    })?;
    // Whoever does not know the key cannot take a node in.
    let (_, decision) = seal.open(&answer.into_inner()).map_err(|s| s.message().to_owned())?;
    Ok(decision)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::real::RealEnv;
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    /// Long enough for the first two rounds.
    const WHILE: Duration = Duration::from_millis(750);

    /// Of those that were asked, how many are looked at; more than two rounds have.
    const ASKED_SHOWN: usize = 20;

    fn at(node: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, node], 7101))
    }

    fn elsewhere(node: u8) -> Result<Decision, String> {
        Ok(Decision::Elsewhere(at(node)))
    }

    fn not_now(why: &str) -> Result<Decision, String> {
        Ok(Decision::NotNow(why.to_owned()))
    }

    fn dead() -> Result<Decision, String> {
        Err("nobody there".to_owned())
    }

    fn admitted(disk: u64) -> Result<Decision, String> {
        let (cluster, name, known) = ("test".to_owned(), "n4".to_owned(), BTreeMap::new());
        Ok(Decision::Admitted { cluster, id: NodeId(4), name, disk: StorageId(disk), known })
    }

    /// Node 9 with disk 7 applies at these nodes, which answer as they do. What comes of it
    /// in a while, whom it asked, and what it complains about.
    async fn apply(
        seeds: &[u8],
        answer: impl Fn(u8) -> Result<Decision, String>,
    ) -> (Option<Result<u64, Refused>>, Vec<u8>, String) {
        let dir = tempfile::tempdir().unwrap();
        let config = NodeConfig::joining(at(9), dir.path(), vec![at(1)]);
        let env: Arc<dyn Env> = RealEnv::new(&config).unwrap();
        let key = ClusterKey::generate().unwrap();
        let (address, disk, complaint) = (at(9), StorageId(7), "of last time".to_owned());
        let mut applicant =
            Applicant { config: &config, address, disk, key: &key, env: &env, complaint };
        let asked = Mutex::new(Vec::new());
        let (asking, answer) = (&asked, &answer);
        let ask = |seed: SocketAddr| async move {
            let SocketAddr::V4(seed) = seed else { unreachable!() };
            let node = seed.ip().octets()[3];
            asking.lock().unwrap().push(node);
            tokio::task::yield_now().await;
            answer(node)
        };
        let seeds: Vec<SocketAddr> = seeds.iter().copied().map(at).collect();
        let decided = timeout(WHILE, applicant.apply_by(&seeds, ask)).await.ok();
        let complaint = applicant.complaint;
        let mut asked = asked.into_inner().unwrap();
        asked.truncate(ASKED_SHOWN);
        (decided.map(|it| it.map(|identity| identity.node.0)), asked, complaint)
    }

    /// Whoever is named as the leader is asked next, and nobody before it.
    #[tokio::test]
    async fn a_leader_that_is_named_is_asked_at_once() {
        let answer = |node| match node {
            1 => dead(),
            2 => elsewhere(3),
            3 => elsewhere(4),
            _ => admitted(7),
        };
        let (decided, asked, _) = apply(&[1, 2, 5], answer).await;
        assert_eq!((decided, asked), (Some(Ok(4)), vec![1, 2, 3, 4]));
    }

    /// A cluster that has lost its leader may name it for ever, two nodes may name each
    /// other, and one that is named may not want to decide. It asks on at its pace, and
    /// says why it is not admitted.
    #[tokio::test]
    async fn one_that_is_sent_in_circles_asks_on_in_peace() {
        // The leader that is named is dead.
        let answer = |node| if node == 1 || node == 3 { elsewhere(2) } else { dead() };
        let (decided, asked, complaint) = apply(&[1, 3], answer).await;
        assert_eq!((decided, asked), (None, vec![1, 2, 3, 1, 2, 3]));
        assert_eq!(
            complaint,
            "10.0.0.1:7101: 10.0.0.2:7101 leads; 10.0.0.2:7101: nobody there; \
             10.0.0.3:7101: 10.0.0.2:7101 leads"
        );
        // It does not know yet that it leads.
        let answer = |node| if node == 1 { elsewhere(2) } else { not_now("no leader just now") };
        let (decided, asked, complaint) = apply(&[1], answer).await;
        assert_eq!((decided, asked), (None, vec![1, 2, 1, 2]));
        assert_eq!(
            complaint,
            "10.0.0.1:7101: 10.0.0.2:7101 leads; 10.0.0.2:7101: no leader just now"
        );
        // Each names the other.
        let (decided, asked, _) = apply(&[1], |node| elsewhere(3 - node)).await;
        assert_eq!((decided, asked), (None, vec![1, 2, 1, 2]));
        // It is named itself: somebody else was at its address before.
        let (decided, asked, complaint) = apply(&[1], |_| elsewhere(9)).await;
        assert_eq!((decided, asked), (None, vec![1, 1]));
        assert_eq!(complaint, "10.0.0.1:7101: 10.0.0.9:7101 leads, which is this node's address");
    }

    /// An answer to another disk's question is none, and a no is one.
    #[tokio::test]
    async fn what_decides_and_what_does_not() {
        let (decided, asked, complaint) = apply(&[1], |_| admitted(8)).await;
        assert_eq!((decided, asked), (None, vec![1, 1]));
        assert_eq!(complaint, "10.0.0.1:7101: the answer was to another question");
        let no = || Ok(Decision::Refused("not you".to_owned()));
        let (decided, asked, _) = apply(&[1, 2], |_| no()).await;
        assert_eq!((decided, asked), (Some(Err(Refused("not you".to_owned()))), vec![1]));
    }
}
