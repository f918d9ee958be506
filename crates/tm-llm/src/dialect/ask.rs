//! What servers are asked, and how they answer.
//!
//! Pure: a [`Question`] becomes a [`Call`], and what comes back becomes text, numbers or a
//! [`Fault`]. A protocol is a module with a `call` and a `read` function; which server speaks
//! which is known to [`crate::provider`]. Start at [`Dialect::call`] and [`Reader`].

use std::{borrow::Cow, collections::BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::frames::Framing;
use crate::{
    chat::{
        ChatRequest, FinishReason, Image, Message, Offered, Part, Sampling, ToolCall, ToolChoice,
        Usage,
    },
    embed::{EmbedRequest, Embeddings, Relevances, RerankRequest},
};
pub use fault::{Fault, FaultKind};

mod anthropic;
mod embed;
mod fault;
mod google;
mod ollama;
mod openai;
mod rerank;
mod schema;
mod tools;

/// The protocol that a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Chat completions, as nearly every local server has them.
    OpenAi,
    Anthropic,
    /// Ollama's own, which alone can set the context window.
    Ollama,
    Google,
}

/// How an answer is held to its schema, the strongest way first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SchemaForm {
    /// The server enforces the schema.
    Schema,
    /// The server enforces JSON and may enforce the schema that is beside it, as llama.cpp's did
    /// before it had OpenAI's form and llama-cpp-python's does; the prompt shows it as well.
    SchemaBeside,
    /// The server enforces JSON; the prompt shows the schema.
    JsonMode,
    /// The prompt shows the schema, and that is all.
    Prompt,
}

/// A request for one server.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The model as the server names it.
    pub model: &'a str,
    pub request: &'a ChatRequest,
    pub form: SchemaForm,
    /// Tools are told in the protocol's own words, and no schema is.
    pub has_tools: bool,
    /// The context window to set, in tokens, where the protocol can.
    pub window: u32,
    /// What the protocol calls the limit of an answer's length, where servers disagree.
    pub limit_name: &'a str,
    /// Whether it can go on from the middle of an answer, if it is told to.
    pub continues: bool,
    /// Members that this server has refused before.
    pub omit: &'a BTreeSet<String>,
    /// Nobody looks at the answer before the end of it. A protocol may stream it all the same.
    pub at_once: bool,
}

/// What to send: a POST below the server's base URL.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub path: String,
    pub body: Value,
}

/// Something a model said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    Text(Cow<'a, str>),
    /// It is thinking aloud, which is no part of the answer.
    Reasoning(Cow<'a, str>),
}

/// Reads the messages of one answer, streamed or whole.
#[derive(Debug)]
pub struct Reader {
    dialect: Dialect,
    so_far: SoFar,
}

/// What is known of an answer besides its text.
#[derive(Debug, Default)]
struct SoFar {
    finish: Option<FinishReason>,
    usage: Usage,
    /// Nothing more will come.
    is_over: bool,
    /// Text that is the answer only if no tool is called.
    aside: String,
    /// The answer is a call of the one tool.
    is_call: bool,
    /// Tools were told, so that each call is one of these.
    has_tools: bool,
    /// What the model wants called, as far as it came.
    calls: Vec<tools::Begun>,
}

/// A text that is not copied unless it has to be.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Word<'a>(#[serde(borrow)] Cow<'a, str>);

/// The name of the tool, or of the schema, that an answer is asked for with.
const ANSWER: &str = "answer";

impl Dialect {
    pub fn call(self, question: &Question<'_>) -> Call {
        match self {
            Self::OpenAi => openai::call(question),
            Self::Anthropic => anthropic::call(question),
            Self::Ollama => ollama::call(question),
            Self::Google => google::call(question),
        }
    }

    /// How to ask for embeddings; nothing when the protocol has none.
    pub fn embed_call(self, model: &str, request: &EmbedRequest) -> Option<Call> {
        embed::call(self, model, request)
    }

    /// The vectors in an answer to a question for `wanted` of them.
    ///
    /// # Errors
    /// [`Fault`] when these are not what was asked for.
    pub fn read_embeddings(self, body: &str, wanted: usize) -> Result<Embeddings, Fault> {
        embed::read(self, body, wanted)
    }

    /// How to ask how well texts answer a question; nothing when the protocol has no way.
    pub fn rerank_call(self, model: &str, request: &RerankRequest) -> Option<Call> {
        rerank::call(self, model, request)
    }

