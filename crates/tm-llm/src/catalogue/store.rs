//! The models on this machine: one directory per user, one file per model.
//!
//! Beside `<id>.gguf` lies `<id>.json`, the record of the file as it was when its SHA-256 was
//! last checked. A file that still looks like its record is not read again; one that does not is
//! hashed before anybody gets to use it. All calls here block; hashing takes a second per
//! gigabyte.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use super::{Digest, Model};

/// Where models are kept.
#[derive(Debug, Clone)]
pub struct ModelStore {
    directory: PathBuf,
}

/// A model that is there, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    pub path: PathBuf,
    pub size_bytes: u64,
    pub sha256: Digest,
    /// Where it came from, for people; empty when the record was lost.
    pub source: String,
}

/// What a look at the directory tells, without reading the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    Absent,
    /// A download that was interrupted.
    Partial {
        bytes: u64,
    },
    /// There, and as it was when it was checked.
    Present {
        bytes: u64,
    },
    /// There, and to be checked before its next use.
    Changed {
        bytes: u64,
    },
}

/// Why there is no model to use, sorted by what to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the model {id} is not installed; `task-master models pull {id}` fetches it")]
    NotInstalled { id: String },
    #[error(
        "the model file {} is damaged: {reason}; `task-master models pull {id} --force` replaces it \
         and `task-master models rm {id}` removes it",
        path.display()
    )]
    Damaged { id: String, path: PathBuf, reason: String },
    #[error("the model {id} is being fetched by another process")]
    Busy { id: String },
    #[error("cannot use {}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// Keeps other processes from changing one model; until dropped.
#[derive(Debug)]
pub struct ModelLock {
    _file: File,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    sha256: Digest,
    size_bytes: u64,
    /// Nanoseconds since 1970.
    modified_ns: u64,
    source: String,
}

impl ModelStore {
    pub fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where the model is or will be.
    pub fn path(&self, id: &str) -> PathBuf {
        self.directory.join(format!("{id}.gguf"))
    }

    /// The file that grows into the model.
    pub fn part_path(&self, id: &str) -> PathBuf {
        self.directory.join(format!("{id}.gguf.part"))
    }

    /// The pieces of a model that comes in pieces.
    pub fn pieces_path(&self, id: &str) -> PathBuf {
        self.directory.join(format!("{id}.pieces"))
    }

