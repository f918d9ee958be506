//! Models in memory: what Ollama's clients are told of it, and what they decide.
//!
//! Models of this process are [kept](crate::backend::Kept) here; a server of another program is told,
//! if it lets others decide such things.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tm_llm::{
    backend::Backend as _,
    dialect::serve::{
        ClientError,
        ollama::{self, Call, Endpoint, KeepAlive},
    },
    failover::Failover,
    loading::{LoadError, Stay},
};
use tm_tasks::timestamp::{Timestamp, iso_millis};

use super::{Gateway, cards::card, client::Client, json_body, refused};
use crate::backend::{EMBEDDED, InMemory};

/// The provider that is told of how long a model is to stay with each answer.
const OLLAMA: &str = "ollama";

/// Takes a model into memory for a call that asks it nothing, or has it go.
pub(super) async fn change(
    client: Client,
    call: &Call,
    endpoint: Endpoint,
    created_at: &str,
) -> Response {
    let unloads = call.keep_alive.is_some_and(KeepAlive::is_nothing);
    let changed =
        if unloads { unload(&client, &call.model).await } else { load(&client, call).await };
    match changed {
        Ok(()) => {
            json_body(&ollama::moved(&call.model, endpoint, created_at, !unloads)).into_response()
        }
        Err(error) => refused(&error, ollama::error_body),
    }
}

async fn load(client: &Client, call: &Call) -> Result<(), ClientError> {
    let routed = client.route_unasked(&call.model).await?;
    routed.backend.prepare().await?;
    let info = routed.backend.info();
    if info.provider == EMBEDDED {
        client.gateway.keep(&routed.backend, &info.model, call.keep_alive);
        return Ok(());
    }
    let stay = call.keep_alive.map_or(Stay::Usual, |it| Stay::Idle(it.0));
    match routed.backend.keep(&name_of(&routed.backend), stay).await {
        // What cannot be unloaded is there.
        Ok(()) | Err(LoadError::Fixed { .. }) => Ok(()),
        Err(error) => Err(told(&error)),
    }
}

/// What the list of models calls whoever answered last.
fn name_of(backend: &Failover) -> String {
    let model = &backend.info().model;
    let seats = backend.report();
    let named = |name: &String| {
        name.strip_prefix(model.as_str()).is_some_and(|it| it.is_empty() || it.starts_with(" at "))
    };
    let found = seats.into_iter().filter(|it| it.is_open).map(|it| it.name).find(named);
    found.unwrap_or_else(|| model.clone())
}

fn told(error: &LoadError) -> ClientError {
    let message = error.to_string();
    match error {
        LoadError::Fixed { .. } | LoadError::Nameless { .. } => {
            ClientError::Unsupported { message }
        }
        LoadError::NoModel { model } => ClientError::NoModel { model: model.clone() },
        LoadError::Failed { .. }
        | LoadError::Unreachable { .. }
        | LoadError::Refused { .. }
        | LoadError::Late { .. } => ClientError::Failed { message },
    }
}

async fn unload(client: &Client, model: &str) -> Result<(), ClientError> {
    let gateway = &client.gateway;
    let role = gateway.names.role(model).0;
    client.may_ask(model, role.as_str())?;
    let name = model.strip_suffix(":latest").unwrap_or(model);
    let players = gateway.players.of(role);
    let player = players.info();
    let in_memory = gateway.in_memory();
    let is_it = |it: &&InMemory| it.id == name;
    let found = in_memory.iter().find(is_it).map_or(player.model.as_str(), |it| it.id.as_str());
    match &gateway.kept {
        Some(kept) if found != player.model || player.provider == EMBEDDED => {
            kept.unload(found).await;
            Ok(())
        }
        // Nobody has asked it yet.
        Some(_) if player.model.is_empty() => Ok(()),
        Some(_) | None => {
            let kept = players.keep(&name_of(players), Stay::Not).await;
            kept.map_err(|error| told(&error))
        }
    }
}

/// What is in memory and until when, and the main model where another program runs it.
pub(super) fn running(gateway: &Gateway) -> Value {
    let main = gateway.main().info();
    let elsewhere =
        (main.provider != EMBEDDED).then(|| json!({ "context_length": main.context_tokens }));
    let elsewhere = elsewhere.map(|it| with(card(&main.model, &main.model, false), it));
    let cards = gateway.in_memory().into_iter().map(|it| {
        let facts = json!({
            "size": it.bytes, "size_vram": 0, "context_length": it.context_tokens,
            // Of a file that nobody vouches for, an adapter too, the identity has its path in it.
            "digest": it.identity.strip_prefix("sha256:").filter(|it| it.len() == 64).unwrap_or_default(),
            "expires_at": expires_at(it.left.map_or(KeepAlive::FOR_EVER, KeepAlive)),
        });
        with(card(&it.id, &it.id, false), facts)
    });
    let cards: Vec<Value> = elsewhere.into_iter().chain(cards).collect();
    json!({ "models": cards })
}

/// A moment that is far off stands for one that never comes.
fn expires_at(left: KeepAlive) -> String {
    let now = Timestamp::now();
    iso_millis(now.checked_add(left.0).unwrap_or(Timestamp::MAX))
}

fn with(mut card: Value, facts: Value) -> Value {
    if let (Some(card), Value::Object(facts)) = (card.as_object_mut(), facts) {
        card.extend(facts);
    }
    card
}

impl Gateway {
    fn in_memory(&self) -> Vec<InMemory> {
        self.kept.as_ref().map(|it| it.in_memory()).unwrap_or_default()
    }

    /// What a client wants to have in memory stays there, and goes when it says. Nobody waits for a
    /// server to be told.
    pub(super) fn keep(&self, backend: &Arc<Failover>, model: &str, keep_alive: Option<KeepAlive>) {
        let Some(KeepAlive(idle)) = keep_alive else { return };
        if let Some(kept) = &self.kept {
            kept.keep_for(model, idle);
        }
        if backend.info().provider == OLLAMA {
            let (backend, model) = (Arc::clone(backend), model.to_owned());
            self.background.spawn(async move {
                // The answer is worth as much without.
                if let Err(error) = backend.keep(&model, Stay::Idle(idle)).await {
                    tracing::debug!(model, %error, "cannot tell how long it is to stay");
                }
            });
        }
    }
}
