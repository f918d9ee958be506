//! What each request has in one batch.

use llama_cpp_2::token::LlamaToken;

use super::Running;
use crate::{
    decode::Decoder,
    speculate::{Gain, guess},
};

/// What one request has in a batch.
pub(super) struct Share {
    pub(super) running: usize,
    /// Index of the scores after its last token, then of those after each guess.
    pub(super) scores: Vec<i32>,
    pub(super) guesses: Vec<LlamaToken>,
    /// Nothing but one token and the guesses is in the batch.
    pub(super) is_alone: bool,
}

/// Puts up to `budget` of the tokens that a request's sequence does not hold yet into the batch,
/// and guesses what follows them where that has a `gain`.
pub(super) fn add_share(
    decoder: &mut Decoder<'_>,
    (index, running): (usize, &Running),
    gain: Option<&mut Gain>,
    budget: usize,
) -> Option<Share> {
    let sequence = running.sequence;
    let pending = running.tokens.get(decoder.held().len(sequence)..).unwrap_or_default();
    let pending = pending.get(..budget.min(decoder.batch_room())).unwrap_or(pending);
    let last = running.tokens.len() - decoder.held().len(sequence);
    let (scores, guesses, is_alone) = (Vec::new(), Vec::new(), gain.is_some() && last == 1);
    let mut share = Share { running: index, scores, guesses, is_alone };
    for (token, count) in pending.iter().zip(1..) {
        let scored = count == last;
        let added = decoder.add(sequence, *token, scored)?;
        share.scores.extend(scored.then_some(added));
    }
    if let Some(gain) = gain.filter(|_| !share.scores.is_empty()) {
        let left = usize::try_from(running.answer.tokens_left()).unwrap_or(usize::MAX);
        let ahead = if guess(&running.tokens, 1).is_empty() { 0 } else { gain.ahead() };
        for token in guess(&running.tokens, ahead.min(left)) {
            let Some(added) = decoder.add(sequence, *token, true) else { break };
            share.scores.push(added);
            share.guesses.push(*token);
        }
    }
    (!pending.is_empty()).then_some(share)
}
