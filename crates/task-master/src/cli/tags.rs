//! `tags`: lists of tasks side by side, such as one for each feature.
//!
//! The rules are those of [`tm_tasks::tags`]. `deprecated` has the commands that `tags` took the
//! place of.

use clap::Subcommand;
use tm_tasks::tags::{Tags, TagsError, summaries};

use super::marks::count;
use crate::{
    app::{App, Workspace, explain},
    git::current_branch,
    report::{Report, advice},
};

pub(super) mod deprecated;
mod screen;

/// List, add, use, remove, rename or copy tags
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Option<TagsCommand>,

    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Subcommand)]
enum TagsCommand {
    /// List the tags; the same as no command
    List(ListArgs),
    /// Add a tag
    Add(AddArgs),
    /// Make a tag the current one
    Use { name: String },
    /// Remove a tag with all of its tasks
    Remove {
        name: String,

        /// Ask nothing
        #[arg(long, short)]
        yes: bool,
    },
    /// Give a tag another name
    Rename { old_name: String, new_name: String },
    /// Copy a tag with all of its tasks
    Copy {
        source: String,

        target: String,

        /// What the copy is for
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
    },
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    /// Show when each tag was made, and what for
    #[arg(long)]
    show_metadata: bool,

    /// Only tags with tasks that can be worked on now
    #[arg(long)]
    ready: bool,
}

#[derive(Debug, Default, clap::Args)]
struct AddArgs {
    /// What the tag is called
    #[arg(required_unless_present = "from_branch")]
    name: Option<String>,

    /// What the tag is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,

    /// Start with copies of the tasks of this tag
    #[arg(long, value_name = "TAG")]
    copy_from: Option<String>,

    /// Call the tag after the git branch that is checked out
    #[arg(long)]
    from_branch: bool,
}

/// Runs `tags`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = match &args.command {
        None | Some(TagsCommand::List(_)) => app.open(None, report)?,
        Some(_) => app.open_tasks(None, report)?,
    };
    match &args.command {
        None => list(&args.list, &workspace, report),
        Some(TagsCommand::List(list_args)) => list(list_args, &workspace, report),
        Some(TagsCommand::Add(add_args)) => add(add_args, app, &workspace, report),
        Some(TagsCommand::Use { name }) => switch(name, app, &workspace, report),
        Some(TagsCommand::Remove { name, yes }) => remove(name, *yes, app, &workspace, report),
        Some(TagsCommand::Rename { old_name, new_name }) => {
            rename([old_name, new_name], app, &workspace, report)
        }
        Some(TagsCommand::Copy { source, target, description }) => {
            copy([source, target], description.as_deref(), app, &workspace, report)
        }
    }
}

fn list(args: &ListArgs, workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let file = workspace.read()?;
    let current = workspace.tag(None);
    let mut tags = summaries(&file, &current);
    if tags.is_empty() {
        report.line("There are no tags yet.");
        report.suggest("task-master parse-prd FILE", "make tasks from requirements");
        return Ok(());
    }
    if args.ready {
        tags.retain(|it| it.ready > 0);
        if tags.is_empty() {
            report.line("No tag has a task that can be worked on now.");
            return Ok(());
        }
    }
    screen::print(&tags, args.show_metadata, report);
    if file.tag(&current).is_none() {
        report.note(&format!("the current tag is `{current}`, which has no tasks"));
    }
    Ok(())
}

fn add(
    args: &AddArgs,
    app: &App,
    workspace: &Workspace,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (source, description) = (args.copy_from.as_deref(), args.description.as_deref());
    let added = with_tags(app, workspace, |tags| {
        if !args.from_branch {
            return Ok(tags.add(args.name.as_deref().unwrap_or_default(), source, description)?);
        }
        if let Some(name) = &args.name {
            report.note(&format!("the tag is called after the branch, and not `{name}`"));
        }
        let branch = current_branch(workspace.project.root())?;
        Ok(tags.add_for_branch(&branch, source, description)?)
    })?;
    let copied = match &added.source {
        Some(source) => format!(", with {} of {source}", count(added.tasks_copied, "task")),
        None => String::new(),
    };
    report.done(format!("Tag {} added{copied}", added.name));
    if let Some(missing) = &added.missing_source {
        report.warn(&format!("there is no tag `{missing}` to copy from; the new tag is empty"));
    }
    report.suggest(&format!("task-master tags use {}", added.name), "make it the current one");
    Ok(())
}

