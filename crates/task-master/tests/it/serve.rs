//! `serve` where other machines can reach it, and `keys`.

use std::{
    thread,
    time::{Duration, Instant},
};

#[cfg(feature = "engine")]
use serde_json::Value;
use serde_json::json;
use tm_testkit::server::{Answer, ScriptedServer};

#[cfg(feature = "engine")]
use crate::parse_prd::test_model;
use crate::{clients::gateway::Gateway, project::Project};

#[test]
fn other_machines_are_served_with_keys_and_encryption_or_not_at_all() {
    let project = Project::empty();
    let serve = |options: &[&str]| project.run(&[&["serve", "-l", "0.0.0.0:0"], options].concat());
    let run = serve(&[]);
    assert!(run.code == 1 && run.err.contains("task-master keys add"), "{}", run.all());
    let run = project.run(&["serve", "--require-key"]);
    assert!(run.code == 1 && run.err.contains("there is no key to ask for"), "{}", run.all());
    assert_eq!(project.run(&["keys", "add", "laptop"]).code, 0);
    let run = serve(&[]);
    assert!(run.code == 1 && run.err.contains("not encrypted"), "{}", run.all());
    let run = serve(&["--tls-cert", "none.pem", "--tls-key", "none.pem"]);
    assert!(run.code == 1 && run.err.contains("none.pem"), "{}", run.all());
}

#[test]
fn a_gateway_that_asks_for_keys_answers_who_has_one() {
    let gateway = Gateway::start_in(
        |project| assert_eq!(project.run(&["keys", "add", "phone"]).code, 0),
        &["--require-key"],
    );
    let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]});
    assert!(gateway.chat(&body).starts_with("HTTP/1.1 401"));
    let added = gateway.project.json(&["keys", "add", "laptop", "--json"]);
    let key = added["key"].as_str().unwrap();
    let answer = gateway.chat_with(&body, &format!("Authorization: Bearer {key}\r\n"));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let removed = gateway.project.run(&["keys", "rm", "laptop"]);
    assert_eq!(removed.code, 0, "{}", removed.all());
    let answer = gateway.chat_with(&body, &format!("Authorization: Bearer {key}\r\n"));
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_gateway_that_waits_has_given_its_code_back_and_answers_all_the_same() {
    let gateway = Gateway::start();
    let patience = Instant::now() + Duration::from_secs(20);
    let started = gateway.resident_code_kib();
    let mut waiting = started;
    while waiting > started / 2 {
        assert!(Instant::now() < patience, "{waiting} KiB of {started}");
        thread::yield_now();
        waiting = gateway.resident_code_kib();
    }
    let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]});
    let answer = gateway.chat(&body);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(gateway.resident_code_kib() > waiting);
}

#[test]
fn a_gateway_whose_server_is_not_there_yet_waits_for_it() {
    let away = |project: &Project| {
        let url = format!("{}/v1", ScriptedServer::nobody());
        let role = json!({"provider": "openai-compatible", "modelId": "m", "baseURL": url});
        let models = json!({"main": role, "research": role, "fallback": role});
        project.write(".taskmaster/config.json", json!({ "models": models }).to_string());
    };
    let gateway = Gateway::start_in(away, &[]);
    assert!(gateway.ask("GET /health", "", "").starts_with("HTTP/1.1 200"));
    let says = json!([{"role": "user", "content": "Hi"}]);
    let answer = gateway.chat(&json!({"model": "m", "messages": says}));
    assert!(answer.starts_with("HTTP/1.1 50") && answer.contains("does not answer"), "{answer}");
    gateway.stop();
}

#[test]
fn keys_are_shown_once_and_listed_without_what_they_are() {
    let project = Project::empty();
    let run = project.run(&["keys", "list"]);
    assert!(run.code == 0 && run.out.contains("There are no keys."), "{}", run.all());
    let options = ["--requests-per-minute", "30", "--model", "main", "--model", "gpt-4o"];
    let run = project.run(&[&["keys", "add", "laptop"], &options[..]].concat());
    let key = run.out.split_whitespace().find(|it| it.starts_with("tm-")).unwrap().to_owned();
    assert_eq!((run.code, key.len()), (0, 67), "{}", run.all());
    let listed = project.json(&["keys", "list", "--json"]);
    let first = &listed[0];
    assert_eq!((&first["name"], &first["requests_per_minute"]), (&json!("laptop"), &json!(30)));
    assert_eq!(first["models"], json!(["main", "gpt-4o"]));
    let run = project.run(&["keys", "list"]);
    assert!(run.out.contains("laptop") && run.out.contains("main, gpt-4o"), "{}", run.all());
    assert!(!run.out.contains(&key[3..]) && !listed.to_string().contains(&key[3..]));
    for (arguments, told) in [
        (["keys", "add", "laptop"], "there is a key \"laptop\" already"),
        (["keys", "rm", "phone"], "there is no key \"phone\""),
    ] {
        let run = project.run(&arguments);
        assert!(run.code == 1 && run.err.contains(told), "{}", run.all());
    }
}

