//! `scope-up` and `scope-down`: a task is made larger or smaller.
//!
//! The model rewrites the task's texts; where subtasks are still pending, it then divides the
//! rewritten task anew. How many subtasks there shall be is computed, and those that somebody has
//! begun, finished or put off stay. All tasks of one call are written in one step. Start at
//! [`scope`].

use serde::Deserialize;
use serde_json::{Value, json};
use tm_llm::chat::Usage;
use tm_tasks::{
    complexity::{Analysis, ComplexityReport},
    divide::Existing,
    document::Tag,
    id::TaskId,
    notes::split_notes,
    revise::{Revision, revise},
    scope::{
        Direction, Regenerated, Rescoped, ScopeError, Strength, division, rescope, subtasks_wanted,
    },
    task::{Priority, Task},
};

use super::{
    change::{ChangeError, Place},
    expand::{self, COUNT_MAX, Count, Expand},
    rewriting::revised,
};
use crate::{
    asking::{Asking, Question, Spent, object, text},
    context::{Topic, gather},
    event::Event,
    prompts::SCOPE,
    research::looked_up::looked_up,
    wording::{sentences, title},
};

/// In which direction, and how far.
#[derive(Debug, Clone)]
pub struct Scope {
    pub direction: Direction,
    pub strength: Strength,
    /// What the user says about it, if anything.
    pub prompt: String,
    /// How complex the tasks are, where that is known.
    pub report: Option<ComplexityReport>,
}

/// What became of the tasks.
#[derive(Debug, Clone)]
pub struct Scoped {
    /// As they are in the file, in the order in which they were named.
    pub tasks: Vec<Rescoped>,
    pub usage: Usage,
}

/// Longest texts, in characters.
const TITLE_MAX: usize = 120;
const DESCRIPTION_MAX: usize = 500;
const DETAILS_MAX: usize = 1600;
const TEST_MAX: usize = 600;

/// What one rewritten task takes, in tokens.
const TASK_TOKENS: u32 = 1200;

/// Makes tasks larger or smaller.
///
/// # Errors
/// [`ChangeError`]; no task is changed then, not even those that were rewritten already.
pub async fn scope(
    asking: Asking<'_>,
    place: &Place,
    ids: &[TaskId],
    request: &Scope,
) -> Result<Scoped, ChangeError> {
    let tag = place.read().await?;
    let tasks: Vec<Task> =
        ids.iter().map(|it| place.find_task(&tag, it)).collect::<Result<_, _>>()?;
    (asking.observer)(Event::Began { things: tasks.len() });
    let spent = Spent::default();
    let mut changes = Vec::new();
    for task in &tasks {
        changes.push((task.id(), change(asking, &tag, task, request, &spent).await?));
    }
    let there = place.clone();
    let list: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let (name, strength) = (request.direction.command(), request.strength.as_str());
    let command = format!("{name} --id={} --strength={strength}", list.join(","));
    let tasks = place
        .commit_scored((command, asking.minimum()), move |file, _| {
            let apply = |(id, (revision, regenerated)): &(TaskId, Change)| {
                rescope(file, &there.tag, id, revision, regenerated.as_ref())
                    .map_err(|error| gone(error, &there))
            };
            changes.iter().map(apply).collect::<Result<Vec<_>, _>>()
        })
        .await?;
    Ok(Scoped { tasks, usage: spent.usage() })
}

/// The new texts, and the new subtasks where some are pending.
type Change = (Revision, Option<Regenerated>);

async fn change(
    asking: Asking<'_>,
    tag: &Tag,
    task: &Task,
    request: &Scope,
    spent: &Spent,
) -> Result<Change, ChangeError> {
    let question = question(asking, tag, task, request).await?;
    let (what, grades) = (format!("task {}", task.id()), |it: &_| revised(task, it, tag.tasks()));
    let answer = asking.best((&what, question), spent, read, grades).await?;
    let revision = answer.value;
    let division = division(task);
    let mut regenerated = None;
    if !division.pending.is_empty() {
        let mut rewritten = task.clone();
        revise(&mut rewritten, &revision, tag.tasks());
        let counts = (division.kept.len(), division.pending.len());
        let expand = request.expand(task, counts);
        let kept = (&expand, division.kept.as_slice());
        let subtasks =
            expand::drafted(asking, tag, &rewritten, kept, (spent, &expand::turns(&asking)))
                .await?
                .subtasks;
        let replaced = division.pending.iter().map(Task::id).collect();
        regenerated = Some(Regenerated { replaced, subtasks });
    }
    let subtasks = regenerated.as_ref().map(|it| format!(": {} new subtasks", it.subtasks.len()));
    (asking.observer)(Event::StepDone {
        what: format!("{} {}{}", task.id(), task.title(), subtasks.unwrap_or_default()),
        note: answer.repaired.map(|_| "repaired".to_owned()),
    });
    Ok((revision, regenerated))
}

