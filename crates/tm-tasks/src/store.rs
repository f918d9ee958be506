//! Reading and changing a task file without ever losing what was in it.
//!
//! Every change takes the lock, reads the file anew, refuses to go on when it does not parse,
//! notes the change in a journal outside the project and replaces the file in one step. What the
//! changes mean is not known here. Start at [`Store::commit`].

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use crate::{
    document::{FormatError, TaskFile},
    threads,
    timestamp::{Timestamp, iso_millis},
};

pub use journal::{Change, Quality, TaskQuality};
use journal::{Journal, Note, Version};
use lock::DirectoryLock;

pub(crate) mod atomic;
mod copies;
mod journal;
pub(crate) mod lock;

/// How long a change waits for other processes to finish theirs: twenty of them, each half a second,
/// on a machine that is busy with other things, and some more.
pub const LOCK_WAIT: Duration = Duration::from_secs(30);

/// One task file and the journal of its changes.
#[derive(Debug, Clone)]
pub struct Store {
    file: PathBuf,
    journal: Journal,
    lock_wait: Duration,
}

/// A change, and what it made of what.
#[derive(Debug, Clone)]
pub struct Versions {
    pub change: Change,
    pub before: TaskFile,
    pub after: TaskFile,
}

/// Whether a change may be taken back although the file has been edited since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaterEdits {
    Keep,
    Overwrite,
}

/// Why a task file cannot be read or changed. The file is as it was in every case.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file must be mended by hand, or restored.
    #[error("{path} cannot be used")]
    Format { path: PathBuf, source: FormatError },
    /// The same change may work later.
    #[error("{path} was locked by another process for all of {waited_s} s")]
    Busy { path: PathBuf, waited_s: u64 },
    /// Something has to be deleted first.
    #[error("no space is left to write {path}")]
    NoSpace { path: PathBuf },
    /// The path or its permissions are wrong.
    #[error("{path} cannot be read")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{path} cannot be written")]
    Unwritable { path: PathBuf, source: io::Error },
    /// Taking a change back needs [`LaterEdits::Overwrite`].
    #[error("{path} has been edited since change {seq}")]
    EditedSince { path: PathBuf, seq: u64 },
    #[error("the journal of {path} has no change {wanted}")]
    NoSuchChange { path: PathBuf, wanted: String },
    #[error("the journal of {path} has lost its copy {sha256}")]
    LostCopy { path: PathBuf, sha256: String },
}

/// What becomes of a file without tags that is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Untagged {
    GetsTag,
    Stays,
}

impl Store {
    /// A store for this file, which need not exist yet, with its journal below `journals`.
    ///
    /// Nothing is read or created before it is needed.
    pub fn open(file: impl AsRef<Path>, journals: impl AsRef<Path>) -> Self {
        let file = atomic::resolve(file.as_ref());
        let journal = Journal::new(journals.as_ref(), &file);
        Self { file, journal, lock_wait: LOCK_WAIT }
    }

    /// Waits longer, or less long, for other processes.
    #[must_use]
    pub fn with_lock_wait(self, lock_wait: Duration) -> Self {
        Self { lock_wait, ..self }
    }

    /// The file itself, links resolved.
    pub fn path(&self) -> &Path {
        &self.file
    }

    /// Reads the file; one that does not exist has no tasks.
    ///
    /// Bytes that are not UTF-8 read as U+FFFD here; such a file cannot be changed.
    pub fn read(&self) -> Result<TaskFile, StoreError> {
        let read = match String::from_utf8(self.bytes()?.unwrap_or_default()) {
            Ok(text) => TaskFile::of_text(&text.into()),
            Err(error) => TaskFile::parse(String::from_utf8_lossy(error.as_bytes()))
                .map_err(|_| FormatError::not_utf8(error.as_bytes(), error.utf8_error())),
        };
        read.map_err(|source| self.format_error(source))
    }

