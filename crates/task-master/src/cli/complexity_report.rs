//! `complexity-report`: which tasks are hard, and what to type to divide them.
//!
//! Shows a report that `analyze-complexity` made; makes none.

use std::path::{Path, PathBuf};

use tm_tasks::{
    complexity::{Analysis, Band, ComplexityReport, ReportError},
    document::Tag,
    task::Task,
};

use super::marks::count;
use crate::{
    app::App,
    report::{
        Report, advice,
        table::Table,
        text::{BOLD, DIM, PLAIN, RED, Text, YELLOW},
    },
};

/// Show how hard the tasks of a tag are
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Show this report instead of the tag's own
    #[arg(long, short, value_name = "PATH")]
    file: Option<PathBuf>,

    /// Show the report of this tag instead of the current one
    #[arg(long)]
    tag: Option<String>,
}

/// Where a report does not say: tasks from here on are worth dividing.
const THRESHOLD: u64 = 5;
/// Of a moment, what people want to know about a report: `2030-01-31`.
const DAY_LEN: usize = 10;
/// What the titles of tasks that need no further work may take.
const TITLE_MAX: usize = 32;

/// The tasks as they are now.
struct Plan<'a> {
    tasks: &'a [Task],
    /// What a command needs to work on them.
    tag_option: String,
}

/// Runs `complexity-report`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open(None, report)?;
    let tag = workspace.tag(args.tag.as_deref());
    let path = match &args.file {
        Some(path) => workspace.locate(path),
        None => workspace.project.complexity_report(&tag),
    };
    let complexity = ComplexityReport::read(&path).map_err(|error| explain(error, &tag))?;
    let file = workspace.read()?;
    let tasks = file.tag(&tag).map(Tag::tasks).unwrap_or_default();
    let is_current = tag == workspace.tag(None);
    let tag_option = if is_current { String::new() } else { format!(" --tag={tag}") };
    print(&complexity, &tag, &Plan { tasks, tag_option }, report);
    Ok(())
}

/// What to type to see this report.
pub(super) fn command(file: Option<&Path>, tag: &str) -> String {
    match file {
        Some(file) => format!("task-master complexity-report --file={}", file.display()),
        None => format!("task-master complexity-report --tag={tag}"),
    }
}

/// What to do about a report that cannot be used.
pub(super) fn explain(error: ReportError, tag: &str) -> anyhow::Error {
    let hint = match &error {
        ReportError::Missing { .. } => {
            format!("make one with `task-master analyze-complexity --tag={tag}`")
        }
        ReportError::NotAReport { .. } => format!(
            "delete it, and make a new one with `task-master analyze-complexity --tag={tag}`"
        ),
        ReportError::Unreadable { .. } | ReportError::Store(_) => {
            "see who owns the file and what its permissions are".to_owned()
        }
    };
    let message = error.to_string();
    anyhow::Error::new(error).context(advice(message, hint))
}

fn print(complexity: &ComplexityReport, tag: &str, plan: &Plan<'_>, report: &mut Report) {
    let meta = complexity.meta();
    let threshold = meta.threshold.unwrap_or(THRESHOLD);
    let analyses = hardest_first(complexity.analyses());
    report.line(Text::styled(BOLD, "Complexity").and(DIM, "  tag ").and(PLAIN, tag));
    let tasks_analysed = count(analyses.len(), "task");
    let day =
        meta.generated_at.as_deref().and_then(|it| it.get(..DAY_LEN)).map(|it| format!(" · {it}"));
    let day = day.unwrap_or_default();
    let facts = format!("{tasks_analysed} analysed · worth dividing from {threshold} on{day}");
    report.line(Text::styled(DIM, &facts));
    report.blank();
    for band in [Band::High, Band::Medium, Band::Low] {
        report.line(distribution(band, &analyses));
    }
    #[expect(clippy::cast_precision_loss, reason = "a threshold is a small number")]
    let is_hard = |it: &&Analysis| it.score().is_none_or(|score| score >= threshold as f64);
    let (hard, simple): (Vec<&Analysis>, Vec<&Analysis>) = analyses.into_iter().partition(is_hard);
    print_hard(&hard, plan, report);
    print_simple(&simple, report);
}

