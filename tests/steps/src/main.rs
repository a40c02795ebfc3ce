//! Everything that must hold, step by step. `scripts/test` calls this.
//!
//! `steps.rs` is the list: whoever adds a check adds a line there. The rest installs
//! what may be installed, runs the list from top to bottom, and tells how it went.

mod machine;
mod needs;
mod report;
mod run;
mod shell;
mod steps;
mod totals;

use std::{env, process::ExitCode};

use crate::shell::End;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => all(),
        ["--list"] => {
            print!("{}", steps::list());
            ExitCode::SUCCESS
        }
        ["--list", other, ..] | [other, ..] => {
            eprintln!("test: cannot understand {other}; see --help");
            ExitCode::from(2)
        }
    }
}

fn all() -> ExitCode {
    match run::all() {
        Ok(report) => {
            print!("\n{report}");
            if report.all_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        // As a shell says it.
        Err(End::Signal(signal)) => ExitCode::from(128 + signal),
        Err(End::Trouble(err)) => {
            eprintln!("test: {err}");
            ExitCode::FAILURE
        }
    }
}
