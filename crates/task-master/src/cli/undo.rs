//! `undo`: takes changes of the task file back.

use std::path::PathBuf;

use tm_tasks::store::{LaterEdits, StoreError};

use crate::{
    app::{App, explain},
    report::{Report, advice},
};

/// Take back the last change of the tasks
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Take back so many changes
    #[arg(long, short = 'n', default_value_t = 1)]
    number: usize,

    /// Go back to how the tasks were after this change, as numbered by `history`
    #[arg(long, value_name = "CHANGE", conflicts_with = "number")]
    to: Option<u64>,

    /// Take changes back although the file has been edited by hand since; the edits are lost
    #[arg(long)]
    force: bool,

    /// Use the project in this directory
    #[arg(long, short, value_name = "PATH")]
    project: Option<PathBuf>,
}

/// Runs `undo`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open(args.project.as_deref(), report)?;
    let later_edits = if args.force { LaterEdits::Overwrite } else { LaterEdits::Keep };
    if let Some(seq) = args.to {
        let change = workspace.store.restore(seq, app.now, later_edits).map_err(explain)?;
        report.done(format!("The tasks are as they were after change {seq}: {}", change.command));
    } else {
        let undone = workspace.store.undo(args.number, app.now, later_edits);
        let change = undone.map_err(|error| not_undone(error, args.number))?;
        report.done(format!("Took back change {}: {}", change.seq, change.command));
    }
    report.suggest("task-master list", "see the tasks");
    Ok(())
}

fn not_undone(error: StoreError, number: usize) -> anyhow::Error {
    if matches!(error, StoreError::NoSuchChange { .. }) {
        let message = format!("there are no {number} changes to take back");
        return advice(message, "see which there are with `task-master history`").into();
    }
    explain(error)
}
