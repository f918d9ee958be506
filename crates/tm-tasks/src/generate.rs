//! A Markdown file for each task, for people and programs that read files.
//!
//! The files are made from the tasks and say nothing else: they can be thrown away and made again
//! at any time, so they are written plainly. Start at [`generate`].

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    document::{MASTER, Tag},
    id::TaskId,
    status::Status,
    task::Task,
};

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Generated {
    /// How many tasks have their file.
    pub count: usize,
    pub directory: PathBuf,
    /// Files of tasks that are gone, which are gone too.
    pub orphans_removed: usize,
    pub failures: Vec<FileFailure>,
}

/// A task whose file could not be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFailure {
    pub task: TaskId,
    pub reason: String,
}

/// Why there are no files at all.
#[derive(Debug, thiserror::Error)]
#[error("{directory} cannot be written")]
pub struct GenerateError {
    pub directory: PathBuf,
    pub source: io::Error,
}

/// Writes a file for each task of a tag, and removes the files of this tag's tasks that are gone.
///
/// A tag without tasks leaves everything as it is.
pub fn generate(tag: &Tag, directory: &Path) -> Result<Generated, GenerateError> {
    let mut generated = Generated {
        count: 0,
        directory: directory.to_path_buf(),
        orphans_removed: 0,
        failures: Vec::new(),
    };
    if tag.tasks().is_empty() {
        return Ok(generated);
    }
    let fault = |source| GenerateError { directory: directory.to_path_buf(), source };
    fs::create_dir_all(directory).map_err(fault)?;
    let mut names = HashSet::new();
    for task in tag.tasks() {
        let written = match file_name(task, tag.name()) {
            Some(name) => {
                let path = directory.join(&name);
                names.insert(name);
                write(&path, &render(task, tag.tasks())).map_err(|error| error.to_string())
            }
            None => Err("its id cannot be the name of a file".to_owned()),
        };
        match written {
            Ok(()) => generated.count += 1,
            Err(reason) => generated.failures.push(FileFailure { task: task.id(), reason }),
        }
    }
    for entry in fs::read_dir(directory).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_orphan = is_generated(&name, tag.name()) && !names.contains(&name);
        if is_orphan && fs::remove_file(entry.path()).is_ok() {
            generated.orphans_removed += 1;
        }
    }
    Ok(generated)
}

/// A task as Markdown; `tasks` are those that it may wait for.
pub fn render(task: &Task, tasks: &[Task]) -> String {
    let or = |text: Option<String>, otherwise: &str| {
        text.filter(|it| !it.trim().is_empty()).unwrap_or_else(|| otherwise.to_owned())
    };
    let priority = task.priority().map_or_else(|| "medium".to_owned(), |it| it.to_string());
    let mut sections = vec![
        format!("# Task ID: {}", task.id()),
        format!("**Title:** {}", task.title()),
        format!("**Status:** {}", task.status()),
        format!("**Dependencies:** {}", dependencies(task, tasks)),
        format!("**Priority:** {priority}"),
        format!("**Description:** {}", task.description()),
        "**Details:**".to_owned(),
        or(task.details(), "No details provided."),
        "**Test Strategy:**".to_owned(),
        or(task.test_strategy(), "No test strategy provided."),
    ];
    if !task.subtasks().is_empty() {
        sections.push("## Subtasks".to_owned());
    }
    for subtask in task.subtasks() {
        sections.push(format!("### {}. {}", subtask.id(), subtask.title()));
        let (status, dependencies) = (subtask.status(), dependencies(subtask, &[]));
        sections.push(format!("**Status:** {status}  \n**Dependencies:** {dependencies}  "));
        sections.push(subtask.description());
        if let Some(details) = subtask.details().filter(|it| !it.trim().is_empty()) {
            sections.push("**Details:**".to_owned());
            sections.push(details);
        }
    }
    let text = collapse(&sections.join("\n\n"));
    format!("{}\n", text.trim_end())
}

/// What it waits for, with marks where that is among `tasks`.
fn dependencies(task: &Task, tasks: &[Task]) -> String {
    let marked = |id: &TaskId| {
        let status = tasks.iter().find(|it| it.id() == *id).map(Task::status);
        format!("{id}{}", status.map_or("", |it| mark(&it)))
    };
    let ids: Vec<String> = task.dependencies().iter().map(marked).collect();
    if ids.is_empty() { "None".to_owned() } else { ids.join(", ") }
}

fn mark(status: &Status) -> &'static str {
    match status {
        Status::Done | Status::Completed => " ✓",
        Status::InProgress => " ⧖",
        Status::Blocked => " ⛔",
        Status::Cancelled => " ✗",
        Status::Deferred => " ⏸",
        Status::Pending | Status::Review | Status::Other(_) => "",
    }
}

/// At most one empty line at a time.
fn collapse(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut newlines = 0;
    for character in text.chars() {
        newlines = if character == '\n' { newlines + 1 } else { 0 };
        if newlines <= 2 {
            out.push(character);
        }
    }
    out
}

/// `task_001.md`, or `task_001_v2.md` for another tag than master; none for an id with which a
/// file would end up elsewhere.
fn file_name(task: &Task, tag: &str) -> Option<String> {
    let id = task.id().to_string();
    let is_fine = |it: char| it.is_ascii_alphanumeric() || it == '-' || it == '_';
    if id.is_empty() || !id.chars().all(is_fine) || tag.contains(['/', '\\']) {
        return None;
    }
    Some(format!("task_{id:0>3}{}", suffix(tag)))
}

fn is_generated(name: &str, tag: &str) -> bool {
    let id = name.strip_prefix("task_").and_then(|it| it.strip_suffix(&suffix(tag)));
    id.is_some_and(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit()))
}

fn suffix(tag: &str) -> String {
    if tag == MASTER { ".md".to_owned() } else { format!("_{tag}.md") }
}

/// What is as it should be is not touched: others watch these files.
fn write(path: &Path, text: &str) -> io::Result<()> {
    if fs::read(path).is_ok_and(|it| it == text.as_bytes()) {
        return Ok(());
    }
    fs::write(path, text)
}

#[cfg(test)]
mod tests;
