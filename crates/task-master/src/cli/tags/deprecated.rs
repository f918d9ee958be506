//! `add-tag`, `use-tag`, `delete-tag`, `rename-tag` and `copy-tag`: what `tags` does, as it was
//! called before.

use std::path::{Path, PathBuf};

use super::{AddArgs, add, copy, remove, rename, switch};
use crate::{
    app::{App, Workspace},
    report::Report,
};

#[derive(Debug, clap::Args)]
pub struct AddTagArgs {
    /// What the tag is called
    #[arg(required_unless_present = "from_branch")]
    tag_name: Option<String>,

    /// The tasks file, seen from the project's root
    #[arg(long, short, value_name = "PATH")]
    file: Option<PathBuf>,

    /// Start with copies of the tasks of the current tag
    #[arg(long, conflicts_with = "copy_from")]
    copy_from_current: bool,

    /// Start with copies of the tasks of this tag
    #[arg(long, value_name = "TAG")]
    copy_from: Option<String>,

    /// Call the tag after the git branch that is checked out
    #[arg(long)]
    from_branch: bool,

    /// What the tag is for
    #[arg(long, short, value_name = "TEXT")]
    description: Option<String>,
}

#[derive(Debug, clap::Args)]
pub struct UseTagArgs {
    tag_name: String,

    /// The tasks file, seen from the project's root
    #[arg(long, short, value_name = "PATH")]
    file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub struct DeleteTagArgs {
    tag_name: String,

    /// The tasks file, seen from the project's root
    #[arg(long, short, value_name = "PATH")]
    file: Option<PathBuf>,

    /// Ask nothing
    #[arg(long, short)]
    yes: bool,
}

#[derive(Debug, clap::Args)]
pub struct RenameTagArgs {
    old_name: String,

    new_name: String,

    /// The tasks file, seen from the project's root
    #[arg(long, short, value_name = "PATH")]
    file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub struct CopyTagArgs {
    source_name: String,

    target_name: String,

    /// The tasks file, seen from the project's root
    #[arg(long, short, value_name = "PATH")]
    file: Option<PathBuf>,

    /// What the copy is for
    #[arg(long, short, value_name = "TEXT")]
    description: Option<String>,
}

/// Runs `add-tag`.
pub fn run_add(args: &AddTagArgs, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = open("add-tag", "add", args.file.as_deref(), app, report)?;
    let current = args.copy_from_current.then(|| workspace.tag(None));
    let add_args = AddArgs {
        name: args.tag_name.clone(),
        description: args.description.clone(),
        copy_from: args.copy_from.clone().or(current),
        from_branch: args.from_branch,
    };
    add(&add_args, app, &workspace, report)
}

/// Runs `use-tag`.
pub fn run_use(args: &UseTagArgs, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = open("use-tag", "use", args.file.as_deref(), app, report)?;
    switch(&args.tag_name, app, &workspace, report)
}

/// Runs `delete-tag`.
pub fn run_delete(args: &DeleteTagArgs, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = open("delete-tag", "remove", args.file.as_deref(), app, report)?;
    remove(&args.tag_name, args.yes, app, &workspace, report)
}

/// Runs `rename-tag`.
pub fn run_rename(args: &RenameTagArgs, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = open("rename-tag", "rename", args.file.as_deref(), app, report)?;
    rename([&args.old_name, &args.new_name], app, &workspace, report)
}

/// Runs `copy-tag`.
pub fn run_copy(args: &CopyTagArgs, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = open("copy-tag", "copy", args.file.as_deref(), app, report)?;
    let names = [args.source_name.as_str(), args.target_name.as_str()];
    copy(names, args.description.as_deref(), app, &workspace, report)
}

fn open(
    old: &str,
    new: &str,
    file: Option<&Path>,
    app: &App,
    report: &mut Report,
) -> anyhow::Result<Workspace> {
    report.warn(&format!("`{old}` is an old name; use `task-master tags {new}`"));
    app.open_tasks(file, report)
}
