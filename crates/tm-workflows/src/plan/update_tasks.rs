//! `update`: a change of mind reaches all tasks that are still open.
//!
//! A large model gets many tasks at once and gives back those that change. A small one gets each
//! task alone and says first whether the change concerns it. Tasks that are not good enough after it
//! are written again, each alone. All that was rewritten goes into the file in one step. Start at [`update_tasks`].

use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tm_llm::{backend::Backend, chat::Usage, structured::Answer};
use tm_tasks::{
    document::Tag,
    id::TaskId,
    revise::{Revision, revise},
    task::Task,
};

use super::{
    change::{ChangeError, Place},
    rewriting::{Asked, Rewritten, revised},
};
use crate::{
    asking::{Asking, Question, Spent, object},
    escalation::Grades,
    event::Event,
    prompts::UPDATE_TASKS,
    research::looked_up::looked_up,
};

/// What became of the tasks.
#[derive(Debug)]
pub struct UpdatedTasks {
    /// Those that are different from before, as they are in the file.
    pub changed: Vec<Task>,
    /// How many open tasks there are from the first one on.
    pub considered: usize,
    /// Those that stayed as they were because the model gave no usable answer.
    pub failed: Vec<(TaskId, String)>,
    pub usage: Usage,
}

#[derive(Deserialize)]
struct Said {
    tasks: Vec<Rewritten>,
}

/// Has every task from `from` on rewritten that is not done.
///
/// # Errors
/// [`ChangeError`]; the file is as it was then. That some tasks failed while others did not is no
/// error.
pub async fn update_tasks(
    asking: Asking<'_>,
    place: &Place,
    from: &TaskId,
    prompt: &str,
) -> Result<UpdatedTasks, ChangeError> {
    let tag = place.read().await?;
    let open: Vec<&Task> =
        tag.tasks().iter().filter(|it| it.id() >= *from && !it.status().is_done()).collect();
    let considered = open.len();
    let batches = batches(asking, &open, prompt);
    (asking.observer)(Event::Began { things: batches.len() });
    let documents = looked_up(&asking, prompt).await?;
    let change = Change { prompt: prompt.trim(), documents: &documents };
    let (spent, shared) = (Spent::default(), (&tag, change));
    let spent_there = &spent;
    let work = |batch: Vec<Task>| async move {
        let result = rewrite(asking, &batch, shared, spent_there).await;
        (batch, result)
    };
    let mut results = stream::iter(batches).map(work).buffer_unordered(asking.parallel());
    let mut revisions = Vec::new();
    let mut failed = Vec::new();
    let mut first_error = None;
    while let Some((batch, result)) = results.next().await {
        match result {
            Ok(found) => revisions.extend(found),
            Err(error) => {
                let reason = error.to_string();
                let what = names(&batch);
                (asking.observer)(Event::StepFailed { what, reason: reason.clone() });
                failed.extend(batch.iter().map(|it| (it.id(), reason.clone())));
                first_error.get_or_insert(error);
            }
        }
    }
    if let Some(error) = first_error.filter(|_| failed.len() == considered) {
        return Err(error);
    }
    failed.sort();
    let revisions = improved(asking, revisions, shared, &spent).await;
    let changed = write(place, (from, asking.minimum()), revisions).await?;
    Ok(UpdatedTasks { changed, considered, failed, usage: spent.usage() })
}

/// What the tasks are changed by.
#[derive(Clone, Copy)]
struct Change<'a> {
    prompt: &'a str,
    /// What documents say about it.
    documents: &'a str,
}

