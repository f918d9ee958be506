//! Adding, removing and mending, in lists of every spelling.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Tasks 1 to 4; task 2 has three subtasks.
fn plan() -> TaskFile {
    file(&json!([
        { "id": 1, "dependencies": [] },
        { "id": 2, "dependencies": [1], "subtasks": [
            { "id": 1 },
            { "id": 2, "dependencies": [1] },
            { "id": 3, "dependencies": [1, 2] },
        ] },
        { "id": 3, "dependencies": [1, 2] },
        { "id": 4 },
    ]))
}

fn file(tasks: &Value) -> TaskFile {
    TaskFile::parse(json!({ "master": { "tasks": tasks } }).to_string()).unwrap()
}

fn id(text: &str) -> TaskId {
    text.parse().unwrap()
}

/// The list of a task as the file spells it.
fn list(file: &TaskFile, task: &str) -> Value {
    let task = file.tag("master").unwrap().find(&id(task)).unwrap();
    serde_json::from_str(task.raw("dependencies").unwrap_or("null")).unwrap()
}

#[track_caller]
fn check_added(file: &mut TaskFile, task: &str, dependency: &str, expected: &Value) {
    let change = add_dependency(file, "master", &id(task), &id(dependency)).unwrap();
    assert!(change.has_changed);
    assert_eq!(list(file, task), *expected);
    let task = file.tag("master").unwrap().find(&id(task)).unwrap();
    assert!(task.dependencies().contains(&id(dependency)), "{:?}", task.dependencies());
}

#[test]
fn ids_are_spelled_as_the_file_spells_them_and_sorted() {
    let mut file = plan();
    check_added(&mut file, "4", "3", &json!([3]));
    check_added(&mut file, "4", "2.1", &json!([3, "2.1"]));
    check_added(&mut file, "4", "1", &json!([1, 3, "2.1"]));
}

#[test]
fn a_subtask_can_wait_for_siblings_for_tasks_and_for_subtasks_of_others() {
    let mut file = plan();
    check_added(&mut file, "2.2", "1", &json!([1, "1"]));
    check_added(&mut file, "2.1", "4", &json!(["4"]));
    file = plan();
    file.tag_mut("master").unwrap().change(&id("2.3"), |it| it.remove("dependencies"));
    check_added(&mut file, "2.3", "2.1", &json!(["2.1"]));
}

#[test]
fn files_whose_ids_are_texts_get_texts() {
    let mut file = file(&json!([
        { "id": "1" },
        { "id": "2", "subtasks": [{ "id": "1" }, { "id": "2", "dependencies": ["1"] }] },
        { "id": "3", "dependencies": ["2"] },
    ]));
    check_added(&mut file, "3", "1", &json!(["1", "2"]));
    check_added(&mut file, "2.2", "1", &json!([1, "1"]));
    let subtask = file.tag("master").unwrap().find(&id("2.2")).unwrap();
    assert_eq!(subtask.dependencies(), [id("1"), id("2.1")]);
}

#[test]
fn what_is_there_already_is_not_added_again() {
    let mut file = plan();
    let before = file.clone();
    for (task, dependency) in [("3", "1"), ("2.2", "2.1")] {
        let change = add_dependency(&mut file, "master", &id(task), &id(dependency)).unwrap();
        assert!(!change.has_changed);
    }
    assert_eq!(file, before);
}

#[test]
fn what_makes_no_sense_is_refused() {
    #[track_caller]
    fn check(task: &str, dependency: &str, expected: &str) {
        let mut file = plan();
        let error = add_dependency(&mut file, "master", &id(task), &id(dependency)).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(file, plan());
    }
    check("4", "77", "there is no task 77 in tag `master`");
    check("77", "4", "there is no task 77 in tag `master`");
    check("2.9", "4", "there is no task 2.9 in tag `master`");
    check("4", "4", "task 4 cannot wait for itself");
    check("2.2", "2.2", "task 2.2 cannot wait for itself");
    check("2.2", "2", "subtask 2.2 cannot wait for the task that it is a part of");
    check("1", "2", "task 1 cannot wait for 2, which waits for it: 2 → 1");
    check("1", "3", "task 1 cannot wait for 3, which waits for it: 3 → 1");
    check("2.1", "2.3", "task 2.1 cannot wait for 2.3, which waits for it: 2.3 → 2.1");
    let error = add_dependency(&mut plan(), "v2", &id("1"), &id("4")).unwrap_err();
    assert_eq!(error.to_string(), "there is no tag `v2`");
}

#[test]
fn a_dependency_is_removed_however_it_is_spelled() {
    #[track_caller]
    fn check(task: &str, dependency: &str, removed: Option<&str>, expected: &Value) {
        let mut file = file(&json!([
            { "id": 1, "dependencies": ["2", 3, 99, "2.1"] },
            { "id": 2, "subtasks": [{ "id": 1 }, { "id": 2, "dependencies": [1, "3", "1.1"] }] },
            { "id": 3 },
        ]));
        let change = remove_dependency(&mut file, "master", &id(task), &id(dependency)).unwrap();
        let found = change.has_changed.then(|| change.dependency.to_string());
        assert_eq!(found.as_deref(), removed);
        assert_eq!(list(&file, task), *expected);
    }
    check("1", "2", Some("2"), &json!([3, 99, "2.1"]));
    check("1", "99", Some("99"), &json!(["2", 3, "2.1"]));
    check("1", "2.1", Some("2.1"), &json!(["2", 3, 99]));
    check("1", "4", None, &json!(["2", 3, 99, "2.1"]));
    check("2.2", "2.1", Some("2.1"), &json!(["3", "1.1"]));
    // There is no such task in the list, but a sibling that is written like this.
    check("2.2", "1", Some("2.1"), &json!(["3", "1.1"]));
    check("2.2", "2", None, &json!([1, "3", "1.1"]));
    check("2.2", "3", Some("3"), &json!([1, "1.1"]));
    let error = remove_dependency(&mut plan(), "master", &id("9"), &id("1")).unwrap_err();
    assert_eq!(error.to_string(), "there is no task 9 in tag `master`");
}

