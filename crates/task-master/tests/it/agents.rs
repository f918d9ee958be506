//! `start` and `loop`, with a script in place of the agent.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::project::{Project, Run};

/// A project whose `claude` is this shell script.
fn with_agent(script: &str) -> Project {
    let project = Project::bakery();
    let program = project.path("home").join("claude");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    project
}

fn command(project: &Project, arguments: &[&str]) -> Command {
    let path = format!("{}:/usr/bin:/bin", project.path("home").display());
    let mut command = project.command(arguments);
    command.env("PATH", path);
    command
}

fn run(project: &Project, arguments: &[&str]) -> Run {
    project.outcome(command(project, arguments).output().unwrap())
}

fn status_of(project: &Project, id: &str) -> Value {
    project.json(&["show", id, "--json"])["task"]["status"].clone()
}

#[test]
fn a_dry_run_shows_the_command_and_changes_nothing() {
    let project = Project::bakery();
    let before = project.tasks();
    let shown = project.json(&["start", "2.2", "--dry-run", "--force", "--format", "json"]);
    assert_eq!(shown["found"], true);
    assert_eq!(shown["started"], true);
    assert_eq!(shown["executionOutput"], "Dry run - task would be executed");
    assert_eq!(shown["storageType"], "file");
    assert_eq!(shown["subtaskId"], "2");
    assert_eq!(shown["task"]["id"], 2);
    assert_eq!(shown["subtask"]["id"], 2);
    assert_eq!(shown["command"]["executable"], "claude");
    assert_eq!(shown["command"]["cwd"], "/project");
    let prompt = shown["command"]["args"][0].as_str().unwrap();
    assert!(prompt.starts_with("Work on subtask 2.2 of this project"), "{prompt}");
    let text = project.run(&["start", "2", "--dry-run", "--force"]);
    assert!(text.out.contains("run: claude PROMPT"), "{}", text.out);
    assert_eq!(project.tasks(), before);
}

