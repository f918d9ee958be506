//! Anthropic's messages.
//!
//! Format: <https://docs.anthropic.com/en/api/messages>.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Answer, AnswerForm, ClientError, ClientRequest, Content, Identity, Tool, ToolChoice, Writer,
    body, content, event, sampling,
};
use crate::chat::{FinishReason, Message};

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
    temperature: Option<f32>,
    top_p: Option<f32>,
    stream: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct TurnBody {
    role: String,
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
    let choice = match body.tool_choice {
        None => Some(ToolChoice::Auto),
        Some(ChoiceBody { r#type, name: Some(name) }) if r#type == "tool" => {
            Some(ToolChoice::Named(name))
        }
        Some(ChoiceBody { r#type, .. }) => content::choice(&r#type)?,
    };
    let format = body.output.and_then(|it| it.format).or(body.output_format);
    let format = format.map_or(AnswerForm::Text, |it| content::format(&it));
    Ok(ClientRequest {
        model: body.model,
        messages: content::turns(messages)?,
        form: content::form(tools, choice, format)?,
        sampling: sampling(body.temperature, body.top_p),
        seed: None,
        max_tokens: body.max_tokens,
        stop: body.stop_sequences.unwrap_or_default(),
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
    let Value::Array(blocks) = &turn.content else {
        return Ok(vec![message(content::text(&turn.content)?)]);
    };
    let mut messages = Vec::new();
    for block in blocks {
        let field = |name: &str| block.get(name).unwrap_or(&Value::Null);
        match block.get("type").and_then(Value::as_str) {
            Some("tool_use") => {
                let name = field("name").as_str().unwrap_or_default();
                messages.push(Message::assistant(content::call(name, field("input"))));
            }
            Some("tool_result") => {
                messages.push(content::result("", &content::text(field("content"))?));
            }
            Some(_) | None => {
                messages.push(message(content::text(&Value::Array(vec![block.clone()]))?));
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
        }))
    }
}

/// Writes messages.
#[derive(Debug)]
pub struct MessageWriter {
    identity: Identity,
    /// Tokens of the prompt, which the first event of a stream tells.
    prompt_tokens: u32,
    is_open: bool,
}

impl MessageWriter {
    pub fn new(identity: Identity, prompt_tokens: u32) -> Self {
        Self { identity, prompt_tokens, is_open: false }
    }

    fn message(&self, content: &[Value], answer: Option<&Answer>, usage: &Value) -> Value {
        let (reason, sequence) = answer.map(stop).unzip();
        json!({
            "id": format!("msg_{}", self.identity.id), "type": "message", "role": "assistant",
            "model": self.identity.model, "content": content, "stop_reason": reason,
            "stop_sequence": sequence.flatten(), "usage": usage
        })
    }

    fn block(&self, answer: &Answer) -> Value {
        match &answer.content {
            Content::Text(text) => json!({"type": "text", "text": text}),
            Content::ToolCall { name, arguments } => json!({
                "type": "tool_use", "id": self.tool_id(), "name": name, "input": arguments
            }),
        }
    }

    fn tool_id(&self) -> String {
        format!("toolu_{}", self.identity.id)
    }

    fn open(&mut self, block: &Value) -> Vec<u8> {
        self.is_open = true;
        typed("content_block_start", json!({"index": 0, "content_block": block}))
    }
}

impl Writer for MessageWriter {
    fn stream_type(&self) -> &'static str {
        "text/event-stream"
    }

    fn begin(&mut self) -> Vec<u8> {
        let usage = json!({"input_tokens": self.prompt_tokens, "output_tokens": 0});
        typed("message_start", json!({"message": self.message(&[], None, &usage)}))
    }

    fn text(&mut self, delta: &str) -> Vec<u8> {
        let mut frames = Vec::new();
        if !self.is_open {
            frames = self.open(&json!({"type": "text", "text": ""}));
        }
        let delta = json!({"type": "text_delta", "text": delta});
        frames.extend(typed("content_block_delta", json!({"index": 0, "delta": delta})));
        frames
    }

    fn end(&mut self, answer: &Answer) -> Vec<u8> {
        let mut frames = Vec::new();
        if let Content::ToolCall { name, arguments } = &answer.content {
            frames.extend(self.open(&json!({
                "type": "tool_use", "id": self.tool_id(), "name": name, "input": {}
            })));
            let json = arguments.to_string();
            let delta = json!({"type": "input_json_delta", "partial_json": json});
            frames.extend(typed("content_block_delta", json!({"index": 0, "delta": delta})));
        } else if !self.is_open {
            frames.extend(self.open(&json!({"type": "text", "text": ""})));
        }
        frames.extend(typed("content_block_stop", json!({"index": 0})));
        let (reason, sequence) = stop(answer);
        frames.extend(typed(
            "message_delta",
            json!({
                "delta": {"stop_reason": reason, "stop_sequence": sequence},
                "usage": {"output_tokens": answer.usage.completion_tokens}
            }),
        ));
        frames.extend(typed("message_stop", json!({})));
        frames
    }

    fn error(&mut self, error: &ClientError) -> Vec<u8> {
        event(Some("error"), &error_body(error))
    }

    fn whole(&mut self, answer: &Answer) -> String {
        let usage = json!({
            "input_tokens": answer.usage.prompt_tokens,
            "output_tokens": answer.usage.completion_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0
        });
        self.message(&[self.block(answer)], Some(answer), &usage).to_string()
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
    let data: Vec<Value> = names
        .iter()
        .map(|it| json!({"type": "model", "id": it, "display_name": it, "created_at": created_at}))
        .collect();
    json!({"data": data, "has_more": false, "first_id": names.first(), "last_id": names.last()})
}

fn typed(kind: &str, mut data: Value) -> Vec<u8> {
    if let Some(data) = data.as_object_mut() {
        data.insert("type".to_owned(), kind.into());
    }
    event(Some(kind), &data)
}

/// Why it ended, and by which of the client's texts if by one of them.
fn stop(answer: &Answer) -> (&'static str, Option<&str>) {
    match (&answer.content, answer.finish, answer.stopped_by.as_deref()) {
        (Content::ToolCall { .. }, _, _) => ("tool_use", None),
        (Content::Text(_), FinishReason::Length, _) => ("max_tokens", None),
        (Content::Text(_), FinishReason::Stop, Some(by)) => ("stop_sequence", Some(by)),
        (Content::Text(_), FinishReason::Stop, None) => ("end_turn", None),
    }
}
