//! Looks at the machine, and installs what is missing where this may be done.

use std::{
    env,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, Stdio},
};

use nix::unistd::geteuid;

use crate::needs::Machine;
use crate::shell::{End, Shell};

/// What Chromium is called.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Installs what is missing, as far as it can, and says what is there then.
pub(crate) fn prepare(shell: &Shell) -> Result<Machine, End> {
    let before = look();
    for component in before.components_to_add() {
        if find("rustup").is_some() {
            shell.run(&format!("rustup component add {component}"))?;
        }
    }
    let packages = before.packages_to_install().join(" ");
    if !packages.is_empty() {
        if geteuid().is_root() && find("apt-get").is_some() {
            println!("installing {packages}");
            shell.run(&format!(
                "export DEBIAN_FRONTEND=noninteractive; apt-get update -qq && \
                 apt-get install -qq --no-install-recommends {packages} >/dev/null"
            ))?;
        } else {
            println!("please install: {packages}");
        }
    }
    Ok(look())
}

fn look() -> Machine {
    let named = env::var_os("CHROMIUM").filter(|name| !name.is_empty());
    Machine {
        rustfmt: says("cargo", &["fmt", "--version"]).is_some(),
        clippy: says("cargo", &["clippy", "--version"]).is_some(),
        node: says("node", &["--version"]),
        npm: find("npm").is_some(),
        go: says("go", &["version"]),
        ip: find("ip").is_some(),
        nft: find("nft").is_some(),
        chromium: named.map(PathBuf::from).or_else(|| BROWSERS.iter().find_map(|name| find(name))),
    }
}

/// What a command prints when it succeeds.
fn says(command: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(command);
    let output = command.args(arguments).stdin(Stdio::null()).output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(said)
}

/// Where on the path a command is.
fn find(command: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let mut places = env::split_paths(&path).map(|folder| folder.join(command));
    places.find(|place| {
        place.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    })
}
