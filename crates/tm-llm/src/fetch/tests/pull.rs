//! Downloads that break, and what is made of them; one file from one source.

use std::sync::atomic::AtomicUsize;

use tokio::sync::Notify;

use super::*;

/// A server whose `n`th answer for the file is what the script says.
fn serve(script: impl Fn(usize, &Request) -> Answer + Send + Sync + 'static) -> Server {
    let count = AtomicUsize::new(0);
    Server::start(move |request| {
        if request.path == HUGGINGFACE_PATH {
            script(count.fetch_add(1, Ordering::SeqCst), request)
        } else {
            Answer::not_found()
        }
    })
}

fn starts(server: &Server) -> Vec<Option<usize>> {
    server.seen().iter().map(|it| it.from).collect()
}

#[tokio::test]
async fn a_model_is_fetched_checked_and_recorded() {
    let bytes = weights(700_000);
    let file = bytes.clone();
    let server = serve(move |_, request| Answer::file(&file, request));
    let fixture = fixture(&server.url());
    let model = model(&bytes, [huggingface()]);

    let (installed, found) = fetched(fixture.pull(&model).await);

    assert_eq!(found, bytes);
    assert_eq!(installed.source, "Hugging Face maker/tiny");
    assert_eq!(fixture.fetcher.store.find(&model).unwrap(), installed);
    assert_eq!(fixture.pull(&model).await.unwrap(), Pulled::AlreadyThere(installed));
    assert_eq!(starts(&server), [None]);
}

#[tokio::test]
async fn a_cut_download_goes_on_where_it_ended() {
    let bytes = weights(700_000);
    let file = bytes.clone();
    let server = serve(move |nth, request| {
        let answer = Answer::file(&file, request);
        if nth == 0 { answer.with_fault(Fault::Cut(300_000)) } else { answer }
    });
    let fixture = fixture(&server.url());

    let (_, found) = fetched(fixture.pull(&model(&bytes, [huggingface()])).await);

    assert_eq!(found, bytes);
    assert_eq!(starts(&server), [None, Some(300_000)]);
    assert!(fixture.events()[1].starts_with("retrying: the connection to 127.0.0.1:"));
}

#[tokio::test]
async fn an_interrupted_pull_is_gone_on_with_by_the_next() {
    let bytes = weights(1_000_000);
    let file = bytes.clone();
    let server = serve(move |nth, request| {
        let answer = Answer::file(&file, request);
        if nth == 0 { answer.with_fault(Fault::Stall(700_000)) } else { answer }
    });
    let fixture = fixture(&server.url());
    let model = model(&bytes, [huggingface()]);
    let (arrived, seen) = (Arc::new(Notify::new()), fixture.listener());
    let told = Arc::clone(&arrived);
    let listener: Listener = Arc::new(move |event| {
        if let Event::Progress { done: 700_000, .. } = event {
            told.notify_one();
        }
        seen(event);
    });
    let pull = Pull { model: &model, from: None, sha256: None, force: false };
    tokio::select! {
        pulled = fixture.fetcher.pull(pull, listener) => panic!("{pulled:?}"),
        () = arrived.notified() => {}
    }
    assert!(matches!(
        fixture.fetcher.store.find(&model).unwrap_err(),
        StoreError::NotInstalled { .. }
    ));

    let (_, found) = fetched(fixture.pull(&model).await);

    assert_eq!(found, bytes);
    let start = starts(&server)[1].unwrap();
    assert!((100_000..=700_000).contains(&start), "{start}");
}

#[tokio::test]
async fn a_server_without_ranges_is_asked_for_everything_again() {
    let bytes = weights(700_000);
    let file = bytes.clone();
    let server = serve(move |nth, _| {
        let answer = Answer::of(200, "application/octet-stream", file.clone());
        if nth == 0 { answer.with_fault(Fault::Cut(300_000)) } else { answer }
    });
    let fixture = fixture(&server.url());
    let (_, found) = fetched(fixture.pull(&model(&bytes, [huggingface()])).await);
    assert_eq!(found, bytes);
    assert_eq!(starts(&server), [None, Some(300_000)]);
}

