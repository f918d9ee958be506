//! Embeddings, which every protocol but Anthropic's has.
//!
//! Cutting long texts is forbidden where it would be done without a word. Formats:
//! <https://platform.openai.com/docs/api-reference/embeddings>,
//! <https://github.com/ollama/ollama/blob/main/docs/api.md>,
//! <https://ai.google.dev/api/embeddings>.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Dialect, Fault, parse, typed};
use crate::embed::{EmbedRequest, Embeddings};

/// What to send; nothing when the protocol has no embeddings.
pub(super) fn call(dialect: Dialect, model: &str, request: &EmbedRequest) -> Option<Call> {
    let EmbedRequest { texts, dimensions, .. } = request;
    let (path, mut body) = match dialect {
        Dialect::OpenAi => {
            let body = json!({"model": model, "input": texts, "encoding_format": "float"});
            ("/embeddings".to_owned(), body)
        }
        Dialect::Ollama => {
            ("/embed".to_owned(), json!({"model": model, "input": texts, "truncate": false}))
        }
        Dialect::Google => {
            let name = format!("models/{model}");
            let requests: Vec<Value> = texts
                .iter()
                .map(|text| {
                    let mut one = json!({"model": name, "content": {"parts": [{"text": text}]}});
                    if let Some(dimensions) = dimensions {
                        one["outputDimensionality"] = json!(dimensions);
                    }
                    one
                })
                .collect();
            (format!("/{name}:batchEmbedContents"), json!({ "requests": requests }))
        }
        Dialect::Anthropic => return None,
    };
    if let (Some(dimensions), Dialect::OpenAi | Dialect::Ollama) = (dimensions, dialect) {
        body["dimensions"] = json!(dimensions);
    }
    Some(Call { path, body })
}

#[derive(Debug, Deserialize)]
struct OpenAiBody {
    data: Vec<OpenAiVector>,
    usage: Option<OpenAiUsage>,
}

#[derive(Debug, Deserialize)]
struct OpenAiVector {
    #[serde(default)]
    index: usize,
    embedding: Vec<f32>,
}

#[derive(Debug, Deserialize)]
struct OpenAiUsage {
    #[serde(default)]
    prompt_tokens: u32,
}

#[derive(Debug, Deserialize)]
struct OllamaBody {
    embeddings: Vec<Vec<f32>>,
    #[serde(default)]
    prompt_eval_count: u32,
}

#[derive(Debug, Deserialize)]
struct GoogleBody {
    embeddings: Vec<GoogleVector>,
}

#[derive(Debug, Deserialize)]
struct GoogleVector {
    values: Vec<f32>,
}

/// What a server answered to a request for `wanted` vectors.
pub(super) fn read(dialect: Dialect, body: &str, wanted: usize) -> Result<Embeddings, Fault> {
    let value = parse(body)?;
    let read = match dialect {
        Dialect::OpenAi => {
            let mut body: OpenAiBody = typed(value)?;
            body.data.sort_by_key(|it| it.index);
            Embeddings {
                vectors: body.data.into_iter().map(|it| it.embedding).collect(),
                prompt_tokens: body.usage.map_or(0, |it| it.prompt_tokens),
            }
        }
        Dialect::Ollama => {
            let body: OllamaBody = typed(value)?;
            Embeddings { vectors: body.embeddings, prompt_tokens: body.prompt_eval_count }
        }
        Dialect::Google => {
            let body: GoogleBody = typed(value)?;
            let vectors = body.embeddings.into_iter().map(|it| it.values).collect();
            Embeddings { vectors, prompt_tokens: 0 }
        }
        Dialect::Anthropic => Embeddings::default(),
    };
    let dimensions = read.vectors.first().map_or(0, Vec::len);
    let is_whole = read.vectors.len() == wanted
        && dimensions > 0
        && read.vectors.iter().all(|it| it.len() == dimensions);
    let count = read.vectors.len();
    let fault = || Fault::garbage(format!("it gave {count} vectors for {wanted} texts"));
    if is_whole { Ok(read) } else { Err(fault()) }
}
