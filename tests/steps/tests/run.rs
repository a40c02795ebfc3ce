//! Runs of the program among commands that only say what they were asked.

use std::{
    fs,
    io::Read,
    os::unix::fs::{PermissionsExt, symlink},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;

/// Notes how it was called, fails where the test wants it to, and passes two tests.
const COMMAND: &str = r#"#!/bin/sh
called="${0##*/} $*"
echo "$called" >>"$CALLS"
case $called in
  $FAILS) exit 1 ;;
  $HANGS) echo hangs >>"$CALLS" && exec /bin/sleep 60 ;;
esac
case $called in
  *--version) echo v22.1.0 ;;
  "go version") echo go version go1.26.1 linux/amd64 ;;
  *--no-run*) ;;
  "cargo test"*) echo "test result: ok. 2 passed; 0 failed;" >&2 ;;
  "npm test"*) printf '# pass 3\n# fail 1' ;;
esac
"#;

/// How long what should happen at once may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// A path with nothing on it but a shell and commands that only note how they are called.
struct Machine {
    path: TempDir,
    environment: Vec<(&'static str, &'static str)>,
}

impl Machine {
    fn with(commands: &[&str]) -> Machine {
        let path = TempDir::new().expect("a temporary folder");
        symlink("/bin/sh", path.path().join("sh")).expect("a link");
        for command in [&["cp"], commands].concat() {
            let file = path.path().join(command);
            fs::write(&file, COMMAND).expect("a file");
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("it is ours");
        }
        Machine { path, environment: vec![("FAILS", "nothing"), ("HANGS", "nothing")] }
    }

    fn whole() -> Machine {
        Machine::with(&["cargo", "node", "npm", "chromium", "go", "ip", "nft"])
    }

    fn where_it(mut self, what: &'static str, called: &'static str) -> Machine {
        self.environment.push((what, called));
        self
    }

    fn calls_file(&self) -> PathBuf {
        self.path.path().join("calls")
    }

    /// How commands were called.
    fn calls(&self) -> String {
        fs::read_to_string(self.calls_file()).unwrap_or_default()
    }

    fn program(&self) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_hangraft-steps"));
        program.env("PATH", self.path.path()).env("CALLS", self.calls_file());
        program.env("TMPDIR", self.path.path()).env_remove("CHROMIUM");
        program.envs(self.environment.iter().copied()).stdin(Stdio::null());
        program
    }

    fn run(&self) -> Output {
        self.program().output().expect("the program runs")
    }
}

