//! Trials as a gateway follows them: who answers a request, and what its outcome means for the
//! trial.
//!
//! The file is looked at ten times a second at most, so that a change counts for every request
//! within a tenth of a second, in every process. What is under way ends where it began. A trial
//! that goes wrong is over for this process at once, and then in the file.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use tm_llm::rollout::{Arm, Outcome, Trial, Verdict, Window, judge};
use tm_tasks::config::Role;

use super::{Running, Trials};

/// How often the file is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// The trials that a gateway follows.
#[derive(Debug)]
pub struct Live {
    trials: Trials,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    looked: Option<Instant>,
    /// What tells the file from what it was.
    seen: Option<(SystemTime, u64)>,
    running: Arc<Running>,
    /// What came of requests, by role; begun anew with every change of the trial.
    windows: BTreeMap<String, Windows>,
}

#[derive(Debug, Default)]
struct Windows {
    candidate: Window,
    incumbent: Window,
}

/// A role's trial, as far as one request is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    pub role: &'static str,
    pub trial: Trial,
    pub arm: Arm,
    /// Those on trial are asked as well.
    pub is_shadowed: bool,
}

/// Something that must be written into the file.
#[derive(Debug, PartialEq, Eq)]
pub struct Decision {
    role: &'static str,
    /// What was judged: whatever has been changed since then is left alone.
    judged: Trial,
    verdict: Verdict,
}

impl Chosen {
    /// The role whose models are on trial.
    pub fn candidate(&self) -> Option<Role> {
        Role::ALL.into_iter().find(|it| it.as_str() == self.trial.candidate)
    }
}

impl Live {
    pub fn new(trials: Trials) -> Self {
        Self { trials, known: Mutex::default() }
    }

    /// Where they are kept.
    pub fn trials(&self) -> &Trials {
        &self.trials
    }

    /// Who answers a conversation; none where nothing is on trial.
    pub fn choose(&self, role: &'static str, conversation: u64) -> Option<Chosen> {
        let running = self.running();
        let trial = running.get(role)?.clone();
        let (arm, is_shadowed) = (trial.arm(conversation), trial.shadows(conversation));
        Some(Chosen { role, trial, arm, is_shadowed })
    }

    /// Takes note of what came of a request. What follows from it counts at once; it is to be
    /// [written](Self::write) as well.
    pub fn ended(&self, chosen: &Chosen, outcome: Outcome) -> Option<Decision> {
        let mut known = self.known();
        // Whoever began before the trial was changed says nothing of how it is now.
        if known.running.get(chosen.role) != Some(&chosen.trial) {
            return None;
        }
        let windows = known.windows.entry(chosen.role.to_owned()).or_default();
        match chosen.arm {
            Arm::Candidate => windows.candidate.push(outcome),
            Arm::Incumbent => windows.incumbent.push(outcome),
        }
        if chosen.arm == Arm::Incumbent {
            return None;
        }
        let verdict = judge(&chosen.trial, &windows.candidate, &windows.incumbent);
        let mut running = Running::clone(&known.running);
        if !apply(&mut running, chosen.role, &verdict) {
            return None;
        }
        known.change(running);
        Some(Decision { role: chosen.role, judged: chosen.trial.clone(), verdict })
    }

    /// Writes what was decided. Blocking.
    pub fn write(&self, decision: Decision) {
        let Decision { role, judged, verdict } = decision;
        let (what, decided) = match &verdict {
            Verdict::Hold => return,
            Verdict::Advance(percent) => (format!("{role} went on to {percent} %"), None),
            Verdict::Back { why, examples } => {
                tracing::warn!(role, why, "a trial has ended");
                (format!("{role} went back by itself"), Some((why.clone(), examples.clone())))
            }
        };
        let written = self.trials.change(&what, decided, |running| {
            if running.get(role) == Some(&judged) {
                apply(running, role, &verdict);
            }
        });
        if let Err(error) = written {
            tracing::warn!(%error, "what became of a trial was not written");
        }
    }

    fn running(&self) -> Arc<Running> {
        let mut known = self.known();
        if known.looked.is_none_or(|it| it.elapsed() >= LOOK) {
            known.looked = Some(Instant::now());
            let facts = fs::metadata(self.trials.path());
            let seen = facts.and_then(|it| Ok((it.modified()?, it.len()))).ok();
            if seen != known.seen {
                match self.trials.read() {
                    Ok(state) => {
                        known.seen = seen;
                        known.change(state.trials);
                    }
                    // What is known holds until it can be read again.
                    Err(error) => tracing::warn!(%error, "trials cannot be followed"),
                }
            }
        }
        Arc::clone(&known.running)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn change(&mut self, running: Running) {
        let before = std::mem::replace(&mut self.running, Arc::new(running));
        let now = Arc::clone(&self.running);
        self.windows.retain(|role, _| before.get(role) == now.get(role));
    }
}

/// Whether anything is another thing then.
pub(super) fn apply(running: &mut Running, role: &str, verdict: &Verdict) -> bool {
    let Some(trial) = running.get_mut(role) else { return false };
    match verdict {
        Verdict::Hold => return false,
        Verdict::Advance(percent) => trial.percent = *percent,
        Verdict::Back { .. } => drop(running.remove(role)),
    }
    true
}
