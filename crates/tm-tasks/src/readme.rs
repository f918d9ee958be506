//! The tasks of a tag in `README.md`, between two markers.
//!
//! What stands outside the markers belongs to the user and stays byte for byte. Start at
//! [`export`] for what is written and at [`sync`] for writing it.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use crate::{
    document::Tag,
    status::Status,
    store::{LOCK_WAIT, StoreError, atomic, lock},
    task::Task,
    timestamp::Timestamp,
};

pub const START: &str = "<!-- TASKMASTER_EXPORT_START -->";
pub const END: &str = "<!-- TASKMASTER_EXPORT_END -->";

/// Which tasks are written, and how much of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    pub with_subtasks: bool,
    /// Empty for all.
    pub statuses: Vec<Status>,
}

/// Why a README cannot be written. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ReadmeError {
    #[error("{path} cannot be read")]
    Unreadable { path: PathBuf, source: io::Error },
    /// Writing would lose what does not read as text.
    #[error("{path} is not UTF-8 text")]
    NotUtf8 { path: PathBuf },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Puts an export into the README at this path, or starts one with this heading.
pub fn sync(path: &Path, heading: &str, export: &str) -> Result<(), ReadmeError> {
    let path = atomic::resolve(path);
    let directory = lock::acquire_for(&path, LOCK_WAIT)?;
    let before = match fs::read(&path) {
        Ok(bytes) => {
            let not_utf8 = |_| ReadmeError::NotUtf8 { path: path.clone() };
            Some(String::from_utf8(bytes).map_err(not_utf8)?)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(source) => return Err(ReadmeError::Unreadable { path, source }),
    };
    let after = insert(before.as_deref(), heading, export);
    if before.as_deref() == Some(&after) {
        return Ok(());
    }
    let written = atomic::write(&path, after.as_bytes(), directory.handle());
    written.map_err(|source| StoreError::from_write(&path, source))?;
    Ok(())
}

/// A README with the export in place of the last one, else at its end.
pub fn insert(readme: Option<&str>, heading: &str, export: &str) -> String {
    let block = format!("{START}\n{export}\n{END}");
    let Some(readme) = readme else {
        return format!("# {heading}\n\n{block}\n");
    };
    // Of markers without a partner nobody knows what they are about.
    let export = readme.match_indices(END).find_map(|(end, marker)| {
        let start = readme.get(..end)?.rfind(START)?;
        Some((readme.get(..start)?, readme.get(end + marker.len()..)?))
    });
    if let Some((before, after)) = export {
        return format!("{before}{block}{after}");
    }
    match readme.trim_end() {
        "" => format!("{block}\n"),
        text => format!("{text}\n\n{block}\n"),
    }
}

/// What is between the markers: when it was made, how far the tag is, and its tasks.
pub fn export(tag: &Tag, selection: &Selection, now: Timestamp) -> String {
    let mut lines = header(tag, selection, now);
    lines.push(String::new());
    lines.extend(dashboard(tag.tasks()));
    lines.push(String::new());
    lines.extend(table(tag.tasks(), selection));
    lines.join("\n")
}

fn header(tag: &Tag, selection: &Selection, now: Timestamp) -> Vec<String> {
    let moment = now.strftime("%Y-%m-%d %H:%M UTC");
    let subtasks = if selection.with_subtasks { "with" } else { "without" };
    let statuses: Vec<&str> = selection.statuses.iter().map(Status::as_str).collect();
    let statuses = match statuses.join(", ") {
        text if text.is_empty() => "none".to_owned(),
        text => text,
    };
    vec![
        format!("> **Tasks of `{}`**, exported {moment}", tag.name()),
        ">".to_owned(),
        format!("> {subtasks} subtasks · status filter: {statuses}"),
        ">".to_owned(),
        "> [tasks.json](.taskmaster/tasks/tasks.json)".to_owned(),
    ]
}

fn dashboard(tasks: &[Task]) -> Vec<String> {
    let statuses: Vec<Status> = tasks.iter().map(Task::status).collect();
    let subtasks: Vec<Status> = tasks.iter().flat_map(Task::subtasks).map(Task::status).collect();
    let done = |statuses: &[Status]| statuses.iter().filter(|it| it.is_done()).count();
    let count = |statuses: &[Status], status: &Status| {
        statuses.iter().filter(|it| *it == status).count().to_string()
    };
    let mut rows = vec![
        ("Task progress", progress(done(&statuses), statuses.len())),
        ("Done", done(&statuses).to_string()),
        ("In progress", count(&statuses, &Status::InProgress)),
        ("Pending", count(&statuses, &Status::Pending)),
        ("Deferred", count(&statuses, &Status::Deferred)),
        ("Cancelled", count(&statuses, &Status::Cancelled)),
    ];
    if !subtasks.is_empty() {
        rows.extend([
            ("Subtask progress", progress(done(&subtasks), subtasks.len())),
            ("Completed", done(&subtasks).to_string()),
            ("In progress", count(&subtasks, &Status::InProgress)),
            ("Pending", count(&subtasks, &Status::Pending)),
        ]);
    }
    let head = ["| Project dashboard | |".to_owned(), "| :- | :- |".to_owned()];
    let rows = rows.into_iter().map(|(label, value)| format!("| {label} | {value} |"));
    head.into_iter().chain(rows).collect()
}

/// `████████████░░░░░░░░ 60%`
fn progress(done: usize, all: usize) -> String {
    let share = |whole: usize| (done * whole).checked_div(all).unwrap_or(0);
    let filled = share(BAR);
    format!("{}{} {}%", "█".repeat(filled), "░".repeat(BAR - filled), share(100))
}

/// Cells of a progress bar.
const BAR: usize = 20;

fn table(tasks: &[Task], selection: &Selection) -> Vec<String> {
    let is_listed =
        |it: &&Task| selection.statuses.is_empty() || selection.statuses.contains(&it.status());
    let mut lines = vec![
        "| ID | Title | Status | Priority | Dependencies | Complexity |".to_owned(),
        "| :- | :- | :- | :- | :- | :- |".to_owned(),
    ];
    for task in tasks.iter().filter(is_listed) {
        lines.push(row(task));
        if selection.with_subtasks {
            lines.extend(task.subtasks().iter().map(row));
        }
    }
    if lines.len() == 2 {
        lines.push("| – | no tasks | | | | |".to_owned());
    }
    lines
}

fn row(task: &Task) -> String {
    let id = task.id();
    let own_priority = if id.is_subtask() { None } else { task.priority() };
    let priority = own_priority.map_or_else(|| "-".to_owned(), |it| cell(it.as_str()));
    let dependencies: Vec<String> = task.dependencies().iter().map(ToString::to_string).collect();
    let dependencies =
        if dependencies.is_empty() { "None".to_owned() } else { cell(&dependencies.join(", ")) };
    let complexity = task.text("complexity");
    let complexity = complexity.map_or_else(|| "N/A".to_owned(), |it| cell(&format!("● {it}")));
    format!(
        "| {} | {} | {} | {priority} | {dependencies} | {complexity} |",
        cell(&id.to_string()),
        cell(&task.title()),
        status(&task.status()),
    )
}

/// The mark and the word, which are never parted.
fn status(status: &Status) -> String {
    let mark = match status {
        Status::Done | Status::Completed => "✓",
        Status::InProgress => "►",
        Status::Pending => "○",
        Status::Blocked => "⭕",
        Status::Deferred | Status::Cancelled => "x",
        Status::Review | Status::Other(_) => "?",
    };
    format!("{mark}\u{a0}{}", cell(status.as_str()))
}

/// A text that ends neither its cell nor the export.
fn cell(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.replace('|', "\\|").replace('<', "&lt;")
}

#[cfg(test)]
mod tests;
