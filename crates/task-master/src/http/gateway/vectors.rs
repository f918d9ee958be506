//! Texts as vectors: those that were made before, or new ones.
//!
//! One model makes them, and nobody stands in for it, because the vectors of two models cannot be
//! compared. Start at [`embed`].

use std::{sync::Arc, time::Instant};

use serde_json::{Value, json};
use tm_llm::{
    backend::Backend as _,
    chat::Usage,
    dialect::serve::{ClientError, embeddings::EmbedCall},
    embed::{EmbedRequest, Embeddings},
    failover::{Journey, OnStep},
};

use super::{
    Door,
    cached::{self, Known, Lookup, Made},
    client::Client,
    count::Count,
};

/// Vectors are kept when they have at most so many numbers together.
const NUMBERS_MOST: usize = 1 << 16;

/// Vectors for the texts of a call, in the words of whoever called; and where they are from.
pub(super) async fn embed(
    client: Client,
    door: Door,
    call: &EmbedCall,
) -> (Result<Value, ClientError>, Lookup) {
    let mut count = Count::begin(&client, door, &call.model);
    if let Err(error) = client.may_ask(&call.model, "embedding") {
        count.end(Err(&error));
        return (Err(error), Lookup::Bypass);
    }
    count.plays("embedding");
    let (deadline, on_step) = (count.begun + client.gateway.timeout, count.on_step("embeddings"));
    let (embedded, lookup) = vectors(&client, call, deadline, on_step).await;
    count.looked_up(&lookup);
    client.gateway.metrics.looked_up(lookup.word());
    let is_hit = matches!(lookup, Lookup::Hit { .. });
    let usage = |it: &Embeddings| {
        let prompt_tokens = if is_hit { 0 } else { it.prompt_tokens };
        Usage { prompt_tokens, ..Usage::default() }
    };
    count.end(embedded.as_ref().map(usage));
    (embedded.map(|it| call.answer(&it)), lookup)
}

async fn vectors(
    client: &Client,
    call: &EmbedCall,
    deadline: Instant,
    on_step: OnStep,
) -> (Result<Embeddings, ClientError>, Lookup) {
    let what = || json!(["embeddings", call.texts, call.dimensions]);
    let keeping = match cached::look_for_vectors(client, what).await {
        Ok(Known::Given(Ok(Made { by, answer }))) => return (given(answer), Lookup::Hit { by }),
        Ok(Known::Given(Err(error))) => return (Err(error), Lookup::Hit { by: String::new() }),
        Ok(Known::Unknown(keeping)) => keeping,
        Err(error) => return (Err(error), Lookup::Miss),
    };
    let lookup = keeping.lookup();
    let journey = Arc::new(Journey::new(on_step));
    let embedder = client.gateway.embedder.watched(Arc::clone(&journey));
    let (texts, dimensions) = (call.texts.clone(), call.dimensions);
    let embedded = embedder.embed(EmbedRequest { texts, dimensions, deadline }).await;
    let embedded = embedded.map_err(ClientError::from);
    let last = journey.asked_last().unwrap_or_default();
    client.gateway.keep(&client.gateway.embedder, &last, call.keep_alive);
    if !keeping.is_for_nobody() {
        let numbers = |it: &Embeddings| it.vectors.iter().map(Vec::len).sum::<usize>();
        let may_keep = embedded.as_ref().is_ok_and(|it| numbers(it) <= NUMBERS_MOST);
        let outcome = embedded.as_ref().map_err(Clone::clone);
        let outcome = outcome.map(|it| json!([it.vectors, it.prompt_tokens]));
        keeping.settle(outcome, may_keep, journey.asked_last().unwrap_or_default()).await;
    }
    (embedded, lookup)
}

fn given(answer: Value) -> Result<Embeddings, ClientError> {
    let read = serde_json::from_value(answer);
    let (vectors, prompt_tokens) = read.map_err(|it| cached::broken(&it))?;
    Ok(Embeddings { vectors, prompt_tokens })
}