#[test]
fn every_kind_of_fault_is_found_and_mended() {
    let mut file = file(&json!([
        { "id": 1, "dependencies": [2, "2", 1] },
        { "id": 2, "dependencies": [99, 1, null, "2.1"], "subtasks": [
            { "id": 1, "dependencies": [1, 9, "2", "3"] },
            { "id": 2, "dependencies": ["2.1", 1] },
        ] },
        { "id": 3, "dependencies": [] },
    ]));
    let issues = validate(file.tag("master").unwrap().tasks());
    let told: Vec<String> =
        issues.iter().map(|it| format!("{}: {} {}", it.task, it.dependency, it.problem)).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    1: 2 closes a circle
    1: 2 is there twice
    1: 1 is the task itself
    2: 99 does not exist
    2: null is not an id
    2.1: 2.1 is the task itself
    2.1: 2.9 does not exist
    2.1: 2 is the task that it is a part of
    2.2: 2.1 is there twice
    ");
    assert_eq!(fix(&mut file, "master").unwrap(), issues);
    assert_eq!(list(&file, "1"), json!([]));
    assert_eq!(list(&file, "2"), json!([1, "2.1"]));
    assert_eq!(list(&file, "2.1"), json!(["3"]));
    assert_eq!(list(&file, "2.2"), json!(["2.1"]));
}

#[test]
fn a_sound_plan_is_left_alone() {
    let mut file = plan();
    assert_eq!(fix(&mut file, "master").unwrap(), []);
    assert_eq!(file, plan());
    assert!(matches!(fix(&mut file, "v2"), Err(DependencyError::NoTag { .. })));
}

/// Ids of tasks and subtasks, of which some exist, spelled in every way.
fn reference() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => (0_u64..6).prop_map(|it| json!(it)),
        2 => (0_u64..6).prop_map(|it| json!(it.to_string())),
        4 => (0_u64..6, 0_u64..4).prop_map(|(task, subtask)| json!(format!("{task}.{subtask}"))),
        1 => Just(json!(null)),
    ]
}

fn task(depth: u32) -> BoxedStrategy<Value> {
    let subtasks = match depth {
        0 => Just(Vec::new()).boxed(),
        depth => prop::collection::vec(task(depth - 1), 0..4).boxed(),
    };
    // Ids repeat, and some are texts.
    (0_u64..6, any::<bool>(), prop::collection::vec(reference(), 0..5), subtasks)
        .prop_map(|(id, is_text, dependencies, subtasks)| {
            let id = if is_text { json!(id.to_string()) } else { json!(id) };
            json!({ "id": id, "dependencies": dependencies, "subtasks": subtasks })
        })
        .boxed()
}

/// Whether one can do all tasks one after the other: an independent look at the same thing.
fn has_order(tasks: &[Task]) -> bool {
    let all: Vec<&Task> = tasks.iter().flat_map(|it| iter::once(it).chain(it.subtasks())).collect();
    let mut waiting: HashSet<(TaskId, TaskId)> = all
        .iter()
        .flat_map(|it| it.dependencies().iter().map(|to| (it.id(), to.clone())))
        .collect();
    loop {
        let blocked: HashSet<TaskId> = waiting.iter().map(|it| it.0.clone()).collect();
        let before = waiting.len();
        waiting.retain(|it| blocked.contains(&it.1));
        if waiting.len() == before {
            return waiting.is_empty();
        }
    }
}

proptest! {
    #[test]
    fn whatever_a_file_says_mending_leaves_a_sound_plan_and_no_work_for_a_second_time(
        tasks in prop::collection::vec(task(1), 0..8),
    ) {
        let mut file = file(&json!(tasks));
        let issues = fix(&mut file, "master").unwrap();
        let mended = file.clone();
        let tasks = mended.tag("master").unwrap().tasks();
        prop_assert_eq!(validate(tasks), vec![]);
        prop_assert!(has_order(tasks), "after {:?}", issues);
        prop_assert_eq!(Graph::new(tasks).missing(), vec![]);
        prop_assert_eq!(fix(&mut file, "master").unwrap(), vec![]);
        prop_assert_eq!(file, mended);
    }

    #[test]
    fn a_sound_plan_stays_sound_whatever_is_added(
        wishes in prop::collection::vec((reference(), reference()), 0..40),
    ) {
        let mut file = plan();
        for (task, dependency) in &wishes {
            let id = |it: &Value| TaskId::from_reference(&it.to_string(), None);
            let (Some(task), Some(dependency)) = (id(task), id(dependency)) else { continue };
            add_dependency(&mut file, "master", &task, &dependency).ok();
        }
        prop_assert_eq!(validate(file.tag("master").unwrap().tasks()), vec![]);
    }
}
