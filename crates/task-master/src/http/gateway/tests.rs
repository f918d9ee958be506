use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tm_knowledge::index::{
    Index,
    write::{Document, NewSource},
};
use tm_llm::{backend::Backend, chat::Role};
use tm_testkit::model::{Reply, ScriptedModel};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::{Gateway, cited::is_search_model, host_is_local, router};
use crate::http::serve::{listen, serve};

/// A gateway on a port of its own, until it is dropped.
struct Server {
    address: SocketAddr,
    model: Arc<ScriptedModel>,
    _running: JoinSet<()>,
}

/// What a client gets.
#[derive(Debug)]
struct Reached {
    status: u16,
    head: String,
    body: String,
}

impl Server {
    async fn start(model: ScriptedModel) -> Self {
        Self::start_with(model, |gateway| gateway).await
    }

    async fn start_with(model: ScriptedModel, change: impl FnOnce(Gateway) -> Gateway) -> Self {
        let model = Arc::new(model);
        let backend: Arc<dyn Backend> = Arc::<ScriptedModel>::clone(&model);
        let gateway = Arc::new(change(Gateway::new(backend, Duration::from_mins(1))));
        let listener = listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut running = JoinSet::new();
        running.spawn(async move {
            serve(listener, router(gateway), CancellationToken::new()).await.unwrap();
        });
        Self { address, model, _running: running }
    }

    async fn saying(text: &str) -> Self {
        let text = text.to_owned();
        Self::start(ScriptedModel::new(move |_| Reply::Text(text.clone()))).await
    }

    async fn connect(&self, line: &str, headers: &str, body: &str) -> TcpStream {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        let length = body.len();
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {length}\r\n\
             {headers}\r\n{body}",
            self.address
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        socket
    }

    async fn reach(&self, line: &str, headers: &str, body: &str) -> Reached {
        let mut socket = self.connect(line, headers, body).await;
        let mut bytes = Vec::new();
        socket.read_to_end(&mut bytes).await.unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let is_chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
        let body = if is_chunked { unchunked(body) } else { body.to_owned() };
        Reached { status, head: head.to_owned(), body }
    }

    async fn post(&self, path: &str, body: &Value) -> Reached {
        self.reach(&format!("POST {path}"), "", &body.to_string()).await
    }

    async fn get(&self, path: &str) -> Reached {
        self.reach(&format!("GET {path}"), "", "").await
    }
}

fn unchunked(mut body: &str) -> String {
    let mut text = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        text.push_str(&rest[..size]);
        body = rest[size..].trim_start_matches("\r\n");
        if size == 0 {
            break;
        }
    }
    text
}

