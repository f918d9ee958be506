//! `set-status`: what changes, and what does not.

use serde_json::{Value, json};

use crate::project::Project;

fn status_of(project: &Project, index: usize) -> Value {
    let tasks: Value = serde_json::from_str(&project.tasks()).unwrap();
    tasks["master"]["tasks"][index]["status"].clone()
}

#[test]
fn a_change_is_told_with_what_to_do_next() {
    let project = Project::bakery();
    insta::assert_snapshot!(project.run_in_columns(80, &["set-status", "3", "review"]).all());
    assert_eq!(status_of(&project, 2), "review");
}

#[test]
fn only_what_changes_changes_in_the_file() {
    let project = Project::bakery();
    // Lays the file out as we do, and notes the time for the first time.
    project.run(&["set-status", "--id=4", "--status=pending"]);
    let before = project.tasks();
    project.run(&["set-status", "--id=4", "--status=done"]);
    let after = project.tasks();
    assert!(after.contains("\"price\": 1.10"), "{after}");
    assert_eq!(before.lines().count(), after.lines().count());
    let changed = before.lines().zip(after.lines()).filter(|(before, after)| before != after);
    let changed: Vec<_> = changed.filter_map(|it| it.1.trim().split(':').next()).collect();
    assert_eq!(changed, ["\"status\"", "\"updatedAt\"", "\"updated\""]);
}

#[test]
fn a_subtask_takes_its_task_along() {
    let project = Project::bakery();
    let run = project.run(&["set-status", "--id=2.2", "--status=done"]);
    assert!(run.out.contains("✓ Task 2.2: pending → done"), "{}", run.out);
    assert!(run.out.contains("Task 2: in-progress → done, like its subtasks"), "{}", run.out);
    assert_eq!(status_of(&project, 1), "done");
}

#[test]
fn a_task_leaves_its_subtasks_alone() {
    let project = Project::bakery();
    project.run(&["set-status", "--id=2", "--status=done"]);
    let tasks: Value = serde_json::from_str(&project.tasks()).unwrap();
    assert_eq!(tasks["master"]["tasks"][1]["subtasks"][1]["status"], "pending");
}

#[test]
fn json_says_what_was_and_what_is() {
    let changed =
        Project::bakery().json(&["set-status", "--id=3,2.2", "--status=review", "-f", "json"]);
    assert_eq!(
        changed,
        json!({
            "success": true,
            "updatedTasks": [
                { "taskId": "3", "oldStatus": "pending", "newStatus": "review" },
                { "taskId": "2.2", "oldStatus": "pending", "newStatus": "review" },
            ],
            "storageType": "file",
        })
    );
}

#[test]
fn a_document_is_printed_silence_or_not() {
    let told = Project::bakery().json(&["set-status", "3", "done", "-f", "json", "--silent"]);
    assert_eq!(told["updatedTasks"][0]["newStatus"], "done");
    let silent = Project::bakery().run(&["set-status", "3", "done", "--silent"]);
    assert_eq!((silent.code, &*silent.out), (0, ""));
}

#[test]
fn of_several_tasks_those_that_exist_are_changed_and_the_rest_is_a_failure() {
    let project = Project::bakery();
    let run = project.run(&["set-status", "--id=99,3", "--status=done", "-f", "json"]);
    assert_eq!(run.code, 1);
    let mut changed: Value = serde_json::from_str(&run.out).unwrap();
    assert!(changed["timestamp"].take().is_string());
    insta::assert_json_snapshot!(changed, @r#"
    {
      "success": false,
      "error": "there is no task 99 in tag `master`",
      "taskId": "99",
      "timestamp": null,
      "updatedTasks": [
        {
          "taskId": "3",
          "oldStatus": "pending",
          "newStatus": "done"
        }
      ],
      "storageType": "file"
    }
    "#);
    assert_eq!(status_of(&project, 2), "done");
}

#[test]
fn what_makes_no_sense_changes_nothing() {
    #[track_caller]
    fn check(arguments: &[&str], expected: &str) {
        let project = Project::bakery();
        let before = project.tasks();
        let run = project.run(&[&["set-status"], arguments].concat());
        assert_eq!(run.code, 1, "{}", run.all());
        assert!(run.err.contains(expected), "{}", run.err);
        assert_eq!(project.tasks(), before);
    }
    check(&["--id=99", "--status=done"], "error: there is no task 99 in tag `master`");
    check(&["--id=2.9", "--status=done"], "error: there is no task 2.9 in tag `master`");
    check(&["--id=4", "--status=finished"], "error: `finished` is not a status");
    check(&["--id=4", "--status=completed"], "error: `completed` is not a status");
    check(&["--id=four", "--status=done"], "error: `four` is not a task id");
    check(&["--status=done"], "error: no task is named");
    check(&["--id=4"], "error: no status is named");
    check(&["4"], "error: no status is named");
}

#[test]
fn setting_what_is_set_writes_nothing() {
    let project = Project::bakery();
    let before = project.tasks();
    let run = project.run(&["set-status", "--id=4", "--status=review"]);
    assert!(run.out.contains("Task 4 is review already"), "{}", run.out);
    assert_eq!(project.tasks(), before);
}

#[test]
fn the_current_tag_is_changed_and_no_other() {
    let project = Project::bakery();
    project.write(".taskmaster/state.json", r#"{"currentTag": "festival"}"#);
    project.run(&["status", "1", "done"]);
    let tasks: Value = serde_json::from_str(&project.tasks()).unwrap();
    assert_eq!(tasks["festival"]["tasks"][0]["status"], "done");
    assert_eq!(project.run(&["set-status", "--id=3", "--status=done"]).code, 1);
}
