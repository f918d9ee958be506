//! What is asked to divide one task, and how its answer is read.

use std::sync::atomic::{AtomicBool, Ordering};

use serde::Deserialize;
use serde_json::{Value, json};
use tm_tasks::{
    complexity::Analysis, divide::SubtaskDraft, document::Tag, plan::alike, task::Task,
};

use super::{COUNT_MAX, Expand};
use crate::{
    asking::{Asking, Question, object, text},
    context::{Topic, full, gather, outline},
    plan::{change::ChangeError, task_id},
    prompts::EXPAND,
    research::looked_up::looked_up,
    wording::{sentences, title},
};

/// Longest texts, in characters; the grammar ends a text there.
const TITLE_MAX: usize = 100;
const DESCRIPTION_MAX: usize = 240;
const DETAILS_MAX: usize = 600;
const TEST_MAX: usize = 200;

/// What one subtask with texts of these lengths takes, in tokens.
const SUBTASK_TOKENS: usize = 380;

#[derive(Deserialize)]
struct Answer {
    subtasks: Vec<Subtask>,
}

/// A subtask as a model writes it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::plan) struct Subtask {
    id: Option<Value>,
    title: String,
    description: Option<String>,
    details: Option<String>,
    test_strategy: Option<String>,
    dependencies: Option<Vec<Value>>,
}

pub(super) async fn question(
    asking: Asking<'_>,
    tag: &Tag,
    task: &Task,
    (request, kept): (&Expand, &[Task]),
) -> Result<Question, ChangeError> {
    let id = task.id();
    let first = kept.iter().filter_map(|it| it.id().subtask()?.parse().ok()).max().unwrap_or(0) + 1;
    let count = request.count(task);
    let analysis = request.analysis(task);
    let kept: Vec<String> =
        kept.iter().map(|it| format!("{}. {}", number(it), it.title())).collect();
    let variables = json!({
        "number": id.to_string(),
        "context": context(&asking, tag, (task, request)),
        "task": full(&without_subtasks(task)),
        "kept": kept,
        "documents": looked_up(&asking, &words(task, request)).await?,
        "prompt": request.prompt.trim(),
        "advice": analysis.and_then(Analysis::expansion_prompt),
        "reasoning": analysis.and_then(Analysis::reasoning),
        "count": count,
        "first": first,
        "last": count.map(|it| first + it - 1),
    });
    Ok(Question {
        text: asking.prompts.render(EXPAND, variables)?,
        schema: schema(first, count),
        accepted: json!({
            "type": "object",
            "properties": {"subtasks": {
                "type": "array",
                "minItems": 1,
                "items": {"type": "object", "required": ["title"]},
            }},
            "required": ["subtasks"],
        }),
        temperature: 0.3,
        max_tokens: max_tokens(asking, count),
    })
}

/// The project's other tasks: all titles where they fit, else what is related.
pub(super) fn context(asking: &Asking<'_>, tag: &Tag, (task, request): (&Task, &Expand)) -> String {
    let (backend, tokens_max) = (asking.backend, asking.context_tokens());
    outline(backend, tag.tasks(), tokens_max).unwrap_or_else(|| {
        let (id, words) = (task.id(), words(task, request));
        let topic = Topic { words: &words, named: &[], shown: Some(&id), tokens_max };
        gather(backend, tag.tasks(), topic).text
    })
}

/// What a task is looked up by.
pub(super) fn words(task: &Task, request: &Expand) -> String {
    format!("{} {}", task.title(), request.prompt)
}

/// Reads answers to one question: the first one, and its repair.
pub(super) struct Reader {
    /// The titles of the subtasks that stay.
    kept: Vec<String>,
    is_repair: AtomicBool,
}

impl Reader {
    pub(super) fn new(kept: Vec<String>) -> Self {
        Self { kept, is_repair: AtomicBool::new(false) }
    }

