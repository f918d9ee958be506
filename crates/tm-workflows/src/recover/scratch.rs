//! A copy of a repository as it is now, in which anything may be tried: nothing in it leads back to the
//! user's own.
//!
//! It is a clone, not a work tree of the same repository: a check that stashes, commits or tidies up
//! would otherwise do so for the user. Files that git ignores are not in it. Start at [`Scratch::of`];
//! it is gone when it is dropped.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::task;

use crate::autopilot::git::{Git, GitError};

/// A copy, and where the folder in question is in it.
#[derive(Debug)]
pub struct Scratch {
    /// What is deleted in the end.
    directory: PathBuf,
    tree: PathBuf,
    folder: PathBuf,
    /// The repository that it is a copy of.
    source: PathBuf,
    git: Git,
    /// What is not in the copy although git does not ignore it: links out of it, other repositories,
    /// names that are no UTF-8.
    left_out: Vec<String>,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum ScratchError {
    #[error(transparent)]
    Git(#[from] GitError),
    #[error("git knows no file in {folder}")]
    Empty { folder: PathBuf },
    #[error(
        "the repository has {files} files that git does not ignore; a copy has {FILES_MAX} at most"
    )]
    TooMany { files: usize },
    #[error("{path} cannot be copied")]
    Copy { path: PathBuf, source: io::Error },
    #[error("nobody waits for the copy of {folder} any more")]
    Stopped { folder: PathBuf },
}

/// Larger ones are somebody's home directory, or take longer than a person waits.
const FILES_MAX: usize = 50_000;

/// What the commit is called that has everything as it was.
const BASE: &str = "refs/heads/as-it-was";

/// What is changed, for `git apply`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// The file with it, as long as the copy is there.
    pub file: PathBuf,
    /// The same for people.
    pub text: String,
    /// The files that it changes, from the root of the repository.
    pub paths: Vec<String>,
}

impl Scratch {
    /// Copies the repository that `folder` is in to a new directory in `parent`, on a thread that may
    /// block. Dropping this ends the copying.
    ///
    /// # Errors
    /// When there is no repository, or it cannot be copied.
    pub async fn of(folder: &Path, parent: &Path) -> Result<Arc<Self>, ScratchError> {
        let (folder, parent) = (folder.to_path_buf(), parent.to_path_buf());
        let stop = StopWhenDropped::default();
        let is_stopped = Arc::clone(&stop.0);
        let named = folder.clone();
        let copied = task::spawn_blocking(move || Self::copied(&folder, &parent, &is_stopped));
        let failed = |error| ScratchError::Copy { path: named, source: io::Error::other(error) };
        copied.await.map_err(failed)?.map(Arc::new)
    }

    fn copied(folder: &Path, parent: &Path, stop: &AtomicBool) -> Result<Self, ScratchError> {
        let copy = |source| ScratchError::Copy { path: folder.to_path_buf(), source };
        let folder = folder.canonicalize().map_err(copy)?;
        let source = Git::open(&folder)?;
        let root = source.root().canonicalize().map_err(copy)?;
        let inside = folder.strip_prefix(&root).unwrap_or(Path::new("")).to_path_buf();
        let listed = source.at_root().run(&[
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])?;
        let mut files: Vec<&str> = listed.split('\0').filter(|it| !it.is_empty()).collect();
        // A file in conflict is there several times.
        files.dedup();
        if files.len() > FILES_MAX {
            return Err(ScratchError::TooMany { files: files.len() });
        }
        if !files.iter().any(|it| Path::new(it).starts_with(&inside)) {
            return Err(ScratchError::Empty { folder });
        }
        let directory = new_directory(parent)?;
        let tree = directory.join("tree");
        // From here on it is deleted whatever happens.
        let mut scratch = Self {
            git: Git::with_root(&tree),
            folder: tree.join(inside),
            tree,
            source: root,
            left_out: Vec::new(),
            directory,
        };
        scratch.clone_from_source(&source)?;
        for file in files {
            if stop.load(Ordering::Relaxed) {
                return Err(ScratchError::Stopped { folder });
            }
            scratch.copy(file)?;
        }
        scratch.commit()?;
        Ok(scratch)
    }

    /// The copy of the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the folder is in the repository.
    pub fn folder_inside(&self) -> &Path {
        self.folder.strip_prefix(&self.tree).unwrap_or(Path::new(""))
    }

    /// The repository that this is a copy of.
    pub fn source(&self) -> &Path {
        &self.source
    }

    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// Everything as it was.
    pub fn reset(&self) -> Result<(), GitError> {
        self.run(&["reset", "--quiet", "--hard", BASE])?;
        self.run(&["clean", "--quiet", "-ffdx"])
    }

