//! The other direction of the dialects: what clients ask of us, and what they are answered.
//!
//! Pure: bytes become a [`ClientRequest`], an [`Answer`] becomes bytes, in the words of the
//! protocol that the client speaks. Sockets and models are somebody else's. A protocol is a
//! `read` function and a [`Writer`]; start at [`openai`], the most common one.

use serde_json::Value;

pub use crate::chat::{Tool, ToolCall, ToolChoice};
use crate::{
    backend::BackendError,
    chat::{FinishReason, Message, Sampling, Thinking, Usage},
};

pub mod anthropic;
mod content;
pub mod embeddings;
pub mod ollama;
pub mod openai;
pub mod rerank;
pub mod responses;
pub mod tools;

/// What a client asks, whatever it speaks.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientRequest {
    /// The model as the client names it.
    pub model: String,
    pub messages: Vec<Message>,
    /// What form the answer must have.
    pub form: AnswerForm,
    /// Its seed is the usual one.
    pub sampling: Sampling,
    /// The client's own. Without one, each answer is drawn anew.
    pub seed: Option<u64>,
    /// As many tokens as fit without it.
    pub max_tokens: Option<u32>,
    /// The answer ends before any of these texts.
    pub stop: Vec<String>,
    /// The client wants to see what the model thinks.
    pub with_reasoning: bool,
    pub stream: bool,
}

/// What an answer must look like.
#[derive(Debug, Clone, PartialEq)]
pub enum AnswerForm {
    Text,
    /// One JSON document that fits this schema.
    Json(Value),
    /// A call of one of these tools, or, where the choice allows it, text.
    Tools {
        tools: Vec<Tool>,
        choice: ToolChoice,
        /// One call an answer.
        is_single: bool,
    },
}

impl AnswerForm {
    /// The same with one call an answer, where the client wants no more.
    fn calling_once(mut self, is_wanted: bool) -> Self {
        if let Self::Tools { is_single, .. } = &mut self {
            *is_single |= is_wanted;
        }
        self
    }

    /// The names of the tools whose calls are told as a text.
    pub fn custom_tools(&self) -> Vec<String> {
        let Self::Tools { tools, .. } = self else { return Vec::new() };
        tools.iter().filter(|it| it.is_custom).map(|it| it.name.clone()).collect()
    }
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What the model thought before it answered, where that is known.
    pub reasoning: String,
    pub text: String,
    /// What it would have the client do, after the text.
    pub calls: Vec<ToolCall>,
    pub finish: FinishReason,
    /// The client's text that ended it, where one did.
    pub stopped_by: Option<String>,
    pub usage: Usage,
}

/// Facts that every piece of one answer carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Letters and digits, without the prefix that a protocol gives it.
    pub id: String,
    /// Seconds since 1970.
    pub created: i64,
    /// The model as the client named it.
    pub model: String,
}

/// Why a client gets no answer, sorted by what the client can do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The request must change.
    #[error("{message}")]
    Invalid { message: String },
    /// The prompt must become shorter.
    #[error(
        "the prompt has {}{prompt_tokens} tokens, which leaves no room for an answer: \
         {limit} is the most that {model} takes",
        if *is_estimate { "about " } else { "" }
    )]
    TooLong { model: String, prompt_tokens: u32, is_estimate: bool, limit: u32 },
    /// The body is longer than is read.
    #[error("the request is longer than is read here")]
    TooLarge,
    /// No endpoint is there.
    #[error("{message}")]
    NoEndpoint { message: String },
    #[error("there is no model {model}")]
    NoModel { model: String },
    /// Nobody here knows what is asked for.
    #[error("{message}")]
    Unsupported { message: String },
    /// The request may be sent again later.
    #[error("{message}")]
    Busy { message: String, retry_after_s: u64 },
    #[error("the key is missing or not known here")]
    Unauthorized,
    #[error("the key is not good for the model {model}")]
    Forbidden { model: String },
    #[error("only pages and programs of this machine are served")]
    Elsewhere,
    #[error("there were more requests than the key allows: try again in {retry_after_s} s")]
    TooMany { retry_after_s: u64 },
    /// The model failed.
    #[error("{message}")]
    Failed { message: String },
    #[error("{message}")]
    TimedOut { message: String },
}

