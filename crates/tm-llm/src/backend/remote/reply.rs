//! What a server sends back, whichever way it was asked.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream::BoxStream};
use hyper::{HeaderMap, Response, body::Bytes};

use crate::egress::{loopback::Body, root_cause};

/// The head of an answer, and the rest of it on its way.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) pieces: Pieces,
}

/// The body of an answer. Dropping it hangs up.
pub(super) enum Pieces {
    /// From this machine, by a connection that is ours while the answer lasts.
    Loopback(Body),
    /// From anywhere.
    Anywhere(BoxStream<'static, Result<Bytes, String>>),
}

impl Reply {
    pub(super) fn of_loopback(response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        let (status, headers) = (head.status.as_u16(), head.headers);
        Self { status, headers, pieces: Pieces::Loopback(body) }
    }

    pub(super) fn of(mut response: reqwest::Response) -> Self {
        let headers = std::mem::take(response.headers_mut());
        let status = response.status().as_u16();
        let pieces = response.bytes_stream().map_err(|it| root_cause(&it)).boxed();
        Self { status, headers, pieces: Pieces::Anywhere(pieces) }
    }
}

impl Pieces {
    /// All that matters has come.
    pub(super) fn has_all(&mut self) {
        match self {
            Self::Loopback(body) => body.has_all(),
            Self::Anywhere(_) => {}
        }
    }
}

/// What goes wrong is told in words.
impl Stream for Pieces {
    type Item = Result<Bytes, String>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.get_mut() {
            Self::Loopback(body) => Pin::new(body).poll_next(context).map_err(|it| root_cause(&it)),
            Self::Anywhere(pieces) => pieces.as_mut().poll_next(context),
        }
    }
}

impl std::fmt::Debug for Pieces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pieces").finish_non_exhaustive()
    }
}
