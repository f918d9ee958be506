//! Which share of a role's requests is answered by other models on trial, and when that ends by
//! itself. Pure: files and clocks are somebody else's. Start at [`Trial`] and [`judge`].

use std::{collections::VecDeque, time::Duration};

use serde::{Deserialize, Serialize};

/// The shares that a trial goes through by itself, in percent.
pub const STEPS: [u8; 5] = [1, 5, 25, 50, 100];

/// Nothing is concluded from fewer requests.
const LEAST: usize = 20;
/// A share grows after so many.
const ENOUGH: usize = 50;
/// So many failures in a row need no statistics.
const IN_A_ROW: usize = 5;
/// Older outcomes are forgotten.
const WINDOW: usize = 200;
/// How much more often models on trial may fail.
const MORE_FAILURES: f64 = 0.02;
/// Their slowest answers may take so much longer than those of the others.
const SLOWER: f64 = 2.0;
/// A difference that nobody notices is none.
const UNNOTICED: Duration = Duration::from_secs(1);
/// Of the normal distribution, for an interval of 95 %.
const Z: f64 = 1.96;

/// Models of another role, tried in the place of a role's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Trial {
    /// The role whose models are tried.
    pub candidate: String,
    /// How many of a hundred conversations they answer.
    pub percent: u8,
    /// They are asked as well; what they say is compared, and not shown.
    #[serde(default)]
    pub is_shadow: bool,
    /// The share grows by itself as long as they do well.
    #[serde(default)]
    pub is_automatic: bool,
}

/// Who answers a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arm {
    /// The role's own models.
    Incumbent,
    /// Those on trial.
    Candidate,
}

/// What came of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub id: String,
    /// It was answered, and by nobody who stood in.
    pub is_good: bool,
    pub took: Duration,
}

/// What came of the latest requests of one arm.
#[derive(Debug, Default)]
pub struct Window {
    outcomes: VecDeque<Outcome>,
}

/// What is to become of a trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Hold,
    /// A larger share, in percent.
    Advance(u8),
    /// The role's own models answer everything again.
    Back {
        /// The figure that decided it.
        why: String,
        /// Requests that show it.
        examples: Vec<String>,
    },
}

impl Trial {
    /// Who answers a conversation, which is always the same while the share is; whoever has
    /// answered keeps it when the share grows.
    pub fn arm(&self, conversation: u64) -> Arm {
        let is_in = conversation % 100 < u64::from(self.percent);
        if is_in && !self.is_shadow { Arm::Candidate } else { Arm::Incumbent }
    }

    /// Whether those on trial are asked beside.
    pub fn shadows(&self, conversation: u64) -> bool {
        self.is_shadow && conversation % 100 < u64::from(self.percent)
    }
}

impl Arm {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incumbent => "incumbent",
            Self::Candidate => "candidate",
        }
    }
}

impl Window {
    pub fn push(&mut self, outcome: Outcome) {
        self.outcomes.push_back(outcome);
        if self.outcomes.len() > WINDOW {
            self.outcomes.pop_front();
        }
    }

    pub fn len(&self) -> usize {
        self.outcomes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.outcomes.is_empty()
    }

    fn failed(&self) -> impl DoubleEndedIterator<Item = &Outcome> {
        self.outcomes.iter().filter(|it| !it.is_good)
    }

    fn fails_in_a_row(&self) -> usize {
        self.outcomes.iter().rev().take_while(|it| !it.is_good).count()
    }

    /// 95 % of the good answers took no longer.
    fn p95(&self) -> Option<Duration> {
        let mut took: Vec<Duration> =
            self.outcomes.iter().filter(|it| it.is_good).map(|it| it.took).collect();
        took.sort_unstable();
        took.get((took.len() * 95).div_ceil(100).checked_sub(1)?).copied()
    }
}

/// What the latest requests say of a trial.
pub fn judge(trial: &Trial, candidate: &Window, incumbent: &Window) -> Verdict {
    let back = |why: String, examples: Vec<&Outcome>| Verdict::Back {
        why,
        examples: examples.iter().take(3).map(|it| it.id.clone()).collect(),
    };
    let row = candidate.fails_in_a_row();
    if row >= IN_A_ROW {
        return back(format!("{row} requests in a row failed"), candidate.failed().rev().collect());
    }
    if candidate.len() < LEAST {
        return Verdict::Hold;
    }
    let (failed, of) = (candidate.failed().count(), candidate.len());
    let (usually_failed, of_others) = (incumbent.failed().count(), incumbent.len());
    let usual = if of_others == 0 { 0.0 } else { ratio(usually_failed, of_others) };
    if at_least(failed, of) > usual + MORE_FAILURES {
        let why = format!(
            "{failed} of {of} requests failed, of the others {usually_failed} of {of_others}"
        );
        return back(why, candidate.failed().rev().collect());
    }
    if let (Some(slow), Some(usual)) = (candidate.p95(), incumbent.p95())
        && incumbent.len() >= LEAST
        && slow > usual.mul_f64(SLOWER).max(usual + UNNOTICED)
    {
        let why = format!(
            "95 % of the answers took up to {:.1} s, those of the others {:.1} s",
            slow.as_secs_f64(),
            usual.as_secs_f64()
        );
        return back(why, candidate.outcomes.iter().rev().filter(|it| it.took >= slow).collect());
    }
    let next = STEPS.into_iter().find(|it| *it > trial.percent);
    match next.filter(|_| trial.is_automatic && of >= ENOUGH) {
        Some(percent) => Verdict::Advance(percent),
        None => Verdict::Hold,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a window is small")]
fn ratio(part: usize, of: usize) -> f64 {
    part as f64 / of as f64
}

/// The rate of failures is hardly lower than that (Wilson).
#[expect(clippy::cast_precision_loss, reason = "a window is small")]
fn at_least(failed: usize, of: usize) -> f64 {
    let (n, rate) = (of as f64, ratio(failed, of));
    let centre = rate + Z * Z / (2.0 * n);
    let spread = Z * (rate * (1.0 - rate) / n + Z * Z / (4.0 * n * n)).sqrt();
    (centre - spread) / (1.0 + Z * Z / n)
}

#[cfg(test)]
mod tests;