#[tokio::test]
async fn a_part_of_another_file_is_thrown_away() {
    let bytes = weights(700_000);
    let file = bytes.clone();
    let server = serve(move |_, request| Answer::file(&file, request));
    let fixture = fixture(&server.url());
    let part = fixture.fetcher.store.part_path("tiny");
    fs::create_dir_all(part.parent().unwrap()).unwrap();
    fs::write(&part, "something else").unwrap();

    let (_, found) = fetched(fixture.pull(&model(&bytes, [huggingface()])).await);

    assert_eq!(found, bytes);
    assert_eq!(starts(&server), [Some(14), None]);
}

#[tokio::test]
async fn a_part_that_is_too_long_is_thrown_away() {
    let bytes = weights(1000);
    let file = bytes.clone();
    let server = serve(move |_, request| Answer::file(&file, request));
    let fixture = fixture(&server.url());
    let part = fixture.fetcher.store.part_path("tiny");
    fs::create_dir_all(part.parent().unwrap()).unwrap();
    fs::write(&part, weights(2000)).unwrap();

    let (_, found) = fetched(fixture.pull(&model(&bytes, [huggingface()])).await);

    assert_eq!(found, bytes);
    assert_eq!(starts(&server), [Some(2000), None]);
}

#[tokio::test]
async fn an_overloaded_server_is_asked_again() {
    let bytes = weights(1000);
    let file = bytes.clone();
    let server = serve(move |nth, request| match nth {
        0 | 1 => Answer::of(503, "text/plain", "later"),
        _ => Answer::file(&file, request),
    });
    let fixture = fixture(&server.url());
    let (_, found) = fetched(fixture.pull(&model(&bytes, [huggingface()])).await);
    assert_eq!(found, bytes);
    assert_eq!(fixture.events().len(), 3);
}

#[tokio::test]
async fn a_server_that_stays_overloaded_is_given_up() {
    let server = serve(|_, _| Answer::of(503, "text/plain", "later"));
    let fixture = fixture(&server.url());
    let reason = only_reason(fixture.pull(&model(b"weights", [huggingface()])).await);
    assert!(matches!(reason, SourceError::Overloaded { status: 503, .. }), "{reason}");
    assert_eq!(server.seen().len(), 6);
}

#[tokio::test]
async fn a_connection_that_keeps_breaking_is_given_up() {
    let server = serve(|_, request| Answer::file(b"weights", request).with_fault(Fault::Cut(0)));
    let fixture = fixture(&server.url());
    let reason = only_reason(fixture.pull(&model(b"weights", [huggingface()])).await);
    assert!(matches!(reason, SourceError::Broken { .. }), "{reason}");
    assert_eq!(server.seen().len(), 6);
}

