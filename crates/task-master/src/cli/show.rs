//! `show`: all there is about one task, or about several.
//!
//! As JSON a task is what its file says, unknown fields included; `screen` knows how it looks
//! for people.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::value::RawValue;
use tm_tasks::{
    document::Tag,
    id::TaskId,
    status::{Status, UnknownStatus},
    task::Task,
};

use super::Format;
use crate::{
    app::App,
    report::{Report, advice},
};

mod screen;

/// Show one task, or several
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task or subtask, such as `3` or `3.1`; several are separated by commas
    id: Option<String>,

    /// The same as the argument
    #[arg(long = "id", short, value_name = "ID")]
    id_option: Option<String>,

    /// Of the subtasks, show only those of these statuses, separated by commas
    #[arg(long, short)]
    status: Option<String>,

    /// How to print the task
    #[arg(long, short, value_enum, default_value_t)]
    format: Format,

    /// Print JSON; the same as `--format json`
    #[arg(long)]
    json: bool,

    /// Print nothing but warnings and errors
    #[arg(long)]
    silent: bool,

    /// Use the project in this directory
    #[arg(long, short, value_name = "PATH")]
    project: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OneTask {
    task: Option<Box<RawValue>>,
    found: bool,
    storage_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_task_id: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SeveralTasks {
    tasks: Vec<Box<RawValue>>,
    not_found: Vec<String>,
    storage_type: &'static str,
}

/// Runs `show`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let ids = args.ids()?;
    let statuses = args.statuses()?;
    if args.silent {
        report.silence();
    }
    let workspace = app.open(args.project.as_deref(), report)?;
    let tag_name = workspace.tag(None);
    let mut file = workspace.read()?;
    let complexity = workspace.complexity(&tag_name, report);
    if let (Some(complexity), Some(tag)) = (&complexity, file.tag_mut(&tag_name)) {
        complexity.annotate(tag);
    }
    let tag = file.tag(&tag_name);
    let found = |id: &TaskId| tag.and_then(|it: &Tag| it.find(id));
    if args.json || args.format == Format::Json {
        match ids.as_slice() {
            [id] if !args.names_several() => report.json(&one(id, found(id))),
            ids => report.json(&several(ids, found)),
        }
        return Ok(());
    }
    let shown = tag.map_or(&[][..], Tag::tasks);
    let screen = screen::Screen::new(shown, statuses, complexity);
    for (index, id) in ids.iter().enumerate() {
        if index > 0 {
            report.blank();
        }
        match found(id) {
            Some(task) => screen.print(&task, report),
            None => screen::print_not_found(id, &tag_name, report),
        }
    }
    Ok(())
}

impl Args {
    fn ids(&self) -> anyhow::Result<Vec<TaskId>> {
        let text = self
            .named()
            .ok_or_else(|| advice("no task is named", "name one, such as `task-master show 3`"))?;
        Ok(TaskId::parse_list(text)?)
    }

    fn named(&self) -> Option<&str> {
        self.id_option.as_deref().or(self.id.as_deref())
    }

    /// Whether a list was asked for, even where it names one task twice.
    fn names_several(&self) -> bool {
        let parts = self.named().unwrap_or_default().split(',');
        parts.filter(|it| !it.trim().is_empty()).count() > 1
    }

    fn statuses(&self) -> Result<Vec<Status>, UnknownStatus> {
        let statuses = self.status.as_deref().unwrap_or_default().split(',').map(str::trim);
        statuses.filter(|it| !it.is_empty() && *it != "all").map(str::parse).collect()
    }
}

fn one(id: &TaskId, task: Option<Task>) -> OneTask {
    OneTask {
        found: task.is_some(),
        task: task.and_then(|it| raw(&it)),
        storage_type: "file",
        original_task_id: id.is_subtask().then(|| id.to_string()),
    }
}

fn several(ids: &[TaskId], found: impl Fn(&TaskId) -> Option<Task>) -> SeveralTasks {
    let not_found = ids.iter().filter(|it| found(it).is_none());
    SeveralTasks {
        not_found: not_found.map(ToString::to_string).collect(),
        tasks: ids.iter().filter_map(|it| raw(&found(it)?)).collect(),
        storage_type: "file",
    }
}

fn raw(task: &Task) -> Option<Box<RawValue>> {
    RawValue::from_string(task.to_json()).ok()
}
