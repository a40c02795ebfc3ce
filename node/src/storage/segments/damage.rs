//! Tests: what is lost or half made in the files of a log, a disk without room, and who holds
//! a file for long.

use super::memory::Memory;
use super::shelf::{FIRST_BYTES, name_of};
use super::tests::{Content, at, entries, entry, flush, open, vote};
use super::*;
use std::sync::mpsc;
use std::time::Duration;

/// What a disk forgets at once.
const BLOCK: usize = 512;

/// How long a thread may take that nothing holds up.
const PATIENCE: Duration = Duration::from_secs(60);

/// One entry of so many bytes, which are quickly made.
fn large(index: u64, bytes: usize) -> (Position, Bytes) {
    (at(1, index), vec![index as u8 | 1; bytes].into())
}

/// Writes entries from `next` on, a batch each, until the log is in one more segment.
fn fill_a_segment(log: &SegmentLog, memory: &Memory, next: &mut u64) {
    let files = memory.list().unwrap().len();
    while memory.list().unwrap().len() == files {
        log.write(Write::Append(vec![entry(1, *next, 3_000)])).unwrap();
        *next += 1;
        flush(log).unwrap();
    }
}

/// Zeros where something was durable are damage, in whichever segment: never the end of the
/// log. Only at the very end nobody can tell: what is gone there may never have been written.
#[test]
fn zeros_in_the_middle_are_an_error() {
    let memory = Memory::default();
    let log = open(&memory).unwrap();
    log.write(vote(1)).unwrap();
    let mut next = 0;
    fill_a_segment(&log, &memory, &mut next);
    fill_a_segment(&log, &memory, &mut next);
    log.close().unwrap();
    let names = memory.list().unwrap();
    assert_eq!(names.len(), 3);
    let mut blocks = 0;
    for name in &names {
        let whole = memory.content(name);
        let used = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        // The last batch and the note behind it, which would tell, may be in the last two.
        let last = if Some(name) == names.last() { used - used % BLOCK - BLOCK } else { used };
        for start in (0..last).step_by(BLOCK) {
            let mut bytes = whole.clone();
            let end = (start + BLOCK).min(bytes.len());
            bytes[start..end].fill(0);
            let damaged = memory.copy(usize::MAX);
            damaged.put(name, &bytes);
            let why = open(&damaged).err().unwrap_or_else(|| panic!("{name} at {start}"));
            assert_eq!(why.kind(), io::ErrorKind::InvalidData, "{name} at {start}: {why}");
            assert_eq!(damaged.content(name), bytes, "a damaged log is not changed");
            blocks += 1;
        }
    }
    assert!(blocks > 1_000, "{blocks} blocks");
    assert_eq!(Content::of(&open(&memory).unwrap()), Content::of(&log));
}

/// A crash while a file is made leaves less than a file. It is made again.
#[test]
fn a_file_that_was_half_made_is_made_again() {
    let memory = Memory::default();
    drop(memory.create("first.draft", 40).unwrap());
    let log = open(&memory).unwrap();
    let mut next = 0;
    fill_a_segment(&log, &memory, &mut next);
    log.close().unwrap();
    let before = Content::of(&log);
    for bytes in [0, 40, FIRST_BYTES / 2] {
        drop(memory.create(&name_of(3), bytes).unwrap());
        let log = open(&memory).unwrap();
        assert_eq!(Content::of(&log), before);
        assert_eq!(memory.list().unwrap(), [name_of(1), name_of(2)]);
    }
    let log = open(&memory).unwrap();
    fill_a_segment(&log, &memory, &mut next);
    fill_a_segment(&log, &memory, &mut next);
    assert_eq!(Content::of(&open(&memory).unwrap()), Content::of(&log));
}

/// Where there is no room for the next file the log goes on in the one it has. When that is
/// full, too, it ends; with room it is there again, with all that was synced.
#[test]
fn a_full_disk_takes_nothing_back() {
    let memory = Memory::default();
    let log = open(&memory).unwrap();
    log.write(vote(1)).unwrap();
    memory.fill_up(true);
    let mut synced = Content::of(&log);
    let mut batches = 0;
    let failed = loop {
        if let Err(err) = log.make_ready() {
            assert_eq!(err.kind(), io::ErrorKind::StorageFull);
        }
        log.write(Write::Append(vec![entry(1, batches, 5_000)])).unwrap();
        if let Err(err) = flush(&log) {
            break err;
        }
        batches += 1;
        synced = Content::of(&log);
    };
    assert_eq!(failed.kind(), io::ErrorKind::StorageFull);
    assert!(batches > 40, "a file that is there is used to its end: {batches}");
    memory.fill_up(false);
    assert!(flush(&log).is_err(), "an error is final");
    drop(log);
    memory.fill_up(true);
    assert_eq!(Content::of(&open(&memory).unwrap()), synced, "it can be read without room");
    memory.fill_up(false);
    let log = open(&memory).unwrap();
    assert_eq!(Content::of(&log), synced);
    log.write(Write::Append(vec![entry(1, batches, 5_000)])).unwrap();
    flush(&log).unwrap();
    assert_eq!(Content::of(&open(&memory).unwrap()), Content::of(&log));
}

/// What a failed sync has left in memory is read by the next process, and the system takes it
/// for written. That process answers by it, so it must be on the disk first.
#[test]
fn what_a_failed_sync_left_is_written_again() {
    let memory = Memory::default();
    let log = open(&memory).unwrap();
    log.write(vote(1)).unwrap();
    flush(&log).unwrap();
    log.write(vote(2)).unwrap();
    log.write(entries(0..40)).unwrap();
    memory.let_syncs_fail(true);
    assert!(flush(&log).is_err());
    drop(log);
    assert!(open(&memory).is_err(), "not as long as the disk fails");
    memory.let_syncs_fail(false);
    let found = Content::of(&open(&memory).unwrap());
    assert_eq!(found.entries.len(), 40);
    memory.lose_power(|| false);
    assert_eq!(Content::of(&open(&memory).unwrap()), found);
}

