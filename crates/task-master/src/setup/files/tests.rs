use super::*;

#[test]
fn a_fresh_gitignore_leaves_tasks_in_version_control() {
    let text = missing_ignores("", false);
    assert!(text.starts_with("# Logs\nlogs\n*.log\n"), "{text}");
    assert!(text.contains("\n\n# Environment variables\n.env\n"), "{text}");
    assert!(!text.contains("tasks"), "{text}");
}

#[test]
fn tasks_are_ignored_when_asked_for() {
    assert!(missing_ignores("", true).ends_with("\n# Task files\ntasks.json\ntasks/\n"));
}

#[test]
fn only_what_a_gitignore_lacks_is_added() {
    let whole = missing_ignores("", true);
    assert_eq!(missing_ignores(&whole, true), "");
    let without_env = whole.replace(".env\n", "");
    assert_eq!(missing_ignores(&without_env, true), "\n# Environment variables\n.env\n");
    let without_end = without_env.trim_end();
    assert_eq!(missing_ignores(without_end, true), "\n\n# Environment variables\n.env\n");
}

#[test]
fn aliases_are_added_once() {
    let added = missing_aliases("# mine\n", "2030-01-31");
    insta::assert_snapshot!(added, @r"

    # Task Master aliases added on 2030-01-31
    alias tm='task-master'
    alias taskmaster='task-master'
    ");
    assert_eq!(missing_aliases(&format!("# mine\n{added}"), "2030-02-01"), "");
}

#[test]
fn an_alias_of_the_users_own_stays() {
    let added = missing_aliases("alias tm='tmux'\n", "2030-01-31");
    assert!(!added.contains("alias tm="), "{added}");
    assert!(added.contains("alias taskmaster="), "{added}");
}
