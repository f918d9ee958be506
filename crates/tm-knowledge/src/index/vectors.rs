//! What chunks mean, as vectors of a model that somebody else asks.
//!
//! The knowledge base says which chunks have no vector yet and keeps those that it is given, each
//! batch of them one transaction, so that whoever is interrupted goes on. Vectors of two models
//! cannot be compared: the model is noted, and another one is refused. Start at
//! [`Index::unembedded`] and [`Index::keep_vectors`].
//!
//! A number is kept in a byte, with a scale for each vector, which makes the whole a quarter of
//! the size. All of it is in memory while questions are asked, and every vector is looked at.

use std::collections::HashSet;

use rusqlite::{OptionalExtension as _, Row, params};

use super::{
    Index, IndexError, hex,
    points::Near,
    search::Ranked,
    stored_kind,
    write::{begin, titles},
};

/// The model that makes the vectors.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Embedder {
    pub model: String,
    /// The same for the same model, and another one for others of its name.
    pub identity: String,
}

/// A chunk without a vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unembedded {
    pub chunk: i64,
    /// What to make a vector of: its titles and its words.
    pub text: String,
}

/// How many chunks have a vector, and whose.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Embedded {
    #[serde(flatten)]
    pub embedder: Embedder,
    pub dimensions: usize,
    pub chunks: u64,
}

/// All vectors, each a scale and as many bytes as there are dimensions.
#[derive(Debug, Default)]
pub(super) struct Matrix {
    stamp: Option<(i64, u64)>,
    dimensions: usize,
    chunks: Vec<i64>,
    scales: Vec<f32>,
    numbers: Vec<i8>,
}

/// The largest number of a byte, so that both signs have the same range.
const LARGEST: f32 = 127.0;

