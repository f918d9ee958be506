//! A stream that breaks off upstream, at every byte of it and in every way, as clients of every
//! protocol see it: the answer goes on without a seam, or ends with an error of their protocol.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tm_llm::{
    backend::{
        Backend,
        remote::{Patience, RemoteBackend, Server as Upstream},
    },
    egress::guard::Guard,
    failover::{Candidate, Failover, Rounds},
    provider,
};
use tm_testkit::{
    model::ScriptedModel,
    server::{Answer, Received, ScriptedServer},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinSet,
    time,
};

use super::{Gateway, Reached, Server, alone, names, questions};

/// What both models say.
const STORY: &str = "Once there was a baker, über whom \"little\" is known.\nHe baked.";
/// What one says that has another opinion.
const OTHER: &str = "In the beginning there was flour, and nobody who baked it.";

/// What becomes of the stream at a byte.
const FAULTS: [&str; 4] = ["cut", "stall", "error", "garbage"];

/// A stream of chat completions, as servers send it: pings, thoughts, texts of several sizes.
fn recorded(text: &str) -> Vec<u8> {
    let frame = |it: &Value| format!("data: {it}\n\n");
    let delta = |it: Value| frame(&json!({"choices": [{"index": 0, "delta": it}]}));
    let mut frames = vec![
        ": ping\n\n".to_owned(),
        delta(json!({"role": "assistant", "content": ""})),
        delta(json!({"reasoning_content": "hm"})),
    ];
    let characters: Vec<char> = text.chars().collect();
    frames.extend(
        characters.chunks(13).map(|it| {
            delta(json!({"content": it.iter().collect::<String>()})).replace('\n', "\r\n")
        }),
    );
    frames.push(frame(&json!({"choices": [{"delta": {}, "finish_reason": "stop"}]})));
    let usage = json!({"prompt_tokens": 9, "completion_tokens": 4});
    frames.push(frame(&json!({"choices": [], "usage": usage})));
    frames.push("data: [DONE]\n\n".to_owned());
    frames.concat().into_bytes()
}

/// The answer of the model that breaks, as the question says: `stall 57`.
fn broken(received: &Received) -> Answer {
    let Some(question) = received.body["messages"][0]["content"].as_str() else {
        return Answer::json(404, &Value::Null);
    };
    let (fault, at) = question.split_once(' ').unwrap();
    let (whole, at) = (recorded(STORY), at.parse::<usize>().unwrap());
    let before = &whole[..at];
    let and = |more: &str| Answer::events([before, more.as_bytes()].concat());
    match fault {
        "cut" => Answer::events(before),
        "stall" => Answer::events(whole).stalled_after(at),
        // Only between two events it is one.
        "error" => and("\n\ndata: {\"error\": {\"message\": \"worker died\"}}\n\n"),
        "garbage" => and("\u{0}<html>\n\ndata: {]\n\n"),
        other => panic!("{other}"),
    }
}

/// A model that is well, and goes on from the middle where it is of that kind.
fn whole(text: &'static str, continues: bool) -> ScriptedServer {
    ScriptedServer::start(move |received| {
        let Some(messages) = received.body["messages"].as_array() else {
            let props = json!({"default_generation_settings": {"n_ctx": 8192}});
            let is_known = continues && received.line.ends_with("/props");
            return Answer::json(if is_known { 200 } else { 404 }, &props);
        };
        let before = messages.last().filter(|it| it["role"] == "assistant");
        let before = before.map_or("", |it| it["content"].as_str().unwrap());
        Answer::events(recorded(text.strip_prefix(before).unwrap()))
    })
}

async fn open(url: &str, patience: Patience) -> Arc<dyn Backend> {
    let upstream = Upstream {
        provider: provider::find("openai-compatible").unwrap(),
        url: format!("{url}/v1"),
        model: "m".to_owned(),
        key: None,
        temperature: None,
        max_tokens: None,
        context_window: None,
        patience,
        audit: None,
    };
    Arc::new(RemoteBackend::open(upstream, Guard::default().client().unwrap()).await.unwrap())
}

