//! `start`: gives a task to the `claude` program, which takes over the terminal.
//!
//! Whom the task goes to and what is said about it is known to `tm_workflows::agent`.

use std::{
    io::{self, ErrorKind},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
};

use serde::Serialize;
use serde_json::value::RawValue;
use tm_tasks::{
    document::Tag,
    id::TaskId,
    status::{SetStatusError, Status, set_status},
    store::StoreError,
    task::Task,
};
use tm_workflows::agent::{self, AgentCommand, Assignment, NoAssignment};

use super::Format;
use crate::{
    app::{App, Workspace, explain},
    interruption::interruption,
    report::{
        Report, Told, advice,
        text::{BOLD, DIM, Text},
    },
};

/// Hand a task to Claude Code
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task or subtask; the next one when none is named
    id: Option<String>,

    /// The same as the argument
    #[arg(long = "id", short, value_name = "ID")]
    id_option: Option<String>,

    /// How to print the result
    #[arg(long, short, value_enum, default_value_t)]
    format: Format,

    /// Print JSON; the same as `--format json`
    #[arg(long)]
    json: bool,

    /// Use the project in this directory
    #[arg(long, short, value_name = "PATH")]
    project: Option<PathBuf>,

    /// Show what would be run, and do nothing
    #[arg(long)]
    dry_run: bool,

    /// Start although other work is in progress
    #[arg(long)]
    force: bool,

    /// Leave the status of the task alone
    #[arg(long)]
    no_status_update: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    task: Option<Box<RawValue>>,
    found: bool,
    started: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    subtask_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subtask: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_output: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<&'a AgentCommand>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    storage_type: &'static str,
}

/// What the agent came to.
#[derive(Debug)]
struct Ended {
    status: ExitStatus,
    /// What it printed, where it did not print to the terminal.
    output: Option<String>,
}

/// Runs `start`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open(args.project.as_deref(), report)?;
    let is_json = args.json || args.format == Format::Json;
    let assignment = match assignment(args, &workspace)? {
        Ok(assignment) => assignment,
        Err(none) if is_json => {
            report.json(&Document { error: Some(none.to_string()), ..Document::empty() });
            return Err(Told.into());
        }
        Err(none) => return Err(told(&none)),
    };
    let command = AgentCommand::talking(assignment.prompt()?, workspace.project.root());
    if args.dry_run {
        if is_json {
            let output = Some("Dry run - task would be executed".to_owned());
            let document = Document::new(&assignment, &command);
            report.json(&Document { started: true, execution_output: output, ..document });
        } else {
            print(&assignment, &command, report);
        }
        return Ok(());
    }
    if !is_json {
        let id = assignment.target().id();
        report.line(Text::styled(BOLD, &format!("{id} {}", assignment.target().title())));
        report.suggest(&format!("task-master show {id}"), "see how far it is afterwards");
        report.flush();
    }
    let ended = work(args, app, &workspace, &assignment, &command)?;
    if is_json {
        let document = Document::new(&assignment, &command);
        report.json(&Document { started: true, execution_output: ended.output, ..document });
    }
    if ended.status.success() {
        return Ok(());
    }
    let message = format!("{} ended with {}", command.executable, ended.status);
    Err(advice(message, "the task is in progress still; see what is left to do").into())
}

/// What to work on, or why there is nothing.
fn assignment(
    args: &Args,
    workspace: &Workspace,
) -> anyhow::Result<Result<Assignment, NoAssignment>> {
    let id = args.id_option.as_deref().or(args.id.as_deref());
    let id: Option<TaskId> = id.map(str::parse).transpose()?;
    let file = workspace.read()?;
    let tag = workspace.tag(None);
    let tasks = file.tag(&tag).map(Tag::tasks).unwrap_or_default();
    let chosen = agent::choose(tasks, &tag, id.as_ref());
    Ok(chosen.and_then(|it| {
        if args.force { Ok(it) } else { agent::check_alone(tasks, &it).map(|()| it) }
    }))
}

fn told(none: &NoAssignment) -> anyhow::Error {
    let hint = match none {
        NoAssignment::NoTask { .. } => "see which tasks there are with `task-master list`",
        NoAssignment::NothingReady => {
            "see what the others wait for with `task-master list`, or name a task"
        }
        NoAssignment::InProgress { .. } => "finish it first, or add --force",
    };
    advice(none.to_string(), hint).into()
}

/// Starts the agent, notes that it is at work, and waits for it.
fn work(
    args: &Args,
    app: &App,
    workspace: &Workspace,
    assignment: &Assignment,
    command: &AgentCommand,
) -> anyhow::Result<Ended> {
    let is_json = args.json || args.format == Format::Json;
    let mut process = Command::new(&command.executable);
    process.args(&command.args).current_dir(&command.cwd);
    if is_json {
        process.stdout(Stdio::piped());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _inside = runtime.enter();
    // While the agent has the terminal, Ctrl-C is meant for it.
    drop(interruption());
    let child = process.spawn().map_err(|error| {
        let is_missing = error.kind() == ErrorKind::NotFound;
        let message = format!("the program `{}` cannot be run", command.executable);
        let hint = if is_missing {
            "install Claude Code, or see what it would be told with --dry-run"
        } else {
            "see what its permissions are"
        };
        anyhow::Error::new(error).context(advice(message, hint))
    })?;
    // The agent works whatever becomes of the note.
    let noted = if args.no_status_update { Ok(()) } else { note(app, workspace, assignment) };
    let ended = wait(child);
    noted?;
    Ok(ended?)
}

fn note(app: &App, workspace: &Workspace, assignment: &Assignment) -> anyhow::Result<()> {
    let (id, tag) = (assignment.target().id(), workspace.tag(None));
    let noted = workspace.store.commit_progress(&format!("start {id}"), app.now, |file| {
        Ok::<Result<_, SetStatusError>, StoreError>(set_status(
            file,
            &tag,
            &id,
            &Status::InProgress,
            app.now,
        ))
    });
    noted.map_err(explain)??;
    Ok(())
}

fn wait(child: Child) -> io::Result<Ended> {
    let ended = child.wait_with_output()?;
    let output = String::from_utf8_lossy(&ended.stdout).into_owned();
    Ok(Ended { status: ended.status, output: Some(output).filter(|it| !it.is_empty()) })
}

fn print(assignment: &Assignment, command: &AgentCommand, report: &mut Report) {
    let target = assignment.target();
    report.line(Text::styled(BOLD, &format!("{} {}", target.id(), target.title())));
    report
        .line(Text::styled(DIM, "in: ").and_text(Text::plain(&command.cwd.display().to_string())));
    report
        .line(Text::styled(DIM, "run: ").and_text(format!("{} PROMPT", command.executable).into()));
    report.blank();
    let lines = command.args.iter().flat_map(|it| it.lines());
    report.lines(lines.map(Text::plain));
}

impl<'a> Document<'a> {
    fn empty() -> Self {
        Self {
            task: None,
            found: false,
            started: false,
            subtask_id: None,
            subtask: None,
            execution_output: None,
            command: None,
            error: None,
            storage_type: "file",
        }
    }

    fn new(assignment: &Assignment, command: &'a AgentCommand) -> Self {
        let raw = |it: &Task| RawValue::from_string(it.to_json()).ok();
        let subtask = assignment.subtask.as_ref();
        Self {
            task: raw(&assignment.task),
            found: true,
            subtask_id: subtask.and_then(|it| it.id().subtask().map(str::to_owned)),
            subtask: subtask.and_then(raw),
            command: Some(command),
            ..Self::empty()
        }
    }
}
