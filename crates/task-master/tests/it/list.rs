//! `list` in its three formats, with its filters.

use serde_json::json;

use crate::project::Project;

#[test]
fn a_narrow_terminal_shows_everything_in_80_columns() {
    let run = Project::bakery().run_in_columns(80, &["list"]);
    insta::assert_snapshot!(run.all());
}

#[test]
fn a_wide_terminal_shows_who_waits_for_whom() {
    let run = Project::bakery().run_in_columns(200, &["list", "all"]);
    insta::assert_snapshot!(run.all());
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for columns in [80, 100, 120, 200] {
        let run = Project::bakery().run_in_columns(columns, &["list", "all", "--no-header"]);
        for line in run.out.lines() {
            let width = unicode_width::UnicodeWidthStr::width(line);
            assert!(width <= columns, "{width} > {columns}: {line}");
        }
    }
}

#[test]
fn titles_are_whole_when_nobody_watches() {
    let run = Project::bakery().run(&["list"]);
    assert!(run.out.contains("the bakers can change without a programmer  "), "{}", run.out);
}

#[test]
fn json_has_one_document_with_string_ids() {
    let run = Project::bakery().run(&["list", "--json"]);
    insta::assert_snapshot!(run.all());
}

#[test]
fn subtasks_are_listed_when_asked_for() {
    let listed = Project::bakery().json(&["list", "--with-subtasks", "-f", "json"]);
    insta::assert_json_snapshot!(listed["tasks"][1]["subtasks"], @r#"
    [
      {
        "id": "1",
        "title": "Table of breads",
        "description": "Name, price, days",
        "status": "done",
        "dependencies": [],
        "details": "One row a bread"
      },
      {
        "id": "2",
        "title": "Form for bakers",
        "description": "Change prices",
        "status": "pending",
        "dependencies": [
          1
        ],
        "details": "Large buttons: flour on the fingers"
      }
    ]
    "#);
}

#[test]
fn filters_choose_tasks() {
    #[track_caller]
    fn check(arguments: &[&str], expected: &[&str]) {
        let listed = Project::bakery().json(&[&["list", "--json"], arguments].concat());
        let ids: Vec<&str> = listed["tasks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids, expected, "{arguments:?}");
        assert_eq!(listed["metadata"]["filtered"], expected.len());
    }
    check(&["done"], &["1"]);
    check(&["done,review"], &["1", "4"]);
    check(&["done", "--status=pending"], &["1"]);
    check(&["all", "--status=review"], &["4"]);
    check(&["--ready"], &["2", "4"]);
    check(&["--blocking"], &["1", "2", "3", "4"]);
    check(&["--ready", "--blocking", "-s", "review"], &["4"]);
    check(&["-t", "festival"], &["1"]);
    check(&["all"], &["1", "2", "3", "4", "5", "6", "7"]);
}

#[test]
fn all_tags_are_listed_with_their_names() {
    let project = Project::bakery();
    let listed = project.json(&["list", "--all-tags", "--ready", "--json"]);
    assert_eq!(listed["metadata"]["tag"], "all");
    assert_eq!(listed["metadata"]["total"], 8);
    assert_eq!(listed["tasks"][2]["tagName"], "festival");
    let run = project.run_in_columns(80, &["list", "--all-tags", "--ready"]);
    insta::assert_snapshot!(run.out);
}

#[test]
fn the_compact_format_has_one_line_a_task() {
    let run = Project::bakery().run(&["ls", "all", "-c"]);
    insta::assert_snapshot!(run.all());
}

#[test]
fn the_current_tag_is_listed_unless_another_is_named() {
    let project = Project::bakery();
    project.write(".taskmaster/state.json", r#"{"currentTag": "festival"}"#);
    assert_eq!(project.json(&["list", "--json"])["metadata"]["tag"], "festival");
    assert_eq!(project.json(&["list", "--json", "-t", "master"])["metadata"]["total"], 7);
    project.write(".env", "TASKMASTER_TAG=master\n");
    assert_eq!(project.json(&["list", "--json"])["metadata"]["tag"], "master");
}

#[test]
fn a_tag_without_tasks_is_no_failure() {
    let run = Project::bakery().run(&["list", "--tag", "nope"]);
    insta::assert_snapshot!(run.all());
}

#[test]
fn a_status_that_does_not_exist_is_a_failure() {
    let run = Project::bakery().run(&["list", "--status", "finished"]);
    insta::assert_snapshot!(run.all());
}

#[test]
fn a_task_with_faults_is_listed_and_said_to_have_them() {
    let project = Project::with_tasks(&json!([
        { "id": 1, "title": "No description", "status": "pending", "priority": "high" },
        { "id": 2, "description": "No title", "status": "later", "dependencies": [9] },
    ]));
    insta::assert_snapshot!(project.run_in_columns(80, &["list", "--no-header"]).all());
    let listed = project.json(&["list", "--json"]);
    assert_eq!(listed["tasks"][0]["faults"], json!(["description is required"]));
}

#[test]
fn colours_are_for_terminals_only() {
    let project = Project::bakery();
    assert!(!project.run(&["list"]).out.contains('\u{1b}'));
    let forced = project.command(&["list"]).env("FORCE_COLOR", "1").output().unwrap();
    assert!(project.outcome(forced).out.contains("\u{1b}["));
    let mut without = project.command(&["list"]);
    let without = without.env("FORCE_COLOR", "1").env("NO_COLOR", "1").output().unwrap();
    assert!(!project.outcome(without).out.contains('\u{1b}'));
}

#[test]
fn what_a_title_hides_does_not_reach_the_terminal() {
    let project = Project::with_tasks(&json!([
        { "id": 1, "title": "\u{1b}]0;owned\u{7}", "description": "d", "status": "pending", "priority": "low" },
    ]));
    assert!(!project.run(&["list"]).out.contains('\u{1b}'));
    assert!(!project.run(&["list", "-c"]).out.contains('\u{1b}'));
}

#[test]
fn a_silent_list_prints_nothing() {
    assert_eq!(Project::bakery().run(&["list", "--silent"]).all(), "exit 0\n--- out\n--- err\n");
}

#[test]
fn the_project_is_found_from_below_and_from_elsewhere() {
    let project = Project::bakery();
    project.write("src/deep/main.rs", "");
    let mut below = project.command(&["list", "--json"]);
    let below = below.current_dir(project.path("project/src/deep")).output().unwrap();
    assert!(project.outcome(below).out.contains("Opening hours"));
    assert!(!project.exists("src/deep/.taskmaster"));
    let mut elsewhere = project.command(&["list", "--json", "-p", "../project"]);
    let elsewhere = elsewhere.current_dir(project.path("home")).output().unwrap();
    assert!(project.outcome(elsewhere).out.contains("Opening hours"));
}

#[test]
fn tasks_from_before_taskmaster_directories_are_listed() {
    let project = Project::empty();
    project.write("tasks/tasks.json", r#"{"tasks":[{"id":1,"title":"Old"}]}"#);
    assert_eq!(project.json(&["list", "--json"])["tasks"][0]["title"], "Old");
}

#[test]
fn an_empty_directory_has_no_tasks_and_stays_empty() {
    let project = Project::empty();
    let run = project.run(&["list"]);
    insta::assert_snapshot!(run.all());
    assert_eq!(project.path("project").read_dir().unwrap().count(), 0);
}

#[test]
fn a_reader_that_goes_away_is_not_an_error() {
    let tasks: Vec<_> = (1..3000)
        .map(|id| json!({ "id": id, "title": "x".repeat(99), "description": "d", "status": "pending", "priority": "low" }))
        .collect();
    let project = Project::with_tasks(&json!(tasks));
    let mut command = project.command(&["list", "--json"]);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
