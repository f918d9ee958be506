//! What an answer may say next, guessed from what was said before.
//!
//! Answers repeat their prompt and themselves. A guess costs little beside the token that is
//! computed anyway, and only what the model would have said itself is kept.

use llama_cpp_2::token::LlamaToken;

/// As many last tokens have to occur earlier.
const KEY: usize = 3;
/// Guesses at a time: more of them slow the step down by more than they save.
const AHEAD: usize = 6;

/// What followed the last tokens where they occurred before, at most `most` tokens.
pub(crate) fn guess(tokens: &[LlamaToken], most: u32) -> Vec<LlamaToken> {
    let Some((_, key)) = tokens.split_last_chunk::<KEY>() else { return Vec::new() };
    let Some((_, earlier)) = tokens.split_last() else { return Vec::new() };
    let Some(start) = earlier.windows(KEY).rposition(|window| window == key) else {
        return Vec::new();
    };
    let ahead = AHEAD.min(usize::try_from(most).unwrap_or(AHEAD));
    tokens.iter().skip(start + KEY).take(ahead).copied().collect()
}

#[cfg(test)]
mod tests;