    /// What is different now.
    pub fn patch(&self) -> Result<Patch, GitError> {
        self.run(&["add", "--all"])?;
        // Each of its own, as long as the copy is there.
        let file = self.directory.join(format!("{:08x}.patch", fastrand::u32(..)));
        let output = format!("--output={}", file.display());
        // Whatever the user's own git is set to.
        let changes = [
            "diff",
            "--cached",
            "--no-color",
            "--no-ext-diff",
            "--no-textconv",
            "--no-renames",
            "--no-relative",
            "--src-prefix=a/",
            "--dst-prefix=b/",
        ];
        let asked = [&changes[..], &["--binary", &output, BASE]].concat();
        self.run(&asked)?;
        let text = fs::read(&file).map_err(GitError::Io)?;
        let names = self.git.run(&own(&[&changes[..], &["--name-only", "-z", BASE]].concat()))?;
        let paths = names.split('\0').filter(|it| !it.is_empty()).map(str::to_owned).collect();
        Ok(Patch { file, text: String::from_utf8_lossy(&text).into_owned(), paths })
    }

    fn run(&self, arguments: &[&str]) -> Result<(), GitError> {
        self.git.run(&own(arguments)).map(drop)
    }

    fn clone_from_source(&self, source: &Git) -> Result<(), ScratchError> {
        let (from, to) = (self.source.to_string_lossy(), self.tree.to_string_lossy());
        source.run(&[
            "clone",
            "--quiet",
            "--shared",
            "--no-checkout",
            "--no-tags",
            "--template=",
            "--",
            &from,
            &to,
        ])?;
        // Nothing is pushed to, or fetched from.
        self.run(&["remote", "remove", "origin"])?;
        Ok(())
    }

    fn copy(&mut self, file: &str) -> Result<(), ScratchError> {
        let (from, to) = (self.source.join(file), self.tree.join(file));
        let failed = |source| ScratchError::Copy { path: from.clone(), source };
        let metadata = match fs::symlink_metadata(&from) {
            Ok(metadata) => metadata,
            // Deleted, and not yet committed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Or not found under what stands for a name that is no UTF-8.
                if file.contains(char::REPLACEMENT_CHARACTER) {
                    self.left_out.push(file.to_owned());
                }
                return Ok(());
            }
            Err(error) => return Err(failed(error)),
        };
        let is_link = metadata.is_symlink();
        let target = if is_link { Some(fs::read_link(&from).map_err(failed)?) } else { None };
        let leads_out = target.as_ref().is_some_and(|it| leads_out(Path::new(file), it));
        if leads_out || !(is_link || metadata.is_file()) || from.starts_with(&self.directory) {
            self.left_out.push(file.to_owned());
            return Ok(());
        }
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        match target {
            Some(target) => link(&target, &to).map_err(failed),
            None => fs::copy(&from, &to).map(drop).map_err(failed),
        }
    }

    fn commit(&self) -> Result<(), GitError> {
        // Also what is ignored and committed all the same.
        self.run(&["add", "--all", "--force"])?;
        let commit = ["commit", "--quiet", "--no-verify", "--allow-empty", "--message=as it was"];
        let who = ["-c", "user.name=task-master", "-c", "user.email=task-master@localhost"];
        self.run(&[&who[..], &["-c", "commit.gpgsign=false"], &commit].concat())?;
        self.run(&["update-ref", BASE, "HEAD"])
    }
}

/// Tells a thread that nobody waits for it.
#[derive(Debug, Default)]
struct StopWhenDropped(Arc<AtomicBool>);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What git does in a copy, on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(
    scratch: &Arc<Scratch>,
    work: impl FnOnce(&Scratch) -> Result<T, GitError> + Send + 'static,
) -> Result<T, GitError> {
    let scratch = Arc::clone(scratch);
    let done = task::spawn_blocking(move || work(&scratch)).await;
    done.unwrap_or_else(|error| Err(GitError::Io(io::Error::other(error))))
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.directory) {
            let path = self.directory.display();
            tracing::warn!(%path, %error, "a scratch copy could not be removed");
        }
    }
}

/// `git` without anything that would look for a repository further up, or run what is not ours.
fn own<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    let here = ["--git-dir=.git", "--work-tree=."];
    let plain = [
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "core.autocrlf=false",
        "-c",
        "core.fsmonitor=false",
    ];
    [&here[..], &plain, arguments].concat()
}

/// Whether a link at `path` has a target outside of the root, as far as its words say.
fn leads_out(path: &Path, target: &Path) -> bool {
    let mut depth = path.components().count().saturating_sub(1);
    for component in target.components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return true,
        }
    }
    false
}

#[cfg(unix)]
pub(super) fn link(target: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}

#[cfg(not(unix))]
pub(super) fn link(target: &Path, at: &Path) -> io::Result<()> {
    let from = at.parent().unwrap_or(at).join(target);
    fs::copy(from, at).map(drop)
}

/// A directory that is nobody else's.
fn new_directory(parent: &Path) -> Result<PathBuf, ScratchError> {
    let failed = |source| ScratchError::Copy { path: parent.to_path_buf(), source };
    fs::create_dir_all(parent).map_err(failed)?;
    let parent = parent.canonicalize().map_err(failed)?;
    loop {
        let path = parent.join(format!("{:08x}", fastrand::u32(..)));
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

#[cfg(test)]
mod tests;
