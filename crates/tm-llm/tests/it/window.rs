//! A prompt that is longer than the window: counted, moved or refused, and never cut unnoticed,
//! whatever kind of server it is.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tm_llm::{
    backend::{
        Backend, BackendError, complete,
        remote::{Patience, RemoteBackend, Server},
    },
    chat::{ChatRequest, Message, Sampling},
    egress::guard::Guard,
    failover::{Candidate, Failover},
    provider,
};
use tm_testkit::{
    model::{Reply, ScriptedModel},
    server::{Answer, Received, ScriptedServer},
};

/// The window of every server here, in tokens. A word is a token.
const WINDOW: usize = 4000;

/// What a server does with what is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// It says so.
    Refuses,
    /// It reads the end of it, and says how much it has read.
    Cuts,
    /// The same, and says nothing.
    CutsInSilence,
}

#[derive(Debug, Clone, Copy)]
struct Kind {
    name: &'static str,
    provider: &'static str,
    manner: Manner,
    /// It can be asked how long a prompt is.
    counts: bool,
    /// It says how much it holds.
    tells: bool,
}

const KINDS: [Kind; 9] = [
    kind("ollama", "ollama", Manner::Refuses, false, true),
    kind("ollama before it could refuse", "ollama", Manner::Cuts, false, true),
    kind("lmstudio", "lmstudio", Manner::Cuts, false, true),
    kind("localai", "openai-compatible", Manner::Cuts, true, false),
    kind("webui", "openai-compatible", Manner::Cuts, true, false),
    kind("llama.cpp", "openai-compatible", Manner::Refuses, true, true),
    kind("vllm", "openai-compatible", Manner::Refuses, true, true),
    kind("compatible", "openai-compatible", Manner::Cuts, false, false),
    kind("lmstudio that says nothing", "lmstudio", Manner::CutsInSilence, false, true),
];

