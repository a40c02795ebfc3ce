//! Which log a data folder holds, and how one becomes the other.
//!
//! The log of raft-log is in `log`, that of segments in `segments`, and both are whole from
//! the moment they have that name. Where both are, a conversion was interrupted, and the log
//! of segments counts. So each conversion has one rename that decides:
//!
//! ```text
//! to segments   write segments.new whole; rename it to segments *; rename log to log.old; remove that
//! to raft-log   write log.new whole; rename it to log; rename segments to segments.old *; remove that
//! ```
//!
//! Whatever ends in `.new` or `.old` counts for nothing. A crash before the rename that decides
//! (*) leaves the log that was, and the conversion begins anew; behind it, only what is left
//! over is removed.
//!
//! A build that does not know segments must not take the folder for one whose log is empty:
//! it would vote again. It reads the identity file first of all, so that gets another format
//! before a log of segments gets its name, and has it for as long as that is there.

use super::blocks::{lock, sync_folder};
use super::places::{STATE, TEMPORARY};
use super::raft_log::RaftLogDevice;
use super::segment_log::SegmentDevice;
use crate::format::corrupt;
use crate::identity;
use crate::storage::log::{DeviceState, LogDevice, Position, VoteRecord, Write, behind};
use bytes::Bytes;
use hangraft_cluster_config::LogKind;
use hangraft_ids::LogIndex;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;

/// Held while a log is open, by whoever has it.
const LOCK: &str = "log.lock";

/// Bytes of entries that are copied at a time.
const COPIED_BYTES: usize = 4 << 20;

/// What is called before each step of a conversion that a crash may come before. Tests fail
/// there.
type Before<'a> = &'a mut dyn FnMut() -> io::Result<()>;

/// Opens the log of a data folder, which is there, as one of this kind. A new folder gets
/// one, and a log of the other kind is converted.
///
/// # Errors
/// When it is in use, cannot be read, is damaged, or cannot be converted.
pub(super) fn open(dir: &Path, kind: LogKind, realtime: bool) -> io::Result<Arc<dyn LogDevice>> {
    open_in_steps(dir, kind, realtime, &mut || Ok(()))
}

fn open_in_steps(
    dir: &Path,
    kind: LogKind,
    realtime: bool,
    before: Before<'_>,
) -> io::Result<Arc<dyn LogDevice>> {
    let locked = Arc::new(lock(&dir.join(LOCK))?);
    for left_over in [RAFT_LOG, SEGMENTS].iter().flat_map(|at| [at.draft, at.gone]) {
        remove(&dir.join(left_over))?;
    }
    let there = kind_in(dir)?;
    let kind = match there {
        Some(there) if there == kind => kind,
        // Whose log it is must be known to other builds, too.
        Some(there) if !identity_is_readable(dir) && holds(dir, there)? => there,
        _ => {
            convert(dir, there, kind, before)?;
            kind
        }
    };
    let log = place_of(kind).of(dir);
    Ok(match kind {
        LogKind::Segments => Arc::new(SegmentDevice::open(&log, realtime, Some(locked))?),
        LogKind::RaftLog => Arc::new(RaftLogDevice::open(&log, realtime)?),
    })
}

/// The names of a log's folder.
struct Place {
    name: &'static str,
    /// While it is made.
    draft: &'static str,
    /// While it is removed.
    gone: &'static str,
}

const RAFT_LOG: Place = Place { name: "log", draft: "log.new", gone: "log.old" };
const SEGMENTS: Place = Place { name: "segments", draft: "segments.new", gone: "segments.old" };

impl Place {
    fn of(&self, dir: &Path) -> PathBuf {
        dir.join(self.name)
    }
}

fn place_of(kind: LogKind) -> Place {
    match kind {
        LogKind::Segments => SEGMENTS,
        LogKind::RaftLog => RAFT_LOG,
    }
}

fn other(kind: LogKind) -> LogKind {
    match kind {
        LogKind::Segments => LogKind::RaftLog,
        LogKind::RaftLog => LogKind::Segments,
    }
}

