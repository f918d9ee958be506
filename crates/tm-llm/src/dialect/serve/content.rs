//! Parts that the protocols spell alike: message contents, turns, tools.

use std::collections::VecDeque;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json, value::RawValue};

use super::{AnswerForm, ClientError, Tool, ToolCall, ToolChoice};
use crate::chat::{Message, Part, Role};

/// One text, or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub(super) fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::Many(texts) => texts,
        }
    }
}

/// The words of a content that is a text or a list of parts.
pub(super) fn text(content: &Value) -> Result<String, ClientError> {
    match content {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.clone()),
        Value::Array(parts) => {
            let texts: Result<Vec<_>, _> = parts.iter().map(part).collect();
            Ok(texts?.into_iter().flatten().collect::<Vec<_>>().join("\n"))
        }
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            Err(ClientError::invalid("a message's content is a text or a list of parts"))
        }
    }
}

/// What a part of a body says, read on its own.
pub(super) fn json<T: DeserializeOwned>(raw: &RawValue) -> Result<T, ClientError> {
    serde_json::from_str(raw.get())
        .map_err(|error| ClientError::invalid(format!("a message cannot be read: {error}")))
}

/// `None` for a part that says nothing to a model.
fn part(part: &Value) -> Result<Option<String>, ClientError> {
    if let Some(text) = part.as_str() {
        return Ok(Some(text.to_owned()));
    }
    match part.get("type").and_then(Value::as_str) {
        Some("text" | "input_text" | "output_text") => {
            Ok(part.get("text").and_then(Value::as_str).map(str::to_owned))
        }
        // What a model thought earlier is not told to it again.
        Some("thinking" | "redacted_thinking" | "reasoning") => Ok(None),
        Some(other) => Err(ClientError::invalid(format!(
            "a part of type `{other}` cannot be read by the local models: send text"
        ))),
        None => Err(ClientError::invalid("a part of a message's content has no type")),
    }
}

/// A turn in which the model said something and called tools, in the words in which it would have
/// done so. Calls come with the ids that the client gave them, where it did.
pub(super) fn called(text: String, calls: Vec<(String, ToolCall)>) -> Message {
    let written = calls
        .iter()
        .map(|(_, it)| format!("{{\"tool\":{},\"arguments\":{}}}", json!(it.name), it.arguments));
    let said = std::iter::once(text.clone()).chain(written).filter(|it| !it.is_empty());
    let message = Message::assistant(said.collect::<Vec<_>>().join("\n"));
    if calls.is_empty() {
        return message;
    }
    let text = Some(text).filter(|it| !it.is_empty()).map(Part::Text);
    let calls = calls.into_iter().map(|(id, call)| Part::Call { id, call });
    message.with_parts(text.into_iter().chain(calls).collect())
}

/// A call that the model made. Arguments are JSON or JSON in a text, and stay as they were written.
pub(super) fn call(name: &str, arguments: Option<&RawValue>) -> ToolCall {
    let written = arguments.map_or("null", RawValue::get);
    let text: Option<String> = serde_json::from_str(written).ok();
    let inner: Option<&RawValue> = text.as_deref().and_then(|it| serde_json::from_str(it).ok());
    let arguments = inner.map_or(written, RawValue::get).to_owned();
    ToolCall { name: name.to_owned(), arguments }
}

/// What a tool answered, as a turn of the user.
pub(super) fn result(id: Option<&str>, name: &str, content: &str) -> Message {
    let of = if name.is_empty() { String::new() } else { format!(" of {name}") };
    let part = Part::Result {
        id: id.unwrap_or_default().to_owned(),
        name: name.to_owned(),
        text: content.to_owned(),
    };
    Message::user(format!("Result{of}:\n{content}")).with_parts(vec![part])
}

/// Calls without an id get one, and what came of them the same, in their order; results without a
/// name get that of their call.
fn match_up(turns: &mut [Message]) {
    let mut open: VecDeque<(String, String)> = VecDeque::new();
    let mut made = 0;
    for part in turns.iter_mut().flat_map(|it| &mut it.parts) {
        match part {
            Part::Call { id, call } => {
                if id.is_empty() {
                    *id = format!("call_{made}");
                }
                made += 1;
                open.push_back((id.clone(), call.name.clone()));
            }
            Part::Result { id, name, .. } => {
                let same = |(of, by): &(String, String)| {
                    if id.is_empty() { name.is_empty() || by == name } else { of == id }
                };
                let at = open.iter().position(same);
                let Some((of, by)) = at.and_then(|at| open.remove(at)) else { continue };
                *id = of;
                if name.is_empty() {
                    *name = by;
                }
            }
            Part::Text(_) | Part::Tools { .. } => {}
        }
    }
}

