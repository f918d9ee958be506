//! `history`: the changes of the task file that can be taken back, and what each of them did.

use std::path::PathBuf;

use serde_json::{json, value::RawValue};
use tm_tasks::{
    diff::{DiffKind, FieldDiff, FileDiff, TaskDiff, diff},
    document::MASTER,
    store::Change,
};

use super::{Format, parse_prd::quality_line};
use crate::{
    app::{App, explain},
    report::{
        Report,
        table::Table,
        text::{BOLD, DIM, GREEN, RED, Text, YELLOW},
    },
};

/// List the changes of the tasks, the latest first
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Show what this change did
    change: Option<u64>,

    /// Show at most so many
    #[arg(long, short = 'n', default_value_t = 20)]
    number: usize,

    /// How to print the changes
    #[arg(long, short, value_enum, default_value_t)]
    format: Format,

    /// Print JSON; the same as `--format json`
    #[arg(long)]
    json: bool,

    /// Use the project in this directory
    #[arg(long, short, value_name = "PATH")]
    project: Option<PathBuf>,
}

/// Runs `history`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open(args.project.as_deref(), report)?;
    let is_json = args.json || args.format == Format::Json;
    if let Some(seq) = args.change {
        let versions = workspace.store.versions(seq).map_err(explain)?;
        let found = diff(&versions.before, &versions.after);
        if is_json {
            report.json(&json!({ "change": versions.change, "difference": found }));
        } else {
            print_difference(&versions.change, &found, report);
        }
        return Ok(());
    }
    let mut changes = workspace.store.history().map_err(explain)?;
    changes.reverse();
    changes.truncate(args.number);
    if is_json {
        report.json(&json!({ "changes": changes }));
        return Ok(());
    }
    if changes.is_empty() {
        report.line("No changes are known.");
        return Ok(());
    }
    let mut table = Table::new(&["Change", "When", "Command"], "Command");
    for change in &changes {
        let text = Text::plain(&change.command);
        let text = match change.undoes {
            Some(seq) => text.and(DIM, &format!("  (took back change {seq})")),
            None => text,
        };
        let text = match &change.quality {
            Some(quality) => text.and(DIM, &format!("  quality {} %", quality.percent)),
            None => text,
        };
        table.push(vec![change.seq.to_string().into(), local(&change.at).into(), text]);
    }
    let columns = report.columns();
    report.lines(table.lines(columns));
    report.blank();
    report.suggest_any(&[
        ("task-master undo", "take back the last change"),
        ("task-master history N", "see what change N did"),
        ("task-master restore N", "go back to how the tasks were after change N"),
    ]);
    Ok(())
}

fn print_difference(change: &Change, found: &FileDiff, report: &mut Report) {
    let title = Text::styled(BOLD, &format!("Change {}  ", change.seq));
    report.line(title.and_text(Text::plain(&change.command)));
    report.line(Text::styled(DIM, &local(&change.at)));
    if let Some(quality) = &change.quality {
        report.line(quality_line(quality));
    }
    report.blank();
    for (tags, sign, style) in
        [(&found.tags_added, "+ tag ", GREEN), (&found.tags_removed, "- tag ", RED)]
    {
        report.lines(tags.iter().map(|it| Text::styled(style, sign).and_text(Text::plain(it))));
    }
    for task in &found.tasks {
        print_task(task, report);
    }
    if found.tasks.is_empty() && found.tags_added.is_empty() && found.tags_removed.is_empty() {
        report.line("The tasks are the same before and after it.");
    }
}

fn print_task(task: &TaskDiff, report: &mut Report) {
    let (sign, style, fields) = match &task.kind {
        DiffKind::Added => ("+ ", GREEN, &[][..]),
        DiffKind::Removed => ("- ", RED, &[][..]),
        DiffKind::Changed { fields } => ("~ ", YELLOW, fields.as_slice()),
    };
    let columns = report.columns().unwrap_or(usize::MAX);
    let line =
        Text::styled(style, sign).and_text(Text::plain(&format!("{} {}", task.id, task.title)));
    let line = if task.tag == MASTER { line } else { line.and(DIM, &format!("  ({})", task.tag)) };
    report.line(line.fit(columns));
    for FieldDiff { field, before, after } in fields {
        let name = Text::styled(DIM, &format!("    {field}: "));
        let change =
            Text::plain(&format!("{} → {}", value(before.as_deref()), value(after.as_deref())));
        report.line(name.and_text(change).fit(columns));
    }
}

/// A text without its quotes, anything else as it is spelled.
fn value(raw: Option<&RawValue>) -> String {
    match raw {
        None => "nothing".to_owned(),
        Some(raw) => serde_json::from_str(raw.get()).unwrap_or_else(|_| raw.get().to_owned()),
    }
}

/// A moment on the user's clock, to the second.
fn local(at: &str) -> String {
    match at.parse::<jiff::Timestamp>() {
        Ok(moment) => {
            let local = moment.to_zoned_datetime(jiff::tz::TimeZone::system());
            local.strftime("%Y-%m-%d %H:%M:%S").to_string()
        }
        Err(_) => at.to_owned(),
    }
}
