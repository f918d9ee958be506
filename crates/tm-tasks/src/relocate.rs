//! Moving tasks and subtasks to other places: to another id, to another task, to another tag.
//!
//! Whatever names a moved task names it by its new id afterwards, and no id is there twice.
//! Start at [`move_task`], and at [`move_to_tag`] for other tags.

use serde_json::json;

use crate::{
    document::{Tag, TaskFile},
    id::TaskId,
    references::{LostLink, resettle, rewrite},
    task::{Priority, Task},
};

pub use across::{CrossTagMove, Links, MovedToTag, move_to_tag};
pub use convert::{ConvertError, make_subtask, make_tasks};
pub use error::MoveError;

mod across;
mod convert;
mod error;

/// A task or subtask that is somewhere else now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    pub from: TaskId,
    /// Its id now: not the one that was asked for where another subtask has that.
    pub to: TaskId,
    pub task: Task,
    /// Dependencies on subtasks that the task no longer has.
    pub lost: Vec<LostLink>,
    /// The subtasks of a task that is a subtask now: it cannot have any.
    pub lost_subtasks: Vec<Task>,
}

/// Where something is put.
struct Place {
    id: TaskId,
    /// The subtask right before it; without one it comes last.
    after: Option<TaskId>,
}

/// Moves a task or subtask to another place within its tag.
///
/// A task gets another id and comes last. A task that becomes a subtask loses priority and
/// subtasks; a subtask that becomes a task has medium priority unless it has its own. Where the
/// destination is a subtask, it comes right after that: within the same task with the id that it
/// has, else with the next free one.
pub fn move_task(
    file: &mut TaskFile,
    tag: &str,
    from: &TaskId,
    to: &TaskId,
) -> Result<Moved, MoveError> {
    let no_tag = || MoveError::InvalidSourceTag { tag: tag.to_owned() };
    let tag = file.tag_mut(tag).ok_or_else(no_tag)?;
    check_source(tag, from)?;
    let place = destination(tag, from, to)?;
    let mut lost_subtasks = Vec::new();
    let prepare = |task: &mut Task| match (from.is_subtask(), to.is_subtask()) {
        (false, true) => {
            lost_subtasks = task.subtasks().to_vec();
            task.remove("priority");
            task.remove("subtasks");
        }
        (true, false) => {
            set_priority(task, &Priority::Medium);
            // What every task has.
            for name in ["description", "details", "testStrategy"] {
                if task.raw(name).is_none() {
                    task.set(name, &json!(""));
                }
            }
            if task.raw("subtasks").is_none() {
                task.set("subtasks", &json!([]));
            }
        }
        (true, true) | (false, false) => {}
    };
    let no_task = || MoveError::TaskNotFound { id: from.clone() };
    let (task, lost) = relocate(tag, from, &place, prepare).ok_or_else(no_task)?;
    Ok(Moved { from: from.clone(), to: place.id, task, lost, lost_subtasks })
}

/// One of several moves: from where, to where, and what became of it.
pub type MoveResult = (TaskId, TaskId, Result<Moved, MoveError>);

/// Moves several, the first to the first destination, and so on. What cannot be moved stays, and
/// the others go on; when nothing can be moved, the first reason is the error.
pub fn move_tasks(
    file: &mut TaskFile,
    tag: &str,
    from: &[TaskId],
    to: &[TaskId],
) -> Result<Vec<MoveResult>, MoveError> {
    if from.len() != to.len() {
        return Err(MoveError::IdCountMismatch { from: from.len(), to: to.len() });
    }
    let pairs = from.iter().zip(to);
    let results = pairs.map(|(from, to)| (from, to, move_task(file, tag, from, to)));
    let results: Vec<MoveResult> =
        results.map(|(from, to, result)| (from.clone(), to.clone(), result)).collect();
    let reasons: Vec<&MoveError> = results.iter().filter_map(|it| it.2.as_ref().err()).collect();
    match reasons.first() {
        Some(&reason) if reasons.len() == results.len() => Err(reason.clone()),
        _ => Ok(results),
    }
}

