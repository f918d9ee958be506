//! What is known, in one `SQLite` file: sources, their documents, chunks and words.
//!
//! Several processes may use it at once. Each batch of documents is one transaction, so whoever
//! is killed leaves what was written before. [`mod@write`] changes it, [`search`] finds chunks,
//! [`vectors`] keeps what they mean, [`points`] hands that to others, [`verify`] checks that each one still says what it said. Start at [`Index::open`].

use std::{
    cell::RefCell,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, Row};
use sha2::{Digest as _, Sha256};

use self::vectors::{Embedded, Matrix};
use crate::read::{Kind, archive};

pub mod points;
pub mod search;
pub mod vectors;
pub mod verify;
pub mod write;

/// An open knowledge base.
#[derive(Debug)]
pub struct Index {
    connection: Connection,
    /// Read when it is needed first.
    matrix: RefCell<Matrix>,
}

/// A folder or a file whose documents are known.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    pub id: i64,
    /// An absolute path.
    pub location: String,
    pub name: String,
    /// What may be done with it, as whoever added it said.
    pub licence: Option<String>,
    /// Where it came from.
    pub origin: Option<String>,
    pub added_s: i64,
    /// None until all of it was read once.
    pub read_s: Option<i64>,
    pub documents: u64,
    pub chunks: u64,
}

/// How much is known.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    pub sources: u64,
    pub documents: u64,
    pub chunks: u64,
    /// Of all documents as they were read.
    pub text_bytes: u64,
    /// Documents whose text another document has, too.
    pub duplicates: u64,
    pub kinds: Vec<(String, u64)>,
    pub file_bytes: u64,
    /// None when no model has made any.
    pub vectors: Option<Embedded>,
}

