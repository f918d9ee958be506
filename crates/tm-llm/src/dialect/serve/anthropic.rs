//! Anthropic's messages.
//!
//! Format: <https://docs.anthropic.com/en/api/messages>.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};

use super::{
    Answer, AnswerForm, ClientError, ClientRequest, Fine, Identity, Tool, ToolCall, ToolChoice,
    Writer, body, content, event, json_text, sampling,
};
use crate::chat::{FinishReason, Message, Sampling, Thinking, Usage};

#[derive(Debug, Deserialize)]
struct MessagesBody {
    model: String,
    messages: Vec<TurnBody>,
    /// Required by the protocol; a request to count tokens has none.
    max_tokens: Option<u32>,
    #[serde(default)]
    system: Value,
    tools: Option<Vec<ToolBody>>,
    tool_choice: Option<ChoiceBody>,
    #[serde(rename = "output_config")]
    output: Option<OutputBody>,
    /// Where the schema was before.
    output_format: Option<Value>,
    stop_sequences: Option<Vec<String>>,
    thinking: Option<ChoiceBody>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    top_k: Option<i64>,
    stream: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct TurnBody {
    role: String,
    content: Box<RawValue>,
}

/// Something that a turn consists of. What a tool is called with stays as it was written.
#[derive(Debug, Deserialize)]
struct BlockBody {
    r#type: Option<String>,
    id: Option<String>,
    tool_use_id: Option<String>,
    name: Option<String>,
    input: Option<Box<RawValue>>,
    #[serde(default)]
    content: Value,
}

#[derive(Debug, Deserialize)]
struct ToolBody {
    r#type: Option<String>,
    name: Option<String>,
    description: Option<String>,
    input_schema: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct ChoiceBody {
    r#type: String,
    name: Option<String>,
    #[serde(default)]
    disable_parallel_tool_use: bool,
}

#[derive(Debug, Deserialize)]
struct OutputBody {
    format: Option<Value>,
}

/// Reads the body of `/v1/messages`.
pub fn read(bytes: &[u8]) -> Result<ClientRequest, ClientError> {
    let request = read_prompt(bytes)?;
    if request.max_tokens.is_none() {
        return Err(ClientError::invalid("max_tokens: field required"));
    }
    Ok(request)
}

/// Reads the body of `/v1/messages/count_tokens`.
pub fn read_prompt(bytes: &[u8]) -> Result<ClientRequest, ClientError> {
    let body: MessagesBody = body(bytes)?;
    let system = content::text(&body.system)?;
    let mut messages = Vec::new();
    if !system.is_empty() {
        messages.push(Message::system(steady(&system)));
    }
    for turn in &body.messages {
        messages.extend(turns(turn)?);
    }
    let tools = body.tools.into_iter().flatten().filter_map(ToolBody::tool);
    let tools = tools.collect::<Result<Vec<Tool>, _>>()?;
    let is_single = body.tool_choice.as_ref().is_some_and(|it| it.disable_parallel_tool_use);
    let choice = match body.tool_choice {
        None => Some(ToolChoice::Auto),
        Some(ChoiceBody { r#type, name: Some(name), .. }) if r#type == "tool" => {
            Some(ToolChoice::Named(name))
        }
        Some(ChoiceBody { r#type, .. }) => content::choice(&r#type)?,
    };
    let with_reasoning = body.thinking.is_some_and(|it| it.r#type != "disabled");
    let usual = sampling(body.temperature, body.top_p);
    let thinking = if with_reasoning { Thinking::On } else { Thinking::Off };
    let usual = Sampling { thinking, ..usual };
    let format = body.output.and_then(|it| it.format).or(body.output_format);
    let format = format.map_or(AnswerForm::Text, |it| content::format(&it));
    Ok(ClientRequest {
        model: body.model,
        messages: content::turns(messages)?,
        form: content::form(tools, choice, format)?.calling_once(is_single),
        sampling: Fine { top_k: body.top_k, ..Fine::default() }.refine(&usual),
        seed: None,
        max_tokens: body.max_tokens,
        stop: body.stop_sequences.unwrap_or_default(),
        with_reasoning,
        stream: body.stream.unwrap_or(false),
    })
}

/// Claude Code begins its system text with a line that changes with every request. What begins
/// alike is read once, so the line goes.
fn steady(system: &str) -> &str {
    match system.split_once('\n') {
        Some((first, rest)) if first.starts_with("x-anthropic-billing-header:") => rest,
        Some(_) | None => system,
    }
}

fn turns(turn: &TurnBody) -> Result<Vec<Message>, ClientError> {
    let message: fn(String) -> Message = match turn.role.as_str() {
        "user" => Message::user,
        "assistant" => Message::assistant,
        "system" => Message::system,
        other => return Err(ClientError::invalid(format!("`{other}` is no role"))),
    };
    let Ok(blocks) = serde_json::from_str::<Vec<&RawValue>>(turn.content.get()) else {
        return Ok(vec![message(content::text(&content::json(&turn.content)?)?)]);
    };
    let mut messages = Vec::new();
    for raw in blocks {
        let block: BlockBody = content::json(raw)?;
        match block.r#type.as_deref() {
            Some("tool_use") => {
                let name = block.name.unwrap_or_default();
                let call = content::call(&name, block.input.as_deref());
                let id = block.id.unwrap_or_default();
                messages.push(content::called(String::new(), vec![(id, call)]));
            }
            Some("tool_result") => {
                let id = block.tool_use_id.as_deref();
                messages.push(content::answered(id, "", &block.content)?);
            }
            Some("image") if turn.role == "user" => {
                messages.push(content::said(&Value::Array(vec![content::json(raw)?]))?);
            }
            Some(_) | None => {
                messages.push(message(content::text(&Value::Array(vec![content::json(raw)?]))?));
            }
        }
    }
    Ok(messages)
}

/// What Anthropic's own tools begin with that the client runs, though Anthropic has their schemas.
const RUN_BY_CLIENTS: [&str; 4] = ["bash_", "text_editor_", "computer_", "memory_"];

impl ToolBody {
    /// `None` for one that Anthropic runs itself, such as `web_search`: nobody runs it here.
    fn tool(self) -> Option<Result<Tool, ClientError>> {
        let Self { r#type, name, description, input_schema } = self;
        let is_clients = match r#type.as_deref() {
            None | Some("custom") => true,
            Some(kind) => RUN_BY_CLIENTS.iter().any(|it| kind.starts_with(it)),
        };
        if !is_clients && input_schema.is_none() {
            return None;
        }
        Some(content::named(name).map(|name| Tool {
            name,
            description: description.unwrap_or_default(),
            parameters: input_schema.unwrap_or_else(|| json!({"type": "object"})),
            is_custom: false,
        }))
    }
}

/// Writes messages.
#[derive(Debug)]
pub struct MessageWriter {
    identity: Identity,
    /// Tokens of the prompt, which the first event of a stream tells.
    prompt_tokens: u32,
    /// Which block is being told, or comes next.
    at: usize,
    is_open: bool,
    /// The block that is open has thoughts.
    is_thinking: bool,
}

/// What an answer consists of.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block<'a> {
    Thinking { thinking: &'a str, signature: &'static str },
    Text { text: &'a str },
    ToolUse { id: String, name: &'a str, input: &'a RawValue },
}

#[derive(Serialize)]
struct WholeMessage<'a> {
    id: String,
    r#type: &'static str,
    role: &'static str,
    model: &'a str,
    content: Vec<Block<'a>>,
    stop_reason: Option<&'static str>,
    stop_sequence: Option<&'a str>,
    usage: Value,
}

impl MessageWriter {
    pub fn new(identity: Identity, prompt_tokens: u32) -> Self {
        Self { identity, prompt_tokens, at: 0, is_open: false, is_thinking: false }
    }

    fn message<'a>(
        &'a self,
        content: Vec<Block<'a>>,
        answer: Option<&'a Answer>,
        usage: Value,
    ) -> WholeMessage<'a> {
        let (stop_reason, stop_sequence) = answer.map(stop).unzip();
        WholeMessage {
            id: format!("msg_{}", self.identity.id),
            r#type: "message",
            role: "assistant",
            model: &self.identity.model,
            content,
            stop_reason,
            stop_sequence: stop_sequence.flatten(),
            usage,
        }
    }

    fn blocks<'a>(&self, answer: &'a Answer) -> Vec<Block<'a>> {
        let thought = (!answer.reasoning.is_empty())
            .then_some(Block::Thinking { thinking: &answer.reasoning, signature: "" });
        let is_told = !answer.text.is_empty() || answer.calls.is_empty();
        let text = is_told.then_some(Block::Text { text: &answer.text });
        let calls = answer.calls.iter().enumerate().map(|(at, call)| {
            let id = self.identity.call_id("toolu", at);
            Block::ToolUse { id, name: &call.name, input: call.json() }
        });
        thought.into_iter().chain(text).chain(calls).collect()
    }

