//! Tools for models that know of none: a call is an answer that fits a schema.
//!
//! The model is told what it can call, and may only write a call (or, where the choice allows it,
//! a reply), so that no model has to know a format and no call has wrong arguments.

use std::{borrow::Cow, fmt::Write as _};

use serde_json::{Value, json};

use super::{AnswerForm, ClientError, Content, Tool, ToolChoice};
use crate::chat::{FinishReason, Message, Role};

/// The schema that holds an answer of this form.
pub fn schema(form: &AnswerForm) -> Option<Value> {
    match form {
        AnswerForm::Text => None,
        AnswerForm::Json(schema) => Some(schema.clone()),
        AnswerForm::Tools { tools, choice } => Some(match named(tools, choice) {
            Some(tool) => tool.parameters.clone(),
            None => union(tools, *choice == ToolChoice::Auto),
        }),
    }
}

/// The messages with what the model has to know about the form.
pub fn instruct<'a>(messages: &'a [Message], form: &AnswerForm) -> Cow<'a, [Message]> {
    let AnswerForm::Tools { tools, choice } = form else { return messages.into() };
    let mut messages = messages.to_vec();
    let mut text = String::from("You can call these tools:\n");
    for tool in tools {
        let Tool { name, description, parameters } = tool;
        // Writing to a text does not fail.
        _ = writeln!(text, "- {name}: {description}\n  arguments: {parameters}");
    }
    match choice {
        ToolChoice::Auto => text.push_str(
            "Answer with {\"tool\": NAME, \"arguments\": {...}} to call one, or with \
             {\"reply\": TEXT} to answer in words.",
        ),
        ToolChoice::Required => {
            text.push_str("Answer with {\"tool\": NAME, \"arguments\": {...}}.");
        }
        ToolChoice::Named(name) => {
            _ = write!(text, "Answer with the arguments of {name}, as JSON.");
        }
    }
    match messages.first_mut().filter(|it| it.role == Role::System) {
        Some(system) => {
            system.content.push_str("\n\n");
            system.content.push_str(&text);
        }
        None => messages.insert(0, Message::system(text)),
    }
    messages.into()
}

/// What an answer of this form says. Of one that was cut, that is the reply as far as it came; a call
/// that is not whole is none.
///
/// # Errors
/// [`ClientError::Failed`] when it does not fit, which a backend that holds its model to a schema
/// never lets happen.
pub fn read(form: &AnswerForm, text: String, finish: FinishReason) -> Result<Content, ClientError> {
    let AnswerForm::Tools { tools, choice } = form else { return Ok(Content::Text(text)) };
    let unfit = || ClientError::Failed { message: "the model gave an unusable tool call".into() };
    let answer: Value = match serde_json::from_str(&text) {
        Ok(answer) => answer,
        Err(_) if finish == FinishReason::Length => return Ok(Content::Text(begun_reply(&text))),
        Err(_) => return Err(unfit()),
    };
    if let Some(tool) = named(tools, choice) {
        return Ok(Content::ToolCall { name: tool.name.clone(), arguments: answer });
    }
    if let Some(reply) = answer.get("reply").and_then(Value::as_str) {
        return Ok(Content::Text(reply.to_owned()));
    }
    let name = answer.get("tool").and_then(Value::as_str).ok_or_else(unfit)?;
    let known = tools.iter().any(|it| it.name == name);
    let arguments = answer.get("arguments").filter(|_| known).ok_or_else(unfit)?;
    Ok(Content::ToolCall { name: name.to_owned(), arguments: arguments.clone() })
}

/// As much of a reply as there is; nothing of anything else.
fn begun_reply(text: &str) -> String {
    let after = |text: &'_ str, mark| text.trim_start().strip_prefix(mark).map(str::len);
    let mut rest = text;
    for mark in ["{", "\"reply\"", ":", "\""] {
        let Some(left) = after(rest, mark) else { return String::new() };
        rest = rest.get(rest.len() - left..).unwrap_or_default();
    }
    // It may end in the middle of a character that is written as two escapes of six.
    let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]).rev().take(12);
    let whole =
        ends.filter_map(|end| serde_json::from_str(&format!("\"{}\"", rest.get(..end)?)).ok());
    whole.into_iter().next().unwrap_or_default()
}

fn named<'a>(tools: &'a [Tool], choice: &ToolChoice) -> Option<&'a Tool> {
    match choice {
        ToolChoice::Named(name) => tools.iter().find(|it| it.name == *name),
        ToolChoice::Auto | ToolChoice::Required => None,
    }
}

fn union(tools: &[Tool], with_reply: bool) -> Value {
    let mut choices: Vec<Value> = tools
        .iter()
        .map(|tool| object(&json!({"tool": {"const": tool.name}, "arguments": tool.parameters})))
        .collect();
    if with_reply {
        choices.push(object(&json!({"reply": {"type": "string", "minLength": 1}})));
    }
    json!({ "anyOf": choices })
}

fn object(properties: &Value) -> Value {
    let required: Vec<&String> =
        properties.as_object().map(|it| it.keys().collect()).unwrap_or_default();
    json!({
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": false
    })
}

#[cfg(test)]
mod tests;
