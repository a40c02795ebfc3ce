//! The names of nodes and clusters.

use crate::error::{ConfigError, ensure};

/// The longest name of a node and the longest cluster id, in characters. Both
/// stand in every message between nodes, and a longer one is refused at start.
const NAME_CHARS_MAX: usize = 64;

/// Whether this may be the name of a node or a cluster.
pub fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=NAME_CHARS_MAX).contains(&name.len()) && name.bytes().all(plain)
}

/// A name goes into file names, log lines and tables, so it is kept plain.
pub(crate) fn check_name(setting: &'static str, name: &str) -> Result<(), ConfigError> {
    ensure(is_name(name), setting, || {
        format!("has the name {name:?}; write 1 to {NAME_CHARS_MAX} of a-z, 0-9 and -")
    })
}