/// A log as it lies in a folder, without anything around it.
fn open_plain(dir: &Path, kind: LogKind) -> io::Result<Box<dyn LogDevice>> {
    Ok(match kind {
        LogKind::Segments => Box::new(SegmentDevice::open(dir, false, None)?),
        LogKind::RaftLog => Box::new(RaftLogDevice::open(dir, false)?),
    })
}

/// Whether the log of this kind holds anything.
fn holds(dir: &Path, kind: LogKind) -> io::Result<bool> {
    let state = open_plain(&place_of(kind).of(dir), kind)?.state();
    Ok(promises(&state) != (None, None))
}

/// What a log has promised, in the order in which promises grow.
fn promises(state: &DeviceState) -> (Option<VoteRecord>, Option<Position>) {
    (state.vote, state.last)
}

/// Which log the folder has. What is left of an interrupted conversion is removed.
fn kind_in(dir: &Path) -> io::Result<Option<LogKind>> {
    let is_there = |kind| place_of(kind).of(dir).exists();
    match (is_there(LogKind::RaftLog), is_there(LogKind::Segments)) {
        (false, false) => return Ok(None),
        (true, false) => return Ok(Some(LogKind::RaftLog)),
        (false, true) => return Ok(Some(LogKind::Segments)),
        (true, true) => {}
    }
    let state = |kind| Ok::<_, io::Error>(open_plain(&place_of(kind).of(dir), kind)?.state());
    let (old, new) = (state(LogKind::RaftLog)?, state(LogKind::Segments)?);
    let counts = if promises(&old) <= promises(&new) {
        LogKind::Segments
    } else if promises(&new) == (None, None) {
        LogKind::RaftLog
    } else {
        return Err(corrupt(format!(
            "{0} has both `log` and `segments`, and `log` is ahead: another build has used it \
             meanwhile; nobody can tell which of the two is this node's",
            dir.display()
        )));
    };
    set_aside(dir, &place_of(other(counts)), &mut || Ok(()))?;
    Ok(Some(counts))
}

/// Makes a log of this kind, with what the other one holds, if there is one.
fn convert(dir: &Path, from: Option<LogKind>, to: LogKind, before: Before<'_>) -> io::Result<()> {
    let place = place_of(to);
    let draft = dir.join(place.draft);
    before()?;
    fs::create_dir(&draft)?;
    if let Some(from) = from {
        tracing::info!(?from, ?to, "the log is converted");
        let log = place_of(from).of(dir);
        copy(&*open_plain(&log, from)?, &*open_plain(&draft, to)?)?;
        before()?;
        compare(&*open_plain(&log, from)?, &*open_plain(&draft, to)?)?;
    } else {
        drop(open_plain(&draft, to)?);
    }
    sync_folder(&draft)?;
    before()?;
    if to == LogKind::Segments {
        mark_identity(dir)?;
        before()?;
    }
    fs::rename(&draft, place.of(dir))?;
    sync_folder(dir)?;
    before()?;
    match from {
        Some(from) => set_aside(dir, &place_of(from), before),
        None => Ok(()),
    }
}

/// Copies everything.
fn copy(from: &dyn LogDevice, to: &dyn LogDevice) -> io::Result<()> {
    if from.cut_off() > 0 {
        tracing::warn!(bytes = from.cut_off(), "the log's torn end is not converted");
    }
    let state = from.state();
    if let Some(vote) = state.vote {
        to.write(Write::Vote(vote))?;
    }
    if let Some(purged) = state.purged {
        to.write(Write::Purge(purged))?;
    }
    let (mut next, end) = (behind(state.purged), behind(state.last));
    while next < end {
        let entries = read(from, next, end)?;
        next = behind(entries.last().map(|(at, _)| *at));
        to.write(Write::Append(entries))?;
        sync(to)?;
    }
    if let Some(committed) = state.committed {
        to.write(Write::Committed(committed))?;
    }
    sync(to)
}

