//! How OpenAI's completions are told, streamed and whole.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::super::{Answer, ClientError, Identity, ToolCall, Writer, content, event, push_json};
use crate::chat::{FinishReason, Usage};

/// Writes chat completions.
#[derive(Debug)]
pub struct ChatWriter {
    identity: Identity,
    with_usage: bool,
    /// Tools whose calls are a text.
    custom_tools: Vec<String>,
    /// An event up to its choices, which all of a stream have alike; empty before it begins.
    head: Vec<u8>,
}

#[derive(Serialize)]
struct ChunkChoice<'a, D> {
    index: u32,
    delta: D,
    logprobs: (),
    finish_reason: Option<&'a str>,
}

#[derive(Serialize)]
struct ContentDelta<'a> {
    content: &'a str,
}

#[derive(Serialize)]
struct Whole<'a> {
    id: String,
    object: &'static str,
    created: i64,
    model: &'a str,
    choices: [WholeChoice<'a>; 1],
    usage: Counts,
}

#[derive(Serialize)]
struct Counts {
    prompt_tokens: u32,
    completion_tokens: u32,
    total_tokens: u32,
    prompt_tokens_details: CountDetails,
}

#[derive(Serialize)]
struct CountDetails {
    cached_tokens: u32,
}

#[derive(Serialize)]
struct WholeChoice<'a> {
    index: u32,
    message: WholeMessage<'a>,
    logprobs: (),
    finish_reason: &'a str,
}

#[derive(Serialize)]
struct WholeMessage<'a> {
    role: &'static str,
    content: Option<&'a str>,
    /// As llama.cpp and vLLM have it.
    #[serde(skip_serializing_if = "str::is_empty")]
    reasoning_content: &'a str,
    refusal: (),
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<Value>,
}

impl ChatWriter {
    pub fn new(identity: Identity, with_usage: bool) -> Self {
        Self { identity, with_usage, custom_tools: Vec::new(), head: Vec::new() }
    }

    /// The same, and calls of these tools are told as a text.
    #[must_use]
    pub fn with_custom_tools(self, names: Vec<String>) -> Self {
        Self { custom_tools: names, ..self }
    }

    /// A call's kind, which its members are under, with the name and what it is called with.
    fn call<'a>(&self, call: &'a ToolCall) -> (&'static str, &'static str, Cow<'a, str>) {
        if self.custom_tools.contains(&call.name) {
            return ("custom", "input", content::custom_input(call).into());
        }
        ("function", "arguments", call.arguments.as_str().into())
    }

    fn chunk(&self, delta: impl Serialize, finish: Option<&str>) -> Vec<u8> {
        let choice = ChunkChoice { index: 0, delta, logprobs: (), finish_reason: finish };
        self.frame(&[choice], None)
    }

    fn frame(&self, choices: &impl Serialize, usage: Option<&Counts>) -> Vec<u8> {
        let mut frame = Vec::with_capacity(self.head.len() + 160);
        frame.extend_from_slice(&self.head);
        push_json(&mut frame, choices);
        if self.with_usage {
            frame.extend_from_slice(b",\"usage\":");
            push_json(&mut frame, &usage);
        }
        frame.extend_from_slice(b"}\n\n");
        frame
    }
}

impl Writer for ChatWriter {
    fn stream_type(&self) -> &'static str {
        "text/event-stream"
    }

    fn begin(&mut self) -> Vec<u8> {
        let mut head = b"data: ".to_vec();
        push_json(&mut head, &self::head(&self.identity, "chatcmpl", "chat.completion.chunk"));
        // The object goes on.
        head.pop();
        head.extend_from_slice(b",\"choices\":");
        self.head = head;
        self.chunk(json!({"role": "assistant", "content": ""}), None)
    }

    fn reasoning(&mut self, delta: &str) -> Vec<u8> {
        self.chunk(json!({ "reasoning_content": delta }), None)
    }

    fn text(&mut self, delta: &str) -> Vec<u8> {
        self.chunk(ContentDelta { content: delta }, None)
    }

    fn end(&mut self, answer: &Answer) -> Vec<u8> {
        let mut frames = Vec::new();
        for (index, call) in answer.calls.iter().enumerate() {
            let (kind, member, text) = self.call(call);
            let begun = json!({
                "index": index, "id": self.identity.call_id("call", index), "type": kind,
                kind: {"name": call.name, member: ""}
            });
            frames.extend(self.chunk(json!({ "tool_calls": [begun] }), None));
            let rest = json!({"index": index, kind: {member: text}});
            frames.extend(self.chunk(json!({ "tool_calls": [rest] }), None));
        }
        frames.extend(self.chunk(json!({}), Some(finish(answer))));
        if self.with_usage {
            frames.extend(self.frame(&json!([]), Some(&usage(&answer.usage))));
        }
        frames.extend_from_slice(b"data: [DONE]\n\n");
        frames
    }

    fn error(&mut self, error: &ClientError) -> Vec<u8> {
        event(None, &error_body(error))
    }

    fn whole(&mut self, answer: &Answer) -> String {
        let call = |(at, call): (usize, &ToolCall)| {
            let (kind, member, text) = self.call(call);
            let told = json!({"name": call.name, member: text});
            json!({"id": self.identity.call_id("call", at), "type": kind, kind: told})
        };
        let has_calls = !answer.calls.is_empty();
        let tool_calls = has_calls.then(|| answer.calls.iter().enumerate().map(call).collect());
        let content = Some(answer.text.as_str()).filter(|it| !has_calls || !it.is_empty());
        let message = WholeMessage {
            role: "assistant",
            content,
            reasoning_content: &answer.reasoning,
            refusal: (),
            tool_calls,
        };
        let finish_reason = finish(answer);
        let whole = Whole {
            id: format!("chatcmpl-{}", self.identity.id),
            object: "chat.completion",
            created: self.identity.created,
            model: &self.identity.model,
            choices: [WholeChoice { index: 0, message, logprobs: (), finish_reason }],
            usage: usage(&answer.usage),
        };
        // What consists of texts and numbers can always be written.
        serde_json::to_string(&whole).unwrap_or_default()
    }
}

