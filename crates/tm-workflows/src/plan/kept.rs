//! Answers of models, kept on disk so that they need not be asked for again.
//!
//! What an answer is to, and how long it is of use, is not known here.

use std::{fs, io, path::Path, process};

use serde::{Serialize, de::DeserializeOwned};

/// What a file keeps; one that cannot be read is as good as none.
pub(super) fn read<T: DeserializeOwned>(file: &Path) -> Option<T> {
    let bytes = fs::read(file).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Keeps it whole: a reader never sees half of it, nor what another process is writing.
pub(super) fn write(file: &Path, kept: &impl Serialize) -> io::Result<()> {
    let fresh = file.with_extension(format!("{}.tmp", process::id()));
    fs::write(&fresh, serde_json::to_vec(kept)?)?;
    fs::rename(&fresh, file)
}
