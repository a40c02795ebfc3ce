//! A bug in every process of this build, if the environment names one: to see whether
//! `hangraft check` finds it. In a build without the feature nothing reads that variable.

use crate::usage::Usage;

/// What names the bug.
#[cfg(feature = "planted")]
const VARIABLE: &str = "HANGRAFT_PLANT";

/// Plants the bug that the environment names.
///
/// # Errors
/// When no bug is called so: what was to be shown would not be.
#[cfg(feature = "planted")]
pub(crate) fn plant() -> Result<(), Usage> {
    let Some(name) = std::env::var_os(VARIABLE).filter(|name| !name.is_empty()) else {
        return Ok(());
    };
    let bug = name.to_string_lossy().parse::<hangraft_planted::Bug>();
    let bug = bug.map_err(|err| Usage(format!("{VARIABLE}: {err}")))?;
    hangraft_planted::plant(bug);
    tracing::warn!(bug = bug.name(), "a bug is planted in this process");
    Ok(())
}

/// Without the feature no bug can be planted.
#[cfg(not(feature = "planted"))]
pub(crate) fn plant() -> Result<(), Usage> {
    Ok(())
}
