use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tm_knowledge::index::{
    Index,
    search::Query,
    write::{Document, NewSource},
};
use tm_llm::{
    backend::{ChatStream, ModelInfo},
    chat::ChatRequest,
    embed::Relevances,
};
use tm_testkit::model::ScriptedModel;

use super::*;

/// Prefers longer texts, as often as it is not broken.
#[derive(Debug)]
struct Lengths {
    writer: ScriptedModel,
    asked: AtomicUsize,
    is_broken: bool,
}

#[async_trait]
impl Backend for Lengths {
    fn info(&self) -> &ModelInfo {
        self.writer.info()
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, BackendError> {
        self.writer.stream(request).await
    }

    async fn rerank(&self, request: RerankRequest) -> Result<Relevances, BackendError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.is_broken {
            return Err(BackendError::EmptyAnswer { model: "lengths".into() });
        }
        let length = |it: &String| f32::from(u16::try_from(it.len()).unwrap());
        let scores = request.texts.iter().map(length).collect();
        Ok(Relevances { scores, prompt_tokens: 0 })
    }
}

fn lengths(is_broken: bool) -> (Arc<Lengths>, Reranker) {
    let writer = ScriptedModel::playing([]);
    let model = Arc::new(Lengths { writer, asked: AtomicUsize::new(0), is_broken });
    let backend: Arc<dyn Backend> = Arc::<Lengths>::clone(&model);
    (model, Reranker::new(backend, Duration::from_mins(1)))
}

/// What is found of these documents, the shortest first.
fn hits() -> Vec<Hit> {
    let mut index = Index::in_memory().unwrap();
    let new = NewSource { location: "/".into(), name: "all".into(), ..NewSource::default() };
    let source = index.add_source(&new, 1).unwrap().id;
    let texts = ["oven", "an oven of stone", "the oven of stone that was built by the miller"];
    let documents = texts.map(|it| Document::of_text(&it.len().to_string(), "", it));
    index.write(source, &documents).unwrap();
    index.search(&Query::new("oven", 10)).unwrap()
}

fn paths(hits: &[Hit]) -> Vec<&str> {
    hits.iter().map(|it| it.path.as_str()).collect()
}

#[tokio::test]
async fn the_best_of_more_passages_come_first() {
    let (_, reranker) = lengths(false);
    assert_eq!((reranker.candidates(2), reranker.candidates(99)), (CANDIDATES, 99));
    let found = hits();
    assert_eq!(paths(&found), ["4", "16", "46"]);
    assert_eq!(paths(&reranker.best("oven", found, 2).await), ["46", "16"]);
    assert_eq!(reranker.failure(), None);
}

#[tokio::test]
async fn a_model_that_fails_changes_nothing_and_is_not_asked_again() {
    let (model, reranker) = lengths(true);
    for _ in 0..2 {
        assert_eq!(paths(&reranker.clone().best("oven", hits(), 2).await), ["4", "16"]);
    }
    assert_eq!(model.asked.load(Ordering::Relaxed), 1);
    assert_eq!(reranker.failure().as_deref(), Some("lengths answered with nothing"));
    assert_eq!(reranker.candidates(2), 2);
}
