//! Where answers are kept: a directory of this machine, or a Redis server.
//!
//! Both do the same: what is too old or cannot be read is not there, everybody who shares a store
//! sees what is kept in it at once, and what was forgotten is gone for all of them.

use std::{
    io,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use serde::Serialize;
use serde_json::Value;
use tokio::task::spawn_blocking;

use super::{FileStore, Key, RedisStore};
use crate::fleet::server::ServerError;

/// A place for answers. Clones are the same one.
#[derive(Debug, Clone)]
pub enum Store {
    Files(FileStore),
    Redis(RedisStore),
}

/// What is in a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    pub answers: u64,
    pub bytes: u64,
    /// Of the oldest answer.
    pub age_s: u64,
}

/// Which answers are forgotten: those to which all of it applies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Which {
    pub older_than: Option<Duration>,
    /// The model that made them, with or without where it is.
    pub by: Option<String>,
}

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the cache in {} cannot be used", directory.display())]
    Directory { directory: PathBuf, source: io::Error },
    #[error(transparent)]
    Redis(#[from] ServerError),
}

/// An answer, and what is known about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Made<'a> {
    pub(super) answer: &'a Value,
    /// Who made it.
    pub(super) by: &'a str,
}

impl Store {
    /// Forgets answers; how many that were.
    ///
    /// # Errors
    /// [`StoreError`]; some may be forgotten then.
    pub async fn clear(&self, which: Which) -> Result<u64, StoreError> {
        match self {
            Self::Files(files) => {
                let files = files.clone();
                blocking(move || files.clear(&which)).await
            }
            Self::Redis(redis) => redis.clear(&which).await,
        }
    }

    /// How much there is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn stats(&self) -> Result<Stats, StoreError> {
        match self {
            Self::Files(files) => {
                let files = files.clone();
                blocking(move || files.stats()).await
            }
            Self::Redis(redis) => redis.stats().await,
        }
    }

    /// Where it is, to be shown.
    pub fn place(&self) -> String {
        match self {
            Self::Files(files) => files.directory().display().to_string(),
            Self::Redis(redis) => redis.url().to_owned(),
        }
    }

    /// An answer that is no older than that.
    ///
    /// # Errors
    /// [`StoreError`] when nobody can tell; what is there and broken is not there.
    pub(super) async fn get(
        &self,
        key: &Key,
        age_most: Duration,
    ) -> Result<Option<Value>, StoreError> {
        match self {
            Self::Files(files) => {
                let (files, key) = (files.clone(), key.clone());
                blocking(move || Ok(files.get(&key, age_most))).await
            }
            Self::Redis(redis) => redis.get(key, age_most).await,
        }
    }

    /// Keeps an answer; nobody will want it when it is older than that.
    pub(super) async fn put(
        &self,
        key: &Key,
        made: Made<'_>,
        age_most: Duration,
    ) -> Result<(), StoreError> {
        match self {
            Self::Files(files) => {
                let (files, key) = (files.clone(), key.clone());
                let (answer, by) = (made.answer.clone(), made.by.to_owned());
                blocking(move || files.put(&key, Made { answer: &answer, by: &by })).await
            }
            Self::Redis(redis) => redis.put(key, made, age_most).await,
        }
    }
}

impl From<FileStore> for Store {
    fn from(files: FileStore) -> Self {
        Self::Files(files)
    }
}

impl From<RedisStore> for Store {
    fn from(redis: RedisStore) -> Self {
        Self::Redis(redis)
    }
}

impl Which {
    pub(super) fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an answer of this time and this model is one of them.
    pub(super) fn is(&self, made_s: u64, by: &str) -> bool {
        let is_old = |age: Duration| now_s().saturating_sub(made_s) > age.as_secs();
        let is_by = |name: &String| by.strip_prefix(name.as_str()).is_some_and(ends_name);
        self.older_than.is_none_or(is_old) && self.by.as_ref().is_none_or(is_by)
    }
}

/// Behind the name of a model comes where it is, or nothing.
fn ends_name(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(" at ")
}

/// Whether what was made then is young enough. A clock that was set back makes answers of the
/// future: they are not believed.
pub(super) fn is_young(made_s: u64, age_most: Duration) -> bool {
    now_s().checked_sub(made_s).is_some_and(|age_s| age_s <= age_most.as_secs())
}

pub(super) fn now_s() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let done = spawn_blocking(work).await;
    done.unwrap_or_else(|gone| {
        Err(StoreError::Directory { directory: PathBuf::new(), source: io::Error::other(gone) })
    })
}
