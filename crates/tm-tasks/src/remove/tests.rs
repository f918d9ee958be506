//! Removing tasks and subtasks: what goes, and what goes with it.

use serde_json::{Value, json};

use super::*;

fn file() -> TaskFile {
    let text = json!({
        "master": { "tasks": [
            { "id": 1, "title": "One", "dependencies": [] },
            { "id": 2, "title": "Two", "dependencies": [1], "subtasks": [
                { "id": 1, "title": "First" },
                { "id": 2, "title": "Second", "dependencies": [1, "1"] },
            ] },
            { "id": 3, "title": "Three", "dependencies": ["1", "2.1", 2] },
        ] },
        "other": { "tasks": [{ "id": 1, "dependencies": [] }, { "id": 2, "dependencies": [1] }] },
    });
    TaskFile::parse(text.to_string()).unwrap()
}

fn ids(text: &str) -> Vec<TaskId> {
    TaskId::parse_list(text).unwrap()
}

/// The tasks of the tag with their dependencies, subtasks too.
fn plan(file: &TaskFile) -> Vec<String> {
    let tasks = file.tag("master").unwrap().tasks().iter();
    let all = tasks.flat_map(|it| std::iter::once(it).chain(it.subtasks()));
    all.map(|it| {
        let names: Vec<String> = it.dependencies().iter().map(ToString::to_string).collect();
        format!("{} <- {}", it.id(), names.join(" "))
    })
    .collect()
}

#[test]
fn a_task_goes_with_its_subtasks_and_with_what_named_it() {
    let mut file = file();
    let removal = remove_tasks(&mut file, "master", &ids("2,77")).unwrap();
    assert_eq!(plan(&file), ["1 <- ", "3 <- 1"]);
    assert_eq!(removal.missing, ids("77"));
    assert_eq!(removal.removed.len(), 1);
    let lost: Vec<_> = removal.lost.iter().map(|it| it.dependency.to_string()).collect();
    assert_eq!(lost, ["2.1", "2"]);
}

#[test]
fn a_number_in_a_subtask_is_its_sibling_and_stays_when_the_task_of_that_number_goes() {
    let mut file = file();
    remove_tasks(&mut file, "master", &ids("1")).unwrap();
    assert_eq!(plan(&file), ["2 <- ", "2.1 <- ", "2.2 <- 2.1", "3 <- 2.1 2"]);
}

#[test]
fn other_tags_are_left_alone() {
    let mut file = file();
    let before = file.tag("other").cloned();
    remove_tasks(&mut file, "master", &ids("1,2.1")).unwrap();
    assert_eq!(file.tag("other").cloned(), before);
}

#[test]
fn a_subtask_named_beside_its_task_goes_with_it() {
    let mut file = file();
    let removal = remove_tasks(&mut file, "master", &ids("2.1,2")).unwrap();
    assert_eq!(plan(&file), ["1 <- ", "3 <- 1"]);
    assert_eq!(removal.removed.first().unwrap().subtasks().len(), 2);
    assert_eq!(removal.missing, []);
}

#[test]
fn with_the_last_subtask_the_list_goes() {
    let mut file = file();
    remove_subtasks(&mut file, "master", &ids("2.1,2.2")).unwrap();
    let task = file.tag("master").unwrap().find(&TaskId::top(2)).unwrap();
    assert_eq!(task.raw("subtasks"), None);
    assert_eq!(plan(&file), ["1 <- ", "2 <- 1", "3 <- 1 2"]);
}

/// Removed as tasks are, as the original has it.
#[test]
fn with_the_last_subtask_an_empty_list_stays_where_tasks_are_removed() {
    let mut file = file();
    remove_tasks(&mut file, "master", &ids("2.1,2.2")).unwrap();
    let task = file.tag("master").unwrap().find(&TaskId::top(2)).unwrap();
    assert_eq!(task.raw("subtasks"), Some("[]"));
}

#[test]
fn of_subtasks_all_are_removed_or_none() {
    #[track_caller]
    fn check(text: &str, expected: &RemoveError) {
        let mut file = file();
        let before = file.clone();
        assert_eq!(remove_subtasks(&mut file, "master", &ids(text)).unwrap_err(), *expected);
        assert_eq!(file, before);
    }
    check("2.1,3", &RemoveError::NotASubtask { id: TaskId::top(3) });
    check("2.1,9.1", &RemoveError::NoTask { id: TaskId::top(9), tag: "master".to_owned() });
    check("2.1,3.1", &RemoveError::NoSubtask { id: TaskId::top(3).child(1) });
    let error = remove_subtasks(&mut file(), "later", &ids("2.1")).unwrap_err();
    assert_eq!(error, RemoveError::NoTag { tag: "later".to_owned() });
}

#[test]
fn subtasks_are_cleared_of_those_named_or_of_all() {
    let mut some = file();
    let removal = clear_subtasks(&mut some, "master", &Whose::These(ids("1,2,77"))).unwrap();
    assert_eq!(removal.missing, ids("77"));
    let cleared: Vec<TaskId> = removal.removed.iter().map(Task::id).collect();
    assert_eq!(cleared, ids("2"));
    assert_eq!(plan(&some), ["1 <- ", "2 <- 1", "3 <- 1 2"]);
    let written: Value = serde_json::from_str(&some.to_text()).unwrap();
    assert_eq!(written["master"]["tasks"][1]["subtasks"], json!([]));
    let mut all = file();
    clear_subtasks(&mut all, "master", &Whose::All).unwrap();
    assert_eq!(all, some);
}

#[test]
fn generated_files_go_with_their_tasks_of_the_same_tag() {
    let directory = tempfile::tempdir().unwrap();
    let names = ["task_002.md", "task_002.txt", "task_002_other.md", "task_003.md"];
    for name in names {
        fs::write(directory.path().join(name), "").unwrap();
    }
    let removed = remove_tasks(&mut file(), "master", &ids("2,1")).unwrap().removed;
    assert_eq!(delete_generated(directory.path(), "master", &removed).unwrap(), 2);
    let left = names.map(|it| directory.path().join(it).exists());
    assert_eq!(left, [false, false, true, true]);
    assert_eq!(delete_generated(directory.path(), "other", &removed).unwrap(), 1);
    let odd = TaskFile::parse(r#"{"master": {"tasks": [{"id": "../x"}]}}"#).unwrap();
    let odd = odd.tag("master").unwrap().tasks();
    assert_eq!(delete_generated(directory.path(), "master", odd).unwrap(), 0);
}
