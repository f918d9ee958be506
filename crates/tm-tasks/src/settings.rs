//! Small JSON files that hold one object: read once, changed under the lock of their directory.
//!
//! What the members mean is not known here.

use std::{
    fs,
    io::{self, ErrorKind},
    path::Path,
};

use crate::{
    json::{self, Parsed, Record},
    store::{LOCK_WAIT, StoreError, atomic, lock},
};

/// Why a settings file cannot be read.
#[derive(Debug)]
pub(crate) enum SettingsError {
    Missing,
    Unreadable(io::Error),
    NotAnObject { reason: String },
}

pub(crate) fn read(path: &Path) -> Result<Record, SettingsError> {
    let bytes = fs::read(path).map_err(|error| {
        let is_missing = error.kind() == ErrorKind::NotFound;
        if is_missing { SettingsError::Missing } else { SettingsError::Unreadable(error) }
    })?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let not_an_object = |reason| SettingsError::NotAnObject { reason };
    let parsed =
        Parsed::read(text.to_owned().into()).map_err(|it| not_an_object(it.to_string()))?;
    Record::of(parsed.root()).ok_or_else(|| not_an_object("it is another value".to_owned()))
}

/// Replaces the object by what `change` makes of it; nothing is written when it is the same.
pub(crate) fn change<E: From<StoreError>>(
    path: &Path,
    change: impl FnOnce(Result<Record, SettingsError>) -> Result<Record, E>,
) -> Result<(), E> {
    change_laid_out(path, json::format, change)
}

/// The same for files with a layout of their own.
pub(crate) fn change_laid_out<E: From<StoreError>>(
    path: &Path,
    layout: fn(&str) -> String,
    change: impl FnOnce(Result<Record, SettingsError>) -> Result<Record, E>,
) -> Result<(), E> {
    let path = atomic::resolve(path);
    let directory = lock::acquire_for(&path, LOCK_WAIT)?;
    let before = read(&path);
    let untouched = before.as_ref().ok().cloned();
    let after = change(before)?;
    if untouched.as_ref() == Some(&after) {
        return Ok(());
    }
    let text = layout(&after.to_text());
    atomic::write(&path, text.as_bytes(), directory.handle())
        .map_err(|source| StoreError::from_write(&path, source))?;
    Ok(())
}
