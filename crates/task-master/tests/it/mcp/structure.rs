//! `add_subtask`, `remove_task`, `remove_subtask`, `clear_subtasks` and `move_task`.

use serde_json::{Value, json};

use super::client::Client;
use crate::project::Project;

fn plan() -> Project {
    let task = |id: u64, dependencies: Value, subtasks: Value| {
        json!({
            "id": id, "title": format!("t{id}"), "description": "d", "status": "pending",
            "priority": "high", "dependencies": dependencies, "subtasks": subtasks,
        })
    };
    let subtasks = json!([
        { "id": 1, "title": "s1", "status": "pending", "dependencies": [] },
        { "id": 2, "title": "s2", "status": "pending", "dependencies": [1] },
    ]);
    let tasks = json!([
        task(1, json!([]), subtasks),
        task(2, json!([1]), json!([])),
        task(3, json!([2]), json!([]))
    ]);
    Project::with_tasks(&tasks)
}

#[test]
fn a_subtask_is_added_and_removed() {
    let project = plan();
    let mut client = Client::start(&project);
    let data = client.data("add_subtask", json!({ "id": "2", "title": "Knead" }));
    assert_eq!((&data["subtask"]["id"], &data["subtask"]["parentTaskId"]), (&json!(1), &json!(2)));
    assert_eq!(data["message"], "New subtask 2.1 successfully created");

    let data = client.data("add_subtask", json!({ "id": "1", "taskId": "3" }));
    assert_eq!(data["subtask"]["title"], "t3");

    let data = client.data("remove_subtask", json!({ "id": "2.1" }));
    assert!(data["task"].is_null(), "{data}");
    let data = client.data("remove_subtask", json!({ "id": "1.2", "convert": true }));
    assert_eq!((&data["task"]["title"], &data["task"]["priority"]), (&json!("s2"), &json!("high")));

    for (tool, arguments, expected) in [
        ("add_subtask", json!({ "id": "9", "title": "x" }), "there is no task 9"),
        ("add_subtask", json!({ "id": "1" }), "nothing says what the subtask is"),
        ("add_subtask", json!({ "id": "1", "title": "x", "status": "baked" }), "not a status"),
        ("remove_subtask", json!({ "id": "1" }), "is a task"),
        ("remove_subtask", json!({ "id": "1.9" }), "has no subtask"),
    ] {
        let failure = client.failure(tool, arguments);
        assert!(failure.contains(expected), "{failure}");
    }
}

#[test]
fn tasks_are_removed_all_or_none() {
    let project = plan();
    let before = project.tasks();
    let mut client = Client::start(&project);
    let failure = client.failure("remove_task", json!({ "id": "3,9" }));
    assert!(failure.contains("there is no task 9"), "{failure}");
    assert_eq!(project.tasks(), before);

    let data = client.data("remove_task", json!({ "id": "2,1.1" }));
    assert_eq!(
        (&data["totalTasks"], &data["successful"], &data["failed"]),
        (&json!(2), &json!(2), &json!(0))
    );
    assert_eq!(data["removedTasks"][0]["title"], "t2");
    assert_eq!(data["removedTasks"][1]["parentTaskId"], 1);
    assert_eq!(client.data("get_task", json!({ "id": "3" }))["dependencies"], json!([]));
}

#[test]
fn subtasks_are_cleared() {
    let project = plan();
    let mut client = Client::start(&project);
    let failure = client.failure("clear_subtasks", json!({}));
    assert!(failure.contains("no task is named"), "{failure}");
    let failure = client.failure("clear_subtasks", json!({ "id": "9" }));
    assert!(failure.contains("there is no task 9"), "{failure}");
    let data = client.data("clear_subtasks", json!({ "id": "1" }));
    assert_eq!(data["tasksCleared"], json!([{ "id": 1, "title": "t1" }]));
    // Whoever was asked for, with subtasks or without, as the original tells it.
    let data = client.data("clear_subtasks", json!({ "all": true }));
    let ids: Vec<&Value> =
        data["tasksCleared"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert_eq!(ids, [1, 2, 3]);
    let data = client.data("clear_subtasks", json!({ "id": "2,9" }));
    assert_eq!(data["message"], "Successfully cleared subtasks from 1 task(s) in tag 'master'");
}

#[test]
fn tasks_are_moved_to_ids_and_to_tags() {
    let project = plan();
    let mut client = Client::start(&project);
    let data = client.data("move_task", json!({ "from": "3", "to": "7" }));
    assert_eq!(data["movedItem"]["id"], 7);
    let data = client.data("move_task", json!({ "from": "7,2", "to": "8,9" }));
    assert_eq!(data["moves"].as_array().unwrap().len(), 2);
    assert_eq!(data["moves"][1]["message"], "Moved task 2 to new ID 9");
    assert_eq!(data["message"], "Successfully moved task/subtask 7,2 to 8,9");
    let data = client.data("move_task", json!({ "from": "8,9", "to": "7" }));
    assert_eq!(data["message"], "Successfully moved 1 tasks");
    assert_eq!(data["moves"][0]["message"], "Successfully moved task/subtask 8 to 7");
    client.data("move_task", json!({ "from": "7", "to": "8" }));
    let failure = client.failure("move_task", json!({ "from": "9,77", "to": "2,78" }));
    assert!(failure.contains("77 stays where it is"), "{failure}");
    assert!(failure.contains("Moved task 9 to new ID 2"), "{failure}");
    client.data("move_task", json!({ "from": "2", "to": "9" }));
    let failure = client.failure("move_task", json!({ "from": "8", "to": "9" }));
    assert!(failure.contains("has a task 9 already"), "{failure}");
    let failure = client.failure("move_task", json!({ "from": "8" }));
    assert!(failure.contains("nothing says where"), "{failure}");

    let failure = client.failure("move_task", json!({ "from": "8", "toTag": "later" }));
    assert!(failure.contains("parted from what they depend on"), "{failure}");
    let arguments = json!({ "from": "8", "toTag": "later", "ignoreDependencies": true });
    let data = client.data("move_task", arguments);
    assert_eq!((&data["sourceTag"], &data["targetTag"]), (&json!("master"), &json!("later")));
    assert_eq!(data["movedTasks"][0]["id"], "8");
    let moved = client.data("get_task", json!({ "id": "8", "tag": "later" }));
    assert_eq!(moved["dependencies"], json!([]));
}
