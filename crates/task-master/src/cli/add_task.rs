//! `add-task`: one more task, in the user's own words or in those of a model.
//!
//! The task itself is made by [`tm_tasks::add`], and its words by
//! [`tm_workflows::plan::add_task`].

use std::path::PathBuf;

use tm_tasks::{
    add::{AddTaskError, AddedTask, TaskDraft, add_task},
    id::TaskId,
    task::Priority,
};
use tm_workflows::plan::{self, add_task::AddTask};

use super::{
    asking::{Manner, place, role},
    quality::{QualityArgs, ask_scored},
};
use crate::{
    app::App,
    report::{Advice, Report, advice, text::Text},
};

/// Add a task
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The tasks file, seen from the project's root
    #[arg(long, short, value_name = "PATH")]
    file: Option<PathBuf>,

    /// What the task is about, for a model to write it down
    #[arg(long, short, value_name = "TEXT")]
    prompt: Option<String>,

    /// The title; with a description no model is asked
    #[arg(long, short, value_name = "TEXT")]
    title: Option<String>,

    /// The description
    #[arg(long, short, value_name = "TEXT")]
    description: Option<String>,

    /// How it is to be done
    #[arg(long, value_name = "TEXT")]
    details: Option<String>,

    /// The tasks that must be done before, separated by commas
    #[arg(long, value_name = "IDS")]
    dependencies: Option<String>,

    /// critical, high, medium or low
    #[arg(long, default_value = "medium")]
    priority: String,

    /// Ask the research model, and tell it what documents say
    #[arg(long, short)]
    research: bool,

    #[command(flatten)]
    quality: QualityArgs,

    /// Add to this tag instead of the current one
    #[arg(long)]
    tag: Option<String>,
}

/// Runs `add-task`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let title = given(args.title.as_deref());
    let description = given(args.description.as_deref());
    match (title, description, given(args.prompt.as_deref())) {
        (Some(title), Some(description), _) => {
            let draft = TaskDraft {
                title: title.to_owned(),
                description: description.to_owned(),
                details: args.details.clone().unwrap_or_default(),
                test_strategy: String::new(),
                priority: args.priority(report),
                dependencies: args.dependencies(report),
            };
            add(args, &draft, app, report)
        }
        (_, _, Some(prompt)) => have_written(args, prompt, app, report),
        (_, _, None) => Err(advice(
            "nothing says what the task is about",
            "say it, such as `task-master add-task --prompt=\"Log in by mail\"`, or give both \
             --title and --description",
        )
        .into()),
    }
}

/// Adds a task in the user's own words.
fn add(args: &Args, draft: &TaskDraft, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open_tasks(args.file.as_deref(), report)?;
    let tag = workspace.tag(args.tag.as_deref());
    let command = format!("add-task --title={}", draft.title);
    let added = workspace.change(&command, app.now, |file| add_task(file, &tag, draft))?;
    let added = added.map_err(|it| explain(&it))?;
    print(&added, report);
    suggest(&added, report);
    Ok(())
}

/// Has a task written by a model.
fn have_written(args: &Args, prompt: &str, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let request = AddTask {
        prompt: prompt.to_owned(),
        priority: args.priority(report),
        dependencies: args.dependencies(report),
    };
    let workspace = app.open_tasks(args.file.as_deref(), report)?;
    let place = place(&workspace, args.tag.as_deref());
    let manner = Manner { role: role(args.research), when_interrupted: "nothing was changed" };
    let manner = (manner, &args.quality);
    let (asked, verdict) = ask_scored(&workspace, manner, report, async |asking| {
        plan::add_task::add_task(asking, &place, &request).await
    })?;
    let written = &asked.value;
    print(&written.added, report);
    let task = &written.added.task;
    report.line(Text::plain(&format!("  {}", task.description())));
    report.line(asked.cost(written.usage));
    if let Some((id, title)) = &written.twin {
        report.warn(&format!(
            "task {id}, “{title}”, is nearly the same; `task-master undo` takes the new one back"
        ));
    }
    suggest(&written.added, report);
    verdict.tell(report)
}

impl Args {
    /// What nobody knows counts as medium, as everywhere.
    fn priority(&self, report: &mut Report) -> Priority {
        let priority = Priority::read(&self.priority.trim().to_ascii_lowercase());
        if let Priority::Other(text) = priority {
            report.warn(&format!("`{text}` is not a priority; the task gets medium"));
            return Priority::Medium;
        }
        priority
    }

    fn dependencies(&self, report: &mut Report) -> Vec<TaskId> {
        let (ids, errors) = TaskId::parse_each(self.dependencies.as_deref().unwrap_or_default());
        for error in errors {
            report.warn(&format!("{error}; it is left out of the dependencies"));
        }
        ids
    }
}

/// An option that says something.
fn given(option: Option<&str>) -> Option<&str> {
    option.filter(|it| !it.trim().is_empty())
}

fn explain(error: &AddTaskError) -> Advice {
    let hint = match error {
        AddTaskError::Empty { .. } => "say what the task is about",
        AddTaskError::NoTag { .. } => "create it with `task-master tags add`, or name another one",
    };
    advice(error.to_string(), hint)
}

fn print(added: &AddedTask, report: &mut Report) {
    warn_about(added, report);
    let task = &added.task;
    report.done(Text::plain(&format!("Task {}: {}", task.id(), task.title())));
}

fn suggest(added: &AddedTask, report: &mut Report) {
    let id = added.task.id();
    report.suggest_any(&[
        (&format!("task-master show {id}"), "see it"),
        (&format!("task-master set-status --id={id} --status=in-progress"), "begin with it"),
    ]);
}

fn warn_about(added: &AddedTask, report: &mut Report) {
    for id in &added.missing {
        report.warn(&format!("there is no task {id}; it is left out of the dependencies"));
    }
    for id in &added.elsewhere {
        report.warn(&format!("task {id}, which this one depends on, is in another tag"));
    }
}