/// What the commands that were called say of tests, together.
fn totals(machine: &Machine) -> String {
    let calls = machine.calls();
    let of = |name: &str| {
        calls.lines().filter(|call| call.starts_with(name) && !call.contains("--no-run")).count()
    };
    let (rust, node) = (of("cargo test"), of("npm test"));
    assert!(rust > 0, "{calls}");
    format!("{} passed, {node} failed", 2 * rust + 3 * node)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn assert_says(output: &Output, lines: &[&str]) {
    let said = said(output);
    for line in lines {
        assert!(said.lines().any(|other| other == *line), "{line} is not in\n{said}");
    }
}

/// On a machine that has everything, every step runs, and what tests say is counted.
#[test]
fn all_steps_run() {
    let machine = Machine::whole();
    let output = machine.run();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_says(&output, &["=== format", "=== tests in a browser", &totals(&machine)]);
    assert!(!said(&output).contains("SKIPPED") && !said(&output).contains("FAILED"));
    let steps = |text: &str| text.lines().filter(|line| line.starts_with("=== ")).count();
    let list = machine.program().arg("--list").output().expect("the program runs");
    assert_eq!(steps(&said(&output)), steps(&said(&list)) + 1, "all, and the end");
    let calls = machine.calls();
    assert!(calls.contains("cargo clippy --locked --workspace --all-targets --quiet -- -D warn"));
    for other in ["next", "planted"] {
        let copy = format!("cp target/debug/hangraft target/debug/hangraft-{other}\n");
        assert!(calls.contains(&copy), "{calls}");
    }
}

/// A step that fails does not keep the others from running; it fails the run.
#[test]
fn a_step_that_fails_is_told_at_the_end() {
    let machine = Machine::whole().where_it("FAILS", "cargo fmt --all*");
    let output = machine.run();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_says(&output, &["FAILED: format", "=== lints", &totals(&machine)]);
    assert!(said(&output).contains(" s  FAILED  format\n"));
    assert_eq!(said(&output).matches("FAILED: ").count(), 1);
}

/// Of a line with several commands none runs after one that fails.
#[test]
fn a_build_that_fails_is_not_copied() {
    for (build, step, copy) in [
        ("cargo build * next *", "build of the next version", "hangraft-next"),
        ("cargo build * planted *", "build with bugs to plant", "hangraft-planted"),
    ] {
        let machine = Machine::whole().where_it("FAILS", build);
        assert_says(&machine.run(), &[&format!("FAILED: {step}")]);
        assert!(!machine.calls().contains(copy), "{}", machine.calls());
    }
}

/// What cannot be tested is said, and said again at the end. It is no failure.
#[test]
fn what_cannot_be_tested_is_said_twice() {
    let bare = Machine::with(&["cargo"]).where_it("FAILS", "cargo clippy --version");
    let output = bare.run();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let (before, after) = said(&output).split_once("=== done").map_or_else(
        || panic!("{output:?}"),
        |(before, after)| (before.to_owned(), after.to_owned()),
    );
    for skipped in [
        "SKIPPED: the page's types, its own tests and the browser tests: Node is missing\n",
        "SKIPPED: the lints: clippy is missing; rustup component add clippy\n",
        "SKIPPED: porcupine, the second judge: Go is missing\n",
    ] {
        assert!(before.contains(skipped) && after.contains(skipped), "{before}{after}");
    }
    assert_eq!(before.matches("SKIPPED").count(), 3);
    assert!(before.contains("please install: chromium nodejs npm iproute2 nftables\n"), "{before}");
    assert!(!bare.calls().contains("npm"));
}

/// What npm cannot fetch is skipped, each folder for itself.
#[test]
fn packages_that_cannot_be_fetched_are_said() {
    let machine = Machine::whole().where_it("FAILS", "npm ci *");
    let output = machine.run();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let types =
        "SKIPPED: the page's types and its own tests: npm could not fetch the TypeScript compiler";
    let browser = "SKIPPED: the browser tests: npm could not fetch playwright-core";
    assert_says(&output, &[types, browser, &totals(&machine)]);
}

/// Tests that cannot run here write into a file that is told about at the end.
#[test]
fn what_tests_skip_is_told_at_the_end() {
    let machine = Machine::with(&["cargo"]);
    let cargo = machine.path.path().join("cargo");
    fs::write(cargo, "#!/bin/sh\necho disks: not root >>\"$HANGRAFT_SKIPPED_FILE\"\n")
        .expect("a file");
    assert_says(&machine.run(), &["SKIPPED: disks: not root"]);
}

/// The steps' cargo must not think that it is this crate's.
#[test]
fn commands_run_as_if_typed() {
    let machine = Machine::with(&["cargo"]);
    let cargo = machine.path.path().join("cargo");
    let command =
        "#!/bin/sh\necho \"$PWD $CARGO_PKG_NAME$CARGO_MANIFEST_DIR $RUSTDOCFLAGS\" >>\"$CALLS\"\n";
    fs::write(cargo, command).expect("a file");
    let mut program = machine.program();
    program
        .current_dir("/")
        .env("CARGO_PKG_NAME", "x")
        .env("CARGO_MANIFEST_DIR", "/x")
        .output()
        .expect("the program runs");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("a root");
    let calls = machine.calls();
    let mut steps = calls.lines().filter(|call| call.starts_with(&root.display().to_string()));
    assert!(
        steps.clone().all(|call| call.trim_end_matches("-D warnings").ends_with("  ")),
        "{calls}"
    );
    assert!(steps.any(|call| call.ends_with(" -D warnings")), "{calls}");
}

/// What is mistyped runs nothing, and neither does the list.
#[test]
fn what_is_mistyped_runs_nothing() {
    for (arguments, mistyped) in
        [(&["--lsit"][..], "--lsit"), (&["--list", "x"], "x"), (&["a", "b"], "a")]
    {
        let machine = Machine::whole();
        let output = machine.program().args(arguments).output().expect("the program runs");
        let complaint = format!("test: cannot understand {mistyped}; see --help\n");
        assert_eq!(String::from_utf8_lossy(&output.stderr), complaint);
        assert_eq!((output.status.code(), machine.calls()), (Some(2), String::new()));
    }
    let machine = Machine::whole();
    let output = machine.program().arg("--list").output().expect("the program runs");
    assert_says(&output, &["cargo fmt --all --check"]);
    assert_eq!((output.status.code(), machine.calls()), (Some(0), String::new()));
}

/// Whoever ends the run ends the step: with Ctrl-C, which a terminal sends to a whole group, or
/// with a signal to the program alone.
#[test]
fn a_signal_ends_the_step_that_runs() {
    for (signal, to_all, code) in
        [(Signal::SIGINT, true, 130), (Signal::SIGINT, false, 130), (Signal::SIGTERM, false, 143)]
    {
        let machine = Machine::whole().where_it("HANGS", "cargo fmt --all*");
        let mut command = machine.program();
        let mut program =
            command.process_group(0).stdout(Stdio::piped()).spawn().expect("the program runs");
        until("the step hangs", || machine.calls().ends_with("hangs\n").then_some(()));
        let process = pid(&program);
        if to_all { killpg(process, signal) } else { kill(process, signal) }.expect("it runs");
        let status = until("the program ends", || program.try_wait().expect("it is ours"));
        assert_eq!(status.code(), Some(code), "{signal}, to all: {to_all}");
        // The step has our end of the pipe: it is closed when the step has ended, too.
        let begun = Instant::now();
        let mut said = String::new();
        let mut output = program.stdout.take().expect("it is piped");
        output.read_to_string(&mut said).expect("text");
        assert!(begun.elapsed() < PATIENCE, "the step went on");
        assert!(said.ends_with("\n=== format\n"), "a step follows: {said}");
        let left = fs::read_dir(machine.path.path()).expect("a folder").filter(|entry| {
            let name = entry.as_ref().expect("a readable folder").file_name();
            name.to_string_lossy().starts_with("hangraft-")
        });
        assert_eq!(left.count(), 0, "nothing is left behind");
    }
}

fn pid(program: &Child) -> Pid {
    Pid::from_raw(i32::try_from(program.id()).expect("the system numbers processes so"))
}

#[track_caller]
fn until<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}: not in {PATIENCE:?}");
        thread::sleep(Duration::from_millis(10));
    }
}
