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

/// How a model stands, as far as that is worth telling others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It answered last.
    Well,
    /// It failed here, and is left alone for so long.
    Failed { left: Duration },
    /// Nobody here knows better than others do.
    Unsure,
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
    /// When it last was given up for saying nothing.
    silent_at: Option<Instant>,
}

#[derive(Debug, Clone, Copy, Default)]
enum State {
    #[default]
    Well,
    Resting {
        until: Instant,
        /// Somebody else saw it fail.
        is_told: bool,
    },
    /// It has been asked the question that will show.
    Tried,
    Excluded,
}

impl Breaker {
    pub(super) fn standing(&self, now: Instant) -> Standing {
        match self.state {
            State::Well => Standing::Well,
            State::Resting { until, .. } if now >= until => Standing::Rested,
            State::Resting { .. } | State::Tried => Standing::Resting,
            State::Excluded => Standing::Excluded,
        }
    }

    pub(super) fn reason(&self) -> &str {
        &self.reason
    }

    pub(super) fn has_been_silent_since(&self, moment: Instant) -> bool {
        self.silent_at.is_some_and(|it| it > moment)
    }

    /// It is given up for saying nothing, which is worth knowing for all who wait for it; what
    /// else goes wrong with one question says nothing of the others.
    pub(super) fn fell_silent(&mut self, now: Instant) {
        self.silent_at = Some(now);
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
            self.state = State::Resting { until: now, is_told: false };
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
            Meaning::Busy(wait) => resting(now + wait),
            Meaning::Passing => {
                let was_good = self.well_since.is_some_and(|it| now > it + self.rest());
                self.failures = if was_good { 1 } else { self.failures.saturating_add(1) };
                resting(now + self.rest())
            }
        };
    }

    /// Somebody else has seen it fail: it is left alone as long as they leave it alone.
    pub(super) fn told_to_rest(&mut self, now: Instant, left: Duration) {
        if matches!(self.standing(now), Standing::Well | Standing::Rested) {
            self.state = State::Resting { until: now + left, is_told: true };
            "it failed elsewhere".clone_into(&mut self.reason);
        }
    }

    /// How it stands, for others who ask the same model.
    pub(super) fn health(&self, now: Instant) -> Health {
        match self.state {
            State::Well => Health::Well,
            State::Resting { until, is_told: false } if until > now => {
                Health::Failed { left: until - now }
            }
            State::Resting { .. } | State::Tried | State::Excluded => Health::Unsure,
        }
    }

    fn rest(&self) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(16);
        REST.saturating_mul(1 << doublings).min(REST_MOST)
    }
}

fn resting(until: Instant) -> State {
    State::Resting { until, is_told: false }
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
        BackendError::NotLocal { .. } => Meaning::Lasting,
        BackendError::Busy { retry_after, .. } => Meaning::Busy(retry_after.unwrap_or(REST)),
        BackendError::Unreachable { .. }
        | BackendError::Broken { .. }
        | BackendError::Reported { .. }
        | BackendError::EmptyAnswer { .. }
        // Somebody frees memory, fetches the model or mends the key, and nobody starts this again.
        | BackendError::Load { .. }
        | BackendError::OutOfMemory { .. }
        | BackendError::Unauthorized { .. }
        | BackendError::ModelMissing { .. } => Meaning::Passing,
        BackendError::ContextOverflow { .. }
        | BackendError::Refused { .. }
        | BackendError::NoEmbeddings { .. }
        | BackendError::NoReranking { .. }
        | BackendError::DeadlineExceeded { .. } => Meaning::Question,
    }
}

#[cfg(test)]
mod tests;
