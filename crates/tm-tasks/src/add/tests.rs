//! Adding tasks.

use serde_json::{Value, json};

use super::*;

fn file(text: &Value) -> TaskFile {
    TaskFile::parse(text.to_string()).unwrap()
}

fn draft(dependencies: &[&str]) -> TaskDraft {
    TaskDraft {
        title: "Oven".to_owned(),
        description: "Preheat it".to_owned(),
        details: String::new(),
        test_strategy: String::new(),
        priority: Priority::High,
        dependencies: dependencies.iter().map(|it| it.parse().unwrap()).collect(),
    }
}

fn added(file: &mut TaskFile, tag: &str, dependencies: &[&str]) -> (Value, AddedTask) {
    let added = add_task(file, tag, &draft(dependencies)).unwrap();
    (serde_json::from_str(&added.task.to_json()).unwrap(), added)
}

#[test]
fn a_task_gets_the_next_number_and_every_field() {
    let mut file = file(&json!({ "master": { "tasks": [{ "id": 4 }, { "id": 2 }] } }));
    let (task, _) = added(&mut file, "master", &["2"]);
    let expected = json!({
        "id": 5,
        "title": "Oven",
        "description": "Preheat it",
        "details": "",
        "testStrategy": "",
        "status": "pending",
        "dependencies": [2],
        "priority": "high",
        "subtasks": [],
    });
    assert_eq!(task.to_string(), expected.to_string());
    assert_eq!(file.tag("master").unwrap().tasks().len(), 3);
}

#[test]
fn ids_are_spelled_as_the_tag_spells_them() {
    let mut file = file(&json!({
        "numbers": { "tasks": [{ "id": 1, "subtasks": [{ "id": 1 }] }] },
        "texts": { "tasks": [{ "id": "1" }] },
        "none": { "tasks": [] },
    }));
    let (task, _) = added(&mut file, "numbers", &["1", "1.1"]);
    assert_eq!((&task["id"], &task["dependencies"]), (&json!(2), &json!([1, "1.1"])));
    let (task, _) = added(&mut file, "texts", &["1"]);
    assert_eq!((&task["id"], &task["dependencies"]), (&json!("2"), &json!(["1"])));
    let (task, _) = added(&mut file, "none", &[]);
    assert_eq!(task["id"], 1);
}

#[test]
fn dependencies_on_nothing_are_left_out_and_told() {
    let mut file = file(&json!({
        "master": { "tasks": [{ "id": 1 }] },
        "other": { "tasks": [{ "id": 1 }, { "id": 2 }] },
    }));
    let (task, added) = added(&mut file, "master", &["1", "2", "9", "1.4"]);
    assert_eq!(task["dependencies"], json!([1, 2]));
    assert_eq!(added.missing, [TaskId::top(9), TaskId::top(1).child(4)]);
    assert_eq!(added.elsewhere, [TaskId::top(2)]);
}

#[test]
fn what_is_not_said_or_has_no_place_is_an_error() {
    let mut file = file(&json!({ "master": { "tasks": [] } }));
    let before = file.clone();
    let error = add_task(&mut file, "later", &draft(&[])).unwrap_err();
    assert_eq!(error, AddTaskError::NoTag { tag: "later".to_owned() });
    let nameless = TaskDraft { title: " ".to_owned(), ..draft(&[]) };
    let error = add_task(&mut file, "master", &nameless).unwrap_err();
    assert_eq!(error, AddTaskError::Empty { field: "title" });
    let vague = TaskDraft { description: String::new(), ..draft(&[]) };
    let error = add_task(&mut file, "master", &vague).unwrap_err();
    assert_eq!(error, AddTaskError::Empty { field: "description" });
    assert_eq!(file, before);
}