#[test]
fn the_agent_gets_the_task_in_the_root_of_the_project() {
    let project = with_agent("pwd > where; printf %s \"$1\" > told; echo hello");
    let run = run(&project, &["start", "--id", "3", "--force"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.out.ends_with("hello\n"), "{}", run.out);
    assert_eq!(project.read("where").trim(), project.path("project").display().to_string());
    assert!(project.read("told").starts_with("Work on task 3 of this project"));
    assert_eq!(status_of(&project, "3"), "in-progress");
}

#[test]
fn in_json_the_output_of_the_agent_is_a_part() {
    let project = with_agent("echo hello");
    let run = run(&project, &["start", "3", "--force", "--no-status-update", "-f", "json"]);
    assert_eq!(run.code, 0, "{}", run.all());
    let document: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(document["started"], true);
    assert_eq!(document["executionOutput"], "hello\n");
    assert_eq!(status_of(&project, "3"), "pending");
}

#[test]
fn what_cannot_be_started_changes_nothing() {
    #[track_caller]
    fn check(script: &str, arguments: &[&str], expected: &str) {
        let project = with_agent(script);
        let before = project.tasks();
        let run = run(&project, &[&["start"], arguments].concat());
        assert_eq!(run.code, 1, "{}", run.all());
        assert!(run.err.contains(expected), "{}", run.err);
        assert_eq!(project.tasks(), before);
    }
    check("", &["99"], "there is no task 99 in tag `master`");
    check("", &["three"], "`three` is not a task id");
    check("", &["3"], "other work is in progress: 2");
    let project = Project::bakery();
    let before = project.tasks();
    let run = project.run(&["start", "3", "--force"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("the program `claude` cannot be run"), "{}", run.err);
    assert_eq!(project.tasks(), before);
    let run = project.run(&["start", "99", "--format", "json"]);
    assert_eq!(run.code, 1);
    let document: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(document["found"], false);
    assert_eq!(document["error"], "there is no task 99 in tag `master`");
}

#[test]
fn an_agent_that_fails_is_a_failure() {
    let run = run(&with_agent("exit 3"), &["start", "3", "--force"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("claude ended with exit status: 3"), "{}", run.err);
}

#[test]
fn a_loop_ends_when_the_agent_says_that_all_is_done() {
    let project = with_agent(
        "printf '%s\\n' \"$@\" > told; echo baking; echo '<loop-complete>all baked</loop-complete>'",
    );
    let run = run(&project, &["loop", "-n", "3", "--tag", "master"]);
    assert_eq!((run.code, &*run.err), (0, ""));
    insta::assert_snapshot!(run.out);
    let told = project.read("told");
    assert!(told.starts_with("-p\n@.taskmaster/progress.txt @CLAUDE.md\n"), "{told}");
    assert!(told.ends_with("\n--dangerously-skip-permissions\n"), "{told}");
    assert!(told.contains("round 1 of at most 3, for the tag \"master\""), "{told}");
    let notes = project.read(".taskmaster/progress.txt");
    assert!(
        notes.starts_with("# Loop of ") && notes.contains("all_complete: all baked"),
        "{notes}"
    );
}

#[test]
fn a_loop_ends_when_the_agent_is_stuck() {
    let project = with_agent("echo '<loop-blocked>no yeast</loop-blocked>'");
    let run = run(&project, &["loop", "-n", "2", "--progress-file", "notes/p.txt", "--no-output"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("error: blocked after 1 rounds: no yeast"), "{}", run.err);
    assert!(!run.out.contains("<loop-blocked>"), "{}", run.out);
    assert!(project.read("notes/p.txt").contains("blocked: no yeast"));
}

#[test]
fn a_loop_makes_as_many_rounds_as_asked_for() {
    let project = with_agent("exit 2");
    let run = run(&project, &["loop", "-n", "1", "-p", "linting"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.out.contains("Round 1: error: the agent ended with exit status: 2"), "{}", run.out);
    assert!(project.read(".taskmaster/progress.txt").contains("max_iterations"));
}

#[test]
fn a_loop_works_on_a_prompt_from_a_file_and_shows_what_is_said_in_a_stream() {
    let line = r#"{"type":"assistant","message":{"content":[{"type":"text","text":"kneading"}]}}"#;
    let project = with_agent(&format!("printf '%s\\n' \"$@\" > told; echo '{line}'"));
    project.write("knead.md", "Knead the dough.");
    let run = run(&project, &["loop", "-n", "1", "--prompt", "knead.md", "--verbose"]);
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.out.contains("\nkneading\n"), "{}", run.out);
    let told = project.read("told");
    assert!(told.contains("\nKnead the dough.\n"), "{told}");
    assert!(told.ends_with("--output-format\nstream-json\n--verbose\n"), "{told}");
}

#[test]
fn a_loop_that_cannot_run_is_a_failure() {
    #[track_caller]
    fn check(arguments: &[&str], expected: &str) {
        let project = Project::bakery();
        project.write("empty.md", " \n");
        let run = project.run(&[&["loop"], arguments].concat());
        assert_eq!(run.code, 1, "{}", run.all());
        assert!(run.err.contains(expected), "{}", run.err);
    }
    check(&["-n", "0"], "0 is not in 1..");
    check(&["-n", "-1"], "unexpected argument");
    check(&["-n", "some"], "invalid value 'some'");
    check(&["-p", "gone.md"], "there is no prompt");
    check(&["-p", "empty.md"], "is empty");
    check(&["-n", "1"], "the program `claude` is not installed");
    check(&["-n", "1", "--progress-file", "/dev/null/x"], "cannot be written");
}

#[test]
fn ctrl_c_ends_the_agent_and_is_noted() {
    let project = with_agent("echo $$; exec sleep 600");
    let mut command = command(&project, &["loop", "-n", "2"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "Round 1 of 2");
    let agent = lines.next().unwrap().unwrap();
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let is_alive = Command::new("kill").args(["-0", &agent]).output().unwrap().status.success();
    assert!(!is_alive, "the agent {agent} is still at work");
    assert!(project.read(".taskmaster/progress.txt").contains("after 1 rounds, interrupted"));
}
