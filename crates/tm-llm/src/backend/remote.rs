//! A model behind a server: one type for all of them.
//!
//! A server is a base URL, a [`Provider`] with its protocol, and perhaps a key. What it refuses is
//! learnt while the process runs: a way to hold answers to a schema, a member it does not know.
//! Nothing is tried twice here; that is up to [`crate::failover`]. Start at [`RemoteBackend`].

use std::{
    fmt, io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use hyper::{
    HeaderMap, Uri,
    header::{self, HeaderValue},
};
use reqwest::{Client, Response};
use tokio::time::timeout;

use super::{Backend, BackendError, ChatStream, ModelInfo, Pace};
use crate::{
    chat::{ChatRequest, Image, Sampling},
    dialect::{
        ask::{Call, Dialect, Fault, FaultKind, Question},
        frames::Framing,
    },
    discover,
    egress::{
        guard::NotLocal,
        loopback::{Loopback, LoopbackError},
        read_pieces, read_up_to, root_cause, without_secrets,
    },
    embed::{EmbedRequest, Embeddings, Relevances, RerankRequest},
    loading::{self, LoadError, Stay},
    provider::Provider,
    tokens,
};
use answering::{Answering, Limits};
pub use key::Key;
use learnt::Learnt;
use reply::Reply;
use told::Told;
use window::{Counted, Window};

mod answering;
mod facts;
mod key;
mod learnt;
mod numbers;
mod reply;
mod told;
mod window;

/// Where a model is and how it is reached.
#[derive(Clone)]
pub struct Server {
    pub provider: &'static Provider,
    /// As [`Provider::base_url`] has it.
    pub url: String,
    /// The model as the server names it.
    pub model: String,
    pub key: Option<Key>,
    /// Takes the place of the usual temperature.
    pub temperature: Option<f32>,
    /// No answer is longer, whatever is asked for.
    pub max_tokens: Option<u32>,
    /// What it holds in tokens, for a server that does not say so itself; the most that an Ollama
    /// server is asked to hold.
    pub context_window: Option<u32>,
    pub patience: Patience,
    /// Sees every request before it is sent; a request that it fails for is not sent.
    pub audit: Option<Audit>,
}

impl Server {
    /// A server that wants no key, with what is usual for the rest.
    pub fn new(provider: &'static Provider, url: String, model: &str) -> Self {
        Self {
            provider,
            url,
            model: model.to_owned(),
            key: None,
            temperature: None,
            max_tokens: None,
            context_window: None,
            patience: Patience::default(),
            audit: None,
        }
    }
}

/// Takes note of a request.
pub type Audit = Arc<dyn Fn(&Server) -> io::Result<()> + Send + Sync>;

/// How long a server may say nothing. A request's deadline may end it sooner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Until the first word: it may have to load the model, and to read a long prompt.
    pub first: Duration,
    /// Between words.
    pub next: Duration,
}

/// A backend that asks a server.
#[derive(Debug)]
pub struct RemoteBackend {
    server: Arc<Server>,
    client: Client,
    /// The way to a server on this machine.
    loopback: Option<Arc<Loopback>>,
    info: ModelInfo,
    continues: bool,
    /// What the server has taught us.
    learnt: Mutex<Arc<Learnt>>,
    holds: Window,
    /// The window that was asked for last: another one may make the server load its model anew.
    window: AtomicU32,
}

/// The smallest window to ask for.
const WINDOW_MIN: u32 = 4096;

/// Nobody waits longer for an error to be said.
const ERROR: Duration = Duration::from_secs(10);

/// The longest answer that is read besides answers of models: errors, facts about models.
const SMALL_BYTES: usize = 1 << 20;

impl RemoteBackend {
    /// Finds out what the server says about the model; nothing is asked of the model itself.
    ///
    /// # Errors
    /// [`BackendError::Unreachable`] or [`BackendError::NotLocal`] when no connection is made.
    pub async fn open(server: Server, client: Client) -> Result<Self, BackendError> {
        let facts = facts::ask(&server, &client).await?;
        let info = ModelInfo {
            provider: server.provider.name.to_owned(),
            model: server.model.clone(),
            context_tokens: facts.window.limit,
            parallel: facts.parallel,
            whole_answers: true,
        };
        let learnt = Learnt::of(server.provider, facts.holds_schemas);
        let window = AtomicU32::new(WINDOW_MIN.min(info.context_tokens));
        let (continues, learnt) = (facts.continues, Mutex::new(Arc::new(learnt)));
        let loopback = Loopback::of(&server.url).map(Arc::new);
        let server = Arc::new(server);
        Ok(Self { server, client, loopback, info, continues, learnt, holds: facts.window, window })
    }

