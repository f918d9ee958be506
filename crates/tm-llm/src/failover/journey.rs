//! What became of one request: who was asked, and how each of them ended.
//!
//! Kept beside the answer and not in it, because an answer says nothing of those who gave none.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::chat::Usage;

/// One model, asked once.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// What people call it.
    pub name: String,
    /// Who runs it; empty when it could not be opened.
    pub provider: String,
    pub model: String,
    pub outcome: Outcome,
    /// None when it said nothing.
    pub first_word: Option<Duration>,
    pub took: Duration,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome {
    Answered(Usage),
    /// The [kind](crate::backend::BackendError::kind) of its error.
    Failed(&'static str),
    /// Whoever asked did not want to know any more.
    Abandoned,
}

/// Sees each attempt when it has ended.
pub type OnAttempt = Arc<dyn Fn(&Attempt) + Send + Sync>;

/// The attempts of one request.
pub struct Journey {
    steps: Mutex<Steps>,
    on_attempt: OnAttempt,
}

#[derive(Debug, Default)]
struct Steps {
    asked: Vec<String>,
    ended: Vec<Attempt>,
}

impl Journey {
    pub fn new(on_attempt: OnAttempt) -> Self {
        Self { steps: Mutex::default(), on_attempt }
    }

    /// Everybody who was asked, in order; the last one answers, or is asked now.
    pub fn asked(&self) -> Vec<String> {
        self.steps().asked.clone()
    }

    /// The attempts that have ended.
    pub fn ended(&self) -> Vec<Attempt> {
        self.steps().ended.clone()
    }

    pub(super) fn asks(&self, name: &str) {
        self.steps().asked.push(name.to_owned());
    }

    pub(super) fn ends(&self, attempt: Attempt) {
        (self.on_attempt)(&attempt);
        self.steps().ended.push(attempt);
    }

    fn steps(&self) -> MutexGuard<'_, Steps> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Journey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journey").field("steps", &self.steps).finish_non_exhaustive()
    }
}
