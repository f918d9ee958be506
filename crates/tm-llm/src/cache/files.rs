//! Answers on the disk, a file for each.
//!
//! A file is written beside its place and moved there, so that whoever reads sees all of it or
//! nothing, and any number of processes can share a directory. What cannot be read is not there.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Key,
    store::{Made, Stats, StoreError, Which, is_young, now_s},
};

/// The form of a file; another one is not read.
const VERSION: u32 = 1;

/// More answers than this are not kept: the oldest make room.
const ANSWERS_MOST: u64 = 10_000;

/// A directory with answers. Clones are the same one.
#[derive(Debug, Clone)]
pub struct FileStore {
    directory: PathBuf,
    answers_most: u64,
    /// How many there are, about: other processes write as well.
    answers: Arc<AtomicU64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    version: u32,
    key: String,
    made_s: u64,
    /// Who made it.
    #[serde(default)]
    by: String,
    answer: Value,
}

impl FileStore {
    /// A directory that is made when the first answer is kept. Nobody but its owner can look in.
    pub fn open(directory: PathBuf) -> Result<Self, StoreError> {
        let store = Self { directory, answers_most: ANSWERS_MOST, answers: Arc::default() };
        let answers = store.files()?.len();
        store.answers.store(u64::try_from(answers).unwrap_or(u64::MAX), Ordering::Relaxed);
        Ok(store)
    }

    /// The same with room for fewer answers.
    #[must_use]
    pub fn with_room_for(self, answers: u64) -> Self {
        Self { answers_most: answers, ..self }
    }

    /// An answer that is no older than that.
    pub(super) fn get(&self, key: &Key, age_most: Duration) -> Option<Value> {
        let path = self.path(key);
        let entry: Entry = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        let is_it = entry.version == VERSION && entry.key == key.as_str();
        (is_it && is_young(entry.made_s, age_most)).then_some(entry.answer)
    }

    pub(super) fn put(&self, key: &Key, made: Made<'_>) -> Result<(), StoreError> {
        let path = self.path(key);
        let entry = Entry {
            version: VERSION,
            key: key.as_str().to_owned(),
            made_s: now_s(),
            by: made.by.to_owned(),
            answer: made.answer.clone(),
        };
        let is_new = !path.exists();
        self.write(&path, &entry).map_err(|source| self.unusable(source))?;
        if is_new && self.answers.fetch_add(1, Ordering::Relaxed) + 1 > self.answers_most {
            self.make_room()?;
        }
        Ok(())
    }

    pub(super) fn clear(&self, which: &Which) -> Result<u64, StoreError> {
        let (mut cleared, mut left) = (0, 0);
        for (path, _, _) in self.files()? {
            if !which.is_all() && !is_one(&path, which) {
                left += 1;
                continue;
            }
            match fs::remove_file(&path) {
                Ok(()) => cleared += 1,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(self.unusable(error)),
            }
        }
        self.answers.store(left, Ordering::Relaxed);
        Ok(cleared)
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn stats(&self) -> Result<Stats, StoreError> {
        let now = SystemTime::now();
        Ok(self.files()?.iter().fold(Stats::default(), |stats, (_, made, bytes)| Stats {
            answers: stats.answers + 1,
            bytes: stats.bytes + bytes,
            age_s: stats.age_s.max(now.duration_since(*made).unwrap_or_default().as_secs()),
        }))
    }

    /// A tenth of the answers goes, the oldest ones.
    fn make_room(&self) -> Result<(), StoreError> {
        let mut files = self.files()?;
        files.sort_by_key(|(_, made, _)| *made);
        let room = self.answers_most - self.answers_most / 10;
        let too_many = files.len().saturating_sub(usize::try_from(room).unwrap_or(usize::MAX));
        for (path, _, _) in files.drain(..too_many) {
            // Whoever was quicker has removed it as well.
            drop(fs::remove_file(path));
        }
        let left = u64::try_from(files.len()).unwrap_or(u64::MAX);
        self.answers.store(left, Ordering::Relaxed);
        Ok(())
    }

    /// In directories of a few hundred at most.
    pub(super) fn path(&self, key: &Key) -> PathBuf {
        let name = key.as_str();
        self.directory.join(name.get(..2).unwrap_or_default()).join(format!("{name}.json"))
    }

    fn write(&self, path: &Path, entry: &Entry) -> io::Result<()> {
        let directory = path.parent().unwrap_or(&self.directory);
        private_directories(directory)?;
        let beside = path.with_extension(format!("{:016x}.part", fastrand::u64(..)));
        let written = private_file(&beside)
            .and_then(|mut file| file.write_all(&serde_json::to_vec(entry)?))
            .and_then(|()| fs::rename(&beside, path));
        if written.is_err() {
            drop(fs::remove_file(&beside));
        }
        written
    }

    /// Every answer with its age and size.
    fn files(&self) -> Result<Vec<(PathBuf, SystemTime, u64)>, StoreError> {
        let mut files = Vec::new();
        for directory in entries(&self.directory).map_err(|source| self.unusable(source))? {
            for path in entries(&directory).unwrap_or_default() {
                let is_answer = path.extension().is_some_and(|it| it == "json");
                let facts = fs::metadata(&path).and_then(|it| Ok((it.modified()?, it.len())));
                if let (true, Ok((made, bytes))) = (is_answer, facts) {
                    files.push((path, made, bytes));
                }
            }
        }
        Ok(files)
    }

    fn unusable(&self, source: io::Error) -> StoreError {
        StoreError::Directory { directory: self.directory.clone(), source }
    }
}

/// Whether an answer is to be forgotten; what cannot be read is no use to anybody.
fn is_one(path: &Path, which: &Which) -> bool {
    let entry = fs::read(path).ok().and_then(|it| serde_json::from_slice::<Entry>(&it).ok());
    entry.is_none_or(|it| which.is(it.made_s, &it.by))
}

/// What is in a directory; nothing when there is none.
fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(directory) {
        Ok(entries) => entries.map(|it| Ok(it?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn private_directories(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn private_file(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
