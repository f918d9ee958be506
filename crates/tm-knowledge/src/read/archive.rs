//! Archives: files that hold many pages, each of which is a document of its own.
//!
//! The path of a page is that of its archive, a `#` and the name of the page. Who walks, reads or checks
//! files asks here and need not know which formats there are. Start at [`format`] and [`pages`].

use std::{collections::HashMap, path::Path};

use super::{
    Kind, Unreadable, devdocs,
    zim::{self, Zim},
};
use crate::index::hex;

/// Which archive a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Devdocs,
    Zim,
}

/// A page of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    /// As the archive calls it, such as `hooks/usestate`.
    pub(crate) name: String,
    /// None where the archive gives it no other name.
    pub(crate) title: Option<String>,
    pub(crate) kind: Kind,
    pub(crate) bytes: Vec<u8>,
}

/// The pages of an archive, one after the other, and what cannot be read of it.
pub(crate) type Pages = Box<dyn Iterator<Item = Result<Page, Unreadable>>>;

/// Which archive a file is; none for any other file.
pub(crate) fn format(file: &Path) -> Option<Format> {
    if devdocs::is_archive(file) {
        return Some(Format::Devdocs);
    }
    zim::is_archive(file).then_some(Format::Zim)
}

/// Why a file that belongs to an archive is not read.
pub(crate) fn refused(file: &Path) -> Option<&'static str> {
    zim::is_first_part(file).then_some(zim::JOIN_PARTS)
}

/// Reads the pages of an archive.
///
/// # Errors
/// When it is none, or has more in it than it may.
pub(crate) fn pages(file: &Path, format: Format) -> Result<Pages, Unreadable> {
    Ok(match format {
        Format::Devdocs => Box::new(devdocs::read(file)?.into_iter().map(Ok)),
        Format::Zim => Box::new(zim::pages(file)?),
    })
}

/// The path of the archive and the name of the page, where a path is that of a page.
pub(crate) fn page_of(path: &str) -> Option<(&str, &str)> {
    let is_archive = |file: &str| {
        let name = file.rsplit('/').next().unwrap_or_default();
        name == devdocs::NAME || zim::is_called_so(Path::new(name))
    };
    let mut ends = path.match_indices('#').map(|it| it.0);
    ends.find_map(|at| {
        let (file, page) = (path.get(..at)?, path.get(at + 1..)?);
        is_archive(file).then_some((file, page))
    })
}

/// An archive whose pages are asked for by their names.
pub(crate) enum Opened {
    /// The hash of each page.
    Devdocs(HashMap<String, String>),
    Zim(Box<Zim>),
}

impl Opened {
    /// Opens an archive; none where there is none that can be read.
    pub(crate) fn open(file: &Path) -> Option<Self> {
        match format(file)? {
            Format::Devdocs => {
                let pages = devdocs::read(file).ok()?.into_iter();
                Some(Self::Devdocs(pages.map(|it| (it.name, hex(&it.bytes))).collect()))
            }
            Format::Zim => Some(Self::Zim(Box::new(Zim::open(file).ok()?))),
        }
    }

    /// The hash of a page as it is now; none when there is no such page.
    pub(crate) fn hash(&mut self, page: &str) -> Option<String> {
        match self {
            Self::Devdocs(hashes) => hashes.get(page).cloned(),
            Self::Zim(archive) => Some(hex(&archive.find(page)?)),
        }
    }
}

impl Format {
    /// Larger archives are not read.
    pub(crate) fn largest_bytes(self) -> u64 {
        match self {
            Self::Devdocs => devdocs::LARGEST_BYTES,
            Self::Zim => zim::LARGEST_BYTES,
        }
    }

    /// Whether an archive of this format in this directory has what is in a file beside it.
    pub(crate) fn has(self, directory: &Path, file: &Path) -> bool {
        self == Self::Devdocs && devdocs::is_part(directory, file)
    }
}

#[cfg(test)]
mod tests;
