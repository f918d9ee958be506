//! Keeping dependencies right when tasks go away or get other ids.
//!
//! Works within one tag: the same number in another tag names another task. Start at
//! [`drop_references`].

use std::collections::HashSet;

use crate::{
    document::Tag,
    id::{IdSpelling, TaskId},
    task::Task,
};

/// A dependency that went away together with what it named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostLink {
    pub task: TaskId,
    pub dependency: TaskId,
}

/// Takes every dependency on what is gone out of the lists of a tag.
pub fn drop_references(tag: &mut Tag, is_gone: impl Fn(&TaskId) -> bool) -> Vec<LostLink> {
    rewrite(tag, |id| (!is_gone(id)).then(|| id.clone()))
}

/// Gives every dependency in a tag the id that `successor` says, and takes out those for which
/// it says nothing. What keeps its id keeps its spelling.
pub(crate) fn rewrite(
    tag: &mut Tag,
    successor: impl Fn(&TaskId) -> Option<TaskId>,
) -> Vec<LostLink> {
    let spelling = tag.id_spelling();
    let mut lost = Vec::new();
    for task in tag.tasks_mut() {
        lost.extend(rewrite_task(task, spelling, &successor));
    }
    lost
}

/// The same for one task and its subtasks.
pub(crate) fn rewrite_task(
    task: &mut Task,
    spelling: IdSpelling,
    successor: impl Fn(&TaskId) -> Option<TaskId>,
) -> Vec<LostLink> {
    let mut lost = Vec::new();
    rewrite_list(task, spelling, &successor, &mut lost);
    let mut subtasks = task.subtasks().to_vec();
    let mut has_changed = false;
    for subtask in &mut subtasks {
        has_changed |= rewrite_list(subtask, spelling, &successor, &mut lost);
    }
    if has_changed {
        task.set_subtasks(&subtasks);
    }
    lost
}

/// Moves a task below another parent, or to the top, so that its list still names what it named.
pub(crate) fn resettle(
    task: &mut Task,
    parent: Option<&Task>,
    id: &serde_json::Value,
    spelling: IdSpelling,
) {
    let old: Vec<(String, Option<TaskId>)> =
        task.references().into_iter().map(|(spelled, id)| (spelled.to_owned(), id)).collect();
    let was_below = task.id().is_subtask().then(|| task.id().parent());
    task.settle(parent, id);
    task.adopt_subtasks();
    let own = task.id();
    if old.is_empty() || was_below == own.is_subtask().then(|| own.parent()) {
        return;
    }
    let kept = old.into_iter().filter_map(|(spelled, id)| match id {
        None => Some(spelled),
        Some(id) if says_nothing(&own, &id) => None,
        Some(id) => Some(task.spell(&id, spelling).to_string()),
    });
    let kept: Vec<String> = kept.collect();
    task.set_references(&kept);
}

fn rewrite_list(
    task: &mut Task,
    spelling: IdSpelling,
    successor: impl Fn(&TaskId) -> Option<TaskId>,
    lost: &mut Vec<LostLink>,
) -> bool {
    let own = task.id();
    let references = task.references();
    let stays = |id: &TaskId| successor(id).as_ref() == Some(id);
    let mut named: HashSet<TaskId> =
        references.iter().filter_map(|it| it.1.clone()).filter(stays).collect();
    let mut kept = Vec::new();
    let mut has_changed = false;
    for (spelled, id) in references {
        let Some(id) = id.filter(|it| !stays(it)) else {
            kept.push(spelled.to_owned());
            continue;
        };
        has_changed = true;
        match successor(&id) {
            None => lost.push(LostLink { task: own.clone(), dependency: id }),
            Some(next) if says_nothing(&own, &next) => {}
            Some(next) => {
                if named.insert(next.clone()) {
                    kept.push(task.spell(&next, spelling).to_string());
                }
            }
        }
    }
    if has_changed {
        task.set_references(&kept);
    }
    has_changed
}

/// Nothing waits for itself, and a task and its subtasks belong together anyhow.
fn says_nothing(own: &TaskId, dependency: &TaskId) -> bool {
    own == dependency
        || own.is_subtask() && own.parent() == *dependency
        || dependency.is_subtask() && dependency.parent() == *own
}

#[cfg(test)]
mod tests;
