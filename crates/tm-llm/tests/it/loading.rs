//! Servers that load and unload models when they are told to, each in its own way.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};
use tm_llm::{
    discover::{Found, look},
    egress::guard::Guard,
    loading::{LoadError, Wish, change},
};
use tm_testkit::server::{Answer, Received, ScriptedServer};

/// What is known at a path, while the model is loaded or is not.
type About = fn(&str, bool) -> Value;

/// What is to be sent where to load the model, and to unload it.
type Orders = [(&'static str, Value); 2];

/// A server with one model, `m`, which says of it what `about` says while it is loaded or is not,
/// and changes that when one of `orders` arrives.
fn server(about: About, orders: Orders) -> (ScriptedServer, Arc<AtomicBool>) {
    let is_loaded = Arc::new(AtomicBool::new(false));
    let state = Arc::clone(&is_loaded);
    let server = ScriptedServer::start(move |received: &Received| {
        if let Some(path) = received.line.strip_prefix("GET ") {
            let known = about(path, state.load(Ordering::Relaxed));
            return Answer::json(if known.is_null() { 404 } else { 200 }, &known);
        }
        let is_it = |(path, body): &&(&str, Value)| {
            received.line == format!("POST {path}") && received.body == *body
        };
        match orders.iter().position(|it| is_it(&it)) {
            Some(order) => {
                state.store(order == 0, Ordering::Relaxed);
                Answer::json(200, &json!({}))
            }
            None => Answer::json(400, &json!({"error": {"message": "what is that?"}})),
        }
    });
    (server, is_loaded)
}

async fn found(server: &ScriptedServer) -> Found {
    look(&server.url(), &Guard::default().client().unwrap()).await.unwrap()
}

async fn asked(server: &ScriptedServer, model: &str, wish: Wish) -> Result<(), LoadError> {
    change(&found(server).await, model, wish, &Guard::default().client().unwrap()).await
}

fn ollama(path: &str, is_loaded: bool) -> Value {
    match path {
        "/api/version" => json!({"version": "0.33"}),
        "/api/tags" => json!({"models": [{"model": "m"}]}),
        "/api/ps" if is_loaded => json!({"models": [{"model": "m", "context_length": 4096}]}),
        "/api/ps" => json!({"models": []}),
        _ => Value::Null,
    }
}

fn lmstudio(path: &str, is_loaded: bool) -> Value {
    let state = if is_loaded { "loaded" } else { "not-loaded" };
    match path {
        "/api/v0/models" => json!({"data": [{"id": "m", "state": state}]}),
        "/api/v1/models" => json!({"models": [
            {"type": "llm", "key": "other", "loaded_instances": [{"id": "other"}]},
            {"type": "llm", "key": "m", "loaded_instances": [{"id": "m:2"}]},
        ]}),
        _ => Value::Null,
    }
}

fn localai(path: &str, is_loaded: bool) -> Value {
    let loaded = if is_loaded { json!([{"id": "m"}]) } else { json!([]) };
    match path {
        "/.well-known/localai.json" => json!({}),
        "/v1/models" => json!({"data": [{"id": "m"}]}),
        "/system" => json!({"backends": ["llama-cpp"], "loaded_models": loaded}),
        _ => Value::Null,
    }
}

fn llama_cpp(path: &str, is_loaded: bool) -> Value {
    let value = if is_loaded { "loaded" } else { "unloaded" };
    match path {
        "/props" => json!({"role": "router", "default_generation_settings": {"n_ctx": 0}}),
        "/v1/models" => json!({"data": [{"id": "m", "status": {"value": value}}]}),
        _ => Value::Null,
    }
}

fn webui(path: &str, is_loaded: bool) -> Value {
    match path {
        "/v1/internal/model/info" => json!({"model_name": if is_loaded { "m" } else { "None" }}),
        "/v1/internal/model/list" => json!({"model_names": ["m", "n"]}),
        _ => Value::Null,
    }
}

#[tokio::test]
async fn each_kind_of_server_is_told_in_its_own_way() {
    let m = || json!({"model": "m"});
    let kinds: [(About, Orders); 5] = [
        (
            ollama,
            [
                ("/api/generate", json!({"model": "m", "stream": false})),
                ("/api/generate", json!({"model": "m", "stream": false, "keep_alive": 0})),
            ],
        ),
        (
            lmstudio,
            [
                ("/api/v1/models/load", m()),
                ("/api/v1/models/unload", json!({"instance_id": "m:2"})),
            ],
        ),
        (localai, [("/backend/load", m()), ("/backend/shutdown", m())]),
        (llama_cpp, [("/models/load", m()), ("/models/unload", m())]),
        (
            webui,
            [
                ("/v1/internal/model/load", json!({"model_name": "m"})),
                ("/v1/internal/model/unload", json!({})),
            ],
        ),
    ];
    for (about, orders) in kinds {
        let (server, is_loaded) = server(about, orders);
        for (wish, expected) in [
            (Wish::Unloaded, false),
            (Wish::Loaded, true),
            (Wish::Loaded, true),
            (Wish::Unloaded, false),
        ] {
            asked(&server, "m", wish).await.unwrap();
            assert_eq!(is_loaded.load(Ordering::Relaxed), expected, "{:?}", server.seen().last());
        }
        let orders = server.seen().iter().filter(|it| it.line.starts_with("POST")).count();
        assert_eq!(orders, 2, "what is so already is not asked for");
    }
}

#[tokio::test]
async fn what_goes_wrong_is_told_apart() {
    let none = || [("/nothing", json!({})), ("/nothing", json!({}))];
    let (refusing, _) = server(llama_cpp, none());
    let error = asked(&refusing, "m", Wish::Loaded).await.unwrap_err();
    let said = "the server refuses (status 400): what is that?";
    assert_eq!(error.to_string(), said);
    let error = asked(&refusing, "x", Wish::Loaded).await.unwrap_err();
    assert!(matches!(error, LoadError::NoModel { .. }), "{error}");

    let one = |path: &str, _| match path {
        "/v1/models" => json!({"data": [{"id": "m"}]}),
        _ => Value::Null,
    };
    let error = asked(&server(one, none()).0, "m", Wish::Unloaded).await.unwrap_err();
    assert!(matches!(error, LoadError::Fixed { .. }), "{error}");

    let failed = |path: &str, _| match path {
        "/props" => json!({"default_generation_settings": {"n_ctx": 0}}),
        "/v1/models" => {
            json!({"data": [{"id": "m", "status": {"value": "unloaded", "failed": true}}]})
        }
        _ => Value::Null,
    };
    let orders = [("/models/load", json!({"model": "m"})), ("/models/unload", json!({}))];
    let error = asked(&server(failed, orders).0, "m", Wish::Loaded).await.unwrap_err();
    assert!(matches!(error, LoadError::Failed { .. }), "{error}");

    let (gone, _) = server(llama_cpp, none());
    let known = found(&gone).await;
    drop(gone);
    let client = Guard::default().client().unwrap();
    let error = change(&known, "m", Wish::Loaded, &client).await.unwrap_err();
    assert!(matches!(error, LoadError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_model_that_is_being_loaded_is_unloaded_only_when_the_server_was_told() {
    let loading = Arc::new(AtomicBool::new(true));
    let state = Arc::clone(&loading);
    let server = ScriptedServer::start(move |received: &Received| {
        if received.line == "POST /models/unload" {
            state.store(false, Ordering::Relaxed);
        }
        let value = if state.load(Ordering::Relaxed) { "loading" } else { "unloaded" };
        Answer::json(
            200,
            &match received.line.as_str() {
                "GET /v1/models" => json!({"data": [{"id": "m", "status": {"value": value}}]}),
                "GET /props" => json!({"default_generation_settings": {"n_ctx": 0}}),
                line if line.starts_with("GET ") => Value::Null,
                _ => json!({"success": true}),
            },
        )
    });
    asked(&server, "m", Wish::Unloaded).await.unwrap();
    assert!(!loading.load(Ordering::Relaxed));
}

#[tokio::test]
async fn a_server_that_ends_while_it_loads_is_not_waited_for() {
    let is_told = Arc::new(AtomicBool::new(false));
    let state = Arc::clone(&is_told);
    // Its port stays, and no answer comes from it any more.
    let server = ScriptedServer::start(move |received: &Received| {
        if received.line == "POST /models/load" {
            state.store(true, Ordering::Relaxed);
            return Answer::json(200, &json!({"success": true}));
        }
        let is_gone = state.load(Ordering::Relaxed);
        let known = llama_cpp(received.line.strip_prefix("GET ").unwrap_or_default(), false);
        let answer = Answer::json(if known.is_null() || is_gone { 404 } else { 200 }, &known);
        if is_gone { answer.cut_after(0) } else { answer }
    });
    let error = asked(&server, "m", Wish::Loaded).await.unwrap_err();
    assert!(is_told.load(Ordering::Relaxed));
    assert!(matches!(error, LoadError::Unreachable { .. }), "{error}");
}

/// LM Studio with `m`, which its newer list knows by its maker, and with a second one of it.
fn lmstudio_by_maker(path: &str, is_loaded: bool) -> Value {
    let state = if is_loaded { "loaded" } else { "not-loaded" };
    match path {
        "/api/v0/models" if is_loaded => json!({"data": [
            {"id": "m", "state": state}, {"id": "mine", "state": state},
        ]}),
        "/api/v0/models" => json!({"data": [{"id": "m", "state": state}]}),
        "/api/v1/models" => json!({"models": [
            {"key": "by/other", "loaded_instances": [{"id": "other"}]},
            {"key": "by/m", "loaded_instances": [{"id": "mine"}]},
        ]}),
        _ => Value::Null,
    }
}

#[tokio::test]
async fn a_model_of_lm_studio_is_found_by_either_of_its_names() {
    let orders = || {
        let unload = json!({"instance_id": "mine"});
        [("/api/v1/models/load", json!({"model": "by/m"})), ("/api/v1/models/unload", unload)]
    };
    for name in ["m", "mine"] {
        let (server, is_loaded) = server(lmstudio_by_maker, orders());
        asked(&server, "m", Wish::Loaded).await.unwrap();
        asked(&server, name, Wish::Unloaded).await.unwrap();
        assert!(!is_loaded.load(Ordering::Relaxed), "{name}");
    }
}

/// What Ollama has without a tag has this one.
fn ollama_latest(path: &str, is_loaded: bool) -> Value {
    let known = ollama(path, is_loaded).to_string();
    serde_json::from_str(&known.replace("\"m\"", "\"m:latest\"")).unwrap()
}

#[tokio::test]
async fn a_model_of_ollama_is_found_by_its_name_without_a_tag() {
    let load = json!({"model": "m:latest", "stream": false});
    let unload = json!({"model": "m:latest", "stream": false, "keep_alive": 0});
    let orders = [("/api/generate", load), ("/api/generate", unload)];
    let (server, is_loaded) = server(ollama_latest, orders);
    asked(&server, "m", Wish::Loaded).await.unwrap();
    assert!(is_loaded.load(Ordering::Relaxed));
    asked(&server, "m", Wish::Unloaded).await.unwrap();
    assert!(!is_loaded.load(Ordering::Relaxed));
}

#[tokio::test]
async fn a_question_that_hangs_is_not_waited_for_as_long_as_a_load() {
    let server = ScriptedServer::start(move |received: &Received| {
        let known = lmstudio(received.line.strip_prefix("GET ").unwrap_or_default(), false);
        let answer = Answer::json(if known.is_null() { 404 } else { 200 }, &known);
        let hangs = received.line == "GET /api/v1/models";
        if hangs { answer.stalled_after(0) } else { answer }
    });
    let begun = std::time::Instant::now();
    // It does not know how to load, either.
    let error = asked(&server, "m", Wish::Loaded).await.unwrap_err();
    assert!(matches!(error, LoadError::Refused { status: 404, .. }), "{error}");
    assert!(begun.elapsed() < std::time::Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_model_whose_instances_are_not_listed_is_not_waited_for() {
    let unlisted = |path: &str, _| match path {
        "/api/v0/models" => json!({"data": [{"id": "m", "state": "loaded"}]}),
        "/api/v1/models" => json!({"models": [{"key": "by/m", "loaded_instances": []}]}),
        _ => Value::Null,
    };
    let (server, _) = server(unlisted, [("/nothing", json!({})), ("/nothing", json!({}))]);
    let error = asked(&server, "m", Wish::Unloaded).await.unwrap_err();
    assert!(matches!(error, LoadError::Nameless { .. }), "{error}");
}
