//! What model servers on this machine or network say about themselves.
//!
//! Asked only when the user names such a server. Answers to prompts do not come from here.

use std::time::Duration;

use serde::Deserialize;

use crate::egress::{
    EgressError,
    guard::{Guard, NotLocal},
    read_up_to,
};

/// Why a server did not say which models it has.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error(transparent)]
    Egress(#[from] EgressError),
    #[error(transparent)]
    NotLocal(#[from] NotLocal),
    #[error("it does not answer")]
    Unreachable(#[source] reqwest::Error),
    #[error("it answered with status {status}")]
    Refused { status: u16 },
    #[error("its answer is no list of models")]
    Unreadable(#[source] serde_json::Error),
}

#[derive(Deserialize)]
struct Tags {
    models: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    model: Option<String>,
    /// What old servers call it.
    name: Option<String>,
}

/// A list of names is short; whoever takes longer has a problem.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Longer than the list of all models that there are.
const ABOUT_BYTES: usize = 4 << 20;

/// The models that the Ollama server at this address has, such as `http://localhost:11434/api`.
pub async fn ollama_models(base_url: &str, guard: &Guard) -> Result<Vec<String>, ServerError> {
    let url = format!("{}/tags", base_url.trim_end_matches('/'));
    guard.check(&url)?;
    let request = guard.client()?.get(url).timeout(TIMEOUT);
    let response = request.send().await.map_err(ServerError::Unreachable)?;
    if !response.status().is_success() {
        return Err(ServerError::Refused { status: response.status().as_u16() });
    }
    let text = read_up_to(response, ABOUT_BYTES).await;
    let tags: Tags = serde_json::from_str(&text).map_err(ServerError::Unreadable)?;
    Ok(tags.models.into_iter().filter_map(|it| it.model.or(it.name)).collect())
}

#[cfg(test)]
mod tests;
