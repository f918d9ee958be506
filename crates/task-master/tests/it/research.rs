//! `research`: what it refuses before a model is asked.

use crate::project::Project;

#[test]
fn what_makes_no_sense_is_refused_before_a_model_is_asked() {
    #[track_caller]
    fn check(arguments: &[&str], expected: &str) {
        let project = Project::bakery();
        let before = project.tasks();
        let run = project.run(&[&["research"], arguments].concat());
        assert_eq!(run.code, 1, "{}", run.all());
        assert!(run.err.contains(expected), "{expected:?} is not in {}", run.err);
        assert_eq!(project.tasks(), before);
        assert!(!project.exists(".taskmaster/docs"));
    }
    check(&[], "error: there is no question\nhint: ask one");
    check(&["  "], "error: there is no question");
    check(&["Why?", "--detail=deep"], "error: `deep` is not a level of detail");
    check(&["Why?", "--id=four"], "error: `four` is not a task id");
    check(&["Why?", "-f", "gone.md"], "error: there is no file gone.md");
    check(&["Why?", "-f", ".taskmaster"], "error: .taskmaster is a directory");
    check(
        &["Why?", "-s", "/tmp/a.md"],
        "error: /tmp/a.md is not a path inside the project\nhint: ",
    );
    check(&["Why?", "--save=../a.md"], "error: ../a.md is not a path inside the project");
    check(&["Why?", "--save=gone/a.md"], "error: there is no directory /project/gone");
    check(&["Why?", "--save-to=77"], "error: there is no task 77 in tag `master`");
    check(&["Why?", "--save-to=2.9"], "error: there is no task 2.9 in tag `master`");
    check(&["Why?", "--file=gone.json"], "error: there is no tasks file /project/gone.json");
    // There is no model here.
    check(&["Why?", "--save-file", "--tree"], "error: ");
}
