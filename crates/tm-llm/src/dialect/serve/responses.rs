//! OpenAI's responses: the same answers with more events; and Perplexity's agent, which took the
//! shape over.
//!
//! Format: <https://platform.openai.com/docs/api-reference/responses>. Nothing is stored, so a
//! request that goes on from an earlier one by its id is refused.

use serde::Deserialize;
use serde_json::{Value, json, value::to_raw_value};

use super::{
    Answer, AnswerForm, ClientError, ClientRequest, Identity, Tool, ToolCall, ToolChoice, Writer,
    body, content, event,
    openai::{ResponseFormat, error_body, named_tool},
    refuse, sampling,
};
use crate::chat::{FinishReason, Message, Sampling};

#[derive(Debug, Deserialize)]
struct ResponseBody {
    model: Option<String>,
    /// What Perplexity has in place of a model.
    preset: Option<String>,
    input: Value,
    instructions: Option<String>,
    tools: Option<Vec<ToolBody>>,
    tool_choice: Option<Value>,
    text: Option<TextBody>,
    /// Where Perplexity has the schema.
    #[serde(rename = "response_format")]
    format: Option<ResponseFormat>,
    previous_response_id: Option<String>,
    max_output_tokens: Option<u32>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    top_logprobs: Option<u32>,
    reasoning: Option<ReasoningBody>,
    stream: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct ReasoningBody {
    effort: Option<String>,
}

#[derive(Debug, Deserialize)]
struct TextBody {
    format: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct ToolBody {
    r#type: Option<String>,
    name: Option<String>,
    description: Option<String>,
    parameters: Option<Value>,
}

/// Reads the body of `/v1/responses`.
pub fn read(bytes: &[u8]) -> Result<ClientRequest, ClientError> {
    let body: ResponseBody = body(bytes)?;
    let model = body.model.clone().ok_or_else(|| ClientError::invalid("`model` is missing"))?;
    request(body, model)
}

/// Reads the body of Perplexity's `/v1/agent`, which names a model or a preset.
pub fn read_agent(bytes: &[u8]) -> Result<ClientRequest, ClientError> {
    let body: ResponseBody = body(bytes)?;
    let model = body.model.clone().or_else(|| body.preset.clone());
    request(body, model.unwrap_or_else(|| "sonar".to_owned()))
}

fn request(body: ResponseBody, model: String) -> Result<ClientRequest, ClientError> {
    if body.previous_response_id.is_some() {
        return Err(ClientError::invalid(
            "answers are not stored here: send the earlier turns instead of \
             `previous_response_id`",
        ));
    }
    refuse(&[("top_logprobs", body.top_logprobs.is_some_and(|it| it > 0))])?;
    let effort = body.reasoning.and_then(|it| it.effort);
    let effort = effort.as_deref();
    let usual = sampling(body.temperature, body.top_p);
    let usual = Sampling { may_think: effort.is_some_and(|it| it != "none"), ..usual };
    let mut messages: Vec<Message> = body.instructions.map(Message::system).into_iter().collect();
    match &body.input {
        Value::String(text) => messages.push(Message::user(text)),
        Value::Array(items) => {
            for item in items {
                messages.extend(turn(item)?);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            return Err(ClientError::invalid("`input` is a text or a list of items"));
        }
    }
    let tools = body.tools.into_iter().flatten().filter_map(ToolBody::tool);
    let mut tools = tools.collect::<Result<Vec<Tool>, _>>()?;
    let choice = content::chosen(body.tool_choice.as_ref(), &mut tools, wanted_tool)?;
    let format = match body.format {
        Some(format) => format.form(),
        None => {
            body.text.and_then(|it| it.format).map_or(AnswerForm::Text, |it| content::format(&it))
        }
    };
    Ok(ClientRequest {
        model,
        messages: content::turns(messages)?,
        form: content::form(tools, choice, format)?,
        sampling: usual,
        seed: None,
        max_tokens: body.max_output_tokens,
        stop: Vec::new(),
        with_reasoning: effort != Some("none"),
        stream: body.stream.unwrap_or(false),
    })
}

/// The tool that a choice names: by its name, or one of OpenAI's own by its type.
fn wanted_tool(choice: &Value) -> Result<ToolChoice, ClientError> {
    match choice.get("type").and_then(Value::as_str) {
        Some(kind) if choice.get("name").is_none() && choice.get("function").is_none() => {
            Ok(ToolChoice::Named(kind.to_owned()))
        }
        Some(_) | None => named_tool(choice),
    }
}

impl ToolBody {
    /// `None` for one that OpenAI runs itself, such as `web_search`: nobody runs it here.
    fn tool(self) -> Option<Result<Tool, ClientError>> {
        let Self { r#type, name, description, parameters } = self;
        let is_clients = matches!(r#type.as_deref(), None | Some("function" | "custom"));
        if !is_clients && (name.is_none() || parameters.is_none()) {
            return None;
        }
        let is_custom = r#type.as_deref() == Some("custom");
        let any = || if is_custom { content::text_alone() } else { json!({"type": "object"}) };
        Some(content::named(name).map(|name| Tool {
            name,
            description: description.unwrap_or_default(),
            parameters: parameters.unwrap_or_else(any),
        }))
    }
}

fn turn(item: &Value) -> Result<Option<Message>, ClientError> {
    let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
    match item.get("type").and_then(Value::as_str) {
        None | Some("message") => {
            let given = item.get("content").unwrap_or(&Value::Null);
            if text("role") == "user" {
                return content::said(given).map(Some);
            }
            let said = content::text(given)?;
            match text("role") {
                "system" | "developer" => Ok(Some(Message::system(said))),
                "assistant" => Ok(Some(Message::assistant(said))),
                other => Err(ClientError::invalid(format!("`{other}` is no role"))),
            }
        }
        Some("function_call") => {
            let arguments = item.get("arguments").and_then(|it| to_raw_value(it).ok());
            let call = content::call(text("name"), arguments.as_deref());
            Ok(Some(content::called(String::new(), vec![(text("call_id").to_owned(), call)])))
        }
        Some("custom_tool_call") => {
            let call = content::custom_call(text("name"), text("input"));
            Ok(Some(content::called(String::new(), vec![(text("call_id").to_owned(), call)])))
        }
        Some("local_shell_call") => {
            let action = item.get("action").and_then(|it| to_raw_value(it).ok());
            let call = content::call("local_shell", action.as_deref());
            Ok(Some(content::called(String::new(), vec![(text("call_id").to_owned(), call)])))
        }
        Some("function_call_output" | "custom_tool_call_output" | "local_shell_call_output") => {
            let output = content::text(item.get("output").unwrap_or(&Value::Null))?;
            let id = Some(text("call_id")).filter(|it| !it.is_empty()).unwrap_or(text("id"));
            Ok(Some(content::result(Some(id), "", &output)))
        }
        // What OpenAI ran itself, and what came of it, was part of that answer.
        Some(kind) if kind.ends_with("_call") => {
            let place = ["action", "arguments", "queries", "code"];
            let with =
                place.iter().find_map(|it| item.get(*it)).and_then(|it| to_raw_value(it).ok());
            let name = kind.trim_end_matches("_call");
            let call = (String::new(), content::call(name, with.as_deref()));
            let said = content::called(String::new(), vec![call]);
            Ok(Some(Message::assistant(said.content)))
        }
        Some("reasoning") => Ok(None),
        Some(other) => {
            Err(ClientError::invalid(format!("an item of type `{other}` cannot be read here")))
        }
    }
}

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
}

impl ResponseWriter {
    pub fn new(identity: Identity) -> Self {
        Self { identity, sequence: 0, at: 0, is_open: false, thoughts: None, sources: None }
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
        json!({
            "id": format!("resp_{}", self.identity.id), "object": "response",
            "created_at": self.identity.created, "status": status, "error": null,
            "incomplete_details": null, "instructions": null, "metadata": {},
            "model": self.identity.model, "output": output, "parallel_tool_calls": false,
            "temperature": null, "tool_choice": "auto", "tools": [], "top_p": null, "usage": null
        })
    }

    fn finished(&self, answer: &Answer) -> Value {
        let (status, details) = match answer.finish {
            FinishReason::Stop => ("completed", Value::Null),
            FinishReason::Length => ("incomplete", json!({"reason": "max_output_tokens"})),
        };
        let output: Vec<Value> =
            self.sources.clone().into_iter().chain(self.items(answer)).collect();
        let mut response = self.response(status, &output);
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
        let text = is_told.then(|| self.message("completed", &[part(&answer.text)]));
        let calls = answer.calls.iter().enumerate();
        let calls = calls.map(|(at, it)| self.call("completed", at, &it.name, &it.arguments));
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

    fn call(&self, status: &str, at: usize, name: &str, arguments: &str) -> Value {
        json!({
            "id": self.identity.call_id("fc", at), "type": "function_call", "status": status,
            "call_id": self.identity.call_id("call", at), "name": name, "arguments": arguments
        })
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

    fn end_text(&mut self, text: &str) -> Vec<u8> {
        let mut frames = if self.is_open { Vec::new() } else { self.open() };
        frames.extend(self.part_event("response.output_text.done", "text", text.into()));
        frames.extend(self.part_event("response.content_part.done", "part", part(text)));
        let item = self.message("completed", &[part(text)]);
        frames.extend(self.item_event("response.output_item.done", &item));
        self.at += 1;
        frames
    }

    fn tell_call(&mut self, at: usize, call: &ToolCall) -> Vec<u8> {
        let ToolCall { name, arguments } = call;
        let item = self.call("in_progress", at, name, "");
        let id = item.get("id").cloned();
        let mut frames = self.item_event("response.output_item.added", &item);
        for (kind, field) in [
            ("response.function_call_arguments.delta", "delta"),
            ("response.function_call_arguments.done", "arguments"),
        ] {
            let data = json!({"item_id": id, "output_index": self.at, field: arguments});
            frames.extend(self.event(kind, data));
        }
        let item = self.call("completed", at, name, arguments);
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
            frames.extend(self.end_text(&answer.text));
        }
        for (at, call) in answer.calls.iter().enumerate() {
            frames.extend(self.tell_call(at, call));
        }
        let kind = match answer.finish {
            FinishReason::Stop => "response.completed",
            FinishReason::Length => "response.incomplete",
        };
        let response = self.finished(answer);
        frames.extend(self.event(kind, json!({ "response": response })));
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

fn summary(text: &str) -> Value {
    json!({"type": "summary_text", "text": text})
}

fn part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": []})
}
