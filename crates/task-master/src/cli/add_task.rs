//! `add-task`: one more task, in the user's own words.
//!
//! The task itself is made by [`tm_tasks::add`].

use std::path::PathBuf;

use tm_tasks::{
    add::{AddTaskError, AddedTask, TaskDraft, add_task},
    id::TaskId,
    task::Priority,
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

    /// Ask the research model
    #[arg(long, short)]
    research: bool,

    /// Add to this tag instead of the current one
    #[arg(long)]
    tag: Option<String>,
}

/// Runs `add-task`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let (Some(title), Some(description)) =
        (given(args.title.as_deref()), given(args.description.as_deref()))
    else {
        return Err(args.without_words().into());
    };
    let draft = TaskDraft {
        title: title.to_owned(),
        description: description.to_owned(),
        details: args.details.clone().unwrap_or_default(),
        test_strategy: String::new(),
        priority: args.priority(report),
        dependencies: args.dependencies(report),
    };
    let workspace = app.open_tasks(args.file.as_deref(), report)?;
    let tag = workspace.tag(args.tag.as_deref());
    let command = format!("add-task --title={title}");
    let added = workspace.change(&command, app.now, |file| add_task(file, &tag, &draft))?;
    let added = added.map_err(|it| explain(&it))?;
    warn_about(&added, report);
    let id = added.task.id();
    report.done(Text::plain(&format!("Task {id}: {title}")));
    report.suggest_any(&[
        (&format!("task-master show {id}"), "see it"),
        (&format!("task-master set-status --id={id} --status=in-progress"), "begin with it"),
    ]);
    Ok(())
}

impl Args {
    /// What to do about a call from which no task can be made.
    fn without_words(&self) -> Advice {
        if given(self.prompt.as_deref()).is_some() {
            advice(
                "no model writes tasks down yet",
                "give --title and --description for now; nothing was changed",
            )
        } else {
            advice(
                "nothing says what the task is about",
                "give both, such as `task-master add-task --title=Login --description=…`",
            )
        }
    }

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

fn warn_about(added: &AddedTask, report: &mut Report) {
    for id in &added.missing {
        report.warn(&format!("there is no task {id}; it is left out of the dependencies"));
    }
    for id in &added.elsewhere {
        report.warn(&format!("task {id}, which this one depends on, is in another tag"));
    }
}
