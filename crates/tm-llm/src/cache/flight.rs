//! Equal requests at the same time: one asks, and the others get what comes of it.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use super::Key;

type UnderWay<T> = Mutex<HashMap<Key, watch::Receiver<Option<T>>>>;

/// What is being asked right now.
pub struct Flights<T>(Arc<UnderWay<T>>);

/// What becomes of whoever joins.
#[derive(Debug)]
pub enum Joined<T> {
    /// Nobody else asks this.
    Leads(Lead<T>),
    /// Somebody did, and this came of it.
    Follows(T),
}

/// The one who asks. Dropping it without an outcome lets the next one ask.
pub struct Lead<T> {
    key: Key,
    outcome: watch::Sender<Option<T>>,
    under_way: Arc<UnderWay<T>>,
}

impl<T: Clone> Flights<T> {
    /// Leads, or waits for whoever does.
    pub async fn join(&self, key: &Key) -> Joined<T> {
        loop {
            let mut leader = {
                let mut under_way = entries(&self.0);
                let Some(leader) = under_way.get(key) else {
                    let (outcome, receiver) = watch::channel(None);
                    under_way.insert(key.clone(), receiver);
                    let under_way = Arc::clone(&self.0);
                    return Joined::Leads(Lead { key: key.clone(), outcome, under_way });
                };
                leader.clone()
            };
            // Whoever led may have gone without an outcome: then it is somebody else's turn.
            if let Ok(outcome) = leader.wait_for(Option::is_some).await
                && let Some(outcome) = outcome.clone()
            {
                return Joined::Follows(outcome);
            }
        }
    }
}

impl<T> Lead<T> {
    /// Tells everybody who waits.
    pub fn tell(self, outcome: T) {
        self.outcome.send_replace(Some(outcome));
    }
}

impl<T> Drop for Lead<T> {
    fn drop(&mut self) {
        entries(&self.under_way).remove(&self.key);
    }
}

fn entries<T>(under_way: &UnderWay<T>) -> MutexGuard<'_, HashMap<Key, watch::Receiver<Option<T>>>> {
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> fmt::Debug for Flights<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flights").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Lead<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lead").field("key", &self.key).finish_non_exhaustive()
    }
}
