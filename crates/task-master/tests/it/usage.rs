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
    for arguments in [&[][..], &["--help"], &["help"], &["tui"], &["set-status", "--help"]] {
        let run = Project::empty().run(arguments);
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{arguments:?}");
        assert!(run.out.contains("Usage: task-master"), "{}", run.out);
    }
}

#[test]
fn help_has_every_command_under_a_heading() {
    let run = Project::empty().run(&["help"]);
    for part in ["\nProject Setup & Configuration\n  init ", "\nTask Management\n  list "] {
        assert!(run.out.contains(part), "{part}: {}", run.out);
    }
    assert!(!run.out.contains("export-tag"), "{}", run.out);
    assert_eq!(Project::empty().run(&[]).out, run.out);
}

#[test]
fn help_explains_a_command() {
    let run = Project::empty().run(&["help", "models", "pull"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("Usage: task-master models pull"), "{}", run.out);
    let run = Project::empty().run(&["help", "frobnicate"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("there is no command `frobnicate`"), "{}", run.err);
}

#[test]
fn what_needs_a_cloud_says_that_there_is_none() {
    for arguments in [
        &["login"][..],
        &["auth", "login", "token", "-y"],
        &["context", "org", "1"],
        &["brief", "list", "--show-metadata"],
        &["export", "--tag", "a"],
        &["export-tag", "a"],
    ] {
        let run = Project::bakery().run(arguments);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{arguments:?}");
        assert!(run.err.contains("cloud features are not available in this build"), "{}", run.err);
    }
    for arguments in [
        &["auth", "status"][..],
        &["auth", "logout"],
        &["logout"],
        &["context"],
        &["context", "--no-header"],
        &["auth", "login", "--help"],
        &["export", "-h"],
    ] {
        let run = Project::bakery().run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}");
        assert_eq!(run.out, "cloud features are not available in this build\n");
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
