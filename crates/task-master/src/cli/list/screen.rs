//! How a list of tasks looks: a dashboard, a table, and what to do next.
//!
//! Nothing here decides what is listed.

use tm_tasks::{
    graph::{NextTask, recommended_task},
    status::Status,
    task::{Priority, Task},
    threads,
};

use super::{Listing, Selection};
use crate::{
    cli::marks::{self, count},
    report::{
        Report,
        table::Table,
        text::{BOLD, DIM, GREEN, PLAIN, Text},
    },
};

/// Cells of a progress bar.
const BAR: usize = 30;
/// What the labels of the dashboard take.
const LABEL: usize = 13;
/// From this width on there is room for who waits for a task.
const WIDE: usize = 110;
/// How many ids a cell of a narrow table holds.
const IDS_NARROW: usize = 3;
const IDS_WIDE: usize = 8;

/// One line a task: `id mark title`.
pub(super) fn print_compact(listings: &[Listing<'_>], selection: &Selection, report: &mut Report) {
    if print_nothing(listings, report) {
        return;
    }
    for task in listings.iter().flat_map(|it| &it.listed) {
        report.line(compact_line("", task));
        if selection.with_subtasks {
            report.lines(task.subtasks().iter().map(|it| compact_line("  ", it)));
        }
    }
}

/// The dashboard, the table and a recommendation.
pub(super) fn print(listings: &[Listing<'_>], selection: &Selection, report: &mut Report) {
    if print_nothing(listings, report) {
        return;
    }
    print_dashboard(listings, report);
    report.blank();
    let listed: usize = listings.iter().map(|it| it.listed.len()).sum();
    if !selection.is_everything() {
        let total: usize = listings.iter().map(|it| it.tasks.len()).sum();
        report.line(Text::styled(DIM, &format!("{listed} of {} match", count(total, "task"))));
        report.blank();
    }
    let columns = report.columns();
    report.lines(table(listings, selection, columns).lines(columns));
    if let [listing] = listings
        && let Some(next) = recommended_task(listing.tasks, &listing.graph)
    {
        report.blank();
        print_next(&next, report);
    }
}

fn print_nothing(listings: &[Listing<'_>], report: &mut Report) -> bool {
    let is_empty = listings.iter().all(|it| it.listed.is_empty());
    if is_empty {
        report.line("No tasks found matching the criteria.");
        if listings.iter().all(|it| it.tasks.is_empty()) {
            report.suggest("task-master parse-prd FILE", "make tasks from requirements");
        }
    }
    is_empty
}

fn compact_line(indent: &str, task: &Task) -> Text {
    let (_, style) = marks::mark(&task.status());
    Text::plain(indent)
        .and(DIM, &task.id().to_string())
        .and(style, &format!(" {} ", compact_mark(&task.status())))
        .and(PLAIN, &task.title())
}

/// The marks that programs which read this format know.
fn compact_mark(status: &Status) -> &'static str {
    match status {
        Status::Done | Status::Completed => "✓",
        Status::InProgress => "►",
        Status::Blocked => "⭕",
        Status::Pending => "○",
        Status::Deferred => "⏸",
        Status::Cancelled => "✗",
        Status::Review => "👁",
        Status::Other(_) => "?",
    }
}

fn print_dashboard(listings: &[Listing<'_>], report: &mut Report) {
    let tasks = || listings.iter().flat_map(|it| it.tasks);
    let statuses: Vec<Status> = tasks().map(Task::status).collect();
    let subtasks: Vec<Status> = tasks().flat_map(Task::subtasks).map(Task::status).collect();
    report.line(progress("Tasks", &statuses));
    if !subtasks.is_empty() {
        report.line(progress("Subtasks", &subtasks));
    }
    report.blank();
    print_wrapped("Status", &status_counts(&statuses), report);
    let priorities: Vec<Priority> = tasks().filter_map(Task::priority).collect();
    report.line(row("Priority", priority_counts(&priorities)));
    print_dependencies(listings, report);
}

fn progress(label: &str, statuses: &[Status]) -> Text {
    let done = statuses.iter().filter(|it| it.is_done()).count();
    let share = |whole: usize| (done * whole).checked_div(statuses.len()).unwrap_or(0);
    let filled = share(BAR);
    let bar = Text::styled(GREEN, &"█".repeat(filled)).and(DIM, &"░".repeat(BAR - filled));
    let percent = format!("  {:>3} %", share(100));
    let of = format!("   {done} of {} done", statuses.len());
    row(label, bar.and(BOLD, &percent).and(DIM, &of))
}

fn row(label: &str, text: Text) -> Text {
    Text::styled(DIM, &format!("{label:<LABEL$}")).and_text(text)
}

fn print_wrapped(label: &str, text: &Text, report: &mut Report) {
    let columns = report.columns().unwrap_or(usize::MAX).saturating_sub(LABEL);
    for (index, line) in text.wrap(columns).into_iter().enumerate() {
        report.line(row(if index == 0 { label } else { "" }, line));
    }
}

fn status_counts(statuses: &[Status]) -> Text {
    let order = [
        Status::Done,
        Status::InProgress,
        Status::Review,
        Status::Pending,
        Status::Blocked,
        Status::Deferred,
        Status::Cancelled,
    ];
    let counts = order.into_iter().map(|status| {
        // Old files say `completed`.
        let is_same = |it: &&Status| **it == status || (status == Status::Done && it.is_done());
        let (_, style) = marks::mark(&status);
        (statuses.iter().filter(is_same).count(), style, status.to_string())
    });
    let others = statuses.iter().filter(|it| matches!(it, Status::Other(_))).count();
    let (_, style) = marks::mark(&Status::Other(String::new()));
    listed(counts.chain([(others, style, "unknown".to_owned())]))
}

fn priority_counts(priorities: &[Priority]) -> Text {
    let order = [Priority::Critical, Priority::High, Priority::Medium, Priority::Low];
    listed(order.into_iter().map(|priority| {
        let number = priorities.iter().filter(|it| **it == priority).count();
        (number, PLAIN, priority.to_string())
    }))
}

/// `3 done · 1 pending`, without what there is none of. Lines break after the dots only.
fn listed(counts: impl Iterator<Item = (usize, anstyle::Style, String)>) -> Text {
    let mut text = Text::default();
    for (number, style, name) in counts.filter(|it| it.0 > 0) {
        if text.width() > 0 {
            text = text.and(DIM, "\u{a0}· ");
        }
        text = text.and(style, &format!("{number}\u{a0}{name}"));
    }
    if text.width() == 0 { Text::styled(DIM, "none") } else { text }
}

fn print_dependencies(listings: &[Listing<'_>], report: &mut Report) {
    let (mut ready, mut waiting, mut dependencies) = (0, 0, 0);
    let mut most: Option<(&Task, usize)> = None;
    for listing in listings {
        for task in listing.tasks {
            if listing.graph.is_ready(task) {
                ready += 1;
            } else if !task.status().is_complete() && !listing.graph.is_unblocked(task) {
                waiting += 1;
            }
            let dependents = listing.graph.dependents(&task.id()).len();
            dependencies += task.dependencies().len();
            if dependents > most.map_or(0, |it| it.1) {
                most = Some((task, dependents));
            }
        }
    }
    let tasks: usize = listings.iter().map(|it| it.tasks.len()).sum();
    let tenths = (dependencies * 10).checked_div(tasks).unwrap_or(0);
    let text = format!(
        "{ready} to work on now · {waiting} waiting for others · {}.{} dependencies a task",
        tenths / 10,
        tenths % 10
    );
    report.line(row("Ready", text.into()));
    if let Some((task, dependents)) = most
        && listings.len() == 1
    {
        let wait = if dependents == 1 { "waits" } else { "wait" };
        let text = Text::plain(&format!("{} ", task.id()))
            .and(PLAIN, &task.title())
            .and(DIM, &format!("  ({} {wait} for it)", count(dependents, "task")));
        let columns = report.columns().unwrap_or(usize::MAX);
        report.line(row("Most needed", text).fit(columns));
    }
}

fn table(listings: &[Listing<'_>], selection: &Selection, columns: Option<usize>) -> Table {
    let is_wide = columns.is_none_or(|it| it >= WIDE);
    let listed = || listings.iter().flat_map(|it| &it.listed);
    let layout = Layout {
        tag: listings.len() > 1,
        blocks: is_wide,
        complexity: is_wide && listed().any(|it| it.text("complexity").is_some()),
        ids: if columns.is_none() {
            usize::MAX
        } else if is_wide {
            IDS_WIDE
        } else {
            IDS_NARROW
        },
    };
    let mut table = Table::new(&layout.titles(), "Title");
    let rows = |listing: &Listing<'_>| {
        let mut rows = Vec::new();
        for task in &listing.listed {
            rows.push(layout.cells(listing, task));
            if selection.with_subtasks {
                rows.extend(task.subtasks().iter().map(|it| layout.cells(listing, it)));
            }
        }
        rows
    };
    threads::map(listings, rows).into_iter().flatten().for_each(|it| table.push(it));
    table
}

/// Which columns there are.
struct Layout {
    tag: bool,
    blocks: bool,
    complexity: bool,
    ids: usize,
}

impl Layout {
    fn titles(&self) -> Vec<&'static str> {
        let titles = [
            (self.tag, "Tag"),
            (true, "ID"),
            (true, "Title"),
            (true, "Status"),
            (true, "Priority"),
            (true, "Dependencies"),
            (self.blocks, "Blocks"),
            (self.complexity, "Complexity"),
        ];
        titles.into_iter().filter(|it| it.0).map(|it| it.1).collect()
    }

    fn cells(&self, listing: &Listing<'_>, task: &Task) -> Vec<Text> {
        let id = task.id();
        let is_over = task.status().is_complete();
        let title_style = if is_over { DIM } else { PLAIN };
        let indent = if id.is_subtask() { "└ " } else { "" };
        let mut cells = Vec::new();
        if self.tag {
            cells.push(listing.tag.into());
        }
        cells.push(Text::styled(DIM, &id.to_string()));
        cells.push(Text::styled(DIM, indent).and(title_style, &task.title()));
        cells.push(marks::status(&task.status()));
        cells.push(marks::priority(task.priority().as_ref()));
        cells.push(marks::ids(&listing.graph, task.dependencies(), self.ids));
        if self.blocks {
            let dependents = listing.graph.dependents(&id);
            cells.push(marks::ids(&listing.graph, dependents, self.ids));
        }
        if self.complexity {
            cells.push(task.text("complexity").unwrap_or_default().into());
        }
        cells
    }
}

fn print_next(next: &NextTask, report: &mut Report) {
    let id = next.task.id();
    let text = Text::styled(BOLD, "Next  ")
        .and(BOLD, &format!("{id} {}", next.task.title()))
        .and(DIM, &format!("  {}", next.priority));
    let columns = report.columns().unwrap_or(usize::MAX);
    report.line(text.fit(columns));
    marks::suggest_work(&next.task, report);
}
