//! The documents that a question may be answered from, asked off the thread that waits for models.
//!
//! Start at `Library::search`.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use tm_knowledge::{
    index::{
        Index, IndexError,
        search::{Hit, Query},
        write::{Document, NewSource},
    },
    read::{Kind, kind, pdf::process::PdfReader},
    sync::sync,
    walk::files,
};

use super::sources::SourceFile;
use crate::{
    embedding::{EmbeddingModel, server::VectorServer},
    reranking::Reranker,
};

/// More files than this are read once and kept, which is what `kb add` is for.
const FILES_MAX: usize = 1000;

/// Documents to search.
#[derive(Debug, Clone)]
pub struct Library {
    index: Arc<Mutex<Index>>,
    model: Option<EmbeddingModel>,
    reranker: Option<Reranker>,
    vectors: Option<VectorServer>,
}

impl Library {
    /// Documents that are found by their words.
    pub fn new(index: Index) -> Self {
        let index = Arc::new(Mutex::new(index));
        Self { index, model: None, reranker: None, vectors: None }
    }

    /// The same documents, found by what they mean as well. The model is the one that made their
    /// vectors.
    #[must_use]
    pub fn with_model(self, model: EmbeddingModel) -> Self {
        Self { model: Some(model), ..self }
    }

    /// The same documents, whose passages are put in order by this model.
    #[must_use]
    pub fn with_reranker(self, reranker: Option<Reranker>) -> Self {
        Self { reranker, ..self }
    }

    /// The same documents, whose vectors a server looks through.
    #[must_use]
    pub fn with_vectors_at(self, vectors: Option<VectorServer>) -> Self {
        Self { vectors, ..self }
    }

    /// Why vectors were looked through here, where a server should have done it.
    pub fn searched_here(&self) -> Option<String> {
        self.vectors.as_ref()?.failure()
    }

    /// Why passages were left in the order in which they were found, where a model should have put
    /// them in a better one.
    pub fn unranked(&self) -> Option<String> {
        self.reranker.as_ref()?.failure()
    }

    /// The model that knows what questions to these documents mean.
    pub(super) fn model(&self) -> Option<&EmbeddingModel> {
        self.model.as_ref()
    }

    /// Nothing but these files, kept as long as the question is asked.
    pub fn of_files(root: &Path, files: &[SourceFile]) -> Result<Self, IndexError> {
        let mut index = Index::in_memory()?;
        let location = root.to_string_lossy().into_owned();
        let new = NewSource { location, name: "files".into(), ..NewSource::default() };
        let source = index.add_source(&new, 0)?;
        let document = |it: &SourceFile| Document {
            kind: kind(Path::new(&it.path)).filter(|it| it.is_plain()).unwrap_or(Kind::Text),
            ..Document::of_text(&it.path, &it.path, &it.text)
        };
        let documents: Vec<Document> = files.iter().map(document).collect();
        index.write(source.id, &documents)?;
        Ok(Self::new(index))
    }

    /// What is in a project, kept as long as the question is asked; none when reading all of it
    /// would take longer than a person waits.
    pub fn of_project(root: &Path, pdf: &PdfReader) -> Result<Option<Self>, IndexError> {
        let Some(location) = root.to_str().filter(|_| files(root).files.len() <= FILES_MAX) else {
            return Ok(None);
        };
        let mut index = Index::in_memory()?;
        let new = NewSource {
            location: location.to_owned(),
            name: "project".into(),
            ..NewSource::default()
        };
        let source = index.add_source(&new, 0)?;
        sync(&mut index, &source, pdf, 0, &|_| ())?;
        Ok(Some(Self::new(index)))
    }

    /// Finds chunks, the best first.
    pub async fn search(&self, query: Query) -> Result<Vec<Hit>, IndexError> {
        let Some(reranker) = &self.reranker else { return self.found(query).await };
        let (question, wanted) = (query.text.clone(), query.limit);
        let query = Query { limit: reranker.candidates(wanted), ..query };
        let hits = self.found(query).await?;
        Ok(reranker.best(&question, hits, wanted).await)
    }

    async fn found(&self, mut query: Query) -> Result<Vec<Hit>, IndexError> {
        if let Some(server) = &self.vectors {
            let asked = query.clone();
            if let Some(wanted) = self.ask(move |index| index.wanted(&asked)).await? {
                query.by.set_nearest(server.nearest(&wanted).await);
            }
        }
        self.ask(move |index| index.search(&query)).await
    }

    /// What a chunk says, opened again.
    pub(super) async fn text(&self, chunk: i64) -> Result<Option<String>, IndexError> {
        self.ask(move |index| index.text(chunk)).await
    }

    /// Changes with every document.
    pub async fn revision(&self) -> Result<String, IndexError> {
        self.ask(Index::revision).await
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Index) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, IndexError> {
        let index = Arc::clone(&self.index);
        let asked = tokio::task::spawn_blocking(move || {
            question(&index.lock().unwrap_or_else(PoisonError::into_inner))
        });
        asked.await.unwrap_or(Err(IndexError::Interrupted))
    }
}
