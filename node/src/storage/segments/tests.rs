//! Tests: whatever a power cut leaves is a log that holds all that was synced, and whatever
//! is damaged is said to be.

use super::memory::Memory;
use super::record::Record;
use super::shelf::{FIRST_BYTES, name_of};
use super::*;
use crate::storage::log::{VoteRecord, behind};
use hangraft_ids::{NodeId, Term};
use proptest::prelude::*;

const LIFE: u64 = 0x5eed;

pub(super) fn open(memory: &Memory) -> io::Result<SegmentLog> {
    SegmentLog::open(Arc::new(memory.clone()), LIFE)
}

pub(super) fn flush(log: &SegmentLog) -> io::Result<()> {
    let flush = log.begin_flush()?;
    log.end_flush(flush)
}

pub(super) fn at(term: u64, index: u64) -> Position {
    Position { term: Term(term), index: LogIndex(index) }
}

pub(super) fn vote(term: u64) -> Write {
    Write::Vote(VoteRecord { term: Term(term), committed: false, node: NodeId(term % 3 + 1) })
}

pub(super) fn entry(term: u64, index: u64, bytes: usize) -> (Position, Bytes) {
    let text = format!("entry {index} of term {term} ").into_bytes();
    (at(term, index), text.into_iter().cycle().take(bytes).collect())
}

pub(super) fn entries(range: std::ops::Range<u64>) -> Write {
    Write::Append(range.map(|index| entry(1, index, 20)).collect())
}

/// All that a log holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) state: DeviceState,
    pub(super) entries: Vec<(Position, Bytes)>,
}

impl Content {
    pub(super) fn of(log: &SegmentLog) -> Self {
        let state = log.state();
        let entries = log.read(behind(state.purged), behind(state.last), usize::MAX).unwrap();
        Content { state, entries }
    }

    /// What the contract says of a write that makes sense.
    fn write(&mut self, write: &Write) {
        match write {
            Write::Vote(vote) => self.state.vote = Some(*vote),
            Write::Append(entries) => self.entries.extend(entries.iter().cloned()),
            Write::TruncateAfter(last) => {
                self.entries.retain(|(at, _)| at.index < behind(*last));
            }
            Write::Purge(upto) => {
                self.entries.retain(|(at, _)| at.index > upto.index);
                self.state.purged = self.state.purged.max(Some(*upto));
            }
            Write::Committed(at) => self.state.committed = Some(*at),
        }
        self.state.last = self.entries.last().map(|(at, _)| *at).or(self.state.purged);
    }
}

/// A log with everything in it, synced and closed, in one segment.
fn a_small_log() -> (Memory, Content) {
    let memory = Memory::default();
    let log = open(&memory).unwrap();
    log.write(vote(1)).unwrap();
    log.write(entries(0..3)).unwrap();
    flush(&log).unwrap();
    log.write(Write::TruncateAfter(Some(at(1, 1)))).unwrap();
    log.write(vote(2)).unwrap();
    log.write(entries(2..5)).unwrap();
    flush(&log).unwrap();
    log.write(Write::Purge(at(1, 0))).unwrap();
    log.write(Write::Committed(at(1, 3))).unwrap();
    flush(&log).unwrap();
    log.write(entries(5..7)).unwrap();
    log.close().unwrap();
    (memory, Content::of(&log))
}

fn used(memory: &Memory, name: &str) -> usize {
    memory.content(name).iter().rposition(|byte| *byte != 0).unwrap() + 1
}

