//! `parse-prd` with the embedded engine: what it refuses, and one plan by a real, tiny model.
#![cfg(feature = "engine")]

use std::{
    env, fs,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::project::{Project, Run};

const PRD: &str = "\
# Rain gauge
## Readings
- store a reading every 15 minutes in SQLite
- refuse readings below 0 mm and above 200 mm
## Page
- show the last seven days as a bar chart
- show the total of the current month
";

/// The test model's file; `None`, and a line that says so, where it was not fetched.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
pub(crate) fn test_model() -> Option<PathBuf> {
    let home = || env::var_os("HOME").map(|it| PathBuf::from(it).join(".local/share"));
    let data = env::var_os("XDG_DATA_HOME").map(PathBuf::from).or_else(home)?;
    let model = data.join("task-master/models/smollm2-135m-instruct-q4_1.gguf");
    if model.is_file() {
        return Some(model);
    }
    eprintln!("SKIPPED: there is no test model at {}", model.display());
    None
}

/// `parse-prd` with this model.
fn command(project: &Project, model: &PathBuf, arguments: &[&str]) -> Command {
    let mut command = project.command(&[&["parse-prd"], arguments].concat());
    command.env("TASKMASTER_MODEL", model);
    command
}

fn run(project: &Project, model: &PathBuf, arguments: &[&str]) -> Run {
    project.outcome(command(project, model, arguments).output().unwrap())
}

/// Exit 1, words that say why, and the task file as it was.
#[track_caller]
fn refused(project: &Project, model: &PathBuf, arguments: &[&str], reason: &str) {
    let before = project.exists(".taskmaster/tasks/tasks.json").then(|| project.tasks());
    let run = run(project, model, arguments);
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(run.err.contains(reason), "{reason:?} is not in {}", run.err);
    assert!(run.err.contains("\nhint: "), "{}", run.err);
    let after = project.exists(".taskmaster/tasks/tasks.json").then(|| project.tasks());
    assert_eq!(before, after);
}

#[test]
fn documents_that_are_none_are_refused_and_no_model_is_loaded() {
    let project = Project::bakery();
    let none = PathBuf::from("none.gguf");
    refused(&project, &none, &["missing.md", "--append"], "cannot read /project/missing.md");
    refused(&project, &none, &["--append"], "there is no requirements document");
    project.write("prd.md", PRD);
    refused(&project, &none, &["prd.md", "-o", "other.json"], "there is no tasks file");
    project.write("empty.md", "");
    project.write("noise.bin", [0x7f, b'E', b'L', b'F', 0, 0xff, 0xfe, 0x80]);
    refused(&project, &none, &["empty.md", "--append"], "the document is empty");
    refused(&project, &none, &["noise.bin", "--append"], "the document is not text");
}

#[test]
fn model_files_that_are_none_are_refused_and_nothing_is_changed() {
    let project = Project::bakery();
    project.write("prd.md", PRD);
    let file = |name: &str, bytes: &[u8]| {
        project.write(name, bytes);
        project.path("project").join(name)
    };
    let arguments = ["prd.md", "--append"];
    refused(&project, &project.path("absent.gguf"), &arguments, "cannot be used");
    refused(&project, &file("empty.gguf", b""), &arguments, "cannot be used");
    refused(&project, &file("text.gguf", b"I am a language model."), &arguments, "cannot be used");
    let Some(model) = test_model() else { return };
    let half = fs::read(model).unwrap();
    let half = file("half.gguf", &half[..half.len() / 2]);
    refused(&project, &half, &arguments, "cannot be used");
}

#[test]
fn broken_task_files_are_refused_before_the_model_works() {
    let Some(model) = test_model() else { return };
    let broken = Project::with_text("{\"master\": {\"tasks\": [");
    broken.write("prd.md", PRD);
    refused(&broken, &model, &["prd.md", "--force"], "cannot be used");
}

#[test]
fn a_model_that_is_not_installed_is_named_with_the_command_that_fetches_it() {
    let project = Project::empty();
    project.write("prd.md", PRD);
    let run = project.run(&["parse-prd", "prd.md"]);
    assert_eq!(run.code, 1, "{}", run.all());
    assert!(run.err.contains("hint: fetch it once with `task-master models pull "), "{}", run.err);
    assert!(!project.exists(".taskmaster/tasks/tasks.json"));
}

#[test]
fn tasks_that_are_there_are_not_replaced_without_being_asked_to() {
    let project = Project::bakery();
    project.write("prd.md", PRD);
    let before = project.tasks();
    let run = run(&project, &PathBuf::from("none.gguf"), &["prd.md"]);
    assert_eq!((run.code, project.tasks()), (0, before), "{}", run.err);
    assert!(
        run.err.contains("add --append to keep them or --force to replace them"),
        "{}",
        run.err
    );
}

#[test]
fn a_real_model_makes_as_many_valid_tasks_as_asked_for() {
    let Some(model) = test_model() else { return };
    let project = Project::bakery();
    project.write("prd.md", PRD);
    let run = run(&project, &model, &["prd.md", "-n", "2", "--tag", "gauge"]);
    // So small a model may say the same twice, which is an error with a name.
    if run.code != 0 {
        assert!(run.err.contains("gave an unusable answer twice"), "{}", run.all());
        return;
    }
    let file: Value = serde_json::from_str(&project.tasks()).unwrap();
    let tasks = file["gauge"]["tasks"].as_array().unwrap();
    assert_eq!(tasks.len(), 2);
    for (index, task) in tasks.iter().enumerate() {
        assert_eq!(task["id"], index + 1);
        assert_eq!(task["status"], "pending");
        assert!(["high", "medium", "low"].contains(&task["priority"].as_str().unwrap()));
        for field in ["title", "description", "details", "testStrategy"] {
            assert!(!task[field].as_str().unwrap().is_empty(), "{task}");
        }
        let earlier = |it: &Value| it.as_u64().is_some_and(|it| it < index as u64 + 1);
        assert!(task["dependencies"].as_array().unwrap().iter().all(earlier), "{task}");
    }
    let details: String = tasks.iter().filter_map(|it| it["details"].as_str()).collect();
    assert!(details.contains("store a reading every 15 minutes in SQLite"), "{details}");
    assert_eq!(
        file["master"],
        serde_json::from_str::<Value>(include_str!("bakery.json")).unwrap()["master"]
    );
}

#[test]
fn an_interrupted_run_changes_nothing_and_says_that_it_can_go_on() {
    let Some(model) = test_model() else { return };
    let project = Project::bakery();
    project.write("prd.md", PRD);
    let before = project.tasks();
    let mut child = command(&project, &model, &["prd.md", "-n", "12", "--append"])
        .stderr(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let saved = project.path("home/.local/state/task-master/parse-prd");
    // There is room for it before the model is asked.
    while !saved.is_dir() && started.elapsed() < Duration::from_mins(2) {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be interrupted");
        thread::yield_now();
    }
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let run = project.outcome(child.wait_with_output().unwrap());
    assert_eq!((run.code, project.tasks()), (130, before), "{}", run.all());
    assert!(run.err.contains("the same command goes on from here"), "{}", run.err);
}
