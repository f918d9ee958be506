//! A cluster of an archive: blobs one after the other, mostly packed, with a list of where they begin.

use std::{
    io::{self, Read},
    ops::Range,
};

use lzma_rust2::XzReader;
use ruzstd::decoding::StreamingDecoder;

use super::{damaged, failed};
use crate::read::Unreadable;

/// Unpacked. Usual ones have 2 MB, and more where one entry has.
pub(super) const LARGEST_BYTES: u64 = 64_000_000;

/// What a cluster may need to be unpacked: both are what the packers use at their most.
const ZSTD_WINDOW_BYTES: u64 = 128 << 20;
const XZ_KB: u32 = 80_000;

/// In the first byte of a cluster.
const PACKED: u8 = 0x0f;
const EXTENDED: u8 = 0x10;

/// A cluster, unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cluster {
    bytes: Vec<u8>,
    /// Of a place in the list at its begin.
    width: usize,
}

impl Cluster {
    /// Unpacks the cluster that is read next.
    ///
    /// # Errors
    /// When it is damaged, packed as none is any more, or too large.
    pub(super) fn unpack(mut packed: impl Read) -> Result<Self, Unreadable> {
        let mut info = [0];
        packed.read_exact(&mut info).map_err(failed)?;
        let [info] = info;
        let width = if info & EXTENDED == 0 { 4 } else { 8 };
        match info & PACKED {
            0 | 1 => Self::read(packed, width),
            4 => Self::read(XzReader::new_mem_limit(packed, false, XZ_KB), width),
            5 => {
                let decoder = StreamingDecoder::new_with_max_window_size(packed, ZSTD_WINDOW_BYTES);
                Self::read(decoder.map_err(|it| failed(io::Error::other(it)))?, width)
            }
            2 | 3 => Err(damaged("its pages are packed with zlib or bzip2, which is out of use")),
            _ => Err(damaged("its pages are packed in a way that is not known")),
        }
    }

    /// Reads as far as the cluster says that it goes, but not farther than one may.
    fn read(mut reader: impl Read, width: usize) -> Result<Self, Unreadable> {
        let mut cluster = Self { bytes: Vec::new(), width };
        cluster.read_to(&mut reader, width as u64)?;
        let list = cluster.place(0).filter(|it| *it >= width);
        let list = list.ok_or_else(|| damaged("the list of a cluster is damaged"))?;
        cluster.read_to(&mut reader, list as u64)?;
        let end = cluster.place(list / width - 1).filter(|it| *it >= list);
        let end = end.ok_or_else(|| damaged("the list of a cluster is damaged"))?;
        cluster.read_to(&mut reader, end as u64)?;
        Ok(cluster)
    }

    /// Reads until there are so many bytes.
    fn read_to(&mut self, reader: &mut impl Read, end: u64) -> Result<(), Unreadable> {
        if end > LARGEST_BYTES {
            return Err(Unreadable::TooLarge);
        }
        let missing = end.saturating_sub(self.len());
        reader.take(missing).read_to_end(&mut self.bytes).map_err(failed)?;
        if self.len() < end {
            return Err(damaged("a cluster is cut off"));
        }
        Ok(())
    }

    /// How many bytes it has, with its list.
    pub(super) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// What a blob says; none when there is no such blob.
    pub(super) fn blob(&self, number: u32) -> Option<&[u8]> {
        let number = usize::try_from(number).ok()?;
        let (list, span) =
            (self.place(0)?, Range { start: self.place(number)?, end: self.place(number + 1)? });
        (number + 1 < list / self.width && span.start >= list).then(|| self.bytes.get(span))?
    }

    /// Where a blob begins, or the one before it ends.
    fn place(&self, number: usize) -> Option<usize> {
        let at = number.checked_mul(self.width)?;
        let bytes = self.bytes.get(at..at.checked_add(self.width)?)?;
        let mut place = [0; 8];
        place.get_mut(..self.width)?.copy_from_slice(bytes);
        usize::try_from(u64::from_le_bytes(place)).ok()
    }
}

#[cfg(test)]
mod tests;
