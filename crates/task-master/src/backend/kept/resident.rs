//! A model that is in memory while it is asked, and for a while afterwards.
//!
//! For servers that have the same models for as long as they run: what they hold is not the model
//! but where to get it, and each question loads it anew if that has to be.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use tm_llm::{
    backend::{Backend, BackendError, ChatStream, ModelInfo, estimated_tokens, with_template},
    chat::{ChatRequest, Message},
    embed::{EmbedRequest, Embeddings, Relevances, RerankRequest},
    failover::Open,
};

use super::{Found, Kept, Work};

/// A model of this process that comes and goes.
pub(in crate::backend) struct Resident {
    source: Source,
    /// As it was when it was loaded first.
    info: ModelInfo,
    continues: bool,
}

/// Where a model is from.
struct Source {
    kept: Arc<Kept>,
    found: Found,
    work: Work,
    open: Arc<Open>,
}

impl Resident {
    /// Loads the model for the first time, so that it is known what it is.
    pub(in crate::backend) async fn load(
        kept: Arc<Kept>,
        (found, work): (Found, Work),
        open: Arc<Open>,
    ) -> Result<Self, BackendError> {
        let source = Source { kept, found, work, open };
        let model = source.load().await?;
        Ok(Self { info: model.info().clone(), continues: model.continues(), source })
    }
}

impl Source {
    async fn load(&self) -> Result<Arc<dyn Backend>, BackendError> {
        self.kept.load(&self.found, self.work, &self.open).await
    }
}

#[async_trait]
impl Backend for Resident {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    async fn prepare(&self) -> Result<(), BackendError> {
        self.source.load().await.map(drop)
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, BackendError> {
        let model = self.source.load().await?;
        let events = model.stream(request).await?;
        // It is in use for as long as somebody reads what it says.
        Ok(events.map(move |event| (event, &model).0).boxed())
    }

    async fn embed(&self, request: EmbedRequest) -> Result<Embeddings, BackendError> {
        self.source.load().await?.embed(request).await
    }

    async fn rerank(&self, request: RerankRequest) -> Result<Relevances, BackendError> {
        self.source.load().await?.rerank(request).await
    }

    fn continues(&self) -> bool {
        self.continues
    }

    fn count_tokens(&self, text: &str) -> u32 {
        match self.source.kept.loaded(&self.source.found, self.source.work) {
            Some(model) => model.count_tokens(text),
            None => estimated_tokens(text),
        }
    }

    fn prompt_tokens(&self, messages: &[Message]) -> u32 {
        match self.source.kept.loaded(&self.source.found, self.source.work) {
            Some(model) => model.prompt_tokens(messages),
            None => with_template(messages, estimated_tokens),
        }
    }
}

impl std::fmt::Debug for Resident {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resident").field("info", &self.info).finish_non_exhaustive()
    }
}
