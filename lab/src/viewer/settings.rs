//! What a page is told by its server about what it can do.

use serde::Serialize;

/// What a server offers to a page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Whether lines are still coming.
    pub live: bool,
    /// Whether something may be broken.
    pub breaks: bool,
    /// Whether whoever opened the page may only look.
    pub watch_only: bool,
    /// The demo's folder, as a command line names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
    /// Where the game is played, as URLs.
    pub frontends: Vec<String>,
    /// Scripts of faults that can be run.
    pub scenarios: Vec<Scenario>,
    /// Whether another day can be made of this one, by doing something else in it.
    pub forks: bool,
    /// How much of the past the server keeps, in microseconds; 0 where it keeps all.
    pub kept_us: u64,
}

/// A script of faults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Scenario {
    /// Its file's name.
    pub name: String,
    /// What its head says: what happens, what to expect, and why.
    pub about: String,
    /// How many nodes it is for; empty for any number.
    pub nodes: Vec<u16>,
    /// How many spares it needs.
    pub spares: u16,
}
