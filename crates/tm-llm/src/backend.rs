//! The one interface every model is reached through.
//!
//! A backend implements [`Backend`]; structured answers, repair and routing are built on top and
//! never ask which backend they have. [`remote`] is the one that reaches model servers. Start at
//! [`complete`].

use std::{path::PathBuf, time::Duration};

use async_trait::async_trait;
use futures_util::{StreamExt as _, stream::BoxStream};

use crate::{
    chat::{ChatEvent, ChatRequest, Completion, Image, Message},
    embed::{EmbedRequest, Embeddings, Relevances, RerankRequest},
    loading::{LoadError, Stay},
};

pub mod remote;

/// Facts about a model as a backend serves it: plain data, so that planning needs no calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelInfo {
    /// Who runs the model, as a configuration names it: `embedded`, `ollama`.
    pub provider: String,
    /// The model's id, such as `qwen2.5-coder-1.5b-instruct-q4_k_m`.
    pub model: String,
    /// The longest prompt and answer together, in tokens, on this machine.
    pub context_tokens: u32,
    /// How many requests are worked on together; more wait in a queue.
    pub parallel: u32,
    /// Whether it may be asked for a whole plan in one answer. Small models hold one object well
    /// and ten badly, so they are asked for one at a time.
    pub whole_answers: bool,
}

/// How an answer is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As it is written: see [`Backend::stream`].
    Streamed,
    /// In one piece, if that is less work: see [`Backend::at_once`].
    AtOnce,
}

/// The events of one answer. Dropping it cancels the request.
pub type ChatStream = BoxStream<'static, Result<ChatEvent, BackendError>>;

/// Something that answers chat requests with one model.
#[async_trait]
pub trait Backend: Send + Sync + std::fmt::Debug {
    fn info(&self) -> &ModelInfo;

    /// Loads or connects, where that was put off until now or has to be done again;
    /// [`Backend::info`] is known afterwards.
    ///
    /// # Errors
    /// Why it cannot be used.
    async fn prepare(&self) -> Result<(), BackendError> {
        Ok(())
    }

    /// Starts to answer. Dropping the stream cancels the request.
    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, BackendError>;

    /// The same for somebody who looks at nothing before the end: the answer may come in one piece
    /// where that is less work.
    async fn at_once(&self, request: ChatRequest) -> Result<ChatStream, BackendError> {
        self.stream(request).await
    }

    /// Turns texts into vectors, all of them or none.
    ///
    /// # Errors
    /// [`BackendError::NoEmbeddings`] where the backend has none.
    async fn embed(&self, _request: EmbedRequest) -> Result<Embeddings, BackendError> {
        Err(BackendError::NoEmbeddings { model: self.info().model.clone() })
    }

    /// Says how well each text answers a question.
    ///
    /// # Errors
    /// [`BackendError::NoReranking`] where the backend cannot tell.
    async fn rerank(&self, _request: RerankRequest) -> Result<Relevances, BackendError> {
        Err(BackendError::NoReranking { model: self.info().model.clone() })
    }

    /// Has the model in memory for as long as is said, where others may decide that.
    ///
    /// # Errors
    /// [`LoadError::Fixed`] where they may not.
    async fn keep(&self, _stay: Stay) -> Result<(), LoadError> {
        Err(LoadError::Fixed { kind: "another program" })
    }

    /// Whether a conversation that ends in the middle of the model's own words is gone on with
    /// from there.
    fn continues(&self) -> bool {
        false
    }

    /// Whether the model is shown a picture that a request has. One that is not would answer as if
    /// there were none, so it is not asked.
    fn can_see(&self, _image: &Image) -> bool {
        false
    }

    /// Whether it is known to be at work although nothing has come of a request for so long. A
    /// model of this process always is; a server may hang.
    async fn is_at_work(&self, _silence: Duration) -> bool {
        true
    }

    /// How many tokens `text` is for this model; an upper estimate where the backend cannot tell.
    fn count_tokens(&self, text: &str) -> u32 {
        estimated_tokens(text)
    }

    /// How many tokens these messages are as a prompt: an estimate where the backend does not know
    /// what its template adds.
    fn prompt_tokens(&self, messages: &[Message]) -> u32 {
        with_template(messages, |it| self.count_tokens(it))
    }
}

/// How many tokens messages are at most as a prompt, by the tokens of each one's text.
pub fn with_template(messages: &[Message], count: impl Fn(&str) -> u32) -> u32 {
    messages.iter().map(|it| count(&it.content) + TEMPLATE_TOKENS).sum()
}

/// Tokens that a chat template adds around each message, at most.
pub const TEMPLATE_TOKENS: u32 = 12;

/// How many tokens a text may be, where nobody can count them.
pub fn estimated_tokens(text: &str) -> u32 {
    u32::try_from(text.len() / 3 + 1).unwrap_or(u32::MAX)
}

