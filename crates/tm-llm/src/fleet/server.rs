//! A Redis server that several processes share: the way to it, and how long it is waited for.
//!
//! A server that does not answer costs a request a tenth of a second at most, once: it is left
//! alone then, and one look after each rest shows whether it is back. What is asked of it is up to
//! others. Start at [`Server::open`].

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use redis::{
    AsyncConnectionConfig, Cmd, ConnectionAddr, ConnectionInfo, FromRedisValue,
    IntoConnectionInfo as _, Pipeline, RedisResult,
    aio::{ConnectionLike, MultiplexedConnection},
    cmd,
};
use tokio::{sync::Mutex, task::JoinSet, time::timeout};
use tokio_rustls::TlsConnector;

use crate::egress::{
    EgressError,
    guard::{Guard, OnBlocked},
    tls,
};
use rest::Rest;

mod rest;

/// A request does not wait longer for the server than that.
const PATIENCE: Duration = Duration::from_millis(100);
/// Nor does the start of a program.
const PATIENCE_AT_START: Duration = Duration::from_secs(2);

/// A Redis server. Clones are the same one.
#[derive(Clone)]
pub struct Server(Arc<Shared>);

/// Where it is, and who may be reached.
pub struct Address<'a> {
    /// `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`, or `rediss://` for TLS.
    pub url: &'a str,
    pub guard: Guard,
    pub on_blocked: OnBlocked,
    /// PEM files with certificates that are trusted besides the system's own.
    pub certificates: &'a [PathBuf],
}

/// Why a server cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address may have a password in it, and is not shown.
    #[error("the address of the Redis server makes no sense: {reason}")]
    NoAddress { reason: String },
    #[error("{host} is not on this machine, nor a host that was listed as local")]
    NotLocal { host: String },
    #[error(transparent)]
    Egress(#[from] EgressError),
    #[error("the Redis server at {url} cannot be used: {reason}")]
    Unusable { url: String, reason: String },
    #[error("the Redis server at {url} is left alone after a failure")]
    Resting { url: String },
}

/// How the server is, when that changes: what is wrong, or none when it is back.
pub type OnChange = Arc<dyn Fn(Option<&ServerError>) + Send + Sync>;

struct Shared {
    address: ConnectionInfo,
    host: String,
    port: u16,
    encryption: Option<TlsConnector>,
    /// Fit to be shown.
    url: String,
    guard: Guard,
    on_blocked: OnBlocked,
    on_change: OnChange,
    rest: StdMutex<Rest>,
    link: Mutex<Option<Link>>,
}

/// A connection that all share.
struct Link {
    connection: MultiplexedConnection,
    /// What moves its bytes, for as long as the connection is kept.
    _driver: JoinSet<()>,
}

/// What is asked of the server.
pub(crate) enum Ask {
    One(Cmd),
    Many(Pipeline),
}

impl Server {
    /// A server, which is connected to when it is needed.
    ///
    /// # Errors
    /// [`ServerError::NoAddress`], [`ServerError::NotLocal`] for a host that is neither loopback
    /// nor listed, and [`ServerError::Egress`] for certificates that cannot be used.
    pub fn open(at: Address<'_>, on_change: OnChange) -> Result<Self, ServerError> {
        let Address { url, guard, on_blocked, certificates } = at;
        let no_address = |reason: String| ServerError::NoAddress { reason };
        let encrypted = url.trim().strip_prefix("rediss://");
        let plain = encrypted.map(|rest| format!("redis://{rest}"));
        let address = plain.as_deref().unwrap_or(url).into_connection_info();
        let address = address.map_err(|it| no_address(it.to_string()))?;
        let ConnectionAddr::Tcp(host, port) = address.addr() else {
            return Err(no_address("it is reached over TCP".to_owned()));
        };
        let (host, port) = (host.clone(), *port);
        guard.check_host(&host).map_err(|refused| {
            on_blocked(&refused.host);
            ServerError::NotLocal { host: refused.host }
        })?;
        let encryption = encrypted.map(|_| tls::connector(certificates)).transpose()?;
        let settings = address.redis_settings().clone().set_skip_set_lib_name();
        let database = settings.db();
        let shown = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let scheme = if encryption.is_some() { "rediss" } else { "redis" };
        Ok(Self(Arc::new(Shared {
            url: format!("{scheme}://{shown}:{port}/{database}"),
            address: address.set_redis_settings(settings),
            host,
            port,
            encryption,
            guard,
            on_blocked,
            on_change,
            rest: StdMutex::default(),
            link: Mutex::default(),
        })))
    }

