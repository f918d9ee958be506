//! The socket: who may connect, and how it ends.
//!
//! A gateway that other machines can reach asks for keys, and what is said to it is encrypted,
//! unless the user means it otherwise. Start at [`serve`].

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    serve::{Listener, ListenerExt as _},
};
use hyper::server::conn::http1::Builder;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::ring,
        pki_types::{
            CertificateDer, PrivateKeyDer,
            pem::{self, PemObject as _},
        },
    },
    server::TlsStream,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use unhurried::Unhurried;

mod unhurried;

/// What is under way when the server is told to stop has this long to end.
const GRACE: Duration = Duration::from_secs(30);

/// Whoever connects has this long to agree on how to encrypt.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Whoever connects, or stays connected, has this long for the head of the next request.
const HEAD: Duration = Duration::from_secs(30);

/// So many agree at the same time; more wait to be accepted.
const HANDSHAKES_MOST: usize = 256;

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("{address} can be reached from other machines, and there is no key to ask them for")]
    NoKeys { address: SocketAddr },
    #[error("{address} can be reached from other machines, and what they send is not encrypted")]
    NoTls { address: SocketAddr },
    #[error("{} cannot be used for TLS", path.display())]
    Pem { path: PathBuf, source: pem::Error },
    #[error("the certificate and its key cannot be used for TLS")]
    Tls(#[from] rustls::Error),
}

/// What keeps strangers out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Protection {
    pub has_keys: bool,
    pub has_tls: bool,
    /// The user wants no encryption.
    pub is_insecure: bool,
}

impl Protection {
    /// Whether an address may be listened on. Programs of this machine need no key.
    fn suffices(self, address: SocketAddr) -> Result<(), ServeError> {
        let Self { has_keys, has_tls, is_insecure } = self;
        if address.ip().to_canonical().is_loopback() {
            return Ok(());
        }
        if !has_keys {
            return Err(ServeError::NoKeys { address });
        }
        if !has_tls && !is_insecure {
            return Err(ServeError::NoTls { address });
        }
        Ok(())
    }
}

/// Takes the address, if that is safe.
pub async fn listen(
    address: SocketAddr,
    protection: Protection,
) -> Result<TcpListener, ServeError> {
    protection.suffices(address)?;
    TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })
}

/// Reads what is needed to encrypt: PEM files with a chain of certificates and its key.
pub fn encryption(certificates: &Path, key: &Path) -> Result<TlsAcceptor, ServeError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| ServeError::Pem { path, source }
    };
    let chain = CertificateDer::pem_file_iter(certificates)
        .and_then(Iterator::collect)
        .map_err(unreadable(certificates))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(unreadable(key))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Serves until `stop`; what is under way then is finished, unless it takes too long.
pub async fn serve(
    listener: TcpListener,
    encryption: Option<TlsAcceptor>,
    router: Router,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    // A token is a small packet, and must not wait for the next one.
    let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
    match encryption {
        None => serve_on(listener, router, stop).await,
        Some(acceptor) => {
            serve_on(Encrypted { listener, acceptor, agreeing: JoinSet::new() }, router, stop).await
        }
    }
}

async fn serve_on<L: Listener>(
    mut listener: L,
    router: Router,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    let connections = TaskTracker::new();
    let mut protocol = Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(HEAD);
    while let Some((socket, _)) = stop.run_until_cancelled(listener.accept()).await {
        let (protocol, stop) = (protocol.clone(), stop.clone());
        let service = TowerToHyperService::new(router.clone());
        connections.spawn(Unhurried::new(async move {
            let socket = TokioIo::new(socket);
            let mut connection = std::pin::pin!(protocol.serve_connection(socket, service));
            if stop.run_until_cancelled(connection.as_mut()).await.is_none() {
                // What is under way is finished, and nothing is begun.
                connection.as_mut().graceful_shutdown();
                drop(connection.await);
            }
        }));
    }
    drop(listener);
    connections.close();
    drop(time::timeout(GRACE, connections.wait()).await);
    Ok(())
}

/// Connections that are encrypted. Who is slow to agree on that keeps nobody waiting.
struct Encrypted<L> {
    listener: L,
    acceptor: TlsAcceptor,
    agreeing: JoinSet<Option<(TlsStream<TcpStream>, SocketAddr)>>,
}

impl<L: Listener<Io = TcpStream, Addr = SocketAddr>> Listener for Encrypted<L> {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let has_room = self.agreeing.len() < HANDSHAKES_MOST;
            tokio::select! {
                (socket, address) = self.listener.accept(), if has_room => {
                    let agreed = self.acceptor.accept(socket);
                    self.agreeing.spawn(async move {
                        let agreed = time::timeout(HANDSHAKE, agreed).await;
                        agreed.ok()?.ok().map(|it| (it, address))
                    });
                }
                Some(agreed) = self.agreeing.join_next() => {
                    if let Ok(Some(connection)) = agreed {
                        return connection;
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

#[cfg(test)]
mod tests;
