//! `update-subtask`: a subtask gets a note.
//!
//! What was noted before is never rewritten. Start at [`update_subtask`].

use serde_json::json;
use tm_tasks::{id::TaskId, task::Task};

use super::{
    change::{ChangeError, Place},
    update_task::{NOTE_TOKENS, Updated, write_note},
};
use crate::{
    asking::{Asking, Spent},
    context::full,
    event::Event,
    prompts::NOTE_SUBTASK,
    research::looked_up::looked_up,
};

/// Has a note written after what the user says, and adds it to the subtask's details.
///
/// # Errors
/// [`ChangeError`]; the file is as it was then.
pub async fn update_subtask(
    asking: Asking<'_>,
    place: &Place,
    id: &TaskId,
    prompt: &str,
) -> Result<Updated, ChangeError> {
    if !id.is_subtask() {
        return Err(ChangeError::NotASubtask { id: id.clone() });
    }
    let tag = place.read().await?;
    let subtask = place.find(&tag, id)?;
    let parent = place.find(&tag, &id.parent())?;
    (asking.observer)(Event::Began { things: 1 });
    let siblings = parent.subtasks();
    let position = siblings.iter().position(|it| it.id() == *id).unwrap_or_default();
    let line = |it: &Task| format!("{} ({}): {}", it.id(), it.status(), it.title());
    let previous = position.checked_sub(1).and_then(|it| siblings.get(it)).map(line);
    let next = siblings.get(position + 1).map(line);
    let documents = looked_up(&asking, &format!("{prompt} {}", subtask.title())).await?;
    let question = asking.prompts.render(
        NOTE_SUBTASK,
        json!({
            "task": format!("{} {}: {}", parent.id(), parent.title(), parent.description()),
            "previous": previous,
            "next": next,
            "subtask": full(&subtask),
            "documents": documents,
            "prompt": prompt.trim(),
        }),
    )?;
    let spent = Spent::default();
    let note = asking.text(question, NOTE_TOKENS, &spent).await?;
    let task = write_note(place, id, note, format!("update-subtask --id={id}")).await?;
    let what = format!("{} {}", task.id(), task.title());
    (asking.observer)(Event::StepDone { what, note: None });
    Ok(Updated { task, is_changed: true, usage: spent.usage() })
}

#[cfg(test)]
mod tests;
