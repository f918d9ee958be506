//! What an answer may say next, guessed from what was said before, where that gains time.
//!
//! Answers repeat their prompt and themselves (prompt lookup decoding). A guess costs something
//! beside the token that is computed anyway, and only what the model would have said itself is
//! kept. How much it costs is up to the machine, and how often it is right up to the text, so both
//! are measured as the answer is written. Start at [`guess`] and [`Gain`].

use std::time::Duration;

use llama_cpp_2::token::LlamaToken;

/// As many last tokens have to occur earlier.
const KEY: usize = 3;
/// How many guesses are tried at a time.
const AHEAD: [usize; 3] = [0, 2, 6];
/// How much of what is known stays known with each new step.
const MEMORY: f64 = 0.9;
/// After so many guesses that were not worth making, a few show whether that has changed.
const PATIENCE: u32 = 24;

/// What followed the last tokens where they occurred before, at most `most` tokens.
pub(crate) fn guess(tokens: &[LlamaToken], most: usize) -> &[LlamaToken] {
    let Some((_, key)) = tokens.split_last_chunk::<KEY>() else { return &[] };
    let Some((_, earlier)) = tokens.split_last() else { return &[] };
    let Some(start) = earlier.windows(KEY).rposition(|window| window == key) else { return &[] };
    let followed = tokens.get(start + KEY..).unwrap_or_default();
    followed.get(..most.min(followed.len())).unwrap_or_default()
}

/// What guessing has gained so far.
#[derive(Debug, Clone)]
pub(crate) struct Gain {
    /// Seconds that a step takes with as many guesses as [`AHEAD`] has.
    costs: [Option<f64>; AHEAD.len()],
    /// Of the guesses that were put to the test lately, those that were right, and all.
    right: f64,
    tested: f64,
    skipped: u32,
}

impl Default for Gain {
    fn default() -> Self {
        // Whoever has seen nothing hopes.
        Self { costs: [None; AHEAD.len()], right: 3.0, tested: 4.0, skipped: 0 }
    }
}

impl Gain {
    /// How many guesses are worth making where there may be some.
    pub(crate) fn ahead(&mut self) -> usize {
        let unknown = self.costs.iter().rposition(Option::is_none);
        if let Some(index) = unknown {
            return AHEAD.get(index).copied().unwrap_or(0);
        }
        let rate = |index: usize| {
            let guesses = AHEAD.get(index).copied().unwrap_or(0);
            self.tokens(guesses) / self.costs.get(index).copied().flatten().unwrap_or(f64::MAX)
        };
        let best = (0..AHEAD.len()).max_by(|left, right| rate(*left).total_cmp(&rate(*right)));
        let best = best.and_then(|it| AHEAD.get(it).copied()).unwrap_or(0);
        if best > 0 {
            self.skipped = 0;
            return best;
        }
        self.skipped += 1;
        if self.skipped < PATIENCE {
            return 0;
        }
        self.skipped = 0;
        AHEAD.get(1).copied().unwrap_or(0)
    }

    /// Takes note of a step that had nothing but one token and these guesses in it.
    pub(crate) fn took(&mut self, guesses: usize, right: usize, time: Duration) {
        let cost = AHEAD.iter().position(|it| *it == guesses).and_then(|it| self.costs.get_mut(it));
        if let Some(cost) = cost {
            let new = time.as_secs_f64();
            *cost = Some(cost.map_or(new, |old| old * MEMORY + new * (1.0 - MEMORY)));
        }
        if guesses > 0 {
            // The one after the first wrong one was not put to the test.
            let tested = guesses.min(right + 1);
            self.right = self.right * MEMORY + float(right);
            self.tested = self.tested * MEMORY + float(tested);
        }
    }

    /// How many tokens a step is expected to write.
    fn tokens(&self, guesses: usize) -> f64 {
        let chance = self.right / self.tested.max(f64::MIN_POSITIVE);
        let mut likely = 1.0;
        let mut tokens = 1.0;
        for _ in 0..guesses {
            likely *= chance;
            tokens += likely;
        }
        tokens
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are few guesses")]
fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
