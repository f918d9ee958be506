//! The socket: who may connect, and how it ends.

use std::{io, net::SocketAddr, time::Duration};

use axum::{Router, serve::ListenerExt as _};
use tokio::{net::TcpListener, time};
use tokio_util::sync::CancellationToken;

/// What is under way when the server is told to stop has this long to end.
const GRACE: Duration = Duration::from_secs(30);

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("{address} can be reached from other machines, and nothing here asks who they are")]
    Exposed { address: SocketAddr },
    #[error("the server ended")]
    Ended(#[source] io::Error),
}

/// Takes the address. Other machines are not served: whoever reaches the server may use it.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    if !address.ip().is_loopback() {
        return Err(ServeError::Exposed { address });
    }
    TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })
}

/// Serves until `stop`; what is under way then is finished, unless it takes too long.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    // A token is a small packet, and must not wait for the next one.
    let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
    let server = axum::serve(listener, router);
    let server = server.with_graceful_shutdown(stop.clone().cancelled_owned()).into_future();
    tokio::pin!(server);
    let stopped_long_ago = async {
        stop.cancelled().await;
        time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = &mut server => ended.map_err(ServeError::Ended),
        () = stopped_long_ago => Ok(()),
    }
}