/// The lower id first among equals, as people read lists.
fn hardest_first(analyses: &[Analysis]) -> Vec<&Analysis> {
    let mut analyses: Vec<&Analysis> = analyses.iter().collect();
    analyses.sort_by(|one, another| {
        let score = |it: &Analysis| it.score().unwrap_or_default();
        score(another).total_cmp(&score(one)).then_with(|| one.task_id().cmp(&another.task_id()))
    });
    analyses
}

fn distribution(band: Band, analyses: &[&Analysis]) -> Text {
    let number = analyses.iter().filter(|it| it.band() == band).count();
    let percent = (number * 200 + analyses.len()).checked_div(analyses.len() * 2).unwrap_or(0);
    let (name, range, style) = match band {
        Band::High => ("High", "8–10", RED),
        Band::Medium => ("Medium", "5–7", YELLOW),
        Band::Low => ("Low", "1–4", PLAIN),
    };
    Text::styled(style, &format!("{name:<8}"))
        .and(DIM, &format!("{range:<6}"))
        .and(PLAIN, &format!("{number:>4}"))
        .and(DIM, &format!("{percent:>5} %"))
}

fn print_hard(analyses: &[&Analysis], plan: &Plan<'_>, report: &mut Report) {
    if analyses.is_empty() {
        return;
    }
    heading("Worth dividing", report);
    let mut table = Table::new(&["ID", "Title", "Score", "Subtasks", "Divide with"], "Title");
    for analysis in analyses {
        let subtasks = analysis.recommended_subtasks().map(|it| it.to_string());
        table.push(vec![
            Text::styled(DIM, &analysis.task_id().to_string()),
            plan.title(analysis).into(),
            score(analysis),
            subtasks.unwrap_or_else(|| "–".to_owned()).into(),
            plan.what_to_do(analysis),
        ]);
    }
    report.lines(table.lines(report.columns()));
}

fn print_simple(analyses: &[&Analysis], report: &mut Report) {
    if analyses.is_empty() {
        return;
    }
    heading("Simple enough", report);
    let mut table = Table::new(&["ID", "Title", "Score", "Why"], "Why");
    for analysis in analyses {
        table.push(vec![
            Text::styled(DIM, &analysis.task_id().to_string()),
            Text::plain(&analysis.task_title()).fit(TITLE_MAX),
            score(analysis),
            Text::styled(DIM, &analysis.reasoning().unwrap_or_default()),
        ]);
    }
    report.lines(table.lines(report.columns()));
}

fn heading(text: &str, report: &mut Report) {
    report.blank();
    report.line(Text::styled(BOLD, text));
}

fn score(analysis: &Analysis) -> Text {
    let style = match analysis.band() {
        Band::High => RED,
        Band::Medium => YELLOW,
        Band::Low => PLAIN,
    };
    let text = analysis.score().map_or_else(|| "–".to_owned(), |it| it.to_string());
    Text::styled(style, &format!("{text:>5}"))
}

impl Plan<'_> {
    /// What the task is called now, or was when it was analysed.
    fn title(&self, analysis: &Analysis) -> String {
        self.find(analysis).map_or_else(|| analysis.task_title(), Task::title)
    }

    fn what_to_do(&self, analysis: &Analysis) -> Text {
        let id = analysis.task_id();
        match self.find(analysis) {
            None => Text::styled(DIM, "the task is gone"),
            Some(task) if task.status().is_complete() => {
                Text::styled(DIM, &task.status().to_string())
            }
            Some(task) if !task.subtasks().is_empty() => {
                let has = format!("has {} already", count(task.subtasks().len(), "subtask"));
                Text::styled(DIM, &has)
            }
            Some(_) => {
                let number = analysis.recommended_subtasks();
                let number = number.map(|it| format!(" --num={it}")).unwrap_or_default();
                let tag = &self.tag_option;
                Text::plain(&format!("task-master expand --id={id}{number}{tag}"))
            }
        }
    }

    fn find(&self, analysis: &Analysis) -> Option<&Task> {
        let id = analysis.task_id();
        self.tasks.iter().find(|it| it.id() == id)
    }
}
