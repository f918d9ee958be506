//! Vectors from servers, in each protocol that has them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tm_llm::{
    backend::{
        Backend as _, BackendError,
        remote::{RemoteBackend, Server},
    },
    egress::guard::Guard,
    embed::{EmbedRequest, Embeddings},
    provider,
};
use tm_testkit::server::{Answer, ScriptedServer};

/// What comes of asking for two vectors, and the question as the server saw it.
async fn embed(provider: &str, answer: Answer) -> (Result<Embeddings, BackendError>, Vec<Value>) {
    let mut answers = Some(answer);
    let server = ScriptedServer::start(move |received| {
        let is_asked = received.line.starts_with("POST") && !received.line.ends_with("/show");
        let answer = if is_asked { answers.take() } else { None };
        answer.unwrap_or_else(|| Answer::json(404, &Value::Null))
    });
    let provider = provider::find(provider).unwrap();
    let at = Server::new(provider, provider.base_url(&server.url()), "m");
    let backend = RemoteBackend::open(at, Guard::default().client().unwrap()).await.unwrap();
    let request = EmbedRequest {
        texts: vec!["a".to_owned(), "b".to_owned()],
        dimensions: Some(2),
        deadline: Instant::now() + Duration::from_mins(1),
    };
    let embedded = backend.embed(request).await;
    let asked = |it: &tm_testkit::server::Received| {
        it.line.contains("mbed").then(|| json!([it.line, it.body]))
    };
    (embedded, server.seen().iter().filter_map(asked).collect())
}

fn vectors(tokens: u32) -> Embeddings {
    Embeddings { vectors: vec![vec![1.0, 0.0], vec![0.0, 1.0]], prompt_tokens: tokens }
}

#[tokio::test]
async fn each_protocol_has_its_own_way_of_asking_for_vectors() {
    // The order is told, and not that of the list.
    let answer = json!({
        "data": [{"index": 1, "embedding": [0, 1]}, {"index": 0, "embedding": [1, 0]}],
        "usage": {"prompt_tokens": 2, "total_tokens": 2}
    });
    let (embedded, asked) = embed("lmstudio", Answer::json(200, &answer)).await;
    assert_eq!(embedded.unwrap(), vectors(2));
    let body = json!({
        "model": "m", "input": ["a", "b"], "encoding_format": "float", "dimensions": 2
    });
    assert_eq!(asked, [json!(["POST /v1/embeddings", body])]);

    let answer = json!({"embeddings": [[1, 0], [0, 1]], "prompt_eval_count": 3});
    let (embedded, asked) = embed("ollama", Answer::json(200, &answer)).await;
    assert_eq!(embedded.unwrap(), vectors(3));
    let body = json!({"model": "m", "input": ["a", "b"], "truncate": false, "dimensions": 2});
    assert_eq!(asked, [json!(["POST /api/embed", body])]);

    let answer = json!({"embeddings": [{"values": [1, 0]}, {"values": [0, 1]}]});
    let (embedded, asked) = embed("google", Answer::json(200, &answer)).await;
    assert_eq!(embedded.unwrap(), vectors(0));
    assert_eq!(asked[0][1]["requests"][1]["content"]["parts"][0]["text"], "b");
}

#[tokio::test]
async fn a_server_without_embeddings_is_told_from_one_that_fails() {
    let nothing = || Answer::json(200, &Value::Null);
    let (embedded, asked) = embed("anthropic", nothing()).await;
    assert!(matches!(embedded, Err(BackendError::NoEmbeddings { .. })), "{embedded:?}");
    assert!(asked.is_empty());
    let longer = json!({"data": [{"embedding": [1, 0, 0]}, {"index": 1, "embedding": [0, 1, 0]}]});
    let (embedded, _) = embed("lmstudio", Answer::json(200, &longer)).await;
    let error = embedded.unwrap_err().to_string();
    assert!(error.contains("vectors of 3 numbers, and not of 2"), "{error}");
    let error = json!({"error": {"message": "start it with --embeddings", "code": 501}});
    let (embedded, _) = embed("lmstudio", Answer::json(501, &error)).await;
    assert!(matches!(embedded, Err(BackendError::NoEmbeddings { .. })), "{embedded:?}");
    let error = json!({"error": {"message": "the input exceeds the context length"}});
    let (embedded, _) = embed("ollama", Answer::json(400, &error)).await;
    assert!(matches!(embedded, Err(BackendError::ContextOverflow { .. })), "{embedded:?}");
    for garbage in [
        json!({"data": [{"embedding": [1]}]}),
        json!({"data": [{"embedding": [1]}, {"embedding": [1, 2]}]}),
        json!({"data": [{"embedding": []}, {"embedding": []}]}),
        json!("?"),
    ] {
        let (embedded, _) = embed("lmstudio", Answer::json(200, &garbage)).await;
        assert!(matches!(embedded, Err(BackendError::Reported { .. })), "{embedded:?}");
    }
}
