use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    Answer, AnswerForm, ClientError, ClientRequest, Identity, ToolCall, ToolChoice, Writer,
    anthropic, embeddings, ollama, openai, rerank, responses,
};
use crate::{
    backend::BackendError,
    chat::{FinishReason, Message, Part, Role, Usage},
};

mod forms;

type Read = fn(&[u8]) -> Result<ClientRequest, ClientError>;

fn chat(bytes: &[u8]) -> Result<ClientRequest, ClientError> {
    openai::read_chat(bytes).map(|it| it.0)
}

fn responding(bytes: &[u8]) -> Result<ClientRequest, ClientError> {
    responses::read(bytes).map(|it| it.0)
}

fn ollama_chat(bytes: &[u8]) -> Result<ClientRequest, ClientError> {
    ollama::read_chat(bytes).map(|it| it.request.unwrap())
}

#[track_caller]
fn read(read: Read, body: &Value) -> ClientRequest {
    read(body.to_string().as_bytes()).unwrap()
}

fn identity() -> Identity {
    Identity { id: "7".to_owned(), created: 1_700_000_000, model: "gpt-4o".to_owned() }
}

fn answer(text: &str, calls: Vec<ToolCall>) -> Answer {
    let usage = Usage { prompt_tokens: 10, completion_tokens: 4, ..Usage::default() };
    let (text, finish) = (text.to_owned(), FinishReason::Stop);
    Answer { reasoning: String::new(), text, calls, finish, stopped_by: None, usage }
}

fn call() -> Vec<ToolCall> {
    vec![ToolCall { name: "add".to_owned(), arguments: r#"{"a":1}"#.to_owned() }]
}

/// The events of a whole stream, each as its JSON; `data: [DONE]` as a text. Thoughts begin with
/// `think:`.
fn stream(writer: &mut dyn Writer, deltas: &[&str], answer: &Answer) -> Vec<Value> {
    let mut bytes = writer.begin();
    for delta in deltas {
        bytes.extend(match delta.strip_prefix("think:") {
            Some(thought) => writer.reasoning(thought),
            None => writer.text(delta),
        });
    }
    bytes.extend(writer.end(answer));
    let text = String::from_utf8(bytes).unwrap();
    let lines = text.lines().filter(|it| !it.is_empty() && !it.starts_with("event:"));
    let data = lines.map(|it| it.strip_prefix("data: ").unwrap_or(it));
    data.map(|it| serde_json::from_str(it).unwrap_or_else(|_| json!(it))).collect()
}

fn words(messages: &[Message]) -> Vec<(Role, &str)> {
    messages.iter().map(|it| (it.role, it.content.as_str())).collect()
}

#[test]
fn a_seed_is_the_clients_own_or_there_is_none() {
    let user = json!([{"role": "user", "content": "Hi"}]);
    let openai = |seed: &Value| json!({"model": "m", "messages": user, "seed": seed});
    let ollama = |seed: &Value| json!({"model": "m", "messages": user, "options": {"seed": seed}});
    for (seed, of_openai, of_ollama) in
        [(json!(7), Some(7), Some(7)), (json!(-1), Some(1), None), (Value::Null, None, None)]
    {
        assert_eq!(read(chat, &openai(&seed)).seed, of_openai, "{seed}");
        assert_eq!(read(ollama_chat, &ollama(&seed)).seed, of_ollama, "{seed}");
    }
}

#[test]
fn the_same_conversation_is_read_the_same_from_every_protocol() {
    let expected = [
        Message::system("Be brief."),
        Message::user("Add 1."),
        Message::assistant(r#"{"tool":"add","arguments":{"a":1}}"#),
        Message::user("Result of add:\n2"),
    ];
    let function = json!({"name": "add", "arguments": "{\"a\":1}"});
    let from_openai = json!({"model": "m", "messages": [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Add 1."}]},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "1", "function": function}]},
        {"role": "tool", "tool_call_id": "1", "name": "add", "content": "2"}
    ]});
    assert_eq!(words(&read(chat, &from_openai).messages), words(&expected));

    let from_ollama = json!({"model": "m", "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Add 1."},
        {"role": "assistant", "content": "", "tool_calls": [
            {"function": {"name": "add", "arguments": {"a": 1}}}
        ]},
        {"role": "tool", "tool_name": "add", "content": "2"}
    ]});
    assert_eq!(words(&read(ollama_chat, &from_ollama).messages), words(&expected));

    // The two others do not name the tool with its result.
    let from_anthropic = json!({"model": "m", "max_tokens": 9, "system": "Be brief.", "messages": [
        {"role": "user", "content": "Add 1."},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            {"type": "tool_use", "id": "1", "name": "add", "input": {"a": 1}}
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "2"}]}
        ]}
    ]});
    let from_responses = json!({"model": "m", "instructions": "Be brief.", "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "Add 1."}]},
        {"type": "reasoning", "summary": []},
        {"type": "function_call", "call_id": "1", "name": "add", "arguments": "{\"a\":1}"},
        {"type": "function_call_output", "call_id": "1", "output": "2"}
    ]});
    for request in [read(anthropic::read, &from_anthropic), read(responding, &from_responses)] {
        assert_eq!(words(&request.messages[..3]), words(&expected[..3]));
        assert_eq!(words(&request.messages[3..]), [(Role::User, "Result:\n2")]);
    }
    // What servers are told that have words of their own for it, is the same of all.
    for request in [
        read(chat, &from_openai),
        read(anthropic::read, &from_anthropic),
        read(responding, &from_responses),
    ] {
        let call = ToolCall { name: "add".to_owned(), arguments: r#"{"a":1}"#.to_owned() };
        let id = || "1".to_owned();
        assert_eq!(request.messages[2].parts, [Part::Call { id: id(), call }]);
        let result = Part::Result { id: id(), name: "add".to_owned(), text: "2".to_owned() };
        assert_eq!(request.messages[3].parts, [result]);
    }
    assert!(matches!(&read(ollama_chat, &from_ollama).messages[2].parts[..],
        [Part::Call { id, .. }] if !id.is_empty()));
}

