//! `update-task`: one task is rewritten, or gets a note.
//!
//! Start at [`update_task`] and [`append_to_task`].

use serde_json::{Value, json};
use tm_llm::chat::Usage;
use tm_tasks::{document::Tag, id::TaskId, notes::add_note, revise::revise, task::Task};

use super::{
    change::{ChangeError, Place},
    rewriting::{Asked, Rewritten, revised},
};
use crate::{
    asking::{Asking, Question, Spent, object},
    context::{Topic, full, gather},
    event::Event,
    prompts::{NOTE_TASK, UPDATE_TASK},
    research::looked_up::looked_up,
};

/// The longest note, in tokens.
pub(super) const NOTE_TOKENS: u32 = 1000;

/// What became of a task.
#[derive(Debug, Clone)]
pub struct Updated {
    /// As it is in the file.
    pub task: Task,
    /// Whether that is different from before.
    pub is_changed: bool,
    pub usage: Usage,
}

/// Has a task rewritten after what the user says.
///
/// # Errors
/// [`ChangeError`]; the file is as it was then. A task that is done is not rewritten.
pub async fn update_task(
    asking: Asking<'_>,
    place: &Place,
    id: &TaskId,
    prompt: &str,
) -> Result<Updated, ChangeError> {
    let tag = place.read().await?;
    let task = open_task(place, &tag, id)?;
    (asking.observer)(Event::Began { things: 1 });
    let whole = asking.backend.info().whole_answers;
    let asked = Asked::by(prompt, whole);
    let spent = Spent::default();
    let question = question(asking, &tag, (&task, asked), prompt).await?;
    let read = |it: Value| read(it).map(|it| it.revision(asked));
    let (what, grades) = (format!("task {id}"), |it: &_| revised(&task, it, tag.tasks()));
    let answer = asking.best((&what, question), &spent, read, grades).await?;
    let revision = answer.value;
    let (there, id) = (place.clone(), id.clone());
    let (task, is_changed) = place
        .commit_scored((format!("update-task --id={id}"), asking.minimum()), move |file, _| {
            let tag = file.tag_mut(&there.tag).ok_or_else(|| there.no_tag())?;
            let tasks = tag.tasks().to_vec();
            let found = tag.tasks_mut().iter_mut().find(|it| it.id() == id);
            let task = found.ok_or_else(|| there.no_task(&id))?;
            let before = task.clone();
            revise(task, &revision, &tasks);
            Ok((task.clone(), *task != before))
        })
        .await?;
    told(asking, &task, answer.repaired.is_some());
    Ok(Updated { task, is_changed, usage: spent.usage() })
}

/// Has a note written after what the user says, and adds it to a task's details.
///
/// # Errors
/// [`ChangeError`]; the file is as it was then. A task that is done gets no note.
pub async fn append_to_task(
    asking: Asking<'_>,
    place: &Place,
    id: &TaskId,
    prompt: &str,
) -> Result<Updated, ChangeError> {
    let tag = place.read().await?;
    let task = open_task(place, &tag, id)?;
    (asking.observer)(Event::Began { things: 1 });
    let documents = looked_up(&asking, &format!("{prompt} {}", task.title())).await?;
    let variables = json!({"task": full(&task), "documents": documents, "prompt": prompt.trim()});
    let question = asking.prompts.render(NOTE_TASK, variables)?;
    let spent = Spent::default();
    let note = asking.text(question, NOTE_TOKENS, &spent).await?;
    let command = format!("update-task --id={id} --append");
    let task = write_note(place, id, note, command).await?;
    told(asking, &task, false);
    Ok(Updated { task, is_changed: true, usage: spent.usage() })
}

/// Adds a note to a task or subtask.
pub(super) async fn write_note(
    place: &Place,
    id: &TaskId,
    note: String,
    command: String,
) -> Result<Task, ChangeError> {
    let (there, id) = (place.clone(), id.clone());
    place
        .commit(command, move |file, now| {
            let tag = file.tag_mut(&there.tag).ok_or_else(|| there.no_tag())?;
            tag.change(&id, |task| {
                add_note(task, &note, now);
                task.clone()
            })
            .ok_or_else(|| there.no_task(&id))
        })
        .await
}

/// A task on which something is left to do.
fn open_task(place: &Place, tag: &Tag, id: &TaskId) -> Result<Task, ChangeError> {
    let task = place.find_task(tag, id)?;
    let status = task.status();
    if status.is_done() {
        return Err(ChangeError::Finished { id: id.clone(), status });
    }
    Ok(task)
}

async fn question(
    asking: Asking<'_>,
    tag: &Tag,
    (task, asked): (&Task, Asked),
    prompt: &str,
) -> Result<Question, ChangeError> {
    let id = task.id();
    let words = format!("{prompt} {}", task.title());
    let topic =
        Topic { words: &words, named: &[], shown: Some(&id), tokens_max: asking.context_tokens() };
    let variables = json!({
        "context": gather(asking.backend, tag.tasks(), topic).text,
        "documents": looked_up(&asking, &words).await?,
        "task": asked.show(task).to_string(),
        "prompt": prompt.trim(),
    });
    Ok(Question {
        text: asking.prompts.render(UPDATE_TASK, variables)?,
        schema: object(&json!({"task": object(&asked.properties(
            std::slice::from_ref(task),
            tag.tasks(),
        ))})),
        accepted: json!({
            "type": "object",
            "properties": {"task": {"type": "object"}},
            "required": ["task"],
        }),
        temperature: 0.2,
        max_tokens: asked.max_tokens(task).min(asking.backend.info().context_tokens / 2),
    })
}

fn read(mut value: Value) -> Result<Rewritten, String> {
    let task = value.get_mut("task").map(Value::take).unwrap_or_default();
    serde_json::from_value(task).map_err(|it| it.to_string())
}

fn told(asking: Asking<'_>, task: &Task, is_repaired: bool) {
    (asking.observer)(Event::StepDone {
        what: format!("{} {}", task.id(), task.title()),
        note: is_repaired.then(|| "repaired".to_owned()),
    });
}

#[cfg(test)]
mod tests;
