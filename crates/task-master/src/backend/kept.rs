//! Models of this process that outlast the call that loaded them.
//!
//! A server that is called again and again keeps what it has loaded: to load it anew takes longer
//! than many an answer. What nobody has used for a while gives its memory back. Who asks, and for
//! which project, is not known here: a model is what [`Found`] says, so that whoever asks for
//! another one gets another one. Start at [`Kept::load`].

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tm_llm::{
    backend::{Backend, BackendError},
    failover::Open,
};
use tokio::{
    sync::OnceCell,
    time::{Instant, MissedTickBehavior},
};

use super::embedded::Found;
use crate::{config::Environment, report::advice};

/// A model that nobody has used for so long is given up, unless the user says otherwise.
const IDLE: Duration = Duration::from_mins(5);

/// The models that a server has loaded.
#[derive(Debug)]
pub struct Kept {
    models: Mutex<Vec<Model>>,
    idle: Duration,
}

/// What a model is loaded for: the same file can be a writer and an embedder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    Answers,
    Vectors,
}

#[derive(Debug)]
struct Model {
    found: Found,
    work: Work,
    place: Place,
    /// Since when it has been seen unused.
    idle_since: Option<Instant>,
}

/// Empty until it is loaded; those who want it at the same time wait for the first of them.
type Place = Arc<OnceCell<Arc<dyn Backend>>>;

impl Kept {
    /// What the server's environment says of how long.
    pub fn new(environment: &Environment) -> anyhow::Result<Self> {
        let said = environment.variable("TASKMASTER_KEEP_ALIVE_S").map(str::parse).transpose();
        let idle = said.map_err(|_| {
            advice(
                "TASKMASTER_KEEP_ALIVE_S is no number of seconds",
                "set it to how long a model stays loaded that nobody uses, such as 300",
            )
        })?;
        Ok(Self { models: Mutex::default(), idle: idle.map_or(IDLE, Duration::from_secs) })
    }

    /// The model, loaded with `open` unless it is there. It is in use as long as somebody has it.
    ///
    /// # Errors
    /// What `open` fails with; when memory is short, not before what nobody uses was given up.
    pub(super) async fn load(
        &self,
        found: &Found,
        work: Work,
        open: &Open,
    ) -> Result<Arc<dyn Backend>, BackendError> {
        let place = self.place(found, work);
        if let Some(model) = place.get()
            && model.prepare().await.is_err()
        {
            // It has broken down since.
            self.models().retain(|it| !Arc::ptr_eq(&it.place, &place));
        }
        let place = self.place(found, work);
        match place.get_or_try_init(open).await {
            Err(BackendError::OutOfMemory { .. }) if self.release(Duration::ZERO).await > 0 => {
                place.get_or_try_init(open).await.cloned()
            }
            loaded => loaded.cloned(),
        }
    }

    /// Gives up what was not used for a while, for as long as it is waited for.
    pub async fn give_back(&self) -> Infallible {
        let often = (self.idle / 4).clamp(Duration::from_millis(100), Duration::from_secs(30));
        let mut tick = tokio::time::interval(often);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            self.release(self.idle).await;
        }
    }

    /// Gives up what was not used for so long; how many models that were.
    async fn release(&self, idle: Duration) -> usize {
        let now = Instant::now();
        let over = |it: &mut Model| {
            let since = if it.is_used() { None } else { Some(it.idle_since.unwrap_or(now)) };
            it.idle_since = since;
            since.is_some_and(|it| now.duration_since(it) >= idle)
        };
        let given_up: Vec<Model> = self.models().extract_if(.., over).collect();
        let count = given_up.iter().filter(|it| it.place.initialized()).count();
        // An engine waits for its thread.
        drop(tokio::task::spawn_blocking(move || drop(given_up)).await);
        count
    }

    fn place(&self, found: &Found, work: Work) -> Place {
        let mut models = self.models();
        let known = models.iter_mut().find(|it| it.found == *found && it.work == work);
        if let Some(known) = known {
            known.idle_since = None;
            return Arc::clone(&known.place);
        }
        let place = Place::default();
        let model =
            Model { found: found.clone(), work, place: Arc::clone(&place), idle_since: None };
        models.push(model);
        place
    }

    fn models(&self) -> MutexGuard<'_, Vec<Model>> {
        self.models.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Model {
    fn is_used(&self) -> bool {
        let is_had = |it: &Arc<dyn Backend>| Arc::strong_count(it) > 1;
        Arc::strong_count(&self.place) > 1 || self.place.get().is_some_and(is_had)
    }
}

#[cfg(test)]
mod tests;
