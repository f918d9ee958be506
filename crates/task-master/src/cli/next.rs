//! `next`: the one task to work on now.

use std::path::PathBuf;

use serde::Serialize;
use tm_tasks::{
    document::Tag,
    graph::{NextTask, next_task},
};

use super::{
    Format, marks,
    record::{SubtaskRecord, TaskRecord},
};
use crate::{
    app::App,
    report::{
        Report,
        text::{BOLD, DIM, Text},
    },
};

/// Show the task to work on next
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Look in this tag instead of the current one
    #[arg(long, short)]
    tag: Option<String>,

    /// How to print the task
    #[arg(long, short, value_enum, default_value_t)]
    format: Format,

    /// Print JSON; the same as `--format json`
    #[arg(long)]
    json: bool,

    /// Print nothing but warnings and errors
    #[arg(long)]
    silent: bool,

    /// Use the project in this directory
    #[arg(long, short, value_name = "PATH")]
    project: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Next<'a> {
    task: Option<Record<'a>>,
    found: bool,
    tag: &'a str,
    storage_type: &'static str,
    has_any_tasks: bool,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Record<'a> {
    Task(Box<TaskRecord<'a>>),
    Subtask(SubtaskRecord<'a>),
}

/// Runs `next`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    if args.silent {
        report.silence();
    }
    let workspace = app.open(args.project.as_deref(), report)?;
    let tag = workspace.tag(args.tag.as_deref());
    let file = workspace.read_annotated(Some(&tag), report)?;
    let tasks = file.tag(&tag).map(Tag::tasks).unwrap_or_default();
    let next = next_task(tasks);
    if args.json || args.format == Format::Json {
        report.json(&Next {
            task: next.as_ref().map(record),
            found: next.is_some(),
            tag: &tag,
            storage_type: "file",
            has_any_tasks: !tasks.is_empty(),
        });
        return Ok(());
    }
    match next {
        Some(next) => print(&next, report),
        None if tasks.is_empty() => {
            report.line(format!("No tasks found in tag {tag}."));
            report.suggest("task-master parse-prd FILE", "make tasks from requirements");
        }
        None => {
            report.line("No task can be worked on now: all are done, or wait for others.");
            report.suggest("task-master list", "see what they wait for");
        }
    }
    Ok(())
}

fn record(next: &NextTask) -> Record<'_> {
    if next.task.id().is_subtask() {
        return Record::Subtask(SubtaskRecord::new(next));
    }
    Record::Task(Box::new(TaskRecord::new(&next.task).with_subtasks(next.task.subtasks())))
}

fn print(next: &NextTask, report: &mut Report) {
    let task = &next.task;
    let id = task.id();
    let columns = report.columns().unwrap_or(LINE_MAX).min(LINE_MAX);
    let title = Text::styled(BOLD, &format!("Next  {id} {}", task.title()));
    report.lines(title.wrap(columns));
    let status = marks::status(&task.status());
    let priority = marks::priority(Some(&next.priority));
    report.line(status.and(DIM, " · ").and_text(priority).and(DIM, " priority"));
    if !task.description().is_empty() {
        report.blank();
        report.lines(Text::plain(&task.description()).wrap(columns));
    }
    report.blank();
    marks::suggest_work(task, report);
}

/// Long lines are hard to read, however wide the terminal is.
const LINE_MAX: usize = 100;
