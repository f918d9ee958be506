//! The `task-master` binary. Start at [`app::main`].

#![expect(unreachable_pub, reason = "nothing in a program can be reached from outside")]

use std::process::ExitCode;

mod app;
mod backend;
mod calibration;
mod cli;
mod config;
mod git;
mod http;
mod interruption;
mod knowledge;
mod language;
mod mcp;
mod migration;
mod prefixes;
mod report;
#[cfg(target_os = "linux")]
mod resident;
mod roles;
mod rollout;
mod rules;
mod setup;
mod speed;
mod trace;
#[cfg(all(feature = "engine", target_os = "linux"))]
mod waiting;

fn main() -> ExitCode {
    app::main()
}
