//! `move`: tasks and subtasks get other ids, other tasks to be part of, other tags.

use std::path::PathBuf;

use tm_tasks::{
    id::TaskId,
    references::LostLink,
    relocate::{CrossTagMove, Links, MoveError, Moved, MovedToTag, move_tasks, move_to_tag},
};

use super::hints;
use crate::{
    app::{App, Workspace},
    report::{Advice, Report, advice, text::Text},
};

/// Move tasks and subtasks, within a tag or to another one
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The tasks file, seen from the project's root
    #[arg(long, short, value_name = "PATH")]
    file: Option<PathBuf>,

    /// What to move: tasks or subtasks, separated by commas
    #[arg(long, value_name = "IDS")]
    from: Option<String>,

    /// Their new ids, as many as there are things to move
    #[arg(long, value_name = "IDS")]
    to: Option<String>,

    /// Work on this tag instead of the current one
    #[arg(long)]
    tag: Option<String>,

    /// The tag that the tasks are in, instead of the current one
    #[arg(long, value_name = "TAG")]
    from_tag: Option<String>,

    /// The tag that the tasks go to; it is created when there is none
    #[arg(long, value_name = "TAG")]
    to_tag: Option<String>,

    /// Move to another tag what they depend on, too
    #[arg(long)]
    with_dependencies: bool,

    /// Give up dependencies that would lead to another tag
    #[arg(long)]
    ignore_dependencies: bool,
}

/// Runs `move`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let from = args.from.as_deref().ok_or_else(|| advice("nothing to move is named", USAGE))?;
    let ids = TaskId::parse_list(from)?;
    let links = Links::from_options(args.with_dependencies, args.ignore_dependencies);
    let links = links.map_err(|it| explain(&it, args))?;
    let workspace = app.open_tasks(args.file.as_deref(), report)?;
    let from_tag = workspace.tag(args.from_tag.as_deref().or(args.tag.as_deref()));
    match args.to_tag.clone().filter(|it| *it != from_tag) {
        Some(to_tag) => {
            if args.to.is_some() {
                report.warn("tasks keep their ids in another tag; --to is not looked at");
            }
            let request = CrossTagMove { ids, from_tag, to_tag, links };
            across(args, &request, &workspace, app, report)
        }
        None => within(args, &ids, &from_tag, &workspace, (app, report)),
    }
}

const USAGE: &str = "name what to move and where, such as `task-master move --from=5 --to=2.3`, \
                     or `task-master move --from=5 --to-tag=later`";

fn within(
    args: &Args,
    from: &[TaskId],
    tag: &str,
    workspace: &Workspace,
    (app, report): (&App, &mut Report),
) -> anyhow::Result<()> {
    let Some(to) = args.to.as_deref() else {
        let same = MoveError::SourceTargetTagsSame { tag: tag.to_owned() };
        return Err(match args.to_tag {
            Some(_) => explain(&same, args).into(),
            None => advice("no destination is named", USAGE).into(),
        });
    };
    let to_ids = TaskId::parse_list(to)?;
    let command = format!("move --from={} --to={to}", join(from));
    let results =
        workspace.change(&command, app.now, |file| move_tasks(file, tag, from, &to_ids))?;
    for (from, _, result) in results.map_err(|it| explain(&it, args))? {
        match result {
            Ok(moved) => print_moved(&moved, report),
            Err(error) => report.warn(&format!("{from} stays where it is: {error}")),
        }
    }
    Ok(())
}

fn print_moved(moved: &Moved, report: &mut Report) {
    super::warn_about_lost(&moved.lost, report);
    for subtask in &moved.lost_subtasks {
        let (id, title) = (subtask.id(), subtask.title());
        report.warn(&format!("a subtask has no subtasks; {id} is gone: {title}"));
    }
    let Moved { from, to, task, .. } = moved;
    report.done(Text::plain(&format!("Moved {from} to {to}: {}", task.title())));
    if !moved.lost_subtasks.is_empty() {
        report.suggest("task-master undo", "bring everything back");
    }
}

fn across(
    args: &Args,
    request: &CrossTagMove,
    workspace: &Workspace,
    app: &App,
    report: &mut Report,
) -> anyhow::Result<()> {
    let CrossTagMove { ids, from_tag, to_tag, .. } = request;
    let command = format!("move --from={} --from-tag={from_tag} --to-tag={to_tag}", join(ids));
    let moved = workspace.change(&command, app.now, |file| move_to_tag(file, request, app.now))?;
    let MovedToTag { moved, is_new_tag, given_up, left_behind } =
        moved.map_err(|it| explain(&it, args))?;
    super::warn_about_lost(&given_up, report);
    super::warn_about_lost(&left_behind, report);
    if is_new_tag {
        report.done(Text::plain(&format!("Created tag {to_tag}")));
    }
    for task in moved {
        let text = format!("Moved task {} to tag {to_tag}: {}", task.id(), task.title());
        report.done(Text::plain(&text));
    }
    report.suggest(&format!("task-master list --tag={to_tag}"), "see where they are");
    Ok(())
}

fn explain(error: &MoveError, args: &Args) -> Advice {
    let hint = match error {
        MoveError::TaskNotFound { .. }
        | MoveError::SubtaskNotFound { .. }
        | MoveError::ParentTaskNotFound { .. }
        | MoveError::ParentTaskNoSubtasks { .. }
        | MoveError::DestinationTaskNotFound { .. } => hints::TASKS.to_owned(),
        MoveError::TaskAlreadyExists { .. } => {
            "nothing was moved; move to an id that is free".to_owned()
        }
        MoveError::IntoItself { .. } => "name a subtask of another task".to_owned(),
        MoveError::IdCountMismatch { .. } => {
            "give --to as many ids as --from, in the same order".to_owned()
        }
        MoveError::InvalidSourceTag { .. } => hints::TAGS.to_owned(),
        MoveError::InvalidTargetTag { .. } => "choose another name with --to-tag".to_owned(),
        MoveError::SourceTargetTagsSame { .. } => {
            "name another tag with --to-tag, or new ids with --to".to_owned()
        }
        MoveError::CannotMoveSubtask { id } => {
            let parent = id.parent();
            format!(
                "make it a task first with `task-master remove-subtask --id={id} --convert`, or \
                 move all of task {parent}"
            )
        }
        MoveError::CrossTagDependencyConflicts { links } => conflict_hint(links, args),
        MoveError::ContradictoryOptions => "leave one of them out".to_owned(),
    };
    advice(error.to_string(), hint)
}

fn conflict_hint(links: &[LostLink], args: &Args) -> String {
    let mut needed: Vec<TaskId> = links.iter().map(|it| it.dependency.parent()).collect();
    needed.sort();
    needed.dedup();
    format!(
        "nothing was moved; add --with-dependencies to move them along, add --ignore-dependencies \
         to give the dependencies up, move {} first, or see them with `task-master show {}`",
        join(&needed),
        args.from.as_deref().unwrap_or_default(),
    )
}

fn join(ids: &[TaskId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
