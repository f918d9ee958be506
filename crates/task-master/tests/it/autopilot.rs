//! `autopilot`, in real repositories.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use serde_json::{Value, json};

use crate::project::{Project, Run};

/// A repository with a task of three subtasks, of which the first is done.
struct Repository {
    project: Project,
}

const GREEN: &str = r#"{"total":2,"passed":2,"failed":0,"skipped":0}"#;
const RED: &str = r#"{"total":2,"passed":1,"failed":1,"skipped":0}"#;

impl Repository {
    fn new() -> Self {
        let subtask = |id: u32, title: &str, status: &str| json!({ "id": id, "title": title, "description": "d", "status": status });
        let task = |id: u32, title: &str, subtasks: Vec<Value>| {
            json!({
                "id": id, "title": title, "description": "d", "status": "pending",
                "priority": "medium", "dependencies": [], "subtasks": subtasks
            })
        };
        let project = Project::with_tasks(&json!([
            task(1, "Buy flour", vec![]),
            task(
                2,
                "Heat the oven",
                vec![
                    subtask(1, "Find the switch", "done"),
                    subtask(2, "Set the temperature", "pending"),
                    subtask(3, "Wait", "pending"),
                ]
            ),
        ]));
        let repository = Self { project };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.git(&["config", "user.email", "baker@example.org"]);
        repository.git(&["config", "user.name", "Baker"]);
        repository.git(&["add", "--all"]);
        repository.git(&["commit", "--quiet", "--message=start"]);
        repository
    }

    /// A task of which two subtasks are left, with its workflow running.
    fn started() -> Self {
        let repository = Self::new();
        let run = repository.run(&["start", "2"]);
        assert_eq!(run.code, 0, "{}", run.all());
        repository
    }

    fn git(&self, arguments: &[&str]) -> String {
        let mut command = std::process::Command::new("git");
        command.args(arguments).current_dir(self.project.path("project"));
        let output = command.env("HOME", self.project.path("home")).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let mut command = self.project.command(&[&["autopilot"], arguments].concat());
        self.project.outcome(command.output().unwrap())
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        let run = self.run(&[arguments, &["--json"]].concat());
        assert_eq!((run.code, &*run.err), (0, ""), "{}", run.all());
        serde_json::from_str(&run.out).unwrap()
    }

    /// The error of a command that must fail, which is one JSON document on standard error.
    #[track_caller]
    fn error(&self, arguments: &[&str]) -> String {
        let run = self.run(&[arguments, &["--json"]].concat());
        assert_eq!((run.code, &*run.out), (1, ""), "{}", run.all());
        let error: Value = serde_json::from_str(&run.err).unwrap();
        error["error"].as_str().unwrap().to_owned()
    }

    /// Takes the current subtask up to its commit.
    fn red_and_green(&self, file: &str) {
        self.project.write(file, "work");
        self.json(&["complete", "--results", RED]);
        self.json(&["complete", "--results", GREEN]);
    }

    fn status_of(&self, id: &str) -> String {
        let shown = self.project.json(&["show", id, "--json"]);
        shown["task"]["status"].as_str().unwrap().to_owned()
    }

    fn sessions(&self) -> PathBuf {
        let root = self.project.path("project").display().to_string();
        let id: String =
            root.chars().map(|it| if it.is_ascii_alphanumeric() { it } else { '-' }).collect();
        self.project.path("home").join(".taskmaster").join(id).join("sessions")
    }

    fn state(&self) -> PathBuf {
        self.sessions().join("workflow-state.json")
    }

