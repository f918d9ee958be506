//! Model servers: found, asked when they are local, and left alone when they are not.

use serde_json::{Value, json};
use tm_testkit::server::{Answer, ScriptedServer};

use crate::project::Project;

/// A project whose main model is at this URL.
fn project(provider: &str, url: &str) -> Project {
    let project = Project::with_tasks(&json!([]));
    let role = json!({"provider": provider, "modelId": "m", "baseURL": url});
    let config = json!({"models": {"main": role, "research": role, "fallback": role}});
    project.write(".taskmaster/config.json", config.to_string());
    project.write("prd.md", "# Shop\n\n- People order bread.\n");
    project
}

#[test]
fn a_server_of_the_project_is_found() {
    let server = ScriptedServer::start(|received| match received.line.as_str() {
        "GET /v1/models" => Answer::json(200, &json!({"data": [{"id": "m"}]})),
        _ => Answer::json(404, &Value::Null),
    });
    let project = project("openai-compatible", &format!("{}/v1", server.url()));
    let found = project.json(&["backends", "--json"]);
    let ours = found["backends"].as_array().unwrap().iter();
    let ours: Vec<&Value> = ours.filter(|it| it["models"][0]["id"] == "m").collect();
    assert_eq!(
        ours,
        [&json!({
            "kind": "OpenAI-compatible",
            "provider": "openai-compatible",
            "baseURL": format!("{}/v1", server.url()),
            "models": [{"id": "m", "contextTokens": null, "isLoaded": null}],
        })]
    );
    let run = project.run(&["backends"]);
    assert!(run.out.contains("OpenAI-compatible"), "{}", run.out);
}

#[test]
fn a_server_that_does_not_run_is_named_with_what_to_do() {
    let url = ScriptedServer::nobody();
    let run = project("lmstudio", &url).run(&["parse-prd", "prd.md"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains(&format!("because: {url}/v1 does not answer")), "{}", run.err);
    assert!(run.err.contains("hint: start it, or see which servers run"), "{}", run.err);
}

#[test]
fn a_key_that_is_refused_fails_and_changes_nothing() {
    let error = json!({"error": {"message": "invalid api key"}});
    let server = ScriptedServer::start(move |_| Answer::json(401, &error));
    let project = project("lmstudio", &server.url());
    let before = project.tasks();
    let run = project.run(&["parse-prd", "prd.md"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("invalid api key"), "{}", run.err);
    assert_eq!(project.tasks(), before);
}

#[test]
fn a_host_that_is_not_local_is_never_asked() {
    let project = project("lmstudio", "http://192.0.2.1:1234/v1");
    let run = project.run(&["parse-prd", "prd.md"]);
    assert_eq!(run.code, 1);
    // The embedded engine is asked instead, and there is none in this home directory.
    assert!(run.err.contains("task-master models pull"), "{}", run.err);
    let listed = project
        .command(&["parse-prd", "prd.md"])
        .env("TASKMASTER_LOCAL_HOSTS", "127.0.0.9,elsewhere")
        .output()
        .unwrap();
    assert!(project.outcome(listed).err.contains("task-master models pull"));
}

#[test]
fn a_mode_that_is_none_is_refused() {
    let project = project("lmstudio", "http://localhost:1/v1");
    let run = project.command(&["parse-prd", "prd.md"]).env("TASKMASTER_MODE", "cloudy").output();
    let run = project.outcome(run.unwrap());
    assert!(run.err.contains("there is no mode \"cloudy\""), "{}", run.err);
}

#[test]
fn what_leaves_this_machine_is_written_down_first() {
    let project = Project::with_tasks(&json!([]));
    // An address that nobody has, so that the request ends at once.
    let role = json!({"provider": "openai", "modelId": "gpt", "baseURL": "http://0.0.0.0:1/v1"});
    let config = json!({"models": {"main": role, "research": role, "fallback": role}});
    project.write(".taskmaster/config.json", config.to_string());
    project.write("prd.md", "# Shop\n\n- People order bread.\n");
    let run = project
        .command(&["parse-prd", "prd.md"])
        .env("TASKMASTER_MODE", "external")
        .env("OPENAI_API_KEY", "secret")
        .output()
        .unwrap();
    let run = project.outcome(run);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("note: gpt at http://0.0.0.0:1/v1 is asked"), "{}", run.err);
    let log = project.path("home/.local/state/task-master/external-requests.jsonl");
    let log = std::fs::read_to_string(log).unwrap();
    let line: Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    assert_eq!((&line["provider"], &line["model"]), (&json!("openai"), &json!("gpt")));
    assert!(!log.contains("secret") && !run.err.contains("secret"));
}