/// A gateway whose first model has never failed yet.
async fn gateway(first: &Arc<dyn Backend>, second: &Arc<dyn Backend>) -> Server {
    let candidate = |it: &Arc<dyn Backend>| Candidate::opened(Arc::clone(it));
    let candidates = vec![candidate(first), candidate(second).with_rank(1)];
    let rounds = Rounds { most: 1, wait: Duration::ZERO, ..Rounds::default() };
    let main = Failover::unopened(candidates, Arc::new(|_| ())).with_rounds(rounds);
    let gateway = Gateway::new(alone(Arc::new(main)), names("{}"), Duration::from_mins(1));
    Server::serving(Arc::new(ScriptedModel::playing([])), gateway).await
}

/// The text of a streamed answer, and how it ended.
fn told(path: &str, reached: &Reached) -> (String, &'static str) {
    let (mut text, mut end) = (String::new(), "nothing");
    for line in reached.body.lines().map(|it| it.trim_start_matches("data: ")) {
        if line == "[DONE]" {
            end = "done";
        }
        let Ok(frame) = serde_json::from_str::<Value>(line) else { continue };
        assert_eq!(end, "nothing", "{path}: something comes after the end: {reached:?}");
        let place = match path {
            "/v1/chat/completions" => "/choices/0/delta/content",
            "/v1/completions" => "/choices/0/text",
            "/v1/responses" if frame["type"] == "response.output_text.delta" => "/delta",
            "/v1/messages" => "/delta/text",
            "/api/chat" => "/message/content",
            "/api/generate" => "/response",
            _ => "/none",
        };
        text += frame.pointer(place).and_then(Value::as_str).unwrap_or_default();
        let kind = frame["type"].as_str().unwrap_or_default();
        if matches!(kind, "response.completed" | "message_stop") || frame["done"] == true {
            end = "done";
        }
        let is_failed = matches!(kind, "error" | "response.failed");
        if is_failed || frame.get("error").is_some_and(|it| !it.is_null()) {
            end = "error";
        }
    }
    (text, end)
}

