//! Looking at a cluster and its frontends, again and again, until all is well.

use std::time::Duration;

use anyhow::{anyhow, bail};
use hangraft_ids::NodeId;
use tokio::{
    process::Command,
    time::{Instant, sleep},
};

use super::{
    means::Frontend,
    order::{Cluster, SILENCE_MAX},
};
use crate::{cluster::Door, http, output::print};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);

/// Where a frontend says whether it takes players.
const READY: &str = "/readyz";

/// How long curl may take to find that out, in seconds.
const CURL_SECONDS: &str = "3";

/// Whom to ask, and how long to wait for what is asked for.
pub(super) struct Watch {
    doors: Vec<Door>,
    deadline: Duration,
}

impl Watch {
    pub(super) fn new(doors: Vec<Door>, deadline: Duration) -> Self {
        Self { doors, deadline }
    }

    /// The cluster as its leader sees it.
    ///
    /// # Errors
    /// Why the last who was asked does not lead to it.
    pub(super) async fn look(&mut self) -> Result<Cluster, String> {
        let mut trouble = "no node was named".to_owned();
        for door in self.doors.clone() {
            match as_the_leader_sees_it(&door).await {
                Ok(cluster) => {
                    self.meet(&cluster, &door);
                    return Ok(cluster);
                }
                Err(why) => trouble = why,
            }
        }
        Err(trouble)
    }

    /// Who was asked so far may be the next to stop, so the others are asked, too, as the one
    /// was that has answered.
    fn meet(&mut self, cluster: &Cluster, answered: &Door) {
        for address in cluster.addresses() {
            if self.doors.iter().all(|door| door.node() != address) {
                self.doors.push(answered.beside(address));
            }
        }
    }

    /// Waits until all voters are well; how the cluster is then.
    pub(super) async fn voters(&mut self) -> anyhow::Result<Cluster> {
        let deadline = self.deadline;
        let well = async || {
            let cluster = self.look().await?;
            cluster.voters_are_well().map(|()| cluster)
        };
        until("not all voters are well", deadline, well).await
    }

    /// Waits until a member is well that has just been restarted; how the cluster is then.
    pub(super) async fn restarted(&mut self, id: NodeId, name: &str) -> anyhow::Result<Cluster> {
        let (deadline, begun) = (self.deadline, Instant::now());
        let well = async || {
            // What it answered before the look began is older than what the look finds.
            let since = begun.elapsed().min(SILENCE_MAX);
            let cluster = self.look().await?;
            cluster.is_well(id, name, since).map(|()| cluster)
        };
        until(&format!("{name} is not well"), deadline, well).await
    }

    /// Waits until all these frontends are ready to take players, or says that they, `what`,
    /// are not.
    pub(super) async fn ready(&self, what: &str, frontends: &[&Frontend]) -> anyhow::Result<()> {
        let all = async || {
            for frontend in frontends {
                is_ready(frontend).await?;
            }
            Ok(())
        };
        until(what, self.deadline, all).await
    }
}

/// The cluster as the leader sees it whom this node names. Others may still believe in one
/// that has just stopped, so whom they name must say the same.
async fn as_the_leader_sees_it(door: &Door) -> Result<Cluster, String> {
    let heard = ask(door).await?;
    let Some(leader) = heard.leader() else {
        return Err(format!(
            "the node at {} knows no leader; `hangraft status` says why",
            door.node()
        ));
    };
    if leader.address == door.node() {
        return Ok(heard);
    }
    let seen = ask(&door.beside(leader.address)).await?;
    match seen.leader() {
        Some(itself) if itself.id == leader.id => Ok(seen),
        _ => Err("no leader is known for sure; another may just be elected".into()),
    }
}

async fn ask(door: &Door) -> Result<Cluster, String> {
    let reply = door.status().await.map_err(|err| format!("{err:#}"))?;
    if reply.members.is_empty() {
        return Err(format!("the node at {} belongs to no cluster", door.node()));
    }
    Cluster::read(reply)
}

