//! Task files that are not as they should be.

use crate::project::Project;

const COMMANDS: &[&[&str]] = &[
    &["list"],
    &["list", "--json"],
    &["show", "1"],
    &["next"],
    &["next", "-f", "json"],
    &["set-status", "--id=1", "--status=done"],
    &["set-status", "--id=1", "--status=done", "-f", "json"],
];

/// Every command fails, says so, and leaves the file alone.
#[track_caller]
fn check(text: &[u8], reason: &str) {
    let project = Project::with_text(text);
    for arguments in COMMANDS {
        let run = project.run(arguments);
        assert_eq!(run.code, 1, "{arguments:?}: {}", run.all());
        assert_eq!(run.out, "", "{arguments:?}");
        assert!(
            run.err.starts_with("error: /project/.taskmaster/tasks/tasks.json cannot be used\n"),
            "{}",
            run.err
        );
        assert!(run.err.contains(reason), "{}", run.err);
        assert!(run.err.contains("\nhint: nothing was changed;"), "{}", run.err);
        let path = project.path("project/.taskmaster/tasks/tasks.json");
        assert_eq!(std::fs::read(path).unwrap(), text, "{arguments:?}");
    }
}

#[test]
fn a_file_that_is_no_json_is_refused_and_left_alone() {
    check(b"{ \"master\": { \"tasks\": [", "because: it is not valid JSON: line 1");
}

#[test]
fn a_merge_conflict_is_called_one() {
    check(b"{\n<<<<<<< HEAD\n=======\n>>>>>>> x\n}", "because: line 2 holds a merge conflict");
}

#[test]
fn a_text_is_not_a_task_file() {
    check(b"\"tasks\"", "because: it holds neither tags nor a list of tasks");
}

#[test]
fn bytes_of_another_encoding_are_never_written_over() {
    let latin =
        b"{\"master\":{\"tasks\":[{\"id\":1,\"title\":\"Br\xf6tchen\",\"status\":\"pending\"}]}}";
    let project = Project::with_text(latin);
    let run = project.run(&["set-status", "--id=1", "--status=done"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("line 1 is not UTF-8 text"), "{}", run.err);
    let path = project.path("project/.taskmaster/tasks/tasks.json");
    assert_eq!(std::fs::read(path).unwrap(), latin);
}

#[test]
fn a_missing_file_has_no_tasks() {
    let project = Project::empty();
    project.write(".taskmaster/config.json", "{}");
    assert!(project.run(&["list"]).out.contains("No tasks found"));
    assert_eq!(project.run(&["next"]).code, 0);
    assert_eq!(project.run(&["show", "1"]).code, 0);
    assert_eq!(project.run(&["set-status", "--id=1", "--status=done"]).code, 1);
    assert!(!project.exists(".taskmaster/tasks"));
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_fine() {
    let text = include_str!("bakery.json").replace('\n', "\r\n");
    let project = Project::with_text(format!("\u{feff}{text}"));
    assert_eq!(project.json(&["list", "--json"])["metadata"]["total"], 7);
    let run = project.run(&["set-status", "--id=4", "--status=done"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(project.json(&["list", "done", "--json"])["metadata"]["filtered"], 2);
}

#[test]
fn a_configuration_that_makes_no_sense_stops_everything() {
    let project = Project::bakery();
    project.write(".taskmaster/config.json", "{broken");
    let before = project.tasks();
    let run = project.run(&["set-status", "--id=4", "--status=done"]);
    insta::assert_snapshot!(run.all());
    assert_eq!(project.tasks(), before);
}

#[test]
fn a_project_that_does_not_exist_is_a_failure() {
    insta::assert_snapshot!(Project::empty().run(&["list", "-p", "nowhere"]).all());
}
