//! Anthropic's messages.
//!
//! Format: <https://docs.anthropic.com/en/api/messages>. An answer is held to a schema by a tool
//! that the model must call; what it says besides is no answer then. Tools of a client are told as they are.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    ANSWER, Call, Fault, FaultKind, Piece, Question, SoFar, parse, say, schema, tools::Begun, typed,
};
use crate::chat::{FinishReason, Image, Offered, Part, Role, Sampling, Tool, ToolChoice};

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        message: Start,
    },
    ContentBlockStart {
        content_block: Block,
    },
    ContentBlockDelta {
        delta: Delta,
    },
    MessageDelta {
        delta: Stop,
        usage: Option<Counts>,
    },
    MessageStop,
    /// Not streamed.
    Message(Whole),
    /// Pings, ends of blocks and what is new.
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct Start {
    usage: Option<Counts>,
}

#[derive(Debug, Deserialize)]
struct Whole {
    #[serde(default)]
    content: Vec<Block>,
    stop_reason: Option<String>,
    usage: Option<Counts>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Text {
        text: Option<String>,
    },
    ToolUse {
        #[serde(default)]
        name: String,
        #[serde(default)]
        input: Value,
    },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
enum Delta {
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "input_json_delta")]
    Input { partial_json: String },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: String },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct Stop {
    stop_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Counts {
    #[serde(rename = "input_tokens")]
    input: Option<u32>,
    #[serde(rename = "output_tokens")]
    output: Option<u32>,
    #[serde(rename = "cache_read_input_tokens")]
    cache_read: Option<u32>,
    #[serde(rename = "cache_creation_input_tokens")]
    cache_creation: Option<u32>,
}

pub(super) fn call(question: &Question<'_>) -> Call {
    let request = question.request;
    let mut system: Vec<String> = Vec::new();
    let mut messages: Vec<Value> = Vec::new();
    for message in question.messages().iter() {
        let parts = question.parts(message);
        match message.role {
            Role::System => system.extend(parts.into_iter().filter_map(words)),
            role @ (Role::User | Role::Assistant) => {
                messages.push(json!({"role": role.name(), "content": content(parts)}));
            }
        }
    }
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(question.model));
    body.insert("max_tokens".to_owned(), json!(request.max_tokens));
    if !system.is_empty() {
        body.insert("system".to_owned(), json!(system.join("\n\n")));
    }
    body.insert("messages".to_owned(), json!(messages));
    // It refuses more than 1.
    let temperature = schema::short(request.sampling.temperature.min(1.0));
    body.insert("temperature".to_owned(), temperature);
    if request.sampling.top_k != Sampling::default().top_k && request.sampling.top_k > 0 {
        body.insert("top_k".to_owned(), json!(request.sampling.top_k));
    }
    body.insert("stream".to_owned(), json!(true));
    if let Some((tools, choice)) = tools(question) {
        body.insert("tools".to_owned(), tools);
        body.insert("tool_choice".to_owned(), choice);
    }
    let body = question.without_omitted(Value::Object(body));
    Call { path: "/messages".to_owned(), body }
}

/// The tools that the model is told of, or the one that takes an answer which has to fit a schema.
fn tools(question: &Question<'_>) -> Option<(Value, Value)> {
    if let Some(Offered { tools, choice, is_single }) = question.told_tools() {
        let tool = |it: &Tool| {
            let Tool { name, description, parameters, is_custom: _ } = it;
            json!({"name": name, "description": description, "input_schema": parameters})
        };
        let choice = if *choice == ToolChoice::Auto { "auto" } else { "any" };
        let mut choice = json!({ "type": choice });
        if is_single {
            choice["disable_parallel_tool_use"] = json!(true);
        }
        return Some((tools.iter().map(tool).collect(), choice));
    }
    let schema = question.schema()?;
    let tool = json!({
        "name": ANSWER,
        "description": "Takes the answer.",
        "input_schema": schema,
    });
    let choice = json!({"type": "tool", "name": ANSWER, "disable_parallel_tool_use": true});
    Some((json!([tool]), choice))
}

fn words(part: Part) -> Option<String> {
    if let Part::Text(text) = part { Some(text).filter(|it| !it.is_empty()) } else { None }
}

/// A text, or blocks where there are pictures.
fn content(parts: Vec<Part>) -> Value {
    match parts.as_slice() {
        [Part::Text(text)] => json!(text),
        _ => Value::Array(blocks(parts)),
    }
}

/// What tools have answered comes first: nothing else may stand before it.
fn blocks(mut parts: Vec<Part>) -> Vec<Value> {
    parts.sort_by_key(|it| !matches!(it, Part::Result { .. }));
    parts.into_iter().filter_map(block_of).collect()
}

