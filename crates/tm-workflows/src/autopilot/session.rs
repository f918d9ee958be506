//! What autopilot remembers: a directory for each project below the user's `~/.taskmaster`.
//!
//! `workflow-state.json` is the workflow that is running, `activity.jsonl` what happened in all of
//! them, `backups/` the states that were given up. What they mean is not known here.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tm_tasks::timestamp::{Timestamp, iso_millis};

use super::machine::Workflow;

/// A project's sessions.
#[derive(Debug, Clone)]
pub struct Session {
    directory: PathBuf,
}

/// Held while a workflow is changed; the kernel lets go of it when its holder is killed.
#[derive(Debug)]
pub struct SessionLock {
    _handle: File,
}

/// Why a session cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error("another autopilot command is at work on this project")]
    Busy,
    #[error("{path} is not the state of a workflow")]
    Damaged { path: PathBuf, source: serde_json::Error },
    #[error("{path} cannot be read")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{path} cannot be written")]
    Unwritable { path: PathBuf, source: io::Error },
}

/// How many given-up states are kept.
const BACKUPS: usize = 10;

impl Session {
    /// The sessions of the project at `root`, below this home directory.
    pub fn of(home: &Path, root: &Path) -> Self {
        let root = fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
        let root = root.to_string_lossy();
        let id: String =
            root.chars().map(|it| if it.is_ascii_alphanumeric() { it } else { '-' }).collect();
        Self { directory: home.join(".taskmaster").join(id).join("sessions") }
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// One writer at a time.
    pub fn lock(&self) -> Result<SessionLock, SessionError> {
        let unwritable = |source| SessionError::Unwritable { path: self.directory.clone(), source };
        fs::create_dir_all(&self.directory).map_err(unwritable)?;
        let handle = File::open(&self.directory).map_err(unwritable)?;
        match handle.try_lock() {
            Ok(()) => Ok(SessionLock { _handle: handle }),
            Err(TryLockError::WouldBlock) => Err(SessionError::Busy),
            Err(TryLockError::Error(source)) => Err(unwritable(source)),
        }
    }

    /// The workflow that is running.
    pub fn load(&self) -> Result<Option<Workflow>, SessionError> {
        let path = self.state_file();
        match fs::read(&path) {
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(workflow) => Ok(Some(workflow)),
                Err(source) => Err(SessionError::Damaged { path, source }),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(SessionError::Unreadable { path, source }),
        }
    }

    /// Replaces the state in one step.
    pub fn save(&self, workflow: &Workflow, _lock: &SessionLock) -> Result<(), SessionError> {
        let path = self.state_file();
        let fresh = self.directory.join(".workflow-state.json.tmp");
        let write = || -> io::Result<()> {
            let mut file = File::create(&fresh)?;
            file.write_all(&serde_json::to_vec_pretty(workflow)?)?;
            file.sync_all()?;
            fs::rename(&fresh, &path)?;
            File::open(&self.directory)?.sync_all()
        };
        write().map_err(|source| SessionError::Unwritable { path, source })
    }

    /// Forgets the workflow; there may be none.
    pub fn remove(&self, _lock: &SessionLock) -> Result<(), SessionError> {
        let path = self.state_file();
        match fs::remove_file(&path) {
            Err(source) if source.kind() != ErrorKind::NotFound => {
                Err(SessionError::Unwritable { path, source })
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Keeps a copy of the state that is about to be given up, whatever is in it.
    pub fn back_up(&self, now: Timestamp, _lock: &SessionLock) -> Result<(), SessionError> {
        let directory = self.directory.join("backups");
        let name = iso_millis(now).replace(':', "-");
        let copy = directory.join(format!("workflow-state-{name}.json"));
        let copied = fs::create_dir_all(&directory)
            .and_then(|()| fs::copy(self.state_file(), &copy))
            .and_then(|_| forget_old(&directory));
        match copied {
            Err(source) if source.kind() != ErrorKind::NotFound => {
                Err(SessionError::Unwritable { path: copy, source })
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Adds a line to the log of what happened.
    pub fn note(&self, event: &str, details: Value, now: Timestamp) -> Result<(), SessionError> {
        let mut entry = json!({ "timestamp": iso_millis(now), "type": event });
        if let (Value::Object(entry), Value::Object(details)) = (&mut entry, details) {
            entry.extend(details);
        }
        let path = self.directory.join("activity.jsonl");
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().append(true).create(true).open(&path)?;
            // In one piece, so that a crash tears no more than the last line.
            file.write_all(format!("{entry}\n").as_bytes())
        };
        write().map_err(|source| SessionError::Unwritable { path: path.clone(), source })
    }

    fn state_file(&self) -> PathBuf {
        self.directory.join("workflow-state.json")
    }
}

/// Their names begin with the moment, so the last ones are the latest.
fn forget_old(directory: &Path) -> io::Result<()> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(directory)?.map(|it| it.map(|it| it.path())).collect::<io::Result<_>>()?;
    files.sort();
    for file in files.iter().rev().skip(BACKUPS) {
        fs::remove_file(file)?;
    }
    Ok(())
}
