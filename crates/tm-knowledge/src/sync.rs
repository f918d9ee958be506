//! A source as it is now: new and changed files are read, files that are gone are forgotten.
//!
//! What is unchanged is known by its hash and not read again, so an interrupted run goes on where
//! it was. Start at [`sync`].

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use crate::{
    index::{Index, IndexError, Source, hex, write::Document},
    read::{
        Kind, Unreadable,
        archive::{self, Format, Page},
        kind, language,
        pdf::process::PdfReader,
        read_with,
    },
    walk::files,
};

/// What became of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Synced {
    pub added: usize,
    pub changed: usize,
    pub unchanged: usize,
    pub removed: usize,
    /// Of what was added and changed.
    pub chunks: usize,
    /// Files that are not known, and why.
    pub skipped: Vec<(PathBuf, String)>,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub done: usize,
    pub files: usize,
}

/// A batch ends after so many documents or bytes of text.
const BATCH_DOCUMENTS: usize = 64;
const BATCH_BYTES: usize = 4_000_000;

/// More pages of one archive that cannot be read are only counted.
const MOST_NOTICES: usize = 20;

/// What is on the way into the index.
struct Syncing<'a> {
    index: &'a mut Index,
    source: &'a Source,
    pdf: &'a PdfReader,
    batch: Vec<Document>,
    batch_bytes: usize,
    synced: Synced,
}

/// A file, or a page of an archive.
struct Found {
    /// From the root of the source.
    path: String,
    /// What it is called where it does not say so itself.
    name: String,
    /// What an archive calls a page.
    title: Option<String>,
    kind: Kind,
    language: Option<&'static str>,
    bytes: Vec<u8>,
}

/// Brings what is known of a source up to date. `observer` is told after each file.
pub fn sync(
    index: &mut Index,
    source: &Source,
    pdf: &PdfReader,
    now_s: i64,
    observer: &dyn Fn(Progress),
) -> Result<Synced, IndexError> {
    let mut known = index.hashes(source.id)?;
    let root = Path::new(&source.location);
    let walked = files(root);
    let count = walked.files.len();
    let mut syncing = Syncing {
        index,
        source,
        pdf,
        batch: Vec::new(),
        batch_bytes: 0,
        synced: Synced { skipped: walked.skipped, ..Synced::default() },
    };
    for (done, path) in walked.files.iter().enumerate() {
        syncing.file(root, path, &mut known)?;
        observer(Progress { done: done + 1, files: count });
    }
    syncing.flush()?;
    let gone: Vec<String> = known.into_keys().collect();
    let Syncing { index, mut synced, .. } = syncing;
    index.remove_documents(source.id, &gone)?;
    synced.removed += gone.len();
    index.finish(source.id, now_s)?;
    Ok(synced)
}

impl Syncing<'_> {
    /// Reads a file unless it is known as it is, and takes it off the list of what is known.
    fn file(
        &mut self,
        root: &Path,
        path: &Path,
        known: &mut HashMap<String, String>,
    ) -> Result<(), IndexError> {
        let is_root = path.as_os_str().is_empty();
        let file = if is_root { root.to_path_buf() } else { root.join(path) };
        let name = if is_root { Path::new(root.file_name().unwrap_or_default()) } else { path };
        let mut skip = |why: String| self.synced.skipped.push((name.to_path_buf(), why));
        let Some(key) = name.to_str().map(|it| it.replace('\\', "/")) else {
            skip("its name is not text".to_owned());
            return Ok(());
        };
        if let Some(format) = archive::format(&file) {
            return self.archive(&key, &file, format, known);
        }
        let bytes = match fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) => {
                skip(error.to_string());
                return Ok(());
            }
        };
        let Some(kind) = kind(&file) else { return Ok(()) };
        let (name, language) = (key.clone(), language(&file));
        let found = Found { path: key, name, title: None, kind, language, bytes };
        self.found(found, modified_s(&file), known)
    }

    /// Reads every page of an archive as if it were a file.
    fn archive(
        &mut self,
        key: &str,
        file: &Path,
        format: Format,
        known: &mut HashMap<String, String>,
    ) -> Result<(), IndexError> {
        let pages = match archive::pages(file, format) {
            Ok(pages) => pages,
            Err(why) => {
                self.synced.skipped.push((PathBuf::from(key), why.to_string()));
                return Ok(());
            }
        };
        let modified_s = modified_s(file);
        let (told, mut untold) = (self.synced.skipped.len(), 0_usize);
        for page in pages {
            match page {
                Ok(Page { name, title, kind, bytes }) => {
                    let path = format!("{key}#{name}");
                    let found = Found { path, name, title, kind, language: None, bytes };
                    self.found(found, modified_s, known)?;
                }
                Err(why) => self.synced.skipped.push((PathBuf::from(key), why.to_string())),
            }
            if self.synced.skipped.len() > told + MOST_NOTICES {
                self.synced.skipped.pop();
                untold += 1;
            }
        }
        if untold > 0 {
            let why = format!("{untold} more of its pages cannot be read");
            self.synced.skipped.push((PathBuf::from(key), why));
        }
        Ok(())
    }

    /// Reads what was found unless it is known as it is.
    fn found(
        &mut self,
        found: Found,
        modified_s: Option<i64>,
        known: &mut HashMap<String, String>,
    ) -> Result<(), IndexError> {
        let Found { path, name, title, kind, language, bytes } = found;
        let hash = hex(&bytes);
        let known_hash = known.remove(&path);
        if known_hash.as_ref() == Some(&hash) {
            self.synced.unchanged += 1;
            return Ok(());
        }
        let is_too_large = bytes.len() as u64 > kind.largest_bytes();
        let read = if is_too_large {
            Err(Unreadable::TooLarge)
        } else {
            read_with(self.pdf, kind, &name, bytes)
        };
        match read {
            Err(why) => {
                self.synced.skipped.push((PathBuf::from(&path), why.to_string()));
                // What it said before is not there any more.
                if known_hash.is_some() {
                    self.synced.removed += 1;
                    self.index.remove_documents(self.source.id, &[path])?;
                }
                return Ok(());
            }
            Ok(readable) => {
                let new = usize::from(known_hash.is_none());
                self.synced.added += new;
                self.synced.changed += 1 - new;
                self.batch_bytes += readable.text.len();
                self.batch.push(Document {
                    path,
                    title: title.unwrap_or(readable.title),
                    kind,
                    language: language.map(str::to_owned),
                    modified_s,
                    hash,
                    text: readable.text,
                });
            }
        }
        if self.batch.len() >= BATCH_DOCUMENTS || self.batch_bytes >= BATCH_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), IndexError> {
        self.synced.chunks += self.index.write(self.source.id, &self.batch)?;
        self.batch.clear();
        self.batch_bytes = 0;
        Ok(())
    }
}

fn modified_s(file: &Path) -> Option<i64> {
    let modified = fs::metadata(file).and_then(|it| it.modified()).ok()?;
    i64::try_from(modified.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

#[cfg(test)]
mod tests;