fn block_of(part: Part) -> Option<Value> {
    Some(match part {
        Part::Text(text) if text.is_empty() => return None,
        Part::Text(text) => json!({"type": "text", "text": text}),
        Part::Image(Image::Inline { media_type, data }) => {
            let source = json!({"type": "base64", "media_type": media_type, "data": data});
            json!({"type": "image", "source": source})
        }
        Part::Image(Image::Elsewhere { url }) => {
            json!({"type": "image", "source": {"type": "url", "url": url}})
        }
        Part::Call { id, call } => {
            json!({"type": "tool_use", "id": id, "name": call.name, "input": call.json()})
        }
        Part::Result { id, name: _, text } => {
            json!({"type": "tool_result", "tool_use_id": id, "content": text})
        }
        Part::Tools { .. } => return None,
    })
}

pub(super) fn read<'a>(frame: &str, so_far: &mut SoFar) -> Result<Vec<Piece<'a>>, Fault> {
    let mut pieces = Vec::new();
    match typed(parse(frame)?)? {
        Event::MessageStart { message } => count(message.usage, so_far),
        Event::ContentBlockStart { content_block } => block(content_block, so_far, &mut pieces),
        Event::ContentBlockDelta { delta } => match delta {
            Delta::Text { text } => said(text, so_far, &mut pieces),
            Delta::Input { partial_json } if so_far.has_tools => {
                // One block ends before the next one begins.
                if let Some(call) = so_far.calls.last_mut() {
                    call.go_on(&partial_json);
                }
            }
            Delta::Input { partial_json } => {
                say(&mut pieces, Piece::Text, Some(partial_json));
            }
            Delta::Thinking { thinking } => {
                say(&mut pieces, Piece::Reasoning, Some(thinking));
            }
            Delta::Other => {}
        },
        Event::MessageDelta { delta, usage } => {
            count(usage, so_far);
            stop(delta.stop_reason.as_deref(), so_far, &mut pieces)?;
        }
        Event::MessageStop => so_far.is_over = true,
        Event::Message(whole) => {
            count(whole.usage, so_far);
            for it in whole.content {
                block(it, so_far, &mut pieces);
            }
            stop(whole.stop_reason.as_deref(), so_far, &mut pieces)?;
            so_far.is_over = true;
        }
        Event::Other => {}
    }
    Ok(pieces)
}

fn block(block: Block, so_far: &mut SoFar, pieces: &mut Vec<Piece<'_>>) {
    match block {
        Block::Text { text } => said(text.unwrap_or_default(), so_far, pieces),
        Block::ToolUse { name, input } => {
            so_far.is_call = true;
            // A stream begins with an empty one, and its text follows.
            let is_whole = input.as_object().is_some_and(|it| !it.is_empty());
            let input = is_whole.then(|| input.to_string());
            if so_far.has_tools {
                so_far.calls.push(Begun::new(name, input.unwrap_or_default()));
            } else {
                say(pieces, Piece::Text, input);
            }
        }
        Block::Other => {}
    }
}

/// Words beside a schema are the answer only if it does not come.
fn said(text: String, so_far: &mut SoFar, pieces: &mut Vec<Piece<'_>>) {
    if so_far.has_tools {
        say(pieces, Piece::Text, Some(text));
    } else {
        so_far.aside.push_str(&text);
    }
}

fn stop(
    reason: Option<&str>,
    so_far: &mut SoFar,
    pieces: &mut Vec<Piece<'_>>,
) -> Result<(), Fault> {
    let Some(reason) = reason else { return Ok(()) };
    so_far.finish = Some(match reason {
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "refusal" => return Err(Fault::new(FaultKind::Refused, "the model refuses to answer")),
        _ => FinishReason::Stop,
    });
    if !so_far.is_call {
        say(pieces, Piece::Text, Some(std::mem::take(&mut so_far.aside)));
    }
    Ok(())
}

/// Counts come in parts, and each one replaces what was said before.
fn count(counts: Option<Counts>, so_far: &mut SoFar) {
    let Some(counts) = counts else { return };
    let usage = &mut so_far.usage;
    let cached = counts.cache_read.unwrap_or(0);
    if let Some(input) = counts.input.filter(|it| *it > 0) {
        usage.cached_tokens = cached;
        let more = cached.saturating_add(counts.cache_creation.unwrap_or(0));
        usage.prompt_tokens = input.saturating_add(more);
    }
    usage.completion_tokens = counts.output.unwrap_or(usage.completion_tokens);
}
