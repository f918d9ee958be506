//! `update`: a change of mind reaches all tasks that are still open.
//!
//! The rewriting itself is [`tm_workflows::plan::update_tasks`].

use std::path::PathBuf;

use tm_tasks::id::TaskId;
use tm_workflows::plan::update_tasks::update_tasks;

use super::{
    asking::{Manner, place, required, role},
    quality::{QualityArgs, ask_scored},
};
use crate::{
    app::App,
    report::{Report, text::Text},
};

/// Rewrite all tasks from one on that are not done
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The tasks file, seen from the project's root
    #[arg(long, short, value_name = "PATH")]
    file: Option<PathBuf>,

    /// The first task that may change
    #[arg(long, value_name = "ID", default_value = "1")]
    from: String,

    /// What changes
    #[arg(long, short, value_name = "TEXT")]
    prompt: Option<String>,

    /// Ask the research model, and tell it what documents say
    #[arg(long, short)]
    research: bool,

    #[command(flatten)]
    quality: QualityArgs,

    /// Use this tag instead of the current one
    #[arg(long)]
    tag: Option<String>,
}

/// Runs `update`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let usage = "say it, such as `task-master update --from=4 --prompt=\"Use SQLite\"`";
    let prompt = required(args.prompt.as_deref(), usage)?;
    let from = args.from.parse::<TaskId>()?.parent();
    let workspace = app.open_tasks(args.file.as_deref(), report)?;
    let place = place(&workspace, args.tag.as_deref());
    let manner = Manner { role: role(args.research), when_interrupted: "nothing was changed" };
    let manner = (manner, &args.quality);
    let (asked, verdict) = ask_scored(&workspace, manner, report, async |asking| {
        update_tasks(asking, &place, &from, prompt).await
    })?;
    let updated = &asked.value;
    for (id, reason) in &updated.failed {
        report.warn(&format!("task {id} is as it was: {reason}"));
    }
    for task in &updated.changed {
        report.line(Text::plain(&format!("  {} {}", task.id(), task.title())));
    }
    report.done(Text::plain(&format!(
        "{} of {} open tasks changed",
        updated.changed.len(),
        updated.considered,
    )));
    report.line(asked.cost(updated.usage));
    if !updated.changed.is_empty() {
        report.suggest("task-master undo", "take it back");
    }
    verdict.tell(report)
}
