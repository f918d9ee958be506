//! What is asked about the complexity of tasks, and how answers are read.

use std::collections::HashSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tm_llm::structured::StructuredError;
use tm_tasks::{
    complexity::NewAnalysis, document::Tag, id::TaskId, notes::split_notes, task::Task,
};

use super::AnalyzeError;
use crate::{
    asking::{AskError, Asking, Question, Spent, object, text},
    context::full,
    event::Event,
    plan::{number_or_text, task_id},
    prompts::{COMPLEXITY_TASK, COMPLEXITY_WHOLE},
    wording::sentences,
};

/// Longest texts, in characters.
const REASONING_MAX: usize = 300;
const EXPANSION_MAX: usize = 400;

/// More subtasks are no division of one task.
const SUBTASKS_MAX: u32 = 20;

/// What one analysis takes, in tokens.
const ANALYSIS_TOKENS: u32 = 250;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    task_id: Option<Value>,
    task_title: Option<String>,
    complexity_score: f64,
    recommended_subtasks: f64,
    expansion_prompt: Option<String>,
    reasoning: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entries {
    complexity_analysis: Vec<Entry>,
}

/// Asks about all tasks at once, or about as many as an answer has room for.
pub(super) async fn together(
    asking: Asking<'_>,
    tag: &Tag,
    tasks: &[Task],
    spent: &Spent,
) -> Result<Vec<NewAnalysis>, AnalyzeError> {
    let ask = |tasks: Vec<Task>| async move {
        let question = about_all(asking, &tasks)?;
        let answer = asking.object(question, spent, |it| read_all(it, tag)).await?;
        for task in &tasks {
            told(asking, task, answer.repaired.is_some());
        }
        Ok::<_, AskError>(answer.value)
    };
    let batches = stream::iter(batches(asking, tasks)).map(ask);
    let found: Vec<Vec<NewAnalysis>> = batches.buffered(asking.parallel()).try_collect().await?;
    Ok(each_once(found.concat()))
}

/// Asks about each task on its own. Of tasks about which nothing sensible was said there is
/// nothing, unless that is so of all of them.
pub(super) async fn one_by_one(
    asking: Asking<'_>,
    tag: &Tag,
    tasks: &[Task],
    spent: &Spent,
) -> Result<Vec<NewAnalysis>, AnalyzeError> {
    let plan = &outline(asking, tag);
    let ask = |task: Task| async move {
        let question = about_one(asking, plan, &task)?;
        match asking.object(question, spent, |it| read_one(it, &task)).await {
            Ok(answer) => {
                told(asking, &task, answer.repaired.is_some());
                Ok(Ok(answer.value))
            }
            Err(AskError::Object(error @ StructuredError::Invalid { .. })) => {
                let (what, reason) = (format!("task {}", task.id()), error.to_string());
                (asking.observer)(Event::StepFailed { what, reason });
                Ok(Err(AskError::Object(error)))
            }
            Err(error) => Err(error),
        }
    };
    let asked = stream::iter(tasks.to_vec()).map(ask).buffered(asking.parallel());
    let answers: Vec<Result<NewAnalysis, AskError>> = asked.try_collect().await?;
    let mut found = Vec::new();
    let mut fault = None;
    for answer in answers {
        match answer {
            Ok(analysis) => found.push(analysis),
            Err(error) => fault = Some(error),
        }
    }
    match fault {
        Some(error) if found.is_empty() => Err(error.into()),
        Some(_) | None => Ok(found),
    }
}

fn told(asking: Asking<'_>, task: &Task, is_repaired: bool) {
    (asking.observer)(Event::StepDone {
        what: format!("{} {}", task.id(), task.title()),
        note: is_repaired.then(|| "repaired".to_owned()),
    });
}

/// The titles of all tasks, as far as there is room: the same words in every question.
fn outline(asking: Asking<'_>, tag: &Tag) -> String {
    let mut plan = String::new();
    for task in tag.tasks() {
        let line = format!("{}. {} ({})\n", task.id(), task.title(), task.status());
        if asking.backend.count_tokens(&plan) + asking.backend.count_tokens(&line)
            > asking.context_tokens()
        {
            plan.push_str("…\n");
            break;
        }
        plan.push_str(&line);
    }
    plan
}

fn about_one(asking: Asking<'_>, plan: &str, task: &Task) -> Result<Question, AskError> {
    let schema = object(&json!({
        "reasoning": text(20, REASONING_MAX),
        "complexityScore": {"type": "integer", "minimum": 1, "maximum": 10},
        "recommendedSubtasks": {"type": "integer", "minimum": 0, "maximum": SUBTASKS_MAX},
        "expansionPrompt": text(20, EXPANSION_MAX),
    }));
    let variables = json!({"plan": plan.trim_end(), "task": full(task)});
    Ok(Question {
        text: asking.prompts.render(COMPLEXITY_TASK, variables)?,
        schema,
        accepted: entry(&["complexityScore", "recommendedSubtasks"]),
        temperature: 0.2,
        max_tokens: ANALYSIS_TOKENS + 100,
    })
}

