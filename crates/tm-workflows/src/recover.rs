//! `recover --research`: a check fails, what is wrong is looked up, and steps are tried in a scratch copy
//! until the check passes.
//!
//! A model proposes steps and nothing else: which files may change, what may be run and whether it
//! helped is decided by code. Solved is only what makes the failing check pass, once more from the clean
//! state. Start at [`diagnose`] and [`recover`]; [`scratch`] makes the copy, [`applied`] takes what
//! helped to the user's own files.

use std::{io, path::Path, sync::Arc};

use tm_knowledge::{read::kind, walk};
use tm_llm::chat::Usage;

use self::{
    attempt::{Attempt, Became, Tried},
    candidates::{Rules, Shown, choose, is_named_by},
    doubt::{Doubt, Evidence},
    proposal::{Situation, end_of, propose},
    run::{Bounds, Ran, run},
    scratch::{Patch, Scratch, blocking},
    step::{Action, Step, StepError},
};
use crate::{
    asking::{AskError, Asking, Spent},
    autopilot::git::GitError,
    event::Event,
    research::{
        looked_up::{Found, SENTENCES, nearest, tell},
        sources::{SourceFile, read_file},
    },
};

pub mod applied;
pub mod attempt;
mod candidates;
pub mod doubt;
mod proposal;
pub mod record;
pub mod run;
pub mod scratch;
pub mod step;

/// What shall pass, and what may be done for it.
#[derive(Debug, Clone)]
pub struct Recovery {
    /// The user's own words, run by `sh`.
    pub check: String,
    /// Commands that steps may run, and prove something by.
    pub allowed: Vec<String>,
    /// The task that the check belongs to, in full.
    pub task: Option<Named>,
    pub attempts: u32,
    /// Whether steps may change tests and what the check names.
    pub changes_tests: bool,
    /// What the check, or a command, may have.
    pub bounds: Bounds,
}

/// A task.
#[derive(Debug, Clone)]
pub struct Named {
    pub title: String,
    pub text: String,
}

/// What a check says before anything was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Diagnosis {
    Passes,
    /// It failed and then passed with nothing changed.
    Flaky(Ran),
    Unrunnable(Ran),
    Fails(Ran),
}

/// What was tried, and what came of it.
#[derive(Debug)]
pub struct Recovered {
    /// What the check printed at first.
    pub failure: Ran,
    /// What documents say about it, each sentence with its place.
    pub sources: Vec<String>,
    /// The one that proposes steps, once it was asked.
    pub model: String,
    pub attempts: Vec<Attempt>,
    pub end: Outcome,
    /// What kept it from going on after something had been tried.
    pub stopped: Option<RecoverError>,
    pub usage: Usage,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The check passes with this.
    Resolved(Patch),
    /// The check passes with this, which may well be all that it is good for.
    Unproved(Patch, Doubt),
    Unresolved,
    /// The user did not want this done.
    Declined(Box<Step>),
}

