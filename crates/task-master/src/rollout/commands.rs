//! Trials of commands: which of their runs are answered by the models of another role.
//!
//! A command ends before anybody could judge it, so each run begins by judging those before it, by
//! their traces. What is typed decides whether a run is on trial: the same again is answered by the
//! same models. A tool of the MCP server is the command that it stands for. Start at [`choose`].

use std::{
    hash::{DefaultHasher, Hash, Hasher as _},
    io,
    path::Path,
    time::Duration,
};

use tm_llm::rollout::{Arm, Outcome, Trial, Verdict, Window, judge};
use tm_tasks::config::Role;

use super::{RolloutError, Running, State, Trials, live::apply};
use crate::trace::{Caller, Ending, Log, Record, Via};

/// Those that ask models, with the tools that stand for them. `research` is a role as well.
pub const COMMANDS: [(&str, &[&str]); 11] = [
    ("parse-prd", &["parse_prd"]),
    ("add-task", &["add_task"]),
    ("expand", &["expand_task", "expand_all"]),
    ("analyze-complexity", &["analyze_project_complexity"]),
    ("update", &["update"]),
    ("update-task", &["update_task"]),
    ("update-subtask", &["update_subtask"]),
    ("scope-up", &["scope_up_task"]),
    ("scope-down", &["scope_down_task"]),
    ("research", &["research"]),
    ("prd", &[]),
];

/// A run of a command that has other models on trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnTrial {
    pub command: &'static str,
    /// The role whose models are tried.
    pub candidate: Role,
    pub percent: u8,
    pub arm: Arm,
    /// They are asked the same when the command has ended, and nobody sees what they say.
    pub is_shadow: bool,
}

/// Why nobody can tell what is on trial.
#[derive(Debug, thiserror::Error)]
pub enum CommandTrialError {
    #[error(transparent)]
    Rollout(#[from] RolloutError),
    #[error("the traces, which say how a trial goes, cannot be read")]
    Traces(#[from] io::Error),
}

/// What a call is known by, when it is made again.
pub fn key(call: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    call.hash(&mut hasher);
    hasher.finish()
}

/// Whether this run is answered by models on trial; none where its command has none. Trials that
/// went wrong, or well, are changed first.
pub fn choose(
    root: &Path,
    state_dir: &Path,
    caller: &Caller,
) -> Result<Option<OnTrial>, CommandTrialError> {
    let Some(command) = command(&caller.name) else { return Ok(None) };
    let trials = Trials::of_project(root);
    let state = trials.read()?;
    let Some(trial) = state.trials.get(command) else { return Ok(None) };
    if trial.is_shadow {
        let is_asked = trial.shadows(caller.key);
        return Ok(on_trial(command, trial, caller).filter(|_| is_asked));
    }
    let records = Log::read(state_dir)?.records;
    let verdict = judged(command, trial, &state, &records, root);
    let changed =
        if verdict == Verdict::Hold { None } else { changed(&trials, command, trial, &verdict)? };
    let Some(trial) = changed.as_ref().unwrap_or(&state).trials.get(command) else {
        return Ok(None);
    };
    Ok(on_trial(command, trial, caller))
}

fn on_trial(command: &'static str, trial: &Trial, caller: &Caller) -> Option<OnTrial> {
    let candidate = Role::ALL.into_iter().find(|it| it.as_str() == trial.candidate)?;
    let (arm, percent) = (trial.arm(caller.key), trial.percent);
    Some(OnTrial { command, candidate, percent, arm, is_shadow: trial.is_shadow })
}

fn command(name: &str) -> Option<&'static str> {
    let is_it = |(command, tools): &&(&str, &[&str])| *command == name || tools.contains(&name);
    COMMANDS.iter().find(is_it).map(|(command, _)| *command)
}

/// What the runs since the last change say.
fn judged(name: &str, trial: &Trial, state: &State, records: &[Record], root: &Path) -> Verdict {
    let since = state.history.last().map(|it| it.time.as_str()).unwrap_or_default();
    let (mut candidate, mut incumbent) = (Window::default(), Window::default());
    let is_one = |it: &&Record| {
        it.via != Via::Gateway
            && it.project.as_deref() == Some(root)
            && it.time.as_str() > since
            && command(&it.by) == Some(name)
    };
    // The newest are first there.
    for record in records.iter().rev().filter(is_one) {
        let outcome = Outcome {
            id: record.id.clone(),
            is_good: record.ending == Ending::Answered
                && record.attempts.iter().all(|it| it.ending != Ending::Failed),
            took: Duration::try_from_secs_f64(record.took_s).unwrap_or_default(),
        };
        match record.trial.as_deref() {
            Some("candidate") => candidate.push(outcome),
            Some(_) => incumbent.push(outcome),
            None => {}
        }
    }
    judge(trial, &candidate, &incumbent)
}

/// Writes what was decided, unless somebody was quicker.
fn changed(
    trials: &Trials,
    command: &str,
    judged: &Trial,
    verdict: &Verdict,
) -> Result<Option<State>, RolloutError> {
    let (what, decided) = match verdict {
        Verdict::Hold => return Ok(None),
        Verdict::Advance(percent) => (format!("{command} went on to {percent} %"), None),
        Verdict::Back { why, examples } => {
            (format!("{command} went back by itself"), Some((why.clone(), examples.clone())))
        }
    };
    trials.change(&what, decided, |running: &mut Running| {
        if running.get(command) == Some(judged) {
            apply(running, command, verdict);
        }
    })
}

#[cfg(test)]
mod tests;
