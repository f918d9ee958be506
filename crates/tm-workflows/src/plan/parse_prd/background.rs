//! What the document says beside the work, in as many words as a model reads in reasonable time.

use tm_llm::backend::Backend;
use tm_tasks::{plan::background::background, prd::Prd};

/// The document's share of a prompt, in tokens: what a laptop reads in some seconds.
const BACKGROUND_TOKENS: u32 = 600;

/// What the document says beside the work, counted in the tokens of the model.
pub(super) fn fitting(backend: &dyn Backend, prd: &Prd) -> String {
    let tokens_max = BACKGROUND_TOKENS.min(backend.info().context_tokens / 2);
    let mut budget = usize::try_from(tokens_max).unwrap_or(usize::MAX) * 4;
    loop {
        let background = background(prd, budget);
        let tokens = backend.count_tokens(&background);
        if tokens <= tokens_max || budget < 500 {
            return background;
        }
        // Aim a little below, because shortening is uneven.
        let ratio = f64::from(tokens_max) / f64::from(tokens);
        budget = scaled(budget, ratio * 0.95);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "character counts are small and positive"
)]
fn scaled(budget: usize, ratio: f64) -> usize {
    (budget as f64 * ratio) as usize
}
