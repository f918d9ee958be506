//! `show` of tasks, subtasks and what does not exist.

use serde_json::json;

use crate::project::Project;

#[test]
fn a_task_is_shown_with_its_subtasks() {
    insta::assert_snapshot!(Project::bakery().run_in_columns(80, &["show", "2"]).all());
}

#[test]
fn a_subtask_is_shown_like_a_task() {
    insta::assert_snapshot!(Project::bakery().run_in_columns(80, &["show", "2.2"]).all());
}

#[test]
fn json_is_what_the_file_says_down_to_the_spelling_of_numbers() {
    insta::assert_snapshot!(Project::bakery().run(&["show", "--id=2", "--json"]).out);
}

#[test]
fn json_of_a_subtask_says_what_was_asked_for() {
    let shown = Project::bakery().json(&["show", "2.2", "-f", "json"]);
    assert_eq!(shown["originalTaskId"], "2.2");
    assert_eq!(shown["task"]["id"], 2);
    assert_eq!(shown["task"]["title"], "Form for bakers");
}

#[test]
fn of_several_tasks_those_that_exist_are_shown() {
    let project = Project::bakery();
    let shown = project.json(&["show", "6,99,2.1", "--json"]);
    assert_eq!(shown["tasks"][1]["title"], "Table of breads");
    assert_eq!(shown["notFound"], json!(["99"]));
    let shown = project.json(&["show", "6,6", "--json"]);
    assert_eq!((&shown["tasks"][0]["id"], &shown["notFound"]), (&json!(6), &json!([])));
    let run = project.run(&["show", "6,99"]);
    assert_eq!(run.code, 0);
    assert!(run.out.contains("Fax orders") && run.out.contains("Task not found!"), "{}", run.out);
}

#[test]
fn a_task_that_does_not_exist_is_no_failure() {
    let project = Project::bakery();
    insta::assert_snapshot!(project.run(&["show", "99"]).all());
    let shown = project.json(&["show", "99", "--json"]);
    assert_eq!(shown, json!({ "task": null, "found": false, "storageType": "file" }));
}

#[test]
fn an_id_that_makes_no_sense_is_a_failure() {
    insta::assert_snapshot!(Project::bakery().run(&["show", "two"]).all());
    assert_eq!(Project::bakery().run(&["show"]).code, 1);
}

#[test]
fn subtasks_are_filtered_by_status() {
    let run = Project::bakery().run(&["show", "2", "--status=done"]);
    assert!(run.out.contains("Table of breads"), "{}", run.out);
    assert!(!run.out.contains("Form for bakers"), "{}", run.out);
}

#[test]
fn odd_fields_are_shown_as_well_as_they_can_be() {
    let project = Project::with_tasks(&json!([{
        "id": "1",
        "title": "Odd",
        "description": "d",
        "status": "pending",
        "priority": "low",
        "acceptanceCriteria": "just a text",
        "relevantFiles": [{ "path": "src/main.rs", "description": "starts", "action": "modify" }],
        "scopeBoundaries": { "included": ["this"], "excluded": "that" },
        "skills": ["rust", "bread"],
        "technicalConstraints": 7,
        "details": { "not": "a text" },
    }]));
    insta::assert_snapshot!(project.run_in_columns(80, &["show", "1"]).all());
}
