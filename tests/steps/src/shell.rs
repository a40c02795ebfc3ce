//! Runs lines as a shell does, and ends with the one that runs when it is told to.
//!
//! At a terminal, what runs is in our process group: Ctrl-C, Ctrl-Z and a terminal that is
//! closed reach all of it without us, and a signal to this process alone is passed on to
//! the group. Without a terminal a group may be anybody's; what runs has one of its own, to
//! which signals are passed on.
//!
//! # Not here
//! SIGKILL cannot be passed on. SIGHUP is not waited for, so that `nohup` has its way; an
//! empty file is left behind then.

use std::{
    env,
    ffi::OsString,
    fs::File,
    io::{self, PipeReader, Read, Write, pipe},
    mem,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, getpgrp};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use crate::totals::Totals;

/// Why a run ended before its last step.
#[derive(Debug)]
pub(crate) enum End {
    /// It was told to, by this signal.
    Signal(u8),
    /// The machine does not do what every step needs.
    Trouble(io::Error),
}

impl From<io::Error> for End {
    fn from(err: io::Error) -> End {
        End::Trouble(err)
    }
}

/// Runs lines in one folder.
pub(crate) struct Shell {
    root: PathBuf,
    environment: Vec<(&'static str, OsString)>,
    at_terminal: bool,
    /// The signal that ended the run; 0 is none.
    told_to_end: Arc<AtomicUsize>,
    /// The group of what runs now. Locked while it is started, so that a signal finds it.
    running: Arc<Mutex<Option<Pid>>>,
}

impl Shell {
    /// From now on signals end what runs, and no more is run.
    pub(crate) fn new(root: &Path) -> io::Result<Shell> {
        let told_to_end = Arc::new(AtomicUsize::new(0));
        for signal in [SIGINT, SIGTERM] {
            let number = usize::try_from(signal).expect("signals are numbered from 1");
            flag::register_usize(signal, Arc::clone(&told_to_end), number)?;
        }
        let signals = Signals::new([SIGINT, SIGTERM])?;
        let shell = Shell {
            root: root.to_owned(),
            environment: Vec::new(),
            at_terminal: File::open("/dev/tty").is_ok(),
            told_to_end,
            running: Arc::new(Mutex::new(None)),
        };
        let running = Arc::clone(&shell.running);
        thread::Builder::new().name("signals".into()).spawn(move || pass_on(signals, &running))?;
        Ok(shell)
    }

    /// Sets an environment variable for all that is run from now on.
    pub(crate) fn set(&mut self, name: &'static str, value: impl AsRef<Path>) {
        self.environment.push((name, value.as_ref().into()));
    }

    /// Runs a line. Whether it succeeded.
    pub(crate) fn run(&self, line: &str) -> Result<bool, End> {
        let child = self.start(self.command(line))?;
        self.wait(child)
    }

    /// Runs a line of tests, and counts them in what it prints. Whether it succeeded.
    pub(crate) fn run_counting(&self, line: &str, totals: &mut Totals) -> Result<bool, End> {
        let (reader, writer) = pipe()?;
        let mut command = self.command(line);
        command.stderr(writer.try_clone()?).stdout(writer);
        // `start` drops the command, and our ends of the pipe with it.
        let child = self.start(command)?;
        let mut counted = mem::take(totals);
        let shown = thread::spawn(move || show(reader, &mut counted).map(|()| counted));
        let good = self.wait(child)?;
        *totals = shown.join().expect("showing does not panic")?;
        Ok(good)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(&self.root);
        // `cargo run` tells a program which crate it is. Lines are run as if typed.
        let ours = |name: &OsString| {
            let name = name.to_string_lossy();
            name == "CARGO" || name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        };
        for name in env::vars_os().map(|(name, _)| name).filter(ours) {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn start(&self, mut command: Command) -> Result<Child, End> {
        let mut running = lock(&self.running);
        self.may_go_on()?;
        if !self.at_terminal {
            command.process_group(0);
        }
        let child = command.spawn()?;
        *running = Some(if self.at_terminal { getpgrp() } else { pid(&child) });
        Ok(child)
    }

    fn wait(&self, mut child: Child) -> Result<bool, End> {
        let status = child.wait()?;
        *lock(&self.running) = None;
        self.may_go_on()?;
        Ok(status.success())
    }

    fn may_go_on(&self) -> Result<(), End> {
        match u8::try_from(self.told_to_end.load(Ordering::SeqCst)) {
            Ok(0) => Ok(()),
            signal => Err(End::Signal(signal.expect("signals have small numbers"))),
        }
    }
}

/// Passes the first signal on to what runs.
fn pass_on(mut signals: Signals, running: &Mutex<Option<Pid>>) {
    let signal = signals.forever().next().and_then(|number| Signal::try_from(number).ok());
    if let (Some(signal), Some(group)) = (signal, *lock(running)) {
        // Of a group that has ended nobody is left to be told.
        _ = killpg(group, signal);
    }
}

/// Shows output as it comes, and counts the tests in it.
fn show(mut output: PipeReader, totals: &mut Totals) -> io::Result<()> {
    let mut piece = [0; 8192];
    let mut screen = io::stdout().lock();
    loop {
        match output.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => {
                screen.write_all(&piece[..length])?;
                screen.flush()?;
                totals.read(&piece[..length]);
            }
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            Err(err) => return Err(err),
        }
    }
    totals.end();
    Ok(())
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("the system numbers processes so"))
}

/// What is locked is one value; it is whole whoever has panicked.
fn lock(running: &Mutex<Option<Pid>>) -> MutexGuard<'_, Option<Pid>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}