    async fn answer(
        &self,
        mut request: ChatRequest,
        pace: Pace,
    ) -> Result<ChatStream, BackendError> {
        let server = &self.server;
        if let Some(max_tokens) = server.max_tokens {
            request.max_tokens = request.max_tokens.min(max_tokens);
        }
        if let Some(temperature) = server.temperature
            && request.sampling.temperature <= Sampling::default().temperature
        {
            request.sampling.temperature = temperature;
        }
        let admitted = self.holds.admit(server, &self.client, &request).await?;
        let window = self.window(admitted.counted.tokens, request.max_tokens);
        let asked = Instant::now();
        let (reply, told) = self.ask(&request, window, pace).await?;
        let kind = reply.headers.get(header::CONTENT_TYPE);
        let is_json = kind.is_some_and(|it| it.as_bytes().starts_with(b"application/json"));
        let framing = server.provider.dialect.framing();
        let is_whole = is_json && framing == Framing::Events;
        let framing = if is_whole { Framing::Whole } else { framing };
        let limits = Limits {
            asked,
            is_whole: pace == Pace::AtOnce,
            deadline: request.deadline,
            window: (server.provider.dialect == Dialect::Ollama).then_some(window),
            admitted,
            answer_tokens: request.max_tokens,
            context_tokens: self.info.context_tokens,
        };
        Ok(Answering::new(Arc::clone(server), limits, framing, reply.pieces)
            .telling(told)
            .into_stream())
    }

    /// Asks in the strongest form that the server takes.
    async fn ask(
        &self,
        request: &ChatRequest,
        window: u32,
        pace: Pace,
    ) -> Result<(Reply, Told), BackendError> {
        let provider = self.server.provider;
        let mut first_refusal = None;
        loop {
            let learnt = Arc::clone(&self.learnt.lock().unwrap_or_else(PoisonError::into_inner));
            let tools = request.tools().filter(|it| learnt.has_tools(provider, it.choice));
            let call = provider.dialect.call(&Question {
                model: &self.server.model,
                request,
                form: learnt.form,
                has_tools: tools.is_some(),
                window,
                limit_name: provider.limit_name,
                continues: self.continues,
                omit: &learnt.omit,
                at_once: pace == Pace::AtOnce,
            });
            let told = Told::of(tools.is_some());
            let fault = match self.send(&call, request.deadline).await? {
                Ok(reply) => return Ok((reply, told)),
                Err(fault) => fault,
            };
            let (has_schema, tried) =
                (request.response_schema.is_some(), (&*learnt, &fault, &call));
            let mut known = self.learnt.lock().unwrap_or_else(PoisonError::into_inner);
            let is_new = Arc::make_mut(&mut known).learn(provider, tried, told, has_schema);
            drop(known);
            if !is_new {
                return Err(self.failed(first_refusal.unwrap_or(fault), request));
            }
            tracing::debug!(server = %self.server.url, field = ?fault.field, "asking otherwise");
            first_refusal.get_or_insert(fault);
        }
    }

    /// One POST, and what the server has against it.
    async fn send(
        &self,
        call: &Call,
        deadline: Instant,
    ) -> Result<Result<Reply, Fault>, BackendError> {
        let server = &self.server;
        if let Some(audit) = &server.audit {
            audit(server).map_err(|error| BackendError::Refused {
                model: server.model.clone(),
                reason: format!("the request cannot be noted in the audit log: {error}"),
            })?;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let patience = server.patience.first.min(left);
        let mut reply = match timeout(patience, self.post(call)).await {
            Ok(posted) => posted?,
            Err(_) => return Err(server.silent(patience, deadline)),
        };
        if (200..300).contains(&reply.status) {
            return Ok(Ok(reply));
        }
        let retry_after = reply.headers.get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|it| it.to_str().ok()?.trim().parse().ok());
        let read = read_pieces(&mut reply.pieces, SMALL_BYTES);
        let body = timeout(patience.min(ERROR), read).await.unwrap_or_default();
        Ok(Err(Fault::of_answer(reply.status, retry_after.map(Duration::from_secs), &body)))
    }

    async fn post(&self, call: &Call) -> Result<Reply, BackendError> {
        let server = &self.server;
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in server.provider.dialect.headers(server.key()) {
            // A key that cannot stand there is none.
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        let (url, body) = (format!("{}{}", server.url, call.path), call.body.to_string());
        if let Some(loopback) = &self.loopback
            && let Some(path) = path_of(&url)
        {
            let posted = loopback.post(path, headers.clone(), body.clone().into()).await;
            let response = posted.map_err(|error| server.unreached(&error))?;
            // Where that leads is up to those who follow.
            if !response.status().is_redirection() {
                return Ok(Reply::of_loopback(response));
            }
        }
        let sent = self.client.post(url).headers(headers).body(body).send().await;
        sent.map(Reply::of).map_err(|error| server.unreachable(&error))
    }

    /// What a fault means to whoever asked.
    fn failed(&self, fault: Fault, request: &ChatRequest) -> BackendError {
        let estimate = window::estimate(request);
        self.server.failed(fault, (estimate, self.info.context_tokens), request.max_tokens)
    }

    /// The window for a request: one of few sizes, and never smaller than the last.
    fn window(&self, prompt_tokens: u32, answer_tokens: u32) -> u32 {
        let needed = prompt_tokens.saturating_add(answer_tokens);
        let size = needed.checked_next_power_of_two().unwrap_or(u32::MAX);
        let size = size.min(self.info.context_tokens);
        self.window.fetch_max(size, Ordering::Relaxed).max(size)
    }
}

#[async_trait]
impl Backend for RemoteBackend {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn continues(&self) -> bool {
        self.continues
    }

