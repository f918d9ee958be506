//! Thoughts that a model writes in front of its answer, between `<think>` and `</think>`.
//!
//! Servers that know better report them apart; here is what to do about the others.

use std::borrow::Cow;

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// Takes the thoughts out of a text that arrives in pieces.
#[derive(Debug, Default)]
pub struct Thoughts {
    state: State,
    /// What may turn out to be part of a tag.
    held: String,
    /// What was taken out since somebody last asked.
    thought: String,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing but white space so far.
    #[default]
    Start,
    Thinking,
    Answering,
}

impl Thoughts {
    /// The part of a piece that belongs to the answer.
    pub fn strip<'a>(&mut self, piece: impl Into<Cow<'a, str>>) -> Cow<'a, str> {
        let piece = piece.into();
        if self.state == State::Answering {
            return piece;
        }
        self.held.push_str(&piece);
        if self.state == State::Start {
            let start = self.held.trim_start();
            if let Some(thought) = start.strip_prefix(OPEN) {
                self.held = thought.to_owned();
                self.state = State::Thinking;
            } else if !OPEN.starts_with(start) {
                self.state = State::Answering;
                return std::mem::take(&mut self.held).into();
            }
        }
        if self.state == State::Thinking {
            if let Some((thought, answer)) = self.held.split_once(CLOSE) {
                self.thought.push_str(thought);
                let answer = answer.trim_start().to_owned();
                self.held.clear();
                self.state = State::Answering;
                return answer.into();
            }
            self.take_out();
        }
        Cow::default()
    }

    /// The thoughts that were taken out since this was last asked.
    pub fn thought(&mut self) -> String {
        std::mem::take(&mut self.thought)
    }

    /// What was held back, when nothing more comes: a text that only looked like a thought.
    pub fn finish(self) -> String {
        match self.state {
            State::Start => self.held,
            State::Thinking | State::Answering => String::new(),
        }
    }

    /// Keeps only what may be the beginning of the end.
    fn take_out(&mut self) {
        let from = self.held.len().saturating_sub(CLOSE.len() - 1);
        let from = (from..=self.held.len()).find(|it| self.held.is_char_boundary(*it));
        self.thought.extend(self.held.drain(..from.unwrap_or(0)));
    }
}

#[cfg(test)]
mod tests;
