//! The folder of prompts that models of this process have read, seen from outside.
//!
//! What is in its files is the engine's business; here they are counted and removed, with or without
//! an engine in the build.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use serde::Serialize;

/// How much there is.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Stats {
    pub files: u64,
    pub bytes: u64,
    /// Of the one that was not used for longest.
    pub age_s: u64,
}

/// Counts the files.
///
/// # Errors
/// When the folder is there and cannot be read.
pub fn stats(folder: &Path) -> anyhow::Result<Stats> {
    let files = files(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    Ok(files.iter().fold(Stats::default(), |stats, (_, bytes, age)| Stats {
        files: stats.files + 1,
        bytes: stats.bytes + bytes,
        age_s: stats.age_s.max(age.as_secs()),
    }))
}

/// Removes them: all, or those that were not used for so long. The answer is how many.
///
/// # Errors
/// When one of them cannot be removed.
pub fn clear(folder: &Path, older_than: Option<Duration>) -> anyhow::Result<u64> {
    let mut cleared = 0;
    let files = files(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for (path, _, age) in files {
        if older_than.is_some_and(|it| age <= it) {
            continue;
        }
        match fs::remove_file(&path) {
            Ok(()) => cleared += 1,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let message = format!("cannot remove {}", path.display());
                return Err(anyhow::Error::new(error).context(message));
            }
        }
    }
    Ok(cleared)
}

/// Each with its size and how long ago it was used; nothing when there is no folder.
fn files(folder: &Path) -> io::Result<Vec<(PathBuf, u64, Duration)>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        // Another process may have removed it meanwhile.
        let Ok(facts) = fs::symlink_metadata(&path) else { continue };
        if facts.is_file() {
            let age = facts.modified().ok().and_then(|it| it.elapsed().ok()).unwrap_or_default();
            files.push((path, facts.len(), age));
        }
    }
    Ok(files)
}
