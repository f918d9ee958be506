//! How well texts answer a question, by the model that the project names for that.
//!
//! Nobody stands in for it, because the scores of two models cannot be compared. Start at [`rerank`].

use std::sync::Arc;

use serde_json::Value;
use tm_llm::{
    backend::Backend as _,
    chat::Usage,
    dialect::serve::{ClientError, rerank::RerankCall},
    embed::RerankRequest,
    failover::Journey,
};

use super::{Door, client::Client, count::Count};

/// What models for this are called where keys say what they are good for.
const ROLE: &str = "rerank";

/// The texts of a call in order, in the words of whoever called.
pub(super) async fn rerank(
    client: Client,
    door: Door,
    call: &RerankCall,
) -> Result<Value, ClientError> {
    let mut count = Count::begin(&client, door, &call.model);
    count.plays(ROLE);
    let ranked = async {
        client.may_ask(&call.model, ROLE)?;
        let reranker = client.gateway.reranker.as_ref().ok_or_else(nobody)?;
        let journey = Arc::new(Journey::new(count.on_step(ROLE)));
        let deadline = count.begun + client.gateway.timeout;
        let (question, texts) = (call.question.clone(), call.texts.clone());
        let request = RerankRequest { question, texts, deadline };
        Ok(reranker.watched(journey).rerank(request).await?)
    }
    .await;
    let usage = |prompt_tokens| Usage { prompt_tokens, ..Usage::default() };
    count.end(ranked.as_ref().map(|it| usage(it.prompt_tokens)));
    ranked.map(|it| call.answer(&client.request_id, &it))
}

fn nobody() -> ClientError {
    let message = "there is no model that tells how well texts answer a question: name a server \
                   that has one as `models.rerank` in the project's configuration";
    ClientError::Unsupported { message: message.to_owned() }
}
