//! What became of one request: who was asked, and how each of them ended.
//!
//! Kept beside the answer and not in it, because an answer says nothing of those who gave none.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    backend::BackendError,
    chat::{ChatRequest, FinishReason, Usage},
};

/// One model, asked once.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// What people call it.
    pub name: String,
    /// Who runs it; empty when it could not be opened.
    pub provider: String,
    pub model: String,
    pub outcome: Outcome,
    /// Why it failed, in no words but ours; empty when it did not.
    pub why: String,
    /// From the request to this attempt.
    pub after: Duration,
    /// How much of that was waiting for a place at this model.
    pub queued: Duration,
    /// None when it said nothing.
    pub first_word: Option<Duration>,
    pub took: Duration,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome {
    Answered(Usage, FinishReason),
    /// The [kind](crate::backend::BackendError::kind) of its error.
    Failed(&'static str),
    /// Whoever asked did not want to know any more.
    Abandoned,
}

/// What happens on the way.
#[derive(Debug, Clone, Copy)]
pub enum Step<'a> {
    /// An attempt has ended.
    Ended(&'a Attempt),
    /// The whole answer is there, whoever gave its parts.
    Answered { request: &'a ChatRequest, text: &'a str },
    /// Nobody else is asked: this is what the request fails with.
    GaveUp(&'a BackendError),
}

/// Sees each step.
pub type OnStep = Arc<dyn Fn(Step<'_>) + Send + Sync>;

/// Begins a journey for each request.
pub type Setout = Arc<dyn Fn() -> Arc<Journey> + Send + Sync>;

/// The attempts of one request.
pub struct Journey {
    begun: Instant,
    steps: Mutex<Steps>,
    on_step: OnStep,
}

/// Who sees what becomes of requests.
#[derive(Clone)]
pub(super) enum Watch {
    Nobody,
    /// Of this one.
    One(Arc<Journey>),
    /// Of each, one by one. Whoever could not be opened beforehand is told with the first.
    Each {
        setout: Setout,
        unopened: Arc<Mutex<Vec<Attempt>>>,
    },
}

#[derive(Debug, Default)]
struct Steps {
    asked: Vec<String>,
    ended: Vec<Attempt>,
}

impl Journey {
    pub fn new(on_step: OnStep) -> Self {
        Self { begun: Instant::now(), steps: Mutex::default(), on_step }
    }

    /// Everybody who was asked, in order; the last one answers, or is asked now.
    pub fn asked(&self) -> Vec<String> {
        self.steps().asked.clone()
    }

    /// Who answers, or is asked now.
    pub fn asked_last(&self) -> Option<String> {
        self.steps().asked.last().cloned()
    }

    /// How many were asked.
    pub fn attempts(&self) -> usize {
        self.steps().asked.len()
    }

    /// The attempts that have ended.
    pub fn ended(&self) -> Vec<Attempt> {
        self.steps().ended.clone()
    }

    pub(super) fn asks(&self, name: &str) {
        self.steps().asked.push(name.to_owned());
    }

    pub(super) fn ends(&self, attempt: Attempt) {
        (self.on_step)(Step::Ended(&attempt));
        self.steps().ended.push(attempt);
    }

    pub(super) fn answered(&self, request: &ChatRequest, text: &str) {
        (self.on_step)(Step::Answered { request, text });
    }

    pub(super) fn gives_up(&self, error: &BackendError) {
        (self.on_step)(Step::GaveUp(error));
    }

    /// These were asked, and that has ended.
    pub(super) fn has(&self, attempts: impl IntoIterator<Item = Attempt>) {
        for attempt in attempts {
            self.asks(&attempt.name);
            self.ends(attempt);
        }
    }

    /// How long it has taken until then.
    pub(super) fn until(&self, moment: Instant) -> Duration {
        moment.saturating_duration_since(self.begun)
    }

    fn steps(&self) -> MutexGuard<'_, Steps> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    pub(super) fn each(setout: Setout) -> Self {
        Self::Each { setout, unopened: Arc::default() }
    }

    /// The journey of a request that begins.
    pub(super) fn journey(&self) -> Option<Arc<Journey>> {
        match self {
            Self::Nobody => None,
            Self::One(journey) => Some(Arc::clone(journey)),
            Self::Each { setout, unopened } => {
                let journey = setout();
                let unopened =
                    std::mem::take(&mut *unopened.lock().unwrap_or_else(PoisonError::into_inner));
                journey.has(unopened);
                Some(journey)
            }
        }
    }

    /// Somebody could be opened, and these could not.
    pub(super) fn opened_after(&self, attempts: Vec<Attempt>) {
        match self {
            Self::Nobody => {}
            Self::One(journey) => journey.has(attempts),
            Self::Each { unopened, .. } => {
                unopened.lock().unwrap_or_else(PoisonError::into_inner).extend(attempts);
            }
        }
    }

    /// Nobody can be opened, so that nothing can be asked.
    pub(super) fn gave_up_after(&self, attempts: Vec<Attempt>, error: &BackendError) {
        if let Some(journey) = self.journey() {
            journey.has(attempts);
            journey.gives_up(error);
        }
    }
}

impl fmt::Debug for Journey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journey").field("steps", &self.steps).finish_non_exhaustive()
    }
}
