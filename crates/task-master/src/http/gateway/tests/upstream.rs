//! Servers behind the gateway: what they are told of tools, and what becomes of their calls and
//! thoughts in every protocol.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tm_llm::{
    backend::{
        Backend,
        remote::{RemoteBackend, Server as Upstream},
    },
    egress::guard::Guard,
    failover::{Candidate, Failover, Rounds},
    provider,
};
use tm_testkit::{
    model::ScriptedModel,
    server::{Answer, Received, ScriptedServer},
};

use super::{Gateway, Server, alone, faithful::with_tool, names};

/// A gateway with one model, which this server has.
pub(super) async fn before(upstream: &ScriptedServer, provider: &str) -> Server {
    behind(upstream, provider, |it| it).await
}

/// The same, with a gateway that is changed so.
pub(super) async fn behind(
    upstream: &ScriptedServer,
    provider: &str,
    change: impl FnOnce(Gateway) -> Gateway,
) -> Server {
    let provider = provider::find(provider).unwrap();
    let url = provider.base_url(&format!("{}/v1", upstream.url()));
    let upstream = Upstream::new(provider, url, "m");
    let backend = RemoteBackend::open(upstream, Guard::default().client().unwrap()).await.unwrap();
    let backend: Arc<dyn Backend> = Arc::new(backend);
    let rounds = Rounds { most: 1, wait: Duration::ZERO, ..Rounds::default() };
    let main = Failover::unopened(vec![Candidate::opened(backend)], Arc::new(|_| ()));
    let players = alone(Arc::new(main.with_rounds(rounds)));
    let gateway = change(Gateway::new(players, names("{}"), Duration::from_mins(1)));
    Server::serving(Arc::new(ScriptedModel::playing([])), gateway).await
}

fn is_question(received: &Received) -> bool {
    received.body["messages"].is_array() && !received.line.contains("tokenize")
}

/// A server that says this, of OpenAI's kind.
fn saying(deltas: Vec<Value>) -> ScriptedServer {
    ScriptedServer::start(move |received| {
        if !is_question(received) {
            return Answer::json(404, &Value::Null);
        }
        let frame = |it: &Value| format!("data: {it}\n\n");
        let mut text: String = deltas
            .iter()
            .map(|it| frame(&json!({"choices": [{"index": 0, "delta": it}]})))
            .collect();
        text += &frame(&json!({"choices": [{"delta": {}, "finish_reason": "stop"}]}));
        Answer::events(text + "data: [DONE]\n\n")
    })
}

