//! The records on the disk: two files of a bounded size, one JSON document a line.
//!
//! A thread writes what has come together since its last write, so that no request waits for the
//! disk. Any number of processes write to the same files: a line is written in one piece, and the
//! file that is full is moved aside under a lock. Start at [`Log::keep`] and [`Log::read`].

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
};

use serde::{Deserialize, Serialize};

use super::Record;

/// A file that is larger is moved aside, and takes the place of the one that was before.
const FILE_BYTES: u64 = 4 << 20;

/// Records that wait to be written; more are lost, and counted.
const WAITING_MOST: usize = 4096;

/// Where records are kept. Dropping it waits until all of them are.
#[derive(Debug)]
pub struct Log {
    /// None when nothing is kept.
    file: Option<PathBuf>,
    file_bytes: u64,
    writer: Mutex<Option<Writer>>,
    lost: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Writer {
    sender: SyncSender<Record>,
    thread: JoinHandle<()>,
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
        Self { file, file_bytes, writer: Mutex::default(), lost: Arc::default() }
    }

    /// Keeps a record, at once or a moment later.
    pub fn keep(&self, record: Record) {
        let Some(file) = &self.file else { return };
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if writer.is_none() {
            *writer = Writer::start(file.clone(), self.file_bytes, Arc::clone(&self.lost));
        }
        let kept = writer.as_ref().is_some_and(|it| it.sender.try_send(record).is_ok());
        if !kept {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
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
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Writer { sender, thread }) = writer {
            drop(sender);
            // It has said what went wrong.
            drop(thread.join());
        }
    }
}

impl Writer {
    fn start(file: PathBuf, file_bytes: u64, lost: Arc<AtomicU64>) -> Option<Self> {
        let (sender, records) = sync_channel(WAITING_MOST);
        let thread = thread::Builder::new().name("trace".to_owned());
        let started = thread.spawn(move || write_all(&file, file_bytes, &lost, &records));
        Some(Self { sender, thread: started.ok()? })
    }
}

/// Writes until nobody sends any more.
fn write_all(file: &Path, file_bytes: u64, lost: &AtomicU64, records: &Receiver<Record>) {
    let mut has_warned = false;
    while let Ok(first) = records.recv() {
        let mut lines = Vec::new();
        for record in std::iter::once(first).chain(records.try_iter().take(WAITING_MOST)) {
            push(&mut lines, &Line::Record(Box::new(record)));
        }
        let missing = lost.swap(0, Ordering::Relaxed);
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
