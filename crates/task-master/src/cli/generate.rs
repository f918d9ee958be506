//! `generate`: a Markdown file for each task.
//!
//! What the files say is decided by [`tm_tasks::generate`].

use std::path::PathBuf;

use serde::Serialize;
use tm_tasks::generate::{GenerateError, Generated, generate};

use super::{Format, marks::count};
use crate::{
    app::App,
    report::{
        Report, Told, advice,
        text::{DIM, Text},
    },
};

/// Write a Markdown file for each task
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write the files of this tag instead of the current one
    #[arg(long, short)]
    tag: Option<String>,

    /// Where to write them, instead of `.taskmaster/tasks`
    #[arg(long, short, value_name = "DIRECTORY")]
    output: Option<PathBuf>,

    /// Use the project in this directory
    #[arg(long, short, value_name = "PATH")]
    project: Option<PathBuf>,

    /// How to print the result
    #[arg(long, short, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    success: bool,
    count: usize,
    directory: PathBuf,
    orphaned_files_removed: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    file_errors: Vec<FileError>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FileError {
    task_id: String,
    error: String,
}

/// Runs `generate`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open(args.project.as_deref(), report)?;
    let tag = workspace.tag(args.tag.as_deref());
    let file = workspace.read()?;
    let directory = match &args.output {
        Some(output) => app.environment.working_dir.join(output),
        None => workspace.project.directory().join("tasks"),
    };
    let generated = match file.tag(&tag) {
        Some(tag) => generate(tag, &directory).map_err(explain)?,
        None => Generated { directory, ..Generated::default() },
    };
    match args.format {
        Format::Json => report.json(&document(&generated)),
        Format::Text => print(&generated, &tag, report),
    }
    if generated.failures.is_empty() { Ok(()) } else { Err(Told.into()) }
}

fn explain(error: GenerateError) -> anyhow::Error {
    let message = error.to_string();
    let hint = "name another directory with --output, or see what its permissions are";
    anyhow::Error::new(error.source).context(advice(message, hint))
}

fn document(generated: &Generated) -> Document {
    let errors = generated
        .failures
        .iter()
        .map(|it| FileError { task_id: it.task.to_string(), error: it.reason.clone() });
    Document {
        success: generated.failures.is_empty(),
        count: generated.count,
        directory: generated.directory.clone(),
        orphaned_files_removed: generated.orphans_removed,
        file_errors: errors.collect(),
    }
}

fn print(generated: &Generated, tag: &str, report: &mut Report) {
    for failure in &generated.failures {
        report.warn(&format!("task {} has no file: {}", failure.task, failure.reason));
    }
    if generated.count == 0 && generated.failures.is_empty() {
        report.line(format!("There are no tasks in tag {tag}, and no files to write."));
        report.suggest("task-master parse-prd FILE", "make tasks from requirements");
        return;
    }
    let files = count(generated.count, "task file");
    report.done(format!("{files} of tag {tag} written"));
    let directory = format!("  in {}", generated.directory.display());
    report.line(Text::styled(DIM, &directory));
    if generated.orphans_removed > 0 {
        let orphans = count(generated.orphans_removed, "orphaned file");
        report.line(Text::styled(DIM, &format!("  {orphans} without a task removed")));
    }
}
