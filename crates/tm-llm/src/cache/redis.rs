//! Answers in a Redis server, for as many processes as have its address.
//!
//! Each answer is a hash that Redis forgets by itself when it is too old. A server that does not
//! answer costs a request a tenth of a second at most, once: it is left alone then, and one look
//! after each rest shows whether it is back. Start at [`RedisStore::open`].

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use redis::{
    AsyncConnectionConfig, Cmd, ConnectionAddr, ConnectionInfo, FromRedisValue,
    IntoConnectionInfo as _, Pipeline, RedisResult,
    aio::{ConnectionLike, MultiplexedConnection},
    cmd, pipe,
};
use serde_json::Value;
use tokio::{sync::Mutex, task::JoinSet, time::timeout};

use super::{
    Key,
    store::{Made, Stats, StoreError, Which, is_young, now_s},
};
use crate::egress::guard::{Guard, OnBlocked};
use rest::Rest;

mod rest;

/// A request does not wait longer for the cache than that.
const PATIENCE: Duration = Duration::from_millis(100);
/// Nor does the start of a program.
const PATIENCE_AT_START: Duration = Duration::from_secs(2);
/// So long may a person wait who wants to know what is there, or to forget it.
const PATIENCE_OF_A_PERSON: Duration = Duration::from_secs(30);
/// What begins the name of every answer; the number is the form of the hash.
const PREFIX: &str = "task-master:answer:1:";
/// So many answers are looked at together.
const TOGETHER: usize = 500;

/// A Redis server. Clones are the same one.
#[derive(Clone)]
pub struct RedisStore(Arc<Shared>);

/// How the server is, when that changes: what is wrong, or none when it is back.
pub type OnChange = Arc<dyn Fn(Option<&StoreError>) + Send + Sync>;

