use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::http::HeaderMap;
use serde_json::{Value, json};
use tm_knowledge::index::{Index, write::Document};
use tm_llm::{
    backend::{Backend, BackendError, ChatStream, ModelInfo},
    cache::{Cache, FileStore},
    chat::ChatRequest,
    failover::{Candidate, Failover},
};
use tm_testkit::model::{Reply, ScriptedModel};
use tokio::{sync::Semaphore, task::JoinSet};

use super::{
    super::{
        Gateway, Sources,
        tests::{Reached, Server, alone, names, researcher},
    },
    Answers, Caching,
};

fn answers(directory: &tempfile::TempDir) -> Answers {
    let store = FileStore::open(directory.path().join("answers")).unwrap();
    let identity = Some("script".to_owned());
    Answers::new(
        Cache::new(store, Duration::from_mins(10)),
        [identity.clone(), identity.clone(), identity],
    )
}

/// A gateway that keeps what this model says.
async fn keeping(model: ScriptedModel) -> (tempfile::TempDir, Server) {
    let directory = tempfile::tempdir().unwrap();
    let answers = answers(&directory);
    (directory, Server::start_with(model, |it| it.with_answers(answers)).await)
}

fn saying(text: &'static str) -> ScriptedModel {
    ScriptedModel::new(move |_| Reply::Text(text.to_owned()))
}

fn asking(text: &str) -> Value {
    json!({"model": "gpt-4o", "messages": [{"role": "user", "content": text}]})
}

const CHAT: &str = "/v1/chat/completions";

#[track_caller]
fn check(reached: &Reached, cache: &str, text: &str) {
    assert!(reached.head.contains(&format!("x-cache: {cache}")), "{reached:?}");
    assert!(reached.status == 200 && reached.body.contains(text), "{reached:?}");
}

