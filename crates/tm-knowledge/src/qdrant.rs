//! A Qdrant server that looks for the nearest vectors in our place.
//!
//! The knowledge base stays what it is: the server has a copy of its vectors, which is brought up to
//! date by what is missing and what is too much. At last it is given a mark that says of which state
//! it is a copy, and it is believed only with the mark of the state that is here. It looks at every
//! vector, as we do, so that both find the same. Start at [`Qdrant::copy`] and [`Qdrant::nearest`].
//! Format: <https://api.qdrant.tech/api-reference>.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};
use tm_llm::egress::rest::{Rest, RestError};

use crate::index::{
    Index, IndexError,
    points::{Collection, Near, Point, Wanted},
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
    #[error("Qdrant at {url} has no copy of the vectors as they are now")]
    Incomplete { url: String },
    #[error("Qdrant at {url} has vectors of another length in the collection {collection}")]
    Length { url: String, collection: String },
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// Vectors that are sent at a time: a megabyte or two.
const BATCH: usize = 256;
/// Numbers of points that are read at a time.
const PAGE: usize = 10_000;
/// The point that says of which state the others are a copy.
const MARK: u64 = 0;

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
        let wanted: HashSet<u64> = collection.points.iter().map(|it| it.id).collect();
        let is_missing = |it: &&Point| !there.contains(&it.id);
        let missing: Vec<Point> = collection.points.iter().filter(is_missing).copied().collect();
        let gone: Vec<u64> = there.difference(&wanted).copied().collect();
        for gone in gone.chunks(PAGE) {
            let body = json!({"points": gone});
            self.rest.post(&format!("{points}/delete?wait=true"), &body).await?;
        }
        let mut sent = 0;
        for batch in missing.chunks(BATCH) {
            let mut bodies = Vec::new();
            for point in batch {
                if let Some(vector) = index.vector(point.chunk)? {
                    let payload = json!({"chunk": point.chunk});
                    bodies.push(json!({"id": point.id, "vector": vector, "payload": payload}));
                }
            }
            self.put(&points, &bodies).await?;
            sent += batch.len();
            observer(sent, missing.len());
        }
        let mark = json!({
            "id": MARK,
            "vector": vec![0.0; collection.dimensions],
            "payload": {"state": collection.state},
        });
        self.put(&points, &[mark]).await?;
        Ok(Copied { points: wanted.len(), added: missing.len(), removed: gone.len() })
    }

    /// Has the server forget its copy, before the vectors are made anew.
    ///
    /// # Errors
    /// Whatever keeps the server from it.
    pub async fn forget(&self, index: &Index) -> Result<(), QdrantError> {
        if let Some(collection) = index.collection()? {
            self.rest.delete(&format!("/collections/{}", collection.name)).await?;
        }
        Ok(())
    }

    async fn put(&self, points: &str, bodies: &[Value]) -> Result<(), QdrantError> {
        self.rest.put(&format!("{points}?wait=true"), &json!({"points": bodies})).await?;
        Ok(())
    }

    /// The nearest vectors, the nearest first.
    ///
    /// # Errors
    /// [`QdrantError::Incomplete`] when the server has another state of the vectors.
    pub async fn nearest(&self, wanted: &Wanted) -> Result<Vec<Near>, QdrantError> {
        let collection = &wanted.collection;
        let points = format!("/collections/{}/points", collection.name);
        if !self.is_complete(&points, collection).await? {
            return Err(QdrantError::Incomplete { url: self.url() });
        }
        let mut filter = json!({"must_not": [{"has_id": [MARK]}]});
        if let Some(among) = &wanted.among {
            let of_chunk: HashMap<i64, u64> =
                collection.points.iter().map(|it| (it.chunk, it.id)).collect();
            let among: Vec<&u64> = among.iter().filter_map(|it| of_chunk.get(it)).collect();
            filter["must"] = json!([{"has_id": among}]);
        }
        let body = json!({
            "query": normalised(&wanted.vector),
            "limit": wanted.most,
            "params": {"exact": true},
            "filter": filter,
            "with_payload": true,
        });
        let answer = self.rest.post(&format!("{points}/query"), &body).await?;
        let found = answer.pointer("/result/points").and_then(Value::as_array);
        let found = found.ok_or_else(|| self.silent("what it found"))?;
        let near = |it: &Value| {
            Some((it.pointer("/payload/chunk")?.as_i64()?, it.get("score")?.as_f64()?))
        };
        let near: Option<Vec<Near>> = found.iter().map(near).collect();
        let mut near = near.ok_or_else(|| self.silent("what it found"))?;
        // Equals in the order of the chunks, as we have them.
        near.sort_by(|it, other| other.1.total_cmp(&it.1).then(it.0.cmp(&other.0)));
        Ok(near)
    }

    /// Whether the server has a copy of this state, and nothing was taken from it since.
    async fn is_complete(
        &self,
        points: &str,
        collection: &Collection,
    ) -> Result<bool, QdrantError> {
        let body = json!({"ids": [MARK], "with_payload": true});
        let mark = match self.rest.post(points, &body).await {
            Err(RestError::Refused { status: 404, .. }) => return Ok(false),
            mark => mark?,
        };
        if mark.get("result").is_none() {
            return Err(self.silent("of which state its vectors are"));
        }
        let state = mark.pointer("/result/0/payload/state").and_then(Value::as_str);
        let counted = self.rest.post(&format!("{points}/count"), &json!({"exact": true})).await?;
        let count = counted.pointer("/result/count").and_then(Value::as_u64);
        let count = count.ok_or_else(|| self.silent("how many vectors it has"))?;
        let has_all = usize::try_from(count).is_ok_and(|it| it == collection.points.len() + 1);
        Ok(has_all && state == Some(&collection.state))
    }

    /// Makes the collection where there is none.
    async fn prepare(&self, collection: &Collection) -> Result<(), QdrantError> {
        let path = format!("/collections/{}", collection.name);
        match self.rest.get(&path).await {
            Ok(found) => {
                let size = found.pointer("/result/config/params/vectors/size");
                let size = size.and_then(Value::as_u64).and_then(|it| usize::try_from(it).ok());
                if size == Some(collection.dimensions) {
                    return Ok(());
                }
                let collection = collection.name.clone();
                Err(QdrantError::Length { url: self.url(), collection })
            }
            Err(RestError::Refused { status: 404, .. }) => {
                // Vectors of length one: their product is the cosine, and stays what was kept.
                let vectors = json!({"size": collection.dimensions, "distance": "Dot"});
                self.rest.put(&path, &json!({"vectors": vectors})).await?;
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The numbers of all points but the mark.
    async fn points(&self, points: &str) -> Result<HashSet<u64>, QdrantError> {
        let mut there = HashSet::new();
        let mut offset = Value::Null;
        loop {
            let body = json!({
                "limit": PAGE, "offset": offset, "with_payload": false, "with_vector": false,
            });
            let page = self.rest.post(&format!("{points}/scroll"), &body).await?;
            let found = page.pointer("/result/points").and_then(Value::as_array);
            let found = found.ok_or_else(|| self.silent("which vectors it has"))?;
            there.extend(found.iter().filter_map(|it| it.get("id").and_then(Value::as_u64)));
            let next = page.pointer("/result/next_page_offset").cloned().unwrap_or_default();
            // The same page again would be read for ever.
            if next.is_null() || next == offset {
                there.remove(&MARK);
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
