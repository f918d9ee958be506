//! Passages in the order in which they answer a question, by a model that reads both together.
//!
//! More passages are found than are wanted, and the model says which of them are. Where it does not
//! answer, they stay in the order in which they were found, it is not asked again, and
//! [`Reranker::failure`] says why. Start at [`Reranker::best`].

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tm_knowledge::index::search::Hit;
use tm_llm::{
    backend::{Backend, BackendError},
    embed::RerankRequest,
};

/// A model that says how well passages answer a question. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Reranker {
    backend: Arc<dyn Backend>,
    /// All of the passages to a question are read within this.
    timeout: Duration,
    failure: Arc<Mutex<Option<String>>>,
}

/// So many passages are looked at for the few that are wanted.
const CANDIDATES: usize = 30;

impl Reranker {
    pub fn new(backend: Arc<dyn Backend>, timeout: Duration) -> Self {
        Self { backend, timeout, failure: Arc::default() }
    }

    /// How many passages to find for so many that are wanted.
    pub fn candidates(&self, wanted: usize) -> usize {
        if self.failure().is_some() { wanted } else { wanted.max(CANDIDATES) }
    }

    /// The passages that answer a question best, the best first: `wanted` of them.
    pub async fn best(&self, question: &str, mut hits: Vec<Hit>, wanted: usize) -> Vec<Hit> {
        if self.failure().is_none() && hits.len() > 1 {
            match self.scores(question, &hits).await {
                Ok(scores) => {
                    let mut scored: Vec<(f32, Hit)> = scores.into_iter().zip(hits).collect();
                    // Equals stay in their order.
                    scored.sort_by(|(one, _), (other, _)| other.total_cmp(one));
                    hits = scored.into_iter().map(|(_, hit)| hit).collect();
                }
                Err(error) => {
                    let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
                    *failure = Some(error.to_string());
                }
            }
        }
        hits.truncate(wanted);
        hits
    }

    /// Why passages were left in the order in which they were found; none while they were not.
    pub fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn scores(&self, question: &str, hits: &[Hit]) -> Result<Vec<f32>, BackendError> {
        let text = |it: &Hit| format!("{}\n{}\n{}", it.title, it.headings.join("\n"), it.text);
        let request = RerankRequest {
            question: question.to_owned(),
            texts: hits.iter().map(text).collect(),
            deadline: Instant::now() + self.timeout,
        };
        Ok(self.backend.rerank(request).await?.scores)
    }
}

#[cfg(test)]
mod tests;
