//! The nodes of a demo, for workloads that take them away: who leads, and whether all have
//! caught up.

use std::{path::Path, time::Duration};

use anyhow::{Context, anyhow};
use hangraft_proto::v1::StatusReply;
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{
    demo::record::{Process, Record, Role},
    reach,
    usage::ensure,
};

/// How long a node may take to catch up.
const CATCH_UP: Duration = Duration::from_secs(30);

/// A node this few entries behind has caught up: the player never stops.
const LAG_MAX: u64 = 64;

/// How often we look whether it has.
const LOOK: Duration = Duration::from_millis(50);

/// What is known of the demo in a folder.
pub(super) fn demo(dir: &Path) -> anyhow::Result<Record> {
    Record::load(dir)?.ok_or_else(|| {
        anyhow!(
            "no demo has run in {dir}; start one with `hangraft demo --dir {dir}`",
            dir = dir.display()
        )
    })
}

/// One that was killed before would never catch up.
pub(super) async fn all_run(dir: &Path, record: &Record) -> anyhow::Result<()> {
    for Process { name, role, .. } in record.processes() {
        let (Role::Node(address) | Role::Frontend(address)) = role;
        ensure(TcpStream::connect(address).await.is_ok(), || {
            format!(
                "{name} does not run; start it first: hangraft restart {name} --dir {}",
                dir.display()
            )
        })?;
    }
    Ok(())
}

/// The process of the leader, as any node sees it.
pub(super) async fn leader(dir: &Path) -> anyhow::Result<Process> {
    let (record, status) = (demo(dir)?, any_status(dir).await?);
    let address = status.members.iter().find(|member| member.id == status.leader);
    let address = address.context("the cluster has no leader; try again")?.address.clone();
    let leads =
        |process: &Process| matches!(&process.role, Role::Node(at) if at.to_string() == address);
    record
        .processes()
        .find(leads)
        .with_context(|| format!("the leader {address} is not of this demo"))
}

async fn any_status(dir: &Path) -> anyhow::Result<StatusReply> {
    let mut last = anyhow!("the demo has no nodes");
    for door in reach::demo(dir)? {
        match door.status().await {
            Ok(status) if status.leader != 0 => return Ok(status),
            Ok(_) => last = anyhow!("no node knows a leader"),
            Err(err) => last = err,
        }
    }
    Err(last)
}

/// Waits until all nodes hold nearly what the leader does.
pub(super) async fn until_caught_up(dir: &Path) -> anyhow::Result<()> {
    let caught_up = async {
        while !any_status(dir).await.is_ok_and(|status| all_caught_up(&status)) {
            sleep(LOOK).await;
        }
    };
    timeout(CATCH_UP, caught_up).await.map_err(|_| {
        anyhow!("not all nodes caught up within {CATCH_UP:?}; look at `hangraft status`")
    })
}

fn all_caught_up(status: &StatusReply) -> bool {
    let report = |id| status.members.iter().find(|member| member.id == id)?.report.as_ref();
    let Some(leader) = report(status.leader) else { return false };
    status.members.iter().all(|member| {
        let report = member.report.as_ref();
        report.is_some_and(|report| report.applied + LAG_MAX >= leader.last_log)
    })
}

#[cfg(test)]
mod tests {
    use hangraft_proto::v1::{Member, NodeReport};

    use super::*;

    #[test]
    fn a_silent_member_has_not_caught_up() {
        let member = |id, applied: Option<u64>| Member {
            id,
            report: applied.map(|applied| NodeReport {
                applied,
                last_log: 1000,
                ..NodeReport::default()
            }),
            ..Member::default()
        };
        let status = |members| StatusReply {
            cluster: "demo".into(),
            leader: 1,
            term: 1,
            members,
            ..StatusReply::default()
        };
        assert!(all_caught_up(&status(vec![member(1, Some(1000)), member(2, Some(950))])));
        assert!(!all_caught_up(&status(vec![member(1, Some(1000)), member(2, Some(900))])));
        assert!(!all_caught_up(&status(vec![member(1, Some(1000)), member(2, None)])));
        assert!(!all_caught_up(&status(vec![member(2, Some(1000))])));
    }
}
