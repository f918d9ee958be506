//! The records on the disk: two files of a bounded size, one JSON document a line.
//!
//! A thread writes what has come together since its last write, so that no request waits for the
//! disk. Any number of processes write to the same files: a line is written in one piece, and the
//! file that is full is moved aside under a lock. Start at [`Log::keep`] and [`Log::read`].

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{Copies, Record};

/// A file that is larger is moved aside, and takes the place of the one that was before.
const FILE_BYTES: u64 = 4 << 20;

/// Records that wait to be written; more are lost, and counted.
const WAITING_MOST: usize = 4096;

/// Records come together for so long before they are written.
const GATHER: Duration = Duration::from_millis(10);

/// After so many times that none came, whoever writes sleeps until it is woken. To wake it is work
/// for a request that is about to be answered, and those that come soon after another need not.
const AWAKE: u32 = 100;

/// Where records are kept. Dropping it waits until all of them are.
#[derive(Debug)]
pub struct Log {
    /// None when nothing is kept.
    file: Option<PathBuf>,
    file_bytes: u64,
    queue: Arc<Queue>,
    copies: Option<Arc<Copies>>,
    writer: OnceLock<Option<JoinHandle<()>>>,
}

/// What waits to be written.
#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    records: Vec<Record>,
    lost: u64,
    /// Nothing more will come.
    is_over: bool,
    /// Whoever writes has to be woken.
    is_asleep: bool,
}

/// What was kept.
#[derive(Debug, Default, PartialEq)]
pub struct Past {
    /// The newest first.
    pub records: Vec<Record>,
    /// Requests without a record, because the disk was too slow.
    pub lost: u64,
    /// Lines that are none of ours, or are broken.
    pub unreadable: usize,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Lost { lost: u64 },
    Record(Box<Record>),
}

impl Log {
    /// The log of a user.
    pub fn in_dir(state_dir: &Path) -> Self {
        Self::new(Some(path(state_dir)), FILE_BYTES)
    }

    /// Nothing is kept.
    pub fn nowhere() -> Self {
        Self::new(None, FILE_BYTES)
    }

    fn new(file: Option<PathBuf>, file_bytes: u64) -> Self {
        Self { file, file_bytes, queue: Arc::default(), copies: None, writer: OnceLock::new() }
    }

    /// The same, and somebody else gets every record as well.
    #[must_use]
    pub fn with_copies(mut self, copies: Arc<Copies>) -> Self {
        self.copies = Some(copies);
        self
    }

    /// Keeps a record, at once or a moment later.
    pub fn keep(&self, record: Record) {
        if let Some(copies) = &self.copies {
            copies.push(record.clone());
        }
        let Some(file) = &self.file else { return };
        self.writer.get_or_init(|| {
            let (queue, file, file_bytes) =
                (Arc::clone(&self.queue), file.clone(), self.file_bytes);
            let thread = thread::Builder::new().name("trace".to_owned());
            thread.spawn(move || write_all(&file, file_bytes, &queue)).ok()
        });
        self.queue.push(record);
    }

    /// Everything that was kept.
    ///
    /// # Errors
    /// A file that is there and cannot be read.
    pub fn read(state_dir: &Path) -> io::Result<Past> {
        let file = path(state_dir);
        let mut past = Past::default();
        for file in [file.clone(), older(&file)] {
            let text = match fs::read(&file) {
                Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            for line in text.lines().rev() {
                match serde_json::from_str(line) {
                    Ok(Line::Record(record)) if !record.id.is_empty() => past.records.push(*record),
                    Ok(Line::Lost { lost }) => past.lost += lost,
                    Ok(Line::Record(_)) | Err(_) => past.unreadable += 1,
                }
            }
        }
        Ok(past)
    }
}

/// Where the records are.
pub fn path(state_dir: &Path) -> PathBuf {
    state_dir.join("requests.jsonl")
}

fn older(file: &Path) -> PathBuf {
    file.with_extension("1.jsonl")
}

impl Drop for Log {
    fn drop(&mut self) {
        self.queue.end();
        if let Some(Some(thread)) = self.writer.take() {
            // It has said what went wrong.
            drop(thread.join());
        }
    }
}

impl Queue {
    fn push(&self, record: Record) {
        let mut waiting = self.waiting();
        if waiting.records.len() >= WAITING_MOST {
            waiting.lost += 1;
            return;
        }
        waiting.records.push(record);
        let is_asleep = std::mem::take(&mut waiting.is_asleep);
        drop(waiting);
        if is_asleep {
            self.changed.notify_one();
        }
    }

    fn end(&self) {
        self.waiting().is_over = true;
        self.changed.notify_one();
    }

    /// What has come together; nothing when nothing more will.
    fn take(&self) -> Option<(Vec<Record>, u64)> {
        let (mut waiting, mut idle) = (self.waiting(), 0);
        loop {
            let gathered = self.changed.wait_timeout_while(waiting, GATHER, |it| !it.is_over);
            waiting = gathered.unwrap_or_else(PoisonError::into_inner).0;
            if !waiting.records.is_empty() {
                let records = std::mem::take(&mut waiting.records);
                return Some((records, std::mem::take(&mut waiting.lost)));
            }
            if waiting.is_over {
                return None;
            }
            idle += 1;
            if idle == AWAKE {
                waiting.is_asleep = true;
                let waits = |it: &mut Waiting| it.is_asleep && !it.is_over;
                let woken = self.changed.wait_while(waiting, waits);
                waiting = woken.unwrap_or_else(PoisonError::into_inner);
                (idle, waiting.is_asleep) = (0, false);
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes until nothing more comes.
fn write_all(file: &Path, file_bytes: u64, queue: &Queue) {
    let mut has_warned = false;
    while let Some((records, missing)) = queue.take() {
        let mut lines = Vec::new();
        for record in records {
            push(&mut lines, &Line::Record(Box::new(record)));
        }
        if missing > 0 {
            push(&mut lines, &Line::Lost { lost: missing });
        }
        if let Err(error) = append(file, file_bytes, &lines)
            && !has_warned
        {
            has_warned = true;
            tracing::warn!(file = %file.display(), %error, "requests leave no trace");
        }
    }
}

fn push(lines: &mut Vec<u8>, line: &Line) {
    if let Ok(json) = serde_json::to_vec(line) {
        lines.extend(json);
        lines.push(b'\n');
    }
}

/// One write, so that lines of several processes do not mix.
fn append(file: &Path, file_bytes: u64, lines: &[u8]) -> io::Result<()> {
    let mut open = private(file)?;
    if open.metadata()?.len() >= file_bytes {
        move_aside(file, file_bytes, &open)?;
        open = private(file)?;
    }
    open.write_all(lines)
}

/// Whoever is first moves the file; the others see that it is another one by then.
fn move_aside(file: &Path, file_bytes: u64, open: &File) -> io::Result<()> {
    open.lock()?;
    let is_full = fs::metadata(file).is_ok_and(|it| it.len() >= file_bytes);
    if is_full { fs::rename(file, older(file)) } else { Ok(()) }
}

/// Nobody but its owner reads it.
fn private(file: &Path) -> io::Result<File> {
    if let Some(directory) = file.parent() {
        DirBuilder::new().recursive(true).create(directory)?;
    }
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}

#[cfg(test)]
mod tests;
