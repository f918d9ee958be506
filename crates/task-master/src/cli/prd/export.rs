//! `prd export`: a tree as Markdown, as JSON, or as tasks of the project.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use tm_tasks::plan::tree::{Tree, folder::read, markdown::markdown};

use super::{folder, no_tree};
use crate::{
    app::{App, Workspace},
    cli::{
        marks::count,
        parse_prd::{TargetArgs, target, told},
    },
    report::Report,
};

/// Print the tree in a folder, or make tasks of its leaves
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A folder that `prd split` wrote
    folder: PathBuf,

    /// What to make of it
    #[arg(long, value_enum, default_value_t)]
    format: Form,

    #[command(flatten)]
    place: TargetArgs,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Nested lists
    #[default]
    Markdown,
    /// The whole tree
    Json,
    /// A task in the project for each leaf
    Tasks,
}

/// Runs `prd export`.
pub(super) fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open(None, report)?;
    let tree = read(&folder(&args.folder, &workspace)).map_err(no_tree)?;
    match args.format {
        Form::Markdown => report.text(&markdown(&tree)),
        Form::Json => report.json(&tree),
        Form::Tasks => return tasks(args, &tree, &workspace, report),
    }
    Ok(())
}

fn tasks(
    args: &Args,
    tree: &Tree,
    workspace: &Workspace,
    report: &mut Report,
) -> anyhow::Result<()> {
    let store = workspace.store.clone();
    let Some(target) = target(&args.place, store, workspace, report)? else { return Ok(()) };
    let priority = workspace.config.globals().default_priority;
    let written = target
        .write_leaves(&tree.drafts(priority.as_str()))
        .map_err(|error| told(error, Path::new(&tree.document.path)))?;
    report.done(format!("{} added to the tag {}", count(written.len(), "task"), target.tag));
    report
        .note("nobody was asked how they are tested; `task-master expand` says more about a task");
    report.suggest("task-master list", "all tasks");
    Ok(())
}
