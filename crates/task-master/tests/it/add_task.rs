//! `add-task` in the user's own words: what is added, and what is not.

use serde_json::{Value, json};

use crate::project::Project;

fn last_task(project: &Project) -> Value {
    let tasks: Value = serde_json::from_str(&project.tasks()).unwrap();
    tasks["master"]["tasks"].as_array().unwrap().last().unwrap().clone()
}

#[test]
fn a_task_in_the_users_own_words_is_added_at_the_end() {
    let project = Project::bakery();
    let run = project.run(&[
        "add-task",
        "--title=Delivery",
        "-d",
        "Bring bread to the door",
        "--details=By bicycle",
        "--dependencies=1,3",
        "--priority=HIGH",
    ]);
    assert_eq!(run.code, 0, "{}", run.all());
    let task = last_task(&project);
    let id = task["id"].as_u64().unwrap();
    assert!(run.out.contains(&format!("✓ Task {id}: Delivery")), "{}", run.out);
    assert_eq!(
        task,
        json!({
            "id": id,
            "title": "Delivery",
            "description": "Bring bread to the door",
            "details": "By bicycle",
            "testStrategy": "",
            "status": "pending",
            "dependencies": [1, 3],
            "priority": "high",
            "subtasks": [],
        })
    );
}

#[test]
fn what_cannot_be_kept_is_left_out_with_a_warning() {
    let project = Project::bakery();
    let run = project.run(&[
        "add-task",
        "--title=Delivery",
        "--description=By bicycle",
        "--dependencies=1,77,flour",
        "--priority=urgent",
    ]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.err.contains("warning: there is no task 77"), "{}", run.err);
    assert!(run.err.contains("warning: `flour` is not a task id"), "{}", run.err);
    assert!(run.err.contains("warning: `urgent` is not a priority"), "{}", run.err);
    let task = last_task(&project);
    assert_eq!((&task["dependencies"], &task["priority"]), (&json!([1]), &json!("medium")));
}

#[test]
fn what_makes_no_task_changes_nothing() {
    #[track_caller]
    fn check(arguments: &[&str], expected: &str) {
        let project = Project::bakery();
        let before = project.tasks();
        let run = project.run(&[&["add-task"], arguments].concat());
        assert_eq!(run.code, 1, "{}", run.all());
        assert!(run.err.contains(expected), "{}", run.err);
        assert_eq!(project.tasks(), before);
    }
    check(&[], "error: nothing says what the task is about");
    check(&["--title=Oven"], "error: nothing says what the task is about");
    check(&["--title= ", "-d", "x"], "error: nothing says what the task is about");
    check(&["--title=Oven", "-d", "x", "--tag=new"], "error: there is no tag `new`");
    check(&["--title=Oven", "-d", "x", "--file=new.json"], "error: there is no tasks file");
    check(&["--title=Oven"], "hint: ");
}

#[test]
fn a_file_that_does_not_parse_is_never_replaced() {
    let project = Project::with_text("{ not json");
    let run = project.run(&["add-task", "--title=Oven", "--description=Preheat it"]);
    assert_eq!(run.code, 1, "{}", run.all());
    assert_eq!(project.tasks(), "{ not json");
}

#[test]
fn without_a_tasks_file_none_is_made() {
    let project = Project::empty();
    let run = project.run(&["add-task", "--title=Oven", "--description=Preheat it"]);
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(!project.exists(".taskmaster"));
}

#[test]
fn another_tasks_file_can_be_named() {
    let project = Project::bakery();
    project.write("alt/tasks.json", r#"{"master": {"tasks": []}}"#);
    let before = project.tasks();
    let run = project.run(&["add-task", "-t", "Oven", "-d", "Hot", "--file=alt/tasks.json"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(project.read("alt/tasks.json").contains("Oven"));
    assert_eq!(project.tasks(), before);
}
