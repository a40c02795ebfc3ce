//! Network namespaces for a demo, by the scripts that make them and take them away. Their
//! prefix and subnet are drawn, so that two tests do not share them.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    thread::sleep,
    time::{Duration, Instant},
};

/// What `netns-up` exits with where there can be no namespaces.
const NOT_HERE: i32 = 3;

/// How long what ran in a namespace may take to be gone after it was killed.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often we look.
const LOOK: Duration = Duration::from_millis(100);

/// Subnets to draw: in each of two numbers.
const SUBNETS: (std::ops::Range<u8>, std::ops::Range<u8>) = (64..128, 0..255);

/// Namespaces that go when dropped. Drop what runs in them first.
#[derive(Debug)]
pub struct Namespaces {
    prefix: String,
    subnet: String,
}

/// A script of `scripts/faults`.
pub fn script(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is above");
    root.join("scripts/faults").join(name)
}

impl Namespaces {
    /// A prefix and a subnet; nothing is there yet.
    pub fn draw() -> Self {
        let prefix = format!("t{:06x}", rand::random_range(0..1 << 24));
        let (second, third) = (rand::random_range(SUBNETS.0), rand::random_range(SUBNETS.1));
        Self { prefix, subnet: format!("10.{second}.{third}") }
    }

    /// Makes some, for three nodes.
    ///
    /// # Errors
    /// Why there can be none on this machine.
    ///
    /// # Panics
    /// When there could be, and there are none.
    pub fn up() -> Result<Self, String> {
        let namespaces = Self::draw();
        let output = namespaces.make();
        let said = String::from_utf8_lossy(&output.stderr);
        match output.status.code() {
            Some(0) => Ok(namespaces),
            Some(NOT_HERE) => Err(said.trim().to_owned()),
            _ => panic!("netns-up: {}: {said}", output.status),
        }
    }

    /// Makes those that are missing.
    ///
    /// # Panics
    /// When the script does not start.
    pub fn make(&self) -> Output {
        let mut command = Command::new(script("netns-up"));
        command.args(["--subnet", &self.subnet, &self.prefix]);
        command.output().expect("scripts may be run")
    }

    /// Takes them away.
    ///
    /// # Panics
    /// When the script does not start.
    pub fn down(&self) -> Output {
        let output = Command::new(script("netns-down")).arg(&self.prefix).output();
        output.expect("scripts may be run")
    }

    /// How their names begin.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The first three numbers of their addresses.
    pub fn subnet(&self) -> &str {
        &self.subnet
    }

    /// A command that runs in the namespace of a node, such as `n1`.
    pub fn command(&self, node: &str, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &format!("{}-{node}", self.prefix), program]);
        command
    }

    /// What the system still has by their names: namespaces, links and routes.
    ///
    /// # Panics
    /// When the system does not say.
    pub fn traces(&self) -> Vec<String> {
        let lists = [["netns", "list"], ["link", "show"], ["route", "show"]];
        let said = lists.map(|words| {
            let output = Command::new("ip").args(words).output().expect("ip shows things");
            String::from_utf8_lossy(&output.stdout).into_owned()
        });
        let lines = said.iter().flat_map(|text| text.lines());
        let ours = lines.filter(|line| line.contains(&format!("{}-", self.prefix)));
        ours.map(str::to_owned).collect()
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let output = self.down();
            if output.status.success() {
                return;
            }
            if Instant::now() > deadline {
                eprintln!("{} is still there: {output:?}", self.prefix);
                return;
            }
            sleep(LOOK);
        }
    }
}
