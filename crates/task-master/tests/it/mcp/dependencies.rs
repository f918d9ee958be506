//! The tools for dependencies, and `complexity_report`.

use serde_json::json;

use super::client::Client;
use crate::project::Project;

fn chain() -> Project {
    Project::with_tasks(&json!([
        { "id": 1, "title": "a", "status": "pending", "subtasks": [{ "id": 1, "title": "b" }] },
        { "id": 2, "title": "c", "status": "pending", "dependencies": [1] },
        { "id": 3, "title": "d", "status": "pending", "dependencies": [2] },
    ]))
}

#[test]
fn a_dependency_is_added_and_removed() {
    let project = chain();
    let mut client = Client::start(&project);
    let data = client.data("add_dependency", json!({ "id": "3", "dependsOn": "1" }));
    assert_eq!((&data["taskId"], &data["dependencyId"]), (&json!(3), &json!(1)));
    let task = client.data("get_task", json!({ "id": "3" }));
    assert_eq!(task["dependencies"], json!([1, 2]));

    let data = client.data("remove_dependency", json!({ "id": "3", "dependsOn": "1" }));
    assert_eq!(data["taskId"], 3);
    let task = client.data("get_task", json!({ "id": "3" }));
    assert_eq!(task["dependencies"], json!([2]));

    let data = client.data("add_dependency", json!({ "id": "1.1", "dependsOn": "2" }));
    assert_eq!(data["taskId"], "1.1");
}

#[test]
fn what_the_original_dies_of_is_an_error() {
    let project = chain();
    let before = project.tasks();
    let mut client = Client::start(&project);
    for (id, on, expected) in [
        ("1", "3", "which waits for it"),
        ("1", "1", "cannot wait for itself"),
        ("1", "9", "there is no task 9"),
        ("9", "1", "there is no task 9"),
        ("x", "1", "is not a task id"),
    ] {
        let failure = client.failure("add_dependency", json!({ "id": id, "dependsOn": on }));
        assert!(failure.contains(expected), "{failure}");
    }
    assert_eq!(project.tasks(), before);
    assert_eq!(client.hang_up(), Some(0));
}

#[test]
fn what_is_wrong_with_dependencies_is_found_and_mended() {
    let project = Project::with_tasks(&json!([
        { "id": 1, "title": "a", "status": "pending", "dependencies": [9] },
    ]));
    let mut client = Client::start(&project);
    let data = client.data("validate_dependencies", json!({}));
    assert_eq!(data["issues"][0]["dependencyId"], "9");
    assert_eq!(data["issues"][0]["problem"], "does not exist");

    let data = client.data("fix_dependencies", json!({}));
    assert!(data["tasksPath"].as_str().unwrap().ends_with("tasks.json"));
    assert!(client.data("validate_dependencies", json!({}))["issues"].is_null());
    let told = client.told.iter().filter(|it| it["method"] == "notifications/message");
    assert!(told.map(ToString::to_string).any(|it| it.contains("waits for 9 no longer")));

    for tool in ["validate_dependencies", "fix_dependencies"] {
        let failure = client.failure(tool, json!({ "tag": "nowhere" }));
        assert!(failure.contains("there is no tag `nowhere`"), "{failure}");
    }
}

#[test]
fn a_complexity_report_is_what_its_file_says() {
    let project = chain();
    let path = ".taskmaster/reports/task-complexity-report.json";
    let mut client = Client::start(&project);
    let failure = client.failure("complexity_report", json!({}));
    assert!(failure.contains("there is no complexity report"), "{failure}");

    let report = json!({
        "meta": { "tasksAnalyzed": 1 },
        "complexityAnalysis": [{ "taskId": 2, "complexityScore": 8, "recommendedSubtasks": 5 }],
    });
    project.write(path, report.to_string());
    let data = client.data("complexity_report", json!({}));
    assert_eq!(data["report"], report);
    assert!(data["reportPath"].as_str().unwrap().ends_with(path));
    let task = client.data("get_task", json!({ "id": "2" }));
    assert_eq!((&task["complexity"], &task["recommendedSubtasks"]), (&json!(8), &json!(5)));

    project.write("mine.json", "{}");
    let data = client.data("complexity_report", json!({ "file": "mine.json" }));
    assert!(data["reportPath"].as_str().unwrap().ends_with("mine.json"));
}
