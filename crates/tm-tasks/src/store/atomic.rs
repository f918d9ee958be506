//! Replacing a file in one step: readers see the old text or the new one, never half of it, and
//! so does whoever looks after a power cut.
//!
//! Callers hold the lock of the directory; why something is written is not known here.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{self, Path, PathBuf},
};

/// The path that a write would have to replace: absolute, and not a symbolic link.
pub(crate) fn resolve(path: &Path) -> PathBuf {
    // As many as Linux follows.
    const MAX_LINKS: usize = 40;
    let mut resolved = path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    for _ in 0..MAX_LINKS {
        let Ok(target) = fs::read_link(&resolved) else { break };
        resolved = resolved.parent().map_or_else(|| target.clone(), |it| it.join(&target));
    }
    match (resolved.parent().map(fs::canonicalize), resolved.file_name()) {
        (Some(Ok(parent)), Some(name)) => parent.join(name),
        _ => resolved,
    }
}

/// Writes the file by way of a temporary one beside it. On an error the old file is intact.
pub(crate) fn write(path: &Path, bytes: &[u8], directory: &File) -> io::Result<()> {
    Prepared::write(path, bytes)?.put(directory)
}

/// A new text on the disk, beside the file that it is for. Gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Prepared {
    temporary: PathBuf,
    path: PathBuf,
}

impl Prepared {
    pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<Self> {
        let prepared = Self { temporary: temporary_path(path), path: path.to_path_buf() };
        // Its writer died: the lock is ours.
        remove_if_there(&prepared.temporary)?;
        write_new(&prepared.temporary, bytes, path)?;
        Ok(prepared)
    }

    /// Replaces the file.
    pub(crate) fn put(self, directory: &File) -> io::Result<()> {
        fs::rename(&self.temporary, &self.path)?;
        directory.sync_all()
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        // It is there only after an error, and the first error is the one to report.
        remove_if_there(&self.temporary).ok();
    }
}

pub(crate) fn remove(path: &Path, directory: &File) -> io::Result<()> {
    remove_if_there(path)?;
    directory.sync_all()
}

/// One name is enough under the lock, and a leftover is found again.
fn temporary_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".task-master-tmp");
    path.with_file_name(name)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn write_new(path: &Path, bytes: &[u8], model: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    if let Ok(metadata) = fs::metadata(model) {
        keep_owner(&file, &metadata);
        file.set_permissions(metadata.permissions())?;
    }
    file.write_all(bytes)?;
    file.sync_all()
}

/// So that root working in a user's project does not take the file away from them. Others may
/// not give files away, and need not.
#[cfg(unix)]
fn keep_owner(file: &File, metadata: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    fchown(file, Some(metadata.uid()), Some(metadata.gid())).ok();
}

#[cfg(not(unix))]
fn keep_owner(_file: &File, _metadata: &fs::Metadata) {}