/// Why nothing was tried, or no further.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error(transparent)]
    Git(#[from] GitError),
    #[error("there is no file that a step may change")]
    NoCandidate,
    #[error("{model} named no step that could be tried")]
    NoStep { model: String },
    #[error("`sh` cannot be run")]
    Shell(#[from] io::Error),
    #[error("it was interrupted")]
    Interrupted,
}

/// Steps of one attempt: each of them must have changed what the check says.
const STEPS_MAX: usize = 2;

/// Larger projects have files that nobody asked about.
const FILES_MAX: usize = 1000;

/// Runs the check in the copy: a failure counts when it is one twice.
///
/// # Errors
/// When `sh` cannot be started.
pub async fn diagnose(
    scratch: &Arc<Scratch>,
    recovery: &Recovery,
) -> Result<Diagnosis, RecoverError> {
    let first = check(scratch, recovery).await?;
    if first.passed() {
        return Ok(Diagnosis::Passes);
    }
    if first.is_unrunnable() {
        return Ok(Diagnosis::Unrunnable(first));
    }
    blocking(scratch, Scratch::reset).await?;
    let again = check(scratch, recovery).await?;
    blocking(scratch, Scratch::reset).await?;
    Ok(if again.passed() { Diagnosis::Flaky(first) } else { Diagnosis::Fails(again) })
}

/// Looks up what fails, and tries steps for it. Each is shown to `consent` before it is done. What was
/// tried is in `recovered` also when nobody waits for the end of it.
///
/// # Errors
/// What keeps the model from answering, or that nothing may be changed: once something was tried that is
/// in `stopped`. What cannot be tried is told in the attempts.
pub async fn recover(
    asking: Asking<'_>,
    scratch: &Arc<Scratch>,
    (recovery, recovered): (&Recovery, &mut Recovered),
    consent: impl AsyncFn(&Step) -> bool,
) -> Result<(), RecoverError> {
    let work = Work { asking, scratch, recovery, spent: Spent::default() };
    recovered.model.clone_from(&asking.backend.info().model);
    let found = work.look_up(&recovered.failure.output).await?;
    recovered.sources = found.iter().map(Found::line).collect();
    let evidence = work.evidence(&recovered.failure.output, &found).await?;
    let near: Vec<String> = found.into_iter().map(|it| it.path).collect();
    for number in 0..recovery.attempts.max(1) {
        (asking.observer)(Event::Note {
            text: format!("attempt {} of {}", number + 1, recovery.attempts),
        });
        blocking(scratch, Scratch::reset).await?;
        let before = Before {
            output: recovered.failure.output.clone(),
            sources: recovered.sources.join("\n"),
            earlier: recovered.steps().filter_map(Tried::told).collect::<Vec<_>>().join("\n"),
            near: &near,
            evidence: &evidence,
            number,
        };
        let attempt = recovered.attempts.push_mut(Attempt::default());
        let end = work.attempt(&before, attempt, &consent).await;
        attempt.resolved = matches!(end, Ok(Some(Outcome::Resolved(_))));
        recovered.usage = work.spent.usage();
        match end {
            Ok(None) => {}
            Ok(Some(end)) => {
                // Who thinks of the same once more thinks of nothing else.
                let is_last = !matches!(end, Outcome::Unproved(..)) || recovered.repeats();
                recovered.end.improve(end);
                if is_last {
                    break;
                }
            }
            Err(error) if recovered.tried_something() => {
                recovered.stopped = Some(error);
                break;
            }
            Err(error) => return Err(error),
        }
    }
    if recovered.steps().all(|it| it.step.is_none()) {
        return Err(RecoverError::NoStep { model: recovered.model.clone() });
    }
    Ok(())
}

impl Outcome {
    /// Becomes the other one, unless that is worth less.
    fn improve(&mut self, other: Self) {
        let worth = |it: &Self| match it {
            Self::Resolved(_) => 4,
            Self::Unproved(_, Doubt::Size { .. }) => 3,
            Self::Unproved(_, Doubt::Values(_)) => 2,
            Self::Declined(_) => 1,
            Self::Unresolved => 0,
        };
        if worth(&other) > worth(self) {
            *self = other;
        }
    }
}

impl Recovered {
    /// Nothing was tried yet.
    pub fn of(failure: Ran) -> Self {
        Self {
            failure,
            sources: Vec::new(),
            model: String::new(),
            attempts: Vec::new(),
            end: Outcome::Unresolved,
            stopped: None,
            usage: Usage::default(),
        }
    }

    fn steps(&self) -> impl Iterator<Item = &Tried> {
        self.attempts.iter().flat_map(|it| &it.steps)
    }

    /// Whether the last attempt came to the same as one before it that is unproved.
    fn repeats(&self) -> bool {
        let is_unproved = |it: &&Attempt| {
            it.steps.last().is_some_and(|it| matches!(it.became, Became::Unproved(_)))
        };
        self.attempts.split_last().is_some_and(|(last, earlier)| {
            earlier.iter().filter(is_unproved).any(|it| it.patch == last.patch)
        })
    }

    /// Whether anything was done in the copy.
    pub fn tried_something(&self) -> bool {
        self.steps().any(Tried::is_tried)
    }
}

async fn check(scratch: &Scratch, recovery: &Recovery) -> Result<Ran, RecoverError> {
    Ok(run(&recovery.check, scratch.folder(), &recovery.bounds).await?)
}

/// What all attempts share.
struct Work<'a> {
    asking: Asking<'a>,
    scratch: &'a Arc<Scratch>,
    recovery: &'a Recovery,
    spent: Spent,
}

/// What an attempt begins with.
struct Before<'a> {
    /// What the check printed.
    output: String,
    sources: String,
    /// What was tried before.
    earlier: String,
    near: &'a [String],
    evidence: &'a Evidence,
    number: u32,
}

