//! What all of the web shares, and the places of its sockets.

use std::sync::{Arc, atomic::AtomicU64};

use hangraft_cluster_config::FrontendLimits;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

use super::{
    origin::Origins,
    proxies::Proxies,
    visitors::{NoRoom, Visit, Visitors},
};
use crate::{
    client::Client, cluster::Cluster, exchange::Premises, hub::Hub, meters::Meters,
    players::Players,
};

/// What all handlers share.
pub(crate) struct Shared {
    pub(crate) premises: Arc<Premises>,
    pub(crate) limits: FrontendLimits,
    pub(crate) origins: Origins,
    /// Everybody who is connected.
    pub(crate) visitors: Visitors,
    pub(crate) proxies: Proxies,
    pub(crate) players: Players,
    pub(crate) hub: Hub,
    pub(crate) cluster: Cluster,
    pub(crate) meters: Arc<Meters>,
    pub(crate) metrics: Option<PrometheusHandle>,
    /// Cancelled when no new sockets are wanted and those here should move.
    pub(crate) drain: CancellationToken,
    /// Cancelled when the frontend stops.
    pub(crate) stop: CancellationToken,
    /// All places taken by sockets, those just being opened too.
    pub(crate) sockets: TaskTracker,
    /// Sockets ever opened; each is known by its number.
    pub(crate) sessions: AtomicU64,
}

/// One of the sockets that may be open; dropping it makes room for another.
pub(super) struct Place {
    pub(super) shared: Arc<Shared>,
    pub(super) visit: Arc<Visit>,
    /// Whoever stops the frontend waits for it.
    _token: TaskTrackerToken,
}

impl Place {
    pub(super) fn take(
        shared: &Arc<Shared>,
        visit: Arc<Visit>,
        client: Client,
    ) -> Result<Self, NoRoom> {
        visit.becomes_socket(client)?;
        shared.meters.sockets.increment(1.0);
        Ok(Self { shared: shared.clone(), visit, _token: shared.sockets.token() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.visit.is_no_socket();
        self.shared.meters.sockets.decrement(1.0);
    }
}
