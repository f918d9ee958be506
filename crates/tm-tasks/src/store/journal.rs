//! What was changed, and the texts to change it back.
//!
//! A directory per task file, outside the project: `journal.jsonl` with a line a change and
//! `copies/` with the texts before and after. Everything is on the disk before the task file is
//! touched. Callers hold the lock of the task file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read, Write},
    path::{Path, PathBuf},
    thread::{self, Scope, ScopedJoinHandle},
};

use serde::{Deserialize, Serialize};

use super::{
    StoreError, atomic,
    copies::{Base, Copies},
};
use crate::digest::sha256_hex;

/// One change of a task file, as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its number, from 1.
    pub seq: u64,
    /// When, as ISO 8601 in UTC.
    pub at: String,
    /// What the user asked for.
    pub command: String,
    pub file: PathBuf,
    /// SHA-256 of the text before, unless there was no file.
    pub before: Option<String>,
    /// SHA-256 of the text after, unless the file is gone.
    pub after: Option<String>,
    /// Length of the text after.
    pub bytes: u64,
    /// The oldest change that this one took back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<u64>,
    /// How good what was written is, where a program has measured it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
}

/// How good the tasks that a change wrote are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quality {
    /// Of all of them together.
    pub percent: u8,
    pub tasks: Vec<TaskQuality>,
    /// What each task was to reach, where the user had said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<u8>,
}

/// How good one task is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskQuality {
    pub id: String,
    pub percent: u8,
}

impl Quality {
    /// The task that needs a second look most; the first of several.
    pub fn weakest(&self) -> Option<&TaskQuality> {
        self.tasks.iter().min_by_key(|it| it.percent)
    }

    /// The tasks that did not reach what they were to reach.
    pub fn below(&self) -> impl Iterator<Item = &TaskQuality> {
        let minimum = self.minimum.unwrap_or_default();
        self.tasks.iter().filter(move |it| it.percent < minimum)
    }
}

/// What is said about a change when it is made.
#[derive(Debug)]
pub(super) struct Note {
    pub(super) at: String,
    pub(super) command: String,
    pub(super) undoes: Option<u64>,
    pub(super) quality: Option<Quality>,
}

/// What the file says before or after a change, if it is there, and its digest.
#[derive(Debug)]
pub(super) struct Version<'scope, 'text> {
    text: Option<&'text [u8]>,
    digest: Digest<'scope>,
}

/// The digest of a large text takes a while.
#[derive(Debug)]
enum Digest<'scope> {
    ToBeMade,
    Made(Option<String>),
    BeingMade(ScopedJoinHandle<'scope, Option<String>>),
}

#[derive(Debug, Clone)]
pub(super) struct Journal {
    directory: PathBuf,
    copies: Copies,
    file: PathBuf,
}

/// The changes whose texts are kept.
const KEPT: usize = 200;
/// From so many bytes on a digest is worth a thread.
const LONG: usize = 1 << 20;
/// Forgetting rewrites the journal, so it waits until it is worth it.
const KEPT_BEFORE_FORGETTING: usize = 250;

impl<'scope, 'text: 'scope> Version<'scope, 'text> {
    pub(super) fn new(text: &'text [u8]) -> Self {
        Self { text: Some(text), digest: Digest::ToBeMade }
    }

    /// A text of a known digest.
    pub(super) fn known(text: Option<&'text [u8]>, digest: Option<&str>) -> Self {
        Self { text, digest: Digest::Made(digest.map(str::to_owned)) }
    }

    /// A text whose digest is made beside other work, where that is worth a thread.
    pub(super) fn digested_beside(
        scope: &'scope Scope<'scope, '_>,
        text: Option<&'text [u8]>,
    ) -> Self {
        let make = move || digest(text);
        let is_long = text.is_some_and(|it| it.len() > LONG);
        let beside =
            is_long.then(|| thread::Builder::new().spawn_scoped(scope, make).ok()).flatten();
        Self { text, digest: beside.map_or_else(|| Digest::Made(make()), Digest::BeingMade) }
    }

    pub(super) fn text(&self) -> Option<&'text [u8]> {
        self.text
    }
}

impl Digest<'_> {
    fn wait(self, text: Option<&[u8]>) -> Option<String> {
        match self {
            Self::ToBeMade => digest(text),
            Self::Made(made) => made,
            Self::BeingMade(beside) => beside.join().unwrap_or_else(|_| digest(text)),
        }
    }
}

impl Journal {
    pub(super) fn new(journals: &Path, file: &Path) -> Self {
        let digest = sha256_hex(file.as_os_str().as_encoded_bytes());
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let directory = journals.join(format!("{name}-{}", digest.get(..16).unwrap_or_default()));
        let copies = Copies::new(directory.join("copies"));
        Self { directory, copies, file: file.to_path_buf() }
    }