fn about_all(asking: Asking<'_>, tasks: &[Task]) -> Result<Question, AskError> {
    let shown: Vec<Value> = tasks.iter().map(show).collect();
    let ids: Vec<Value> = tasks.iter().map(|it| number_or_text(&it.id())).collect();
    let count = u32::try_from(tasks.len()).unwrap_or(u32::MAX);
    let schema = object(&json!({"complexityAnalysis": {
        "type": "array",
        "items": object(&json!({
            "taskId": {"enum": ids},
            "taskTitle": {"type": "string"},
            "complexityScore": {"type": "number", "minimum": 1, "maximum": 10},
            "recommendedSubtasks": {"type": "integer", "minimum": 0, "maximum": SUBTASKS_MAX},
            "expansionPrompt": {"type": "string"},
            "reasoning": {"type": "string"},
        })),
    }}));
    let accepted = json!({
        "type": "object",
        "properties": {"complexityAnalysis": {
            "type": "array",
            "items": entry(&["taskId", "complexityScore", "recommendedSubtasks"]),
        }},
        "required": ["complexityAnalysis"],
    });
    let variables = json!({
        "tasks": serde_json::to_string_pretty(&shown).unwrap_or_default(),
        "count": tasks.len(),
    });
    Ok(Question {
        text: asking.prompts.render(COMPLEXITY_WHOLE, variables)?,
        schema,
        accepted,
        temperature: 0.2,
        max_tokens: (count.saturating_mul(ANALYSIS_TOKENS) + 200)
            .min(asking.backend.info().context_tokens / 2),
    })
}

/// The shape of one analysis, which has at least these fields.
fn entry(required: &[&str]) -> Value {
    json!({
        "type": "object",
        "properties": {
            "complexityScore": {"type": "number", "minimum": 1, "maximum": 10},
            "recommendedSubtasks": {"type": "number", "minimum": 0, "maximum": 100},
        },
        "required": required,
    })
}

fn show(task: &Task) -> Value {
    let details = task.details().unwrap_or_default();
    let dependencies: Vec<Value> = task.dependencies().iter().map(number_or_text).collect();
    json!({
        "id": number_or_text(&task.id()),
        "title": task.title(),
        "description": task.description(),
        "details": split_notes(&details).0,
        "testStrategy": task.test_strategy().unwrap_or_default(),
        "status": task.status().as_str(),
        "dependencies": dependencies,
        "subtasks": task.subtasks().len(),
    })
}

/// Tasks that are asked about together: question and answer fit into what the model can hold.
fn batches(asking: Asking<'_>, tasks: &[Task]) -> Vec<Vec<Task>> {
    let room = asking.backend.info().context_tokens / 3;
    let mut batches: Vec<Vec<Task>> = Vec::new();
    let mut used = u32::MAX;
    for task in tasks {
        let shown = asking.backend.count_tokens(&show(task).to_string()).max(ANALYSIS_TOKENS);
        if used.saturating_add(shown) > room {
            batches.push(Vec::new());
            used = 0;
        }
        used += shown;
        if let Some(batch) = batches.last_mut() {
            batch.push(task.clone());
        }
    }
    batches
}

/// Analyses of tasks that exist, each once; those that were not asked for are welcome.
fn read_all(value: Value, tag: &Tag) -> Result<Vec<NewAnalysis>, String> {
    let entries: Entries = serde_json::from_value(value).map_err(|it| it.to_string())?;
    let exists = |id: &TaskId| tag.find(id).filter(|_| !id.is_subtask());
    let analysis = |entry: Entry| {
        let id = entry.task_id.as_ref().and_then(task_id)?;
        let task = exists(&id)?;
        Some(entry.analysis(id, &task))
    };
    let found = each_once(entries.complexity_analysis.into_iter().filter_map(analysis).collect());
    if found.is_empty() { Err("it analyses none of the tasks".to_owned()) } else { Ok(found) }
}

/// Without what is said about a task a second time.
fn each_once(mut analyses: Vec<NewAnalysis>) -> Vec<NewAnalysis> {
    let mut seen = HashSet::new();
    analyses.retain(|it| seen.insert(it.task_id.clone()));
    analyses
}

fn read_one(value: Value, task: &Task) -> Result<NewAnalysis, String> {
    let mut entry: Entry = serde_json::from_value(value).map_err(|it| it.to_string())?;
    entry.task_title = None;
    Ok(entry.analysis(task.id(), task))
}

impl Entry {
    fn analysis(self, task_id: TaskId, task: &Task) -> NewAnalysis {
        let text = |it: Option<String>, longest| sentences(&it.unwrap_or_default(), longest);
        let title = self.task_title.filter(|it| !it.trim().is_empty());
        NewAnalysis {
            task_id,
            task_title: title.unwrap_or_else(|| task.title()),
            score: u8::try_from(rounded(self.complexity_score)).unwrap_or(u8::MAX),
            recommended_subtasks: rounded(self.recommended_subtasks),
            expansion_prompt: text(self.expansion_prompt, EXPANSION_MAX),
            reasoning: text(self.reasoning, REASONING_MAX),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the schema bounds it, and what is out of range becomes the nearest number"
)]
fn rounded(number: f64) -> u64 {
    number.round() as u64
}
