//! Waiting for a condition, with a deadline. Nothing here sleeps and hopes.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How often we look.
const LOOK: Duration = Duration::from_millis(25);

/// Looks until there is something to see, and returns it.
///
/// # Panics
/// When `within` is over; `what` says what did not happen.
pub async fn eventually<T>(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(Instant::now() < deadline, "not within {within:?}: {what}");
        sleep(LOOK).await;
    }
}
