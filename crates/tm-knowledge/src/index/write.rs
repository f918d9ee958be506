//! Changes to the knowledge base, each of them one transaction.

use std::{borrow::Cow, collections::HashMap};

use rusqlite::{Connection, Transaction, TransactionBehavior, named_params, params};

use super::{Index, IndexError, Source, hex, stored_kind};
use crate::{
    chunk::chunks,
    fingerprint::Fingerprint,
    read::Kind,
    terms::{parted, parts_of_names},
};

/// What is said about a source when it is added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewSource {
    /// An absolute path.
    pub location: String,
    pub name: String,
    pub licence: Option<String>,
    pub origin: Option<String>,
}

/// A document to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// From the root of its source, with `/`.
    pub path: String,
    pub title: String,
    pub kind: Kind,
    pub language: Option<String>,
    pub modified_s: Option<i64>,
    /// SHA-256 of the file.
    pub hash: String,
    pub text: String,
}

impl Document {
    /// A text that is no file.
    pub fn of_text(path: &str, title: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            title: title.to_owned(),
            kind: Kind::Text,
            language: None,
            modified_s: None,
            hash: hex(text.as_bytes()),
            text: text.to_owned(),
        }
    }
}

impl Index {
    /// Adds a source without documents, or says something else about one that is there.
    pub fn add_source(&mut self, new: &NewSource, now_s: i64) -> Result<Source, IndexError> {
        self.connection.execute(
            "INSERT INTO source (location, name, licence, origin, added_s)
                VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (location) DO UPDATE SET
                licence = coalesce(excluded.licence, licence),
                origin = coalesce(excluded.origin, origin)",
            params![new.location, new.name, new.licence, new.origin, now_s],
        )?;
        self.source(&new.location)
    }

    /// Removes a source with all that was read of it.
    pub fn remove_source(&mut self, id: i64) -> Result<(), IndexError> {
        let transaction = begin(&mut self.connection)?;
        transaction.execute("DELETE FROM source WHERE id = ?1", [id])?;
        Ok(transaction.commit()?)
    }

