//! The records of requests as traces: a span for each request, and one below it for each model that
//! was asked. Pure.

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span::SpanKind, status::StatusCode},
};
use tm_tasks::timestamp::Timestamp;

use super::{attribute, scope, text};
use crate::trace::{Asked, Ending, Failure, Record};

/// What a collector is sent about these requests.
pub(super) fn request(records: &[Record], resource: &Resource) -> ExportTraceServiceRequest {
    let spans = records.iter().flat_map(spans).collect();
    let scope_spans = ScopeSpans { scope: Some(scope()), spans, ..ScopeSpans::default() };
    let resource = Some(resource.clone());
    let scope_spans = vec![scope_spans];
    let resource_spans = ResourceSpans { resource, scope_spans, ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![resource_spans] }
}

/// A request that began at no time we know has none.
fn spans(record: &Record) -> Vec<Span> {
    let Ok(begun) = record.time.parse::<Timestamp>() else { return Vec::new() };
    let begun = u64::try_from(begun.as_nanosecond()).unwrap_or_default();
    let trace_id = trace_id(&record.id);
    let root_id = trace_id.get(..8).unwrap_or_default().to_vec();
    let root = Span {
        trace_id: trace_id.clone(),
        span_id: root_id.clone(),
        name: format!("{} {}", record.via.as_str(), record.by),
        kind: SpanKind::Server.into(),
        start_time_unix_nano: begun,
        end_time_unix_nano: begun + nanos(record.took_s),
        attributes: of_request(record),
        status: Some(status(record.ending, record.error.as_ref())),
        ..Span::default()
    };
    let operation = if record.by == "embeddings" { "embeddings" } else { "chat" };
    let attempts = record.attempts.iter().map(|it| Span {
        trace_id: trace_id.clone(),
        span_id: fastrand::u64(1..).to_be_bytes().to_vec(),
        parent_span_id: root_id.clone(),
        name: format!("{operation} {}", it.model),
        kind: SpanKind::Client.into(),
        start_time_unix_nano: begun + nanos(it.after_s),
        end_time_unix_nano: begun + nanos(it.after_s + it.took_s),
        attributes: of_attempt(it, operation),
        status: Some(status(it.ending, it.error.as_ref())),
        ..Span::default()
    });
    [root].into_iter().chain(attempts).collect()
}

/// The record's own id, which `task-master trace` knows, with zeros behind it.
fn trace_id(id: &str) -> Vec<u8> {
    let pair =
        |at: usize| id.get(at * 2..at * 2 + 2).and_then(|it| u8::from_str_radix(it, 16).ok());
    (0..16).map(|at| pair(at).unwrap_or_default()).collect()
}

fn of_request(record: &Record) -> Vec<KeyValue> {
    let status = record.status.map(|it| number("http.response.status_code", u32::from(it)));
    let texts = [
        ("task_master.request.id", Some(&record.id)),
        ("task_master.role", record.role.as_ref()),
        ("task_master.cache", record.cache.as_ref()),
        ("task_master.backend", record.backend.as_ref()),
        ("gen_ai.provider.name", record.provider.as_ref()),
        ("gen_ai.request.model", record.asked_for.as_ref()),
        ("gen_ai.response.model", record.model.as_ref()),
        ("error.type", record.error.as_ref().map(|it| &it.kind)),
    ];
    let texts = texts.into_iter().filter_map(|(name, it)| Some(text(name, it?.as_str())));
    let tokens = tokens(record.prompt_tokens, record.completion_tokens);
    texts.chain(status).chain(tokens).collect()
}

fn of_attempt(asked: &Asked, operation: &str) -> Vec<KeyValue> {
    let error = asked.error.as_ref().map(|it| text("error.type", it.kind.as_str()));
    let first = asked
        .first_token_s
        .map(|it| attribute("gen_ai.response.time_to_first_chunk", Value::DoubleValue(it)));
    let texts = [
        text("gen_ai.operation.name", operation),
        text("gen_ai.provider.name", asked.provider.as_str()),
        text("gen_ai.request.model", asked.model.as_str()),
        text("task_master.backend", asked.backend.as_str()),
        attribute("task_master.queued_s", Value::DoubleValue(asked.queued_s)),
    ];
    let tokens = tokens(asked.prompt_tokens, asked.completion_tokens);
    texts.into_iter().chain(error).chain(first).chain(tokens).collect()
}

fn tokens(read: u32, written: u32) -> [KeyValue; 2] {
    [number("gen_ai.usage.input_tokens", read), number("gen_ai.usage.output_tokens", written)]
}

fn number(name: &str, value: u32) -> KeyValue {
    attribute(name, Value::IntValue(i64::from(value)))
}

fn status(ending: Ending, failure: Option<&Failure>) -> Status {
    let (code, message) = match ending {
        Ending::Failed => {
            let why = failure.map(|it| it.why.clone().unwrap_or_else(|| it.kind.clone()));
            (StatusCode::Error, why.unwrap_or_default())
        }
        Ending::Answered | Ending::Abandoned => (StatusCode::Unset, String::new()),
    };
    Status { code: code.into(), message }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what a request takes is not negative, and no century"
)]
fn nanos(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}
