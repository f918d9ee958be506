//! What documents and questions mean: vectors of the embedding model, made and kept.
//!
//! The knowledge base says what has no vector, a model makes it, and the knowledge base keeps it,
//! batch by batch: whoever is interrupted goes on where it was. Start at [`embed_missing`].

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tm_knowledge::index::{
    Index, IndexError,
    search::Meaning,
    vectors::{Embedder, Unembedded, cosine},
};
use tm_llm::{
    backend::{Backend, BackendError},
    embed::EmbedRequest,
};

pub mod server;

/// A model that makes vectors, and what is known of it.
#[derive(Debug, Clone)]
pub struct EmbeddingModel {
    pub backend: Arc<dyn Backend>,
    pub embedder: Embedder,
    /// What it counts beside words: [`Meaning::weight`].
    pub weight: f64,
    /// The cosine from which a passage is about a question; none where nobody has measured it.
    pub near: Option<f64>,
    /// The cosine from which a sentence answers a question; none where nobody has measured it.
    pub answers: Option<f64>,
    /// The cosine that unrelated tasks have; none where nobody has measured it.
    pub unrelated: Option<f64>,
    /// Each batch is done within this.
    pub timeout: Duration,
}

/// How many of the chunks without a vector were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub done: u64,
    pub chunks: u64,
}

/// Why there are no vectors.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Model(#[from] BackendError),
    /// A server that does not keep to its protocol.
    #[error("{model} made {found} vectors of {asked} texts")]
    Count { model: String, asked: usize, found: usize },
}

/// What is lost at most when somebody interrupts.
const BATCH: usize = 16;

impl EmbeddingModel {
    /// What a question means.
    ///
    /// # Errors
    /// What keeps the model from answering.
    pub async fn meaning(&self, question: &str) -> Result<Meaning, BackendError> {
        let mut vectors = self.vectors(vec![question.to_owned()]).await?;
        let vector = vectors
            .pop()
            .ok_or_else(|| BackendError::EmptyAnswer { model: self.embedder.model.clone() })?;
        let embedder = self.embedder.clone();
        Ok(Meaning { vector, embedder, weight: self.weight, nearest: None })
    }

    /// How near each text is to a question, at most 1.
    ///
    /// # Errors
    /// [`EmbedError::Model`] and [`EmbedError::Count`].
    pub(crate) async fn cosines(
        &self,
        question: &str,
        texts: Vec<String>,
    ) -> Result<Vec<f64>, EmbedError> {
        let meant = self.meaning(question).await?.vector;
        let vectors = self.vectors_of(texts).await?;
        Ok(vectors.iter().map(|it| cosine(&meant, it)).collect())
    }

    /// A vector for each text.
    ///
    /// # Errors
    /// [`EmbedError::Model`] and [`EmbedError::Count`].
    pub async fn vectors_of(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, EmbedError> {
        let mut vectors = Vec::new();
        for batch in texts.chunks(BATCH) {
            let made = self.vectors(batch.to_vec()).await?;
            self.check(batch.len(), made.len())?;
            vectors.extend(made);
        }
        Ok(vectors)
    }

    fn check(&self, asked: usize, found: usize) -> Result<(), EmbedError> {
        if asked == found {
            return Ok(());
        }
        Err(EmbedError::Count { model: self.embedder.model.clone(), asked, found })
    }

    async fn vectors(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, BackendError> {
        let deadline = Instant::now() + self.timeout;
        let request = EmbedRequest { texts, dimensions: None, deadline };
        Ok(self.backend.embed(request).await?.vectors)
    }
}

/// Makes vectors for all chunks that have none, and tells how many it made. `observer` is told
/// after each batch. Dropping the future keeps what was made.
///
/// # Errors
/// [`IndexError::OtherEmbedder`] when another model made those that are there, before anything is
/// asked, and whatever keeps the model from answering.
pub async fn embed_missing(
    index: &mut Index,
    model: &EmbeddingModel,
    observer: &dyn Fn(Progress),
) -> Result<u64, EmbedError> {
    match index.check_embedder(&model.embedder) {
        Ok(()) | Err(IndexError::NoVectors) => {}
        Err(error) => return Err(error.into()),
    }
    let chunks = index.count_unembedded()?;
    let (mut made, mut last) = (0, 0);
    loop {
        let batch = index.unembedded(last, BATCH)?;
        let Some(it) = batch.last() else { break };
        last = it.chunk;
        let texts = batch.iter().map(|it| it.text.clone()).collect();
        let vectors = model.vectors(texts).await?;
        model.check(batch.len(), vectors.len())?;
        let kept: Vec<(&Unembedded, Vec<f32>)> = batch.iter().zip(vectors).collect();
        index.keep_vectors(&model.embedder, &kept)?;
        made += u64::try_from(batch.len()).unwrap_or_default();
        observer(Progress { done: made, chunks });
    }
    index.drop_unused_vectors()?;
    Ok(made)
}

#[cfg(test)]
mod tests;
