//! Models of other programs that come and go as clients of the gateway say.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tm_testkit::server::{Answer, Received, ScriptedServer};

use crate::clients::gateway::Gateway;

/// What is known at a path, while the model `m` is in memory or is not.
type About = fn(&str, bool) -> Value;

/// A server that has the model in memory or not, as it is told where the paths in `orders` say.
fn server(about: About, orders: [&'static str; 2]) -> ScriptedServer {
    let is_loaded = Arc::new(AtomicBool::new(true));
    ScriptedServer::start(move |received: &Received| {
        if let Some(path) = received.line.strip_prefix("GET ") {
            let known = about(path, is_loaded.load(Ordering::Relaxed));
            return Answer::json(if known.is_null() { 404 } else { 200 }, &known);
        }
        let path = received.line.strip_prefix("POST ").unwrap_or_default();
        match path {
            "/api/show" => Answer::json(200, &json!({"model_info": {"x.context_length": 4096}})),
            "/api/chat" => {
                let message = json!({"role": "assistant", "content": "Seven."});
                let line = json!({"message": message, "done": true, "done_reason": "stop"});
                Answer::json(200, &line).with_header("content-type", "application/x-ndjson")
            }
            _ if orders.contains(&path) => {
                let loads = match orders {
                    [load, unload] if load != unload => path == load,
                    _ => received.body["keep_alive"] != 0.0,
                };
                is_loaded.store(loads, Ordering::Relaxed);
                Answer::json(200, &json!({}))
            }
            _ => Answer::json(404, &Value::Null),
        }
    })
}

fn ollama(path: &str, is_loaded: bool) -> Value {
    match path {
        "/api/version" => json!({"version": "0.33"}),
        "/api/tags" => json!({"models": [{"model": "m:latest"}]}),
        "/api/ps" if is_loaded => json!({"models": [{"model": "m:latest"}]}),
        "/api/ps" => json!({"models": []}),
        _ => Value::Null,
    }
}

fn lmstudio(path: &str, is_loaded: bool) -> Value {
    let state = if is_loaded { "loaded" } else { "not-loaded" };
    let instances = if is_loaded { json!([{"id": "m"}]) } else { json!([]) };
    match path {
        "/api/v0/models" => json!({"data": [{"id": "m", "state": state}]}),
        "/api/v1/models" => json!({"models": [{"key": "m", "loaded_instances": instances}]}),
        _ => Value::Null,
    }
}

fn llama_cpp(path: &str, is_loaded: bool) -> Value {
    let value = if is_loaded { "loaded" } else { "unloaded" };
    match path {
        "/props" => json!({"default_generation_settings": {"n_ctx": 0}}),
        "/v1/models" => json!({"data": [{"id": "m", "status": {"value": value}}]}),
        _ => Value::Null,
    }
}

fn vllm(path: &str, _is_loaded: bool) -> Value {
    match path {
        "/v1/models" => json!({"data": [{"id": "m", "max_model_len": 4096}]}),
        "/version" => json!({"version": "0.12"}),
        _ => Value::Null,
    }
}

/// A gateway whose main model is `m` of this server.
fn gateway(server: &ScriptedServer, provider: &str) -> Gateway {
    let path = if provider == "ollama" { "/api" } else { "/v1" };
    let url = format!("{}{path}", server.url());
    let role = json!({"provider": provider, "modelId": "m", "baseURL": url});
    let config = json!({"models": {"main": role, "research": role, "fallback": role}});
    Gateway::start_in(|it| it.write(".taskmaster/config.json", config.to_string()), &[])
}

/// What the gateway says to a client of Ollama.
fn ask(gateway: &Gateway, path: &str, body: &Value) -> String {
    gateway.ask(&format!("POST /api/{path}"), "", &body.to_string())
}

/// The orders that a server was given.
fn ordered(server: &ScriptedServer, orders: [&str; 2]) -> Vec<(String, Value)> {
    let posts = server.seen().into_iter().filter_map(|it| {
        let path = it.line.strip_prefix("POST ")?.to_owned();
        orders.contains(&path.as_str()).then_some((path, it.body))
    });
    posts.collect()
}

#[test]
fn servers_that_let_others_decide_load_and_unload_for_clients_of_the_gateway() {
    let ollama_orders = ["/api/generate", "/api/generate"];
    let kinds: [(&str, About, [&'static str; 2]); 3] = [
        ("ollama", ollama, ollama_orders),
        ("lmstudio", lmstudio, ["/api/v1/models/load", "/api/v1/models/unload"]),
        ("openai-compatible", llama_cpp, ["/models/load", "/models/unload"]),
    ];
    for (provider, about, orders) in kinds {
        let server = server(about, orders);
        let gateway = gateway(&server, provider);
        let unloaded = ask(&gateway, "generate", &json!({"model": "m", "keep_alive": 0}));
        assert!(unloaded.contains(r#""done_reason":"unload""#), "{provider}: {unloaded}");
        assert_eq!(ordered(&server, orders)[0].0, orders[1], "{provider}");
        let loaded = ask(&gateway, "generate", &json!({"model": "m", "keep_alive": "1h"}));
        assert!(loaded.contains(r#""done_reason":"load""#), "{provider}: {loaded}");
        let told = ordered(&server, orders);
        assert_eq!((told.len(), told[1].0.as_str()), (2, orders[0]), "{provider}: {told:?}");
        if provider == "ollama" {
            assert_eq!(told[1].1["keep_alive"], 3600.0);
        }
    }
}

#[test]
fn how_long_a_model_stays_is_passed_on_to_ollama_with_its_answers() {
    let orders = ["/api/generate", "/api/generate"];
    let server = server(ollama, orders);
    let gateway = gateway(&server, "ollama");
    let messages = json!([{"role": "user", "content": "How many?"}]);
    for (said, expected) in [(json!("10m"), 600.0), (json!(-1), -1.0), (json!(0), 0.0)] {
        let told_before = ordered(&server, orders).len();
        let body = json!({
            "model": "m", "messages": messages, "stream": false, "keep_alive": said,
        });
        let answer = ask(&gateway, "chat", &body);
        assert!(answer.contains("Seven."), "{answer}");
        let patience = Instant::now() + Duration::from_secs(10);
        while ordered(&server, orders).len() == told_before {
            assert!(Instant::now() < patience, "it is not told");
            thread::yield_now();
        }
        assert_eq!(ordered(&server, orders)[told_before].1["keep_alive"], expected);
    }
}

#[test]
fn a_server_that_decides_itself_keeps_its_model_and_that_is_said() {
    let server = server(vllm, ["/", "/"]);
    let gateway = gateway(&server, "openai-compatible");
    let refused = ask(&gateway, "generate", &json!({"model": "m", "keep_alive": 0}));
    assert!(refused.starts_with("HTTP/1.1 501"), "{refused}");
    assert!(refused.contains("vLLM"), "{refused}");
    let loaded = ask(&gateway, "generate", &json!({"model": "m"}));
    assert!(loaded.contains(r#""done_reason":"load""#), "{loaded}");
}
