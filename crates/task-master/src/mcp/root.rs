//! Which project a call is about.

use std::path::{Path, PathBuf};

use crate::{config::Environment, report::advice};

/// The project's directory: the one that the server was started for, else the one the call names,
/// else the first one that the client has open.
pub(super) fn resolve(
    environment: &Environment,
    named: Option<&str>,
    opened: Option<&Path>,
) -> anyhow::Result<PathBuf> {
    let fixed = environment.variable("TASK_MASTER_PROJECT_ROOT");
    let named = fixed.or(named).map(directory);
    let root = named
        .or_else(|| opened.map(Path::to_path_buf))
        .ok_or_else(|| advice("no project is named", "Pass its absolute path as projectRoot"))?;
    if !environment.working_dir.join(&root).is_dir() {
        let message = format!("there is no directory {}", root.display());
        return Err(advice(message, "Pass the project's absolute path as projectRoot").into());
    }
    Ok(root)
}

/// A directory as clients spell it: a path or a `file://` URI, escapes decoded, and `/c:/x` for
/// what is `c:/x`.
pub(super) fn directory(text: &str) -> PathBuf {
    let path = match text.trim().strip_prefix("file://") {
        Some(rest) => decode(rest.strip_prefix("localhost").unwrap_or(rest)),
        None if text.contains('%') && !Path::new(text).exists() => decode(text.trim()),
        None => text.trim().to_owned(),
    };
    let is_drive = |it: &str| {
        let mut characters = it.chars();
        characters.next().is_some_and(|it| it.is_ascii_alphabetic())
            && characters.next() == Some(':')
    };
    match path.strip_prefix('/').filter(|it| is_drive(it)) {
        Some(drive) => PathBuf::from(drive),
        None => PathBuf::from(path),
    }
}

/// Percent escapes decoded, where that gives text.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escape = tail.get(..2).filter(|_| *first == b'%');
        let escape = escape.and_then(|it| str::from_utf8(it).ok());
        if let Some(byte) = escape.and_then(|it| u8::from_str_radix(it, 16).ok()) {
            bytes.push(byte);
            rest = tail.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests;
