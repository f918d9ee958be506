//! What helped in the scratch copy, in the user's own files: and out of them again where it does not.
//!
//! Start at [`Applied::to`]. What was applied is taken back when this is dropped, unless it is kept.

use std::{
    fs::{self, Permissions},
    io,
    path::{Path, PathBuf},
};

use super::scratch::Patch;
use crate::autopilot::git::{Git, GitError};

/// A patch that is applied, and the files as they were before.
#[derive(Debug)]
pub struct Applied {
    before: Vec<(PathBuf, Option<Before>)>,
}

#[derive(Debug)]
struct Before {
    bytes: Vec<u8>,
    permissions: Permissions,
}

impl Applied {
    /// Applies all of a patch to the repository at `root`, or nothing.
    ///
    /// # Errors
    /// When a file is not as it was when it was copied; nothing is changed then.
    pub fn to(root: &Path, patch: &Patch) -> Result<Self, GitError> {
        let before = patch.paths.iter().map(|path| {
            let path = root.join(path);
            let before = match fs::read(&path) {
                Ok(bytes) => {
                    Some(Before { bytes, permissions: fs::metadata(&path)?.permissions() })
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            };
            Ok((path, before))
        });
        let before = before.collect::<io::Result<_>>().map_err(GitError::Io)?;
        let file = patch.file.to_string_lossy();
        Git::with_root(root).run(&["apply", "--whitespace=nowarn", "--", &file])?;
        Ok(Self { before })
    }

    /// Leaves the files as they are now.
    pub fn keep(mut self) {
        self.before.clear();
    }

    /// Puts the files back as they were.
    ///
    /// # Errors
    /// When one of them cannot be written.
    pub fn take_back(mut self) -> io::Result<()> {
        self.restore()
    }

    fn restore(&mut self) -> io::Result<()> {
        let mut restored = Ok(());
        for (path, before) in self.before.drain(..) {
            let put_back = match before {
                Some(Before { bytes, permissions }) => {
                    fs::write(&path, bytes).and_then(|()| fs::set_permissions(&path, permissions))
                }
                None => fs::remove_file(&path),
            };
            // The others are put back all the same.
            restored = restored.and(put_back);
        }
        restored
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
