//! The command line: one file a command, each with its `Args` and its `run`.
//!
//! Names, flags and exit codes are those of the program that this one replaces.

use std::ffi::OsStr;

use clap::{Args as _, CommandFactory as _, Parser, Subcommand, ValueEnum};
use tm_tasks::references::LostLink;
use tm_tasks::scope::Direction;

use crate::{app::App, report::Report};

mod add_subtask;
mod add_task;
mod agent_loop;
mod analyze_complexity;
pub(crate) mod asking;
pub(crate) mod autopilot;
mod backends;
mod bench;
mod cache;
mod changes;
mod clear_subtasks;
mod cloud;
mod completions;
mod complexity_report;
mod dependencies;
mod doctor;
mod eval;
mod expand;
mod generate;
mod help;
mod hints;
mod history;
mod init;
pub(crate) mod kb;
mod keys;
mod lang;
mod list;
mod man;
mod marks;
mod mcp;
mod migrate;
mod models;
mod move_task;
mod next;
mod parse_prd;
mod prd;
mod privacy;
mod progress;
mod quality;
mod read_pdf;
pub(crate) mod record;
mod recover;
mod remove_subtask;
mod remove_task;
mod research;
mod restore;
mod rollout;
mod route;
mod rules;
mod scope;
mod serve;
mod servers;
mod set_status;
mod show;
mod start;
mod sync_readme;
mod tags;
mod trace;
mod undo;
mod update;
mod update_subtask;
mod update_task;

/// Turns requirements into a dependency-aware task list, on your own machine
#[derive(Debug, Parser)]
#[command(
    name = "task-master",
    version,
    max_term_width = TERM_WIDTH_MAX,
    disable_help_subcommand = true
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Help is not easier to read in wider lines.
const TERM_WIDTH_MAX: usize = 100;

impl Cli {
    /// What can be typed. Who starts a server, with `mcp` or `serve` as the first word, gets that
    /// command alone: all the others take half a megabyte, which a server would keep.
    pub fn grammar(first: Option<&OsStr>) -> clap::Command {
        let server = match first.and_then(OsStr::to_str) {
            Some("mcp") => mcp::Args::augment_args(clap::Command::new("mcp")),
            Some("serve") => serve::Args::augment_args(clap::Command::new("serve")),
            Some(_) | None => return Self::command(),
        };
        clap::Command::new("task-master").max_term_width(TERM_WIDTH_MAX).subcommand(server)
    }
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
    AnalyzeComplexity(analyze_complexity::Args),
    ComplexityReport(complexity_report::Args),
    /// Make tasks larger
    ScopeUp(scope::Args),
    /// Make tasks smaller
    ScopeDown(scope::Args),
    Research(research::Args),
    Recover(recover::Args),
    Kb(kb::Args),
    Prd(prd::Args),
    Eval(eval::Args),
    AddTask(add_task::Args),
    AddSubtask(add_subtask::Args),
    RemoveSubtask(remove_subtask::Args),
    RemoveTask(remove_task::Args),
    ClearSubtasks(clear_subtasks::Args),
    #[command(name = "move")]
    MoveTask(move_task::Args),
    /// Make a task wait for another one
    AddDependency(dependencies::ChangeArgs),
    /// Make a task wait for another one no longer
    RemoveDependency(dependencies::ChangeArgs),
    /// Look for dependencies that make no sense, and change nothing
    ValidateDependencies(dependencies::CheckArgs),
    /// Remove dependencies that make no sense
    FixDependencies(dependencies::CheckArgs),
    Tags(tags::Args),
    /// The old name of `tags add`
    AddTag(tags::deprecated::AddTagArgs),
    /// The old name of `tags use`
    UseTag(tags::deprecated::UseTagArgs),
    /// The old name of `tags remove`
    DeleteTag(tags::deprecated::DeleteTagArgs),
    /// The old name of `tags rename`
    RenameTag(tags::deprecated::RenameTagArgs),
    /// The old name of `tags copy`
    CopyTag(tags::deprecated::CopyTagArgs),
    Generate(generate::Args),
    SyncReadme(sync_readme::Args),
    Expand(expand::Args),
    Update(update::Args),
    UpdateTask(update_task::Args),
    UpdateSubtask(update_subtask::Args),
    Start(start::Args),
    Loop(agent_loop::Args),
    #[command(visible_alias = "ap")]
    Autopilot(autopilot::Args),
    History(history::Args),
    Undo(undo::Args),
    Restore(restore::Args),
    Models(models::Args),
    Doctor(doctor::Args),
    Bench(bench::Args),
    #[command(flatten)]
    Servers(servers::Command),
    Mcp(mcp::Args),
    Completions(completions::Args),
    Man(man::Args),
    Lang(lang::Args),
    Rules(rules::Args),
    Migrate(migrate::Args),
    Help(help::Args),
    /// Show all commands
    #[command(alias = "repl", hide = true)]
    Tui,
    #[command(hide = true)]
    ReadPdf(read_pdf::Args),
    #[command(flatten)]
    Cloud(cloud::Command),
}

