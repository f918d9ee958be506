//! What the gateway counts, in the words of the OpenTelemetry conventions for generative models.

use std::{fmt, sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use tm_llm::chat::Usage;

/// Bounds of the histograms, in seconds: a hit of the prefix cache up to a long plan.
const SECONDS: [f64; 12] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    endpoint: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Tokens {
    r#type: &'static str,
}

/// The gateway's counters.
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    in_flight: Gauge,
    tokens: Family<Tokens, Counter>,
    duration: Histogram,
    first_text: Histogram,
    seconds_decoding: Counter<f64, AtomicU64>,
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let requests = Family::default();
        let in_flight = Gauge::default();
        let tokens = Family::default();
        let duration = Histogram::new(SECONDS);
        let first_text = Histogram::new(SECONDS);
        let seconds_decoding = Counter::default();
        registry.register(
            "gateway_requests",
            "Requests by endpoint and status; the status of a stream is that of its end",
            Family::clone(&requests),
        );
        registry.register(
            "gateway_requests_in_flight",
            "Requests that are being answered",
            Gauge::clone(&in_flight),
        );
        registry.register(
            "gen_ai_client_token_usage",
            "Tokens read (input), read before and kept (cached) and written (output)",
            Family::clone(&tokens),
        );
        registry.register_with_unit(
            "gen_ai_server_request_duration",
            "From a request to the end of its answer",
            Unit::Seconds,
            duration.clone(),
        );
        registry.register_with_unit(
            "gen_ai_server_time_to_first_token",
            "From a request to the first text of its answer",
            Unit::Seconds,
            first_text.clone(),
        );
        registry.register_with_unit(
            "gateway_decoding",
            "Time in which answers were written",
            Unit::Seconds,
            Counter::clone(&seconds_decoding),
        );
        Self { registry, requests, in_flight, tokens, duration, first_text, seconds_decoding }
    }

    /// The counters as Prometheus reads them.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }

    pub fn begun(&self) {
        self.in_flight.inc();
    }

    pub fn first_text(&self, after: Duration) {
        self.first_text.observe(after.as_secs_f64());
    }

    pub fn used(&self, usage: &Usage) {
        let count = |r#type, tokens| {
            self.tokens.get_or_create(&Tokens { r#type }).inc_by(u64::from(tokens));
        };
        count("input", usage.prompt_tokens);
        count("cached", usage.cached_tokens);
        count("output", usage.completion_tokens);
        self.seconds_decoding.inc_by(usage.decode.as_secs_f64());
    }

    pub fn ended(&self, endpoint: &'static str, status: u16, after: Duration) {
        self.in_flight.dec();
        self.requests.get_or_create(&Request { endpoint, status }).inc();
        self.duration.observe(after.as_secs_f64());
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