/// A bit that has flipped anywhere in what was used is found, unless it changes nothing: a
/// note that only says that all is durable, or what stands behind the end.
#[test]
fn a_flipped_bit_is_an_error_or_takes_nothing_away() {
    let (memory, content) = a_small_log();
    let name = name_of(1);
    let used = used(&memory, &name);
    let memory = memory.copy(used.next_multiple_of(64));
    let whole = memory.content(&name);
    let mut refused = 0;
    for bit in 0..8 * used {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let damaged = memory.copy(usize::MAX);
        damaged.put(&name, &bytes);
        match open(&damaged) {
            Ok(log) => assert_eq!(Content::of(&log), content, "bit {bit}"),
            Err(err) => {
                assert_eq!(err.kind(), io::ErrorKind::InvalidData, "{err}");
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 8 * (used - Record::Note.bytes() + 7), "only the note may be missed");
}

/// The last write is cut at any of its bytes, and what was synced before is there.
#[test]
fn a_write_that_is_torn_anywhere_is_cut_off() {
    let memory = Memory::default();
    let log = open(&memory).unwrap();
    log.write(vote(1)).unwrap();
    log.write(entries(0..3)).unwrap();
    flush(&log).unwrap();
    let (before, mut models) = (memory.content(&name_of(1)), vec![Content::of(&log)]);
    let batch = [vote(2), entries(3..5), Write::TruncateAfter(Some(at(1, 3))), vote(3)];
    for write in batch {
        log.write(write).unwrap();
        models.push(Content::of(&log));
    }
    // An entry is a record of its own: one of two may be there, as after the truncation.
    flush(&log).unwrap();
    let after = memory.content(&name_of(1));
    let mut changed = (0..after.len()).filter(|place| after[*place] != before[*place]);
    let end = changed.next_back().unwrap() + 1;
    let small = memory.copy(end.next_multiple_of(64) + 256);
    let mut seen = 0;
    for cut in 0..=end {
        let mut bytes = before.clone();
        bytes[..cut].copy_from_slice(&after[..cut]);
        bytes.truncate(end.next_multiple_of(64) + 256);
        let torn = small.copy(usize::MAX);
        torn.put(&name_of(1), &bytes);
        let log = open(&torn).unwrap();
        let content = Content::of(&log);
        assert!(models.contains(&content), "cut at {cut}: {content:?}");
        seen |= 1 << models.iter().position(|model| *model == content).unwrap();
        // What is written now stands where the torn write was, and is all there is.
        let next = behind(log.state().last).0;
        log.write(entries(next..next + 1)).unwrap();
        flush(&log).unwrap();
        let content = Content::of(&log);
        assert_eq!(Content::of(&open(&torn).unwrap()), content, "cut at {cut}");
    }
    assert_eq!(seen, 0b1_1111, "every prefix was seen");
}

/// A sync that fails is final, also when the disk recovers.
#[test]
fn nothing_is_taken_after_a_failed_sync() {
    let memory = Memory::default();
    let log = open(&memory).unwrap();
    log.write(entries(0..2)).unwrap();
    flush(&log).unwrap();
    memory.let_syncs_fail(true);
    log.write(entries(2..3)).unwrap();
    assert!(flush(&log).is_err());
    memory.let_syncs_fail(false);
    assert!(log.write(entries(3..4)).is_err());
    assert!(flush(&log).is_err());
    assert!(log.note().is_err() && log.check().is_err() && log.close().is_err());
}

/// Segments grow, go when they are purged, and are used again; what they held in their
/// former lives is not read.
#[test]
fn purged_segments_are_used_again() {
    let memory = Memory::default();
    let log = open(&memory).unwrap();
    let mut next = 0;
    let mut files = 0;
    for _ in 0..400 {
        let batch = (next..next + 8).map(|index| entry(1, index, 60_000)).collect();
        log.write(Write::Append(batch)).unwrap();
        next += 8;
        log.write(Write::Purge(at(1, next - 4))).unwrap();
        flush(&log).unwrap();
        if log.wants_file() {
            log.make_ready().unwrap();
        }
        files = files.max(memory.list().unwrap().len());
    }
    assert!(files <= 4, "{files} files");
    let content = Content::of(&log);
    assert_eq!(content.entries.len(), 3);
    assert_eq!(Content::of(&open(&memory).unwrap()), content);
}

/// A file that is gone is an error where its entries are needed.
#[test]
fn a_missing_file_is_an_error() {
    let memory = Memory::default();
    let log = open(&memory).unwrap();
    log.write(entries(0..1)).unwrap();
    flush(&log).unwrap();
    for batch in 0..12 {
        let batch =
            (batch * 10 + 1..batch * 10 + 11).map(|index| entry(1, index, 60_000)).collect();
        log.write(Write::Append(batch)).unwrap();
        flush(&log).unwrap();
    }
    let names = memory.list().unwrap();
    assert!(names.len() > 3);
    for name in &names[..names.len() - 1] {
        let without = memory.copy(usize::MAX);
        without.remove(name).unwrap();
        assert!(open(&without).is_err(), "without {name}");
    }
    assert!(open(&memory).is_ok());
}

/// A log of a later version is refused and not changed.
#[test]
fn what_is_not_understood_is_refused() {
    let (memory, _) = a_small_log();
    let name = name_of(1);
    let mut bytes = memory.content(&name);
    let length = Record::Vote(VoteRecord { term: Term(0), committed: false, node: NodeId(0) });
    let head = Record::Head(Head { life: 0, segment: 0, state: DeviceState::default() }).bytes();
    let vote = &mut bytes[head..head + length.bytes()];
    vote[record::HEADER] = 99;
    record::seal(vote);
    memory.put(&name, &bytes);
    let why = open(&memory).err().unwrap().to_string();
    assert!(why.contains("kind 99") && why.contains("run the version that wrote it"), "{why}");
    assert_eq!(memory.content(&name), bytes);
}

/// What somebody does to a log.
#[derive(Clone, Debug)]
enum Step {
    Append(Vec<usize>),
    Truncate(u64),
    Purge(u64),
    PurgeAhead,
    Vote,
    Commit,
    Flush,
    Write,
    Ready,
    Note,
    Close,
    PowerCut,
}

fn step() -> impl Strategy<Value = Step> {
    let sizes = prop_oneof![8 => 0..400usize, 1 => 20_000..90_000usize];
    prop_oneof![
        8 => prop::collection::vec(sizes, 1..4).prop_map(Step::Append),
        2 => (0..6u64).prop_map(Step::Truncate),
        2 => (0..6u64).prop_map(Step::Purge),
        1 => Just(Step::PurgeAhead),
        2 => Just(Step::Vote),
        2 => Just(Step::Commit),
        6 => Just(Step::Flush),
        2 => Just(Step::Write),
        2 => Just(Step::Ready),
        2 => Just(Step::Note),
        1 => Just(Step::Close),
        3 => Just(Step::PowerCut),
    ]
}

/// A log beside what it should hold.
struct Pair {
    memory: Memory,
    log: SegmentLog,
    /// What it held after each record since it was last durable, which comes first.
    since: Vec<Content>,
    term: u64,
}

impl Pair {
    fn new() -> Self {
        let memory = Memory::default();
        let log = open(&memory).unwrap();
        Pair { memory, log, since: vec![Content::default()], term: 1 }
    }

    fn now(&self) -> &Content {
        self.since.last().unwrap()
    }

    fn write(&mut self, write: Write) {
        // Part of a write may survive a power cut: records do.
        let parts = match &write {
            Write::Append(entries) => {
                entries.iter().map(|entry| Write::Append(vec![entry.clone()])).collect()
            }
            other => vec![other.clone()],
        };
        for part in parts {
            let mut content = self.now().clone();
            content.write(&part);
            self.since.push(content);
        }
        self.log.write(write).unwrap();
        assert_eq!(Content::of(&self.log), *self.now());
    }

    fn durable(&mut self) {
        self.since.drain(..self.since.len() - 1);
    }

    fn take(&mut self, step: Step, dice: &mut impl FnMut() -> bool) {
        let DeviceState { last, purged, .. } = self.now().state;
        let next = behind(last).0;
        match step {
            Step::Append(sizes) => {
                let term = self.term;
                let entry = |(nth, bytes)| entry(term, next + nth as u64, bytes);
                self.write(Write::Append(sizes.into_iter().enumerate().map(entry).collect()));
            }
            Step::Truncate(back) => {
                let keep = next.saturating_sub(back).max(behind(purged).0);
                let last = keep.checked_sub(1).map(|index| at(self.term, index));
                self.term += 1;
                self.write(Write::TruncateAfter(last));
            }
            Step::Purge(more) => {
                let upto = (behind(purged).0 + more).min(next).checked_sub(1);
                let entries = &self.now().entries;
                let there = entries.iter().find(|(at, _)| Some(at.index.0) == upto);
                if let Some(upto) = there.map(|(at, _)| *at) {
                    self.write(Write::Purge(upto));
                }
            }
            Step::PurgeAhead => self.write(Write::Purge(at(self.term, next + 2))),
            Step::Vote => {
                self.term += 1;
                self.write(vote(self.term));
            }
            Step::Commit => {
                if let Some(last) = last {
                    self.write(Write::Committed(last));
                }
            }
            Step::Flush => {
                flush(&self.log).unwrap();
                self.durable();
            }
            // On its way, and not synced: a power cut may come.
            Step::Write => _ = self.log.begin_flush().unwrap(),
            Step::Ready => self.log.make_ready().unwrap(),
            Step::Note => {
                flush(&self.log).unwrap();
                self.durable();
                self.log.note().unwrap();
            }
            Step::Close => {
                self.log.close().unwrap();
                self.durable();
                self.log = open(&self.memory).unwrap();
            }
            Step::PowerCut => {
                self.memory.lose_power(&mut *dice);
                self.log = open(&self.memory).unwrap();
                let found = Content::of(&self.log);
                assert!(self.since.contains(&found), "{found:?} is none of {:?}", self.since);
                self.since = vec![found];
            }
        }
        assert_eq!(Content::of(&self.log), *self.now());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Whatever is done, and whenever the power fails: the log holds what was synced, and of
    /// what came after it a beginning.
    #[test]
    fn what_was_synced_survives_every_power_cut(
        steps in prop::collection::vec(step(), 1..60),
        seed in any::<u64>(),
    ) {
        let mut pair = Pair::new();
        let mut random = seed;
        let mut dice = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            random >> 62 != 0
        };
        for step in steps {
            pair.take(step, &mut dice);
        }
    }
}

/// The first file is small, as many tests make one.
#[test]
fn a_new_log_is_small() {
    let memory = Memory::default();
    drop(open(&memory).unwrap());
    assert_eq!(memory.list().unwrap(), [name_of(1)]);
    assert_eq!(memory.content(&name_of(1)).len() as u64, FIRST_BYTES);
}
