//! A model that puts passages in order: `kb search` with it, and the gateway in front of it.

use serde_json::{Value, json};
use tm_testkit::server::{Answer, ScriptedServer};

use crate::{clients::gateway::Gateway, project::Project};

/// A server that prefers texts with more of the word `loaf`.
fn server() -> ScriptedServer {
    ScriptedServer::start(|received| {
        let Some(texts) = received.body["documents"].as_array() else {
            return Answer::json(404, &json!({"error": {"message": "no such thing"}}));
        };
        let loaves = |it: &Value| it.as_str().unwrap_or_default().matches("loaf").count();
        let results: Vec<Value> = texts
            .iter()
            .enumerate()
            .map(|(index, text)| json!({"index": index, "relevance_score": loaves(text)}))
            .collect();
        Answer::json(200, &json!({"results": results}))
    })
}

fn project(url: &str) -> Project {
    let project = Project::bakery();
    project.write("docs/first.md", "# Oven\n\nOven, oven, oven: the oven is hot.\n");
    project.write("docs/second.md", "# Bread\n\nA loaf is in the oven, and another loaf is not.\n");
    let rerank = json!({"provider": "openai-compatible", "modelId": "ranks", "baseURL": format!("{url}/v1")});
    let config = json!({"models": {"rerank": rerank}, "global": {}});
    project.write(".taskmaster/config.json", config.to_string());
    project.run(&["kb", "add", "docs"]);
    project
}

fn paths(found: &Value) -> Vec<&str> {
    found["hits"].as_array().unwrap().iter().map(|it| it["path"].as_str().unwrap()).collect()
}

#[test]
fn the_model_puts_in_order_what_was_found() {
    let server = server();
    let project = project(&server.url());
    let search = ["kb", "search", "oven", "--json", "-n1"];
    let found = project.json(&search);
    assert_eq!((paths(&found), &found["reranked"]), (vec!["second.md"], &json!(true)));
    let asked = server.seen().into_iter().find(|it| it.line.contains("rerank")).unwrap();
    assert_eq!((&asked.body["query"], &asked.body["model"]), (&json!("oven"), &json!("ranks")));

    let as_found = project.json(&[&search[..], &["--no-rerank"]].concat());
    assert_eq!((paths(&as_found), &as_found["reranked"]), (vec!["first.md"], &json!(false)));
    let reach = project.json(&["privacy", "--json"]);
    assert!(reach["endpoints"].as_array().unwrap().iter().any(|it| it["role"] == "rerank"));
}

#[test]
fn without_the_model_the_order_stays_and_that_is_said() {
    let gone = server();
    let project = project(&gone.url());
    drop(gone);
    let run = project.run(&["kb", "search", "oven"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.out.starts_with("1 first.md:1-3"), "{}", run.all());
    let said = "passages are in the order in which they were found: ";
    assert!(run.err.contains(said) && run.err.contains("does not answer"), "{}", run.err);
    assert_eq!(project.json(&["kb", "search", "oven", "--json"])["reranked"], false);
}

#[test]
fn a_model_that_is_no_server_is_refused_with_a_way_out() {
    let project = project("http://127.0.0.1:9");
    let config = json!({"models": {"rerank": {"provider": "embedded", "modelId": "x"}}});
    project.write(".taskmaster/config.json", config.to_string());
    let run = project.run(&["kb", "search", "oven"]);
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(run.err.contains("error: `models.rerank` is no server that may be asked\nhint: "));
}

fn gateway(rerank: Option<&str>) -> Gateway {
    let prepare = |project: &Project| {
        let config = project.read(".taskmaster/config.json");
        let mut config: Value = serde_json::from_str(&config).unwrap();
        if let Some(url) = rerank {
            config["models"]["rerank"] = json!({
                "provider": "openai-compatible", "modelId": "ranks", "baseURL": format!("{url}/v1")
            });
        }
        project.write(".taskmaster/config.json", config.to_string());
    };
    Gateway::start_in(prepare, &[])
}

/// The status and the body.
fn rank(gateway: &Gateway, path: &str) -> (u16, Value) {
    let asked = json!({
        "model": "rerank-v3", "query": "bread", "top_n": 1, "documents": ["an oven", "a loaf"]
    });
    let answer = gateway.ask(&format!("POST {path}"), "", &asked.to_string());
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}

#[test]
fn clients_of_the_gateway_have_texts_put_in_order() {
    let server = server();
    let gateway = gateway(Some(&server.url()));
    for path in ["/v1/rerank", "/v2/rerank", "/rerank"] {
        let (status, body) = rank(&gateway, path);
        assert_eq!(status, 200, "{body}");
        assert_eq!(body["results"], json!([{"index": 1, "relevance_score": 1.0}]), "{path}");
        assert_eq!(body["model"], "rerank-v3");
    }
    let asked = server.seen().into_iter().find(|it| it.line.contains("rerank")).unwrap();
    assert_eq!(asked.body["model"], "ranks");
    // It is written a moment after the answer.
    let traced = || gateway.project.json(&["trace", "--json"])["requests"][0].clone();
    let traced = (0..1000).map(|_| traced()).find(|it| !it.is_null()).unwrap();
    assert_eq!((&traced["by"], &traced["role"]), (&json!("rerank"), &json!("rerank")), "{traced}");
    let metrics = gateway.metrics();
    assert!(metrics.contains(r#"endpoint="rerank",status="200""#), "{metrics}");
}

#[test]
fn texts_are_not_put_in_order_by_nobody() {
    let elsewhere = Some("http://ranks.example");
    for rerank in [None, elsewhere] {
        let (status, body) = rank(&gateway(rerank), "/v1/rerank");
        assert_eq!(status, 501, "{body}");
        assert!(body["error"]["message"].as_str().unwrap().contains("`models.rerank`"), "{body}");
    }

    let knows_nothing = ScriptedServer::start(|_| Answer::json(404, &Value::Null));
    let (status, body) = rank(&gateway(Some(&knows_nothing.url())), "/v1/rerank");
    assert_eq!(status, 501, "{body}");
    assert!(body["error"]["message"].as_str().unwrap().contains("does not tell"), "{body}");
}
