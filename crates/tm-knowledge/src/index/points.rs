//! The vectors as another program is given them, which looks for the nearest ones in our place.
//!
//! They are the numbers that are kept here, so that both find the same. A point is called by what it
//! is of: a chunk, and the text that the vector was made of, so that two that are called the same are
//! the same. Start at [`Index::collection`] and [`Index::wanted`].

use rusqlite::{OptionalExtension as _, Row};
use sha2::{Digest as _, Sha256};

use super::{
    Index, IndexError, hex,
    search::{By, Query},
    vectors::unpacked,
};

/// All vectors of a knowledge base, as others know them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// Another one for other knowledge bases, and for vectors that were made anew.
    pub name: String,
    pub dimensions: usize,
    /// In the order of their chunks.
    pub points: Vec<Point>,
    /// A digest of all points.
    pub state: String,
}

/// The vector of a chunk, as others know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// At least 1.
    pub id: u64,
    pub chunk: i64,
}

/// What a question asks of those who look for the nearest vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    pub collection: Collection,
    pub vector: Vec<f32>,
    pub most: usize,
    /// Of these chunks only, where some are named.
    pub among: Option<Vec<i64>>,
}

/// The chunk, and how near it is.
pub type Near = (i64, f64);

impl Index {
    /// What others are to have of the vectors; none when there are none.
    pub fn collection(&self) -> Result<Option<Collection>, IndexError> {
        let Some(embedded) = self.embedded()? else { return Ok(None) };
        let name = format!("task-master-{:08x}", self.number()?);
        let points = self.points()?;
        let mut state = Sha256::new();
        for point in &points {
            state.update(point.id.to_le_bytes());
        }
        let state = hex(&state.finalize());
        Ok(Some(Collection { name, dimensions: embedded.dimensions, points, state }))
    }

    fn points(&self) -> Result<Vec<Point>, IndexError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT chunk, hash FROM embedded JOIN vector ON vector = vector.id ORDER BY chunk",
        )?;
        let mut rows = statement.query([])?;
        let mut points = Vec::new();
        while let Some(row) = rows.next()? {
            let chunk: i64 = row.get(0)?;
            let hash = row.get_ref(1)?.as_bytes().unwrap_or_default();
            let digest = Sha256::new().chain_update(chunk.to_le_bytes()).chain_update(hash);
            let digest = digest.finalize();
            let id = digest.first_chunk().map_or(0, |it| u64::from_le_bytes(*it));
            points.push(Point { id: id.max(1), chunk });
        }
        Ok(points)
    }

    /// Tells these vectors from others, wherever the knowledge base is moved.
    fn number(&self) -> Result<i32, IndexError> {
        let read = || self.connection.pragma_query_value(None, "application_id", |it| it.get(0));
        let found: i32 = read()?;
        if found != 0 {
            return Ok(found);
        }
        // Only a number that is written out can be set.
        let sql = "SELECT abs(random() % 2147483647) + 1";
        let new: i32 = self.connection.query_row(sql, [], |row| row.get(0))?;
        self.connection.pragma_update(None, "application_id", new)?;
        Ok(read()?)
    }

    /// What a query asks of those who look for the nearest vectors; nothing when words decide.
    ///
    /// # Errors
    /// [`IndexError::OtherEmbedder`] and [`IndexError::NoVectors`] for a meaning that cannot be
    /// compared.
    pub fn wanted(&self, query: &Query) -> Result<Option<Wanted>, IndexError> {
        let (By::Meaning(meaning) | By::Both(meaning)) = &query.by else { return Ok(None) };
        self.check_embedder(&meaning.embedder)?;
        let among = self.among(query)?.map(|it| it.into_iter().collect());
        let wanted = |collection| Wanted {
            collection,
            vector: meaning.vector.clone(),
            most: query.depth(),
            among,
        };
        Ok(self.collection()?.map(wanted))
    }

    /// The vector of a chunk, of length one but for what a byte a number loses.
    pub fn vector(&self, chunk: i64) -> Result<Option<Vec<f32>>, IndexError> {
        let sql = "SELECT numbers FROM vector JOIN embedded ON vector = vector.id WHERE chunk = ?1";
        let read = |row: &Row<'_>| row.get::<_, Vec<u8>>(0);
        let packed = self.connection.prepare_cached(sql)?.query_row([chunk], read).optional()?;
        Ok(packed.map(|it| unpacked(&it)))
    }
}

#[cfg(test)]
mod tests;
