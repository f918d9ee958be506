//! What is asked of a model and what comes back, whatever the backend.
//!
//! Plain data. How a backend encodes it is the backend's business.

use std::time::{Duration, Instant};

use serde_json::{Value, value::RawValue};

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    System,
    User,
    Assistant,
}

impl Role {
    /// As most protocols spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub role: Role,
    /// What every model can read: all of it in words, images aside.
    pub content: String,
    /// The same in parts, for servers that have words of their own for some of them; none where it is
    /// only words.
    pub parts: Vec<Part>,
}

/// Something that a turn consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Text(String),
    Image(Image),
    /// A tool that the model has called.
    Call {
        id: String,
        call: ToolCall,
    },
    /// What came of that.
    Result {
        id: String,
        name: String,
        text: String,
    },
    /// What can be called now; only in the first message.
    Tools {
        tools: Vec<Tool>,
        choice: ToolChoice,
        /// One call an answer.
        is_single: bool,
    },
}

/// A picture for a model that can see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Image {
    /// Base64, and what kind of picture it is: `image/png`.
    Inline { media_type: String, data: String },
    /// Where whoever runs the model can get it.
    Elsewhere { url: String },
}

/// Something that can be done for a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    pub name: String,
    pub description: String,
    /// A JSON Schema of its arguments.
    pub parameters: Value,
    /// The client knows no arguments, only a text: the one argument, `input`.
    pub is_custom: bool,
}

/// The tools of a request, as its [`Part::Tools`] has them.
#[derive(Debug, Clone, Copy)]
pub struct Offered<'a> {
    pub tools: &'a [Tool],
    pub choice: &'a ToolChoice,
    pub is_single: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolChoice {
    /// Text or any tool.
    Auto,
    /// Any tool.
    Required,
    /// This tool.
    Named(String),
}

/// A tool that a model wants called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    pub name: String,
    /// JSON as the model wrote it: no number and no order of members is changed.
    pub arguments: String,
}

impl Message {
    fn new(role: Role, content: impl Into<String>) -> Self {
        Self { role, content: content.into(), parts: Vec::new() }
    }

    pub fn system(content: impl Into<String>) -> Self {
        Self::new(Role::System, content)
    }

    pub fn user(content: impl Into<String>) -> Self {
        Self::new(Role::User, content)
    }

    pub fn assistant(content: impl Into<String>) -> Self {
        Self::new(Role::Assistant, content)
    }

    /// The same turn, of which servers may be told these parts.
    #[must_use]
    pub fn with_parts(self, parts: Vec<Part>) -> Self {
        Self { parts, ..self }
    }

    pub fn images(&self) -> impl Iterator<Item = &Image> {
        self.parts.iter().filter_map(|it| match it {
            Part::Image(image) => Some(image),
            Part::Text(_) | Part::Call { .. } | Part::Result { .. } | Part::Tools { .. } => None,
        })
    }

    /// What it consists of, whether that was said or not.
    pub fn into_parts(self) -> Vec<Part> {
        if self.parts.is_empty() && !self.content.is_empty() {
            return vec![Part::Text(self.content)];
        }
        self.parts
    }
}

impl ChatRequest {
    /// The tools that can be called.
    pub fn tools(&self) -> Option<Offered<'_>> {
        self.messages.first()?.parts.iter().find_map(|it| match it {
            Part::Tools { tools, choice, is_single } => {
                Some(Offered { tools, choice, is_single: *is_single })
            }
            Part::Text(_) | Part::Image(_) | Part::Call { .. } | Part::Result { .. } => None,
        })
    }

    /// The pictures that the model has to see.
    pub fn images(&self) -> impl Iterator<Item = &Image> {
        self.messages.iter().flat_map(Message::images)
    }
}

impl ToolCall {
    /// The arguments for protocols that have them as JSON and not as a text.
    pub fn json(&self) -> &RawValue {
        serde_json::from_str(&self.arguments).unwrap_or(RawValue::NULL)
    }
}