    /// Two subtasks that say the same are asked for anew once; after that the second one goes.
    pub(super) fn read(&self, value: Value) -> Result<Vec<SubtaskDraft>, String> {
        let answer: Answer = serde_json::from_value(value).map_err(|it| it.to_string())?;
        let drafts: Vec<SubtaskDraft> = answer.subtasks.into_iter().map(Subtask::draft).collect();
        let empty = drafts.iter().position(|it| it.title.is_empty());
        if let Some(position) = empty {
            return Err(format!("the title of subtask {} is empty", position + 1));
        }
        let repeated = self.repeated(&drafts);
        let is_repair = self.is_repair.swap(true, Ordering::Relaxed);
        match repeated.first().and_then(|it| drafts.get(*it)) {
            None => Ok(drafts),
            Some(draft) if !is_repair => {
                Err(format!("“{}” is there twice; no two subtasks may mean the same", draft.title))
            }
            Some(_) => {
                let drafts = drafts.into_iter().enumerate();
                let kept = drafts.filter(|(at, _)| !repeated.contains(at)).map(|it| it.1);
                Some(kept.collect::<Vec<_>>())
                    .filter(|it| !it.is_empty())
                    .ok_or_else(|| "all of its subtasks are there already".to_owned())
            }
        }
    }

    /// The positions of those that say what an earlier one says.
    fn repeated(&self, drafts: &[SubtaskDraft]) -> Vec<usize> {
        let mut titles: Vec<&str> = self.kept.iter().map(String::as_str).collect();
        let mut repeated = Vec::new();
        for (position, draft) in drafts.iter().enumerate() {
            if titles.iter().any(|it| alike(it, &draft.title)) {
                repeated.push(position);
            }
            titles.push(&draft.title);
        }
        repeated
    }
}

impl Subtask {
    pub(in crate::plan) fn draft(self) -> SubtaskDraft {
        let number = |it: &Value| {
            let id = task_id(it)?;
            id.subtask().unwrap_or_else(|| id.task()).parse().ok()
        };
        let text = |it: Option<String>, longest| sentences(&it.unwrap_or_default(), longest);
        SubtaskDraft {
            number: self.id.as_ref().and_then(number),
            title: title(&self.title, TITLE_MAX),
            description: text(self.description, DESCRIPTION_MAX),
            details: text(self.details, DETAILS_MAX),
            test_strategy: self
                .test_strategy
                .map(|it| text(Some(it), TEST_MAX))
                .filter(|it| !it.is_empty()),
            after: self.dependencies.unwrap_or_default().iter().filter_map(number).collect(),
        }
    }
}

/// The schema of one subtask, whose id is one of `ids`.
pub(in crate::plan) fn subtask_schema(id: &Value, siblings_max: usize) -> Value {
    object(&json!({
        "id": id,
        "title": text(5, TITLE_MAX),
        "description": text(10, DESCRIPTION_MAX),
        "dependencies": {
            "type": "array",
            "items": {"type": "integer", "minimum": 1, "maximum": siblings_max},
            "maxItems": 3,
        },
        "details": text(20, DETAILS_MAX),
        "testStrategy": text(10, TEST_MAX),
    }))
}

fn schema(first: usize, count: Option<usize>) -> Value {
    let (fewest, most) = count.map_or((2, 10), |it| (it, it));
    let last = first + most - 1;
    let id = json!({"type": "integer", "minimum": first, "maximum": last});
    object(&json!({
        "subtasks": {
            "type": "array",
            "items": subtask_schema(&id, last),
            "minItems": fewest,
            "maxItems": most,
        },
    }))
}

fn max_tokens(asking: Asking<'_>, count: Option<usize>) -> u32 {
    let wanted = count.unwrap_or(10).min(COUNT_MAX) * SUBTASK_TOKENS + 200;
    let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
    wanted.min(asking.backend.info().context_tokens / 2)
}

fn without_subtasks(task: &Task) -> Task {
    let mut task = task.clone();
    task.set_subtasks(&[]);
    task
}

fn number(subtask: &Task) -> String {
    subtask.id().subtask().unwrap_or_default().to_owned()
}
