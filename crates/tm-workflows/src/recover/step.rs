//! A step that a model proposes: lines of a file in other words, or a command that the user allowed.
//!
//! What a step may not do is decided here, whoever proposes it. Start at [`Edit::applied`].

use std::{fs, io, path::Path};

use serde::Serialize;

/// What to do, why, and what proves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    pub cause: String,
    pub action: Action,
    /// The command that shows whether it helped: the failing check, or one that the user allowed.
    pub proof: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    Edit(Edit),
    /// One of the commands that the user allowed, in the user's words.
    Run(String),
}

/// New lines in place of some, or before `first` where `last` is the one before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// From the folder.
    pub path: String,
    pub first: usize,
    pub last: usize,
    pub new: Vec<String>,
}

/// Why a step is not done.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    #[error("it changes nothing")]
    Nothing,
    #[error(
        "it ends the program or reaches for what tests it, so that a check may pass without looking: `{word}`"
    )]
    Evades { word: &'static str },
    #[error("{path} has no lines {first} to {last}")]
    NoLines { path: String, first: usize, last: usize },
    #[error("{path} leads out of the folder")]
    Outside { path: String },
    #[error("{path} cannot be changed")]
    File { path: String, source: io::Error },
}

/// What ends a program, has tests left out or reaches for those who test.
const EVASIONS: &[&str] = &[
    "sys.exit",
    "os._exit",
    "SystemExit",
    "quit(",
    "exit(",
    "exit 0",
    "exit\n",
    "exit;",
    "process.exit",
    "process::exit",
    "os.kill",
    "process.kill",
    "abort(",
    "atexit",
    "exec ",
    "trap ",
    "skipTest",
    "pytest",
    "unittest",
    "builtins",
    "sys.modules",
    "__eq__",
    "node:assert",
    "'assert'",
    "\"assert\"",
];

impl Step {
    /// Whether an output names the file that this changed.
    pub(super) fn is_blamed(&self, output: &str) -> bool {
        match &self.action {
            Action::Edit(edit) => output.contains(&edit.path),
            Action::Run(_) => false,
        }
    }
}

impl Edit {
    /// The text with the new lines.
    ///
    /// # Errors
    /// When that is no change, or one that would make a check pass without having looked.
    pub fn applied(&self, text: &str) -> Result<String, StepError> {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let (first, last) = (self.first.saturating_sub(1), self.last);
        let (Some(before), Some(old), Some(after)) =
            (lines.get(..first), lines.get(first..last), lines.get(last..))
        else {
            let Self { path, first, last, .. } = self.clone();
            return Err(StepError::NoLines { path, first, last });
        };
        let ending =
            if lines.first().is_some_and(|it| it.ends_with("\r\n")) { "\r\n" } else { "\n" };
        let mut new: String = self.new.iter().flat_map(|it| [it.as_str(), ending]).collect();
        if old.last().is_some_and(|it| !it.ends_with('\n')) {
            new.truncate(new.len().saturating_sub(ending.len()));
        }
        let mut before = before.concat();
        if !before.is_empty() && !before.ends_with('\n') && !new.is_empty() {
            // The last line had no end, and has none now.
            before.push_str(ending);
            new.truncate(new.len().saturating_sub(ending.len()));
        }
        let changed = [before, new, after.concat()].concat();
        // Blanks at the end of a line are no change either.
        let seen = |it: &str| it.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        if seen(&changed) == seen(text) {
            return Err(StepError::Nothing);
        }
        let adds = |word: &&&str| changed.matches(**word).count() > text.matches(**word).count();
        match EVASIONS.iter().find(adds) {
            Some(word) => Err(StepError::Evades { word }),
            None => Ok(changed),
        }
    }

    /// Changes the file in a folder.
    ///
    /// # Errors
    /// When the step may not be done, or cannot.
    pub(super) fn write(&self, folder: &Path) -> Result<(), StepError> {
        let path = folder.join(&self.path);
        let failed = |source| StepError::File { path: self.path.clone(), source };
        // Commands and checks may have put a link in its place.
        let real = path.canonicalize().map_err(failed)?;
        if folder.canonicalize().map_err(failed)?.join(&self.path) != real {
            return Err(StepError::Outside { path: self.path.clone() });
        }
        let text = fs::read_to_string(&real).map_err(failed)?;
        fs::write(&real, self.applied(&text)?).map_err(failed)
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.action {
            Action::Run(command) => write!(f, "run `{command}`")?,
            Action::Edit(Edit { path, first, last, .. }) if first > last => {
                write!(f, "add lines before line {first} of {path}")?;
            }
            Action::Edit(Edit { path, first, last, .. }) if first == last => {
                write!(f, "change line {first} of {path}")?;
            }
            Action::Edit(Edit { path, first, last, .. }) => {
                write!(f, "change lines {first} to {last} of {path}")?;
            }
        }
        write!(f, ", which `{}` proves", self.proof)
    }
}

#[cfg(test)]
mod tests;
