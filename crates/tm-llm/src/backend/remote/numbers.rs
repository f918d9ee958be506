//! Answers that are numbers and come at once: vectors, and how well texts answer a question.

use std::time::Instant;

use tokio::time::timeout;

use super::{RemoteBackend, read_pieces, window::Counted};
use crate::{
    backend::BackendError,
    dialect::ask::{Call, Fault, FaultKind},
    embed::{EmbedRequest, Embeddings, Relevances, RerankRequest},
};

/// The longest answer full of numbers: two thousand vectors of four thousand.
const LONGEST_BYTES: usize = 128 << 20;

impl RemoteBackend {
    pub(super) async fn vectors(&self, request: &EmbedRequest) -> Result<Embeddings, BackendError> {
        let (dialect, model) = (self.server.provider.dialect, &self.server.model);
        let none = || BackendError::NoEmbeddings { model: model.clone() };
        let call = dialect.embed_call(model, request).ok_or_else(none)?;
        let body = self.whole(&call, request.deadline).await?.ok_or_else(none)?;
        let read = dialect.read_embeddings(&body, request.texts.len());
        read.map_err(|fault| self.fault(fault))
    }

    pub(super) async fn relevances(
        &self,
        request: &RerankRequest,
    ) -> Result<Relevances, BackendError> {
        let (dialect, model) = (self.server.provider.dialect, &self.server.model);
        let none = || BackendError::NoReranking { model: model.clone() };
        let call = dialect.rerank_call(model, request).ok_or_else(none)?;
        let body = self.whole(&call, request.deadline).await?.ok_or_else(none)?;
        let read = dialect.read_relevances(&body, request.texts.len());
        read.map_err(|fault| self.fault(fault))
    }

    /// The whole of an answer; none where the server has nothing like it.
    async fn whole(&self, call: &Call, deadline: Instant) -> Result<Option<String>, BackendError> {
        let response = match self.send(call, deadline).await? {
            Ok(response) => response,
            Err(Fault { kind: FaultKind::Absent, .. }) => return Ok(None),
            Err(fault) => return Err(self.fault(fault)),
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let patience = self.server.patience.first.min(left);
        let mut pieces = response.pieces;
        let body = timeout(patience, read_pieces(&mut pieces, LONGEST_BYTES)).await;
        body.map(Some).map_err(|_| self.server.silent(patience, deadline))
    }

    fn fault(&self, fault: Fault) -> BackendError {
        let counted = Counted { tokens: 0, is_estimate: true };
        self.server.failed(fault, (counted, self.info.context_tokens), 0)
    }
}
