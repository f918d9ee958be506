//! How responses are told, streamed and whole.

use serde::Serialize;
use serde_json::{Value, json};

use super::super::{
    Answer, ClientError, Identity, ToolCall, Writer, content, event, openai::error_body,
};
use super::ReasoningBody;
use crate::chat::FinishReason;

/// Writes responses.
#[derive(Debug)]
pub struct ResponseWriter {
    identity: Identity,
    sequence: u64,
    /// Which item is being told, or comes next.
    at: usize,
    /// Whether the item with the text has been announced.
    is_open: bool,
    /// What the model thought, while it thinks.
    thoughts: Option<String>,
    /// Perplexity's item with the sources of the answer.
    sources: Option<Value>,
    /// Tools whose calls are a text.
    custom_tools: Vec<String>,
    echo: Echo,
}

/// What an answer repeats of its request.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Echo {
    pub(super) instructions: Option<String>,
    pub(super) max_output_tokens: Option<u32>,
    pub(super) metadata: Option<Value>,
    pub(super) reasoning: Option<ReasoningBody>,
    pub(super) temperature: Option<f64>,
    pub(super) top_p: Option<f64>,
    pub(super) user: Option<Value>,
}

impl ResponseWriter {
    pub fn new(identity: Identity) -> Self {
        Self {
            identity,
            sequence: 0,
            at: 0,
            is_open: false,
            thoughts: None,
            sources: None,
            custom_tools: Vec::new(),
            echo: Echo::default(),
        }
    }

    /// The same, and calls of these tools are told as a text.
    #[must_use]
    pub fn with_custom_tools(self, names: Vec<String>) -> Self {
        Self { custom_tools: names, ..self }
    }

    /// The same, and the answer repeats this.
    #[must_use]
    pub fn echoing(self, echo: Echo) -> Self {
        Self { echo, ..self }
    }

    /// The same, and the answer names where it is from.
    #[must_use]
    pub fn with_sources(self, results: &[Value]) -> Self {
        let sources = json!({"type": "search_results", "results": results});
        Self { sources: Some(sources), ..self }
    }

    fn event(&mut self, kind: &str, mut data: Value) -> Vec<u8> {
        if let Some(data) = data.as_object_mut() {
            data.insert("type".to_owned(), kind.into());
            data.insert("sequence_number".to_owned(), self.sequence.into());
        }
        self.sequence += 1;
        event(Some(kind), &data)
    }

    fn response(&self, status: &str, output: &[Value]) -> Value {
        let mut response = json!({
            "id": format!("resp_{}", self.identity.id), "object": "response",
            "created_at": self.identity.created, "status": status, "error": null,
            "incomplete_details": null, "instructions": null, "metadata": {},
            "model": self.identity.model, "output": output, "parallel_tool_calls": false,
            "store": false, "temperature": null, "tool_choice": "auto", "tools": [],
            "top_p": null, "usage": null
        });
        let echo = serde_json::to_value(&self.echo).unwrap_or_default();
        if let (Some(response), Value::Object(echo)) = (response.as_object_mut(), echo) {
            response.extend(echo.into_iter().filter(|it| !it.1.is_null()));
        }
        response
    }

    fn finished(&self, answer: &Answer) -> Value {
        let details = match answer.finish {
            FinishReason::Stop => Value::Null,
            FinishReason::Length => json!({"reason": "max_output_tokens"}),
        };
        let output: Vec<Value> =
            self.sources.clone().into_iter().chain(self.items(answer)).collect();
        let mut response = self.response(status(answer), &output);
        if let Some(response) = response.as_object_mut() {
            let usage = &answer.usage;
            response.insert("incomplete_details".to_owned(), details);
            response.insert(
                "usage".to_owned(),
                json!({
                    "input_tokens": usage.prompt_tokens,
                    "input_tokens_details": {"cached_tokens": usage.cached_tokens},
                    "output_tokens": usage.completion_tokens,
                    "output_tokens_details": {"reasoning_tokens": 0},
                    "total_tokens": usage.prompt_tokens + usage.completion_tokens
                }),
            );
        }
        response
    }

    fn items(&self, answer: &Answer) -> Vec<Value> {
        let is_told = !answer.text.is_empty() || answer.calls.is_empty();
        let text = is_told.then(|| self.message(status(answer), &[part(&answer.text)]));
        let calls = answer.calls.iter().enumerate();
        let calls = calls.map(|(at, it)| self.call("completed", at, it));
        let thought = (!answer.reasoning.is_empty()).then(|| self.thought(&answer.reasoning));
        thought.into_iter().chain(text).chain(calls).collect()
    }

    fn thought(&self, text: &str) -> Value {
        json!({
            "id": self.thought_id(), "type": "reasoning", "summary": [summary(text)]
        })
    }

    fn thought_id(&self) -> String {
        format!("rs_{}", self.identity.id)
    }

    fn thought_event(&mut self, kind: &str, name: &str, value: &Value) -> Vec<u8> {
        let kind = format!("response.reasoning_summary_{kind}");
        let id = self.thought_id();
        let data = json!({"item_id": id, "output_index": self.at, "summary_index": 0, name: value});
        self.event(&kind, data)
    }

    /// The item with the thoughts has ended, if there was one.
    fn end_thoughts(&mut self) -> Vec<u8> {
        let Some(thoughts) = self.thoughts.take() else { return Vec::new() };
        let text = thoughts.as_str();
        let mut frames = self.thought_event("text.done", "text", &text.into());
        frames.extend(self.thought_event("part.done", "part", &summary(text)));
        let item = self.thought(text);
        frames.extend(self.item_event("response.output_item.done", &item));
        self.at += 1;
        frames
    }

