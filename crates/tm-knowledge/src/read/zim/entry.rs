//! An entry of an archive: its path, its title and where it is.

use super::number;

/// Paths and titles are sentences at most.
pub(super) const LONGEST_ENTRY: usize = 16_384;

/// Kinds that are no kinds: an entry that leads to another one, and two that are not made any more.
const REDIRECT: u16 = 0xffff;
const LINK_TARGET: u16 = 0xfffe;
const DELETED: u16 = 0xfffd;

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    /// The number of its kind in the archive's list.
    pub(super) kind: u16,
    pub(super) namespace: u8,
    /// The numbers of its cluster and of its blob there; none for a redirect.
    pub(super) place: Option<(u32, u32)>,
    pub(super) path: &'a [u8],
    /// Empty where it is the path.
    pub(super) title: &'a [u8],
}

impl<'a> Entry<'a> {
    /// The entry that the bytes begin with; none where it is cut off.
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        let kind = u16::from_le_bytes(*bytes.first_chunk()?);
        let (place, names_at) = match kind {
            REDIRECT => (None, 12),
            LINK_TARGET | DELETED => (None, 8),
            _ => (Some((number(bytes, 8)?, number(bytes, 12)?)), 16),
        };
        let mut names = bytes.get(names_at..)?.splitn(3, |it| *it == 0);
        let (path, title, _) = (names.next()?, names.next()?, names.next()?);
        Some(Self { kind, namespace: *bytes.get(3)?, place, path, title })
    }
}
