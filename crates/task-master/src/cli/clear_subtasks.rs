//! `clear-subtasks`: tasks go back to being whole.

use std::path::PathBuf;

use tm_tasks::{
    id::TaskId,
    remove::{Whose, clear_subtasks},
};

use super::remove_subtask::explain;
use crate::{
    app::App,
    report::{Report, advice, text::Text},
};

/// Remove all subtasks of tasks
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The tasks file, seen from the project's root
    #[arg(long, short, value_name = "PATH")]
    file: Option<PathBuf>,

    /// The tasks, separated by commas
    #[arg(long, short, value_name = "IDS")]
    id: Option<String>,

    /// All tasks of the tag
    #[arg(long)]
    all: bool,

    /// Work on this tag instead of the current one
    #[arg(long)]
    tag: Option<String>,
}

/// Runs `clear-subtasks`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let (whose, command) = match (args.all, args.id.as_deref()) {
        (true, _) => (Whose::All, "clear-subtasks --all".to_owned()),
        (false, Some(text)) => {
            (Whose::These(TaskId::parse_list(text)?), format!("clear-subtasks --id={text}"))
        }
        (false, None) => {
            let hint = "name some with --id, or add --all";
            return Err(advice("no task is named", hint).into());
        }
    };
    let workspace = app.open_tasks(args.file.as_deref(), report)?;
    let tag = workspace.tag(args.tag.as_deref());
    let removal = workspace.change(&command, app.now, |file| clear_subtasks(file, &tag, &whose))?;
    let removal = removal.map_err(|it| explain(&it))?;
    for id in &removal.missing {
        report.warn(&format!("there is no task {id} in tag `{tag}`"));
    }
    super::warn_about_lost(&removal.lost, report);
    if removal.removed.is_empty() {
        report.line("There are no subtasks to remove");
        return Ok(());
    }
    for task in &removal.removed {
        let (id, count) = (task.id(), task.subtasks().len());
        let noun = if count == 1 { "subtask" } else { "subtasks" };
        report.done(Text::plain(&format!("Task {id}: removed {count} {noun}")));
    }
    report.suggest("task-master undo", "bring back what was removed");
    Ok(())
}
