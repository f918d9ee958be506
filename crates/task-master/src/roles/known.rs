//! The models of other providers that configurations name: facts to look up and to show.
//!
//! None of them is ever asked. What runs on this machine is known to `tm_llm::catalogue`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A model of a provider, as its price list has it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownModel {
    #[serde(skip)]
    pub provider: String,
    pub id: String,
    /// The part of SWE-bench that it solves.
    pub score: Option<f64>,
    pub cost: Option<Cost>,
    roles: Vec<String>,
    pub max_tokens: u64,
}

/// US dollars for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
pub struct Cost {
    pub input: f64,
    pub output: f64,
}

impl KnownModel {
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.roles.iter().map(String::as_str)
    }
}

/// All models, provider by provider.
pub fn models() -> Vec<KnownModel> {
    // A test reads the file; a build whose file is broken knows no models.
    let providers: BTreeMap<String, Vec<KnownModel>> =
        serde_json::from_str(include_str!("known.json")).unwrap_or_default();
    let mut models: Vec<KnownModel> = providers
        .into_iter()
        .flat_map(|(provider, models)| {
            models.into_iter().map(move |it| KnownModel { provider: provider.clone(), ..it })
        })
        .collect();
    models.sort_by_key(|it| rank(&it.provider));
    models
}

/// Of providers with the same model, the one that makes it comes first.
fn rank(provider: &str) -> usize {
    const FIRST: [&str; 5] = ["anthropic", "openai", "google", "xai", "perplexity"];
    FIRST.iter().position(|it| *it == provider).unwrap_or(FIRST.len())
}
