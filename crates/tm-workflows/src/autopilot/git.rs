//! What is needed of a repository, through the user's own `git`.
//!
//! Every command has a deadline and asks nothing. Why something is committed is not known here.
//! Start at [`Git::open`].

use std::{
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// The repository that a project is in.
#[derive(Debug, Clone)]
pub struct Git {
    directory: PathBuf,
    /// The root of the work tree.
    root: PathBuf,
}

/// What says which repository is meant, to whoever is called by git itself: `git rev-parse
/// --local-env-vars`. Here the directory says so.
pub(crate) const LOCAL_VARIABLES: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// Why git did not do something.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    #[error("git is not installed, or not in PATH")]
    Missing,
    #[error("{path} is not in a git repository that can be used: {message}")]
    NoRepository { path: PathBuf, message: String },
    #[error("`git {command}` was stopped after {after_s} s")]
    TimedOut { command: String, after_s: u64 },
    #[error("`git {command}` failed: {message}")]
    Failed { command: String, message: String },
    #[error("git cannot be run")]
    Io(#[source] io::Error),
}

/// What git commands take at most, but for those that run the user's hooks.
const DEADLINE: Duration = Duration::from_mins(1);
/// Hooks may run a whole test suite.
const DEADLINE_WITH_HOOKS: Duration = Duration::from_mins(10);

impl Git {
    /// The repository that this directory is in.
    pub fn open(directory: &Path) -> Result<Self, GitError> {
        let git = Self { directory: directory.to_path_buf(), root: directory.to_path_buf() };
        match git.run(&["rev-parse", "--show-toplevel"]) {
            Ok(root) => Ok(Self { root: PathBuf::from(root.trim_end_matches('\n')), ..git }),
            Err(GitError::Failed { message, .. }) => {
                Err(GitError::NoRepository { path: directory.to_path_buf(), message })
            }
            Err(error) => Err(error),
        }
    }

    /// A repository whose root is known; whether there is one is not looked at.
    pub(crate) fn with_root(root: &Path) -> Self {
        Self { directory: root.to_path_buf(), root: root.to_path_buf() }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The same repository, with commands run at its root.
    pub(crate) fn at_root(&self) -> Self {
        Self::with_root(&self.root)
    }

    /// Everything that differs from the last commit: changed, staged, deleted, new.
    pub fn changes(&self) -> Result<Vec<PathBuf>, GitError> {
        let text = self.run(&["status", "--porcelain", "-z", "--untracked-files=all"])?;
        let mut paths = Vec::new();
        let mut entries = text.split('\0');
        while let Some(entry) = entries.next() {
            let Some((state, path)) = entry.split_at_checked(3) else { continue };
            paths.push(self.root.join(path));
            // What was renamed has its old name, too.
            if state.starts_with(['R', 'C']) {
                paths.extend(entries.next().map(|it| self.root.join(it)));
            }
        }
        Ok(paths)
    }

    /// The branch that is checked out; nothing between branches.
    pub fn branch(&self) -> Result<Option<String>, GitError> {
        match self.run(&["symbolic-ref", "--quiet", "--short", "HEAD"]) {
            Ok(name) => Ok(Some(name.trim().to_owned())),
            Err(GitError::Failed { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Checks a branch out, which is created when there is none. Tells whether it was.
    pub fn check_out(&self, branch: &str) -> Result<bool, GitError> {
        if self.branch()?.as_deref() == Some(branch) {
            return Ok(false);
        }
        let reference = format!("refs/heads/{branch}");
        let exists = self.test(&["show-ref", "--verify", "--quiet", &reference])?;
        if exists {
            self.run_for(&["checkout", "--quiet", branch], DEADLINE_WITH_HOOKS)?;
        } else {
            self.run_for(&["checkout", "--quiet", "-b", branch], DEADLINE_WITH_HOOKS)?;
        }
        Ok(!exists)
    }

    /// Stages these files, or all there are.
    pub fn stage(&self, files: Option<&[String]>) -> Result<(), GitError> {
        let mut arguments = vec!["add", "--all"];
        if let Some(files) = files {
            arguments.push("--");
            arguments.extend(files.iter().map(String::as_str));
        }
        self.run(&arguments).map(drop)
    }

    /// The files that a commit would change.
    pub fn staged(&self) -> Result<Vec<String>, GitError> {
        let text = self.run(&["diff", "--cached", "--name-only", "-z"])?;
        Ok(text.split('\0').filter(|it| !it.is_empty()).map(str::to_owned).collect())
    }

    /// Commits what is staged.
    pub fn commit(&self, message: &str) -> Result<(), GitError> {
        let arguments = ["-c", "commit.gpgsign=false", "commit", "--quiet", "--message", message];
        self.run_for(&arguments, DEADLINE_WITH_HOOKS).map(drop)
    }

    /// What a revision is called in short and in full; nothing when there is none.
    pub fn revision(&self, name: &str) -> Result<Option<String>, GitError> {
        let commit = format!("{name}^{{commit}}");
        match self.run(&["rev-parse", "--quiet", "--verify", &commit]) {
            Ok(hash) => Ok(Some(hash.trim().to_owned())),
            Err(GitError::Failed { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A commit's hash as people write it.
    pub fn short(&self, revision: &str) -> Result<String, GitError> {
        Ok(self.run(&["rev-parse", "--short", revision])?.trim().to_owned())
    }

    /// The whole message of a commit.
    pub fn message(&self, revision: &str) -> Result<String, GitError> {
        Ok(self.run(&["log", "-1", "--format=%B", revision])?.trim().to_owned())
    }

    fn test(&self, arguments: &[&str]) -> Result<bool, GitError> {
        match self.run(arguments) {
            Ok(_) => Ok(true),
            Err(GitError::Failed { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What a command of git prints.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<String, GitError> {
        self.run_for(arguments, DEADLINE)
    }

    fn run_for(&self, arguments: &[&str], deadline: Duration) -> Result<String, GitError> {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(&self.directory);
        command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_EDITOR", "true").env("LC_ALL", "C");
        for variable in LOCAL_VARIABLES {
            command.env_remove(variable);
        }
        let name = arguments.iter().find(|it| !it.starts_with('-') && !it.contains('='));
        let name = name.copied().unwrap_or_default();
        match output_within(&mut command, deadline) {
            Ok(Some(output)) if output.status.success() => Ok(output.out),
            Ok(Some(output)) => {
                Err(GitError::Failed { command: name.to_owned(), message: output.complaint() })
            }
            Ok(None) => {
                Err(GitError::TimedOut { command: name.to_owned(), after_s: deadline.as_secs() })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // So does a working directory that is not there.
                if self.directory.is_dir() {
                    Err(GitError::Missing)
                } else {
                    Err(GitError::Io(error))
                }
            }
            Err(error) => Err(GitError::Io(error)),
        }
    }
}

/// What a program said.
#[derive(Debug)]
struct Output {
    status: ExitStatus,
    out: String,
    err: String,
}

impl Output {
    fn complaint(&self) -> String {
        let said = if self.err.trim().is_empty() { &self.out } else { &self.err };
        let said = said.trim();
        if said.is_empty() { self.status.to_string() } else { said.to_owned() }
    }
}

/// Runs a program to its end; nothing when it had to be stopped.
fn output_within(command: &mut Command, deadline: Duration) -> io::Result<Option<Output>> {
    let end = Instant::now() + deadline;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let (out, err) = (read(child.stdout.take()), read(child.stderr.take()));
    let left = || end.saturating_duration_since(Instant::now());
    let (Ok(out), Ok(err)) = (out.recv_timeout(left()), err.recv_timeout(left())) else {
        stop(&mut child)?;
        return Ok(None);
    };
    // With both of its outputs closed it is as good as gone.
    let status = child.wait()?;
    Ok(Some(Output { status, out: out?, err: err? }))
}

fn stop(child: &mut Child) -> io::Result<()> {
    child.kill()?;
    child.wait().map(drop)
}

/// Reads to the end on a thread of its own, which ends when the program does.
fn read(source: Option<impl Read + Send + 'static>) -> mpsc::Receiver<io::Result<String>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = source.map_or(Ok(0), |mut it| it.read_to_end(&mut bytes));
        // Nobody waits any more once the time is up.
        drop(sender.send(read.map(|_| String::from_utf8_lossy(&bytes).into_owned())));
    });
    receiver
}

#[cfg(test)]
mod tests;
