//! What ends a request before its answer is whole.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use tm_llm::{
    backend::{Backend as _, BackendError},
    chat::ChatEvent,
};
use tokio::time::timeout;

use crate::{ask, document, endless, engine, request};

#[tokio::test]
async fn a_dropped_stream_makes_room_for_the_next_request() {
    let Some(engine) = engine(1) else { return };
    let mut abandoned = engine.stream(endless("Count.")).await.unwrap();
    abandoned.next().await.unwrap().unwrap();
    drop(abandoned);
    let answer = ask(&engine, request("Hi", None, 5)).await.unwrap();
    // The abandoned one would have taken the better part of a minute.
    assert!(answer.usage.queued < Duration::from_secs(10), "{:?}", answer.usage);
}

#[tokio::test]
async fn an_answer_that_is_late_ends_with_the_deadline() {
    let Some(engine) = engine(1) else { return };
    let mut late = endless("Count.");
    late.deadline = Instant::now() + Duration::from_millis(500);
    let error = ask(&engine, late).await.unwrap_err();
    assert!(matches!(error, BackendError::DeadlineExceeded { .. }), "{error}");
}

#[tokio::test]
async fn a_prompt_that_takes_too_long_to_read_ends_with_the_deadline() {
    let Some(engine) = engine(1) else { return };
    let mut late = request(&document(1000), None, 5);
    late.deadline = Instant::now() + Duration::from_millis(500);
    let error = ask(&engine, late).await.unwrap_err();
    assert!(matches!(error, BackendError::DeadlineExceeded { .. }), "{error}");
}

#[tokio::test]
async fn a_request_that_waits_too_long_ends_with_the_deadline() {
    let Some(engine) = engine(1) else { return };
    let mut busy = engine.stream(endless("Count.")).await.unwrap();
    busy.next().await.unwrap().unwrap();
    let mut late = request("Hi", None, 5);
    late.deadline = Instant::now();
    let error = ask(&engine, late).await.unwrap_err();
    assert!(matches!(error, BackendError::DeadlineExceeded { .. }), "{error}");
    assert!(matches!(busy.next().await, Some(Ok(ChatEvent::Delta(_)))));
}

#[tokio::test]
async fn the_deadline_of_a_request_holds_however_many_wait_before_it() {
    let Some(engine) = engine(1) else { return };
    let mut streams = Vec::new();
    for _ in 0..200 {
        streams.push(engine.stream(endless("Count.")).await.unwrap());
    }
    let mut late = request("Hi", None, 5);
    late.deadline = Instant::now() + Duration::from_millis(200);
    let answer = timeout(Duration::from_secs(30), ask(&engine, late)).await.unwrap();
    assert!(matches!(answer, Err(BackendError::DeadlineExceeded { .. })), "{answer:?}");
}

#[tokio::test]
async fn a_prompt_that_does_not_fit_is_refused_with_the_numbers() {
    let Some(engine) = engine(1) else { return };
    let limit = engine.info().context_tokens;
    let error = ask(&engine, request("Hi", None, limit)).await.unwrap_err();
    match error {
        BackendError::ContextOverflow { prompt_tokens, answer_tokens, limit: told, .. } => {
            assert!(prompt_tokens > 10);
            assert_eq!((answer_tokens, told), (limit, limit));
        }
        other => panic!("{other}"),
    }
    let error = ask(&engine, request(&document(6000), None, 5)).await.unwrap_err();
    assert!(matches!(error, BackendError::ContextOverflow { .. }), "{error}");
}

#[tokio::test]
async fn more_requests_than_may_wait_are_told_that_the_engine_is_busy() {
    let Some(engine) = engine(1) else { return };
    let mut streams = Vec::new();
    let busy = loop {
        match engine.stream(endless("Count.")).await {
            Ok(stream) => streams.push(stream),
            Err(error) => break error,
        }
        assert!(streams.len() < 1000, "the queue has no end");
    };
    assert!(matches!(busy, BackendError::Busy { .. }), "{busy}");
}

#[tokio::test]
async fn dropping_the_engine_ends_its_answers_and_its_thread() {
    let Some(engine) = engine(1) else { return };
    let mut stream = engine.stream(endless("Count.")).await.unwrap();
    stream.next().await.unwrap().unwrap();
    let waiting = engine.stream(request("Hi", None, 5)).await.unwrap();
    drop(engine);
    for stream in [stream, waiting] {
        let events: Vec<_> = stream.collect().await;
        let last = events.last().unwrap();
        assert!(matches!(last, Err(BackendError::Broken { .. })), "{last:?}");
    }
}