/// Takes a task or subtask out of its list.
pub(crate) fn take(tag: &mut Tag, id: &TaskId) -> Option<Task> {
    if !id.is_subtask() {
        let place = tag.tasks().iter().position(|it| it.id() == *id)?;
        return Some(tag.tasks_mut().remove(place));
    }
    tag.change(&id.parent(), |task| {
        let mut subtasks = task.subtasks().to_vec();
        let place = subtasks.iter().position(|it| it.id() == *id)?;
        let subtask = subtasks.remove(place);
        task.set_subtasks(&subtasks);
        Some(subtask)
    })?
}

/// Moves something that is there to a place that is free, and lets everything that names it
/// follow. `prepare` makes it what it shall be there.
fn relocate(
    tag: &mut Tag,
    from: &TaskId,
    place: &Place,
    prepare: impl FnOnce(&mut Task),
) -> Option<(Task, Vec<LostLink>)> {
    let spelling = tag.id_spelling();
    let mut task = take(tag, from)?;
    prepare(&mut task);
    if place.id.is_subtask() {
        let parent = tag.find(&place.id.parent())?;
        if place.id != *from {
            resettle(&mut task, Some(&parent), &parent.spell_subtask(&place.id), spelling);
        }
        tag.change(&place.id.parent(), |parent| insert_subtask(parent, task, place));
    } else {
        resettle(&mut task, None, &place.id.to_json(spelling), spelling);
        tag.tasks_mut().push(task);
    }
    let lost = rewrite(tag, |id| {
        if id == from {
            return Some(place.id.clone());
        }
        match id.subtask() {
            Some(subtask) if id.parent() == *from => {
                (!place.id.is_subtask()).then(|| place.id.child(subtask))
            }
            _ => Some(id.clone()),
        }
    });
    Some((tag.find(&place.id)?, lost))
}

fn insert_subtask(parent: &mut Task, task: Task, place: &Place) {
    let mut subtasks = parent.subtasks().to_vec();
    let before = subtasks.iter().position(|it| Some(it.id()) == place.after);
    subtasks.insert(before.map_or(subtasks.len(), |it| it + 1), task);
    parent.set_subtasks(&subtasks);
}

/// Unless it has its own.
fn set_priority(task: &mut Task, priority: &Priority) {
    if task.priority().is_none() {
        task.set("priority", &json!(priority.as_str()));
    }
}

fn destination(tag: &Tag, from: &TaskId, to: &TaskId) -> Result<Place, MoveError> {
    let is_taken = tag.find(to).is_some();
    if !to.is_subtask() {
        if is_taken {
            let tag = tag.name().to_owned();
            return Err(MoveError::TaskAlreadyExists { ids: vec![to.clone()], tag });
        }
        return Ok(Place { id: to.clone(), after: None });
    }
    if to.parent() == *from {
        return Err(MoveError::IntoItself { id: from.clone() });
    }
    let no_task = || MoveError::DestinationTaskNotFound { id: to.parent() };
    let parent = tag.find(&to.parent()).ok_or_else(no_task)?;
    let id = match (is_taken, from.is_subtask() && from.parent() == to.parent()) {
        (false, _) => to.clone(),
        (true, true) => from.clone(),
        (true, false) => parent.next_subtask(),
    };
    // It cannot come after itself: it stays where it is.
    let before_itself = || {
        let subtasks = parent.subtasks();
        let place = subtasks.iter().position(|it| it.id() == *from)?;
        Some(subtasks.get(place.checked_sub(1)?)?.id())
    };
    let after = if from == to { before_itself() } else { is_taken.then(|| to.clone()) };
    Ok(Place { id, after })
}

fn check_source(tag: &Tag, from: &TaskId) -> Result<(), MoveError> {
    if tag.find(from).is_some() {
        return Ok(());
    }
    let id = from.clone();
    if !from.is_subtask() {
        return Err(MoveError::TaskNotFound { id });
    }
    Err(match tag.find(&from.parent()) {
        None => MoveError::ParentTaskNotFound { id: from.parent() },
        Some(parent) if parent.subtasks().is_empty() => {
            MoveError::ParentTaskNoSubtasks { id: from.parent() }
        }
        Some(_) => MoveError::SubtaskNotFound { id },
    })
}

#[cfg(test)]
mod tests;
