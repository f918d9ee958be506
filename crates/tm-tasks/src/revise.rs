//! A task as somebody rewrote it, put into the task as it is.
//!
//! What a revision does not say stays: its id, unknown fields, metadata, notes in the details, and
//! subtasks that were begun or finished. What it says about dependencies holds as far as those
//! exist and close no circle. Start at [`revise`].

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::{
    divide::{Spelling, SubtaskDraft, number},
    graph::Graph,
    id::TaskId,
    notes::{split_notes, with_notes},
    status::Status,
    task::{Priority, Task},
};

/// What was rewritten; nothing stands for what stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revision {
    pub title: Option<String>,
    pub description: Option<String>,
    /// Without the notes.
    pub details: Option<String>,
    pub test_strategy: Option<String>,
    pub priority: Option<Priority>,
    pub status: Option<Status>,
    pub dependencies: Option<Vec<TaskId>>,
    /// All subtasks that there shall be, each with its number where it is there already.
    pub subtasks: Option<Vec<SubtaskDraft>>,
}

/// Puts a revision into a task. `tasks` is the list that the task is from.
pub fn revise(task: &mut Task, revision: &Revision, tasks: &[Task]) {
    set_text(task, "title", revision.title.as_deref());
    set_text(task, "description", revision.description.as_deref());
    set_text(task, "testStrategy", revision.test_strategy.as_deref());
    if let Some(text) = &revision.details {
        let details = task.details().unwrap_or_default();
        let (_, notes) = split_notes(&details);
        let text = with_notes(text.trim(), &notes);
        set_text(task, "details", Some(&text));
    }
    match &revision.priority {
        None | Some(Priority::Other(_)) => {}
        Some(priority) => set_text(task, "priority", Some(priority.as_str())),
    }
    if let Some(status) = &revision.status {
        set_text(task, "status", Some(status.as_str()));
    }
    if let Some(dependencies) = &revision.dependencies {
        set_dependencies(task, dependencies, tasks);
    }
    match &revision.subtasks {
        // Nobody deletes all subtasks by rewriting a task.
        Some(drafts) if !drafts.is_empty() => set_subtasks(task, drafts),
        Some(_) | None => {}
    }
}

/// A text that is empty says nothing; one that is the same changes nothing.
fn set_text(task: &mut Task, field: &str, text: Option<&str>) {
    let Some(text) = text.filter(|it| !it.trim().is_empty()) else { return };
    if task.text(field).as_deref() != Some(text) {
        task.set(field, &json!(text));
    }
}

fn set_dependencies(task: &mut Task, wanted: &[TaskId], tasks: &[Task]) {
    let own = task.id();
    let graph = Graph::new(tasks);
    let is_sound = |id: &&TaskId| {
        graph.is_complete(id).is_some()
            && id.parent() != own.parent()
            && graph.path(id, &own).is_none()
    };
    let mut dependencies: Vec<TaskId> = wanted.iter().filter(is_sound).cloned().collect();
    dependencies.sort();
    dependencies.dedup();
    let before: HashSet<TaskId> = task.dependencies().iter().cloned().collect();
    if before == dependencies.iter().cloned().collect() {
        return;
    }
    let all = || tasks.iter().flat_map(|it| std::iter::once(it).chain(it.subtasks()));
    let others = dependencies.iter().filter_map(|id| all().find(|it| it.id() == *id));
    let spelled: Vec<Value> = others.map(|it| task.reference_to(it)).collect();
    task.set("dependencies", &json!(spelled));
}

fn set_subtasks(task: &mut Task, drafts: &[SubtaskDraft]) {
    let spelling = Spelling::of(task);
    let before = task.subtasks().to_vec();
    let of = |number: u64| drafts.iter().find(|it| it.number == Some(number));
    let stays = |it: &&Task| {
        it.status() != Status::Pending || number(it).is_some_and(|it| of(it).is_some())
    };
    let mut subtasks: Vec<Task> = before.iter().filter(stays).cloned().collect();
    for subtask in &mut subtasks {
        if let Some(draft) = number(subtask).and_then(of)
            && !subtask.status().is_done()
        {
            rewrite(subtask, draft);
        }
    }
    let known: HashSet<u64> = before.iter().filter_map(number).collect();
    let free = known.iter().max().map_or(1, |it| it + 1);
    let is_new = |it: &&SubtaskDraft| it.number.is_none_or(|it| !known.contains(&it));
    for (id, draft) in (free..).zip(drafts.iter().filter(is_new)) {
        let after: Vec<u64> = draft.after.iter().copied().filter(|it| *it < id).collect();
        subtasks.push(spelling.subtask(draft, id, &after));
    }
    drop_dangling(&mut subtasks);
    if subtasks != before {
        task.set_subtasks(&subtasks);
    }
}

fn rewrite(subtask: &mut Task, draft: &SubtaskDraft) {
    set_text(subtask, "title", Some(&draft.title));
    set_text(subtask, "description", Some(&draft.description));
    set_text(subtask, "testStrategy", draft.test_strategy.as_deref());
    let details = subtask.details().unwrap_or_default();
    let (_, notes) = split_notes(&details);
    let text = with_notes(draft.details.trim(), &notes);
    set_text(subtask, "details", Some(&text));
}

/// Siblings that are gone are waited for by nobody.
fn drop_dangling(subtasks: &mut [Task]) {
    let here: HashSet<TaskId> = subtasks.iter().map(Task::id).collect();
    for subtask in subtasks {
        let own = subtask.id();
        let references = subtask.references();
        let is_gone = |id: &Option<TaskId>| {
            id.as_ref().is_some_and(|it| {
                it.parent() == own.parent() && it.is_subtask() && !here.contains(it)
            })
        };
        if references.iter().any(|it| is_gone(&it.1)) {
            let kept = references.iter().filter(|it| !is_gone(&it.1));
            let spelled: Vec<String> = kept.map(|it| it.0.to_owned()).collect();
            subtask.set_references(&spelled);
        }
    }
}

#[cfg(test)]
mod tests;
