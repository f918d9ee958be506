//! What helped in the scratch copy, in the user's own files: and out of them again where it does not.
//!
//! Start at [`Applied::to`]. What was applied is taken back when this is dropped, unless it is kept.

use std::{
    fs::{self, Permissions},
    io,
    path::{Path, PathBuf},
};

use super::scratch::{Patch, link};
use crate::autopilot::git::{Git, GitError};

/// A patch that is applied, and the files as they were before.
#[derive(Debug)]
pub struct Applied {
    root: PathBuf,
    before: Vec<(PathBuf, Before)>,
}

#[derive(Debug)]
enum Before {
    Nothing,
    File { bytes: Vec<u8>, permissions: Permissions },
    Link { target: PathBuf },
}

impl Applied {
    /// Applies all of a patch to the repository at `root`, or nothing.
    ///
    /// # Errors
    /// When a file is not as it was when it was copied; nothing is changed then.
    pub fn to(root: &Path, patch: &Patch) -> Result<Self, GitError> {
        let before = patch.paths.iter().map(|path| {
            let path = root.join(path);
            let before = Before::of(&path)?;
            Ok((path, before))
        });
        let before = before.collect::<io::Result<_>>().map_err(GitError::Io)?;
        let file = patch.file.to_string_lossy();
        Git::with_root(root).run(&["apply", "--whitespace=nowarn", "--", &file])?;
        Ok(Self { root: root.to_path_buf(), before })
    }

    /// Leaves the files as they are now.
    pub fn keep(mut self) {
        self.before.clear();
    }

    /// Puts the files back as they were.
    ///
    /// # Errors
    /// When one of them cannot be written; what it said is then in a file at the root.
    pub fn take_back(mut self) -> io::Result<()> {
        self.restore()
    }

    fn restore(&mut self) -> io::Result<()> {
        let mut restored = Ok(());
        for (path, before) in self.before.drain(..) {
            // The others are put back all the same.
            restored = restored.and(before.put_back(&path).map_err(|error| {
                let kept = before.keep(&self.root, &path);
                io::Error::new(error.kind(), format!("{}: {error}; {kept}", path.display()))
            }));
        }
        restored
    }
}

impl Before {
    fn of(path: &Path) -> io::Result<Self> {
        let metadata = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(Self::Nothing);
            }
            Err(error) => return Err(error),
        };
        if metadata.is_symlink() {
            return Ok(Self::Link { target: fs::read_link(path)? });
        }
        Ok(Self::File { bytes: fs::read(path)?, permissions: metadata.permissions() })
    }

    fn put_back(&self, path: &Path) -> io::Result<()> {
        // A link would be written through.
        if !matches!(self, Self::File { .. }) || path.is_symlink() {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        // git removes a directory with its last file.
        if let (Self::File { .. } | Self::Link { .. }, Some(parent)) = (self, path.parent()) {
            fs::create_dir_all(parent)?;
        }
        match self {
            Self::Nothing => Ok(()),
            Self::File { bytes, permissions } => {
                fs::write(path, bytes)?;
                fs::set_permissions(path, permissions.clone())
            }
            Self::Link { target } => link(target, path),
        }
    }

    /// Keeps what a file said that cannot be put back, and tells where.
    fn keep(&self, root: &Path, path: &Path) -> String {
        let Self::File { bytes, .. } = self else {
            return "see what is there".to_owned();
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let kept = root.join(format!("{name}.{:08x}.as-it-was", fastrand::u32(..)));
        match fs::write(&kept, bytes) {
            Ok(()) => format!("what it said is in {}", kept.display()),
            Err(error) => format!("{} cannot be written either: {error}", kept.display()),
        }
    }
}

impl Drop for Applied {
    fn drop(&mut self) {
        if let Err(error) = self.restore() {
            tracing::warn!(%error, "a file could not be put back");
        }
    }
}

#[cfg(test)]
mod tests;
