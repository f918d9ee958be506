//! Tasks that become subtasks, and subtasks that become tasks, at the next free id.

use super::{Moved, Place, relocate, set_priority};
use crate::{
    document::{Tag, TaskFile},
    graph::Graph,
    id::TaskId,
    remove::{RemoveError, check_subtask, forget_empty_list, tag_mut},
    task::{Priority, Task},
};

/// Why a task cannot become a subtask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    #[error("there is no tag `{tag}`")]
    NoTag { tag: String },
    #[error("there is no task {id} in tag `{tag}`")]
    NoTask { id: TaskId, tag: String },
    #[error("{id} is a subtask already")]
    NotATask { id: TaskId },
    #[error("task {id} cannot become a subtask of itself")]
    IntoItself { id: TaskId },
    #[error("task {parent} waits for task {id}, so that cannot become a part of it")]
    Circle { id: TaskId, parent: TaskId },
}

/// Makes a task the last subtask of another one. It keeps all that it has.
pub fn make_subtask(
    file: &mut TaskFile,
    tag: &str,
    id: &TaskId,
    parent: &TaskId,
) -> Result<Moved, ConvertError> {
    let no_tag = || ConvertError::NoTag { tag: tag.to_owned() };
    let tag = file.tag_mut(tag).ok_or_else(no_tag)?;
    let no_task = |id: &TaskId| {
        let (id, tag) = (id.clone(), tag.name().to_owned());
        ConvertError::NoTask { id, tag }
    };
    for id in [id, parent] {
        if id.is_subtask() {
            return Err(ConvertError::NotATask { id: id.clone() });
        }
        tag.find(id).ok_or_else(|| no_task(id))?;
    }
    if id == parent {
        return Err(ConvertError::IntoItself { id: id.clone() });
    }
    if Graph::new(tag.tasks()).path(parent, id).is_some() {
        return Err(ConvertError::Circle { id: id.clone(), parent: parent.clone() });
    }
    let missing = no_task(id);
    let Some(above) = tag.find(parent) else { return Err(no_task(parent)) };
    let place = Place { id: above.next_subtask(), after: None };
    let points_to = above.raw("id").map(|it| serde_json::from_str(it).unwrap_or_default());
    let prepare = |task: &mut Task| {
        if let Some(id) = &points_to {
            task.set("parentTaskId", id);
        }
    };
    let (task, lost) = relocate(tag, id, &place, prepare).ok_or(missing)?;
    Ok(Moved { from: id.clone(), to: place.id, task, lost, lost_subtasks: Vec::new() })
}

/// Makes subtasks tasks of their own, at the end of the tag: all of these, or none when one of
/// them does not exist.
///
/// Each has the priority of the task that it was a part of, and waits for that task, unless the
/// task, or another part of it, waits for it.
pub fn make_tasks(
    file: &mut TaskFile,
    tag: &str,
    ids: &[TaskId],
) -> Result<Vec<Moved>, RemoveError> {
    let tag = tag_mut(file, tag)?;
    for id in ids {
        check_subtask(tag, id)?;
    }
    ids.iter().map(|id| make_task(tag, id)).collect()
}

fn make_task(tag: &mut Tag, id: &TaskId) -> Result<Moved, RemoveError> {
    let no_subtask = || RemoveError::NoSubtask { id: id.clone() };
    let parent = tag.find(&id.parent()).ok_or_else(no_subtask)?;
    let priority = parent.priority().unwrap_or(Priority::Medium);
    let place = Place { id: TaskId::top(tag.highest_id() + 1), after: None };
    let prepare = |task: &mut Task| set_priority(task, &priority);
    let (_, lost) = relocate(tag, id, &place, prepare).ok_or_else(no_subtask)?;
    forget_empty_list(tag, &id.parent());
    wait_for(tag, &place.id, &id.parent());
    let task = tag.find(&place.id).ok_or_else(no_subtask)?;
    Ok(Moved { from: id.clone(), to: place.id, task, lost, lost_subtasks: Vec::new() })
}

fn wait_for(tag: &mut Tag, id: &TaskId, parent: &TaskId) {
    let Some(waited_for) = tag.find(parent) else { return };
    let graph = Graph::new(tag.tasks());
    let mut parts = waited_for.subtasks().iter().map(Task::id);
    let is_needed = |it: &TaskId| graph.path(it, id).is_some();
    if is_needed(parent) || parts.any(|it| is_needed(&it)) {
        return;
    }
    tag.change(id, |task| {
        if task.dependencies().contains(parent) {
            return;
        }
        let reference = task.reference_to(&waited_for).to_string();
        let spelled = task.references().into_iter().map(|it| it.0.to_owned());
        let spelled: Vec<String> = spelled.chain([reference]).collect();
        task.set_references(&spelled);
    });
}
