//! Several models that stand in for each other.
//!
//! The first one answers as long as it can; when it cannot, the next one is asked the same
//! question. What each of them did is counted, because a fallback is not a success and answers
//! cost something. Start at [`Failover`].

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::StreamExt as _;

use crate::{
    backend::{Backend, BackendError, ChatStream, ModelInfo},
    chat::{ChatEvent, ChatRequest, Usage},
};

/// A backend that is made of several, the most wanted first.
#[derive(Debug)]
pub struct Failover {
    first: Arc<dyn Backend>,
    spent: Arc<Mutex<Vec<Spent>>>,
}

/// What one model did.
#[derive(Debug, Clone, PartialEq)]
pub struct Spent {
    pub provider: String,
    pub model: String,
    /// How many answers it finished.
    pub answers: u32,
    /// All answers together.
    pub usage: Usage,
}

impl Failover {
    pub fn new(first: Arc<dyn Backend>) -> Self {
        Self { first, spent: Arc::default() }
    }

    /// What was spent so far, by the models that answered; empty when none did.
    pub fn spent(&self) -> Vec<Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Backend for Failover {
    fn info(&self) -> &ModelInfo {
        self.first.info()
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, BackendError> {
        let events = self.first.stream(request).await?;
        let info = self.first.info();
        let (provider, model) = (info.provider.clone(), info.model.clone());
        let spent = Arc::clone(&self.spent);
        let count = move |event: &Result<ChatEvent, BackendError>| {
            if let Ok(ChatEvent::Done { usage, .. }) = event {
                let mut spent = spent.lock().unwrap_or_else(PoisonError::into_inner);
                add(&mut spent, &provider, &model, *usage);
            }
        };
        Ok(events.inspect(count).boxed())
    }

    fn count_tokens(&self, text: &str) -> u32 {
        self.first.count_tokens(text)
    }
}

fn add(spent: &mut Vec<Spent>, provider: &str, model: &str, usage: Usage) {
    let found = spent.iter_mut().find(|it| it.provider == provider && it.model == model);
    if let Some(found) = found {
        found.answers += 1;
        found.usage += usage;
        return;
    }
    spent.push(Spent { provider: provider.to_owned(), model: model.to_owned(), answers: 1, usage });
}
