use std::{
    ffi::OsString,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use futures_util::{StreamExt as _, stream};
use tm_llm::{
    backend::{ChatStream, ModelInfo},
    chat::{ChatEvent, ChatRequest, Message, Sampling},
    failover::Failover,
};
use tokio::{join, time};

use super::*;
use crate::backend::embedded;

/// Counts how often it was opened.
#[derive(Debug, Default)]
struct Opened {
    times: AtomicU32,
    fails_first: bool,
}

/// A model that has broken down, or has not.
#[derive(Debug)]
struct Fake {
    info: ModelInfo,
    is_broken: bool,
}

#[async_trait]
impl Backend for Fake {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    async fn prepare(&self) -> Result<(), BackendError> {
        if self.is_broken { Err(broken()) } else { Ok(()) }
    }

    /// An answer that has no end.
    async fn stream(&self, _request: ChatRequest) -> Result<ChatStream, BackendError> {
        let said = stream::iter([Ok(ChatEvent::Delta("a".to_owned()))]);
        Ok(said.chain(stream::pending()).boxed())
    }
}

fn broken() -> BackendError {
    BackendError::Broken { model: "fake".to_owned(), reason: "it broke down".to_owned() }
}

fn fake(is_broken: bool) -> Arc<dyn Backend> {
    let info = ModelInfo {
        provider: "fake".to_owned(),
        model: "fake".to_owned(),
        context_tokens: 1,
        parallel: 1,
        whole_answers: false,
    };
    Arc::new(Fake { info, is_broken })
}

impl Opened {
    fn times(&self) -> u32 {
        self.times.load(Ordering::Relaxed)
    }

    /// Takes a second; the first one that is opened breaks down afterwards, if `breaks`.
    fn open(self: &Arc<Self>, breaks: bool) -> Open {
        let opened = Arc::clone(self);
        Box::new(move || {
            let opened = Arc::clone(&opened);
            Box::pin(async move {
                time::sleep(Duration::from_secs(1)).await;
                let is_first = opened.times.fetch_add(1, Ordering::Relaxed) == 0;
                if is_first && opened.fails_first {
                    let (needed_mib, available_mib) = (2, 1);
                    return Err(BackendError::OutOfMemory {
                        model: "fake".to_owned(),
                        needed_mib,
                        available_mib,
                    });
                }
                Ok(fake(is_first && breaks))
            })
        })
    }
}

fn kept(seconds: &str) -> anyhow::Result<Kept> {
    let variable: (OsString, OsString) = ("TASKMASTER_KEEP_ALIVE_S".into(), seconds.into());
    Kept::new(&Environment::new(PathBuf::from("/project"), None, [variable].into_iter()))
}

fn file(name: &str) -> Found {
    let environment = Environment::new(PathBuf::from("/project"), None, std::iter::empty());
    embedded::find(&environment, Some(name)).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_model_is_loaded_once_for_all_who_want_it() {
    let (kept, opened) = (kept("60").unwrap(), Arc::new(Opened::default()));
    let open = opened.open(false);
    let found = file("a.gguf");
    let (first, second) =
        join!(kept.load(&found, Work::Answers, &open), kept.load(&found, Work::Answers, &open));
    let third = kept.load(&found, Work::Answers, &open).await.unwrap();
    assert_eq!(opened.times(), 1);
    assert!(Arc::ptr_eq(&first.unwrap(), &second.unwrap()));
    // Another file, or the same for other work, is another model.
    kept.load(&file("b.gguf"), Work::Answers, &open).await.unwrap();
    kept.load(&found, Work::Vectors, &open).await.unwrap();
    assert_eq!(opened.times(), 3);
    drop(third);
}

#[tokio::test(start_paused = true)]
async fn a_model_that_nobody_uses_is_given_up_and_one_in_use_is_not() {
    let (kept, opened) = (kept("60").unwrap(), Arc::new(Opened::default()));
    let open = opened.open(false);
    let (used, unused) = (file("used.gguf"), file("unused.gguf"));
    let in_use = kept.load(&used, Work::Answers, &open).await.unwrap();
    let given_up = Arc::downgrade(&kept.load(&unused, Work::Answers, &open).await.unwrap());
    let give_back = |wait| time::timeout(Duration::from_secs(wait), kept.give_back());
    drop(give_back(50).await);
    assert!(given_up.upgrade().is_some());
    drop(give_back(3600).await);
    assert!(given_up.upgrade().is_none());
    let again = kept.load(&used, Work::Answers, &open).await.unwrap();
    assert!(Arc::ptr_eq(&in_use, &again));
    assert_eq!(opened.times(), 2);
    kept.load(&unused, Work::Answers, &open).await.unwrap();
    assert_eq!(opened.times(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_load_that_is_cancelled_leaves_the_place_to_the_next_one() {
    let (kept, opened) = (kept("60").unwrap(), Arc::new(Opened::default()));
    let (open, found) = (opened.open(false), file("a.gguf"));
    let cut = time::timeout(Duration::from_millis(10), kept.load(&found, Work::Answers, &open));
    assert!(cut.await.is_err());
    kept.load(&found, Work::Answers, &open).await.unwrap();
    assert_eq!(opened.times(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_model_that_has_broken_down_is_loaded_anew() {
    let (kept, opened) = (kept("60").unwrap(), Arc::new(Opened::default()));
    let (open, found) = (opened.open(true), file("a.gguf"));
    for expected in [1, 2, 2] {
        kept.load(&found, Work::Answers, &open).await.unwrap();
        assert_eq!(opened.times(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_uses_makes_room_for_what_is_wanted() {
    let kept = kept("60").unwrap();
    let idle = Arc::new(Opened::default()).open(false);
    let idle = Arc::downgrade(&kept.load(&file("a.gguf"), Work::Answers, &idle).await.unwrap());
    let wanted = Arc::new(Opened { fails_first: true, ..Opened::default() });
    let open = wanted.open(false);
    let model = kept.load(&file("b.gguf"), Work::Answers, &open).await.unwrap();
    assert!(idle.upgrade().is_none());
    // Where nothing can be given up, it is told that memory is short.
    let other = Arc::new(Opened { fails_first: true, ..Opened::default() }).open(false);
    let error = kept.load(&file("c.gguf"), Work::Answers, &other).await.unwrap_err();
    assert!(matches!(error, BackendError::OutOfMemory { .. }), "{error}");
    drop(model);
}

#[tokio::test(start_paused = true)]
async fn a_model_goes_when_it_was_said_to_and_is_as_usual_when_it_is_loaded_anew() {
    let (kept, opened) = (kept("60").unwrap(), Arc::new(Opened::default()));
    let (open, found) = (opened.open(false), file("a.gguf"));
    let wait = |s| time::timeout(Duration::from_secs(s), kept.give_back());
    let left = || kept.in_memory().first().map(|it| it.left);
    assert_eq!(left(), None);
    kept.load(&found, Work::Answers, &open).await.unwrap();
    assert_eq!(left(), Some(Some(Duration::from_mins(1))));
    kept.keep_for("a.gguf", Duration::MAX);
    drop(wait(1_000_000).await);
    assert_eq!(left(), Some(None));
    kept.keep_for("a.gguf", Duration::from_secs(5));
    let in_use = kept.load(&found, Work::Answers, &open).await.unwrap();
    drop(wait(100).await);
    assert_eq!(left(), Some(Some(Duration::from_secs(5))));
    drop(in_use);
    drop(wait(3).await);
    assert!(left().is_some_and(|it| it < Some(Duration::from_secs(5))));
    drop(wait(5).await);
    assert_eq!(left(), None);
    kept.load(&found, Work::Answers, &open).await.unwrap();
    assert_eq!(left(), Some(Some(Duration::from_mins(1))));
    kept.unload("another.gguf").await;
    assert!(left().is_some());
    kept.unload("a.gguf").await;
    assert_eq!((left(), opened.times()), (None, 2));
}

#[tokio::test(start_paused = true)]
async fn what_lasts_loads_its_model_when_it_is_asked_and_holds_it_while_it_is_read() {
    let (kept, opened) = (Arc::new(kept("60").unwrap()), Arc::new(Opened::default()));
    let keeping = Keeping { kept: Arc::clone(&kept), is_lasting: true };
    let candidate = keeping.candidate(file("a.gguf"), Work::Answers, opened.open(false));
    let model = Failover::open(vec![candidate], Arc::new(|_| ())).await.unwrap();
    let wait = |s| time::timeout(Duration::from_secs(s), kept.give_back());
    drop(wait(50).await);
    assert_eq!((kept.in_memory().len(), opened.times()), (1, 1));
    drop(wait(100).await);
    assert_eq!(kept.in_memory(), []);
    let request = ChatRequest {
        messages: vec![Message::user("Hi")],
        response_schema: None,
        sampling: Sampling::default(),
        max_tokens: 1,
        deadline: std::time::Instant::now() + Duration::from_hours(1),
    };
    let answer = model.stream(request).await.unwrap();
    drop(wait(1000).await);
    assert_eq!((kept.in_memory().len(), opened.times()), (1, 2));
    drop(answer);
    drop(wait(100).await);
    assert_eq!(kept.in_memory(), []);
    // It is known what it is, also when it is not there.
    assert_eq!(model.info().context_tokens, 1);
    assert_eq!(model.count_tokens("abc"), 2);
    model.prepare().await.unwrap();
    assert_eq!(opened.times(), 3);
}

#[test]
fn how_long_is_a_number_of_seconds() {
    assert_eq!(kept("-1").unwrap().idle, Duration::MAX);
    let error = kept("a while").unwrap_err();
    assert!(error.to_string().contains("is no number of seconds"), "{error}");
}
