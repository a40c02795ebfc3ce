//! A run of all steps, from top to bottom.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::Path,
    time::Instant,
};

use tempfile::NamedTempFile;

use crate::machine;
use crate::needs::{self, Machine, Need};
use crate::report::{Outcome, Report};
use crate::shell::{End, Shell};
use crate::steps::{CHAPTERS, Chapter, Step};

/// The environment variable with the file that collects what was skipped. Tests that
/// cannot run here write into it, too.
const SKIPPED_FILE: &str = "HANGRAFT_SKIPPED_FILE";

/// Runs every step that can run here, and tells how it went.
pub(crate) fn all() -> Result<Report, End> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    let skipped = NamedTempFile::with_prefix("hangraft-skipped-")?;
    let mut run = Run {
        shell: Shell::new(root.expect("tests/steps is two below the root"))?,
        skipped: OpenOptions::new().append(true).open(skipped.path())?,
        report: Report::default(),
    };
    run.shell.set(SKIPPED_FILE, skipped.path());
    let begun = Instant::now();
    let machine = machine::prepare(&run.shell)?;
    if let Some(chromium) = &machine.chromium {
        run.shell.set("CHROMIUM", chromium);
    }
    for chapter in CHAPTERS {
        run.chapter(chapter, &machine)?;
    }
    run.report.skipped = fs::read_to_string(skipped.path())?;
    run.report.seconds = begun.elapsed().as_secs();
    Ok(run.report)
}

struct Run {
    shell: Shell,
    skipped: File,
    report: Report,
}

impl Run {
    fn chapter(&mut self, chapter: &Chapter, machine: &Machine) -> Result<(), End> {
        let lacking = needs::first_lacking(chapter.needs, |need| self.lacks(need, machine))?;
        match lacking {
            None => chapter.steps.iter().try_for_each(|step| self.step(step)),
            Some((Some(what), why)) => self.skip(what, &why),
            Some((None, _)) => Ok(()),
        }
    }

    /// What is the matter with something that steps need. Packages are installed to find out.
    fn lacks(&self, need: &Need, machine: &Machine) -> Result<Option<String>, End> {
        let Need::Packages { folder, .. } = need else { return Ok(machine.lacks(need)) };
        let line =
            format!("cd {folder} && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error");
        Ok(if self.shell.run(&line)? { None } else { machine.lacks(need) })
    }

    fn step(&mut self, step: &Step) -> Result<(), End> {
        println!("\n=== {}", step.name);
        let begun = Instant::now();
        let good = if step.counts_tests {
            self.shell.run_counting(step.line, &mut self.report.totals)?
        } else {
            self.shell.run(step.line)?
        };
        let outcome = Outcome { name: step.name, good, seconds: begun.elapsed().as_secs() };
        println!("{outcome}");
        self.report.outcomes.push(outcome);
        Ok(())
    }

    fn skip(&mut self, what: &str, why: &str) -> Result<(), End> {
        println!("SKIPPED: {what}: {why}");
        Ok(writeln!(self.skipped, "{what}: {why}")?)
    }
}
