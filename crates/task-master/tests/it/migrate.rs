//! `migrate`, which moves files and loses none.

use std::fs;

use crate::project::Project;

fn early() -> Project {
    let project = Project::empty();
    for (path, text) in [
        ("tasks/tasks.json", r#"{"tasks":[]}"#),
        ("tasks/task_001.txt", "one"),
        ("scripts/prd.txt", "requirements"),
        ("scripts/example_prd.txt", "example"),
        ("scripts/task-complexity-report.json", "{}"),
        ("scripts/build.sh", "make"),
        (".taskmasterconfig", "{}"),
    ] {
        project.write(path, text);
    }
    project
}

#[test]
fn files_go_where_they_belong_and_others_stay() {
    let project = early();
    insta::assert_snapshot!(project.run(&["migrate", "-y", "--backup"]).all());
    for (path, text) in [
        (".taskmaster/tasks/tasks.json", r#"{"tasks":[]}"#),
        (".taskmaster/tasks/task_001.txt", "one"),
        (".taskmaster/docs/prd.txt", "requirements"),
        (".taskmaster/templates/example_prd.txt", "example"),
        (".taskmaster/reports/task-complexity-report.json", "{}"),
        (".taskmaster/config.json", "{}"),
        (".taskmaster-migration-backup/scripts/prd.txt", "requirements"),
        (".taskmaster-migration-backup/.taskmasterconfig", "{}"),
        ("scripts/build.sh", "make"),
    ] {
        assert_eq!(project.read(path), text, "{path}");
    }
    assert!(!project.exists("tasks") && !project.exists(".taskmasterconfig"));
}

#[test]
fn a_dry_run_moves_nothing_and_neither_does_one_that_nobody_agreed_to() {
    let project = early();
    let run = project.run(&["migrate", "--dry-run"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.out.contains("scripts/prd.txt → .taskmaster/docs/prd.txt"), "{}", run.out);
    let run = project.run(&["migrate"]);
    assert_eq!((run.code, run.out.as_str()), (1, ""), "{}", run.all());
    assert!(run.err.contains("add --yes"), "{}", run.err);
    assert!(!project.exists(".taskmaster"));
}

#[test]
fn nothing_to_move_is_no_failure() {
    let project = Project::empty();
    project.write("x.txt", "x");
    let run = project.run(&["migrate", "-y"]);
    assert_eq!((run.code, run.out.as_str()), (0, "There is nothing to move.\n"), "{}", run.all());
}

#[test]
fn what_is_there_is_never_replaced() {
    let project = early();
    project.write(".taskmaster/docs/prd.txt", "newer");
    let run = project.run(&["migrate", "-y"]);
    assert_eq!((run.code, run.out.as_str()), (1, ""), "{}", run.all());
    assert!(run.err.contains("exists already") && run.err.contains("--force"), "{}", run.err);
    let run = project.run(&["migrate", "-y", "-f"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.err.contains("because there is .taskmaster/docs/prd.txt"), "{}", run.err);
    assert_eq!(project.read(".taskmaster/docs/prd.txt"), "newer");
    assert_eq!(project.read("scripts/prd.txt"), "requirements");
}

#[test]
fn an_older_backup_is_kept() {
    let project = early();
    fs::create_dir(project.path("project/.taskmaster-migration-backup")).unwrap();
    let run = project.run(&["migrate", "-y", "--backup"]);
    assert_eq!((run.code, run.out.as_str()), (1, ""), "{}", run.all());
    assert!(run.err.contains("there is a backup in"), "{}", run.err);
    assert!(project.exists("tasks/tasks.json") && !project.exists(".taskmaster"));
}

#[cfg(unix)]
#[test]
fn what_cannot_be_moved_or_read_is_an_error() {
    let project = early();
    project.write(".taskmaster", "a file");
    let run = project.run(&["migrate", "-y", "-f"]);
    assert_eq!((run.code, run.out.as_str()), (1, ""), "{}", run.all());
    assert!(run.err.contains("because: cannot move tasks/task_001.txt"), "{}", run.err);
    let project = Project::empty();
    project.write("scripts", "a file");
    project.write("PRD.md", "");
    let run = project.run(&["migrate", "-y"]);
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(run.err.contains("cannot read /project/scripts"), "{}", run.err);
}
