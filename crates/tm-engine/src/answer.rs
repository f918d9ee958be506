//! One answer in the making: from the model's scores to text that leaves the engine.
//!
//! Knows the request's constraint, its sampling and its reader; not which sequence it is computed
//! in, nor what else is computed beside it.

use std::time::Instant;

use llama_cpp_2::{token::LlamaToken, vocab::LlamaVocab};
use tm_llm::{
    backend::BackendError,
    chat::{ChatEvent, FinishReason, Sampling, Usage},
};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use toktrie::SimpleVob;

use crate::{
    grammar::Constraint,
    prefix::folder::{Folder, Kept},
    sample::Sampler,
    text::TextStream,
};

/// Where an answer goes, piece by piece.
pub(crate) type Events = mpsc::Sender<Result<ChatEvent, BackendError>>;

/// A request as the scheduler gets it.
pub(crate) struct Job {
    pub(crate) prompt: Vec<LlamaToken>,
    /// A file that begins like the prompt.
    pub(crate) kept: Option<Kept>,
    pub(crate) constraint: Option<Constraint>,
    pub(crate) sampling: Sampling,
    pub(crate) max_tokens: u32,
    pub(crate) deadline: Instant,
    pub(crate) arrived: Instant,
    /// Has room for every event there can be: a piece for each token and the end.
    pub(crate) events: Events,
    /// Given back when the answer starts or the job is refused.
    pub(crate) place: OwnedSemaphorePermit,
}

/// How an answer goes on.
#[derive(Debug)]
pub(crate) enum Next {
    /// These tokens follow, and the model has to read them.
    Tokens(Vec<LlamaToken>),
    Finished(FinishReason),
}

/// Why an answer goes no further.
#[derive(Debug)]
pub(crate) enum Ended {
    Finished(FinishReason),
    Failed(BackendError),
    /// Nobody reads it any more.
    Cancelled,
}

/// An answer and when what happened to it.
pub(crate) struct Answer {
    model: String,
    constraint: Option<Constraint>,
    sampler: Sampler,
    text: TextStream,
    max_tokens: u32,
    deadline: Instant,
    events: Events,
    usage: Usage,
    started: Instant,
    first_token: Option<Instant>,
}

impl Answer {
    /// Starts the answer to a job whose prompt has `cached_tokens` tokens that are already read.
    pub(crate) fn start(model: String, job: Job, cached_tokens: usize) -> (Self, Vec<LlamaToken>) {
        let started = Instant::now();
        let usage = Usage {
            prompt_tokens: u32::try_from(job.prompt.len()).unwrap_or(u32::MAX),
            cached_tokens: u32::try_from(cached_tokens).unwrap_or(u32::MAX),
            queued: started.saturating_duration_since(job.arrived),
            ..Usage::default()
        };
        let answer = Self {
            model,
            constraint: job.constraint,
            sampler: Sampler::new(job.sampling),
            text: TextStream::default(),
            max_tokens: job.max_tokens,
            deadline: job.deadline,
            events: job.events,
            usage,
            started,
            first_token: None,
        };
        drop(job.place);
        (answer, job.prompt)
    }

    /// Whether the prompt is read and the answer has begun.
    pub(crate) fn has_begun(&self) -> bool {
        self.first_token.is_some()
    }

    /// How many tokens its prompt has, if the answer is held to a form.
    pub(crate) fn prompt_of_a_form(&self) -> Option<usize> {
        self.constraint.as_ref().and_then(|_| usize::try_from(self.usage.prompt_tokens).ok())
    }

    /// Whether so much of its prompt had to be read that it is worth a file.
    pub(crate) fn is_worth_keeping(&self, folder: &Folder) -> bool {
        let Usage { prompt_tokens, cached_tokens, .. } = self.usage;
        let read = self.first_token.unwrap_or_else(Instant::now);
        let took = read.saturating_duration_since(self.started);
        folder.is_worth_it(prompt_tokens.saturating_sub(cached_tokens), prompt_tokens, took)
    }

    /// How many tokens it may still get.
    pub(crate) fn tokens_left(&self) -> u32 {
        self.max_tokens.saturating_sub(self.usage.completion_tokens)
    }

    /// Whether the answer is over for a reason from outside.
    pub(crate) fn interrupted(&self, now: Instant) -> Option<Ended> {
        interrupted(&self.model, &self.events, self.deadline, now)
    }

