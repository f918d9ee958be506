//! `rules`, as far as the command line decides; which files there are is tested beside the code.

use std::fs;

use crate::project::Project;

fn project() -> Project {
    let project = Project::bakery();
    fs::create_dir(project.path("project/.git")).unwrap();
    project
}

#[test]
fn profiles_are_separated_by_commas_or_spaces() {
    for arguments in [&["rules", "add", "cursor,trae"][..], &["rules", "add", "Cursor", "trae"]] {
        let project = project();
        let run = project.run(arguments);
        insta::allow_duplicates! { insta::assert_snapshot!(run.all()) };
        assert!(project.exists(".cursor/mcp.json") && project.exists(".trae/rules/trae_rules.md"));
    }
}

#[test]
fn what_nobody_knows_is_told_and_left_out() {
    let run = project().run(&["rules", "add", "notaprofile"]);
    assert_eq!((run.code, run.out.as_str()), (0, ""), "{}", run.all());
    assert!(run.err.contains("there are no rules for `notaprofile`"), "{}", run.err);
    for (arguments, error) in [
        (&["rules", "destroy", "cursor"][..], "invalid value 'destroy'"),
        (&["rules"], "hint: use `task-master rules add PROFILE`"),
        (&["rules", "add"], "there is nobody to ask"),
        (&["rules", "--setup"], "there is nobody to ask"),
    ] {
        let run = project().run(arguments);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{}", run.all());
        assert!(run.err.contains(error), "{}", run.err);
    }
}

#[test]
fn editors_are_found_by_their_directories() {
    let project = project();
    let run = project.run(&["rules", "add", "-y"]);
    assert!(run.err.contains("no editor has a directory here"), "{}", run.all());
    fs::create_dir(project.path("project/.windsurf")).unwrap();
    project.run(&["rules", "add", "-y"]);
    assert!(project.exists(".windsurf/mcp.json"));
}

#[test]
fn the_mode_comes_from_the_flag_or_from_the_configuration() {
    let hamster = ".cursor/rules/taskmaster/hamster.mdc";
    for (config, arguments, is_team) in [
        ("{}", &["rules", "add", "cursor"][..], false),
        (r#"{"storage":{"operatingMode":"team"}}"#, &["rules", "add", "cursor"], true),
        ("{}", &["rules", "add", "cursor", "--mode=team"], true),
        (
            r#"{"storage":{"operatingMode":"team"}}"#,
            &["rules", "add", "cursor", "-m", "solo"],
            false,
        ),
    ] {
        let project = project();
        project.write(".taskmaster/config.json", config);
        project.run(arguments);
        assert_eq!(project.exists(hamster), is_team, "{config} {arguments:?}");
    }
}

#[test]
fn the_last_rules_are_removed_only_when_asked_for() {
    let project = project();
    project.run(&["rules", "add", "cursor", "windsurf"]);
    let run = project.run(&["rules", "remove", "windsurf"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(!project.exists(".windsurf") && project.exists(".cursor"));
    let run = project.run(&["rules", "remove", "cursor"]);
    assert_eq!((run.code, run.out.as_str()), (1, ""), "{}", run.all());
    assert!(run.err.contains("add --force to go on"), "{}", run.err);
    let run = project.run(&["rules", "remove", "cursor", "--force"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(!project.exists(".cursor"));
}

#[test]
fn settings_of_the_users_are_warned_about_and_a_file_in_the_way_is_a_failure() {
    let project = project();
    project.write(".zed/settings.json", "{ // mine\n}");
    let run = project.run(&["rules", "add", "zed"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.err.contains(".zed/settings.json is left as it is"), "{}", run.err);
    project.write(".trae", "a file");
    let run = project.run(&["rules", "add", "trae"]);
    assert_eq!((run.code, run.out.as_str()), (1, ""), "{}", run.all());
    assert!(run.err.contains("error: the Trae rules were not added"), "{}", run.err);
}
