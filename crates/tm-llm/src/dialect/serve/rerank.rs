//! How well texts answer a question, as clients of Cohere and Jina ask for it.
//!
//! Servers that run such models on one's own machine are asked in the same form: see
//! `dialect::ask::rerank`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{ClientError, body};
use crate::embed::Relevances;

/// Which texts a client wants to have put in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RerankCall {
    /// The model as the client names it.
    pub model: String,
    pub question: String,
    pub texts: Vec<String>,
    most: usize,
    gives_texts: bool,
}

#[derive(Debug, Deserialize)]
struct Body {
    #[serde(default)]
    model: String,
    query: String,
    documents: Vec<Document>,
    top_n: Option<usize>,
    #[serde(default)]
    return_documents: bool,
}

/// A text, or an object that has one.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Document {
    Text(String),
    Object { text: String },
}

/// Reads the body of `/v1/rerank`.
pub fn read(bytes: &[u8]) -> Result<RerankCall, ClientError> {
    let Body { model, query: question, documents, top_n, return_documents } = body(bytes)?;
    if question.is_empty() || documents.is_empty() {
        return Err(ClientError::invalid("there is no question, or no text that may answer it"));
    }
    if top_n == Some(0) {
        return Err(ClientError::invalid("`top_n` is 0: nothing would be answered"));
    }
    let texts: Vec<String> = documents
        .into_iter()
        .map(|it| match it {
            Document::Text(text) | Document::Object { text } => text,
        })
        .collect();
    let most = top_n.unwrap_or(texts.len());
    Ok(RerankCall { model, question, texts, most, gives_texts: return_documents })
}

impl RerankCall {
    /// The answer, as whoever asked reads it: the best first.
    pub fn answer(&self, id: &str, relevances: &Relevances) -> Value {
        let Relevances { scores, prompt_tokens } = relevances;
        let mut order: Vec<(usize, f32)> = scores.iter().copied().enumerate().collect();
        order.sort_by(|(_, left), (_, right)| right.total_cmp(left));
        let result = |(index, score): &(usize, f32)| {
            let mut result = json!({"index": index, "relevance_score": score});
            if self.gives_texts {
                result["document"] = json!({"text": self.texts.get(*index)});
            }
            result
        };
        let results: Vec<Value> = order.iter().take(self.most).map(result).collect();
        json!({
            "id": id, "object": "list", "model": self.model, "results": results,
            "usage": {"prompt_tokens": prompt_tokens, "total_tokens": prompt_tokens}
        })
    }
}

#[cfg(test)]
mod tests;
