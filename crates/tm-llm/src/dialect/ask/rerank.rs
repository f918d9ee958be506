//! How well texts answer a question, which servers with OpenAI's protocol have beside it.
//!
//! The form is Cohere's and Jina's: the servers of llama.cpp (with `--reranking`), `LocalAI` and vLLM
//! have it at `/v1/rerank`. Scores are probabilities or any numbers, and the best come first.
//! Formats: <https://github.com/ggml-org/llama.cpp/tree/master/tools/server>,
//! <https://localai.io/features/reranker/>,
//! <https://docs.vllm.ai/en/stable/serving/openai_compatible_server/>.

use serde::Deserialize;
use serde_json::json;

use super::{Call, Dialect, Fault, parse, typed};
use crate::embed::{Relevances, RerankRequest};

/// What to send; nothing when the protocol has nothing like it.
pub(super) fn call(dialect: Dialect, model: &str, request: &RerankRequest) -> Option<Call> {
    let RerankRequest { question, texts, .. } = request;
    match dialect {
        Dialect::OpenAi => Some(Call {
            path: "/rerank".to_owned(),
            // Some give back fewer when nobody says how many.
            body: json!({
                "model": model, "query": question, "documents": texts, "top_n": texts.len(),
            }),
        }),
        Dialect::Ollama | Dialect::Google | Dialect::Anthropic => None,
    }
}

#[derive(Debug, Deserialize)]
struct Body {
    results: Vec<Scored>,
    usage: Option<Usage>,
}

#[derive(Debug, Deserialize)]
struct Scored {
    index: usize,
    relevance_score: f32,
}

#[derive(Debug, Deserialize)]
struct Usage {
    #[serde(default)]
    total_tokens: u32,
}

/// What a server answered to a request for `wanted` scores.
pub(super) fn read(body: &str, wanted: usize) -> Result<Relevances, Fault> {
    let body: Body = typed(parse(body)?)?;
    let mut scores = vec![None; wanted];
    for Scored { index, relevance_score } in &body.results {
        if let Some(score) = scores.get_mut(*index) {
            *score = Some(*relevance_score).filter(|it| it.is_finite());
        }
    }
    let known: Option<Vec<f32>> = scores.into_iter().collect();
    let fault = || Fault::garbage(format!("it did not give a score for each of {wanted} texts"));
    let prompt_tokens = body.usage.map_or(0, |it| it.total_tokens);
    known.map(|scores| Relevances { scores, prompt_tokens }).ok_or_else(fault)
}
