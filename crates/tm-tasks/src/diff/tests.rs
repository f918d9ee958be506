use serde_json::{Value, json};

use super::diff;
use crate::document::TaskFile;

#[track_caller]
fn check(before: &Value, after: &Value, expected: &Value) {
    let file = |it: &Value| TaskFile::parse(it.to_string()).unwrap();
    let found = diff(&file(before), &file(after));
    assert_eq!(&serde_json::to_value(found).unwrap(), expected);
}

fn tagged(tasks: &Value) -> Value {
    json!({ "master": { "tasks": tasks } })
}

#[test]
fn nothing_lies_between_a_file_and_itself_or_its_other_order() {
    let none = json!({ "tagsAdded": [], "tagsRemoved": [], "tasks": [] });
    let two = tagged(&json!([{ "id": 1, "title": "a" }, { "id": 2, "title": "b" }]));
    let turned = tagged(&json!([{ "id": 2, "title": "b" }, { "id": 1, "title": "a" }]));
    check(&two, &two, &none);
    check(&two, &turned, &none);
}

#[test]
fn tasks_and_subtasks_are_told_apart_field_by_field() {
    check(
        &tagged(&json!([
            { "id": 1, "title": "a", "status": "pending", "subtasks": [
                { "id": 1, "title": "a1", "status": "pending" }
            ] },
            { "id": 2, "title": "b" },
        ])),
        &tagged(&json!([
            { "id": 1, "title": "a", "subtasks": [
                { "id": 1, "title": "a1", "status": "done" }, { "id": 2, "title": "a2" }
            ] },
            { "id": 3, "title": "c" },
        ])),
        &json!({
            "tagsAdded": [],
            "tagsRemoved": [],
            "tasks": [
                { "tag": "master", "id": "1", "title": "a", "change": "changed", "fields": [
                    { "field": "status", "before": "pending", "after": null }
                ] },
                { "tag": "master", "id": "1.1", "title": "a1", "change": "changed", "fields": [
                    { "field": "status", "before": "pending", "after": "done" }
                ] },
                { "tag": "master", "id": "1.2", "title": "a2", "change": "added" },
                { "tag": "master", "id": "3", "title": "c", "change": "added" },
                { "tag": "master", "id": "2", "title": "b", "change": "removed" },
            ],
        }),
    );
}

#[test]
fn a_tag_comes_and_goes_with_its_tasks() {
    check(
        &json!({ "old": { "tasks": [{ "id": 1, "title": "a" }] } }),
        &json!({ "new": { "tasks": [] } }),
        &json!({
            "tagsAdded": ["new"],
            "tagsRemoved": ["old"],
            "tasks": [{ "tag": "old", "id": "1", "title": "a", "change": "removed" }],
        }),
    );
}

#[test]
fn tasks_of_the_same_id_are_told_apart_by_their_order() {
    check(
        &tagged(&json!([{ "id": 1, "title": "a" }, { "id": 1, "title": "b" }])),
        &tagged(&json!([{ "id": 1, "title": "a" }])),
        &json!({
            "tagsAdded": [],
            "tagsRemoved": [],
            "tasks": [{ "tag": "master", "id": "1", "title": "b", "change": "removed" }],
        }),
    );
}
