//! Moving tasks to another tag.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::{MoveError, take};
use crate::{
    document::{Tag, TaskFile},
    id::TaskId,
    references::{LostLink, drop_references, rewrite_task},
    task::Task,
    timestamp::{Timestamp, iso_millis},
};

/// What is to be moved, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrossTagMove {
    pub ids: Vec<TaskId>,
    pub from_tag: String,
    pub to_tag: String,
    pub links: Links,
}

/// What becomes of dependencies that would lead from one tag into the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Links {
    /// Then nothing is moved.
    #[default]
    Refuse,
    /// What is depended on is moved, too.
    Follow,
    /// They are given up.
    Drop,
}

/// Tasks that are in another tag now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedToTag {
    /// With what they depend on, when that was moved along.
    pub moved: Vec<Task>,
    /// Whether the tag they are in now is new.
    pub is_new_tag: bool,
    /// Dependencies of moved tasks that were given up.
    pub given_up: Vec<LostLink>,
    /// Dependencies of tasks that stayed, on what was moved.
    pub left_behind: Vec<LostLink>,
}

impl Links {
    /// What two options say that cannot both be meant.
    pub fn from_options(follow: bool, ignore: bool) -> Result<Self, MoveError> {
        match (follow, ignore) {
            (true, true) => Err(MoveError::ContradictoryOptions),
            (true, false) => Ok(Self::Follow),
            (false, true) => Ok(Self::Drop),
            (false, false) => Ok(Self::Refuse),
        }
    }
}

/// Moves whole tasks to another tag, which is created when there is none. They keep their ids,
/// and note in their metadata where they were.
///
/// Tasks that stay and depended on a moved one do so no longer.
pub fn move_to_tag(
    file: &mut TaskFile,
    request: &CrossTagMove,
    now: Timestamp,
) -> Result<MovedToTag, MoveError> {
    let (from, to) = (&request.from_tag, &request.to_tag);
    if from == to {
        return Err(MoveError::SourceTargetTagsSame { tag: to.clone() });
    }
    let no_tag = || MoveError::InvalidSourceTag { tag: from.clone() };
    let source = file.tag(from).ok_or_else(no_tag)?;
    let ids = chosen(source, request)?;
    let crossing = crossing(source, &ids);
    if request.links == Links::Refuse && !crossing.is_empty() {
        return Err(MoveError::CrossTagDependencyConflicts { links: crossing });
    }
    let target = file.tag(to);
    let is_new_tag = target.is_none();
    let is_taken = |it: &&TaskId| target.is_some_and(|target| target.find(it).is_some());
    let taken: Vec<TaskId> = ids.iter().filter(is_taken).cloned().collect();
    if !taken.is_empty() {
        return Err(MoveError::TaskAlreadyExists { ids: taken, tag: to.clone() });
    }
    let invalid = |source| MoveError::InvalidTargetTag { tag: to.clone(), source };
    file.tag_or_create(to, now).map_err(invalid)?;
    let source = file.tag_mut(from).ok_or_else(no_tag)?;
    let spelling = source.id_spelling();
    let mut moved: Vec<Task> = ids.iter().filter_map(|it| take(source, it)).collect();
    let is_moved = |id: &TaskId| ids.contains(&id.parent());
    let left_behind = drop_references(source, is_moved);
    let lost: HashSet<&TaskId> = crossing.iter().map(|it| &it.dependency).collect();
    for task in &mut moved {
        rewrite_task(task, spelling, |id| (!lost.contains(id)).then(|| id.clone()));
        note_move(task, request, now);
    }
    let target = file.tag_or_create(to, now).map_err(invalid)?;
    target.tasks_mut().extend(moved.iter().cloned());
    Ok(MovedToTag { moved, is_new_tag, given_up: crossing, left_behind })
}

/// The tasks to move: those named, and what they depend on when that follows.
fn chosen(source: &Tag, request: &CrossTagMove) -> Result<Vec<TaskId>, MoveError> {
    for id in &request.ids {
        if id.is_subtask() {
            return Err(MoveError::CannotMoveSubtask { id: id.clone() });
        }
        if source.find(id).is_none() {
            return Err(MoveError::TaskNotFound { id: id.clone() });
        }
    }
    let mut ids: Vec<TaskId> = Vec::new();
    for id in &request.ids {
        if !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    if request.links == Links::Follow {
        for id in ids.clone() {
            follow(source, &id, &mut ids);
        }
    }
    Ok(ids)
}

/// Adds what a task depends on, each with what that depends on before the next.
fn follow(source: &Tag, id: &TaskId, ids: &mut Vec<TaskId>) {
    let mut left = vec![id.clone()];
    while let Some(id) = left.pop() {
        if !ids.contains(&id) {
            ids.push(id.clone());
        }
        let links = crossing(source, std::slice::from_ref(&id)).into_iter().rev();
        left.extend(links.map(|it| it.dependency.parent()).filter(|it| !ids.contains(it)));
    }
}

/// The dependencies of these tasks on other tasks of their tag. What exists nowhere is no matter
/// of this move.
fn crossing(source: &Tag, ids: &[TaskId]) -> Vec<LostLink> {
    let tasks = source.tasks().iter().filter(|it| ids.contains(&it.id()));
    let tasks = tasks.flat_map(|it| std::iter::once(it).chain(it.subtasks()));
    let mut links: Vec<LostLink> = Vec::new();
    for task in tasks {
        for dependency in task.dependencies() {
            if !ids.contains(&dependency.parent()) && source.find(&dependency.parent()).is_some() {
                links.push(LostLink { task: task.id(), dependency: dependency.clone() });
            }
        }
    }
    links
}

/// Notes in a task where it is, and where it was. What its metadata says otherwise stays.
fn note_move(task: &mut Task, request: &CrossTagMove, now: Timestamp) {
    task.set("tag", &json!(request.to_tag));
    let step = json!({
        "fromTag": request.from_tag,
        "toTag": request.to_tag,
        "timestamp": iso_millis(now),
    });
    let metadata = match task.raw("metadata") {
        None | Some("null") => Some(Map::new()),
        Some(text) => serde_json::from_str(text).ok(),
    };
    let Some(mut metadata) = metadata else { return };
    let history = metadata.entry("moveHistory").or_insert_with(|| json!([]));
    if let Value::Array(steps) = history {
        steps.push(step);
    }
    task.set("metadata", &Value::Object(metadata));
}
