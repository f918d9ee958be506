//! `remove-subtask`: subtasks that are not needed, or that are tasks of their own.

use std::path::PathBuf;

use tm_tasks::{
    id::TaskId,
    relocate::make_tasks,
    remove::{RemoveError, remove_subtasks},
};

use super::hints;
use crate::{
    app::App,
    report::{Advice, Report, advice, text::Text},
};

/// Remove subtasks, or make them tasks
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The tasks file, seen from the project's root
    #[arg(long, short, value_name = "PATH")]
    file: Option<PathBuf>,

    /// The subtasks, such as `3.1`, separated by commas
    #[arg(long, short, value_name = "IDS")]
    id: Option<String>,

    /// Keep them as tasks of their own
    #[arg(long, short)]
    convert: bool,

    /// Accepted, and has no effect
    #[arg(long)]
    generate: bool,

    /// Work on this tag instead of the current one
    #[arg(long)]
    tag: Option<String>,
}

/// Runs `remove-subtask`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let text = args.id.as_deref().ok_or_else(|| {
        advice("no subtask is named", "name some, such as `task-master remove-subtask --id=3.1`")
    })?;
    let ids = TaskId::parse_list(text)?;
    let workspace = app.open_tasks(args.file.as_deref(), report)?;
    let tag = workspace.tag(args.tag.as_deref());
    if args.convert {
        let command = format!("remove-subtask --id={text} --convert");
        let moved = workspace.change(&command, app.now, |file| make_tasks(file, &tag, &ids))?;
        for moved in moved.map_err(|it| explain(&it))? {
            super::warn_about_lost(&moved.lost, report);
            let (from, to, title) = (moved.from, moved.to, moved.task.title());
            report.done(Text::plain(&format!("Subtask {from} is task {to} now: {title}")));
        }
        return Ok(());
    }
    let command = format!("remove-subtask --id={text}");
    let removal = workspace.change(&command, app.now, |file| remove_subtasks(file, &tag, &ids))?;
    let removal = removal.map_err(|it| explain(&it))?;
    super::warn_about_lost(&removal.lost, report);
    for subtask in &removal.removed {
        let text = format!("Removed subtask {}: {}", subtask.id(), subtask.title());
        report.done(Text::plain(&text));
    }
    report.suggest("task-master undo", "bring back what was removed");
    Ok(())
}

/// What to do about something that cannot be removed.
pub(super) fn explain(error: &RemoveError) -> Advice {
    let hint = match error {
        RemoveError::NoTag { .. } => hints::TAGS,
        RemoveError::NotASubtask { .. } => "tasks are removed with `task-master remove-task`",
        RemoveError::NoTask { .. } | RemoveError::NoSubtask { .. } => hints::TASKS,
    };
    advice(error.to_string(), hint)
}