    /// The model, checked: what differs from its record is hashed first.
    pub fn find(&self, model: &Model) -> Result<Installed, StoreError> {
        let path = self.path(&model.id);
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(StoreError::NotInstalled { id: model.id.clone() });
            }
            Err(source) => return Err(StoreError::Io { path, source }),
        };
        let record = self.record(&model.id);
        let damaged =
            |reason| StoreError::Damaged { id: model.id.clone(), path: path.clone(), reason };
        let Some((sha256, size_bytes)) = expected(model, record.as_ref()) else {
            return Err(damaged("nothing is known of what it should be".into()));
        };
        if metadata.len() != size_bytes {
            return Err(damaged(format!("it has {} bytes of {size_bytes}", metadata.len())));
        }
        let source = record.as_ref().map_or_else(String::new, |it| it.source.clone());
        let now = Record { sha256, size_bytes, modified_ns: modified_ns(&metadata), source };
        if record.as_ref() != Some(&now) {
            let found = Digest::of_file(&path, &mut |_| Ok(()))
                .map_err(|source| StoreError::Io { path: path.clone(), source })?;
            if found != sha256 {
                return Err(damaged(format!("its SHA-256 is {found} and not {sha256}")));
            }
            // A directory that cannot be written only makes the next look as slow as this one.
            drop(self.write_record(&model.id, &now));
        }
        Ok(Installed { path, size_bytes, sha256, source: now.source })
    }

    /// A quick look, for lists.
    pub fn presence(&self, model: &Model) -> Presence {
        let Ok(metadata) = fs::metadata(self.path(&model.id)) else {
            return match self.partial_bytes(&model.id) {
                0 => Presence::Absent,
                bytes => Presence::Partial { bytes },
            };
        };
        let bytes = metadata.len();
        let record = self.record(&model.id);
        let is_as_recorded = record.as_ref().is_some_and(|it| {
            it.size_bytes == bytes
                && it.modified_ns == modified_ns(&metadata)
                && model.sha256.is_none_or(|sha256| sha256 == it.sha256)
        });
        if is_as_recorded { Presence::Present { bytes } } else { Presence::Changed { bytes } }
    }

    /// Removes a model and what is there of it; tells how many bytes that freed.
    pub fn remove(&self, model: &Model) -> Result<u64, StoreError> {
        let whole = fs::metadata(self.path(&model.id)).map_or(0, |it| it.len());
        let freed = whole + self.partial_bytes(&model.id);
        if freed == 0 {
            return Err(StoreError::NotInstalled { id: model.id.clone() });
        }
        let Some(_lock) = self.try_lock(&model.id)? else {
            return Err(StoreError::Busy { id: model.id.clone() });
        };
        let record = self.record_path(&model.id);
        for file in [self.path(&model.id), record, self.part_path(&model.id)] {
            gone(fs::remove_file(&file), &file)?;
        }
        self.remove_pieces(&model.id)?;
        Ok(freed)
    }

    /// Gets the right to change a model; none while another process has it.
    pub fn try_lock(&self, id: &str) -> Result<Option<ModelLock>, StoreError> {
        let path = self.directory.join(format!(".{id}.lock"));
        let io = |source| StoreError::Io { path: path.clone(), source };
        fs::create_dir_all(&self.directory).map_err(io)?;
        // The file stays: another process may have it open, and would lock what nobody else sees.
        let file = File::options().create(true).append(true).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(ModelLock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(io(error)),
        }
    }

    /// Makes the finished part the model, all at once, and forgets the pieces it was made of.
    ///
    /// The caller has the lock and has checked the digest.
    pub fn publish(&self, id: &str, sha256: Digest, from: &str) -> Result<Installed, StoreError> {
        let (part, path) = (self.part_path(id), self.path(id));
        let io = |source| StoreError::Io { path: path.clone(), source };
        let file = File::open(&part).map_err(io)?;
        file.sync_all().map_err(io)?;
        fs::rename(&part, &path).map_err(io)?;
        sync_directory(&self.directory).map_err(io)?;
        let metadata = file.metadata().map_err(io)?;
        let size_bytes = metadata.len();
        let source = from.to_owned();
        let record = Record { sha256, size_bytes, modified_ns: modified_ns(&metadata), source };
        self.write_record(id, &record).map_err(io)?;
        self.remove_pieces(id)?;
        Ok(Installed { path, size_bytes, sha256, source: record.source })
    }

    fn remove_pieces(&self, id: &str) -> Result<(), StoreError> {
        let pieces = self.pieces_path(id);
        gone(fs::remove_dir_all(&pieces), &pieces)
    }

    fn record_path(&self, id: &str) -> PathBuf {
        self.directory.join(format!("{id}.json"))
    }

    /// A record that cannot be read is as good as none: the file is hashed again.
    fn record(&self, id: &str) -> Option<Record> {
        serde_json::from_slice(&fs::read(self.record_path(id)).ok()?).ok()
    }

    fn write_record(&self, id: &str, record: &Record) -> io::Result<()> {
        let path = self.record_path(id);
        let draft = self.directory.join(format!("{id}.json.new"));
        let mut file = File::create(&draft)?;
        serde_json::to_writer_pretty(&mut file, record)?;
        file.write_all(b"\n")?;
        fs::rename(draft, path)
    }

    fn partial_bytes(&self, id: &str) -> u64 {
        let part = fs::metadata(self.part_path(id)).map_or(0, |it| it.len());
        let pieces = fs::read_dir(self.pieces_path(id)).into_iter().flatten();
        let in_pieces = pieces.filter_map(|it| it.ok()?.metadata().ok()).map(|it| it.len());
        part + in_pieces.sum::<u64>()
    }
}

/// The catalogue's word counts; the record's only where the catalogue has none.
fn expected(model: &Model, record: Option<&Record>) -> Option<(Digest, u64)> {
    match model.sha256 {
        Some(sha256) => Some((sha256, model.size_bytes)),
        None => record.map(|it| (it.sha256, it.size_bytes)),
    }
}

fn modified_ns(metadata: &fs::Metadata) -> u64 {
    let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Something that was not there is as gone as what was removed.
fn gone(removed: io::Result<()>, path: &Path) -> Result<(), StoreError> {
    match removed {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::Io { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Makes a rename outlive a power cut. Only Unix can open a directory.
fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests;
