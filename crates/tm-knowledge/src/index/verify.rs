//! Whether each chunk still says what it said when it was read, and whether its file does.

use std::{fs, path::PathBuf};

use super::{Index, IndexError, file_and_page, hex};
use crate::read::archive::Opened;

/// What was checked, and what is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    pub documents: u64,
    pub chunks: u64,
    /// Chunks whose bytes are not those that were read: citations of them do not hold.
    pub broken: Vec<i64>,
    /// Files that say something else by now. Citations hold for the text that was kept.
    pub changed: Vec<String>,
    /// Files that are gone or cannot be read.
    pub missing: Vec<String>,
    /// Names of sources without a licence.
    pub unlicensed: Vec<String>,
}

impl Verified {
    /// Whether every citation can be opened and says what it said.
    pub fn holds(&self) -> bool {
        self.broken.is_empty()
    }
}

impl Index {
    /// Opens every span and every file again.
    ///
    /// # Errors
    /// [`IndexError::Damaged`] when the file itself is not whole.
    pub fn verify(&self) -> Result<Verified, IndexError> {
        let unlicensed = self.sources()?.into_iter().filter(|it| it.licence.is_none());
        let mut verified =
            Verified { unlicensed: unlicensed.map(|it| it.name).collect(), ..Verified::default() };
        // Says what is wrong as an error.
        self.connection.execute("INSERT INTO words (words) VALUES ('integrity-check')", [])?;
        let mut documents = self.connection.prepare(
            "SELECT document.id, location, path, hash, text FROM document
                JOIN source ON source.id = document.source ORDER BY document.id",
        )?;
        let mut chunks = self
            .connection
            .prepare("SELECT id, start, end, hash FROM chunk WHERE document = ?1 ORDER BY id")?;
        let mut files = Files::default();
        let mut rows = documents.query([])?;
        while let Some(row) = rows.next()? {
            verified.documents += 1;
            let (location, path): (String, String) = (row.get(1)?, row.get(2)?);
            let (hash, text): (String, Vec<u8>) = (row.get(3)?, row.get(4)?);
            let mut of_document = chunks.query([row.get::<_, i64>(0)?])?;
            while let Some(chunk) = of_document.next()? {
                verified.chunks += 1;
                let span = chunk.get::<_, usize>(1)?..chunk.get::<_, usize>(2)?;
                let stored: String = chunk.get(3)?;
                let is_whole = text
                    .get(span)
                    .is_some_and(|it| std::str::from_utf8(it).is_ok() && hex(it) == stored);
                if !is_whole {
                    verified.broken.push(chunk.get(0)?);
                }
            }
            match files.hash(&location, &path) {
                Some(now) if now == hash => {}
                Some(_) => verified.changed.push(path),
                None => verified.missing.push(path),
            }
        }
        Ok(verified)
    }
}

/// Files as they are now. The pages of an archive are asked for one after the other.
#[derive(Default)]
struct Files {
    /// The last archive; none where it cannot be read.
    archive: Option<(PathBuf, Option<Opened>)>,
}

impl Files {
    fn hash(&mut self, location: &str, path: &str) -> Option<String> {
        let (file, page) = file_and_page(location, path);
        let Some(page) = page else {
            return Some(hex(&fs::read(file).ok()?));
        };
        if self.archive.as_ref().is_none_or(|it| it.0 != file) {
            let opened = Opened::open(&file);
            self.archive = Some((file, opened));
        }
        self.archive.as_mut()?.1.as_mut()?.hash(page)
    }
}
