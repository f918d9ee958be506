//! Models behind servers: each way to fail has a name.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tm_llm::{
    backend::{
        Backend as _, BackendError, complete,
        remote::{Key, Patience, RemoteBackend, Server},
    },
    chat::{ChatRequest, Message, Sampling},
    egress::guard::Guard,
    provider,
};
use tm_testkit::server::{Answer, Received, ScriptedServer};

fn request(schema: Option<Value>) -> ChatRequest {
    ChatRequest {
        messages: vec![Message::user("how many?")],
        response_schema: schema,
        sampling: Sampling::default(),
        max_tokens: 50,
        deadline: Instant::now() + Duration::from_mins(1),
    }
}

fn schema() -> Value {
    json!({"type": "object", "properties": {"count": {"type": "integer"}}})
}

fn at(url: &str, provider: &str) -> Server {
    let provider = provider::find(provider).unwrap();
    Server {
        provider,
        url: provider.base_url(url),
        model: "m".to_owned(),
        key: Some(Key::new("k")),
        temperature: None,
        max_tokens: None,
        context_window: None,
        patience: Patience::default(),
        audit: None,
    }
}

async fn open(server: Server) -> Result<RemoteBackend, BackendError> {
    RemoteBackend::open(server, Guard::default().client().unwrap()).await
}

async fn ask(server: Server, request: ChatRequest) -> String {
    let answer = match open(server).await {
        Ok(backend) => complete(&backend, request, &|_| ()).await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(completion) => completion.text,
        Err(error) => format!("{error:?}"),
    }
}

/// Answers questions with `answer`, and everything else with 404.
fn answering(mut answer: impl FnMut(&Received) -> Answer + Send + 'static) -> ScriptedServer {
    ScriptedServer::start(move |received| {
        if received.body["messages"].is_null() {
            return Answer::json(404, &Value::Null);
        }
        answer(received)
    })
}

const WHOLE: &str = concat!(
    "data: {\"choices\":[{\"delta\":{\"content\":\"{\\\"count\\\": \"}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"content\":\"3}\"},\"finish_reason\":\"stop\"}]}\n\n",
    "data: [DONE]\n\n",
);

async fn outcome(answer: Answer) -> String {
    let server = answering(move |_| answer.clone());
    ask(at(&server.url(), "lmstudio"), request(None)).await
}

