//! Adding a new subtask to a task.

use serde_json::{Value, json};

use crate::{document::TaskFile, id::TaskId, status::Status, task::Task};

/// What is said about a new subtask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubtaskDraft {
    pub title: String,
    pub description: String,
    pub details: String,
    pub status: Status,
    /// A bare number names a subtask of the same task where there is one, else a task.
    pub dependencies: Vec<TaskId>,
}

/// A subtask that was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedSubtask {
    pub subtask: Task,
    /// Dependencies that name nothing in the tag. They were left out.
    pub missing: Vec<TaskId>,
}

/// Why a subtask cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddSubtaskError {
    #[error("the title of a subtask cannot be empty")]
    NoTitle,
    #[error("there is no tag `{tag}`")]
    NoTag { tag: String },
    #[error("there is no task {id} in tag `{tag}`")]
    NoTask { id: TaskId, tag: String },
    #[error("{id} is a subtask, which cannot have subtasks")]
    NotATask { id: TaskId },
}

/// Adds a subtask at the end of a task, with the next free number for its id.
pub fn add_subtask(
    file: &mut TaskFile,
    tag: &str,
    parent: &TaskId,
    draft: &SubtaskDraft,
) -> Result<AddedSubtask, AddSubtaskError> {
    if draft.title.trim().is_empty() {
        return Err(AddSubtaskError::NoTitle);
    }
    if parent.is_subtask() {
        return Err(AddSubtaskError::NotATask { id: parent.clone() });
    }
    let no_tag = || AddSubtaskError::NoTag { tag: tag.to_owned() };
    let tag = file.tag_mut(tag).ok_or_else(no_tag)?;
    let name = tag.name().to_owned();
    let no_task = || AddSubtaskError::NoTask { id: parent.clone(), tag: name.clone() };
    let above = tag.find(parent).ok_or_else(no_task)?;
    let id = above.next_subtask();
    let mut subtask = Task::with_fields([
        ("id", json!(null)),
        ("title", json!(draft.title)),
        ("description", json!(draft.description)),
        ("details", json!(draft.details)),
        ("status", json!(draft.status.as_str())),
        ("dependencies", json!([])),
        ("parentTaskId", above.raw("id").map_or(Value::Null, as_value)),
    ]);
    subtask.settle(Some(&above), &above.spell_subtask(&id));
    let mut references = Vec::new();
    let mut missing = Vec::new();
    for dependency in &draft.dependencies {
        let sibling = parent.child(dependency.task());
        let sibling = if dependency.is_subtask() { None } else { tag.find(&sibling) };
        match (sibling, tag.find(dependency)) {
            (Some(sibling), _) => references.extend(sibling.raw("id").map(str::to_owned)),
            // A part waits for the whole of itself anyhow.
            (None, Some(found)) if found.id() == *parent => {}
            (None, Some(found)) => references.push(subtask.reference_to(&found).to_string()),
            (None, None) => missing.push(dependency.clone()),
        }
    }
    subtask.set_references(&references);
    let mut subtasks = above.subtasks().to_vec();
    subtasks.push(subtask.clone());
    tag.change(parent, |task| task.set_subtasks(&subtasks)).ok_or_else(no_task)?;
    Ok(AddedSubtask { subtask, missing })
}

fn as_value(json_text: &str) -> Value {
    serde_json::from_str(json_text).unwrap_or_default()
}