    /// Notes a change that is about to be made.
    pub(super) fn append(
        &self,
        note: &Note,
        before: Version<'_, '_>,
        after: Version<'_, '_>,
    ) -> Result<(), StoreError> {
        let mut changes = self.changes()?;
        let digest_after = after.digest.wait(after.text);
        let digest_before = before.digest.wait(before.text);
        let (before, after) = (before.text, after.text);
        let change = Change {
            seq: changes.last().map_or(1, |it| it.seq + 1),
            at: note.at.clone(),
            command: note.command.clone(),
            file: self.file.clone(),
            before: digest_before,
            after: digest_after,
            bytes: after.map_or(0, |it| it.len() as u64),
            undoes: note.undoes,
            quality: note.quality.clone(),
        };
        let write = || -> io::Result<()> {
            create_private_dir(self.copies.directory())?;
            let kept = |sha256, text| Some(Base { sha256: Option::as_deref(sha256)?, text: text? });
            let before = kept(&change.before, before);
            if let Some(it) = before {
                self.copies.keep(it.sha256, it.text, None)?;
            }
            if let Some(it) = kept(&change.after, after) {
                self.copies.keep(it.sha256, it.text, before)?;
            }
            self.append_line(&change)
        };
        write().map_err(|source| StoreError::from_write(&self.lines(), source))?;
        changes.push(change);
        if changes.len() >= KEPT_BEFORE_FORGETTING {
            let forget = self.forget(&changes.split_off(changes.len() - KEPT));
            forget.map_err(|source| StoreError::from_write(&self.lines(), source))?;
        }
        Ok(())
    }

    /// The changes that took effect, the oldest first.
    ///
    /// A crash can leave a line for a change that was never made: what came after it starts from
    /// the same text.
    /// `current` is the digest of the file as it is.
    pub(super) fn effective(&self, current: Option<&str>) -> Result<Vec<Change>, StoreError> {
        let mut effective = Vec::new();
        let mut next = current.map(str::to_owned);
        for change in self.changes()?.into_iter().rev() {
            if change.after == next || change.before != next {
                next.clone_from(&change.before);
                effective.push(change);
            }
        }
        effective.reverse();
        Ok(effective)
    }

    /// The text with this digest, which may be an earlier version of another one.
    pub(super) fn text(
        &self,
        sha256: Option<&str>,
        later: (Option<&str>, Option<&[u8]>),
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(sha256) = sha256 else { return Ok(None) };
        let near = later.0.zip(later.1).map(|(sha256, text)| Base { sha256, text });
        let lost = |_| {
            let path = self.file.clone();
            StoreError::LostCopy { path, sha256: sha256.to_owned() }
        };
        self.copies.read(sha256, near).map(Some).map_err(lost)
    }

    /// Every line that can be read: a crash can tear the last one.
    fn changes(&self) -> Result<Vec<Change>, StoreError> {
        match fs::read(self.lines()) {
            Ok(bytes) => {
                let lines = bytes.split(|it| *it == b'\n');
                Ok(lines.filter_map(|it| serde_json::from_slice(it).ok()).collect())
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(StoreError::Unreadable { path: self.lines(), source }),
        }
    }

    fn append_line(&self, change: &Change) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.read(true).append(true).create(true).open(self.lines())?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let whole = text.iter().rposition(|it| *it == b'\n').map_or(0, |it| it + 1);
        file.set_len(whole as u64)?;
        file.write_all(&line(change)?)?;
        file.sync_all()?;
        if whole == 0 { File::open(&self.directory)?.sync_all() } else { Ok(()) }
    }

    /// Keeps these changes and their texts only.
    fn forget(&self, kept: &[Change]) -> io::Result<()> {
        let lines: Vec<Vec<u8>> = kept.iter().map(line).collect::<io::Result<_>>()?;
        atomic::write(&self.lines(), &lines.concat(), &File::open(&self.directory)?)?;
        let texts = kept.iter().flat_map(|it| [&it.before, &it.after]);
        self.copies.retain(texts.filter_map(Option::as_deref))
    }

    fn lines(&self) -> PathBuf {
        self.directory.join("journal.jsonl")
    }
}

/// The changes that have not been taken back.
pub(super) fn standing(changes: Vec<Change>) -> Vec<Change> {
    let mut standing: Vec<Change> = Vec::new();
    for change in changes {
        match change.undoes {
            Some(undone) => standing.retain(|it| it.seq < undone),
            None => standing.push(change),
        }
    }
    standing
}

pub(super) fn digest(text: Option<&[u8]>) -> Option<String> {
    text.map(sha256_hex)
}

fn line(change: &Change) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(change)?;
    line.push(b'\n');
    Ok(line)
}

/// Tasks are nobody else's business.
fn create_private_dir(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}
