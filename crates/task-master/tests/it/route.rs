//! `route explain`: who would answer, and why.

use serde_json::{Value, json};
use tm_testkit::server::{Answer, ScriptedServer};

use crate::project::Project;

#[test]
fn who_would_answer_is_told_with_the_reasons() {
    let server = |context: u32| {
        ScriptedServer::start(move |received| match received.line.as_str() {
            "GET /v1/models" => {
                Answer::json(200, &json!({"data": [{"id": "m", "max_model_len": context}]}))
            }
            _ => Answer::json(404, &Value::Null),
        })
    };
    let (small, large, other) = (server(1000), server(9000), server(9000));
    let at = |url: &str| format!("{url}/v1");
    let main = json!({
        "provider": "lmstudio", "modelId": "m", "baseURL": at(&ScriptedServer::nobody()),
        "alsoAt": [at(&small.url()), at(&large.url())]
    });
    let fallback = json!({"provider": "lmstudio", "modelId": "m", "baseURL": at(&other.url())});
    let project = Project::empty();
    let models = json!({"main": main, "research": main, "fallback": fallback});
    project.write(".taskmaster/config.json", json!({ "models": models }).to_string());
    let told = project.json(&["route", "explain", "--tokens", "2000", "--json"]);
    let reasons: Vec<&str> = told["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["reason"].as_str().unwrap())
        .collect();
    assert!(reasons[0].contains("does not answer"), "{told}");
    assert!(reasons[1].contains("2000 tokens do not fit into 1000"), "{told}");
    assert!(reasons[2].contains("wanted most"), "{told}");
    assert!(reasons[3].starts_with("stands in when"), "{told}");
    assert_eq!(told["winner"], json!(format!("m at {}", at(&large.url()))));
    let ranks: Vec<&Value> =
        told["candidates"].as_array().unwrap().iter().map(|it| &it["rank"]).collect();
    assert_eq!(ranks, [0, 0, 0, 1]);
    let named = project.json(&["route", "explain", "--model", "fallback", "--json"]);
    assert_eq!(named["role"], "fallback", "{named}");
    let run = project.run(&["route", "explain", "--role", "fallback"]);
    assert!(run.code == 0 && run.out.contains("wanted most"), "{}", run.all());
}

#[test]
fn the_names_of_models_are_listed_with_who_answers_to_them() {
    let role = |model: &str| {
        json!({
            "provider": "lmstudio", "modelId": model,
            "baseURL": format!("{}/v1", ScriptedServer::nobody())
        })
    };
    let project = Project::empty();
    let models = json!({
        "main": role("large"), "research": role("curious"), "fallback": role("small"),
        "names": {"gpt-4o-mini": "fallback"}
    });
    project.write(".taskmaster/config.json", json!({ "models": models }).to_string());
    let listed = project.json(&["route", "list", "--json"]);
    let names: Vec<String> = listed["names"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| format!("{} {} {} {}", it["name"], it["role"], it["model"], it["reason"]))
        .map(|it| it.replace('"', ""))
        .collect();
    assert_eq!(
        names,
        [
            "gpt-4o-mini fallback small pinned",
            "main main large role",
            "research research curious role",
            "fallback fallback small role",
            "large main large plays",
            "curious research curious plays",
            "small fallback small plays",
        ]
    );
    assert_eq!(listed["others"], "main");
    let run = project.run(&["route", "list"]);
    assert!(run.code == 0 && run.out.contains("Any other name"), "{}", run.all());
    let models = json!({"main": role("large"), "names": {"gpt-4o-mini": "boss"}});
    project.write(".taskmaster/config.json", json!({ "models": models }).to_string());
    let run = project.run(&["route", "list"]);
    assert!(run.code == 1 && run.err.contains("\"boss\" is no role"), "{}", run.all());
}
