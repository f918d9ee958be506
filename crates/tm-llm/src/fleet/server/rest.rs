//! Whether a server that failed is asked again.
//!
//! It is left alone for a second, and twice as long each time it fails after that; of all who want
//! something then, one asks, and shows how it is. Pure: whoever asks says what time it is.

use std::time::{Duration, Instant};

const REST: Duration = Duration::from_secs(1);
const REST_MOST: Duration = Duration::from_secs(30);
/// Who was to show how it is may have gone away.
const TRIAL: Duration = Duration::from_secs(1);

/// How a server is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Rest {
    #[default]
    Well,
    /// It failed.
    Resting { until: Instant, rest: Duration },
    /// Somebody asks it, and the others do not wait for what comes of it.
    Tried { until: Instant, rest: Duration },
}

impl Rest {
    /// Whether it is asked now, by whoever wants to know.
    pub(super) fn may_ask(&mut self, now: Instant) -> bool {
        match *self {
            Self::Well => true,
            Self::Resting { until, rest } | Self::Tried { until, rest } => {
                let may = now >= until;
                if may {
                    *self = Self::Tried { until: now + TRIAL, rest };
                }
                may
            }
        }
    }

    /// It answered; whether that is new.
    pub(super) fn succeeded(&mut self) -> bool {
        !matches!(std::mem::take(self), Self::Well)
    }

    /// It did not; whether that is new.
    pub(super) fn failed(&mut self, now: Instant) -> bool {
        let (rest, is_new) = match *self {
            Self::Well => (REST, true),
            Self::Tried { rest, .. } => ((rest * 2).min(REST_MOST), false),
            // Asked before that was known.
            Self::Resting { .. } => return false,
        };
        *self = Self::Resting { until: now + rest, rest };
        is_new
    }
}

#[cfg(test)]
mod tests;
