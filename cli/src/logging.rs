//! Logs: to standard error, filtered by `HANGRAFT_LOG`.
//!
//! Our own lines never hold what players said, hidden words or tokens. Libraries know
//! nothing of that: at `debug` and `trace` some of them print every frame they read. So
//! whatever the filter asks for, a library says no more than it may.

use std::io::{self, IsTerminal};

use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Layer, filter::filter_fn, layer::SubscriberExt, util::SubscriberInitExt,
};

use crate::usage::Usage;

/// The environment variable with the filter, such as `debug` or `info,openraft=warn`.
const FILTER: &str = "HANGRAFT_LOG";

/// How the targets of our own crates begin; these may say all that is asked for.
const OURS: &str = "hangraft";

/// Libraries that may say `debug`. All they see of what players do is a proposal, which
/// prints its size only.
const KNOWN: [&str; 2] = ["openraft", "foca"];

/// Starts logging what `usual` lets through, unless the environment says otherwise.
pub(crate) fn init(usual: &str) -> Result<(), Usage> {
    let filter = std::env::var(FILTER).unwrap_or_else(|_| usual.into());
    let filter = EnvFilter::try_new(&filter).map_err(|err| {
        Usage(format!("cannot understand {FILTER}={filter:?}: {err}; write a level such as debug"))
    })?;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    tracing_subscriber::registry().with(filter).with(lines.with_filter(filter_fn(may_say))).init();
    Ok(())
}

/// Whether whoever speaks may say things of this level.
fn may_say(line: &Metadata<'_>) -> bool {
    *line.level() <= most_of(line.target())
}

/// The most detail that a target may log.
fn most_of(target: &str) -> Level {
    let root = target.split("::").next().unwrap_or(target);
    if root == OURS || root.strip_prefix(OURS).is_some_and(|rest| rest.starts_with('_')) {
        Level::TRACE
    } else if KNOWN.contains(&root) {
        Level::DEBUG
    } else {
        Level::INFO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who reads what players send may not say so, however much is asked for; nor may
    /// somebody who is only called like us.
    #[test]
    fn libraries_say_little() {
        for (target, most) in [
            ("hangraft", Level::TRACE),
            ("hangraft::demo", Level::TRACE),
            ("hangraft_frontend_server::web::socket", Level::TRACE),
            ("hangraft_node", Level::TRACE),
            ("hangrafting", Level::INFO),
            ("tungstenite::protocol::frame", Level::INFO),
            ("h2::codec::framed_read", Level::INFO),
            ("hyper::proto::h1", Level::INFO),
            ("tonic::transport", Level::INFO),
            ("log", Level::INFO),
            ("", Level::INFO),
            ("openraft::core::raft_core", Level::DEBUG),
            ("openraft_rt", Level::INFO),
        ] {
            assert_eq!(most_of(target), most, "{target}");
        }
    }
}
