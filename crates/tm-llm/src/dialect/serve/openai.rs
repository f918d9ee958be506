//! OpenAI's chat completions, the older completions, and what Perplexity makes of them.
//!
//! Formats: <https://platform.openai.com/docs/api-reference/chat>.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Answer, AnswerForm, ClientError, ClientRequest, Content, Identity, Tool, ToolChoice, Writer,
    body,
    content::{self, OneOrMany},
    event, push_json, sampling,
};
use crate::chat::{FinishReason, Message, Usage};

#[derive(Debug, Deserialize)]
struct ChatBody {
    model: String,
    messages: Vec<ChatMessage>,
    tools: Option<Vec<ToolBody>>,
    tool_choice: Option<Value>,
    #[serde(rename = "response_format")]
    format: Option<ResponseFormat>,
    max_completion_tokens: Option<u32>,
    #[serde(flatten)]
    options: Options,
}

/// What the two kinds of completions share.
#[derive(Debug, Deserialize)]
struct Options {
    stream: Option<bool>,
    #[serde(rename = "stream_options")]
    streaming: Option<StreamOptions>,
    max_tokens: Option<u32>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    seed: Option<i64>,
    stop: Option<OneOrMany>,
    n: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct ChatMessage {
    role: String,
    #[serde(default)]
    content: Value,
    tool_calls: Option<Vec<CallBody>>,
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct CallBody {
    function: FunctionCall,
}

#[derive(Debug, Deserialize)]
struct FunctionCall {
    name: String,
    #[serde(default)]
    arguments: Value,
}

#[derive(Debug, Deserialize)]
struct ToolBody {
    function: FunctionBody,
}

#[derive(Debug, Deserialize)]
pub(super) struct FunctionBody {
    name: String,
    description: Option<String>,
    parameters: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ResponseFormat {
    Text,
    JsonObject,
    JsonSchema { json_schema: SchemaBody },
}

#[derive(Debug, Deserialize)]
pub(super) struct SchemaBody {
    schema: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct CompletionBody {
    model: String,
    prompt: OneOrMany,
    #[serde(flatten)]
    options: Options,
}

/// Reads the body of `/v1/chat/completions`, and whether its stream ends with the usage.
pub fn read_chat(bytes: &[u8]) -> Result<(ClientRequest, bool), ClientError> {
    let body: ChatBody = body(bytes)?;
    let messages: Result<Vec<Vec<Message>>, _> = body.messages.iter().map(turn).collect();
    let tools = body.tools.unwrap_or_default().into_iter().map(|it| it.function.into()).collect();
    let choice = match &body.tool_choice {
        None | Some(Value::Null) => Some(ToolChoice::Auto),
        Some(Value::String(word)) => content::choice(word)?,
        Some(named) => Some(named_tool(named)?),
    };
    let format = body.format.map_or(AnswerForm::Text, ResponseFormat::form);
    let max_tokens = body.max_completion_tokens.or(body.options.max_tokens);
    let with_usage = body.options.with_usage();
    let request = ClientRequest {
        model: body.model,
        messages: content::turns(messages?.concat())?,
        form: content::form(tools, choice, format)?,
        max_tokens,
        ..body.options.request()?
    };
    Ok((request, with_usage))
}

/// Reads the body of `/v1/completions`, and whether its stream ends with the usage.
pub fn read_completion(bytes: &[u8]) -> Result<(ClientRequest, bool), ClientError> {
    let body: CompletionBody = body(bytes)?;
    let [prompt] = <[String; 1]>::try_from(body.prompt.into_vec())
        .map_err(|_| ClientError::invalid("send one prompt a request"))?;
    let with_usage = body.options.with_usage();
    let messages = content::turns(vec![Message::user(prompt)])?;
    Ok((ClientRequest { model: body.model, messages, ..body.options.request()? }, with_usage))
}

/// The tool that a choice names, in whichever of the two spellings.
pub(super) fn named_tool(choice: &Value) -> Result<ToolChoice, ClientError> {
    let name = choice.pointer("/function/name").or_else(|| choice.get("name"));
    let name = name.and_then(Value::as_str);
    let name = name.ok_or_else(|| ClientError::invalid("`tool_choice` names no tool"))?;
    Ok(ToolChoice::Named(name.to_owned()))
}

/// Arguments are JSON in a text here.
pub(super) fn arguments(value: &Value) -> Value {
    let parsed = value.as_str().and_then(|it| serde_json::from_str(it).ok());
    parsed.unwrap_or_else(|| value.clone())
}

fn turn(message: &ChatMessage) -> Result<Vec<Message>, ClientError> {
    let text = content::text(&message.content)?;
    Ok(match message.role.as_str() {
        "system" | "developer" => vec![Message::system(text)],
        "user" => vec![Message::user(text)],
        "assistant" => {
            let calls = message.tool_calls.iter().flatten();
            let calls = calls
                .map(|it| content::call(&it.function.name, &arguments(&it.function.arguments)));
            let said = std::iter::once(text).chain(calls).filter(|it| !it.is_empty());
            vec![Message::assistant(said.collect::<Vec<_>>().join("\n"))]
        }
        "tool" | "function" => {
            vec![content::result(message.name.as_deref().unwrap_or_default(), &text)]
        }
        other => return Err(ClientError::invalid(format!("`{other}` is no role"))),
    })
}

impl Options {
    fn with_usage(&self) -> bool {
        self.streaming.as_ref().is_some_and(|it| it.include_usage == Some(true))
    }

    fn request(self) -> Result<ClientRequest, ClientError> {
        if self.n.is_some_and(|it| it > 1) {
            return Err(ClientError::invalid("one answer a request: leave out `n`"));
        }
        Ok(ClientRequest {
            model: String::new(),
            messages: Vec::new(),
            form: AnswerForm::Text,
            sampling: sampling(self.temperature, self.top_p),
            seed: self.seed.map(i64::unsigned_abs),
            max_tokens: self.max_tokens,
            stop: self.stop.map(OneOrMany::into_vec).unwrap_or_default(),
            stream: self.stream.unwrap_or(false),
        })
    }
}

impl ResponseFormat {
    pub(super) fn form(self) -> AnswerForm {
        match self {
            Self::Text => AnswerForm::Text,
            Self::JsonObject => AnswerForm::Json(json!({"type": "object"})),
            Self::JsonSchema { json_schema } => {
                AnswerForm::Json(json_schema.schema.unwrap_or_else(|| json!({"type": "object"})))
            }
        }
    }
}

impl From<FunctionBody> for Tool {
    fn from(body: FunctionBody) -> Self {
        Self {
            name: body.name,
            description: body.description.unwrap_or_default(),
            parameters: body.parameters.unwrap_or_else(|| json!({"type": "object"})),
        }
    }
}

/// Writes chat completions.
#[derive(Debug)]
pub struct ChatWriter {
    identity: Identity,
    with_usage: bool,
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
    refusal: (),
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<Value>,
}

impl ChatWriter {
    pub fn new(identity: Identity, with_usage: bool) -> Self {
        Self { identity, with_usage, head: Vec::new() }
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

    fn text(&mut self, delta: &str) -> Vec<u8> {
        self.chunk(ContentDelta { content: delta }, None)
    }

    fn end(&mut self, answer: &Answer) -> Vec<u8> {
        let mut frames = Vec::new();
        if let Content::ToolCall { name, arguments } = &answer.content {
            let call = json!({
                "index": 0, "id": self.identity.call_id(), "type": "function",
                "function": {"name": name, "arguments": ""}
            });
            frames.extend(self.chunk(json!({ "tool_calls": [call] }), None));
            let rest = json!({"index": 0, "function": {"arguments": arguments.to_string()}});
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
        let (content, tool_calls) = match &answer.content {
            Content::Text(text) => (Some(text.as_str()), None),
            Content::ToolCall { name, arguments } => {
                let function = json!({"name": name, "arguments": arguments.to_string()});
                let id = self.identity.call_id();
                (None, Some(json!([{"id": id, "type": "function", "function": function}])))
            }
        };
        let message = WholeMessage { role: "assistant", content, refusal: (), tool_calls };
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

    fn text(&mut self, delta: &str) -> Vec<u8> {
        event(None, &Value::Object(self.frame(delta, None)))
    }

    fn end(&mut self, answer: &Answer) -> Vec<u8> {
        let mut last = self.frame("", Some(finish(answer)));
        if self.with_usage {
            last.insert("usage".to_owned(), json!(usage(&answer.usage)));
        }
        let mut frames = event(None, &Value::Object(last));
        frames.extend_from_slice(b"data: [DONE]\n\n");
        frames
    }

    fn error(&mut self, error: &ClientError) -> Vec<u8> {
        event(None, &error_body(error))
    }

    fn whole(&mut self, answer: &Answer) -> String {
        let text = match &answer.content {
            Content::Text(text) => text.clone(),
            Content::ToolCall { arguments, .. } => arguments.to_string(),
        };
        let mut body = self.frame(&text, Some(finish(answer)));
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
pub fn models(names: &[String], created: i64) -> Value {
    let data: Vec<Value> = names.iter().map(|it| model(it, created)).collect();
    json!({"object": "list", "data": data})
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
    match (&answer.content, answer.finish) {
        (Content::ToolCall { .. }, _) => "tool_calls",
        (Content::Text(_), FinishReason::Stop) => "stop",
        (Content::Text(_), FinishReason::Length) => "length",
    }
}

fn usage(usage: &Usage) -> Counts {
    let Usage { prompt_tokens, completion_tokens, cached_tokens, .. } = *usage;
    let total_tokens = prompt_tokens.saturating_add(completion_tokens);
    let prompt_tokens_details = CountDetails { cached_tokens };
    Counts { prompt_tokens, completion_tokens, total_tokens, prompt_tokens_details }
}
