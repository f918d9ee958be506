//! The gateway: the endpoints of the services that it takes the place of, answered by local models.
//!
//! An endpoint reads its client's protocol, [`mod@answer`] asks the model, and a writer of the same
//! protocol tells what came of it. Whatever a client calls the model, a local one answers: tools
//! move here by changing a base URL and nothing else. Which one is decided in [`routing`]. Start at
//! [`router`].

use std::{fmt, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tm_llm::{
    backend::Backend,
    dialect::serve::{
        ClientError, ClientRequest, Identity, Writer,
        anthropic::{self, MessageWriter},
        embeddings::{self, EmbedCall},
        ollama::{self, Endpoint, LineWriter},
        openai::{self, ChatWriter, CompletionWriter},
        rerank as reranking,
        responses::{self, Echo, ResponseWriter},
    },
    failover::Failover,
};
use tm_tasks::{
    config::Role,
    timestamp::{Timestamp, iso_millis},
};

use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::{
    keys::KeyRing,
    metrics::{Metrics, Now},
};
use crate::{
    backend::{
        Kept, audit,
        names::{Names, Reason},
    },
    rollout::{Trials, live::Live},
    trace::Log,
};
use answer::Asked;
pub use cached::Answers;
pub use cited::Sources;
use client::Client;
pub use fleet::Follower;
pub use routing::Players;

mod answer;
mod arriving;
mod cached;
mod cards;
mod cited;
mod client;
mod count;
mod errors;
mod fleet;
mod large;
mod memory;
mod ranks;
mod routing;
mod shadow;
mod vectors;

/// Shorter than what lies between a client and a gateway waits for the head of an answer.
const SILENCE: Duration = Duration::from_secs(10);

/// What all requests share.
#[derive(Debug)]
pub struct Gateway {
    players: Players,
    /// What clients may call them.
    names: Names,
    /// The model that turns texts into vectors.
    embedder: Arc<Failover>,
    /// The model that tells how well texts answer a question.
    reranker: Option<Arc<Failover>>,
    /// The documents that questions are researched in.
    sources: Sources,
    /// What was answered before, when that is kept.
    answers: Option<Arc<Answers>>,
    /// Whoever asks must have one of these, when there are any.
    keys: Option<KeyRing>,
    metrics: Arc<Metrics>,
    /// What becomes of requests is kept here.
    trace: Arc<Log>,
    /// A request that has no answer after this gets none.
    timeout: Duration,
    /// Whoever waits for the first word of a stream hears from us so often.
    silence: Duration,
    /// Which models are on trial, where a project has any.
    rollout: Option<Arc<Live>>,
    /// What nobody waits for who asks.
    background: TaskTracker,
    /// Places for those who are asked beside others.
    beside: Arc<Semaphore>,
    /// Where models of this process are.
    kept: Option<Arc<Kept>>,
}

impl Gateway {
    /// The models of a project's roles, by the names they have.
    pub fn new(players: Players, names: Names, timeout: Duration) -> Self {
        Self {
            embedder: Arc::clone(players.of(Role::Main)),
            reranker: None,
            players,
            names,
            sources: Sources::default(),
            answers: None,
            keys: None,
            metrics: Arc::new(Metrics::new()),
            trace: Arc::new(Log::nowhere()),
            timeout,
            silence: SILENCE,
            rollout: None,
            background: TaskTracker::new(),
            beside: Arc::new(Semaphore::new(shadow::ASKED_MOST)),
            kept: None,
        }
    }

    /// The same with models that come and go.
    #[must_use]
    pub fn with_kept(self, kept: Arc<Kept>) -> Self {
        Self { kept: Some(kept), ..self }
    }

    /// The same, and other models can be tried in the place of a role's.
    #[must_use]
    pub fn with_rollout(self, trials: Trials) -> Self {
        Self { rollout: Some(Arc::new(Live::new(trials))), ..self }
    }

    /// What goes on when an answer was given.
    pub fn background(&self) -> TaskTracker {
        self.background.clone()
    }

    /// The same, and what becomes of requests is kept.
    #[must_use]
    pub fn with_trace(self, trace: Log) -> Self {
        Self { trace: Arc::new(trace), ..self }
    }

    /// The same with another model for embeddings.
    #[must_use]
    pub fn with_embedder(self, embedder: Arc<Failover>) -> Self {
        Self { embedder, ..self }
    }

    /// The same with a model that puts texts in order.
    #[must_use]
    pub fn with_reranker(self, reranker: Option<Arc<Failover>>) -> Self {
        Self { reranker, ..self }
    }

    /// The same with documents to research in.
    #[must_use]
    pub fn with_sources(self, sources: Sources) -> Self {
        Self { sources, ..self }
    }

    /// The same, and answers are given again.
    #[must_use]
    pub fn with_answers(self, answers: Answers) -> Self {
        Self { answers: Some(Arc::new(answers)), ..self }
    }

    /// The same for those who have a key, wherever they are.
    #[must_use]
    pub fn with_keys(self, keys: KeyRing) -> Self {
        Self { keys: Some(keys), ..self }
    }

    /// What was counted so far, in the words of OpenMetrics.
    ///
    /// # Errors
    /// Whatever the counters say.
    pub fn measured(&self) -> Result<String, fmt::Error> {
        let waiting = Role::ALL.map(|it| (it.as_str(), self.players.of(it).waiting()));
        let cache_failures = self.answers.as_ref().map_or(0, |it| it.failures());
        let now = Now { waiting: waiting.to_vec(), cache_failures, external: audit::counts() };
        self.metrics.text(&self.players.report(), &now)
    }

    fn main(&self) -> &Failover {
        self.players.of(Role::Main)
    }
}

/// An endpoint that asks a model: what it is counted as, and how it tells errors.
#[derive(Debug, Clone, Copy)]
struct Door {
    name: &'static str,
    error_body: ErrorBody,
}

const CHAT: Door = Door { name: "chat", error_body: openai::error_body };
const COMPLETIONS: Door = Door { name: "completions", error_body: openai::error_body };
const RESPONSES: Door = Door { name: "responses", error_body: openai::error_body };
const AGENT: Door = Door { name: "agent", error_body: openai::error_body };
const MESSAGES: Door = Door { name: "messages", error_body: anthropic::error_body };
const OLLAMA: Door = Door { name: "ollama", error_body: ollama::error_body };
const EMBEDDINGS: Door = Door { name: "embeddings", error_body: openai::error_body };
const RERANK: Door = Door { name: "rerank", error_body: openai::error_body };

type Shared = State<Arc<Gateway>>;
type ErrorBody = fn(&ClientError) -> Value;

/// Every endpoint.
pub fn router(gateway: Arc<Gateway>) -> Router {
    let openai = Router::new()
        .route("/chat/completions", post(chat_completions))
        .route("/completions", post(completions))
        .route("/responses", post(create_response))
        .route("/embeddings", post(openai_embeddings))
        .route("/rerank", post(rerank))
        .route("/messages", post(messages))
        .route("/messages/count_tokens", post(count_tokens))
        .route("/agent", post(agent))
        .route("/models", get(models))
        .route("/models/{*model}", get(model));
    let ollama = Router::new()
        .route("/chat", post(ollama_chat))
        .route("/generate", post(ollama_generate))
        .route("/embed", post(ollama_embed))
        .route("/embeddings", post(ollama_embed_one))
        .route("/tags", get(tags))
        .route("/show", post(show))
        .route("/ps", get(running))
        .route("/v0/models", get(cards::of_older_lm_studio))
        .route("/v1/models", get(cards::of_newer_lm_studio))
        .route("/version", get(|| async { json_body(&json!({"version": ollama::API_VERSION})) }));
    Router::new()
        // Some clients of Ollama look for these words.
        .route("/", get(|| async { "Ollama is running, as task-master" }))
        .route("/health", get(|| async { json_body(&json!({"status": "ok"})) }))
        .route("/metrics", get(metrics))
        .route("/routes", get(routes))
        .merge(openai.clone())
        .nest("/v1", openai)
        .route("/v2/rerank", post(rerank))
        .nest("/api", ollama)
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(Arc::clone(&gateway), client::admit))
        .with_state(gateway)
}

