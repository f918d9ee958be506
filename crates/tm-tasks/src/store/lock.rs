//! One writer at a time.
//!
//! The lock is on the directory of the file, not on a file of its own: it leaves nothing behind,
//! and the kernel lets go of it when its holder is killed.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use super::StoreError;

/// Holds a directory until dropped. A directory that was made for it and stayed empty goes again.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    handle: File,
    /// The innermost first.
    created: Vec<PathBuf>,
}

/// Often enough to get between two writes of a process that does nothing but write.
const RETRY_EVERY: Duration = Duration::from_millis(1);

/// Locks the directory of a file, which is made where there is none.
pub(crate) fn acquire_for(file: &Path, wait: Duration) -> Result<DirectoryLock, StoreError> {
    let directory = file.parent().unwrap_or(Path::new("/"));
    match DirectoryLock::acquire(directory, wait) {
        Ok(Some(lock)) => Ok(lock),
        Ok(None) => Err(StoreError::Busy { path: file.into(), waited_s: wait.as_secs() }),
        Err(source) => Err(StoreError::from_write(directory, source)),
    }
}

impl DirectoryLock {
    /// Nothing when it is still taken after this long.
    fn acquire(directory: &Path, wait: Duration) -> io::Result<Option<Self>> {
        let is_missing = |it: &&Path| !it.as_os_str().is_empty() && !it.exists();
        let missing = directory.ancestors().take_while(is_missing);
        let created: Vec<PathBuf> = missing.map(Path::to_path_buf).collect();
        fs::create_dir_all(directory)?;
        let handle = File::open(directory)?;
        let deadline = Instant::now() + wait;
        loop {
            match handle.try_lock() {
                Ok(()) => return Ok(Some(Self { handle, created })),
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                    return Ok(None);
                }
                // Another process holds it: nothing in this one could wake us.
                Err(TryLockError::WouldBlock) => thread::park_timeout(RETRY_EVERY),
            }
        }
    }

    pub(crate) fn handle(&self) -> &File {
        &self.handle
    }
}

impl Drop for DirectoryLock {
    fn drop(&mut self) {
        for directory in &self.created {
            // Refused for a directory that is in use.
            if fs::remove_dir(directory).is_err() {
                return;
            }
        }
    }
}
