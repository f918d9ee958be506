//! `tags` and the commands that it took the place of.

use std::process::Command;

use serde_json::{Value, json};

use crate::project::Project;

fn file(project: &Project) -> Value {
    serde_json::from_str(&project.tasks()).unwrap()
}

fn current_tag(project: &Project) -> Value {
    let state: Value = serde_json::from_str(&project.read(".taskmaster/state.json")).unwrap();
    state["currentTag"].clone()
}

/// A bakery in a git repository, with this branch checked out.
fn on_branch(branch: &str) -> Project {
    let project = Project::bakery();
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        let git = git.args(arguments).current_dir(project.path("project"));
        assert!(git.env("HOME", project.path("home")).output().unwrap().status.success());
    };
    git(&["init", "--quiet"]);
    git(&["symbolic-ref", "HEAD", &format!("refs/heads/{branch}")]);
    project
}

#[test]
fn the_current_tag_is_listed_first() {
    let project = Project::bakery();
    project.write(".taskmaster/state.json", r#"{"currentTag": "festival"}"#);
    let before = project.tasks();
    insta::assert_snapshot!(project.run_in_columns(80, &["tags"]).all());
    assert_eq!(project.run(&["tags", "list"]).out, project.run(&["tags"]).out);
    assert_eq!(project.tasks(), before);
}

#[test]
fn what_a_tag_is_for_is_shown_on_demand() {
    let project = Project::bakery();
    project.run(&[
        "tags",
        "copy",
        "festival",
        "winter",
        "--description",
        "冬のパン祭り: stollen, punch and everything else that is sold when it snows on the market",
    ]);
    let run = project.run_in_columns(80, &["tags", "--show-metadata"]);
    // The copy was made today.
    let is_today = |it: &&str| it.len() == 10 && it.starts_with("20") && *it != "2025-01-01";
    let day = run.out.split_whitespace().find(is_today);
    insta::assert_snapshot!(run.out.replace(day.unwrap(), "2030-01-01"));
    let wide = project.run_in_columns(200, &["tags", "list", "--show-metadata"]).out;
    assert!(wide.contains("when it snows on the market"), "{wide}");
}

#[test]
fn tags_without_anything_to_do_can_be_left_out() {
    let project = Project::bakery();
    project.run(&["tags", "add", "empty"]);
    assert!(project.run(&["tags"]).out.contains("empty"));
    let ready = project.run(&["tags", "--ready"]).out;
    assert!(ready.contains("master") && !ready.contains("empty"), "{ready}");
    let project = Project::with_tasks(&json!([]));
    assert!(project.run(&["tags", "--ready"]).out.contains("No tag has a task"));
}

#[test]
fn without_tags_there_is_nothing_to_list() {
    let run = Project::empty().run(&["tags"]);
    assert_eq!(run.code, 0);
    assert!(run.out.contains("There are no tags yet."), "{}", run.out);
}

#[test]
fn a_tag_is_added_used_renamed_copied_and_removed() {
    let project = Project::bakery();
    let commands = [
        &["tags", "add", "v2", "--copy-from", "festival", "--description", "Next year"][..],
        &["tags", "use", "v2"],
        &["tags", "use", "v2"],
        &["tags", "rename", "v2", "v3"],
        &["tags", "copy", "v3", "v4"],
        &["tags", "remove", "v3", "-y"],
        &["tags", "add", "v5", "--copy-from", "nowhere"],
    ];
    let told = commands.map(|arguments| {
        format!("$ task-master {}\n{}", arguments.join(" "), project.run(arguments).all())
    });
    insta::assert_snapshot!(told.join("\n"));
    let names: Vec<String> = file(&project).as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["master", "festival", "v4", "v5"]);
    assert_eq!(current_tag(&project), "master");
    assert_eq!(file(&project)["v4"]["tasks"], file(&project)["festival"]["tasks"]);
}

