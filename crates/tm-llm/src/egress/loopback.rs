//! Connections to a server on this machine, each driven by whoever reads its answer.
//!
//! A connection that is a task of its own is woken for each piece of an answer, and wakes the
//! reader for it, which takes longer than all that is done with the piece. Goes to loopback
//! addresses and nowhere else, so that no guard is needed; speaks plain HTTP and follows nobody.
//! Start at [`Loopback::post`].

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use futures_util::Stream;
use http_body_util::Full;
use hyper::{
    HeaderMap, Request, Response, Uri,
    body::{Body as _, Bytes, Incoming},
    client::conn::http1::{Connection, SendRequest, handshake},
    header::{HOST, HeaderValue, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use reqwest::Url;
use tokio::{net::TcpStream, time::timeout};

use super::{CONNECT_TIMEOUT, USER_AGENT as NAME};

/// A connection that was not used for so long may be closed at the other end.
const IDLE: Duration = Duration::from_mins(1);
/// So many are kept; those beyond it are closed.
const IDLE_MOST: usize = 256;
/// A server has no reason to send more than this behind the end of an answer.
const LEFT_MOST: usize = 8;

/// The way to one server.
pub(crate) struct Loopback {
    addresses: Vec<SocketAddr>,
    host: HeaderValue,
    idle: Mutex<Vec<Idle>>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoopbackError {
    #[error(transparent)]
    Connect(io::Error),
    #[error(transparent)]
    Broken(#[from] hyper::Error),
    #[error(transparent)]
    Request(#[from] hyper::http::Error),
}

type Wire = Pin<Box<Connection<TokioIo<TcpStream>, Full<Bytes>>>>;

/// A connection, which does nothing unless it is polled.
struct Link {
    sender: SendRequest<Full<Bytes>>,
    /// None when it is over: dropping it is what tells those who wait.
    connection: Option<Wire>,
}

/// A connection that nobody uses.
struct Idle {
    link: Link,
    /// The end of the last answer may not have come yet.
    left: Option<Incoming>,
    since: Instant,
}

/// The body of an answer. Dropping it closes the connection, unless nothing more was to come.
pub(crate) struct Body {
    incoming: Option<Incoming>,
    link: Option<Link>,
    home: Arc<Loopback>,
    has_all: bool,
}

impl Loopback {
    /// None for a server that is elsewhere, or that is spoken to in another way.
    pub(crate) fn of(url: &str) -> Option<Self> {
        let url = Url::parse(url).ok().filter(|it| it.scheme() == "http")?;
        if !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        let (host, port) = (url.host_str()?, url.port_or_known_default()?);
        let addresses: Vec<IpAddr> = if host.eq_ignore_ascii_case("localhost") {
            vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
        } else {
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            bare.parse().into_iter().filter(IpAddr::is_loopback).collect()
        };
        let addresses: Vec<SocketAddr> =
            addresses.into_iter().map(|it| (it, port).into()).collect();
        let host = HeaderValue::from_str(&format!("{host}:{port}")).ok()?;
        (!addresses.is_empty()).then(|| Self { addresses, host, idle: Mutex::default() })
    }

    /// Asks over a connection that is there, or over a new one.
    ///
    /// # Errors
    /// [`LoopbackError`]; nothing is sent twice.
    pub(crate) async fn post(
        self: &Arc<Self>,
        path: Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Body>, LoopbackError> {
        let mut request = Request::post(path).body(Full::new(body))?;
        *request.headers_mut() = headers;
        request.headers_mut().insert(HOST, self.host.clone());
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(NAME));
        loop {
            let (mut link, is_new) = match self.reuse() {
                Some(link) => (link, false),
                None => (self.connect().await?, true),
            };
            match link.send(request).await {
                Ok(response) => {
                    let home = Arc::clone(self);
                    return Ok(response.map(|incoming| Body {
                        incoming: Some(incoming),
                        link: Some(link),
                        home,
                        has_all: false,
                    }));
                }
                // It was closed before anything was sent.
                Err((_, Some(unsent))) if !is_new => request = unsent,
                Err((error, _)) => return Err(error.into()),
            }
        }
    }

    async fn connect(&self) -> Result<Link, LoopbackError> {
        let connecting = timeout(CONNECT_TIMEOUT, TcpStream::connect(self.addresses.as_slice()));
        let late = |_| io::Error::from(io::ErrorKind::TimedOut);
        let socket =
            connecting.await.map_err(late).and_then(|it| it).map_err(LoopbackError::Connect)?;
        // A question is a small packet, and must not wait for more.
        drop(socket.set_nodelay(true));
        let (sender, connection) = handshake(TokioIo::new(socket)).await?;
        Ok(Link { sender, connection: Some(Box::pin(connection)) })
    }

    /// A connection whose last answer has ended, and that is open still.
    fn reuse(&self) -> Option<Link> {
        loop {
            let mut idle = self.idle().pop()?;
            if idle.since.elapsed() > IDLE {
                // Those below are older.
                self.idle().clear();
                return None;
            }
            if idle.is_free() {
                return Some(idle.link);
            }
        }
    }

    fn keep(&self, link: Link, left: Option<Incoming>) {
        let mut idle = self.idle();
        if link.connection.is_some() && idle.len() < IDLE_MOST {
            idle.push(Idle { link, left, since: Instant::now() });
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Unsent = (hyper::Error, Option<Request<Full<Bytes>>>);

impl Link {
    /// The head of the answer; the request comes back when none of it was sent.
    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Unsent> {
        let mut answer = std::pin::pin!(self.sender.try_send_request(request));
        let connection = &mut self.connection;
        let answered = std::future::poll_fn(|context| {
            drive(connection, context);
            answer.as_mut().poll(context)
        });
        answered.await.map_err(|mut error| {
            let unsent = error.take_message();
            (error.into_error(), unsent)
        })
    }
}

/// Lets a connection do what it can; what goes wrong with it is told to those who use it.
fn drive(connection: &mut Option<Wire>, context: &mut Context<'_>) {
    if connection.as_mut().is_some_and(|it| it.as_mut().poll(context).is_ready()) {
        *connection = None;
    }
}

impl Idle {
    fn is_free(&mut self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..LEFT_MOST {
            drive(&mut self.link.connection, &mut context);
            let Some(left) = &mut self.left else { break };
            match Pin::new(left).poll_frame(&mut context) {
                Poll::Ready(None) => self.left = None,
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(_))) | Poll::Pending => return false,
            }
        }
        self.left.is_none() && self.link.connection.is_some() && self.link.sender.is_ready()
    }
}

impl Body {
    /// All that matters has come: the connection can be used again when the rest has.
    pub(crate) fn has_all(&mut self) {
        self.has_all = true;
    }
}

impl Stream for Body {
    type Item = Result<Bytes, hyper::Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(link) = &mut this.link {
                drive(&mut link.connection, context);
            }
            let Some(incoming) = &mut this.incoming else { return Poll::Ready(None) };
            match Pin::new(incoming).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    // Nobody wants trailers.
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    this.link = None;
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Ready(None) => {
                    this.incoming = None;
                    if let Some(mut link) = this.link.take() {
                        drive(&mut link.connection, context);
                        this.home.keep(link, None);
                    }
                    return Poll::Ready(None);
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(link) = self.link.take().filter(|_| self.has_all) {
            self.home.keep(link, self.incoming.take());
        }
    }
}

impl fmt::Debug for Loopback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loopback").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
