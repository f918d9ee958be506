//! `add-subtask`, `remove-subtask`, `remove-task`, `clear-subtasks` and `move`: what changes, and
//! what a mistake leaves alone.

use serde_json::{Value, json};

use crate::project::Project;

/// Four tasks that wait for each other, and another tag.
fn plan() -> Project {
    let text = json!({
        "master": { "tasks": [
            { "id": 1, "title": "Mill", "description": "x", "status": "done", "priority": "high",
              "dependencies": [], "subtasks": [] },
            { "id": 2, "title": "Dough", "description": "x", "status": "pending",
              "priority": "high", "dependencies": [1], "subtasks": [
                { "id": 1, "title": "Knead", "status": "pending", "dependencies": [] },
                { "id": 2, "title": "Rest", "status": "pending", "dependencies": [1] },
            ] },
            { "id": 3, "title": "Oven", "description": "x", "status": "pending",
              "priority": "low", "dependencies": [1, "2.1"], "subtasks": [] },
            { "id": 4, "title": "Shop", "description": "x", "status": "pending",
              "priority": "low", "dependencies": [3], "subtasks": [] },
        ] },
        "later": { "tasks": [{ "id": 1, "title": "Mill", "dependencies": [] }] },
    });
    Project::with_text(text.to_string())
}

fn master(project: &Project) -> Vec<Value> {
    let tasks: Value = serde_json::from_str(&project.tasks()).unwrap();
    tasks["master"]["tasks"].as_array().unwrap().clone()
}

/// Runs a command that works, and returns what it said and the tasks after it.
#[track_caller]
fn run(project: &Project, arguments: &[&str]) -> (String, Vec<Value>) {
    let run = project.run(arguments);
    assert_eq!(run.code, 0, "{}", run.all());
    (run.all(), master(project))
}

/// Runs a command that fails, and changes nothing.
#[track_caller]
fn refuse(arguments: &[&str], expected: &str) {
    let project = plan();
    let before = project.tasks();
    let run = project.run(arguments);
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(run.err.contains(expected), "{}", run.err);
    assert!(run.err.contains("hint: "), "{}", run.err);
    assert_eq!(project.tasks(), before);
}

#[test]
fn a_new_subtask_comes_last_and_may_wait_for_siblings_and_tasks() {
    let project = plan();
    let (told, tasks) = run(
        &project,
        &["add-subtask", "-p", "2", "-t", "Shape", "--dependencies=1,3,2.2,9", "--generate"],
    );
    assert!(told.contains("✓ Subtask 2.3: Shape"), "{told}");
    assert!(told.contains("warning: there is no task 9"), "{told}");
    assert_eq!(
        tasks[1]["subtasks"][2],
        json!({
            "id": 3,
            "title": "Shape",
            "description": "",
            "details": "",
            "status": "pending",
            "dependencies": [1, "3", "2.2"],
            "parentTaskId": 2,
        })
    );
}

#[test]
fn a_task_becomes_a_subtask_and_what_waited_for_it_still_does() {
    let project = plan();
    let (told, tasks) = run(&project, &["add-subtask", "--parent=2", "--task-id=3"]);
    assert!(told.contains("✓ Task 3 is subtask 2.3 now: Oven"), "{told}");
    assert_eq!(tasks[1]["subtasks"][2]["dependencies"], json!(["1", "2.1"]));
    assert_eq!(tasks[2]["dependencies"], json!(["2.3"]));
}

#[test]
fn a_subtask_that_cannot_be_is_refused() {
    refuse(&["add-subtask", "-t", "Shape"], "error: no task is named");
    refuse(&["add-subtask", "-p", "2"], "error: nothing says what the subtask is");
    refuse(&["add-subtask", "-p", "77", "-t", "x"], "error: there is no task 77");
    refuse(&["add-subtask", "-p", "2.1", "-t", "x"], "error: 2.1 is a subtask");
    refuse(&["add-subtask", "-p", "2", "-t", " "], "error: the title of a subtask");
    refuse(&["add-subtask", "-p", "2", "-t", "x", "--tag=no"], "error: there is no tag `no`");
    refuse(&["add-subtask", "-p", "4", "-i", "4"], "error: task 4 cannot become a subtask");
    refuse(&["add-subtask", "-p", "4", "-i", "1"], "error: task 4 waits for task 1");
    refuse(&["add-subtask", "-p", "4", "-i", "77"], "error: there is no task 77");
    refuse(&["add-subtask", "-p", "4", "-i", "2.1"], "error: 2.1 is a subtask already");
    refuse(&["add-subtask", "-p", "4", "-i", "1", "--tag=no"], "error: there is no tag `no`");
}

