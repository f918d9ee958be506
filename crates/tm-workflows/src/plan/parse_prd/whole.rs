//! The whole plan in one answer, for models that are trusted with it.
//!
//! The document is given in its own words, so it must fit; where it does not, it is planned in
//! parts like for a small model. How many tasks there are is the model's decision in the end: a
//! plan that is thrown away because it has a task too many helps nobody.

use serde::Deserialize;
use serde_json::{Value, json};
use tm_llm::{
    backend::Backend,
    chat::{ChatRequest, Message, Sampling, Usage},
    structured::ask_accepting,
};
use tm_tasks::{
    id::TaskId,
    plan::{
        assemble::Draft,
        coverage::{Requirement, coverage},
    },
    prd::Prd,
    task::{Priority, Task},
};

use super::{
    COUNT_MAX, ParsePrd, ParsePrdError, Plan,
    better::{self, Rewriting},
    natural_count, text_of,
};
use crate::{
    asking::object,
    event::{Event, Observer},
    language::asked_in,
    prompts::{PARSE_PRD_SYSTEM, PARSE_PRD_WHOLE},
};

/// What one task takes, in tokens.
const TASK_TOKENS: usize = 500;

const PRIORITIES: [&str; 3] = ["high", "medium", "low"];

/// The tasks that the new ones come after.
#[derive(Debug, Clone)]
pub(super) struct Before {
    pub(super) tasks: Vec<Task>,
    /// The first id that is free.
    pub(super) first_id: u64,
}

impl Default for Before {
    fn default() -> Self {
        Self { tasks: Vec::new(), first_id: 1 }
    }
}

/// A question, and how many tokens its answer may take.
pub(super) struct Whole {
    messages: Vec<Message>,
    max_tokens: u32,
    numbers_from: u64,
}

#[derive(Deserialize)]
struct Answer {
    tasks: Vec<Planned>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Planned {
    id: f64,
    title: String,
    description: String,
    #[serde(default)]
    details: String,
    #[serde(default)]
    test_strategy: String,
    priority: Option<String>,
    #[serde(default)]
    dependencies: Vec<f64>,
}

/// Of what was looked up about the parts as much as leaves room for the document.
fn some_of(backend: &dyn Backend, looked_up: &[String]) -> String {
    let mut left = backend.info().context_tokens / 8;
    let mut lines: Vec<&str> = Vec::new();
    for line in looked_up.iter().flat_map(|it| it.lines()) {
        let tokens = backend.count_tokens(line);
        if tokens <= left && !lines.contains(&line) {
            left -= tokens;
            lines.push(line);
        }
    }
    lines.join("\n")
}

impl Whole {
    /// The question about the document; nothing where the model is not asked for whole plans, or
    /// where the document is too long for it.
    pub(super) fn new(
        backend: &dyn Backend,
        request: &ParsePrd,
        (document, found): (&str, &[String]),
        before: &Before,
    ) -> Result<Option<Self>, ParsePrdError> {
        let info = backend.info();
        if !info.whole_answers {
            return Ok(None);
        }
        let existing: Vec<Value> = before
            .tasks
            .iter()
            .map(|it| json!({"id": it.id().to_string(), "title": it.title()}))
            .collect();
        let found = some_of(backend, found);
        let question = json!({
            "document": document.trim(),
            "documents": found,
            "count": request.count,
            "existing": existing,
            "first_id": before.first_id,
            "priority": priority(&request.priority),
        });
        let system =
            request.prompts.render(PARSE_PRD_SYSTEM, json!({"language": request.language}))?;
        let question =
            asked_in(&request.language, &request.prompts.render(PARSE_PRD_WHOLE, question)?);
        let tasks = request.count.unwrap_or(COUNT_MAX / 4) + 2;
        let max_tokens = u32::try_from(tasks * TASK_TOKENS).unwrap_or(u32::MAX);
        let prompt = backend.count_tokens(&system) + backend.count_tokens(&question);
        let room = info.context_tokens.saturating_sub(prompt);
        if room < max_tokens / 2 {
            return Ok(None);
        }
        Ok(Some(Self {
            messages: vec![Message::system(system), Message::user(question)],
            max_tokens: max_tokens.min(room),
            numbers_from: before.first_id,
        }))
    }

