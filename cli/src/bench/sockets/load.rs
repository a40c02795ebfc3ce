//! What loads of planned moments have in common: all come in, and then the time runs.

use std::time::Duration;

use anyhow::bail;
use indicatif::ProgressBar;
use tokio::time::{Instant, sleep, sleep_until};

use crate::bench::{LOOK, Load, PREPARATION, REFRESH, cost::Meter};

/// Who has come in.
pub(super) struct Attendance {
    pub(super) entered: usize,
    /// Who cannot, and why the first could not.
    pub(super) stuck: u64,
    pub(super) why: Option<String>,
}

/// Waits until all sockets are where they belong. They may take long, as long as more come.
pub(super) async fn until_in(
    sockets: usize,
    bar: &ProgressBar,
    attendance: impl Fn() -> Attendance,
) -> anyhow::Result<()> {
    let (mut most, mut deadline) = (0, Instant::now() + PREPARATION);
    loop {
        let Attendance { entered, stuck, why } = attendance();
        if stuck > 0 {
            bail!("{stuck} of {sockets} could not come in: {}", why.unwrap_or_default());
        }
        if entered >= sockets {
            return Ok(());
        }
        if entered > most {
            (most, deadline) = (entered, Instant::now() + PREPARATION);
        }
        if Instant::now() > deadline {
            bail!("{entered} of {sockets} sockets came in, and no more for {PREPARATION:?}");
        }
        bar.set_message(format!("{entered} of {sockets} sockets are there"));
        sleep(LOOK).await;
    }
}

/// Lets the load run: a warm-up, and the measured time, at whose ends the meter looks. How
/// long it was.
pub(super) async fn measure(
    load: &Load,
    meter: &mut Option<Meter>,
    bar: &ProgressBar,
    pulse: impl Fn() -> String,
) -> Duration {
    let begin = Instant::now() + Duration::from_secs(load.warmup);
    bar.set_message("warming up");
    sleep_until(begin).await;
    if let Some(meter) = meter {
        meter.begin();
    }
    let begun = Instant::now();
    let end = begin + Duration::from_secs(load.seconds);
    while Instant::now() < end {
        sleep_until(end.min(Instant::now() + REFRESH)).await;
        bar.set_message(pulse());
    }
    if let Some(meter) = meter {
        meter.end();
    }
    begun.elapsed()
}
