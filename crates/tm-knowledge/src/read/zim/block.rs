//! The last piece that was read of a file, for whoever reads on from there.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

/// A piece of a file.
pub(super) struct Block {
    ahead: usize,
    at: u64,
    bytes: Vec<u8>,
}

impl Block {
    /// One that reads so many bytes when it is asked for fewer.
    pub(super) fn ahead(ahead: usize) -> Self {
        Self { ahead, at: 0, bytes: Vec::new() }
    }

    /// So many bytes of a file, or fewer where it ends.
    pub(super) fn at(&mut self, mut file: &File, at: u64, len: usize) -> io::Result<&[u8]> {
        let start = at.checked_sub(self.at).and_then(|it| usize::try_from(it).ok());
        let inside = start.filter(|it| it.saturating_add(len) <= self.bytes.len());
        let start = inside.unwrap_or_default();
        if inside.is_none() {
            self.bytes.clear();
            file.seek(SeekFrom::Start(at))?;
            file.take(self.ahead.max(len) as u64).read_to_end(&mut self.bytes)?;
            self.at = at;
        }
        let end = start.saturating_add(len).min(self.bytes.len());
        Ok(self.bytes.get(start..end).unwrap_or_default())
    }
}