/// Reads both, and fails unless they hold the same.
fn compare(one: &dyn LogDevice, other: &dyn LogDevice) -> io::Result<()> {
    let state = one.state();
    let differs = || Err(io::Error::other("the converted log differs from what it was"));
    if state != other.state() {
        return differs();
    }
    let (mut next, end) = (behind(state.purged), behind(state.last));
    while next < end {
        let entries = read(one, next, end)?;
        let upto = behind(entries.last().map(|(at, _)| *at));
        if entries != other.read(next, upto, usize::MAX)? {
            return differs();
        }
        next = upto;
    }
    Ok(())
}

/// Some entries from here on, at least one.
fn read(log: &dyn LogDevice, from: LogIndex, to: LogIndex) -> io::Result<Vec<(Position, Bytes)>> {
    let entries = log.read(from, to, COPIED_BYTES)?;
    if entries.is_empty() {
        return Err(corrupt(format!("the log has a hole at {from}")));
    }
    Ok(entries)
}

fn sync(log: &dyn LogDevice) -> io::Result<()> {
    let (done, synced) = mpsc::sync_channel(1);
    log.sync(Box::new(move |result| _ = done.send(result)));
    synced.recv().map_err(|_| io::Error::other("the log was closed"))?
}

/// Lets go of a log: first of its name, then of its files.
fn set_aside(dir: &Path, place: &Place, before: Before<'_>) -> io::Result<()> {
    let gone = dir.join(place.gone);
    remove(&gone)?;
    fs::rename(place.of(dir), &gone)?;
    sync_folder(dir)?;
    before()?;
    remove(&gone)
}

fn remove(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => Err(err),
        _ => Ok(()),
    }
}

fn identity_file(dir: &Path) -> PathBuf {
    dir.join(STATE).join(identity::FILE)
}

fn identity_is_readable(dir: &Path) -> bool {
    fs::read(identity_file(dir)).is_ok_and(|text| identity::beside_segments(&text).is_some())
}

