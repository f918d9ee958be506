//! OpenAI's chat completions, the older completions, and what Perplexity makes of them.
//!
//! Formats: <https://platform.openai.com/docs/api-reference/chat>.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value, json, value::RawValue};

use super::{
    AnswerForm, ClientError, ClientRequest, Fine, Tool, ToolCall, ToolChoice, body,
    content::{self, OneOrMany},
    refuse, sampling, thinking,
};
use crate::chat::{Message, Sampling};
pub use writing::{ChatWriter, CompletionWriter, error_body, model, models};

mod writing;

#[derive(Debug, Deserialize)]
struct ChatBody {
    model: String,
    messages: Vec<ChatMessage>,
    tools: Option<Vec<ToolBody>>,
    tool_choice: Option<Value>,
    #[serde(rename = "response_format")]
    format: Option<ResponseFormat>,
    max_completion_tokens: Option<u32>,
    parallel_tool_calls: Option<bool>,
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
    #[serde(flatten)]
    fine: Fine,
    logit_bias: Option<Map<String, Value>>,
    /// Whether, or how many.
    logprobs: Option<Value>,
    top_logprobs: Option<u32>,
    /// What tools were before they were called so.
    functions: Option<Vec<IgnoredAny>>,
    modalities: Option<Vec<String>>,
    #[serde(rename = "reasoning_effort")]
    effort: Option<String>,
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
    tool_call_id: Option<String>,
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct CallBody {
    id: Option<String>,
    function: Option<FunctionCall>,
    custom: Option<CustomCall>,
}

/// A call of a tool that takes a text.
#[derive(Debug, Deserialize)]
struct CustomCall {
    name: String,
    #[serde(default)]
    input: String,
}

#[derive(Debug, Deserialize)]
struct FunctionCall {
    name: String,
    /// JSON in a text.
    arguments: Option<Box<RawValue>>,
}

#[derive(Debug, Deserialize)]
struct ToolBody {
    function: Option<FunctionBody>,
    custom: Option<CustomBody>,
}

/// A tool that takes a text.
#[derive(Debug, Deserialize)]
struct CustomBody {
    name: String,
    description: Option<String>,
    #[serde(default)]
    format: Value,
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
    suffix: Option<String>,
    echo: Option<bool>,
    best_of: Option<u32>,
    #[serde(flatten)]
    options: Options,
}

/// Reads the body of `/v1/chat/completions`, and whether its stream ends with the usage.
pub fn read_chat(bytes: &[u8]) -> Result<(ClientRequest, bool), ClientError> {
    let body: ChatBody = body(bytes)?;
    let messages: Result<Vec<Vec<Message>>, _> = body.messages.iter().map(turn).collect();
    let tools = body.tools.unwrap_or_default().into_iter().map(ToolBody::tool);
    let mut tools = tools.collect::<Result<Vec<Tool>, _>>()?;
    let choice = content::chosen(body.tool_choice.as_ref(), &mut tools, named_tool)?;
    let format = body.format.map_or(AnswerForm::Text, ResponseFormat::form);
    let max_tokens = body.max_completion_tokens.or(body.options.max_tokens);
    let with_usage = body.options.with_usage();
    let is_single = body.parallel_tool_calls == Some(false);
    let request = ClientRequest {
        model: body.model,
        messages: content::turns(messages?.concat())?,
        form: content::form(tools, choice, format)?.calling_once(is_single),
        max_tokens,
        ..body.options.request()?
    };
    Ok((request, with_usage))
}

/// Whether a client of Perplexity leaves it to the model whether to search.
pub fn may_search(bytes: &[u8]) -> bool {
    #[derive(Default, Deserialize)]
    struct SearchBody {
        disable_search: Option<bool>,
    }
    let read: SearchBody = serde_json::from_slice(bytes).unwrap_or_default();
    read.disable_search != Some(true)
}

/// Reads the body of `/v1/completions`, and whether its stream ends with the usage.
pub fn read_completion(bytes: &[u8]) -> Result<(ClientRequest, bool), ClientError> {
    let body: CompletionBody = body(bytes)?;
    refuse(&[
        ("suffix", body.suffix.is_some_and(|it| !it.is_empty())),
        ("echo", body.echo == Some(true)),
        ("best_of", body.best_of.is_some_and(|it| it > 1)),
    ])?;
    let [prompt] = <[String; 1]>::try_from(body.prompt.into_vec())
        .map_err(|_| ClientError::invalid("send one prompt a request"))?;
    let with_usage = body.options.with_usage();
    let messages = content::turns(vec![Message::user(prompt)])?;
    Ok((ClientRequest { model: body.model, messages, ..body.options.request()? }, with_usage))
}

/// The tool that a choice names, in whichever of the two spellings.
pub(super) fn named_tool(choice: &Value) -> Result<ToolChoice, ClientError> {
    let name = content::tool_name(choice);
    let name = name.ok_or_else(|| ClientError::invalid("`tool_choice` names no tool"))?;
    Ok(ToolChoice::Named(name.to_owned()))
}

fn turn(message: &ChatMessage) -> Result<Vec<Message>, ClientError> {
    if message.role == "user" {
        return Ok(vec![content::said(&message.content)?]);
    }
    if matches!(message.role.as_str(), "tool" | "function") {
        let (id, name) = (message.tool_call_id.as_deref(), message.name.as_deref());
        return Ok(vec![content::answered(id, name.unwrap_or_default(), &message.content)?]);
    }
    let text = content::text(&message.content)?;
    Ok(match message.role.as_str() {
        "system" | "developer" => vec![Message::system(text)],
        "assistant" => {
            let calls = message.tool_calls.iter().flatten().map(CallBody::call);
            vec![content::called(text, calls.collect::<Result<_, _>>()?)]
        }
        other => return Err(ClientError::invalid(format!("`{other}` is no role"))),
    })
}

impl CallBody {
    /// A call with its id.
    fn call(&self) -> Result<(String, ToolCall), ClientError> {
        let call = match (&self.function, &self.custom) {
            (Some(it), _) => content::call(&it.name, it.arguments.as_deref()),
            (None, Some(it)) => content::custom_call(&it.name, &it.input),
            (None, None) => return Err(ClientError::invalid("a tool call has no `function`")),
        };
        Ok((self.id.clone().unwrap_or_default(), call))
    }
}

impl ToolBody {
    fn tool(self) -> Result<Tool, ClientError> {
        match (self.function, self.custom) {
            (Some(function), _) => Ok(function.into()),
            (None, Some(CustomBody { name, description, format })) => {
                Ok(content::custom_tool(name, description, &format))
            }
            (None, None) => Err(ClientError::invalid("a tool has no `function`")),
        }
    }
}

impl Options {
    fn with_usage(&self) -> bool {
        self.streaming.as_ref().is_some_and(|it| it.include_usage == Some(true))
    }

