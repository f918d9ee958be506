//! Servers that mean harm: each of them harms its own request and nothing else.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tm_llm::{
    backend::{
        Backend, BackendError, complete,
        remote::{RemoteBackend, Server},
    },
    chat::{ChatRequest, Message, Sampling},
    egress::guard::Guard,
    failover::{Candidate, Failover},
    provider,
};
use tm_testkit::{
    model::{Reply, ScriptedModel},
    server::{Answer, ScriptedServer},
};

/// What is said again and again.
const TEXT: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"word \"}}]}\n\n";
const THOUGHT: &str = "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm \"}}]}\n\n";
const PING: &str = ": ping\n\n";

fn request(deadline: Duration) -> ChatRequest {
    ChatRequest {
        messages: vec![Message::user("how many?")],
        response_schema: None,
        sampling: Sampling::default(),
        max_tokens: 50,
        deadline: Instant::now() + deadline,
    }
}

/// A server that gives this answer to every question, and knows nothing else.
fn server(answer: Answer) -> ScriptedServer {
    ScriptedServer::start(move |received| {
        if received.body["messages"].is_null() {
            return Answer::json(404, &Value::Null);
        }
        answer.clone()
    })
}

async fn open(server: &ScriptedServer, name: &str) -> Result<RemoteBackend, BackendError> {
    let provider = provider::find(name).unwrap();
    let server = Server::new(provider, provider.base_url(&format!("{}/v1", server.url())), "m");
    RemoteBackend::open(server, Guard::default().client().unwrap()).await
}

async fn outcome(answer: Answer, deadline: Duration) -> String {
    let server = server(answer);
    let backend = open(&server, "openai-compatible").await.unwrap();
    match complete(&backend, request(deadline), &|_| ()).await {
        Ok(completion) => completion.text,
        Err(error) => error.to_string(),
    }
}

const LONG: Duration = Duration::from_mins(1);

#[tokio::test]
async fn what_never_ends_is_ended() {
    let nested = "[".repeat(200_000);
    for (answer, expected) in [
        (Answer::endless(TEXT), "it says more than it was asked for"),
        (Answer::endless(THOUGHT), "it sends more than it was asked for"),
        (Answer::endless("data: x"), "a message of the stream is longer than"),
        (Answer::endless("data: \n"), "it sends more than it was asked for"),
        (Answer::endless(PING), "it sends more than it was asked for"),
        (
            Answer::events(format!("data: {nested}\n\n")),
            "it sent what is not JSON: recursion limit",
        ),
        (
            Answer::events(format!("data: {{\"choices\":[],\"other\":{nested}\n\n")),
            "it sent what is not JSON: recursion limit",
        ),
        (Answer::endless("<html>").with_status(500), "m stopped working: status 500"),
        (Answer::endless(" ").with_status(429), "m is busy"),
    ] {
        let told = outcome(answer, LONG).await;
        assert!(told.contains(expected), "{expected}: {told}");
    }
}

#[tokio::test]
async fn what_keeps_a_connection_alive_keeps_no_request_alive_beyond_its_deadline() {
    for answer in [
        Answer::dripping(PING, DRIP),
        Answer::dripping("data: {\"choices\":[{\"delta\":{\"content\":\"w\"}}]}\n\n", DRIP),
        Answer::dripping("d", DRIP),
    ] {
        let begun = Instant::now();
        let told = outcome(answer, Duration::from_millis(400)).await;
        assert_eq!(told, "m did not finish in time");
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
}

const DRIP: Duration = Duration::from_millis(20);

#[tokio::test]
async fn a_server_that_talks_without_end_about_itself_is_opened_all_the_same() {
    for provider in ["openai-compatible", "lmstudio", "ollama"] {
        let server = ScriptedServer::start(|_| Answer::endless("{\"data\": [1, 2, 3], "));
        let begun = Instant::now();
        let opened = open(&server, provider).await.unwrap();
        assert_eq!(opened.info().context_tokens, 16_384, "{provider}");
        assert!(begun.elapsed() < Duration::from_secs(30), "{provider}");
    }
}

#[tokio::test]
async fn numbers_that_mean_nothing_add_up_to_nothing_worse() {
    let usage = json!({"prompt_tokens": u32::MAX, "completion_tokens": u32::MAX});
    let whole = json!({
        "choices": [{"message": {"content": "word"}, "finish_reason": "stop"}], "usage": usage
    });
    let server = server(Answer::json(200, &whole));
    let backend: Arc<dyn Backend> = Arc::new(open(&server, "openai-compatible").await.unwrap());
    let failover = Failover::unopened(vec![Candidate::opened(backend)], Arc::new(|_| ()));
    for _ in 0..3 {
        assert_eq!(complete(&failover, request(LONG), &|_| ()).await.unwrap().text, "word");
    }
    assert_eq!(failover.spent()[0].usage.prompt_tokens, u32::MAX);
}

#[tokio::test]
async fn others_are_answered_while_a_server_misbehaves() {
    let well = || {
        let model = ScriptedModel::new(|_| Reply::Text("well".to_owned()));
        Candidate::opened(Arc::new(model) as Arc<dyn Backend>).with_rank(1)
    };
    // Nothing was shown yet, so that somebody else can answer.
    for answer in [
        Answer::endless("data: x"),
        Answer::endless("<html>").with_status(500),
        Answer::endless(THOUGHT),
        Answer::endless(PING),
    ] {
        let server = server(answer);
        let bad: Arc<dyn Backend> = Arc::new(open(&server, "openai-compatible").await.unwrap());
        let harmed = Failover::unopened(vec![Candidate::opened(bad), well()], Arc::new(|_| ()));
        let other = Failover::unopened(vec![well()], Arc::new(|_| ()));
        let (harmed, others) = tokio::join!(complete(&harmed, request(LONG), &|_| ()), async {
            let mut answered = 0;
            for _ in 0..200 {
                let answer = complete(&other, request(LONG), &|_| ()).await;
                answered += usize::from(answer.is_ok());
                tokio::task::yield_now().await;
            }
            answered
        });
        assert_eq!((others, harmed.unwrap().text.as_str()), (200, "well"));
    }
}