/// Why the knowledge base cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    #[error("there is no knowledge base at {}", path.display())]
    Missing { path: PathBuf },
    #[error("{} cannot be created", path.display())]
    Uncreatable { path: PathBuf, source: io::Error },
    #[error("{} is not a knowledge base of this version", path.display())]
    Version { path: PathBuf },
    #[error("no source is called `{name}`")]
    NoSource { name: String },
    #[error("the vectors of the knowledge base were made by {made_by}, and {asked} is asked")]
    OtherEmbedder { made_by: String, asked: String },
    #[error("the knowledge base has no vectors")]
    NoVectors,
    #[error("another process is writing to the knowledge base")]
    Busy,
    #[error("the search was given up")]
    Interrupted,
    #[error("the knowledge base is damaged")]
    Damaged(#[source] rusqlite::Error),
    #[error("the knowledge base cannot be used")]
    Sqlite(#[source] rusqlite::Error),
}

/// Another layout of tables is another version.
const VERSION: i32 = 3;
/// The last one without vectors, which are added to it.
const WITHOUT_VECTORS: i32 = 1;
/// The last one where only spaces parted words.
const UNPARTED: i32 = 2;

/// How long to wait for another process.
const PATIENCE: Duration = Duration::from_secs(10);

impl Index {
    /// Opens a knowledge base, and makes an empty one where there is none.
    pub fn create(file: &Path) -> Result<Self, IndexError> {
        let uncreatable = |source| IndexError::Uncreatable { path: file.to_path_buf(), source };
        if let Some(directory) = file.parent() {
            fs::create_dir_all(directory).map_err(uncreatable)?;
            // What the user's files say is not for the project's repository.
            let ignored = directory.join(".gitignore");
            if !ignored.exists() {
                fs::write(ignored, "*\n").map_err(uncreatable)?;
            }
        }
        Self::connect(file, OpenFlags::SQLITE_OPEN_CREATE)
    }

    /// Opens a knowledge base that is there.
    pub fn open(file: &Path) -> Result<Self, IndexError> {
        if !file.exists() {
            return Err(IndexError::Missing { path: file.to_path_buf() });
        }
        Self::connect(file, OpenFlags::empty())
    }

    fn connect(file: &Path, flags: OpenFlags) -> Result<Self, IndexError> {
        let flags = flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(PATIENCE)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        Self::prepare(connection, file)
    }

    /// A knowledge base that is gone with whoever asked for it.
    pub fn in_memory() -> Result<Self, IndexError> {
        Self::prepare(Connection::open_in_memory()?, Path::new("memory"))
    }

    fn prepare(mut connection: Connection, file: &Path) -> Result<Self, IndexError> {
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        let transaction =
            connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let version: i32 = transaction.pragma_query_value(None, "user_version", |it| it.get(0))?;
        let tables: i64 =
            transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |it| it.get(0))?;
        let is_new = version == 0 && tables == 0;
        if !is_new && !(WITHOUT_VECTORS..=VERSION).contains(&version) {
            return Err(IndexError::Version { path: file.to_path_buf() });
        }
        if is_new {
            transaction.execute_batch(include_str!("index/schema.sql"))?;
        }
        if version <= WITHOUT_VECTORS {
            transaction.execute_batch(include_str!("index/vectors.sql"))?;
        }
        if version <= UNPARTED {
            write::part_words(&transaction)?;
        }
        if version != VERSION {
            transaction.pragma_update(None, "user_version", VERSION)?;
        }
        transaction.commit()?;
        Ok(Self { connection, matrix: RefCell::default() })
    }

    /// All sources, the oldest first.
    pub fn sources(&self) -> Result<Vec<Source>, IndexError> {
        let mut statement = self.connection.prepare(
            "SELECT id, location, name, licence, origin, added_s, read_s,
                (SELECT count(*) FROM document WHERE source = source.id),
                (SELECT count(*) FROM chunk JOIN document ON document.id = chunk.document
                    WHERE document.source = source.id)
             FROM source ORDER BY id",
        )?;
        let sources = statement.query_map([], source)?.collect::<Result<_, _>>();
        Ok(sources?)
    }

    /// The source that is called so: its number, its name or its path.
    pub fn source(&self, name: &str) -> Result<Source, IndexError> {
        let is_meant =
            |it: &Source| it.id.to_string() == name || it.name == name || it.location == name;
        let found = self.sources()?.into_iter().find(is_meant);
        found.ok_or_else(|| IndexError::NoSource { name: name.to_owned() })
    }

    /// The text of a chunk, as it was read; none when there is no such chunk any more.
    pub fn text(&self, chunk: i64) -> Result<Option<String>, IndexError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT substr(text, start + 1, end - start) FROM chunk
                JOIN document ON document.id = chunk.document WHERE chunk.id = ?1",
        )?;
        let text: Option<Vec<u8>> = statement.query_row([chunk], |row| row.get(0)).optional()?;
        Ok(text.map(|it| String::from_utf8_lossy(&it).into_owned()))
    }

    pub fn stats(&self) -> Result<Stats, IndexError> {
        let count = |sql: &str| -> Result<u64, IndexError> {
            Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
        };
        let mut statement = self
            .connection
            .prepare("SELECT kind, count(*) FROM document GROUP BY kind ORDER BY kind")?;
        let kinds = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Stats {
            sources: count("SELECT count(*) FROM source")?,
            documents: count("SELECT count(*) FROM document")?,
            chunks: count("SELECT count(*) FROM chunk")?,
            text_bytes: count("SELECT coalesce(sum(length(text)), 0) FROM document")?,
            duplicates: count("SELECT count(*) - count(DISTINCT hash) FROM document")?,
            kinds: kinds.collect::<Result<_, _>>()?,
            file_bytes: count(
                "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
            )?,
            vectors: self.embedded()?,
        })
    }

    /// Changes with every document that is added, changed or removed, and with their vectors.
    pub fn revision(&self) -> Result<String, IndexError> {
        let sql = "SELECT group_concat(hash, ' ') FROM (SELECT hash FROM document ORDER BY id)";
        let hashes: Option<String> = self.connection.query_row(sql, [], |row| row.get(0))?;
        let vectors = self.embedded()?;
        Ok(hex(format!("{} {vectors:?}", hashes.unwrap_or_default()).as_bytes()))
    }
}

impl From<rusqlite::Error> for IndexError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error),
            _ => Self::Sqlite(error),
        }
    }
}

fn source(row: &Row<'_>) -> rusqlite::Result<Source> {
    Ok(Source {
        id: row.get(0)?,
        location: row.get(1)?,
        name: row.get(2)?,
        licence: row.get(3)?,
        origin: row.get(4)?,
        added_s: row.get(5)?,
        read_s: row.get(6)?,
        documents: row.get(7)?,
        chunks: row.get(8)?,
    })
}

/// A kind as it is stored. What is not known is text.
fn stored_kind(name: &str) -> Kind {
    name.parse().unwrap_or(Kind::Text)
}

/// SHA-256 in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let digits = digest.iter().flat_map(|it| [it >> 4, it & 15]);
    digits.filter_map(|it| char::from_digit(it.into(), 16)).collect()
}

/// The file that a document was read from; of a page of an archive that is the archive.
pub fn file_of(location: &str, path: &str) -> PathBuf {
    file_and_page(location, path).0
}

/// The file that a document was read from, and the page of it where that is an archive.
fn file_and_page<'a>(location: &str, path: &'a str) -> (PathBuf, Option<&'a str>) {
    let location = Path::new(location);
    let file = |path: &str| {
        if location.is_file() { location.to_path_buf() } else { location.join(path) }
    };
    // A file may be called as a page of an archive is.
    match archive::page_of(path).filter(|_| !location.join(path).is_file()) {
        Some((archive, page)) => (file(archive), Some(page)),
        None => (file(path), None),
    }
}

#[cfg(test)]
mod tests;
