//! Tools in the words that servers have for them: what they are told, and the calls that come back.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::{Fault, Question};
use crate::chat::{Image, Message, Part, Role, Tool, ToolCall};

/// Who spells calls and what came of them how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// Arguments are a text, and calls have ids.
    OpenAi,
    /// Arguments are an object, and tools are known by name.
    Ollama,
}

/// A call that may go on.
#[derive(Debug, Default)]
pub(super) struct Begun {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
}

/// Some of a call, as both protocols have it.
#[derive(Debug, Deserialize)]
pub(super) struct Heard<'a> {
    index: Option<u64>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    function: Option<HeardFunction<'a>>,
}

#[derive(Debug, Deserialize)]
struct HeardFunction<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    /// JSON, or JSON in a text that may come in pieces.
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

/// The tools of a question, where they are told natively.
pub(super) fn told(question: &Question<'_>) -> Option<Value> {
    let offered = question.told_tools()?;
    let tool = |it: &Tool| {
        let Tool { name, description, parameters, is_custom: _ } = it;
        let function = json!({"name": name, "description": description, "parameters": parameters});
        json!({"type": "function", "function": function})
    };
    Some(offered.tools.iter().map(tool).collect())
}

impl Spelling {
    /// A turn, in as many messages as it takes.
    pub(super) fn turns(self, message: &Message) -> Vec<Value> {
        let (mut texts, mut calls, mut turns) = (Vec::new(), Vec::new(), Vec::new());
        let has_images = message.images().next().is_some();
        for part in message.clone().into_parts() {
            match part {
                Part::Text(text) => texts.push(text),
                Part::Call { id, call } => calls.push(self.call(&id, &call)),
                Part::Result { id, name, text } => turns.push(self.result(&id, &name, &text)),
                Part::Image(_) | Part::Tools { .. } => {}
            }
        }
        let text = texts.join("\n\n");
        let role = message.role.name();
        if !calls.is_empty() && message.role == Role::Assistant {
            turns.push(json!({"role": role, "content": text, "tool_calls": calls}));
        } else if !text.is_empty() || has_images {
            turns.push(self.words(message.role, &text, message.images()));
        }
        turns
    }

    /// A turn of words and pictures.
    pub(super) fn words<'a>(
        self,
        role: Role,
        text: &str,
        images: impl Iterator<Item = &'a Image>,
    ) -> Value {
        let role = role.name();
        let images: Vec<Value> = images.map(|it| self.image(it)).collect();
        match self {
            _ if images.is_empty() => json!({"role": role, "content": text}),
            Self::OpenAi => {
                let text = (!text.is_empty()).then(|| json!({"type": "text", "text": text}));
                let parts: Vec<Value> = text.into_iter().chain(images).collect();
                json!({"role": role, "content": parts})
            }
            Self::Ollama => json!({"role": role, "content": text, "images": images}),
        }
    }

    fn image(self, image: &Image) -> Value {
        match (self, image) {
            (Self::OpenAi, Image::Inline { media_type, data }) => {
                let url = format!("data:{media_type};base64,{data}");
                json!({"type": "image_url", "image_url": {"url": url}})
            }
            (Self::OpenAi, Image::Elsewhere { url }) => {
                json!({"type": "image_url", "image_url": {"url": url}})
            }
            (Self::Ollama, Image::Inline { data, .. }) => json!(data),
            (Self::Ollama, Image::Elsewhere { url }) => json!(url),
        }
    }

    fn call(self, id: &str, call: &ToolCall) -> Value {
        let ToolCall { name, arguments } = call;
        match self {
            Self::OpenAi => {
                let function = json!({"name": name, "arguments": arguments});
                json!({"id": id, "type": "function", "function": function})
            }
            Self::Ollama => {
                let arguments: Value = serde_json::from_str(arguments).unwrap_or_default();
                json!({"function": {"name": name, "arguments": arguments}})
            }
        }
    }

    fn result(self, id: &str, name: &str, text: &str) -> Value {
        match self {
            Self::OpenAi => json!({"role": "tool", "tool_call_id": id, "content": text}),
            Self::Ollama => json!({"role": "tool", "tool_name": name, "content": text}),
        }
    }
}

impl Begun {
    /// A call of which nobody says that it is another one's rest.
    pub(super) fn new(name: String, arguments: String) -> Self {
        Self { name, arguments, ..Self::default() }
    }

    pub(super) fn go_on(&mut self, arguments: &str) {
        self.arguments.push_str(arguments);
    }
}

/// Takes note of more of a call.
pub(super) fn hear(calls: &mut Vec<Begun>, heard: Heard<'_>) {
    let Heard { index, id, function } = heard;
    let (name, arguments) = function.map(|it| (it.name, it.arguments)).unwrap_or_default();
    let (id, name) = (id.unwrap_or_default(), name.unwrap_or_default());
    let goes_on = |it: &Begun| {
        let is_same = it.id.is_empty() || id.is_empty() || it.id == id;
        let has_place = if index.is_some() { it.index == index } else { name.is_empty() };
        has_place && is_same
    };
    let at = calls.iter().rposition(goes_on).unwrap_or(calls.len());
    if at == calls.len() {
        calls.push(Begun { index, ..Begun::default() });
    }
    let Some(call) = calls.get_mut(at) else { return };
    if call.id.is_empty() {
        call.id.push_str(&id);
    }
    call.name.push_str(&name);
    let written = arguments.map_or("", RawValue::get);
    match serde_json::from_str::<Cow<'_, str>>(written) {
        Ok(text) => call.arguments.push_str(&text),
        Err(_) if written == "null" => {}
        Err(_) => call.arguments.push_str(written),
    }
}

/// The calls of an answer that has ended. Of one that was cut, the last may not be whole and is none.
pub(super) fn finished(calls: Vec<Begun>, is_cut: bool) -> Result<Vec<ToolCall>, Fault> {
    let mut whole = Vec::new();
    for Begun { name, mut arguments, .. } in calls {
        if arguments.trim().is_empty() {
            "{}".clone_into(&mut arguments);
        }
        if serde_json::from_str::<&RawValue>(&arguments).is_ok() {
            whole.push(ToolCall { name, arguments });
        } else if !is_cut {
            return Err(Fault::garbage(format!("it calls {name} with what is not JSON")));
        }
    }
    Ok(whole)
}

#[cfg(test)]
mod tests;
