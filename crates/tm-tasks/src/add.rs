//! Adding tasks and subtasks.
//!
//! Start at [`add_task`] and [`add_subtask`]. Who thought of the task, a person or a model, is not known here, and
//! writing the file is the store's business.

use serde_json::{Value, json};

use crate::{
    document::TaskFile,
    id::TaskId,
    status::Status,
    task::{Priority, Task},
};

pub use subtask::{AddSubtaskError, AddedSubtask, SubtaskDraft, add_subtask};

mod subtask;

/// What is said about a new task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskDraft {
    pub title: String,
    pub description: String,
    pub details: String,
    pub test_strategy: String,
    pub priority: Priority,
    pub dependencies: Vec<TaskId>,
}

/// A task that was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedTask {
    pub task: Task,
    /// Dependencies that no tag has a task for. They were left out.
    pub missing: Vec<TaskId>,
    /// Dependencies that only other tags have a task for. They were kept.
    pub elsewhere: Vec<TaskId>,
}

/// Why a task cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddTaskError {
    /// The task must be described better.
    #[error("the {field} of a task cannot be empty")]
    Empty { field: &'static str },
    /// The tag must be created, or another one named.
    #[error("there is no tag `{tag}`")]
    NoTag { tag: String },
}

/// Adds a pending task at the end of a tag, with the next free number for its id.
pub fn add_task(
    file: &mut TaskFile,
    tag: &str,
    draft: &TaskDraft,
) -> Result<AddedTask, AddTaskError> {
    for (field, text) in [("title", &draft.title), ("description", &draft.description)] {
        if text.trim().is_empty() {
            return Err(AddTaskError::Empty { field });
        }
    }
    let no_tag = || AddTaskError::NoTag { tag: tag.to_owned() };
    let here = file.tag(tag).ok_or_else(no_tag)?;
    let (known, missing): (Vec<&TaskId>, Vec<&TaskId>) =
        draft.dependencies.iter().partition(|id| file.tags().any(|it| it.find(id).is_some()));
    let elsewhere = known.iter().filter(|it| here.find(it).is_none());
    let elsewhere = elsewhere.map(|it| (*it).clone()).collect();
    let spelling = here.id_spelling();
    let dependencies: Vec<Value> = known.iter().map(|it| it.to_json(spelling)).collect();
    let id = TaskId::top(here.highest_id() + 1);
    let task = Task::with_fields([
        ("id", id.to_json(spelling)),
        ("title", json!(draft.title)),
        ("description", json!(draft.description)),
        ("details", json!(draft.details)),
        ("testStrategy", json!(draft.test_strategy)),
        ("status", json!(Status::Pending.as_str())),
        ("dependencies", json!(dependencies)),
        ("priority", json!(draft.priority.as_str())),
        ("subtasks", json!([])),
    ]);
    let missing = missing.into_iter().cloned().collect();
    file.tag_mut(tag).ok_or_else(no_tag)?.tasks_mut().push(task.clone());
    Ok(AddedTask { task, missing, elsewhere })
}

#[cfg(test)]
mod tests;
