//! A request has to arrive: whoever sends one slowly, or never to its end, does not keep a connection
//! for ever.

use std::{error::Error, time::Duration};

use axum::{
    body::{Body, HttpBody as _, to_bytes},
    extract::Request,
    http::StatusCode,
};
use http_body_util::LengthLimitError;
use tokio::time;

/// The longest body: a long document, many times over.
const BODY_BYTES: usize = 32 << 20;
/// Long enough for that over a slow line.
const BODY: Duration = Duration::from_mins(2);

/// The request with all of its body, or the status that says why it has not come.
pub(super) async fn arrived(request: Request) -> Result<Request, StatusCode> {
    arrived_within(request, BODY).await
}

async fn arrived_within(request: Request, longest: Duration) -> Result<Request, StatusCode> {
    if request.body().is_end_stream() {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    match time::timeout(longest, to_bytes(body, BODY_BYTES)).await {
        Ok(Ok(bytes)) => Ok(Request::from_parts(parts, Body::from(bytes))),
        Ok(Err(error)) if error.source().is_some_and(<dyn Error>::is::<LengthLimitError>) => {
            Err(StatusCode::PAYLOAD_TOO_LARGE)
        }
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use futures_util::{StreamExt as _, stream};

    use super::*;

    async fn status(body: Body) -> Result<usize, u16> {
        let request = Request::builder().body(body).unwrap();
        let arrived = arrived_within(request, Duration::from_millis(50)).await;
        let arrived = arrived.map_err(|it| it.as_u16())?;
        Ok(to_bytes(arrived.into_body(), usize::MAX).await.unwrap().len())
    }

    #[tokio::test]
    async fn a_body_that_never_ends_or_is_too_long_is_not_waited_for() {
        let piece = || Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 1 << 20]));
        assert_eq!(status(Body::empty()).await, Ok(0));
        assert_eq!(status(Body::from("all of it")).await, Ok(9));
        let pieces = stream::iter([piece(), piece()]);
        assert_eq!(status(Body::from_stream(pieces)).await, Ok(2 << 20));
        let silent = stream::iter([piece()]).chain(stream::pending());
        assert_eq!(status(Body::from_stream(silent)).await, Err(408));
        let endless = stream::repeat_with(piece);
        assert_eq!(status(Body::from_stream(endless)).await, Err(413));
        let broken = stream::iter([piece(), Err(std::io::Error::other("gone"))]);
        assert_eq!(status(Body::from_stream(broken)).await, Err(400));
    }
}
