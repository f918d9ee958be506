//! The next token, drawn from the scores that the model gives.
//!
//! Knows nothing of the model; the same seed and scores draw the same tokens.

use std::{borrow::Cow, collections::HashMap};

use llama_cpp_2::token::LlamaToken;
use tm_llm::chat::Sampling;
use toktrie::SimpleVob;

/// Draws the tokens of one answer.
#[derive(Debug)]
pub(crate) struct Sampler {
    sampling: Sampling,
    random: u64,
    /// How often the answer has each token.
    seen: HashMap<u32, u32>,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    id: u32,
    score: f32,
}

impl Sampler {
    pub(crate) fn new(sampling: Sampling) -> Self {
        Self { random: sampling.seed, sampling, seen: HashMap::new() }
    }

    /// Counts `token` as part of the answer.
    pub(crate) fn saw(&mut self, token: LlamaToken) {
        *self.seen.entry(token.0.cast_unsigned()).or_default() += 1;
    }

    /// The next token, given a score for each; `None` when none is allowed.
    pub(crate) fn choose(
        &mut self,
        scores: &[f32],
        allowed: Option<&SimpleVob>,
    ) -> Option<LlamaToken> {
        let scores = self.penalised(scores);
        let token = |id: u32| LlamaToken(id.cast_signed());
        if self.sampling.temperature <= 0.0 {
            return likeliest(&scores, allowed, 1).first().map(|one| token(one.id));
        }
        let most = usize::try_from(self.sampling.top_k).ok().filter(|most| *most > 0);
        let likeliest = likeliest(&scores, allowed, most.unwrap_or(usize::MAX));
        let weights = self.weigh(&likeliest);
        self.draw(&weights).map(token)
    }

    fn penalised<'scores>(&self, scores: &'scores [f32]) -> Cow<'scores, [f32]> {
        let Sampling { repeat_penalty, frequency_penalty, presence_penalty, .. } = self.sampling;
        let is_none = |penalty: f32| penalty.abs() < f32::EPSILON;
        let penalty = if repeat_penalty > 0.0 { repeat_penalty } else { 1.0 };
        let is_idle =
            is_none(penalty - 1.0) && is_none(frequency_penalty) && is_none(presence_penalty);
        if is_idle || self.seen.is_empty() {
            return Cow::Borrowed(scores);
        }
        let mut scores = scores.to_vec();
        for (id, times) in &self.seen {
            if let Some(score) = usize::try_from(*id).ok().and_then(|id| scores.get_mut(id)) {
                let repeated = if *score > 0.0 { *score / penalty } else { *score * penalty };
                // No answer has so many tokens that this is not exact.
                let times = f32::from(u16::try_from(*times).unwrap_or(u16::MAX));
                *score = repeated - times * frequency_penalty - presence_penalty;
            }
        }
        Cow::Owned(scores)
    }

    /// What is left of the likeliest after top-p and min-p, with its weight after the temperature:
    /// llama.cpp's order, so that a model's recommended values mean what its makers measured.
    fn weigh(&self, likeliest: &[Candidate]) -> Vec<(u32, f32)> {
        let best = likeliest.first().map_or(0.0, |one| one.score);
        let total: f32 = likeliest.iter().map(|one| (one.score - best).exp()).sum();
        let mut mass = 0.0;
        let mut weights = Vec::new();
        for candidate in likeliest {
            let score = candidate.score - best;
            if score.exp() < self.sampling.min_p {
                break;
            }
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

/// As many tokens are looked at together, which is a word of the mask.
const BLOCK: usize = 32;

/// The `most` allowed tokens with the highest scores, the highest first; of equals, the one with the
/// lower id. Most of a vocabulary is passed over in blocks that hold nothing high enough.
fn likeliest(scores: &[f32], allowed: Option<&SimpleVob>, most: usize) -> Vec<Candidate> {
    let likelier = |one: &Candidate, other: &Candidate| {
        other.score.total_cmp(&one.score).then(one.id.cmp(&other.id))
    };
    let mut found: Vec<Candidate> = Vec::new();
    let full = most.saturating_mul(2).max(BLOCK);
    let mut lowest = f32::NEG_INFINITY;
    for (index, block) in scores.chunks(BLOCK).enumerate() {
        let mask = allowed.map_or(u32::MAX, |it| it.as_slice().get(index).copied().unwrap_or(0));
        // Without a branch for each, so that they are compared together.
        let high: u32 = block.iter().map(|score| u32::from(*score > lowest)).sum();
        if mask == 0 || high == 0 {
            continue;
        }
        for (bit, (id, score)) in (index * BLOCK..).zip(block).enumerate() {
            if *score > lowest && mask & (1 << bit) != 0 {
                found.extend(u32::try_from(id).map(|id| Candidate { id, score: *score }));
            }
        }
        if found.len() >= full {
            found.select_nth_unstable_by(most - 1, likelier);
            found.truncate(most);
            lowest = found.iter().map(|one| one.score).fold(f32::INFINITY, f32::min);
        }
    }
    found.sort_unstable_by(likelier);
    found.truncate(most);
    found
}

#[cfg(test)]
mod tests;
