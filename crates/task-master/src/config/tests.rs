use std::fs;

use super::*;

fn environment(variables: &[(&str, &str)]) -> Environment {
    let variables = variables.iter().map(|&(name, value)| (name.into(), value.into()));
    Environment::new("/work".into(), Some("/home/ann".into()), variables)
}

#[test]
fn the_project_fills_in_what_the_environment_lacks_and_overrides_nothing() {
    let project = tempfile::tempdir().unwrap();
    fs::write(project.path().join(".env"), "export A=file\nB=\"file # no comment\"\n").unwrap();
    let (environment, unreadable) = environment(&[("A", "process")]).with_dotenv(project.path());
    assert_eq!(environment.variable("A"), Some("process"));
    assert_eq!(environment.variable("B"), Some("file # no comment"));
    assert_eq!(unreadable, Vec::<String>::new());
}

#[test]
fn a_broken_line_is_told_and_costs_no_other_line() {
    let project = tempfile::tempdir().unwrap();
    fs::write(project.path().join(".env"), "A=one\nthis is no setting\nB=two\n").unwrap();
    let (environment, unreadable) = environment(&[]).with_dotenv(project.path());
    assert_eq!((environment.variable("A"), environment.variable("B")), (Some("one"), Some("two")));
    assert_eq!(unreadable.len(), 1, "{unreadable:?}");
}

#[test]
fn journals_are_kept_where_the_user_wants_them() {
    let default = environment(&[]).state_dir;
    assert_eq!(default, Path::new("/home/ann/.local/state/task-master"));
    let wanted = environment(&[("XDG_STATE_HOME", "/state")]).state_dir;
    assert_eq!(wanted, Path::new("/state/task-master"));
    let relative = environment(&[("XDG_STATE_HOME", "state")]).state_dir;
    assert_eq!(relative, default);
}

#[test]
fn colour_is_for_terminals_unless_somebody_says_otherwise() {
    #[track_caller]
    fn check(variables: &[(&str, &str)], is_terminal: bool, expected: bool) {
        assert_eq!(environment(variables).colour(is_terminal), expected, "{variables:?}");
    }
    check(&[], true, true);
    check(&[], false, false);
    check(&[("NO_COLOR", "1")], true, false);
    check(&[("NO_COLOR", "")], true, true);
    check(&[("TASK_MASTER_NO_COLOR", "1")], true, false);
    check(&[("TERM", "dumb")], true, false);
    check(&[("FORCE_COLOR", "1")], false, true);
    check(&[("FORCE_COLOR", "0")], true, false);
}

#[test]
fn keys_are_known_by_their_names() {
    let names =
        ["OPENAI_API_KEY", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "npm_token", "A_SECRET"];
    let others = ["PATH", "TOKENIZERS_PARALLELISM", "KEYBOARD", "HOME"];
    let all: Vec<_> = names.iter().chain(&others).map(|it| (*it, "x")).collect();
    let mut secrets = environment(&all).secrets();
    secrets.sort();
    let mut names = names;
    names.sort_unstable();
    assert_eq!(secrets, names);
}
