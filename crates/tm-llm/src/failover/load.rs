//! How much a model has to do, in seconds.
//!
//! What an answer will take is predicted from what answers took before. A model that has read the
//! same beginning before will read it faster, so it is preferred. Pure.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Duration,
};

use crate::chat::{ChatRequest, Message, Usage};

/// How much a new measurement counts against all earlier ones.
const WEIGHT: f64 = 0.2;
/// What a model that was never asked is taken to need: it must not look worse than a slow one.
const PREFILL_S: f64 = 0.001;
const DECODE_S: f64 = 0.02;
const ANSWER_TOKENS: f64 = 300.0;
/// What a large model needs on a few cores, which is as slow as any that is of use.
const PREFILL_SLOW_S: f64 = 0.05;
/// How much slower than usual a model may read.
const READ_SLOWER: f64 = 4.0;
/// What is left of the work of reading when the beginning was read before.
const READ_BEFORE: f64 = 0.3;
/// How often the time doubles that a model gets for its first word ever.
const DOUBLED_MOST: u32 = 4;
/// How many beginnings a model is taken to hold.
const BEGINNINGS: usize = 8;

/// What is measured of one model, and what it is doing.
#[derive(Debug, Default)]
pub(super) struct Load {
    prefill_s: Mean,
    decode_s: Mean,
    answer_tokens: Mean,
    first_word_s: Mean,
    /// How often it was given up for saying nothing.
    silences: u32,
    /// Work under way, in predicted seconds.
    outstanding_s: f64,
    in_flight: u32,
    beginnings: VecDeque<u64>,
}

/// A mean that forgets.
#[derive(Debug, Clone, Copy, Default)]
struct Mean(Option<f64>);

/// One question, as far as work is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Question {
    prompt_tokens: u32,
    max_tokens: u32,
    beginning: u64,
}

impl Question {
    pub(super) fn of(request: &ChatRequest) -> Self {
        let characters: usize = request.messages.iter().map(|it| it.content.len()).sum();
        Self {
            prompt_tokens: u32::try_from(characters / 4 + 1).unwrap_or(u32::MAX),
            max_tokens: request.max_tokens,
            beginning: beginning(&request.messages),
        }
    }
}

/// All but the last message, which is what differs between the questions of one job.
fn beginning(messages: &[Message]) -> u64 {
    let mut hasher = DefaultHasher::new();
    let shared = messages.split_last().map_or(messages, |(_, before)| before);
    for message in shared {
        message.content.hash(&mut hasher);
    }
    hasher.finish()
}

impl Load {
    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    pub(super) fn outstanding_s(&self) -> f64 {
        self.outstanding_s
    }

    /// Tokens a second that it writes, once it has.
    pub(super) fn decode_rate(&self) -> Option<f64> {
        self.decode_s.0.filter(|it| *it > 0.0).map(f64::recip)
    }

    /// What the question will take, without waiting.
    pub(super) fn predict_s(&self, question: Question) -> f64 {
        let is_known = self.beginnings.contains(&question.beginning);
        let reading = f64::from(question.prompt_tokens) * self.prefill_s.or(PREFILL_S);
        let reading = if is_known { reading * READ_BEFORE } else { reading };
        let tokens = self.answer_tokens.or(ANSWER_TOKENS).min(f64::from(question.max_tokens));
        reading + tokens * self.decode_s.or(DECODE_S)
    }

    /// The longest that the question may take to be read.
    pub(super) fn slowest_reading_s(&self, question: Question) -> f64 {
        let each = self.prefill_s.0.map_or(PREFILL_SLOW_S, |it| it * READ_SLOWER);
        f64::from(question.prompt_tokens) * each
    }

    /// How long the longest answer to the question will take to write; none before anything is
    /// known.
    pub(super) fn longest(&self, question: Question) -> Option<Duration> {
        let seconds = self.decode_s.0? * f64::from(question.max_tokens);
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// How long the first word usually takes; none before anything is known.
    pub(super) fn first_word(&self) -> Option<Duration> {
        self.first_word_s.0.and_then(|it| Duration::try_from_secs_f64(it).ok())
    }

    /// It is asked; what that is predicted to take, to be given back at the end.
    pub(super) fn begin(&mut self, question: Question) -> f64 {
        let predicted = self.predict_s(question);
        self.in_flight += 1;
        self.outstanding_s += predicted;
        if !self.beginnings.contains(&question.beginning) {
            self.beginnings.push_front(question.beginning);
            self.beginnings.truncate(BEGINNINGS);
        }
        predicted
    }

    pub(super) fn end(&mut self, predicted: f64) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.outstanding_s -= predicted;
        if self.in_flight == 0 {
            self.outstanding_s = 0.0;
        }
    }

    pub(super) fn first_word_after(&mut self, waited: Duration) {
        self.first_word_s.add(waited.as_secs_f64());
    }

    /// It was given up for saying nothing.
    pub(super) fn fell_silent(&mut self) {
        self.silences = self.silences.saturating_add(1);
    }

    /// How many times as long as the first time it is waited for when it has never said a word.
    pub(super) fn chances(&self) -> u32 {
        1 << self.silences.min(DOUBLED_MOST)
    }

    /// What an answer took.
    pub(super) fn measure(&mut self, usage: &Usage) {
        let read = usage.prompt_tokens.saturating_sub(usage.cached_tokens);
        // Nothing is known of it when the answer came in one piece.
        if read > 0 && !usage.prefill.is_zero() {
            self.prefill_s.add(usage.prefill.as_secs_f64() / f64::from(read));
        }
        if usage.completion_tokens > 0 {
            let tokens = f64::from(usage.completion_tokens);
            self.decode_s.add(usage.decode.as_secs_f64() / tokens);
            self.answer_tokens.add(tokens);
        }
    }
}

impl Mean {
    fn or(self, usual: f64) -> f64 {
        self.0.unwrap_or(usual)
    }

    fn add(&mut self, value: f64) {
        self.0 = Some(self.0.map_or(value, |mean| mean + WEIGHT * (value - mean)));
    }
}

#[cfg(test)]
mod tests;
