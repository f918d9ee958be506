//! The files of a source: what a person wrote, and nothing outside of it.
//!
//! Follows `.gitignore` and no links, and passes over what is hidden, made by programs, secret or
//! too large. Start at [`files`].

use std::{
    fs,
    path::{Path, PathBuf},
};

use ignore::WalkBuilder;

use crate::read::{Kind, archive, kind};

/// What is in a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Walked {
    /// Paths from the source's root, in order.
    pub files: Vec<PathBuf>,
    /// Files that were passed over although they may say something, and why.
    pub skipped: Vec<(PathBuf, String)>,
}

/// Directories that were made by programs, or hold what others wrote.
const SKIPPED_DIRECTORIES: &[&str] = &[
    "node_modules",
    "target",
    "dist",
    "build",
    "out",
    "vendor",
    "third_party",
    "coverage",
    "__pycache__",
    "venv",
    "bower_components",
];

/// Files that say nothing, although they are text.
const SKIPPED_FILES: &[&str] =
    &["package-lock.json", "npm-shrinkwrap.json", "composer.lock", "pnpm-lock.yaml"];

/// The files below a directory, or the file itself.
pub fn files(root: &Path) -> Walked {
    let mut walked = Walked::default();
    if root.is_file() {
        walked.add(root, Path::new(""));
        return walked;
    }
    let mut builder = WalkBuilder::new(root);
    // Also outside of git repositories.
    builder.follow_links(false).require_git(false).sort_by_file_path(Path::cmp);
    builder.filter_entry(|entry| {
        let is_directory = entry.file_type().is_some_and(|it| it.is_dir());
        let name = entry.file_name().to_str().unwrap_or_default();
        entry.depth() == 0 || !(is_directory && SKIPPED_DIRECTORIES.contains(&name))
    });
    for entry in builder.build() {
        match entry {
            Ok(entry) if entry.file_type().is_some_and(|it| it.is_file()) => {
                if let Ok(path) = entry.path().strip_prefix(root) {
                    walked.add(root, path);
                }
            }
            Ok(_) => {}
            Err(error) => walked.skipped.push((PathBuf::new(), error.to_string())),
        }
    }
    walked.without_parts_of_archives(root);
    walked
}

impl Walked {
    fn add(&mut self, root: &Path, path: &Path) {
        let file = if path.as_os_str().is_empty() { root.to_path_buf() } else { root.join(path) };
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // A source that is one file is told by its name.
        let told = if path.as_os_str().is_empty() { Path::new(&name) } else { path };
        let mut skip = |why: &str| self.skipped.push((told.to_path_buf(), why.to_owned()));
        if let Some(why) = archive::refused(&file) {
            skip(why);
            return;
        }
        let of_archive = archive::format(&file).map(archive::Format::largest_bytes);
        let largest = of_archive.or_else(|| kind(&file).map(Kind::largest_bytes));
        let Some(largest) = largest.filter(|_| !is_made(&name)) else { return };
        match fs::metadata(&file) {
            _ if is_secret(&name) => skip("its name says that it holds secrets"),
            Ok(metadata) if metadata.len() > largest => {
                skip(&format!("it has more than {} kB", largest / 1000));
            }
            Ok(_) => self.files.push(path.to_path_buf()),
            Err(error) => skip(&error.to_string()),
        }
    }

    /// An archive has all that is beside it.
    fn without_parts_of_archives(&mut self, root: &Path) {
        let archives = self
            .files
            .iter()
            .filter_map(|it| Some((archive::format(&root.join(it))?, it.parent()?.to_path_buf())));
        let archives: Vec<_> = archives.collect();
        let is_part = |file: &Path| archives.iter().any(|(format, it)| format.has(it, file));
        self.files.retain(|it| !is_part(it));
        self.skipped.retain(|it| !is_part(&it.0));
    }
}

fn is_made(name: &str) -> bool {
    SKIPPED_FILES.contains(&name) || name.contains(".min.")
}

fn is_secret(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    ["secret", "secrets", "credentials", "passwords", "id_rsa"].contains(&stem.as_str())
}

#[cfg(test)]
mod tests;
