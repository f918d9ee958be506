//! Chat completions of OpenAI, and of the many servers that have them too.
//!
//! Format: <https://platform.openai.com/docs/api-reference/chat>. Reasoning has two names outside
//! of it, `reasoning_content` and `reasoning`.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value, json, value::RawValue};

use super::{
    ANSWER, Call, Fault, FaultKind, Piece, Question, SoFar, Word, message, say, schema, tools,
};
use crate::chat::{FinishReason, Role, Sampling};

#[derive(Debug, Deserialize)]
struct Chunk<'a> {
    #[serde(default, borrow)]
    choices: Vec<Choice<'a>>,
    usage: Option<Counts>,
    error: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    delta: Option<Delta<'a>>,
    /// Servers that do not stream send the whole of it.
    #[serde(borrow)]
    message: Option<Delta<'a>>,
    #[serde(borrow)]
    finish_reason: Option<Word<'a>>,
}

#[derive(Debug, Default, Deserialize)]
struct Delta<'a> {
    /// A text, or parts.
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_content: Option<Word<'a>>,
    #[serde(borrow)]
    reasoning: Option<Word<'a>>,
    #[serde(borrow)]
    refusal: Option<Word<'a>>,
    #[serde(borrow)]
    tool_calls: Option<Vec<tools::Heard<'a>>>,
}

#[derive(Debug, Deserialize)]
struct Counts {
    #[serde(default)]
    prompt_tokens: u32,
    #[serde(default)]
    completion_tokens: u32,
    prompt_tokens_details: Option<Details>,
}

#[derive(Debug, Deserialize)]
struct Details {
    cached_tokens: Option<u32>,
}

pub(super) fn call(question: &Question<'_>) -> Call {
    let request = question.request;
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(question.model));
    body.insert("messages".to_owned(), question.turns(tools::Spelling::OpenAi));
    body.insert("temperature".to_owned(), super::schema::short(request.sampling.temperature));
    body.insert("top_p".to_owned(), super::schema::short(request.sampling.top_p));
    body.insert("seed".to_owned(), json!(request.sampling.seed));
    for (name, value) in question.penalties() {
        body.insert(name.to_owned(), value);
    }
    if request.sampling.top_k != Sampling::default().top_k {
        body.insert("top_k".to_owned(), json!(request.sampling.top_k));
    }
    if (request.sampling.repeat_penalty - 1.0).abs() > f32::EPSILON {
        // llama.cpp and LM Studio have one name for it, vLLM has another.
        let penalty = super::schema::short(request.sampling.repeat_penalty);
        body.insert("repeat_penalty".to_owned(), penalty.clone());
        body.insert("repetition_penalty".to_owned(), penalty);
    }
    if let Some(level) = request.sampling.thinking.level() {
        // Few servers have a word for more than high.
        let level = if level == "max" { "high" } else { level };
        body.insert("reasoning_effort".to_owned(), json!(level));
    }
    body.insert(question.limit_name.to_owned(), json!(request.max_tokens));
    body.insert("stream".to_owned(), json!(!question.at_once));
    if !question.at_once {
        body.insert("stream_options".to_owned(), json!({"include_usage": true}));
    }
    if question.continues && request.messages.last().is_some_and(|it| it.role == Role::Assistant) {
        // vLLM's words; llama.cpp does it without being told.
        body.insert("continue_final_message".to_owned(), json!(true));
        body.insert("add_generation_prompt".to_owned(), json!(false));
    }
    if let Some(tools) = tools::told(question) {
        body.insert("tools".to_owned(), tools);
        body.insert("tool_choice".to_owned(), json!("auto"));
        if question.told_tools().is_some_and(|it| it.is_single) {
            body.insert("parallel_tool_calls".to_owned(), json!(false));
        }
    }
    if let Some(schema) = question.schema() {
        let mut named = json!({"name": ANSWER, "schema": schema});
        if schema::is_strict(schema) {
            named["strict"] = json!(true);
        }
        let format = json!({"type": "json_schema", "json_schema": named});
        body.insert("response_format".to_owned(), format);
    } else if let Some(schema) = question.schema_beside() {
        let format = json!({"type": "json_object", "schema": schema});
        body.insert("response_format".to_owned(), format);
    } else if question.is_json_mode() {
        body.insert("response_format".to_owned(), json!({"type": "json_object"}));
    }
    let body = question.without_omitted(Value::Object(body));
    Call { path: "/chat/completions".to_owned(), body }
}

pub(super) fn read<'a>(frame: &'a str, so_far: &mut SoFar) -> Result<Vec<Piece<'a>>, Fault> {
    let mut pieces = Vec::new();
    if frame.trim() == "[DONE]" {
        so_far.is_over = true;
        return Ok(pieces);
    }
    let chunk: Chunk<'_> = message(frame, |it: &Chunk<'_>| it.error.is_some())?;
    if let Some(counts) = chunk.usage {
        so_far.usage.prompt_tokens = counts.prompt_tokens;
        so_far.usage.completion_tokens = counts.completion_tokens;
        so_far.usage.cached_tokens =
            counts.prompt_tokens_details.and_then(|it| it.cached_tokens).unwrap_or(0);
    }
    let Some(choice) = chunk.choices.into_iter().next() else { return Ok(pieces) };
    let is_whole = choice.delta.is_none() && choice.message.is_some();
    let said = choice.delta.or(choice.message).unwrap_or_default();
    if let Some(refusal) = said.refusal.filter(|it| !it.0.is_empty()) {
        return Err(Fault::new(FaultKind::Refused, refusal.0));
    }
    let reasoning = said.reasoning_content.or(said.reasoning);
    say(&mut pieces, Piece::Reasoning, reasoning.map(|it| it.0));
    content(said.content.map_or("", RawValue::get), &mut pieces);
    for heard in said.tool_calls.into_iter().flatten() {
        tools::hear(&mut so_far.calls, heard);
    }
    if let Some(reason) = choice.finish_reason.filter(|it| !it.0.is_empty()) {
        so_far.finish = Some(finish(&reason.0)?);
        so_far.is_over |= is_whole;
    }
    Ok(pieces)
}

/// A text, or a list of parts that may be thoughts.
fn content<'a>(content: &'a str, pieces: &mut Vec<Piece<'a>>) {
    if content.starts_with('"') {
        let text: Option<Word<'_>> = serde_json::from_str(content).ok();
        return say(pieces, Piece::Text, text.map(|it| it.0));
    }
    let parts: Vec<Value> = serde_json::from_str(content).unwrap_or_default();
    for part in parts {
        let text = |name: &str| part.get(name)?.as_str().map(str::to_owned);
        say(pieces, Piece::Text, text("text"));
        say(pieces, Piece::Reasoning, text("thinking"));
    }
}

fn finish(reason: &str) -> Result<FinishReason, Fault> {
    match reason {
        "length" => Ok(FinishReason::Length),
        "content_filter" => {
            Err(Fault::new(FaultKind::Refused, "its content filter stopped the answer"))
        }
        "error" => Err(Fault::new(FaultKind::Broken, "it stopped because of an error")),
        _ => Ok(FinishReason::Stop),
    }
}
