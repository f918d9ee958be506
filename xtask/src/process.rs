//! Other programs: how they are started, and what counts as success.
//!
//! None of them gets our standard input: nothing here asks questions, so nothing waits for an
//! answer where nobody is.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail};

use crate::steps::say;

/// The repository.
pub fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// Cargo, working on this repository.
///
/// `cargo run` tells us about the package `xtask` in variables. A build script that watches them
/// (ring's does) would run again each time the same build is started in another way, so they are
/// not passed on.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let is_about_us =
            |name: &str| ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|it| name.starts_with(it));
        if name.to_str().is_some_and(is_about_us) {
            command.env_remove(name);
        }
    }
    command.current_dir(root()).args(arguments);
    command
}

/// The `task-master` that a build in `profile` makes, whether it is there yet or not.
///
/// We lie in the target directory ourselves, wherever that is.
pub fn built_program(profile: &str) -> anyhow::Result<PathBuf> {
    let here = env::current_exe().context("cannot tell where the build puts programs")?;
    let target = here.ancestors().nth(2).context("cannot tell where the build puts programs")?;
    Ok(target.join(profile).join("task-master").with_extension(env::consts::EXE_EXTENSION))
}

/// Says what it runs, and runs it on our terminal.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let line = line(command);
    say(&format!("    $ {line}"));
    let status = command.stdin(Stdio::null()).status();
    let status = status.with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` ended with {status}");
    }
    Ok(())
}

/// Runs it unheard, and tells whether it succeeded.
pub fn succeeds(command: &mut Command) -> bool {
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}

/// Runs it, and hands over what it printed.
pub fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The command as somebody would type it, the program without its directory.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program());
    let words = std::iter::once(name).chain(command.get_args());
    words.map(|it| it.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
