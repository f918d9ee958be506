//! What becomes of dependencies whose task is gone or is called otherwise.

use serde_json::{Value, json};

use super::*;
use crate::document::TaskFile;

fn check(tasks: &Value, successor: impl Fn(&TaskId) -> Option<TaskId>, expected: &Value) {
    let text = json!({ "master": { "tasks": tasks } }).to_string();
    let mut file = TaskFile::parse(&text).unwrap();
    rewrite(file.tag_mut("master").unwrap(), successor);
    let written: Value = serde_json::from_str(&file.to_text()).unwrap();
    assert_eq!(written["master"]["tasks"], *expected);
}

fn id(text: &str) -> TaskId {
    text.parse().unwrap()
}

fn renamed(from: &'static str, to: &'static str) -> impl Fn(&TaskId) -> Option<TaskId> {
    move |it| Some(if *it == id(from) { id(to) } else { it.clone() })
}

#[test]
fn a_new_id_is_spelled_as_the_tag_spells_ids() {
    check(
        &json!([{ "id": 1, "dependencies": [2, "2", "3.1"] }]),
        renamed("2", "9"),
        &json!([{ "id": 1, "dependencies": [9, "3.1"] }]),
    );
    check(
        &json!([{ "id": "1", "dependencies": ["2"] }]),
        renamed("2", "9"),
        &json!([{ "id": "1", "dependencies": ["9"] }]),
    );
    check(
        &json!([{ "id": 1, "dependencies": [2] }]),
        renamed("2", "3.4"),
        &json!([{ "id": 1, "dependencies": ["3.4"] }]),
    );
}

#[test]
fn within_a_subtask_a_task_is_told_from_a_sibling() {
    check(
        &json!([{ "id": 1, "subtasks": [{ "id": 1 }, { "id": 2, "dependencies": [1, "5"] }] }]),
        renamed("1.1", "9"),
        &json!([{ "id": 1, "subtasks": [{ "id": 1 }, { "id": 2, "dependencies": ["9", "5"] }] }]),
    );
}

#[test]
fn what_is_named_twice_afterwards_is_named_once() {
    check(
        &json!([{ "id": 1, "dependencies": [2, 3] }]),
        renamed("2", "3"),
        &json!([{ "id": 1, "dependencies": [3] }]),
    );
}

#[test]
fn nothing_comes_to_wait_for_itself_or_for_a_part_of_itself() {
    check(
        &json!([{ "id": 1, "dependencies": [2, 4] }]),
        renamed("2", "1"),
        &json!([{ "id": 1, "dependencies": [4] }]),
    );
    check(
        &json!([{ "id": 1, "dependencies": [2, 4] }]),
        renamed("2", "1.1"),
        &json!([{ "id": 1, "dependencies": [4] }]),
    );
}

#[test]
fn what_is_gone_is_dropped_and_told() {
    let tasks = json!([
        { "id": 1, "dependencies": [2, 3, null] },
        { "id": 4, "subtasks": [{ "id": 1, "dependencies": ["2"] }] },
    ]);
    let text = json!({ "master": { "tasks": tasks } }).to_string();
    let mut file = TaskFile::parse(&text).unwrap();
    let lost = drop_references(file.tag_mut("master").unwrap(), |it| *it == id("2"));
    let link = |task, dependency| LostLink { task: id(task), dependency: id(dependency) };
    assert_eq!(lost, [link("1", "2"), link("4.1", "2")]);
    let written: Value = serde_json::from_str(&file.to_text()).unwrap();
    assert_eq!(written["master"]["tasks"][0]["dependencies"], json!([3, null]));
    assert_eq!(written["master"]["tasks"][1]["subtasks"][0]["dependencies"], json!([]));
}