#[tokio::test]
async fn an_answer_is_streamed_and_the_key_is_sent() {
    let server = answering(|_| Answer::events(WHOLE));
    assert_eq!(ask(at(&server.url(), "lmstudio"), request(None)).await, r#"{"count": 3}"#);
    let seen = server.seen();
    let asked = seen.iter().find(|it| it.line == "POST /v1/chat/completions").unwrap();
    assert_eq!(asked.headers["authorization"], "Bearer k");
}

#[tokio::test]
async fn every_fault_has_a_name() {
    let error = |text: &str| json!({"error": {"message": text}});
    for (answer, expected) in [
        (
            Answer::json(429, &error("x")).with_header("retry-after", "7"),
            "Busy { model: \"m\", retry_after: Some(7s) }",
        ),
        (Answer::json(401, &error("who?")), "Unauthorized { model: \"m\", reason: \"who?\" }"),
        (Answer::json(404, &error("none")), "ModelMissing { model: \"m\", server: "),
        (Answer::json(400, &error("no")), "Refused { model: \"m\", reason: \"no\" }"),
        (Answer::json(500, &error("boom")), "Reported { model: \"m\", reason: \"boom\" }"),
        (
            Answer::json(
                400,
                &json!({"error": {"type": "exceed_context_size_error", "n_prompt_tokens": 90, "n_ctx": 60}}),
            ),
            "ContextOverflow { model: \"m\", prompt_tokens: 90, is_estimate: false, answer_tokens: 50, limit: 60 }",
        ),
        (Answer::events(WHOLE).cut_after(90), "Broken { model: \"m\", reason: "),
        (
            Answer::events("data: {\"error\":{\"message\":\"boom\"}}\n\n"),
            "Reported { model: \"m\", reason: \"boom\" }",
        ),
        (
            Answer::events("<html>"),
            "Broken { model: \"m\", reason: \"the stream ended before the answer did\" }",
        ),
        (
            Answer::events("data: nonsense\n\n"),
            "Reported { model: \"m\", reason: \"it sent what is not JSON",
        ),
        (
            Answer::events(vec![b'x'; 5 << 20]),
            "Broken { model: \"m\", reason: \"a message of the stream is longer",
        ),
        (
            Answer::events("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"),
            "EmptyAnswer",
        ),
        (
            Answer::json(307, &Value::Null).with_header("location", "http://192.0.2.1/"),
            "NotLocal { model: \"m\", server: \"192.0.2.1\" }",
        ),
    ] {
        let outcome = outcome(answer).await;
        assert!(outcome.starts_with(expected), "{outcome}\n{expected}");
    }
}

#[tokio::test]
async fn nobody_there_and_nobody_local_are_told_apart() {
    let nobody = ask(at(&ScriptedServer::nobody(), "ollama"), request(None)).await;
    assert!(nobody.starts_with("Unreachable { model: \"m\""), "{nobody}");
    let elsewhere = ask(at("http://models.invalid", "lmstudio"), request(None)).await;
    assert!(!elsewhere.starts_with('{'), "{elsewhere}");
}

#[tokio::test]
async fn silence_ends_with_the_servers_patience_or_the_requests_deadline() {
    for stalled in
        [Answer::events(WHOLE).stalled_after(90), Answer::json(200, &json!({})).stalled_after(0)]
    {
        let server = answering(move |_| stalled.clone());
        let moment = Duration::from_millis(50);
        let patience = Patience { first: moment, next: moment };
        let impatient = Server { patience, ..at(&server.url(), "lmstudio") };
        let outcome = ask(impatient, request(None)).await;
        assert!(outcome.contains("said nothing for"), "{outcome}");
        let hurried =
            ChatRequest { deadline: Instant::now() + Duration::from_millis(300), ..request(None) };
        let outcome = ask(at(&server.url(), "lmstudio"), hurried).await;
        assert_eq!(outcome, "DeadlineExceeded { model: \"m\" }");
    }
}

#[tokio::test]
async fn what_a_server_refuses_is_learnt_once() {
    let server = answering(|received| {
        if received.body.get("seed").is_some() {
            return Answer::json(400, &json!({"error": {"message": "unknown", "param": "seed"}}));
        }
        match received.body["response_format"]["type"].as_str() {
            Some(kind) => Answer::json(400, &json!({"error": {"message": format!("no {kind}")}})),
            None => Answer::events(WHOLE),
        }
    });
    let backend = open(at(&server.url(), "openai-compatible")).await.unwrap();
    for _ in 0..2 {
        let answer = complete(&backend, request(Some(schema())), &|_| ()).await.unwrap();
        assert_eq!(answer.text, r#"{"count": 3}"#);
    }
    let asked = server.asked();
    let kind = |it: &Value| {
        let format = &it["response_format"];
        let beside = if format["schema"].is_object() { " beside" } else { "" };
        format!("{}{beside}", format["type"].as_str().unwrap_or("prompt"))
    };
    let kinds: Vec<String> = asked.iter().map(kind).collect();
    let expected =
        ["json_schema", "json_schema", "json_object beside", "json_object", "prompt", "prompt"];
    assert_eq!(kinds, expected);
}

/// As llama-cpp-python does: it fails where it should refuse, and enforces what is beside JSON mode.
#[tokio::test]
async fn a_server_that_wants_the_schema_beside_json_mode_gets_it_there() {
    let server = answering(|received| {
        if received.body["response_format"]["type"] == "json_schema" {
            let message = "1 validation error:\n  {'loc': ('body', 'response_format', 'type')}";
            return Answer::json(500, &json!({"error": {"message": message}}));
        }
        Answer::events(WHOLE)
    });
    let backend = open(at(&server.url(), "openai-compatible")).await.unwrap();
    for _ in 0..2 {
        complete(&backend, request(Some(schema())), &|_| ()).await.unwrap();
    }
    let asked = server.asked();
    assert_eq!(asked.len(), 3, "the second time it is known");
    let format = &asked[2]["response_format"];
    assert_eq!((&format["type"], &format["schema"]), (&json!("json_object"), &schema()));
    assert!(asked[2]["messages"].to_string().contains("JSON Schema"), "it may not know it");
}

#[tokio::test]
async fn a_request_that_no_form_helps_is_refused_for_its_first_reason() {
    let server = answering(|received| {
        let kind = received.body["response_format"]["type"].as_str().unwrap_or("prompt");
        Answer::json(400, &json!({"error": {"message": format!("no {kind}")}}))
    });
    let outcome = ask(at(&server.url(), "lmstudio"), request(Some(schema()))).await;
    assert_eq!(outcome, "Refused { model: \"m\", reason: \"no json_schema\" }");
}

#[tokio::test]
async fn ollama_is_told_its_window_and_never_cuts_silently() {
    let server = ScriptedServer::start(|received| {
        if received.line == "POST /api/show" {
            return Answer::json(200, &json!({"model_info": {"llama.context_length": 8192}}));
        }
        Answer::json(
            200,
            &json!({
                "message": {"content": "half"}, "done": true, "done_reason": "length",
                "prompt_eval_count": 4080, "eval_count": 16,
            }),
        )
    });
    let backend = open(at(&server.url(), "ollama")).await.unwrap();
    assert_eq!(backend.info().context_tokens, 8192);
    let error = complete(&backend, request(None), &|_| ()).await.unwrap_err();
    assert!(matches!(error, BackendError::ContextOverflow { limit: 4096, .. }), "{error:?}");
    let options = &server.asked()[0]["options"];
    assert_eq!((&options["num_ctx"], &options["num_predict"]), (&json!(4096), &json!(50)));

    let long = "word ".repeat(5000);
    let longer = ChatRequest { messages: vec![Message::user(long.as_str())], ..request(None) };
    complete(&backend, longer, &|_| ()).await.unwrap_err();
    assert_eq!(server.asked()[1]["options"]["num_ctx"], 8192);

    let endless = ChatRequest { messages: vec![Message::user(long.repeat(4))], ..request(None) };
    let error = complete(&backend, endless, &|_| ()).await.unwrap_err();
    assert!(matches!(error, BackendError::ContextOverflow { limit: 8192, .. }), "{error:?}");
    assert_eq!(server.asked().len(), 2, "it was not asked");
}

#[tokio::test]
async fn servers_tell_their_context_in_their_own_ways() {
    for (provider, path, told, expected) in [
        (
            "openai-compatible",
            "GET /v1/models",
            json!({"data": [{"id": "m", "max_model_len": 5000}]}),
            5000,
        ),
        (
            "openai-compatible",
            "GET /props",
            json!({"default_generation_settings": {"n_ctx": 6000}, "total_slots": 2}),
            6000,
        ),
        ("lmstudio", "GET /api/v0/models/m", json!({"loaded_context_length": 7000}), 7000),
        ("lmstudio", "GET /nothing", json!({}), 16_384),
    ] {
        let server = ScriptedServer::start(move |received| {
            if received.line == path {
                Answer::json(200, &told)
            } else {
                Answer::json(404, &json!({}))
            }
        });
        let backend = open(at(&format!("{}/v1", server.url()), provider)).await.unwrap();
        assert_eq!(backend.info().context_tokens, expected, "{path}");
        assert!(backend.info().whole_answers);
    }
}

#[tokio::test]
async fn the_roles_settings_count() {
    let server = answering(|_| Answer::events(WHOLE));
    let strict = Server {
        temperature: Some(0.0),
        max_tokens: Some(20),
        ..at(&server.url(), "openai-compatible")
    };
    ask(strict, request(None)).await;
    let asked = &server.asked()[0];
    assert_eq!((&asked["temperature"], &asked["max_tokens"]), (&json!(0.0), &json!(20)));
}

#[tokio::test]
async fn what_cannot_be_noted_is_not_sent() {
    let server = answering(|_| Answer::events(WHOLE));
    let full = Server {
        audit: Some(Arc::new(|_| Err(io::Error::other("disk full")))),
        ..at(&server.url(), "openai-compatible")
    };
    let outcome = ask(full, request(None)).await;
    assert!(outcome.contains("cannot be noted in the audit log: disk full"), "{outcome}");
    assert!(server.seen().is_empty());
}