    /// Whether the model can see, the server says.
    fn can_see(&self, image: &Image) -> bool {
        self.server.provider.dialect.shows(image)
    }

    fn count_tokens(&self, text: &str) -> u32 {
        tokens::at_most(text)
    }

    async fn keep(&self, stay: Stay) -> Result<(), LoadError> {
        let Server { provider, url, model, audit, .. } = &*self.server;
        if audit.is_some() {
            return Err(LoadError::Fixed { kind: provider.name });
        }
        if let Stay::Idle(idle) = stay
            && provider.dialect == Dialect::Ollama
        {
            return loading::keep_alive(url, model, idle, &self.client).await;
        }
        loading::keep(discover::root(url), model, stay, &self.client).await
    }

    async fn is_at_work(&self, silence: Duration) -> bool {
        facts::is_loading(&self.server, &self.client, silence).await
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, BackendError> {
        self.answer(request, Pace::Streamed).await
    }

    async fn at_once(&self, request: ChatRequest) -> Result<ChatStream, BackendError> {
        self.answer(request, Pace::AtOnce).await
    }

    async fn embed(&self, request: EmbedRequest) -> Result<Embeddings, BackendError> {
        let embeddings = self.vectors(&request).await?;
        let made = embeddings.vectors.first().map_or(0, Vec::len);
        match request.dimensions.and_then(|it| usize::try_from(it).ok()) {
            Some(wanted) if wanted != made => Err(BackendError::Refused {
                model: self.server.model.clone(),
                reason: format!("it makes vectors of {made} numbers, and not of {wanted}"),
            }),
            Some(_) | None => Ok(embeddings),
        }
    }

    async fn rerank(&self, request: RerankRequest) -> Result<Relevances, BackendError> {
        self.relevances(&request).await
    }
}

impl Server {
    fn key(&self) -> Option<&str> {
        self.key.as_ref().map(Key::as_str)
    }

    /// `counted` is what is known of the prompt and the window, when the server does not say.
    fn failed(&self, fault: Fault, counted: (Counted, u32), answer_tokens: u32) -> BackendError {
        let model = self.model.clone();
        let reason = match &self.key {
            Some(key) => key.hidden_in(fault.message),
            None => fault.message,
        };
        match fault.kind {
            FaultKind::Busy => BackendError::Busy { model, retry_after: fault.retry_after },
            FaultKind::Unauthorized => BackendError::Unauthorized { model, reason },
            FaultKind::ModelMissing => {
                BackendError::ModelMissing { model, server: without_secrets(&self.url) }
            }
            FaultKind::ContextOverflow => {
                let (counted, limit) = match fault.tokens {
                    Some((tokens, limit)) => (Counted { tokens, is_estimate: false }, limit),
                    None => counted,
                };
                window::overflow(self, counted, answer_tokens, limit)
            }
            FaultKind::Refused | FaultKind::Absent => BackendError::Refused { model, reason },
            FaultKind::Broken => BackendError::Reported { model, reason },
        }
    }

    /// No connection, or one that broke before an answer.
    fn unreachable(&self, error: &reqwest::Error) -> BackendError {
        let (model, server) = (self.model.clone(), without_secrets(&self.url));
        if let Some(refused) = not_local(error) {
            return BackendError::NotLocal { model, server: refused.host.clone() };
        }
        let reason = root_cause(error);
        if error.is_connect() {
            return BackendError::Unreachable { model, server, reason };
        }
        BackendError::Broken { model, reason }
    }

    /// The same on this machine.
    fn unreached(&self, error: &LoopbackError) -> BackendError {
        let (model, reason) = (self.model.clone(), root_cause(error));
        match error {
            LoopbackError::Connect(_) => {
                let server = without_secrets(&self.url);
                BackendError::Unreachable { model, server, reason }
            }
            LoopbackError::Broken(_) | LoopbackError::Request(_) => {
                BackendError::Broken { model, reason }
            }
        }
    }

    fn silent(&self, waited: Duration, deadline: Instant) -> BackendError {
        let model = self.model.clone();
        if Instant::now() >= deadline {
            return BackendError::DeadlineExceeded { model };
        }
        let url = without_secrets(&self.url);
        let reason = format!("{url} said nothing for {:.0} s", waited.as_secs_f64());
        BackendError::Broken { model, reason }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("provider", &self.provider.name)
            .field("url", &self.url)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self { first: Duration::from_mins(10), next: Duration::from_mins(2) }
    }
}

/// A URL without its host.
fn path_of(url: &str) -> Option<Uri> {
    let (_, rest) = url.split_once("://")?;
    rest.get(rest.find('/')?..)?.parse().ok()
}

fn not_local(error: &reqwest::Error) -> Option<&NotLocal> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref() {
            return Some(refused);
        }
        cause = error.source();
    }
    None
}

/// The beginning of a small body, which is all of it unless something is wrong.
async fn read_some(response: Response) -> String {
    read_up_to(response, SMALL_BYTES).await
}

#[cfg(test)]
mod tests;
