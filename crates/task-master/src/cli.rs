//! The command line: one file a command, each with its `Args` and its `run`.
//!
//! Names, flags and exit codes are those of the program that this one replaces.

use clap::{Parser, Subcommand, ValueEnum};

use crate::{app::App, report::Report};

mod add_task;
mod complexity_report;
mod history;
mod init;
mod list;
mod marks;
mod mcp;
mod models;
mod next;
mod parse_prd;
pub(crate) mod record;
mod serve;
mod set_status;
mod show;
mod undo;

/// Turns requirements into a dependency-aware task list, on your own machine
#[derive(Debug, Parser)]
#[command(name = "task-master", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Init(init::Args),
    ParsePrd(parse_prd::Args),
    #[command(visible_alias = "ls")]
    List(list::Args),
    Show(show::Args),
    Next(next::Args),
    #[command(visible_alias = "status")]
    SetStatus(set_status::Args),
    ComplexityReport(complexity_report::Args),
    AddTask(add_task::Args),
    History(history::Args),
    Undo(undo::Args),
    Models(models::Args),
    Serve(serve::Args),
    Mcp(mcp::Args),
}

/// How a result is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON document
    Json,
}

/// Runs one command.
pub fn run(command: Command, app: &App, report: &mut Report) -> anyhow::Result<()> {
    match command {
        Command::Init(args) => init::run(&args, app, report),
        Command::ParsePrd(args) => parse_prd::run(&args, app, report),
        Command::List(args) => list::run(&args, app, report),
        Command::Show(args) => show::run(&args, app, report),
        Command::Next(args) => next::run(&args, app, report),
        Command::SetStatus(args) => set_status::run(&args, app, report),
        Command::ComplexityReport(args) => complexity_report::run(&args, app, report),
        Command::AddTask(args) => add_task::run(&args, app, report),
        Command::History(args) => history::run(&args, app, report),
        Command::Undo(args) => undo::run(&args, app, report),
        Command::Models(args) => models::run(&args, app, report),
        Command::Serve(args) => serve::run(&args, app, report),
        Command::Mcp(args) => mcp::run(&args, app),
    }
}
