//! `parse-prd`, `analyze-complexity`, `scope-up` and `research`, asked over HTTP.

use serde_json::{Value, json};

use crate::{
    model_server::{Answer, ModelServer},
    project::Project,
};

const REPORT: &str = ".taskmaster/reports/task-complexity-report.json";

fn master(project: &Project) -> Value {
    serde_json::from_str::<Value>(&project.tasks()).unwrap()["master"]["tasks"].clone()
}

fn planned(id: u64, dependencies: &[u64]) -> Value {
    json!({
        "id": id, "title": format!("Task {id}"), "description": "What it is.", "details": "How.",
        "testStrategy": "Look.", "priority": "high", "dependencies": dependencies,
        "status": "pending",
    })
}

#[test]
fn a_plan_of_one_answer_is_written_as_it_is() {
    let project = Project::with_tasks(&json!([{"id": 3, "title": "Old", "status": "done"}]));
    project.write("prd.md", "# Notes\n- find notes by word\n");
    let server = ModelServer::saying(&json!({"tasks": [planned(4, &[3]), planned(5, &[4])]}));
    let run = server.run(&project, &["parse-prd", "prd.md", "-n", "9", "--append"]);
    assert_eq!(run.code, 0, "{}", run.all());
    let tasks = master(&project);
    let facts = |it: &Value| json!([it["id"], it["dependencies"], it["subtasks"]]);
    assert_eq!([facts(&tasks[1]), facts(&tasks[2])], [json!([4, [3], []]), json!([5, [4], []])]);
    assert!(run.out.contains("0 of 1 requirements are covered"), "{}", run.out);
    assert_eq!(server.questions(), 1);
}

#[test]
fn models_that_answer_with_nonsense_change_nothing() {
    for answer in [Answer::Says("I would rather not.".into()), Answer::Says(String::new())] {
        let server = ModelServer::start(move |_| answer.clone());
        for arguments in [
            ["parse-prd", "prd.md", "--force"],
            ["analyze-complexity", "-t", "5"],
            ["scope-up", "--id=4", "-s=light"],
        ] {
            let project = Project::bakery();
            project.write("prd.md", "# Notes\n- find notes by word\n");
            let before = project.tasks();
            let run = server.run(&project, &arguments);
            assert_eq!((run.code, project.tasks()), (1, before), "{}", run.all());
            assert!(run.err.contains("error: ") && run.err.contains("\nhint: "), "{}", run.err);
            assert!(!project.exists(REPORT));
        }
    }
}

#[test]
fn a_report_is_made_and_what_is_missing_is_said() {
    let project = Project::with_tasks(&json!([
        {"id": 1, "title": "Log in", "status": "pending"},
        {"id": 2, "title": "Log out", "status": "pending"},
        {"id": 3, "title": "Log on", "status": "done"},
    ]));
    let server = ModelServer::saying(&json!({"complexityAnalysis": [{
        "taskId": 1, "taskTitle": "Log in", "complexityScore": 8, "recommendedSubtasks": 4,
        "expansionPrompt": "By screen.", "reasoning": "Sessions.",
    }]}));
    let run = server.run(&project, &["analyze-complexity"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.err.contains("the model said nothing about task 2"), "{}", run.err);
    assert!(run.out.contains("✓ 2 tasks analysed\n  1 hard, 1 medium, 0 easy\n"), "{}", run.out);
    let report: Value = serde_json::from_str(&project.read(REPORT)).unwrap();
    assert_eq!(report["complexityAnalysis"][0]["reasoning"], "Sessions.");
    let run = server.run(&project, &["analyze-complexity", "--id=3,9"]);
    assert!(run.err.contains("task 3 is done: left out"), "{}", run.err);
    assert!(run.err.contains("there is no task 9"), "{}", run.err);
    assert_eq!(server.questions(), 1, "there was nothing to ask");
}

#[test]
fn a_task_is_made_larger_with_the_research_role() {
    let project = Project::with_tasks(&json!([{"id": 4, "title": "Log in", "own": 1}]));
    let server = ModelServer::saying(&json!({
        "title": "Log in and out", "description": "Both.", "details": "Sessions.",
        "testStrategy": "Look.", "priority": "high",
    }));
    let run = server.run(&project, &["scope-up", "--id=4", "--research", "-p", "no cookies"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.out.contains("✓ Task 4 is larger: Log in and out\n"), "{}", run.out);
    let task = &master(&project)[0];
    assert_eq!((&task["details"], &task["own"]), (&json!("Sessions."), &json!(1)));
    assert_eq!(server.asked()[0]["model"], "research");
}