#[test]
fn turns_alternate_and_the_system_comes_first() {
    let body = json!({"model": "m", "messages": [
        {"role": "user", "content": "One."}, {"role": "user", "content": "Two."},
        {"role": "system", "content": "Rule."}, {"role": "assistant", "content": "Three."}
    ]});
    let roles: Vec<Role> = read(chat, &body).messages.iter().map(|it| it.role).collect();
    assert_eq!(roles, [Role::System, Role::User, Role::Assistant]);
}

#[test]
fn every_protocol_says_in_its_own_way_what_form_the_answer_has() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
    let says = [{ json!({"role": "user", "content": "Hi"}) }];
    let with = |more: Value| {
        let mut body = json!({"model": "m", "messages": says, "max_tokens": 9, "input": "Hi"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let named = AnswerForm::Tools {
        tools: vec![super::Tool {
            name: "add".to_owned(),
            description: String::new(),
            parameters: schema.clone(),
            is_custom: false,
        }],
        choice: ToolChoice::Named("add".to_owned()),
        is_single: false,
    };
    let json_form = AnswerForm::Json(schema.clone());
    let format = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}});
    let function = json!({"type": "function", "function": {"name": "add", "parameters": schema}});
    let cases: [(Read, Value, &AnswerForm); 8] = [
        (chat, with(json!({ "response_format": format })), &json_form),
        (
            chat,
            with(json!({"tools": [function], "tool_choice": {"function": {"name": "add"}}})),
            &named,
        ),
        (chat, with(json!({"tools": [function], "tool_choice": "none"})), &AnswerForm::Text),
        (
            responding,
            with(json!({"text": {"format": {"type": "json_schema", "schema": schema}}})),
            &json_form,
        ),
        (
            responding,
            with(json!({
                "tools": [{"type": "function", "name": "add", "parameters": schema}],
                "tool_choice": {"type": "function", "name": "add"}
            })),
            &named,
        ),
        (
            anthropic::read,
            with(json!({
                "tools": [{"name": "add", "input_schema": schema}],
                "tool_choice": {"type": "tool", "name": "add"}
            })),
            &named,
        ),
        (ollama_chat, with(json!({ "format": schema })), &json_form),
        (ollama_chat, with(json!({})), &AnswerForm::Text),
    ];
    for (read_body, body, expected) in cases {
        assert_eq!(read(read_body, &body).form, *expected, "{body}");
    }
}