    /// The scores in an answer to a question for `wanted` of them.
    ///
    /// # Errors
    /// [`Fault`] when these are not what was asked for.
    pub fn read_relevances(self, body: &str, wanted: usize) -> Result<Relevances, Fault> {
        rerank::read(body, wanted)
    }

    /// The headers that say who asks, and in which version of the protocol.
    pub fn headers(self, key: Option<&str>) -> Vec<(&'static str, String)> {
        let mut headers = Vec::new();
        if self == Self::Anthropic {
            headers.push(("anthropic-version", "2023-06-01".to_owned()));
        }
        if let Some(key) = key {
            headers.push(match self {
                Self::OpenAi | Self::Ollama => ("authorization", format!("Bearer {key}")),
                Self::Anthropic => ("x-api-key", key.to_owned()),
                Self::Google => ("x-goog-api-key", key.to_owned()),
            });
        }
        headers
    }

    pub fn framing(self) -> Framing {
        match self {
            Self::OpenAi | Self::Anthropic | Self::Google => Framing::Events,
            Self::Ollama => Framing::Lines,
        }
    }

    /// Whether it has words of its own for tools that may be chosen like this. A single tool that must be
    /// called is a schema for all of them.
    pub fn has_tools(self, choice: &ToolChoice) -> bool {
        match self {
            // That something is called is sure where the model is held to it: Ollama does not know of such
            // a choice, and many servers take no notice of it.
            Self::OpenAi | Self::Ollama => *choice == ToolChoice::Auto,
            Self::Anthropic | Self::Google => !matches!(choice, ToolChoice::Named(_)),
        }
    }

    /// Whether it has a place for a picture.
    pub fn shows(self, image: &Image) -> bool {
        match self {
            Self::OpenAi | Self::Anthropic => true,
            Self::Ollama | Self::Google => matches!(image, Image::Inline { .. }),
        }
    }

    /// The next weaker form, when a server has refused one.
    pub fn weaker(self, form: SchemaForm) -> Option<SchemaForm> {
        match (self, form) {
            (Self::Anthropic, SchemaForm::Schema) | (_, SchemaForm::JsonMode) => {
                Some(SchemaForm::Prompt)
            }
            (Self::OpenAi, SchemaForm::Schema) => Some(SchemaForm::SchemaBeside),
            (_, SchemaForm::Schema | SchemaForm::SchemaBeside) => Some(SchemaForm::JsonMode),
            (_, SchemaForm::Prompt) => None,
        }
    }
}

impl Question<'_> {
    /// The messages as most protocols have them.
    fn turns(&self, spelling: tools::Spelling) -> Value {
        if self.has_tools {
            return self.request.messages.iter().flat_map(|it| spelling.turns(it)).collect();
        }
        self.messages().iter().map(|it| spelling.words(it.role, &it.content, it.images())).collect()
    }

    /// The tools that are told natively, as [`ChatRequest::tools`] has them.
    fn told_tools(&self) -> Option<Offered<'_>> {
        self.request.tools().filter(|_| self.has_tools)
    }

    /// What a turn consists of, as far as the server is told of parts: tools and what they are called with
    /// are words where it is not told of them.
    fn parts(&self, message: &Message) -> Vec<Part> {
        if self.has_tools {
            return message.clone().into_parts();
        }
        let images = message.images().cloned().map(Part::Image);
        images.chain([Part::Text(message.content.clone())]).collect()
    }

    /// The messages, with the schema shown where nobody enforces it.
    fn messages(&self) -> Cow<'_, [Message]> {
        let messages = &self.request.messages;
        let Some(schema) = self.held_to().filter(|_| self.form != SchemaForm::Schema) else {
            return messages.into();
        };
        let mut messages = messages.clone();
        if let Some(first) = messages.first_mut() {
            first.content.push_str(
                "\n\nAnswer with one JSON document and nothing else: no fences, no words around \
                 it. It must fit this JSON Schema:\n",
            );
            first.content.push_str(&schema.to_string());
        }
        messages.into()
    }

    /// The schema that the answer has to fit, whoever sees to that.
    fn held_to(&self) -> Option<&Value> {
        self.request.response_schema.as_ref().filter(|_| !self.has_tools)
    }

    /// The schema, when the server is to enforce it.
    fn schema(&self) -> Option<&Value> {
        self.held_to().filter(|_| self.form == SchemaForm::Schema)
    }

    /// The schema that goes beside JSON mode.
    fn schema_beside(&self) -> Option<&Value> {
        self.held_to().filter(|_| self.form == SchemaForm::SchemaBeside)
    }

    /// Whether the server is to enforce JSON, but no schema.
    fn is_json_mode(&self) -> bool {
        self.held_to().is_some() && self.form == SchemaForm::JsonMode
    }

    /// What a request says of tokens beyond what is usual; servers are not told of the usual.
    fn penalties(&self) -> impl Iterator<Item = (&'static str, Value)> + use<> {
        let (asked, usual) = (&self.request.sampling, Sampling::default());
        let members = [
            ("min_p", asked.min_p, usual.min_p),
            ("frequency_penalty", asked.frequency_penalty, usual.frequency_penalty),
            ("presence_penalty", asked.presence_penalty, usual.presence_penalty),
        ];
        let differs = |one: f32, other: f32| (one - other).abs() > f32::EPSILON;
        let members = members.into_iter().filter(move |(_, one, other)| differs(*one, *other));
        members.map(|(name, value, _)| (name, schema::short(value)))
    }

    fn without_omitted(&self, mut body: Value) -> Value {
        if let Some(members) = body.as_object_mut() {
            for name in self.omit {
                members.shift_remove(name);
            }
        }
        body
    }
}

