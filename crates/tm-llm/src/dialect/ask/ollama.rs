//! Ollama's own chat.
//!
//! Format: <https://github.com/ollama/ollama/blob/main/docs/api.md>. Its window is small unless it
//! is set, and a prompt that does not fit is cut without a word; so the window is always set, and
//! cutting is forbidden.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Fault, FaultKind, Piece, Question, SoFar, parse, say, schema, typed};
use crate::chat::FinishReason;

#[derive(Debug, Deserialize)]
struct Line {
    message: Option<Said>,
    #[serde(default)]
    done: bool,
    done_reason: Option<String>,
    #[serde(default)]
    prompt_eval_count: u32,
    #[serde(default)]
    eval_count: u32,
    #[serde(default)]
    prompt_eval_duration: u64,
    #[serde(default)]
    eval_duration: u64,
    #[serde(default)]
    load_duration: u64,
}

#[derive(Debug, Deserialize)]
struct Said {
    content: Option<String>,
    thinking: Option<String>,
}

pub(super) fn call(question: &Question<'_>) -> Call {
    let request = question.request;
    let messages: Vec<Value> = question
        .messages()
        .iter()
        .map(|it| json!({"role": it.role.name(), "content": it.content}))
        .collect();
    let sampling = &request.sampling;
    let mut body = json!({
        "model": question.model,
        "messages": messages,
        "stream": true,
        "think": false,
        "truncate": false,
        "shift": false,
        "options": {
            "num_ctx": question.window,
            "num_predict": request.max_tokens,
            "temperature": schema::short(sampling.temperature),
            "top_p": schema::short(sampling.top_p),
            "top_k": sampling.top_k,
            "repeat_penalty": schema::short(sampling.repeat_penalty),
            "seed": sampling.seed,
        },
    });
    if let Some(schema) = question.schema() {
        body["format"] = schema.clone();
    } else if question.is_json_mode() {
        body["format"] = json!("json");
    }
    Call { path: "/chat".to_owned(), body: question.without_omitted(body) }
}

pub(super) fn read(frame: &str, so_far: &mut SoFar) -> Result<Vec<Piece>, Fault> {
    let line: Line = typed(parse(frame)?)?;
    let mut pieces = Vec::new();
    if let Some(said) = line.message {
        say(&mut pieces, Piece::Reasoning, said.thinking);
        say(&mut pieces, Piece::Text, said.content);
    }
    if line.done {
        let usage = &mut so_far.usage;
        usage.prompt_tokens = line.prompt_eval_count;
        usage.completion_tokens = line.eval_count;
        usage.queued = Duration::from_nanos(line.load_duration);
        usage.prefill = Duration::from_nanos(line.prompt_eval_duration);
        usage.decode = Duration::from_nanos(line.eval_duration);
        so_far.is_over = true;
        so_far.finish = Some(match line.done_reason.as_deref() {
            Some("length") => FinishReason::Length,
            Some("load" | "unload") => {
                return Err(Fault::new(FaultKind::Broken, "it moved the model and did not answer"));
            }
            Some(_) | None => FinishReason::Stop,
        });
    }
    Ok(pieces)
}