#[test]
fn what_cannot_be_done_is_refused_with_the_reason() {
    #[track_caller]
    fn check(read: Read, body: &str, word: &str) {
        let error = read(body.as_bytes()).unwrap_err();
        assert_eq!(error.status(), 400);
        assert!(error.to_string().contains(word), "{error}");
    }
    check(chat, "{", "body");
    check(chat, r#"{"model":"m","messages":[]}"#, "say nothing");
    check(chat, r#"{"model":"m","messages":[{"role":"wizard","content":"x"}]}"#, "wizard");
    check(chat, r#"{"model":"m","n":2,"messages":[{"role":"user","content":"x"}]}"#, "`n`");
    let image = r#"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url"}]}]}"#;
    check(chat, image, "image");
    let sound = r#"{"model":"m","messages":[{"role":"user","content":[{"type":"input_audio"}]}]}"#;
    check(chat, sound, "input_audio");
    check(
        anthropic::read,
        r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#,
        "max_tokens",
    );
    check(responding, r#"{"model":"m","input":"x","previous_response_id":"r"}"#, "stored");
    let image = r#"{"model":"m","messages":[{"role":"system","content":"x","images":["x"]}]}"#;
    check(ollama_chat, image, "images");
}

#[test]
fn ollama_streams_unless_told_otherwise_and_the_others_do_not() {
    let body = json!({
        "model": "m", "max_tokens": 1, "input": "x", "messages": [{"role": "user", "content": "x"}]
    });
    assert!(read(ollama_chat, &body).stream);
    for other in [chat as Read, anthropic::read, responding] {
        assert!(!read(other, &body).stream);
    }
}

#[test]
fn an_ollama_request_without_a_prompt_only_loads_or_unloads_the_model() {
    let call = ollama::read_chat(br#"{"model":"m"}"#).unwrap();
    assert_eq!((call.request, call.keep_alive), (None, None));
    let call = ollama::read_generate(br#"{"model":"m","keep_alive":0}"#).unwrap();
    assert_eq!(
        (call.request, call.keep_alive.map(ollama::KeepAlive::is_nothing)),
        (None, Some(true))
    );
}

#[test]
fn chat_completions_stream_the_text_then_the_reason_then_the_usage() {
    let mut writer = openai::ChatWriter::new(identity(), true);
    let frames = stream(&mut writer, &["Hel", "lo"], &answer("Hello", Vec::new()));
    let deltas: String =
        frames.iter().filter_map(|it| it.pointer("/choices/0/delta/content")?.as_str()).collect();
    assert_eq!(deltas, "Hello");
    let reasons: Vec<_> =
        frames.iter().filter_map(|it| it.pointer("/choices/0/finish_reason")?.as_str()).collect();
    assert_eq!(reasons, ["stop"]);
    assert_eq!(frames[frames.len() - 2]["usage"]["total_tokens"], 14);
    assert_eq!(frames.last().unwrap(), "[DONE]");
    assert!(frames.iter().filter_map(|it| it.get("id")).all(|it| it == "chatcmpl-7"));
}

#[test]
fn messages_stream_in_anthropics_order() {
    let mut writer = anthropic::MessageWriter::new(identity(), 10);
    let text = answer("Hello", Vec::new());
    let kinds = |frames: Vec<Value>| -> Vec<String> {
        frames.iter().map(|it| it["type"].as_str().unwrap().to_owned()).collect()
    };
    let start = ["message_start", "content_block_start", "content_block_delta"];
    let end = ["content_block_stop", "message_delta", "message_stop"];
    assert_eq!(kinds(stream(&mut writer, &["Hello"], &text)), [&start[..], &end[..]].concat());
    let mut writer = anthropic::MessageWriter::new(identity(), 10);
    let frames = stream(&mut writer, &[], &answer("", call()));
    assert_eq!(frames[1]["content_block"]["type"], "tool_use");
    assert_eq!(frames[2]["delta"]["partial_json"], r#"{"a":1}"#);
    assert_eq!(frames[4]["delta"]["stop_reason"], "tool_use");
    assert_eq!(kinds(frames), [&start[..], &end[..]].concat());
}

#[test]
fn words_come_before_the_calls_in_every_protocol() {
    let answer = answer("Hello", [call(), call()].concat());
    let frames =
        stream(&mut anthropic::MessageWriter::new(identity(), 10), &["Hel", "lo"], &answer);
    let of = |kind: &str, place: &str| -> Vec<Value> {
        let frames = frames.iter().filter(|it| it["type"] == kind);
        frames.filter_map(|it| it.pointer(place).cloned()).collect()
    };
    assert_eq!(of("content_block_start", "/index"), [json!(0), json!(1), json!(2)]);
    assert_eq!(of("content_block_stop", "/index"), [json!(0), json!(1), json!(2)]);
    let ids = of("content_block_start", "/content_block/id");
    assert!(ids.len() == 2 && ids[0] != ids[1], "{ids:?}");
    let whole: Value =
        serde_json::from_str(&anthropic::MessageWriter::new(identity(), 10).whole(&answer))
            .unwrap();
    let kinds: Vec<_> =
        whole["content"].as_array().unwrap().iter().map(|it| it["type"].clone()).collect();
    assert_eq!(kinds, ["text", "tool_use", "tool_use"]);

    let whole = openai::ChatWriter::new(identity(), false).whole(&answer);
    let whole: Value = serde_json::from_str(&whole).unwrap();
    let message = &whole["choices"][0]["message"];
    assert_eq!(
        (&message["content"], message["tool_calls"].as_array().unwrap().len()),
        (&json!("Hello"), 2)
    );
    assert_eq!(whole["choices"][0]["finish_reason"], "tool_calls");
}

#[test]
fn responses_number_their_events_and_end_with_the_whole() {
    for (deltas, text, calls) in [
        (&["Hello"][..], "Hello", Vec::new()),
        (&[][..], "", call()),
        (&["Hello"][..], "Hello", [call(), call()].concat()),
        (&["think:Hm", "Hello"][..], "Hello", call()),
        (&["think:Hm"][..], "", call()),
    ] {
        let mut answer = answer(text, calls);
        let thought = deltas.iter().find_map(|it| it.strip_prefix("think:"));
        answer.reasoning = thought.unwrap_or_default().to_owned();
        let mut writer = responses::ResponseWriter::new(identity());
        let frames = stream(&mut writer, deltas, &answer);
        let numbers: Vec<_> = frames.iter().map(|it| it["sequence_number"].as_u64()).collect();
        let expected: Vec<_> = (0..frames.len() as u64).map(Some).collect();
        assert_eq!(numbers, expected);
        let last = frames.last().unwrap();
        assert_eq!(last["type"], "response.completed");
        assert_eq!(last["response"].to_string(), writer.whole(&answer));
    }
}

#[test]
fn ollama_streams_lines_and_counts_in_nanoseconds() {
    let new = || {
        let at = "2030-01-01T00:00:00Z".to_owned();
        ollama::LineWriter::new(identity(), ollama::Endpoint::Chat, at)
    };
    let mut done = answer("Hello", Vec::new());
    done.usage.decode = Duration::from_millis(3);
    let lines = stream(&mut new(), &["Hel", "lo"], &done);
    let said: Vec<_> = lines.iter().map(|it| it["message"]["content"].as_str().unwrap()).collect();
    assert_eq!(said, ["Hel", "lo", ""]);
    assert_eq!(lines[2]["eval_duration"], 3_000_000);
    let whole = |answer| serde_json::from_str::<Value>(&new().whole(answer)).unwrap();
    assert_eq!(whole(&done)["message"]["content"], "Hello");
    let called = whole(&answer("", call()));
    assert_eq!(called["message"]["tool_calls"][0]["function"]["arguments"], json!({"a": 1}));
}

#[test]
fn errors_have_the_shape_and_the_status_of_each_protocol() {
    let error = ClientError::from(BackendError::ContextOverflow {
        model: "m".to_owned(),
        prompt_tokens: 9000,
        is_estimate: true,
        answer_tokens: 10,
        limit: 8192,
    });
    assert_eq!(error.status(), 400);
    for body in [openai::error_body, anthropic::error_body, ollama::error_body] {
        let told = body(&error).to_string();
        assert!(told.contains("about 9000 tokens") && told.contains("8192"), "{told}");
    }
    assert_eq!(openai::error_body(&error)["error"]["code"], "context_length_exceeded");
    assert_eq!(anthropic::error_body(&error)["error"]["type"], "invalid_request_error");
    assert!(ollama::error_body(&error)["error"].is_string());
    let busy = ClientError::from(BackendError::Busy { model: "m".to_owned(), retry_after: None });
    assert_eq!(busy.status(), 503);
    assert_eq!(anthropic::error_body(&busy)["error"]["type"], "overloaded_error");
}

/// Bodies that are good, with what they are damaged by below.
const BODIES: [&str; 5] = [
    r#"{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"Hi \u00fc"}]}],"max_tokens":20,"temperature":0.5,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"string"}}}}}],"tool_choice":"auto","response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"object"}}}}"#,
    r#"{"model":"m","max_tokens":20,"system":[{"type":"text","text":"s"}],"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":"x"}]}]}"#,
    r#"{"model":"m","prompt":"Hi","format":{"type":"object"},"options":{"num_predict":5,"temperature":0},"stream":false,"keep_alive":0}"#,
    r#"{"model":"m","instructions":"s","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"Hi"}]}],"text":{"format":{"type":"json_schema","name":"x","schema":{"type":"object"}}}}"#,
    r#"{"model":"m","query":"q","documents":["a",{"text":"b"}],"top_n":1,"input":["a"],"dimensions":3}"#,
];

proptest! {
    #[test]
    fn a_damaged_body_is_read_or_refused_by_every_endpoint(
        which in 0..BODIES.len(),
        damage in prop::collection::vec(
            (any::<prop::sample::Index>(), 0..12_usize, "[\\[\\]{}\",:0-9a-z\\\\]{0,6}|\\PC{0,3}"), 0..5
        ),
    ) {
        let mut bytes = BODIES[which].as_bytes().to_vec();
        for (place, lost, new) in damage {
            let start = place.index(bytes.len() + 1);
            let end = (start + lost).min(bytes.len());
            bytes.splice(start..end, new.bytes());
        }
        let refused = [
            openai::read_chat(&bytes).err(),
            openai::read_completion(&bytes).err(),
            responses::read(&bytes).err(),
            responses::read_agent(&bytes).err(),
            anthropic::read(&bytes).err(),
            anthropic::read_prompt(&bytes).err(),
            ollama::read_chat(&bytes).err(),
            ollama::read_generate(&bytes).err(),
            ollama::read_model(&bytes).err(),
            embeddings::read_openai(&bytes).err(),
            embeddings::read_ollama(&bytes).err(),
            embeddings::read_ollama_one(&bytes).err(),
            rerank::read(&bytes).err(),
        ];
        // Whose fault it is, is known as well.
        prop_assert!(refused.iter().flatten().all(|it| matches!(it.status(), 400 | 501)), "{refused:?}");
    }
}
