//! The commands of the original that need its cloud: their names are kept, and say so.
//!
//! What they are given is accepted, so that a script learns what is wrong and not how to spell it.

use std::ffi::OsString;

use crate::report::{Report, advice};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    #[command(hide = true)]
    Auth(Args),
    #[command(hide = true)]
    Login(Args),
    #[command(hide = true)]
    Logout(Args),
    #[command(hide = true)]
    Context(Args),
    #[command(alias = "brief", hide = true)]
    Briefs(Args),
    #[command(hide = true)]
    Export(Args),
    #[command(hide = true)]
    ExportTag(Args),
}

/// Not available: this program has no cloud
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub struct Args {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    arguments: Vec<OsString>,
}

impl Command {
    fn asks_for_help(&self) -> bool {
        let (Self::Auth(args)
        | Self::Login(args)
        | Self::Logout(args)
        | Self::Context(args)
        | Self::Briefs(args)
        | Self::Export(args)
        | Self::ExportTag(args)) = self;
        args.arguments.iter().any(|it| it == "--help" || it == "-h")
    }
}

const MESSAGE: &str = "cloud features are not available in this build";

/// Runs one of the commands. Those that only tell how things stand are no failure, nor are those
/// after which nobody is logged in.
pub fn run(command: &Command, report: &mut Report) -> anyhow::Result<()> {
    let only_tells = match command {
        Command::Auth(args) => {
            args.arguments.first().is_some_and(|it| it == "status" || it == "logout")
        }
        Command::Context(args) => {
            args.arguments.iter().all(|it| it == "--no-header" || it == "show")
        }
        Command::Logout(_) => true,
        Command::Login(_) | Command::Briefs(_) | Command::Export(_) | Command::ExportTag(_) => {
            false
        }
    };
    if only_tells || command.asks_for_help() {
        report.line(MESSAGE);
        return Ok(());
    }
    Err(advice(MESSAGE, "tasks are kept in this project; see `task-master help`").into())
}
