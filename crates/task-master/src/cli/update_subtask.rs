//! `update-subtask`: adds a note to a subtask.
//!
//! The words themselves come from [`tm_workflows::plan::update_subtask`].

use std::path::PathBuf;

use tm_tasks::id::TaskId;
use tm_workflows::plan::update_subtask::update_subtask;

use super::asking::{Manner, ask, place, required, role};
use crate::{
    app::App,
    report::{Report, advice, text::Text},
};

/// Add a note with the time to the details of a subtask
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The tasks file, seen from the project's root
    #[arg(long, short, value_name = "PATH")]
    file: Option<PathBuf>,

    /// The subtask, such as `3.1`
    #[arg(long, short, value_name = "ID")]
    id: Option<String>,

    /// What is to be noted
    #[arg(long, short, value_name = "TEXT")]
    prompt: Option<String>,

    /// Ask the research model, and tell it what documents say
    #[arg(long, short)]
    research: bool,

    /// Use this tag instead of the current one
    #[arg(long)]
    tag: Option<String>,
}

const USAGE: &str = "name both, such as `task-master update-subtask --id=3.1 --prompt=\"…\"`";

/// Runs `update-subtask`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let id = args.id.as_deref().ok_or_else(|| advice("no subtask is named", USAGE))?;
    let id: TaskId = id.parse()?;
    let prompt = required(args.prompt.as_deref(), USAGE)?;
    let workspace = app.open_tasks(args.file.as_deref(), report)?;
    let place = place(&workspace, args.tag.as_deref());
    let manner = Manner { role: role(args.research), when_interrupted: "nothing was changed" };
    let asked = ask(&workspace, manner, report, async |asking| {
        update_subtask(asking, &place, &id, prompt).await
    })?;
    let updated = &asked.value;
    let text = format!("Subtask {id} has a new note: {}", updated.task.title());
    report.done(Text::plain(&text));
    report.line(asked.cost(updated.usage));
    report.suggest_any(&[
        (&format!("task-master show {id}"), "see it"),
        ("task-master undo", "take it back"),
    ]);
    Ok(())
}
