//! Logs: to standard error, filtered by `HANGRAFT_LOG`.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::usage::Usage;

/// The environment variable with the filter, such as `debug` or `info,openraft=warn`.
const FILTER: &str = "HANGRAFT_LOG";

/// Starts logging what `usual` lets through, unless the environment says otherwise.
pub(crate) fn init(usual: &str) -> Result<(), Usage> {
    let filter = std::env::var(FILTER).unwrap_or_else(|_| usual.into());
    let filter = EnvFilter::try_new(&filter).map_err(|err| {
        Usage(format!("cannot understand {FILTER}={filter:?}: {err}; write a level such as debug"))
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    Ok(())
}