/// Writes one answer in the words of a protocol.
///
/// A stream is `begin`, any number of `reasoning`, any number of `text`, then `end` or `error`, and
/// `waiting` anywhere between; a whole answer is `whole`.
pub trait Writer: Send {
    /// What a stream is called in HTTP.
    fn stream_type(&self) -> &'static str;
    fn begin(&mut self) -> Vec<u8>;
    /// What whoever reads the stream passes over, where the protocol has such words.
    fn comment(&self, text: &str) -> Vec<u8> {
        format!(": {text}\n\n").into_bytes()
    }
    /// Says that the answer is worked on.
    fn waiting(&self) -> Vec<u8> {
        self.comment("waiting")
    }
    /// More of what the model thinks before it answers.
    fn reasoning(&mut self, delta: &str) -> Vec<u8>;
    fn text(&mut self, delta: &str) -> Vec<u8>;
    /// Ends the stream; `answer` holds all of the text again, and tool calls for the first time.
    fn end(&mut self, answer: &Answer) -> Vec<u8>;
    /// Ends a stream that has begun.
    fn error(&mut self, error: &ClientError) -> Vec<u8>;
    fn whole(&mut self, answer: &Answer) -> String;
}

/// Tells everything but what the model thought.
#[derive(Debug)]
pub struct WithoutReasoning<W: ?Sized>(pub Box<W>);

impl<W: Writer + ?Sized> Writer for WithoutReasoning<W> {
    fn stream_type(&self) -> &'static str {
        self.0.stream_type()
    }

    fn begin(&mut self) -> Vec<u8> {
        self.0.begin()
    }

    fn comment(&self, text: &str) -> Vec<u8> {
        self.0.comment(text)
    }

    fn waiting(&self) -> Vec<u8> {
        self.0.waiting()
    }

    fn reasoning(&mut self, _delta: &str) -> Vec<u8> {
        Vec::new()
    }

    fn text(&mut self, delta: &str) -> Vec<u8> {
        self.0.text(delta)
    }

    fn end(&mut self, answer: &Answer) -> Vec<u8> {
        self.0.end(&Answer { reasoning: String::new(), ..answer.clone() })
    }

    fn error(&mut self, error: &ClientError) -> Vec<u8> {
        self.0.error(error)
    }

    fn whole(&mut self, answer: &Answer) -> String {
        self.0.whole(&Answer { reasoning: String::new(), ..answer.clone() })
    }
}

impl Identity {
    /// The id of one of an answer's tool calls, with what a protocol puts in front of it.
    fn call_id(&self, prefix: &str, at: usize) -> String {
        let more = if at == 0 { String::new() } else { format!("_{at}") };
        format!("{prefix}_{}{more}", self.id)
    }
}

impl ClientError {
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid { message: message.into() }
    }

    /// One word for it: for counting.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::TooLong { .. } => "context_overflow",
            Self::TooLarge => "too_large",
            Self::NoEndpoint { .. } => "endpoint_missing",
            Self::NoModel { .. } => "model_missing",
            Self::Unsupported { .. } => "unsupported",
            Self::Busy { .. } => "busy",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden { .. } => "forbidden",
            Self::Elsewhere => "elsewhere",
            Self::TooMany { .. } => "rate",
            Self::Failed { .. } => "failed",
            Self::TimedOut { .. } => "timeout",
        }
    }

    /// The HTTP status that says so.
    pub fn status(&self) -> u16 {
        match self {
            Self::Invalid { .. } | Self::TooLong { .. } => 400,
            Self::Unauthorized => 401,
            Self::Forbidden { .. } | Self::Elsewhere => 403,
            Self::TooMany { .. } => 429,
            Self::NoModel { .. } | Self::NoEndpoint { .. } => 404,
            Self::TooLarge => 413,
            Self::Unsupported { .. } => 501,
            Self::Busy { .. } => 503,
            Self::Failed { .. } => 502,
            Self::TimedOut { .. } => 504,
        }
    }
}

