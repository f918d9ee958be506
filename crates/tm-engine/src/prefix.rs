//! What the model has already read, sequence by sequence.
//!
//! Mirrors llama.cpp's key-value cache, which can be asked for little: the tokens of each
//! sequence and the cells that hold them. A copied prefix shares its cells. Knows nothing of
//! requests; the decoder keeps it true.

use std::collections::HashSet;

use llama_cpp_2::token::LlamaToken;

pub(crate) mod folder;

/// The start of some prompt, held by a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) sequence: usize,
    pub(crate) tokens: usize,
}

#[derive(Debug, Default, Clone)]
struct Sequence {
    tokens: Vec<LlamaToken>,
    cells: Vec<u64>,
}

/// Every sequence's tokens.
#[derive(Debug)]
pub(crate) struct Sequences {
    sequences: Vec<Sequence>,
    next_cell: u64,
}

impl Sequences {
    pub(crate) fn new(count: usize) -> Self {
        Self { sequences: vec![Sequence::default(); count], next_cell: 0 }
    }

    pub(crate) fn len(&self, sequence: usize) -> usize {
        self.sequences.get(sequence).map_or(0, |held| held.tokens.len())
    }

    pub(crate) fn clear(&mut self) {
        self.sequences.fill(Sequence::default());
    }

    pub(crate) fn push(&mut self, sequence: usize, token: LlamaToken) {
        if let Some(held) = self.sequences.get_mut(sequence) {
            held.tokens.push(token);
            held.cells.push(self.next_cell);
            self.next_cell += 1;
        }
    }

    /// The first `tokens` of a sequence.
    pub(crate) fn start(&self, sequence: usize, tokens: usize) -> Option<&[LlamaToken]> {
        self.sequences.get(sequence)?.tokens.get(..tokens)
    }

    pub(crate) fn truncate(&mut self, sequence: usize, tokens: usize) {
        if let Some(held) = self.sequences.get_mut(sequence) {
            held.tokens.truncate(tokens);
            held.cells.truncate(tokens);
        }
    }

    /// Makes `to` begin like `from`, and end there.
    pub(crate) fn copy(&mut self, from: Held, to: usize) {
        let Some(mut source) = self.sequences.get(from.sequence).cloned() else { return };
        source.tokens.truncate(from.tokens);
        source.cells.truncate(from.tokens);
        if let Some(target) = self.sequences.get_mut(to) {
            *target = source;
        }
    }

    /// The longest start of `prompt` that some sequence holds; the first of equals.
    pub(crate) fn longest_prefix(&self, prompt: &[LlamaToken]) -> Option<Held> {
        let mut best: Option<Held> = None;
        for (sequence, held) in self.sequences.iter().enumerate() {
            let tokens = common_prefix(&held.tokens, prompt);
            if tokens > best.map_or(0, |best| best.tokens) {
                best = Some(Held { sequence, tokens });
            }
        }
        best
    }

    /// How many cells these prefixes take together.
    pub(crate) fn cells(&self, prefixes: impl Iterator<Item = Held>) -> usize {
        let mut cells: HashSet<u64> = HashSet::new();
        for prefix in prefixes {
            if let Some(held) = self.sequences.get(prefix.sequence) {
                cells.extend(held.cells.iter().take(prefix.tokens));
            }
        }
        cells.len()
    }
}

/// How many tokens two texts have in common at their start.
pub(crate) fn common_prefix(a: &[LlamaToken], b: &[LlamaToken]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests;
