//! `task-master-ai`: the server under the name that editors are configured with.

use std::process::ExitCode;

#[path = "alias/server.rs"]
mod server;

fn main() -> ExitCode {
    server::start()
}