/// A call of `f` as OpenAI's kind streams it, after some words.
fn calling() -> Vec<Value> {
    let call = |it: Value| json!({ "tool_calls": [it] });
    vec![
        json!({"role": "assistant", "content": ""}),
        json!({"content": "I will "}),
        json!({"content": "look.\n"}),
        call(
            json!({"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}),
        ),
        call(json!({"index": 0, "function": {"arguments": "{\"x\":"}})),
        call(json!({"index": 0, "function": {"arguments": " 1.0}"}})),
    ]
}

fn asked(upstream: &ScriptedServer) -> Vec<Value> {
    upstream.seen().into_iter().filter(is_question).map(|it| it.body).collect()
}

#[tokio::test]
async fn a_server_with_tools_is_told_of_them_and_its_calls_reach_every_client() {
    let upstream = saying(calling());
    let server = before(&upstream, "openai-compatible").await;
    for stream in [false, true] {
        for (path, body) in with_tool(&json!({ "stream": stream })) {
            let reached = server.post(path, &body).await;
            assert_eq!(reached.status, 200, "{path}: {reached:?}");
            let (words, call) = (reached.body.find("I will "), reached.body.find(r#""f""#));
            assert!(words.is_some() && words < call, "{path}: {reached:?}");
            assert!(reached.body.contains("x\": 1.0}") || reached.body.contains(r#"x\": 1.0}"#));
            assert!(!reached.body.contains("reply"), "{path}: {reached:?}");
        }
    }
    for body in asked(&upstream) {
        assert_eq!(body["tools"][0]["function"]["name"], "f", "{body}");
        assert_eq!(body["tool_choice"], "auto");
        assert_eq!(body.get("response_format"), None);
        assert_eq!(body["messages"], json!([{"role": "user", "content": "Hi"}]));
    }
}

#[tokio::test]
async fn a_server_with_tools_reads_what_became_of_them_in_its_own_words() {
    let upstream = saying(vec![json!({"content": "It rains."})]);
    let server = before(&upstream, "openai-compatible").await;
    let call = json!({"type": "tool_use", "id": "t1", "name": "f", "input": {"x": 1.0}});
    let result = json!({"type": "tool_result", "tool_use_id": "t1", "content": "rain"});
    let turns = json!([
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": [{"type": "text", "text": "Wait."}, call]},
        {"role": "user", "content": [result, {"type": "text", "text": "Well?"}]}
    ]);
    let [_, _, (path, mut body), _] = with_tool(&json!({}));
    body["messages"] = turns;
    let reached = server.post(path, &body).await;
    assert_eq!(reached.status, 200, "{reached:?}");
    let told = asked(&upstream).remove(0);
    assert_eq!(
        told["messages"],
        json!([
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Wait.", "tool_calls": [
                {"id": "t1", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1.0}"}}
            ]},
            {"role": "tool", "tool_call_id": "t1", "content": "rain"},
            {"role": "user", "content": "Well?"}
        ])
    );
}

#[tokio::test]
async fn a_server_that_refuses_tools_is_held_to_a_schema_instead() {
    let upstream = ScriptedServer::start(|received| {
        if !is_question(received) {
            return Answer::json(404, &Value::Null);
        }
        if received.body.get("tools").is_some() {
            let error = json!({"message": "m does not support tools"});
            return Answer::json(400, &json!({ "error": error }));
        }
        let said = r#"{"tool":"f","arguments":{}}"#;
        let choice = json!({"message": {"content": said}, "finish_reason": "stop"});
        Answer::json(200, &json!({ "choices": [choice] }))
    });
    let server = before(&upstream, "openai-compatible").await;
    for _ in 0..2 {
        let [(path, body), ..] = with_tool(&json!({}));
        let answer = server.post(path, &body).await.json();
        let call = &answer["choices"][0]["message"]["tool_calls"][0]["function"];
        assert_eq!((&call["name"], &call["arguments"]), (&json!("f"), &json!("{}")), "{answer}");
    }
    let asked = asked(&upstream);
    // It is told once.
    assert_eq!(asked.iter().filter(|it| it.get("tools").is_some()).count(), 1);
    assert_eq!(asked.len(), 3);
    assert!(asked[1].get("response_format").is_some(), "{asked:?}");
}

#[tokio::test]
async fn a_server_that_is_known_to_hold_schemas_is_told_one() {
    let upstream = ScriptedServer::start(|received| {
        if received.line.ends_with("/props") {
            return Answer::json(200, &json!({"default_generation_settings": {"n_ctx": 8192}}));
        }
        if !is_question(received) {
            return Answer::json(404, &Value::Null);
        }
        let choice = json!({"message": {"content": r#"{"reply":"No."}"#}, "finish_reason": "stop"});
        Answer::json(200, &json!({ "choices": [choice] }))
    });
    let server = before(&upstream, "openai-compatible").await;
    let [(path, body), ..] = with_tool(&json!({}));
    let answer = server.post(path, &body).await.json();
    assert_eq!(answer["choices"][0]["message"]["content"], "No.");
    let told = asked(&upstream).remove(0);
    assert!(told.get("tools").is_none() && told.get("response_format").is_some(), "{told}");
}

#[tokio::test]
async fn ollama_is_told_of_tools_unless_one_must_be_called() {
    let upstream = ScriptedServer::start(|received| {
        if !is_question(received) {
            return Answer::json(200, &json!({"model_info": {"x.context_length": 8192}}));
        }
        let call = json!({"function": {"name": "f", "arguments": {"x": 1.5}}});
        let said = if received.body.get("tools").is_some() {
            json!({"content": "", "tool_calls": [call]})
        } else {
            json!({"content": "{\"x\":2}"})
        };
        Answer::json(200, &json!({"message": said, "done": true, "eval_count": 3}))
    });
    let server = before(&upstream, "ollama").await;
    let [(path, mut body), ..] = with_tool(&json!({}));
    let called = async |body: &Value| {
        let answer = server.post(path, body).await.json();
        answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"].clone()
    };
    assert_eq!(called(&body).await, r#"{"x":1.5}"#);
    body["tool_choice"] = json!({"type": "function", "function": {"name": "f"}});
    assert_eq!(called(&body).await, r#"{"x":2}"#);
    let asked = asked(&upstream);
    assert!(asked[0].get("tools").is_some() && asked[0].get("format").is_none());
    assert!(asked[1].get("tools").is_none() && asked[1].get("format").is_some());
}

/// A question without tools, for each protocol, and where the whole answer has the thoughts.
fn thinking() -> [(&'static str, Value, &'static str); 5] {
    let mut asked = with_tool(&json!({})).map(|(path, mut body)| {
        body.as_object_mut().unwrap().remove("tools");
        (path, body)
    });
    asked[2].1["thinking"] = json!({"type": "enabled", "budget_tokens": 1024});
    let [chat, responses, messages, ollama] = asked;
    let generate = json!({"model": "m", "prompt": "Hi", "stream": false});
    [
        (chat.0, chat.1, "/choices/0/message/reasoning_content"),
        (responses.0, responses.1, "/output/0/summary/0/text"),
        (messages.0, messages.1, "/content/0/thinking"),
        (ollama.0, ollama.1, "/message/thinking"),
        ("/api/generate", generate, "/thinking"),
    ]
}

#[tokio::test]
async fn what_a_model_thinks_is_told_where_each_protocol_has_it() {
    let apart = vec![
        json!({"reasoning_content": "Hm, "}),
        json!({"reasoning_content": "rain."}),
        json!({"content": "Take a coat."}),
    ];
    let mixed = vec![
        json!({"content": "<think>Hm, rain.</thi"}),
        json!({"content": "nk>\n\nTake a coat."}),
    ];
    for deltas in [apart, mixed] {
        let upstream = saying(deltas);
        let server = before(&upstream, "openai-compatible").await;
        for (path, mut body, place) in thinking() {
            let answer = server.post(path, &body).await.json();
            assert_eq!(answer.pointer(place), Some(&json!("Hm, rain.")), "{path}: {answer}");
            assert!(answer.to_string().contains("Take a coat."), "{path}: {answer}");
            body["stream"] = json!(true);
            let reached = server.post(path, &body).await;
            let (thought, said) = (reached.body.find("Hm, "), reached.body.find("Take a coat."));
            assert!(thought.is_some() && thought < said, "{path}: {reached:?}");
        }
    }
}

#[tokio::test]
async fn thoughts_are_for_those_who_want_them_and_never_part_of_a_form() {
    let upstream =
        saying(vec![json!({"reasoning_content": "Hm"}), json!({"content": "{\"a\": 1}"})]);
    let server = before(&upstream, "openai-compatible").await;
    let [(chat, mut asked, _), _, (messages, mut quiet, _), (ollama, mut still, _), _] = thinking();
    quiet.as_object_mut().unwrap().remove("thinking");
    still["think"] = json!(false);
    for stream in [false, true] {
        for (path, body) in [(messages, &mut quiet), (ollama, &mut still)] {
            body["stream"] = json!(stream);
            let reached = server.post(path, body).await;
            assert!(!reached.body.contains("Hm"), "{path}: {reached:?}");
        }
    }
    let schema = json!({"type": "object", "required": ["a"]});
    asked["response_format"] =
        json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}});
    let answer = server.post(chat, &asked).await.json();
    assert_eq!(answer["choices"][0]["message"]["content"], "{\"a\": 1}", "{answer}");
}

#[tokio::test]
async fn what_a_client_says_of_tokens_reaches_the_server() {
    let upstream = saying(vec![json!({"content": "Hello"})]);
    let server = before(&upstream, "openai-compatible").await;
    let usual = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}]});
    server.post("/v1/chat/completions", &usual).await;
    let mut fine = usual.clone();
    let members = json!({
        "top_k": 7, "min_p": 0.1, "frequency_penalty": 0.5, "presence_penalty": -0.5,
        "repeat_penalty": 1.1
    });
    fine.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    server.post("/v1/chat/completions", &fine).await;
    let asked = asked(&upstream);
    for (name, value) in members.as_object().unwrap() {
        assert_eq!(asked[0].get(name), None, "{name}");
        assert_eq!(asked[1].get(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn a_server_that_has_too_much_to_do_is_told_of_in_each_protocols_own_way() {
    // Anthropic's own servers have a status of their own for it.
    for (provider, status) in [("anthropic", 529), ("openai-compatible", 503)] {
        let upstream = ScriptedServer::start(move |received| {
            if !is_question(received) {
                return Answer::json(404, &Value::Null);
            }
            let error = json!({"type": "overloaded_error", "message": "Overloaded"});
            let body = json!({"type": "error", "error": error});
            Answer::json(status, &body).with_header("retry-after", "7")
        });
        let server = before(&upstream, provider).await;
        for (path, body) in with_tool(&json!({})) {
            let reached = server.post(path, &body).await;
            let expected = if path == "/v1/messages" { 529 } else { 503 };
            assert_eq!(reached.status, expected, "{path}: {reached:?}");
            assert!(reached.head.contains("retry-after: 7"), "{path}: {reached:?}");
            if path == "/v1/messages" {
                assert_eq!(reached.json()["error"]["type"], "overloaded_error");
            }
        }
    }
}

/// The same picture in each protocol.
fn pictures() -> [(&'static str, Value); 5] {
    let text = json!({"type": "text", "text": "What is it?"});
    let url = "data:image/png;base64,iVBORw0KGgo=";
    let user = |content: Value| json!([{"role": "user", "content": content}]);
    let source = json!({"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="});
    let image = json!({"type": "image_url", "image_url": {"url": url}});
    let input = json!([
        {"type": "input_text", "text": "What is it?"}, {"type": "input_image", "image_url": url}
    ]);
    let bare = json!([{"role": "user", "content": "What is it?", "images": ["iVBORw0KGgo="]}]);
    [
        ("/v1/chat/completions", json!({"model": "m", "messages": user(json!([text, image]))})),
        ("/v1/responses", json!({"model": "m", "input": user(input)})),
        (
            "/v1/messages",
            json!({
                "model": "m", "max_tokens": 9,
                "messages": user(json!([text, {"type": "image", "source": source}]))
            }),
        ),
        ("/api/chat", json!({"model": "m", "stream": false, "messages": bare})),
        (
            "/api/generate",
            json!({
                "model": "m", "stream": false, "prompt": "What is it?", "images": ["iVBORw0KGgo="]
            }),
        ),
    ]
}

#[tokio::test]
async fn a_picture_reaches_the_server_in_its_own_words() {
    let upstream = saying(vec![json!({"content": "A cat."})]);
    let server = before(&upstream, "openai-compatible").await;
    for (path, body) in pictures() {
        let reached = server.post(path, &body).await;
        assert_eq!(reached.status, 200, "{path}: {reached:?}");
    }
    let url = "data:image/png;base64,iVBORw0KGgo=";
    for body in asked(&upstream) {
        let content = json!([
            {"type": "text", "text": "What is it?"},
            {"type": "image_url", "image_url": {"url": url}}
        ]);
        assert_eq!(body["messages"], json!([{"role": "user", "content": content}]));
    }
    let upstream = ScriptedServer::start(|received| {
        if !is_question(received) {
            return Answer::json(200, &json!({"model_info": {"x.context_length": 8192}}));
        }
        Answer::json(200, &json!({"message": {"content": "A cat."}, "done": true}))
    });
    let server = before(&upstream, "ollama").await;
    for (path, body) in pictures() {
        let reached = server.post(path, &body).await;
        assert_eq!(reached.status, 200, "{path}: {reached:?}");
    }
    for body in asked(&upstream) {
        assert_eq!(body["messages"][0]["images"], json!(["iVBORw0KGgo="]), "{body}");
        assert_eq!(body["messages"][0]["content"], "What is it?");
    }
}

#[tokio::test]
async fn a_model_that_cannot_see_is_not_asked_about_pictures() {
    let server = Server::start(ScriptedModel::playing([])).await;
    for (path, body) in pictures() {
        let reached = server.post(path, &body).await;
        assert_eq!(reached.status, 400, "{path}: {reached:?}");
        assert!(reached.body.contains("reads text alone"), "{path}: {reached:?}");
    }
    assert!(server.model.seen().is_empty());
}

#[tokio::test]
async fn what_a_tool_has_seen_is_seen_by_the_model() {
    let upstream = saying(vec![json!({"content": "A cat."})]);
    let server = before(&upstream, "openai-compatible").await;
    let source = json!({"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="});
    let seen = json!([{"type": "image", "source": source}]);
    let [_, _, (path, mut body), _] = with_tool(&json!({}));
    body["messages"] = json!([
        {"role": "user", "content": "Look."},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": seen}]}
    ]);
    assert_eq!(server.post(path, &body).await.status, 200);
    let told = asked(&upstream).remove(0);
    assert_eq!(told["messages"][2]["role"], "tool");
    assert_eq!(told["messages"][3]["content"][0]["type"], "image_url", "{told}");
}