#[tokio::test]
async fn a_file_that_is_gone_is_not_asked_for_again() {
    let server = serve(|_, _| Answer::not_found());
    let fixture = fixture(&server.url());
    let reason = only_reason(fixture.pull(&model(b"weights", [huggingface()])).await);
    assert!(matches!(reason, SourceError::Refused { status: 404, .. }), "{reason}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_redirect_is_followed() {
    let bytes = weights(1000);
    let file = bytes.clone();
    let server = Server::start(move |request| {
        if request.path == "/elsewhere" {
            return Answer::file(&file, request);
        }
        let mut answer = Answer::of(302, "text/plain", "");
        answer.headers.push(("location", "/elsewhere".into()));
        answer
    });
    let fixture = fixture(&server.url());
    let (_, found) = fetched(fixture.pull(&model(&bytes, [huggingface()])).await);
    assert_eq!(found, bytes);
}

#[tokio::test]
async fn other_content_of_the_same_size_is_refused_and_removed() {
    let server = serve(|_, request| Answer::file(b"wrights", request));
    let fixture = fixture(&server.url());
    let reason = only_reason(fixture.pull(&model(b"weights", [huggingface()])).await);
    assert!(matches!(reason, SourceError::WrongDigest { .. }), "{reason}");
    assert!(!fixture.fetcher.store.part_path("tiny").exists());
    assert!(!fixture.fetcher.store.path("tiny").exists());
}

#[tokio::test]
async fn a_file_of_another_size_is_refused_before_it_is_read() {
    let server = serve(|_, request| Answer::file(&weights(2_000_000), request));
    let fixture = fixture(&server.url());
    let reason = only_reason(fixture.pull(&model(b"weights", [huggingface()])).await);
    let told = reason.to_string().replace(&server.url(), "http://HOST");
    insta::assert_snapshot!(
        told,
        @"http://HOST/maker/tiny/resolve/main/tiny.gguf has 2000000 bytes and not 7"
    );
    assert!(!fixture.fetcher.store.part_path("tiny").exists());
}

#[tokio::test]
async fn without_space_nothing_is_asked_for() {
    let server = serve(|_, request| Answer::file(b"weights", request));
    let mut fixture = fixture(&server.url());
    fixture.fetcher.free_bytes = |_| Ok(5);
    let error = fixture.pull(&model(b"weights", [huggingface()])).await.unwrap_err();
    let FetchError::Machine(SourceError::NoSpace { needed_bytes: 7, free_bytes: 5, directory }) =
        error
    else {
        panic!("{error:?}");
    };
    assert_eq!(directory, fixture.directory.path().join("models"));
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn what_is_there_of_a_download_needs_no_space() {
    let server = serve(|_, request| Answer::file(b"weights", request));
    let mut fixture = fixture(&server.url());
    fixture.fetcher.free_bytes = |_| Ok(5);
    let part = fixture.fetcher.store.part_path("tiny");
    fs::create_dir_all(part.parent().unwrap()).unwrap();
    fs::write(&part, "wei").unwrap();
    let (_, found) = fetched(fixture.pull(&model(b"weights", [huggingface()])).await);
    assert_eq!(found, b"weights");
}

#[tokio::test]
async fn two_pulls_of_one_model_fetch_it_once() {
    let bytes = weights(700_000);
    let file = bytes.clone();
    let server = serve(move |_, request| Answer::file(&file, request));
    let fixture = fixture(&server.url());
    let model = model(&bytes, [huggingface()]);

    let (one, other) = tokio::join!(fixture.pull(&model), fixture.pull(&model));

    let mut outcomes = [one.unwrap(), other.unwrap()];
    outcomes.sort_by_key(|it| matches!(it, Pulled::Fetched(_)));
    assert!(matches!(&outcomes, [Pulled::AlreadyThere(_), Pulled::Fetched(_)]), "{outcomes:?}");
    assert_eq!(fs::read(fixture.fetcher.store.path("tiny")).unwrap(), bytes);
    assert_eq!(starts(&server), [None]);
    assert!(fixture.events().contains(&"waiting".to_owned()));
}

#[tokio::test]
async fn a_damaged_model_is_fetched_again_and_a_whole_one_when_forced() {
    let server = serve(|_, request| Answer::file(b"weights", request));
    let fixture = fixture(&server.url());
    let model = model(b"weights", [huggingface()]);
    let (installed, _) = fetched(fixture.pull(&model).await);
    fs::write(&installed.path, "wei").unwrap();
    let (_, found) = fetched(fixture.pull(&model).await);
    assert_eq!(found, b"weights");

    let forced = Pull { model: &model, from: None, sha256: None, force: true };
    fetched(fixture.pull_with(forced).await);
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn a_model_without_a_digest_needs_one_from_the_user() {
    let server = serve(|_, request| Answer::file(b"weights", request));
    let fixture = fixture(&server.url());
    let mut model = model(b"weights", [huggingface()]);
    model.sha256 = None;
    model.size_bytes = 10;
    let error = fixture.pull(&model).await.unwrap_err();
    assert!(matches!(error, FetchError::NoDigest { .. }), "{error:?}");
    assert!(server.seen().is_empty());

    let sha256 = Some(digest_of(b"weights"));
    let pull = Pull { model: &model, from: None, sha256, force: false };
    let (installed, _) = fetched(fixture.pull_with(pull).await);
    assert_eq!(fixture.fetcher.store.find(&model).unwrap(), installed);
}

#[tokio::test]
async fn nobody_talks_the_catalogue_into_another_digest() {
    let fixture = fixture("http://127.0.0.1:9");
    let model = model(b"weights", [huggingface()]);
    let sha256 = Some(digest_of(b"else"));
    let pull = Pull { model: &model, from: None, sha256, force: false };
    let error = fixture.pull_with(pull).await.unwrap_err();
    assert!(matches!(error, FetchError::OtherDigest { .. }), "{error:?}");
}
