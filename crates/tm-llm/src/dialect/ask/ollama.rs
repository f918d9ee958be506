//! Ollama's own chat.
//!
//! Format: <https://github.com/ollama/ollama/blob/main/docs/api.md>. Its window is small unless it
//! is set, and a prompt that does not fit is cut without a word; so the window is always set, and
//! cutting is forbidden.

use std::time::Duration;

use serde::{Deserialize, de::IgnoredAny};
use serde_json::json;

use super::{Call, Fault, FaultKind, Piece, Question, SoFar, Word, message, say, schema, tools};
use crate::chat::{FinishReason, Thinking};

#[derive(Debug, Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    message: Option<Said<'a>>,
    error: Option<IgnoredAny>,
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
struct Said<'a> {
    #[serde(borrow)]
    content: Option<Word<'a>>,
    #[serde(borrow)]
    thinking: Option<Word<'a>>,
    #[serde(borrow)]
    tool_calls: Option<Vec<tools::Heard<'a>>>,
}

pub(super) fn call(question: &Question<'_>) -> Call {
    let request = question.request;
    let sampling = &request.sampling;
    let think = match sampling.thinking.level() {
        Some(level) => json!(level),
        None => json!(sampling.thinking == Thinking::On),
    };
    let mut body = json!({
        "model": question.model,
        "messages": question.turns(tools::Spelling::Ollama),
        "stream": !question.at_once,
        "think": think,
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
    for (name, value) in question.penalties() {
        body["options"][name] = value;
    }
    if let Some(tools) = tools::told(question) {
        body["tools"] = tools;
    }
    if let Some(schema) = question.schema() {
        body["format"] = schema.clone();
    } else if question.is_json_mode() {
        body["format"] = json!("json");
    }
    Call { path: "/chat".to_owned(), body: question.without_omitted(body) }
}

pub(super) fn read<'a>(frame: &'a str, so_far: &mut SoFar) -> Result<Vec<Piece<'a>>, Fault> {
    let line: Line<'_> = message(frame, |it: &Line<'_>| it.error.is_some())?;
    let mut pieces = Vec::new();
    if let Some(said) = line.message {
        say(&mut pieces, Piece::Reasoning, said.thinking.map(|it| it.0));
        say(&mut pieces, Piece::Text, said.content.map(|it| it.0));
        for heard in said.tool_calls.into_iter().flatten() {
            tools::hear(&mut so_far.calls, heard);
        }
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
