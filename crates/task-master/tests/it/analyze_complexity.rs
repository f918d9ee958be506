//! `analyze-complexity`: what it refuses before a model is asked.

use crate::project::Project;

#[track_caller]
fn refused(project: &Project, arguments: &[&str], expected: &str) {
    let run = project.run(&[&["analyze-complexity"], arguments].concat());
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(run.err.contains(expected), "{expected:?} is not in {}", run.err);
    assert!(!project.exists(".taskmaster/reports"), "nothing is written");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let project = Project::bakery();
    refused(&project, &["-t", "0"], "0 is not in 1..=10");
    refused(&project, &["--threshold=11"], "11 is not in 1..=10");
    refused(&project, &["--threshold=hard"], "invalid value 'hard'");
    refused(&project, &["--id=four"], "`four` is not a task id");
    refused(&project, &["--tag=cellar"], "there is no tag `cellar`");
    refused(&project, &["--file=gone.json"], "there is no tasks file /project/gone.json");
}

#[test]
fn a_tag_without_tasks_cannot_be_analysed() {
    let project = Project::with_text(r#"{"master": {"tasks": []}}"#);
    refused(&project, &[], "error: the tag `master` has no tasks\nhint: make some with");
}

#[test]
fn a_report_that_is_none_is_left_alone() {
    let project = Project::with_text("{\"master\": ");
    refused(&project, &[], "cannot be used");
}

#[test]
fn a_model_that_is_not_there_is_an_error_and_writes_nothing() {
    let project = Project::bakery();
    let before = project.tasks();
    refused(&project, &["--id=4"], "error: ");
    assert_eq!(project.tasks(), before);
}
