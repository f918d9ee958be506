//! What clients are told of models: how large they are, what they hold, what they can do.
//!
//! Known are the models of the catalogue, which run in this process. Of others there is no more than a
//! name, and nothing is made up. Start at [`card`].

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tm_llm::{
    backend::Backend as _,
    catalogue::{Catalogue, Model},
    dialect::serve::{ClientError, ollama},
    failover::Failover,
};
use tm_tasks::timestamp::{Timestamp, iso_millis};

use super::{Gateway, Shared, client::Client, json_body, memory, refused};

/// A model that is asked by this name.
struct Listed {
    name: String,
    /// Which one that is.
    model: String,
    /// It makes vectors, and writes nothing.
    is_embedder: bool,
}

/// Every model that can be named, as Ollama's clients know models.
pub(super) fn tags(gateway: &Gateway) -> Value {
    let cards: Vec<Value> =
        listed(gateway).iter().map(|it| card(&it.name, &it.model, it.is_embedder)).collect();
    json!({ "models": cards })
}

pub(super) async fn of_older_lm_studio(State(gateway): Shared) -> Response {
    json_body(&of_lm_studio(&gateway, false)).into_response()
}

pub(super) async fn of_newer_lm_studio(State(gateway): Shared) -> Response {
    json_body(&of_lm_studio(&gateway, true)).into_response()
}

/// The same as LM Studio's clients know them, in the older or the newer words.
/// <https://lmstudio.ai/docs/developer/rest>
fn of_lm_studio(gateway: &Gateway, is_newer: bool) -> Value {
    let running = memory::running(gateway);
    let running = running.pointer("/models").and_then(Value::as_array).into_iter().flatten();
    let loaded: Vec<(&str, &Value)> = running
        .filter_map(|it| Some((it.get("name")?.as_str()?, it.get("context_length")?)))
        .collect();
    let one = |it: &Listed| {
        let known = known(&it.model);
        let window = loaded.iter().find(|(name, _)| *name == it.model).map(|(_, window)| *window);
        if is_newer { newer(it, known.as_ref(), window) } else { older(it, known.as_ref(), window) }
    };
    let models: Vec<Value> = listed(gateway).iter().map(one).collect();
    if is_newer { json!({ "models": models }) } else { json!({"object": "list", "data": models}) }
}

fn older(listed: &Listed, known: Option<&Model>, window: Option<&Value>) -> Value {
    json!({
        "id": listed.name, "object": "model", "publisher": "local",
        "type": if listed.is_embedder { "embeddings" } else { "llm" },
        "arch": known.map(|it| it.family.to_lowercase()), "compatibility_type": "gguf",
        "quantization": known.map(|it| it.quantisation.as_str()),
        "state": if window.is_some() { "loaded" } else { "not-loaded" },
        "max_context_length": known.map(|it| it.context_tokens), "loaded_context_length": window
    })
}

fn newer(listed: &Listed, known: Option<&Model>, window: Option<&Value>) -> Value {
    let instance = |it| json!({"id": listed.name, "config": {"context_length": it}});
    json!({
        "type": if listed.is_embedder { "embedding" } else { "llm" }, "key": listed.name,
        "publisher": "local", "display_name": listed.name,
        "architecture": known.map(|it| it.family.to_lowercase()),
        "quantization": known.map(|it| json!({"name": it.quantisation})),
        "size_bytes": known.map(|it| it.size_bytes),
        "params_string": known.map(|it| it.parameters.as_str()),
        "loaded_instances": window.into_iter().map(instance).collect::<Vec<_>>(),
        "max_context_length": known.map(|it| it.context_tokens), "format": "gguf",
        "capabilities": {"vision": false, "trained_for_tool_use": !listed.is_embedder}
    })
}

/// Every name, that of the model for vectors among them.
pub(super) fn names(gateway: &Gateway) -> Vec<String> {
    listed(gateway).into_iter().map(|it| it.name).collect()
}