    fn open(&mut self, block: &Value) -> Vec<u8> {
        self.is_open = true;
        let start = json!({"index": self.at, "content_block": block});
        typed("content_block_start", start)
    }

    fn delta(&self, delta: &Value) -> Vec<u8> {
        typed("content_block_delta", json!({"index": self.at, "delta": delta}))
    }

    fn end_thoughts(&mut self) -> Vec<u8> {
        if std::mem::take(&mut self.is_thinking) { self.close() } else { Vec::new() }
    }

    /// Blocks come one after the other.
    fn close(&mut self) -> Vec<u8> {
        if !std::mem::take(&mut self.is_open) {
            return Vec::new();
        }
        let frame = typed("content_block_stop", json!({"index": self.at}));
        self.at += 1;
        frame
    }
}

impl Writer for MessageWriter {
    fn stream_type(&self) -> &'static str {
        "text/event-stream"
    }

    fn begin(&mut self) -> Vec<u8> {
        let prompt_tokens = self.prompt_tokens;
        let usage = usage(&Usage { prompt_tokens, ..Usage::default() });
        typed("message_start", json!({"message": self.message(Vec::new(), None, usage)}))
    }

    fn waiting(&self) -> Vec<u8> {
        typed("ping", json!({}))
    }

    fn reasoning(&mut self, delta: &str) -> Vec<u8> {
        let mut frames = Vec::new();
        if !self.is_open {
            frames = self.open(&json!({"type": "thinking", "thinking": "", "signature": ""}));
            self.is_thinking = true;
        }
        frames.extend(self.delta(&json!({"type": "thinking_delta", "thinking": delta})));
        frames
    }

    fn text(&mut self, delta: &str) -> Vec<u8> {
        let mut frames = self.end_thoughts();
        if !self.is_open {
            frames.extend(self.open(&json!({"type": "text", "text": ""})));
        }
        frames.extend(self.delta(&json!({"type": "text_delta", "text": delta})));
        frames
    }

    fn end(&mut self, answer: &Answer) -> Vec<u8> {
        let mut frames = self.end_thoughts();
        if answer.calls.is_empty() && !self.is_open {
            frames.extend(self.open(&json!({"type": "text", "text": ""})));
        }
        frames.extend(self.close());
        for (at, ToolCall { name, arguments }) in answer.calls.iter().enumerate() {
            let id = self.identity.call_id("toolu", at);
            frames.extend(
                self.open(&json!({"type": "tool_use", "id": id, "name": name, "input": {}})),
            );
            let delta = json!({"type": "input_json_delta", "partial_json": arguments});
            frames.extend(self.delta(&delta));
            frames.extend(self.close());
        }
        let (reason, sequence) = stop(answer);
        frames.extend(typed(
            "message_delta",
            json!({
                "delta": {"stop_reason": reason, "stop_sequence": sequence},
                "usage": usage(&answer.usage),
            }),
        ));
        frames.extend(typed("message_stop", json!({})));
        frames
    }

    fn error(&mut self, error: &ClientError) -> Vec<u8> {
        event(Some("error"), &error_body(error))
    }

    fn whole(&mut self, answer: &Answer) -> String {
        let usage = usage(&answer.usage);
        json_text(&self.message(self.blocks(answer), Some(answer), usage))
    }
}

