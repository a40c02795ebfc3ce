//! Counts WebSocket frames while their bytes go by (RFC 6455, section 5.2).
//!
//! The library below hands out whole messages. Pings, pongs and the pieces of a message
//! that is never finished cost it work and are seen by nobody, so they are counted
//! here, beneath it. Payloads are skipped, never looked at.
//!
//! Pure: it knows no socket and no clock.

/// The longest head of a frame: two bytes, eight of length, four of mask.
const HEAD_BYTES_MAX: usize = 14;
const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;
const OPCODE: u8 = 0x0f;
const LENGTH: u8 = 0x7f;
/// The opcodes of text and binary; 0 goes on with a message, 8 and above are control.
const WHOLE: std::ops::RangeInclusive<u8> = 1..=2;

/// Where the bytes of one direction have come to.
#[derive(Debug, Default)]
pub(super) struct FrameCounter {
    head: [u8; HEAD_BYTES_MAX],
    /// How much of the head is known.
    known: usize,
    /// Bytes of payload still to come.
    payload: u64,
}

/// What went by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Passed {
    /// Frames that are a whole message. Whoever reads messages counts these.
    pub(super) messages: u32,
    /// Frames that are none: control frames, and pieces of messages.
    pub(super) pieces: u32,
    /// Frames of which the last byte went by.
    pub(super) ended: u32,
}

impl FrameCounter {
    /// Takes note of the next bytes.
    pub(super) fn pass(&mut self, mut bytes: &[u8]) -> Passed {
        let mut passed = Passed::default();
        while let Some(first) = bytes.first() {
            if self.payload > 0 {
                let skipped = self.payload.min(bytes.len() as u64);
                self.payload -= skipped;
                bytes = &bytes[skipped as usize..];
                passed.ended += u32::from(self.payload == 0);
                continue;
            }
            self.head[self.known] = *first;
            self.known += 1;
            bytes = &bytes[1..];
            if self.known == head_bytes(&self.head[..self.known]) {
                self.begin(&mut passed);
            }
        }
        passed
    }

    /// The head is whole.
    fn begin(&mut self, passed: &mut Passed) {
        let whole = self.head[0] & FINAL != 0 && WHOLE.contains(&(self.head[0] & OPCODE));
        passed.messages += u32::from(whole);
        passed.pieces += u32::from(!whole);
        self.payload = payload_bytes(&self.head);
        self.known = 0;
        passed.ended += u32::from(self.payload == 0);
    }
}

/// How long a head is, as far as the part of it that is known tells.
fn head_bytes(known: &[u8]) -> usize {
    let Some(second) = known.get(1) else { return 2 };
    let length = match second & LENGTH {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let mask = if second & MASKED == 0 { 0 } else { 4 };
    2 + length + mask
}

fn payload_bytes(head: &[u8; HEAD_BYTES_MAX]) -> u64 {
    match head[1] & LENGTH {
        126 => u64::from(u16::from_be_bytes([head[2], head[3]])),
        127 => u64::from_be_bytes(head[2..10].try_into().expect("eight bytes")),
        bytes => u64::from(bytes),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A frame as a client sends it: masked, with as short a length as fits.
    fn frame(first: u8, payload: usize) -> Vec<u8> {
        let mut bytes = vec![first];
        match payload {
            0..126 => bytes.push(MASKED | payload as u8),
            126..65_536 => {
                bytes.push(MASKED | 126);
                bytes.extend((payload as u16).to_be_bytes());
            }
            _ => {
                bytes.push(MASKED | 127);
                bytes.extend((payload as u64).to_be_bytes());
            }
        }
        bytes.extend([1, 2, 3, 4]);
        // Payloads that look like heads.
        bytes.extend(std::iter::repeat_n(0x89, payload));
        bytes
    }

    /// Text and binary are messages; the rest is pieces.
    #[test]
    fn frames_are_told_apart() {
        for (first, messages) in
            [(0x81, 1), (0x82, 1), (0x01, 0), (0x00, 0), (0x80, 0), (0x88, 0), (0x89, 0), (0x8a, 0)]
        {
            let passed = FrameCounter::default().pass(&frame(first, 5));
            let expected = Passed { messages, pieces: 1 - messages, ended: 1 };
            assert_eq!(passed, expected, "{first:#x}");
        }
    }

    /// A length that nobody can mean is skipped like any other.
    #[test]
    fn a_frame_may_claim_to_be_endless() {
        let mut counter = FrameCounter::default();
        let mut head = vec![0x82, MASKED | 127];
        head.extend(u64::MAX.to_be_bytes());
        head.extend([0; 4]);
        let passed = counter.pass(&head);
        assert_eq!(passed, Passed { messages: 1, pieces: 0, ended: 0 });
        assert_eq!(counter.pass(&[0x89; 100_000]), Passed::default());
    }

    proptest! {
        /// However the bytes are cut, every frame is counted once.
        #[test]
        fn cuts_change_nothing(
            frames in prop::collection::vec(
                (any::<u8>(), prop_oneof![0_usize..300, 65_530_usize..65_545]), 0..8),
            cuts in prop::collection::vec(1_usize..700, 1..20),
        ) {
            let bytes: Vec<u8> =
                frames.iter().flat_map(|(first, payload)| frame(*first, *payload)).collect();
            let mut counter = FrameCounter::default();
            let (mut sum, mut rest) = (Passed::default(), &bytes[..]);
            for cut in cuts.iter().cycle() {
                let (now, later) = rest.split_at((*cut).min(rest.len()));
                let passed = counter.pass(now);
                sum.messages += passed.messages;
                sum.pieces += passed.pieces;
                sum.ended += passed.ended;
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            let whole = |(first, _): &&(u8, usize)| first & FINAL != 0 && WHOLE.contains(&(first & OPCODE));
            let messages = frames.iter().filter(whole).count() as u32;
            let all = frames.len() as u32;
            prop_assert_eq!(sum, Passed { messages, pieces: all - messages, ended: all });
        }
    }
}
