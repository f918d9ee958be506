//! `update-task`: rewrites one task, or adds a note to it.
//!
//! The words themselves come from [`tm_workflows::plan::update_task`].

use std::path::PathBuf;

use tm_tasks::id::TaskId;
use tm_workflows::plan::{
    change::ChangeError,
    update_task::{append_to_task, update_task},
};

use super::{
    asking::{Manner, place, required, role},
    quality::{QualityArgs, ask_scored},
};
use crate::{
    app::App,
    report::{Report, advice, text::Text},
};

/// Rewrite one task after what you say, or add a note to it
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task, then what changes
    #[arg(value_name = "ID PROMPT")]
    words: Vec<String>,

    /// The tasks file, seen from the project's root
    #[arg(long, short, value_name = "PATH")]
    file: Option<PathBuf>,

    /// The task
    #[arg(long, short, value_name = "ID")]
    id: Option<String>,

    /// What changes
    #[arg(long, short, value_name = "TEXT")]
    prompt: Option<String>,

    /// Ask the research model, and tell it what documents say
    #[arg(long, short)]
    research: bool,

    #[command(flatten)]
    quality: QualityArgs,

    /// Add a note with the time to the details instead of rewriting the task
    #[arg(long)]
    append: bool,

    /// Use this tag instead of the current one
    #[arg(long)]
    tag: Option<String>,
}

const USAGE: &str = "name both, such as `task-master update-task 3 \"Use SQLite\"`";

/// Runs `update-task`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let (id, prompt) = args.id_and_prompt();
    let id: TaskId = id.ok_or_else(|| advice("no task is named", USAGE))?.parse()?;
    let prompt = required(Some(&prompt), USAGE)?;
    let workspace = app.open_tasks(args.file.as_deref(), report)?;
    let place = place(&workspace, args.tag.as_deref());
    let manner = Manner { role: role(args.research), when_interrupted: "nothing was changed" };
    let manner = (manner, &args.quality);
    let (asked, verdict) = ask_scored(&workspace, manner, report, async |asking| {
        let updated = if args.append {
            append_to_task(asking, &place, &id, prompt).await
        } else {
            update_task(asking, &place, &id, prompt).await
        };
        match updated {
            Ok(updated) => Ok(Some(updated)),
            // Not a failure to the original, and scripts may count on that.
            Err(ChangeError::Finished { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    })?;
    let Some(updated) = &asked.value else {
        report.warn(&format!(
            "task {id} is done and stays as it is; to change it, set its status to pending first"
        ));
        return Ok(());
    };
    let title = updated.task.title();
    let text = match (updated.is_changed, args.append) {
        (false, _) => format!("Task {id} stays as it is: {title}"),
        (true, true) => format!("Task {id} has a new note: {title}"),
        (true, false) => format!("Task {id} changed: {title}"),
    };
    report.done(Text::plain(&text));
    report.line(asked.cost(updated.usage));
    report.suggest_any(&[
        (&format!("task-master show {id}"), "see it"),
        ("task-master undo", "take it back"),
    ]);
    verdict.tell(report)
}

impl Args {
    /// With `--id`, all that is not an option is the prompt.
    fn id_and_prompt(&self) -> (Option<&str>, String) {
        let (id, words) = match (&self.id, self.words.split_first()) {
            (Some(id), _) => (Some(id.as_str()), self.words.as_slice()),
            (None, Some((id, words))) => (Some(id.as_str()), words),
            (None, None) => (None, &[][..]),
        };
        (id, self.prompt.clone().unwrap_or_else(|| words.join(" ")))
    }
}
