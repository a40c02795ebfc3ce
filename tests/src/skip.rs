//! Skipping out loud: a test that cannot run here says so where it is read.

use std::{env, fs::OpenOptions, io::Write};

/// The environment variable with the file that collects what was skipped;
/// `scripts/test` sets it and prints the file at the end.
const FILE: &str = "HANGRAFT_SKIPPED_FILE";

/// Says that something was not tested, and why.
///
/// # Panics
/// When the file for it cannot be written: skipping silently is not offered.
pub fn skip(what: &str, why: &str) {
    eprintln!("SKIPPED: {what}: {why}");
    if let Some(file) = env::var_os(FILE) {
        let mut file =
            OpenOptions::new().create(true).append(true).open(file).expect("a file for skips");
        writeln!(file, "{what}: {why}").expect("a line for a skip");
    }
}