#[test]
fn subtasks_are_removed_with_all_that_named_them() {
    let project = plan();
    let (told, tasks) = run(&project, &["remove-subtask", "--id=2.1"]);
    assert!(told.contains("✓ Removed subtask 2.1: Knead"), "{told}");
    assert!(told.contains("warning: task 3 does not wait for 2.1 any more"), "{told}");
    assert_eq!(tasks[1]["subtasks"][0]["dependencies"], json!([]));
    assert_eq!(tasks[2]["dependencies"], json!([1]));
    let (_, tasks) = run(&project, &["undo"]);
    assert_eq!(tasks[2]["dependencies"], json!([1, "2.1"]));
}

#[test]
fn a_subtask_becomes_a_task_of_its_own() {
    let project = plan();
    let (told, tasks) = run(&project, &["remove-subtask", "--id=2.2", "--convert"]);
    assert!(told.contains("✓ Subtask 2.2 is task 5 now: Rest"), "{told}");
    assert_eq!(tasks[4]["priority"], "high");
    assert_eq!(tasks[4]["dependencies"], json!(["2.1", 2]));
}

#[test]
fn subtasks_that_cannot_be_removed_stay_all_of_them() {
    refuse(&["remove-subtask"], "error: no subtask is named");
    refuse(&["remove-subtask", "--id=2"], "error: 2 is a task");
    refuse(&["remove-subtask", "--id=2.1,77.1"], "error: there is no task 77");
    refuse(&["remove-subtask", "--id=2.1,2.9"], "error: task 2 has no subtask 2.9");
    refuse(&["remove-subtask", "--id=2.1,2.9", "--convert"], "error: task 2 has no subtask");
    refuse(&["remove-subtask", "--id=2.1", "--tag=no"], "error: there is no tag `no`");
}

#[test]
fn tasks_are_removed_in_their_tag_with_their_files() {
    let project = plan();
    project.write(".taskmaster/tasks/task_001.md", "old");
    project.write(".taskmaster/tasks/task_001_later.md", "old");
    let (told, tasks) = run(&project, &["remove-task", "--id=1,2.2,77", "-y"]);
    assert!(told.contains("✓ Removed task 1: Mill"), "{told}");
    assert!(told.contains("✓ Removed subtask 2.2: Rest"), "{told}");
    assert!(told.contains("warning: there is no task 77"), "{told}");
    assert_eq!(tasks[0]["dependencies"], json!([]));
    assert!(!project.exists(".taskmaster/tasks/task_001.md"));
    assert!(project.exists(".taskmaster/tasks/task_001_later.md"));
    let all: Value = serde_json::from_str(&project.tasks()).unwrap();
    assert_eq!(all["later"]["tasks"][0]["id"], 1);
    let (told, _) = run(&project, &["remove-task", "--id=2,2.1", "-y"]);
    assert!(told.contains("✓ Removed subtask 2.1, with its task"), "{told}");
}

#[test]
fn nothing_is_removed_that_is_not_there_or_not_confirmed() {
    let project = plan();
    let before = project.tasks();
    let (told, _) = run(&project, &["remove-task", "--id=77,four", "-y"]);
    assert!(told.contains("Nothing to remove"), "{told}");
    assert!(told.contains("warning: `four` is not a task id"), "{told}");
    assert_eq!(project.tasks(), before);
    refuse(&["remove-task", "--id=1"], "error: nobody is there to confirm it");
    refuse(&["remove-task", "-y"], "error: no task is named");
    refuse(&["remove-task", "--id=1", "-y", "--tag=no"], "error: there is no tag `no`");
}