impl Index {
    /// Whose vectors there are, and how many; none when there are none.
    pub fn embedded(&self) -> Result<Option<Embedded>, IndexError> {
        let sql = "SELECT model, identity, dimensions, (SELECT count(*) FROM embedded) \
                   FROM embedder";
        let read = |row: &Row<'_>| {
            let embedder = Embedder { model: row.get(0)?, identity: row.get(1)? };
            Ok(Embedded { embedder, dimensions: row.get(2)?, chunks: row.get(3)? })
        };
        Ok(self.connection.query_row(sql, [], read).optional()?)
    }

    /// Refuses a model that did not make the vectors.
    pub fn check_embedder(&self, embedder: &Embedder) -> Result<(), IndexError> {
        match self.embedded()? {
            Some(made_by) if made_by.embedder != *embedder => Err(IndexError::OtherEmbedder {
                made_by: made_by.embedder.model,
                asked: embedder.model.clone(),
            }),
            Some(_) => Ok(()),
            None => Err(IndexError::NoVectors),
        }
    }

    /// How many chunks have no vector.
    pub fn count_unembedded(&self) -> Result<u64, IndexError> {
        let sql = "SELECT count(*) FROM chunk WHERE id NOT IN (SELECT chunk FROM embedded)";
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }

    /// The next chunks without a vector, in the order of their numbers. Those whose text has one
    /// already are given it.
    pub fn unembedded(
        &mut self,
        mut after: i64,
        limit: usize,
    ) -> Result<Vec<Unembedded>, IndexError> {
        loop {
            let found = self.without_vector(after, limit)?;
            let Some(last) = found.last() else { return Ok(found) };
            after = last.chunk;
            let transaction = begin(&mut self.connection)?;
            let mut unknown = Vec::new();
            for it in found {
                let sql = "INSERT INTO embedded (chunk, vector) \
                           SELECT ?1, id FROM vector WHERE hash = ?2";
                let hash = hex(it.text.as_bytes());
                if transaction.prepare_cached(sql)?.execute(params![it.chunk, hash])? == 0 {
                    unknown.push(it);
                }
            }
            transaction.commit()?;
            if !unknown.is_empty() {
                return Ok(unknown);
            }
        }
    }

    fn without_vector(&self, after: i64, limit: usize) -> Result<Vec<Unembedded>, IndexError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT chunk.id, kind, path, title, headings, substr(text, start + 1, end - start)
             FROM chunk JOIN document ON document.id = chunk.document
             WHERE chunk.id > ?1 AND chunk.id NOT IN (SELECT chunk FROM embedded)
             ORDER BY chunk.id LIMIT ?2",
        )?;
        let read = |row: &Row<'_>| {
            let (kind, path, title): (String, String, String) =
                (row.get(1)?, row.get(2)?, row.get(3)?);
            let headings: String = row.get(4)?;
            let headings: Vec<&str> = headings.lines().collect();
            let titles = titles(stored_kind(&kind), &path, &title, &headings);
            let words: Vec<u8> = row.get(5)?;
            let text = format!("{titles}\n{}", String::from_utf8_lossy(&words));
            Ok(Unembedded { chunk: row.get(0)?, text })
        };
        Ok(statement.query_map(params![after, limit], read)?.collect::<Result<_, _>>()?)
    }

    /// Keeps vectors of this model: all of them or, when it is interrupted, none. A vector of
    /// another model, or of another length, is refused.
    pub fn keep_vectors(
        &mut self,
        embedder: &Embedder,
        vectors: &[(&Unembedded, Vec<f32>)],
    ) -> Result<(), IndexError> {
        let Some(dimensions) = vectors.first().map(|(_, it)| it.len()) else { return Ok(()) };
        let transaction = begin(&mut self.connection)?;
        transaction.execute(
            "INSERT OR IGNORE INTO embedder (id, model, identity, dimensions) VALUES (1, ?1, ?2, ?3)",
            params![embedder.model, embedder.identity, dimensions],
        )?;
        let (model, identity, stored): (String, String, usize) = transaction.query_row(
            "SELECT model, identity, dimensions FROM embedder",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        if identity != embedder.identity || vectors.iter().any(|(_, it)| it.len() != stored) {
            let asked = embedder.model.clone();
            return Err(IndexError::OtherEmbedder { made_by: model, asked });
        }
        for (it, vector) in vectors {
            let hash = hex(it.text.as_bytes());
            let sql = "INSERT OR IGNORE INTO vector (hash, numbers) VALUES (?1, ?2)";
            transaction.prepare_cached(sql)?.execute(params![hash, packed(vector)])?;
            // A chunk that is gone by now needs none.
            let sql = "INSERT OR IGNORE INTO embedded (chunk, vector) \
                       SELECT chunk.id, vector.id FROM chunk, vector \
                       WHERE chunk.id = ?1 AND vector.hash = ?2";
            transaction.prepare_cached(sql)?.execute(params![it.chunk, hash])?;
        }
        Ok(transaction.commit()?)
    }

    /// Forgets vectors of texts that are gone.
    pub fn drop_unused_vectors(&mut self) -> Result<(), IndexError> {
        let sql = "DELETE FROM vector WHERE id NOT IN (SELECT vector FROM embedded)";
        self.connection.execute(sql, [])?;
        Ok(())
    }

    /// Forgets all vectors, so that another model can make them.
    pub fn forget_vectors(&mut self) -> Result<(), IndexError> {
        let transaction = begin(&mut self.connection)?;
        transaction
            .execute_batch("DELETE FROM embedded; DELETE FROM vector; DELETE FROM embedder;")?;
        // Copies of these are of no use any more: see `points`.
        transaction.pragma_update(None, "application_id", 0)?;
        Ok(transaction.commit()?)
    }

    /// The chunks that are nearest to a vector, with their cosines; of these only, where some are
    /// named.
    pub(super) fn nearest(
        &self,
        vector: &[f32],
        limit: usize,
        among: Option<&HashSet<i64>>,
    ) -> Result<Vec<Ranked>, IndexError> {
        self.refresh()?;
        let matrix = self.matrix.borrow();
        let mut scored = matrix.scores(vector);
        scored.retain(|(chunk, _)| among.is_none_or(|it| it.contains(chunk)));
        // Equals in the order of the chunks, so that the same question has the same answer.
        let nearer =
            |it: &(i64, f32), other: &(i64, f32)| other.1.total_cmp(&it.1).then(it.0.cmp(&other.0));
        if scored.len() > limit {
            scored.select_nth_unstable_by(limit, nearer);
            scored.truncate(limit);
        }
        scored.sort_by(nearer);
        let ranked = |(chunk, cosine)| {
            let score = f64::from(cosine);
            Ranked { chunk, score, cosine: Some(score) }
        };
        Ok(scored.into_iter().map(ranked).collect())
    }

    /// What others have found to be nearest, as far as it is still known here.
    pub(super) fn known(&self, nearest: &[Near]) -> Result<Vec<Ranked>, IndexError> {
        let sql = "SELECT 1 FROM embedded WHERE chunk = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut known = Vec::new();
        for &(chunk, cosine) in nearest {
            if statement.exists([chunk])? {
                known.push(Ranked { chunk, score: cosine, cosine: Some(cosine) });
            }
        }
        Ok(known)
    }

    /// Reads the vectors unless they are in memory as they are.
    fn refresh(&self) -> Result<(), IndexError> {
        // The first changes with what others write, the second with what we do.
        let others = self.connection.pragma_query_value(None, "data_version", |it| it.get(0))?;
        let stamp = Some((others, self.connection.total_changes()));
        if self.matrix.borrow().stamp == stamp {
            return Ok(());
        }
        let dimensions = self.embedded()?.map_or(0, |it| it.dimensions);
        let mut matrix = Matrix { stamp, dimensions, ..Matrix::default() };
        let sql = "SELECT chunk, numbers FROM vector JOIN embedded ON vector = vector.id \
                   ORDER BY vector.id";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let numbers = row.get_ref(1)?.as_blob().unwrap_or_default();
            matrix.push(row.get(0)?, numbers);
        }
        *self.matrix.borrow_mut() = matrix;
        Ok(())
    }
}