/// How much a model thinks before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thinking {
    Off,
    /// As much as is usual.
    On,
    Low,
    Medium,
    High,
    Max,
}

impl Thinking {
    /// What clients say of it in a word; none for a word that says nothing.
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "none" => Self::Off,
            "minimal" | "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            "xhigh" | "max" => Self::Max,
            _ => return None,
        })
    }

    /// As most protocols spell how much, where that was said.
    pub fn level(self) -> Option<&'static str> {
        match self {
            Self::Off | Self::On => None,
            Self::Low => Some("low"),
            Self::Medium => Some("medium"),
            Self::High => Some("high"),
            Self::Max => Some("max"),
        }
    }
}

/// How the next token is chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampling {
    /// 0 takes the likeliest token every time.
    pub temperature: f32,
    /// Tokens are drawn from the likeliest ones that together have this probability.
    pub top_p: f32,
    /// At most this many candidate tokens; 0 for no limit.
    pub top_k: u32,
    /// Lowers the score of tokens the answer already holds; 1 leaves them alone.
    pub repeat_penalty: f32,
    /// Tokens that are less likely than this part of the likeliest are left out; 0 for no limit.
    pub min_p: f32,
    /// Taken from the score of a token each time that the answer holds it; 0 leaves it alone.
    pub frequency_penalty: f32,
    /// Taken once from the score of a token that the answer holds; 0 leaves it alone.
    pub presence_penalty: f32,
    /// Whether a model that can think aloud first is to do so, where a server can be told.
    pub thinking: Thinking,
    /// The same seed draws the same tokens on the same build and thread count.
    pub seed: u64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            temperature: 0.2,
            top_p: 0.95,
            top_k: 40,
            repeat_penalty: 1.0,
            min_p: 0.0,
            frequency_penalty: 0.0,
            presence_penalty: 0.0,
            thinking: Thinking::Off,
            seed: 42,
        }
    }
}

/// A question for a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatRequest {
    /// Requests that begin with equal messages share the work of reading them.
    pub messages: Vec<Message>,
    /// The answer is one JSON document that fits this JSON Schema.
    pub response_schema: Option<Value>,
    pub sampling: Sampling,
    /// The answer ends here at the latest, with [`FinishReason::Length`].
    pub max_tokens: u32,
    /// Work stops at this moment with [`BackendError::DeadlineExceeded`].
    ///
    /// [`BackendError::DeadlineExceeded`]: crate::backend::BackendError::DeadlineExceeded
    pub deadline: Instant,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishReason {
    /// The model was done, or the schema was complete.
    Stop,
    /// `max_tokens` was reached; the text is cut.
    Length,
}

/// Tokens and time one answer took.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    pub prompt_tokens: u32,
    /// How many of the prompt's tokens were already held by the backend.
    pub cached_tokens: u32,
    pub completion_tokens: u32,
    /// Waiting for a free slot.
    pub queued: Duration,
    /// Reading the prompt, up to the first token of the answer.
    pub prefill: Duration,
    /// From the first token of the answer to the last.
    pub decode: Duration,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        // Servers say what they like.
        self.prompt_tokens = self.prompt_tokens.saturating_add(other.prompt_tokens);
        self.cached_tokens = self.cached_tokens.saturating_add(other.cached_tokens);
        self.completion_tokens = self.completion_tokens.saturating_add(other.completion_tokens);
        self.queued = self.queued.saturating_add(other.queued);
        self.prefill = self.prefill.saturating_add(other.prefill);
        self.decode = self.decode.saturating_add(other.decode);
    }
}

/// A piece of an answer, as it arrives.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatEvent {
    /// More text; none when the model is at work at what nobody is shown.
    Delta(String),
    /// The model thinks aloud, which is no part of its answer.
    Reasoning(String),
    /// The end: exactly one, and the last event of a stream that did not fail.
    Done { finish: FinishReason, usage: Usage },
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    pub text: String,
    pub finish: FinishReason,
    pub usage: Usage,
}
