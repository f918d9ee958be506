//! Model servers that run on this machine: found by asking at their usual places.
//!
//! What kind a server is shows in the questions it can answer, because people move ports. Nothing
//! is asked of any model. Start at [`look`].

use std::time::Duration;

use reqwest::Client;
use serde::Serialize;
use serde_json::Value;

use crate::egress::read_up_to;

/// A server, and what it serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// Such as `LM Studio`.
    pub kind: &'static str,
    /// What a configuration calls its provider.
    pub provider: &'static str,
    /// What a configuration has as its base URL.
    #[serde(rename = "baseURL")]
    pub base_url: String,
    pub models: Vec<Listed>,
}

/// A model of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    pub id: String,
    /// None where the server does not tell.
    pub context_tokens: Option<u64>,
    /// Whether it is in memory; none where the server does not tell, or while it changes that.
    pub is_loaded: Option<bool>,
    /// The server is loading it, or does something else with it that ends.
    #[serde(skip)]
    pub is_changing: bool,
}

/// Where servers are unless somebody moves them: Ollama, LM Studio, llama.cpp and `LocalAI`, vLLM,
/// text-generation-webui.
pub const USUAL_PLACES: [&str; 5] = [
    "http://localhost:11434",
    "http://localhost:1234",
    "http://localhost:8080",
    "http://localhost:8000",
    "http://localhost:5000",
];

/// A server that does not say at once what it is, is none.
const TIMEOUT: Duration = Duration::from_secs(2);

/// What a server says about itself is short.
const ABOUT_BYTES: usize = 1 << 20;

/// What answers at this address, which has no path.
pub async fn look(root: &str, client: &Client) -> Option<Found> {
    let asking = Asking { root, client };
    // Nobody has to be there; whoever is, knows one of these.
    client.get(root).timeout(TIMEOUT).send().await.ok()?;
    if asking.get("/.well-known/localai.json").await.is_some() {
        let mut found = asking.with_models("LocalAI").await?;
        if let Some(system) = asking.get("/system").await
            && system.get("loaded_models").is_some()
        {
            let loaded = list(&system, "loaded_models", |it| Listed::of(text(it, "id")));
            for model in &mut found.models {
                model.is_loaded = Some(loaded.iter().any(|it| it.id == model.id));
            }
        }
        return Some(found);
    }
    if asking.get("/api/version").await.is_some()
        && let Some(tags) = asking.get("/api/tags").await
    {
        return Some(asking.ollama(&tags).await);
    }
    if let Some(models) = asking.get("/api/v0/models").await
        && models.pointer("/data/0/state").is_some()
    {
        return Some(asking.lmstudio(&models));
    }
    if let Some(props) = asking.get("/props").await
        && let Some(context) = props.pointer("/default_generation_settings/n_ctx")
    {
        let mut found = asking.with_models("llama.cpp").await?;
        // One that serves several models has no window of its own.
        let context = context.as_u64().filter(|it| *it > 0);
        found.models.iter_mut().for_each(|it| it.context_tokens = context);
        return Some(found);
    }
    if let Some(info) = asking.get("/v1/internal/model/info").await {
        let current = info.get("model_name")?.as_str()?;
        return Some(asking.webui(current).await);
    }
    let kind = if asking.get("/version").await.is_some() { "vLLM" } else { "OpenAI-compatible" };
    asking.with_models(kind).await
}

#[derive(Clone, Copy)]
struct Asking<'a> {
    root: &'a str,
    client: &'a Client,
}

impl Found {
    /// The address of the server, without a path.
    pub fn root(&self) -> &str {
        root(&self.base_url)
    }
}

/// A server's address without the path at which it is asked.
pub fn root(url: &str) -> &str {
    let url = url.trim_end_matches('/');
    url.strip_suffix("/v1").or_else(|| url.strip_suffix("/api")).unwrap_or(url)
}

impl Listed {
    /// One of which nothing else is known.
    fn of(id: String) -> Self {
        Self { id, context_tokens: None, is_loaded: None, is_changing: false }
    }
}

impl Asking<'_> {
    /// A JSON object, when the server has one at this path.
    async fn get(self, path: &str) -> Option<Value> {
        let request = self.client.get(format!("{}{path}", self.root)).timeout(TIMEOUT);
        let response = request.send().await.ok().filter(|it| it.status().is_success())?;
        let text = read_up_to(response, ABOUT_BYTES).await;
        let value: Value = serde_json::from_str(&text).ok()?;
        value.is_object().then_some(value)
    }

    async fn with_models(self, kind: &'static str) -> Option<Found> {
        let listed = self.get("/v1/models").await?;
        let models = list(&listed, "data", |it| {
            let status = it.pointer("/status/value").and_then(Value::as_str);
            let is_loaded = match status {
                Some("loaded") => Some(true),
                Some("unloaded") => Some(false),
                Some(_) | None => None,
            };
            Listed {
                id: text(it, "id"),
                context_tokens: it.get("max_model_len").and_then(Value::as_u64),
                is_loaded,
                is_changing: status.is_some() && is_loaded.is_none(),
            }
        });
        Some(self.openai(kind, models))
    }

    async fn ollama(self, tags: &Value) -> Found {
        let running = self.get("/api/ps").await.unwrap_or_default();
        let running = list(&running, "models", |it| Listed {
            context_tokens: it.get("context_length").and_then(Value::as_u64),
            is_loaded: Some(true),
            ..Listed::of(text(it, "model"))
        });
        let models = list(tags, "models", |it| {
            let id = text(it, "model");
            let loaded = running.iter().find(|it| it.id == id);
            let context_tokens = loaded.and_then(|it| it.context_tokens);
            Listed { context_tokens, is_loaded: Some(loaded.is_some()), ..Listed::of(id) }
        });
        let base_url = format!("{}/api", self.root);
        Found { kind: "Ollama", provider: "ollama", base_url, models }
    }

    /// It has one of its models in memory, or none, which it calls so.
    async fn webui(self, current: &str) -> Found {
        let listed = self.get("/v1/internal/model/list").await.unwrap_or_default();
        let names = listed.get("model_names").and_then(Value::as_array).cloned();
        let mut names: Vec<Value> = names.unwrap_or_default();
        if current != "None" && !names.iter().any(|it| it == current) {
            names.insert(0, current.into());
        }
        let names = names.iter().filter_map(Value::as_str);
        let model = |it: &str| {
            let is_loaded = Some(it == current);
            Listed { is_loaded, ..Listed::of(it.to_owned()) }
        };
        self.openai("text-generation-webui", names.map(model).collect())
    }

    fn lmstudio(self, listed: &Value) -> Found {
        let models = list(listed, "data", |it| {
            let number = |name: &str| it.get(name).and_then(Value::as_u64);
            Listed {
                context_tokens: number("loaded_context_length")
                    .or_else(|| number("max_context_length")),
                is_loaded: Some(text(it, "state") == "loaded"),
                ..Listed::of(text(it, "id"))
            }
        });
        Found { provider: "lmstudio", ..self.openai("LM Studio", models) }
    }

    fn openai(self, kind: &'static str, models: Vec<Listed>) -> Found {
        let base_url = format!("{}/v1", self.root);
        Found { kind, provider: "openai-compatible", base_url, models }
    }
}

fn list(value: &Value, name: &str, read: impl Fn(&Value) -> Listed) -> Vec<Listed> {
    let items = value.get(name).and_then(Value::as_array).into_iter().flatten();
    items.map(read).filter(|it| !it.id.is_empty()).collect()
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}
