//! Providers behind the gateway that have protocols of their own: what Anthropic and Google are told of
//! tools and pictures, and what becomes of their calls in every client's protocol.

use serde_json::{Value, json};
use tm_testkit::server::{Answer, Received, ScriptedServer};

use super::{faithful::with_tool, upstream::before};

/// A provider, and how it says that it will look, and calls `f` and then `g`.
fn providers() -> [(&'static str, Vec<Value>); 2] {
    let block = |index: usize, block: Value| json!({"type": "content_block_start", "index": index, "content_block": block});
    let delta = |index: usize, delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
    let input = |index: usize, text: &str| {
        delta(index, json!({"type": "input_json_delta", "partial_json": text}))
    };
    let tool =
        |id: &str, name: &str| json!({"type": "tool_use", "id": id, "name": name, "input": {}});
    let anthropic = vec![
        json!({"type": "message_start", "message": {"usage": {"input_tokens": 9, "output_tokens": 1}}}),
        block(0, json!({"type": "text", "text": ""})),
        delta(0, json!({"type": "text_delta", "text": "I will "})),
        delta(0, json!({"type": "text_delta", "text": "look."})),
        json!({"type": "content_block_stop", "index": 0}),
        block(1, tool("a", "f")),
        input(1, ""),
        input(1, "{\"x\":"),
        input(1, " 1.0}"),
        json!({"type": "content_block_stop", "index": 1}),
        block(2, tool("b", "g")),
        json!({"type": "content_block_stop", "index": 2}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 7}}),
        json!({"type": "message_stop"}),
    ];
    let said =
        |parts: Value| json!({"candidates": [{"content": {"role": "model", "parts": parts}}]});
    let google = vec![
        said(json!([{"text": "I will "}])),
        said(
            json!([{"text": "look."}, {"functionCall": {"name": "f", "args": {"x": 1.0}}, "thoughtSignature": "c2ln"}]),
        ),
        json!({
            "candidates": [{"content": {"parts": [{"functionCall": {"name": "g", "args": {}}}]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 7}
        }),
    ];
    [("anthropic", anthropic), ("google", google)]
}

fn is_question(received: &Received) -> bool {
    received.body["messages"].is_array() || received.body["contents"].is_array()
}

fn saying(events: &[Value]) -> ScriptedServer {
    let events: Vec<String> = events.iter().map(Value::to_string).collect();
    let text = format!("data: {}\n\n", events.join("\n\ndata: "));
    ScriptedServer::start(move |received| {
        if is_question(received) {
            Answer::events(text.clone())
        } else {
            Answer::json(404, &Value::Null)
        }
    })
}

fn asked(upstream: &ScriptedServer) -> Vec<Value> {
    upstream.seen().into_iter().filter(is_question).map(|it| it.body).collect()
}

#[tokio::test]
async fn providers_are_told_of_tools_and_their_words_and_calls_reach_every_client() {
    for (provider, events) in providers() {
        let upstream = saying(&events);
        let server = before(&upstream, provider).await;
        for stream in [false, true] {
            for (path, mut body) in with_tool(&json!({ "stream": stream })) {
                let tools = body["tools"].as_array_mut().unwrap();
                let other = tools[0].to_string().replace(r#""name":"f""#, r#""name":"g""#);
                tools.push(serde_json::from_str(&other).unwrap());
                let reached = server.post(path, &body).await;
                assert_eq!(reached.status, 200, "{path}: {reached:?}");
                let found = ["I will ", r#""f""#, r#""g""#].map(|it| reached.body.find(it));
                assert!(found[0].is_some() && found.is_sorted(), "{provider} {path}: {reached:?}");
                let arguments = reached.body.replace(['\\', ' '], "");
                assert!(arguments.contains(r#"{"x":1.0}"#), "{provider} {path}: {reached:?}");
                assert!(!reached.body.contains("reply"), "{provider} {path}: {reached:?}");
            }
        }
        for body in asked(&upstream) {
            let (tools, choice) = (&body["tools"], &body["tool_choice"]["type"]);
            let told = if provider == "google" {
                assert_eq!(body["toolConfig"]["functionCallingConfig"]["mode"], "AUTO", "{body}");
                assert!(body["generationConfig"].get("responseSchema").is_none(), "{body}");
                (&tools[0]["functionDeclarations"][0], "parametersJsonSchema")
            } else {
                assert_eq!(choice, "auto", "{body}");
                (&tools[0], "input_schema")
            };
            assert_eq!(told.0["name"], "f", "{body}");
            assert_eq!(told.0[told.1]["type"], "object", "{body}");
            let all = body.to_string();
            assert!(!all.contains("You can call these tools"), "{all}");
        }
    }
}

#[tokio::test]
async fn providers_hold_their_models_to_a_call_where_one_is_demanded() {
    for (provider, events) in providers() {
        let upstream = saying(&events);
        let server = before(&upstream, provider).await;
        let [(path, mut body), ..] = with_tool(&json!({}));
        let other = json!({"type": "function", "function": {"name": "g", "parameters": {"type": "object"}}});
        body["tools"].as_array_mut().unwrap().push(other);
        body["tool_choice"] = json!("required");
        let answer = server.post(path, &body).await.json();
        assert_eq!(
            answer["choices"][0]["message"]["tool_calls"][1]["function"]["name"], "g",
            "{answer}"
        );
        let told = asked(&upstream).remove(0);
        let mode = told
            .pointer("/toolConfig/functionCallingConfig/mode")
            .or(told.pointer("/tool_choice/type"));
        assert!(mode.is_some_and(|it| it == "ANY" || it == "any"), "{told}");
    }
}

/// A conversation in which two tools were called and one has brought a picture.
fn turns() -> Value {
    let call = |id: &str, name: &str| json!({"type": "tool_use", "id": id, "name": name, "input": {"x": 1}});
    let source = json!({"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="});
    let picture = json!([{"type": "image", "source": source}]);
    json!([
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": [{"type": "text", "text": "Wait."}, call("t1", "f"), call("t2", "f")]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t1", "content": "rain"},
            {"type": "tool_result", "tool_use_id": "t2", "content": picture},
            {"type": "text", "text": "Well?"}
        ]}
    ])
}

/// What a provider is told of that conversation.
async fn told((provider, events): (&str, Vec<Value>)) -> Value {
    let upstream = saying(&events);
    let server = before(&upstream, provider).await;
    let [_, _, (path, mut body), _] = with_tool(&json!({}));
    body["messages"] = turns();
    server.post(path, &body).await;
    asked(&upstream).remove(0)
}

#[tokio::test]
async fn anthropic_reads_what_became_of_tools_before_anything_else_of_a_turn() {
    let [anthropic, _] = providers();
    let told = told(anthropic).await;
    insta::assert_snapshot!(told["messages"], @r#"[{"role":"user","content":"Hi"},{"role":"assistant","content":[{"type":"text","text":"Wait."},{"type":"tool_use","id":"t1","name":"f","input":{"x":1}},{"type":"tool_use","id":"t2","name":"f","input":{"x":1}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"rain"},{"type":"tool_result","tool_use_id":"t2","content":""},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}},{"type":"text","text":"Well?"}]}]"#);
}

#[tokio::test]
async fn google_reads_what_became_of_tools_in_one_turn_and_no_signature_is_missing() {
    let [_, google] = providers();
    let told = told(google).await;
    insta::assert_snapshot!(told["contents"], @r#"[{"role":"user","parts":[{"text":"Hi"}]},{"role":"model","parts":[{"text":"Wait."},{"functionCall":{"name":"f","args":{"x":1}},"thoughtSignature":"skip_thought_signature_validator"},{"functionCall":{"name":"f","args":{"x":1}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"rain"}}},{"functionResponse":{"name":"f","response":{"output":""}}},{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}},{"text":"Well?"}]}]"#);
}

#[tokio::test]
async fn a_provider_that_refuses_tools_is_held_to_a_schema_and_one_that_refuses_that_is_asked_in_words()
 {
    let upstream = ScriptedServer::start(|received| {
        if !is_question(received) {
            return Answer::json(404, &Value::Null);
        }
        if received.body.get("tools").is_some() {
            let error =
                json!({"type": "invalid_request_error", "message": "tools are not supported"});
            return Answer::json(400, &json!({"type": "error", "error": error}));
        }
        let said = json!([{"type": "text", "text": r#"{"tool":"f","arguments":{}}"#}]);
        Answer::json(200, &json!({"type": "message", "content": said, "stop_reason": "end_turn"}))
    });
    let server = before(&upstream, "anthropic").await;
    let [(path, body), ..] = with_tool(&json!({}));
    let answer = server.post(path, &body).await.json();
    let call = &answer["choices"][0]["message"]["tool_calls"][0]["function"];
    assert_eq!(call["name"], "f", "{answer}");
    let told: Vec<Value> =
        asked(&upstream).iter().map(|it| it["tool_choice"]["type"].clone()).collect();
    assert_eq!(told, [json!("auto"), json!("tool"), Value::Null]);
}