/// An error as Anthropic's clients read it.
pub fn error_body(error: &ClientError) -> Value {
    let kind = match error {
        ClientError::Invalid { .. }
        | ClientError::TooLong { .. }
        | ClientError::Unsupported { .. } => "invalid_request_error",
        ClientError::Unauthorized => "authentication_error",
        ClientError::Forbidden { .. } | ClientError::Elsewhere => "permission_error",
        ClientError::TooMany { .. } => "rate_limit_error",
        ClientError::TooLarge => "request_too_large",
        ClientError::NoModel { .. } | ClientError::NoEndpoint { .. } => "not_found_error",
        ClientError::Busy { .. } => "overloaded_error",
        ClientError::Failed { .. } | ClientError::TimedOut { .. } => "api_error",
    };
    json!({"type": "error", "error": {"type": kind, "message": error.to_string()}})
}

/// The HTTP status of an error, which is one of Anthropic's own where its servers are overloaded.
pub fn status(error: &ClientError) -> u16 {
    if matches!(error, ClientError::Busy { .. }) { 529 } else { error.status() }
}

/// The list of models, as Anthropic's clients read it.
pub fn models(names: &[String], created_at: &str) -> Value {
    let data: Vec<Value> = names.iter().map(|it| model(it, created_at)).collect();
    json!({"data": data, "has_more": false, "first_id": names.first(), "last_id": names.last()})
}

/// One of them.
pub fn model(name: &str, created_at: &str) -> Value {
    json!({"type": "model", "id": name, "display_name": name, "created_at": created_at})
}

fn typed(kind: &str, mut data: Value) -> Vec<u8> {
    if let Some(data) = data.as_object_mut() {
        data.insert("type".to_owned(), kind.into());
    }
    event(Some(kind), &data)
}

/// What an answer took. What a model had read before is counted apart.
fn usage(usage: &Usage) -> Value {
    let cached = usage.cached_tokens.min(usage.prompt_tokens);
    json!({
        "input_tokens": usage.prompt_tokens - cached,
        "output_tokens": usage.completion_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": cached
    })
}

/// Why it ended, and by which of the client's texts if by one of them.
fn stop(answer: &Answer) -> (&'static str, Option<&str>) {
    match (answer.finish, answer.stopped_by.as_deref()) {
        _ if !answer.calls.is_empty() => ("tool_use", None),
        (FinishReason::Length, _) => ("max_tokens", None),
        (FinishReason::Stop, Some(by)) => ("stop_sequence", Some(by)),
        (FinishReason::Stop, None) => ("end_turn", None),
    }
}
