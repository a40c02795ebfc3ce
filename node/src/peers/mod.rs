//! Other nodes: how they are called, what may be asked of them, and how they are known.

pub(crate) mod asks;
pub(crate) mod caller;
pub(crate) mod channel;
pub(crate) mod envelope;
pub(crate) mod promises;
pub(crate) mod starts;
