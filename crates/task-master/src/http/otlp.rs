//! What is measured, sent to a collector of OpenTelemetry; nowhere unless one is named.
//!
//! Requests become traces ([`spans`]) and what is counted becomes metrics ([`points`]), as
//! OTLP over HTTP in protobuf. A collector that is not there costs nothing but what it would have
//! got: traces wait for it, as far as there is room. Start at [`Settings::read`] and
//! [`Exporter::run`].

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value},
    resource::v1::Resource,
};
use percent_encoding::percent_decode_str;
use prost::Message;
use tm_llm::egress::{
    guard::{Guard, OnBlocked},
    push::{Push, PushError},
};
use tokio::time::{Instant, interval_at};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Environment,
    report::{Advice, advice, progress_line},
    trace::Copies,
};

mod points;
mod spans;

const PROTOBUF: &str = "application/x-protobuf";
/// Requests become a batch for so long, and so many at most.
const SPANS_EVERY: Duration = Duration::from_secs(5);
const BATCH: usize = 512;
const POINTS_EVERY: Duration = Duration::from_mins(1);

/// Where it goes, as OpenTelemetry's own variables say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    traces: Option<String>,
    metrics: Option<String>,
    headers: Vec<(String, String)>,
    /// What the program is called, and whatever else tells it from others.
    resource: Vec<(String, String)>,
    points_every: Duration,
}

/// Sends what is measured until it is stopped.
#[derive(Debug)]
pub struct Exporter {
    traces: Option<Way>,
    metrics: Option<Way>,
    resource: Resource,
    points_every: Duration,
    records: Arc<Copies>,
    started: u64,
}

/// The way to a collector, for one kind of thing.
#[derive(Debug)]
struct Way {
    push: Push,
    /// What was sent last did not arrive.
    is_broken: bool,
}

impl Settings {
    /// None when nothing is to be sent.
    ///
    /// # Errors
    /// A protocol that is not spoken here.
    pub fn read(environment: &Environment) -> Result<Option<Self>, Advice> {
        let otel = |name: &str| environment.variable(&format!("OTEL_{name}"));
        if otel("SDK_DISABLED").is_some_and(|it| it.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let base = otel("EXPORTER_OTLP_ENDPOINT").map(|it| it.trim_end_matches('/'));
        let place = |upper: &str, path: &str| {
            let own = otel(&format!("EXPORTER_OTLP_{upper}_ENDPOINT")).map(str::to_owned);
            let is_on = otel(&format!("{upper}_EXPORTER")).is_none_or(|it| it == "otlp");
            own.or_else(|| base.map(|it| format!("{it}{path}"))).filter(|_| is_on)
        };
        let (traces, metrics) = (place("TRACES", "/v1/traces"), place("METRICS", "/v1/metrics"));
        if traces.is_none() && metrics.is_none() {
            return Ok(None);
        }
        if let Some(protocol) = otel("EXPORTER_OTLP_PROTOCOL")
            && protocol != "http/protobuf"
        {
            let message = format!("measurements cannot be sent by the protocol {protocol:?}");
            let hint = "set OTEL_EXPORTER_OTLP_PROTOCOL to http/protobuf, which collectors take \
                        at port 4318";
            return Err(advice(message, hint));
        }
        let service = otel("SERVICE_NAME").unwrap_or("task-master").to_owned();
        let mut resource = pairs(otel("RESOURCE_ATTRIBUTES").unwrap_or_default());
        resource.retain(|(name, _)| name != "service.name");
        resource.insert(0, ("service.name".to_owned(), service));
        let every = otel("METRIC_EXPORT_INTERVAL").and_then(|it| it.parse().ok());
        let every = every.filter(|it| *it > 0).map(Duration::from_millis);
        Ok(Some(Self {
            traces,
            metrics,
            headers: pairs(otel("EXPORTER_OTLP_HEADERS").unwrap_or_default()),
            resource,
            points_every: every.unwrap_or(POINTS_EVERY),
        }))
    }
}

impl Exporter {
    /// # Errors
    /// [`PushError::NotLocal`] for a collector that is neither on this machine nor listed.
    pub fn open(
        settings: Settings,
        guard: &Guard,
        on_blocked: &OnBlocked,
    ) -> Result<Self, PushError> {
        let Settings { traces, metrics, headers, resource, points_every } = settings;
        let way = |url: Option<String>| {
            let push = |url| Push::new(guard, Arc::clone(on_blocked), url, headers.clone());
            let push = url.map(push).transpose()?;
            Ok::<_, PushError>(push.map(|push| Way { push, is_broken: false }))
        };
        let version = ("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
        let instance = ("service.instance.id".to_owned(), format!("{:016x}", fastrand::u64(..)));
        let attributes = resource.into_iter().chain([version, instance]);
        let attributes = attributes.map(|(name, value)| text(&name, value)).collect();
        Ok(Self {
            traces: way(traces)?,
            metrics: way(metrics)?,
            resource: Resource { attributes, ..Resource::default() },
            points_every,
            records: Arc::default(),
            started: nanos(SystemTime::now()),
        })
    }

    /// Where the records of requests are to be put.
    pub fn records(&self) -> Arc<Copies> {
        Arc::clone(&self.records)
    }

    /// Sends what `measure` says, in the words of OpenMetrics, and the records; and once more in
    /// the end.
    pub async fn run(mut self, measure: impl Fn() -> String, stop: CancellationToken) {
        let every = |period: Duration| interval_at(Instant::now() + period, period);
        let (mut spans, mut points) = (every(SPANS_EVERY), every(self.points_every));
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = spans.tick() => self.send_spans().await,
                _ = points.tick() => self.send_points(&measure()).await,
            }
        }
        self.send_points(&measure()).await;
        self.send_spans().await;
    }

