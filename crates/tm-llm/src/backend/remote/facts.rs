//! What a server says about a model before it is asked anything.
//!
//! Every kind of server has its own way; what a server does not tell gets a cautious value. Servers
//! elsewhere are not asked: each request to them is one that the user has allowed.

use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    Server,
    window::{Counter, Window},
};
use crate::{
    backend::BackendError,
    dialect::ask::Dialect,
    discover::{look, root},
};

/// What planning needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) window: Window,
    pub(super) parallel: u32,
    /// See [`Backend::continues`](crate::backend::Backend::continues).
    pub(super) continues: bool,
    /// Whether it is of a kind that holds every answer to its schema.
    pub(super) holds_schemas: bool,
}

impl Window {
    /// The server says how much it holds, and refuses more.
    fn told(limit: u32, counter: Counter) -> Self {
        Self { limit, is_known: true, counter, refuses: true }
    }

    /// The server says nothing, and does whatever it likes.
    fn untold(server: &Server, counter: Counter) -> Self {
        let limit = server.context_window.unwrap_or(CONTEXT_UNKNOWN);
        let is_known = server.context_window.is_some();
        Self { limit, is_known, counter, refuses: false }
    }
}

/// What a server that says nothing is taken to hold.
const CONTEXT_UNKNOWN: u32 = 16_384;
/// What a provider on the Internet holds at least.
const CONTEXT_ELSEWHERE: u32 = 100_000;
/// Models say what they were trained for, which is more than most machines have memory for.
const CONTEXT_MOST: u32 = 32_768;

const TIMEOUT: Duration = Duration::from_secs(2);
/// Most models are in memory after this, and a server that does not tell is taken to hang.
const LOADING: Duration = Duration::from_mins(1);

pub(super) async fn ask(server: &Server, client: &Client) -> Result<Facts, BackendError> {
    if server.audit.is_some() {
        // Newer models of some providers refuse to go on.
        let limit = server.context_window.unwrap_or(CONTEXT_ELSEWHERE);
        let window = Window::told(limit, Counter::Nobody);
        return Ok(Facts { window, parallel: 4, continues: false, holds_schemas: false });
    }
    let asking = Asking { server, client };
    let facts = match server.provider.dialect {
        Dialect::Ollama => asking.ollama().await?,
        Dialect::OpenAi => asking.openai().await?,
        Dialect::Anthropic | Dialect::Google => {
            asking.json(client.get(format!("{}/models", server.url))).await?;
            // These protocols have an error for what is too long.
            let window = Window { refuses: true, ..Window::untold(server, Counter::Nobody) };
            Facts { window, parallel: 1, continues: false, holds_schemas: false }
        }
    };
    Ok(facts)
}

/// Whether the server is there and may have to take the model into memory first. Ollama lists a
/// model while it loads it as it does when it has.
pub(super) async fn is_loading(server: &Server, client: &Client, silence: Duration) -> bool {
    if server.audit.is_some() {
        return false;
    }
    if server.provider.dialect == Dialect::Ollama {
        let running = client.get(format!("{}/ps", server.url)).timeout(TIMEOUT);
        return silence < LOADING && running.send().await.is_ok();
    }
    let looked = timeout(TIMEOUT, look(root(&server.url), client)).await;
    let found = looked.ok().flatten().filter(|it| it.kind != "Ollama");
    let listed = found.map(|it| it.models).unwrap_or_default();
    let ours = listed.iter().find(|it| it.id == server.model);
    ours.is_some_and(|it| it.is_changing || it.is_loaded == Some(false))
}

#[derive(Clone, Copy)]
struct Asking<'a> {
    server: &'a Server,
    client: &'a Client,
}

