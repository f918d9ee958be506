//! A Qdrant server that looks for the nearest vectors in our place.
//!
//! The knowledge base stays what it is: the server has a copy of its vectors, which is brought up to
//! date by what is missing and what is too much, and is never asked unless it is complete. It looks
//! at every vector, as we do, so that both find the same. Start at [`Qdrant::copy`] and
//! [`Qdrant::nearest`].
//! Format: <https://api.qdrant.tech/api-reference>.

use std::collections::HashSet;

use serde_json::{Value, json};
use tm_llm::egress::rest::{Rest, RestError};

use crate::index::{
    Index, IndexError,
    points::{Collection, Near, Wanted},
    vectors::normalised,
};

/// The way to a server.
#[derive(Debug, Clone)]
pub struct Qdrant {
    rest: Rest,
}

/// What became of the copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Copied {
    pub points: usize,
    pub added: usize,
    pub removed: usize,
}

/// Why the server cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum QdrantError {
    #[error(transparent)]
    Rest(#[from] RestError),
    #[error("Qdrant at {url} says nothing of {what}")]
    Answer { url: String, what: &'static str },
    #[error("Qdrant at {url} has {there} of {wanted} vectors")]
    Incomplete { url: String, there: u64, wanted: u64 },
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// Vectors that are sent at a time: a megabyte or two.
const BATCH: usize = 256;
/// Numbers of points that are read at a time.
const PAGE: usize = 10_000;

impl Qdrant {
    pub fn new(rest: Rest) -> Self {
        Self { rest }
    }

    /// Where it is, without a password.
    pub fn url(&self) -> String {
        self.rest.url()
    }

    /// Gives the server what it lacks and takes from it what is gone. `observer` is told how many
    /// of how many vectors were sent. Whoever is interrupted goes on where it was.
    ///
    /// # Errors
    /// [`IndexError::NoVectors`], and whatever keeps the server from taking them.
    pub async fn copy(
        &self,
        index: &Index,
        observer: &dyn Fn(usize, usize),
    ) -> Result<Copied, QdrantError> {
        let collection = index.collection()?.ok_or(IndexError::NoVectors)?;
        self.prepare(&collection).await?;
        let points = format!("/collections/{}/points", collection.name);
        let there = self.points(&points).await?;
        let wanted = index.embedded_chunks()?;
        let missing: Vec<i64> = wanted.iter().copied().filter(|it| !there.contains(it)).collect();
        let wanted: HashSet<i64> = wanted.into_iter().collect();
        let gone: Vec<i64> = there.difference(&wanted).copied().collect();
        for gone in gone.chunks(PAGE) {
            self.rest.post(&format!("{points}/delete?wait=true"), &json!({"points": gone})).await?;
        }
        let mut sent = 0;
        for batch in missing.chunks(BATCH) {
            let mut points_of_batch = Vec::new();
            for chunk in batch {
                if let Some(vector) = index.vector(*chunk)? {
                    points_of_batch.push(json!({"id": chunk, "vector": vector}));
                }
            }
            let body = json!({"points": points_of_batch});
            self.rest.put(&format!("{points}?wait=true"), &body).await?;
            sent += batch.len();
            observer(sent, missing.len());
        }
        Ok(Copied { points: wanted.len(), added: missing.len(), removed: gone.len() })
    }

    /// The nearest vectors, the nearest first.
    ///
    /// # Errors
    /// [`QdrantError::Incomplete`] when the server has not all vectors or too many.
    pub async fn nearest(&self, wanted: &Wanted) -> Result<Vec<Near>, QdrantError> {
        let points = format!("/collections/{}/points", wanted.collection.name);
        let counted = self.rest.post(&format!("{points}/count"), &json!({"exact": true})).await;
        let there = match counted {
            Err(RestError::Refused { status: 404, .. }) => 0,
            counted => {
                let counted = counted?;
                let count = counted.pointer("/result/count").and_then(Value::as_u64);
                count.ok_or_else(|| self.silent("how many vectors it has"))?
            }
        };
        if there != wanted.collection.points {
            let wanted = wanted.collection.points;
            return Err(QdrantError::Incomplete { url: self.url(), there, wanted });
        }
        let mut body = json!({
            "query": normalised(&wanted.vector),
            "limit": wanted.most,
            "params": {"exact": true},
        });
        if let Some(among) = &wanted.among {
            body["filter"] = json!({"must": [{"has_id": among}]});
        }
        let answer = self.rest.post(&format!("{points}/query"), &body).await?;
        let found = answer.pointer("/result/points").and_then(Value::as_array);
        let found = found.ok_or_else(|| self.silent("what it found"))?;
        let near = |it: &Value| Some((it.get("id")?.as_i64()?, it.get("score")?.as_f64()?));
        let near: Option<Vec<Near>> = found.iter().map(near).collect();
        let mut near = near.ok_or_else(|| self.silent("what it found"))?;
        // Equals in the order of the chunks, as we have them.
        near.sort_by(|it, other| other.1.total_cmp(&it.1).then(it.0.cmp(&other.0)));
        Ok(near)
    }

    /// Makes the collection where there is none.
    async fn prepare(&self, collection: &Collection) -> Result<(), QdrantError> {
        let path = format!("/collections/{}", collection.name);
        match self.rest.get(&path).await {
            Ok(_) => Ok(()),
            Err(RestError::Refused { status: 404, .. }) => {
                // Vectors of length one: their product is the cosine, and stays what was kept.
                let vectors = json!({"size": collection.dimensions, "distance": "Dot"});
                self.rest.put(&path, &json!({"vectors": vectors})).await?;
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The numbers of all points.
    async fn points(&self, points: &str) -> Result<HashSet<i64>, QdrantError> {
        let mut there = HashSet::new();
        let mut offset = Value::Null;
        loop {
            let body = json!({
                "limit": PAGE, "offset": offset, "with_payload": false, "with_vector": false,
            });
            let page = self.rest.post(&format!("{points}/scroll"), &body).await?;
            let found = page.pointer("/result/points").and_then(Value::as_array);
            let found = found.ok_or_else(|| self.silent("which vectors it has"))?;
            there.extend(found.iter().filter_map(|it| it.get("id").and_then(Value::as_i64)));
            let next = page.pointer("/result/next_page_offset").cloned().unwrap_or_default();
            // The same page again would be read for ever.
            if next.is_null() || next == offset {
                return Ok(there);
            }
            offset = next;
        }
    }

    fn silent(&self, what: &'static str) -> QdrantError {
        QdrantError::Answer { url: self.url(), what }
    }
}

#[cfg(test)]
mod tests;