fn switch(name: &str, app: &App, workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let used = with_tags(app, workspace, |tags| Ok(tags.switch(name)?))?;
    if used.previous == used.name {
        report.done(format!("Tag {name} is current already"));
    } else {
        let tasks = count(used.tasks, "task");
        report.done(format!("Tag {name} is current now, with {tasks}; it was {}", used.previous));
    }
    if workspace.environment.variable("TASKMASTER_TAG").is_some_and(|it| it != name) {
        report.warn("TASKMASTER_TAG is set, and overrules the current tag");
    }
    report.suggest("task-master next", "see what to work on");
    Ok(())
}

fn remove(
    name: &str,
    yes: bool,
    app: &App,
    workspace: &Workspace,
    report: &mut Report,
) -> anyhow::Result<()> {
    if !yes && let Some(tag) = workspace.read()?.tag(name) {
        let tasks = count(tag.tasks().len(), "task");
        if !report.is_interactive() {
            let hint = "to remove it, add --yes";
            return Err(advice(format!("tag `{name}` has {tasks}; nobody was asked"), hint).into());
        }
        if !report.ask(&format!("Remove tag {name} with {tasks}?"), false) {
            report.line("Nothing was changed.");
            return Ok(());
        }
    }
    let removed = with_tags(app, workspace, |tags| Ok(tags.remove(name)?))?;
    report.done(format!("Tag {name} removed, with {}", count(removed.tasks, "task")));
    if removed.was_current {
        report.line("  Tag master is current now");
    }
    report.suggest("task-master undo", "bring it back");
    Ok(())
}

fn rename(
    [old, new]: [&str; 2],
    app: &App,
    workspace: &Workspace,
    report: &mut Report,
) -> anyhow::Result<()> {
    let renamed = with_tags(app, workspace, |tags| Ok(tags.rename(old, new)?))?;
    report.done(format!("Tag {old} is called {new} now, with {}", count(renamed.tasks, "task")));
    if renamed.was_current {
        report.line("  It stays the current one");
    }
    Ok(())
}

fn copy(
    [source, target]: [&str; 2],
    description: Option<&str>,
    app: &App,
    workspace: &Workspace,
    report: &mut Report,
) -> anyhow::Result<()> {
    let copied = with_tags(app, workspace, |tags| Ok(tags.copy(source, target, description)?))?;
    report.done(format!("Tag {target} added, with {} of {source}", count(copied.tasks, "task")));
    report.suggest(&format!("task-master tags use {target}"), "make it the current one");
    Ok(())
}

/// The tags of the workspace, and what to do when they cannot be changed.
fn with_tags<T>(
    app: &App,
    workspace: &Workspace,
    work: impl FnOnce(&Tags<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let tags = Tags {
        store: &workspace.store,
        state_file: &workspace.project.state_file(),
        current: &workspace.tag(None),
        now: app.now,
    };
    work(&tags).map_err(|error| match error.downcast::<TagsError>() {
        Ok(TagsError::Store(error)) => explain(error),
        Ok(error) => advice(error.to_string(), hint(&error)).into(),
        Err(error) => error,
    })
}

fn hint(error: &TagsError) -> &'static str {
    match error {
        TagsError::NoTag { .. } | TagsError::Taken(_) => {
            "see which tags there are with `task-master tags`"
        }
        TagsError::BadName { .. } | TagsError::Reserved { .. } => "find another name",
        TagsError::Master => "other tags can; copy it with `task-master tags copy master NAME`",
        TagsError::TrunkBranch { .. } => {
            "check out another branch, or name the tag with `task-master tags add NAME`"
        }
        TagsError::Store(_) => "nothing was changed; try again",
    }
}
