//! What a task is up to, and changing that.
//!
//! Start at [`set_status`]. Writing the file is the store's business.

use std::{fmt, str::FromStr};

use serde_json::json;

use crate::{
    document::{Tag, TaskFile},
    id::TaskId,
    task::Task,
    timestamp::{Timestamp, iso_millis},
};

/// What a task is up to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Status {
    Pending,
    InProgress,
    Done,
    Deferred,
    Cancelled,
    Blocked,
    Review,
    /// What old files say for done; cannot be set.
    Completed,
    /// What else a file says; cannot be set.
    Other(String),
}

/// A text that is none of the statuses that can be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a status: use pending, in-progress, done, deferred, cancelled, blocked or review"
)]
pub struct UnknownStatus {
    pub text: String,
}

/// One status that changed, or was asked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChange {
    pub id: TaskId,
    pub old: Status,
    pub new: Status,
    /// What became of the parent of a subtask, when that changed too.
    pub parent: Option<Box<Self>>,
}

/// Why a status cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetStatusError {
    #[error("there is no tag `{tag}`")]
    NoTag { tag: String },
    #[error("there is no task {id} in tag `{tag}`")]
    NoTask { id: TaskId, tag: String },
}

/// Sets the status of a task or subtask.
///
/// A task's subtasks are left alone. A subtask takes its task along: done when all are, in
/// progress once one is or is done, pending when all are. Setting what is already set changes
/// nothing.
pub fn set_status(
    file: &mut TaskFile,
    tag: &str,
    id: &TaskId,
    status: &Status,
    now: Timestamp,
) -> Result<StatusChange, SetStatusError> {
    let no_task = || SetStatusError::NoTask { id: id.clone(), tag: tag.to_owned() };
    let no_tag = || SetStatusError::NoTag { tag: tag.to_owned() };
    let tag: &mut Tag = file.tag_mut(tag).ok_or_else(no_tag)?;
    let task = tag.tasks_mut().iter_mut().find(|it| it.id() == id.parent()).ok_or_else(no_task)?;
    if !id.is_subtask() {
        return Ok(change_status(task, status, now));
    }
    let mut subtasks = task.subtasks().to_vec();
    let subtask = subtasks.iter_mut().find(|it| it.id() == *id).ok_or_else(no_task)?;
    let mut change = change_status(subtask, status, now);
    if change.old == change.new {
        return Ok(change);
    }
    task.set_subtasks(&subtasks);
    let followed = status_from(&subtasks).unwrap_or_else(|| task.status());
    let parent = change_status(task, &followed, now);
    touch(task, now);
    change.parent = (parent.old != parent.new).then(|| Box::new(parent));
    Ok(change)
}

impl Status {
    /// The statuses that a user may set.
    pub const SETTABLE: [Self; 7] = [
        Self::Pending,
        Self::InProgress,
        Self::Done,
        Self::Deferred,
        Self::Cancelled,
        Self::Blocked,
        Self::Review,
    ];

    /// Reads what a file says.
    pub fn read(text: &str) -> Self {
        match text {
            "completed" => Self::Completed,
            other => other.parse().unwrap_or_else(|_| Self::Other(other.to_owned())),
        }
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in-progress",
            Self::Done => "done",
            Self::Deferred => "deferred",
            Self::Cancelled => "cancelled",
            Self::Blocked => "blocked",
            Self::Review => "review",
            Self::Completed => "completed",
            Self::Other(text) => text,
        }
    }

    /// Done, or what old files say for it.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done | Self::Completed)
    }

    /// Nothing is left to do: done or cancelled.
    pub fn is_complete(&self) -> bool {
        self.is_done() || *self == Self::Cancelled
    }
}

/// Reads which statuses are wanted, separated by commas; none when all are, as `all` says.
pub fn read_filter(text: &str) -> Result<Vec<Status>, UnknownStatus> {
    let mut statuses = Vec::new();
    for text in text.split(',') {
        match text.trim() {
            "" => {}
            "all" => return Ok(Vec::new()),
            // Old files say so for done.
            "completed" => statuses.push(Status::Completed),
            text => statuses.push(text.parse()?),
        }
    }
    Ok(statuses)
}

impl FromStr for Status {
    type Err = UnknownStatus;

    /// Reads what a user may set.
    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        let found = Self::SETTABLE.into_iter().find(|it| it.as_str() == text);
        found.ok_or_else(|| UnknownStatus { text: text.to_owned() })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

fn change_status(task: &mut Task, status: &Status, now: Timestamp) -> StatusChange {
    let old = task.status();
    // A task without a status reads as pending; setting it writes it down.
    if old != *status || task.text("status").is_none() {
        task.set_status(status);
        touch(task, now);
    }
    StatusChange { id: task.id(), old, new: status.clone(), parent: None }
}

fn touch(task: &mut Task, now: Timestamp) {
    task.set("updatedAt", &json!(iso_millis(now)));
}

/// What its subtasks say about a task, if they agree on anything.
fn status_from(subtasks: &[Task]) -> Option<Status> {
    let statuses: Vec<Status> = subtasks.iter().map(Task::status).collect();
    if statuses.iter().all(Status::is_done) {
        Some(Status::Done)
    } else if statuses.iter().any(|it| it.is_done() || *it == Status::InProgress) {
        Some(Status::InProgress)
    } else if statuses.iter().all(|it| *it == Status::Pending) {
        Some(Status::Pending)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
