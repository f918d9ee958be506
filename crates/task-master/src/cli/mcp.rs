//! `mcp`: serves the tools to editors and agents.

use std::net::SocketAddr;

use crate::{app::App, mcp};

/// Serve the tools to editors and agents, over the Model Context Protocol
#[derive(Debug, clap::Args)]
#[command(version)]
pub struct Args {
    /// Listen here instead of on standard input, such as 127.0.0.1:7700; the path is `/mcp`
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,
}

/// Runs `mcp` until the client goes away or the process is asked to stop.
pub fn run(args: &Args, app: &App) -> anyhow::Result<()> {
    mcp::serve(args.http, app.environment.clone())
}
