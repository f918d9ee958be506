//! An answer that fits a JSON Schema, or a typed error.
//!
//! Every backend constrains its output as well as it can; what comes back is validated here all
//! the same, because a model's answer is input from a stranger. A faulty answer is shown to the
//! model once, with the validator's own words; a second faulty one is an error. An answer that
//! breaks off is asked for once more. Nothing here invents content.

use std::borrow::Cow;

use serde_json::Value;

use crate::{
    backend::{Backend, BackendError, complete},
    chat::{ChatRequest, FinishReason, Message, Usage},
};

mod extract;

const CUT: &str = ", it was cut off at the length limit";

/// A valid answer and what it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<T> {
    pub value: T,
    /// All attempts together.
    pub usage: Usage,
    /// The fault of the first attempt, when the answer is a repaired one.
    pub repaired: Option<String>,
    /// [`FinishReason::Length`] only where that is taken: see [`ask_even_cut`].
    pub finish: FinishReason,
}

/// What is taken for a valid answer.
struct Accepted<'a, T> {
    schema: &'a Value,
    /// What becomes of one that was made to end at its limit, where that is taken, too.
    cut: Option<Cut<T>>,
}

struct Cut<T> {
    taken: fn(String) -> T,
    /// Whether one that is no whole document is asked for again first.
    is_asked_again: bool,
}

/// Why there is no valid answer.
#[derive(Debug, thiserror::Error)]
pub enum StructuredError {
    #[error(transparent)]
    Backend(#[from] BackendError),
    #[error("the response schema is not a JSON Schema: {0}")]
    Schema(String),
    #[error("{model} gave an unusable answer twice: {fault}")]
    Invalid { model: String, fault: String, answer: String },
}

/// Asks until the answer fits `request.response_schema` and `read` accepts it: twice at most.
///
/// `read` turns the schema-valid document into what the caller wants and says, in words for the
/// model, what is wrong with it otherwise. `on_text` sees each piece of every attempt.
///
/// # Errors
/// What the backend failed with, a schema that is none, or [`StructuredError::Invalid`].
pub async fn ask<T>(
    backend: &dyn Backend,
    request: ChatRequest,
    read: impl Fn(Value) -> Result<T, String>,
    on_text: &(dyn Fn(&str) + Sync),
) -> Result<Answer<T>, StructuredError> {
    let schema = request.response_schema.clone().unwrap_or(Value::Bool(true));
    ask_accepting(backend, request, &schema, read, on_text).await
}

/// The document as the model wrote it, for whoever says how the answer ended: one that reached its
/// limit is taken as far as it came. `is_limit_wanted` says that whoever asks chose that limit;
/// otherwise a document that was cut is asked for once more.
///
/// # Errors
/// As for [`ask`].
pub async fn ask_even_cut(
    backend: &dyn Backend,
    request: ChatRequest,
    is_limit_wanted: bool,
) -> Result<Answer<String>, StructuredError> {
    let schema = request.response_schema.clone().unwrap_or(Value::Bool(true));
    let cut = Cut { taken: |text| text, is_asked_again: !is_limit_wanted };
    let accepted = Accepted { schema: &schema, cut: Some(cut) };
    asked(backend, request, accepted, |_, document| Ok(document.to_owned()), &|_| {}).await
}

/// Asks until the answer fits `accepted` and `read` takes it: twice at most.
///
/// `request.response_schema` is what a backend that can do so holds the model to. Where the model
/// is not held to anything, an answer that says more than was asked for is still of use, so
/// `accepted` may be looser.
///
/// # Errors
/// As for [`ask`].
pub async fn ask_accepting<T>(
    backend: &dyn Backend,
    request: ChatRequest,
    accepted: &Value,
    read: impl Fn(Value) -> Result<T, String>,
    on_text: &(dyn Fn(&str) + Sync),
) -> Result<Answer<T>, StructuredError> {
    let accepted = Accepted { schema: accepted, cut: None };
    asked(backend, request, accepted, |value, _| read(value), on_text).await
}

async fn asked<T>(
    backend: &dyn Backend,
    mut request: ChatRequest,
    accepted: Accepted<'_, T>,
    read: impl Fn(Value, &str) -> Result<T, String>,
    on_text: &(dyn Fn(&str) + Sync),
) -> Result<Answer<T>, StructuredError> {
    let validator = jsonschema::validator_for(accepted.schema)
        .map_err(|it| StructuredError::Schema(it.to_string()))?;
    let mut usage = Usage::default();
    let mut repaired = None;
    let mut has_broken = false;
    loop {
        let completion = match complete(backend, request.clone(), on_text).await {
            Ok(completion) => completion,
            // Nobody has used what there was of the answer, so another one may take its place.
            Err(
                BackendError::Broken { .. }
                | BackendError::Reported { .. }
                | BackendError::EmptyAnswer { .. },
            ) if !has_broken => {
                has_broken = true;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        usage += completion.usage;
        let finish = completion.finish;
        let cut = accepted.cut.as_ref().filter(|_| finish == FinishReason::Length);
        let parsed = parse(&completion.text, finish, &validator).and_then(|(value, document)| {
            let is_taken = cut.is_some() || finish == FinishReason::Stop;
            let unfinished = || Err(format!("the answer is not whole{CUT}"));
            if is_taken { read(value, &document) } else { unfinished() }
        });
        let fault = match parsed {
            Ok(value) => return Ok(Answer { value, usage, repaired, finish }),
            Err(fault) => fault,
        };
        if let Some(cut) = cut.filter(|it| repaired.is_some() || !it.is_asked_again) {
            let value = (cut.taken)(completion.text);
            return Ok(Answer { value, usage, repaired, finish });
        }
        if repaired.is_some() {
            return Err(StructuredError::Invalid {
                model: backend.info().model.clone(),
                fault,
                answer: completion.text,
            });
        }
        tracing::debug!(model = %backend.info().model, fault, "asking for a repair");
        request.messages.push(Message::assistant(completion.text));
        request.messages.push(Message::user(format!(
            "That answer cannot be used: {fault}. Answer again, with that mended."
        )));
        // The same draw would give the same answer.
        request.sampling.seed = request.sampling.seed.wrapping_add(1);
        request.sampling.temperature = request.sampling.temperature.max(0.6);
        repaired = Some(fault);
    }
}

/// Whether a text is one JSON document that fits a schema.
pub fn fits(schema: &Value, text: &str) -> bool {
    let value: Result<Value, _> = serde_json::from_str(text);
    let validator = jsonschema::validator_for(schema);
    value.is_ok_and(|value| validator.is_ok_and(|it| it.is_valid(&value)))
}

fn parse<'a>(
    text: &'a str,
    finish: FinishReason,
    validator: &jsonschema::Validator,
) -> Result<(Value, Cow<'a, str>), String> {
    let cut = match finish {
        FinishReason::Length => CUT,
        FinishReason::Stop => "",
    };
    let (value, document) = extract::document(text).map_err(|it| it + cut)?;
    let fault = validator
        .iter_errors(&value)
        .next()
        .map(|error| format!("at `{}`: {error}", error.instance_path()));
    fault.map_or(Ok((value, document)), Err)
}