#[cfg(all(feature = "engine", target_os = "linux"))]
impl Command {
    /// Whether a model may work for it in this process.
    pub fn may_compute(&self) -> bool {
        matches!(
            self,
            Self::ParsePrd(_)
                | Self::AnalyzeComplexity(_)
                | Self::ScopeUp(_)
                | Self::ScopeDown(_)
                | Self::Research(_)
                | Self::Recover(_)
                | Self::Kb(_)
                | Self::Prd(_)
                | Self::Eval(_)
                | Self::AddTask(_)
                | Self::Expand(_)
                | Self::Update(_)
                | Self::UpdateTask(_)
                | Self::UpdateSubtask(_)
                | Self::Doctor(_)
                | Self::Bench(_)
                | Self::Servers(servers::Command::Serve(_))
                | Self::Mcp(_)
        )
    }
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

/// Shows all commands.
pub fn print_help(report: &mut Report) {
    help::print(report);
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
        Command::AnalyzeComplexity(args) => analyze_complexity::run(&args, app, report),
        Command::ScopeUp(args) => scope::run(&args, Direction::Up, app, report),
        Command::ScopeDown(args) => scope::run(&args, Direction::Down, app, report),
        Command::Research(args) => research::run(&args, app, report),
        Command::Recover(args) => recover::run(&args, app, report),
        Command::Kb(args) => kb::run(&args, app, report),
        Command::Prd(args) => prd::run(&args, app, report),
        Command::Eval(args) => eval::run(&args, app, report),
        Command::ComplexityReport(args) => complexity_report::run(&args, app, report),
        Command::AddTask(args) => add_task::run(&args, app, report),
        Command::AddSubtask(args) => add_subtask::run(&args, app, report),
        Command::RemoveSubtask(args) => remove_subtask::run(&args, app, report),
        Command::RemoveTask(args) => remove_task::run(&args, app, report),
        Command::ClearSubtasks(args) => clear_subtasks::run(&args, app, report),
        Command::MoveTask(args) => move_task::run(&args, app, report),
        Command::AddDependency(args) => dependencies::run_add(&args, app, report),
        Command::RemoveDependency(args) => dependencies::run_remove(&args, app, report),
        Command::ValidateDependencies(args) => dependencies::run_validate(&args, app, report),
        Command::FixDependencies(args) => dependencies::run_fix(&args, app, report),
        Command::Tags(args) => tags::run(&args, app, report),
        Command::AddTag(args) => tags::deprecated::run_add(&args, app, report),
        Command::UseTag(args) => tags::deprecated::run_use(&args, app, report),
        Command::DeleteTag(args) => tags::deprecated::run_delete(&args, app, report),
        Command::RenameTag(args) => tags::deprecated::run_rename(&args, app, report),
        Command::CopyTag(args) => tags::deprecated::run_copy(&args, app, report),
        Command::Generate(args) => generate::run(&args, app, report),
        Command::SyncReadme(args) => sync_readme::run(&args, app, report),
        Command::Expand(args) => expand::run(&args, app, report),
        Command::Update(args) => update::run(&args, app, report),
        Command::UpdateTask(args) => update_task::run(&args, app, report),
        Command::UpdateSubtask(args) => update_subtask::run(&args, app, report),
        Command::Start(args) => start::run(&args, app, report),
        Command::Loop(args) => agent_loop::run(&args, app, report),
        Command::Autopilot(args) => autopilot::run(&args, app, report),
        Command::History(args) => history::run(&args, app, report),
        Command::Undo(args) => undo::run(&args, app, report),
        Command::Restore(args) => restore::run(&args, app, report),
        Command::Models(args) => models::run(&args, app, report),
        Command::Doctor(args) => doctor::run(&args, app, report),
        Command::Bench(args) => bench::run(&args, app, report),
        Command::Servers(command) => servers::run(command, app, report),
        Command::Mcp(args) => mcp::run(&args, app),
        Command::Completions(args) => completions::run(&args, report),
        Command::Man(args) => man::run(&args, app, report),
        Command::Lang(args) => lang::run(&args, app, report),
        Command::Rules(args) => rules::run(&args, app, report),
        Command::Migrate(args) => migrate::run(&args, app, report),
        Command::Help(args) => help::run(&args, report),
        Command::Tui => help::run(&help::Args::default(), report),
        Command::ReadPdf(_) => read_pdf::run(report),
        Command::Cloud(command) => cloud::run(&command, report),
    }
}

/// Says which tasks wait for less than before.
fn warn_about_lost(lost: &[LostLink], report: &mut Report) {
    for LostLink { task, dependency } in lost {
        report.warn(&format!("task {task} does not wait for {dependency} any more"));
    }
}
