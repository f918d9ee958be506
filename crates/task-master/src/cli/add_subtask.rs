//! `add-subtask`: one more part of a task, new or from a task that is there.

use std::path::PathBuf;

use tm_tasks::{
    add::{AddSubtaskError, AddedSubtask, SubtaskDraft, add_subtask},
    id::TaskId,
    relocate::{ConvertError, Moved, make_subtask},
    status::Status,
};

use super::hints;
use crate::{
    app::{App, Workspace},
    report::{Advice, Report, advice, text::Text},
};

/// Add a subtask, or make a task one
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The tasks file, seen from the project's root
    #[arg(long, short, value_name = "PATH")]
    file: Option<PathBuf>,

    /// The task that gets the subtask
    #[arg(long, short, value_name = "ID")]
    parent: Option<String>,

    /// The task that becomes a subtask
    #[arg(long, short = 'i', value_name = "ID")]
    task_id: Option<String>,

    /// The title of a new subtask
    #[arg(long, short, value_name = "TEXT")]
    title: Option<String>,

    /// The description of a new subtask
    #[arg(long, short, value_name = "TEXT")]
    description: Option<String>,

    /// How it is to be done
    #[arg(long, value_name = "TEXT")]
    details: Option<String>,

    /// What must be done before, separated by commas: a number names a subtask beside it, or a
    /// task where there is none
    #[arg(long, value_name = "IDS")]
    dependencies: Option<String>,

    /// The status of a new subtask
    #[arg(long, short, default_value = "pending")]
    status: String,

    /// Accepted, and has no effect
    #[arg(long)]
    generate: bool,

    /// Work on this tag instead of the current one
    #[arg(long)]
    tag: Option<String>,
}

/// Runs `add-subtask`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let parent = args.parent.as_deref().ok_or_else(|| advice("no task is named", USAGE))?;
    let parent: TaskId = parent.parse()?;
    match (args.task_id.as_deref(), args.title.as_deref()) {
        (Some(id), _) => convert(args, &id.parse()?, &parent, app, report),
        (None, Some(title)) => {
            let draft = args.draft(title, report)?;
            add(args, &parent, &draft, app, report)
        }
        (None, None) => Err(advice("nothing says what the subtask is", USAGE).into()),
    }
}

const USAGE: &str = "name the task and the subtask, such as \
                     `task-master add-subtask --parent=3 --title=Login`, or a task that becomes \
                     one with --task-id";

impl Args {
    fn draft(&self, title: &str, report: &mut Report) -> anyhow::Result<SubtaskDraft> {
        let (dependencies, errors) =
            TaskId::parse_each(self.dependencies.as_deref().unwrap_or_default());
        for error in errors {
            report.warn(&format!("{error}; it is left out of the dependencies"));
        }
        Ok(SubtaskDraft {
            title: title.to_owned(),
            description: self.description.clone().unwrap_or_default(),
            details: self.details.clone().unwrap_or_default(),
            status: self.status.parse::<Status>()?,
            dependencies,
        })
    }

    fn open(&self, app: &App, report: &mut Report) -> anyhow::Result<(Workspace, String)> {
        let workspace = app.open_tasks(self.file.as_deref(), report)?;
        let tag = workspace.tag(self.tag.as_deref());
        Ok((workspace, tag))
    }
}

fn add(
    args: &Args,
    parent: &TaskId,
    draft: &SubtaskDraft,
    app: &App,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (workspace, tag) = args.open(app, report)?;
    let command = format!("add-subtask --parent={parent} --title={}", draft.title);
    let added =
        workspace.change(&command, app.now, |file| add_subtask(file, &tag, parent, draft))?;
    let AddedSubtask { subtask, missing } = added.map_err(|it| explain_add(&it))?;
    for id in missing {
        report.warn(&format!("there is no task {id}; it is left out of the dependencies"));
    }
    report.done(Text::plain(&format!("Subtask {}: {}", subtask.id(), draft.title)));
    report.suggest(&format!("task-master show {parent}"), "see the task");
    Ok(())
}

fn convert(
    args: &Args,
    id: &TaskId,
    parent: &TaskId,
    app: &App,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (workspace, tag) = args.open(app, report)?;
    let command = format!("add-subtask --parent={parent} --task-id={id}");
    let moved = workspace.change(&command, app.now, |file| make_subtask(file, &tag, id, parent))?;
    let Moved { to, task, lost, .. } = moved.map_err(|it| explain_convert(&it))?;
    super::warn_about_lost(&lost, report);
    report.done(Text::plain(&format!("Task {id} is subtask {to} now: {}", task.title())));
    report.suggest(&format!("task-master show {parent}"), "see the task");
    Ok(())
}

fn explain_add(error: &AddSubtaskError) -> Advice {
    let hint = match error {
        AddSubtaskError::NoTitle => USAGE,
        AddSubtaskError::NoTag { .. } => hints::TAGS,
        AddSubtaskError::NoTask { .. } => hints::TASKS,
        AddSubtaskError::NotATask { .. } => "name the task that it is a part of",
    };
    advice(error.to_string(), hint)
}

fn explain_convert(error: &ConvertError) -> Advice {
    let hint = match error {
        ConvertError::NoTag { .. } => hints::TAGS,
        ConvertError::NoTask { .. } => hints::TASKS,
        ConvertError::NotATask { .. } => "move it to another task with `task-master move`",
        ConvertError::IntoItself { .. } => "name another task with --parent",
        ConvertError::Circle { .. } => {
            "remove the dependency first with `task-master remove-dependency`"
        }
    };
    advice(error.to_string(), hint)
}
