//! `expand`: tasks are divided into subtasks.
//!
//! A task that says enough is divided by code, and each subtask written in a question of its own; what
//! says less, and what a large model is asked, is written in one answer. Several tasks are divided at
//! once. How many subtasks there are, their ids, and which dependencies are sound is not asked. Start
//! at [`expand`] and [`expand_all`].

use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use tm_llm::chat::Usage;
use tm_tasks::{
    complexity::{Analysis, ComplexityReport},
    divide::{Existing, SubtaskDraft, divide},
    document::Tag,
    id::TaskId,
    status::Status,
    task::Task,
};
use tokio::sync::Semaphore;

use super::change::{ChangeError, Place};
use crate::{
    asking::{Asking, Spent},
    escalation::Grades,
    evaluate::{Grade, grade},
    event::Event,
};

mod apart;
mod question;

pub(super) use question::{Subtask, subtask_schema};

/// More subtasks than this are no plan that a person can read.
pub const COUNT_MAX: usize = 30;

/// How tasks are to be divided.
#[derive(Debug, Clone)]
pub struct Expand {
    pub count: Count,
    /// What the user says about it, if anything.
    pub prompt: String,
    pub existing: Existing,
    /// What is known about the tasks: how many subtasks each needs, and what to tell the model.
    pub report: Option<ComplexityReport>,
}

/// How many subtasks a task gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    Exactly(usize),
    /// As many as the report recommends, else this many.
    Recommended {
        otherwise: usize,
    },
    /// As many as the model finds right.
    Free,
}

/// A task that was divided.
#[derive(Debug, Clone)]
pub struct Expanded {
    /// As it is in the file.
    pub task: Task,
    pub added: usize,
    /// How many subtasks it had before.
    pub had: usize,
    pub usage: Usage,
}

/// What became of all tasks that can be divided.
#[derive(Debug)]
pub struct AllExpanded {
    pub expanded: Vec<Expanded>,
    pub failed: Vec<(TaskId, ChangeError)>,
    /// Open tasks that have subtasks already.
    pub skipped: usize,
    pub usage: Usage,
}

/// Divides one task, whatever its status is.
///
/// # Errors
/// [`ChangeError`]; the file is as it was then.
pub async fn expand(
    asking: Asking<'_>,
    place: &Place,
    id: &TaskId,
    request: &Expand,
) -> Result<Expanded, ChangeError> {
    let tag = place.read().await?;
    let task = place.find_task(&tag, id)?;
    request.check()?;
    (asking.observer)(Event::Began { things: 1 });
    let command = format!("expand --id={id}");
    let turns = turns(&asking);
    divide_task(asking, place, &tag, &task, (request, command, &turns)).await
}

/// Divides every task that is pending or in progress and has no subtasks yet; with
/// [`Existing::Replace`] those that have some, too.
///
/// Each task is written when it is done, so whoever interrupts this keeps what is finished. A task
/// that fails does not keep the others from being divided.
///
/// # Errors
/// When nothing could be tried at all.
pub async fn expand_all(
    asking: Asking<'_>,
    place: &Place,
    request: &Expand,
) -> Result<AllExpanded, ChangeError> {
    let tag = place.read().await?;
    request.check()?;
    let is_open = |it: &&Task| matches!(it.status(), Status::Pending | Status::InProgress);
    let is_wanted = |it: &&Task| it.subtasks().is_empty() || request.existing == Existing::Replace;
    let (wanted, skipped): (Vec<&Task>, Vec<&Task>) =
        tag.tasks().iter().filter(is_open).partition(is_wanted);
    (asking.observer)(Event::Began { things: wanted.len() });
    let turns = turns(&asking);
    let work = |task: Task| {
        let (tag, turns) = (&tag, &turns);
        async move {
            let id = task.id();
            let command = format!("expand --all ({id})");
            (id, divide_task(asking, place, tag, &task, (request, command, turns)).await)
        }
    };
    let tasks: Vec<Task> = wanted.into_iter().cloned().collect();
    let mut results = stream::iter(tasks).map(work).buffer_unordered(asking.parallel());
    let mut all = AllExpanded {
        expanded: vec![],
        failed: vec![],
        skipped: skipped.len(),
        usage: Usage::default(),
    };
    while let Some((id, result)) = results.next().await {
        match result {
            Ok(expanded) => {
                all.usage += expanded.usage;
                all.expanded.push(expanded);
            }
            Err(error) => {
                let (what, reason) = (format!("task {id}"), error.to_string());
                (asking.observer)(Event::StepFailed { what, reason });
                all.failed.push((id, error));
            }
        }
    }
    all.expanded.sort_by_key(|it| it.task.id());
    all.failed.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(all)
}

