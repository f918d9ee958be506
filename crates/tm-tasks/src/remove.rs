//! Removing tasks and subtasks.
//!
//! What waited for a removed task waits for it no longer; other tags are left alone. Start at
//! [`remove_tasks`]. Making a subtask a task of its own is [`relocate`](crate::relocate)'s.

use std::{
    collections::HashSet,
    fs,
    io::{self, ErrorKind},
    path::Path,
};

use serde_json::json;

use crate::{
    document::{MASTER, Tag, TaskFile},
    id::TaskId,
    references::{LostLink, drop_references},
    relocate::take,
    task::Task,
};

/// What was removed, and what that took along.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removal {
    /// As they were, subtasks of removed tasks within them.
    pub removed: Vec<Task>,
    /// What was to be removed and does not exist.
    pub missing: Vec<TaskId>,
    /// Dependencies on what was removed.
    pub lost: Vec<LostLink>,
}

/// Why nothing was removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemoveError {
    #[error("there is no tag `{tag}`")]
    NoTag { tag: String },
    #[error("{id} is a task: a subtask has an id such as {id}.1")]
    NotASubtask { id: TaskId },
    #[error("there is no task {id} in tag `{tag}`")]
    NoTask { id: TaskId, tag: String },
    #[error("task {} has no subtask {id}", id.parent())]
    NoSubtask { id: TaskId },
}

/// Whose subtasks are cleared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    All,
    These(Vec<TaskId>),
}

/// Removes those of these tasks and subtasks that exist.
pub fn remove_tasks(
    file: &mut TaskFile,
    tag: &str,
    ids: &[TaskId],
) -> Result<Removal, RemoveError> {
    let tag = tag_mut(file, tag)?;
    let (there, missing): (Vec<&TaskId>, Vec<&TaskId>) =
        ids.iter().partition(|it| tag.find(it).is_some());
    let mut removal = remove(tag, &there);
    removal.missing = missing.into_iter().cloned().collect();
    Ok(removal)
}

/// Removes subtasks: all of these, or none when one of them does not exist.
pub fn remove_subtasks(
    file: &mut TaskFile,
    tag: &str,
    ids: &[TaskId],
) -> Result<Removal, RemoveError> {
    let tag = tag_mut(file, tag)?;
    for id in ids {
        check_subtask(tag, id)?;
    }
    let removal = remove(tag, &ids.iter().collect::<Vec<_>>());
    for id in ids {
        forget_empty_list(tag, &id.parent());
    }
    Ok(removal)
}

/// Takes their subtasks from tasks. The removed ones are told as their tasks were before.
pub fn clear_subtasks(
    file: &mut TaskFile,
    tag: &str,
    whose: &Whose,
) -> Result<Removal, RemoveError> {
    let tag = tag_mut(file, tag)?;
    let mut removal = Removal::default();
    if let Whose::These(ids) = whose {
        let missing = ids.iter().filter(|it| it.is_subtask() || tag.find(it).is_none());
        removal.missing = missing.cloned().collect();
    }
    let is_meant = |id: &TaskId| match whose {
        Whose::All => true,
        Whose::These(ids) => ids.contains(id),
    };
    for task in tag.tasks_mut() {
        if is_meant(&task.id()) && !task.subtasks().is_empty() {
            removal.removed.push(task.clone());
            task.set("subtasks", &json!([]));
        }
    }
    let cleared: HashSet<TaskId> = removal.removed.iter().map(Task::id).collect();
    removal.lost = drop_references(tag, |id| id.is_subtask() && cleared.contains(&id.parent()));
    Ok(removal)
}

/// Deletes the files that were generated for removed tasks, and returns how many there were.
pub fn delete_generated(directory: &Path, tag: &str, removed: &[Task]) -> io::Result<usize> {
    let suffix = if tag == MASTER { String::new() } else { format!("_{tag}") };
    // Nothing outside the directory is meant, whatever a file says for an id.
    let is_plain = |it: &str| !it.is_empty() && !it.contains(['/', '\\']);
    let ids = removed.iter().map(Task::id).filter(|it| !it.is_subtask());
    let mut count = 0;
    for id in ids.filter(|it| is_plain(it.task()) && is_plain(tag)) {
        // Once, they were called `.txt`.
        for extension in ["md", "txt"] {
            let name = format!("task_{:0>3}{suffix}.{extension}", id.task());
            match fs::remove_file(directory.join(name)) {
                Ok(()) => count += 1,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(count)
}

pub(crate) fn check_subtask(tag: &Tag, id: &TaskId) -> Result<(), RemoveError> {
    if !id.is_subtask() {
        return Err(RemoveError::NotASubtask { id: id.clone() });
    }
    if tag.find(&id.parent()).is_none() {
        return Err(RemoveError::NoTask { id: id.parent(), tag: tag.name().to_owned() });
    }
    match tag.find(id) {
        Some(_) => Ok(()),
        None => Err(RemoveError::NoSubtask { id: id.clone() }),
    }
}

pub(crate) fn tag_mut<'a>(file: &'a mut TaskFile, tag: &str) -> Result<&'a mut Tag, RemoveError> {
    file.tag_mut(tag).ok_or_else(|| RemoveError::NoTag { tag: tag.to_owned() })
}

/// A task whose last subtask goes has no list of them any more.
pub(crate) fn forget_empty_list(tag: &mut Tag, id: &TaskId) {
    tag.change(id, |task| {
        if task.subtasks().is_empty() {
            task.remove("subtasks");
        }
    });
}

fn remove(tag: &mut Tag, ids: &[&TaskId]) -> Removal {
    let mut removal = Removal::default();
    for id in ids {
        // It goes with its task.
        if id.is_subtask() && ids.contains(&&id.parent()) {
            continue;
        }
        removal.removed.extend(take(tag, id));
    }
    // Where a file has an id twice, the other task is still there.
    let gone: HashSet<&TaskId> = ids.iter().copied().filter(|it| tag.find(it).is_none()).collect();
    removal.lost = drop_references(tag, |id| gone.contains(id) || gone.contains(&id.parent()));
    removal
}

#[cfg(test)]
mod tests;
