//! Whether a prompt fits into a server's window.
//!
//! Some servers refuse what is too long, others cut it and say nothing. So a prompt that may not
//! fit is counted by the server itself where it can count, and where it cannot, an estimate has to
//! do. When the answer has come, what the server says it has read is compared with what it must
//! have read. Start at [`Window::admit`] and [`Admitted::was_cut`].

use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};

use super::Server;
use crate::{backend::BackendError, chat::ChatRequest, egress::read_up_to, tokens};

/// What the words around each message come to, in tokens.
const TOKENS_AROUND_MESSAGE: u32 = 16;

/// Nobody keeps a smaller window for prompts like ours.
const SMALL: u32 = 2048;

/// A server that takes longer to count is not waited for.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How a server counts tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counter {
    /// It does not.
    Nobody,
    /// llama.cpp: the template is applied, then the text is divided.
    LlamaCpp,
    /// vLLM: the conversation is taken as it is.
    Vllm,
    LocalAi,
    WebUi,
}

/// What is known about the window of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// Prompt and answer together, in tokens.
    pub(super) limit: u32,
    /// The server has said so; otherwise it is assumed.
    pub(super) is_known: bool,
    pub(super) counter: Counter,
    /// It refuses what does not fit, rather than to cut it.
    pub(super) refuses: bool,
}

/// How long a prompt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) tokens: u32,
    /// Nobody has counted: it is an upper bound.
    pub(super) is_estimate: bool,
}

/// A prompt that may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Admitted {
    pub(super) counted: Counted,
    /// A server that has read fewer tokens has not read all of it.
    pub(super) least_tokens: u32,
    /// It may not have fitted: the server has to say what it has read.
    pub(super) is_in_doubt: bool,
}

impl Window {
    /// How long the prompt is, if it may be sent.
    ///
    /// # Errors
    /// [`BackendError::ContextOverflow`] when it does not fit, or may not fit and would be cut
    /// without a word.
    pub(super) async fn admit(
        self,
        server: &Server,
        client: &Client,
        request: &ChatRequest,
    ) -> Result<Admitted, BackendError> {
        let Self { limit, is_known, counter, refuses } = self;
        let estimate = estimate(request);
        let fits_surely = estimate.tokens < if is_known { limit } else { SMALL };
        let counted = if fits_surely { None } else { counter.count(server, client, request).await };
        let least_tokens = counted.map_or_else(|| least(request), |it| it - it / 10);
        let exact = counted.map(|tokens| Counted { tokens, is_estimate: false });
        let counted = exact.unwrap_or(estimate);
        let fits = counted.tokens < limit;
        // What is only assumed refuses nobody, nor does a bound where the server knows better;
        // what is more than twice as long is too long in any case.
        let may_try = if is_known { refuses && counted.is_estimate } else { true };
        if fits || (may_try && counted.tokens / 2 <= limit) {
            return Ok(Admitted { counted, least_tokens, is_in_doubt: !fits && !refuses });
        }
        Err(overflow(server, counted, request.max_tokens, limit))
    }
}

impl Admitted {
    /// Whether a server that says it has read so many tokens has left out some of the prompt.
    pub(super) fn was_cut(self, window: Option<u32>, read_tokens: u32) -> bool {
        if read_tokens == 0 {
            // Most servers count only when they feel like it.
            return self.is_in_doubt;
        }
        let is_full = window.is_some_and(|it| read_tokens >= it);
        let is_missing = self.least_tokens > SMALL / 2 && read_tokens < self.least_tokens;
        is_full || is_missing
    }
}

/// The least that the prompt can come to, however it is divided.
fn least(request: &ChatRequest) -> u32 {
    request.messages.iter().map(|it| tokens::at_least(&it.content)).sum()
}

pub(super) fn overflow(
    server: &Server,
    counted: Counted,
    answer_tokens: u32,
    limit: u32,
) -> BackendError {
    BackendError::ContextOverflow {
        model: server.model.clone(),
        prompt_tokens: counted.tokens,
        is_estimate: counted.is_estimate,
        answer_tokens,
        limit,
    }
}

/// How many tokens the prompt may come to.
pub(super) fn estimate(request: &ChatRequest) -> Counted {
    let count = |text: &str| tokens::at_most(text) + TOKENS_AROUND_MESSAGE;
    let messages: u32 = request.messages.iter().map(|it| count(&it.content)).sum();
    let schema = request.response_schema.as_ref().map(|it| count(&it.to_string()));
    Counted { tokens: messages + schema.unwrap_or_default(), is_estimate: true }
}

impl Counter {
    /// The server's own count; none when it does not give one.
    async fn count(self, server: &Server, client: &Client, request: &ChatRequest) -> Option<u32> {
        let asking = Asking { server, client, deadline: request.deadline };
        let messages = || {
            let messages = request.messages.iter();
            let messages =
                messages.map(|it| json!({"role": it.role.name(), "content": it.content}));
            messages.collect::<Value>()
        };
        let texts: Vec<&str> = request.messages.iter().map(|it| it.content.as_str()).collect();
        let around = TOKENS_AROUND_MESSAGE * u32::try_from(texts.len()).unwrap_or(u32::MAX);
        let text = texts.concat();
        match self {
            Self::Nobody => None,
            Self::LlamaCpp => {
                let prompt = asking.json("/apply-template", &json!({"messages": messages()})).await;
                let prompt = prompt.as_ref().and_then(|it| it.get("prompt")?.as_str());
                let (text, around) = prompt.map_or((text.as_str(), around), |it| (it, 0));
                let body = json!({"content": text, "add_special": true, "parse_special": true});
                Some(length(&asking.json("/tokenize", &body).await?)? + around)
            }
            Self::Vllm => {
                let body = json!({
                    "model": server.model, "messages": messages(), "add_generation_prompt": true
                });
                number(asking.json("/tokenize", &body).await?.get("count")?)
            }
            Self::LocalAi => {
                let body = json!({"model": server.model, "content": text});
                Some(length(&asking.json("/v1/tokenize", &body).await?)? + around)
            }
            Self::WebUi => {
                let answer =
                    asking.json("/v1/internal/token-count", &json!({"text": text})).await?;
                Some(number(answer.get("length")?)? + around)
            }
        }
    }
}

struct Asking<'a> {
    server: &'a Server,
    client: &'a Client,
    deadline: Instant,
}

impl Asking<'_> {
    /// What a server says at a path beside its API.
    async fn json(&self, path: &str, body: &Value) -> Option<Value> {
        let root = self.server.url.strip_suffix("/v1").unwrap_or(&self.server.url);
        let left = self.deadline.saturating_duration_since(Instant::now());
        let mut request = self.client.post(format!("{root}{path}")).timeout(TIMEOUT.min(left));
        for (name, value) in self.server.provider.dialect.headers(self.server.key()) {
            request = request.header(name, value);
        }
        let request = request.header("content-type", "application/json").body(body.to_string());
        let response = request.send().await.ok().filter(|it| it.status().is_success())?;
        serde_json::from_str(&read_up_to(response, TOKENS_BYTES).await).ok()
    }
}

/// A list of a million tokens.
const TOKENS_BYTES: usize = 8 << 20;

/// How many tokens are listed.
fn length(answer: &Value) -> Option<u32> {
    u32::try_from(answer.get("tokens")?.as_array()?.len()).ok()
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64()?.try_into().ok()
}