/// Waits for the whole answer; `on_text` sees each piece as it arrives.
///
/// # Errors
/// What the stream failed with; [`BackendError::Broken`] when it ended without an end event and
/// [`BackendError::EmptyAnswer`] when it ended without text.
pub async fn complete(
    backend: &dyn Backend,
    request: ChatRequest,
    on_text: &(dyn Fn(&str) + Sync),
) -> Result<Completion, BackendError> {
    let model = backend.info().model.clone();
    let mut events = backend.stream(request).await?;
    let mut text = String::new();
    while let Some(event) = events.next().await {
        match event? {
            ChatEvent::Reasoning(_) => {}
            ChatEvent::Delta(delta) if delta.is_empty() => {}
            ChatEvent::Delta(delta) => {
                on_text(&delta);
                text.push_str(&delta);
            }
            ChatEvent::Done { .. } if text.trim().is_empty() => {
                return Err(BackendError::EmptyAnswer { model });
            }
            ChatEvent::Done { finish, usage } => return Ok(Completion { text, finish, usage }),
        }
    }
    Err(BackendError::Broken { model, reason: "the stream ended before the answer did".into() })
}

/// Why a model gave no answer, sorted by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    #[error("the model file {} cannot be used: {reason}", path.display())]
    Load { path: PathBuf, reason: String },
    #[error("{model} needs {needed_mib} MiB of memory and {available_mib} MiB are free")]
    OutOfMemory { model: String, needed_mib: u64, available_mib: u64 },
    #[error(
        "the prompt has {}{prompt_tokens} tokens and the answer may take {answer_tokens}: \
         {} more than the {limit} that {model} takes here",
        if *is_estimate { "about " } else { "" },
        prompt_tokens.saturating_add(*answer_tokens).saturating_sub(*limit)
    )]
    ContextOverflow {
        model: String,
        prompt_tokens: u32,
        /// Nobody has counted: it is an upper bound.
        is_estimate: bool,
        answer_tokens: u32,
        limit: u32,
    },
    #[error("{model} refused the request: {reason}")]
    Refused { model: String, reason: String },
    #[error("the key for {model} is missing or wrong: {reason}")]
    Unauthorized { model: String, reason: String },
    #[error("{server} has no model {model}")]
    ModelMissing { model: String, server: String },
    #[error("{server} does not answer: {reason}")]
    Unreachable { model: String, server: String, reason: String },
    /// The project keeps to this machine.
    #[error("{server} is not on this machine, nor a host that was listed as local")]
    NotLocal { model: String, server: String },
    #[error("{model} makes no embeddings")]
    NoEmbeddings { model: String },
    #[error("{model} does not tell how well passages answer a question")]
    NoReranking { model: String },
    #[error("{model} is busy")]
    Busy { model: String, retry_after: Option<Duration> },
    #[error("{model} did not finish in time")]
    DeadlineExceeded { model: String },
    #[error("{model} answered with nothing")]
    EmptyAnswer { model: String },
    #[error("{model} stopped working: {reason}")]
    Broken { model: String, reason: String },
    /// It said so itself, or said what is no answer: the reason may be in its words.
    #[error("{model} stopped working: {reason}")]
    Reported { model: String, reason: String },
}

impl BackendError {
    /// One word for it, the same whatever the model and the server: for counting.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Load { .. } => "load",
            Self::OutOfMemory { .. } => "out_of_memory",
            Self::ContextOverflow { .. } => "context_overflow",
            Self::Refused { .. } => "refused",
            Self::Unauthorized { .. } => "unauthorized",
            Self::ModelMissing { .. } => "model_missing",
            Self::Unreachable { .. } => "unreachable",
            Self::NotLocal { .. } => "not_local",
            Self::NoEmbeddings { .. } => "no_embeddings",
            Self::NoReranking { .. } => "no_reranking",
            Self::Busy { .. } => "busy",
            Self::DeadlineExceeded { .. } => "timeout",
            Self::EmptyAnswer { .. } => "empty",
            Self::Broken { .. } => "broken",
            Self::Reported { .. } => "reported",
        }
    }

    /// What happened without a word of the server, which may repeat what it was sent: fit to be
    /// kept.
    pub fn in_our_words(&self) -> String {
        match self {
            Self::Refused { model, .. } => format!("{model} refused the request"),
            Self::Unauthorized { model, .. } => format!("the key for {model} is missing or wrong"),
            Self::Reported { model, .. } => {
                format!("{model} reported an error, or sent what is no answer")
            }
            Self::Load { .. }
            | Self::OutOfMemory { .. }
            | Self::ContextOverflow { .. }
            | Self::ModelMissing { .. }
            | Self::Unreachable { .. }
            | Self::NotLocal { .. }
            | Self::NoEmbeddings { .. }
            | Self::NoReranking { .. }
            | Self::Busy { .. }
            | Self::DeadlineExceeded { .. }
            | Self::EmptyAnswer { .. }
            | Self::Broken { .. } => self.to_string(),
        }
    }

    /// Whether the same request may succeed later, or at another backend.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Busy { .. }
            | Self::Broken { .. }
            | Self::Reported { .. }
            | Self::EmptyAnswer { .. }
            | Self::Unreachable { .. } => true,
            Self::Load { .. }
            | Self::OutOfMemory { .. }
            | Self::ContextOverflow { .. }
            | Self::Refused { .. }
            | Self::Unauthorized { .. }
            | Self::ModelMissing { .. }
            | Self::NotLocal { .. }
            | Self::NoEmbeddings { .. }
            | Self::NoReranking { .. }
            | Self::DeadlineExceeded { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests;
