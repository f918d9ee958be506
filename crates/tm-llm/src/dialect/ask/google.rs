//! Google's `generateContent`.
//!
//! Format: <https://ai.google.dev/api/generate-content>. It knows schemas of its own, which are
//! close to a part of JSON Schema.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Fault, FaultKind, Piece, Question, SoFar, parse, say, schema, typed};
use crate::chat::{FinishReason, Role};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk {
    #[serde(default)]
    candidates: Vec<Candidate>,
    usage_metadata: Option<Counts>,
    prompt_feedback: Option<Feedback>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    content: Option<Content>,
    finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Content {
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Debug, Deserialize)]
struct Part {
    text: Option<String>,
    #[serde(default)]
    thought: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Counts {
    #[serde(rename = "promptTokenCount")]
    prompt: u32,
    #[serde(rename = "candidatesTokenCount")]
    answer: u32,
    #[serde(rename = "thoughtsTokenCount")]
    thoughts: u32,
    #[serde(rename = "cachedContentTokenCount")]
    cached: u32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback {
    block_reason: Option<String>,
}

pub(super) fn call(question: &Question<'_>) -> Call {
    let request = question.request;
    let mut system: Vec<Value> = Vec::new();
    let mut contents: Vec<Value> = Vec::new();
    for message in question.messages().iter() {
        let part = json!({"text": message.content});
        match message.role {
            Role::System => system.push(part),
            Role::User => contents.push(json!({"role": "user", "parts": [part]})),
            Role::Assistant => contents.push(json!({"role": "model", "parts": [part]})),
        }
    }
    let mut config = json!({
        "temperature": schema::short(request.sampling.temperature),
        "topP": schema::short(request.sampling.top_p),
        "maxOutputTokens": request.max_tokens,
    });
    if let Some(schema) = question.schema() {
        config["responseMimeType"] = json!("application/json");
        config["responseSchema"] = schema::google(schema);
    } else if question.is_json_mode() {
        config["responseMimeType"] = json!("application/json");
    }
    let mut body = json!({"contents": contents, "generationConfig": config});
    if !system.is_empty() {
        body["systemInstruction"] = json!({"parts": system});
    }
    let path = format!("/models/{}:streamGenerateContent?alt=sse", question.model);
    Call { path, body: question.without_omitted(body) }
}

pub(super) fn read<'a>(frame: &str, so_far: &mut SoFar) -> Result<Vec<Piece<'a>>, Fault> {
    let chunk: Chunk = typed(parse(frame)?)?;
    let mut pieces = Vec::new();
    if let Some(counts) = chunk.usage_metadata {
        so_far.usage.prompt_tokens = counts.prompt;
        so_far.usage.cached_tokens = counts.cached;
        so_far.usage.completion_tokens = counts.answer.saturating_add(counts.thoughts);
    }
    if let Some(reason) = chunk.prompt_feedback.and_then(|it| it.block_reason) {
        return Err(Fault::new(FaultKind::Refused, format!("the prompt was blocked: {reason}")));
    }
    let Some(candidate) = chunk.candidates.into_iter().next() else { return Ok(pieces) };
    for part in candidate.content.into_iter().flat_map(|it| it.parts) {
        let make = if part.thought { Piece::Reasoning } else { Piece::Text };
        say(&mut pieces, make, part.text);
    }
    if let Some(reason) = candidate.finish_reason {
        so_far.finish = Some(match reason.as_str() {
            "STOP" => FinishReason::Stop,
            "MAX_TOKENS" => FinishReason::Length,
            _ => {
                let message = format!("it stopped the answer: {reason}");
                return Err(Fault::new(FaultKind::Refused, message));
            }
        });
    }
    Ok(pieces)
}
