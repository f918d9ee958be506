use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use tm_llm::{
    backend::{Backend, BackendError, complete},
    chat::{ChatRequest, Message, Sampling},
    failover::{Candidate, Failover, Rounds},
};
use tm_testkit::model::{Reply, ScriptedModel};

use super::{Caller, Ending, Log, Record, Via, each};

const SECRET: &str = "the prompt and the key sk-secret";

fn request() -> ChatRequest {
    ChatRequest {
        messages: vec![Message::user(SECRET)],
        response_schema: None,
        sampling: Sampling::default(),
        max_tokens: 50,
        deadline: Instant::now() + Duration::from_mins(1),
    }
}

fn candidate(name: &str, replies: impl IntoIterator<Item = Reply>, rank: u32) -> Candidate {
    let model: Arc<dyn Backend> = Arc::new(ScriptedModel::playing(replies));
    let open = move || {
        let model = Arc::clone(&model);
        Box::pin(async { Ok(model) }) as futures_util::future::BoxFuture<'static, _>
    };
    Candidate::new(name, Box::new(open), None).with_rank(rank)
}

/// One that says what it was sent when it is opened.
fn telltale() -> Candidate {
    let open = || {
        let (model, reason) = ("telltale".to_owned(), format!("you said: {SECRET}"));
        let error = BackendError::Refused { model, reason };
        Box::pin(async { Err(error) }) as futures_util::future::BoxFuture<'static, _>
    };
    Candidate::new("telltale", Box::new(open), None)
}

fn watched(state_dir: &Path, candidates: Vec<Candidate>) -> Failover {
    let caller = Caller { via: Via::Cli, name: "expand".to_owned(), ..Caller::default() };
    let rounds = Rounds { most: 1, ..Rounds::default() };
    let log = Arc::new(Log::in_dir(state_dir));
    Failover::unopened(candidates, Arc::new(|_| ())).with_rounds(rounds).watching_each(each(
        log,
        caller,
        Some("main"),
        None,
    ))
}

/// The records, the oldest first.
fn records(state_dir: &Path) -> Vec<Record> {
    let mut records = Log::read(state_dir).unwrap().records;
    records.reverse();
    records
}

#[tokio::test]
async fn each_request_leaves_one_record_however_it_ends() {
    let directory = tempfile::tempdir().unwrap();
    let failover = watched(
        directory.path(),
        vec![
            telltale(),
            candidate("first", [Reply::Overflow, Reply::Text("1".into()), Reply::Overflow], 1),
            candidate("second", [Reply::Text("2".into()), Reply::Overflow], 2),
        ],
    );
    complete(&failover, request(), &|_| ()).await.unwrap();
    complete(&failover, request(), &|_| ()).await.unwrap();
    drop(failover.stream(request()).await);
    drop(failover);
    let records = records(directory.path());
    let told = |it: &Record| {
        let attempts: Vec<String> =
            it.attempts.iter().map(|it| format!("{} {}", it.backend, it.ending.as_str())).collect();
        (it.ending, it.backend.clone().unwrap_or_default(), attempts.join(", "))
    };
    let told: Vec<_> = records.iter().map(told).collect();
    assert_eq!(
        told,
        [
            (
                Ending::Answered,
                "second".to_owned(),
                "telltale failed, first failed, second answered".to_owned()
            ),
            (Ending::Answered, "first".to_owned(), "telltale failed, first answered".to_owned()),
            (
                Ending::Failed,
                String::new(),
                "telltale failed, first failed, second failed".to_owned()
            ),
        ]
    );
    let first = &records[0];
    assert_eq!((first.by.as_str(), first.role.as_deref()), ("expand", Some("main")));
    assert_eq!(first.finish.as_deref(), Some("stop"));
    assert!(first.prompt_tokens > 0 && first.completion_tokens > 0 && first.took_s > 0.0);
    assert!(first.first_token_s.is_some() && first.error.is_none());
    let why = records[2].error.as_ref().unwrap();
    assert_eq!(
        (why.kind.as_str(), why.why.as_deref()),
        ("refused", Some("telltale refused the request"))
    );
}

#[tokio::test]
async fn who_does_not_wait_for_the_end_has_a_record_too() {
    let directory = tempfile::tempdir().unwrap();
    let failover = watched(directory.path(), vec![candidate("slow", [Reply::Text("1".into())], 0)]);
    drop(failover.stream(request()).await.unwrap());
    drop(failover);
    let records = records(directory.path());
    assert_eq!((records.len(), records[0].ending), (1, Ending::Abandoned));
    assert_eq!(records[0].attempts[0].ending, Ending::Abandoned);
}

#[tokio::test]
async fn nothing_of_what_was_said_is_on_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let failover = watched(
        directory.path(),
        vec![telltale(), candidate("first", [Reply::Text(SECRET.into())], 1)],
    );
    complete(&failover, request(), &|_| ()).await.unwrap();
    drop(failover);
    let text = std::fs::read_to_string(super::log::path(directory.path())).unwrap();
    assert!(
        text.contains("telltale") && !text.contains("secret") && !text.contains("prompt and"),
        "{text}"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let facts = std::fs::metadata(super::log::path(directory.path())).unwrap();
        assert_eq!(facts.permissions().mode() & 0o077, 0);
    }
}
