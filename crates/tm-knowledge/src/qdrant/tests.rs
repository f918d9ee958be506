//! The same questions to the knowledge base and to a server that does what Qdrant does.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tm_llm::egress::{
    guard::Guard,
    rest::{Rest, RestError},
};
use tm_testkit::{
    qdrant::start,
    server::{Answer, ScriptedServer},
};

use super::{Copied, Qdrant, QdrantError};
use crate::{
    index::{
        Index, IndexError,
        search::{By, Meaning, Query},
        vectors::Embedder,
        write::{Document, NewSource},
    },
    read::Kind,
};

const DOCUMENTS: i32 = 600;

fn qdrant(url: &str, key: Option<&str>) -> Qdrant {
    let key = key.map(|it| ("api-key", it.to_owned()));
    let wait = Duration::from_secs(5);
    Qdrant::new(Rest::new(&Guard::default(), Arc::new(|_| ()), url, key, wait).unwrap())
}

fn embedder() -> Embedder {
    Embedder { model: "small".into(), identity: "small 1".into() }
}

/// Numbers that look like chance and are not.
fn vector(seed: i32) -> Vec<f32> {
    (1..9_i16).map(|it| (f32::from(it) * 12.9 + f64_of(seed) * 7.7).sin()).collect()
}

#[expect(clippy::cast_precision_loss, reason = "seeds are small")]
fn f64_of(seed: i32) -> f32 {
    seed as f32
}

fn embed(index: &mut Index) {
    loop {
        let batch = index.unembedded(0, 100).unwrap();
        let Some(_) = batch.first() else { return };
        let kept: Vec<_> =
            batch.iter().map(|it| (it, vector(i32::try_from(it.chunk).unwrap()))).collect();
        index.keep_vectors(&embedder(), &kept).unwrap();
    }
}

fn known() -> (Index, i64) {
    fill(Index::in_memory().unwrap())
}

fn fill(mut index: Index) -> (Index, i64) {
    let new = NewSource { location: "/docs".into(), name: "docs".into(), ..NewSource::default() };
    let source = index.add_source(&new, 0).unwrap();
    let document = |it: i32| {
        let path = format!("d{it}");
        let kind = if it % 3 == 0 { Kind::Code } else { Kind::Text };
        Document { kind, ..Document::of_text(&path, &path, &format!("Number {it}.")) }
    };
    let documents: Vec<Document> = (0..DOCUMENTS).map(document).collect();
    index.write(source.id, &documents).unwrap();
    embed(&mut index);
    (index, source.id)
}

fn query(seed: i32, kinds: Vec<Kind>) -> Query {
    let meaning =
        Meaning { vector: vector(seed), embedder: embedder(), weight: 1.0, nearest: None };
    Query { by: By::Meaning(meaning), kinds, ..Query::new("", 10) }
}

fn paths(index: &Index, query: &Query) -> Vec<String> {
    index.search(query).unwrap().into_iter().map(|it| it.path).collect()
}

#[tokio::test]
async fn the_server_finds_what_the_knowledge_base_finds() {
    let (index, _) = known();
    let server = start(None);
    let qdrant = qdrant(&server.url(), None);
    qdrant.copy(&index, &|_, _| ()).await.unwrap();
    for seed in 0..200 {
        let kinds = if seed % 4 == 0 { vec![Kind::Code] } else { Vec::new() };
        let asked = query(10_000 + seed, kinds);
        let here = paths(&index, &asked);
        let wanted = index.wanted(&asked).unwrap().unwrap();
        let mut there = asked.clone();
        there.by.set_nearest(Some(qdrant.nearest(&wanted).await.unwrap()));
        assert_eq!(here.len(), 10);
        assert_eq!(paths(&index, &there), here, "{seed}");
    }
}

#[tokio::test]
async fn only_what_is_new_is_sent_and_what_is_gone_is_taken_away() {
    let (mut index, source) = known();
    let server = start(None);
    let qdrant = qdrant(&server.url(), None);
    let all = usize::try_from(DOCUMENTS).unwrap();
    let first = qdrant.copy(&index, &|_, _| ()).await.unwrap();
    assert_eq!(first, Copied { points: all, added: all, removed: 0 });
    let again = qdrant.copy(&index, &|_, _| ()).await.unwrap();
    assert_eq!(again, Copied { points: all, added: 0, removed: 0 });

    // As many as before.
    index.remove_documents(source, &["d1".to_owned()]).unwrap();
    index.write(source, &[Document::of_text("new", "new", "New.")]).unwrap();
    embed(&mut index);
    let wanted = index.wanted(&query(1, Vec::new())).unwrap().unwrap();
    let error = qdrant.nearest(&wanted).await.unwrap_err();
    let expected = format!("Qdrant at {} has no copy of the vectors as they are now", server.url());
    assert_eq!(error.to_string(), expected);
    let changed = qdrant.copy(&index, &|_, _| ()).await.unwrap();
    assert_eq!(changed, Copied { points: all, added: 1, removed: 1 });
    qdrant.nearest(&wanted).await.unwrap();
}

