//! Keeps connections on this machine.
//!
//! A host is local when it is a loopback address or `localhost`, or was listed as local. What a
//! name resolves to is looked at as well, and a redirect is followed only to where a request may
//! go. There is no proxy: it would be a way out.

use std::{
    collections::BTreeSet,
    error::Error,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use reqwest::{
    Client, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};
use tokio::{net::TcpStream, time::timeout};

use super::{CONNECT_TIMEOUT, EgressError};

/// Which hosts count as this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guard {
    hosts: Arc<BTreeSet<String>>,
}

/// Is told of each connection that was not made, by its host.
pub type OnBlocked = Arc<dyn Fn(&str) + Send + Sync>;

type Unreached = Box<dyn Error + Send + Sync>;

/// Resolves names for one client, and stops what is not local.
#[derive(Clone)]
struct Gate {
    guard: Guard,
    on_blocked: OnBlocked,
}

/// A connection that was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{host} is not on this machine, nor a host that was listed as local")]
pub struct NotLocal {
    pub host: String,
}

impl Guard {
    /// Loopback, and these hosts: names or addresses, without ports.
    pub fn new(hosts: impl IntoIterator<Item = String>) -> Self {
        let hosts = hosts.into_iter().map(|it| bare(&it)).filter(|it| !it.is_empty());
        Self { hosts: Arc::new(hosts.collect()) }
    }

    /// Whether a URL may lead to a local host; names are looked at again when they are resolved.
    ///
    /// # Errors
    /// [`NotLocal`] with the host; all of the text when it is no URL.
    pub fn check(&self, url: &str) -> Result<(), NotLocal> {
        let refused = |host: &str| NotLocal { host: host.to_owned() };
        let parsed = Url::parse(url).map_err(|_| refused(url))?;
        self.check_host(parsed.host_str().unwrap_or_default())
    }

    /// The same for a host, which is a name or an address.
    ///
    /// # Errors
    /// [`NotLocal`].
    pub fn check_host(&self, host: &str) -> Result<(), NotLocal> {
        let host = bare(host);
        let is_loopback = match host.parse::<IpAddr>() {
            Ok(address) => is_loopback(address),
            Err(_) => host == "localhost" || host.ends_with(".localhost"),
        };
        if is_loopback || self.hosts.contains(&host) { Ok(()) } else { Err(NotLocal { host }) }
    }

    /// The hosts that were listed.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(String::as_str)
    }

    /// A client that reaches nothing but local hosts.
    ///
    /// # Errors
    /// [`EgressError::Tls`].
    pub fn client(&self) -> Result<Client, EgressError> {
        self.client_telling(Arc::new(|_| ()))
    }

    /// The same, and what it does not reach is told.
    ///
    /// # Errors
    /// [`EgressError::Tls`].
    pub fn client_telling(&self, on_blocked: OnBlocked) -> Result<Client, EgressError> {
        drop(rustls::crypto::ring::default_provider().install_default());
        let (guard, tell) = (self.clone(), Arc::clone(&on_blocked));
        let follow = redirect::Policy::custom(move |attempt| {
            let is_long = attempt.previous().len() > super::MOST_REDIRECTS;
            match guard.check(attempt.url().as_str()) {
                Ok(()) if is_long => attempt.error("too many redirects"),
                Ok(()) => attempt.follow(),
                Err(refused) => {
                    tell(&refused.host);
                    attempt.error(refused)
                }
            }
        });
        Client::builder()
            .user_agent(super::USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(follow)
            .dns_resolver(Arc::new(Gate { guard: self.clone(), on_blocked }))
            .no_proxy()
            .build()
            .map_err(|source| EgressError::Tls { source })
    }

    /// A connection to a local host, for those who do not speak HTTP. What is not local is told.
    ///
    /// # Errors
    /// [`NotLocal`], and whatever keeps a local host from being reached.
    pub(crate) async fn connect(
        &self,
        host: &str,
        port: u16,
        on_blocked: &OnBlocked,
    ) -> Result<TcpStream, Unreached> {
        let gate = Gate { guard: self.clone(), on_blocked: Arc::clone(on_blocked) };
        let addresses = gate.local(&bare(host), port).await?;
        let connecting = timeout(CONNECT_TIMEOUT, TcpStream::connect(addresses.as_slice()));
        let stream = connecting.await??;
        // A question is a small packet, and must not wait for more.
        drop(stream.set_nodelay(true));
        Ok(stream)
    }
}

impl Gate {
    /// The addresses of a host that are local.
    async fn local(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Unreached> {
        let found = tokio::net::lookup_host((host, port)).await?;
        let is_listed = self.guard.hosts.contains(host);
        let local: Vec<_> = found.filter(|it| is_listed || is_loopback(it.ip())).collect();
        if local.is_empty() {
            (self.on_blocked)(host);
            return Err(NotLocal { host: host.to_owned() }.into());
        }
        Ok(local)
    }
}

impl Resolve for Gate {
    fn resolve(&self, name: Name) -> Resolving {
        let gate = self.clone();
        Box::pin(async move {
            let addresses: Addrs = Box::new(gate.local(&bare(name.as_str()), 0).await?.into_iter());
            Ok(addresses)
        })
    }
}

/// An IPv4 address in IPv6 clothes counts as what it is.
fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn bare(host: &str) -> String {
    let host = host.trim().trim_start_matches('[').trim_end_matches(']');
    host.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