#[tokio::test]
async fn an_equal_request_gets_the_same_answer_and_no_model_is_asked() {
    let (_directory, server) = keeping(saying("Hello there")).await;
    let mut body = asking("Hi");
    check(&server.post(CHAT, &body).await, "miss", "Hello there");
    // What the client calls the model, and how it wants the answer, make no difference to it.
    body["model"] = json!("main");
    check(&server.post(CHAT, &body).await, "hit", "Hello there");
    body["stream"] = json!(true);
    let streamed = server.post(CHAT, &body).await;
    check(&streamed, "hit", "Hello there");
    assert!(streamed.body.trim_end().ends_with("data: [DONE]"), "{streamed:?}");
    let messages = json!({
        "model": "claude", "max_tokens": 99, "messages": [{"role": "user", "content": "Hi"}]
    });
    check(&server.post("/v1/messages", &messages).await, "miss", "Hello there");
    assert_eq!(server.model.seen().len(), 2);
    let metrics = server.get("/metrics").await.body;
    assert!(metrics.contains(r#"gateway_cache_total{result="hit"} 2"#), "{metrics}");
}

#[tokio::test]
async fn a_stream_is_kept_when_it_was_whole() {
    let (_directory, server) = keeping(saying("Hello there")).await;
    let mut body = asking("Hi");
    body["stream"] = json!(true);
    check(&server.post(CHAT, &body).await, "miss", "Hello there");
    body["stream"] = json!(false);
    check(&server.post(CHAT, &body).await, "hit", "Hello there");
    assert_eq!(server.model.seen().len(), 1);
}

#[tokio::test]
async fn whatever_changes_the_answer_makes_another_request() {
    let (_directory, server) = keeping(saying("{\"a\": 1}")).await;
    let schema = json!({"type": "json_schema", "json_schema": {"schema": {"type": "object"}}});
    let changes = [
        ("model", json!("gpt-4o")),
        ("temperature", json!(0.1)),
        ("seed", json!(7)),
        ("seed", json!(42)),
        ("max_tokens", json!(20)),
        ("stop", json!(["END"])),
        ("response_format", schema),
        ("messages", json!([{"role": "user", "content": "Hi!"}])),
    ];
    for (name, value) in changes {
        let mut body = asking("Hi");
        body[name] = value;
        check(&server.post(CHAT, &body).await, "miss", "a");
    }
    assert_eq!(server.model.seen().len(), 8);
}

#[tokio::test]
async fn what_is_cut_broken_or_does_not_fit_is_not_kept() {
    let format = json!({
        "type": "json_schema", "json_schema": {"schema": {"type": "object", "required": ["a"]}}
    });
    for (reply, stream, format) in [
        (Reply::Cut("Hel".to_owned()), false, Value::Null),
        (Reply::Broken("Hel".to_owned()), true, Value::Null),
        (Reply::Text("{}".to_owned()), true, format),
    ] {
        let (_directory, server) = keeping(ScriptedModel::new(move |_| reply.clone())).await;
        let mut body = asking("Hi");
        body["stream"] = json!(stream);
        body["response_format"] = format;
        for _ in 0..2 {
            check(&server.post(CHAT, &body).await, "miss", "");
        }
        assert!(server.model.seen().len() >= 2, "{body}");
    }
}

#[tokio::test]
async fn a_client_may_want_a_new_answer_or_none_that_is_kept() {
    let mut count = 0;
    let counting = ScriptedModel::new(move |_| {
        count += 1;
        Reply::Text(format!("answer {count}"))
    });
    let (_directory, server) = keeping(counting).await;
    let ask = async |control: &str| {
        let headers = format!("Cache-Control: {control}\r\n");
        server.reach(&format!("POST {CHAT}"), &headers, &asking("Hi").to_string()).await
    };
    check(&ask("max-age=9").await, "miss", "answer 1");
    check(&ask("no-store").await, "bypass", "answer 2");
    check(&ask("private").await, "hit", "answer 1");
    check(&ask("No-Cache").await, "bypass", "answer 3");
    check(&ask("private").await, "hit", "answer 3");
    let off = Server::start(saying("Hello")).await;
    check(&off.post(CHAT, &asking("Hi")).await, "bypass", "Hello");
    check(&off.post(CHAT, &asking("Hi")).await, "bypass", "Hello");
    assert_eq!(off.model.seen().len(), 2);
}

#[tokio::test]
async fn who_stands_in_is_not_passed_off_as_who_was_wanted() {
    let directory = tempfile::tempdir().unwrap();
    let model = Arc::new(saying("Hello"));
    let stand_in: Arc<dyn Backend> = Arc::<ScriptedModel>::clone(&model);
    let gone = || {
        let (model, server) = ("gone".to_owned(), "http://nowhere".to_owned());
        Box::pin(async move {
            Err(BackendError::Unreachable { model, server, reason: "refused".into() })
        }) as futures_util::future::BoxFuture<'static, _>
    };
    let candidates = vec![
        Candidate::new("gone", Box::new(gone), None),
        Candidate::opened(stand_in).with_rank(1),
    ];
    let players = alone(Arc::new(Failover::unopened(candidates, Arc::new(|_| ()))));
    let gateway = Gateway::new(players, names("{}"), Duration::from_mins(1));
    let server = Server::serving(model, gateway.with_answers(answers(&directory))).await;
    for _ in 0..2 {
        check(&server.post(CHAT, &asking("Hi")).await, "miss", "Hello");
    }
    assert_eq!(server.model.seen().len(), 2);
}

/// A model that says nothing before it may.
#[derive(Debug)]
struct Gated {
    model: Arc<ScriptedModel>,
    gate: Arc<Semaphore>,
}

#[async_trait]
impl Backend for Gated {
    fn info(&self) -> &ModelInfo {
        self.model.info()
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, BackendError> {
        let events = self.model.stream(request).await?;
        drop(self.gate.acquire().await);
        Ok(events)
    }
}

async fn gated() -> (tempfile::TempDir, Arc<Semaphore>, Arc<Server>) {
    let directory = tempfile::tempdir().unwrap();
    let (model, gate) = (Arc::new(saying("Hello there")), Arc::new(Semaphore::new(0)));
    let backend = Arc::new(Gated { model: Arc::clone(&model), gate: Arc::clone(&gate) });
    let failover = Failover::open(vec![Candidate::opened(backend)], Arc::new(|_| ())).await;
    let players = alone(Arc::new(failover.unwrap()));
    let gateway = Gateway::new(players, names("{}"), Duration::from_mins(1));
    let server = Server::serving(model, gateway.with_answers(answers(&directory))).await;
    (directory, gate, Arc::new(server))
}

async fn until_in_flight(server: &Server, count: usize) {
    let line = format!("gateway_requests_in_flight {count}\n");
    while !server.get("/metrics").await.body.contains(&line) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn equal_requests_at_the_same_time_cost_one_answer() {
    let (_directory, gate, server) = gated().await;
    let mut clients = JoinSet::new();
    for number in 0..8 {
        let server = Arc::clone(&server);
        clients.spawn(async move {
            let mut body = asking("Hi");
            body["stream"] = json!(number % 2 == 0);
            server.post(CHAT, &body).await
        });
    }
    until_in_flight(&server, 8).await;
    gate.add_permits(8);
    let reached = clients.join_all().await;
    let hits = reached.iter().filter(|it| it.head.contains("x-cache: hit")).count();
    assert!(reached.iter().all(|it| it.status == 200 && it.body.contains("Hello there")));
    assert_eq!((hits, server.model.seen().len()), (7, 1));
}

#[tokio::test]
async fn who_waits_is_answered_when_whoever_asked_has_left() {
    let (_directory, gate, server) = gated().await;
    let body = asking("Hi").to_string();
    let first = server.connect(&format!("POST {CHAT}"), "", &body).await;
    while server.model.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    let mut clients = JoinSet::new();
    let waiting = Arc::clone(&server);
    clients.spawn(async move { waiting.post(CHAT, &asking("Hi")).await });
    until_in_flight(&server, 2).await;
    drop(first);
    while server.model.seen().len() < 2 {
        tokio::task::yield_now().await;
    }
    gate.add_permits(2);
    check(&clients.join_next().await.unwrap().unwrap(), "miss", "Hello there");
}

#[tokio::test]
async fn vectors_are_given_again_for_the_same_texts_and_model() {
    let vectors =
        |text: &str| (text != "fail").then(|| vec![0.1, if text == "bc" { 2.0 } else { 1.0 }]);
    let directory = tempfile::tempdir().unwrap();
    let answers = answers(&directory).with_embedder(Some("embedder".to_owned()));
    let model = saying("Hello").with_vectors(vectors);
    let server = Server::start_with(model, |it| it.with_answers(answers)).await;
    let ask = async |path: &str, input: Value| {
        server.post(path, &json!({"model": "any", "input": input})).await
    };
    let (openai, ollama) = ("/v1/embeddings", "/api/embed");
    let first = ask(openai, json!(["a", "bc"])).await;
    check(&first, "miss", ",2.0]");
    let again = ask(openai, json!(["a", "bc"])).await;
    check(&again, "hit", ",2.0]");
    assert_eq!(first.body, again.body);
    check(&ask(ollama, json!(["a", "bc"])).await, "hit", ",2.0]");
    check(&ask(openai, json!(["bc", "a"])).await, "miss", ",2.0]");
    for _ in 0..2 {
        let failed = ask(openai, json!("fail")).await;
        assert!(failed.status == 502 && failed.head.contains("x-cache: miss"), "{failed:?}");
    }
    let metrics = server.get("/metrics").await.body;
    assert!(metrics.contains(r#"gateway_cache_total{result="hit"} 2"#), "{metrics}");
}

#[tokio::test]
async fn a_researched_answer_holds_as_long_as_the_documents_are_the_same() {
    let (directory, model) = researcher();
    let (root, file) = (directory.path().to_owned(), directory.path().join("index.sqlite"));
    let answers = answers(&directory);
    let sources = Sources::new(root, file.clone());
    let server =
        Server::start_with(model, |it| it.with_sources(sources).with_answers(answers)).await;
    let mut body = asking("How long are sessions kept?");
    body["model"] = json!("sonar");
    let first = server.post(CHAT, &body).await;
    check(&first, "miss", "Sessions are kept in Redis. [1]");
    let again = server.post(CHAT, &body).await;
    check(&again, "hit", "Sessions are kept in Redis. [1]");
    assert_eq!(first.json()["citations"], again.json()["citations"]);
    let mut index = Index::open(&file).unwrap();
    let source = index.sources().unwrap().remove(0);
    index.write(source.id, &[Document::of_text("new.md", "New", "Sessions are short.")]).unwrap();
    check(&server.post(CHAT, &body).await, "miss", "Sessions");
}

#[test]
fn what_a_client_wants_of_the_cache_is_read_as_it_is_written() {
    let read = |value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("cache-control", value.parse().unwrap());
        Caching::read(&headers)
    };
    assert_eq!(Caching::read(&HeaderMap::new()), Caching::Usual);
    assert_eq!(read("max-age=0"), Caching::Usual);
    assert_eq!(read("max-age=0, NO-CACHE"), Caching::Refresh);
    assert_eq!(read("no-cache,no-store"), Caching::Off);
}
