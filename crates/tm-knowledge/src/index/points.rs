//! The vectors as another program is given them, which looks for the nearest ones in our place.
//!
//! They are the numbers that are kept here, so that both find the same. Start at
//! [`Index::collection`] and [`Index::wanted`].

use rusqlite::{OptionalExtension as _, Row};

use super::{
    Index, IndexError, hex,
    search::{By, Query},
    vectors::unpacked,
};

/// All vectors of a knowledge base, as others know them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// Another one for other knowledge bases, and for the vectors of other models.
    pub name: String,
    pub dimensions: usize,
    /// How many chunks have a vector.
    pub points: u64,
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
    /// What others are to call the vectors; none when there are none.
    pub fn collection(&self) -> Result<Option<Collection>, IndexError> {
        let Some(embedded) = self.embedded()? else { return Ok(None) };
        let maker = hex(embedded.embedder.identity.as_bytes());
        let name = format!("task-master-{:08x}-{}", self.number()?, maker.get(..8).unwrap_or(""));
        Ok(Some(Collection { name, dimensions: embedded.dimensions, points: embedded.chunks }))
    }

    /// Tells this knowledge base from others, wherever it is moved.
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

    /// Every chunk that has a vector, in the order of their numbers.
    pub fn embedded_chunks(&self) -> Result<Vec<i64>, IndexError> {
        let mut statement =
            self.connection.prepare_cached("SELECT chunk FROM embedded ORDER BY chunk")?;
        let chunks = statement.query_map([], |row| row.get(0))?;
        Ok(chunks.collect::<Result<_, _>>()?)
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
