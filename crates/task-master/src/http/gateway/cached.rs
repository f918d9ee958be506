//! Which answers are given again: to equal requests, one after the other or at the same time.
//!
//! An answer is kept when it is whole, fits what was asked for, and is from a model that the role
//! wants most: what somebody gave who stood in is not passed off as theirs. Start at [`look`].

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tm_llm::{
    cache::{Cache, Found, Key, flight::Lead},
    chat::{FinishReason, Message, Usage},
    dialect::serve::{Answer, AnswerForm, ClientError, ClientRequest, ToolCall, tools},
    structured::fits,
};
use tokio::time::timeout;

use super::{client::Client, routing::Routed};

/// The form in which answers are kept; those of another one are not found.
const FORM: u32 = 2;

/// What comes of a request, as it is kept.
pub(super) type Outcome = Result<Value, ClientError>;

/// The answers that are kept, and whose they are.
#[derive(Debug)]
pub struct Answers {
    cache: Cache<Outcome>,
    /// What tells the models that the roles want most from others of the same name, in the order
    /// of `Role::ALL`; none for one whose answers cannot be kept.
    identities: [Option<String>; 3],
    /// The same of the model that makes vectors.
    embedder: Option<String>,
}

/// What a client wants of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caching {
    Usual,
    /// A new answer, which takes the place of the old one.
    Refresh,
    /// Neither given again nor kept.
    Off,
}

/// What is known about a request.
#[derive(Debug)]
pub(super) enum Known {
    Given(Result<Made, ClientError>),
    Unknown(Keeping),
}

/// An answer with who made it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Made {
    pub(super) by: String,
    pub(super) answer: Value,
}

/// Where an answer is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lookup {
    /// It was kept, or is that of an equal request.
    Hit {
        /// Who made it.
        by: String,
    },
    /// It was not there, and others wait for it.
    Miss,
    /// Nothing was looked up.
    Bypass,
}

/// What is to become of an answer that somebody is asked for.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    place: Option<(Arc<Answers>, Key)>,
    /// Others wait for it.
    lead: Option<Lead<Outcome>>,
}

/// An answer as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    reasoning: String,
    text: String,
    calls: Vec<KeptCall>,
    is_cut: bool,
    #[serde(default)]
    stopped_by: Option<String>,
    prompt_tokens: u32,
    completion_tokens: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptCall {
    name: String,
    arguments: String,
}

impl Answers {
    pub fn new(cache: Cache<Outcome>, identities: [Option<String>; 3]) -> Self {
        Self { cache, identities, embedder: None }
    }

    /// The same, and the vectors of this model are kept as well.
    #[must_use]
    pub fn with_embedder(self, identity: Option<String>) -> Self {
        Self { embedder: identity, ..self }
    }

    /// How often the place where they are kept failed.
    pub(super) fn failures(&self) -> u64 {
        self.cache.failures()
    }

    fn identity(&self, routed: &Routed) -> Option<&str> {
        let [main, research, fallback] = &self.identities;
        let identity = match routed.played_by {
            tm_tasks::config::Role::Main => main,
            tm_tasks::config::Role::Research => research,
            tm_tasks::config::Role::Fallback => fallback,
        };
        identity.as_deref()
    }
}

impl Caching {
    /// As `Cache-Control` says.
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let value = headers.get(header::CACHE_CONTROL).and_then(|it| it.to_str().ok());
        let says = |word: &str| {
            value.is_some_and(|it| it.split(',').any(|it| it.trim().eq_ignore_ascii_case(word)))
        };
        match (says("no-store"), says("no-cache")) {
            (true, _) => Self::Off,
            (false, true) => Self::Refresh,
            (false, false) => Self::Usual,
        }
    }
}

/// Looks up what is known. `what` is all that the answer depends on besides the model.
///
/// # Errors
/// [`ClientError::TimedOut`] when somebody else asks the same and gets no answer for too long.
pub(super) async fn look(
    client: &Client,
    routed: &Routed,
    what: impl FnOnce() -> Value,
) -> Result<Known, ClientError> {
    look_for(client, |it| it.identity(routed), what).await
}

/// The same for vectors.
///
/// # Errors
/// [`ClientError::TimedOut`], as for answers.
pub(super) async fn look_for_vectors(
    client: &Client,
    what: impl FnOnce() -> Value,
) -> Result<Known, ClientError> {
    look_for(client, |it| it.embedder.as_deref(), what).await
}

async fn look_for(
    client: &Client,
    identity: impl FnOnce(&Answers) -> Option<&str>,
    what: impl FnOnce() -> Value,
) -> Result<Known, ClientError> {
    let gateway = &client.gateway;
    let Some(answers) = gateway.answers.as_ref().filter(|_| client.caching != Caching::Off) else {
        return Ok(Known::Unknown(Keeping::default()));
    };
    let key = identity(answers).and_then(|it| Key::of(&json!([FORM, it, what()])));
    let Some(key) = key else { return Ok(Known::Unknown(Keeping::default())) };
    let place = Some((Arc::clone(answers), key.clone()));
    if client.caching == Caching::Refresh {
        return Ok(Known::Unknown(Keeping { place, lead: None }));
    }
    let found = timeout(gateway.timeout, answers.cache.look(&key)).await;
    Ok(match found {
        Ok(Found::Kept(made)) => Known::Given(read(Ok(made))),
        Ok(Found::Shared(outcome)) => Known::Given(read(outcome)),
        Ok(Found::Nothing(lead)) => Known::Unknown(Keeping { place, lead: Some(lead) }),
        Err(_) => {
            let message = "somebody else asked the same, and there is no answer yet".to_owned();
            return Err(ClientError::TimedOut { message });
        }
    })
}

