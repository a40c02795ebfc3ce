//! Asked wrongly: what clap cannot know by itself.

/// The command was used wrongly. The process exits with 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// Holds a claim about the arguments, or says how to write them.
pub(crate) fn ensure(holds: bool, advice: impl FnOnce() -> String) -> Result<(), Usage> {
    if holds { Ok(()) } else { Err(Usage(advice())) }
}
