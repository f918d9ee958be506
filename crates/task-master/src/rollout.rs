//! The trials of a project: which role's requests are answered by the models of another one, and
//! every change of that, so that each can be taken back.
//!
//! They are a file that commands change and gateways follow. A change reads it anew under a lock
//! and replaces it in one step; whoever reads sees the old one or the new one. What becomes of the
//! requests is judged in [`live`], of commands in [`commands`]. Start at [`Trials::change`].

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tm_llm::rollout::Trial;
use tm_tasks::timestamp::{Timestamp, iso_millis};

pub mod commands;
pub mod live;
pub mod shadow;

/// The form of the file; another one is not read.
const VERSION: u32 = 1;
/// Older changes are forgotten.
const HISTORY_MOST: usize = 50;

/// The trials, by the role whose requests they get, or by the command whose runs they get.
pub type Running = BTreeMap<String, Trial>;

/// What is on trial, and what was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct State {
    version: u32,
    /// How many changes there were, here and in other gateways.
    #[serde(default)]
    pub revision: u64,
    pub trials: Running,
    /// The newest last.
    pub history: Vec<Change>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Change {
    pub time: String,
    /// What was done, in a line.
    pub what: String,
    /// The figure that decided it, where nobody else did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Requests that show it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
    /// As it was.
    before: Running,
}

/// Why trials cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum RolloutError {
    #[error("the trials in {} cannot be used", path.display())]
    Unusable { path: PathBuf, source: io::Error },
    #[error("nothing was changed yet")]
    NothingToUndo,
}

/// The file of a project.
#[derive(Debug, Clone)]
pub struct Trials {
    path: PathBuf,
}

impl Default for State {
    fn default() -> Self {
        Self { version: VERSION, revision: 0, trials: Running::new(), history: Vec::new() }
    }
}

impl State {
    fn parse(bytes: &[u8]) -> io::Result<Self> {
        let state: Self = serde_json::from_slice(bytes)?;
        if state.version != VERSION {
            return Err(io::Error::other(format!("it has the form {}", state.version)));
        }
        Ok(state)
    }
}

impl Trials {
    /// Those of the project in this folder.
    pub fn of_project(root: &Path) -> Self {
        Self { path: root.join(".taskmaster/rollout.json") }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is on trial, and what was.
    pub fn read(&self) -> Result<State, RolloutError> {
        self.load().map_err(|source| self.unusable(source))
    }

    /// Changes what is on trial, and takes note of how it was. Nothing is noted where `change`
    /// changes nothing; then it is none.
    pub fn change(
        &self,
        what: &str,
        decided: Option<(String, Vec<String>)>,
        change: impl FnOnce(&mut Running),
    ) -> Result<Option<State>, RolloutError> {
        let changed = self.locked(|state| {
            let before = state.trials.clone();
            change(&mut state.trials);
            if state.trials == before {
                return false;
            }
            let (why, examples) =
                decided.map_or_else(Default::default, |(why, examples)| (Some(why), examples));
            let time = iso_millis(Timestamp::now());
            state.revision += 1;
            state.history.push(Change { time, what: what.to_owned(), why, examples, before });
            let too_many = state.history.len().saturating_sub(HISTORY_MOST);
            state.history.drain(..too_many);
            true
        });
        changed.map_err(|source| self.unusable(source))
    }

    /// Makes it as it was before the last change, which is a change like any other: undone twice,
    /// all is as it was.
    pub fn undo(&self) -> Result<State, RolloutError> {
        let state = self.read()?;
        let last = state.history.last().ok_or(RolloutError::NothingToUndo)?.clone();
        let what = format!("undid: {}", last.what.trim_start_matches("undid: "));
        let undone = self.change(&what, None, |running| *running = last.before)?;
        undone.ok_or(RolloutError::NothingToUndo)
    }

    /// Takes over what another gateway of the project has, unless it is older; whether it did.
    pub fn adopt(&self, theirs: &str) -> Result<bool, RolloutError> {
        let theirs = State::parse(theirs.as_bytes()).map_err(|source| self.unusable(source))?;
        let adopted = self.locked(|state| {
            let is_newer = theirs.revision >= state.revision && theirs != *state;
            if is_newer {
                *state = theirs;
            }
            is_newer
        });
        adopted.map(|it| it.is_some()).map_err(|source| self.unusable(source))
    }

    fn load(&self) -> io::Result<State> {
        match fs::read(&self.path) {
            Ok(bytes) => State::parse(&bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(State::default()),
            Err(error) => Err(error),
        }
    }

    /// The changed state, when `change` says that it is one.
    fn locked(&self, change: impl FnOnce(&mut State) -> bool) -> io::Result<Option<State>> {
        if let Some(directory) = self.path.parent() {
            fs::create_dir_all(directory)?;
        }
        let lock = File::create(self.path.with_extension("lock"))?;
        lock.lock()?;
        let mut state = self.load()?;
        if !change(&mut state) {
            return Ok(None);
        }
        let beside = self.path.with_extension("part");
        let mut file = File::create(&beside)?;
        file.write_all(&serde_json::to_vec_pretty(&state)?)?;
        file.sync_all()?;
        fs::rename(beside, &self.path)?;
        Ok(Some(state))
    }

    fn unusable(&self, source: io::Error) -> RolloutError {
        RolloutError::Unusable { path: self.path.clone(), source }
    }
}

#[cfg(test)]
mod tests;
