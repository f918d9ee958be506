//! `cargo xtask test`: the whole test suite, the quickest answers first.
//!
//! Everything is built in the dev profile, so that llama.cpp is compiled once for clippy,
//! documentation and tests. What a machine cannot do is skipped, loudly and counted. The tests
//! come last: what they say is what one wants to read at the end.

use std::{ffi::OsString, path::Path, process::Command};

use anyhow::Context;

use crate::{
    clients, needs,
    process::{self, built_program, cargo, succeeds},
    servers,
    steps::{Steps, say},
};

/// Small enough to be fetched for a test: one whose answers have the right form and make no sense,
/// and one that makes vectors.
const TEST_MODELS: [&str; 2] = ["smollm2-135m-instruct-q4_1", "all-minilm-l6-v2-q8_0"];

/// Whatever runs the tests: nextest, which starts each in its own process, or cargo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Runner {
    Nextest,
    Cargo,
}

/// Runs every step; the first that fails ends it.
pub fn run(arguments: &[OsString]) -> anyhow::Result<()> {
    let program = built_program("debug")?;
    let runner = Runner::find();
    let mut steps = Steps::start();

    steps.run("look for what the build needs", || {
        needs::provide()?;
        provide_components()
    })?;
    steps.run("format", || process::run(&mut cargo(&["fmt", "--all", "--check"])))?;
    check_dependencies(&mut steps)?;
    check_code(&mut steps)?;
    steps.run("build the tests", || process::run(runner.command().arg("--no-run")))?;
    fetch_test_models(&mut steps, &program);
    install_clients(&mut steps, &program);
    install_servers(&mut steps, &program);
    look_for_redis(&mut steps);
    steps.run("doc tests", || process::run(&mut cargo(&["test", "--workspace", "--doc"])))?;
    steps.run("tests", || process::run(runner.command().arg("--no-fail-fast").args(arguments)))?;
    say(&format!("\n{}\n{}", steps.times(), steps.skips()));
    Ok(())
}

/// Licences, banned crates and sources; advisories where their database can be had.
fn check_dependencies(steps: &mut Steps) -> anyhow::Result<()> {
    if !succeeds(&mut cargo(&["deny", "--version"])) {
        steps.skip(
            "licences and advisories",
            "cargo-deny is not installed; `cargo install --locked cargo-deny` adds it",
        );
        return Ok(());
    }
    let check = ["deny", "--workspace", "check", "--hide-inclusion-graph"];
    steps.run("licences, bans and sources", || {
        process::run(cargo(&check).args(["licenses", "bans", "sources"]))
    })?;
    if !succeeds(&mut cargo(&["deny", "fetch", "db"])) {
        steps.skip("advisories", "their database (github.com/rustsec) cannot be reached");
        return Ok(());
    }
    steps.run("advisories", || process::run(cargo(&check).arg("advisories")))
}

fn check_code(steps: &mut Steps) -> anyhow::Result<()> {
    let clippy = ["clippy", "--all-targets"];
    let strict = ["--", "-Dwarnings"];
    steps.run("clippy", || process::run(cargo(&clippy).arg("--workspace").args(strict)))?;
    steps.run("clippy without the engine", || {
        let lean = ["--package", "task-master", "--no-default-features"];
        process::run(cargo(&clippy).args(lean).args(strict))
    })?;
    steps.run("documentation", || {
        let mut doc = cargo(&["doc", "--workspace", "--no-deps"]);
        process::run(doc.env("RUSTDOCFLAGS", "-Dwarnings"))
    })
}

/// A machine without a network still runs everything that needs no model.
fn fetch_test_models(steps: &mut Steps, program: &Path) {
    for model in TEST_MODELS {
        let pull = || process::run(Command::new(program).args(["models", "pull", model]));
        if let Err(error) = steps.run(&format!("fetch {model}"), pull) {
            steps.skip(&format!("tests that ask {model}"), &format!("{error:#}"));
        }
    }
}

/// A machine without Python, npm or their registries tests the gateway with sockets alone.
fn install_clients(steps: &mut Steps, program: &Path) {
    let directory = program.ancestors().nth(2).unwrap_or(program).join("clients");
    if let Err(error) = steps.run("install clients", || clients::install(&directory)) {
        steps.skip("tests with clients of other makers", &format!("{error:#}"));
    }
}

/// A machine without Python or its registry, or for which nobody has built them, tests with scripted
/// servers alone.
fn install_servers(steps: &mut Steps, program: &Path) {
    let directory = program.ancestors().nth(2).unwrap_or(program).join("servers");
    if let Err(error) = steps.run("install servers", || servers::install(&directory)) {
        steps.skip("tests with model servers of other makers", &format!("{error:#}"));
    }
}

/// On a person's own machine a server is not installed for a test: it would be started at once.
fn look_for_redis(steps: &mut Steps) {
    if !succeeds(Command::new("redis-server").arg("--version")) {
        steps.skip("tests with a Redis server", "redis-server is not installed");
    }
}

/// rustup's minimal profile has neither; everybody else's Rust has both.
fn provide_components() -> anyhow::Result<()> {
    let missing = |name: &str| !succeeds(&mut cargo(&[name, "--version"]));
    if missing("fmt") || missing("clippy") {
        process::run(Command::new("rustup").args(["component", "add", "rustfmt", "clippy"]))
            .context("rustfmt and clippy are needed")?;
    }
    Ok(())
}

impl Runner {
    fn find() -> Self {
        let has_nextest = succeeds(&mut cargo(&["nextest", "--version"]));
        if has_nextest { Self::Nextest } else { Self::Cargo }
    }

    /// Runs all tests but those in the documentation.
    fn command(self) -> Command {
        match self {
            Self::Nextest => cargo(&["nextest", "run", "--workspace"]),
            Self::Cargo => {
                let mut command = cargo(&["test", "--workspace", "--lib", "--bins", "--tests"]);
                // It cannot keep only the tests of the engine apart, as `.config/nextest.toml` does.
                command.env("RUST_TEST_THREADS", "1");
                command
            }
        }
    }
}