    /// Where it is, without a password.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// Whether it answers.
    ///
    /// # Errors
    /// [`ServerError::Unusable`] says why it does not.
    pub async fn ping(&self) -> Result<(), ServerError> {
        self.within(PATIENCE_AT_START, self.ask(&Ask::One(cmd("PING")))).await
    }

    /// What the server says soon; none while it rests.
    pub(crate) async fn quickly<T: FromRedisValue>(
        &self,
        ask: Ask,
    ) -> Result<Option<T>, ServerError> {
        if !self.0.rest().may_ask(Instant::now()) {
            return Ok(None);
        }
        let answered = self.within(PATIENCE, self.ask(&ask)).await;
        let has_changed = match &answered {
            Ok(_) => self.0.rest().succeeded(),
            Err(_) => self.0.rest().failed(Instant::now()),
        };
        if has_changed {
            (self.0.on_change)(answered.as_ref().err());
        }
        answered.map(Some)
    }

    /// Work that asks the server, for as long as that.
    pub(crate) async fn within<T>(
        &self,
        patience: Duration,
        work: impl Future<Output = Result<T, String>>,
    ) -> Result<T, ServerError> {
        let done = timeout(patience, work).await.unwrap_or_else(|_| {
            // Whatever it says later is not what the next one wants to hear.
            if let Ok(mut link) = self.0.link.try_lock() {
                *link = None;
            }
            Err(format!("no answer within {} ms", patience.as_millis()))
        });
        done.map_err(|reason| ServerError::Unusable { url: self.url().to_owned(), reason })
    }

    /// Asks over the connection that is there, or over a new one when that turns out to be closed.
    pub(crate) async fn ask<T: FromRedisValue>(&self, ask: &Ask) -> Result<T, String> {
        loop {
            let (mut connection, is_new) = self.0.connection().await?;
            match ask.of(&mut connection).await {
                Ok(value) => return Ok(value),
                Err(error) => {
                    if error.is_unrecoverable_error() {
                        *self.0.link.lock().await = None;
                        if !is_new {
                            continue;
                        }
                    }
                    return Err(error.to_string());
                }
            }
        }
    }
}

impl Shared {
    async fn connection(&self) -> Result<(MultiplexedConnection, bool), String> {
        let mut link = self.link.lock().await;
        if let Some(link) = link.as_ref() {
            return Ok((link.connection.clone(), false));
        }
        let made = self.connect().await?;
        let connection = made.connection.clone();
        *link = Some(made);
        Ok((connection, true))
    }

    async fn connect(&self) -> Result<Link, String> {
        let stream = self.guard.connect(&self.host, self.port, &self.on_blocked).await;
        let stream = stream.map_err(|it| it.to_string())?;
        // Whoever asks watches the time.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let settings = self.address.redis_settings();
        let mut tasks = JoinSet::new();
        let connection = match &self.encryption {
            None => {
                let made = MultiplexedConnection::new_with_config(settings, stream, config).await;
                let (connection, driver) = made.map_err(|it| it.to_string())?;
                tasks.spawn(driver);
                connection
            }
            Some(encryption) => {
                let name = self.host.clone().try_into();
                let name = name.map_err(|_| format!("{} has no certificate", self.host))?;
                let stream = encryption.connect(name, stream).await.map_err(|it| it.to_string())?;
                let made = MultiplexedConnection::new_with_config(settings, stream, config).await;
                let (connection, driver) = made.map_err(|it| it.to_string())?;
                tasks.spawn(driver);
                connection
            }
        };
        Ok(Link { connection, _driver: tasks })
    }

    fn rest(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ask {
    async fn of<T: FromRedisValue>(&self, connection: &mut impl ConnectionLike) -> RedisResult<T> {
        match self {
            Self::One(command) => command.query_async(connection).await,
            Self::Many(commands) => commands.query_async(connection).await,
        }
    }
}

impl fmt::Debug for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address").field("guard", &self.guard).finish_non_exhaustive()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.0.url).finish()
    }
}

#[cfg(test)]
mod tests;
