//! Chunks that say something about a question, the best first.
//!
//! By their words, BM25 decides; by what they mean, the cosine of their vectors; by both, the
//! ranks in the two lists. Near copies of what was found already and too many pieces of one document
//! make place for others.

use std::{
    collections::{HashMap, HashSet},
    ops::{Range, RangeInclusive},
};

use rusqlite::{Row, named_params};

use super::{Index, IndexError, points::Near, stored_kind, vectors::Embedder};
use crate::{chunk::page, fingerprint::Fingerprint, read::Kind, terms::of_question};

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
    pub by: By,
}

/// What chunks are found by.
#[derive(Debug, Clone, PartialEq)]
pub enum By {
    Words,
    Meaning(Meaning),
    Both(Meaning),
}

impl By {
    /// What another program has found to be nearest; without effect where words decide.
    pub fn set_nearest(&mut self, found: Option<Vec<Near>>) {
        if let Self::Meaning(meaning) | Self::Both(meaning) = self {
            meaning.nearest = found;
        }
    }
}

/// A question as the model understands it that made the vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct Meaning {
    pub vector: Vec<f32>,
    pub embedder: Embedder,
    /// What a rank among the meanings counts, where one among the words counts 1.
    pub weight: f64,
    /// What another program has found to be nearest, the nearest first; none where it is looked for
    /// here. See [`points`](super::points).
    pub nearest: Option<Vec<Near>>,
}

/// A chunk that was found, and all it takes to cite it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hit {
    pub chunk: i64,
    pub score: f64,
    /// How near it is to what is meant, at most 1; none when only its words are known to fit.
    pub cosine: Option<f64>,
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
    /// In a document that has pages, where lines say nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<usize>,
    pub text: String,
    #[serde(skip)]
    document: i64,
    #[serde(skip)]
    fingerprint: Fingerprint,
}

/// A chunk's place in a list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ranked {
    pub(super) chunk: i64,
    pub(super) score: f64,
    pub(super) cosine: Option<f64>,
}

/// Looked at for each chunk that is wanted.
const DEPTH: usize = 10;

/// How much less a lower rank counts: the first counts (`FLATNESS` + 2) / (`FLATNESS` + 1) times as
/// much as the second.
const FLATNESS: u32 = 60;

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
            by: By::Words,
        }
    }
}

impl Query {
    /// How many chunks each way of finding them is to name.
    pub(super) fn depth(&self) -> usize {
        self.limit.saturating_mul(DEPTH)
    }

    fn is_filtered(&self) -> bool {
        !self.sources.is_empty() || !self.kinds.is_empty() || self.since_s.is_some()
    }

    /// The sources and the kinds, as [`FILTER`] wants them.
    fn lists(&self) -> (String, String) {
        let sources: Vec<String> = self.sources.iter().map(ToString::to_string).collect();
        let kinds: Vec<&str> = self.kinds.iter().map(|it| it.as_str()).collect();
        (list(&sources), list(&kinds))
    }
}

/// One list of several, by reciprocal ranks: each list gives a chunk the more, the further ahead it
/// has it. Scores of different kinds cannot be added, ranks can.
fn fused(lists: &[(Vec<Ranked>, f64)]) -> Vec<Ranked> {
    let mut all: HashMap<i64, Ranked> = HashMap::new();
    for (list, weight) in lists {
        for (rank, it) in (FLATNESS + 1..).zip(list) {
            let new = Ranked { score: 0.0, ..*it };
            let ranked = all.entry(it.chunk).or_insert(new);
            ranked.score += weight / f64::from(rank);
            ranked.cosine = ranked.cosine.or(it.cosine);
        }
    }
    let mut fused: Vec<Ranked> = all.into_values().collect();
    fused.sort_by(|it, other| other.score.total_cmp(&it.score).then(it.chunk.cmp(&other.chunk)));
    fused
}

impl Hit {
    /// Where a reader finds it: its file, and its page or its lines.
    pub fn place(&self) -> String {
        place(&self.path, self.page, self.first_line..=self.last_line)
    }
}

/// A file with the page of it, or the lines where it has none.
pub fn place(path: &str, page: Option<usize>, lines: RangeInclusive<usize>) -> String {
    match page {
        Some(page) => format!("{path}, page {page}"),
        None => format!("{path}:{}-{}", lines.start(), lines.end()),
    }
}

impl Index {
    /// Finds chunks, the best first. By its words, a question without any finds nothing.
    ///
    /// # Errors
    /// [`IndexError::OtherEmbedder`] and [`IndexError::NoVectors`] for a meaning that cannot be
    /// compared.
    pub fn search(&self, query: &Query) -> Result<Vec<Hit>, IndexError> {
        let mut found: Vec<Hit> = Vec::new();
        for ranked in self.ranked(query)? {
            if found.len() == query.limit {
                break;
            }
            let hit = self.hit(ranked)?;
            let of_document = found.iter().filter(|it| it.document == hit.document).count();
            let is_copy = found.iter().any(|it| it.fingerprint.is_near(hit.fingerprint));
            if of_document < query.per_document && !is_copy {
                found.push(hit);
            }
        }
        Ok(found)
    }

