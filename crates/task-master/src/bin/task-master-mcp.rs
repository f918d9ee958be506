//! `task-master-mcp`: the server under its other name.

use std::process::ExitCode;

#[path = "alias/server.rs"]
mod server;

fn main() -> ExitCode {
    server::start()
}