impl Work<'_> {
    /// What documents say about the failure, in the words of the task and of the check.
    async fn look_up(&self, output: &str) -> Result<Vec<Found>, AskError> {
        let task = self.recovery.task.iter().map(|it| it.title.clone());
        let questions: Vec<String> = task.chain(questions(output)).collect();
        let questions: Vec<&str> = questions.iter().map(String::as_str).collect();
        let rules = self.rules();
        // Code is shown, and tests are.
        let wanted = |it: &Found| {
            let kind = kind(Path::new(&it.path));
            !rules.keeps(&it.path) && kind.is_some_and(|it| it != tm_knowledge::read::Kind::Code)
        };
        let found = nearest(&self.asking, &questions, SENTENCES, &wanted).await?;
        tell(&self.asking, &found);
        Ok(found)
    }

    fn rules(&self) -> Rules<'_> {
        let Recovery { check, changes_tests, .. } = self.recovery;
        Rules { check, folder: self.scratch.folder_inside(), changes_tests: *changes_tests }
    }

    /// What is known of the files as they are, and of what was looked up.
    async fn evidence(&self, output: &str, found: &[Found]) -> Result<Evidence, RecoverError> {
        let task = self.recovery.task.iter().map(|it| it.text.as_str());
        let documents: Vec<&str> = found.iter().map(|it| it.words.as_str()).chain(task).collect();
        Ok(Evidence::of(&self.files(output).await?, (self.rules(), output), &documents))
    }

    /// Steps from the clean state, until one helps or none does.
    async fn attempt(
        &self,
        before: &Before<'_>,
        attempt: &mut Attempt,
        consent: &impl AsyncFn(&Step) -> bool,
    ) -> Result<Option<Outcome>, RecoverError> {
        let mut output = before.output.clone();
        for _ in 0..STEPS_MAX {
            let files = self.shown(&output, before.near).await?;
            let done: Vec<String> = attempt.steps.iter().filter_map(Tried::told).collect();
            let situation = Situation {
                check: &self.recovery.check,
                allowed: &self.recovery.allowed,
                task: self.recovery.task.as_ref().map(|it| it.text.as_str()),
                documents: &before.sources,
                files: &files,
                output: &output,
                earlier: &before.earlier,
                done: &done.join("\n"),
                number: before.number,
            };
            let step = match propose(&self.asking, situation, &self.spent).await? {
                Ok(step) => step,
                Err(why) => {
                    attempt.note(None, Became::NoStep(why));
                    return Ok(None);
                }
            };
            if !consent(&step).await {
                attempt.note(Some(step.clone()), Became::NotWanted);
                return Ok(Some(Outcome::Declined(Box::new(step))));
            }
            let tried = self.try_step(&step).await?;
            let Tried { became, output: printed, .. } = &tried;
            // Something else fails now, and not for what this step did.
            let is_further = !printed.is_empty()
                && end_of(printed) != end_of(&output)
                && !step.is_blamed(printed);
            (self.asking.observer)(Event::Note { text: format!("{step}: {became}") });
            output.clone_from(printed);
            let passed = *became == Became::Passed;
            attempt.steps.push(tried);
            attempt.patch = blocking(self.scratch, Scratch::patch).await?.text;
            if passed {
                return self.confirmed(attempt, before.evidence).await;
            }
            if !is_further {
                break;
            }
        }
        Ok(None)
    }

    /// Does a step, and lets its proof and the check say what came of it.
    async fn try_step(&self, step: &Step) -> Result<Tried, RecoverError> {
        let tried = |became, output| Tried { step: Some(step.clone()), became, output };
        let failed = |how, output| Ok(tried(Became::Failed(how), output));
        let done = match self.act(step).await? {
            Ok(ran) => ran,
            Err(error) => return Ok(tried(Became::NotDone(error.to_string()), String::new())),
        };
        if let Some(ran) = done.filter(|it| !it.passed()) {
            return failed(format!("the command {}", ran.end), ran.output);
        }
        if step.proof != self.recovery.check {
            let proof = run(&step.proof, self.scratch.folder(), &self.recovery.bounds).await?;
            if !proof.passed() {
                return failed(format!("`{}` {}", step.proof, proof.end), proof.output);
            }
        }
        let check = check(self.scratch, self.recovery).await?;
        if check.passed() {
            return Ok(tried(Became::Passed, check.output));
        }
        failed(format!("the check {}", check.end), check.output)
    }

    async fn act(&self, step: &Step) -> Result<Result<Option<Ran>, StepError>, RecoverError> {
        let folder = self.scratch.folder();
        Ok(match &step.action {
            Action::Edit(edit) => edit.write(folder).map(|()| None),
            Action::Run(command) => Ok(Some(run(command, folder, &self.recovery.bounds).await?)),
        })
    }

    /// The same steps once more from the clean state, without what checks left behind.
    async fn confirmed(
        &self,
        attempt: &mut Attempt,
        evidence: &Evidence,
    ) -> Result<Option<Outcome>, RecoverError> {
        blocking(self.scratch, Scratch::reset).await?;
        let mut is_written = false;
        for step in attempt.steps.iter().filter_map(|it| it.step.as_ref()) {
            is_written |= matches!(step.action, Action::Edit(_));
            drop(self.act(step).await?);
        }
        let patch = blocking(self.scratch, Scratch::patch).await?;
        attempt.patch.clone_from(&patch.text);
        if let Some(path) = self.kept(&patch) {
            attempt.note(
                None,
                Became::DoesNotCount(format!("a command changed {path}, which the check rests on")),
            );
            return Ok(None);
        }
        let again = check(self.scratch, self.recovery).await?;
        if again.passed() {
            // What the user's own commands change is the user's.
            let doubt = if is_written { evidence.doubt(&patch.text) } else { None };
            let Some(doubt) = doubt else { return Ok(Some(Outcome::Resolved(patch))) };
            (self.asking.observer)(Event::Note { text: format!("in doubt: {doubt}") });
            if let Some(last) = attempt.steps.last_mut() {
                last.became = Became::Unproved(doubt.clone());
            }
            return Ok(Some(Outcome::Unproved(patch, doubt)));
        }
        attempt.note(
            None,
            Became::DoesNotCount(format!(
                "once more from the clean state, the check {}",
                again.end
            )),
        );
        Ok(None)
    }

    /// A file that must stay as it is and did not.
    fn kept<'a>(&self, patch: &'a Patch) -> Option<&'a String> {
        patch.paths.iter().find(|it| self.rules().keeps_from_root(it))
    }

    /// The files as they are now, those first that the output names.
    async fn files(&self, output: &str) -> Result<Vec<SourceFile>, RecoverError> {
        let (output, check) = (output.to_owned(), self.recovery.check.clone());
        let read = move |scratch: &Scratch| Ok(files(scratch.folder(), &output, &check));
        Ok(blocking(self.scratch, read).await?)
    }

    /// The files that a model is shown.
    async fn shown(&self, output: &str, near: &[String]) -> Result<Vec<Shown>, RecoverError> {
        let shown = choose(&self.files(output).await?, self.rules(), output, near);
        if shown.iter().all(|it| !it.may_change) && self.recovery.allowed.is_empty() {
            return Err(RecoverError::NoCandidate);
        }
        Ok(shown)
    }
}

