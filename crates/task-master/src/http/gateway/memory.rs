//! Models in memory: what Ollama's clients are told of it, and what they decide.
//!
//! That is about models of this process. What another program has in memory is its own affair.

use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tm_llm::{
    backend::Backend as _,
    dialect::serve::{
        ClientError,
        ollama::{self, Call, Endpoint, KeepAlive},
    },
};
use tm_tasks::timestamp::{Timestamp, iso_millis};

use super::{Gateway, card, client::Client, json_body, refused};
use crate::backend::{EMBEDDED, InMemory};

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
    client.gateway.keep(&routed.backend.info().model, call.keep_alive);
    Ok(())
}

async fn unload(client: &Client, model: &str) -> Result<(), ClientError> {
    let gateway = &client.gateway;
    let role = gateway.names.role(model).0;
    client.may_ask(model, role.as_str())?;
    let name = model.strip_suffix(":latest").unwrap_or(model);
    let player = gateway.players.of(role).info();
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
        Some(_) | None => Err(ClientError::Unsupported {
            message: format!(
                "{found} is run by another program ({}), which decides what it has in memory",
                player.provider
            ),
        }),
    }
}

/// What is in memory and until when, and the main model where another program runs it.
pub(super) fn running(gateway: &Gateway) -> Value {
    let main = gateway.main().info();
    let elsewhere =
        (main.provider != EMBEDDED).then(|| json!({ "context_length": main.context_tokens }));
    let elsewhere = elsewhere.map(|it| with(card(&main.model), it));
    let cards = gateway.in_memory().into_iter().map(|it| {
        let facts = json!({
            "size": it.bytes, "size_vram": 0, "context_length": it.context_tokens,
            "digest": it.identity.strip_prefix("sha256:").unwrap_or_default(),
            "expires_at": expires_at(it.left.map_or(KeepAlive::FOR_EVER, KeepAlive)),
        });
        with(card(&it.id), facts)
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

    /// What a client wants to have in memory stays there, and goes when it says.
    pub(super) fn keep(&self, model: &str, keep_alive: Option<KeepAlive>) {
        if let (Some(kept), Some(KeepAlive(idle))) = (&self.kept, keep_alive) {
            kept.keep_for(model, idle);
        }
    }
}
