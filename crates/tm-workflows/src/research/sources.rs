//! What a question is told from the project's directory: files, and a list of them.
//!
//! Files are told whole or not at all. Which of them belong to a question is the user's decision.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A file that belongs to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// As the user named it.
    pub path: String,
    pub text: String,
}

/// Why a file cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("there is no file {path}")]
    Missing { path: String },
    #[error("{path} is a directory")]
    Directory { path: String },
    #[error(
        "{path} has {kilobytes} kB; a file that belongs to a question has at most {LARGEST_KB} kB"
    )]
    TooLarge { path: String, kilobytes: u64 },
    #[error("{path} is not text")]
    NotText { path: String },
    #[error("{path} cannot be read")]
    Unreadable { path: String, source: io::Error },
}

/// More than a model can read, and than anybody means.
const LARGEST_KB: u64 = 50;

/// Deeper directories are not listed.
const DEPTH_MAX: usize = 5;

/// More lines than this say nothing more about a project.
const LINES_MAX: usize = 300;

/// Directories and files that were made by programs, or hold secrets.
const SKIPPED: &[&str] =
    &[".git", "node_modules", ".DS_Store", "coverage", "dist", "build", "target", ".venv"];

/// Reads a file, which is named from the root of the project.
pub fn read_file(root: &Path, path: &str) -> Result<SourceFile, SourceError> {
    let name = || path.to_owned();
    let unreadable = |source: io::Error| {
        if source.kind() == io::ErrorKind::NotFound {
            SourceError::Missing { path: name() }
        } else {
            SourceError::Unreadable { path: name(), source }
        }
    };
    let file = root.join(path);
    let metadata = fs::metadata(&file).map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(SourceError::Directory { path: name() });
    }
    let kilobytes = metadata.len().div_ceil(1000);
    if kilobytes > LARGEST_KB {
        return Err(SourceError::TooLarge { path: name(), kilobytes });
    }
    let text = String::from_utf8(fs::read(&file).map_err(unreadable)?).ok();
    let text = text.filter(|it| !it.contains('\0'));
    text.map(|text| SourceFile { path: name(), text })
        .ok_or_else(|| SourceError::NotText { path: name() })
}

/// The files of a project, one a line and indented, without those that nobody wrote.
///
/// What cannot be read is not listed.
pub fn tree(root: &Path) -> String {
    let mut lines = Vec::new();
    list(root, 0, &mut lines);
    if lines.len() > LINES_MAX {
        let more = lines.len() - LINES_MAX;
        lines.truncate(LINES_MAX);
        lines.push(format!("… and {more} more"));
    }
    lines.join("\n")
}

fn list(directory: &Path, depth: usize, lines: &mut Vec<String>) {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|it| it.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if SKIPPED.contains(&name.as_str()) || name.starts_with(".env") {
            continue;
        }
        // Links may lead anywhere, also in a circle.
        let is_directory = fs::symlink_metadata(&path).is_ok_and(|it| it.is_dir());
        let mark = if is_directory { "/" } else { "" };
        lines.push(format!("{}{name}{mark}", "  ".repeat(depth)));
        if is_directory && depth + 1 < DEPTH_MAX {
            list(&path, depth + 1, lines);
        }
    }
}

#[cfg(test)]
mod tests;
