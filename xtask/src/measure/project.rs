//! A project of many tasks, to be measured in. Gone when it is dropped.

use std::{
    env, fs,
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::Context;

/// A directory with a task file, and a home directory of its own.
#[derive(Debug)]
pub(super) struct Project {
    directory: PathBuf,
}

const CONFIG: &str = r#"{"models": {}, "global": {"anonymousTelemetry": false}}"#;
const STATE: &str = r#"{"currentTag": "master", "migrationNoticeShown": true}"#;

impl Project {
    /// A project whose tasks are divided among its tags: `master`, `tag-1` and so on.
    pub(super) fn lay_out(tasks: u32, tags: u32) -> anyhow::Result<Self> {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let name = format!("task-master-measure-{}-{number}", std::process::id());
        let project = Self { directory: env::temp_dir().join(name) };
        let root = project.root();
        let write = |path: &str, text: &str| -> anyhow::Result<()> {
            let path = root.join(path);
            let directory = path.parent().context("no directory")?;
            fs::create_dir_all(directory)
                .and_then(|()| fs::write(&path, text))
                .with_context(|| format!("cannot write {}", path.display()))
        };
        write(".taskmaster/config.json", CONFIG)?;
        write(".taskmaster/state.json", STATE)?;
        write(".taskmaster/tasks/tasks.json", &tasks_json(tasks, tags.max(1)))?;
        fs::create_dir_all(project.directory.join("home")).context("cannot make a home")?;
        Ok(project)
    }

    pub(super) fn root(&self) -> PathBuf {
        self.directory.join("project")
    }

    /// Runs the command in this project, at home here, and away from the network as far as it
    /// lets itself be told.
    pub(super) fn enter(&self, command: &mut Command) {
        let home = self.directory.join("home");
        command.current_dir(self.root()).env("HOME", home).env("NO_COLOR", "1");
        for variable in ["XDG_STATE_HOME", "XDG_DATA_HOME", "TASKMASTER_TAG"] {
            command.env_remove(variable);
        }
        command.env("TASKMASTER_SKIP_AUTO_UPDATE", "1");
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.directory));
    }
}

fn tasks_json(tasks: u32, tags: u32) -> String {
    let lists: Vec<String> = (0..tags)
        .map(|tag| {
            let name = if tag == 0 { "master".to_owned() } else { format!("tag-{tag}") };
            let tasks: Vec<String> = (1..=tasks / tags).map(task_json).collect();
            format!(
                "  \"{name}\": {{\n    \"tasks\": [\n{}\n    ],\n    \"metadata\": {{\n      \
                 \"created\": \"2025-01-01T00:00:00.000Z\",\n      \
                 \"updated\": \"2025-01-01T00:00:00.000Z\",\n      \
                 \"description\": \"Tasks\"\n    }}\n  }}",
                tasks.join(",\n")
            )
        })
        .collect();
    format!("{{\n{}\n}}", lists.join(",\n"))
}

/// A task with three subtasks, of the size that plans have: about 1.9 KB.
fn task_json(id: u32) -> String {
    let pick = |words: &[&'static str]| words.get(id as usize % words.len()).copied();
    let status = pick(&["pending", "in-progress", "done", "review", "blocked"]).unwrap_or_default();
    let priority = pick(&["high", "medium", "low"]).unwrap_or_default();
    let dependencies = if id > 2 {
        format!("[\n          {},\n          {}\n        ]", id - 1, id / 2)
    } else {
        "[]".to_owned()
    };
    let subtasks: Vec<String> = (1..=3)
        .map(|subtask| {
            format!(
                "          {{\n            \"id\": {subtask},\n            \
                 \"title\": \"Part {subtask}\",\n            \
                 \"description\": \"What it is about\",\n            \
                 \"status\": \"pending\",\n            \"dependencies\": [],\n            \
                 \"details\": \"{}\"\n          }}",
                "Details. ".repeat(10)
            )
        })
        .collect();
    format!(
        "      {{\n        \"id\": {id},\n        \
         \"title\": \"Task {id}: make the thing do what it says it does\",\n        \
         \"description\": \"A description of about the length that descriptions have.\",\n        \
         \"status\": \"{status}\",\n        \"priority\": \"{priority}\",\n        \
         \"dependencies\": {dependencies},\n        \"details\": \"{}\",\n        \
         \"testStrategy\": \"{}\",\n        \"subtasks\": [\n{}\n        ]\n      }}",
        "Details. ".repeat(60),
        "A test. ".repeat(10),
        subtasks.join(",\n")
    )
}
