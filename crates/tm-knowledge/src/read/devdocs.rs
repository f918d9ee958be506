//! The archives that devdocs.io and its mirrors give away: `db.json` has all pages of a documentation as
//! HTML, and `index.json` beside it says what they are called.
//!
//! A page is a document of its own, whose path is that of the archive, a `#` and its name. What a page says
//! is read as any other HTML is. Start at [`read`].

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use serde::Deserialize;

use super::{Kind, Unreadable, archive::Page};

/// What every archive is called.
pub(crate) const NAME: &str = "db.json";

/// The largest documentation there is has about half of that.
pub(crate) const LARGEST_BYTES: u64 = 100_000_000;

/// More pages are no documentation.
const MOST_PAGES: usize = 50_000;

/// What is in a folder with an archive besides: lists, and the same pages once more.
const PARTS: &[&str] = &["index.json", "meta.json"];

#[derive(Deserialize)]
struct Names {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    path: String,
}

/// Whether a file is an archive: others are called `db.json`, too.
pub(crate) fn is_archive(file: &Path) -> bool {
    if file.file_name().is_none_or(|it| it != NAME) {
        return false;
    }
    let mut start = [0; 64];
    let read = index_of(file).and_then(|mut it| it.read(&mut start));
    let start = String::from_utf8_lossy(start.get(..read.unwrap_or_default()).unwrap_or_default());
    let start: String = start.split_whitespace().collect();
    start.starts_with("{\"entries\":[")
}

/// What says how the pages of an archive are called: no link, which may lead out of what the user named.
fn index_of(archive: &Path) -> io::Result<File> {
    let index = archive.with_file_name("index.json");
    if fs::symlink_metadata(&index)?.is_file() {
        return File::open(index);
    }
    Err(io::Error::other("index.json is not a file"))
}

/// Whether a file is a part of an archive in this directory, and says nothing that is not in that.
pub(crate) fn is_part(directory: &Path, file: &Path) -> bool {
    let Ok(inside) = file.strip_prefix(directory) else { return false };
    let is_page = inside.extension().is_some_and(|it| it == "html");
    is_page || PARTS.iter().any(|it| inside == Path::new(it))
}

/// Reads all pages of an archive.
///
/// # Errors
/// When it is none, or has more in it than it may.
pub(crate) fn read(archive: &Path) -> Result<Vec<Page>, Unreadable> {
    let bytes = |file: File| {
        let mut bytes = Vec::new();
        // It may grow meanwhile.
        file.take(LARGEST_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let failed = |error: io::Error| Unreadable::NotArchive(error.to_string());
    let index = index_of(archive).and_then(bytes).map_err(failed)?;
    pages(&File::open(archive).and_then(bytes).map_err(failed)?, &index)
}

/// All pages of an archive, by their names; `index` is what `index.json` says.
///
/// # Errors
/// When it is none, or has more in it than it may.
fn pages(archive: &[u8], index: &[u8]) -> Result<Vec<Page>, Unreadable> {
    let failed = |error: serde_json::Error| Unreadable::NotArchive(error.to_string());
    let pages: BTreeMap<String, String> = serde_json::from_slice(archive).map_err(failed)?;
    if pages.len() > MOST_PAGES {
        return Err(Unreadable::TooLarge);
    }
    let names: Names = serde_json::from_slice(index).map_err(failed)?;
    let mut titles: HashMap<String, String> = HashMap::new();
    for entry in names.entries {
        // Entries within a page have a `#`; the first one of a page is the page.
        titles.entry(entry.path).or_insert(entry.name);
    }
    let pages = pages.into_iter().filter(|(name, _)| !name.chars().any(char::is_control));
    let pages = pages.map(|(name, html)| {
        let title = titles.get(&name).unwrap_or(&name).clone();
        Page { name, title: Some(title), kind: Kind::Html, bytes: html.into_bytes() }
    });
    Ok(pages.collect())
}

#[cfg(test)]
mod tests;
