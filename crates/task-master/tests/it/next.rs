//! `next` when there is something to do, and when there is not.

use serde_json::json;

use crate::project::Project;

#[test]
fn a_subtask_of_what_is_in_progress_comes_first() {
    insta::assert_snapshot!(Project::bakery().run_in_columns(80, &["next"]).all());
}

#[test]
fn json_of_a_subtask_names_its_task() {
    insta::assert_snapshot!(Project::bakery().run(&["next", "-f", "json"]).out);
}

#[test]
fn json_of_a_task_is_what_list_says() {
    let next = Project::bakery().json(&["next", "-f", "json", "--tag", "festival"]);
    insta::assert_json_snapshot!(next, @r#"
    {
      "task": {
        "id": "1",
        "title": "Rent a stall",
        "description": "On the market square",
        "status": "pending",
        "priority": "high",
        "dependencies": [],
        "subtasks": []
      },
      "found": true,
      "tag": "festival",
      "storageType": "file",
      "hasAnyTasks": true
    }
    "#);
}

#[test]
fn nothing_to_do_is_no_failure() {
    let done = Project::with_tasks(&json!([{ "id": 1, "title": "Done", "status": "done" }]));
    insta::assert_snapshot!(done.run(&["next"]).all());
    assert_eq!(done.json(&["next", "-f", "json"])["hasAnyTasks"], true);
    let empty = Project::with_tasks(&json!([]));
    insta::assert_snapshot!(empty.run(&["next"]).all());
    assert_eq!(empty.json(&["next", "-f", "json"])["hasAnyTasks"], false);
}
