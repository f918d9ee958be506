//! `completions`: what a shell needs to complete our commands.

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;
use crate::report::Report;

/// Print the script that completes commands and flags in a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "For example, in ~/.bashrc:\n  source <(task-master completions bash)")]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Runs `completions`.
pub fn run(args: &Args, report: &mut Report) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "task-master", &mut script);
    report.text(&String::from_utf8(script)?);
    Ok(())
}
