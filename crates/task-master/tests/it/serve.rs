//! `serve` where other machines can reach it, and `keys`.

use serde_json::json;
use tm_testkit::server::{Answer, ScriptedServer};

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
