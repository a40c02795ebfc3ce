//! Tells all sockets at once what all have to hear.

use std::{future::pending, sync::Arc};

use super::shared::Shared;
use crate::mailbox::Call;

/// Runs as long as there are sockets.
pub(crate) async fn run(shared: Arc<Shared>) {
    let queues = &shared.meters.queues;
    let drains = async {
        shared.drain.cancelled().await;
        queues.call_all(Call::Drain);
        pending::<()>().await
    };
    let stops = async {
        shared.stop.cancelled().await;
        queues.call_all(Call::Stop);
        pending::<()>().await
    };
    let status = async {
        let mut status = shared.cluster.status();
        while status.changed().await.is_ok() {
            queues.call_all(Call::Status);
        }
        pending::<()>().await
    };
    tokio::join!(drains, stops, status);
}