async fn metrics(State(gateway): Shared) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0")];
    match gateway.measured() {
        Ok(text) => (headers, text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn routes(State(gateway): Shared) -> Response {
    json_body(&gateway.routes()).into_response()
}

async fn chat_completions(client: Client, body: Bytes) -> Response {
    let (request, with_usage) = match openai::read_chat(&body) {
        Ok(read) => read,
        Err(error) => return refused(&error, openai::error_body),
    };
    if cited::is_search(&request) && openai::may_search(&body) {
        return cited::answer(client, request, CHAT).await;
    }
    let custom = request.form.custom_tools();
    let writer =
        |identity, _: &Asked| ChatWriter::new(identity, with_usage).with_custom_tools(custom);
    answer(client, CHAT, request, writer).await
}

async fn completions(client: Client, body: Bytes) -> Response {
    let (request, with_usage) = match openai::read_completion(&body) {
        Ok(read) => read,
        Err(error) => return refused(&error, openai::error_body),
    };
    let writer = |identity, _: &Asked| CompletionWriter::new(identity, with_usage);
    answer(client, COMPLETIONS, request, writer).await
}

async fn create_response(client: Client, body: Bytes) -> Response {
    match responses::read(&body) {
        Ok((request, echo)) => respond(client, RESPONSES, request, echo).await,
        Err(error) => refused(&error, openai::error_body),
    }
}

/// What Perplexity's clients ask since it has agents.
async fn agent(client: Client, body: Bytes) -> Response {
    match responses::read_agent(&body) {
        Ok((request, _)) if cited::is_search(&request) => {
            cited::answer(client, request, AGENT).await
        }
        Ok((request, echo)) => respond(client, AGENT, request, echo).await,
        Err(error) => refused(&error, openai::error_body),
    }
}

async fn respond(client: Client, door: Door, request: ClientRequest, echo: Echo) -> Response {
    let custom = request.form.custom_tools();
    let writer =
        |identity, _: &Asked| ResponseWriter::new(identity).with_custom_tools(custom).echoing(echo);
    answer(client, door, request, writer).await
}

async fn messages(client: Client, body: Bytes) -> Response {
    let request = match anthropic::read(&body) {
        Ok(request) => request,
        Err(error) => return refused(&error, anthropic::error_body),
    };
    let writer = |identity, asked: &Asked| MessageWriter::new(identity, asked.prompt_tokens());
    answer(client, MESSAGES, request, writer).await
}

async fn count_tokens(client: Client, body: Bytes) -> Response {
    let counted = async {
        let request = anthropic::read_prompt(&body)?;
        let routed = client.route_unasked(&request.model).await?;
        routed.backend.prepare().await?;
        Ok(answer::prompt_tokens(&*routed.backend, &request))
    };
    match counted.await {
        Ok(tokens) => json_body(&json!({ "input_tokens": tokens })).into_response(),
        Err(error) => refused(&error, anthropic::error_body),
    }
}

async fn models(State(gateway): Shared, headers: HeaderMap) -> Response {
    let names = cards::names(&gateway);
    let now = Timestamp::now();
    let body = if headers.contains_key("anthropic-version") {
        anthropic::models(&names, &iso_millis(now))
    } else {
        let entry = |it| cards::with_facts(&gateway, openai::model(it, now.as_second()));
        openai::models(&names.iter().map(|it| entry(it)).collect::<Vec<Value>>())
    };
    json_body(&body).into_response()
}

/// Names that are not listed are answered to all the same, but whoever asks for one wants to know.
async fn model(State(gateway): Shared, headers: HeaderMap, Path(model): Path<String>) -> Response {
    let now = Timestamp::now();
    let is_listed = cards::names(&gateway).contains(&model);
    if gateway.names.role(&model).1 == Reason::Default && !is_listed {
        return refused(&ClientError::NoModel { model }, openai::error_body);
    }
    if headers.contains_key("anthropic-version") {
        return json_body(&anthropic::model(&model, &iso_millis(now))).into_response();
    }
    let entry = openai::model(&model, now.as_second());
    json_body(&cards::with_facts(&gateway, entry)).into_response()
}

async fn openai_embeddings(client: Client, body: Bytes) -> Response {
    embed(client, EMBEDDINGS, embeddings::read_openai(&body)).await
}

async fn rerank(client: Client, body: Bytes) -> Response {
    let ranked = match reranking::read(&body) {
        Ok(call) => ranks::rerank(client, RERANK, &call).await,
        Err(error) => Err(error),
    };
    match ranked {
        Ok(body) => json_body(&body).into_response(),
        Err(error) => refused(&error, RERANK.error_body),
    }
}

async fn ollama_embed(client: Client, body: Bytes) -> Response {
    embed(client, OLLAMA, embeddings::read_ollama(&body)).await
}

async fn ollama_embed_one(client: Client, body: Bytes) -> Response {
    embed(client, OLLAMA, embeddings::read_ollama_one(&body)).await
}

async fn ollama_chat(client: Client, body: Bytes) -> Response {
    answer_ollama(client, Endpoint::Chat, ollama::read_chat(&body)).await
}

async fn ollama_generate(client: Client, body: Bytes) -> Response {
    answer_ollama(client, Endpoint::Generate, ollama::read_generate(&body)).await
}

async fn tags(State(gateway): Shared) -> Response {
    json_body(&cards::tags(&gateway)).into_response()
}

async fn running(State(gateway): Shared) -> Response {
    json_body(&memory::running(&gateway)).into_response()
}

async fn show(client: Client, body: Bytes) -> Response {
    cards::show(client, &body).await
}

async fn answer_ollama(
    mut client: Client,
    endpoint: Endpoint,
    call: Result<ollama::Call, ClientError>,
) -> Response {
    let created_at = iso_millis(Timestamp::now());
    match call {
        Ok(ollama::Call { request: Some(request), keep_alive, .. }) => {
            client.keep_alive = keep_alive;
            let writer = |identity, _: &Asked| LineWriter::new(identity, endpoint, created_at);
            answer(client, OLLAMA, request, writer).await
        }
        Ok(call) => memory::change(client, &call, endpoint, &created_at).await,
        Err(error) => refused(&error, ollama::error_body),
    }
}

async fn embed(client: Client, door: Door, call: Result<EmbedCall, ClientError>) -> Response {
    let call = match call {
        Ok(call) => call,
        Err(error) => return refused(&error, door.error_body),
    };
    let (embedded, lookup) = vectors::embed(client, door, &call).await;
    let mut response = match embedded {
        Ok(body) => json_body(&body).into_response(),
        Err(error) => refused(&error, door.error_body),
    };
    let word = HeaderValue::from_static(lookup.word());
    response.headers_mut().insert(HeaderName::from_static("x-cache"), word);
    response
}

/// Gives a request its answer: one that is known, or that of the model which it names.
async fn answer<W: Writer + 'static>(
    client: Client,
    door: Door,
    request: ClientRequest,
    writer: impl FnOnce(Identity, &Asked) -> W,
) -> Response {
    let identity = identity(&client, &request);
    let asked = match Asked::begin(client, door, request).await {
        Ok(asked) => asked,
        Err(error) => return refused(&error, door.error_body),
    };
    let (routed, is_stream) = (asked.routed(), asked.is_stream());
    let written = asked.written(|asked| Box::new(writer(identity, asked))).await;
    let response = match written.body {
        Ok((kind, body)) if is_stream => {
            let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")];
            (headers, body).into_response()
        }
        Ok((_, body)) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => refused(&error, door.error_body),
    };
    routed.told(response, &written.lookup)
}

fn identity(client: &Client, request: &ClientRequest) -> Identity {
    let id = client.request_id.clone();
    Identity { id, created: Timestamp::now().as_second(), model: request.model.clone() }
}

fn refused(error: &ClientError, error_body: ErrorBody) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut response = (status, json_body(&error_body(error))).into_response();
    if let ClientError::Busy { retry_after_s, .. } | ClientError::TooMany { retry_after_s } = error
    {
        response.headers_mut().insert(header::RETRY_AFTER, (*retry_after_s).into());
    }
    response.extensions_mut().insert(error.clone());
    response
}

fn json_body(value: &Value) -> impl IntoResponse + use<> {
    json_text(value.to_string())
}

fn json_text(text: String) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], text)
}

#[cfg(test)]
pub(super) mod tests;