#[test]
fn measurements_go_to_the_collector_that_is_named_and_to_no_other_machine() {
    let collector = ScriptedServer::start(|_| Answer::json(200, &json!({})));
    let prepare = |endpoint: &str| {
        let line =
            format!("OTEL_EXPORTER_OTLP_ENDPOINT={endpoint}\nOTEL_METRIC_EXPORT_INTERVAL=50\n");
        move |project: &Project| project.write(".env", line)
    };
    let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]});
    let gateway = Gateway::start_in(prepare(&collector.url()), &[]);
    assert!(gateway.chat(&body).starts_with("HTTP/1.1 200"));
    gateway.stop();
    let seen = collector.seen();
    let places: Vec<&str> = seen.iter().map(|it| it.line.as_str()).collect();
    assert!(places.contains(&"POST /v1/traces"), "{places:?}");
    assert!(places.contains(&"POST /v1/metrics"), "{places:?}");
    let gateway = Gateway::start_in(prepare("http://collector.example:4318"), &[]);
    assert!(gateway.chat(&body).starts_with("HTTP/1.1 200"));
    let shown = gateway.project.json(&["privacy", "--json"]);
    assert_eq!(shown["audit"]["newest"][0]["url"], "collector.example", "{shown}");
}

/// What `/api/ps` lists.
#[cfg(feature = "engine")]
fn in_memory(gateway: &Gateway) -> Vec<Value> {
    let text = gateway.ask("GET /api/ps", "", "");
    let listed: Value = serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap();
    listed["models"].as_array().unwrap().clone()
}

#[cfg(feature = "engine")]
#[test]
fn a_model_of_the_gateway_comes_and_goes_as_clients_of_ollama_say() {
    let Some(model) = test_model() else { return };
    let role = json!({"provider": "embedded", "modelId": model});
    let config = json!({"models": {"main": role, "research": role, "fallback": role}});
    let gateway = Gateway::start_in(
        |project| project.write(".taskmaster/config.json", config.to_string()),
        &[],
    );
    let ask =
        |path: &str, body: Value| gateway.ask(&format!("POST /api/{path}"), "", &body.to_string());
    let question = |keep_alive: Value| {
        let messages = json!([{"role": "user", "content": "Hi"}]);
        let options = json!({"num_predict": 2});
        ask(
            "chat",
            json!({
                "model": "main", "messages": messages, "options": options, "stream": false,
                "keep_alive": keep_alive,
            }),
        )
    };
    let listed = in_memory(&gateway);
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert!(listed[0]["size"].as_u64() > Some(1 << 20), "{listed:?}");
    assert!(listed[0]["context_length"].as_u64() > Some(0), "{listed:?}");

    let unloaded = ask("generate", json!({"model": "main", "keep_alive": 0}));
    assert!(unloaded.contains(r#""done_reason":"unload""#), "{unloaded}");
    assert_eq!(in_memory(&gateway), [Value::Null; 0]);

    let answer = question(json!(-1));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(in_memory(&gateway)[0]["expires_at"].as_str().unwrap().starts_with("9999"));
    let loaded = ask("chat", json!({"model": "main", "messages": [], "keep_alive": "1h"}));
    assert!(loaded.contains(r#""done_reason":"load""#), "{loaded}");
    assert!(in_memory(&gateway)[0]["expires_at"].as_str().unwrap().starts_with("20"));

    assert!(question(json!("0s")).starts_with("HTTP/1.1 200"));
    let patience = Instant::now() + Duration::from_mins(1);
    while !in_memory(&gateway).is_empty() {
        assert!(Instant::now() < patience, "it gives nothing back");
    }
    let refused = question(json!("a while"));
    assert!(refused.starts_with("HTTP/1.1 400") && refused.contains("no duration"), "{refused}");
}
