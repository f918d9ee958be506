//! `expand`: divides tasks into subtasks.
//!
//! The dividing itself is [`tm_workflows::plan::expand`].

use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use tm_tasks::{complexity::ComplexityReport, divide::Existing, id::TaskId};
use tm_workflows::plan::expand::{AllExpanded, Count, Expand, Expanded, expand, expand_all};

use super::{
    Cli,
    asking::{Manner, place, role},
    quality::{QualityArgs, ask_scored},
};
use crate::{
    app::{App, Workspace},
    report::{
        Report, advice,
        text::{DIM, Text},
    },
};

/// Divide a task into subtasks, or all tasks that have none
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task
    #[arg(long, short, value_name = "ID")]
    id: Option<String>,

    /// Divide all tasks that are pending or in progress and have no subtasks yet
    #[arg(long, short)]
    all: bool,

    /// How many subtasks; 0 for as many as the model finds right
    #[arg(long, short, value_name = "NUMBER")]
    num: Option<usize>,

    /// Ask the research model, and tell it what documents say
    #[arg(long, short)]
    research: bool,

    #[command(flatten)]
    quality: QualityArgs,

    /// What the model should bear in mind
    #[arg(long, short, value_name = "TEXT")]
    prompt: Option<String>,

    /// Replace the subtasks that are there
    #[arg(long, short)]
    force: bool,

    /// The tasks file, seen from the project's root
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,

    /// The complexity report that says how to divide tasks, also as -cr
    #[arg(long, alias = "cr", value_name = "PATH")]
    complexity_report: Option<PathBuf>,

    /// Use this tag instead of the current one
    #[arg(long)]
    tag: Option<String>,
}

/// Runs `expand`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    if args.all {
        return run_all(args, app, report);
    }
    let Some(id) = args.id.as_deref().map(str::parse::<TaskId>).transpose()? else {
        // The original does not call this a failure, and scripts may count on that.
        report.warn("nothing says which task to divide: name one with --id, or add --all");
        print_help(report);
        return Ok(());
    };
    let workspace = app.open_tasks(args.file.as_deref(), report)?;
    let place = place(&workspace, args.tag.as_deref());
    let request = args.request(&workspace, &place.tag, report);
    let manner = Manner { role: role(args.research), when_interrupted: "nothing was changed" };
    let manner = (manner, &args.quality);
    let (asked, verdict) = ask_scored(&workspace, manner, report, async |asking| {
        expand(asking, &place, &id, &request).await
    })?;
    print_subtasks(&asked.value, report);
    report.line(asked.cost(asked.value.usage));
    report.suggest_any(&[
        (&format!("task-master show {id}"), "all about it"),
        (&format!("task-master set-status --id={id} --status=in-progress"), "begin with it"),
    ]);
    verdict.tell(report)
}

fn run_all(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open_tasks(args.file.as_deref(), report)?;
    let place = place(&workspace, args.tag.as_deref());
    let request = args.request(&workspace, &place.tag, report);
    let manner = Manner {
        role: role(args.research),
        when_interrupted: "the tasks divided so far are kept; the same command goes on from here",
    };
    let manner = (manner, &args.quality);
    let (asked, verdict) = ask_scored(&workspace, manner, report, async |asking| {
        expand_all(asking, &place, &request).await
    })?;
    print_all(&asked.value, report)?;
    report.line(asked.cost(asked.value.usage));
    report.suggest("task-master list --with-subtasks", "all of them");
    verdict.tell(report)
}

impl Args {
    fn request(&self, workspace: &Workspace, tag: &str, report: &mut Report) -> Expand {
        let default = workspace.config.globals().default_subtasks;
        let count = match self.num {
            Some(0) => Count::Free,
            Some(count) => Count::Exactly(count),
            None => Count::Recommended { otherwise: usize::try_from(default).unwrap_or(0) },
        };
        Expand {
            count,
            prompt: self.prompt.clone().unwrap_or_default(),
            existing: if self.force { Existing::Replace } else { Existing::Append },
            report: self.complexity(workspace, tag, report),
        }
    }

    /// What is known about the tasks; they can be divided without it.
    fn complexity(
        &self,
        workspace: &Workspace,
        tag: &str,
        report: &mut Report,
    ) -> Option<ComplexityReport> {
        let named = self.complexity_report.as_deref().map(|it| workspace.locate(it));
        let path = named.clone().unwrap_or_else(|| workspace.project.complexity_report(tag));
        let found = ComplexityReport::find(&path).unwrap_or_else(|error| {
            report.warn(&error.to_string());
            None
        });
        if found.is_none() && named.is_some_and(|it| !it.exists()) {
            report.warn(&missing(&path));
        }
        found
    }
}

fn missing(path: &Path) -> String {
    format!("there is no complexity report {}; tasks are divided without one", path.display())
}

fn print_subtasks(expanded: &Expanded, report: &mut Report) {
    let task = &expanded.task;
    let title = format!("Task {} has {} new subtasks", task.id(), expanded.added);
    report.done(Text::plain(&title));
    let before = task.subtasks().len() - expanded.added.min(task.subtasks().len());
    for subtask in task.subtasks().iter().skip(before) {
        report.line(Text::plain(&format!("  {} {}", subtask.id(), subtask.title())));
    }
    if before > 0 {
        let text = format!("  {before} that were there are as they were");
        report.line(Text::styled(DIM, &text));
    }
}

/// It is a failure when nothing at all came of it.
fn print_all(all: &AllExpanded, report: &mut Report) -> anyhow::Result<()> {
    if all.expanded.is_empty() && all.failed.is_empty() {
        let skipped = all.skipped;
        report.done(Text::plain(&format!(
            "No task needs to be divided: {skipped} open ones have subtasks; --force replaces them"
        )));
        return Ok(());
    }
    for (id, error) in &all.failed {
        report.warn(&format!("task {id} was not divided: {error}"));
    }
    if all.expanded.is_empty() {
        let message = format!("none of {} tasks was divided", all.failed.len());
        return Err(advice(message, "nothing was changed; see the reasons above").into());
    }
    let subtasks: usize = all.expanded.iter().map(|it| it.added).sum();
    report.done(Text::plain(&format!(
        "{} tasks divided into {subtasks} subtasks, {} failed, {} have some already",
        all.expanded.len(),
        all.failed.len(),
        all.skipped,
    )));
    Ok(())
}

fn print_help(report: &mut Report) {
    let mut cli = Cli::command();
    if let Some(command) = cli.find_subcommand_mut("expand") {
        let help = command.render_help().to_string();
        report.lines(help.trim_end().lines().map(Text::from));
    }
}
