//! Cores that are shared with other programs.
//!
//! The embedded engine's threads meet many times a token. On Linux the first to arrive spin for
//! milliseconds, while another program has the core that the last one needs: beside a compiler, a
//! plan took three times as long as it has to. How long they spin is read from the environment
//! when a process starts, so the program starts itself anew with a better setting.

use crate::config::Environment;

/// The setting of GCC's OpenMP library, and a number of turns that is enough to wait for a thread
/// that is computing, but not for one that has no core.
#[cfg(all(feature = "engine", target_os = "linux"))]
const SPINS: (&str, &str) = ("GOMP_SPINCOUNT", "3000");

/// Starts this program anew, unless it was started with a setting already.
#[cfg(all(feature = "engine", target_os = "linux"))]
pub fn share(environment: &Environment) {
    use std::{env, os::unix::process::CommandExt as _, process::Command};

    let is_set = |name| environment.variable(name).is_some();
    if is_set(SPINS.0) || is_set("OMP_WAIT_POLICY") {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let mut arguments = env::args_os();
    let mut command = Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    // This comes back only when it fails, and then all works as before, only slower.
    drop(command.args(arguments).env(SPINS.0, SPINS.1).exec());
}

/// Other systems and builds have nothing to set.
#[cfg(not(all(feature = "engine", target_os = "linux")))]
pub fn share(_: &Environment) {}
