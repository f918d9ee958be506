//! Texts scored by servers, in the form that they have in common.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tm_llm::{
    backend::{
        Backend as _, BackendError,
        remote::{RemoteBackend, Server},
    },
    egress::guard::Guard,
    embed::{Relevances, RerankRequest},
    provider,
};
use tm_testkit::server::{Answer, ScriptedServer};

/// What comes of asking how well two texts answer, and the questions as the server saw them.
async fn rerank(provider: &str, answer: Answer) -> (Result<Relevances, BackendError>, Vec<Value>) {
    let mut answers = Some(answer);
    let server = ScriptedServer::start(move |received| {
        let answer = if received.line.contains("rerank") { answers.take() } else { None };
        answer.unwrap_or_else(|| Answer::json(404, &Value::Null))
    });
    let provider = provider::find(provider).unwrap();
    let at = Server::new(provider, provider.base_url(&server.url()), "m");
    let backend = RemoteBackend::open(at, Guard::default().client().unwrap()).await.unwrap();
    let request = RerankRequest {
        question: "q".to_owned(),
        texts: vec!["a".to_owned(), "b".to_owned()],
        deadline: Instant::now() + Duration::from_mins(1),
    };
    let ranked = backend.rerank(request).await;
    let asked = server.seen();
    let asked = asked.iter().filter(|it| it.line.contains("rerank"));
    (ranked, asked.map(|it| json!([it.line, it.body])).collect())
}

#[tokio::test]
async fn scores_are_in_the_order_of_the_texts_and_not_of_the_answer() {
    // LocalAI's and vLLM's, with the text again; llama.cpp's, whose scores are any numbers.
    for (answer, scores, prompt_tokens) in [
        (
            json!({"model": "m", "usage": {"total_tokens": 7, "prompt_tokens": 7}, "results": [
                {"index": 1, "document": {"text": "b"}, "relevance_score": 0.75},
                {"index": 0, "document": {"text": "a"}, "relevance_score": 0.25}]}),
            vec![0.25, 0.75],
            7,
        ),
        (
            json!({"object": "list", "results": [
                {"index": 0, "relevance_score": -3.5}, {"index": 1, "relevance_score": -11.0}]}),
            vec![-3.5, -11.0],
            0,
        ),
    ] {
        let (ranked, asked) = rerank("lmstudio", Answer::json(200, &answer)).await;
        assert_eq!(ranked.unwrap(), Relevances { scores, prompt_tokens });
        let body = json!({"model": "m", "query": "q", "documents": ["a", "b"], "top_n": 2});
        assert_eq!(asked, [json!(["POST /v1/rerank", body])]);
    }
}

#[tokio::test]
async fn a_server_that_ranks_nothing_says_so_and_half_an_answer_is_none() {
    let nothing = || Answer::json(200, &Value::Null);
    let (ranked, asked) = rerank("ollama", nothing()).await;
    assert!(matches!(ranked, Err(BackendError::NoReranking { .. })), "{ranked:?}");
    assert!(asked.is_empty());
    let error =
        json!({"error": {"message": "This server does not support reranking", "code": 501}});
    let (ranked, _) = rerank("lmstudio", Answer::json(501, &error)).await;
    let said = ranked.unwrap_err().to_string();
    assert!(said.contains("does not tell how well passages answer"), "{said}");
    for garbage in [
        json!({"results": [{"index": 0, "relevance_score": 1}]}),
        json!({"results": [{"index": 0, "relevance_score": 1}, {"index": 2, "relevance_score": 1}]}),
        json!({"results": [{"index": 0, "relevance_score": 1}, {"index": 1, "relevance_score": null}]}),
        json!("?"),
    ] {
        let (ranked, _) = rerank("lmstudio", Answer::json(200, &garbage)).await;
        assert!(matches!(ranked, Err(BackendError::Reported { .. })), "{ranked:?}");
    }
}
