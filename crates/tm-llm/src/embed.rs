//! Texts as numbers: as vectors, and by how well they answer a question.
//!
//! Vectors and scores of two models cannot be compared, so nobody stands in for the model that was
//! asked. Plain data; [`Backend::embed`](crate::backend::Backend::embed) and
//! [`Backend::rerank`](crate::backend::Backend::rerank) make it.

use std::time::Instant;

/// Texts to be turned into vectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbedRequest {
    pub texts: Vec<String>,
    /// How long the vectors shall be, where the model lets one choose.
    pub dimensions: Option<u32>,
    pub deadline: Instant,
}

/// A vector for each text, in their order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Embeddings {
    pub vectors: Vec<Vec<f32>>,
    pub prompt_tokens: u32,
}

/// Texts to be told how well they answer a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RerankRequest {
    pub question: String,
    pub texts: Vec<String>,
    pub deadline: Instant,
}

/// A score for each text, in their order: the higher, the better it answers. Only scores of one
/// answer can be compared.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Relevances {
    pub scores: Vec<f32>,
    pub prompt_tokens: u32,
}
