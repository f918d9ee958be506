//! `sync-readme`: what becomes of a README.

use crate::project::Project;

#[test]
fn a_readme_is_made_and_kept_up_to_date() {
    let project = Project::bakery();
    project.write(".taskmaster/config.json", r#"{"global":{"projectName":"The Bakery"}}"#);
    let run = project.run(&["sync-readme"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.out.contains("✓ 7 tasks of tag master in README.md"), "{}", run.out);
    let readme = project.read("README.md");
    assert!(readme.starts_with("# The Bakery\n\n<!-- TASKMASTER_EXPORT_START -->"), "{readme}");
    assert!(readme.contains("| 4 |"), "{readme}");
    project.run(&["set-status", "4", "done"]);
    project.run(&["sync-readme"]);
    let again = project.read("README.md");
    assert_eq!(again.matches("TASKMASTER_EXPORT_START").count(), 1);
    assert_ne!(again, readme);
}

#[test]
fn what_else_stands_there_stays() {
    let project = Project::bakery();
    project.write("README.md", "# Mine\n\nWords.\n");
    let run = project.run(&["sync-readme", "--with-subtasks", "--status=in-progress"]);
    assert!(run.out.contains("1 task and 2 subtasks"), "{}", run.out);
    let readme = project.read("README.md");
    assert!(readme.starts_with("# Mine\n\nWords.\n\n<!--"), "{readme}");
    assert!(readme.contains("| 2.1 |") && !readme.contains("| 3 |"), "{readme}");
}

#[test]
fn a_project_without_a_name_is_called_like_its_directory() {
    let project = Project::bakery();
    project.run(&["sync-readme", "--tag=festival"]);
    let readme = project.read("README.md");
    assert!(readme.starts_with("# project\n"), "{readme}");
    assert!(readme.contains("Rent a stall"), "{readme}");
}

#[test]
fn complexity_is_told_where_it_is_known() {
    let project = Project::bakery();
    let report = r#"{"complexityAnalysis":[{"taskId":3,"complexityScore":8}]}"#;
    project.write(".taskmaster/reports/task-complexity-report.json", report);
    project.run(&["sync-readme"]);
    let readme = project.read("README.md");
    assert!(readme.contains("| ● 8 |") && readme.contains("| N/A |"), "{readme}");
}

#[test]
fn what_makes_no_sense_writes_nothing() {
    let project = Project::bakery();
    for (arguments, expected) in [
        (["sync-readme", "--status=finished"], "error: `finished` is not a status"),
        (["sync-readme", "--tag=v2"], "error: there is no tag `v2`"),
        (["sync-readme", "--file=nowhere.json"], "error: there is no tasks file"),
    ] {
        let run = project.run(&arguments);
        assert_eq!(run.code, 1, "{}", run.all());
        assert!(run.err.contains(expected), "{}", run.err);
    }
    assert!(!project.exists("README.md"));
    project.write("README.md", b"caf\xe9");
    let run = project.run(&["sync-readme"]);
    assert!(run.err.contains("is not UTF-8 text"), "{}", run.err);
}