impl Matrix {
    /// A vector as it is kept. One of another length is left out.
    fn push(&mut self, chunk: i64, packed: &[u8]) {
        if let Some((scale, numbers)) = packed.split_first_chunk::<4>()
            && numbers.len() == self.dimensions
        {
            self.chunks.push(chunk);
            self.scales.push(f32::from_le_bytes(*scale));
            self.numbers.extend(numbers.iter().map(|it| it.cast_signed()));
        }
    }

    /// The cosine of every vector with this one.
    fn scores(&self, vector: &[f32]) -> Vec<(i64, f32)> {
        let vector = normalised(vector);
        let rows = self.numbers.chunks_exact(self.dimensions.max(1));
        let scored = rows.zip(&self.scales).zip(&self.chunks);
        scored.map(|((row, scale), chunk)| (*chunk, product(row, &vector) * scale)).collect()
    }
}

/// How near two vectors are, at most 1: the cosine of the angle between them.
pub fn cosine(one: &[f32], other: &[f32]) -> f64 {
    let (one, other) = (normalised(one), normalised(other));
    f64::from(one.iter().zip(&other).map(|(it, other)| it * other).sum::<f32>())
}

/// Eight sums at a time, which is what processors are fast at.
fn product(row: &[i8], vector: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    let (rows, row_rest) = row.as_chunks::<8>();
    let (vectors, vector_rest) = vector.as_chunks::<8>();
    for (row, vector) in rows.iter().zip(vectors) {
        for ((sum, number), other) in sums.iter_mut().zip(row).zip(vector) {
            *sum += f32::from(*number) * other;
        }
    }
    let rest = row_rest.iter().zip(vector_rest).map(|(it, other)| f32::from(*it) * other);
    sums.iter().sum::<f32>() + rest.sum::<f32>()
}

/// A vector of length one, as a scale and bytes.
fn packed(vector: &[f32]) -> Vec<u8> {
    let vector = normalised(vector);
    let largest = vector.iter().fold(0.0_f32, |largest, it| largest.max(it.abs()));
    let scale = largest / LARGEST;
    let mut bytes = scale.to_le_bytes().to_vec();
    #[expect(clippy::cast_possible_truncation, reason = "none is larger than a byte's largest")]
    let byte = |it: &f32| if scale > 0.0 { (it / scale).round() as i8 } else { 0 };
    bytes.extend(vector.iter().map(|it| byte(it).cast_unsigned()));
    bytes
}

/// The numbers that [`packed`] has kept.
pub(super) fn unpacked(packed: &[u8]) -> Vec<f32> {
    let Some((scale, numbers)) = packed.split_first_chunk::<4>() else { return Vec::new() };
    let scale = f32::from_le_bytes(*scale);
    numbers.iter().map(|it| f32::from(it.cast_signed()) * scale).collect()
}

/// Numbers that are none count as nothing.
pub(crate) fn normalised(vector: &[f32]) -> Vec<f32> {
    let length = vector.iter().map(|it| it * it).sum::<f32>().sqrt();
    let is_usable = length.is_finite() && length > 0.0;
    vector.iter().map(|it| if is_usable { it / length } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests;
