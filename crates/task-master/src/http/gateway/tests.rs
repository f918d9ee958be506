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
use tm_llm::{
    backend::Backend,
    chat::Role as Speaker,
    failover::{Candidate, Failover},
};
use tm_tasks::config::{Config, Role};
use tm_testkit::model::{Reply, ScriptedModel};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::{Gateway, Players, Sources, client::host_is_local, router};
use crate::{
    backend::names::Names,
    config::Environment,
    http::serve::{Protection, listen, serve},
};

mod cards;
mod faithful;
mod keys;
mod providers;
mod rollout;
mod survive;
mod upstream;
mod waiting;

/// A gateway on a port of its own, until it is dropped.
pub(in crate::http) struct Server {
    address: SocketAddr,
    pub(super) model: Arc<ScriptedModel>,
    _running: JoinSet<()>,
}

/// A model, as a role is played.
async fn player(model: &Arc<ScriptedModel>) -> Arc<Failover> {
    let backend: Arc<dyn Backend> = Arc::<ScriptedModel>::clone(model);
    Arc::new(Failover::open(vec![Candidate::opened(backend)], Arc::new(|_| ())).await.unwrap())
}

/// One model for all roles.
pub(super) fn alone(main: Arc<Failover>) -> Players {
    Players::new([Arc::clone(&main), Arc::clone(&main), main])
}

/// The names of a project with these models, whose main role the script plays.
pub(super) fn names(models: &str) -> Names {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.json");
    std::fs::write(&path, format!("{{\"models\": {models}}}")).unwrap();
    let environment = Environment::new("/".into(), None, std::iter::empty());
    let players = [(Role::Main, "script".to_owned())];
    Names::new(&Config::load(&path).0, &environment, &players).unwrap()
}

/// What a client gets.
#[derive(Debug)]
pub(in crate::http) struct Reached {
    pub(in crate::http) status: u16,
    pub(in crate::http) head: String,
    pub(in crate::http) body: String,
}

impl Server {
    pub(super) async fn start(model: ScriptedModel) -> Self {
        Self::start_with(model, |gateway| gateway).await
    }

    pub(in crate::http) async fn start_with(
        model: ScriptedModel,
        change: impl FnOnce(Gateway) -> Gateway,
    ) -> Self {
        let model = Arc::new(model);
        let players = alone(player(&model).await);
        let gateway = change(Gateway::new(players, names("{}"), Duration::from_mins(1)));
        Self::serving(model, gateway).await
    }

