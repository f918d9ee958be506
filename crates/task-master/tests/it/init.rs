//! `init` in empty directories and in ones that are not.

use std::fs;

use crate::project::{Project, Run};

fn init(project: &Project, arguments: &[&str]) -> Run {
    let run = project.run(&[&["init", "-y"], arguments].concat());
    assert_eq!(run.code, 0, "{}", run.err);
    run
}

#[test]
fn a_fresh_project_is_laid_out() {
    let project = Project::empty();
    let run = init(&project, &["--no-git", "--no-aliases"]);
    insta::assert_snapshot!(run.all());
    insta::assert_snapshot!(project.read(".taskmaster/config.json"));
    let state: serde_json::Value =
        serde_json::from_str(&project.read(".taskmaster/state.json")).unwrap();
    assert_eq!(state["currentTag"], "master");
    assert_eq!(state["migrationNoticeShown"], false);
    assert!(!project.exists(".taskmaster/tasks/tasks.json"));
    assert!(!project.exists(".git"));
    assert!(project.run(&["list"]).out.contains("No tasks found"));
}

#[test]
fn what_is_there_stays_as_it_is() {
    let project = Project::empty();
    let files = [
        (".taskmaster/config.json", "{\"mine\":true}"),
        (".taskmaster/state.json", "{\"currentTag\":\"mine\"}"),
        (".taskmaster/templates/example_prd.txt", "mine"),
        (".env.example", "MINE=1"),
    ];
    for (path, text) in files {
        project.write(path, text);
    }
    project.write(".gitignore", "mine\nnode_modules/");
    init(&project, &["--no-git", "--no-aliases"]);
    for (path, text) in files {
        assert_eq!(project.read(path), text, "{path}");
    }
    let ignored = project.read(".gitignore");
    assert!(ignored.starts_with("mine\nnode_modules/\n\n# Logs\n"), "{ignored}");
    assert_eq!(ignored.matches("node_modules/").count(), 1);
}

#[test]
fn a_second_time_changes_nothing() {
    let project = Project::empty();
    init(&project, &["--no-git", "--no-aliases"]);
    let ignored = project.read(".gitignore");
    let run = init(&project, &["--no-git", "--no-aliases"]);
    insta::assert_snapshot!(run.out.lines().take(2).collect::<Vec<_>>().join("\n"));
    assert_eq!(project.read(".gitignore"), ignored);
}

#[test]
fn tasks_stay_out_of_version_control_when_asked_for() {
    let project = Project::empty();
    init(&project, &["--no-git", "--no-aliases", "--no-git-tasks"]);
    assert!(project.read(".gitignore").ends_with("# Task files\ntasks.json\ntasks/\n"));
}

#[test]
fn aliases_go_only_into_a_file_that_exists() {
    let project = Project::empty();
    init(&project, &["--no-git", "--aliases"]);
    assert_eq!(fs::read_dir(project.path("home")).unwrap().count(), 0);
    fs::write(project.path("home/.bashrc"), "# mine\n").unwrap();
    init(&project, &["--no-git", "--no-aliases"]);
    assert_eq!(fs::read_to_string(project.path("home/.bashrc")).unwrap(), "# mine\n");
    init(&project, &["--no-git", "--aliases"]);
    let text = fs::read_to_string(project.path("home/.bashrc")).unwrap();
    assert!(text.starts_with("# mine\n\n# Task Master aliases added on "), "{text}");
    assert!(text.ends_with("\nalias tm='task-master'\nalias taskmaster='task-master'\n"), "{text}");
}

#[test]
fn a_repository_is_made_unless_there_is_one() {
    let project = Project::empty();
    init(&project, &["--no-aliases"]);
    assert!(project.exists(".git"));
    fs::create_dir(project.path("project/part")).unwrap();
    let mut part = project.command(&["init", "-y", "--no-aliases"]);
    part.current_dir(project.path("project/part")).output().unwrap();
    assert!(project.exists("part/.taskmaster"));
    assert!(!project.exists("part/.git"));
}

#[test]
fn a_dry_run_says_what_it_would_do_and_does_nothing() {
    let project = Project::empty();
    let run = init(&project, &["--dry-run", "--no-aliases"]);
    insta::assert_snapshot!(run.all());
    assert_eq!(fs::read_dir(project.path("project")).unwrap().count(), 0);
}

#[test]
fn rules_are_written_for_those_who_are_named() {
    for arguments in [&["-r", "cursor,windsurf"][..], &["--rules", "cursor", "windsurf"]] {
        let project = Project::empty();
        let run = init(&project, &[&["--no-git", "--no-aliases"], arguments].concat());
        assert!(run.out.contains("✓ Cursor rules added: 51 files changed\n"), "{}", run.out);
        assert!(project.exists(".cursor/rules/taskmaster/taskmaster.mdc"));
        assert!(project.exists(".windsurf/rules/windsurf_rules.md"));
    }
    let project = Project::empty();
    let run = init(&project, &["--dry-run", "-r", "cursor"]);
    assert!(run.out.contains("rules for Cursor\n"), "{}", run.out);
    assert!(!project.exists(".cursor"));
}

#[cfg(unix)]
#[test]
fn what_is_in_the_way_is_told() {
    let project = Project::empty();
    project.write(".taskmaster", "a file");
    let run = project.run(&["init", "-y", "--no-git"]);
    assert_eq!((run.code, run.out.as_str()), (1, ""), "{}", run.all());
    assert!(run.err.contains("because: cannot create /project/.taskmaster/tasks"), "{}", run.err);
}

#[test]
fn rules_that_nobody_knows_are_left_out() {
    let run = init(&Project::empty(), &["--no-git", "--no-aliases", "-r", "notaprofile"]);
    assert!(run.err.starts_with("warning: there are no rules for `notaprofile`: it is left out"));
}
