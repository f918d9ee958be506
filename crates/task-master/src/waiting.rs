//! How long the engine's threads spin where they wait for each other.
//!
//! OpenMP's runtime reads that from the environment before `main`, and left to itself it spins for
//! milliseconds. Beside a build or an editor that uses the same cores, that made a plan more than
//! three times slower. So a program that will compute starts itself anew with the variable set:
//! same process, same arguments. Start at [`shorten`].

use std::{
    env::{args_os, current_exe},
    os::unix::process::CommandExt as _,
    process::Command,
};

use crate::config::Environment;

/// Read by GCC's OpenMP.
const VARIABLE: &str = "GOMP_SPINCOUNT";

/// Some microseconds: enough for threads that are nearly done.
const SPINS: &str = "3000";

/// Starts this program anew, unless somebody has said how its threads shall wait. When that fails,
/// it goes on as it is.
pub fn shorten(environment: &Environment) {
    let is_said = |it: &&str| environment.variable(it).is_some();
    if [VARIABLE, "OMP_WAIT_POLICY"].iter().any(is_said) {
        return;
    }
    let Ok(program) = current_exe() else { return };
    let mut arguments = args_os();
    let mut again = Command::new(program);
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    drop(again.args(arguments).env(VARIABLE, SPINS).exec());
}
