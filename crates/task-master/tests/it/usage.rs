//! What holds for every command.

use crate::project::Project;

#[test]
fn the_version_is_nothing_but_a_version() {
    let run = Project::empty().run(&["--version"]);
    assert_eq!(run.out, format!("{}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn what_is_typed_wrong_exits_with_1() {
    for arguments in [&["list", "--frobnicate"][..], &["frobnicate"], &["list", "-f", "xml"]] {
        let run = Project::bakery().run(arguments);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{arguments:?}");
        assert!(run.err.starts_with("error: "), "{}", run.err);
    }
}

#[test]
fn help_is_no_failure() {
    for arguments in [&[][..], &["--help"], &["help"], &["set-status", "--help"]] {
        let run = Project::empty().run(arguments);
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{arguments:?}");
        assert!(run.out.contains("\nUsage: task-master"), "{}", run.out);
    }
}

#[test]
fn no_banner_is_accepted_anywhere() {
    let project = Project::bakery();
    let expected = project.run(&["list", "-c"]).out;
    for arguments in [
        ["--no-banner", "list", "-c"],
        ["list", "--no-banner", "-c"],
        ["list", "-c", "--no-banner"],
    ] {
        assert_eq!(project.run(&arguments).out, expected);
    }
}

#[test]
fn a_silent_environment_prints_no_results() {
    let project = Project::bakery();
    let output = project.command(&["list"]).env("TM_SILENT", "1").output().unwrap();
    assert_eq!(project.outcome(output).out, "");
}
