//! Models of this process that outlast the call that loaded them.
//!
//! A server that is called again and again keeps what it has loaded: to load it anew takes longer
//! than many an answer. What nobody has used for a while gives its memory back. Who asks, and for
//! which project, is not known here: a model is what [`Found`] says, so that whoever asks for
//! another one gets another one. Whoever holds on to what they were given uses it all the time;
//! [`Resident`] is for those who go on for longer than a call. Start at [`Kept::load`].

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tm_llm::{
    backend::{Backend, BackendError},
    failover::{Candidate, Open},
};
use tokio::{
    sync::{Notify, OnceCell},
    time::{Instant, timeout},
};

use super::embedded::Found;
use crate::{config::Environment, report::advice};
use resident::Resident;

mod resident;

/// A model that nobody has used for so long is given up, unless the user says otherwise.
const IDLE: Duration = Duration::from_mins(5);

/// The models that a server has loaded.
#[derive(Debug)]
pub struct Kept {
    models: Mutex<Vec<Model>>,
    /// How long after its last use a model goes of which nothing else was said.
    idle: Duration,
    /// Something may have to go sooner than was thought.
    changed: Notify,
}

/// Where models stay loaded, in a server.
#[derive(Debug, Clone)]
pub struct Keeping {
    pub kept: Arc<Kept>,
    /// What is chosen outlasts a call, and must not keep its models in memory by being there.
    pub is_lasting: bool,
}

/// A model that is in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InMemory {
    pub id: String,
    pub identity: String,
    pub bytes: u64,
    pub context_tokens: u32,
    /// How much longer, if nobody uses it; none for ever.
    pub left: Option<Duration>,
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
    /// How long after its last use it goes.
    idle: Duration,
}

/// Empty until it is loaded; those who want it at the same time wait for the first of them.
type Place = Arc<OnceCell<Arc<dyn Backend>>>;

impl Keeping {
    /// A model that is taken from here.
    pub(super) fn candidate(self, found: Found, work: Work, load: Open) -> Candidate {
        let (name, load) = (found.id.clone(), Arc::new(load));
        let open = move || {
            let (Self { kept, is_lasting }, found) = (self.clone(), found.clone());
            let load = Arc::clone(&load);
            Box::pin(async move {
                if !is_lasting {
                    return kept.load(&found, work, &load).await;
                }
                let resident = Resident::load(kept, (found, work), load).await?;
                Ok(Arc::new(resident) as Arc<dyn Backend>)
            }) as BoxFuture<'static, _>
        };
        Candidate::new(name, Box::new(open), None)
    }
}

impl Kept {
    /// What the server's environment says of how long.
    pub fn new(environment: &Environment) -> anyhow::Result<Self> {
        let said = environment.variable("TASKMASTER_KEEP_ALIVE_S").map(str::parse::<i64>);
        let idle = said.transpose().map_err(|_| {
            advice(
                "TASKMASTER_KEEP_ALIVE_S is no number of seconds",
                "set it to how long a model stays loaded that nobody uses, such as 300, or to -1 \
                 for ever",
            )
        })?;
        let for_ever = |_| Duration::MAX;
        let idle = idle.map_or(IDLE, |it| it.try_into().map_or_else(for_ever, Duration::from_secs));
        Ok(Self { models: Mutex::default(), idle, changed: Notify::new() })
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
            Err(BackendError::OutOfMemory { .. }) if self.release(|_, _| true).await > 0 => {
                place.get_or_try_init(open).await.cloned()
            }
            loaded => loaded.cloned(),
        }
    }

    /// A model goes so long after its last use, whatever it was loaded for, until it is loaded
    /// anew.
    pub fn keep_for(&self, id: &str, idle: Duration) {
        let mut models = self.models();
        for model in models.iter_mut().filter(|it| it.found.id == id) {
            model.idle = idle;
        }
        drop(models);
        self.changed.notify_one();
    }

    /// A model goes as soon as nobody uses it.
    pub async fn unload(&self, id: &str) {
        self.keep_for(id, Duration::ZERO);
        self.release(|it, idle| idle >= it.idle).await;
    }

    /// What is in memory now.
    pub fn in_memory(&self) -> Vec<InMemory> {
        let (now, models) = (Instant::now(), self.models());
        let in_memory = |it: &Model| {
            let backend = it.place.get()?;
            let unused = it.idle_since.filter(|_| !it.is_used()).map(|it| now.duration_since(it));
            let is_for_ever = it.idle == Duration::MAX;
            Some(InMemory {
                id: it.found.id.clone(),
                identity: it.found.identity.clone(),
                bytes: it.found.bytes(),
                context_tokens: backend.info().context_tokens,
                left: (!is_for_ever).then(|| it.idle.saturating_sub(unused.unwrap_or_default())),
            })
        };
        models.iter().filter_map(in_memory).collect()
    }

    /// The model, if it is in memory.
    fn loaded(&self, found: &Found, work: Work) -> Option<Arc<dyn Backend>> {
        let models = self.models();
        let known = models.iter().find(|it| it.found == *found && it.work == work);
        known.and_then(|it| it.place.get().cloned())
    }

    /// Gives up what was not used for a while, for as long as it is waited for.
    pub async fn give_back(&self) -> Infallible {
        loop {
            self.release(|it, idle| idle >= it.idle).await;
            let idle = self.models().iter().map(|it| it.idle).min();
            let often = idle.filter(|it| *it < Duration::MAX);
            let often =
                often.map(|it| (it / 4).clamp(Duration::from_millis(100), Duration::from_secs(30)));
            let changed = self.changed.notified();
            match often {
                Some(often) => drop(timeout(often, changed).await),
                None => changed.await,
            }
        }
    }

    /// Gives up models that were not used for so long that it is over with them; how many that
    /// were.
    async fn release(&self, is_over: impl Fn(&Model, Duration) -> bool) -> usize {
        let now = Instant::now();
        let over = |it: &mut Model| {
            let since = if it.is_used() { None } else { Some(it.idle_since.unwrap_or(now)) };
            it.idle_since = since;
            since.is_some_and(|since| is_over(it, now.duration_since(since)))
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
        let (found, idle_since, idle) = (found.clone(), None, self.idle);
        models.push(Model { found, work, place: Arc::clone(&place), idle_since, idle });
        drop(models);
        self.changed.notify_one();
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
