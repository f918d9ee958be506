//! Chunks that have the words of a question, the best first.
//!
//! BM25 decides; near copies of what was found already and too many pieces of one document make
//! place for others.

use std::ops::Range;

use rusqlite::{Row, named_params};

use super::{Index, IndexError, stored_kind};
use crate::{fingerprint::Fingerprint, read::Kind, terms::of_question};

/// What to look for, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    pub text: String,
    /// At most this many chunks.
    pub limit: usize,
    /// At most this many of one document.
    pub per_document: usize,
    /// In these sources only; in all when empty.
    pub sources: Vec<i64>,
    /// Of these kinds only; of all when empty.
    pub kinds: Vec<Kind>,
    /// Only files that were changed at this time or later.
    pub since_s: Option<i64>,
}

/// A chunk that was found, and all it takes to cite it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hit {
    pub chunk: i64,
    pub score: f64,
    pub source: String,
    /// The source's absolute path.
    pub location: String,
    pub licence: Option<String>,
    /// From the source's root.
    pub path: String,
    pub title: String,
    pub headings: Vec<String>,
    pub kind: Kind,
    pub modified_s: Option<i64>,
    /// Bytes of the document's text.
    pub span: Range<usize>,
    pub first_line: usize,
    pub last_line: usize,
    pub text: String,
    #[serde(skip)]
    document: i64,
    #[serde(skip)]
    fingerprint: Fingerprint,
}

/// Looked at for each chunk that is wanted.
const DEPTH: usize = 10;

impl Query {
    /// The best chunks of all that is known.
    pub fn new(text: impl Into<String>, limit: usize) -> Self {
        Self {
            text: text.into(),
            limit,
            per_document: 3,
            sources: Vec::new(),
            kinds: Vec::new(),
            since_s: None,
        }
    }
}

impl Index {
    /// Finds chunks, the best first. A question without a word finds nothing.
    pub fn search(&self, query: &Query) -> Result<Vec<Hit>, IndexError> {
        let mut found: Vec<Hit> = Vec::new();
        for (chunk, score) in self.ranked(query)? {
            if found.len() == query.limit {
                break;
            }
            let hit = self.hit(chunk, score)?;
            let of_document = found.iter().filter(|it| it.document == hit.document).count();
            let is_copy = found.iter().any(|it| it.fingerprint.is_near(hit.fingerprint));
            if of_document < query.per_document && !is_copy {
                found.push(hit);
            }
        }
        Ok(found)
    }

    /// More chunks than are wanted, with their scores.
    fn ranked(&self, query: &Query) -> Result<Vec<(i64, f64)>, IndexError> {
        let words = of_question(&query.text);
        if words.is_empty() {
            return Ok(Vec::new());
        }
        // Letters and digits only, so nothing in it can be taken for an operator.
        let phrases: Vec<String> = words.iter().map(|it| format!("\"{it}\"")).collect();
        let is_filtered =
            !query.sources.is_empty() || !query.kinds.is_empty() || query.since_s.is_some();
        let filter = if is_filtered { FILTER } else { "" };
        let sql = format!(
            "SELECT rowid, -rank FROM words WHERE words MATCH :words {filter}
                ORDER BY rank LIMIT :limit"
        );
        let sources: Vec<String> = query.sources.iter().map(ToString::to_string).collect();
        let kinds: Vec<&str> = query.kinds.iter().map(|it| it.as_str()).collect();
        let (words, limit) = (phrases.join(" OR "), query.limit.saturating_mul(DEPTH));
        let (sources, kinds) = (list(&sources), list(&kinds));
        let mut statement = self.connection.prepare_cached(&sql)?;
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let rows = if is_filtered {
            let parameters = named_params! {
                ":words": words, ":limit": limit,
                ":sources": sources, ":kinds": kinds, ":since_s": query.since_s,
            };
            statement.query_map(parameters, read)?
        } else {
            statement.query_map(named_params! {":words": words, ":limit": limit}, read)?
        };
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Every chunk of a source, or of all of them, in their order.
    pub fn each_chunk(
        &self,
        source: Option<i64>,
        mut each: impl FnMut(Hit),
    ) -> Result<(), IndexError> {
        let mut statement = self.connection.prepare(
            "SELECT chunk.id FROM chunk JOIN document ON document.id = chunk.document
                WHERE ?1 IS NULL OR source = ?1 ORDER BY chunk.id",
        )?;
        let mut rows = statement.query([source])?;
        while let Some(row) = rows.next()? {
            each(self.hit(row.get(0)?, 0.0)?);
        }
        Ok(())
    }

    fn hit(&self, chunk: i64, score: f64) -> Result<Hit, IndexError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT chunk.id, document.id, source.name, location, licence, path, title, headings,
                kind, modified_s, start, end, first_line, last_line, fingerprint,
                substr(text, start + 1, end - start)
             FROM chunk JOIN document ON document.id = chunk.document
                JOIN source ON source.id = document.source
             WHERE chunk.id = ?1",
        )?;
        Ok(statement.query_row([chunk], |row| hit(row, score))?)
    }
}

/// Lists are separated and surrounded by commas.
const FILTER: &str = "AND rowid IN (
    SELECT chunk.id FROM chunk JOIN document ON document.id = chunk.document
    WHERE (:sources = ',,' OR instr(:sources, ',' || source || ','))
        AND (:kinds = ',,' OR instr(:kinds, ',' || kind || ','))
        AND (:since_s IS NULL OR modified_s >= :since_s))";

fn list(items: &[impl AsRef<str>]) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    format!(",{},", items.join(","))
}

fn hit(row: &Row<'_>, score: f64) -> rusqlite::Result<Hit> {
    let headings: String = row.get(7)?;
    let kind: String = row.get(8)?;
    let fingerprint: i64 = row.get(14)?;
    let text: Vec<u8> = row.get(15)?;
    Ok(Hit {
        chunk: row.get(0)?,
        score,
        document: row.get(1)?,
        source: row.get(2)?,
        location: row.get(3)?,
        licence: row.get(4)?,
        path: row.get(5)?,
        title: row.get(6)?,
        headings: headings.lines().map(str::to_owned).collect(),
        kind: stored_kind(&kind),
        modified_s: row.get(9)?,
        span: row.get(10)?..row.get(11)?,
        first_line: row.get(12)?,
        last_line: row.get(13)?,
        fingerprint: Fingerprint(fingerprint.cast_unsigned()),
        text: String::from_utf8_lossy(&text).into_owned(),
    })
}
