//! `cargo xtask demo`: from a fresh clone to a plan on the screen.
//!
//! Everything that is shown is printed by `task-master` itself, in a new directory that is left
//! there to play with. Once the model is fetched, no step needs a network.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, bail};

use crate::{
    needs,
    process::{self, built_program, cargo},
    steps::{Steps, say},
};

/// Builds, fetches the default model, and plans the document with it.
pub fn run(prd: &Path) -> anyhow::Result<()> {
    let prd = prd.canonicalize().with_context(|| format!("cannot read {}", prd.display()))?;
    let Some(name) = prd.file_name() else { bail!("{} is not a file", prd.display()) };
    let program = built_program("release")?;

    let mut steps = Steps::start();
    steps.run("look for what the build needs", needs::provide)?;
    steps.run("build task-master", || {
        say(
            "    The first time this takes some minutes: llama.cpp is compiled for this processor.",
        );
        process::run(&mut cargo(&["build", "--release", "--package", "task-master"]))
    })?;
    steps
        .run("fetch the model", || process::run(Command::new(&program).args(["models", "pull"])))?;

    let directory = fresh_directory()?;
    let task_master = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.current_dir(&directory).args(arguments);
        process::run(&mut command)
    };
    steps.run("start a project", || {
        task_master(&["init", "-y"])?;
        fs::copy(&prd, directory.join(name))
            .with_context(|| format!("cannot copy {}", prd.display()))
    })?;
    let document = name.to_string_lossy();
    steps.run("make a plan of the document", || task_master(&["parse-prd", &document]))?;
    steps.run("show the tasks", || task_master(&["list"]))?;
    steps.run("show what to begin with", || task_master(&["next"]))?;
    say(&format!("\n{}\n\n{}", steps.times(), what_next(&directory, &program)));
    Ok(())
}

/// A directory that nobody has used, whose name tells where it came from.
fn fresh_directory() -> anyhow::Result<PathBuf> {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let name = format!("task-master-demo-{}", since_epoch.as_millis());
    let directory = env::temp_dir().join(name);
    fs::create_dir(&directory).with_context(|| format!("cannot make {}", directory.display()))?;
    Ok(directory)
}

/// What somebody who has seen the plan may want to type.
fn what_next(directory: &Path, program: &Path) -> String {
    let (directory, program) = (directory.display(), program.display());
    format!(
        "The project is in {directory}. To go on with it:
    cd {directory}
    {program} show 1
    {program} set-status --id=1 --status=in-progress
    {program} next
With a document of your own: cargo xtask demo --prd FILE"
    )
}

#[cfg(test)]
mod tests;
