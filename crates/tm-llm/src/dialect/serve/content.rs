//! Parts that the protocols spell alike: message contents, turns, tools.

use std::collections::VecDeque;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json, value::RawValue};

use super::{AnswerForm, ClientError, Tool, ToolCall, ToolChoice};
use crate::chat::{Image, Message, Part, Role};

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

/// What a user says, in words and pictures.
pub(super) fn said(content: &Value) -> Result<Message, ClientError> {
    let (mut parts, mut words) = (Vec::new(), Vec::new());
    let Value::Array(given) = content else { return Ok(Message::user(text(content)?)) };
    for it in given {
        if let Some(image) = image(it)? {
            parts.push(Part::Image(image));
        } else if let Some(text) = part(it)? {
            words.push(text.clone());
            parts.push(Part::Text(text));
        }
    }
    let message = Message::user(words.join("\n"));
    let has_images = parts.iter().any(|it| matches!(it, Part::Image(_)));
    Ok(if has_images { message.with_parts(parts) } else { message })
}

/// A picture as the protocols have it: a part of OpenAI's two, or a block of Anthropic's.
fn image(part: &Value) -> Result<Option<Image>, ClientError> {
    let text = |place: &str| part.pointer(place).and_then(Value::as_str).map(str::to_owned);
    let found = match part.get("type").and_then(Value::as_str) {
        Some("image_url") => text("/image_url/url").and_then(picture),
        Some("input_image") => text("/image_url").and_then(picture),
        Some("image") => text("/source/url").and_then(picture).or_else(|| {
            let (media_type, data) = (text("/source/media_type")?, text("/source/data")?);
            Some(Image::Inline { media_type, data })
        }),
        Some(_) | None => return Ok(None),
    };
    let found = found.ok_or_else(|| ClientError::invalid("an image has no data and no address"));
    found.map(Some)
}

/// A picture by its URL, which may have all of it.
fn picture(url: String) -> Option<Image> {
    if let Some((media_type, data)) =
        url.strip_prefix("data:").and_then(|it| it.split_once(";base64,"))
    {
        return Some(Image::Inline { media_type: media_type.to_owned(), data: data.to_owned() });
    }
    let is_known = url.starts_with("https://") || url.starts_with("http://");
    is_known.then_some(Image::Elsewhere { url })
}

/// A picture in Base64 alone, of the kind that its first bytes tell.
pub(super) fn bare_image(data: &str) -> Image {
    let kinds = [("/9j/", "image/jpeg"), ("R0lGOD", "image/gif"), ("UklGR", "image/webp")];
    let kind = kinds.iter().find(|(start, _)| data.starts_with(start));
    let media_type = kind.map_or("image/png", |(_, kind)| *kind).to_owned();
    Image::Inline { media_type, data: data.to_owned() }
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
        Some("document") => document(part).map(Some),
        Some(other) => Err(ClientError::invalid(format!(
            "a part of type `{other}` cannot be read here: send text, or images in the user's turns"
        ))),
        None => Err(ClientError::invalid("a part of a message's content has no type")),
    }
}

/// The words of a document of Anthropic's, with what it is called.
fn document(part: &Value) -> Result<String, ClientError> {
    let source = part.get("source").unwrap_or(&Value::Null);
    let words = match source.get("type").and_then(Value::as_str) {
        Some("text") => source.get("data").and_then(Value::as_str).map(str::to_owned),
        Some("content") => Some(text(source.get("content").unwrap_or(&Value::Null))?),
        Some(_) | None => None,
    };
    let words = words.ok_or_else(|| {
        ClientError::invalid("a document can be read here as text alone: send its words")
    })?;
    let about = ["title", "context"].map(|it| part.get(it).and_then(Value::as_str));
    let about: Vec<&str> = about.into_iter().flatten().collect();
    Ok(about.into_iter().chain([words.as_str()]).collect::<Vec<_>>().join("\n"))
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

/// The same where it may have brought pictures as well, as the protocols have them.
pub(super) fn answered(
    id: Option<&str>,
    name: &str,
    content: &Value,
) -> Result<Message, ClientError> {
    let said = said(content)?;
    let mut message = result(id, name, &said.content);
    message.parts.extend(said.images().cloned().map(Part::Image));
    Ok(message)
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
            Part::Text(_) | Part::Image(_) | Part::Tools { .. } => {}
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
        } else if !is_nothing(&message) || turns.is_empty() {
            turns.push(message);
        }
    }
    if turns.iter().all(is_nothing) && system.trim().is_empty() {
        return Err(ClientError::invalid("the messages say nothing"));
    }
    match_up(&mut turns);
    if !system.is_empty() {
        turns.insert(0, Message::system(system));
    }
    Ok(turns)
}

fn is_nothing(message: &Message) -> bool {
    message.content.trim().is_empty() && message.parts.is_empty()
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
        Some(ToolChoice::Required) if tools.is_empty() => Err(ClientError::invalid(
            "`tool_choice` wants a tool to be called, and there is none that can be called here",
        )),
        Some(choice) if !tools.is_empty() => {
            Ok(AnswerForm::Tools { tools, choice, is_single: false })
        }
        Some(_) | None => Ok(without),
    }
}

/// What OpenAI's choices say; none is that nothing is called. A choice among some of the tools leaves
/// those.
pub(super) fn chosen(
    choice: Option<&Value>,
    tools: &mut Vec<Tool>,
    named: fn(&Value) -> Result<ToolChoice, ClientError>,
) -> Result<Option<ToolChoice>, ClientError> {
    match choice {
        None | Some(Value::Null) => Ok(Some(ToolChoice::Auto)),
        Some(Value::String(word)) => self::choice(word),
        Some(among) if among.get("type").is_some_and(|it| it == "allowed_tools") => {
            let among = among.get("allowed_tools").unwrap_or(among);
            let names = among.get("tools").and_then(Value::as_array).into_iter().flatten();
            let names: Vec<&str> = names.filter_map(tool_name).collect();
            tools.retain(|it| names.contains(&it.name.as_str()));
            self::choice(among.get("mode").and_then(Value::as_str).unwrap_or("auto"))
        }
        Some(other) => named(other).map(Some),
    }
}

/// The name of a tool, in whichever place it is.
pub(super) fn tool_name(tool: &Value) -> Option<&str> {
    let places = ["/function/name", "/custom/name", "/name"];
    places.iter().find_map(|it| tool.pointer(it)?.as_str())
}

/// A tool that takes a text and nothing else. Models are told the grammar of that text, if there is
/// one; nothing holds them to it.
pub(super) fn custom_tool(name: String, description: Option<String>, format: &Value) -> Tool {
    let mut description = description.unwrap_or_default();
    let grammar = ["/definition", "/grammar/definition"].map(|it| format.pointer(it));
    if let Some(grammar) = grammar.into_iter().flatten().find_map(Value::as_str) {
        append(&mut description, &format!("The input has this form:\n{grammar}"));
    }
    let parameters = json!({
        "type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"],
        "additionalProperties": false
    });
    Tool { name, description, parameters, is_custom: true }
}

/// A call of such a tool.
pub(super) fn custom_call(name: &str, input: &str) -> ToolCall {
    ToolCall { name: name.to_owned(), arguments: json!({ "input": input }).to_string() }
}

/// The text of such a call; all that the model wrote, where that is something else.
pub(super) fn custom_input(call: &ToolCall) -> String {
    let arguments: Option<Value> = serde_json::from_str(&call.arguments).ok();
    let input = arguments.as_ref().and_then(|it| it.get("input")?.as_str());
    input.unwrap_or(&call.arguments).to_owned()
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
