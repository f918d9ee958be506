//! Servers are told apart by what they can be asked.

use serde_json::{Value, json};
use tm_llm::{discover::look, egress::guard::Guard};
use tm_testkit::server::{Answer, ScriptedServer};

/// The server that knows these paths, as it is found.
async fn found(known: Value) -> String {
    let server = ScriptedServer::start(move |received| {
        let path = received.line.strip_prefix("GET ").unwrap_or_default();
        match known.get(path) {
            Some(body) => Answer::json(200, body),
            None => Answer::json(404, &json!({})),
        }
    });
    let client = Guard::default().client().unwrap();
    let Some(found) = look(&server.url(), &client).await else { return "none".to_owned() };
    let url = found.base_url.replace(&server.url(), "");
    let models: Vec<String> = found
        .models
        .iter()
        .map(|it| format!("{} {:?} {:?}", it.id, it.context_tokens, it.is_loaded))
        .collect();
    format!("{} {} {url}: {}", found.kind, found.provider, models.join(", "))
}

#[tokio::test]
async fn each_kind_of_server_is_known_by_its_answers() {
    let models = json!({"data": [{"id": "m", "max_model_len": 5000}]});
    for (known, expected) in [
        (
            json!({"/api/version": {"version": "0.33"}, "/api/tags": {"models": [{"model": "a"}, {"model": "b"}]}, "/api/ps": {"models": [{"model": "b", "context_length": 4096}]}}),
            "Ollama ollama /api: a None Some(false), b Some(4096) Some(true)",
        ),
        (
            json!({"/api/v0/models": {"data": [{"id": "m", "state": "loaded", "loaded_context_length": 4096, "max_context_length": 32768}]}}),
            "LM Studio lmstudio /v1: m Some(4096) Some(true)",
        ),
        (
            json!({"/props": {"default_generation_settings": {"n_ctx": 8192}}, "/v1/models": models}),
            "llama.cpp openai-compatible /v1: m Some(8192) None",
        ),
        (
            json!({"/.well-known/localai.json": {}, "/v1/models": {"data": [{"id": "m"}]}}),
            "LocalAI openai-compatible /v1: m None None",
        ),
        (
            json!({"/.well-known/localai.json": {}, "/v1/models": {"data": [{"id": "m"}, {"id": "n"}]}, "/system": {"backends": ["llama-cpp"], "loaded_models": [{"id": "n"}]}}),
            "LocalAI openai-compatible /v1: m None Some(false), n None Some(true)",
        ),
        (
            json!({"/props": {"role": "router", "default_generation_settings": {"params": null, "n_ctx": 0}}, "/v1/models": {"data": [{"id": "m", "status": {"value": "loading"}}, {"id": "n", "status": {"value": "loaded"}}, {"id": "o", "status": {"value": "unloaded"}}]}}),
            "llama.cpp openai-compatible /v1: m None None, n None Some(true), o None Some(false)",
        ),
        (
            json!({"/v1/internal/model/info": {"model_name": "None"}, "/v1/internal/model/list": {"model_names": ["m"]}}),
            "text-generation-webui openai-compatible /v1: m None Some(false)",
        ),
        (
            json!({"/v1/internal/model/info": {"model_name": "m"}}),
            "text-generation-webui openai-compatible /v1: m None Some(true)",
        ),
        (
            json!({"/version": {"version": "0.12"}, "/v1/models": models}),
            "vLLM openai-compatible /v1: m Some(5000) None",
        ),
        (
            json!({"/v1/models": models}),
            "OpenAI-compatible openai-compatible /v1: m Some(5000) None",
        ),
        (json!({}), "none"),
    ] {
        assert_eq!(found(known).await, expected);
    }
    let client = Guard::default().client().unwrap();
    assert_eq!(look(&ScriptedServer::nobody(), &client).await, None);
}
