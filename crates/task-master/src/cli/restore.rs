//! `restore`: brings an earlier version of the task file back.

use std::path::PathBuf;

use tm_tasks::store::LaterEdits;

use crate::{
    app::{App, explain},
    report::Report,
};

/// Bring the tasks back as they were after a change
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The change, as numbered by `history`
    change: u64,

    /// Do so although the file has been edited by hand since; the edits are lost
    #[arg(long)]
    force: bool,

    /// Use the project in this directory
    #[arg(long, short, value_name = "PATH")]
    project: Option<PathBuf>,
}

/// Runs `restore`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open(args.project.as_deref(), report)?;
    let later_edits = if args.force { LaterEdits::Overwrite } else { LaterEdits::Keep };
    let change = workspace.store.restore(args.change, app.now, later_edits).map_err(explain)?;
    report.done(format!(
        "The tasks are as they were after change {}: {}",
        change.seq, change.command
    ));
    report.suggest_any(&[
        ("task-master list", "see the tasks"),
        ("task-master undo", "take this back"),
    ]);
    Ok(())
}
