//! How many tests passed and failed, as their output says.

use std::fmt;

/// Of a longer line only the beginning is kept; none that counts is longer.
const LINE_BYTES_MAX: usize = 256;

/// Reads the output of tests as it comes, of Rust's (`test result:`) and of Node's
/// (`# pass`, `# fail`).
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    passed: u64,
    failed: u64,
    /// The beginning of the line that has not ended yet.
    line: Vec<u8>,
}

impl Totals {
    /// Takes in some output, which may begin and end within a line.
    pub(crate) fn read(&mut self, output: &[u8]) {
        for byte in output {
            if *byte == b'\n' {
                let line = std::mem::take(&mut self.line);
                self.read_line(&String::from_utf8_lossy(&line));
            } else if self.line.len() < LINE_BYTES_MAX {
                self.line.push(*byte);
            }
        }
    }

    /// The output of one command has ended; a line that was not finished is one.
    pub(crate) fn end(&mut self) {
        self.read(b"\n");
    }

    fn read_line(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| words.get(at).and_then(|word| word.parse().ok()).unwrap_or(0);
        // test result: ok. 12 passed; 0 failed; 0 ignored; ...
        if line.starts_with("test result:") {
            self.passed += number(3);
            self.failed += number(5);
        } else if line.starts_with("# pass ") {
            self.passed += number(2);
        } else if line.starts_with("# fail ") {
            self.failed += number(2);
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "running 2 tests\ntest a ... ok\n\
        test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n\
        a test result: ok. 1000 passed; 1000 failed\n\
        test result: FAILED. 3 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out\n\
        # tests 9\n# pass 7\n# fail 2\n# passed 1000\n  # pass 1000\n";

    #[test]
    fn both_kinds_of_output_are_counted() {
        let mut totals = Totals::default();
        totals.read(OUTPUT.as_bytes());
        assert_eq!(totals.to_string(), "22 passed, 6 failed");
    }

    /// Output comes in pieces, wherever they are cut.
    #[test]
    fn a_line_may_come_in_pieces() {
        for cut in 0..OUTPUT.len() {
            let mut totals = Totals::default();
            totals.read(&OUTPUT.as_bytes()[..cut]);
            totals.read(&OUTPUT.as_bytes()[cut..]);
            assert_eq!(totals.to_string(), "22 passed, 6 failed", "cut at {cut}");
        }
    }

    /// The last line of a command that was killed is not the beginning of the next one's.
    #[test]
    fn the_end_of_a_command_ends_its_line() {
        let mut totals = Totals::default();
        totals.read(b"# pass 3");
        totals.end();
        totals.read(b"# pass 4\n");
        assert_eq!(totals.to_string(), "7 passed, 0 failed");
    }

    /// What a test prints without end is not kept.
    #[test]
    fn a_line_without_end_is_cut() {
        let mut totals = Totals::default();
        totals.read(&vec![b'x'; 1_000_000]);
        assert_eq!(totals.line.len(), LINE_BYTES_MAX);
        totals.read(b"\xff\n# pass 1\n");
        assert_eq!(totals.to_string(), "1 passed, 0 failed");
    }
}
