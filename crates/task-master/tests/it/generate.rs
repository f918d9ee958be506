//! `generate`: which files there are, and what is said about them.

use serde_json::json;

use crate::project::Project;

#[test]
fn every_task_has_a_file_and_orphans_go() {
    let project = Project::bakery();
    project.write(".taskmaster/tasks/task_099.md", "old");
    insta::assert_snapshot!(project.run(&["generate"]).all());
    assert!(!project.exists(".taskmaster/tasks/task_099.md"));
    insta::assert_snapshot!(project.read(".taskmaster/tasks/task_002.md"));
}

#[test]
fn the_files_of_another_tag_lie_beside_them() {
    let project = Project::bakery();
    project.run(&["generate"]);
    project.run(&["generate", "--tag", "festival", "-o", "out"]);
    assert!(project.read("out/task_001_festival.md").contains("Rent a stall"));
    project.run(&["generate", "-t", "festival"]);
    assert!(project.exists(".taskmaster/tasks/task_001_festival.md"));
    assert!(project.exists(".taskmaster/tasks/task_007.md"));
}

#[test]
fn json_says_how_many_and_where() {
    let project = Project::bakery();
    let expected = json!({
        "success": true,
        "count": 7,
        "directory": "/project/out",
        "orphanedFilesRemoved": 0,
    });
    assert_eq!(project.json(&["generate", "-f", "json", "--output=out"]), expected);
}

#[test]
fn without_tasks_there_is_nothing_to_write() {
    let run = Project::with_tasks(&json!([])).run(&["generate"]);
    assert_eq!(run.code, 0);
    assert!(run.out.contains("no tasks"), "{}", run.out);
    let written = Project::empty().json(&["generate", "-f", "json"]);
    assert_eq!((&written["success"], &written["count"]), (&json!(true), &json!(0)));
}

#[test]
fn what_cannot_be_written_is_a_failure() {
    let project = Project::bakery();
    project.write("file", "");
    let run = project.run(&["generate", "-o", "file/x"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("cannot be written"), "{}", run.err);
    let project = Project::with_tasks(&json!([{ "id": "../x", "title": "Odd" }, { "id": 1 }]));
    let run = project.run(&["generate", "-f", "json"]);
    assert_eq!(run.code, 1);
    assert!(run.out.contains(r#""taskId": "../x""#), "{}", run.out);
    assert_eq!(project.run(&["generate", "-f", "yaml"]).code, 1);
}
