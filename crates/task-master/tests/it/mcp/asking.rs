//! Tools that ask a model, with one that plays a script: `analyze_project_complexity`,
//! `complexity_report`, `scope_up_task`, `scope_down_task`, `research`, `update_subtask`.

use std::{
    sync::{Mutex, mpsc},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::client::Client;
use crate::{
    model_server::{Answer, ModelServer, configure},
    project::Project,
};

fn project(server: &ModelServer) -> Project {
    let project = Project::with_tasks(&json!([
        {"id": 1, "title": "Log in", "description": "d", "status": "pending", "own": 1,
         "subtasks": [{"id": 1, "title": "Form", "status": "pending"}]},
        {"id": 2, "title": "Log out", "description": "d", "status": "done"},
    ]));
    configure(&project, server.port());
    project
}

#[test]
fn a_report_is_made_where_it_is_looked_for() {
    let server = ModelServer::saying(&json!({"complexityAnalysis": [{
        "taskId": 1, "taskTitle": "Log in", "complexityScore": 8, "recommendedSubtasks": 4,
        "expansionPrompt": "By screen.", "reasoning": "Sessions.",
    }]}));
    let project = project(&server);
    let mut client = Client::start(&project);
    let failure = client.failure("complexity_report", json!({}));
    assert!(failure.contains("there is no complexity report"), "{failure}");
    let data = client.data("analyze_project_complexity", json!({ "threshold": 6 }));
    assert_eq!(
        (&data["reportSummary"]["taskCount"], &data["telemetryData"]["modelUsed"]),
        (&json!(1), &json!("main"))
    );
    let traced = &project.json(&["trace", "--json"])["requests"][0];
    assert_eq!(
        (&traced["via"], &traced["by"]),
        (&json!("mcp"), &json!("analyze_project_complexity"))
    );
    let data = client.data("complexity_report", json!({}));
    assert!(data.to_string().contains("Sessions."), "{data}");

    for (arguments, expected) in [
        (json!({ "ids": "four" }), "not a task id"),
        (json!({ "tag": "cellar" }), "there is no tag `cellar`"),
        (json!({ "file": "gone.json" }), "there is no tasks file"),
    ] {
        let failure = client.failure("analyze_project_complexity", arguments);
        assert!(failure.contains(expected), "{failure}");
    }
    let (code, _) = client.refusal("analyze_project_complexity", json!({ "threshold": 11 }));
    assert_eq!(code, -32602);
}

#[test]
fn tasks_are_made_larger_and_smaller() {
    let server = ModelServer::saying(&json!({
        "title": "Log in and out", "description": "Both.", "details": "Sessions.",
        "testStrategy": "Look.", "priority": "high",
    }));
    let project = project(&server);
    project.write("docs/login.md", "# Log in and out\n\nWhoever logs out is forgotten.\n");
    let mut client = Client::start(&project);
    for tool in ["scope_up_task", "scope_down_task"] {
        let arguments = json!({ "id": "2", "strength": "light", "research": true });
        let data = client.data(tool, arguments);
        let asked = server.asked().last().unwrap().to_string();
        assert!(asked.contains("“Whoever logs out is forgotten.”"), "{asked}");
        assert_eq!(data["tasksUpdated"], 1, "{data}");
        assert_eq!(data["updatedTasks"][0]["title"], "Log in and out");
        for (id, expected) in [("1.1", "is a subtask"), ("9", "there is no task 9")] {
            let failure = client.failure(tool, json!({ "id": id }));
            assert!(failure.contains(expected), "{failure}");
        }
        let failure = client.failure(tool, json!({ "id": "2", "strength": "strong" }));
        assert!(failure.contains("not a strength"), "{failure}");
    }
}

#[test]
fn a_weak_task_is_asked_of_a_larger_model_and_what_stays_below_is_told() {
    let server = ModelServer::saying(&json!({
        "title": "Log in", "description": "Both.", "details": "Both.", "testStrategy": "Look.",
        "dependencies": [],
    }));
    let project = Project::with_tasks(&json!([]));
    let role = |model: &str| {
        json!({"provider": "lmstudio", "modelId": model,
               "baseURL": format!("http://127.0.0.1:{}/v1", server.port())})
    };
    let models = json!({"main": role("main"), "research": role("main"), "fallback": role("main"),
                        "escalation": role("big")});
    let config = json!({"models": models, "global": {"escalateBelow": 80}});
    project.write(".taskmaster/config.json", config.to_string());
    let mut client = Client::start(&project);
    client.data("add_task", json!({ "prompt": "Log in" }));
    let asked: Vec<Value> = server.asked().iter().map(|it| it["model"].clone()).collect();
    assert_eq!(asked, ["main", "main", "big"]);
    let told = client.told.iter().filter(|it| it["method"] == "notifications/message");
    let told: Vec<String> = told.map(ToString::to_string).collect();
    assert!(told.iter().any(|it| it.contains("quality below threshold (80 %)")), "{told:?}");
}

#[test]
fn an_answer_is_given_and_kept_where_that_is_wanted() {
    let server =
        ModelServer::start(|_| crate::model_server::Answer::Says("Use signed cookies.".to_owned()));
    let project = project(&server);
    let mut client = Client::start(&project);
    let arguments = json!({
        "query": "How are sessions kept?", "taskIds": "1", "saveTo": "1.1", "saveToFile": true,
    });
    let data = client.data("research", arguments);
    let result = data["result"].as_str().unwrap();
    assert!(result.contains("Use signed cookies."), "{result}");
    assert_ne!(result, "Use signed cookies.", "that no document says so is said");
    let saved = data["savedFilePath"].as_str().unwrap();
    assert!(std::fs::read_to_string(saved).unwrap().contains("Use signed cookies."));
    assert!(project.tasks().contains("Use signed cookies."));
    assert!(server.asked()[0].to_string().contains("Log in"), "{:?}", server.asked());

    let asked = server.questions();
    for (arguments, expected) in [
        (json!({ "query": " " }), "the question is empty"),
        (json!({ "query": "Why?", "saveTo": "9" }), "there is no task 9"),
        (json!({ "query": "Why?", "filePaths": "gone.md" }), "there is no file gone.md"),
        (json!({ "query": "Why?", "taskIds": "four" }), "not a task id"),
    ] {
        let failure = client.failure("research", arguments);
        assert!(failure.contains(expected), "{failure}");
    }
    assert_eq!(server.questions(), asked, "what makes no sense is refused before a model is asked");
}

#[test]
fn a_server_that_is_gone_is_an_error_that_changes_nothing() {
    let project = Project::bakery();
    configure(&project, 9);
    let before = project.tasks();
    let mut client = Client::start(&project);
    for (tool, arguments) in [
        ("analyze_project_complexity", json!({})),
        ("scope_up_task", json!({ "id": "4" })),
        ("research", json!({ "query": "Why?" })),
        ("update_subtask", json!({ "id": "2.1", "prompt": "done by hand" })),
        ("expand_task", json!({ "id": "4" })),
    ] {
        let failure = client.failure(tool, arguments);
        assert!(failure.contains("does not answer"), "{tool}: {failure}");
    }
    assert_eq!(project.tasks(), before);
}

#[test]
fn a_tool_is_answered_before_models_on_trial_are_asked_the_same() {
    let (go_on, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let server = ModelServer::start(move |question| {
        if question["model"] == "fallback" {
            assert!(held.lock().unwrap().recv().is_err());
            return Answer::Says("Use spelt.".to_owned());
        }
        Answer::Says("Use rye.".to_owned())
    });
    let project = project(&server);
    let set = ["rollout", "set", "update-subtask=100%", "--to", "fallback", "--shadow"];
    assert_eq!(project.run(&set).code, 0);
    let mut client = Client::start(&project);
    let shadows = || {
        let traced = project.json(&["trace", "--json"])["requests"].clone();
        let mut traced = traced.as_array().unwrap().clone();
        traced.retain(|it| it["by"] == "shadow");
        traced
    };
    for prompt in ["which flour?", "which flour, again?"] {
        let data = client.data("update_subtask", json!({ "id": "1.1", "prompt": prompt }));
        assert!(data.to_string().contains("Use rye."), "{data}");
    }
    assert_eq!(shadows(), [Value::Null; 0]);
    drop(go_on);
    let patience = Instant::now() + Duration::from_mins(1);
    while shadows().is_empty() {
        assert!(Instant::now() < patience, "nothing is compared");
    }
    assert_eq!(client.hang_up(), Some(0));
    // The second call came while the first was compared.
    let shadows = shadows();
    assert_eq!((shadows.len(), &shadows[0]["via"]), (1, &json!("mcp")), "{shadows:?}");
    let likeness = shadows[0]["compared"]["likeness"].as_f64().unwrap();
    assert!((likeness - 1.0 / 3.0).abs() < 1e-9, "{likeness}");
    assert!(project.tasks().contains("Use rye.") && !project.tasks().contains("spelt"));
}