impl Reader {
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect, so_far: SoFar::default() }
    }

    /// The same for an answer to a question that told of tools in the protocol's words.
    #[must_use]
    pub fn telling_tools(mut self) -> Self {
        self.so_far.has_tools = true;
        self
    }

    /// What one message of the stream says.
    ///
    /// # Errors
    /// [`Fault`] when the message reports one, or means nothing.
    pub fn read<'a>(&mut self, frame: &'a str) -> Result<Vec<Piece<'a>>, Fault> {
        match self.dialect {
            Dialect::OpenAi => openai::read(frame, &mut self.so_far),
            Dialect::Anthropic => anthropic::read(frame, &mut self.so_far),
            Dialect::Ollama => ollama::read(frame, &mut self.so_far),
            Dialect::Google => google::read(frame, &mut self.so_far),
        }
    }

    /// Whether the server has said that nothing more comes.
    pub fn is_over(&self) -> bool {
        self.so_far.is_over
    }

    /// What the model wants called, when its answer has ended.
    ///
    /// # Errors
    /// [`Fault`] where it is called with what is no JSON.
    pub fn calls(&mut self) -> Result<Vec<ToolCall>, Fault> {
        let is_cut = self.so_far.finish == Some(FinishReason::Length);
        tools::finished(std::mem::take(&mut self.so_far.calls), is_cut)
    }

    /// How the answer ended; none while it has not, whatever became of the connection.
    pub fn end(&self) -> Option<(FinishReason, Usage)> {
        self.so_far.finish.map(|finish| (finish, self.so_far.usage))
    }
}

/// A message as JSON; servers report errors in the middle of streams.
fn parse(frame: &str) -> Result<Value, Fault> {
    let value: Value = serde_json::from_str(frame)
        .map_err(|error| Fault::garbage(format!("it sent what is not JSON: {error}")))?;
    match value.get("error") {
        None | Some(Value::Null) => Ok(value),
        Some(_) => Err(fault::in_stream(&value)),
    }
}

/// A message as one of a protocol's own.
fn typed<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Fault> {
    serde_json::from_value(value).map_err(|error| {
        Fault::garbage(format!("it sent what the protocol does not have: {error}"))
    })
}

/// A message as one of a protocol's own, without a detour, where it `reports` no error.
fn message<'a, T: Deserialize<'a>>(frame: &'a str, reports: fn(&T) -> bool) -> Result<T, Fault> {
    match serde_json::from_str(frame) {
        Ok(message) if !reports(&message) => Ok(message),
        read => {
            parse(frame)?;
            read.map_err(|error| {
                Fault::garbage(format!("it sent what the protocol does not have: {error}"))
            })
        }
    }
}

/// Adds a piece, unless there is nothing in it.
fn say<'a>(
    pieces: &mut Vec<Piece<'a>>,
    make: fn(Cow<'a, str>) -> Piece<'a>,
    text: Option<impl Into<Cow<'a, str>>>,
) {
    pieces.extend(text.map(Into::into).filter(|it| !it.is_empty()).map(make));
}

#[cfg(test)]
mod tests;