/// Has the identity file say that the log is one of segments, durably.
fn mark_identity(dir: &Path) -> io::Result<()> {
    let path = identity_file(dir);
    let text = match fs::read(&path) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(()),
        text => text?,
    };
    let Some(marked) = identity::beside_segments(&text) else { return Ok(()) };
    let draft = path.with_extension(TEMPORARY);
    fs::write(&draft, marked)?;
    fs::File::open(&draft)?.sync_all()?;
    fs::rename(&draft, &path)?;
    sync_folder(&dir.join(STATE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hangraft_ids::{NodeId, Term};
    use tempfile::TempDir;

    const BOTH: [LogKind; 2] = [LogKind::Segments, LogKind::RaftLog];

    fn at(index: u64) -> Position {
        Position { term: Term(3), index: LogIndex(index) }
    }

    fn vote(term: u64) -> VoteRecord {
        VoteRecord { term: Term(term), committed: true, node: NodeId(2) }
    }

    fn fill(log: &dyn LogDevice) {
        let entries = (0..40).map(|index| (at(index), Bytes::from(format!("entry {index}"))));
        log.write(Write::Vote(vote(3))).unwrap();
        log.write(Write::Append(entries.collect())).unwrap();
        log.write(Write::Purge(at(7))).unwrap();
        log.write(Write::Committed(at(30))).unwrap();
        sync(log).unwrap();
    }

    fn all(log: &dyn LogDevice) -> (DeviceState, Vec<(Position, Bytes)>) {
        (log.state(), log.read(LogIndex(8), LogIndex(99), usize::MAX).unwrap())
    }

    /// A folder with a log of this kind, and an identity.
    fn folder(kind: LogKind) -> (TempDir, (DeviceState, Vec<(Position, Bytes)>)) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join(STATE)).unwrap();
        fs::write(identity_file(dir.path()), identity::tests::text()).unwrap();
        let log = open(dir.path(), kind, false).unwrap();
        fill(&*log);
        (dir, all(&*log))
    }

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != LOCK && name != STATE)
            .collect();
        names.sort();
        names
    }

    fn format(dir: &Path) -> u64 {
        let text = fs::read(identity_file(dir)).unwrap();
        serde_json::from_slice::<serde_json::Value>(&text).unwrap()["format"].as_u64().unwrap()
    }

    /// A log becomes one of the other kind and back, and holds the same all the time.
    #[test]
    fn a_log_is_converted_both_ways() {
        for kind in BOTH {
            let (dir, content) = folder(kind);
            for kind in [other(kind), kind, kind] {
                let log = open(dir.path(), kind, false).unwrap();
                assert_eq!(all(&*log), content, "as {kind:?}");
                drop(log);
                assert_eq!(names(dir.path()), [place_of(kind).name]);
            }
            assert_eq!(format(dir.path()), 2, "only a node takes that back");
        }
    }

    /// A conversion that is interrupted before any of its steps is begun again or finished,
    /// in whichever direction, and nothing is lost.
    #[test]
    fn a_conversion_may_be_interrupted_anywhere() {
        for (from, then) in BOTH.into_iter().flat_map(|from| BOTH.map(|then| (from, then))) {
            let mut steps = 0;
            loop {
                let (dir, content) = folder(from);
                let mut left = steps;
                let mut crash = || match left {
                    0 => Err(io::Error::other("the power failed")),
                    _ => {
                        left -= 1;
                        Ok(())
                    }
                };
                let to = other(from);
                let interrupted = open_in_steps(dir.path(), to, false, &mut crash).is_err();
                if dir.path().join(SEGMENTS.name).exists() {
                    assert_eq!(format(dir.path()), 2, "other builds must know: step {steps}");
                }
                let log = open(dir.path(), then, false).unwrap();
                assert_eq!(all(&*log), content, "from {from:?}, step {steps}, then {then:?}");
                drop(log);
                assert_eq!(names(dir.path()), [place_of(then).name]);
                if !interrupted {
                    break;
                }
                steps += 1;
            }
            assert!(steps >= 5, "{steps} steps");
        }
    }

    /// A build that knows no segments may have begun a log of its own beside an empty one;
    /// what promises something counts. When both do, nobody can tell.
    #[test]
    fn of_two_logs_the_one_that_promises_counts() {
        let (dir, content) = folder(LogKind::RaftLog);
        fs::create_dir(SEGMENTS.of(dir.path())).unwrap();
        drop(open_plain(&SEGMENTS.of(dir.path()), LogKind::Segments).unwrap());
        assert_eq!(all(&*open(dir.path(), LogKind::Segments, false).unwrap()), content);

        let (dir, content) = folder(LogKind::Segments);
        fs::create_dir(RAFT_LOG.of(dir.path())).unwrap();
        let empty = open_plain(&RAFT_LOG.of(dir.path()), LogKind::RaftLog).unwrap();
        drop(empty);
        assert_eq!(all(&*open(dir.path(), LogKind::Segments, false).unwrap()), content);

        fs::create_dir(RAFT_LOG.of(dir.path())).unwrap();
        let ahead = open_plain(&RAFT_LOG.of(dir.path()), LogKind::RaftLog).unwrap();
        ahead.write(Write::Vote(vote(9))).unwrap();
        sync(&*ahead).unwrap();
        drop(ahead);
        let why = open(dir.path(), LogKind::Segments, false).err().unwrap().to_string();
        assert!(why.contains("nobody can tell"), "{why}");
    }

    /// Two processes never have one log.
    #[test]
    fn a_log_that_is_open_is_in_use() {
        for kind in BOTH {
            let (dir, content) = folder(kind);
            let log = open(dir.path(), kind, false).unwrap();
            for other in BOTH {
                assert!(open(dir.path(), other, false).is_err());
            }
            drop(log);
            assert_eq!(all(&*open(dir.path(), kind, false).unwrap()), content);
        }
    }
}
