//! The next token, drawn from the scores that the model gives.
//!
//! Knows nothing of the model; the same seed and scores draw the same tokens.

use std::collections::HashSet;

use llama_cpp_2::token::LlamaToken;
use tm_llm::chat::Sampling;
use toktrie::SimpleVob;

/// Draws the tokens of one answer.
#[derive(Debug)]
pub(crate) struct Sampler {
    sampling: Sampling,
    random: u64,
    seen: HashSet<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    id: u32,
    score: f32,
}

impl Sampler {
    pub(crate) fn new(sampling: Sampling) -> Self {
        Self { random: sampling.seed, sampling, seen: HashSet::new() }
    }

    /// Counts `token` as part of the answer.
    pub(crate) fn saw(&mut self, token: LlamaToken) {
        self.seen.insert(token.0.cast_unsigned());
    }

    /// The next token, given a score for each; `None` when none is allowed.
    pub(crate) fn choose(
        &mut self,
        scores: &[f32],
        allowed: Option<&SimpleVob>,
    ) -> Option<LlamaToken> {
        let mut candidates = candidates(scores, allowed);
        self.penalise(&mut candidates);
        let best = candidates.iter().copied().reduce(|best, candidate| {
            if candidate.score > best.score { candidate } else { best }
        })?;
        if self.sampling.temperature <= 0.0 {
            return Some(LlamaToken(best.id.cast_signed()));
        }
        let weights = self.weigh(candidates, best.score);
        Some(LlamaToken(self.draw(&weights).unwrap_or(best.id).cast_signed()))
    }

    fn penalise(&self, candidates: &mut [Candidate]) {
        let penalty = self.sampling.repeat_penalty;
        if penalty <= 0.0 || (penalty - 1.0).abs() < f32::EPSILON || self.seen.is_empty() {
            return;
        }
        for candidate in candidates.iter_mut().filter(|one| self.seen.contains(&one.id)) {
            let score = candidate.score;
            candidate.score = if score > 0.0 { score / penalty } else { score * penalty };
        }
    }

    /// What is left after top-k and top-p, with its weight after the temperature: llama.cpp's
    /// order, so that a model's recommended values mean what its makers measured.
    fn weigh(&self, mut candidates: Vec<Candidate>, best: f32) -> Vec<(u32, f32)> {
        let limit = usize::try_from(self.sampling.top_k).unwrap_or(usize::MAX);
        let by_score = |a: &Candidate, b: &Candidate| b.score.total_cmp(&a.score);
        if limit > 0 && limit < candidates.len() {
            candidates.select_nth_unstable_by(limit - 1, by_score);
            candidates.truncate(limit);
        }
        candidates.sort_unstable_by(|a, b| by_score(a, b).then(a.id.cmp(&b.id)));
        let total: f32 = candidates.iter().map(|one| (one.score - best).exp()).sum();
        let mut mass = 0.0;
        let mut weights = Vec::new();
        for candidate in candidates {
            let score = candidate.score - best;
            weights.push((candidate.id, (score / self.sampling.temperature).exp()));
            mass += score.exp() / total;
            if mass >= self.sampling.top_p {
                break;
            }
        }
        weights
    }

    fn draw(&mut self, weights: &[(u32, f32)]) -> Option<u32> {
        let total: f64 = weights.iter().map(|(_, weight)| f64::from(*weight)).sum();
        let mut left = self.next_random() * total;
        for (id, weight) in weights {
            left -= f64::from(*weight);
            if left < 0.0 {
                return Some(*id);
            }
        }
        weights.last().map(|(id, _)| *id)
    }

    /// Evenly spread in `0..1` (`SplitMix64`).
    fn next_random(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        f64::from(u32::try_from(bits >> 32).unwrap_or(0)) / (f64::from(u32::MAX) + 1.0)
    }
}

fn candidates(scores: &[f32], allowed: Option<&SimpleVob>) -> Vec<Candidate> {
    let candidate = |id: u32| {
        let score = *scores.get(usize::try_from(id).ok()?)?;
        (!score.is_nan()).then_some(Candidate { id, score })
    };
    match allowed {
        Some(mask) => mask.iter().filter_map(candidate).collect(),
        None => (0..).take(scores.len()).filter_map(candidate).collect(),
    }
}

#[cfg(test)]
mod tests;
