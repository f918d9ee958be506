//! `add-dependency`, `remove-dependency`, `validate-dependencies` and `fix-dependencies`: who
//! waits for whom.
//!
//! What makes sense is decided by [`tm_tasks::dependencies`].

use std::path::PathBuf;

use tm_tasks::{
    dependencies::{
        DependencyChange, DependencyError, Issue, add_dependency, fix, remove_dependency, validate,
    },
    document::{Tag, TaskFile},
    graph::Graph,
    id::TaskId,
    task::Task,
};

use super::marks::{self, count};
use crate::{
    app::App,
    report::{
        Advice, Report, advice,
        table::Table,
        text::{DIM, Text, YELLOW},
    },
};

/// Of `add-dependency` and `remove-dependency`.
#[derive(Debug, clap::Args)]
pub struct ChangeArgs {
    /// The task or subtask that waits, such as `3` or `3.1`
    #[arg(long, short)]
    id: Option<String>,

    /// The task or subtask that it waits for
    #[arg(long, short, value_name = "ID")]
    depends_on: Option<String>,

    #[command(flatten)]
    place: Place,
}

/// Of `validate-dependencies` and `fix-dependencies`.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, clap::Args)]
struct Place {
    /// The tasks file, seen from the project's root
    #[arg(long, short, value_name = "PATH")]
    file: Option<PathBuf>,

    /// Work on this tag instead of the current one
    #[arg(long)]
    tag: Option<String>,
}

/// Runs `add-dependency`.
pub fn run_add(args: &ChangeArgs, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let (id, on) = args.ids("add-dependency")?;
    let workspace = app.open_tasks(args.place.file.as_deref(), report)?;
    let tag = workspace.tag(args.place.tag.as_deref());
    let command = format!("add-dependency --id={id} --depends-on={on}");
    let changed = workspace.change(&command, app.now, |file| {
        let change = add_dependency(file, &tag, &id, &on)?;
        Ok((list(&change, file, &tag), change))
    })?;
    let (list, change) = changed.map_err(|it| explain(&it))?;
    if change.has_changed {
        report.done(format!("Task {id} waits for {on}"));
    } else {
        report.warn(&format!("task {id} waits for {on} already; nothing was changed"));
    }
    report.lines(list);
    Ok(())
}

/// Runs `remove-dependency`.
pub fn run_remove(args: &ChangeArgs, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let (id, on) = args.ids("remove-dependency")?;
    let workspace = app.open_tasks(args.place.file.as_deref(), report)?;
    let tag = workspace.tag(args.place.tag.as_deref());
    let command = format!("remove-dependency --id={id} --depends-on={on}");
    let changed = workspace.change(&command, app.now, |file| {
        let change = remove_dependency(file, &tag, &id, &on)?;
        Ok((list(&change, file, &tag), change))
    })?;
    let (list, change) = changed.map_err(|it| explain(&it))?;
    if change.has_changed {
        report.done(format!("Task {id} waits for {} no longer", change.dependency));
    } else {
        report.warn(&format!("task {id} does not wait for {on}; nothing was changed"));
    }
    report.lines(list);
    Ok(())
}

/// Runs `validate-dependencies`.
pub fn run_validate(args: &CheckArgs, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open_tasks(args.place.file.as_deref(), report)?;
    let tag = workspace.tag(args.place.tag.as_deref());
    let file = workspace.read()?;
    let tasks = tasks_of(&file, &tag)?;
    let issues = validate(tasks);
    if issues.is_empty() {
        report.done(format!("{} of tag {tag} are sound", size(tasks)));
        return Ok(());
    }
    let found = format!("{} in {} of tag {tag}", count(issues.len(), "problem"), size(tasks));
    report.line(Text::styled(YELLOW, &found));
    report.blank();
    print_issues(&issues, report);
    report.blank();
    report.suggest(&format!("task-master fix-dependencies --tag={tag}"), "remove all of them");
    Ok(())
}

/// Runs `fix-dependencies`.
pub fn run_fix(args: &CheckArgs, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open_tasks(args.place.file.as_deref(), report)?;
    let tag = workspace.tag(args.place.tag.as_deref());
    let fixed = workspace.change("fix-dependencies", app.now, |file| {
        let removed = fix(file, &tag)?;
        Ok((removed, file.tag(&tag).map_or_else(String::new, |it| size(it.tasks()))))
    })?;
    let (removed, size) = fixed.map_err(|it| explain(&it))?;
    if removed.is_empty() {
        report.done(format!("{size} of tag {tag} are sound; nothing was changed"));
        return Ok(());
    }
    let number = match removed.len() {
        1 => "1 dependency".to_owned(),
        number => format!("{number} dependencies"),
    };
    report.done(format!("{number} of tag {tag} removed"));
    report.blank();
    print_issues(&removed, report);
    report.blank();
    report.suggest("task-master undo", "bring them back");
    Ok(())
}

impl ChangeArgs {
    fn ids(&self, command: &str) -> anyhow::Result<(TaskId, TaskId)> {
        let hint = || format!("name both, such as `task-master {command} --id=3 --depends-on=1`");
        let id = self.id.as_deref().ok_or_else(|| advice("no task is named", hint()))?;
        let on = self.depends_on.as_deref();
        let on = on.ok_or_else(|| advice("no task to wait for is named", hint()))?;
        Ok((id.parse()?, on.parse()?))
    }
}

fn explain(error: &DependencyError) -> Advice {
    let hint = match error {
        DependencyError::NoTag { .. } => "see which tags there are with `task-master tags`",
        DependencyError::NoTask { .. } => "see which tasks there are with `task-master list all`",
        DependencyError::Itself { .. } | DependencyError::OwnTask { .. } => {
            "nothing was changed; name another task to wait for"
        }
        DependencyError::Circle { .. } => {
            "nothing was changed; remove a dependency of the other task first"
        }
    };
    advice(error.to_string(), hint)
}

fn tasks_of<'a>(file: &'a TaskFile, tag: &str) -> Result<&'a [Task], Advice> {
    let no_tag = || explain(&DependencyError::NoTag { tag: tag.to_owned() });
    file.tag(tag).map(Tag::tasks).ok_or_else(no_tag)
}

fn list(change: &DependencyChange, file: &TaskFile, tag: &str) -> Option<Text> {
    let tag = file.tag(tag)?;
    let task = tag.find(&change.task)?;
    let ids = marks::ids(&Graph::new(tag.tasks()), task.dependencies(), usize::MAX);
    Some(Text::styled(DIM, "  Dependencies  ").and_text(ids))
}

/// `12 dependencies of 6 tasks and 8 subtasks`.
fn size(tasks: &[Task]) -> String {
    let subtasks = tasks.iter().flat_map(Task::subtasks);
    let dependencies = tasks.iter().chain(subtasks.clone()).map(|it| it.dependencies().len());
    let dependencies: usize = dependencies.sum();
    let noun = if dependencies == 1 { "dependency" } else { "dependencies" };
    format!(
        "{dependencies} {noun} of {} and {}",
        count(tasks.len(), "task"),
        count(subtasks.count(), "subtask")
    )
}

fn print_issues(issues: &[Issue], report: &mut Report) {
    let mut table = Table::new(&["Task", "Dependency", "Problem"], "Problem");
    for issue in issues {
        let id = issue.task.to_string();
        table.push(vec![
            if id.is_empty() { Text::styled(DIM, "–") } else { id.into() },
            issue.dependency.as_str().into(),
            issue.problem.to_string().into(),
        ]);
    }
    report.lines(table.lines(report.columns()));
}
