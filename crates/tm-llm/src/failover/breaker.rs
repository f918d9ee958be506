//! Whether a model that failed may be asked again.
//!
//! It rests after a failure, then gets one question to show that it is well; each time it fails
//! soon after that, it rests twice as long. What counts as well is an answer, not an open port.
//! Pure: whoever asks says what time it is.

use std::time::{Duration, Instant};

use crate::backend::BackendError;

/// How long a model rests after its first failure.
const REST: Duration = Duration::from_secs(1);
/// No rest is longer, unless a server asks for it.
const REST_MOST: Duration = Duration::from_mins(1);

/// What may be done with a model at a moment, the better ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// It may be asked.
    Well,
    /// It has rested: one question will show.
    Rested,
    /// It rests, or is being tried: only when nobody else is left.
    Resting,
    /// Not as long as this process lives.
    Excluded,
}

/// What is remembered of one model.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    state: State,
    /// Failures with no good time between them.
    failures: u32,
    /// When it last came back.
    well_since: Option<Instant>,
    /// What went wrong last.
    reason: String,
}

#[derive(Debug, Clone, Copy, Default)]
enum State {
    #[default]
    Well,
    Resting {
        until: Instant,
    },
    /// It has been asked the question that will show.
    Tried,
    Excluded,
}

impl Breaker {
    pub(super) fn standing(&self, now: Instant) -> Standing {
        match self.state {
            State::Well => Standing::Well,
            State::Resting { until } if now >= until => Standing::Rested,
            State::Resting { .. } | State::Tried => Standing::Resting,
            State::Excluded => Standing::Excluded,
        }
    }

    pub(super) fn reason(&self) -> &str {
        &self.reason
    }

    /// It is asked.
    pub(super) fn begin(&mut self, now: Instant) {
        if self.standing(now) == Standing::Rested {
            self.state = State::Tried;
        }
    }

    /// Whoever asked went away before it showed anything.
    pub(super) fn abandoned(&mut self, now: Instant) {
        if matches!(self.state, State::Tried) {
            self.state = State::Resting { until: now };
        }
    }

    /// It answers.
    pub(super) fn succeeded(&mut self, now: Instant) {
        if !matches!(self.state, State::Well) {
            self.state = State::Well;
            self.well_since = Some(now);
        }
    }

    pub(super) fn failed(&mut self, now: Instant, error: &BackendError) {
        self.reason = error.to_string();
        self.state = match meaning(error) {
            Meaning::Question => {
                // It has said something sensible, which shows that it is there.
                self.succeeded(now);
                return;
            }
            Meaning::Lasting => State::Excluded,
            Meaning::Busy(wait) => State::Resting { until: now + wait },
            Meaning::Passing => {
                let was_good = self.well_since.is_some_and(|it| now > it + self.rest());
                self.failures = if was_good { 1 } else { self.failures.saturating_add(1) };
                State::Resting { until: now + self.rest() }
            }
        };
    }

    fn rest(&self) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(16);
        REST.saturating_mul(1 << doublings).min(REST_MOST)
    }
}

/// What an error says about the model.
enum Meaning {
    /// It is the question that was wrong.
    Question,
    /// It fails for now.
    Passing,
    /// It has too much to do.
    Busy(Duration),
    /// It will fail like that for as long as the process lives.
    Lasting,
}

fn meaning(error: &BackendError) -> Meaning {
    match error {
        BackendError::Load { .. }
        | BackendError::OutOfMemory { .. }
        | BackendError::Unauthorized { .. }
        | BackendError::ModelMissing { .. }
        | BackendError::NotLocal { .. } => Meaning::Lasting,
        BackendError::Busy { retry_after, .. } => Meaning::Busy(retry_after.unwrap_or(REST)),
        BackendError::Unreachable { .. }
        | BackendError::Broken { .. }
        | BackendError::Reported { .. }
        | BackendError::EmptyAnswer { .. } => Meaning::Passing,
        BackendError::ContextOverflow { .. }
        | BackendError::Refused { .. }
        | BackendError::NoEmbeddings { .. }
        | BackendError::DeadlineExceeded { .. } => Meaning::Question,
    }
}

#[cfg(test)]
mod tests;