impl Expand {
    fn check(&self) -> Result<(), ChangeError> {
        match self.count {
            Count::Exactly(requested) if !(1..=COUNT_MAX).contains(&requested) => {
                Err(ChangeError::Count { requested, most: COUNT_MAX })
            }
            Count::Exactly(_) | Count::Recommended { .. } | Count::Free => Ok(()),
        }
    }

    fn analysis(&self, task: &Task) -> Option<&Analysis> {
        self.report.as_ref()?.analysis(&task.id())
    }

    /// How many subtasks this task gets; nothing when that is the model's to say.
    fn count(&self, task: &Task) -> Option<usize> {
        let recommended = || self.analysis(task).and_then(Analysis::recommended_subtasks);
        let count = match self.count {
            Count::Exactly(count) => count,
            Count::Recommended { otherwise } => recommended()
                .and_then(|it| usize::try_from(it).ok())
                .filter(|it| *it > 0)
                .unwrap_or(otherwise),
            Count::Free => 0,
        };
        (count > 0).then_some(count.min(COUNT_MAX))
    }
}

/// As many questions as the backend works on, from all tasks together: one that waits here does not
/// use up its time yet.
pub(super) fn turns(asking: &Asking<'_>) -> Semaphore {
    Semaphore::new(asking.parallel())
}

/// Subtasks as they were written.
pub(super) struct Drafted {
    pub(super) subtasks: Vec<SubtaskDraft>,
    /// Whether one of them was asked for again.
    is_repaired: bool,
}

/// Has the subtasks of a task written, beside those that are kept.
pub(super) async fn drafted(
    asking: Asking<'_>,
    tag: &Tag,
    task: &Task,
    (request, kept): (&Expand, &[Task]),
    (spent, turns): (&Spent, &Semaphore),
) -> Result<Drafted, ChangeError> {
    if kept.is_empty()
        && !asking.backend.info().whole_answers
        && let Some(parts) = apart::parts(task, request.count(task))
    {
        return apart::drafted(asking, tag, task, (request, &parts), (spent, turns)).await;
    }
    let _turn = turns.acquire().await;
    let question = question::question(asking, tag, task, (request, kept)).await?;
    let reader = question::Reader::new(kept.iter().map(Task::title).collect());
    let what = format!("the subtasks of task {}", task.id());
    let grades = |drafts: &Vec<SubtaskDraft>| Grades::of(drafts.iter().map(graded));
    let read = |it: Value| reader.read(it);
    let answer = asking.best((&what, question), spent, read, grades).await?;
    Ok(Drafted { subtasks: answer.value, is_repaired: answer.repaired.is_some() })
}

fn graded(draft: &SubtaskDraft) -> Grade {
    let test = draft.test_strategy.as_deref().unwrap_or_default();
    grade([&draft.title, &draft.description, &draft.details, test])
}

async fn divide_task(
    asking: Asking<'_>,
    place: &Place,
    tag: &Tag,
    task: &Task,
    (request, command, turns): (&Expand, String, &Semaphore),
) -> Result<Expanded, ChangeError> {
    let kept: &[Task] = match request.existing {
        Existing::Append => task.subtasks(),
        Existing::Replace => &[],
    };
    let spent = Spent::default();
    let Drafted { subtasks: drafts, is_repaired } =
        drafted(asking, tag, task, (request, kept), (&spent, turns)).await?;
    let (there, id, existing) = (place.clone(), task.id(), request.existing);
    let added = drafts.len();
    let (task, had) = place
        .commit_scored((command, asking.minimum()), move |file, _| {
            let tag = file.tag_mut(&there.tag).ok_or_else(|| there.no_tag())?;
            let found = tag.tasks_mut().iter_mut().find(|it| it.id() == id);
            let task = found.ok_or_else(|| there.no_task(&id))?;
            let had = task.subtasks().len();
            divide(task, &drafts, existing);
            Ok((task.clone(), had))
        })
        .await?;
    (asking.observer)(Event::StepDone {
        what: format!("{} {}: {added} subtasks", task.id(), task.title()),
        note: is_repaired.then(|| "repaired".to_owned()),
    });
    Ok(Expanded { task, added, had, usage: spent.usage() })
}

#[cfg(test)]
mod tests;
