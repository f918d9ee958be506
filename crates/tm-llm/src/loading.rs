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

/// How long a model is to be in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stay {
    /// It is taken out of it.
    Not,
    /// As long as the server likes.
    Usual,
    /// So long after its last use, where the server knows such a thing; [`Duration::MAX`] is for ever.
    Idle(Duration),
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

/// What a server knows without doing anything, it says at once.
const QUESTION: Duration = Duration::from_secs(2);

/// How often a server is asked whether it is done.
const PAUSE: Duration = Duration::from_millis(250);

/// How often it may say nothing in a row before it is taken to be gone.
const MOST_MISSES: u32 = 5;

/// What a server says about itself is short.
const ABOUT_BYTES: usize = 1 << 20;

/// Has the server at this address, which has no path, have a model in memory for so long.
///
/// # Errors
/// [`LoadError::Unreachable`] when there is no server, and whatever [`change`] fails with.
pub async fn keep(root: &str, model: &str, stay: Stay, client: &Client) -> Result<(), LoadError> {
    let found = look(root, client).await.ok_or_else(|| LoadError::Unreachable {
        reason: "nothing at its address says what it is".to_owned(),
    })?;
    let wish = if stay == Stay::Not { Wish::Unloaded } else { Wish::Loaded };
    change(&found, model, wish, client).await
}

/// Tells an Ollama server, whose address ends in `/api`, how long a model stays in memory after its
/// last use. It is loaded for that, unless it is not to stay.
pub async fn keep_alive(
    url: &str,
    model: &str,
    idle: Duration,
    client: &Client,
) -> Result<(), LoadError> {
    // For ever is what it takes a negative number for.
    let idle_s = if idle == Duration::MAX { json!(-1) } else { json!(idle.as_secs_f64()) };
    let body = json!({"model": model, "stream": false, "keep_alive": idle_s});
    let request = client.post(format!("{url}/generate"));
    let request = request.header(header::CONTENT_TYPE, "application/json");
    send(request.body(body.to_string()), PATIENCE).await.map(drop)
}

/// Has the server load or unload a model, and waits until it says that it has.
pub async fn change(
    found: &Found,
    model: &str,
    wish: Wish,
    client: &Client,
) -> Result<(), LoadError> {
    // Ollama lists what others call by a shorter name.
    let latest = (found.kind == "Ollama").then(|| format!("{model}:latest"));
    let named = |name: &str| found.models.iter().find(|it| it.id == name);
    let listed = named(model).or_else(|| named(latest.as_deref()?));
    let listed = listed.ok_or_else(|| LoadError::NoModel { model: model.to_owned() })?;
    let model = listed.id.as_str();
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
        send(request.body(body.to_string()), PATIENCE).await?;
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
        ("LM Studio", wish) => {
            let url = format!("{}/api/v1/models", found.root());
            let listed = send(client.get(url), QUESTION).await?;
            let unload = |id| ("/api/v1/models/unload", json!({"instance_id": id}));
            let known = || lmstudio_model(&listed, model)?.get("key");
            match wish {
                Wish::Loaded => {
                    let key = known().cloned().unwrap_or_else(|| model.into());
                    one("/api/v1/models/load", json!({ "model": key }))
                }
                Wish::Unloaded => Ok(instances(&listed, model).into_iter().map(unload).collect()),
            }
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

/// The model among those that LM Studio lists at `/api/v1`, which may say there who has made it,
/// where it does not do so in the other list.
fn lmstudio_model<'a>(listed: &'a Value, model: &str) -> Option<&'a Value> {
    let key = |it: &'a Value| it.get("key").and_then(Value::as_str).unwrap_or_default();
    let models = || array(listed, "models");
    if let Some(same) = models().find(|it| key(it) == model) {
        return Some(same);
    }
    let bare = |it: &str| it.rsplit('/').next().unwrap_or(it).to_owned();
    let is_it = |it: &str| it.contains('/') != model.contains('/') && bare(it) == bare(model);
    let mut ours = models().filter(|it| is_it(key(it)));
    // Of two makers it may be either.
    ours.next().filter(|_| ours.next().is_none())
}

/// What LM Studio calls each time that a model is loaded. One that is loaded by a name of its own
/// is a model by that name.
fn instances(listed: &Value, model: &str) -> Vec<String> {
    let loaded = |it: &Value| -> Vec<String> {
        let ids = array(it, "loaded_instances").filter_map(|it| it.get("id")?.as_str());
        ids.map(str::to_owned).collect()
    };
    if let Some(found) = lmstudio_model(listed, model) {
        return loaded(found);
    }
    array(listed, "models").flat_map(loaded).filter(|it| it == model).collect()
}

fn array<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// None when the server does not answer.
async fn is_so(found: &Found, model: &str, wish: Wish, client: &Client) -> Option<bool> {
    let now = look(found.root(), client).await?;
    let listed = now.models.into_iter().find(|it| it.id == model);
    // What is loaded under a name of its own is listed for as long as it is.
    let is_gone = wish == Wish::Unloaded && now.kind == found.kind;
    Some(listed.map_or(is_gone, |it| it.is_loaded == Some(wish == Wish::Loaded)))
}

/// llama.cpp's answers before it has loaded anything, and tells afterwards how that went.
async fn has_failed(found: &Found, model: &str, client: &Client) -> bool {
    let asked = send(client.get(format!("{}/v1/models", found.root())), QUESTION).await;
    let listed = asked.unwrap_or_default();
    let mut ours = array(&listed, "data").filter(|it| it.get("id").is_some_and(|id| id == model));
    ours.any(|it| it.pointer("/status/failed") == Some(&Value::Bool(true)))
}

/// The server's answer, if it comes within this time; null where it is none.
async fn send(request: RequestBuilder, patience: Duration) -> Result<Value, LoadError> {
    let sent = request.timeout(patience).send().await;
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
