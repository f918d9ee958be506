//! Ollama's own chat and generate.
//!
//! Format: <https://github.com/ollama/ollama/blob/main/docs/api.md>. Streams are lines of JSON, and
//! are what a client gets that does not say otherwise.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json, value::RawValue};

use super::{
    Answer, AnswerForm, ClientError, ClientRequest, Fine, Identity, Tool, ToolChoice, Writer, body,
    content::{self, OneOrMany},
    json_text,
    openai::FunctionBody,
    refuse, sampling,
};
use crate::chat::{FinishReason, Message, Part, Sampling, Thinking, Usage};
pub use keep_alive::KeepAlive;

mod keep_alive;

/// The version of Ollama whose API is followed here. Some clients, such as VS Code, talk to no
/// server that is older than what they need.
pub const API_VERSION: &str = "0.12.0";

#[derive(Debug, Deserialize)]
struct ChatBody {
    model: String,
    #[serde(default)]
    messages: Vec<TurnBody>,
    tools: Option<Vec<ToolBody>>,
    #[serde(flatten)]
    rest: Rest,
}

#[derive(Debug, Deserialize)]
struct GenerateBody {
    model: String,
    #[serde(default)]
    prompt: String,
    system: Option<String>,
    images: Option<Vec<String>>,
    suffix: Option<String>,
    template: Option<String>,
    raw: Option<bool>,
    #[serde(flatten)]
    rest: Rest,
}

/// What the two share.
#[derive(Debug, Deserialize)]
struct Rest {
    stream: Option<bool>,
    format: Option<Value>,
    options: Option<Options>,
    keep_alive: Option<KeepAlive>,
    /// Whether, or how much.
    think: Option<Value>,
    logprobs: Option<bool>,
    top_logprobs: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
struct Options {
    num_predict: Option<i64>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    seed: Option<i64>,
    stop: Option<OneOrMany>,
    #[serde(flatten)]
    fine: Fine,
}

#[derive(Debug, Deserialize)]
struct TurnBody {
    role: String,
    #[serde(default)]
    content: String,
    images: Option<Vec<String>>,
    tool_calls: Option<Vec<CallBody>>,
    tool_call_id: Option<String>,
    tool_name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct CallBody {
    id: Option<String>,
    function: CallFunction,
}

#[derive(Debug, Deserialize)]
struct CallFunction {
    name: String,
    /// As they were written.
    arguments: Option<Box<RawValue>>,
}

#[derive(Debug, Deserialize)]
struct ToolBody {
    function: FunctionBody,
}

/// Which of the two a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    Chat,
    Generate,
}

/// What either endpoint is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The model as the client names it.
    pub model: String,
    /// How long the model is to stay in memory afterwards, where the client says so.
    pub keep_alive: Option<KeepAlive>,
    /// None when nothing is asked of the model, and it is to be loaded or unloaded.
    pub request: Option<ClientRequest>,
}

/// Reads the body of `/api/chat`.
pub fn read_chat(bytes: &[u8]) -> Result<Call, ClientError> {
    let body: ChatBody = body(bytes)?;
    let (model, keep_alive) = (body.model.clone(), body.rest.keep_alive);
    if body.messages.is_empty() {
        return Ok(Call { model, keep_alive, request: None });
    }
    let turns: Result<Vec<Vec<Message>>, _> = body.messages.iter().map(turn).collect();
    let tools = body.tools.unwrap_or_default().into_iter().map(|it| Tool::from(it.function));
    let request = body.rest.request(body.model, turns?.concat())?;
    let form = content::form(tools.collect(), Some(ToolChoice::Auto), request.form.clone())?;
    Ok(Call { model, keep_alive, request: Some(ClientRequest { form, ..request }) })
}

/// Reads the body of `/api/generate`.
pub fn read_generate(bytes: &[u8]) -> Result<Call, ClientError> {
    let body: GenerateBody = body(bytes)?;
    body.refuse_unknown()?;
    let (model, keep_alive) = (body.model.clone(), body.rest.keep_alive);
    if body.prompt.is_empty() {
        return Ok(Call { model, keep_alive, request: None });
    }
    let system = body.system.filter(|it| !it.is_empty()).map(Message::system);
    let images = body.images.unwrap_or_default();
    let messages = system.into_iter().chain([seen(Message::user(body.prompt), &images)]).collect();
    let request = body.rest.request(body.model, messages)?;
    Ok(Call { model, keep_alive, request: Some(request) })
}

