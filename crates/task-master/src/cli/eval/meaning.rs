//! What tasks mean, for `eval --meaning`: vectors of the embedding model, one for each text.
//!
//! How words and meaning are put together is [`Likeness`]'s business.

use std::{
    cell::{OnceCell, RefCell},
    collections::HashMap,
};

use anyhow::Context;
use tm_knowledge::index::vectors::cosine;
use tm_workflows::{
    embedding::{EmbedError, EmbeddingModel},
    evaluate::Likeness,
};

use crate::{
    app::App,
    knowledge::embedding_model,
    report::{Report, advice},
};

const FETCH_HINT: &str = "fetch one with `task-master models pull all-minilm-l6-v2-q8_0`";

/// The embedding model, and what it has said.
pub(super) struct Meanings {
    model: EmbeddingModel,
    unrelated: f64,
    runtime: tokio::runtime::Runtime,
    known: RefCell<HashMap<String, Vec<f32>>>,
    failed: OnceCell<EmbedError>,
}

impl Meanings {
    pub(super) fn open(app: &App, report: &mut Report) -> anyhow::Result<Self> {
        let workspace = app.open(None, report)?;
        let model = embedding_model(&workspace)?
            .ok_or_else(|| advice("there is no embedding model here", FETCH_HINT))?;
        let name = model.embedder.model.clone();
        let unrelated = model.unrelated.ok_or_else(|| {
            let message = format!("nobody has measured how alike unrelated tasks are to {name}");
            advice(message, "take all-minilm-l6-v2-q8_0, or leave --meaning out")
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (known, failed) = (RefCell::default(), OnceCell::new());
        Ok(Self { model, unrelated, runtime, known, failed })
    }

    /// What is measured when tasks are compared by words and by this.
    pub(super) fn in_use<T>(&self, measure: impl FnOnce(Likeness<'_>) -> T) -> anyhow::Result<T> {
        let cosines = |ones: &[String], others: &[String]| self.cosines(ones, others);
        let likeness = Likeness::WordsAndMeaning { cosines: &cosines, unrelated: self.unrelated };
        let measured = measure(likeness);
        // Whoever measures cannot be told that there are no vectors, and goes on without.
        match self.failed.get() {
            None => Ok(measured),
            Some(error) => Err(anyhow::Error::msg(error.to_string()))
                .context("tasks cannot be compared by what they mean"),
        }
    }

    pub(super) fn into_name(self) -> String {
        self.model.embedder.model
    }

    fn cosines(&self, ones: &[String], others: &[String]) -> Vec<Vec<f64>> {
        if let Err(error) = self.learn(ones.iter().chain(others)) {
            drop(self.failed.set(error));
        }
        let known = self.known.borrow();
        let cosine = |one: &String, other: &String| {
            known.get(one).zip(known.get(other)).map_or(0.0, |it| cosine(it.0, it.1))
        };
        ones.iter().map(|one| others.iter().map(|it| cosine(one, it)).collect()).collect()
    }

    /// Asks for the vectors that are not known.
    fn learn<'a>(&self, texts: impl Iterator<Item = &'a String>) -> Result<(), EmbedError> {
        if self.failed.get().is_some() {
            return Ok(());
        }
        let mut known = self.known.borrow_mut();
        let mut missing: Vec<String> =
            texts.filter(|it| !known.contains_key(*it)).cloned().collect();
        missing.sort_unstable();
        missing.dedup();
        let vectors = self.runtime.block_on(self.model.vectors_of(missing.clone()))?;
        known.extend(missing.into_iter().zip(vectors));
        Ok(())
    }
}
