//! How fast a model answers: requests of a known size, and the time each takes.
//!
//! Whoever the model belongs to gets the same requests. `bench`, and `doctor` for what it says of
//! this machine, add nothing but tables. Start at [`timed`].

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tm_llm::{
    backend::{Backend, BackendError, complete},
    chat::{ChatRequest, Completion, Message, Sampling},
};

/// The document that the requests are about: the one of the repository's example.
pub const DOCUMENT: &str = include_str!("../../../examples/home-library.md");

/// Nobody waits longer for one answer.
const PATIENCE: Duration = Duration::from_mins(15);

/// An answer and when it came.
#[derive(Debug)]
pub struct Timed {
    pub answer: Completion,
    pub first: Duration,
    pub whole: Duration,
}

/// Asks, and looks at the clock.
///
/// # Errors
/// What the backend fails with.
pub async fn timed(backend: &dyn Backend, request: ChatRequest) -> Result<Timed, BackendError> {
    let asked = Instant::now();
    let first = std::sync::OnceLock::new();
    let seen = |_: &str| {
        first.get_or_init(|| asked.elapsed());
    };
    let answer = complete(backend, request, &seen).await?;
    let whole = asked.elapsed();
    Ok(Timed { answer, first: first.get().copied().unwrap_or(whole), whole })
}

/// A question about the document, which nobody has read whose requests had another `nonce`.
pub fn about(document: &str, nonce: &str, question: &str) -> ChatRequest {
    let system = format!("Run {nonce}. You plan software projects and answer with JSON only.");
    ChatRequest {
        messages: vec![Message::system(system), Message::user(format!("{document}\n\n{question}"))],
        response_schema: None,
        sampling: Sampling { temperature: 0.0, ..Sampling::default() },
        max_tokens: 1,
        deadline: Instant::now() + PATIENCE,
    }
}

/// Tokens a second while a prompt is read, up to the first token of the answer.
///
/// # Errors
/// What the backend fails with.
pub async fn reading(
    backend: &dyn Backend,
    document: &str,
    nonce: &str,
) -> Result<f64, BackendError> {
    let timed = timed(backend, about(document, nonce, "What is it about?")).await?;
    let usage = timed.answer.usage;
    let tokens = usage.prompt_tokens.saturating_sub(usage.cached_tokens);
    Ok(f64::from(tokens) / timed.first.as_secs_f64())
}

/// Tokens a second while a free answer is written, from its first token on.
///
/// # Errors
/// What the backend fails with.
pub async fn writing(backend: &dyn Backend, tokens: u32, nonce: &str) -> Result<f64, BackendError> {
    let question = "Write out the numbers from one to five hundred in words, one on a line.";
    let request = ChatRequest { max_tokens: tokens, ..about("", nonce, question) };
    let timed = timed(backend, request).await?;
    let written = timed.answer.usage.completion_tokens.saturating_sub(1);
    Ok(f64::from(written) / timed.whole.saturating_sub(timed.first).as_secs_f64())
}

/// A request for subtasks, as `expand` asks: those about one document begin alike.
pub fn division(document: &str, nonce: &str, task: &str) -> ChatRequest {
    let question = format!("Divide the task “{task}” into three subtasks.");
    ChatRequest {
        response_schema: Some(subtasks()),
        max_tokens: 600,
        ..about(document, nonce, &question)
    }
}

/// Parts of the document that are divided.
pub const TASKS: [&str; 8] = [
    "The server and its routes",
    "Adding a book by its ISBN",
    "Covers and their sizes",
    "Shelves",
    "Search",
    "Lending",
    "Import and export",
    "Backup",
];

fn subtasks() -> Value {
    let text = |most: u32| json!({ "type": "string", "minLength": 10, "maxLength": most });
    let subtask = |id: u32| {
        json!({
            "type": "object",
            "properties": {
                "id": { "const": id },
                "title": text(60),
                "description": text(160),
                "priority": { "enum": ["high", "medium", "low"] }
            },
            "required": ["id", "title", "description", "priority"],
            "additionalProperties": false
        })
    };
    json!({
        "type": "object",
        "properties": { "subtasks": {
            "type": "array", "prefixItems": [subtask(1), subtask(2), subtask(3)],
            "items": false, "minItems": 3, "maxItems": 3
        } },
        "required": ["subtasks"],
        "additionalProperties": false
    })
}

/// The middle one; of an even number the mean of the two in the middle.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = *sorted.get((sorted.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}