/// The model that a body names, as every endpoint spells it.
pub fn read_model(bytes: &[u8]) -> Result<String, ClientError> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(alias = "name")]
        model: String,
    }
    body::<Named>(bytes).map(|it| it.model)
}

impl GenerateBody {
    /// What would change the answer and cannot be done here.
    fn refuse_unknown(&self) -> Result<(), ClientError> {
        let says = |it: &Option<String>| it.as_ref().is_some_and(|it| !it.is_empty());
        let refused = [
            ("suffix", says(&self.suffix)),
            ("template", says(&self.template)),
            ("raw", self.raw == Some(true)),
        ];
        match refused.iter().find(|(_, is_said)| *is_said) {
            Some((name, _)) => Err(ClientError::invalid(format!(
                "`{name}` cannot be followed here: the model's own template is always used"
            ))),
            None => Ok(()),
        }
    }
}

/// The same turn with pictures.
fn seen(message: Message, images: &[String]) -> Message {
    if images.is_empty() {
        return message;
    }
    let mut parts = message.clone().into_parts();
    parts.extend(images.iter().map(|it| Part::Image(content::bare_image(it))));
    message.with_parts(parts)
}

impl Rest {
    fn request(self, model: String, messages: Vec<Message>) -> Result<ClientRequest, ClientError> {
        let options = self.options.unwrap_or_default();
        refuse(&[
            ("logprobs", self.logprobs == Some(true)),
            ("top_logprobs", self.top_logprobs.is_some_and(|it| it > 0)),
        ])?;
        let thinking = match &self.think {
            None | Some(Value::Null | Value::Bool(false)) => Thinking::Off,
            Some(Value::Bool(true)) => Thinking::On,
            Some(level) => level.as_str().and_then(Thinking::of).ok_or_else(|| {
                ClientError::invalid(format!(
                    "`think` is true, false, low, medium, high or max, and not {level}"
                ))
            })?,
        };
        // Who says nothing of it sees what there is.
        let is_silent = thinking == Thinking::Off && self.think.is_some_and(|it| !it.is_null());
        let usual = sampling(options.temperature, options.top_p);
        Ok(ClientRequest {
            model,
            messages: content::turns(messages)?,
            form: match self.format {
                None | Some(Value::Null) => AnswerForm::Text,
                Some(Value::String(word)) if word.is_empty() => AnswerForm::Text,
                Some(Value::String(word)) if word == "json" => {
                    AnswerForm::Json(json!({"type": "object"}))
                }
                Some(schema @ Value::Object(_)) => AnswerForm::Json(schema),
                Some(other) => {
                    return Err(ClientError::invalid(format!("`{other}` is no format")));
                }
            },
            sampling: options.fine.refine(&Sampling { thinking, ..usual }),
            // Less than nothing is how its clients say that there is none.
            seed: options.seed.and_then(|it| u64::try_from(it).ok()),
            max_tokens: options.num_predict.and_then(|it| u32::try_from(it).ok()),
            stop: options.stop.map(OneOrMany::into_vec).unwrap_or_default(),
            with_reasoning: !is_silent,
            stream: self.stream.unwrap_or(true),
        })
    }
}

fn turn(turn: &TurnBody) -> Result<Vec<Message>, ClientError> {
    let images = turn.images.as_deref().unwrap_or_default();
    if turn.role != "user" && !images.is_empty() {
        return Err(ClientError::invalid("images are read in the user's turns alone"));
    }
    let text = turn.content.clone();
    Ok(match turn.role.as_str() {
        "system" => vec![Message::system(text)],
        "user" => vec![seen(Message::user(text), images)],
        "assistant" => {
            let calls = turn.tool_calls.iter().flatten().map(|it| {
                let call = content::call(&it.function.name, it.function.arguments.as_deref());
                (it.id.clone().unwrap_or_default(), call)
            });
            vec![content::called(text, calls.collect())]
        }
        "tool" => {
            let name = turn.tool_name.as_deref().unwrap_or_default();
            vec![content::result(turn.tool_call_id.as_deref(), name, &text)]
        }
        other => return Err(ClientError::invalid(format!("`{other}` is no role"))),
    })
}

/// Writes answers of either endpoint.
#[derive(Debug)]
pub struct LineWriter {
    identity: Identity,
    endpoint: Endpoint,
    /// The moment that every line carries, as RFC 3339 has it.
    created_at: String,
}

