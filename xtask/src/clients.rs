//! Clients of other makers that the gateway is tested with, installed beside the build.
//!
//! Whatever indexes pip and npm are configured to use are used. An installation that is complete
//! is kept, so this takes minutes once and nothing afterwards.

use std::{fs, path::Path, process::Command};

use anyhow::Context;

use crate::process::run;

const PYTHON: [&str; 3] = ["openai", "anthropic", "ollama"];
const NPM: [&str; 4] = ["openai", "@anthropic-ai/sdk", "ollama", "task-master-ai@0.43.1"];

/// Installs what is not there yet into `directory`.
pub fn install(directory: &Path) -> anyhow::Result<()> {
    let complete = directory.join("complete");
    if complete.is_file() {
        return Ok(());
    }
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    let environment = directory.join("venv");
    run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    run(Command::new(environment.join("bin/pip")).args(["install", "--quiet"]).args(PYTHON))?;
    // Their scripts would fetch what nobody asked for.
    let quietly = ["--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--silent"];
    let npm = directory.join("npm");
    run(Command::new("npm").arg("install").args(quietly).arg("--prefix").arg(&npm).args(NPM))?;
    fs::write(&complete, "").with_context(|| format!("cannot write {}", complete.display()))
}
