//! One writer at a time.
//!
//! The lock is on the directory of the file, not on a file of its own: it leaves nothing behind,
//! and the kernel lets go of it when its holder is killed.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use super::StoreError;

/// Holds a directory until dropped. A directory that was made for it and stayed empty goes again.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    handle: File,
    /// The innermost first.
    created: Vec<PathBuf>,
}

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
        match handle.try_lock() {
            Err(TryLockError::WouldBlock) if !lock_within(&handle, wait)? => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
            Ok(()) | Err(TryLockError::WouldBlock) => {}
        }
        Ok(Some(Self { handle, created }))
    }

    pub(crate) fn handle(&self) -> &File {
        &self.handle
    }
}

/// Waits in the kernel's queue: of many processes that only look again and again, on a busy machine
/// some never look at the right moment. Such a wait has no end of its own, so it has a thread; a lock
/// that it gets when nobody wants it any more is let go of at once.
fn lock_within(handle: &File, wait: Duration) -> io::Result<bool> {
    let waiting = handle.try_clone()?;
    let (sender, locked) = mpsc::channel();
    thread::Builder::new().spawn(move || drop(sender.send(waiting.lock())))?;
    match locked.recv_timeout(wait) {
        Ok(locked) => locked.map(|()| true),
        Err(RecvTimeoutError::Timeout) => Ok(false),
        Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("waiting broke down")),
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
