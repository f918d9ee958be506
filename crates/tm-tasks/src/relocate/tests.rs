//! Moving: who is where afterwards, and who names whom.

use serde_json::{Value, json};

use super::*;
use crate::timestamp::Timestamp;

mod across;
mod properties;

/// Tasks 1 to 4; task 2 has three subtasks, task 4 has one.
fn file() -> TaskFile {
    let text = json!({
        "master": { "tasks": [
            { "id": 1, "priority": "low", "dependencies": [] },
            { "id": 2, "priority": "high", "dependencies": [1], "subtasks": [
                { "id": 1, "dependencies": [], "parentTaskId": 2 },
                { "id": 2, "dependencies": [1] },
                { "id": 3, "dependencies": [1, 2, "4"] },
            ] },
            { "id": 3, "priority": "low", "dependencies": [2, "2.2", "1"] },
            { "id": 4, "subtasks": [{ "id": 1, "dependencies": ["2.1"] }] },
        ] },
        "other": { "tasks": [{ "id": 1 }, { "id": 2, "dependencies": [1] }] },
    });
    TaskFile::parse(text.to_string()).unwrap()
}

fn id(text: &str) -> TaskId {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    "2030-01-01T12:00:00Z".parse().unwrap()
}

/// Who is there and waits for whom, in the order of the file.
fn plan(file: &TaskFile) -> String {
    let tasks = file.tag("master").unwrap().tasks().iter();
    let all = tasks.flat_map(|it| std::iter::once(it).chain(it.subtasks()));
    let lines = all.map(|it| {
        let names: Vec<String> = it.dependencies().iter().map(ToString::to_string).collect();
        format!("{}({})", it.id(), names.join(" "))
    });
    lines.collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn check(from: &str, to: &str, expected: &str) -> (TaskFile, Moved) {
    let mut file = file();
    let moved = move_task(&mut file, "master", &id(from), &id(to)).unwrap();
    assert_eq!(plan(&file), expected);
    assert_eq!(file.tag("other"), super::tests::file().tag("other"));
    (file, moved)
}

fn task(file: &TaskFile, name: &str) -> Value {
    let task = file.tag("master").unwrap().find(&id(name)).unwrap();
    serde_json::from_str(&task.to_json()).unwrap()
}

#[test]
fn a_task_gets_another_id_and_everybody_follows() {
    let (file, _) =
        check("2", "9", "1() 3(9 9.2 1) 4() 4.1(9.1) 9(1) 9.1() 9.2(9.1) 9.3(9.1 9.2 4)");
    assert_eq!(task(&file, "3")["dependencies"], json!([9, "9.2", "1"]));
    assert_eq!(task(&file, "9.1")["parentTaskId"], 9);
    assert_eq!(task(&file, "9.3")["dependencies"], json!([1, 2, "4"]));
}

#[test]
fn a_subtask_among_its_siblings_is_only_put_in_order() {
    let (_, moved) =
        check("2.1", "2.2", "1() 2(1) 2.2(2.1) 2.1() 2.3(2.1 2.2 4) 3(2 2.2 1) 4() 4.1(2.1)");
    assert_eq!(moved.to, id("2.1"));
    check("2.2", "2.2", &plan(&self::file()));
    check("2.1", "2.7", "1() 2(1) 2.2(2.7) 2.3(2.7 2.2 4) 2.7() 3(2 2.2 1) 4() 4.1(2.7)");
}

#[test]
fn a_subtask_moves_to_another_task() {
    let (file, _) =
        check("2.1", "3.1", "1() 2(1) 2.2(3.1) 2.3(3.1 2.2 4) 3(2 2.2 1) 3.1() 4() 4.1(3.1)");
    assert_eq!(task(&file, "3.1")["parentTaskId"], 3);
    assert_eq!(task(&file, "2.2")["dependencies"], json!(["3.1"]));
}

#[test]
fn where_the_destination_is_taken_it_comes_right_after_with_a_free_id() {
    let (file, moved) =
        check("4.1", "2.1", "1() 2(1) 2.1() 2.4(2.1) 2.2(2.1) 2.3(2.1 2.2 4) 3(2 2.2 1) 4()");
    assert_eq!(moved.to, id("2.4"));
    assert_eq!(task(&file, "4")["subtasks"], json!([]));
}

#[test]
fn a_subtask_becomes_a_task() {
    let (file, _) = check("2.2", "7", "1() 2(1) 2.1() 2.3(2.1 7 4) 3(2 7 1) 4() 4.1(2.1) 7(2.1)");
    assert_eq!(task(&file, "7")["priority"], "medium");
    assert_eq!(task(&file, "7")["testStrategy"], "");
    assert_eq!(task(&file, "7")["dependencies"], json!(["2.1"]));
    assert_eq!(task(&file, "2.3")["dependencies"], json!([1, "7", "4"]));
    let (file, _) = check("2.1", "7", "1() 2(1) 2.2(7) 2.3(7 2.2 4) 3(2 2.2 1) 4() 4.1(7) 7()");
    assert_eq!(task(&file, "7").get("parentTaskId"), None);
}

#[test]
fn a_task_becomes_a_subtask_without_priority_and_subtasks() {
    let (file, moved) =
        check("4", "3.1", "1() 2(1) 2.1() 2.2(2.1) 2.3(2.1 2.2 3.1) 3(2 2.2 1) 3.1()");
    assert_eq!(moved.lost_subtasks.len(), 1);
    assert_eq!(task(&file, "3.1").get("subtasks"), None);
    // What waits for the whole need not wait for the part, and the other way round.
    let (file, _) =
        check("1", "2.4", "2() 2.1() 2.2(2.1) 2.3(2.1 2.2 4) 2.4() 3(2 2.2 2.4) 4() 4.1(2.1)");
    assert_eq!(task(&file, "2.4").get("priority"), None);
    check("2", "1.1", "1() 1.1() 3(1.1 1) 4() 4.1()");
}

#[test]
fn ids_that_are_texts_stay_texts() {
    let text = json!({ "master": { "tasks": [
        { "id": "1", "dependencies": ["2"] },
        { "id": "2", "subtasks": [{ "id": "2.1" }, { "id": "2.2", "dependencies": ["2.1"] }] },
        { "id": "3", "subtasks": [{ "id": "1" }, { "id": "2", "dependencies": ["1"] }] },
    ] } });
    let mut file = TaskFile::parse(text.to_string()).unwrap();
    move_task(&mut file, "master", &id("2"), &id("5")).unwrap();
    move_task(&mut file, "master", &id("5.1"), &id("3.1")).unwrap();
    move_task(&mut file, "master", &id("5.2"), &id("6")).unwrap();
    let written: Value = serde_json::from_str(&file.to_text()).unwrap();
    assert_eq!(
        written["master"]["tasks"],
        json!([
            { "id": "1", "dependencies": ["5"] },
            { "id": "3", "subtasks": [
                { "id": "1" }, { "id": "3" }, { "id": "2", "dependencies": ["1"] },
            ] },
            { "id": "5", "subtasks": [] },
            { "id": "6", "dependencies": ["3.3"], "priority": "medium", "description": "",
              "details": "", "testStrategy": "", "subtasks": [] },
        ])
    );
}

#[test]
fn what_cannot_be_moved_is_an_error_with_a_code() {
    #[track_caller]
    fn check(from: &str, to: &str, code: &str) {
        let mut file = file();
        let error = move_task(&mut file, "master", &id(from), &id(to)).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(file, super::tests::file());
    }
    check("77", "80", "TASK_NOT_FOUND");
    check("77.1", "80", "PARENT_TASK_NOT_FOUND");
    check("3.1", "80", "PARENT_TASK_NO_SUBTASKS");
    check("2.9", "80", "SUBTASK_NOT_FOUND");
    check("2", "77.1", "DESTINATION_TASK_NOT_FOUND");
    check("2", "3", "TASK_ALREADY_EXISTS");
    check("2", "2", "TASK_ALREADY_EXISTS");
    check("2.1", "3", "TASK_ALREADY_EXISTS");
    check("2", "2.4", "CANNOT_MOVE_INTO_ITSELF");
    let error = move_task(&mut file(), "later", &id("1"), &id("9")).unwrap_err();
    assert_eq!(error.code(), "INVALID_SOURCE_TAG");
}

#[test]
fn a_task_becomes_the_last_subtask_and_keeps_what_it_has() {
    let mut file = file();
    let moved = make_subtask(&mut file, "master", &id("3"), &id("2")).unwrap();
    assert_eq!(moved.to, id("2.4"));
    let subtask = task(&file, "2.4");
    assert_eq!((&subtask["priority"], &subtask["parentTaskId"]), (&json!("low"), &json!(2)));
    assert_eq!(subtask["dependencies"], json!(["2.2", "1"]));
    let mut nested = super::tests::file();
    let moved = make_subtask(&mut nested, "master", &id("4"), &id("1")).unwrap();
    assert_eq!(moved.to, id("1.1"));
    assert_eq!(task(&nested, "2.3")["dependencies"], json!([1, 2, "1.1"]));
}

#[test]
fn what_a_task_waits_for_cannot_become_a_part_of_it() {
    #[track_caller]
    fn check(task: &str, parent: &str, expected: &str) {
        let mut file = file();
        let error = make_subtask(&mut file, "master", &id(task), &id(parent)).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(file, super::tests::file());
    }
    check("1", "3", "task 3 waits for task 1, so that cannot become a part of it");
    check("1", "1", "task 1 cannot become a subtask of itself");
    check("2.1", "1", "2.1 is a subtask already");
    check("77", "1", "there is no task 77 in tag `master`");
    check("1", "77", "there is no task 77 in tag `master`");
    let error = make_subtask(&mut file(), "later", &id("1"), &id("2")).unwrap_err();
    assert_eq!(error, ConvertError::NoTag { tag: "later".to_owned() });
}

#[test]
fn subtasks_become_tasks_that_wait_for_the_task_they_were_a_part_of() {
    let mut file = file();
    let moved = make_tasks(&mut file, "master", &[id("2.3"), id("4.1")]).unwrap();
    assert_eq!(moved.iter().map(|it| it.to.clone()).collect::<Vec<_>>(), [id("5"), id("6")]);
    assert_eq!(plan(&file), "1() 2(1) 2.1() 2.2(2.1) 3(2 2.2 1) 4() 5(2.1 2.2 4 2) 6(2.1 4)");
    assert_eq!(task(&file, "5")["priority"], "high");
    assert_eq!(task(&file, "4").get("subtasks"), None);
    // The original writes no list either.
    assert_eq!(task(&file, "5").get("subtasks"), None);
}

#[test]
fn a_subtask_that_its_siblings_wait_for_becomes_a_task_that_waits_for_nothing_new() {
    let mut file = file();
    make_tasks(&mut file, "master", &[id("2.1")]).unwrap();
    assert_eq!(plan(&file), "1() 2(1) 2.2(5) 2.3(5 2.2 4) 3(2 2.2 1) 4() 4.1(5) 5()");
}

#[test]
fn of_several_moves_those_that_can_be_made_are_made() {
    let ids = |text| TaskId::parse_list(text).unwrap();
    let mut file = file();
    let results = move_tasks(&mut file, "master", &ids("1,77,4"), &ids("8,78,9")).unwrap();
    let made: Vec<bool> = results.iter().map(|it| it.2.is_ok()).collect();
    assert_eq!(made, [true, false, true]);
    let error = move_tasks(&mut file, "master", &ids("77,78"), &ids("8,9")).unwrap_err();
    assert_eq!(error.code(), "TASK_NOT_FOUND");
    let error = move_tasks(&mut file, "master", &ids("2,3"), &ids("10")).unwrap_err();
    assert_eq!(error.code(), "ID_COUNT_MISMATCH");
}
