//! What servers say when they do not answer.
//!
//! Servers agree on a status and on little else: the message is at one of several places, and some
//! say what is wrong in words alone.

use std::time::Duration;

use serde_json::Value;

/// An error that a server reports, before an answer or in the middle of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub kind: FaultKind,
    pub message: String,
    /// The member of the request that the server objects to.
    pub field: Option<String>,
    /// How many tokens the prompt has, and how many fit, when the server tells.
    pub tokens: Option<(u32, u32)>,
    pub retry_after: Option<Duration>,
}

/// What a fault means for the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Later.
    Busy,
    /// With another key.
    Unauthorized,
    /// With another model.
    ModelMissing,
    /// With a shorter prompt.
    ContextOverflow,
    /// Not in this form.
    Refused,
    /// Not here: there is nothing at this address.
    Absent,
    /// Nothing is wrong with the request, as far as one can tell.
    Broken,
}

/// How servers that have no code for it say that a prompt is too long.
const TOO_LONG: [&str; 7] = [
    "context length",
    "context window",
    "context size",
    "context_length",
    "prompt is too long",
    "input is too long",
    "exceeds the available context",
];

impl Fault {
    pub(super) fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), field: None, tokens: None, retry_after: None }
    }

    pub(super) fn garbage(message: String) -> Self {
        Self::new(FaultKind::Broken, message)
    }

    /// The fault that an answer with this status reports.
    pub fn of_answer(status: u16, retry_after: Option<Duration>, body: &str) -> Self {
        let value: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        let mut fault = read(&value);
        fault.retry_after = retry_after;
        if fault.message.is_empty() {
            fault.message = plain(status, body);
        }
        let is_ours = (400..500).contains(&status);
        fault.kind = match status {
            401 | 403 => FaultKind::Unauthorized,
            408 | 504 => FaultKind::Broken,
            429 | 503 | 529 => FaultKind::Busy,
            _ if is_ours && fault.kind == FaultKind::ContextOverflow => fault.kind,
            404 if !value.is_null() => FaultKind::ModelMissing,
            // Without a reason it is the address that is wrong.
            404 | 405 | 501 => FaultKind::Absent,
            _ if is_ours => FaultKind::Refused,
            // Some servers fail where they should refuse.
            500 if fault.message.contains("response_format") => FaultKind::Refused,
            _ => FaultKind::Broken,
        };
        fault
    }
}

/// The fault that a message in the middle of a stream reports.
pub(super) fn in_stream(value: &Value) -> Fault {
    read(value)
}

/// What a body says, without its status.
fn read(value: &Value) -> Fault {
    // Google sends lists of one.
    let value = value.get(0).unwrap_or(value);
    let error = value.get("error").or_else(|| value.get("detail")).unwrap_or(value);
    let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
    let first = error.get(0).and_then(|it| it.get("msg")).and_then(Value::as_str);
    let message = error.as_str().or(first).unwrap_or_else(|| text("message")).trim().to_owned();
    let words = [text("code"), text("type"), text("status")];
    let number = |name: &str| error.get(name)?.as_u64()?.try_into().ok();
    let said = message.to_lowercase();
    let kind = match () {
        () if words.contains(&"exceed_context_size_error")
            || words.contains(&"context_length_exceeded")
            || TOO_LONG.iter().any(|it| said.contains(it)) =>
        {
            FaultKind::ContextOverflow
        }
        () if words.iter().any(|it| {
            matches!(*it, "overloaded_error" | "rate_limit_error" | "rate_limit_exceeded")
        }) =>
        {
            FaultKind::Busy
        }
        () if words.contains(&"authentication_error") => FaultKind::Unauthorized,
        () => FaultKind::Broken,
    };
    Fault {
        kind,
        message,
        field: field(error),
        tokens: number("n_prompt_tokens").zip(number("n_ctx")).or_else(|| lengths(&said)),
        retry_after: None,
    }
}

/// How long the prompt is and how long it may be, where they are said in words alone: as vLLM and
/// LM Studio do.
fn lengths(said: &str) -> Option<(u32, u32)> {
    let after = |mark: &str| {
        let word = said.split_once(mark)?.1.split([' ', '.', ',']).next()?;
        word.parse::<u32>().ok()
    };
    let before = |mark: &str| {
        let word = said.split_once(mark)?.0.rsplit([' ', '(']).next()?;
        word.parse::<u32>().ok()
    };
    let prompt = before(" input tokens")
        .or_else(|| before(" in the messages"))
        .or_else(|| after("keep the first "));
    let limit = after("context length is ").or_else(|| after("context length of only "));
    prompt.zip(limit)
}

/// OpenAI names the member as `param`, `FastAPI` as the end of a path.
fn field(error: &Value) -> Option<String> {
    if let Some(name) = error.get("param").and_then(Value::as_str) {
        return Some(name.to_owned());
    }
    let path = error.get(0)?.get("loc")?.as_array()?;
    path.iter().filter_map(Value::as_str).find(|it| *it != "body").map(str::to_owned)
}

/// A status with the beginning of a body that is not JSON.
fn plain(status: u16, body: &str) -> String {
    const CHARACTERS: usize = 200;
    let start: String = body.trim().chars().take(CHARACTERS).collect();
    if start.is_empty() || start.starts_with('<') {
        return format!("status {status}");
    }
    format!("status {status}: {start}")
}
