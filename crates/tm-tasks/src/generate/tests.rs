//! What the files say, and which of them go.

use serde_json::{Value, json};

use super::*;
use crate::document::TaskFile;

fn tag(name: &str, tasks: &Value) -> Tag {
    let file = TaskFile::parse(json!({ name: { "tasks": tasks } }).to_string()).unwrap();
    file.tag(name).unwrap().clone()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_task_is_told_with_its_subtasks() {
    let tag = tag(
        "master",
        &json!([
            { "id": 1, "status": "done" },
            { "id": 2, "status": "in-progress" },
            { "id": 3, "status": "blocked" },
            { "id": 4, "status": "cancelled" },
            { "id": 5, "status": "deferred" },
            { "id": 6, "status": "review" },
            { "id": 7, "title": "A | *b* <c>", "description": "What it is", "priority": "high",
              "dependencies": [1, 2, 3, 4, 5, 6, 99, "1.1"],
              "details": "One\n\n\n\nTwo\n```\ncode\n```", "testStrategy": " ",
              "subtasks": [
                { "id": 1, "title": "First", "description": "Do it", "details": "So" },
                { "id": 2, "title": "Second", "status": "done", "details": "",
                  "dependencies": [1, "3", "4.1"] },
              ] },
        ]),
    );
    insta::assert_snapshot!(render(&tag.tasks()[6], tag.tasks()));
}

#[test]
fn a_task_without_anything_still_has_all_headings() {
    let tag = tag("master", &json!([{ "id": 1 }]));
    insta::assert_snapshot!(render(&tag.tasks()[0], tag.tasks()));
}

#[test]
fn every_task_has_its_file_and_orphans_of_this_tag_go() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("made/on/the/way");
    fs::create_dir_all(&directory).unwrap();
    let others = ["task_009.txt", "task_009_v3.md", "task_v2.md", "task_x_v2.md", "notes.md"];
    for name in others.into_iter().chain(["task_001_v2.md", "task_009_v2.md", "task_1000_v2.md"]) {
        fs::write(directory.join(name), "old").unwrap();
    }
    let v2 = tag("v2", &json!([{ "id": 1 }, { "id": 12 }, { "id": "ABC-3" }]));
    let generated = generate(&v2, &directory).unwrap();
    assert_eq!((generated.count, generated.orphans_removed), (3, 2));
    let mut expected: Vec<&str> = others.to_vec();
    expected.extend(["task_001_v2.md", "task_012_v2.md", "task_ABC-3_v2.md"]);
    expected.sort_unstable();
    assert_eq!(names(&directory), expected);
    assert!(fs::read_to_string(directory.join("task_001_v2.md")).unwrap().starts_with("# Task"));
}

#[test]
fn the_files_of_master_carry_no_tag() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["task_007.md", "task_007_v2.md"] {
        fs::write(folder.path().join(name), "old").unwrap();
    }
    generate(&tag("master", &json!([{ "id": 1 }])), folder.path()).unwrap();
    assert_eq!(names(folder.path()), ["task_001.md", "task_007_v2.md"]);
}

#[test]
fn without_tasks_nothing_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("task_001.md"), "old").unwrap();
    assert_eq!(generate(&tag("master", &json!([])), folder.path()).unwrap().count, 0);
    assert_eq!(names(folder.path()), ["task_001.md"]);
}

#[test]
fn an_id_that_is_no_file_name_is_a_failure_of_that_task_only() {
    let folder = tempfile::tempdir().unwrap();
    let tasks = json!([{ "id": "../../x" }, { "id": 2 }, { "title": "no id" }]);
    let generated = generate(&tag("master", &tasks), folder.path()).unwrap();
    assert_eq!(generated.count, 1);
    let failed: Vec<String> = generated.failures.iter().map(|it| it.task.to_string()).collect();
    assert_eq!(failed, ["../../x", ""]);
    assert_eq!(names(folder.path()), ["task_002.md"]);
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = generate(&tag("master", &json!([{ "id": 1 }])), &file.join("x")).unwrap_err();
    assert!(error.to_string().ends_with("file/x cannot be written"), "{error}");
}