    fn hook(&self, name: &str, script: &str) {
        let path = self.project.path("project").join(".git/hooks").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Ends the program that runs git, from within a hook of git.
    const KILL: &str = "kill -9 $(awk '{ print $4 }' /proc/$PPID/stat)";
}

#[test]
fn a_whole_task_goes_through_its_subtasks() {
    let repository = Repository::new();
    let started = repository.json(&["start", "2"]);
    insta::assert_json_snapshot!(started);
    assert_eq!(
        repository.git(&["branch", "--show-current"]).trim(),
        "tm/master/task-2-heat-the-oven"
    );
    assert_eq!(repository.status_of("2"), "in-progress");
    assert!(repository.state().is_file());
    insta::assert_json_snapshot!(repository.json(&["next"]));

    repository.project.write("src/cli/oven.rs", "fn heat() {}");
    insta::assert_json_snapshot!(repository.json(&["complete", "--results", RED]));
    let green = repository.json(&["complete", "-r", GREEN, "--coverage", "81.5"]);
    assert_eq!(
        (&green["nextPhase"], &green["subtask"]),
        (&json!("COMMIT"), &json!("Set the temperature"))
    );
    assert_eq!(green["message"], "GREEN phase completed");
    assert_eq!(green["suggestion"], "Run: autopilot commit");
    assert_eq!(repository.json(&["next"])["lastTestResults"]["phase"], "GREEN");
    let mut committed = repository.json(&["commit"]);
    let hash = committed["commitHash"].take();
    assert_eq!(repository.git(&["rev-parse", "--short", "HEAD"]).trim(), hash.as_str().unwrap());
    insta::assert_json_snapshot!(committed);
    insta::assert_snapshot!(repository.git(&["log", "-1", "--format=%B"]));
    assert_eq!(repository.git(&["status", "--porcelain"]), "");
    let mut status = repository.json(&["status"]);
    assert!(status["metadata"]["startedAt"].take().is_string());
    insta::assert_json_snapshot!(status);

    repository.red_and_green("tests/wait.rs");
    let last = "All subtasks complete. Run: autopilot finalize";
    assert_eq!(repository.json(&["commit"])["nextAction"], last);
    let finalized = repository.json(&["finalize"]);
    assert_eq!((&finalized["success"], &finalized["phase"]), (&json!(true), &json!("COMPLETE")));
    assert_eq!(repository.status_of("2"), "done");
    assert_eq!(repository.git(&["status", "--porcelain"]), "");
    assert!(!repository.state().exists());
    let activity = fs::read_to_string(repository.sessions().join("activity.jsonl")).unwrap();
    let events: Vec<Value> = activity.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    assert_eq!(events[0]["type"], "workflow:started");
    assert_eq!(events.last().unwrap()["type"], "workflow:completed");
}

#[test]
fn a_commit_marks_the_subtask_and_no_other_task() {
    let repository = Repository::started();
    repository.red_and_green("a.txt");
    repository.json(&["commit"]);
    assert_eq!(repository.status_of("2.2"), "done");
    assert_eq!(repository.status_of("2.3"), "pending");
    assert_eq!(repository.status_of("2"), "in-progress");
    assert_eq!(repository.status_of("1"), "pending");
}

#[test]
fn without_a_workflow_only_status_and_abort_succeed() {
    let repository = Repository::new();
    let none = json!({ "active": false, "message": "No active workflow" });
    assert_eq!(repository.json(&["status"]), none);
    assert_eq!(repository.json(&["abort"]), none);
    for step in ["resume", "next", "commit", "finalize"] {
        assert_eq!(repository.error(&[step]), "no workflow is running", "{step}");
    }
    assert_eq!(repository.error(&["complete", "-r", RED]), "no workflow is running");
}

#[test]
fn a_workflow_begins_on_a_clean_tree_only() {
    #[track_caller]
    fn check(dirty: impl Fn(&Repository)) {
        let repository = Repository::new();
        dirty(&repository);
        let before = (repository.project.tasks(), repository.git(&["status", "--porcelain"]));
        let error = repository.error(&["start", "2", "--force"]);
        assert!(error.starts_with("the working tree is not clean: "), "{error}");
        let after = (repository.project.tasks(), repository.git(&["status", "--porcelain"]));
        assert_eq!(after, before);
        assert_eq!(repository.git(&["branch", "--format=%(refname:short)"]), "main\n");
        assert!(!repository.state().exists());
    }
    check(|it| it.project.write("new.txt", "new"));
    check(|it| {
        it.project.write("new.txt", "new");
        it.git(&["add", "new.txt"]);
    });
    check(|it| {
        let text = it.project.tasks() + "\n";
        it.project.write(".taskmaster/tasks/tasks.json", text);
    });
    check(|it| drop(it.git(&["rm", "--quiet", "--cached", ".taskmaster/tasks/tasks.json"])));
}

#[test]
fn what_cannot_be_worked_on_is_refused() {
    let repository = Repository::new();
    assert_eq!(repository.error(&["start", "9"]), "there is no task 9 in tag `master`");
    assert_eq!(repository.error(&["start", "1"]), "task 1 has no subtasks");
    assert_eq!(
        repository.error(&["start", "2.2"]),
        "2.2 is a subtask; a workflow is for a whole task"
    );
    repository.project.run(&["set-status", "--id=2.2,2.3", "--status=done"]);
    repository.git(&["commit", "--all", "--quiet", "--message=done"]);
    assert_eq!(repository.error(&["start", "2"]), "all subtasks of task 2 are done");
    assert_eq!(repository.run(&["start", "2", "--max-attempts=0"]).code, 1);
    let outside = Project::bakery();
    let run = outside.run(&["autopilot", "start", "2"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("is not in a git repository"), "{}", run.err);
}

#[test]
fn a_second_workflow_needs_force_and_keeps_a_copy_of_the_first() {
    let repository = Repository::started();
    assert_eq!(repository.error(&["start", "2"]), "a workflow for task 2 is running");
    repository.git(&["commit", "--all", "--quiet", "--message=begun"]);
    assert_eq!(repository.json(&["start", "2", "-f"])["success"], true);
    let backups = fs::read_dir(repository.sessions().join("backups")).unwrap().count();
    assert_eq!(backups, 1);
}

#[test]
fn a_branch_that_is_there_is_gone_on_with() {
    let repository = Repository::started();
    repository.red_and_green("a.txt");
    repository.json(&["commit"]);
    let aborted = repository.json(&["abort", "--force"]);
    assert_eq!(aborted["lastSubtask"], json!({ "id": 3, "title": "Wait" }));
    assert_eq!(aborted["progress"]["completed"], 2);
    assert!(!repository.state().exists());
    repository.git(&["checkout", "--quiet", "main"]);
    // On main nothing of it is done.
    assert_eq!(repository.status_of("2.2"), "pending");
    let started = repository.run(&["start", "2"]);
    assert!(started.out.contains("Task 2 is worked on, on its branch, which was there already"));
    assert_eq!(repository.json(&["next"])["subtask"]["title"], "Wait");
    assert_eq!(repository.status_of("2.2"), "done");
}

#[test]
fn steps_in_the_wrong_order_change_nothing() {
    let repository = Repository::started();
    let state = || fs::read_to_string(repository.state()).unwrap();
    let before = state();
    let error = repository.error(&["complete", "--results", GREEN]);
    assert_eq!(error, "none of the tests fails, and in the RED phase one must");
    assert_eq!(repository.error(&["commit"]), "this cannot be done in the RED phase");
    assert_eq!(repository.error(&["finalize"]), "subtasks are not done yet: 2.2, 2.3");
    assert_eq!(repository.error(&["complete"]), "there are no test results");
    for results in ["nonsense", "[]", r#"{"failed":-1}"#, r#"{"failed":"1"}"#] {
        let error = repository.error(&["complete", "--results", results]);
        assert_eq!(error, "these are no test results");
    }
    let error = repository.error(&["complete", "-r", RED, "-c", "101"]);
    assert_eq!(error, "`101` is no coverage");
    assert_eq!(state(), before);
    repository.json(&["complete", "--results", r#"{"failed":1}"#]);
    assert_eq!(repository.error(&["commit"]), "this cannot be done in the GREEN phase");
}

#[test]
fn attempts_run_out_and_passing_tests_still_go_on() {
    let repository = Repository::new();
    repository.json(&["start", "2", "--max-attempts=2"]);
    repository.json(&["complete", "--results", RED]);
    let fails = || repository.error(&["complete", "--results", RED]);
    assert_eq!(fails(), "1 tests fail; that was attempt 1 of 2");
    assert_eq!(fails(), "1 tests fail; that was attempt 2 of 2");
    let status = repository.json(&["status"]);
    assert_eq!(status["subtasks"][1]["status"], "failed");
    assert_eq!(status["currentSubtask"]["attempts"], 2);
    let next = repository.json(&["next"]);
    assert!(next["nextSteps"].as_str().unwrap().contains("No attempts are left"), "{next}");
    assert_eq!(repository.json(&["complete", "--results", GREEN])["nextPhase"], "COMMIT");
}

#[test]
fn nothing_is_committed_on_another_branch() {
    let repository = Repository::started();
    repository.red_and_green("a.txt");
    repository.git(&["stash", "--quiet", "--include-untracked"]);
    repository.git(&["checkout", "--quiet", "main"]);
    repository.project.write("b.txt", "b");
    for step in ["commit", "resume"] {
        let error = repository.error(&[step]);
        assert!(error.starts_with("the branch main is checked out"), "{error}");
    }
    assert_eq!(repository.git(&["log", "--format=%s"]), "start\n");
}

#[test]
fn without_changes_there_is_nothing_to_commit() {
    let repository = Repository::started();
    repository.git(&["commit", "--all", "--quiet", "--message=begun"]);
    repository.json(&["complete", "--results", RED]);
    repository.json(&["complete", "--results", GREEN]);
    assert_eq!(repository.error(&["commit"]), "nothing has changed since the last commit");
    assert_eq!(repository.status_of("2.2"), "pending");
}

#[test]
fn a_hook_that_refuses_leaves_the_subtask_as_it_was() {
    let repository = Repository::started();
    repository.red_and_green("a.txt");
    let before = repository.project.tasks();
    repository.hook("pre-commit", "echo 'lint: no' >&2; exit 1");
    assert_eq!(repository.error(&["commit"]), "`git commit` failed: lint: no");
    let status = |it: &str| serde_json::from_str::<Value>(it).unwrap()["master"]["tasks"].take();
    assert_eq!(status(&repository.project.tasks()), status(&before));
    assert_eq!(repository.json(&["next"])["action"], "commit_changes");
    repository.hook("pre-commit", "exit 0");
    repository.json(&["commit"]);
    assert_eq!(repository.status_of("2.2"), "done");
}

#[test]
fn who_is_killed_before_the_commit_makes_it_the_next_time() {
    let repository = Repository::started();
    repository.red_and_green("a.txt");
    repository.hook("pre-commit", &format!("{}; exit 1", Repository::KILL));
    assert_eq!(repository.run(&["commit"]).code, -1);
    assert_eq!(repository.git(&["log", "--format=%s", "-1"]), "start\n");
    repository.hook("pre-commit", "exit 0");
    assert_eq!(repository.json(&["next"])["action"], "commit_changes");
    repository.json(&["commit"]);
    assert_eq!(repository.git(&["log", "--format=%s"]).lines().count(), 2);
    assert_eq!(repository.json(&["next"])["subtask"]["id"], 3);
    assert_eq!(repository.git(&["status", "--porcelain"]), "");
}

#[test]
fn who_is_killed_after_the_commit_does_not_make_it_twice() {
    let repository = Repository::started();
    repository.red_and_green("a.txt");
    repository.hook("post-commit", Repository::KILL);
    assert_eq!(repository.run(&["commit"]).code, -1);
    assert_eq!(repository.git(&["log", "--format=%s"]).lines().count(), 2);
    repository.hook("post-commit", "exit 0");
    let committed = repository.json(&["commit"]);
    assert_eq!(committed["subtask"]["id"], 2);
    assert_eq!(repository.git(&["log", "--format=%s"]).lines().count(), 2);
    assert_eq!(repository.json(&["next"])["subtask"]["id"], 3);
    assert_eq!(repository.status_of("2.2"), "done");
}

#[test]
fn a_damaged_state_is_told_and_can_be_given_up() {
    let repository = Repository::started();
    fs::write(repository.state(), "{ broken").unwrap();
    let error = repository.error(&["next"]);
    assert!(error.ends_with("is not the state of a workflow"), "{error}");
    assert!(repository.error(&["start", "2"]).ends_with("is not the state of a workflow"));
    assert_eq!(repository.json(&["abort"])["success"], true);
    assert_eq!(repository.json(&["status"])["active"], false);
    let backups = fs::read_dir(repository.sessions().join("backups")).unwrap().count();
    assert_eq!(backups, 1);
}

#[test]
fn uncommitted_work_is_not_finalized() {
    let repository = Repository::started();
    for file in ["a.txt", "b.txt"] {
        repository.red_and_green(file);
        repository.json(&["commit"]);
    }
    repository.project.write("c.txt", "left over");
    let error = repository.error(&["finalize"]);
    assert!(error.starts_with("the working tree is not clean: "), "{error}");
    assert!(error.ends_with("c.txt"), "{error}");
    fs::remove_file(repository.project.path("project").join("c.txt")).unwrap();
    repository.json(&["finalize"]);
}

#[test]
fn options_of_the_parent_are_taken_on_both_sides_and_people_are_told_what_to_do() {
    let repository = Repository::new();
    let root = repository.project.path("project").display().to_string();
    let mut command = repository.project.command(&["ap", "--json", "-p", &root, "status"]);
    let run = repository.project.outcome(command.current_dir("/").output().unwrap());
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(run.out.contains("\"active\": false"), "{}", run.out);
    insta::assert_snapshot!(repository.run(&["start", "2"]).all());
    insta::assert_snapshot!(repository.run(&["status", "-v"]).all());
    insta::assert_snapshot!(repository.run(&["commit"]).all());
}
