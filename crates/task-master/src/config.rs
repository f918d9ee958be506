//! The one reader of the environment.
//!
//! Variables and directories are read once, and handed down by value. A project's `.env` fills
//! in what the environment lacks and overrides nothing. What the project's own files say is
//! read by `tm-tasks`.

use std::{
    collections::HashMap,
    env,
    ffi::OsString,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
};

use anyhow::Context;

/// What the process was started with.
#[derive(Debug, Clone)]
pub struct Environment {
    pub working_dir: PathBuf,
    pub home: Option<PathBuf>,
    /// Where the journals of changes are kept.
    pub state_dir: PathBuf,
    /// Where what is shared by all projects of a user is kept.
    pub data_dir: PathBuf,
    /// Where what can be made again is kept.
    pub cache_dir: PathBuf,
    variables: HashMap<String, String>,
}

/// What the output may look like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Screen {
    pub colour_out: bool,
    pub colour_err: bool,
    /// None when the output goes to a file or another program.
    pub columns: Option<usize>,
    /// None when the output goes to a file or another program.
    pub rows: Option<usize>,
    /// Somebody is there to answer questions.
    pub is_interactive: bool,
}

impl Environment {
    /// Reads the environment of this process.
    pub fn read() -> anyhow::Result<Self> {
        let working_dir = env::current_dir().context("cannot tell the working directory")?;
        Ok(Self::new(working_dir, env::home_dir(), env::vars_os()))
    }

    /// Variables that are not UTF-8 are none of ours.
    pub fn new(
        working_dir: PathBuf,
        home: Option<PathBuf>,
        variables: impl Iterator<Item = (OsString, OsString)>,
    ) -> Self {
        let readable = variables.filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        let variables: HashMap<String, String> = readable.collect();
        let directory = |variable: &str, default: &str| {
            let given = variables.get(variable).map(PathBuf::from).filter(|it| it.is_absolute());
            let base = given.or_else(|| home.as_ref().map(|it| it.join(default)));
            // Somebody without a home directory still gets to see their tasks.
            base.unwrap_or_else(env::temp_dir).join("task-master")
        };
        Self {
            state_dir: directory("XDG_STATE_HOME", ".local/state"),
            data_dir: directory("XDG_DATA_HOME", ".local/share"),
            cache_dir: directory("XDG_CACHE_HOME", ".cache"),
            working_dir,
            home,
            variables,
        }
    }

    /// Where the language models are.
    pub fn models_dir(&self) -> PathBuf {
        self.data_dir.join("models")
    }

    /// Where answers are kept that may be given again.
    pub fn answers_dir(&self) -> PathBuf {
        self.cache_dir.join("answers")
    }

    /// Where prompts are kept that a model of this process has read.
    pub fn prefixes_dir(&self) -> PathBuf {
        self.cache_dir.join("prefixes")
    }

    /// Where copies of repositories are, each as long as a command tries something in it.
    pub fn scratch_dir(&self) -> PathBuf {
        self.cache_dir.join("scratch")
    }

    /// The Redis server that answers are kept in, when it is not the disk.
    pub fn redis_url(&self) -> Option<&str> {
        self.variable("TASKMASTER_REDIS_URL")
    }

    /// The Qdrant server that looks through vectors, when it is not this program.
    pub fn qdrant_url(&self) -> Option<&str> {
        self.variable("TASKMASTER_QDRANT_URL")
    }

    /// Where the keys of clients are, which are not the keys themselves.
    pub fn keys_dir(&self) -> PathBuf {
        self.data_dir.join("gateway-keys")
    }

    /// A variable that is set to something.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|it| !it.is_empty())
    }

    /// The names of those variables that are keys: what others have written is not told them.
    pub fn secrets(&self) -> Vec<String> {
        let is_secret = |name: &&String| {
            let name = name.to_ascii_uppercase();
            name == "TASKMASTER_REDIS_URL"
                || ["_API_KEY", "_ACCESS_KEY", "_TOKEN", "_SECRET", "_PASSWORD"]
                    .iter()
                    .any(|it| name.ends_with(it))
        };
        self.variables.keys().filter(is_secret).cloned().collect()
    }

    /// The environment as if this variable were set.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The environment with what the project's `.env` adds, and the lines of that file that make
    /// no sense.
    pub fn with_dotenv(mut self, project: &Path) -> (Self, Vec<String>) {
        let Ok(entries) = dotenvy::from_path_iter(project.join(".env")) else {
            return (self, Vec::new());
        };
        let mut unreadable = Vec::new();
        for entry in entries {
            match entry {
                Ok((name, value)) => drop(self.variables.entry(name).or_insert(value)),
                // A broken line is skipped, a broken disk ends the file.
                Err(dotenvy::Error::Io(_)) => break,
                Err(error) => unreadable.push(error.to_string()),
            }
        }
        (self, unreadable)
    }

    /// Whether only errors are to be told.
    pub fn is_silent(&self) -> bool {
        ["TASK_MASTER_SILENT", "TM_SILENT"]
            .iter()
            .any(|it| self.variable(it).is_some_and(|value| value == "1" || value == "true"))
    }

    /// What standard output and standard error can show.
    pub fn screen(&self) -> Screen {
        let out = io::stdout().is_terminal();
        let size = || terminal_size::terminal_size_of(io::stdout());
        let number = |name| self.variable(name).and_then(|it| it.parse().ok());
        Screen {
            colour_out: self.colour(out),
            colour_err: self.colour(io::stderr().is_terminal()),
            columns: number("COLUMNS").or_else(|| size().map(|(width, _)| usize::from(width.0))),
            rows: size().map(|(_, height)| usize::from(height.0)).or_else(|| number("LINES")),
            is_interactive: out && io::stdin().is_terminal(),
        }
    }

    fn colour(&self, is_terminal: bool) -> bool {
        let is_set = |name| self.variable(name).is_some();
        if is_set("NO_COLOR") || is_set("TASK_MASTER_NO_COLOR") {
            return false;
        }
        match self.variable("FORCE_COLOR") {
            Some(value) => value != "0" && value != "false",
            None => is_terminal && self.variable("TERM") != Some("dumb"),
        }
    }
}

#[cfg(test)]
mod tests;