impl Reached {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The same question in every protocol: where it is asked, how, and where the answer's text is.
fn questions() -> [(&'static str, Value, &'static str); 6] {
    let messages = json!([{"role": "user", "content": "Hi"}]);
    [
        (
            "/v1/chat/completions",
            json!({"model": "gpt-4o", "messages": messages}),
            "/choices/0/message/content",
        ),
        ("/v1/completions", json!({"model": "gpt-3.5", "prompt": "Hi"}), "/choices/0/text"),
        ("/v1/responses", json!({"model": "gpt-5", "input": "Hi"}), "/output/0/content/0/text"),
        (
            "/v1/messages",
            json!({"model": "claude-sonnet-4", "max_tokens": 100, "messages": messages}),
            "/content/0/text",
        ),
        (
            "/api/chat",
            json!({"model": "llama3", "stream": false, "messages": messages}),
            "/message/content",
        ),
        ("/api/generate", json!({"model": "llama3", "stream": false, "prompt": "Hi"}), "/response"),
    ]
}

#[tokio::test]
async fn one_model_answers_in_every_protocol_under_the_name_it_is_called() {
    let server = Server::saying("Hello there").await;
    for (path, body, place) in questions() {
        let reached = server.post(path, &body).await;
        assert_eq!(reached.status, 200, "{path}: {reached:?}");
        let answer = reached.json();
        assert_eq!(answer.pointer(place).unwrap(), "Hello there", "{path}: {answer}");
        assert_eq!(answer["model"], body["model"]);
    }
    let asked = server.model.seen();
    assert_eq!(asked.len(), 6);
    assert!(asked.iter().all(|it| it.messages.len() == 1 && it.messages[0].role == Role::User));
}

#[tokio::test]
async fn streams_carry_the_whole_text_and_end_as_their_protocol_wants() {
    let server = Server::saying("Hello there").await;
    for (path, mut body, _) in questions() {
        body["stream"] = json!(true);
        let reached = server.post(path, &body).await;
        let end = match path {
            "/v1/responses" => "response.completed",
            "/v1/messages" => "message_stop",
            "/api/chat" | "/api/generate" => "\"done\":true",
            _ => "data: [DONE]",
        };
        assert!(reached.body.contains("Hello there"), "{path}: {reached:?}");
        assert!(reached.body.trim_end().lines().rev().take(2).any(|it| it.contains(end)), "{path}");
        let kind =
            if path.starts_with("/api") { "application/x-ndjson" } else { "text/event-stream" };
        assert!(reached.head.contains(kind), "{path}: {}", reached.head);
    }
}

#[tokio::test]
async fn a_stream_that_breaks_ends_with_an_error_and_not_as_if_it_were_whole() {
    for (path, mut body, _) in questions() {
        let model = ScriptedModel::new(|_| Reply::Broken("Hel".to_owned()));
        let server = Server::start(model).await;
        body["stream"] = json!(true);
        let reached = server.post(path, &body).await;
        assert!(reached.body.contains("error"), "{path}: {reached:?}");
        for end in ["[DONE]", "message_stop", "response.completed", "\"done\":true"] {
            assert!(!reached.body.contains(end), "{path}: {reached:?}");
        }
        body["stream"] = json!(false);
        assert_eq!(server.post(path, &body).await.status, 502, "{path}");
    }
}

#[tokio::test]
async fn a_forced_tool_is_called_with_arguments_that_fit() {
    let schema = json!({
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]
    });
    let server = Server::saying(r#"{"city":"Paris"}"#).await;
    let body = json!({
        "model": "claude", "max_tokens": 100, "messages": [{"role": "user", "content": "Where?"}],
        "tools": [{"name": "json", "input_schema": schema}],
        "tool_choice": {"type": "tool", "name": "json"}
    });
    let answer = server.post("/v1/messages", &body).await.json();
    assert_eq!(answer["content"][0]["type"], "tool_use");
    assert_eq!(answer["content"][0]["input"], json!({"city": "Paris"}));
    assert_eq!(answer["stop_reason"], "tool_use");
    assert_eq!(server.model.seen()[0].response_schema, Some(schema));
}

#[tokio::test]
async fn structured_answers_are_validated_and_repaired_once() {
    let replies = ["no json", r#"{"a":1}"#].map(|it| Reply::Text(it.to_owned()));
    let server = Server::start(ScriptedModel::playing(replies)).await;
    let schema = json!({"type": "object", "required": ["a"]});
    let body = json!({
        "model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    });
    let answer = server.post("/v1/chat/completions", &body).await.json();
    assert_eq!(answer["choices"][0]["message"]["content"], r#"{"a":1}"#);
    assert_eq!(server.model.seen().len(), 2);
    let never = Server::saying("no json").await;
    assert_eq!(never.post("/v1/chat/completions", &body).await.status, 502);
}

#[tokio::test]
async fn an_answer_ends_before_its_stop_text() {
    let server = Server::saying("one two END three").await;
    let body = json!({
        "model": "gpt-4o", "stop": ["END"], "messages": [{"role": "user", "content": "Count."}]
    });
    let answer = server.post("/v1/chat/completions", &body).await.json();
    assert_eq!(answer["choices"][0]["message"]["content"], "one two ");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
}

#[tokio::test]
async fn a_prompt_that_is_too_long_is_refused_with_both_numbers() {
    let server = Server::start(ScriptedModel::playing([]).with_context(100)).await;
    let body = json!({
        "model": "gpt-4o", "messages": [{"role": "user", "content": "word ".repeat(200)}]
    });
    let reached = server.post("/v1/chat/completions", &body).await;
    assert_eq!(reached.status, 400);
    let error = &reached.json()["error"];
    assert_eq!(error["code"], "context_length_exceeded");
    assert!(error["message"].as_str().unwrap().contains("100"), "{error}");
    assert!(server.model.seen().is_empty());
}

#[tokio::test]
async fn a_limit_that_is_too_large_becomes_what_fits() {
    let server = Server::saying("Hello").await;
    let body = json!({
        "model": "claude", "max_tokens": 64_000, "messages": [{"role": "user", "content": "Hi"}]
    });
    assert_eq!(server.post("/v1/messages", &body).await.status, 200);
    assert!(server.model.seen()[0].max_tokens < 8192);
}

#[tokio::test]
async fn a_client_that_leaves_stops_the_model() {
    let server = Server::start(ScriptedModel::new(|_| Reply::Stall)).await;
    for stream in [true, false] {
        let body = json!({
            "model": "gpt-4o", "stream": stream, "messages": [{"role": "user", "content": "Hi"}]
        });
        let asked = server.model.seen().len();
        let socket = server.connect("POST /v1/chat/completions", "", &body.to_string()).await;
        let begun = Instant::now();
        while server.model.seen().len() == asked && begun.elapsed() < Duration::from_mins(1) {
            tokio::task::yield_now().await;
        }
        drop(socket);
        loop {
            let metrics = server.get("/metrics").await.body;
            if metrics.contains("gateway_requests_in_flight 0") {
                break;
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "{metrics}");
        }
    }
    let metrics = server.get("/metrics").await.body;
    assert!(metrics.contains(r#"endpoint="chat",status="499"} 2"#), "{metrics}");
}

#[tokio::test]
async fn what_is_counted_is_what_happened() {
    let server = Server::saying("Hello there").await;
    for (path, body, _) in questions() {
        server.post(path, &body).await;
    }
    let metrics = server.get("/metrics").await.body;
    assert!(metrics.contains(r#"endpoint="ollama",status="200"} 2"#), "{metrics}");
    let output = 6 * server.model.count_tokens("Hello there");
    let line = format!(r#"gen_ai_client_token_usage_total{{type="output"}} {output}"#);
    assert!(metrics.contains(&line), "{metrics}");
}

#[tokio::test]
async fn models_and_tokens_are_told_without_asking_the_model() {
    let server = Server::start(ScriptedModel::playing([])).await;
    assert_eq!(server.get("/v1/models").await.json()["data"][0]["id"], "script");
    assert_eq!(server.get("/v1/models/script").await.status, 200);
    assert_eq!(server.get("/v1/models/other").await.status, 404);
    assert_eq!(server.get("/api/tags").await.json()["models"][0]["name"], "script");
    assert_eq!(server.get("/api/version").await.status, 200);
    let anthropic = server.reach("GET /v1/models", "anthropic-version: 2023-06-01\r\n", "").await;
    assert_eq!(anthropic.json()["data"][0]["type"], "model");
    let body = json!({"model": "claude", "messages": [{"role": "user", "content": "Hi there"}]});
    let counted = server.post("/v1/messages/count_tokens", &body).await.json();
    assert!(counted["input_tokens"].as_u64().unwrap() > 2);
    assert!(server.model.seen().is_empty());
}

#[tokio::test]
async fn what_nobody_here_knows_is_refused_and_not_invented() {
    let server = Server::start(ScriptedModel::playing([])).await;
    let body = json!({"model": "sonar-pro", "messages": [{"role": "user", "content": "News?"}]});
    let reached = server.post("/chat/completions", &body).await;
    assert_eq!(reached.status, 501);
    assert!(reached.body.contains("knowledge base"), "{reached:?}");
    for path in ["/v1/embeddings", "/api/embed"] {
        let reached = server.post(path, &json!({"model": "m", "input": "x"})).await;
        assert_eq!(reached.status, 501, "{reached:?}");
        assert!(reached.body.contains("models.embedding"), "{reached:?}");
    }
    assert_eq!(server.get("/v1/nothing").await.status, 404);
    assert_eq!(server.reach("POST /v1/messages", "", "{").await.status, 400);
}

/// A file with one document in it, and a model that researches.
fn researcher() -> (tempfile::TempDir, ScriptedModel) {
    let directory = tempfile::tempdir().unwrap();
    let mut index = Index::create(&directory.path().join("index.sqlite")).unwrap();
    let location = "/my docs".to_owned();
    let new = NewSource { location, name: "docs".into(), ..NewSource::default() };
    let source = index.add_source(&new, 0).unwrap();
    let text = "Sessions are kept in Redis for 24 hours.";
    index.write(source.id, &[Document::of_text("auth.md", "Auth", text)]).unwrap();
    let model = ScriptedModel::new(|request| {
        let asked = request.messages.last().map_or("", |it| it.content.as_str());
        Reply::Text(if asked.contains("Documents will be searched") {
            json!({"questions": ["Where are sessions kept?"]}).to_string()
        } else if asked.contains("Sentences from documents") {
            json!({"sentences": [1]}).to_string()
        } else {
            let text = "Sessions are kept in Redis.";
            json!({"sentences": [{"text": text, "notes": [1]}]}).to_string()
        })
    });
    (directory, model)
}

#[tokio::test]
async fn what_perplexity_is_asked_is_answered_with_the_sources_of_this_machine() {
    let (directory, model) = researcher();
    let file = directory.path().join("index.sqlite");
    let server = Server::start_with(model, |it| it.with_knowledge(file)).await;
    let asked = "# Research Query\n\nHow long are sessions kept?\n\n# Instructions\n\nBe kind.";
    let mut body = json!({"model": "sonar-pro", "messages": [
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": asked}]});
    let answer = server.post("/chat/completions", &body).await.json();
    let content = answer.pointer("/choices/0/message/content").unwrap().as_str().unwrap();
    assert!(content.starts_with("Sessions are kept in Redis. [1]"), "{content}");
    assert_eq!(answer["citations"], json!(["file:///my%20docs/auth.md#L1-L1"]));
    let result = &answer["search_results"][0];
    assert_eq!(result["snippet"], "Sessions are kept in Redis for 24 hours.");
    assert_eq!((&answer["model"], &result["title"]), (&json!("sonar-pro"), &json!("Auth")));
    assert!(answer["usage"]["completion_tokens"].as_u64() > Some(0), "{answer}");

    body["stream"] = json!(true);
    let streamed = server.post("/v1/chat/completions", &body).await.body;
    let (chunk, end) = streamed.trim_end().split_once("\n\n").unwrap();
    let chunk: Value = serde_json::from_str(chunk.trim_start_matches("data: ")).unwrap();
    assert_eq!(chunk.pointer("/choices/0/delta/content").unwrap(), content);
    assert_eq!((end, chunk["citations"].as_array().unwrap().len()), ("data: [DONE]", 1));

    body["stream"] = json!(false);
    body["messages"] = json!([{"role": "user", "content": "Who sings the opera?"}]);
    let answer = server.post("/chat/completions", &body).await.json();
    let content = answer.pointer("/choices/0/message/content").unwrap().as_str().unwrap();
    assert!(content.starts_with("Not in the knowledge base: "), "{content}");
    assert_eq!((&answer["citations"], &answer["search_results"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn pages_from_elsewhere_are_not_served() {
    let server = Server::saying("Hello").await;
    let headers = "Origin: https://example.org\r\n";
    assert_eq!(server.reach("GET /v1/models", headers, "").await.status, 403);
    let headers = "Origin: http://localhost:3000\r\n";
    assert_eq!(server.reach("GET /v1/models", headers, "").await.status, 200);
}

#[tokio::test]
async fn other_machines_are_not_served() {
    let error = listen("0.0.0.0:0".parse().unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("other machines"), "{error}");
}

#[test]
fn only_this_machine_counts_as_local() {
    for local in ["localhost", "LOCALHOST:8484", "127.0.0.1:1", "127.3.2.1", "[::1]:8484"] {
        assert!(host_is_local(local), "{local}");
    }
    for other in
        ["example.org", "localhost.example.org:80", "10.0.0.1", "127.0.0.1.nip.io", "null", ""]
    {
        assert!(!host_is_local(other), "{other}");
    }
}

#[test]
fn models_that_search_are_told_from_those_that_do_not() {
    assert!(is_search_model("sonar-pro") && is_search_model("perplexity/sonar"));
    assert!(!is_search_model("gpt-4o") && !is_search_model("claude-sonnet-4"));
}
