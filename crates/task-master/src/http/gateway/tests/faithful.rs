//! What the protocols promise beyond an answer's text: as it was written, why it ended, how errors look.

use serde_json::{Value, json};
use tm_testkit::model::{Reply, ScriptedModel};

use super::Server;

async fn cutting(text: &str) -> Server {
    let text = text.to_owned();
    Server::start(ScriptedModel::new(move |_| Reply::Cut(text.clone()))).await
}

fn asking(more: &Value) -> Value {
    let says = json!([{"role": "user", "content": "Hi"}]);
    let mut body = json!({"model": "m", "max_tokens": 9, "messages": says, "input": "Hi", "max_output_tokens": 9});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn numbers_of_a_structured_answer_are_as_the_model_wrote_them() {
    let written = r#"{"age": 12345678901234567890123, "f": 1.10}"#;
    let server = Server::saying(written).await;
    let schema = json!({"type": "object", "required": ["age"]});
    let format =
        json!({"type": "json_schema", "schema": schema, "json_schema": {"schema": schema}});
    let cases = [
        ("/v1/chat/completions", json!({"response_format": format}), "/choices/0/message/content"),
        ("/v1/messages", json!({"output_config": {"format": format}}), "/content/0/text"),
        ("/v1/responses", json!({"text": {"format": format}}), "/output/0/content/0/text"),
    ];
    for (path, more, place) in cases {
        let answer = server.post(path, &asking(&more)).await.json();
        assert_eq!(answer.pointer(place).unwrap(), written, "{path}: {answer}");
    }
    assert!(server.model.seen().iter().all(|it| it.response_schema == Some(schema.clone())));
}

/// Requests with a tool `f`, in each protocol.
pub(super) fn with_tool(more: &Value) -> [(&'static str, Value); 4] {
    let schema = json!({"type": "object"});
    let function = json!({"type": "function", "function": {"name": "f", "parameters": schema}});
    let (own, ours) = (
        json!([{"name": "f", "input_schema": schema}]),
        json!([{"type": "function", "name": "f", "parameters": schema}]),
    );
    [
        ("/v1/chat/completions", json!([function])),
        ("/v1/responses", ours),
        ("/v1/messages", own),
        ("/api/chat", json!([function])),
    ]
    .map(|(path, tools)| {
        let mut body = asking(&json!({"tools": tools, "stream": false}));
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        (path, body)
    })
}

/// Numbers that a computer does not have in the form in which they are written.
const NUMBERS: &str = r#"{"z":1.0,"a":1e3,"b":12345678901234567890123,"c":1.10}"#;

#[tokio::test]
async fn what_a_tool_is_called_with_is_as_the_model_wrote_it() {
    let server = Server::saying(&format!(r#"{{"tool":"f","arguments":{NUMBERS}}}"#)).await;
    let as_text = json!(NUMBERS).to_string();
    for stream in [false, true] {
        for (path, body) in with_tool(&json!({ "stream": stream })) {
            let reached = server.post(path, &body).await;
            let written = match path {
                "/api/chat" => NUMBERS,
                "/v1/messages" if !stream => NUMBERS,
                _ => &as_text,
            };
            assert!(reached.body.contains(written), "{path}: {reached:?}");
        }
    }
}

#[tokio::test]
async fn the_model_reads_what_a_tool_was_called_with_as_it_was_written() {
    let server = Server::saying(r#"{"reply":"Hello"}"#).await;
    let function = format!(r#"{{"function":{{"name":"f","arguments":{NUMBERS}}}}}"#);
    let as_text = format!(r#"{{"function":{{"name":"f","arguments":{}}}}}"#, json!(NUMBERS));
    let turns = |calls: &str| {
        format!(
            r#"[{{"role":"user","content":"Hi"}},{{"role":"assistant","content":"","tool_calls":[{calls}]}}]"#
        )
    };
    let block = format!(r#"{{"type":"tool_use","id":"1","name":"f","input":{NUMBERS}}}"#);
    for (path, body) in [
        ("chat/completions", format!(r#"{{"model":"m","messages":{}}}"#, turns(&as_text))),
        ("chat/completions", format!(r#"{{"model":"m","messages":{}}}"#, turns(&function))),
        (
            "messages",
            format!(
                r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":"Hi"}},{{"role":"assistant","content":[{block}]}}]}}"#
            ),
        ),
        (
            "responses",
            format!(
                r#"{{"model":"m","input":[{{"type":"function_call","name":"f","arguments":{}}}]}}"#,
                json!(NUMBERS)
            ),
        ),
    ] {
        let reached = server.reach(&format!("POST /v1/{path}"), "", &body).await;
        assert_eq!(reached.status, 200, "{reached:?}");
        let seen = server.model.seen();
        let read = &seen.last().unwrap().messages.last().unwrap().content;
        assert_eq!(*read, format!(r#"{{"tool":"f","arguments":{NUMBERS}}}"#), "{path}");
    }
    let body = format!(r#"{{"model":"m","stream":false,"messages":{}}}"#, turns(&function));
    server.reach("POST /api/chat", "", &body).await;
    let seen = server.model.seen();
    assert!(seen.last().unwrap().messages.last().unwrap().content.contains(NUMBERS));
}

#[tokio::test]
async fn words_stream_as_they_come_also_when_there_are_tools() {
    let pieces = ["{\"rep", "ly\": \"One ", "two\\n", "three", "\"}"].map(str::to_owned).to_vec();
    let server = Server::start(ScriptedModel::new(move |_| Reply::Pieces(pieces.clone()))).await;
    for (path, body) in with_tool(&json!({"stream": true})) {
        let reached = server.post(path, &body).await;
        for piece in ["\"One \"", "\"two\\n\"", "\"three\""] {
            assert!(reached.body.contains(piece), "{path}: {piece} is not in {reached:?}");
        }
        assert!(!reached.body.contains("reply"), "{path}: {reached:?}");
    }
}

#[tokio::test]
async fn words_come_before_the_call_that_they_announce() {
    let said = r#"{"reply":"Wait."}{"tool":"f","arguments":{"a":1}}"#;
    let server = Server::saying(said).await;
    for stream in [false, true] {
        for (path, body) in with_tool(&json!({ "stream": stream })) {
            let reached = server.post(path, &body).await;
            let (words, call) = (reached.body.find("Wait."), reached.body.find(r#""f""#));
            assert!(words.is_some() && words < call, "{path}: {reached:?}");
        }
    }
}

#[tokio::test]
async fn a_text_that_ends_the_answer_ends_one_with_tools_and_one_with_a_form_too() {
    let server = Server::saying(r#"{"reply":"One END two"}"#).await;
    let stops = json!({
        "stop": ["END"], "stop_sequences": ["END"], "options": {"stop": ["END"]}
    });
    for stream in [false, true] {
        let mut more = stops.clone();
        more["stream"] = json!(stream);
        for (path, body) in with_tool(&more) {
            if path == "/v1/responses" {
                continue;
            }
            let reached = server.post(path, &body).await;
            assert_eq!(reached.status, 200, "{path}: {reached:?}");
            assert!(reached.body.contains("One ") && !reached.body.contains("two"), "{reached:?}");
            assert!(!reached.body.contains("unusable"), "{path}: {reached:?}");
        }
    }
    let server = Server::saying(r#"{"a": "One END two"}"#).await;
    let format = json!({"type": "json_schema", "json_schema": {"schema": {"type": "object"}}});
    let chat = asking(&json!({"response_format": format, "stop": ["END"]}));
    let answer = server.post("/v1/chat/completions", &chat).await.json();
    assert_eq!(answer["choices"][0]["message"]["content"], r#"{"a": "One "#, "{answer}");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
}

#[tokio::test]
async fn anthropics_clients_learn_which_text_ended_the_answer() {
    let server = Server::saying("one two END three").await;
    for (stops, reason, sequence) in [
        (json!(["three", "END"]), "stop_sequence", json!("END")),
        (json!(["four"]), "end_turn", Value::Null),
    ] {
        let mut body = asking(&json!({ "stop_sequences": stops }));
        let answer = server.post("/v1/messages", &body).await.json();
        assert_eq!((&answer["stop_reason"], &answer["stop_sequence"]), (&json!(reason), &sequence));
        body["stream"] = json!(true);
        let streamed = server.post("/v1/messages", &body).await.body;
        let told = json!({"stop_reason": reason, "stop_sequence": sequence}).to_string();
        assert!(streamed.contains(&told), "{streamed}");
    }
}

#[tokio::test]
async fn a_form_that_the_clients_own_limit_cuts_is_given_as_far_as_it_came() {
    let server = cutting(r#"{"a": "b"#).await;
    let format = json!({"type": "json_schema", "schema": {}, "json_schema": {"schema": {}}});
    let chat = asking(&json!({ "response_format": format }));
    let answer = server.post("/v1/chat/completions", &chat).await.json();
    assert_eq!(answer["choices"][0]["message"]["content"], r#"{"a": "b"#, "{answer}");
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
    let answer = server.post("/v1/responses", &asking(&json!({"text": {"format": format}}))).await;
    assert_eq!(answer.json()["status"], "incomplete", "{answer:?}");
    // Nobody is asked twice.
    assert_eq!(server.model.seen().len(), 2);

    let server = cutting(r#"{"tool": "f", "argu"#).await;
    for stream in [false, true] {
        let body = asking(&json!({"tools": [{"name": "f", "input_schema": {}}], "stream": stream}));
        let reached = server.post("/v1/messages", &body).await;
        assert_eq!(reached.status, 200, "{reached:?}");
        assert!(reached.body.contains(r#""stop_reason":"max_tokens""#), "{reached:?}");
    }
}

#[tokio::test]
async fn what_is_refused_before_an_endpoint_has_the_shape_of_its_clients_protocol() {
    let server = Server::saying("Hello").await;
    let anthropic = "anthropic-version: 2023-06-01\r\n";
    for (line, headers, status) in [
        ("GET /v1/messages", "", 405),
        ("GET /v1/nothing", anthropic, 404),
        ("GET /v1/nothing", "", 404),
        ("DELETE /v1/chat/completions", "", 405),
        ("GET /api/nothing", "", 404),
        ("GET /api/chat", "", 405),
    ] {
        let reached = server.reach(line, headers, "").await;
        assert_eq!(reached.status, status, "{line}");
        let error = &reached.json()["error"];
        if line.contains("/api/") {
            assert!(error.is_string(), "{line}: {reached:?}");
        } else {
            assert!(error["message"].is_string(), "{line}: {reached:?}");
        }
        let is_anthropic = !headers.is_empty() || line.contains("messages");
        assert_eq!(reached.json()["type"] == "error", is_anthropic, "{line}: {reached:?}");
        assert_eq!(reached.json()["request_id"].is_string(), is_anthropic, "{line}");
        assert_eq!(reached.head.contains("\r\nrequest-id: "), is_anthropic, "{line}");
    }
    let refused = server.reach("POST /v1/messages", "", "{").await;
    assert_eq!(refused.json()["error"]["type"], "invalid_request_error");
    assert!(refused.json()["request_id"].is_string(), "{refused:?}");
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_in_the_shape_of_its_clients_protocol() {
    let server = Server::saying("Hello").await;
    for (path, kind) in
        [("/v1/messages", "request_too_large"), ("/v1/chat/completions", "invalid_request_error")]
    {
        let long = "x".repeat((32 << 20) + 1);
        let reached = server.reach(&format!("POST {path}"), "", &long).await;
        assert_eq!((reached.status, &reached.json()["error"]["type"]), (413, &json!(kind)));
    }
}

#[tokio::test]
async fn ollamas_clients_are_told_a_version_of_ollama() {
    let server = Server::saying("Hello").await;
    let told = server.get("/api/version").await.json();
    let parts: Vec<u32> =
        told["version"].as_str().unwrap().split('.').map(|it| it.parse().unwrap()).collect();
    assert!(parts >= vec![0, 6, 4], "{told}");
}