/// Turns in the form that every chat template takes: one system message first, then the user and
/// the model, taking turns.
pub(super) fn turns(messages: Vec<Message>) -> Result<Vec<Message>, ClientError> {
    let mut system = String::new();
    let mut turns: Vec<Message> = Vec::new();
    for message in messages {
        if message.role == Role::System {
            append(&mut system, &message.content);
        } else if let Some(last) = turns.last_mut().filter(|it| it.role == message.role) {
            join(last, message);
        } else if !message.content.is_empty() || turns.is_empty() {
            turns.push(message);
        }
    }
    if turns.iter().all(|it| it.content.trim().is_empty()) && system.trim().is_empty() {
        return Err(ClientError::invalid("the messages say nothing"));
    }
    match_up(&mut turns);
    if !system.is_empty() {
        turns.insert(0, Message::system(system));
    }
    Ok(turns)
}

fn join(last: &mut Message, message: Message) {
    if last.parts.is_empty() && !message.parts.is_empty() {
        last.parts = last.clone().into_parts();
    }
    append(&mut last.content, &message.content);
    if !last.parts.is_empty() {
        last.parts.extend(message.into_parts());
    }
}

pub(super) fn append(text: &mut String, more: &str) {
    if !text.is_empty() && !more.is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(more);
}

/// Tools and how they may be chosen, or the form without any.
pub(super) fn form(
    tools: Vec<Tool>,
    choice: Option<ToolChoice>,
    without: AnswerForm,
) -> Result<AnswerForm, ClientError> {
    match choice {
        Some(ToolChoice::Named(name)) if tools.iter().all(|it| it.name != name) => {
            Err(ClientError::invalid(format!(
                "`tool_choice` wants `{name}`, which is not among the tools that can be called here"
            )))
        }
        Some(choice) if !tools.is_empty() => Ok(AnswerForm::Tools { tools, choice }),
        Some(_) | None => Ok(without),
    }
}

/// A choice among some of the tools, which are the only ones then; none if it is another choice.
pub(super) fn allowed(
    choice: &Value,
    tools: &mut Vec<Tool>,
) -> Result<Option<Option<ToolChoice>>, ClientError> {
    if choice.get("type").is_none_or(|it| it != "allowed_tools") {
        return Ok(None);
    }
    let among = choice.get("allowed_tools").unwrap_or(choice);
    let names = among.get("tools").and_then(Value::as_array).into_iter().flatten();
    let names: Vec<&str> = names.filter_map(tool_name).collect();
    tools.retain(|it| names.contains(&it.name.as_str()));
    let mode = among.get("mode").and_then(Value::as_str).unwrap_or("auto");
    self::choice(mode).map(Some)
}

/// The name of a tool, in whichever place it is.
pub(super) fn tool_name(tool: &Value) -> Option<&str> {
    let places = ["/function/name", "/custom/name", "/name"];
    places.iter().find_map(|it| tool.pointer(it)?.as_str())
}

/// The arguments of a tool that takes a text and nothing else.
pub(super) fn text_alone() -> Value {
    json!({
        "type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"],
        "additionalProperties": false
    })
}

/// A call of such a tool.
pub(super) fn custom_call(name: &str, input: &str) -> ToolCall {
    ToolCall { name: name.to_owned(), arguments: json!({ "input": input }).to_string() }
}

/// A tool that has to have a name.
pub(super) fn named(name: Option<String>) -> Result<String, ClientError> {
    name.ok_or_else(|| ClientError::invalid("a tool has no `name`"))
}

/// What a format with its schema beside its type asks for.
pub(super) fn format(format: &Value) -> AnswerForm {
    match format.get("type").and_then(Value::as_str) {
        Some("json_schema") => {
            AnswerForm::Json(format.get("schema").cloned().unwrap_or_else(|| json!({})))
        }
        Some("json_object") => AnswerForm::Json(json!({"type": "object"})),
        Some(_) | None => AnswerForm::Text,
    }
}

/// `none` is nothing, everything unknown is an error.
pub(super) fn choice(word: &str) -> Result<Option<ToolChoice>, ClientError> {
    match word {
        "none" => Ok(None),
        "auto" => Ok(Some(ToolChoice::Auto)),
        "required" | "any" => Ok(Some(ToolChoice::Required)),
        other => Err(ClientError::invalid(format!("`{other}` is no tool choice"))),
    }
}
