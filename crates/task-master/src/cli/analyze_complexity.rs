//! `analyze-complexity`: how hard each open task is, into the tag's complexity report.

use std::path::PathBuf;

use tm_tasks::{complexity::Band, id::TaskId};
use tm_workflows::plan::complexity::{Analyze, AnalyzeError, Analyzed, Selection, analyze};

use super::{
    asking::{self, Manner, ask_anything, place, require},
    complexity_report,
    marks::count,
};
use crate::{
    app::App,
    report::{Report, advice},
};

/// Find out how hard tasks are
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write to this report instead of the tag's own
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Accepted for scripts that name a model, and ignored: a role has its model
    #[arg(long, short, value_name = "MODEL")]
    model: Option<String>,

    /// From which score on a task is worth dividing, 1 to 10
    #[arg(long, short, value_name = "NUMBER", default_value_t = 5)]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=10))]
    threshold: u8,

    /// Use this tasks file
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Ask the research role
    #[arg(long, short)]
    research: bool,

    /// Analyse only these tasks; several are separated by commas
    #[arg(long, short, value_name = "IDS")]
    id: Option<String>,

    /// Analyse only tasks from this id on
    #[arg(long, value_name = "ID")]
    from: Option<u64>,

    /// Analyse only tasks up to this id
    #[arg(long, value_name = "ID")]
    to: Option<u64>,

    /// The tag to analyse
    #[arg(long)]
    tag: Option<String>,
}

/// Runs `analyze-complexity`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let selection = args.selection()?;
    let workspace = app.open_tasks(args.file.as_deref(), report)?;
    let place = place(&workspace, args.tag.as_deref());
    if require(&place, &[])?.tasks().is_empty() {
        let error = AnalyzeError::NoTasks { tag: place.tag };
        return Err(explain(error, ""));
    }
    let path = match &args.output {
        Some(path) => workspace.project.root().join(path),
        None => workspace.project.complexity_report(&place.tag),
    };
    let request = Analyze {
        selection,
        report: path,
        threshold: args.threshold,
        project_name: workspace.config.globals().project_name,
        used_research: args.research,
    };
    let manner =
        Manner { role: asking::role(args.research), when_interrupted: "nothing was changed" };
    let asked = ask_anything(&workspace, manner, report, async |asking| {
        analyze(asking, &place, &request).await.map_err(|error| explain(error, &place.tag))
    })?;
    print(&asked.value, &request, report);
    report.line(asked.cost(asked.value.usage));
    report.blank();
    report.suggest(
        &complexity_report::command(args.output.as_deref(), &place.tag),
        "what was found out",
    );
    Ok(())
}

impl Args {
    /// Named tasks count before a range. A subtask stands for its task.
    fn selection(&self) -> anyhow::Result<Selection> {
        if let Some(ids) = &self.id {
            let mut ids: Vec<TaskId> =
                TaskId::parse_list(ids)?.iter().map(TaskId::parent).collect();
            ids.dedup();
            return Ok(Selection::These(ids));
        }
        Ok(match (self.from, self.to) {
            (None, None) => Selection::All,
            (from, to) => Selection::Range { from: from.unwrap_or(0), to: to.unwrap_or(u64::MAX) },
        })
    }
}

/// What to do when nothing was analysed.
fn explain(error: AnalyzeError, tag: &str) -> anyhow::Error {
    match error {
        AnalyzeError::NoTasks { .. } => {
            let hint = "make some with `task-master parse-prd` or `task-master add-task`";
            advice(error.to_string(), hint).into()
        }
        AnalyzeError::Change(error) => asking::told(error),
        AnalyzeError::Report(error) => complexity_report::explain(error, tag),
    }
}

fn print(analyzed: &Analyzed, request: &Analyze, report: &mut Report) {
    for skipped in &analyzed.skipped {
        match &skipped.status {
            None => report.warn(&format!("there is no task {}", skipped.id)),
            Some(status) => report.note(&format!("task {} is {status}: left out", skipped.id)),
        }
    }
    if !analyzed.left_out.is_empty() {
        let ids: Vec<String> = analyzed.left_out.iter().map(ToString::to_string).collect();
        report.warn(&format!(
            "the model said nothing about {} {}, which counts as of medium difficulty; analyse it \
             again with --id={}",
            if ids.len() == 1 { "task" } else { "tasks" },
            ids.join(", "),
            ids.join(","),
        ));
    }
    report.blank();
    report.done(format!("{} analysed", count(analyzed.tasks.len(), "task")));
    let band = |band: Band| {
        let of = |it: &&TaskId| {
            analyzed.report.analysis(it).is_some_and(|analysis| analysis.band() == band)
        };
        analyzed.tasks.iter().filter(of).count()
    };
    let [high, medium, low] = [Band::High, Band::Medium, Band::Low].map(band);
    report.line(format!("  {high} hard, {medium} medium, {low} easy").as_str());
    report.line(format!("  {}", request.report.display()).as_str());
}
