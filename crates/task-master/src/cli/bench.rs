//! `bench`: how fast models answer on this machine.

use crate::{app::App, report::Report};

mod energy;
mod engine;
mod host;
mod server;

/// Measure how fast models answer on this machine
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Engine(engine::Args),
    Host(host::Args),
}

/// Runs `bench`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    match &args.action {
        Action::Engine(args) => engine::run(args, app, report),
        Action::Host(args) => host::run(args, app, report),
    }
}
