//! A project in a temporary directory, and what the binary says in it.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A project of its own, with a home directory of its own.
pub(crate) struct Project {
    directory: TempDir,
}

/// What a command did.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Project {
    /// Nothing but an empty directory.
    pub(crate) fn empty() -> Self {
        let project = Self { directory: tempfile::tempdir().unwrap() };
        fs::create_dir_all(project.path("home")).unwrap();
        fs::create_dir_all(project.path("project")).unwrap();
        project
    }

    /// A project whose task file has this text.
    pub(crate) fn with_text(tasks: impl AsRef<[u8]>) -> Self {
        let project = Self::empty();
        project.write(".taskmaster/tasks/tasks.json", tasks);
        project
    }

    /// A project with these tasks in the master tag.
    pub(crate) fn with_tasks(tasks: &Value) -> Self {
        Self::with_text(
            serde_json::to_string_pretty(&json!({ "master": { "tasks": tasks } })).unwrap(),
        )
    }

    /// A bakery's shop, halfway through.
    pub(crate) fn bakery() -> Self {
        Self::with_text(include_str!("bakery.json"))
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path("project").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path("project").join(path)).unwrap()
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.path("project").join(path).exists()
    }

    pub(crate) fn tasks(&self) -> String {
        self.read(".taskmaster/tasks/tasks.json")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().canonicalize().unwrap().join(name)
    }

    /// The binary in this project, without a terminal.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_task-master"));
        command.args(arguments).current_dir(self.path("project")).env_clear();
        command.env("HOME", self.path("home")).env("TZ", "UTC").env("PATH", "/usr/bin:/bin");
        command.stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.outcome(self.command(arguments).output().unwrap())
    }

    /// Runs the binary as if on a terminal of this width.
    pub(crate) fn run_in_columns(&self, columns: usize, arguments: &[&str]) -> Run {
        let columns = columns.to_string();
        self.outcome(self.command(arguments).env("COLUMNS", columns).output().unwrap())
    }

    /// The one JSON document that a command prints.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let run = self.run(arguments);
        serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {}", run.out))
    }

    pub(crate) fn outcome(&self, output: Output) -> Run {
        // Where the project lies is different each time.
        let directory = self.path("").display().to_string();
        let text = |bytes| String::from_utf8(bytes).unwrap().replace(&directory, "/");
        Run {
            code: output.status.code().unwrap_or(-1),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

impl Run {
    /// What was printed, one after the other.
    pub(crate) fn all(&self) -> String {
        format!("exit {}\n--- out\n{}--- err\n{}", self.code, self.out, self.err)
    }
}