    /// More chunks than are wanted, with their scores.
    fn ranked(&self, query: &Query) -> Result<Vec<Ranked>, IndexError> {
        match &query.by {
            By::Words => self.by_words(query),
            By::Meaning(meaning) => self.by_meaning(query, meaning),
            By::Both(meaning) => Ok(fused(&[
                (self.by_words(query)?, 1.0),
                (self.by_meaning(query, meaning)?, meaning.weight),
            ])),
        }
    }

    fn by_meaning(&self, query: &Query, meaning: &Meaning) -> Result<Vec<Ranked>, IndexError> {
        self.check_embedder(&meaning.embedder)?;
        match &meaning.nearest {
            Some(nearest) => self.known(nearest),
            None => self.nearest(&meaning.vector, query.depth(), self.among(query)?.as_ref()),
        }
    }

    /// The only chunks that may be found, where not all may.
    pub(super) fn among(&self, query: &Query) -> Result<Option<HashSet<i64>>, IndexError> {
        query.is_filtered().then(|| self.filtered(query)).transpose()
    }

    /// All chunks that may be found.
    fn filtered(&self, query: &Query) -> Result<HashSet<i64>, IndexError> {
        let (sources, kinds) = query.lists();
        let mut statement = self.connection.prepare_cached(FILTER)?;
        let parameters = named_params! {
            ":sources": sources, ":kinds": kinds, ":since_s": query.since_s,
        };
        let chunks = statement.query_map(parameters, |row| row.get(0))?;
        Ok(chunks.collect::<Result<_, _>>()?)
    }

    fn by_words(&self, query: &Query) -> Result<Vec<Ranked>, IndexError> {
        let words = of_question(&query.text);
        if words.is_empty() {
            return Ok(Vec::new());
        }
        // Letters and digits only, so nothing in it can be taken for an operator.
        let phrases: Vec<String> = words.iter().map(|it| format!("\"{it}\"")).collect();
        let is_filtered = query.is_filtered();
        let filter = if is_filtered { format!("AND rowid IN ({FILTER})") } else { String::new() };
        let sql = format!(
            "SELECT rowid, -rank FROM words WHERE words MATCH :words {filter}
                ORDER BY rank LIMIT :limit"
        );
        let (words, limit) = (phrases.join(" OR "), query.depth());
        let (sources, kinds) = query.lists();
        let mut statement = self.connection.prepare_cached(&sql)?;
        let read =
            |row: &Row<'_>| Ok(Ranked { chunk: row.get(0)?, score: row.get(1)?, cosine: None });
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
            each(self.hit(Ranked { chunk: row.get(0)?, score: 0.0, cosine: None })?);
        }
        Ok(())
    }

    fn hit(&self, ranked: Ranked) -> Result<Hit, IndexError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT chunk.id, document.id, source.name, location, licence, path, title, headings,
                kind, modified_s, start, end, first_line, last_line, fingerprint,
                substr(text, start + 1, end - start)
             FROM chunk JOIN document ON document.id = chunk.document
                JOIN source ON source.id = document.source
             WHERE chunk.id = ?1",
        )?;
        Ok(statement.query_row([ranked.chunk], |row| hit(row, ranked))?)
    }
}

/// Lists are separated and surrounded by commas.
const FILTER: &str = "SELECT chunk.id FROM chunk JOIN document ON document.id = chunk.document
    WHERE (:sources = ',,' OR instr(:sources, ',' || source || ','))
        AND (:kinds = ',,' OR instr(:kinds, ',' || kind || ','))
        AND (:since_s IS NULL OR modified_s >= :since_s)";

fn list(items: &[impl AsRef<str>]) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    format!(",{},", items.join(","))
}

fn hit(row: &Row<'_>, ranked: Ranked) -> rusqlite::Result<Hit> {
    let headings: String = row.get(7)?;
    let headings: Vec<String> = headings.lines().map(str::to_owned).collect();
    let kind: String = row.get(8)?;
    let kind = stored_kind(&kind);
    let fingerprint: i64 = row.get(14)?;
    let text: Vec<u8> = row.get(15)?;
    Ok(Hit {
        chunk: row.get(0)?,
        score: ranked.score,
        cosine: ranked.cosine,
        document: row.get(1)?,
        source: row.get(2)?,
        location: row.get(3)?,
        licence: row.get(4)?,
        path: row.get(5)?,
        title: row.get(6)?,
        page: page(kind, &headings),
        headings,
        kind,
        modified_s: row.get(9)?,
        span: row.get(10)?..row.get(11)?,
        first_line: row.get(12)?,
        last_line: row.get(13)?,
        fingerprint: Fingerprint(fingerprint.cast_unsigned()),
        text: String::from_utf8_lossy(&text).into_owned(),
    })
}
