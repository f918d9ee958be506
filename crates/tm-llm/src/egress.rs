//! The one place that opens connections to other machines.
//!
//! Everybody who talks HTTP gets the client from here, so that the user's proxy and certificates
//! count everywhere, and so that no request can wait for ever; and from [`guard`] whoever must stay
//! on this machine. Knows nothing of what is fetched.

use std::{fs, io, path::PathBuf, time::Duration};

use futures_util::{Stream, StreamExt as _};
use reqwest::{Certificate, Client, ClientBuilder, NoProxy, Proxy, Response, redirect};

pub mod guard;
pub(crate) mod loopback;
pub mod push;
pub mod rest;
pub(crate) mod tls;

/// How to get out of this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkConfig {
    /// The proxy for `http` addresses.
    pub http_proxy: Option<String>,
    /// The proxy for `https` addresses.
    pub https_proxy: Option<String>,
    /// Hosts that are reached without a proxy, as in `NO_PROXY`.
    pub no_proxy: Option<String>,
    /// PEM files with certificates that are trusted besides the system's own.
    pub certificates: Vec<PathBuf>,
}

/// Why there is no way out.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    #[error("cannot read the certificates in {}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the certificates in {} are not PEM", path.display())]
    NotPem { path: PathBuf, source: reqwest::Error },
    #[error("the proxy {proxy:?} cannot be used")]
    Proxy { proxy: String, source: reqwest::Error },
    #[error("cannot set up TLS")]
    Tls { source: reqwest::Error },
    #[error("the certificates in {} are not PEM, or cannot be read", path.display())]
    BadPem { path: PathBuf, source: rustls::pki_types::pem::Error },
    #[error("cannot tell whose certificates to trust")]
    Verifier { source: rustls::Error },
}

/// A host that does not answer at once is taken to be out of reach: there are other sources.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest silence in the middle of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
const MOST_REDIRECTS: usize = 8;
const USER_AGENT: &str = concat!("task-master/", env!("CARGO_PKG_VERSION"));

/// A client that knows the way out, and gives up on those who do not answer.
pub fn http_client(config: &NetworkConfig) -> Result<Client, EgressError> {
    let builder = builder(config)?.read_timeout(READ_TIMEOUT);
    builder.build().map_err(|source| EgressError::Tls { source })
}

/// The same for those who watch the time themselves: models think before they speak.
pub fn patient_client(config: &NetworkConfig) -> Result<Client, EgressError> {
    builder(config)?.build().map_err(|source| EgressError::Tls { source })
}

fn builder(config: &NetworkConfig) -> Result<ClientBuilder, EgressError> {
    // A provider that the process has chosen already is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(redirect::Policy::limited(MOST_REDIRECTS))
        .tls_certs_merge(certificates(&config.certificates)?)
        // The environment is read by the binary alone.
        .no_proxy();
    let direct = config.no_proxy.as_deref().and_then(NoProxy::from_string);
    for (proxy, make) in [
        (&config.http_proxy, Proxy::http as fn(String) -> reqwest::Result<Proxy>),
        (&config.https_proxy, Proxy::https),
    ] {
        if let Some(proxy) = proxy {
            let made = make(proxy.clone())
                .map_err(|source| EgressError::Proxy { proxy: without_secrets(proxy), source })?;
            builder = builder.proxy(made.no_proxy(direct.clone()));
        }
    }
    Ok(builder)
}

/// An address without the user name and password in it, fit to be shown.
pub fn without_secrets(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

/// As much of an answer as that; nobody has to read what does not end.
pub(crate) async fn read_up_to(response: Response, most: usize) -> String {
    read_pieces(response.bytes_stream(), most).await
}

/// The same of its pieces.
pub(crate) async fn read_pieces<B: AsRef<[u8]>, E>(
    pieces: impl Stream<Item = Result<B, E>>,
    most: usize,
) -> String {
    let mut bytes = Vec::new();
    let mut pieces = std::pin::pin!(pieces);
    while let Some(Ok(piece)) = pieces.next().await {
        bytes.extend_from_slice(piece.as_ref());
        if bytes.len() > most {
            break;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The innermost reason of an error, which is what a person can act on.
pub fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn certificates(files: &[PathBuf]) -> Result<Vec<Certificate>, EgressError> {
    let mut certificates = Vec::new();
    for path in files {
        let pem = fs::read(path)
            .map_err(|source| EgressError::Unreadable { path: path.clone(), source })?;
        let bundle = Certificate::from_pem_bundle(&pem)
            .map_err(|source| EgressError::NotPem { path: path.clone(), source })?;
        certificates.extend(bundle);
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests;
