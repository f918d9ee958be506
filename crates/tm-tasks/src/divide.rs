//! Dividing a task: subtasks that somebody drafted are put into it.
//!
//! Whatever the author said, ids are contiguous and new, and a subtask waits only for siblings
//! that exist and come before it. Start at [`divide`].

use serde_json::{Value, json};

use crate::{status::Status, task::Task};

/// A subtask before it has an id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubtaskDraft {
    /// What its author numbers it with; without, the author counts on from what is there.
    pub number: Option<u64>,
    pub title: String,
    pub description: String,
    pub details: String,
    pub test_strategy: Option<String>,
    /// The numbers of the siblings that it waits for.
    pub after: Vec<u64>,
}

/// What becomes of the subtasks that a task already has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    Append,
    Replace,
}

/// Puts pending subtasks into a task.
pub fn divide(task: &mut Task, drafts: &[SubtaskDraft], existing: Existing) {
    let spelling = Spelling::of(task);
    let mut subtasks = match existing {
        Existing::Append => task.subtasks().to_vec(),
        Existing::Replace => Vec::new(),
    };
    let kept: Vec<u64> = subtasks.iter().filter_map(number).collect();
    let first = kept.iter().max().map_or(1, |it| it + 1);
    let ids: Vec<u64> = (first..).take(drafts.len()).collect();
    let numbers: Vec<u64> =
        drafts.iter().zip(&ids).map(|(draft, id)| draft.number.unwrap_or(*id)).collect();
    for (position, (draft, id)) in drafts.iter().zip(&ids).enumerate() {
        let earlier: Vec<(&u64, &u64)> = numbers.iter().zip(&ids).take(position).collect();
        let resolve = |number: &u64| {
            let new = earlier.iter().find(|it| it.0 == number).map(|it| *it.1);
            new.or_else(|| kept.contains(number).then_some(*number))
        };
        let mut after: Vec<u64> = draft.after.iter().filter_map(resolve).collect();
        after.sort_unstable();
        after.dedup();
        subtasks.push(spelling.subtask(draft, *id, &after));
    }
    task.set_subtasks(&subtasks);
}

/// The number of a subtask within its task.
pub(crate) fn number(subtask: &Task) -> Option<u64> {
    subtask.id().subtask()?.parse().ok()
}

/// How a task's subtasks spell their ids: `1`, `"1"` or `"2.1"`.
pub(crate) struct Spelling {
    task: String,
    is_text: bool,
    is_dotted: bool,
}

impl Spelling {
    pub(crate) fn of(task: &Task) -> Self {
        let first = task.subtasks().first().and_then(|it| it.raw("id")).unwrap_or_default();
        let is_dotted = first.starts_with('"') && first.contains('.');
        Self {
            task: task.id().to_string(),
            is_text: first.starts_with('"') && !is_dotted,
            is_dotted,
        }
    }

    pub(crate) fn id(&self, number: u64) -> Value {
        if self.is_dotted {
            json!(format!("{}.{number}", self.task))
        } else {
            self.reference(number)
        }
    }

    /// A sibling is named by the number of its id, as a text only where ids are.
    pub(crate) fn reference(&self, number: u64) -> Value {
        if self.is_text { json!(number.to_string()) } else { json!(number) }
    }

    pub(crate) fn subtask(&self, draft: &SubtaskDraft, id: u64, after: &[u64]) -> Task {
        let dependencies: Vec<Value> = after.iter().map(|it| self.reference(*it)).collect();
        let mut fields = json!({
            "id": self.id(id),
            "title": draft.title,
            "description": draft.description,
            "dependencies": dependencies,
            "details": draft.details,
            "status": Status::Pending.as_str(),
        });
        if let Some(test_strategy) = &draft.test_strategy {
            fields["testStrategy"] = json!(test_strategy);
        }
        Task::parse(&fields.to_string(), Some(&self.task))
    }
}

#[cfg(test)]
mod tests;