impl Scope {
    fn expand(&self, task: &Task, counts: (usize, usize)) -> Expand {
        let score = self.report.as_ref().and_then(|it| it.analysis(&task.id()));
        let score = score.and_then(Analysis::score);
        let wanted = subtasks_wanted(self.direction, self.strength, counts, score);
        Expand {
            count: Count::Exactly(wanted.min(COUNT_MAX)),
            prompt: self.prompt.clone(),
            existing: Existing::Append,
            report: None,
        }
    }

    /// What is to be done, in words for the model.
    fn how(&self) -> &'static str {
        match (self.direction, self.strength) {
            (Direction::Up, Strength::Light) => {
                "Add a little: the one or two things that a careful developer would not leave out."
            }
            (Direction::Up, Strength::Regular) => {
                "Add what makes it complete: further cases, checks of what comes in, what happens \
                 when something fails, and their tests."
            }
            (Direction::Up, Strength::Heavy) => {
                "Add all that a demanding user expects of it: every case, errors and their \
                 recovery, speed, security, documentation, and their tests."
            }
            (Direction::Down, Strength::Light) => "Leave out what is only nice to have.",
            (Direction::Down, Strength::Regular) => {
                "Leave out all that a first version works without."
            }
            (Direction::Down, Strength::Heavy) => {
                "Leave out everything but the one thing that the task is for, done in the simplest \
                 way."
            }
        }
    }
}

async fn question(
    asking: Asking<'_>,
    tag: &Tag,
    task: &Task,
    request: &Scope,
) -> Result<Question, ChangeError> {
    let id = task.id();
    let words = format!("{} {}", task.title(), request.prompt);
    let topic =
        Topic { words: &words, named: &[], shown: Some(&id), tokens_max: asking.context_tokens() };
    let shown = json!({
        "title": task.title(),
        "description": task.description(),
        "details": split_notes(&task.details().unwrap_or_default()).0,
        "testStrategy": task.test_strategy().unwrap_or_default(),
        "priority": task.priority().map(|it| it.as_str().to_owned()),
    });
    let variables = json!({
        "context": gather(asking.backend, tag.tasks(), topic).text,
        "documents": looked_up(&asking, topic.words).await?,
        "is_up": request.direction == Direction::Up,
        "task": serde_json::to_string_pretty(&shown).unwrap_or_default(),
        "how": request.how(),
        "prompt": request.prompt.trim(),
    });
    let said = json!({"type": "string", "pattern": "\\S"});
    let priority = json!({"enum": ["high", "medium", "low"]});
    Ok(Question {
        text: asking.prompts.render(SCOPE, variables)?,
        schema: object(&json!({
            "title": text(5, TITLE_MAX),
            "description": text(10, DESCRIPTION_MAX),
            "details": text(20, DETAILS_MAX),
            "testStrategy": text(10, TEST_MAX),
            "priority": {"type": "string", "enum": ["low", "medium", "high"]},
        })),
        accepted: json!({
            "type": "object",
            "properties": {
                "title": said, "description": said, "details": said, "testStrategy": said,
                "priority": priority,
            },
            "required": ["title", "description", "details", "testStrategy"],
        }),
        temperature: 0.3,
        max_tokens: TASK_TOKENS.min(asking.backend.info().context_tokens / 2),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rewritten {
    title: String,
    description: String,
    details: String,
    test_strategy: String,
    priority: Option<String>,
}

fn read(value: Value) -> Result<Revision, String> {
    let rewritten: Rewritten = serde_json::from_value(value).map_err(|it| it.to_string())?;
    Ok(Revision {
        title: Some(title(&rewritten.title, TITLE_MAX)),
        description: Some(sentences(&rewritten.description, DESCRIPTION_MAX)),
        details: Some(sentences(&split_notes(&rewritten.details).0, DETAILS_MAX)),
        test_strategy: Some(sentences(&rewritten.test_strategy, TEST_MAX)),
        priority: rewritten.priority.map(|it| Priority::read(&it)),
        ..Revision::default()
    })
}

/// The file was looked at before, so somebody else changed it meanwhile.
fn gone(error: ScopeError, place: &Place) -> ChangeError {
    match error {
        ScopeError::NoTag { .. } => place.no_tag(),
        ScopeError::NoTask { id, .. } => place.no_task(&id),
    }
}

#[cfg(test)]
mod tests;