#[test]
fn a_removed_tag_comes_back_with_undo() {
    let project = Project::bakery();
    let before = file(&project);
    project.run(&["tags", "remove", "festival", "--yes"]);
    assert_eq!(file(&project).get("festival"), None);
    project.run(&["undo"]);
    assert_eq!(file(&project), before);
}

#[test]
fn what_makes_no_sense_changes_nothing() {
    #[track_caller]
    fn check(arguments: &[&str], expected: &str) {
        let project = Project::bakery();
        let before = project.tasks();
        let run = project.run(arguments);
        assert_eq!(run.code, 1, "{}", run.all());
        assert!(run.err.contains(expected), "{}", run.err);
        assert_eq!(project.tasks(), before);
        assert!(!project.exists(".taskmaster/state.json"));
    }
    check(&["tags", "add"], "required");
    check(&["tags", "add", "master"], "error: the name `master` is reserved");
    check(&["tags", "add", "festival"], "error: there is a tag `festival` already");
    check(&["tags", "add", "a b"], "error: `a b` is no name for a tag");
    check(&["tags", "use", "nope"], "error: there is no tag `nope`");
    check(&["tags", "remove", "nope", "-y"], "error: there is no tag `nope`");
    check(&["tags", "remove", "master", "-y"], "error: tag `master` can be neither");
    check(&["tags", "remove", "festival"], "hint: to remove it, add --yes");
    check(&["tags", "rename", "festival", "master"], "error: the name `master` is reserved");
    check(&["tags", "copy", "nope", "x"], "error: there is no tag `nope`");
    check(&["tags", "add", "--from-branch"], "is in no git repository");
}

#[test]
fn a_tag_is_called_after_the_branch() {
    let project = on_branch("feature/Pay-By-Card");
    let run = project.run(&["tags", "add", "ignored", "--from-branch"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.err.contains("not `ignored`"), "{}", run.err);
    assert!(file(&project)["feature-pay-by-card"].is_object());
    let state: Value = serde_json::from_str(&project.read(".taskmaster/state.json")).unwrap();
    assert_eq!(state["branchTagMapping"], json!({ "feature/Pay-By-Card": "feature-pay-by-card" }));
    assert_eq!(state["currentTag"], "master");
    let run = project.run(&["add-tag", "--from-branch"]);
    assert!(run.err.contains("there is a tag `feature-pay-by-card` already"), "{}", run.err);
    let run = on_branch("main").run(&["tags", "add", "--from-branch"]);
    assert!(run.err.contains("error: branch `main` is where branches start"), "{}", run.err);
}

#[test]
fn the_old_names_still_work_and_say_what_took_their_place() {
    let project = Project::bakery();
    for (arguments, new) in [
        (&["add-tag", "v2", "--copy-from-current", "-d", "Second"][..], "tags add"),
        (&["use-tag", "v2"], "tags use"),
        (&["rename-tag", "v2", "v3"], "tags rename"),
        (&["copy-tag", "v3", "v4", "-d", "Fourth"], "tags copy"),
        (&["delete-tag", "v3", "-y"], "tags remove"),
    ] {
        let run = project.run(arguments);
        assert_eq!(run.code, 0, "{}", run.all());
        assert!(run.err.contains(&format!("use `task-master {new}`")), "{}", run.err);
    }
    let file = file(&project);
    assert_eq!(file["v4"]["tasks"], file["master"]["tasks"]);
    assert_eq!(file["v4"]["metadata"]["description"], "Fourth");
    assert_eq!(current_tag(&project), "master");
}

#[test]
fn a_variable_that_overrules_the_current_tag_is_named() {
    let project = Project::bakery();
    let mut command = project.command(&["tags", "use", "festival"]);
    let run = project.outcome(command.env("TASKMASTER_TAG", "master").output().unwrap());
    assert!(run.err.contains("TASKMASTER_TAG is set"), "{}", run.err);
}