/// The plain files of a folder, those first that the output or the check names.
fn files(folder: &Path, output: &str, check: &str) -> Vec<SourceFile> {
    let mut walked = walk::files(folder).files;
    walked.retain(|it| kind(it).is_some_and(tm_knowledge::read::Kind::is_plain));
    let is_named = is_named_by(output, check);
    // Stable, so that the others stay in their order.
    walked.sort_by_cached_key(|it| !it.to_str().is_some_and(&is_named));
    let plain = walked.into_iter().take(FILES_MAX);
    plain.filter_map(|it| read_file(folder, it.to_str()?).ok()).collect()
}

/// Lines of output that say what is wrong, the last ones first, in words that documents have.
fn questions(output: &str) -> Vec<String> {
    const MOST: usize = 4;
    let says = |it: &&str| {
        let line = it.to_ascii_lowercase();
        ["error", "fail", "expected", "assert", "not ", "missing"]
            .iter()
            .any(|it| line.contains(it))
    };
    let lines = output.lines().rev().filter(says).take(MOST);
    // What every failure says is in no document.
    let is_noise = |it: &str| {
        let it = it.to_ascii_lowercase();
        ["error", "exception", "fail", "failed", "true", "false"]
            .iter()
            .any(|end| it.ends_with(end))
    };
    let words = |line: &str| {
        let words = line.split(|it: char| !it.is_alphanumeric()).filter(|it| !is_noise(it));
        words.collect::<Vec<_>>().join(" ")
    };
    lines.map(words).filter(|it| !it.trim().is_empty()).collect()
}

#[cfg(test)]
mod tests;
