//! An answer that fits a JSON Schema, or a typed error.
//!
//! Every backend constrains its output as well as it can; what comes back is validated here all
//! the same, because a model's answer is input from a stranger. A faulty answer is shown to the
//! model once, with the validator's own words; a second faulty one is an error. An answer that
//! breaks off is asked for once more. Nothing here invents content.

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
#[derive(Debug, Clone, Copy)]
struct Accepted<'a> {
    schema: &'a Value,
    /// One that was made to end at the limit, too.
    cut: bool,
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

/// The same for whoever says how the answer ended: one that fits, but was made to end because it
/// reached its limit, is taken as well.
///
/// # Errors
/// As for [`ask`].
pub async fn ask_even_cut(
    backend: &dyn Backend,
    request: ChatRequest,
) -> Result<Answer<Value>, StructuredError> {
    let schema = request.response_schema.clone().unwrap_or(Value::Bool(true));
    asked(backend, request, Accepted { schema: &schema, cut: true }, Ok, &|_| {}).await
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
    asked(backend, request, Accepted { schema: accepted, cut: false }, read, on_text).await
}

async fn asked<T>(
    backend: &dyn Backend,
    mut request: ChatRequest,
    accepted: Accepted<'_>,
    read: impl Fn(Value) -> Result<T, String>,
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
        let parsed = parse(&completion.text, finish, &validator).and_then(|value| {
            let is_taken = accepted.cut || finish == FinishReason::Stop;
            if is_taken { read(value) } else { Err(format!("the answer is not whole{CUT}")) }
        });
        let fault = match parsed {
            Ok(value) => return Ok(Answer { value, usage, repaired, finish }),
            Err(fault) => fault,
        };
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

fn parse(
    text: &str,
    finish: FinishReason,
    validator: &jsonschema::Validator,
) -> Result<Value, String> {
    let cut = match finish {
        FinishReason::Length => CUT,
        FinishReason::Stop => "",
    };
    let value = extract::document(text).map_err(|it| it + cut)?;
    let fault = validator
        .iter_errors(&value)
        .next()
        .map(|error| format!("at `{}`: {error}", error.instance_path()));
    fault.map_or(Ok(value), Err)
}
