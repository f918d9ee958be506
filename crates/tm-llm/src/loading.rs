//! Models of servers, taken into memory and out of it again, at servers that let others decide that.
//!
//! Each kind has its own way. What a server says to the request is not what counts: it is asked
//! afterwards which models it has in memory, until that is what was wanted. Start at [`change`].
//! Formats: <https://docs.ollama.com/api>, <https://lmstudio.ai/docs/developer/rest>,
//! <https://localai.io/docs/features/backend-monitor/>,
//! <https://github.com/ggml-org/llama.cpp/tree/master/tools/server>.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, header};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    discover::{Found, look},
    egress::{read_up_to, root_cause},
};

/// Where a model is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    Loaded,
    Unloaded,
}

impl Wish {
    fn word(self) -> &'static str {
        match self {
            Self::Loaded => "loaded",
            Self::Unloaded => "unloaded",
        }
    }
}

/// Why it is not there.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the server ({kind}) does not let others load and unload its models")]
    Fixed { kind: &'static str },
    #[error("the server has no model {model}")]
    NoModel { model: String },
    #[error("the server does not say by what name it has loaded {model}")]
    Nameless { model: String },
    #[error("the server could not load {model}")]
    Failed { model: String },
    #[error("the server does not answer: {reason}")]
    Unreachable { reason: String },
    #[error("the server refuses (status {status}): {reason}")]
    Refused { status: u16, reason: String },
    #[error("{model} was not {} within {} s", wish.word(), waited.as_secs())]
    Late { model: String, wish: Wish, waited: Duration },
}

/// The largest models take minutes from a slow disk.
const PATIENCE: Duration = Duration::from_mins(10);

/// How often a server is asked whether it is done.
const PAUSE: Duration = Duration::from_millis(250);

/// How often it may say nothing in a row before it is taken to be gone.
const MOST_MISSES: u32 = 5;

/// What a server says about itself is short.
const ABOUT_BYTES: usize = 1 << 20;

/// Has the server load or unload a model, and waits until it says that it has.
pub async fn change(
    found: &Found,
    model: &str,
    wish: Wish,
    client: &Client,
) -> Result<(), LoadError> {
    let listed = found.models.iter().find(|it| it.id == model);
    let listed = listed.ok_or_else(|| LoadError::NoModel { model: model.to_owned() })?;
    if listed.is_loaded == Some(wish == Wish::Loaded) {
        return Ok(());
    }
    // Nobody could tell when it is done.
    if listed.is_loaded.is_none() && !listed.is_changing {
        return Err(LoadError::Fixed { kind: found.kind });
    }
    let begun = Instant::now();
    let post = |path: &str| client.post(format!("{}{path}", found.root()));
    let calls = calls(found, model, wish, client).await?;
    if calls.is_empty() {
        return Err(LoadError::Nameless { model: model.to_owned() });
    }
    for (path, body) in calls {
        let request = post(path).header(header::CONTENT_TYPE, "application/json");
        send(request.body(body.to_string())).await?;
    }
    let mut misses = 0;
    loop {
        match is_so(found, model, wish, client).await {
            Some(true) => return Ok(()),
            Some(false) => misses = 0,
            None => misses += 1,
        }
        if misses >= MOST_MISSES {
            let reason = format!("it was asked {misses} times in a row what it has loaded");
            return Err(LoadError::Unreachable { reason });
        }
        if misses == 0 && wish == Wish::Loaded && has_failed(found, model, client).await {
            return Err(LoadError::Failed { model: model.to_owned() });
        }
        let waited = begun.elapsed();
        if waited >= PATIENCE {
            return Err(LoadError::Late { model: model.to_owned(), wish, waited });
        }
        sleep(PAUSE).await;
    }
}

/// What is to be sent where; several for a model that is loaded several times.
async fn calls(
    found: &Found,
    model: &str,
    wish: Wish,
    client: &Client,
) -> Result<Vec<(&'static str, Value)>, LoadError> {
    let one = |path, body| Ok(vec![(path, body)]);
    match (found.kind, wish) {
        ("Ollama", Wish::Loaded) => one("/api/generate", json!({"model": model, "stream": false})),
        ("Ollama", Wish::Unloaded) => {
            one("/api/generate", json!({"model": model, "stream": false, "keep_alive": 0}))
        }
        ("LM Studio", Wish::Loaded) => one("/api/v1/models/load", json!({"model": model})),
        ("LM Studio", Wish::Unloaded) => {
            let url = format!("{}/api/v1/models", found.root());
            let listed = send(client.get(url)).await?;
            let unload = |id| ("/api/v1/models/unload", json!({"instance_id": id}));
            Ok(instances(&listed, model).into_iter().map(unload).collect())
        }
        ("LocalAI", Wish::Loaded) => one("/backend/load", json!({"model": model})),
        ("LocalAI", Wish::Unloaded) => one("/backend/shutdown", json!({"model": model})),
        ("llama.cpp", Wish::Loaded) => one("/models/load", json!({"model": model})),
        ("llama.cpp", Wish::Unloaded) => one("/models/unload", json!({"model": model})),
        ("text-generation-webui", Wish::Loaded) => {
            one("/v1/internal/model/load", json!({"model_name": model}))
        }
        ("text-generation-webui", Wish::Unloaded) => one("/v1/internal/model/unload", json!({})),
        (kind, _) => Err(LoadError::Fixed { kind }),
    }
}

/// What LM Studio calls each time that a model is loaded.
fn instances(listed: &Value, model: &str) -> Vec<String> {
    let array = |value: &Value, name: &str| -> Vec<Value> {
        value.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let models = array(listed, "models").into_iter();
    let ours = models.filter(|it| it.get("key").is_some_and(|key| key == model));
    let ids = ours.flat_map(|it| array(&it, "loaded_instances"));
    ids.filter_map(|it| Some(it.get("id")?.as_str()?.to_owned())).collect()
}

/// None when the server does not answer.
async fn is_so(found: &Found, model: &str, wish: Wish, client: &Client) -> Option<bool> {
    let now = look(found.root(), client).await?;
    let listed = now.models.into_iter().find(|it| it.id == model);
    Some(listed.is_some_and(|it| it.is_loaded == Some(wish == Wish::Loaded)))
}

/// llama.cpp's answers before it has loaded anything, and tells afterwards how that went.
async fn has_failed(found: &Found, model: &str, client: &Client) -> bool {
    let listed = send(client.get(format!("{}/v1/models", found.root()))).await.unwrap_or_default();
    let models = listed.get("data").and_then(Value::as_array).into_iter().flatten();
    let mut ours = models.filter(|it| it.get("id").is_some_and(|id| id == model));
    ours.any(|it| it.pointer("/status/failed") == Some(&Value::Bool(true)))
}

/// The server's answer; null where it is none.
async fn send(request: RequestBuilder) -> Result<Value, LoadError> {
    let sent = request.timeout(PATIENCE).send().await;
    let response = sent.map_err(|it| LoadError::Unreachable { reason: root_cause(&it) })?;
    let status = response.status();
    let text = read_up_to(response, ABOUT_BYTES).await;
    let value: Value = serde_json::from_str(&text).unwrap_or_default();
    if status.is_success() {
        return Ok(value);
    }
    let said = ["/error/message", "/error", "/detail", "/message"];
    let said = said.iter().find_map(|it| value.pointer(it)?.as_str());
    let reason = said.unwrap_or("it does not say why").to_owned();
    Err(LoadError::Refused { status: status.as_u16(), reason })
}
