//! OpenAI's responses: the same answers with more events; and Perplexity's agent, which took the
//! shape over.
//!
//! Format: <https://platform.openai.com/docs/api-reference/responses>. Nothing is stored, so a
//! request that goes on from an earlier one by its id is refused.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::to_raw_value};

use super::{
    AnswerForm, ClientError, ClientRequest, Tool, ToolChoice, body, content,
    openai::{ResponseFormat, named_tool},
    refuse, sampling, thinking,
};
use crate::chat::{Message, Sampling};
pub use writing::{Echo, ResponseWriter};

mod writing;

#[derive(Debug, Deserialize)]
struct ResponseBody {
    model: Option<String>,
    /// What Perplexity has in place of a model.
    preset: Option<String>,
    input: Value,
    instructions: Option<String>,
    tools: Option<Vec<ToolBody>>,
    tool_choice: Option<Value>,
    parallel_tool_calls: Option<bool>,
    text: Option<TextBody>,
    /// Where Perplexity has the schema.
    #[serde(rename = "response_format")]
    format: Option<ResponseFormat>,
    previous_response_id: Option<String>,
    conversation: Option<Value>,
    max_output_tokens: Option<u32>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    top_logprobs: Option<u32>,
    reasoning: Option<ReasoningBody>,
    metadata: Option<Value>,
    user: Option<Value>,
    stream: Option<bool>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
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
    #[serde(default)]
    format: Value,
}

/// Reads the body of `/v1/responses`, and what its answer repeats of it.
pub fn read(bytes: &[u8]) -> Result<(ClientRequest, Echo), ClientError> {
    let body: ResponseBody = body(bytes)?;
    let model = body.model.clone().ok_or_else(|| ClientError::invalid("`model` is missing"))?;
    request(body, model)
}

/// Reads the body of Perplexity's `/v1/agent`, which names a model or a preset.
pub fn read_agent(bytes: &[u8]) -> Result<(ClientRequest, Echo), ClientError> {
    let body: ResponseBody = body(bytes)?;
    let model = body.model.clone().or_else(|| body.preset.clone());
    request(body, model.unwrap_or_else(|| "sonar".to_owned()))
}

fn request(body: ResponseBody, model: String) -> Result<(ClientRequest, Echo), ClientError> {
    for (name, is_there) in [
        ("previous_response_id", body.previous_response_id.is_some()),
        ("conversation", body.conversation.is_some_and(|it| !it.is_null())),
    ] {
        if is_there {
            return Err(ClientError::invalid(format!(
                "answers are not stored here: send the earlier turns instead of `{name}`"
            )));
        }
    }
    refuse(&[("top_logprobs", body.top_logprobs.is_some_and(|it| it > 0))])?;
    let echo = Echo {
        instructions: body.instructions.clone(),
        max_output_tokens: body.max_output_tokens,
        metadata: body.metadata,
        reasoning: body.reasoning.clone(),
        temperature: body.temperature.and_then(short),
        top_p: body.top_p.and_then(short),
        user: body.user,
    };
    let effort = body.reasoning.and_then(|it| it.effort);
    let effort = effort.as_deref();
    let usual = sampling(body.temperature, body.top_p);
    let usual = Sampling { thinking: thinking(effort), ..usual };
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
    let request = ClientRequest {
        model,
        messages: content::turns(messages)?,
        form: content::form(tools, choice, format)?
            .calling_once(body.parallel_tool_calls == Some(false)),
        sampling: usual,
        seed: None,
        max_tokens: body.max_output_tokens,
        stop: Vec::new(),
        with_reasoning: effort != Some("none"),
        stream: body.stream.unwrap_or(false),
    };
    Ok((request, echo))
}

/// A number as people write it: `0.3`, not the nearest `f32` with all its digits.
fn short(number: f32) -> Option<f64> {
    number.to_string().parse().ok()
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
        let Self { r#type, name, description, parameters, format } = self;
        let is_clients = matches!(r#type.as_deref(), None | Some("function" | "custom"));
        if !is_clients && (name.is_none() || parameters.is_none()) {
            return None;
        }
        let is_custom = r#type.as_deref() == Some("custom");
        Some(content::named(name).map(|name| {
            if is_custom {
                return content::custom_tool(name, description, &format);
            }
            Tool {
                name,
                description: description.unwrap_or_default(),
                parameters: parameters.unwrap_or_else(|| json!({"type": "object"})),
                is_custom,
            }
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
            let output = item.get("output").unwrap_or(&Value::Null);
            let id = Some(text("call_id")).filter(|it| !it.is_empty()).unwrap_or(text("id"));
            content::answered(Some(id), "", output).map(Some)
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
