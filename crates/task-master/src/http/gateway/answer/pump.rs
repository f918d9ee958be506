//! An answer that goes on although its client is slow.

use std::convert::Infallible;

use axum::body::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use tokio::{sync::mpsc, task::JoinSet};

/// Reads on when the client does not, because others wait for the end. What is not read yet is at
/// most one answer.
pub(super) fn pumped(
    frames: impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
    let (sender, receiver) = mpsc::unbounded_channel();
    // Dropping it stops the model.
    let mut pump = JoinSet::new();
    pump.spawn(async move {
        let mut frames = std::pin::pin!(frames);
        while let Some(frame) = frames.next().await {
            if sender.send(frame).is_err() {
                break;
            }
        }
    });
    stream::unfold((receiver, pump), |(mut receiver, pump)| async move {
        let frame = receiver.recv().await?;
        Some((frame, (receiver, pump)))
    })
}