/// An entry may be larger than any file would be. It gets one that holds it.
#[test]
fn an_entry_may_be_larger_than_a_segment() {
    let memory = Memory::default();
    let log = open(&memory).unwrap();
    for (index, bytes) in [(0, 20), (1, 17 << 20), (2, 20), (3, 300 << 10)] {
        log.write(Write::Append(vec![large(index, bytes)])).unwrap();
        flush(&log).unwrap();
        log.make_ready().unwrap();
    }
    let content = Content::of(&log);
    assert_eq!(content.entries[1].1.len(), 17 << 20);
    assert_eq!(Content::of(&open(&memory).unwrap()), content);
}

/// A purged file is used again, but not while somebody reads from it.
#[test]
fn what_is_being_read_is_not_written_over() {
    let memory = Memory::default();
    let log = open(&memory).unwrap();
    let mut next = 0;
    let mut write_on = |batches| {
        for _ in 0..batches {
            log.make_ready().unwrap();
            log.write(Write::Append(vec![large(next, 400_000)])).unwrap();
            if let Some(upto) = next.checked_sub(1) {
                log.write(Write::Purge(at(1, upto))).unwrap();
            }
            flush(&log).unwrap();
            next += 1;
        }
        next - 1
    };
    // Until all files have the largest size.
    let read = write_on(130);
    let place = log.index().places(LogIndex(read), LogIndex(read + 1), 1).unwrap();
    let [(position, place)] = place.try_into().ok().unwrap();
    write_on(200);
    assert_eq!(log.fetch(position, place).unwrap(), large(read, 400_000).1);
}

/// A file that was used before holds records of its former life behind the new ones. A torn
/// write does not bring them back.
#[test]
fn a_former_life_does_not_come_back() {
    let memory = Memory::default();
    let log = open(&memory).unwrap();
    let mut next = 0;
    // Files of the largest size follow each other, and each is full of records.
    for _ in 0..1_200 {
        log.make_ready().unwrap();
        let batch = (next..next + 4).map(|index| large(index, 30_000)).collect();
        log.write(Write::Append(batch)).unwrap();
        next += 4;
        log.write(Write::Purge(at(1, next - 2))).unwrap();
        flush(&log).unwrap();
    }
    let last = memory.list().unwrap().pop().unwrap();
    assert!(memory.content(&last).iter().rev().take(1 << 20).any(|byte| *byte != 0), "never used");
    let synced = Content::of(&log);
    log.write(Write::Append(vec![large(next, 30_000)])).unwrap();
    _ = log.begin_flush().unwrap();
    let mut sectors = 0;
    memory.lose_power(|| {
        sectors += 1;
        sectors % 3 != 0
    });
    assert!(sectors > 900, "{sectors} sectors were on their way");
    let log = open(&memory).unwrap();
    assert_eq!(Content::of(&log), synced);
    log.write(entries(next..next + 1)).unwrap();
    flush(&log).unwrap();
    assert_eq!(Content::of(&open(&memory).unwrap()), Content::of(&log));
}

/// Files are let go when the purge is durable, and not when it is on its way.
#[test]
fn a_purge_that_is_on_its_way_lets_no_file_go() {
    let memory = Memory::default();
    let log = open(&memory).unwrap();
    let mut next = 0;
    for _ in 0..3 {
        fill_a_segment(&log, &memory, &mut next);
    }
    let before = Content::of(&log);
    log.write(Write::Purge(at(1, next - 1))).unwrap();
    let flush = log.begin_flush().unwrap();
    log.make_ready().unwrap();
    memory.sync_names().unwrap();
    memory.lose_power(|| false);
    assert!(log.end_flush(flush).is_err());
    assert_eq!(Content::of(&open(&memory).unwrap()), before);
}

/// A note waits for no sync, but no other file is begun before it is durable: its place
/// would be empty, in front of what was acknowledged.
#[test]
fn a_note_is_durable_before_the_next_file_is_begun() {
    let memory = Memory::default();
    let log = open(&memory).unwrap();
    let mut next = 0;
    fill_a_segment(&log, &memory, &mut next);
    log.note().unwrap();
    log.write(Write::Append(vec![large(next, 1 << 20)])).unwrap();
    flush(&log).unwrap();
    assert_eq!(memory.list().unwrap().len(), 3);
    memory.lose_power(|| false);
    assert_eq!(Content::of(&open(&memory).unwrap()).entries.len() as u64, next + 1);
}

/// Making a file ready takes long. A flush that lets go of purged files does not wait for it.
#[test]
fn no_flush_waits_for_a_file_that_it_does_not_need() {
    let memory = Memory::default();
    let log = open(&memory).unwrap();
    let mut next = 0;
    fill_a_segment(&log, &memory, &mut next);
    log.write(Write::Purge(at(1, next - 1))).unwrap();
    let log = Arc::new(log);
    let made = log.shelf();
    let (done, flushed) = mpsc::channel();
    let other = log.clone();
    let thread = std::thread::spawn(move || done.send(flush(&other).is_ok()));
    assert_eq!(flushed.recv_timeout(PATIENCE), Ok(true));
    drop(made);
    thread.join().unwrap().unwrap();
    // The next one gives the purged file back.
    log.write(entries(next..next + 1)).unwrap();
    flush(&log).unwrap();
    log.make_ready().unwrap();
    log.make_ready().unwrap();
    assert_eq!(memory.list().unwrap().len(), 3, "one in use, one that is ready, one spare");
}
