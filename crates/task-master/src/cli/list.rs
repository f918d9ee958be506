//! `list`: the tasks of a tag, filtered, for people and for programs.
//!
//! Chooses what is listed; `screen` knows how it looks. A task with faults is listed like any
//! other, with a warning that says what is wrong with it.

use std::{collections::HashSet, path::PathBuf};

use clap::ValueEnum;
use serde::Serialize;
use tm_tasks::{
    document::{Tag, TaskFile},
    graph::Graph,
    id::TaskId,
    status::{self, Status, UnknownStatus},
    task::Task,
    threads,
};

use super::record::TaskRecord;
use crate::{
    app::{App, Workspace},
    report::{
        Report,
        text::{BOLD, DIM, Text},
    },
};

mod screen;
mod watch;

/// List the tasks of a tag
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only tasks of these statuses, separated by commas; `all` shows every task with its subtasks
    status: Option<String>,

    /// Only tasks of these statuses, separated by commas
    #[arg(long = "status", short, value_name = "STATUS")]
    status_option: Option<String>,

    /// List this tag instead of the current one
    #[arg(long, short)]
    tag: Option<String>,

    /// Show subtasks too
    #[arg(long)]
    with_subtasks: bool,

    /// How to print the list
    #[arg(long, short, value_enum, default_value_t)]
    format: ListFormat,

    /// Print JSON; the same as `--format json`
    #[arg(long)]
    json: bool,

    /// Print one line a task; the same as `--format compact`
    #[arg(long, short)]
    compact: bool,

    /// Leave out which tag and file are listed
    #[arg(long)]
    no_header: bool,

    /// Print nothing but warnings and errors
    #[arg(long)]
    silent: bool,

    /// Use the project in this directory
    #[arg(long, short, value_name = "PATH")]
    project: Option<PathBuf>,

    /// Only tasks that can be worked on now
    #[arg(long)]
    ready: bool,

    /// Only tasks that other tasks wait for
    #[arg(long)]
    blocking: bool,

    /// List the tasks of all tags
    #[arg(long)]
    all_tags: bool,

    /// List again whenever the tasks change
    #[arg(long, short, conflicts_with = "all_tags")]
    watch: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    /// A dashboard and a table
    #[default]
    Text,
    /// One JSON document
    Json,
    /// One line a task
    Compact,
}

/// Which tasks are listed, and how much of them.
#[derive(Debug)]
struct Selection {
    /// Empty for all.
    statuses: Vec<Status>,
    with_subtasks: bool,
    ready: bool,
    blocking: bool,
}

/// The tasks of one tag and which of them are listed.
#[derive(Debug)]
struct Listing<'a> {
    tag: &'a str,
    tasks: &'a [Task],
    graph: Graph,
    listed: Vec<&'a Task>,
    /// What is wrong with the tasks.
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    tasks: Vec<TaskRecord<'a>>,
    metadata: Metadata<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    total: usize,
    filtered: usize,
    tag: &'a str,
    storage_type: &'static str,
    all_tags: bool,
}

/// How many warnings are told one by one.
const WARNINGS_MAX: usize = 5;

/// Runs `list`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let selection = args.selection()?;
    if args.watch {
        watch::run(args, &selection, app, report)
    } else {
        print(args, &selection, app, report)
    }
}

fn print(args: &Args, selection: &Selection, app: &App, report: &mut Report) -> anyhow::Result<()> {
    if args.silent {
        report.silence();
    }
    let workspace = app.open(args.project.as_deref(), report)?;
    let tag = workspace.tag(args.tag.as_deref());
    let file = workspace.read_annotated((!args.all_tags).then_some(&tag), report)?;
    let listings: Vec<Listing<'_>> = if args.all_tags {
        file.map_tags(|it| Listing::new(it.name(), it.tasks(), selection))
    } else {
        file.tag(&tag)
            .map(|it| Listing::new(it.name(), it.tasks(), selection))
            .into_iter()
            .collect()
    };
    match args.format() {
        ListFormat::Json => print_json(args, &tag, selection, &listings, report),
        ListFormat::Compact => screen::print_compact(&listings, selection, report),
        ListFormat::Text => {
            if !args.no_header {
                print_header(args, &tag, &workspace, report);
            }
            screen::print(&listings, selection, report);
        }
    }
    if listings.is_empty() && !args.all_tags && file.tags().next().is_some() {
        report.note(&unknown_tag(&tag, &file));
    }
    warn_about(&listings, report);
    Ok(())
}

