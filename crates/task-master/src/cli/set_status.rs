//! `set-status`: says what tasks are up to.
//!
//! Of several tasks, those that exist are changed, all at once; the others are a failure.

use std::path::PathBuf;

use serde::Serialize;
use tm_tasks::{
    document::TaskFile,
    graph::{NextTask, next_task},
    id::TaskId,
    status::{SetStatusError, Status, StatusChange, set_status},
    store::StoreError,
    timestamp::{Timestamp, iso_millis},
};

use super::{Format, marks};
use crate::{
    app::{App, explain},
    report::{
        Report, Told, advice,
        text::{DIM, Text},
    },
};

/// Set the status of one task, or of several
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task or subtask, such as `3` or `3.1`; several are separated by commas
    id: Option<String>,

    /// pending, in-progress, done, review, deferred, cancelled or blocked
    status: Option<String>,

    /// The same as the first argument
    #[arg(long = "id", short, value_name = "ID")]
    id_option: Option<String>,

    /// The same as the second argument
    #[arg(long = "status", short, value_name = "STATUS")]
    status_option: Option<String>,

    /// How to print the result
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

/// What became of the tasks that were named.
#[derive(Debug, Default)]
struct Outcome {
    changes: Vec<StatusChange>,
    failures: Vec<(TaskId, SetStatusError)>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    updated_tasks: Vec<UpdatedTask>,
    storage_type: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UpdatedTask {
    task_id: String,
    old_status: String,
    new_status: String,
}

/// Runs `set-status`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let ids = args.ids()?;
    let status = args.status()?;
    let is_json = args.json || args.format == Format::Json;
    // A document is printed all the same.
    if args.silent && !is_json {
        report.silence();
    }
    let workspace = app.open(args.project.as_deref(), report)?;
    let tag = workspace.tag(None);
    let now = app.now;
    let command = format!("set-status --id={} --status={status}", join(&ids));
    let changed = workspace.store.commit_progress(&command, now, |file| {
        let outcome = set_all(file, &tag, &ids, &status, now);
        let next = file.tag(&tag).and_then(|it| next_task(it.tasks()));
        Ok::<_, StoreError>((outcome, next))
    });
    let (outcome, next) = changed.map_err(explain)?;
    if is_json {
        report.json(&document(&outcome, now));
        return if outcome.failures.is_empty() { Ok(()) } else { Err(Told.into()) };
    }
    for change in &outcome.changes {
        print_change(change, report);
    }
    if !outcome.failures.is_empty() {
        let hint = "see which tasks there are with `task-master list`";
        return Err(advice(outcome.problem(), hint).into());
    }
    print_next(next.as_ref(), report);
    Ok(())
}

impl Args {
    fn ids(&self) -> anyhow::Result<Vec<TaskId>> {
        let text = self.id_option.as_deref().or(self.id.as_deref());
        let text = text.ok_or_else(|| advice("no task is named", USAGE))?;
        Ok(TaskId::parse_list(text)?)
    }

    /// With `--id`, an only argument is the status.
    fn status(&self) -> anyhow::Result<Status> {
        let only = self.id.as_deref().filter(|_| self.id_option.is_some());
        let text = self.status_option.as_deref().or(self.status.as_deref()).or(only);
        let text = text.ok_or_else(|| advice("no status is named", USAGE))?;
        Ok(text.parse()?)
    }
}

const USAGE: &str = "name both, such as `task-master set-status --id=3 --status=done`";

fn set_all(
    file: &mut TaskFile,
    tag: &str,
    ids: &[TaskId],
    status: &Status,
    now: Timestamp,
) -> Outcome {
    let mut outcome = Outcome::default();
    for id in ids {
        match set_status(file, tag, id, status, now) {
            Ok(change) => outcome.changes.push(change),
            Err(error) => outcome.failures.push((id.clone(), error)),
        }
    }
    outcome
}

impl Outcome {
    /// All that went wrong.
    fn problem(&self) -> String {
        let messages: Vec<_> = self.failures.iter().map(|(_, error)| error.to_string()).collect();
        messages.join("; ")
    }
}

fn document(outcome: &Outcome, now: Timestamp) -> Document {
    let failure = outcome.failures.first();
    Document {
        success: failure.is_none(),
        error: failure.map(|_| outcome.problem()),
        task_id: failure.map(|(id, _)| id.to_string()),
        timestamp: failure.map(|_| iso_millis(now)),
        updated_tasks: outcome.changes.iter().map(updated).collect(),
        storage_type: "file",
    }
}

fn updated(change: &StatusChange) -> UpdatedTask {
    UpdatedTask {
        task_id: change.id.to_string(),
        old_status: change.old.to_string(),
        new_status: change.new.to_string(),
    }
}

fn print_change(change: &StatusChange, report: &mut Report) {
    let id = &change.id;
    if change.old == change.new {
        report.done(Text::plain(&format!("Task {id} is {} already", change.new)));
    } else {
        report.done(Text::plain(&format!("Task {id}: {} → {}", change.old, change.new)));
    }
    if let Some(parent) = &change.parent {
        let text =
            format!("  Task {}: {} → {}, like its subtasks", parent.id, parent.old, parent.new);
        report.line(Text::styled(DIM, &text));
    }
}

fn print_next(next: Option<&NextTask>, report: &mut Report) {
    let Some(next) = next else { return };
    report.blank();
    let columns = report.columns().unwrap_or(usize::MAX);
    let title = format!("Next  {} {}", next.task.id(), next.task.title());
    report.line(Text::plain(&title).fit(columns));
    marks::suggest_work(&next.task, report);
}

fn join(ids: &[TaskId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
