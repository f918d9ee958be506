//! Requests that are long. To read one of tens of megabytes, and to count and write down what is in
//! it, takes a tenth of a second and longer, in which whoever serves answers nobody else. Others are
//! served by another thread meanwhile.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::{body::HttpBody as _, extract::Request, middleware::Next, response::Response};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task::block_in_place,
};

/// What is longer may take a millisecond.
const LARGE_BYTES: u64 = 256 << 10;

/// Answers a request that has arrived as `next` does.
pub(super) async fn run(request: Request, next: Next) -> Response {
    let is_large = request.body().size_hint().lower() > LARGE_BYTES;
    if is_large { Aside::new(next.run(request)).await } else { next.run(request).await }
}

/// A future that may take long each time it is polled.
struct Aside<F>(Pin<Box<F>>);

impl<F> Aside<F> {
    fn new(future: F) -> Self {
        Self(Box::pin(future))
    }
}

impl<F: Future> Future for Aside<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // A runtime of one thread has no other.
        if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
            return self.0.as_mut().poll(context);
        }
        block_in_place(|| self.0.as_mut().poll(context))
    }
}

#[cfg(test)]
mod tests;
