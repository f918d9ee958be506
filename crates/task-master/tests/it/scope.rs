//! `scope-up` and `scope-down`: what they refuse before a model is asked.

use crate::project::Project;

#[test]
fn what_makes_no_sense_is_refused_and_changes_nothing() {
    #[track_caller]
    fn check(arguments: &[&str], expected: &str) {
        for command in ["scope-up", "scope-down"] {
            let project = Project::bakery();
            let before = project.tasks();
            let run = project.run(&[&[command], arguments].concat());
            assert_eq!(run.code, 1, "{}", run.all());
            assert!(run.err.contains(expected), "{expected:?} is not in {}", run.err);
            assert_eq!(project.tasks(), before);
        }
    }
    check(&[], "error: no task is named");
    check(&["--id=77"], "error: there is no task 77 in tag `master`");
    check(&["--id=4,77"], "error: there is no task 77 in tag `master`");
    check(&["--id=2.1"], "changes whole tasks, not 2.1\nhint: name its task: 2");
    check(&["--id=four"], "error: `four` is not a task id");
    check(&["--id=4", "--strength=strong"], "error: `strong` is not a strength");
    check(&["--id=4", "--tag=cellar"], "error: there is no tag `cellar`");
    check(&["--id=4", "-f", "gone.json"], "error: there is no tasks file /project/gone.json");
    // There is no model here.
    check(&["--id=4"], "error: ");
}
