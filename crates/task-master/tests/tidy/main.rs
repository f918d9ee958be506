//! Rules about the repository that clippy cannot know. Each fault names the place and the way out.
//!
//! The rules themselves are pure functions from text to faults; each module tests its own on
//! texts made up for it, and then applies them to the repository.

#![expect(clippy::unwrap_used, reason = "where the repository cannot be read, the test has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
};

mod documents;
mod layers;
mod sources;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// All files with this extension, but those that are built or hidden.
fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                found.extend(files(&path, extension));
            }
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found
}

#[track_caller]
fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
