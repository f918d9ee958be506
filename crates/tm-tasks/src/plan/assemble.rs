//! Gives planned tasks their ids and dependencies.
//!
//! Whatever a model said, ids are contiguous, dependencies point at earlier tasks of the same plan
//! or at tasks that were there before, and so there is no cycle. Start at [`assemble`].

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::{
    divide::{Existing, SubtaskDraft, divide},
    document::Tag,
    id::TaskId,
    status::Status,
    task::Task,
};

/// A task as it was planned, before it has an id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    pub title: String,
    pub description: String,
    pub details: String,
    pub test_strategy: String,
    /// `high`, `medium` or `low`.
    pub priority: String,
    /// Positions in the plan, from 0, of the tasks to be done before.
    pub after: Vec<usize>,
    /// Tasks to be done before that are no part of the plan.
    pub after_existing: Vec<TaskId>,
    /// Where the task is too large to be done in one go.
    pub subtasks: Vec<SubtaskDraft>,
}

/// The tasks of a plan, with ids that go on after those of the tag and are spelled like them.
///
/// `existing` are the tasks that the new ones may wait for.
pub fn assemble(drafts: &[Draft], tag: &Tag, existing: &[Task]) -> Vec<Task> {
    let spelling = tag.id_spelling();
    let first = tag.highest_id() + 1;
    let id = |position: usize| {
        let number = first + u64::try_from(position).unwrap_or(u64::MAX);
        TaskId::top(number).to_json(spelling)
    };
    let is_there = |it: &&TaskId| existing.iter().any(|task| task.id() == **it);
    let task = |(position, draft): (usize, &Draft)| {
        let before = draft.after_existing.iter().filter(is_there).map(|it| it.to_json(spelling));
        let dependencies: Vec<Value> =
            before.chain(earlier(draft, position).into_iter().map(id)).collect();
        let mut task = Task::with_fields([
            ("id", id(position)),
            ("title", json!(draft.title)),
            ("description", json!(draft.description)),
            ("details", json!(draft.details)),
            ("testStrategy", json!(draft.test_strategy)),
            ("priority", json!(draft.priority)),
            ("dependencies", json!(dependencies)),
            ("status", json!(Status::Pending.as_str())),
            ("subtasks", json!([])),
        ]);
        if !draft.subtasks.is_empty() {
            divide(&mut task, &draft.subtasks, Existing::Replace);
        }
        task
    };
    drafts.iter().enumerate().map(task).collect()
}

/// Leaves out what another dependency already waits for: 3 after 1 and 2, 2 after 1 is 3 after 2.
pub fn without_detours(drafts: &mut [Draft]) {
    let mut direct: Vec<Vec<usize>> = Vec::with_capacity(drafts.len());
    for (index, draft) in drafts.iter_mut().enumerate() {
        let after = earlier(draft, index);
        let implied =
            |it: &usize| after.iter().any(|other| other != it && reaches(&direct, *other, *it));
        draft.after = after.iter().copied().filter(|it| !implied(it)).collect();
        direct.push(draft.after.clone());
    }
}

/// The positions that a draft waits for: earlier ones only, each once, in order.
fn earlier(draft: &Draft, position: usize) -> Vec<usize> {
    let mut after: Vec<usize> = draft.after.iter().copied().filter(|it| *it < position).collect();
    after.sort_unstable();
    after.dedup();
    after
}

/// Whether one waits for the other, directly or by way of others. Dependencies lead back, and each
/// is followed once: a large plan has more ways than can be counted.
fn reaches(direct: &[Vec<usize>], from: usize, to: usize) -> bool {
    let mut seen = HashSet::new();
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        let after = direct.get(at).into_iter().flatten().copied();
        for next in after.filter(|it| *it >= to) {
            if next == to {
                return true;
            }
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    false
}

#[cfg(test)]
mod tests;