/// Writes the older completions.
#[derive(Debug)]
pub struct CompletionWriter {
    identity: Identity,
    with_usage: bool,
}

impl CompletionWriter {
    pub fn new(identity: Identity, with_usage: bool) -> Self {
        Self { identity, with_usage }
    }

    fn frame(&self, text: &str, finish: Option<&str>) -> Map<String, Value> {
        let mut frame = head(&self.identity, "cmpl", "text_completion");
        let choice = json!({
            "index": 0, "text": text, "logprobs": null, "finish_reason": finish
        });
        frame.insert("choices".to_owned(), json!([choice]));
        frame
    }
}

impl Writer for CompletionWriter {
    fn stream_type(&self) -> &'static str {
        "text/event-stream"
    }

    fn begin(&mut self) -> Vec<u8> {
        Vec::new()
    }

    /// The protocol has no place for it.
    fn reasoning(&mut self, _delta: &str) -> Vec<u8> {
        Vec::new()
    }

    fn text(&mut self, delta: &str) -> Vec<u8> {
        event(None, &Value::Object(self.frame(delta, None)))
    }

    fn end(&mut self, answer: &Answer) -> Vec<u8> {
        let last = self.frame("", Some(finish(answer)));
        let mut frames = event(None, &Value::Object(last.clone()));
        if self.with_usage {
            let mut counts = last;
            counts.insert("choices".to_owned(), json!([]));
            counts.insert("usage".to_owned(), json!(usage(&answer.usage)));
            frames.extend(event(None, &Value::Object(counts)));
        }
        frames.extend_from_slice(b"data: [DONE]\n\n");
        frames
    }

    fn error(&mut self, error: &ClientError) -> Vec<u8> {
        event(None, &error_body(error))
    }

    fn whole(&mut self, answer: &Answer) -> String {
        let mut body = self.frame(&answer.text, Some(finish(answer)));
        body.insert("usage".to_owned(), json!(usage(&answer.usage)));
        Value::Object(body).to_string()
    }
}

/// An error as OpenAI's clients read it.
pub fn error_body(error: &ClientError) -> Value {
    let (kind, code) = match error {
        ClientError::TooLong { .. } => ("invalid_request_error", Some("context_length_exceeded")),
        ClientError::NoModel { .. } => ("invalid_request_error", Some("model_not_found")),
        ClientError::Invalid { .. }
        | ClientError::TooLarge
        | ClientError::NoEndpoint { .. }
        | ClientError::Unsupported { .. } => ("invalid_request_error", None),
        ClientError::Unauthorized => ("authentication_error", Some("invalid_api_key")),
        ClientError::Forbidden { .. } | ClientError::Elsewhere => ("permission_error", None),
        ClientError::TooMany { .. } => ("rate_limit_error", Some("rate_limit_exceeded")),
        ClientError::Busy { .. } => ("server_error", Some("busy")),
        ClientError::Failed { .. } => ("server_error", None),
        ClientError::TimedOut { .. } => ("server_error", Some("timeout")),
    };
    json!({"error": {"message": error.to_string(), "type": kind, "param": null, "code": code}})
}

/// The list of models, as `/v1/models` gives it.
pub fn models(models: &[Value]) -> Value {
    json!({"object": "list", "data": models})
}

/// One model, as `/v1/models/{id}` gives it.
pub fn model(name: &str, created: i64) -> Value {
    json!({"id": name, "object": "model", "created": created, "owned_by": "task-master"})
}

fn head(identity: &Identity, prefix: &str, object: &str) -> Map<String, Value> {
    let mut head = Map::new();
    head.insert("id".to_owned(), format!("{prefix}-{}", identity.id).into());
    head.insert("object".to_owned(), object.into());
    head.insert("created".to_owned(), identity.created.into());
    head.insert("model".to_owned(), identity.model.clone().into());
    head
}

fn finish(answer: &Answer) -> &'static str {
    match answer.finish {
        _ if !answer.calls.is_empty() => "tool_calls",
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
    }
}

fn usage(usage: &Usage) -> Counts {
    let Usage { prompt_tokens, completion_tokens, cached_tokens, .. } = *usage;
    let total_tokens = prompt_tokens.saturating_add(completion_tokens);
    let prompt_tokens_details = CountDetails { cached_tokens };
    Counts { prompt_tokens, completion_tokens, total_tokens, prompt_tokens_details }
}
