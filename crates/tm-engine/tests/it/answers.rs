//! What an answer is.

use futures_util::{StreamExt as _, future};
use serde_json::{Value, json};
use tm_engine::{Engine, EngineOptions};
use tm_llm::{
    backend::{Backend as _, BackendError},
    chat::{ChatEvent, FinishReason, Sampling},
};

use crate::{ask, document, engine, model_file, request};

fn plan() -> Value {
    json!({
        "type": "object",
        "properties": {
            "id": { "const": 1 },
            "title": { "type": "string", "minLength": 4, "maxLength": 40 },
            "priority": { "enum": ["high", "medium", "low"] },
            "dependencies": { "type": "array", "items": { "enum": [2, 3] }, "maxItems": 2 }
        },
        "required": ["id", "title", "priority", "dependencies"],
        "additionalProperties": false
    })
}

#[track_caller]
fn assert_fits(schema: &Value, text: &str) {
    let answer: Value =
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let errors: Vec<_> = jsonschema::validator_for(schema)
        .unwrap()
        .iter_errors(&answer)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?} in {text}");
}

#[tokio::test]
async fn an_answer_fits_its_schema() {
    let Some(engine) = engine(2) else { return };
    for seed in 0..3 {
        let mut request = request("Plan a shop.", Some(plan()), 200);
        request.sampling = Sampling { temperature: 1.0, seed, ..Sampling::default() };
        let answer = ask(&engine, request).await.unwrap();
        assert_fits(&plan(), &answer.text);
        assert_eq!(answer.finish, FinishReason::Stop);
        assert!(answer.usage.completion_tokens > 10);
    }
}

#[tokio::test]
async fn answers_made_together_fit_their_schemas_and_all_requests_are_served() {
    let Some(engine) = engine(4) else { return };
    let requests = (0..10).map(|number| {
        let user = format!("Plan shop number {number}.");
        ask(&engine, request(&user, Some(plan()), 200))
    });
    for answer in future::join_all(requests).await {
        assert_fits(&plan(), &answer.unwrap().text);
    }
}

#[tokio::test]
async fn a_text_that_the_schema_forces_arrives_character_for_character() {
    let Some(engine) = engine(1) else { return };
    let text = "na\u{ef}ve \u{1f980}\u{65e5}\u{672c} \u{1f468}\u{200d}\u{1f469} \u{e9}nd";
    let request = request("Say it.", Some(json!({ "const": text })), 200);
    let events: Vec<_> = engine.stream(request).await.unwrap().collect().await;
    let mut joined = String::new();
    let mut ends = 0;
    for event in events {
        match event.unwrap() {
            ChatEvent::Delta(delta) => joined.push_str(&delta),
            ChatEvent::Reasoning(thought) => panic!("it thinks: {thought}"),
            ChatEvent::Done { .. } => ends += 1,
        }
    }
    assert_eq!(serde_json::from_str::<Value>(&joined).unwrap(), json!(text));
    assert_eq!(ends, 1);
}

#[tokio::test]
async fn a_free_answer_ends_at_its_limit() {
    let Some(engine) = engine(1) else { return };
    let answer = ask(&engine, request("Count to a thousand.", None, 12)).await.unwrap();
    assert_eq!(answer.finish, FinishReason::Length);
    assert_eq!(answer.usage.completion_tokens, 12);
    assert!(!answer.text.is_empty());
}

#[tokio::test]
async fn a_schema_bound_answer_ends_at_its_limit_too() {
    let Some(engine) = engine(1) else { return };
    let schema = json!({ "const": document(200) });
    let answer = ask(&engine, request("Say it.", Some(schema), 50)).await.unwrap();
    assert_eq!(answer.finish, FinishReason::Length);
    assert_eq!(answer.usage.completion_tokens, 50);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_answer() {
    let mut texts = Vec::new();
    for seed in [5, 5, 6] {
        // A new engine each time: what is held from before may change the last digits.
        let Some(engine) = engine(1) else { return };
        let mut request = request("Tell a story.", None, 30);
        request.sampling = Sampling { temperature: 1.0, seed, ..Sampling::default() };
        texts.push(ask(&engine, request).await.unwrap().text);
    }
    assert_eq!(texts[0], texts[1]);
    assert_ne!(texts[0], texts[2]);
}

/// What the model says freely may differ in its last digits, and so in its words: llama.cpp
/// computes one token in another way than several.
#[tokio::test]
async fn guessing_ahead_adds_and_loses_nothing() {
    let Some(file) = model_file() else { return };
    let item = json!({
        "type": "object",
        "properties": { "name": { "const": "the same again" }, "kind": { "enum": ["a", "b"] } },
        "required": ["name", "kind"],
        "additionalProperties": false
    });
    let schema = json!({ "type": "array", "items": item, "minItems": 30, "maxItems": 30 });
    for speculate in [false, true] {
        let options = EngineOptions { speculate, ..EngineOptions::default() };
        let engine = Engine::load(&file, &options).unwrap();
        let answer = ask(&engine, request("List.", Some(schema.clone()), 2000)).await.unwrap();
        assert_fits(&schema, &answer.text);
        let tokens = engine.count_tokens(&answer.text);
        let counted = answer.usage.completion_tokens;
        assert!(counted.abs_diff(tokens) * 10 < tokens, "{counted} for {tokens}");
    }
}

#[tokio::test]
async fn a_schema_that_means_nothing_is_refused_with_the_reason() {
    let Some(engine) = engine(1) else { return };
    let schema = json!({ "type": "object", "properties": { "a": { "type": "strin" } } });
    let error = ask(&engine, request("Hi", Some(schema), 10)).await.unwrap_err();
    match error {
        BackendError::Refused { reason, .. } => assert!(reason.contains("strin"), "{reason}"),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_large_schema_is_no_burden() {
    let Some(engine) = engine(1) else { return };
    let names: Vec<_> = (0..500).map(|number| format!("requirement-{number}")).collect();
    let schema = json!({
        "type": "object",
        "properties": {
            "about": { "type": "array", "items": { "enum": names }, "minItems": 2, "maxItems": 4 },
            "details": { "type": "string", "minLength": 20, "maxLength": 800 }
        },
        "required": ["about", "details"],
        "additionalProperties": false
    });
    let answer = ask(&engine, request("Plan.", Some(schema.clone()), 400)).await.unwrap();
    if answer.finish == FinishReason::Stop {
        assert_fits(&schema, &answer.text);
    }
}
