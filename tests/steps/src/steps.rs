//! What must hold: the steps, in the order they run.

use std::fmt::Write;

use crate::needs::Need;

/// One check: a line for the shell, from the root of the repository.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) line: &'static str,
    /// Whether it runs tests, and says how many passed and failed.
    pub(crate) counts_tests: bool,
}

/// Steps that need the same.
#[derive(Debug)]
pub(crate) struct Chapter {
    /// What they need beyond Rust, and what is not checked without it: for the first that
    /// is lacking this is said. `None` where an earlier chapter has said it.
    pub(crate) needs: &'static [(Need, Option<&'static str>)],
    pub(crate) steps: &'static [Step],
}

const fn check(name: &'static str, line: &'static str) -> Step {
    Step { name, line, counts_tests: false }
}

const fn tests(name: &'static str, line: &'static str) -> Step {
    Step { name, line, counts_tests: true }
}

const PAGE_PACKAGES: Need =
    Need::Packages { folder: "frontend-server/ui-check", with: "the TypeScript compiler" };
const REPORT_PACKAGES: Need =
    Need::Packages { folder: "lab/ui-check", with: "the TypeScript compiler" };
const BROWSER_PACKAGES: Need = Need::Packages { folder: "tests/browser", with: "playwright-core" };

/// Everything that must hold.
pub(crate) const CHAPTERS: &[Chapter] = &[
    Chapter {
        needs: &[
            (Need::Node, Some("the page's types, its own tests and the browser tests")),
            (PAGE_PACKAGES, Some("the page's types and its own tests")),
        ],
        steps: &[
            check("types of the page", "cd frontend-server/ui-check && npm run --silent check"),
            tests(
                "tests of the page's parts",
                "cd frontend-server/ui-check && npm test --silent -- --test-reporter=tap",
            ),
        ],
    },
    Chapter {
        needs: &[
            (Need::Node, None),
            (REPORT_PACKAGES, Some("the types of the report and its own tests")),
        ],
        steps: &[
            check("types of the report", "cd lab/ui-check && npm run --silent check"),
            tests(
                "tests of the report's parts",
                "cd lab/ui-check && npm test --silent -- --test-reporter=tap",
            ),
        ],
    },
    Chapter {
        needs: &[(Need::Rustfmt, Some("the format"))],
        steps: &[check("format", "cargo fmt --all --check")],
    },
    Chapter {
        needs: &[(Need::Clippy, Some("the lints"))],
        steps: &[
            check(
                "lints",
                "cargo clippy --locked --workspace --all-targets --quiet -- -D warnings",
            ),
            check(
                "lints of the next version",
                "cargo clippy --locked -p hangraft-game --all-targets --features next --quiet -- -D warnings",
            ),
            check(
                "lints of planted bugs",
                "cargo clippy --locked -p hangraft-sim --all-targets --features planted --quiet -- -D warnings",
            ),
        ],
    },
    Chapter {
        needs: &[(Need::Go, Some("porcupine, the second judge"))],
        steps: &[check(
            "tests of the second judge",
            "cd scripts/faults/porcupine && go vet ./... && go test ./...",
        )],
    },
    Chapter {
        needs: &[],
        steps: &[
            check(
                "documentation",
                "RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps --quiet",
            ),
            // A build that knows more than this version: tests take a cluster to it. The
            // build of this version comes after it and stays in its place.
            check(
                "build of the next version",
                "cargo build --locked -p hangraft --features next --quiet && \
                 cp target/debug/hangraft target/debug/hangraft-next && \
                 cargo build --locked -p hangraft --quiet",
            ),
            tests(
                "tests of the next version's rules",
                "cargo test --locked -p hangraft-game --features next --no-fail-fast",
            ),
            // Process and browser tests start the binary that this leaves in target/debug.
            check(
                "build",
                "cargo test --locked --workspace --exclude hangraft-sim --no-run --quiet",
            ),
            tests(
                "tests of the code and of processes",
                "cargo test --locked --workspace --exclude hangraft-sim --no-fail-fast",
            ),
        ],
    },
    // Days in the simulated world, in a build of their own: optimised, with assertions.
    // Browser tests fork days with the binary that this leaves in target/sim.
    Chapter {
        needs: &[],
        steps: &[
            check(
                "build of the simulation",
                "cargo test --locked --profile sim -p hangraft-sim --no-run --quiet",
            ),
            tests(
                "simulated days",
                "cargo test --locked --profile sim -p hangraft-sim --no-fail-fast",
            ),
            tests(
                "planted bugs are found",
                "cargo test --locked --profile sim -p hangraft-sim --no-fail-fast --features planted --test bugs",
            ),
        ],
    },
    Chapter {
        needs: &[
            (Need::Node, None),
            (Need::Chromium, Some("the browser tests")),
            (BROWSER_PACKAGES, Some("the browser tests")),
        ],
        steps: &[
            // Only our own crates are built once more. The build without bugs is put back.
            check(
                "build with bugs to plant",
                "cargo build --locked -p hangraft --features planted --quiet && \
                 cp target/debug/hangraft target/debug/hangraft-planted && \
                 cargo build --locked -p hangraft --quiet",
            ),
            tests(
                "tests in a browser",
                "cd tests/browser && npm test --silent -- --test-reporter=tap",
            ),
        ],
    },
];

/// The steps as people read them: names, what they need, and lines to paste into a shell.
pub(crate) fn list() -> String {
    let mut text = String::new();
    for Chapter { needs, steps } in CHAPTERS {
        let needs: Vec<String> = needs.iter().map(|(need, _)| need.to_string()).collect();
        let needs =
            if needs.is_empty() { needs } else { vec![format!("  needs {}", needs.join(", "))] };
        for Step { name, line, .. } in *steps {
            writeln!(text, "=== {name}{}\n{line}", needs.concat()).expect("text grows");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = &'static Step> {
        CHAPTERS.iter().flat_map(|chapter| chapter.steps)
    }

    /// A step is told apart by its name at the end of a run.
    #[test]
    fn names_are_different() {
        let mut names: Vec<_> = all().map(|step| step.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    /// What runs tests is counted, and nothing else.
    #[test]
    fn tests_are_counted() {
        for step in all() {
            let runs = ["cargo test", "npm test"].iter().any(|runner| step.line.contains(runner));
            let only_builds = step.line.contains("--no-run");
            assert_eq!(step.counts_tests, runs && !only_builds, "{}", step.name);
        }
    }

    /// CI tests what Cargo.lock says.
    #[test]
    fn versions_are_locked() {
        let builds = |step: &&Step| {
            !["npm", "go test"].iter().any(|other| step.line.contains(other))
                && step.name != "format"
        };
        for step in all().filter(builds) {
            assert!(
                step.line.matches("--locked").count() == step.line.matches("cargo ").count(),
                "{}",
                step.name
            );
        }
    }

    #[test]
    fn the_list_has_every_step_and_what_it_needs() {
        let list = list();
        for step in all() {
            assert!(list.contains(&format!("=== {}", step.name)) && list.contains(step.line));
        }
        let browser = "=== tests in a browser  needs Node 20.19, Chromium, npm packages\ncd tests";
        assert!(list.contains(browser), "{list}");
    }
}