    async fn send_spans(&mut self) {
        let Some(way) = &mut self.traces else { return };
        loop {
            let records = self.records.take(BATCH);
            if records.is_empty() {
                return;
            }
            let request = spans::request(&records, &self.resource);
            if let Err(error) = way.send(request.encode_to_vec()).await {
                if error.is_transient() {
                    self.records.put_back(records);
                }
                return;
            }
        }
    }

    async fn send_points(&mut self, measured: &str) {
        let Some(way) = &mut self.metrics else { return };
        let times = (self.started, nanos(SystemTime::now()));
        let request = points::request(measured, times, &self.resource);
        // What did not arrive is in what is sent next: everything is counted from the start.
        drop(way.send(request.encode_to_vec()).await);
    }
}

impl Way {
    /// Sends it, and says when that does not work any more, and when it does again.
    async fn send(&mut self, body: Vec<u8>) -> Result<(), PushError> {
        let sent = self.push.send(PROTOBUF, body).await;
        match &sent {
            Err(error) if !self.is_broken => {
                progress_line(&format!("warning: measurements are not sent: {error}"));
            }
            Ok(()) if self.is_broken => {
                progress_line(&format!("note: measurements are sent to {} again", self.push.url()));
            }
            Ok(()) | Err(_) => {}
        }
        self.is_broken = sent.is_err();
        sent
    }
}

/// `name=value,…`, in which anything may be written with percents.
fn pairs(text: &str) -> Vec<(String, String)> {
    let decode = |it: &str| percent_decode_str(it.trim()).decode_utf8_lossy().into_owned();
    let pairs = text.split(',').filter_map(|it| it.split_once('='));
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "task-master".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    }
}

fn text(name: &str, value: impl Into<String>) -> KeyValue {
    attribute(name, any_value::Value::StringValue(value.into()))
}

fn attribute(name: &str, value: any_value::Value) -> KeyValue {
    let value = Some(AnyValue { value: Some(value) });
    KeyValue { key: name.to_owned(), value, ..KeyValue::default() }
}

#[cfg(test)]
mod tests;