impl Asking<'_> {
    /// It has no way to count, and is told to refuse what is too long.
    async fn ollama(self) -> Result<Facts, BackendError> {
        let Server { url, model, context_window, .. } = self.server;
        let body = json!({"model": model}).to_string();
        let shown = self.json(self.client.post(format!("{url}/show")).body(body)).await?;
        let facts = shown.get("model_info").and_then(Value::as_object);
        let length =
            facts.into_iter().flatten().find(|(name, _)| name.ends_with(".context_length"));
        let length = length.and_then(|(_, value)| number(value));
        let most = context_window.unwrap_or(CONTEXT_MOST);
        let otherwise = context_window.unwrap_or(CONTEXT_UNKNOWN);
        let window = Window::told(length.map_or(otherwise, |it| it.min(most)), Counter::Nobody);
        Ok(Facts { window, parallel: 1, continues: true, holds_schemas: false })
    }

    /// vLLM tells with its models, LM Studio and llama.cpp at places of their own.
    async fn openai(self) -> Result<Facts, BackendError> {
        let Server { url, model, .. } = self.server;
        let models = self.json(self.client.get(format!("{url}/models"))).await?;
        let listed = models.get("data").and_then(Value::as_array).into_iter().flatten();
        let is_it = |it: &&Value| it.get("id").is_some_and(|id| id == model.as_str());
        let own = listed.clone().find(is_it);
        if let Some(context) = own.and_then(|it| number(it.get("max_model_len")?)) {
            let window = Window::told(context, Counter::Vllm);
            return Ok(Facts { window, parallel: 4, continues: true, holds_schemas: true });
        }
        let root = url.strip_suffix("/v1").unwrap_or(url);
        if self.server.provider.name == "lmstudio" {
            let shown = self.json(self.client.get(format!("{root}/api/v0/models/{model}"))).await?;
            let loaded = shown.get("loaded_context_length").and_then(number);
            let window = loaded.map(|it| Window::told(it, Counter::Nobody));
            // What does not fit loses its middle there, unless somebody has set it otherwise.
            let window = window.map(|it| Window { refuses: false, ..it });
            let window = window.unwrap_or(Window::untold(self.server, Counter::Nobody));
            return Ok(Facts { window, parallel: 1, continues: false, holds_schemas: false });
        }
        let props = self.json(self.client.get(format!("{root}/props"))).await?;
        let context = props.pointer("/default_generation_settings/n_ctx").and_then(number);
        let parallel = props.get("total_slots").and_then(number).unwrap_or(1).max(1);
        if let Some(context) = context {
            let window = Window::told(context, Counter::LlamaCpp);
            return Ok(Facts { window, parallel, continues: true, holds_schemas: true });
        }
        let window = Window::untold(self.server, self.counter(root).await?);
        Ok(Facts { window, parallel: 1, continues: false, holds_schemas: false })
    }

    /// Who counts, of those that do not say how much they hold.
    async fn counter(self, root: &str) -> Result<Counter, BackendError> {
        let get = |path| self.json(self.client.get(format!("{root}{path}")));
        if get("/.well-known/localai.json").await?.is_object() {
            return Ok(Counter::LocalAi);
        }
        let info = get("/v1/internal/model/info").await?;
        Ok(if info.get("model_name").is_some() { Counter::WebUi } else { Counter::Nobody })
    }

    /// Null for whatever is no JSON: a server need not know the question.
    async fn json(self, request: RequestBuilder) -> Result<Value, BackendError> {
        let mut request = request.timeout(TIMEOUT);
        for (name, value) in self.server.provider.dialect.headers(self.server.key()) {
            request = request.header(name, value);
        }
        let response = match request.send().await {
            Ok(response) if response.status().is_success() => response,
            Ok(_) => return Ok(Value::Null),
            Err(error) => {
                let error = self.server.unreachable(&error);
                // It may be too busy for questions like these.
                let is_there = matches!(error, BackendError::Broken { .. });
                return if is_there { Ok(Value::Null) } else { Err(error) };
            }
        };
        let text = super::read_some(response).await;
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64()?.try_into().ok().filter(|it| *it > 0)
}
