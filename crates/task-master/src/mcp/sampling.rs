//! The model that a client lends: `sampling/createMessage`.
//!
//! For projects whose configuration names the provider `mcp`. The client decides which model that
//! is, and its user may be asked before each answer. Which tool asks is not known here. Start at
//! [`lent_by`].

#![expect(deprecated, reason = "sampling is deprecated, and what clients have today")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures_util::{StreamExt as _, stream};
use rmcp::{
    RoleServer,
    model::{CreateMessageRequestParams, CreateMessageResult, SamplingMessage},
    service::{Peer, ServiceError},
};
use tm_llm::{
    backend::{Backend, BackendError, ChatStream, ModelInfo},
    chat::{ChatEvent, ChatRequest, FinishReason, Role, Usage},
};

use crate::backend::{CLIENT, CLIENT_MODEL};

/// A user who has to agree first needs a while.
const PATIENCE: Duration = Duration::from_mins(4);

/// Clients do not say how long a prompt may be; the models of those that lend one take this much.
const CONTEXT_TOKENS: u32 = 100_000;

/// A client, as a model.
#[derive(Debug)]
struct ClientModel {
    peer: Peer<RoleServer>,
    info: ModelInfo,
}

/// What a client is told that lends no model.
pub(super) const NOT_LENT: &str = "this client lends no model (it has no capability `sampling`), so the provider `mcp` is not \
     available in this session";

/// Whether the client lends a model.
pub(super) fn is_lent(peer: &Peer<RoleServer>) -> bool {
    peer.peer_info().is_some_and(|it| it.capabilities.sampling.is_some())
}

/// The model of a client that lends one.
pub(super) fn lent_by(peer: &Peer<RoleServer>) -> Option<Arc<dyn Backend>> {
    if !is_lent(peer) {
        return None;
    }
    let info = ModelInfo {
        provider: CLIENT.to_owned(),
        model: CLIENT_MODEL.to_owned(),
        context_tokens: CONTEXT_TOKENS,
        parallel: 1,
        whole_answers: true,
    };
    Some(Arc::new(ClientModel { peer: peer.clone(), info }))
}

#[async_trait]
impl Backend for ClientModel {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The answer comes in one piece.
    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, BackendError> {
        let left = request.deadline.saturating_duration_since(Instant::now());
        let asking = self.peer.create_message(question(&request));
        let model = CLIENT_MODEL.to_owned();
        let answer = match tokio::time::timeout(left.min(PATIENCE), asking).await {
            Ok(answer) => answer.map_err(explain)?,
            Err(_) => return Err(BackendError::DeadlineExceeded { model }),
        };
        let is_cut =
            answer.stop_reason.as_deref() == Some(CreateMessageResult::STOP_REASON_END_MAX_TOKEN);
        let finish = if is_cut { FinishReason::Length } else { FinishReason::Stop };
        // How many tokens it took, clients do not say.
        let end = ChatEvent::Done { finish, usage: Usage::default() };
        let text = text(answer);
        Ok(stream::iter([Ok(ChatEvent::Delta(text)), Ok(end)]).boxed())
    }
}

/// A schema is asked for in words: the protocol has no place for it.
fn question(request: &ChatRequest) -> CreateMessageRequestParams {
    let said = |role: Role| request.messages.iter().filter(move |it| it.role == role);
    let mut system: Vec<String> = said(Role::System).map(|it| it.content.clone()).collect();
    if let Some(schema) = &request.response_schema {
        system.push(format!(
            "Answer with one JSON document that fits this JSON Schema, and with nothing else:\n\
             {schema}"
        ));
    }
    let turns = request.messages.iter().filter_map(|it| match it.role {
        Role::System => None,
        Role::User => Some(SamplingMessage::user_text(&it.content)),
        Role::Assistant => Some(SamplingMessage::assistant_text(&it.content)),
    });
    let mut params = CreateMessageRequestParams::new(turns.collect(), request.max_tokens);
    params.temperature = Some(request.sampling.temperature);
    params.system_prompt = (!system.is_empty()).then(|| system.join("\n\n"));
    params
}

fn text(answer: CreateMessageResult) -> String {
    let parts = answer.message.content.into_vec();
    let texts = parts.iter().filter_map(|it| it.as_text());
    texts.map(|it| it.text.as_str()).collect()
}

fn explain(error: ServiceError) -> BackendError {
    let model = CLIENT_MODEL.to_owned();
    if let ServiceError::McpError(error) = error {
        return BackendError::Refused { model, reason: error.message.into_owned() };
    }
    BackendError::Reported { model, reason: error.to_string() }
}