    fn message(&self, status: &str, parts: &[Value]) -> Value {
        json!({
            "id": self.item_id(), "type": "message", "role": "assistant", "status": status,
            "content": parts
        })
    }

    fn is_custom(&self, call: &ToolCall) -> bool {
        self.custom_tools.contains(&call.name)
    }

    /// A call's item: empty while it is in progress.
    fn call(&self, status: &str, at: usize, call: &ToolCall) -> Value {
        let (prefix, kind, member) = if self.is_custom(call) {
            ("ctc", "custom_tool_call", "input")
        } else {
            ("fc", "function_call", "arguments")
        };
        let text = if status == "in_progress" { String::new() } else { self.called_with(call) };
        json!({
            "id": self.identity.call_id(prefix, at), "type": kind, "status": status,
            "call_id": self.identity.call_id("call", at), "name": call.name, member: text
        })
    }

    fn called_with(&self, call: &ToolCall) -> String {
        if self.is_custom(call) { content::custom_input(call) } else { call.arguments.clone() }
    }

    fn item_id(&self) -> String {
        format!("msg_{}", self.identity.id)
    }

    fn open(&mut self) -> Vec<u8> {
        self.is_open = true;
        let item = self.message("in_progress", &[]);
        let mut frames = self.item_event("response.output_item.added", &item);
        frames.extend(self.part_event("response.content_part.added", "part", part("")));
        frames
    }

    fn item_event(&mut self, kind: &str, item: &Value) -> Vec<u8> {
        self.event(kind, json!({"output_index": self.at, "item": item}))
    }

    fn part_event(&mut self, kind: &str, name: &str, value: Value) -> Vec<u8> {
        let mut data = json!({
            "item_id": self.item_id(), "output_index": self.at, "content_index": 0
        });
        if let Some(data) = data.as_object_mut() {
            data.insert(name.to_owned(), value);
        }
        self.event(kind, data)
    }

    fn end_text(&mut self, answer: &Answer) -> Vec<u8> {
        let text = answer.text.as_str();
        let mut frames = if self.is_open { Vec::new() } else { self.open() };
        frames.extend(self.part_event("response.output_text.done", "text", text.into()));
        frames.extend(self.part_event("response.content_part.done", "part", part(text)));
        let item = self.message(status(answer), &[part(text)]);
        frames.extend(self.item_event("response.output_item.done", &item));
        self.at += 1;
        frames
    }

    fn tell_call(&mut self, at: usize, call: &ToolCall) -> Vec<u8> {
        let item = self.call("in_progress", at, call);
        let id = item.get("id").cloned();
        let mut frames = self.item_event("response.output_item.added", &item);
        let (kind, member) = if self.is_custom(call) {
            ("response.custom_tool_call_input", "input")
        } else {
            ("response.function_call_arguments", "arguments")
        };
        let text = self.called_with(call);
        for (step, field) in [("delta", "delta"), ("done", member)] {
            let data = json!({"item_id": id, "output_index": self.at, field: text});
            frames.extend(self.event(&format!("{kind}.{step}"), data));
        }
        let item = self.call("completed", at, call);
        frames.extend(self.item_event("response.output_item.done", &item));
        self.at += 1;
        frames
    }
}

impl Writer for ResponseWriter {
    fn stream_type(&self) -> &'static str {
        "text/event-stream"
    }

    fn begin(&mut self) -> Vec<u8> {
        let response = self.response("in_progress", &[]);
        let mut frames = self.event("response.created", json!({ "response": response }));
        frames.extend(self.event("response.in_progress", json!({ "response": response })));
        frames
    }

    fn reasoning(&mut self, delta: &str) -> Vec<u8> {
        let mut frames = Vec::new();
        if self.thoughts.is_none() {
            let item = json!({"id": self.thought_id(), "type": "reasoning", "summary": []});
            frames.extend(self.item_event("response.output_item.added", &item));
            frames.extend(self.thought_event("part.added", "part", &summary("")));
        }
        self.thoughts.get_or_insert_default().push_str(delta);
        frames.extend(self.thought_event("text.delta", "delta", &delta.into()));
        frames
    }

    fn text(&mut self, delta: &str) -> Vec<u8> {
        let mut frames = self.end_thoughts();
        if !self.is_open {
            frames.extend(self.open());
        }
        frames.extend(self.part_event("response.output_text.delta", "delta", delta.into()));
        frames
    }

    fn end(&mut self, answer: &Answer) -> Vec<u8> {
        let mut frames = self.end_thoughts();
        if self.is_open || !answer.text.is_empty() || answer.calls.is_empty() {
            frames.extend(self.end_text(answer));
        }
        for (at, call) in answer.calls.iter().enumerate() {
            frames.extend(self.tell_call(at, call));
        }
        let response = self.finished(answer);
        let kind = format!("response.{}", status(answer));
        frames.extend(self.event(&kind, json!({ "response": response })));
        frames
    }

    fn error(&mut self, error: &ClientError) -> Vec<u8> {
        let body = error_body(error);
        let code = body.pointer("/error/code").cloned().filter(|it| !it.is_null());
        let mut response = self.response("failed", &[]);
        if let Some(response) = response.as_object_mut() {
            let code = code.unwrap_or_else(|| "server_error".into());
            response
                .insert("error".to_owned(), json!({"code": code, "message": error.to_string()}));
        }
        self.event("response.failed", json!({ "response": response }))
    }

    fn whole(&mut self, answer: &Answer) -> String {
        self.finished(answer).to_string()
    }
}

fn status(answer: &Answer) -> &'static str {
    match answer.finish {
        FinishReason::Stop => "completed",
        FinishReason::Length => "incomplete",
    }
}

fn summary(text: &str) -> Value {
    json!({"type": "summary_text", "text": text})
}

fn part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": []})
}
