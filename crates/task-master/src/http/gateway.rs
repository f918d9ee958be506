//! The gateway: the endpoints of the services that it takes the place of, answered by local models.
//!
//! An endpoint reads its client's protocol, [`answer`] asks the model, and a writer of the same
//! protocol tells what came of it. Whatever a client calls the model, a local one answers: tools
//! move here by changing a base URL and nothing else. Start at [`router`].

use std::{path::PathBuf, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::{self, Next},
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
        responses::{self, ResponseWriter},
    },
};
use tm_tasks::timestamp::{Timestamp, iso_millis};

use super::metrics::Metrics;
use answer::Asked;
use cited::{is_search_model, no_sources};

mod answer;
mod cited;

/// The longest body: a long document, many times over.
const BODY_BYTES: usize = 32 << 20;

/// What all requests share.
#[derive(Debug)]
pub struct Gateway {
    backend: Arc<dyn Backend>,
    /// The model that turns texts into vectors.
    embedder: Arc<dyn Backend>,
    /// The documents that questions are researched in.
    knowledge: Option<PathBuf>,
    metrics: Metrics,
    /// A request that has no answer after this gets none.
    timeout: Duration,
}

impl Gateway {
    /// One model for everything.
    pub fn new(backend: Arc<dyn Backend>, timeout: Duration) -> Self {
        let embedder = Arc::clone(&backend);
        Self { backend, embedder, knowledge: None, metrics: Metrics::new(), timeout }
    }

    /// The same with another model for embeddings.
    #[must_use]
    pub fn with_embedder(self, embedder: Arc<dyn Backend>) -> Self {
        Self { embedder, ..self }
    }

    /// The same with documents to research in.
    #[must_use]
    pub fn with_knowledge(self, file: PathBuf) -> Self {
        Self { knowledge: Some(file), ..self }
    }

    fn model(&self) -> &str {
        &self.backend.info().model
    }
}

type Shared = State<Arc<Gateway>>;
type ErrorBody = fn(&ClientError) -> Value;

/// Every endpoint.
pub fn router(gateway: Arc<Gateway>) -> Router {
    let openai = Router::new()
        .route("/chat/completions", post(chat_completions))
        .route("/completions", post(completions))
        .route("/responses", post(create_response))
        .route("/embeddings", post(openai_embeddings))
        .route("/messages", post(messages))
        .route("/messages/count_tokens", post(count_tokens))
        .route("/agent", post(|| async { refused(&no_sources(), openai::error_body) }))
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
        .route("/version", get(|| async { json_body(&json!({"version": VERSION})) }));
    Router::new()
        .route("/", get(|| async { "task-master is running" }))
        .route("/health", get(|| async { json_body(&json!({"status": "ok"})) }))
        .route("/metrics", get(metrics))
        .merge(openai.clone())
        .nest("/v1", openai)
        .nest("/api", ollama)
        .fallback(unknown)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(middleware::from_fn(only_local_pages))
        .with_state(gateway)
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A web page from elsewhere may not use the models of whoever looks at it.
async fn only_local_pages(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let is_local = |name| {
        let value = headers.get(name).map(|it| it.to_str().unwrap_or_default());
        value.is_none_or(|it| host_is_local(it.rsplit("//").next().unwrap_or(it)))
    };
    if is_local(header::ORIGIN) && is_local(header::HOST) {
        return next.run(request).await;
    }
    let message = "only pages and programs of this machine are served";
    let error = json!({"error": {"message": message, "type": "permission_error"}});
    (StatusCode::FORBIDDEN, json_body(&error)).into_response()
}

/// `localhost:8484`, `127.0.0.1`, `[::1]:8484` and the like.
fn host_is_local(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|it| it.is_ascii_digit()) => host,
        _ => authority,
    };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = |it: &str| it.parse::<std::net::IpAddr>().is_ok_and(|it| it.is_loopback());
    host.eq_ignore_ascii_case("localhost") || is_loopback(address)
}