#[derive(Serialize)]
struct Line<'a> {
    model: &'a str,
    created_at: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<&'a str>,
    /// What `message` has in the other endpoint.
    #[serde(skip_serializing_if = "str::is_empty")]
    thinking: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<MessageLine<'a>>,
    done: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    done_reason: Option<&'static str>,
    #[serde(flatten)]
    timings: Option<Map<String, Value>>,
}

#[derive(Serialize)]
struct MessageLine<'a> {
    role: &'static str,
    content: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    thinking: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<CallLine<'a>>,
}

#[derive(Serialize)]
struct CallLine<'a> {
    function: FunctionLine<'a>,
}

#[derive(Serialize)]
struct FunctionLine<'a> {
    name: &'a str,
    arguments: &'a RawValue,
}

impl LineWriter {
    pub fn new(identity: Identity, endpoint: Endpoint, created_at: String) -> Self {
        Self { identity, endpoint, created_at }
    }

    fn line<'a>(
        &'a self,
        (thinking, text): (&'a str, &'a str),
        answer: Option<&'a Answer>,
    ) -> Line<'a> {
        let calls = answer.into_iter().flat_map(|it| &it.calls);
        let calls = calls
            .map(|it| CallLine { function: FunctionLine { name: &it.name, arguments: it.json() } });
        let (response, message) = match self.endpoint {
            Endpoint::Generate => (Some(text), None),
            Endpoint::Chat => {
                let (role, tool_calls) = ("assistant", calls.collect());
                (None, Some(MessageLine { role, content: text, thinking, tool_calls }))
            }
        };
        let done_reason = answer.map(|it| match it.finish {
            FinishReason::Stop => "stop",
            FinishReason::Length => "length",
        });
        Line {
            model: &self.identity.model,
            created_at: &self.created_at,
            response,
            thinking: if self.endpoint == Endpoint::Generate { thinking } else { "" },
            message,
            done: answer.is_some(),
            done_reason,
            timings: answer.map(|it| timings(&it.usage)),
        }
    }
}

impl Writer for LineWriter {
    fn stream_type(&self) -> &'static str {
        "application/x-ndjson"
    }

    fn begin(&mut self) -> Vec<u8> {
        Vec::new()
    }

    /// Every line is a part of the answer.
    fn comment(&self, _text: &str) -> Vec<u8> {
        Vec::new()
    }

    fn reasoning(&mut self, delta: &str) -> Vec<u8> {
        text_line(&self.line((delta, ""), None))
    }

    fn text(&mut self, delta: &str) -> Vec<u8> {
        text_line(&self.line(("", delta), None))
    }

    fn end(&mut self, answer: &Answer) -> Vec<u8> {
        text_line(&self.line(("", ""), Some(answer)))
    }

    fn error(&mut self, error: &ClientError) -> Vec<u8> {
        text_line(&error_body(error))
    }

    fn whole(&mut self, answer: &Answer) -> String {
        json_text(&self.line((&answer.reasoning, &answer.text), Some(answer)))
    }
}

/// What a call that asks nothing is answered with: the model is in memory now, or is not.
pub fn moved(model: &str, endpoint: Endpoint, created_at: &str, is_loaded: bool) -> Value {
    let (field, empty) = match endpoint {
        Endpoint::Chat => ("message", json!({"role": "assistant", "content": ""})),
        Endpoint::Generate => ("response", json!("")),
    };
    json!({
        "model": model, "created_at": created_at, field: empty,
        "done": true, "done_reason": if is_loaded { "load" } else { "unload" }
    })
}

/// An error as Ollama's clients read it.
pub fn error_body(error: &ClientError) -> Value {
    json!({"error": error.to_string()})
}

fn text_line(value: &impl Serialize) -> Vec<u8> {
    (json_text(value) + "\n").into_bytes()
}

/// Durations are nanoseconds here.
fn timings(usage: &Usage) -> Map<String, Value> {
    let nanoseconds = |it: Duration| u64::try_from(it.as_nanos()).unwrap_or(u64::MAX);
    let total = usage.queued + usage.prefill + usage.decode;
    let mut timings = Map::new();
    timings.insert("total_duration".to_owned(), nanoseconds(total).into());
    timings.insert("load_duration".to_owned(), 0.into());
    timings.insert("prompt_eval_count".to_owned(), usage.prompt_tokens.into());
    timings.insert("prompt_eval_duration".to_owned(), nanoseconds(usage.prefill).into());
    timings.insert("eval_count".to_owned(), usage.completion_tokens.into());
    timings.insert("eval_duration".to_owned(), nanoseconds(usage.decode).into());
    timings
}
