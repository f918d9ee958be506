//! How often everybody is asked again, and what is said when it was in vain. Pure.

use std::time::Duration;

use crate::backend::BackendError;

/// How often everybody gets another chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounds {
    pub most: u32,
    /// The wait before the second round; it doubles from there on.
    pub wait: Duration,
    /// The least silence of a model after which somebody else is asked who could answer. Clients
    /// wait ten seconds and longer.
    pub silence: Duration,
}

/// A round in which nobody answered.
#[derive(Default)]
pub(super) struct Missed {
    pub(super) errors: Vec<BackendError>,
    /// Another round is of no use, whatever the errors say.
    is_over: bool,
}

/// No server is waited for longer than this, whatever it asks for.
const WAIT_MOST: Duration = Duration::from_secs(30);

impl Default for Rounds {
    fn default() -> Self {
        Self { most: 3, wait: Duration::from_secs(1), silence: Duration::from_secs(5) }
    }
}

impl Rounds {
    /// The wait after a round: what a server asks for, or twice as long as the last, and up to
    /// half as much again, so that those who failed together do not come back together.
    pub(super) fn wait_after(self, round: u32, errors: &[BackendError]) -> Duration {
        let asked = errors.iter().filter_map(|it| {
            if let BackendError::Busy { retry_after, .. } = it { *retry_after } else { None }
        });
        let wait = self.wait.saturating_mul(1 << round.min(8));
        let wait = asked.min().unwrap_or(wait).min(WAIT_MOST);
        wait + wait.mul_f64(fastrand::f64() / 2.0)
    }
}

impl Missed {
    /// The same, ended by this.
    pub(super) fn over(mut self, error: BackendError) -> Self {
        self.errors.push(error);
        Self { is_over: true, ..self }
    }

    /// Whether waiting may help: who has nothing to say has nothing to say later.
    pub(super) fn may_pass(&self) -> bool {
        let may_pass = |it: &BackendError| {
            it.is_transient() && !matches!(it, BackendError::EmptyAnswer { .. })
        };
        !self.is_over && self.errors.iter().any(may_pass)
    }
}

/// What went wrong at the most wanted one is what can be mended; for a prompt that it has no room
/// for, whoever has the most room says how long it may be.
pub(super) fn most_telling(errors: Vec<BackendError>) -> Option<BackendError> {
    let room = |error: &BackendError| {
        if let BackendError::ContextOverflow { limit, .. } = error { Some(*limit) } else { None }
    };
    match errors.first().map(room)? {
        Some(_) => errors.into_iter().max_by_key(room),
        None => errors.into_iter().next(),
    }
}