    /// Changes the file: all of what `apply` does, or nothing when it fails or changes nothing.
    ///
    /// When this returns, the change is on the disk and can be undone. Every tag that changed
    /// has `now` noted in its metadata. A file without tags gets the tag master, as older versions
    /// give it; [`Self::commit_progress`] does not.
    ///
    /// ```
    /// use tm_tasks::{status::{Status, set_status}, store::{LaterEdits, Store}};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let file = folder.path().join("tasks.json");
    /// std::fs::write(&file, r#"{"master": {"tasks": [{"id": 1, "status": "pending"}]}}"#)?;
    /// let store = Store::open(&file, folder.path().join("journals"));
    /// let now = "2030-01-01T12:00:00Z".parse()?;
    /// store.commit("set-status 1 done", now, |tasks| -> Result<_, Box<dyn std::error::Error>> {
    ///     Ok(set_status(tasks, "master", &"1".parse()?, &Status::Done, now)?)
    /// })?;
    /// assert!(std::fs::read_to_string(&file)?.contains("done"));
    /// store.undo(1, now, LaterEdits::Keep)?;
    /// assert!(std::fs::read_to_string(&file)?.contains("pending"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn commit<T, E: From<StoreError>>(
        &self,
        command: &str,
        now: Timestamp,
        apply: impl FnOnce(&mut TaskFile) -> Result<T, E>,
    ) -> Result<T, E> {
        self.commit_measured(command, now, |file| Ok((apply(file)?, None)))
    }

    /// Changes the file as [`Self::commit`] does, when only the progress of tasks changes: a file
    /// without tags stays one.
    pub fn commit_progress<T, E: From<StoreError>>(
        &self,
        command: &str,
        now: Timestamp,
        apply: impl FnOnce(&mut TaskFile) -> Result<T, E>,
    ) -> Result<T, E> {
        self.replace_with(command, now, Untagged::Stays, |file| Ok((apply(file)?, None)))
    }

    /// Changes the file as [`Self::commit`] does, and notes in the journal how good what `apply`
    /// wrote is.
    pub fn commit_measured<T, E: From<StoreError>>(
        &self,
        command: &str,
        now: Timestamp,
        apply: impl FnOnce(&mut TaskFile) -> Result<(T, Option<Quality>), E>,
    ) -> Result<T, E> {
        self.replace_with(command, now, Untagged::GetsTag, apply)
    }

    fn replace_with<T, E: From<StoreError>>(
        &self,
        command: &str,
        now: Timestamp,
        untagged: Untagged,
        apply: impl FnOnce(&mut TaskFile) -> Result<(T, Option<Quality>), E>,
    ) -> Result<T, E> {
        let directory = lock::acquire_for(&self.file, self.lock_wait)?;
        let before = self.text()?;
        thread::scope(|scope| {
            let bytes = before.as_ref().map(|it| it.as_bytes());
            let version = Version::digested_beside(scope, bytes);
            let mut file = match &before {
                Some(text) => TaskFile::of_text(text),
                None => Ok(TaskFile::default()),
            }
            .map_err(|source| self.format_error(source))?;
            let untouched = file.clone();
            let (value, quality) = apply(&mut file)?;
            if file == untouched {
                return Ok(value);
            }
            if untagged == Untagged::GetsTag {
                file.name_tags(now);
            }
            file.touch_changed(&untouched, now);
            let after = file.to_text().into_bytes();
            let (at, command) = (iso_millis(now), command.to_owned());
            let note = Note { at, command, undoes: None, quality };
            self.replace(&directory, &note, version, Version::new(&after))?;
            Ok(value)
        })
    }

    /// The changes that took effect, the oldest first: at least the last 200 are kept.
    pub fn history(&self) -> Result<Vec<Change>, StoreError> {
        let bytes = self.bytes()?;
        self.journal.effective(journal::digest(bytes.as_deref()).as_deref())
    }

    /// The file as it was before and after one change.
    pub fn versions(&self, seq: u64) -> Result<Versions, StoreError> {
        let bytes = self.bytes()?;
        let found = journal::digest(bytes.as_deref());
        let changes = self.journal.effective(found.as_deref())?;
        let change = changes.into_iter().find(|it| it.seq == seq);
        let change = change.ok_or_else(|| self.no_such_change(seq.to_string()))?;
        let read = |sha256: &Option<String>| {
            let text =
                self.journal.text(sha256.as_deref(), (found.as_deref(), bytes.as_deref()))?;
            let file = match String::from_utf8(text.unwrap_or_default()) {
                Ok(text) => TaskFile::of_text(&text.into()),
                Err(error) => Err(FormatError::not_utf8(error.as_bytes(), error.utf8_error())),
            };
            file.map_err(|it| self.format_error(it))
        };
        let (after, before) = threads::both(|| read(&change.after), || read(&change.before));
        let (before, after) = (before?, after?);
        Ok(Versions { change, before, after })
    }

    /// Takes back the last `steps` changes that have not been taken back yet, at least one, and
    /// returns the oldest of them.
    pub fn undo(
        &self,
        steps: usize,
        now: Timestamp,
        later_edits: LaterEdits,
    ) -> Result<Change, StoreError> {
        let directory = lock::acquire_for(&self.file, self.lock_wait)?;
        let current = self.bytes()?;
        let found = journal::digest(current.as_deref());
        let standing = journal::standing(self.journal.effective(found.as_deref())?);
        let first = standing.len().checked_sub(steps.max(1));
        let undone = first.and_then(|it| standing.get(it..)).unwrap_or_default();
        let oldest = undone.first().ok_or_else(|| self.no_such_change(format!("{steps} back")))?;
        let mut expected = found.clone();
        for change in undone.iter().rev() {
            self.check_unedited(change, expected.as_deref(), later_edits)?;
            expected.clone_from(&change.before);
        }
        let wanted = oldest.before.as_deref();
        let text = self.journal.text(wanted, (found.as_deref(), current.as_deref()))?;
        let command = format!("undo of {}", oldest.command);
        let note = Note { at: iso_millis(now), command, undoes: Some(oldest.seq), quality: None };
        let before = Version::known(current.as_deref(), found.as_deref());
        self.replace(&directory, &note, before, Version::known(text.as_deref(), wanted))?;
        Ok(oldest.clone())
    }

    /// Brings the file back as it was right after this change, and returns the change.
    pub fn restore(
        &self,
        seq: u64,
        now: Timestamp,
        later_edits: LaterEdits,
    ) -> Result<Change, StoreError> {
        let directory = lock::acquire_for(&self.file, self.lock_wait)?;
        let current = self.bytes()?;
        let found = journal::digest(current.as_deref());
        let changes = self.journal.effective(found.as_deref())?;
        let wanted = changes.iter().find(|it| it.seq == seq);
        let wanted = wanted.ok_or_else(|| self.no_such_change(seq.to_string()))?;
        if let Some(last) = changes.last() {
            self.check_unedited(last, found.as_deref(), later_edits)?;
        }
        let after = wanted.after.as_deref();
        let text = self.journal.text(after, (found.as_deref(), current.as_deref()))?;
        let command = format!("restore {seq}");
        let note = Note { at: iso_millis(now), command, undoes: None, quality: None };
        let before = Version::known(current.as_deref(), found.as_deref());
        self.replace(&directory, &note, before, Version::known(text.as_deref(), after))?;
        Ok(wanted.clone())
    }

    /// The text of a file that can be changed; nothing when it does not exist.
    fn text(&self) -> Result<Option<Arc<String>>, StoreError> {
        let Some(bytes) = self.bytes()? else { return Ok(None) };
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text.into())),
            Err(error) => {
                let error = FormatError::not_utf8(error.as_bytes(), error.utf8_error());
                Err(self.format_error(error))
            }
        }
    }

    /// Nothing when the file does not exist.
    fn bytes(&self) -> Result<Option<Vec<u8>>, StoreError> {
        match fs::read(&self.file) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StoreError::Unreadable { path: self.file.clone(), source }),
        }
    }

    /// The journal comes first: what it says of a change that never happened can be told apart,
    /// a change that it does not know cannot be undone.
    fn replace(
        &self,
        directory: &DirectoryLock,
        note: &Note,
        before: Version<'_, '_>,
        after: Version<'_, '_>,
    ) -> Result<(), StoreError> {
        let text = after.text();
        if before.text() == text {
            return Ok(());
        }
        // Getting both onto the disk takes a while, and can be done at the same time.
        let (noted, prepared) = thread::scope(|scope| {
            let prepare = || text.map(|it| atomic::Prepared::write(&self.file, it)).transpose();
            let preparing = thread::Builder::new().spawn_scoped(scope, prepare);
            let noted = self.journal.append(note, before, after);
            (noted, preparing.and_then(|it| it.join().map_err(|_| broke_down())?))
        });
        noted?;
        let replaced = prepared.and_then(|it| match it {
            Some(prepared) => prepared.put(directory.handle()),
            None => atomic::remove(&self.file, directory.handle()),
        });
        replaced.map_err(|source| StoreError::from_write(&self.file, source))
    }

    fn check_unedited(
        &self,
        change: &Change,
        found: Option<&str>,
        later_edits: LaterEdits,
    ) -> Result<(), StoreError> {
        if change.after.as_deref() == found || later_edits == LaterEdits::Overwrite {
            return Ok(());
        }
        Err(StoreError::EditedSince { path: self.file.clone(), seq: change.seq })
    }

    fn format_error(&self, source: FormatError) -> StoreError {
        StoreError::Format { path: self.file.clone(), source }
    }

    fn no_such_change(&self, wanted: String) -> StoreError {
        StoreError::NoSuchChange { path: self.file.clone(), wanted }
    }
}

fn broke_down() -> io::Error {
    io::Error::other("writing broke down")
}

impl StoreError {
    pub(crate) fn from_write(path: &Path, source: io::Error) -> Self {
        let is_full = matches!(
            source.kind(),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
        );
        let path = path.into();
        if is_full { Self::NoSpace { path } } else { Self::Unwritable { path, source } }
    }
}

#[cfg(test)]
mod tests;
