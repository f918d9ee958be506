//! `prd`: a requirements document divided, checked, and compared with the tasks.

use std::path::{Path, PathBuf};

use tm_tasks::{
    plan::tree::folder::FolderError,
    prd::{Origin, Prd, PrdError},
};

use crate::{
    app::{App, Workspace, explain},
    report::{Report, advice},
};

mod check;
mod coverage;
mod export;
mod split;

/// Divide a requirements document, check it, and compare it with the tasks
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Split(split::Args),
    #[command(visible_alias = "verify")]
    Check(check::Args),
    Export(export::Args),
    Coverage(coverage::Args),
}

/// Runs `prd`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    match &args.action {
        Action::Split(args) => split::run(args, app, report),
        Action::Check(args) => check::run(args, app, report),
        Action::Export(args) => export::run(args, app, report),
        Action::Coverage(args) => coverage::run(args, app, report),
    }
}

/// A document as it is read, and where its text lies in the file.
struct Document {
    prd: Prd,
    origin: Origin,
}

impl Document {
    fn read(bytes: &[u8], path: &Path) -> anyhow::Result<Self> {
        let (_, prd) = Prd::from_bytes(bytes).map_err(|error| not_a_document(error, path))?;
        Ok(Self { prd, origin: Origin::of(bytes) })
    }
}

fn not_a_document(error: PrdError, path: &Path) -> anyhow::Error {
    let message = format!("{} cannot be used", path.display());
    let hint = "give it a Markdown or text file that says what to build";
    anyhow::Error::new(error).context(advice(message, hint))
}

/// What to do about a folder that has no tree, or cannot have one.
fn no_tree(error: FolderError) -> anyhow::Error {
    let hint = match &error {
        FolderError::Missing { .. } => "make one with `task-master prd split FILE --out DIR`",
        FolderError::Unreadable { .. } => "see what its permissions are",
        FolderError::Format { .. } => "make it again with `task-master prd split FILE --out DIR`",
        FolderError::Store(_) => "see what its permissions are, and whether there is space left",
    };
    if let FolderError::Store(error) = error {
        return explain(error);
    }
    let message = error.to_string();
    anyhow::Error::new(error).context(advice(message, hint))
}

/// A folder that the user named.
fn folder(named: &Path, workspace: &Workspace) -> PathBuf {
    workspace.environment.working_dir.join(named)
}