struct Shared {
    address: ConnectionInfo,
    host: String,
    port: u16,
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
enum Ask {
    One(Cmd),
    Many(Pipeline),
}

impl RedisStore {
    /// The server at `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`, which is connected to when it
    /// is needed.
    ///
    /// # Errors
    /// [`StoreError::NoAddress`], and [`StoreError::NotLocal`] for a host that is neither loopback
    /// nor listed.
    pub fn open(
        url: &str,
        guard: Guard,
        on_blocked: OnBlocked,
        on_change: OnChange,
    ) -> Result<Self, StoreError> {
        let no_address = |reason: String| StoreError::NoAddress { reason };
        let address = url.into_connection_info().map_err(|it| no_address(it.to_string()))?;
        let ConnectionAddr::Tcp(host, port) = address.addr() else {
            return Err(no_address("it is reached over TCP, without TLS".to_owned()));
        };
        let (host, port) = (host.clone(), *port);
        guard.check_host(&host).map_err(|refused| {
            on_blocked(&refused.host);
            StoreError::NotLocal { host: refused.host }
        })?;
        let settings = address.redis_settings().clone().set_skip_set_lib_name();
        let database = settings.db();
        let shown = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        Ok(Self(Arc::new(Shared {
            url: format!("redis://{shown}:{port}/{database}"),
            address: address.set_redis_settings(settings),
            host,
            port,
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
    /// [`StoreError::Redis`] says why it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.within(PATIENCE_AT_START, self.0.ask(&Ask::One(cmd("PING")))).await
    }

    pub(super) async fn get(
        &self,
        key: &Key,
        age_most: Duration,
    ) -> Result<Option<Value>, StoreError> {
        let mut command = cmd("HMGET");
        command.arg(name(key)).arg("made_s").arg("answer");
        let (made_s, answer): (Option<u64>, Option<Vec<u8>>) =
            self.quickly(Ask::One(command)).await?.unwrap_or_default();
        let young = made_s.is_some_and(|it| is_young(it, age_most));
        Ok(answer.filter(|_| young).and_then(|it| serde_json::from_slice(&it).ok()))
    }

    pub(super) async fn put(
        &self,
        key: &Key,
        made: Made<'_>,
        age_most: Duration,
    ) -> Result<(), StoreError> {
        let (name, text) = (name(key), made.answer.to_string());
        let mut commands = pipe();
        commands.atomic();
        commands.cmd("HSET").arg(&name).arg("made_s").arg(now_s());
        commands.arg("by").arg(made.by).arg("answer").arg(text).ignore();
        commands.cmd("EXPIRE").arg(&name).arg(age_most.as_secs().max(1)).ignore();
        self.quickly::<()>(Ask::Many(commands)).await.map(|_| ())
    }

    pub(super) async fn clear(&self, which: &Which) -> Result<u64, StoreError> {
        self.within(PATIENCE_OF_A_PERSON, async {
            let mut cleared: u64 = 0;
            for names in self.0.names().await?.chunks(TOGETHER) {
                let names = if which.is_all() {
                    names.to_vec()
                } else {
                    self.0.matching(names, which).await?
                };
                if !names.is_empty() {
                    let mut command = cmd("UNLINK");
                    command.arg(&names);
                    cleared += self.0.ask::<u64>(&Ask::One(command)).await?;
                }
            }
            Ok(cleared)
        })
        .await
    }

    pub(super) async fn stats(&self) -> Result<Stats, StoreError> {
        self.within(PATIENCE_OF_A_PERSON, async {
            let mut stats = Stats::default();
            for names in self.0.names().await?.chunks(TOGETHER) {
                let mut commands = pipe();
                for name in names {
                    commands.cmd("HGET").arg(name).arg("made_s");
                    commands.cmd("HSTRLEN").arg(name).arg("answer");
                }
                let facts: Vec<Option<u64>> = self.0.ask(&Ask::Many(commands)).await?;
                for fact in facts.chunks(2) {
                    // One that was forgotten in between has no time any more.
                    let [Some(made_s), bytes] = fact else { continue };
                    stats.answers += 1;
                    stats.bytes += bytes.unwrap_or_default();
                    stats.age_s = stats.age_s.max(now_s().saturating_sub(*made_s));
                }
            }
            Ok(stats)
        })
        .await
    }

    /// What the server says soon; none while it rests.
    async fn quickly<T: FromRedisValue>(&self, ask: Ask) -> Result<Option<T>, StoreError> {
        if !self.0.rest().may_ask(Instant::now()) {
            return Ok(None);
        }
        let answered = self.within(PATIENCE, self.0.ask(&ask)).await;
        let has_changed = match &answered {
            Ok(_) => self.0.rest().succeeded(),
            Err(_) => self.0.rest().failed(Instant::now()),
        };
        if has_changed {
            (self.0.on_change)(answered.as_ref().err());
        }
        answered.map(Some)
    }

    async fn within<T>(
        &self,
        patience: Duration,
        work: impl Future<Output = Result<T, String>>,
    ) -> Result<T, StoreError> {
        let done = timeout(patience, work).await.unwrap_or_else(|_| {
            // Whatever it says later is not what the next one wants to hear.
            if let Ok(mut link) = self.0.link.try_lock() {
                *link = None;
            }
            Err(format!("no answer within {} ms", patience.as_millis()))
        });
        done.map_err(|reason| StoreError::Redis { url: self.url().to_owned(), reason })
    }
}

impl Shared {
    /// Asks over the connection that is there, or over a new one when that turns out to be closed.
    async fn ask<T: FromRedisValue>(&self, ask: &Ask) -> Result<T, String> {
        loop {
            let (mut connection, is_new) = self.connection().await?;
            match ask.of(&mut connection).await {
                Ok(value) => return Ok(value),
                Err(error) => {
                    if error.is_unrecoverable_error() {
                        *self.link.lock().await = None;
                        if !is_new {
                            continue;
                        }
                    }
                    return Err(error.to_string());
                }
            }
        }
    }

    async fn connection(&self) -> Result<(MultiplexedConnection, bool), String> {
        let mut link = self.link.lock().await;
        if let Some(link) = link.as_ref() {
            return Ok((link.connection.clone(), false));
        }
        let stream = self.guard.connect(&self.host, self.port, &self.on_blocked).await;
        let stream = stream.map_err(|it| it.to_string())?;
        // Whoever asks watches the time.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let settings = self.address.redis_settings();
        let made = MultiplexedConnection::new_with_config(settings, stream, config).await;
        let (connection, driver) = made.map_err(|it| it.to_string())?;
        let mut tasks = JoinSet::new();
        tasks.spawn(driver);
        *link = Some(Link { connection: connection.clone(), _driver: tasks });
        Ok((connection, true))
    }

    /// Of every answer, each once.
    async fn names(&self) -> Result<Vec<String>, String> {
        let (mut names, mut cursor) = (BTreeSet::new(), 0_u64);
        loop {
            let mut command = cmd("SCAN");
            command.arg(cursor).arg("MATCH").arg(format!("{PREFIX}*")).arg("COUNT").arg(TOGETHER);
            let (next, some): (u64, Vec<String>) = self.ask(&Ask::One(command)).await?;
            names.extend(some);
            if next == 0 {
                return Ok(names.into_iter().collect());
            }
            cursor = next;
        }
    }

    async fn matching(&self, names: &[String], which: &Which) -> Result<Vec<String>, String> {
        let mut commands = pipe();
        for name in names {
            commands.cmd("HMGET").arg(name).arg("made_s").arg("by");
        }
        let facts: Vec<(Option<u64>, Option<String>)> = self.ask(&Ask::Many(commands)).await?;
        let matches = names.iter().zip(facts).filter(|(_, (made_s, by))| {
            made_s.is_some_and(|it| which.is(it, by.as_deref().unwrap_or_default()))
        });
        Ok(matches.map(|(name, _)| name.clone()).collect())
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

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisStore").field(&self.0.url).finish()
    }
}

fn name(key: &Key) -> String {
    format!("{PREFIX}{}", key.as_str())
}

#[cfg(test)]
mod tests;