const fn kind(
    name: &'static str,
    provider: &'static str,
    manner: Manner,
    counts: bool,
    tells: bool,
) -> Kind {
    Kind { name, provider, manner, counts, tells }
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

/// What a server of this kind says.
fn answer(kind: Kind, received: &Received) -> Answer {
    let body = &received.body;
    let text = |name: &str| words(body[name].as_str().unwrap_or_default());
    let tokens = |count: usize| json!({"tokens": vec![1; count]});
    let messages = body["messages"].as_array().cloned().unwrap_or_default();
    let said: Vec<&str> = messages.iter().filter_map(|it| it["content"].as_str()).collect();
    let length: usize = said.iter().map(|it| words(it)).sum();
    let found = match (kind.name, received.line.as_str()) {
        (name, "POST /api/show") if name.starts_with("ollama") => {
            json!({"model_info": {"llama.context_length": WINDOW}})
        }
        (name, "GET /api/v0/models/m") if name.starts_with("lmstudio") => {
            json!({"loaded_context_length": WINDOW})
        }
        ("llama.cpp", "GET /props") => {
            json!({"default_generation_settings": {"n_ctx": WINDOW}, "total_slots": 1})
        }
        ("llama.cpp", "POST /apply-template") => json!({"prompt": said.join(" ")}),
        ("llama.cpp", "POST /tokenize") | ("localai", "POST /v1/tokenize") => {
            tokens(text("content"))
        }
        ("vllm", "GET /v1/models") => json!({"data": [{"id": "m", "max_model_len": WINDOW}]}),
        ("vllm", "POST /tokenize") => json!({"count": length, "max_model_len": WINDOW}),
        ("localai", "GET /.well-known/localai.json") => json!({"version": "3"}),
        ("webui", "GET /v1/internal/model/info") => json!({"model_name": "m"}),
        ("webui", "POST /v1/internal/token-count") => json!({"length": text("text")}),
        (_, "POST /v1/chat/completions" | "POST /api/chat") => return chat(kind, length),
        _ => return Answer::json(404, &Value::Null),
    };
    Answer::json(200, &found)
}

fn chat(kind: Kind, length: usize) -> Answer {
    if length >= WINDOW && kind.manner == Manner::Refuses {
        let message = if kind.provider == "ollama" {
            "the input length exceeds the context length".to_owned()
        } else {
            format!(
                "This model's maximum context length is {WINDOW} tokens. However, your request has \
                 {length} input tokens."
            )
        };
        return Answer::json(400, &json!({"error": {"message": message}}));
    }
    // Whole messages go first, then the rest of what does not fit.
    let read = if length >= WINDOW { WINDOW / 2 } else { length };
    if kind.provider == "ollama" {
        return Answer::json(
            200,
            &json!({
                "message": {"content": "read"}, "done": true, "done_reason": "stop",
                "prompt_eval_count": read, "eval_count": 1,
            }),
        );
    }
    let mut answer = json!({
        "choices": [{"message": {"content": "read"}, "finish_reason": "stop"}]
    });
    if kind.manner != Manner::CutsInSilence {
        answer["usage"] = json!({"prompt_tokens": read, "completion_tokens": 1});
    }
    Answer::json(200, &answer)
}

fn start(kind: Kind) -> ScriptedServer {
    ScriptedServer::start(move |received| answer(kind, received))
}

async fn open(kind: Kind, server: &ScriptedServer) -> RemoteBackend {
    open_with(kind, server, None).await
}

/// The same, and the user has said what it holds.
async fn open_with(
    kind: Kind,
    server: &ScriptedServer,
    context_window: Option<u32>,
) -> RemoteBackend {
    let provider = provider::find(kind.provider).unwrap();
    let url = provider.base_url(&format!("{}/v1", server.url()));
    let server = Server {
        provider,
        url,
        model: "m".to_owned(),
        key: None,
        temperature: None,
        max_tokens: None,
        context_window,
        patience: Patience::default(),
        audit: None,
    };
    RemoteBackend::open(server, Guard::default().client().unwrap()).await.unwrap()
}

fn request(words: usize) -> ChatRequest {
    ChatRequest {
        messages: vec![Message::system("Read all."), Message::user("word ".repeat(words))],
        response_schema: None,
        sampling: Sampling::default(),
        max_tokens: 50,
        deadline: Instant::now() + Duration::from_mins(1),
    }
}

#[tokio::test]
async fn a_prompt_that_fits_is_answered_by_every_kind_of_server() {
    for kind in KINDS {
        let server = start(kind);
        let backend = open(kind, &server).await;
        let answer = complete(&backend, request(1900), &|_| ()).await;
        assert_eq!(answer.unwrap().text, "read", "{}", kind.name);
    }
}

#[tokio::test]
async fn a_prompt_that_does_not_fit_is_an_error_with_both_numbers_at_every_kind_of_server() {
    for kind in KINDS {
        let server = start(kind);
        let backend = open(kind, &server).await;
        // A little too long, which only a count can tell, and far too long, which anybody can.
        for length in [WINDOW + 100, WINDOW * 20] {
            let error = complete(&backend, request(length), &|_| ()).await.unwrap_err();
            let BackendError::ContextOverflow { prompt_tokens, is_estimate, limit, .. } = &error
            else {
                panic!("{}: {error}", kind.name);
            };
            assert!(*prompt_tokens as usize >= length, "{} {length}: {error}", kind.name);
            assert!(*limit as usize <= WINDOW || !kind.tells, "{} {length}: {error}", kind.name);
            assert_eq!(error.to_string().contains("about"), *is_estimate, "{}", kind.name);
            let is_counted = kind.counts || (kind.manner == Manner::Refuses && length < WINDOW * 2);
            assert!(
                is_counted != *is_estimate || kind.provider == "ollama",
                "{}: {error}",
                kind.name
            );
        }
    }
}

#[tokio::test]
async fn a_prompt_that_only_an_estimate_finds_too_long_is_sent_where_it_would_be_refused() {
    // An estimate takes 2700 words for more than 4000 tokens.
    for kind in KINDS {
        let server = start(kind);
        let backend = open(kind, &server).await;
        let answer = complete(&backend, request(2700), &|_| ()).await;
        let is_sure = kind.counts || kind.manner == Manner::Refuses || !kind.tells;
        if is_sure || kind.provider == "ollama" {
            assert_eq!(answer.unwrap().text, "read", "{}", kind.name);
        } else {
            let error = answer.unwrap_err();
            assert!(
                matches!(error, BackendError::ContextOverflow { is_estimate: true, .. }),
                "{}: {error}",
                kind.name
            );
        }
    }
}

#[tokio::test]
async fn what_the_user_says_of_a_window_counts_where_the_server_says_nothing() {
    for kind in KINDS.into_iter().filter(|it| !it.tells) {
        let server = start(kind);
        let backend = open_with(kind, &server, Some(3000)).await;
        assert_eq!(backend.info().context_tokens, 3000, "{}", kind.name);
        assert_eq!(complete(&backend, request(1400), &|_| ()).await.unwrap().text, "read");
        let error = complete(&backend, request(3100), &|_| ()).await.unwrap_err();
        let BackendError::ContextOverflow { limit: 3000, is_estimate, .. } = error else {
            panic!("{}: {error}", kind.name);
        };
        assert_eq!(is_estimate, !kind.counts, "{}", kind.name);
        let sent = server.seen();
        let chats = sent.iter().filter(|it| it.line.ends_with("/chat/completions")).count();
        assert_eq!(chats, 1, "{}: what does not fit is not sent", kind.name);
    }
}

#[tokio::test]
async fn what_a_server_says_of_its_window_counts_more_than_what_the_user_says() {
    for kind in KINDS.into_iter().filter(|it| it.tells) {
        let server = start(kind);
        let tokens = open_with(kind, &server, Some(1_000_000)).await.info().context_tokens;
        assert_eq!(tokens as usize, WINDOW, "{}", kind.name);
        // Ollama is told how much to hold.
        let tokens = open_with(kind, &server, Some(3000)).await.info().context_tokens;
        let expected = if kind.provider == "ollama" { 3000 } else { WINDOW };
        assert_eq!(tokens as usize, expected, "{}", kind.name);
    }
}

#[tokio::test]
async fn a_prompt_is_moved_to_whoever_has_room_for_it() {
    for kind in KINDS {
        let server = start(kind);
        let small: Arc<dyn Backend> = Arc::new(open(kind, &server).await);
        let large = ScriptedModel::new(|_| Reply::Text("all of it".to_owned()));
        let large: Arc<dyn Backend> = Arc::new(large.with_context(1 << 20));
        let candidates = vec![Candidate::opened(small), Candidate::opened(large).with_rank(1)];
        let failover = Failover::unopened(candidates, Arc::new(|_| ()));
        let answer = complete(&failover, request(WINDOW * 20), &|_| ()).await;
        assert_eq!(answer.unwrap().text, "all of it", "{}", kind.name);
    }
}

#[tokio::test]
async fn whoever_has_the_most_room_says_how_long_a_prompt_may_be() {
    let model = |tokens| {
        let model = ScriptedModel::new(|_| Reply::Overflow).with_context(tokens);
        Candidate::opened(Arc::new(model) as Arc<dyn Backend>)
    };
    let candidates = vec![model(4096).with_rank(0), model(9000).with_rank(1), model(8192)];
    let failover = Failover::unopened(candidates, Arc::new(|_| ()));
    let error = complete(&failover, request(10), &|_| ()).await.unwrap_err();
    assert!(matches!(error, BackendError::ContextOverflow { limit: 9000, .. }), "{error}");
}
