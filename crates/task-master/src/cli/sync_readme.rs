//! `sync-readme`: the tasks of a tag in the project's `README.md`.
//!
//! What stands there is decided by [`tm_tasks::readme`].

use std::path::PathBuf;

use tm_tasks::{
    config::Config,
    document::Tag,
    project::Project,
    readme::{ReadmeError, Selection, export, sync},
    status::{Status, UnknownStatus},
    task::Task,
};

use super::marks::count;
use crate::{
    app::{self, App},
    report::{
        Report, advice,
        text::{DIM, Text},
    },
};

/// Write the tasks into README.md
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The tasks file, seen from the project's root
    #[arg(long, short, value_name = "PATH")]
    file: Option<PathBuf>,

    /// Write subtasks too
    #[arg(long)]
    with_subtasks: bool,

    /// Only tasks of these statuses, separated by commas
    #[arg(long, short)]
    status: Option<String>,

    /// Write the tasks of this tag instead of the current one
    #[arg(long, short)]
    tag: Option<String>,
}

/// Runs `sync-readme`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let selection = Selection { with_subtasks: args.with_subtasks, statuses: args.statuses()? };
    let workspace = app.open_tasks(args.file.as_deref(), report)?;
    let tag_name = workspace.tag(args.tag.as_deref());
    let file = workspace.read_annotated(Some(&tag_name), report)?;
    let tag = file.tag(&tag_name).ok_or_else(|| {
        let hint = "see which tags there are with `task-master tags`";
        advice(format!("there is no tag `{tag_name}`"), hint)
    })?;
    let path = workspace.project.root().join("README.md");
    let heading = heading(&workspace.config, &workspace.project);
    sync(&path, &heading, &export(tag, &selection, app.now)).map_err(explain)?;
    report.done(format!("{} of tag {tag_name} in README.md", written(tag, &selection)));
    report.line(Text::styled(DIM, &format!("  {}", path.display())));
    Ok(())
}

impl Args {
    fn statuses(&self) -> Result<Vec<Status>, UnknownStatus> {
        let texts = self.status.as_deref().unwrap_or_default().split(',').map(str::trim);
        texts.filter(|it| !it.is_empty() && *it != "all").map(str::parse).collect()
    }
}

/// What a new README is about.
fn heading(config: &Config, project: &Project) -> String {
    let name = config.globals().project_name;
    // A configuration that nobody has touched calls every project the same.
    let is_own = name != Config::default().globals().project_name;
    let directory = || Some(project.root().file_name()?.to_string_lossy().into_owned());
    if is_own { name } else { directory().unwrap_or(name) }
}

fn written(tag: &Tag, selection: &Selection) -> String {
    let is_written =
        |it: &&Task| selection.statuses.is_empty() || selection.statuses.contains(&it.status());
    let tasks: Vec<&Task> = tag.tasks().iter().filter(is_written).collect();
    let subtasks: usize = tasks.iter().map(|it| it.subtasks().len()).sum();
    let tasks = count(tasks.len(), "task");
    if selection.with_subtasks {
        format!("{tasks} and {}", count(subtasks, "subtask"))
    } else {
        tasks
    }
}

fn explain(error: ReadmeError) -> anyhow::Error {
    let hint = match error {
        ReadmeError::Store(error) => return app::explain(error),
        ReadmeError::Unreadable { .. } => "see who owns the file and what its permissions are",
        ReadmeError::NotUtf8 { .. } => "nothing was changed; save the file as UTF-8",
    };
    let message = error.to_string();
    anyhow::Error::new(error).context(advice(message, hint))
}