impl Lookup {
    /// As `x-cache` has it.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Hit { .. } => "hit",
            Self::Miss => "miss",
            Self::Bypass => "bypass",
        }
    }
}

impl Keeping {
    /// Whether others wait for the answer.
    pub(super) fn is_shared(&self) -> bool {
        self.lead.is_some()
    }

    /// Whether nothing is to become of it.
    pub(super) fn is_for_nobody(&self) -> bool {
        self.place.is_none() && self.lead.is_none()
    }

    /// What is said of an answer that somebody was asked for.
    pub(super) fn lookup(&self) -> Lookup {
        if self.is_shared() { Lookup::Miss } else { Lookup::Bypass }
    }

    /// Keeps the answer if that may be, and tells those who wait.
    pub(super) async fn settle(self, outcome: Outcome, may_keep: bool, by: String) {
        let outcome = outcome.and_then(|answer| {
            let made = Made { by: by.clone(), answer };
            serde_json::to_value(made).map_err(|it| broken(&it))
        });
        if let (Some((answers, key)), Ok(answer), true) = (self.place, &outcome, may_keep) {
            answers.cache.keep(&key, answer, &by).await;
        }
        if let Some(lead) = self.lead {
            lead.tell(outcome);
        }
    }
}

/// All that an answer depends on besides the model. What the client calls the model, and whether
/// it wants a stream, make no difference to it.
pub(super) fn question(request: &ClientRequest) -> Value {
    let ClientRequest { messages, form, sampling, seed, max_tokens, stop, .. } = request;
    let messages = tools::instruct(messages, form);
    let messages: Vec<Value> = messages
        .iter()
        .map(|it| json!([format!("{:?}", it.role), it.content, pictures(it)]))
        .collect();
    let choice = match form {
        AnswerForm::Text | AnswerForm::Json(_) => String::new(),
        AnswerForm::Tools { choice, is_single, .. } => format!("{choice:?} {is_single}"),
    };
    json!({
        "messages": messages,
        "schema": tools::schema(form),
        "choice": choice,
        "sampling": [
            sampling.temperature, sampling.top_p, sampling.top_k, sampling.repeat_penalty,
            sampling.min_p, sampling.frequency_penalty, sampling.presence_penalty,
            format!("{:?}", sampling.thinking), seed,
        ],
        "max_tokens": max_tokens,
        "stop": stop,
    })
}

/// The pictures of a turn; null where there are none.
fn pictures(message: &Message) -> Option<String> {
    let pictures: Vec<_> = message.images().collect();
    (!pictures.is_empty()).then(|| format!("{pictures:?}"))
}

/// Whether an answer is whole and fits what was asked for.
pub(super) fn is_sound(request: &ClientRequest, answer: &Answer) -> bool {
    let is_whole = answer.finish == FinishReason::Stop;
    let fits_form = match &request.form {
        AnswerForm::Text => true,
        AnswerForm::Json(schema) => fits(schema, &answer.text),
        AnswerForm::Tools { tools, .. } => answer.calls.iter().all(|call| {
            let called = tools.iter().find(|it| it.name == call.name);
            called.is_some_and(|it| fits(&it.parameters, &call.arguments))
        }),
    };
    is_whole && fits_form
}

/// An answer as it is kept.
pub(super) fn kept(answer: &Answer) -> Outcome {
    let call = |it: &ToolCall| KeptCall { name: it.name.clone(), arguments: it.arguments.clone() };
    let kept = Kept {
        reasoning: answer.reasoning.clone(),
        text: answer.text.clone(),
        calls: answer.calls.iter().map(call).collect(),
        is_cut: answer.finish == FinishReason::Length,
        stopped_by: answer.stopped_by.clone(),
        prompt_tokens: answer.usage.prompt_tokens,
        completion_tokens: answer.usage.completion_tokens,
    };
    serde_json::to_value(kept).map_err(|it| broken(&it))
}

fn read(outcome: Outcome) -> Result<Made, ClientError> {
    serde_json::from_value(outcome?).map_err(|it| broken(&it))
}

pub(super) fn broken(error: &serde_json::Error) -> ClientError {
    ClientError::Failed { message: format!("what was kept is broken: {error}") }
}

/// The answer that was kept.
pub(super) fn given(answer: Value) -> Result<Answer, ClientError> {
    let kept: Kept = serde_json::from_value(answer).map_err(|it| broken(&it))?;
    let call = |it: KeptCall| ToolCall { name: it.name, arguments: it.arguments };
    let calls = kept.calls.into_iter().map(call).collect();
    let usage = Usage {
        prompt_tokens: kept.prompt_tokens,
        cached_tokens: kept.prompt_tokens,
        completion_tokens: kept.completion_tokens,
        ..Usage::default()
    };
    let finish = if kept.is_cut { FinishReason::Length } else { FinishReason::Stop };
    let Kept { reasoning, text, stopped_by, .. } = kept;
    Ok(Answer { reasoning, text, calls, finish, stopped_by, usage })
}

#[cfg(test)]
mod tests;
