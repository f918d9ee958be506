//! Google's `generateContent`.
//!
//! Format: <https://ai.google.dev/api/generate-content>. It knows schemas of its own, which are
//! close to a part of JSON Schema.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json, value::RawValue};

use super::{
    Call, Fault, FaultKind, Piece, Question, SoFar, Word, message, say, schema, tools::Begun,
};
use crate::chat::{self, FinishReason, Image, Message, Offered, Role, Tool, ToolChoice};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk<'a> {
    #[serde(default, borrow)]
    candidates: Vec<Candidate<'a>>,
    usage_metadata: Option<Counts>,
    prompt_feedback: Option<Feedback>,
    error: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate<'a> {
    #[serde(borrow)]
    content: Option<Content<'a>>,
    finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Content<'a> {
    #[serde(default, borrow)]
    parts: Vec<Part<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part<'a> {
    #[serde(borrow)]
    text: Option<Word<'a>>,
    #[serde(default)]
    thought: bool,
    #[serde(borrow)]
    function_call: Option<Called<'a>>,
}

#[derive(Debug, Deserialize)]
struct Called<'a> {
    name: String,
    #[serde(borrow)]
    args: Option<&'a RawValue>,
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
        let said = spoken(question, message);
        match message.role {
            Role::System => system.extend(said),
            Role::User => contents.push(json!({"role": "user", "parts": said})),
            Role::Assistant => contents.push(json!({"role": "model", "parts": said})),
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
    if let Some(Offered { tools, choice, is_single: _ }) = question.told_tools() {
        let function = |it: &Tool| {
            let Tool { name, description, parameters, is_custom: _ } = it;
            let (about, arguments) = (description, parameters);
            json!({"name": name, "description": about, "parametersJsonSchema": arguments})
        };
        let functions: Vec<Value> = tools.iter().map(function).collect();
        let mode = if *choice == ToolChoice::Auto { "AUTO" } else { "ANY" };
        body["tools"] = json!([{ "functionDeclarations": functions }]);
        body["toolConfig"] = json!({"functionCallingConfig": {"mode": mode}});
    }
    let path = format!("/models/{}:streamGenerateContent?alt=sse", question.model);
    Call { path, body: question.without_omitted(body) }
}

/// A turn in the protocol's parts. Models since Gemini 3 sign what they call, and want to see the signature
/// of the first call of a turn again; no client's protocol has a place to keep it, for which there is a word.
/// <https://ai.google.dev/gemini-api/docs/thought-signatures>
fn spoken(question: &Question<'_>, message: &Message) -> Vec<Value> {
    let mut said: Vec<Value> = question.parts(message).iter().filter_map(part).collect();
    let signs = !["gemini-1", "gemini-2"].iter().any(|it| question.model.starts_with(it));
    if let Some(call) = said.iter_mut().find(|it| signs && it.get("functionCall").is_some()) {
        call["thoughtSignature"] = json!("skip_thought_signature_validator");
    }
    said
}

fn part(part: &chat::Part) -> Option<Value> {
    Some(match part {
        chat::Part::Text(text) if text.is_empty() => return None,
        chat::Part::Text(text) => json!({ "text": text }),
        chat::Part::Image(Image::Inline { media_type, data }) => {
            json!({"inlineData": {"mimeType": media_type, "data": data}})
        }
        chat::Part::Image(Image::Elsewhere { url }) => json!({"fileData": {"fileUri": url}}),
        chat::Part::Call { id: _, call } => {
            json!({"functionCall": {"name": call.name, "args": call.json()}})
        }
        chat::Part::Result { id: _, name, text } => {
            json!({"functionResponse": {"name": name, "response": {"output": text}}})
        }
        chat::Part::Tools { .. } => return None,
    })
}

pub(super) fn read<'a>(frame: &'a str, so_far: &mut SoFar) -> Result<Vec<Piece<'a>>, Fault> {
    let chunk: Chunk<'_> = message(frame, |it: &Chunk<'_>| it.error.is_some())?;
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
        say(&mut pieces, make, part.text.map(|it| it.0));
        if let Some(Called { name, args }) = part.function_call {
            let arguments = args.map_or("", RawValue::get);
            so_far.calls.push(Begun::new(name, arguments.to_owned()));
        }
    }
    if let Some(reason) = candidate.finish_reason {
        so_far.finish = Some(match reason.as_str() {
            "STOP" => FinishReason::Stop,
            "MAX_TOKENS" => FinishReason::Length,
            "MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL" => {
                return Err(Fault::new(FaultKind::Broken, "its call of a tool makes no sense"));
            }
            _ => {
                let message = format!("it stopped the answer: {reason}");
                return Err(Fault::new(FaultKind::Refused, message));
            }
        });
    }
    Ok(pieces)
}
