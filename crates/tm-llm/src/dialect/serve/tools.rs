//! Tools for models that know of none: a call is an answer that fits a schema.
//!
//! The model is told what it can call, and may only write a call (or, where the choice allows it,
//! a reply), so that no model has to know a format and no call has wrong arguments. What it writes
//! is read by [`Reading`].

use std::{borrow::Cow, fmt::Write as _};

use serde_json::{Value, json};

use super::{AnswerForm, Tool, ToolChoice, content::append};
use crate::chat::{Message, Part, Role};
pub use reading::Reading;

mod reading;

/// The schema that holds an answer of this form.
pub fn schema(form: &AnswerForm) -> Option<Value> {
    match form {
        AnswerForm::Text => None,
        AnswerForm::Json(schema) => Some(schema.clone()),
        AnswerForm::Tools { tools, choice, .. } => Some(match named(tools, choice) {
            Some(tool) => tool.parameters.clone(),
            None => union(tools, *choice == ToolChoice::Auto),
        }),
    }
}

/// The messages with what the model has to know about the form.
pub fn instruct<'a>(messages: &'a [Message], form: &AnswerForm) -> Cow<'a, [Message]> {
    let AnswerForm::Tools { tools, choice, is_single } = form else { return messages.into() };
    let mut messages = messages.to_vec();
    let mut text = String::from("You can call these tools:\n");
    for tool in tools {
        let Tool { name, description, parameters, is_custom: _ } = tool;
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
    let has_system = messages.first().is_some_and(|it| it.role == Role::System);
    if !has_system {
        messages.insert(0, Message::system(""));
    }
    if let Some(system) = messages.first_mut() {
        let mut parts = system.clone().into_parts();
        let (tools, choice) = (tools.clone(), choice.clone());
        parts.push(Part::Tools { tools, choice, is_single: *is_single });
        append(&mut system.content, &text);
        system.parts = parts;
    }
    messages.into()
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
