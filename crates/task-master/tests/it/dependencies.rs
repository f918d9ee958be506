//! Adding, removing, checking and mending dependencies.

use serde_json::{Value, json};

use crate::project::Project;

fn dependencies(project: &Project, task: usize) -> Value {
    let tasks: Value = serde_json::from_str(&project.tasks()).unwrap();
    tasks["master"]["tasks"][task]["dependencies"].clone()
}

/// A plan with a fault of every kind.
fn broken() -> Project {
    Project::with_tasks(&json!([
        { "id": 1, "title": "烤箱 Oven", "dependencies": [2, 2] },
        { "id": 2, "title": "Dough", "dependencies": [99, 1] },
        { "id": 3, "title": "Shop", "dependencies": [3, "4.1"] },
        { "id": 4, "title": "Till", "subtasks": [
            { "id": 1, "title": "Drawer", "dependencies": [1, 9] },
            { "id": 2, "title": "Printer", "dependencies": ["4.1", "4"] },
        ] },
    ]))
}

#[test]
fn adding_says_what_the_task_waits_for() {
    let project = Project::bakery();
    insta::assert_snapshot!(project.run(&["add-dependency", "--id=5", "--depends-on=1"]).all());
    assert_eq!(dependencies(&project, 4), json!([1, 3]));
}

#[test]
fn a_subtask_waits_for_a_task_and_is_listed_so() {
    let project = Project::bakery();
    let run = project.run(&["add-dependency", "-i", "2.2", "-d", "1"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.out.contains("Dependencies  2.1 ✓, 1 ✓"), "{}", run.out);
    let shown = project.run(&["show", "2.2"]).out;
    assert!(shown.contains("2.1 ✓, 1 ✓"), "{shown}");
    assert_eq!(project.json(&["show", "2.2", "--json"])["task"]["dependencies"], json!([1, "1"]));
    let run = project.run(&["validate-dependencies"]);
    assert!(run.out.contains("are sound"), "{}", run.all());
}

#[test]
fn what_is_there_already_is_a_warning() {
    let project = Project::bakery();
    let before = project.tasks();
    let run = project.run(&["add-dependency", "--id=5", "--depends-on=3"]);
    assert_eq!(run.code, 0);
    assert!(run.err.contains("warning: task 5 waits for 3 already"), "{}", run.err);
    let run = project.run(&["remove-dependency", "--id=5", "--depends-on=1"]);
    assert_eq!(run.code, 0);
    assert!(run.err.contains("warning: task 5 does not wait for 1"), "{}", run.err);
    assert_eq!(project.tasks(), before);
}

#[test]
fn removing_says_what_is_left() {
    let project = Project::bakery();
    insta::assert_snapshot!(project.run(&["remove-dependency", "--id=3", "--depends-on=1"]).all());
    assert_eq!(dependencies(&project, 2), json!([2]));
}

#[test]
fn what_makes_no_sense_changes_nothing() {
    #[track_caller]
    fn check(arguments: &[&str], expected: &str) {
        let project = Project::bakery();
        let before = project.tasks();
        let run = project.run(arguments);
        assert_eq!(run.code, 1, "{}", run.all());
        assert!(run.err.contains(expected), "{}", run.err);
        assert_eq!(project.tasks(), before);
    }
    check(&["add-dependency", "--id=4"], "error: no task to wait for is named");
    check(&["add-dependency", "--depends-on=4"], "error: no task is named");
    check(&["add-dependency", "--id=x", "--depends-on=4"], "error: `x` is not a task id");
    check(&["add-dependency", "--id=4", "--depends-on=77"], "error: there is no task 77");
    check(&["add-dependency", "--id=4", "--depends-on=4"], "error: task 4 cannot wait for itself");
    check(&["add-dependency", "--id=2.1", "--depends-on=2"], "error: subtask 2.1 cannot wait");
    check(&["add-dependency", "--id=1", "--depends-on=3"], "which waits for it: 3 → 1");
    check(
        &["add-dependency", "--id=1", "--depends-on=3", "--tag=v2"],
        "error: there is no tag `v2`",
    );
    check(&["remove-dependency", "--id=77", "--depends-on=1"], "error: there is no task 77");
    check(&["validate-dependencies", "--tag=v2"], "error: there is no tag `v2`");
    check(&["fix-dependencies", "--file=nowhere.json"], "error: there is no tasks file");
}

#[test]
fn another_file_and_another_tag_can_be_changed() {
    let project = Project::bakery();
    let before = project.tasks();
    project.write("alt/tasks.json", r#"{"v2":{"tasks":[{"id":1},{"id":2}]}}"#);
    let arguments =
        ["add-dependency", "--id=2", "--depends-on=1", "--file=alt/tasks.json", "--tag=v2"];
    assert_eq!(project.run(&arguments).code, 0);
    let tasks: Value = serde_json::from_str(&project.read("alt/tasks.json")).unwrap();
    assert_eq!(tasks["v2"]["tasks"][1]["dependencies"], json!([1]));
    assert_eq!(project.tasks(), before);
}

#[test]
fn problems_are_listed() {
    insta::assert_snapshot!(broken().run_in_columns(80, &["validate-dependencies"]).all());
}

#[test]
fn mending_says_what_it_removed_and_can_be_undone() {
    let project = broken();
    let before = project.tasks();
    insta::assert_snapshot!(project.run_in_columns(80, &["fix-dependencies"]).all());
    let run = project.run(&["validate-dependencies"]);
    assert!(run.out.contains("are sound"), "{}", run.all());
    let run = project.run(&["fix-dependencies"]);
    assert!(run.out.contains("nothing was changed"), "{}", run.all());
    project.run(&["undo"]);
    assert_eq!(project.tasks(), before);
}

#[test]
fn a_plan_without_tasks_is_sound() {
    let project = Project::with_tasks(&json!([]));
    let run = project.run(&["validate-dependencies"]);
    assert_eq!(run.code, 0);
    assert!(run.out.contains("0 dependencies of 0 tasks"), "{}", run.all());
}
