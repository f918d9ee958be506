use std::time::{Duration, Instant};

use serde_json::json;

use super::*;
use crate::chat::Sampling;

fn request() -> ChatRequest {
    ChatRequest {
        messages: vec![Message::system("Be brief."), Message::user("How many?")],
        response_schema: Some(json!({
            "type": "object",
            "properties": {"count": {"type": ["integer", "null"]}},
            "required": ["count"],
            "additionalProperties": false,
        })),
        sampling: Sampling::default(),
        max_tokens: 50,
        deadline: Instant::now() + Duration::from_mins(1),
    }
}

fn call(dialect: Dialect, form: SchemaForm, omit: &[String]) -> String {
    let request = request();
    let question = Question {
        model: "m",
        request: &request,
        form,
        has_tools: false,
        window: 4096,
        limit_name: "max_tokens",
        continues: false,
        omit: &omit.iter().cloned().collect(),
        at_once: false,
    };
    let Call { path, body } = dialect.call(&question);
    format!("POST {path}\n{body}")
}

#[test]
fn servers_are_asked_in_their_own_words() {
    insta::assert_snapshot!(call(Dialect::OpenAi, SchemaForm::Schema, &[]), @r#"
    POST /chat/completions
    {"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"How many?"}],"temperature":0.2,"top_p":0.95,"seed":42,"max_tokens":50,"stream":true,"stream_options":{"include_usage":true},"response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object","properties":{"count":{"type":["integer","null"]}},"required":["count"],"additionalProperties":false},"strict":true}}}
    "#);
    insta::assert_snapshot!(call(Dialect::Anthropic, SchemaForm::Schema, &[]), @r#"
    POST /messages
    {"model":"m","max_tokens":50,"system":"Be brief.","messages":[{"role":"user","content":"How many?"}],"temperature":0.2,"stream":true,"tools":[{"name":"answer","description":"Takes the answer.","input_schema":{"type":"object","properties":{"count":{"type":["integer","null"]}},"required":["count"],"additionalProperties":false}}],"tool_choice":{"type":"tool","name":"answer","disable_parallel_tool_use":true}}
    "#);
    insta::assert_snapshot!(call(Dialect::Ollama, SchemaForm::Schema, &[]), @r#"
    POST /chat
    {"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"How many?"}],"stream":true,"think":false,"truncate":false,"shift":false,"options":{"num_ctx":4096,"num_predict":50,"temperature":0.2,"top_p":0.95,"top_k":40,"repeat_penalty":1.0,"seed":42},"format":{"type":"object","properties":{"count":{"type":["integer","null"]}},"required":["count"],"additionalProperties":false}}
    "#);
    insta::assert_snapshot!(call(Dialect::Google, SchemaForm::Schema, &[]), @r#"
    POST /models/m:streamGenerateContent?alt=sse
    {"contents":[{"role":"user","parts":[{"text":"How many?"}]}],"generationConfig":{"temperature":0.2,"topP":0.95,"maxOutputTokens":50,"responseMimeType":"application/json","responseSchema":{"type":"object","properties":{"count":{"nullable":true,"type":"integer"}},"required":["count"]}},"systemInstruction":{"parts":[{"text":"Be brief."}]}}
    "#);
}

#[test]
fn weaker_forms_show_the_schema_in_the_prompt() {
    for (dialect, json_mode) in [
        (Dialect::OpenAi, r#""response_format":{"type":"json_object"}"#),
        (Dialect::Ollama, r#""format":"json""#),
        (Dialect::Google, r#""responseMimeType":"application/json""#),
    ] {
        for form in [SchemaForm::JsonMode, SchemaForm::Prompt] {
            let call = call(dialect, form, &[]);
            assert!(call.contains(r#"JSON Schema:\n{\"type\":\"object\""#), "{call}");
            assert_eq!(call.contains(json_mode), form == SchemaForm::JsonMode, "{call}");
        }
    }
    let call = call(Dialect::Anthropic, SchemaForm::Prompt, &[]);
    assert!(call.contains(r"JSON Schema:\n") && !call.contains("tool_choice"), "{call}");
}

#[test]
fn what_a_server_does_not_know_is_left_out() {
    let call = call(Dialect::OpenAi, SchemaForm::Prompt, &["seed".to_owned(), "top_p".to_owned()]);
    assert!(!call.contains("seed") && !call.contains("top_p"), "{call}");
}

fn read(dialect: Dialect, frames: &[&str]) -> String {
    let mut reader = Reader::new(dialect);
    let mut text = String::new();
    for frame in frames {
        match reader.read(frame) {
            Ok(pieces) => pieces.iter().for_each(|it| match it {
                Piece::Text(it) => text += it,
                Piece::Reasoning(it) => text.extend(["(", it, ")"]),
            }),
            Err(fault) => return format!("{text} {:?}: {}", fault.kind, fault.message),
        }
    }
    match reader.end() {
        Some((finish, usage)) => format!(
            "{text} {finish:?} {}/{}/{} over: {}",
            usage.prompt_tokens,
            usage.cached_tokens,
            usage.completion_tokens,
            reader.is_over()
        ),
        None => format!("{text} no end"),
    }
}

#[test]
fn answers_that_come_at_once_are_read_too() {
    let usage = r#""usage":{"prompt_tokens":9,"completion_tokens":4}"#;
    let openai = format!(
        r#"{{"choices":[{{"message":{{"content":"yes","reasoning":"hm"}},"finish_reason":"length"}}],{usage}}}"#
    );
    assert_eq!(read(Dialect::OpenAi, &[&openai]), "(hm)yes Length 9/0/4 over: true");
    let anthropic = r#"{"type":"message","content":[{"type":"text","text":"Sure: "},{"type":"tool_use","input":{"a":1}}],"stop_reason":"tool_use","usage":{"input_tokens":9,"output_tokens":4}}"#;
    assert_eq!(read(Dialect::Anthropic, &[anthropic]), r#"{"a":1} Stop 9/0/4 over: true"#);
    let prose =
        r#"{"type":"message","content":[{"type":"text","text":"yes"}],"stop_reason":"max_tokens"}"#;
    assert_eq!(read(Dialect::Anthropic, &[prose]), "yes Length 0/0/0 over: true");
}

#[test]
fn errors_in_the_middle_of_a_stream_are_told() {
    let begun = r#"{"choices":[{"delta":{"content":"yes"}}]}"#;
    for (frame, expected) in [
        (r#"{"error":"out of memory"}"#, "yes Broken: out of memory"),
        (r#"{"error":{"message":"later","code":"rate_limit_exceeded"}}"#, "yes Busy: later"),
        (r#"{"choices":[{"delta":{"refusal":"no"}}]}"#, "yes Refused: no"),
        (
            r#"{"choices":[{"delta":{},"finish_reason":"error"}]}"#,
            "yes Broken: it stopped because of an error",
        ),
        (
            r#"{"choices":[{"delta":{},"finish_reason":"content_filter"}]}"#,
            "yes Refused: its content filter stopped the answer",
        ),
        ("[DONE]", "yes no end"),
    ] {
        assert_eq!(read(Dialect::OpenAi, &[begun, frame]), expected);
    }
    assert!(read(Dialect::OpenAi, &[begun, "<html>"]).contains("Broken: it sent what is not JSON"));
    assert!(
        read(Dialect::OpenAi, &[r#"{"choices":7}"#]).contains("what the protocol does not have")
    );
    let overloaded = r#"{"type":"error","error":{"type":"overloaded_error","message":"later"}}"#;
    assert_eq!(read(Dialect::Anthropic, &[overloaded]), " Busy: later");
    let refusal = r#"{"type":"message_delta","delta":{"stop_reason":"refusal"}}"#;
    assert_eq!(read(Dialect::Anthropic, &[refusal]), " Refused: the model refuses to answer");
    let unload = r#"{"message":{"content":""},"done":true,"done_reason":"unload"}"#;
    assert!(read(Dialect::Ollama, &[unload]).contains("Broken"));
    let blocked = r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#;
    assert_eq!(read(Dialect::Google, &[blocked]), " Refused: the prompt was blocked: SAFETY");
    let stopped = r#"{"candidates":[{"finishReason":"RECITATION"}]}"#;
    assert_eq!(read(Dialect::Google, &[stopped]), " Refused: it stopped the answer: RECITATION");
}

#[test]
fn faults_are_sorted_by_what_can_be_done() {
    for (status, body, expected) in [
        (400, r#"{"error":{"message":"bad","param":"seed"}}"#, "Refused bad seed"),
        (422, r#"{"detail":[{"loc":["body","top_p"],"msg":"extra"}]}"#, "Refused extra top_p"),
        (
            400,
            r#"{"error":{"message":"long","type":"exceed_context_size_error","n_prompt_tokens":9,"n_ctx":5}}"#,
            "ContextOverflow long  (9, 5)",
        ),
        (
            400,
            r#"{"error":"the input length exceeds the context length"}"#,
            "ContextOverflow the input length exceeds the context length ",
        ),
        (
            400,
            r#"{"error":{"message":"m","code":"context_length_exceeded"}}"#,
            "ContextOverflow m ",
        ),
        (
            400,
            r#"[{"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT"}}]"#,
            "Refused bad ",
        ),
        (401, r#"{"error":{"message":"who?"}}"#, "Unauthorized who? "),
        (403, "", "Unauthorized status 403 "),
        (404, r#"{"error":"model 'm' not found"}"#, "ModelMissing model 'm' not found "),
        (404, "<html>", "Absent status 404 "),
        (429, "slow down", "Busy status 429: slow down "),
        (503, r#"{"error":{"code":503,"message":"Loading model"}}"#, "Busy Loading model "),
        (500, r#"{"error":{"message":"boom"}}"#, "Broken boom "),
        (500, r#"{"error":{"message":"no response_format"}}"#, "Refused no response_format "),
        (504, "", "Broken status 504 "),
    ] {
        let fault = Fault::of_answer(status, None, body);
        let field = fault.field.unwrap_or_default();
        let tokens = fault.tokens.map(|it| format!(" {it:?}")).unwrap_or_default();
        assert_eq!(format!("{:?} {} {field}{tokens}", fault.kind, fault.message), expected);
    }
}

#[test]
fn only_closed_schemas_are_asked_for_strictly() {
    for (schema, expected) in [
        (json!({"type": "string"}), true),
        (json!({"type": "array", "items": {"type": "string"}}), true),
        (json!({"type": "array", "items": {"type": "object"}}), false),
        (json!({"type": "string", "minLength": 3}), false),
        (
            json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}),
            false,
        ),
        (
            json!({"type": "object", "properties": {"a": {}}, "required": [], "additionalProperties": false}),
            false,
        ),
        (json!({"anyOf": [{"type": "null"}, {"type": "integer"}]}), true),
    ] {
        assert_eq!(schema::is_strict(&schema), expected, "{schema}");
    }
}
