//! What lies between two versions of a task file, task by task.
//!
//! Whoever made the difference, and how it is shown, is not known here. Start at [`diff`].

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    document::{Tag, TaskFile},
    id::TaskId,
    json,
    task::Task,
};

/// All that is different in the second of two versions.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileDiff {
    pub tags_added: Vec<String>,
    pub tags_removed: Vec<String>,
    /// Tasks and subtasks, removed ones after the others of their tag.
    pub tasks: Vec<TaskDiff>,
}

/// What is different about one task or subtask.
#[derive(Debug, Clone, Serialize)]
pub struct TaskDiff {
    pub tag: String,
    #[serde(serialize_with = "as_text")]
    pub id: TaskId,
    pub title: String,
    #[serde(flatten)]
    pub kind: DiffKind,
}

#[derive(Debug, Clone, Serialize)]
#[serde(tag = "change", rename_all = "lowercase")]
pub enum DiffKind {
    Added,
    Removed,
    Changed { fields: Vec<FieldDiff> },
}

/// A field's JSON in both versions, as the files spell it; nothing where it is absent.
#[derive(Debug, Clone, Serialize)]
pub struct FieldDiff {
    pub field: String,
    pub before: Option<Box<RawValue>>,
    pub after: Option<Box<RawValue>>,
}

/// What `after` has that `before` has not, and the other way round.
///
/// A task that was moved to another place in its list is no difference; one that got another id
/// was removed and added.
pub fn diff(before: &TaskFile, after: &TaskFile) -> FileDiff {
    let mut found = FileDiff::default();
    for tag in after.tags() {
        let old = before.tag(tag.name());
        // Of the many tags that a file may have, most changes are about one.
        if old == Some(tag) {
            continue;
        }
        if old.is_none() {
            found.tags_added.push(tag.name().to_owned());
        }
        found.tasks.extend(between(tag.name(), old, Some(tag)));
    }
    for tag in before.tags().filter(|it| after.tag(it.name()).is_none()) {
        found.tags_removed.push(tag.name().to_owned());
        found.tasks.extend(between(tag.name(), Some(tag), None));
    }
    found
}

fn between(tag: &str, before: Option<&Tag>, after: Option<&Tag>) -> Vec<TaskDiff> {
    let (before, after) = (all(before), all(after));
    let old: HashMap<&Name, &Task> = before.iter().map(|(name, task)| (name, *task)).collect();
    let new: HashSet<&Name> = after.iter().map(|(name, _)| name).collect();
    let diff_of = |((id, _), task): &Named<'_>, kind| TaskDiff {
        tag: tag.to_owned(),
        id: id.clone(),
        title: task.title(),
        kind,
    };
    let kept = after.iter().filter_map(|entry| match old.get(&entry.0) {
        None => Some(diff_of(entry, DiffKind::Added)),
        Some(old) => {
            let fields = fields_between(old, entry.1);
            (!fields.is_empty()).then(|| diff_of(entry, DiffKind::Changed { fields }))
        }
    });
    let gone = before.iter().filter(|(name, _)| !new.contains(name));
    kept.chain(gone.map(|entry| diff_of(entry, DiffKind::Removed))).collect()
}

/// An id, and how many tasks before have the same one in a file that is not as it should be.
type Name = (TaskId, usize);
type Named<'a> = (Name, &'a Task);

/// The tasks of a tag, each followed by its subtasks.
fn all(tag: Option<&Tag>) -> Vec<Named<'_>> {
    let tasks = tag.map(Tag::tasks).unwrap_or_default();
    let tasks = tasks.iter().flat_map(|it| std::iter::once(it).chain(it.subtasks()));
    let mut seen: HashMap<TaskId, usize> = HashMap::new();
    let named = tasks.map(|task| {
        let count = seen.entry(task.id()).or_default();
        *count += 1;
        ((task.id(), *count - 1), task)
    });
    named.collect()
}

/// Subtasks are compared on their own.
fn fields_between(before: &Task, after: &Task) -> Vec<FieldDiff> {
    let kept = after.fields().map(|(field, _)| field);
    let gone = before.fields().map(|(field, _)| field).filter(|it| after.raw(it).is_none());
    kept.chain(gone)
        .filter(|it| it != "subtasks" && !is_same(before.raw(it), after.raw(it)))
        .map(|field| FieldDiff {
            before: before.raw(&field).and_then(owned),
            after: after.raw(&field).and_then(owned),
            field,
        })
        .collect()
}

/// The same but for layout.
fn is_same(one: Option<&str>, another: Option<&str>) -> bool {
    one == another || one.map(json::format) == another.map(json::format)
}

fn owned(raw: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(raw.to_owned()).ok()
}

fn as_text<S: serde::Serializer>(id: &TaskId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

#[cfg(test)]
mod tests;
