//! Texts as vectors.
//!
//! Vectors of two models cannot be compared, so nobody stands in for the model that was asked.
//! Plain data; [`Backend::embed`](crate::backend::Backend::embed) makes it.

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