#[test]
fn subtasks_are_cleared_of_some_tasks_or_of_all() {
    let project = plan();
    let (told, tasks) = run(&project, &["clear-subtasks", "--id=1,2,77"]);
    assert!(told.contains("✓ Task 2: removed 2 subtasks"), "{told}");
    assert!(told.contains("warning: there is no task 77"), "{told}");
    assert_eq!((&tasks[1]["subtasks"], &tasks[2]["dependencies"]), (&json!([]), &json!([1])));
    let (told, _) = run(&project, &["clear-subtasks", "--all"]);
    assert!(told.contains("There are no subtasks to remove"), "{told}");
    refuse(&["clear-subtasks"], "error: no task is named");
    refuse(&["clear-subtasks", "--all", "--tag=no"], "error: there is no tag `no`");
}

#[test]
fn within_a_tag_things_move_one_by_one() {
    let project = plan();
    let (told, tasks) = run(&project, &["move", "--from=3,2.2,77", "--to=9,4.1,78"]);
    assert!(told.contains("✓ Moved 3 to 9: Oven"), "{told}");
    assert!(told.contains("✓ Moved 2.2 to 4.1: Rest"), "{told}");
    assert!(told.contains("warning: 77 stays where it is: there is no task 77"), "{told}");
    assert_eq!(tasks[2]["dependencies"], json!([9]));
    assert_eq!(tasks[2]["subtasks"][0]["dependencies"], json!(["2.1"]));
    assert_eq!(tasks[3]["id"], 9);
}

#[test]
fn subtasks_of_a_task_that_becomes_one_are_told_before_they_are_lost() {
    let project = plan();
    let (told, tasks) = run(&project, &["move", "--from=2", "--to=4.1"]);
    assert!(told.contains("2.1 is gone: Knead"), "{told}");
    assert!(told.contains("task-master undo"), "{told}");
    assert_eq!(tasks[1]["dependencies"], json!([1]));
}

#[test]
fn across_tags_dependencies_follow_or_are_given_up() {
    let project = plan();
    let (told, tasks) = run(
        &project,
        &["move", "--from=3", "--from-tag=master", "--to-tag=fresh", "--with-dependencies"],
    );
    assert!(told.contains("✓ Created tag fresh"), "{told}");
    assert!(told.contains("✓ Moved task 2 to tag fresh: Dough"), "{told}");
    assert!(told.contains("warning: task 4 does not wait for 3 any more"), "{told}");
    assert_eq!((tasks.len(), &tasks[0]["dependencies"]), (1, &json!([])));
    let project = plan();
    let (_, tasks) =
        run(&project, &["move", "--from=4", "--to-tag=later", "--ignore-dependencies"]);
    assert_eq!(tasks.len(), 3);
    let all: Value = serde_json::from_str(&project.tasks()).unwrap();
    let moved = &all["later"]["tasks"][1];
    assert_eq!((&moved["dependencies"], &moved["tag"]), (&json!([]), &json!("later")));
    assert_eq!(moved["metadata"]["moveHistory"][0]["fromTag"], "master");
}

#[test]
fn what_cannot_be_moved_stays() {
    refuse(&["move"], "error: nothing to move is named");
    refuse(&["move", "--from=2"], "error: no destination is named");
    refuse(&["move", "--from=2", "--to=3"], "error: tag `master` has a task 3 already");
    refuse(&["move", "--from=77", "--to=80"], "error: there is no task 77");
    refuse(&["move", "--from=2", "--to=2.1"], "error: task 2 cannot become a subtask");
    refuse(&["move", "--from=2,3", "--to=9"], "error: 2 ids to move and 1 destinations");
    refuse(&["move", "--from=2", "--to-tag=master"], "error: the tasks are in tag `master`");
    refuse(&["move", "--from=4", "--to-tag=later"], "error: tasks would be parted");
    refuse(&["move", "--from=1", "--to-tag=later"], "error: tag `later` has a task 1 already");
    refuse(&["move", "--from=2.1", "--to-tag=later"], "error: 2.1 is a subtask");
    refuse(&["move", "--from=2", "--from-tag=no", "--to-tag=later"], "error: there is no tag `no`");
    let both = ["--with-dependencies", "--ignore-dependencies"];
    refuse(
        &[&["move", "--from=4", "--to-tag=later"], &both[..]].concat(),
        "error: dependencies can be moved along or be ignored, not both",
    );
}
