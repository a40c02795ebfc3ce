//! How a finding tells what happened.

use super::record::{Done, Names};
use crate::history::{Level, Moment, Push, What};

/// A moment in seconds since the timeline began, with three digits.
pub(super) fn seconds(moment: Moment) -> String {
    format!("{}.{:03} s", moment / 1_000_000, moment % 1_000_000 / 1_000)
}

/// Lines in quotes.
pub(super) fn quoted(lines: &[String]) -> String {
    if lines.is_empty() {
        return "no line".to_owned();
    }
    lines.iter().map(|line| format!("{line:?}")).collect::<Vec<_>>().join(", ")
}

/// What somebody was told or shown, in a sentence.
pub(super) fn told(names: &Names, done: &Done<'_>) -> String {
    let client = names.client(done.call.client);
    let (by, room, version) = (&done.call.by, &done.call.room, done.version.0);
    let began = seconds(done.call.invoked);
    let returned = seconds(done.known());
    match &done.call.what {
        What::Write { line: Some(line), .. } => format!(
            "{client} was told at {returned} by {by} that {line:?} was written as version \
             {version} of room {room}; it had asked at {began}."
        ),
        What::Write { action, detail, .. } => {
            let wish = format!("{action} {detail}");
            format!(
                "{client} was told at {returned} by {by} that {:?} was accepted as version \
                 {version} of room {room}; it had asked at {began}.",
                wish.trim_end()
            )
        }
        What::Read { level } => {
            let level = match level {
                Level::Linearizable => "A linearizable read",
                Level::AtLeast { .. } => "A read",
                Level::Local => "A local read",
            };
            format!(
                "{level} by {client} through {by} that began at {began} showed version {version} \
                 of room {room} at {returned}."
            )
        }
    }
}

/// What somebody was pushed, in a sentence.
pub(super) fn pushed(names: &Names, push: &Push) -> String {
    let anew = if push.resync { ", anew" } else { "" };
    format!(
        "{} was pushed version {} of room {} at {}{anew}.",
        names.client(push.client),
        push.version.0,
        push.room,
        seconds(push.at)
    )
}
