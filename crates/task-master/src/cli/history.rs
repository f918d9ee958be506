//! `history`: the changes of the task file that can be taken back.

use std::path::PathBuf;

use super::Format;
use crate::{
    app::{App, explain},
    report::{
        Report,
        table::Table,
        text::{DIM, Text},
    },
};

/// List the changes of the tasks, the latest first
#[derive(Debug, clap::Args)]
pub struct Args {
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
    let mut changes = workspace.store.history().map_err(explain)?;
    changes.reverse();
    changes.truncate(args.number);
    if args.json || args.format == Format::Json {
        report.json(&serde_json::json!({ "changes": changes }));
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
        table.push(vec![change.seq.to_string().into(), local(&change.at).into(), text]);
    }
    let columns = report.columns();
    report.lines(table.lines(columns));
    report.blank();
    report.suggest_any(&[
        ("task-master undo", "take back the last change"),
        ("task-master undo --to=N", "go back to how the tasks were after change N"),
    ]);
    Ok(())
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