    /// Asks for the plan.
    pub(super) async fn plan(
        self,
        backend: &dyn Backend,
        request: &ParsePrd,
        prd: &Prd,
        observer: Observer<'_>,
    ) -> Result<Plan, ParsePrdError> {
        let tasks = request.count.unwrap_or_else(|| natural_count(prd.requirements().count()));
        observer(Event::Planning { tasks });
        let deadline = std::time::Instant::now() + request.timeout;
        let chat = ChatRequest {
            messages: self.messages,
            response_schema: Some(asked()),
            sampling: Sampling::default(),
            max_tokens: self.max_tokens,
            deadline,
        };
        let read = |value| read(value, self.numbers_from, priority(&request.priority));
        let on_text = |_: &str| observer(Event::Tokens { count: 1 });
        let answer = ask_accepting(backend, chat, &accepted(), read, &on_text)
            .await
            .map_err(ParsePrdError::Whole)?;
        let repaired = answer.repaired.is_some();
        for (index, draft) in answer.value.iter().enumerate() {
            let title = draft.title.clone();
            observer(Event::TaskWritten { number: index + 1, title, repaired });
        }
        let work = better::work(prd, &answer.value);
        let rewriting = Rewriting { backend, request, prd, observer, deadline };
        let (tasks, mut usage) = rewriting.of(answer.value, &work).await;
        usage += answer.usage;
        Ok(finished(prd, tasks, usage))
    }
}

fn finished(prd: &Prd, tasks: Vec<Draft>, usage: Usage) -> Plan {
    let texts: Vec<String> = tasks.iter().map(text_of).collect();
    let requirements = coverage(prd, &texts);
    let missing = requirements.iter().filter(|it| !it.is_covered());
    let words = |it: &Requirement| prd.units.get(it.unit).map(|it| it.text.clone());
    let uncovered = missing.filter_map(words).collect();
    Plan { tasks, requirements: requirements.len(), uncovered, usage }
}

/// Reads the tasks, whose ids count up from 1 or from where the tag goes on.
fn read(value: Value, first_id: u64, priority: &str) -> Result<Vec<Draft>, String> {
    let answer: Answer = serde_json::from_value(value).map_err(|it| it.to_string())?;
    let ids: Vec<u64> = answer.tasks.iter().map(|it| whole(it.id)).collect::<Result<_, _>>()?;
    let start = ids.iter().copied().min().unwrap_or_default();
    if start != 1 && start != first_id {
        return Err(format!("the ids begin with {start} instead of {first_id}"));
    }
    for expected in (start..).take(ids.len()) {
        match ids.iter().filter(|it| **it == expected).count() {
            1 => {}
            0 => return Err(format!("no task has the id {expected}, but a later one is used")),
            _ => return Err(format!("several tasks have the id {expected}")),
        }
    }
    let mut tasks: Vec<(u64, Planned)> = ids.into_iter().zip(answer.tasks).collect();
    tasks.sort_by_key(|it| it.0);
    let draft = |(_, it): (u64, Planned)| draft(it, start, first_id, priority);
    tasks.into_iter().map(draft).collect()
}

fn draft(planned: Planned, start: u64, first_id: u64, priority: &str) -> Result<Draft, String> {
    let mut after = Vec::new();
    let mut after_existing = Vec::new();
    for dependency in planned.dependencies {
        let id = whole(dependency)?;
        // A plan that counts from 1 has its own tasks in mind, one that goes on may mean others.
        if let Some(position) = id.checked_sub(start) {
            after.push(usize::try_from(position).unwrap_or(usize::MAX));
        } else if start == first_id && id > 0 {
            after_existing.push(TaskId::top(id));
        }
    }
    Ok(Draft {
        title: planned.title,
        description: planned.description,
        details: planned.details,
        test_strategy: planned.test_strategy,
        priority: planned.priority.unwrap_or_else(|| priority.to_owned()),
        after,
        after_existing,
        subtasks: Vec::new(),
    })
}

/// In the words that a plan has for it.
fn priority(default: &Priority) -> &'static str {
    match default {
        Priority::Critical | Priority::High => "high",
        Priority::Medium | Priority::Other(_) => "medium",
        Priority::Low => "low",
    }
}

/// JSON writes 3 as `3.0` where it likes.
fn whole(number: f64) -> Result<u64, String> {
    let is_whole = number.fract() == 0.0 && (0.0..=1e9).contains(&number);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is a small whole number"
    )]
    let whole = number as u64;
    if is_whole { Ok(whole) } else { Err(format!("{number} is no id of a task")) }
}

/// What a model is held to.
fn asked() -> Value {
    let text = || json!({"type": "string", "minLength": 1});
    let task = object(&json!({
        "id": {"type": "integer"},
        "title": text(),
        "description": text(),
        "details": text(),
        "testStrategy": text(),
        "priority": {"type": "string", "enum": PRIORITIES},
        "dependencies": {"type": "array", "items": {"type": "integer"}},
        "status": {"type": "string", "enum": ["pending"]},
    }));
    object(&json!({"tasks": {"type": "array", "items": task, "minItems": 1}}))
}

/// What is taken: tasks that say what they are, whatever else is said.
fn accepted() -> Value {
    let task = json!({
        "type": "object",
        "properties": {
            "title": {"type": "string", "pattern": "\\S"},
            "description": {"type": "string", "pattern": "\\S"},
            "priority": {"enum": PRIORITIES},
        },
        "required": ["id", "title", "description"],
    });
    json!({
        "type": "object",
        "properties": {"tasks": {"type": "array", "items": task, "minItems": 1}},
        "required": ["tasks"],
    })
}

#[cfg(test)]
mod tests;