impl From<BackendError> for ClientError {
    fn from(error: BackendError) -> Self {
        let message = error.to_string();
        match error {
            BackendError::ContextOverflow { model, prompt_tokens, is_estimate, limit, .. } => {
                Self::TooLong { model, prompt_tokens, is_estimate, limit }
            }
            BackendError::Refused { .. } => Self::Invalid { message },
            BackendError::Busy { retry_after, .. } => {
                let retry_after_s = retry_after.map_or(1, |it| it.as_secs().max(1));
                Self::Busy { message, retry_after_s }
            }
            BackendError::OutOfMemory { .. } | BackendError::Unreachable { .. } => {
                Self::Busy { message, retry_after_s: 30 }
            }
            BackendError::DeadlineExceeded { .. } => Self::TimedOut { message },
            BackendError::ModelMissing { model, .. } => Self::NoModel { model },
            BackendError::NoEmbeddings { .. } => Self::Unsupported {
                message: format!(
                    "{message}: give the project a model that does, as `models.embedding` in its \
                     configuration"
                ),
            },
            BackendError::NoReranking { .. } => Self::Unsupported {
                message: format!(
                    "{message}: name a server that does as `models.rerank` in the project's \
                     configuration"
                ),
            },
            // The key that is missing is ours, not the client's.
            BackendError::Load { .. }
            | BackendError::Unauthorized { .. }
            | BackendError::NotLocal { .. }
            | BackendError::EmptyAnswer { .. }
            | BackendError::Broken { .. }
            | BackendError::Reported { .. } => Self::Failed { message },
        }
    }
}

/// Reads a body, and says in which place it is wrong.
fn body<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(bytes).map_err(|error| {
        ClientError::invalid(format!("the body is not what this endpoint takes: {error}"))
    })
}

/// Adds a value that can only be written.
fn push_json(bytes: &mut Vec<u8>, value: &impl serde::Serialize) {
    // Writing to memory does not fail.
    _ = serde_json::to_writer(bytes, value);
}

/// What can always be written, in one line of JSON.
fn json_text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// One server-sent event.
fn event(name: Option<&str>, data: &impl serde::Serialize) -> Vec<u8> {
    let name = name.map(|it| format!("event: {it}\n")).unwrap_or_default();
    format!("{name}data: {}\n\n", json_text(data)).into_bytes()
}

/// How much a model is to think by what OpenAI's clients call the effort.
fn thinking(effort: Option<&str>) -> Thinking {
    effort.map_or(Thinking::Off, |it| Thinking::of(it).unwrap_or(Thinking::On))
}

/// The sampling of a request that names only some of it.
fn sampling(temperature: Option<f32>, top_p: Option<f32>) -> Sampling {
    let usual = Sampling::default();
    Sampling {
        temperature: temperature.filter(|it| it.is_finite() && *it >= 0.0).unwrap_or(0.7),
        top_p: top_p.filter(|it| *it > 0.0 && *it <= 1.0).unwrap_or(usual.top_p),
        ..usual
    }
}

/// What is less common: which tokens may be drawn, and what becomes of those that were.
#[derive(Debug, Default, serde::Deserialize)]
struct Fine {
    /// Less than nothing is how some clients say that there is no limit.
    top_k: Option<i64>,
    min_p: Option<f32>,
    #[serde(alias = "repetition_penalty")]
    repeat_penalty: Option<f32>,
    frequency_penalty: Option<f32>,
    presence_penalty: Option<f32>,
}

impl Fine {
    fn refine(&self, usual: &Sampling) -> Sampling {
        let penalty = |it: Option<f32>, usual| it.filter(|it| it.abs() <= 2.0).unwrap_or(usual);
        Sampling {
            top_k: self.top_k.map_or(usual.top_k, |it| u32::try_from(it).unwrap_or(0)),
            min_p: self.min_p.filter(|it| (0.0..=1.0).contains(it)).unwrap_or(usual.min_p),
            repeat_penalty: self
                .repeat_penalty
                .filter(|it| it.is_finite() && *it > 0.0)
                .unwrap_or(usual.repeat_penalty),
            frequency_penalty: penalty(self.frequency_penalty, usual.frequency_penalty),
            presence_penalty: penalty(self.presence_penalty, usual.presence_penalty),
            ..usual.clone()
        }
    }
}

/// What would change the meaning of an answer, and nobody here can do.
fn refuse(wanted: &[(&str, bool)]) -> Result<(), ClientError> {
    match wanted.iter().find(|(_, is_wanted)| *is_wanted) {
        Some((name, _)) => {
            Err(ClientError::invalid(format!("`{name}` cannot be followed here: leave it out")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
