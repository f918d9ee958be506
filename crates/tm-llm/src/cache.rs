//! Answers that were given before, for whoever asks the same again.
//!
//! Nothing is looked up by resemblance: a [`Key`] is the digest of all that an answer depends on.
//! Answers are kept by a [`FileStore`]; those that are being given right now are shared by
//! [`flight::Flights`]. What may be kept is up to whoever asks: only they know whether an answer is
//! whole and valid. Start at [`Cache::look`].

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::catalogue::digest::Digest;
pub use files::{FileStore, Stats, StoreError};
use flight::{Flights, Joined, Lead};

mod files;
pub mod flight;

/// All that an answer depends on, as a digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key(String);

/// A cache of answers, each of which may come to an end in `T` while others wait for it.
#[derive(Debug)]
pub struct Cache<T> {
    store: FileStore,
    flights: Flights<T>,
    age_most: Duration,
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
    pub fn new(store: FileStore, age_most: Duration) -> Self {
        Self { store, flights: Flights::default(), age_most }
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

    /// Keeps an answer, which must be whole and valid.
    pub async fn keep(&self, key: &Key, answer: &Value) {
        let (store, key, answer) = (self.store.clone(), key.clone(), answer.clone());
        let kept = tokio::task::spawn_blocking(move || store.put(&key, &answer)).await;
        if let Ok(Err(error)) = kept {
            tracing::warn!(error = %error, "an answer was not kept");
        }
    }

    async fn kept(&self, key: &Key) -> Option<Value> {
        let (store, key, age_most) = (self.store.clone(), key.clone(), self.age_most);
        let read = tokio::task::spawn_blocking(move || store.get(&key, age_most)).await;
        read.ok().flatten()
    }
}

#[cfg(test)]
mod tests;