/// Whether a frontend takes players; or what it says instead.
async fn is_ready(frontend: &Frontend) -> Result<(), String> {
    let Frontend { url, https, host, port } = frontend;
    let said = if *https {
        curl(&format!("{url}{READY}")).await?
    } else {
        http::get_status_of(host, port.unwrap_or(80), READY).await.ok()
    };
    match said {
        Some(200) => Ok(()),
        Some(code) => Err(format!("{url}{READY} says {code}")),
        None => Err(format!("{url}{READY} says nothing")),
    }
}

/// The status code of a URL that begins with https, which nothing in here speaks.
async fn curl(url: &str) -> Result<Option<u16>, String> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--noproxy", "*", "--max-time", CURL_SECONDS, "--output", "/dev/null"]);
    curl.args(["--write-out", "%{http_code}", url]);
    let output = curl.output().await.map_err(|err| without_curl(&err.to_string()))?;
    let code = String::from_utf8_lossy(&output.stdout).trim().parse().ok();
    Ok(code.filter(|code| *code != 0))
}

/// Finds out before anything is touched whether frontends can be asked that speak https.
pub(super) async fn check_curl(frontends: &[Frontend]) -> anyhow::Result<()> {
    if !frontends.iter().any(|frontend| frontend.https) {
        return Ok(());
    }
    let output = Command::new("curl").arg("--version").output().await;
    output.map(drop).map_err(|err| anyhow!(without_curl(&err.to_string())))
}

fn without_curl(why: &str) -> String {
    format!(
        "curl cannot be run ({why}); it asks frontends with https whether they are ready: install it, or give their http URLs"
    )
}

/// Waits until a test holds. Says what it waits for, and in the end what was not to be.
async fn until<T>(
    what: &str,
    deadline: Duration,
    mut test: impl AsyncFnMut() -> Result<T, String>,
) -> anyhow::Result<T> {
    let begun = Instant::now();
    let mut said = String::new();
    loop {
        let trouble = match test().await {
            Ok(answer) => return Ok(answer),
            Err(trouble) => trouble,
        };
        if begun.elapsed() >= deadline {
            bail!("{what} after {} s: {trouble}; nothing else was touched", deadline.as_secs());
        }
        if trouble != said {
            print(&format!("  waiting: {trouble}"))?;
        }
        said = trouble;
        sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    /// A frontend that answers one question in this way, and what it was asked.
    async fn asked(answer: &'static str) -> (Result<(), String>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let frontend = Frontend::parse(&format!("http://localhost:{port}/")).unwrap();
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut question = vec![0; 1024];
            let bytes = stream.read(&mut question).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            question.truncate(bytes);
            String::from_utf8(question).unwrap()
        };
        let (ready, question) = tokio::join!(is_ready(&frontend), serve);
        assert!(question.contains(&format!("Host: localhost:{port}\r\n")), "{question}");
        (ready, question)
    }

    #[tokio::test]
    async fn a_frontend_is_asked_by_its_own_name_whether_it_is_ready() {
        let (ready, question) = asked("HTTP/1.1 200 OK\r\n\r\n").await;
        assert_eq!(ready, Ok(()));
        assert!(question.starts_with("GET /readyz HTTP/1.1\r\n"), "{question}");
        let (ready, _) = asked("HTTP/1.1 503 Service Unavailable\r\n\r\n").await;
        assert!(ready.unwrap_err().ends_with("/readyz says 503"));
        let (ready, _) = asked("").await;
        assert!(ready.unwrap_err().ends_with("/readyz says nothing"));
    }

    #[tokio::test]
    async fn what_becomes_well_in_time_is_waited_for_and_nothing_longer() {
        let mut looks = 0;
        let second = async || {
            looks += 1;
            if looks == 2 { Ok(looks) } else { Err("n2 is not alive".to_owned()) }
        };
        assert_eq!(until("n2 is not well", Duration::from_secs(60), second).await.unwrap(), 2);
        let never = async || Err::<(), _>("n2 is not alive".to_owned());
        let err = until("n2 is not well", Duration::from_secs(0), never).await.unwrap_err();
        let said = "n2 is not well after 0 s: n2 is not alive; nothing else was touched";
        assert_eq!(err.to_string(), said);
    }
}
