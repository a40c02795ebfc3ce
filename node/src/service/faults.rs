//! Faults on the wire: what operators may make worse around this node, and how it is told.

use super::cluster::ClusterService;
use crate::faults::{Fault, Faults, LinkFault, Pause, Peer, Traffic, Trouble, Way};
use hangraft_proto::v1::{self, fault::What, link_fault};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use tonic::Status;

/// The longest time for which a fault heals by itself; more is a slip of the hand.
const LASTS_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest delay of one datagram, write or sync.
const DELAY_MAX: Duration = Duration::from_secs(60);

/// The furthest that a clock may be wrong: ten years, in milliseconds.
const SKEW_MS_MAX: u64 = 10 * 365 * 24 * 60 * 60 * 1_000;

/// Of what was said in vain so many characters are repeated.
const QUOTED_MAX: usize = 40;

/// How the frontends are called together.
const FRONTENDS: &str = "frontends";

/// In a million: all of them.
const ALL: u32 = 1_000_000;

impl ClusterService {
    pub(super) fn inject_faults(
        &self,
        request: v1::InjectRequest,
    ) -> Result<v1::InjectReply, Status> {
        let faults = self.switches()?;
        let lasts = Some(Duration::from_millis(request.for_ms)).filter(|lasts| !lasts.is_zero());
        if lasts > Some(LASTS_MAX) {
            return Err(Status::invalid_argument("a fault lasts a day at most"));
        }
        let wanted: Result<Vec<Fault>, Status> = request.faults.into_iter().map(fault).collect();
        let wanted = wanted?;
        if wanted.is_empty() {
            return Err(Status::invalid_argument("no fault is named"));
        }
        let texts: Vec<String> = wanted.iter().map(|fault| self.text(fault)).collect();
        let begun = faults.inject(wanted, lasts);
        let ids = begun.map_err(Status::resource_exhausted)?;
        for (id, text) in ids.iter().zip(texts) {
            self.replica.observers().fault_begins(*id, text.clone());
            let ends = lasts.map_or_else(String::new, |lasts| format!(", for {lasts:?}"));
            self.tell(format!("begins: {text}{ends}"));
        }
        if let Some(until) = lasts.map(|lasts| Instant::now() + lasts) {
            let (service, ids) = (self.clone(), ids.clone());
            let healing = async move { service.heal_at(until, &ids).await };
            self.replica.tasks().spawn("healing", healing);
        }
        Ok(v1::InjectReply { ids })
    }

