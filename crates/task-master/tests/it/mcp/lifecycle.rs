//! The server outlives whatever is said to it, and goes when it should.

use std::process::Command;

use serde_json::json;

use super::client::Client;
use crate::project::Project;

#[test]
fn it_says_who_it_is_and_what_it_can() {
    let project = Project::bakery();
    let mut client = Client::silent(&project, &[]);
    let params = json!({
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": { "name": "tests", "version": "1" },
    });
    assert_eq!(
        client.ask("initialize", &params)["result"],
        json!({
            "protocolVersion": "2025-06-18",
            "capabilities": { "tools": {}, "logging": {}, "completions": {} },
            "serverInfo": { "name": "Task Master MCP Server", "version": "0.43.1" },
        })
    );
}

#[cfg(all(feature = "engine", target_os = "linux"))]
#[test]
fn threads_that_compute_do_not_wait_for_milliseconds_unless_told_to() {
    for (told, expected) in [(None, "GOMP_SPINCOUNT=3000"), (Some("7"), "GOMP_SPINCOUNT=7")] {
        let project = Project::bakery();
        let told: Vec<_> = told.map(|it| ("GOMP_SPINCOUNT", it)).into_iter().collect();
        let mut client = Client::with_environment(&project, &told);
        assert!(client.data("get_tasks", json!({}))["tasks"].is_array());
        let read = std::fs::read(format!("/proc/{}/environ", client.id())).unwrap();
        let environment = String::from_utf8_lossy(&read).into_owned();
        assert!(environment.split('\0').any(|it| it == expected), "{environment}");
    }
}

#[test]
fn a_call_that_is_wrong_does_not_end_it() {
    let project = Project::bakery();
    let mut client = Client::start(&project);

    client.send_line("this is not JSON");
    client.send_line("{\"jsonrpc\": \"2.0\"");
    let (code, message) = client.refusal("bake_bread", json!({}));
    assert_eq!((code, message.as_str()), (-32601, "Unknown tool: bake_bread"));

    let (code, message) = client.refusal("get_task", json!({ "id": 3, "tag": true }));
    assert_eq!(code, -32602);
    assert!(
        message.starts_with(
            "Tool 'get_task' parameter validation failed: id: must be a string, tag: must be"
        ),
        "{message}"
    );

    let answer = client.ask("tools/call", &json!({ "name": "get_task", "arguments": [1] }));
    assert_eq!(answer["error"]["code"], -32602);
    let answer = client.ask("tools/bake", &json!({}));
    assert_eq!(answer["error"]["code"], -32601);

    let missing = project.path("nowhere").display().to_string();
    let failure = client.failure("get_tasks", json!({ "projectRoot": missing }));
    assert!(failure.contains("there is no directory"), "{failure}");

    assert!(client.data("get_tasks", json!({}))["tasks"].is_array());
    assert_eq!(client.hang_up(), Some(0));
}

#[test]
fn a_required_parameter_that_is_missing_is_named() {
    let project = Project::bakery();
    let mut client = Client::start(&project);
    let answer = client.ask("tools/call", &json!({ "name": "next_task", "arguments": {} }));
    assert_eq!(answer["error"]["code"], -32602);
    assert!(answer["error"]["message"].as_str().unwrap().contains("projectRoot: is required"));
}

#[test]
fn a_project_root_may_be_a_uri_and_the_environment_overrules_it() {
    let project = Project::bakery();
    let mut client = Client::start(&project);
    let uri =
        format!("file://{}", project.path("project").display()).replace("project", "%70roject");
    assert!(client.data("get_tasks", json!({ "projectRoot": uri }))["tasks"].is_array());

    let empty = Project::empty();
    let root = empty.path("project").display().to_string();
    let variables = [("TASK_MASTER_PROJECT_ROOT", root.as_str())];
    let mut client = Client::with_environment(&project, &variables);
    assert_eq!(client.data("get_tasks", json!({}))["tasks"], json!([]));
}

#[cfg(unix)]
#[test]
fn a_termination_signal_ends_it_cleanly() {
    let project = Project::bakery();
    let mut client = Client::start(&project);
    client.data("get_tasks", json!({}));
    let id = client.process_id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(client.wait(), Some(0));
}
