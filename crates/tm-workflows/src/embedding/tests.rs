use std::sync::Mutex;

use tm_knowledge::index::{
    search::{By, Query},
    write::{Document, NewSource},
};
use tm_testkit::model::ScriptedModel;

use super::*;

const THEMES: [&str; 3] = ["oven", "order", "logo"];

/// A model that knows three themes, and breaks at a fourth.
fn model() -> EmbeddingModel {
    let vector = |text: &str| {
        let theme = |it: &str| if text.contains(it) { 1.0 } else { 0.1 };
        (!text.contains("yeast")).then(|| THEMES.map(theme).to_vec())
    };
    EmbeddingModel {
        backend: Arc::new(ScriptedModel::playing([]).with_vectors(vector)),
        embedder: Embedder { model: "themes".into(), identity: "themes 1".into() },
        weight: 1.0,
        near: None,
        unrelated: None,
        answers: None,
        timeout: Duration::from_mins(1),
    }
}

fn documents(texts: impl IntoIterator<Item = String>) -> Index {
    let mut index = Index::in_memory().unwrap();
    let new = NewSource { location: "/".into(), name: "all".into(), ..NewSource::default() };
    let source = index.add_source(&new, 1).unwrap().id;
    let document =
        |(number, text): (usize, String)| Document::of_text(&format!("{number:03}"), "", &text);
    let documents: Vec<Document> = texts.into_iter().enumerate().map(document).collect();
    index.write(source, &documents).unwrap();
    index
}

#[tokio::test]
async fn every_chunk_gets_a_vector_and_a_question_finds_it() {
    let texts = (0..40).map(|it| format!("Number {it} is about the {}.", THEMES[it % 3]));
    let mut index = documents(texts);
    let told = Mutex::new(Vec::new());
    let observer = |progress| told.lock().unwrap().push(progress);
    assert_eq!(embed_missing(&mut index, &model(), &observer).await.unwrap(), 40);
    let all = |done| Progress { done, chunks: 40 };
    assert_eq!(*told.lock().unwrap(), [all(16), all(32), all(40)]);
    assert_eq!(embed_missing(&mut index, &model(), &|_| ()).await.unwrap(), 0);

    let meaning = model().meaning("order").await.unwrap();
    let query = Query { by: By::Meaning(meaning), ..Query::new("order", 5) };
    let hits = index.search(&query).unwrap();
    assert!(!hits.is_empty() && hits.iter().all(|it| it.text.contains("order")), "{hits:?}");
}

#[tokio::test]
async fn what_was_made_before_a_model_broke_is_kept() {
    let texts = (0..40).map(|it| if it == 20 { "yeast".into() } else { format!("oven {it}") });
    let mut index = documents(texts);
    let error = embed_missing(&mut index, &model(), &|_| ()).await.unwrap_err();
    assert!(matches!(error, EmbedError::Model(BackendError::Broken { .. })), "{error}");
    assert_eq!(index.count_unembedded().unwrap(), 24);
}

#[tokio::test]
async fn another_model_is_not_even_asked() {
    let mut index = documents(["oven".to_owned()]);
    embed_missing(&mut index, &model(), &|_| ()).await.unwrap();
    let embedder = Embedder { identity: "themes 2".into(), ..model().embedder };
    let other = EmbeddingModel { embedder, ..model() };
    let error = embed_missing(&mut index, &other, &|_| ()).await.unwrap_err();
    assert!(matches!(error, EmbedError::Index(IndexError::OtherEmbedder { .. })), "{error}");
}
