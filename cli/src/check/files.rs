//! The files that a check leaves behind.

use std::{
    fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::{Context, anyhow, bail};
use hangraft_lab::{
    export::{Format, export},
    timeline::{Line, file},
    viewer,
};

use crate::usage::{Usage, ensure};

/// Which files, and where.
#[derive(Debug, clap::Args)]
pub(super) struct Files {
    /// Write a report into this file: one page that shows what happened, for any browser.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write everything that happened into this file, one thing a line (docs/timeline.md).
    #[arg(long, value_name = "FILE")]
    timeline: Option<PathBuf>,
    /// Write what players asked and were told into this file, for other checkers.
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// For which: jepsen-json (elle-cli and others), porcupine (scripts/faults/porcupine), or
    /// shiviz (the nodes' messages).
    #[arg(long, value_name = "FORMAT", default_value_t = Format::JepsenJson, value_parser = Format::from_str)]
    history_format: Format,
    /// Keep the report, the timeline and the history of each run in this folder, under its
    /// name.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

impl Files {
    /// One file cannot hold several runs.
    pub(super) fn check_for_several(&self) -> Result<(), Usage> {
        let one = self.report.is_some() || self.timeline.is_some() || self.history.is_some();
        ensure(!one, || "with several scripts, say --keep DIR for their files".into())
    }

    /// Writes what was asked for.
    pub(super) fn write(&self, name: &str, lines: &[Line]) -> anyhow::Result<()> {
        let timeline = || -> anyhow::Result<String> {
            let mut bytes = Vec::new();
            let Some((Line::Head(head), rest)) = lines.split_first() else {
                bail!("a timeline begins with its head");
            };
            file::write(head, rest, &mut bytes).context("cannot write JSON")?;
            String::from_utf8(bytes).map_err(|_| anyhow!("JSON is no text"))
        };
        if let Some(path) = &self.report {
            write(path, &viewer::html(lines))?;
        }
        if let Some(path) = &self.timeline {
            write(path, &timeline()?)?;
        }
        if let Some(path) = &self.history {
            write(path, &export(self.history_format, lines))?;
        }
        let Some(folder) = &self.keep else { return Ok(()) };
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let at = |ending: &str| folder.join(format!("{name}.{ending}"));
        write(&at("html"), &viewer::html(lines))?;
        write(&at("jsonl"), &timeline()?)?;
        write(&at(&format!("{}.json", self.history_format)), &export(self.history_format, lines))
    }
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
