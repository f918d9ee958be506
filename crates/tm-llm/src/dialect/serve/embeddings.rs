//! Embeddings as OpenAI's and Ollama's clients ask for them.
//!
//! The Python client of OpenAI asks for base64 unless it is told otherwise.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ClientError, body, content::OneOrMany, ollama::KeepAlive};
use crate::embed::Embeddings;

/// What a client wants to have turned into vectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbedCall {
    /// The model as the client names it.
    pub model: String,
    pub texts: Vec<String>,
    pub dimensions: Option<u32>,
    /// How long the model is to stay in memory afterwards, where the client says so.
    pub keep_alive: Option<KeepAlive>,
    form: Form,
}

/// How the vectors are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Numbers,
    Base64,
    Ollama,
    /// Ollama's first way: one vector.
    OllamaOne,
}

#[derive(Debug, Deserialize)]
struct OpenAiBody {
    model: String,
    input: Value,
    dimensions: Option<u32>,
    encoding_format: Option<String>,
}

#[derive(Debug, Deserialize)]
struct OllamaBody {
    model: String,
    input: OneOrMany,
    dimensions: Option<u32>,
    keep_alive: Option<KeepAlive>,
}

#[derive(Debug, Deserialize)]
struct OllamaOneBody {
    model: String,
    prompt: String,
    keep_alive: Option<KeepAlive>,
}

/// Reads the body of `/v1/embeddings`.
pub fn read_openai(bytes: &[u8]) -> Result<EmbedCall, ClientError> {
    let body: OpenAiBody = body(bytes)?;
    let input: OneOrMany = serde_json::from_value(body.input).map_err(|_| {
        ClientError::invalid("`input` is a text or a list of texts: tokens differ between models")
    })?;
    let form = match body.encoding_format.as_deref() {
        None | Some("float") => Form::Numbers,
        Some("base64") => Form::Base64,
        Some(other) => {
            return Err(ClientError::invalid(format!("`{other}` is no encoding of vectors")));
        }
    };
    call(body.model, input.into_vec(), body.dimensions, form)
}

/// Reads the body of `/api/embed`.
pub fn read_ollama(bytes: &[u8]) -> Result<EmbedCall, ClientError> {
    let body: OllamaBody = body(bytes)?;
    let call = call(body.model, body.input.into_vec(), body.dimensions, Form::Ollama)?;
    Ok(EmbedCall { keep_alive: body.keep_alive, ..call })
}

/// Reads the body of `/api/embeddings`.
pub fn read_ollama_one(bytes: &[u8]) -> Result<EmbedCall, ClientError> {
    let body: OllamaOneBody = body(bytes)?;
    let call = call(body.model, vec![body.prompt], None, Form::OllamaOne)?;
    Ok(EmbedCall { keep_alive: body.keep_alive, ..call })
}

fn call(
    model: String,
    texts: Vec<String>,
    dimensions: Option<u32>,
    form: Form,
) -> Result<EmbedCall, ClientError> {
    if texts.is_empty() || texts.iter().any(String::is_empty) {
        return Err(ClientError::invalid("there is no text to turn into a vector"));
    }
    Ok(EmbedCall { model, texts, dimensions, keep_alive: None, form })
}

impl EmbedCall {
    /// The answer, as whoever asked reads it.
    pub fn answer(&self, embeddings: &Embeddings) -> Value {
        let Embeddings { vectors, prompt_tokens } = embeddings;
        match self.form {
            Form::Ollama => json!({
                "model": self.model, "embeddings": vectors, "prompt_eval_count": prompt_tokens
            }),
            Form::OllamaOne => json!({"embedding": vectors.first()}),
            Form::Numbers | Form::Base64 => {
                let data: Vec<Value> = vectors
                    .iter()
                    .enumerate()
                    .map(|(index, vector)| {
                        let vector = self.vector(vector);
                        json!({"object": "embedding", "index": index, "embedding": vector})
                    })
                    .collect();
                json!({
                    "object": "list", "model": self.model, "data": data,
                    "usage": {"prompt_tokens": prompt_tokens, "total_tokens": prompt_tokens}
                })
            }
        }
    }

    fn vector(&self, vector: &[f32]) -> Value {
        if self.form == Form::Base64 {
            let bytes: Vec<u8> = vector.iter().flat_map(|it| it.to_le_bytes()).collect();
            return STANDARD.encode(bytes).into();
        }
        json!(vector)
    }
}

#[cfg(test)]
mod tests;