    fn request(self) -> Result<ClientRequest, ClientError> {
        if self.n.is_some_and(|it| it > 1) {
            return Err(ClientError::invalid("one answer a request: leave out `n`"));
        }
        if self.functions.is_some_and(|it| !it.is_empty()) {
            return Err(ClientError::invalid("`functions` are not known here: send `tools`"));
        }
        let speaks = |it: Vec<String>| it.iter().any(|it| it != "text");
        refuse(&[
            ("modalities", self.modalities.is_some_and(speaks)),
            ("logprobs", self.logprobs.is_some_and(|it| it != false && !it.is_null())),
            ("top_logprobs", self.top_logprobs.is_some_and(|it| it > 0)),
            ("logit_bias", self.logit_bias.is_some_and(|it| !it.is_empty())),
        ])?;
        let effort = self.effort.as_deref();
        let usual = sampling(self.temperature, self.top_p);
        let usual = Sampling { thinking: thinking(effort), ..usual };
        Ok(ClientRequest {
            model: String::new(),
            messages: Vec::new(),
            form: AnswerForm::Text,
            sampling: self.fine.refine(&usual),
            seed: self.seed.map(i64::unsigned_abs),
            max_tokens: self.max_tokens,
            stop: self.stop.map(OneOrMany::into_vec).unwrap_or_default(),
            with_reasoning: effort != Some("none"),
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
            is_custom: false,
        }
    }
}