    /// The hash of each file of a source, by its path.
    pub fn hashes(&self, source: i64) -> Result<HashMap<String, String>, IndexError> {
        let mut statement =
            self.connection.prepare("SELECT path, hash FROM document WHERE source = ?1")?;
        let hashes = statement.query_map([source], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(hashes.collect::<Result<_, _>>()?)
    }

    /// Keeps documents, in place of older ones with the same paths: all of them or, when it is
    /// interrupted, none. Returns how many chunks they have.
    pub fn write(&mut self, source: i64, documents: &[Document]) -> Result<usize, IndexError> {
        let transaction = begin(&mut self.connection)?;
        let mut written = 0;
        for document in documents {
            remove(&transaction, source, &document.path)?;
            written += insert(&transaction, source, document)?;
        }
        transaction.commit()?;
        Ok(written)
    }

    /// Forgets documents.
    pub fn remove_documents(&mut self, source: i64, paths: &[String]) -> Result<(), IndexError> {
        let transaction = begin(&mut self.connection)?;
        for path in paths {
            remove(&transaction, source, path)?;
        }
        Ok(transaction.commit()?)
    }

    /// Notes that all of a source has been read.
    pub fn finish(&mut self, source: i64, now_s: i64) -> Result<(), IndexError> {
        self.connection
            .execute("UPDATE source SET read_s = ?2 WHERE id = ?1", params![source, now_s])?;
        Ok(())
    }
}

/// Takes the lock for writing at once: a reader that becomes a writer may have to be refused.
pub(super) fn begin(connection: &mut Connection) -> Result<Transaction<'_>, IndexError> {
    Ok(connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

fn remove(transaction: &Transaction<'_>, source: i64, path: &str) -> Result<(), IndexError> {
    let sql = "DELETE FROM document WHERE source = ?1 AND path = ?2";
    transaction.prepare_cached(sql)?.execute(params![source, path])?;
    Ok(())
}

fn insert(
    transaction: &Transaction<'_>,
    source: i64,
    document: &Document,
) -> Result<usize, IndexError> {
    let text = document.text.as_str();
    transaction
        .prepare_cached(
            "INSERT INTO document (source, path, title, kind, language, modified_s, hash, text)
                VALUES (:source, :path, :title, :kind, :language, :modified_s, :hash, :text)",
        )?
        .execute(named_params! {
            ":source": source,
            ":path": document.path,
            ":title": document.title,
            ":kind": document.kind.as_str(),
            ":language": document.language,
            ":modified_s": document.modified_s,
            ":hash": document.hash,
            ":text": text.as_bytes(),
        })?;
    let id = transaction.last_insert_rowid();
    let chunks = chunks(document.kind, text);
    let (mut line, mut counted) = (1_usize, 0);
    for chunk in &chunks {
        let piece = text.get(chunk.span.clone()).unwrap_or_default();
        line += newlines(text.get(counted..chunk.span.start).unwrap_or_default());
        let last_line = line + newlines(piece);
        transaction
            .prepare_cached(
                "INSERT INTO chunk
                    (document, start, end, first_line, last_line, headings, hash, fingerprint)
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                id,
                chunk.span.start,
                chunk.span.end,
                line,
                last_line,
                chunk.headings.join("\n"),
                hex(piece.as_bytes()),
                Fingerprint::of(piece).0.cast_signed(),
            ])?;
        let number = transaction.last_insert_rowid();
        let titles = titles(document.kind, &document.path, &document.title, &chunk.headings);
        insert_words(transaction, number, &titles, document.kind, piece)?;
        (line, counted) = (last_line, chunk.span.end);
    }
    Ok(chunks.len())
}

/// What a chunk is found by beside its own words.
pub(super) fn titles(kind: Kind, path: &str, title: &str, headings: &[impl AsRef<str>]) -> String {
    let mut titles = if kind == Kind::Code { path } else { title }.to_owned();
    // The number of a page says nothing about it.
    let says = |it: &&str| *it != title && kind != Kind::Pdf;
    for heading in headings.iter().map(AsRef::as_ref).filter(says) {
        titles.push('\n');
        titles.push_str(heading);
    }
    titles
}

/// Keeps what a chunk is found by.
fn insert_words(
    transaction: &Transaction<'_>,
    chunk: i64,
    titles: &str,
    kind: Kind,
    piece: &str,
) -> rusqlite::Result<usize> {
    let names = if kind == Kind::Code { parts_of_names(piece) } else { String::new() };
    transaction
        .prepare_cached("INSERT INTO words (rowid, title, text) VALUES (?1, ?2, ?3)")?
        .execute(params![chunk, parted(titles), parted(piece) + names.as_str()])
}

/// Parts the words of chunks that were written when only spaces parted them.
pub(super) fn part_words(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare(
        "SELECT chunk.id, kind, path, title, headings, substr(text, start + 1, end - start)
            FROM chunk JOIN document ON document.id = chunk.document",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let chunk: i64 = row.get(0)?;
        let (kind, path, title): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
        let (headings, piece): (String, Vec<u8>) = (row.get(4)?, row.get(5)?);
        let (kind, piece) = (stored_kind(&kind), String::from_utf8_lossy(&piece));
        let headings: Vec<&str> = headings.lines().collect();
        let titles = titles(kind, &path, &title, &headings);
        if matches!((parted(&titles), parted(&piece)), (Cow::Borrowed(_), Cow::Borrowed(_))) {
            continue;
        }
        transaction.execute("DELETE FROM words WHERE rowid = ?1", [chunk])?;
        insert_words(transaction, chunk, &titles, kind, &piece)?;
        transaction.execute(
            "UPDATE chunk SET fingerprint = ?2 WHERE id = ?1",
            params![chunk, Fingerprint::of(&piece).0.cast_signed()],
        )?;
    }
    Ok(())
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|it| *it == b'\n').count()
}
