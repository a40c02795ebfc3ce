//! What is said to whoever looks. Who does not look any more, as behind `| head`, is told
//! nothing more, and the day goes on: what comes of it is still the program's exit code.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};
use std::process;

/// A line for whoever reads what comes of days.
macro_rules! say {
    ($($words:tt)*) => { $crate::out::line(format_args!($($words)*)) };
}

/// A line for whoever looks after the program.
macro_rules! complain {
    ($($words:tt)*) => { $crate::out::error_line(format_args!($($words)*)) };
}

pub(crate) use {complain, say};

/// What a program ends with that could not say what it had to.
const UNSAID: i32 = 2;

pub(crate) fn line(words: Arguments<'_>) {
    match writeln!(io::stdout().lock(), "{words}") {
        Err(err) if err.kind() != ErrorKind::BrokenPipe => {
            error_line(format_args!("cannot write: {err}"));
            process::exit(UNSAID);
        }
        Ok(()) | Err(_) => {}
    }
}

pub(crate) fn error_line(words: Arguments<'_>) {
    // Nobody else could be told.
    _ = writeln!(io::stderr().lock(), "{words}");
}
