//! A model that a call has loaded is there for the next one, and not for ever.
#![cfg(all(feature = "engine", target_os = "linux"))]

use std::{
    fs,
    os::unix::fs::symlink,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::client::Client;
use crate::{parse_prd::test_model, project::Project};

const TOOL: &str = "update_subtask";

fn arguments() -> Value {
    json!({ "id": "2.1", "prompt": "Use Rust." })
}

/// The threads that compute for the models that a process has loaded.
fn engines(client: &Client) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{}/task", client.id())).unwrap();
    let paths = tasks.map(|it| it.unwrap().path());
    let is_engine = |it: &std::path::PathBuf| {
        fs::read_to_string(it.join("comm")).is_ok_and(|it| it == "engine\n")
    };
    paths.filter(is_engine).map(|it| it.display().to_string()).collect()
}

/// Has a small model say something, which makes no sense and may take too long.
fn ask(client: &mut Client) {
    client.call(TOOL, arguments());
}

fn answered_by(project: &Project, model: &str) {
    let role = json!({ "provider": "embedded", "modelId": model });
    let models = json!({ "main": role, "research": role, "fallback": role });
    project.write(".taskmaster/config.json", json!({ "models": models }).to_string());
}

#[expect(clippy::disallowed_methods, reason = "nothing is waited for that could tell")]
fn pause() {
    thread::sleep(Duration::from_millis(50));
}

#[test]
fn calls_share_a_model_until_the_setting_changes_or_nobody_asks() {
    let Some(model) = test_model() else { return };
    let project = Project::bakery();
    for name in ["first.gguf", "second.gguf"] {
        symlink(&model, project.path("project").join(name)).unwrap();
    }
    answered_by(&project, "first.gguf");
    let variables = [
        ("TASK_MASTER_TOOLS", "all"),
        ("TASKMASTER_KEEP_ALIVE_S", "4"),
        ("TASKMASTER_TIMEOUT_S", "5"),
    ];
    let mut client = Client::with_environment(&project, &variables);
    assert_eq!(engines(&client), Vec::<String>::new());
    ask(&mut client);
    let first = engines(&client);
    assert!(!first.is_empty());
    let mut arguments = arguments();
    arguments["projectRoot"] = json!(project.path("project"));
    let call = json!({ "name": TOOL, "arguments": arguments });
    let id = client.post("tools/call", &call);
    let cancelled = json!({ "requestId": id });
    client.send(&json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled
    }));
    ask(&mut client);
    assert_eq!(engines(&client), first);

    answered_by(&project, "second.gguf");
    ask(&mut client);
    let both = engines(&client);
    assert!(both.iter().any(|it| !first.contains(it)), "{both:?}");

    let patience = Instant::now() + Duration::from_mins(1);
    while !engines(&client).is_empty() {
        assert!(Instant::now() < patience, "it gives nothing back");
        pause();
    }
    assert_eq!(client.hang_up(), Some(0));
}