    pub(super) async fn serving(model: Arc<ScriptedModel>, gateway: Gateway) -> Self {
        let gateway = Arc::new(gateway);
        let address = "127.0.0.1:0".parse().unwrap();
        let listener = listen(address, Protection::default()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut running = JoinSet::new();
        running.spawn(async move {
            let stop = CancellationToken::new();
            serve(listener, None, router(gateway), stop).await.unwrap();
        });
        Self { address, model, _running: running }
    }

    async fn saying(text: &str) -> Self {
        let text = text.to_owned();
        Self::start(ScriptedModel::new(move |_| Reply::Text(text.clone()))).await
    }

    pub(super) async fn connect(&self, line: &str, headers: &str, body: &str) -> TcpStream {
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

    pub(super) async fn reach(&self, line: &str, headers: &str, body: &str) -> Reached {
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

    pub(in crate::http) async fn post(&self, path: &str, body: &Value) -> Reached {
        self.reach(&format!("POST {path}"), "", &body.to_string()).await
    }

    pub(in crate::http) async fn get(&self, path: &str) -> Reached {
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
    pub(super) fn json(&self) -> Value {
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
async fn each_answer_is_drawn_anew_unless_the_client_says_otherwise() {
    let server = Server::saying("Hello").await;
    let asked = |change: Value| {
        let mut body = json!({"model": "main", "messages": [{"role": "user", "content": "Hi"}]});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    let (anew, seeded, likeliest) =
        (asked(json!({})), asked(json!({"seed": 7})), asked(json!({"temperature": 0})));
    for body in [&anew, &anew, &seeded, &seeded, &likeliest, &likeliest] {
        let reached = server.post("/v1/chat/completions", body).await;
        assert_eq!(reached.status, 200, "{reached:?}");
    }
    let seeds: Vec<u64> = server.model.seen().iter().map(|it| it.sampling.seed).collect();
    let [one, another, seven, seven_again, likeliest, likeliest_again] = seeds[..] else {
        panic!("{seeds:?}")
    };
    assert_ne!(one, another);
    assert_eq!([seven, seven_again], [7, 7]);
    assert_eq!(likeliest, likeliest_again);
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
    assert!(asked.iter().all(|it| it.messages.len() == 1 && it.messages[0].role == Speaker::User));
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
async fn no_answer_is_longer_than_the_project_lets_its_role_answer() {
    let script = Arc::new(ScriptedModel::new(|_| Reply::Text("Hello".to_owned())));
    let players = alone(player(&script).await).with_answer_tokens([300, u32::MAX, u32::MAX]);
    let gateway = Gateway::new(players, names("{}"), Duration::from_mins(1));
    let server = Server::serving(script, gateway).await;
    for asked in [Value::Null, json!(64_000), json!(200)] {
        let messages = json!([{"role": "user", "content": "Hi"}]);
        let body = json!({"model": "gpt-4o", "messages": messages, "max_tokens": asked});
        assert_eq!(server.post("/v1/chat/completions", &body).await.status, 200);
    }
    let lengths: Vec<u32> = server.model.seen().iter().map(|it| it.max_tokens).collect();
    assert_eq!(lengths, [300, 300, 200]);
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
async fn a_prompt_that_is_too_long_is_refused_with_both_numbers_in_every_protocol() {
    let server = Server::start(ScriptedModel::playing([]).with_context(100)).await;
    let long = "word ".repeat(200);
    let in_json = json!({
        "model": "gpt-4o", "messages": [{"role": "user", "content": long}],
        "response_format": {"type": "json_object"}
    });
    let mut asked: Vec<(&str, Value)> = questions().map(|(path, body, _)| (path, body)).into();
    asked.push(("/v1/chat/completions", in_json));
    for (path, body) in asked {
        // Every one of them asks the same.
        let body = body.to_string().replace("\"Hi\"", &json!(long).to_string());
        let mut body: Value = serde_json::from_str(&body).unwrap();
        for stream in [false, true] {
            body["stream"] = json!(stream);
            let reached = server.post(path, &body).await;
            assert_eq!(reached.status, 400, "{path}: {reached:?}");
            let prompt_tokens = long.len() / 3 + 1;
            let told = reached.json().to_string();
            assert!(told.contains(&format!("{prompt_tokens} tokens")), "{path}: {told}");
            assert!(told.contains("100 is the most"), "{path}: {told}");
        }
    }
    let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": long}]});
    let error = &server.post("/v1/chat/completions", &body).await.json()["error"];
    assert_eq!(error["code"], "context_length_exceeded");
    assert!(server.model.seen().is_empty());
}

#[tokio::test]
async fn a_prompt_is_answered_by_whoever_has_room_for_it() {
    let saying = |text: &'static str, tokens| {
        let model = ScriptedModel::new(move |_| Reply::Text(text.to_owned()));
        Arc::new(model.with_context(tokens))
    };
    let (small, large) = (saying("small", 1000), saying(r#"{"size": "large"}"#, 8192));
    let candidate = |model: &Arc<ScriptedModel>| {
        Candidate::opened(Arc::<ScriptedModel>::clone(model) as Arc<dyn Backend>)
    };
    let candidates = vec![candidate(&small), candidate(&large).with_rank(1)];
    let main = Arc::new(Failover::open(candidates, Arc::new(|_| ())).await.unwrap());
    let gateway = Gateway::new(alone(main), names("{}"), Duration::from_mins(1));
    let server = Server::serving(small, gateway).await;
    let messages = json!([{"role": "user", "content": "word ".repeat(800)}]);
    let mut body = json!({"model": "gpt-4o", "messages": messages, "max_tokens": 64_000});
    for form in [Value::Null, json!({"type": "json_object"})] {
        body["response_format"] = form;
        let reached = server.post("/v1/chat/completions", &body).await;
        assert!(reached.status == 200 && reached.body.contains("large"), "{reached:?}");
    }
    assert!(server.model.seen().is_empty() && large.seen().len() >= 2);
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
    let gone = r#"endpoint="chat",status="499",route="main"} 2"#;
    assert!(metrics.contains(gone), "{metrics}");
    assert!(metrics.contains(r#"error_type="abandoned""#), "{metrics}");
}

#[tokio::test]
async fn what_is_counted_is_what_happened() {
    let server = Server::saying("Hello there").await;
    for (path, body, _) in questions() {
        server.post(path, &body).await;
    }
    let metrics = server.get("/metrics").await.body;
    let output = 6 * server.model.count_tokens("Hello there");
    let of_model =
        r#"gen_ai_provider_name="scripted",gen_ai_request_model="script",backend="script""#;
    for line in [
        r#"endpoint="ollama",status="200",route="main"} 2"#.to_owned(),
        format!(r#"gateway_tokens_total{{type="output"}} {output}"#),
        format!(
            "gen_ai_client_token_usage_sum{{gen_ai_token_type=\"output\",{of_model}}} {output}.0"
        ),
        format!(
            "gen_ai_client_operation_duration_seconds_count{{gen_ai_operation_name=\"chat\",\
             {of_model},error_type=\"\"}} 6"
        ),
        r#"gateway_backend_well{backend="script"} 1"#.to_owned(),
        r#"gateway_queue_length{route="main"} 0"#.to_owned(),
        "gateway_external_requests_total 0".to_owned(),
    ] {
        assert!(metrics.contains(&line), "{line}\n{metrics}");
    }
    for (of_process, least) in
        [("process_resident_memory_bytes ", 1_000_000.0), ("process_cpu_seconds_total ", 0.0)]
    {
        let line = metrics.lines().find_map(|it| it.strip_prefix(of_process));
        assert!(line.unwrap().parse::<f64>().unwrap() >= least, "{metrics}");
    }
}

#[tokio::test]
async fn models_and_tokens_are_told_without_asking_the_model() {
    let server = Server::start(ScriptedModel::playing([])).await;
    let listed = server.get("/v1/models").await.json();
    let ids: Vec<&str> =
        listed["data"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(ids[..4], ["main", "research", "fallback", "script"]);
    assert_eq!(server.get("/v1/models/script").await.status, 200);
    assert_eq!(server.get("/v1/models/other").await.status, 404);
    let tags = server.get("/api/tags").await.json();
    assert_eq!(tags["models"].as_array().unwrap().len(), ids.len());
    assert_eq!(tags["models"][3]["name"], "script");
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
    assert!(reached.body.contains("project with documents"), "{reached:?}");
    for path in ["/v1/embeddings", "/api/embed"] {
        let reached = server.post(path, &json!({"model": "m", "input": "x"})).await;
        assert_eq!(reached.status, 501, "{reached:?}");
        assert!(reached.body.contains("models.embedding"), "{reached:?}");
    }
    assert_eq!(server.get("/v1/nothing").await.status, 404);
    assert_eq!(server.reach("POST /v1/messages", "", "{").await.status, 400);
}

/// A file with one document in it, and a model that researches.
pub(super) fn researcher() -> (tempfile::TempDir, ScriptedModel) {
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
    let (root, file) = (directory.path().to_owned(), directory.path().join("index.sqlite"));
    let server = Server::start_with(model, |it| it.with_sources(Sources::new(root, file))).await;
    let asked = "# Research Query\n\nHow long are sessions kept?\n\n# Instructions\n\nBe kind.";
    let mut body = json!({"model": "sonar-pro", "messages": [
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": asked}]});
    let answer = server.post("/chat/completions", &body).await;
    assert!(answer.head.contains("x-retrieval: words\r\n"), "{}", answer.head);
    let answer = answer.json();
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

/// A gateway whose roles are played by three models that say who they are.
async fn three(models: &str) -> Server {
    let [main, research, fallback] = ["main", "research", "fallback"]
        .map(|name| Arc::new(ScriptedModel::new(move |_| Reply::Text(format!("I am {name}")))));
    let others = [player(&main).await, player(&research).await, player(&fallback).await];
    let players = Players::new(others);
    let gateway = Gateway::new(players, names(models), Duration::from_mins(1));
    Server::serving(main, gateway).await
}

#[tokio::test]
async fn each_role_answers_to_its_names_and_the_head_says_why() {
    let models = r#"{
        "main": {"provider": "anthropic", "modelId": "claude-sonnet-4-20250514"},
        "research": {"provider": "perplexity", "modelId": "sonar-pro"},
        "fallback": {"provider": "openai", "modelId": "gpt-4o"},
        "names": {"small": "fallback"}
    }"#;
    let server = three(models).await;
    for (name, role, reason) in [
        ("main", "main", "role"),
        ("research", "research", "role"),
        ("fallback:latest", "fallback", "role"),
        ("claude-sonnet-4-20250514", "main", "configured"),
        ("openai/gpt-4o", "fallback", "configured"),
        ("small", "fallback", "pinned"),
        ("llama3.2", "main", "default"),
    ] {
        for (path, mut body, place) in questions() {
            body["model"] = json!(name);
            let reached = server.post(path, &body).await;
            let answer = reached.json();
            assert_eq!(answer.pointer(place).unwrap(), &format!("I am {role}"), "{name} {path}");
            assert_eq!(answer["model"], name, "{path}");
            for header in [
                format!("x-route: {role}"),
                format!("x-route-reason: {reason}"),
                "x-backend: script".to_owned(),
                "x-attempts: 1".to_owned(),
            ] {
                assert!(reached.head.contains(&header), "{header}: {}", reached.head);
            }
        }
    }
    let routes = server.get("/routes").await.json();
    assert_eq!(
        routes["names"][0],
        json!({
            "name": "small", "role": "fallback", "reason": "pinned", "models": ["script"]
        })
    );
    assert_eq!(routes["others"], json!({"role": "main", "reason": "default"}));
}

#[tokio::test]
async fn a_model_that_searches_gives_an_answer_that_has_a_form_or_no_search_as_any_other() {
    let server = Server::saying(r#"{"title":"Shop"}"#).await;
    let schema = json!({"type": "object", "required": ["title"]});
    let format = json!({"type": "json_schema", "json_schema": {"name": "t", "schema": schema}});
    let input = json!([{"type": "message", "role": "user", "content": "Add a shop"}]);
    let body = json!({"model": "sonar-pro", "input": input, "response_format": format});
    let answer = server.post("/v1/agent", &body).await.json();
    assert_eq!(answer["output"][0]["content"][0]["text"], r#"{"title":"Shop"}"#);
    assert_eq!(server.model.seen()[0].response_schema, Some(schema));
    let messages = json!([{"role": "user", "content": "Add a shop"}]);
    let body = json!({"model": "sonar-pro", "messages": messages, "response_format": format});
    assert_eq!(server.post("/chat/completions", &body).await.status, 200);
    let body = json!({"model": "sonar-pro", "messages": messages, "disable_search": true});
    let answer = server.post("/chat/completions", &body).await.json();
    assert_eq!(answer["choices"][0]["message"]["content"], r#"{"title":"Shop"}"#);
}

#[tokio::test]
async fn an_agent_of_perplexity_is_answered_with_the_sources_of_this_machine() {
    let (directory, model) = researcher();
    let (root, file) = (directory.path().to_owned(), directory.path().join("index.sqlite"));
    let server = Server::start_with(model, |it| it.with_sources(Sources::new(root, file))).await;
    let input = json!([{"type": "message", "role": "user", "content": "How long are sessions?"}]);
    let mut body = json!({"model": "sonar-pro", "input": input});
    let answer = server.post("/v1/agent", &body).await.json();
    assert_eq!(answer["output"][0]["type"], "search_results", "{answer}");
    assert_eq!(answer["output"][0]["results"][0]["url"], "file:///my%20docs/auth.md#L1-L1");
    let text = answer["output"][1]["content"][0]["text"].as_str().unwrap();
    assert!(text.starts_with("Sessions are kept in Redis. [1]"), "{answer}");
    body["stream"] = json!(true);
    let streamed = server.post("/v1/agent", &body).await.body;
    assert!(streamed.contains("response.output_text.delta"), "{streamed}");
    assert!(streamed.contains("response.completed") && streamed.contains("search_results"));
    let metrics = server.get("/metrics").await.body;
    assert!(metrics.contains(r#"endpoint="agent",status="200",route="research"} 2"#), "{metrics}");
}