/// Has some tasks rewritten, and tells what came of it.
async fn rewrite(
    asking: Asking<'_>,
    batch: &[Task],
    shared: (&Tag, Change<'_>),
    spent: &Spent,
) -> Result<Vec<(TaskId, Revision)>, ChangeError> {
    let answer = ask(asking, batch, shared, (spent, None)).await?;
    let mut notes = Vec::new();
    notes.extend(answer.repaired.map(|_| "repaired"));
    notes.extend(answer.value.is_empty().then_some("not concerned"));
    let note = (!notes.is_empty()).then(|| notes.join(", "));
    (asking.observer)(Event::StepDone { what: names(batch), note });
    Ok(answer.value)
}

/// Asks about some tasks; `fault` is what was wrong with an earlier answer.
async fn ask(
    asking: Asking<'_>,
    batch: &[Task],
    (tag, change): (&Tag, Change<'_>),
    (spent, fault): (&Spent, Option<&str>),
) -> Result<Answer<Vec<(TaskId, Revision)>>, ChangeError> {
    let asked = Asked::by(change.prompt, asking.backend.info().whole_answers);
    let question = question(asking, batch, (tag, asked), change)?;
    let question = match fault {
        Some(fault) => question.once_more(fault),
        None => question,
    };
    let read = |value: Value| {
        let answer: Said = serde_json::from_value(value).map_err(|it| it.to_string())?;
        let mut revisions = Vec::new();
        for rewritten in answer.tasks {
            let id = match batch {
                // Asked about one task, a model means it whatever it says.
                [task] => Some(task.id()),
                _ => rewritten.names().filter(|id| batch.iter().any(|it| it.id() == *id)),
            };
            if let Some(id) = id
                && rewritten.affected != Some(false)
            {
                revisions.push((id, rewritten.revision(asked)));
            }
        }
        Ok(revisions)
    };
    Ok(asking.object(question, spent, read).await?)
}

/// The revisions, and better ones of tasks that are below the minimum after them.
async fn improved(
    asking: Asking<'_>,
    revisions: Vec<(TaskId, Revision)>,
    shared: (&Tag, Change<'_>),
    spent: &Spent,
) -> Vec<(TaskId, Revision)> {
    let Some(escalation) = asking.escalation else { return revisions };
    let all = shared.0.tasks();
    let task = |id: &TaskId| all.iter().find(|it| it.id() == *id);
    let tasks: Vec<Option<&Task>> = revisions.iter().map(|it| task(&it.0)).collect();
    // None where it was said that the task is not concerned after all.
    let mut answers: Vec<Option<(TaskId, Revision)>> = revisions.into_iter().map(Some).collect();
    let grades = |answer: &Option<(TaskId, Revision)>| {
        let revised = |(id, it): &(TaskId, Revision)| Some(revised(task(id)?, it, all));
        answer.as_ref().and_then(revised).unwrap_or_else(|| Grades::of([]))
    };
    let again = async |backend: &dyn Backend, index: usize, fault: &'static str| {
        let alone: Vec<Task> = tasks.get(index).copied().flatten().cloned().into_iter().collect();
        let asking = Asking { backend, ..asking };
        let answer = ask(asking, &alone, shared, (spent, Some(fault))).await?;
        Ok::<_, ChangeError>(answer.value.into_iter().next())
    };
    escalation.improve((asking.backend, asking.observer), &mut answers, grades, again).await;
    for answer in &answers {
        let name = answer.as_ref().map(|it| format!("task {}", it.0)).unwrap_or_default();
        escalation.settle(&name, &grades(answer));
    }
    answers.into_iter().flatten().collect()
}

/// Puts all revisions into the file in one step.
async fn write(
    place: &Place,
    (from, minimum): (&TaskId, Option<u8>),
    revisions: Vec<(TaskId, Revision)>,
) -> Result<Vec<Task>, ChangeError> {
    let there = place.clone();
    place
        .commit_scored((format!("update --from={from}"), minimum), move |file, _| {
            let tag = file.tag_mut(&there.tag).ok_or_else(|| there.no_tag())?;
            let mut changed = Vec::new();
            for (id, revision) in revisions {
                let tasks = tag.tasks().to_vec();
                // A task that is gone by now has nothing to be rewritten.
                let found = tag.tasks_mut().iter_mut().find(|it| it.id() == id);
                let Some(task) = found else { continue };
                let before = task.clone();
                revise(task, &revision, &tasks);
                if *task != before {
                    changed.push(task.clone());
                }
            }
            changed.sort_by_key(Task::id);
            Ok(changed)
        })
        .await
}

/// One task at a time for a small model, as many as it can repeat for a large one.
fn batches(asking: Asking<'_>, open: &[&Task], prompt: &str) -> Vec<Vec<Task>> {
    let info = asking.backend.info();
    let asked = Asked::by(prompt, info.whole_answers);
    if !info.whole_answers {
        return open.iter().map(|it| vec![(*it).clone()]).collect();
    }
    let most = info.context_tokens / 4;
    let mut batches: Vec<Vec<Task>> = Vec::new();
    let mut left = 0;
    for task in open {
        let tokens = asking.backend.count_tokens(&asked.show(task).to_string());
        match batches.last_mut() {
            Some(batch) if tokens <= left => batch.push((*task).clone()),
            _ => {
                batches.push(vec![(*task).clone()]);
                left = most;
            }
        }
        left = left.saturating_sub(tokens);
    }
    batches
}

fn question(
    asking: Asking<'_>,
    batch: &[Task],
    (tag, asked): (&Tag, Asked),
    change: Change<'_>,
) -> Result<Question, ChangeError> {
    let info = asking.backend.info();
    let is_alone = !info.whole_answers;
    let shown: Vec<Value> = batch.iter().map(|it| asked.show(it)).collect();
    let variables = json!({
        "tasks": shown.iter().map(Value::to_string).collect::<Vec<_>>(),
        "prompt": change.prompt,
        "documents": change.documents,
        "is_alone": is_alone,
    });
    let item = if is_alone {
        json!({"anyOf": [
            object(&asked.properties_unless_affected(batch)),
            object(&asked.properties_if_affected(batch, tag.tasks())),
        ]})
    } else {
        object(&asked.properties(batch, tag.tasks()))
    };
    let fewest = usize::from(is_alone);
    let schema = object(&json!({"tasks": {
        "type": "array",
        "items": item,
        "minItems": fewest,
        "maxItems": batch.len(),
    }}));
    let tokens: u32 = batch.iter().map(|it| asked.max_tokens(it)).sum();
    Ok(Question {
        text: asking.prompts.render(UPDATE_TASKS, variables)?,
        schema,
        accepted: json!({
            "type": "object",
            "properties": {"tasks": {"type": "array", "items": {"type": "object"}}},
            "required": ["tasks"],
        }),
        temperature: 0.2,
        max_tokens: tokens.min(info.context_tokens / 2),
    })
}

fn names(batch: &[Task]) -> String {
    match batch {
        [task] => format!("{} {}", task.id(), task.title()),
        tasks => {
            let ids: Vec<String> = tasks.iter().map(|it| it.id().to_string()).collect();
            format!("tasks {}", ids.join(", "))
        }
    }
}

#[cfg(test)]
mod tests;
