//! `get_tasks`, `get_task`, `next_task` and `set_task_status`.

use serde_json::json;

use super::client::Client;
use crate::project::Project;

#[test]
fn tasks_come_with_their_subtasks_and_with_counts() {
    let project = Project::bakery();
    let mut client = Client::start(&project);
    let envelope = client.envelope("get_tasks", json!({}));
    assert_eq!(envelope["tag"], "master");
    assert_eq!(envelope["version"], json!({ "version": "0.43.1", "name": "task-master-ai" }));
    insta::assert_json_snapshot!(envelope["data"]["stats"]);
    assert!(envelope["data"]["page"].is_null());

    let without = client.data("get_tasks", json!({ "withSubtasks": false }));
    let subtasks = |it: &serde_json::Value| it["subtasks"].as_array().unwrap().is_empty();
    assert!(without["tasks"].as_array().unwrap().iter().all(subtasks));
}

#[test]
fn a_filter_keeps_the_total_and_counts_what_it_shows() {
    let project = Project::bakery();
    let mut client = Client::start(&project);
    let data = client.data("get_tasks", json!({ "status": "done" }));
    assert_eq!(data["filter"], "done");
    assert_eq!(data["stats"]["completed"], data["tasks"].as_array().unwrap().len());
    assert_eq!(data["stats"]["pending"], 0);
    let failure = client.failure("get_tasks", json!({ "status": "baked" }));
    assert!(failure.contains("`baked` is not a status"), "{failure}");
}

#[test]
fn a_long_list_comes_in_pages_and_without_what_is_not_wanted() {
    let project = Project::bakery();
    let mut client = Client::start(&project);
    let all = client.data("get_tasks", json!({}))["tasks"].as_array().unwrap().len();
    let arguments = json!({ "fields": "title, status", "limit": 2, "offset": 1 });
    let data = client.data("get_tasks", arguments);
    assert_eq!(
        data["page"],
        json!({ "offset": 1, "returned": 2, "matching": all, "nextOffset": 3 })
    );
    for task in data["tasks"].as_array().unwrap() {
        let names: Vec<&String> = task.as_object().unwrap().keys().collect();
        assert_eq!(names, ["id", "title", "status"]);
    }
    let last = client.data("get_tasks", json!({ "offset": 1000 }));
    assert_eq!(last["page"], json!({ "offset": all, "returned": 0, "matching": all }));
}

#[test]
fn a_task_is_what_its_file_says() {
    let project = Project::with_tasks(&json!([
        { "id": 1, "title": "a", "odd": 1.5, "subtasks": [
            { "id": 1, "title": "b", "status": "done" },
            { "id": 2, "title": "c", "status": "pending" },
        ]},
    ]));
    let mut client = Client::start(&project);
    assert_eq!(client.data("get_task", json!({ "id": "1" }))["odd"], 1.5);
    assert_eq!(client.data("get_task", json!({ "id": "1.2" }))["title"], "c");
    let several = client.data("get_task", json!({ "id": "1,1.1,9" }));
    assert_eq!(several.as_array().unwrap().len(), 2);
    let pending = client.data("get_task", json!({ "id": "1", "status": "pending" }));
    assert_eq!(pending["subtasks"].as_array().unwrap().len(), 1);

    let failure = client.failure("get_task", json!({ "id": "9" }));
    assert!(failure.contains("No tasks found for ID(s): 9"), "{failure}");
    assert!(failure.ends_with("\nCurrent Tag: master"), "{failure}");
    let failure = client.failure("get_task", json!({ "id": "bread" }));
    assert!(failure.contains("`bread` is not a task id"), "{failure}");
}

#[test]
fn the_next_task_is_a_subtask_of_what_is_in_progress() {
    let project = Project::with_tasks(&json!([
        { "id": 1, "title": "a", "status": "completed" },
        { "id": 2, "title": "b", "status": "in-progress", "priority": "high", "subtasks": [
            { "id": 1, "title": "c", "status": "done" },
            { "id": 2, "title": "d", "status": "pending", "dependencies": [1] },
        ]},
        { "id": 3, "title": "e", "status": "pending", "dependencies": [1] },
    ]));
    let mut client = Client::start(&project);
    let next = client.data("next_task", json!({}));
    assert_eq!(next["isSubtask"], true);
    assert_eq!(
        next["nextTask"],
        json!({
            "id": "2.2", "title": "d", "status": "pending", "priority": "high",
            "dependencies": ["2.1"], "parentId": 2,
        })
    );

    client.data("set_task_status", json!({ "id": "2.2,2", "status": "done" }));
    let next = client.data("next_task", json!({}));
    assert_eq!((&next["isSubtask"], &next["nextTask"]["id"]), (&json!(false), &json!(3)));

    client.data("set_task_status", json!({ "id": "3", "status": "done" }));
    assert_eq!(client.data("next_task", json!({}))["nextTask"], json!(null));
}

#[test]
fn a_status_is_set_up_to_the_first_task_that_does_not_exist() {
    let project = Project::bakery();
    let mut client = Client::start(&project);
    let data = client.data("set_task_status", json!({ "id": "1", "status": "review" }));
    assert_eq!(data["tasks"][0]["newStatus"], "review");
    assert_eq!(data["tasks"][0]["taskId"], "1");
    let failure = client.failure("set_task_status", json!({ "id": "1,99", "status": "blocked" }));
    assert!(failure.contains("there is no task 99"), "{failure}");
    assert!(failure.contains("1 was changed before that"), "{failure}");
    assert_eq!(client.data("get_task", json!({ "id": "1" }))["status"], "blocked");
    let (code, message) =
        client.refusal("set_task_status", json!({ "id": "1", "status": "baked" }));
    assert_eq!(code, -32602);
    assert!(message.contains("status: must be one of pending, done"), "{message}");
}

#[test]
fn another_tasks_file_can_be_named() {
    let project = Project::bakery();
    project.write("plans/b.json", r#"{"master": {"tasks": [{"id": 7, "title": "x"}]}}"#);
    let mut client = Client::start(&project);
    let next = client.data("next_task", json!({ "file": "plans/b.json" }));
    assert_eq!(next["nextTask"]["id"], 7);
    let failure = client.failure("next_task", json!({ "file": "plans/c.json" }));
    assert!(failure.contains("there is no tasks file"), "{failure}");
}