/// Asks for faults at every byte, `each` so many of them; `judge` sees what the client of each
/// stream was told.
async fn break_everywhere(
    second: ScriptedServer,
    each: usize,
    judge: fn(&str, String, &'static str),
) {
    let first = ScriptedServer::start(broken);
    let little = Patience { first: Duration::from_millis(500), next: Duration::from_millis(150) };
    let models = [open(&first.url(), little).await, open(&second.url(), Patience::default()).await];
    let (mut asking, mut asked) = (JoinSet::new(), 0_usize);
    for at in 0..recorded(STORY).len() {
        for fault in FAULTS.iter().cycle().skip(at).take(each) {
            let models = models.clone();
            asking.spawn(async move {
                let server = gateway(&models[0], &models[1]).await;
                let (path, body, _) = questions()[asked % 6].clone();
                let body =
                    body.to_string().replace("\"Hi\"", &json!(format!("{fault} {at}")).to_string());
                let mut body: Value = serde_json::from_str(&body).unwrap();
                body["stream"] = json!(true);
                let reached = server.post(path, &body).await;
                assert_eq!(reached.status, 200, "{fault} at {at}: {reached:?}");
                let (text, end) = told(path, &reached);
                judge(&format!("{fault} at {at}, {path}"), text, end);
            });
            asked += 1;
            while asking.len() >= 48 {
                asking.join_next().await.unwrap().unwrap();
            }
        }
        // The protocols take turns, and not each with a fault of its own.
        asked += 1;
    }
    while let Some(ended) = asking.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_breaks_at_any_byte_goes_on_at_a_model_that_can_go_on() {
    break_everywhere(whole(STORY, true), FAULTS.len(), |what, text, end| {
        assert_eq!((text.as_str(), end), (STORY, "done"), "{what}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_breaks_at_any_byte_goes_on_at_a_model_that_begins_anew() {
    break_everywhere(whole(STORY, false), 1, |what, text, end| {
        assert_eq!((text.as_str(), end), (STORY, "done"), "{what}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_cannot_go_on_ends_with_an_error_of_the_clients_protocol() {
    break_everywhere(whole(OTHER, false), 1, |what, text, end| match end {
        "error" => assert!(STORY.starts_with(&text) && !text.is_empty(), "{what}: {text}"),
        _ => assert!(end == "done" && (text == STORY || text == OTHER), "{what}: {end} {text}"),
    })
    .await;
}

#[tokio::test]
async fn a_stream_that_another_model_went_on_with_says_so_before_its_end() {
    let (first, second) = (ScriptedServer::start(broken), whole(STORY, true));
    let at = recorded(STORY).len() / 2;
    for (path, mut body, _) in questions() {
        let patience = Patience::default();
        let models = [open(&first.url(), patience).await, open(&second.url(), patience).await];
        let server = gateway(&models[0], &models[1]).await;
        body["stream"] = json!(true);
        let body = body.to_string().replace("\"Hi\"", &json!(format!("cut {at}")).to_string());
        let reached = server.reach(&format!("POST {path}"), "", &body).await;
        assert_eq!(told(path, &reached), (STORY.to_owned(), "done"), "{path}");
        // Every line of Ollama's is a part of the answer.
        let says_so = reached.body.contains("\n: resumed on m");
        assert_eq!(says_so, !path.starts_with("/api/"), "{path}: {reached:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_closes_the_connection_to_the_model_within_a_tenth_of_a_second() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // It says a word to those who want a stream, and notes when it is hung up on.
    let mut upstream = JoinSet::new();
    let (gone, mut left) = tokio::sync::mpsc::unbounded_channel();
    upstream.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut socket, _)) = listener.accept().await {
            let gone = gone.clone();
            connections.spawn(async move {
                let mut bytes = [0; 4096];
                let read = socket.read(&mut bytes).await.unwrap();
                let request = String::from_utf8_lossy(&bytes[..read]).into_owned();
                if request.starts_with("GET") {
                    let head = "HTTP/1.1 404 x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                    return socket.write_all(head.as_bytes()).await.unwrap();
                }
                let head = "HTTP/1.1 200 x\r\ncontent-type: text/event-stream\r\n\r\n";
                let word = "data: {\"choices\":[{\"delta\":{\"content\":\"Once\"}}]}\n\n";
                socket.write_all(format!("{head}{word}").as_bytes()).await.unwrap();
                while socket.read(&mut bytes).await.is_ok_and(|it| it > 0) {}
                gone.send(Instant::now()).unwrap();
            });
        }
    });
    let model = open(&url, Patience::default()).await;
    for stream in [true, false] {
        for (path, mut body, _) in questions() {
            let server = gateway(&model, &model).await;
            body["stream"] = json!(stream);
            let socket = server.connect(&format!("POST {path}"), "", &body.to_string()).await;
            time::sleep(Duration::from_millis(60)).await;
            let begun = Instant::now();
            drop(socket);
            let closed = time::timeout(Duration::from_secs(5), left.recv()).await;
            let took = closed.unwrap().unwrap().duration_since(begun);
            assert!(took < Duration::from_millis(100), "{path} {stream}: {took:?}");
        }
    }
}

/// As llama-cpp-python streams: it never says how many tokens there were.
#[tokio::test]
async fn what_a_server_does_not_count_is_counted_for_it() {
    let silent = ScriptedServer::start(|received| {
        if received.body["messages"].is_null() {
            return Answer::json(404, &Value::Null);
        }
        let frames = String::from_utf8(recorded(STORY)).unwrap();
        Answer::events(frames.replace("usage", "unknown"))
    });
    let model = open(&silent.url(), Patience::default()).await;
    let server = gateway(&model, &model).await;
    let (path, body, _) = questions()[0].clone();
    let reached = server.post(path, &body).await;
    let usage = reached.json()["usage"].clone();
    let told = |name: &str| usage[name].as_u64().unwrap();
    assert!(told("prompt_tokens") > 0 && told("completion_tokens") > 9, "{usage}");
}
