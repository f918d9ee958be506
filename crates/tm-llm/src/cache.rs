//! Answers that were given before, for whoever asks the same again.
//!
//! Nothing is looked up by resemblance: a [`Key`] is the digest of all that an answer depends on.
//! Answers are kept in a [`Store`]; those that are being given right now are shared by
//! [`flight::Flights`], within one process. What may be kept is up to whoever asks: only they know
//! whether an answer is whole and valid. Start at [`Cache::look`].

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::catalogue::digest::Digest;
pub use files::FileStore;
use flight::{Flights, Joined, Lead};
pub use redis::RedisStore;
use store::Made;
pub use store::{Stats, Store, StoreError, Which};

mod files;
pub mod flight;
mod redis;
mod store;

/// All that an answer depends on, as a digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key(String);

/// A cache of answers, each of which may come to an end in `T` while others wait for it.
#[derive(Debug)]
pub struct Cache<T> {
    store: Store,
    flights: Flights<T>,
    age_most: Duration,
    /// How often the store did not do what it was asked.
    failures: AtomicU64,
}

/// What is there for a key.
#[derive(Debug)]
pub enum Found<T> {
    /// An answer from the store.
    Kept(Value),
    /// What somebody else got who asked at the same time.
    Shared(T),
    /// Nothing: whoever looked is to ask, and others wait for what comes of it.
    Nothing(Lead<T>),
}

impl Key {
    /// The digest of something that says everything.
    pub fn of(what: &impl Serialize) -> Option<Self> {
        let text = serde_json::to_vec(what).ok()?;
        Some(Self(Digest::finish(Sha256::new().chain_update(text)).to_string()))
    }

    fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Clone> Cache<T> {
    /// Answers older than `age_most` are as good as not there.
    pub fn new(store: impl Into<Store>, age_most: Duration) -> Self {
        let (store, failures) = (store.into(), AtomicU64::default());
        Self { store, flights: Flights::default(), age_most, failures }
    }

    /// How often the store failed. What it costs is an answer that is made again.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Looks an answer up; when there is none, the first who looks gets the lead, and the others
    /// wait for what comes of it.
    ///
    /// A store that cannot be read is as good as empty.
    pub async fn look(&self, key: &Key) -> Found<T> {
        if let Some(kept) = self.kept(key).await {
            return Found::Kept(kept);
        }
        match self.flights.join(key).await {
            Joined::Follows(outcome) => Found::Shared(outcome),
            // Whoever led before may have left an answer between the two looks.
            Joined::Leads(lead) => match self.kept(key).await {
                Some(kept) => Found::Kept(kept),
                None => Found::Nothing(lead),
            },
        }
    }

    /// Keeps an answer, which must be whole and valid, with the name of whoever made it.
    pub async fn keep(&self, key: &Key, answer: &Value, by: &str) {
        let kept = self.store.put(key, Made { answer, by }, self.age_most).await;
        self.noted(kept);
    }

    async fn kept(&self, key: &Key) -> Option<Value> {
        self.noted(self.store.get(key, self.age_most).await).flatten()
    }

    fn noted<O>(&self, outcome: Result<O, StoreError>) -> Option<O> {
        outcome
            .inspect_err(|error| {
                self.failures.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(%error, "the cache failed");
            })
            .ok()
    }
}

#[cfg(test)]
mod tests;
