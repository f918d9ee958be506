//! `remove-task`: tasks and subtasks that are not needed any more.
//!
//! Asks before it removes anything. What does not exist is told, and is no failure: it is gone.

use std::path::PathBuf;

use tm_tasks::{
    document::TaskFile,
    id::TaskId,
    remove::{RemoveError, delete_generated, remove_tasks},
    task::Task,
};

use super::{hints, remove_subtask::explain};
use crate::{
    app::{App, Workspace},
    report::{
        Report, advice,
        text::{DIM, Text},
    },
};

/// Remove tasks and subtasks
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The tasks and subtasks, separated by commas
    #[arg(long, short, value_name = "IDS")]
    id: Option<String>,

    /// The tasks file, seen from the project's root
    #[arg(long, short, value_name = "PATH")]
    file: Option<PathBuf>,

    /// Do not ask
    #[arg(long, short)]
    yes: bool,

    /// Work on this tag instead of the current one
    #[arg(long)]
    tag: Option<String>,
}

/// Runs `remove-task`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let text = args.id.as_deref().filter(|it| !it.trim().is_empty()).ok_or_else(|| {
        advice("no task is named", "name some, such as `task-master remove-task --id=3,4.1`")
    })?;
    let (ids, errors) = TaskId::parse_each(text);
    let workspace = app.open_tasks(args.file.as_deref(), report)?;
    let tag = workspace.tag(args.tag.as_deref());
    if !args.yes {
        let (there, _) = look_up(&workspace.read()?, &tag, &ids)?;
        if !there.is_empty() && !confirm(&there, report)? {
            report.line("Nothing was removed");
            return Ok(());
        }
    }
    let command = format!("remove-task --id={text}");
    let (removal, missing) = workspace.change(&command, app.now, |file| {
        let (there, missing) = look_up(file, &tag, &ids)?;
        let removal = (!there.is_empty()).then(|| remove_tasks(file, &tag, &ids)).transpose();
        anyhow::Ok((removal.map_err(|it| explain(&it))?, missing))
    })??;
    for error in &errors {
        report.warn(&error.to_string());
    }
    for id in &missing {
        report.warn(&format!("there is no task {id} in tag `{tag}`"));
    }
    let Some(removal) = removal else {
        report.line("Nothing to remove");
        report.note(hints::TASKS);
        return Ok(());
    };
    super::warn_about_lost(&removal.lost, report);
    for task in &removal.removed {
        report.done(Text::plain(&format!("Removed {}: {}", kind(task), task.title())));
    }
    for id in ids.iter().filter(|it| it.is_subtask() && ids.contains(&it.parent())) {
        if !missing.contains(id) {
            report.done(format!("Removed subtask {id}, with its task"));
        }
    }
    delete_files(&workspace, &tag, &removal.removed, report);
    report.suggest("task-master undo", "bring back what was removed");
    Ok(())
}

fn look_up(file: &TaskFile, tag: &str, ids: &[TaskId]) -> anyhow::Result<(Vec<Task>, Vec<TaskId>)> {
    let no_tag = || explain(&RemoveError::NoTag { tag: tag.to_owned() });
    let tag = file.tag(tag).ok_or_else(no_tag)?;
    let mut there = Vec::new();
    let mut missing = Vec::new();
    for id in ids {
        match tag.find(id) {
            Some(task) => there.push(task),
            None => missing.push(id.clone()),
        }
    }
    Ok((there, missing))
}

fn confirm(tasks: &[Task], report: &mut Report) -> anyhow::Result<bool> {
    if !report.is_interactive() {
        let hint = "add --yes to remove without being asked";
        return Err(advice("nobody is there to confirm it; nothing was removed", hint).into());
    }
    for task in tasks {
        report.line(Text::plain(&format!("{}: {}", kind(task), task.title())));
        let parts = task.subtasks().len();
        if parts > 0 {
            report.line(Text::styled(DIM, &format!("  with its {parts} subtasks")));
        }
    }
    Ok(report.ask("Remove?", false))
}

/// A file that stays behind is a pity and no more: the tasks are removed.
fn delete_files(workspace: &Workspace, tag: &str, removed: &[Task], report: &mut Report) {
    let Some(directory) = workspace.store.path().parent() else { return };
    if let Err(error) = delete_generated(directory, tag, removed) {
        report.warn(&format!("the file generated for a removed task cannot be deleted: {error}"));
    }
}

fn kind(task: &Task) -> String {
    let id = task.id();
    if id.is_subtask() { format!("subtask {id}") } else { format!("task {id}") }
}