async fn unknown(method: Method, request: Request) -> Response {
    let message = format!("there is nothing at {method} {}", request.uri().path());
    let error = json!({"error": {"message": message, "type": "invalid_request_error"}});
    (StatusCode::NOT_FOUND, json_body(&error)).into_response()
}

async fn metrics(State(gateway): Shared) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0")];
    match gateway.metrics.text() {
        Ok(text) => (headers, text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn chat_completions(State(gateway): Shared, body: Bytes) -> Response {
    let (request, with_usage) = match openai::read_chat(&body) {
        Ok(read) => read,
        Err(error) => return refused(&error, openai::error_body),
    };
    if is_search_model(&request.model) {
        return cited::answer(&gateway, &request).await;
    }
    let writer = ChatWriter::new(identity(&request), with_usage);
    gateway.answer("chat", request, Box::new(writer), openai::error_body).await
}

async fn completions(State(gateway): Shared, body: Bytes) -> Response {
    let (request, with_usage) = match openai::read_completion(&body) {
        Ok(read) => read,
        Err(error) => return refused(&error, openai::error_body),
    };
    let writer = CompletionWriter::new(identity(&request), with_usage);
    gateway.answer("completions", request, Box::new(writer), openai::error_body).await
}

async fn create_response(State(gateway): Shared, body: Bytes) -> Response {
    let request = match responses::read(&body) {
        Ok(request) => request,
        Err(error) => return refused(&error, openai::error_body),
    };
    let writer = ResponseWriter::new(identity(&request));
    gateway.answer("responses", request, Box::new(writer), openai::error_body).await
}

async fn messages(State(gateway): Shared, body: Bytes) -> Response {
    let request = match anthropic::read(&body) {
        Ok(request) => request,
        Err(error) => return refused(&error, anthropic::error_body),
    };
    let tokens = answer::prompt_tokens(&*gateway.backend, &request);
    let writer = MessageWriter::new(identity(&request), tokens);
    gateway.answer("messages", request, Box::new(writer), anthropic::error_body).await
}

async fn count_tokens(State(gateway): Shared, body: Bytes) -> Response {
    match anthropic::read_prompt(&body) {
        Ok(request) => {
            let tokens = answer::prompt_tokens(&*gateway.backend, &request);
            json_body(&json!({"input_tokens": tokens})).into_response()
        }
        Err(error) => refused(&error, anthropic::error_body),
    }
}

async fn models(State(gateway): Shared, headers: HeaderMap) -> Response {
    let names = [gateway.model().to_owned()];
    let now = Timestamp::now();
    let body = if headers.contains_key("anthropic-version") {
        anthropic::models(&names, &iso_millis(now))
    } else {
        openai::models(&names, now.as_second())
    };
    json_body(&body).into_response()
}

async fn model(State(gateway): Shared, Path(model): Path<String>) -> Response {
    if model == gateway.model() {
        return json_body(&openai::model(&model, Timestamp::now().as_second())).into_response();
    }
    refused(&ClientError::NoModel { model }, openai::error_body)
}

async fn openai_embeddings(State(gateway): Shared, body: Bytes) -> Response {
    gateway.embed("embeddings", embeddings::read_openai(&body), openai::error_body).await
}

async fn ollama_embed(State(gateway): Shared, body: Bytes) -> Response {
    gateway.embed("ollama", embeddings::read_ollama(&body), ollama::error_body).await
}

async fn ollama_embed_one(State(gateway): Shared, body: Bytes) -> Response {
    gateway.embed("ollama", embeddings::read_ollama_one(&body), ollama::error_body).await
}

async fn ollama_chat(State(gateway): Shared, body: Bytes) -> Response {
    gateway.ollama(&body, Endpoint::Chat, ollama::read_chat(&body)).await
}

async fn ollama_generate(State(gateway): Shared, body: Bytes) -> Response {
    gateway.ollama(&body, Endpoint::Generate, ollama::read_generate(&body)).await
}

async fn tags(State(gateway): Shared) -> Response {
    json_body(&json!({"models": [gateway.card()]})).into_response()
}

async fn running(State(gateway): Shared) -> Response {
    let mut card = gateway.card();
    if let Some(card) = card.as_object_mut() {
        card.insert("context_length".to_owned(), gateway.backend.info().context_tokens.into());
    }
    json_body(&json!({ "models": [card] })).into_response()
}

async fn show(State(gateway): Shared, body: Bytes) -> Response {
    if let Err(error) = ollama::read_model(&body) {
        return refused(&error, ollama::error_body);
    }
    let card = gateway.card();
    let info = json!({
        "general.architecture": "local",
        "local.context_length": gateway.backend.info().context_tokens
    });
    let body = json!({
        "details": card.get("details"), "model_info": info, "parameters": "", "template": "",
        "capabilities": ["completion", "tools"]
    });
    json_body(&body).into_response()
}

impl Gateway {
    /// The model as Ollama's clients know models.
    fn card(&self) -> Value {
        json!({
            "name": self.model(), "model": self.model(), "size": 0, "digest": "",
            "modified_at": iso_millis(Timestamp::now()),
            "details": {"format": "gguf", "family": "local", "families": ["local"],
                        "parameter_size": "", "quantization_level": ""}
        })
    }

    async fn ollama(
        self: Arc<Self>,
        body: &[u8],
        endpoint: Endpoint,
        request: Result<Option<ClientRequest>, ClientError>,
    ) -> Response {
        let created_at = iso_millis(Timestamp::now());
        match request {
            Ok(Some(request)) => {
                let writer = LineWriter::new(identity(&request), endpoint, created_at);
                self.answer("ollama", request, Box::new(writer), ollama::error_body).await
            }
            // The model is loaded already.
            Ok(None) => match ollama::read_model(body) {
                Ok(model) => {
                    json_body(&ollama::loaded(&model, endpoint, &created_at)).into_response()
                }
                Err(error) => refused(&error, ollama::error_body),
            },
            Err(error) => refused(&error, ollama::error_body),
        }
    }

    async fn embed(
        self: Arc<Self>,
        endpoint: &'static str,
        call: Result<EmbedCall, ClientError>,
        error_body: ErrorBody,
    ) -> Response {
        let embedded = match call {
            Ok(call) => answer::embed(self, endpoint, &call).await,
            Err(error) => Err(error),
        };
        match embedded {
            Ok(body) => json_body(&body).into_response(),
            Err(error) => refused(&error, error_body),
        }
    }

    async fn answer(
        self: Arc<Self>,
        endpoint: &'static str,
        request: ClientRequest,
        writer: Box<dyn Writer>,
        error_body: ErrorBody,
    ) -> Response {
        let asked = Asked::begin(self, endpoint, request);
        if asked.is_stream() {
            let stream_type = writer.stream_type();
            return match asked.stream(writer).await {
                Ok(stream) => {
                    let headers =
                        [(header::CONTENT_TYPE, stream_type), (header::CACHE_CONTROL, "no-cache")];
                    (headers, Body::from_stream(stream)).into_response()
                }
                Err(error) => refused(&error, error_body),
            };
        }
        match asked.whole(writer).await {
            Ok(body) => json_body(&body).into_response(),
            Err(error) => refused(&error, error_body),
        }
    }
}

fn identity(request: &ClientRequest) -> Identity {
    let id = format!("{:016x}{:08x}", fastrand::u64(..), fastrand::u32(..));
    Identity { id, created: Timestamp::now().as_second(), model: request.model.clone() }
}

fn refused(error: &ClientError, error_body: ErrorBody) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut response = (status, json_body(&error_body(error))).into_response();
    if let ClientError::Busy { retry_after_s, .. } = error {
        response.headers_mut().insert(header::RETRY_AFTER, (*retry_after_s).into());
    }
    response
}

fn json_body(value: &Value) -> impl IntoResponse + use<> {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string())
}

#[cfg(test)]
mod tests;
