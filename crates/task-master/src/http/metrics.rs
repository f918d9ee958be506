//! What the gateway counts, in the words of the OpenTelemetry conventions for generative models.
//!
//! `gen_ai_client_…` is what was asked of each model, attempt by attempt, so that a fallback is
//! seen; `gen_ai_server_…` and `gateway_…` are what clients got. Names of clients are no labels:
//! there is no end of them.

use std::{
    fmt,
    sync::atomic::{AtomicI64, AtomicU64},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use tm_llm::{
    chat::Usage,
    failover::{Attempt, Outcome, SeatReport},
};

use crate::rollout::live::Chosen;
pub use state::Now;
use state::State;

mod state;

/// Bounds of the histograms, in seconds: a hit of the prefix cache up to a long plan.
const SECONDS: [f64; 12] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0];
/// Bounds of the histogram of tokens, as the conventions have them.
const TOKENS: [f64; 10] =
    [1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16_384.0, 65_536.0, 262_144.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    endpoint: &'static str,
    status: u16,
    /// The role that answers; empty where there is none.
    route: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Tried {
    role: &'static str,
    arm: &'static str,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Lookup {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Tokens {
    r#type: &'static str,
}

/// What was asked of whom.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    gen_ai_operation_name: &'static str,
    gen_ai_provider_name: String,
    gen_ai_request_model: String,
    /// The model with its address, where it has one.
    backend: String,
    /// Empty when it went well.
    error_type: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TokensOf {
    gen_ai_token_type: &'static str,
    gen_ai_provider_name: String,
    gen_ai_request_model: String,
    backend: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Backend {
    backend: String,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// The gateway's counters.
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    lookups: Family<Lookup, Counter>,
    state: State,
    refused: Family<Refused, Counter>,
    trials: Family<Tried, Counter>,
    in_flight: Gauge,
    tokens: Family<Tokens, Counter>,
    duration: Histogram,
    first_text: Histogram,
    seconds_decoding: Counter<f64, AtomicU64>,
    models: Models,
}

/// What is counted of each model.
#[derive(Clone)]
struct Models {
    duration: Histograms<Operation>,
    first_chunk: Histograms<Operation>,
    tokens: Histograms<TokensOf>,
    in_flight: Family<Backend, Gauge>,
    is_well: Family<Backend, Gauge>,
    outstanding: Family<Backend, Gauge<f64, AtomicU64>>,
    resumed: Family<Backend, Gauge<i64, AtomicI64>>,
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let requests = Family::default();
        let (lookups, refused, trials) = without_a_model(&mut registry);
        let state = State::register(&mut registry);
        let in_flight = Gauge::default();
        let tokens = Family::default();
        let duration = Histogram::new(SECONDS);
        let first_text = Histogram::new(SECONDS);
        let seconds_decoding = Counter::default();
        registry.register(
            "gateway_requests",
            "Requests by endpoint, status and role; the status of a stream is that of its end",
            Family::clone(&requests),
        );
        registry.register(
            "gateway_requests_in_flight",
            "Requests that are being answered",
            Gauge::clone(&in_flight),
        );
        registry.register(
            "gateway_tokens",
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
        let models = Models::register(&mut registry);
        Self {
            registry,
            requests,
            lookups,
            state,
            refused,
            trials,
            in_flight,
            tokens,
            duration,
            first_text,
            seconds_decoding,
            models,
        }
    }

    /// The counters as Prometheus reads them, with how the models and this process stand now.
    pub fn text(&self, models: &[SeatReport], now: &Now) -> Result<String, fmt::Error> {
        self.state.is(now);
        for model in models {
            self.models.stands(model);
        }
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }

    pub fn begun(&self) {
        self.in_flight.inc();
    }

    /// A request that was not let in: because of its `key`, its `rate` or its `model`.
    pub fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&Refused { reason }).inc();
    }

    /// `hit`, `miss` or `bypass`.
    pub fn looked_up(&self, result: &'static str) {
        self.lookups.get_or_create(&Lookup { result }).inc();
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

    pub fn ended(
        &self,
        (endpoint, route): (&'static str, &'static str),
        status: u16,
        after: Duration,
    ) {
        self.in_flight.dec();
        self.requests.get_or_create(&Request { endpoint, status, route }).inc();
        self.duration.observe(after.as_secs_f64());
    }

    /// What a request came to whose role has other models on trial.
    pub fn tried(&self, chosen: &Chosen, is_good: bool) {
        let (role, arm) = (chosen.role, chosen.arm.as_str());
        let result = if is_good { "good" } else { "failed" };
        self.trials.get_or_create(&Tried { role, arm, result }).inc();
    }

    /// What somebody who was asked made of it.
    pub fn attempted(&self, operation: &'static str, attempt: &Attempt) {
        let error_type = match attempt.outcome {
            Outcome::Answered(..) => "",
            Outcome::Failed(kind) => kind,
            Outcome::Abandoned => "abandoned",
        };
        let labels = Operation {
            gen_ai_operation_name: operation,
            gen_ai_provider_name: attempt.provider.clone(),
            gen_ai_request_model: attempt.model.clone(),
            backend: attempt.name.clone(),
            error_type,
        };
        self.models.duration.get_or_create(&labels).observe(attempt.took.as_secs_f64());
        if let Some(waited) = attempt.first_word {
            self.models.first_chunk.get_or_create(&labels).observe(waited.as_secs_f64());
        }
        let Outcome::Answered(usage, _) = attempt.outcome else { return };
        for (kind, tokens) in [("input", usage.prompt_tokens), ("output", usage.completion_tokens)]
        {
            let labels = TokensOf {
                gen_ai_token_type: kind,
                gen_ai_provider_name: attempt.provider.clone(),
                gen_ai_request_model: attempt.model.clone(),
                backend: attempt.name.clone(),
            };
            self.models.tokens.get_or_create(&labels).observe(f64::from(tokens));
        }
    }
}

/// What is counted of requests that no model was asked for, and of trials.
fn without_a_model(
    registry: &mut Registry,
) -> (Family<Lookup, Counter>, Family<Refused, Counter>, Family<Tried, Counter>) {
    let (lookups, refused, trials) = (Family::default(), Family::default(), Family::default());
    registry.register(
        "gateway_trials",
        "Requests to roles that have other models on trial, by who answered",
        Family::clone(&trials),
    );
    registry.register(
        "gateway_cache",
        "Requests that were answered from the cache (hit), could not be (miss) or did not ask it",
        Family::clone(&lookups),
    );
    registry.register(
        "gateway_refused",
        "Requests that were not let in, by what was wrong: key, rate or model",
        Family::clone(&refused),
    );
    (lookups, refused, trials)
}

impl Models {
    fn register(registry: &mut Registry) -> Self {
        let seconds: fn() -> Histogram = || Histogram::new(SECONDS);
        let models = Self {
            duration: Family::new_with_constructor(seconds),
            first_chunk: Family::new_with_constructor(seconds),
            tokens: Family::new_with_constructor(|| Histogram::new(TOKENS)),
            in_flight: Family::default(),
            is_well: Family::default(),
            outstanding: Family::default(),
            resumed: Family::default(),
        };
        let Self { duration, first_chunk, tokens, in_flight, is_well, outstanding, resumed } =
            models.clone();
        let what = "From asking a model to the end of its answer, or to its failure";
        registry.register_with_unit(
            "gen_ai_client_operation_duration",
            what,
            Unit::Seconds,
            duration,
        );
        registry.register_with_unit(
            "gen_ai_client_operation_time_to_first_chunk",
            "From asking a model to its first text",
            Unit::Seconds,
            first_chunk,
        );
        let what = "Tokens of each answer of a model, read (input) and written (output)";
        registry.register("gen_ai_client_token_usage", what, tokens);
        registry.register("gateway_backend_in_flight", "Questions a model works on", in_flight);
        registry.register(
            "gateway_backend_well",
            "Whether a model would be asked now: 0 while it rests after a failure",
            is_well,
        );
        registry.register_with_unit(
            "gateway_backend_outstanding",
            "Predicted time of the work that a model has",
            Unit::Seconds,
            outstanding,
        );
        let what = "Answers that a model took over in the middle";
        registry.register("gateway_backend_resumed", what, resumed);
        models
    }

    fn stands(&self, model: &SeatReport) {
        let labels = Backend { backend: model.name.clone() };
        let is_well = matches!(model.standing, "well" | "rested");
        self.in_flight.get_or_create(&labels).set(i64::from(model.in_flight));
        self.is_well.get_or_create(&labels).set(i64::from(is_well));
        self.outstanding.get_or_create(&labels).set(model.outstanding_s);
        let resumed = i64::try_from(model.resumed).unwrap_or(i64::MAX);
        self.resumed.get_or_create(&labels).set(resumed);
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