impl Args {
    fn selection(&self) -> anyhow::Result<Selection> {
        let with_all = self.status.as_deref() == Some("all");
        Ok(Selection {
            statuses: self.statuses()?,
            with_subtasks: self.with_subtasks || with_all,
            ready: self.ready,
            blocking: self.blocking,
        })
    }

    /// The word before the options counts where both are given, unless it means all.
    fn statuses(&self) -> Result<Vec<Status>, UnknownStatus> {
        let word = self.status.as_deref().filter(|it| *it != "all");
        let given = word.or(self.status_option.as_deref());
        status::read_filter(given.unwrap_or_default())
    }

    fn format(&self) -> ListFormat {
        if self.json {
            ListFormat::Json
        } else if self.compact {
            ListFormat::Compact
        } else {
            self.format
        }
    }
}

impl Selection {
    fn has_status_of(&self, task: &Task) -> bool {
        self.statuses.is_empty() || self.statuses.contains(&task.status())
    }

    fn is_everything(&self) -> bool {
        self.statuses.is_empty() && !self.ready && !self.blocking
    }
}

impl<'a> Listing<'a> {
    fn new(tag: &'a str, tasks: &'a [Task], selection: &Selection) -> Self {
        let graph = Graph::new(tasks);
        let is_listed = |task: &&Task| {
            selection.has_status_of(task)
                && (!selection.ready || graph.is_ready(task))
                && (!selection.blocking || graph.is_blocking(task))
        };
        let listed = tasks.iter().filter(is_listed).collect();
        let warnings = warnings(tasks, &graph);
        Self { tag, tasks, graph, listed, warnings }
    }
}

fn print_json<'a>(
    args: &Args,
    tag: &str,
    selection: &Selection,
    listings: &[Listing<'a>],
    report: &mut Report,
) {
    let records = |listing: &Listing<'a>| {
        let with_status: HashSet<TaskId> =
            listing.tasks.iter().filter(|it| selection.has_status_of(it)).map(Task::id).collect();
        let records = listing.listed.iter().map(|task| {
            // Of what waits for a task in one tag, only what passes the status filter counts.
            let blocks = listing.graph.dependents(&task.id()).iter();
            let blocks = blocks.filter(|it| args.all_tags || with_status.contains(it));
            let blocks = blocks.map(ToString::to_string);
            let mut record = TaskRecord::new(task).with_blocks(blocks.collect());
            if selection.with_subtasks {
                record = record.with_subtasks(task.subtasks());
            }
            if args.all_tags { record.with_tag_name(listing.tag) } else { record }
        });
        records.collect::<Vec<_>>()
    };
    let tasks: Vec<TaskRecord<'a>> =
        threads::map(listings, records).into_iter().flatten().collect();
    let metadata = Metadata {
        total: listings.iter().map(|it| it.tasks.len()).sum(),
        filtered: tasks.len(),
        tag: if args.all_tags { "all" } else { tag },
        storage_type: "file",
        all_tags: args.all_tags,
    };
    report.json(&Document { tasks, metadata });
}

fn print_header(args: &Args, tag: &str, workspace: &Workspace, report: &mut Report) {
    let tag = if args.all_tags { "all" } else { tag };
    report.line(Text::styled(DIM, "tag: ").and(BOLD, tag));
    let file = workspace.store.path().display();
    report.line(Text::styled(DIM, &format!("Listing tasks from: {file}")));
    report.blank();
}

fn unknown_tag(tag: &str, file: &TaskFile) -> String {
    let names: Vec<&str> = file.tags().map(Tag::name).collect();
    format!("there is no tag `{tag}`; there is {}", names.join(", "))
}

fn warnings(tasks: &[Task], graph: &Graph) -> Vec<String> {
    let mut warnings = Vec::new();
    for task in tasks.iter().flat_map(|it| it.subtasks().iter().chain([it])) {
        warnings.extend(task.faults().iter().map(|it| format!("task {}: {it}", task.id())));
    }
    warnings.extend(
        graph.missing().iter().map(|it| {
            format!("task {} depends on {}, which does not exist", it.task, it.dependency)
        }),
    );
    warnings
}

/// Says what is wrong with the tasks of the listed tags. The same again and again helps nobody.
fn warn_about(listings: &[Listing<'_>], report: &mut Report) {
    let warnings: Vec<&String> = listings.iter().flat_map(|it| &it.warnings).collect();
    for warning in warnings.iter().take(WARNINGS_MAX) {
        report.warn(warning);
    }
    if warnings.len() > WARNINGS_MAX {
        report.warn(&format!("and {} more", warnings.len() - WARNINGS_MAX));
    }
}