/// Adds what is known of the model behind a name, in the words of llama.cpp's server.
pub(super) fn with_facts(gateway: &Gateway, mut entry: Value) -> Value {
    let name = entry.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let found = listed(gateway).into_iter().find(|it| it.name == name);
    if let (Some(model), Some(entry)) =
        (found.and_then(|it| known(&it.model)), entry.as_object_mut())
    {
        let meta = json!({"n_ctx_train": model.context_tokens, "size": model.size_bytes});
        entry.insert("meta".to_owned(), meta);
    }
    entry
}

/// What `/api/show` says.
pub(super) async fn show(client: Client, body: &[u8]) -> Response {
    let shown = async {
        let name = ollama::read_model(body)?;
        let embedder = client.gateway.embedder_name();
        let is_embedder = embedder.as_deref() == Some(name.as_str());
        if is_embedder && !client.gateway.is_player(&name) {
            return Ok(description(&name, None, true));
        }
        let routed = client.route_unasked(&name).await?;
        let info = routed.backend.info();
        Ok::<_, ClientError>(description(&info.model, Some(info.context_tokens), false))
    };
    match shown.await {
        Ok(body) => json_body(&body).into_response(),
        Err(error) => refused(&error, ollama::error_body),
    }
}

fn description(model: &str, context_tokens: Option<u32>, is_embedder: bool) -> Value {
    let card = card(model, model, is_embedder);
    let known = known(model);
    let family = known.as_ref().map_or_else(|| "local".to_owned(), |it| it.family.to_lowercase());
    let context_tokens = context_tokens.or(known.map(|it| it.context_tokens));
    json!({
        "details": card.get("details"), "parameters": "", "template": "",
        "model_info": {
            "general.architecture": family, format!("{family}.context_length"): context_tokens
        },
        "capabilities": card.get("capabilities"), "modified_at": card.get("modified_at")
    })
}

/// A model as Ollama's clients know models.
pub(super) fn card(name: &str, model: &str, is_embedder: bool) -> Value {
    let known = known(model);
    let known = known.as_ref();
    let family = known.map_or_else(|| "local".to_owned(), |it| it.family.to_lowercase());
    let digest = known.and_then(|it| it.sha256.as_ref()).map(ToString::to_string);
    json!({
        "name": name, "model": name, "size": known.map_or(0, |it| it.size_bytes),
        "digest": digest.unwrap_or_default(), "modified_at": iso_millis(Timestamp::now()),
        "details": {
            "format": "gguf", "family": family, "families": [family],
            "parameter_size": known.map_or("", |it| it.parameters.as_str()),
            "quantization_level": known.map_or("", |it| it.quantisation.as_str())
        },
        "capabilities": if is_embedder { json!(["embedding"]) } else { json!(["completion", "tools"]) }
    })
}

/// What the catalogue knows of a model.
fn known(model: &str) -> Option<Model> {
    Catalogue::builtin().ok()?.find(model).ok().cloned()
}

fn listed(gateway: &Gateway) -> Vec<Listed> {
    let most_wanted = |it: &Failover| it.report().into_iter().next().map(|it| it.name);
    let names = gateway.names.iter().map(|it| Listed {
        name: it.name.clone(),
        model: most_wanted(gateway.players.of(it.role)).unwrap_or_default(),
        is_embedder: false,
    });
    let mut listed: Vec<Listed> = names.collect();
    if let Some(name) =
        gateway.embedder_name().filter(|it| !listed.iter().any(|other| other.name == *it))
    {
        listed.push(Listed { model: name.clone(), name, is_embedder: true });
    }
    listed
}

impl Gateway {
    /// The model that makes vectors, where that is one of its own.
    fn embedder_name(&self) -> Option<String> {
        let name = self.embedder.report().into_iter().next()?.name;
        (!self.is_player(&name)).then_some(name)
    }

    fn is_player(&self, name: &str) -> bool {
        self.players.report().iter().any(|it| it.name == name)
    }
}
