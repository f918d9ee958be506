//! The tools of autopilot, through one subtask.

use std::process::Command;

use serde_json::{Value, json};

use super::client::Client;
use crate::project::Project;

fn git(project: &Project, arguments: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.invalid"])
        .args(arguments)
        .current_dir(project.path("project"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn repository() -> Project {
    let project = Project::with_tasks(&json!([
        { "id": 1, "title": "Bake", "description": "d", "status": "pending", "priority": "high",
          "subtasks": [{ "id": 1, "title": "Knead", "status": "pending" }] },
    ]));
    git(&project, &["init", "--quiet"]);
    git(&project, &["config", "user.name", "t"]);
    git(&project, &["config", "user.email", "t@example.invalid"]);
    git(&project, &["add", "--all"]);
    git(&project, &["commit", "--quiet", "--message", "begin"]);
    project
}

fn results(passed: u64, failed: u64) -> Value {
    json!({ "testResults": { "total": passed + failed, "passed": passed, "failed": failed } })
}

#[test]
fn without_a_workflow_every_step_says_how_to_begin_one() {
    let project = Project::bakery();
    let mut client = Client::start(&project);
    for tool in ["resume", "next", "status", "commit", "finalize"] {
        let failure = client.failure(&format!("autopilot_{tool}"), json!({}));
        assert!(failure.contains("no workflow is running"), "{tool}: {failure}");
    }
    // Nothing has to be done for it.
    let data = client.data("autopilot_abort", json!({}));
    assert_eq!(data["message"], "No active workflow to abort");
    assert_eq!(data["hadWorkflow"], false);
    let failure = client.failure("autopilot_complete_phase", results(1, 0));
    assert!(failure.contains("autopilot start"), "{failure}");
    let (code, message) = client.refusal("autopilot_complete_phase", json!({ "testResults": {} }));
    assert_eq!(code, -32602);
    assert!(message.contains("testResults: total: is required"), "{message}");
}

#[test]
fn a_task_goes_through_its_subtasks() {
    let project = repository();
    let mut client = Client::start(&project);
    let data = client.data("autopilot_start", json!({ "taskId": "1" }));
    assert_eq!(data["message"], "Workflow started for task 1");
    assert_eq!((&data["tddPhase"], &data["nextAction"]), (&json!("RED"), &json!("generate_test")));
    let subtask = json!({ "id": 1, "title": "Knead", "attempts": 0, "maxAttempts": 3 });
    assert_eq!(data["currentSubtask"], subtask);
    let data = client.data("autopilot_next", json!({}));
    assert!(data["actionDescription"].is_string() && data["progress"].is_object(), "{data}");

    let data = client.data("autopilot_complete_phase", results(0, 1));
    assert_eq!(data["message"], "Phase completed. Transitioned to GREEN");
    assert_eq!(data["nextAction"], "implement_code");
    assert!(data["nextSteps"].is_string() && data["branchName"].is_string(), "{data}");
    assert_eq!(client.data("autopilot_resume", json!({}))["tddPhase"], "GREEN");
    project.write("bread.txt", "kneaded");
    let data = client.data("autopilot_complete_phase", results(1, 0));
    assert_eq!((&data["tddPhase"], &data["phase"]), (&json!("COMMIT"), &json!("SUBTASK_LOOP")));
    let data = client.data("autopilot_commit", json!({ "customMessage": "feat: knead" }));
    assert_eq!(
        (&data["commitMessage"], &data["isComplete"]),
        (&json!("feat: knead"), &json!(true))
    );
    let data = client.data("autopilot_status", json!({}));
    assert_eq!(data["progress"]["completed"], 1);
    assert_eq!(data.get("currentSubtask"), None);
    let data = client.data("autopilot_finalize", json!({}));
    assert!(data["nextSteps"].is_string(), "{data}");
    assert_eq!(client.data("get_task", json!({ "id": "1" }))["status"], "done");
}

#[test]
fn a_workflow_is_given_up() {
    let project = repository();
    let mut client = Client::start(&project);
    let failure = client.failure("autopilot_start", json!({ "taskId": "1", "maxAttempts": 0 }));
    assert!(failure.contains("maxAttempts is 0"), "{failure}");
    client.data("autopilot_start", json!({ "taskId": "1" }));
    let failure = client.failure("autopilot_start", json!({ "taskId": "1" }));
    assert!(failure.contains("is running"), "{failure}");
    let data = client.data("autopilot_abort", json!({}));
    assert_eq!((&data["hadWorkflow"], &data["taskId"]), (&json!(true), &json!("1")));
}