#[tokio::test]
async fn a_knowledge_base_that_was_copied_is_not_taken_for_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let (file, copy) = (folder.path().join("one"), folder.path().join("copy"));
    let (_, source) = fill(Index::create(&file).unwrap());
    Index::create(&file).unwrap().collection().unwrap();
    // All of it is in the file once nobody has it open.
    std::fs::copy(&file, &copy).unwrap();
    let server = start(None);
    let qdrant = qdrant(&server.url(), None);
    let mut indexes = [&file, &copy].map(|it| Index::open(it).unwrap());
    for (index, words) in indexes.iter_mut().zip(["One.", "Other."]) {
        index.write(source, &[Document::of_text("new", "new", words)]).unwrap();
        embed(index);
    }
    let [one, other] = &indexes;
    let name = |it: &Index| it.collection().unwrap().unwrap().name;
    assert_eq!(name(one), name(other));
    qdrant.copy(one, &|_, _| ()).await.unwrap();
    let wanted = other.wanted(&query(1, Vec::new())).unwrap().unwrap();
    let error = qdrant.nearest(&wanted).await.unwrap_err();
    assert!(matches!(error, QdrantError::Incomplete { .. }), "{error}");
    assert_eq!(qdrant.copy(other, &|_, _| ()).await.unwrap().added, 1);
    qdrant.nearest(&wanted).await.unwrap();
}

#[tokio::test]
async fn vectors_that_are_made_anew_are_copied_anew() {
    let (mut index, _) = known();
    let server = start(None);
    let qdrant = qdrant(&server.url(), None);
    qdrant.copy(&index, &|_, _| ()).await.unwrap();
    qdrant.forget(&index).await.unwrap();
    index.forget_vectors().unwrap();
    embed(&mut index);
    let again = qdrant.copy(&index, &|_, _| ()).await.unwrap();
    assert_eq!(again.added, again.points);
}

#[tokio::test]
async fn a_server_without_a_copy_and_one_that_wants_a_key_are_told_apart() {
    let (index, _) = known();
    let server = start(Some("secret"));
    let wanted = index.wanted(&query(1, Vec::new())).unwrap().unwrap();
    let error = qdrant(&server.url(), Some("secret")).nearest(&wanted).await.unwrap_err();
    assert!(matches!(error, QdrantError::Incomplete { .. }), "{error}");
    let error = qdrant(&server.url(), None).nearest(&wanted).await.unwrap_err();
    let QdrantError::Rest(RestError::Refused { status: 403, .. }) = error else {
        panic!("{error}");
    };
    assert!(!format!("{:?}", qdrant(&server.url(), Some("secret"))).contains("secret"));
}

#[tokio::test]
async fn what_is_no_answer_is_an_error_and_ends() {
    let (index, _) = known();
    let wanted = index.wanted(&query(1, Vec::new())).unwrap().unwrap();
    for body in [json!({}), json!({"result": {"count": "many"}}), json!({"result": []})] {
        let server = ScriptedServer::start(move |_| Answer::json(200, &body));
        let error = qdrant(&server.url(), None).nearest(&wanted).await.unwrap_err();
        assert!(matches!(error, QdrantError::Answer { .. }), "{error}");
    }
    // A page that leads to itself.
    let vectors = json!({"params": {"vectors": {"size": 8}}});
    let page = json!({
        "result": {"points": [{"id": 1}], "next_page_offset": 1, "config": vectors},
    });
    let server = ScriptedServer::start(move |_| Answer::json(200, &page));
    qdrant(&server.url(), None).copy(&index, &|_, _| ()).await.unwrap();
    let error = qdrant(&ScriptedServer::nobody(), None).nearest(&wanted).await.unwrap_err();
    assert!(matches!(error, QdrantError::Rest(RestError::Unreachable { .. })), "{error}");
    let empty = Index::in_memory().unwrap();
    let error = qdrant(&server.url(), None).copy(&empty, &|_, _| ()).await.unwrap_err();
    assert!(matches!(error, QdrantError::Index(IndexError::NoVectors)), "{error}");
}
