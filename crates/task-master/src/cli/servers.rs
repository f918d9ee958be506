//! The commands about servers: those that run models, and the one that serves them.

use super::{backends, cache, keys, privacy, rollout, route, serve, trace};
use crate::{app::App, report::Report};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Backends(backends::Args),
    Route(route::Args),
    Serve(serve::Args),
    Rollout(rollout::Args),
    Rollback(rollout::BackArgs),
    Keys(keys::Args),
    Cache(cache::Args),
    Trace(trace::Args),
    Privacy(privacy::Args),
}

/// Runs one of them.
pub fn run(command: Command, app: &App, report: &mut Report) -> anyhow::Result<()> {
    match command {
        Command::Backends(args) => backends::run(&args, app, report),
        Command::Route(args) => route::run(&args, app, report),
        Command::Serve(args) => serve::run(&args, app, report),
        Command::Rollout(args) => rollout::run(&args, app, report),
        Command::Rollback(args) => rollout::run_back(&args, app, report),
        Command::Keys(args) => keys::run(&args, app, report),
        Command::Cache(args) => cache::run(&args, app, report),
        Command::Trace(args) => trace::run(&args, app, report),
        Command::Privacy(args) => privacy::run(&args, app, report),
    }
}