    /// Draws the next token, and with it those that the constraint forces after it.
    pub(crate) fn next(
        &mut self,
        vocabulary: &LlamaVocab<'_>,
        scores: &[f32],
    ) -> Result<Next, BackendError> {
        self.first_token.get_or_insert_with(Instant::now);
        if self.tokens_left() == 0 {
            return Ok(Next::Finished(FinishReason::Length));
        }
        let allowed = match &mut self.constraint {
            Some(constraint) => {
                Some(constraint.allowed().map_err(|why| refused(&self.model, why))?)
            }
            None => None,
        };
        let left = self.tokens_left();
        let token = self.choose(scores, allowed.as_ref())?;
        let narrowed = match (&mut self.constraint, &allowed) {
            (Some(constraint), Some(allowed)) => constraint.in_place_of(token, allowed, left),
            _ => None,
        };
        let token = match narrowed {
            Some(narrowed) => self.choose(scores, Some(&narrowed))?,
            None => token,
        };
        if vocabulary.is_eog(token) {
            return Ok(Next::Finished(self.whole()));
        }
        let mut tokens = vec![token];
        let mut complete = false;
        if let Some(constraint) = &mut self.constraint {
            tokens.extend(constraint.accept(token).map_err(|why| refused(&self.model, why))?);
            complete = constraint.is_complete();
        }
        Ok(self.append(vocabulary, tokens, complete))
    }

    fn choose(
        &mut self,
        scores: &[f32],
        allowed: Option<&SimpleVob>,
    ) -> Result<LlamaToken, BackendError> {
        let token = self.sampler.choose(scores, allowed);
        token.ok_or_else(|| broken(&self.model, "no token may come next".to_owned()))
    }

    /// Why an answer ends to which nothing can be added.
    fn whole(&self) -> FinishReason {
        let is_cut = self.constraint.as_ref().is_some_and(Constraint::is_cut);
        if is_cut { FinishReason::Length } else { FinishReason::Stop }
    }

    /// Sends the text of `tokens`; what does not fit any more is cut off.
    fn append(
        &mut self,
        vocabulary: &LlamaVocab<'_>,
        mut tokens: Vec<LlamaToken>,
        complete: bool,
    ) -> Next {
        let whole = tokens.len();
        tokens.truncate(usize::try_from(self.tokens_left()).unwrap_or(usize::MAX));
        let mut bytes = Vec::new();
        for token in &tokens {
            self.sampler.saw(*token);
            vocabulary.token_to_piece_into(*token, &mut bytes, false, None);
        }
        self.usage.completion_tokens += u32::try_from(tokens.len()).unwrap_or(0);
        let text = self.text.push(&bytes);
        if !text.is_empty() {
            self.send(Ok(ChatEvent::Delta(text)));
        }
        if complete && tokens.len() == whole {
            Next::Finished(self.whole())
        } else if self.tokens_left() == 0 {
            Next::Finished(FinishReason::Length)
        } else {
            Next::Tokens(tokens)
        }
    }

    /// Says how it ended. Dropping an answer without this leaves its reader with a cut stream.
    pub(crate) fn end(mut self, ended: Ended) {
        let now = Instant::now();
        let first_token = self.first_token.unwrap_or(now);
        self.usage.prefill = first_token.saturating_duration_since(self.started);
        self.usage.decode = now.saturating_duration_since(first_token);
        match ended {
            Ended::Finished(finish) => {
                let usage = self.usage;
                tracing::debug!(
                    model = self.model,
                    prompt_tokens = usage.prompt_tokens,
                    cached_tokens = usage.cached_tokens,
                    completion_tokens = usage.completion_tokens,
                    "answered"
                );
                self.send(Ok(ChatEvent::Done { finish, usage }));
            }
            Ended::Failed(error) => self.send(Err(error)),
            Ended::Cancelled => tracing::debug!(model = self.model, "cancelled"),
        }
    }

    /// A reader that is gone is noticed by [`Self::interrupted`].
    fn send(&mut self, event: Result<ChatEvent, BackendError>) {
        self.events.try_send(event).ok();
    }
}

impl Job {
    /// Whether the job is over before it has begun.
    pub(crate) fn interrupted(&self, model: &str, now: Instant) -> Option<Ended> {
        interrupted(model, &self.events, self.deadline, now)
    }

    /// Gives the job back unanswered.
    pub(crate) fn refuse(self, ended: Ended) {
        match ended {
            Ended::Failed(error) => drop(self.events.try_send(Err(error))),
            Ended::Finished(_) | Ended::Cancelled => {}
        }
    }
}

fn interrupted(model: &str, events: &Events, deadline: Instant, now: Instant) -> Option<Ended> {
    if events.is_closed() {
        return Some(Ended::Cancelled);
    }
    let late = now >= deadline;
    late.then(|| Ended::Failed(BackendError::DeadlineExceeded { model: model.to_owned() }))
}

/// The schema is more than llguidance can follow, now or ever.
fn refused(model: &str, reason: String) -> BackendError {
    BackendError::Refused { model: model.to_owned(), reason }
}

/// The engine itself failed, not the request.
pub(crate) fn broken(model: &str, reason: String) -> BackendError {
    BackendError::Broken { model: model.to_owned(), reason }
}

#[cfg(test)]
mod tests;