    pub(super) fn list_faults(&self) -> Result<v1::FaultsReply, Status> {
        let now = Instant::now();
        let active = self.switches()?.active().into_iter().map(|(id, active)| {
            let left = active.until.map(|until| until.saturating_duration_since(now));
            let left_ms = left.map(|left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
            v1::ActiveFault { id, text: self.text(&active.fault), left_ms }
        });
        Ok(v1::FaultsReply { faults: active.collect() })
    }

    pub(super) fn heal_faults(&self, ids: &[u64]) -> Result<v1::HealReply, Status> {
        self.switches()?;
        Ok(v1::HealReply { healed: self.heal_now(ids) })
    }

    /// The faults that are active, in words.
    pub(super) fn fault_texts(&self) -> Vec<String> {
        let active = self.faults.as_ref().map(Faults::active).unwrap_or_default();
        active.values().map(|active| self.text(&active.fault)).collect()
    }

    /// Heals these at that time, unless somebody has done so before.
    async fn heal_at(&self, until: Instant, ids: &[u64]) {
        let Some(faults) = &self.faults else { return };
        let mut changes = faults.follow();
        while faults.active().keys().any(|id| ids.contains(id)) {
            tokio::select! {
                () = sleep_until(until) => drop(self.heal_now(ids)),
                // It cannot end: this node has its other end.
                _ = changes.changed() => {}
            }
        }
    }

    fn heal_now(&self, ids: &[u64]) -> u32 {
        let healed = self.faults.as_ref().map(|faults| faults.heal(ids)).unwrap_or_default();
        for (id, fault) in &healed {
            self.replica.observers().fault_ends(*id);
            self.tell(format!("heals: {}", self.text(fault)));
        }
        u32::try_from(healed.len()).unwrap_or(u32::MAX)
    }

    fn switches(&self) -> Result<&Faults, Status> {
        self.faults.as_ref().ok_or_else(|| {
            Status::failed_precondition(
                "this node allows no faults; its configuration would have to say faults = true",
            )
        })
    }

    fn tell(&self, text: String) {
        let report = self.replica.report();
        let index = report.applied.unwrap_or_default();
        self.replica.events().note("fault", report.term, index, text);
    }

    fn text(&self, fault: &Fault) -> String {
        let leadership = self.replica.leadership().borrow().clone();
        fault.text(|address| {
            let mut members = leadership.members.values().map(|member| &member.peer);
            let known = members.find(|peer| peer.address == address);
            known.map_or_else(|| address.to_string(), |peer| peer.name.clone())
        })
    }
}

/// A fault from the wire.
fn fault(fault: v1::Fault) -> Result<Fault, Status> {
    let what = fault.what.ok_or_else(|| Status::invalid_argument("a fault says nothing"))?;
    Ok(match what {
        What::Link(link) => Fault::Link(link_fault(link)?),
        What::SlowDisk(slow) => Fault::SlowDisk(pause(slow.ms, slow.jitter_ms)?),
        What::FailFsync(_) => Fault::FailFsync,
        What::FullDisk(_) => Fault::FullDisk,
        What::LoseUnsynced(_) => Fault::LoseUnsynced,
        What::Skew(skew) if skew.ms.unsigned_abs() <= SKEW_MS_MAX => Fault::Skew(skew.ms),
        What::Skew(_) => {
            return Err(Status::invalid_argument("a clock is wrong by ten years at most"));
        }
    })
}

fn link_fault(link: v1::LinkFault) -> Result<LinkFault, Status> {
    let way = match link.way() {
        v1::Way::Out => Way::Out,
        v1::Way::In => Way::In,
        v1::Way::Unspecified => return Err(Status::invalid_argument("a link has a way")),
    };
    let traffic = match link.traffic() {
        v1::Traffic::All => Traffic::All,
        v1::Traffic::Streams => Traffic::Streams,
        v1::Traffic::Datagrams => Traffic::Datagrams,
    };
    let peer = match link.peer.as_str() {
        FRONTENDS => Peer::Frontends,
        address => Peer::Node(address.parse().map_err(|_| no_peer(address))?),
    };
    let trouble = link.trouble.ok_or_else(|| Status::invalid_argument("a link has a trouble"))?;
    let flap = Some(Duration::from_millis(link.flap_ms)).filter(|period| !period.is_zero());
    if flap > Some(LASTS_MAX) {
        return Err(Status::invalid_argument("what comes and goes does so within a day"));
    }
    Ok(LinkFault { peer, way, traffic, trouble: trouble_of(trouble)?, flap })
}

fn trouble_of(trouble: link_fault::Trouble) -> Result<Trouble, Status> {
    use link_fault::Trouble as Wire;
    Ok(match trouble {
        Wire::Cut(_) => Trouble::Cut,
        Wire::Delay(delay) => Trouble::Delay(pause(delay.ms, delay.jitter_ms)?),
        Wire::Loss(loss) => Trouble::Loss(share(loss.ppm)?),
        Wire::Duplicate(duplicate) => Trouble::Duplicate(share(duplicate.ppm)?),
        Wire::Reorder(reorder) => Trouble::Reorder(share(reorder.ppm)?),
        Wire::Bandwidth(width) if width.bytes_per_s > 0 => Trouble::Bandwidth(width.bytes_per_s),
        Wire::Bandwidth(_) => {
            return Err(Status::invalid_argument("cut a way on which nothing gets through"));
        }
    })
}

fn pause(ms: u64, jitter_ms: u64) -> Result<Pause, Status> {
    let (least, jitter) = (Duration::from_millis(ms), Duration::from_millis(jitter_ms));
    let most = least.checked_add(jitter).filter(|most| *most <= DELAY_MAX);
    if most.is_none_or(|most| most.is_zero()) {
        return Err(Status::invalid_argument("a delay is between 1 ms and a minute"));
    }
    Ok(Pause { least, jitter })
}

fn share(ppm: u32) -> Result<u32, Status> {
    if ppm == 0 || ppm > ALL {
        return Err(Status::invalid_argument("a share is more than nothing and at most all"));
    }
    Ok(ppm)
}

fn no_peer(said: &str) -> Status {
    let said: String = said.chars().take(QUOTED_MAX).collect();
    Status::invalid_argument(format!(
        "{said:?} is no peer; name a node by its address, or say {FRONTENDS}"
    ))
}
