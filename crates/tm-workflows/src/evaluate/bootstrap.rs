//! How far a mean could be from what more documents would have given.
//!
//! The percentile bootstrap over documents, seeded: the same numbers and the same seed always give
//! the same interval. Shares of things that are counted have Wilson's interval, which is not empty
//! when all of them or none are meant. Start at [`summary`], [`ratio`] and [`proportion`].

use serde::Serialize;

use super::said::mean;
use crate::research::passages::share;

const RESAMPLES: usize = 2000;
/// The 50th from either end of 2000 leaves 95 % in between.
const TAIL: usize = 50;

/// A mean, and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Summary {
    pub mean: f64,
    /// Nothing for a single document.
    pub interval: Option<Interval>,
    /// How many documents it is the mean of.
    pub n: usize,
}

/// 95 % of the resampled means lie in it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// The mean of one value for each document; nothing without any.
pub(super) fn summary(values: &[f64], seed: u64) -> Option<Summary> {
    let statistic =
        |chosen: &[usize]| mean(chosen.iter().filter_map(|it| values.get(*it).copied()));
    summarised(values.len(), seed, statistic)
}

/// The mean of the first values over the mean of the second ones, each pair from one document;
/// nothing where the second ones are all 0.
pub(super) fn ratio(values: &[(f64, f64)], seed: u64) -> Option<Summary> {
    let statistic = |chosen: &[usize]| {
        let pairs = || chosen.iter().filter_map(|it| values.get(*it));
        let (above, below) = (mean(pairs().map(|it| it.0))?, mean(pairs().map(|it| it.1))?);
        (below > 0.0).then(|| above / below)
    };
    summarised(values.len(), seed, statistic)
}

/// The 97.5 % quantile of the normal distribution.
const DEVIATIONS: f64 = 1.96;

/// So many of so many, with Wilson's interval; nothing of none.
pub(super) fn proportion(part: usize, whole: usize) -> Option<Summary> {
    if whole == 0 {
        return None;
    }
    let n = f64::from(u32::try_from(whole).unwrap_or(u32::MAX));
    let mean = share(part, whole);
    let squared = DEVIATIONS * DEVIATIONS;
    let centre = (mean + squared / (2.0 * n)) / (1.0 + squared / n);
    let reach = DEVIATIONS / (1.0 + squared / n)
        * (mean * (1.0 - mean) / n + squared / (4.0 * n * n)).sqrt();
    let (low, high) = ((centre - reach).max(0.0), (centre + reach).min(1.0));
    Some(Summary { mean, interval: Some(Interval { low, high }), n: whole })
}

fn summarised(n: usize, seed: u64, statistic: impl Fn(&[usize]) -> Option<f64>) -> Option<Summary> {
    let all: Vec<usize> = (0..n).collect();
    let mean = statistic(&all)?;
    if n < 2 {
        return Some(Summary { mean, interval: None, n });
    }
    let mut random = fastrand::Rng::with_seed(seed);
    let mut resampled: Vec<f64> = (0..RESAMPLES)
        .filter_map(|_| {
            let chosen: Vec<usize> = (0..n).map(|_| random.usize(..n)).collect();
            statistic(&chosen)
        })
        .collect();
    resampled.sort_by(f64::total_cmp);
    let low = resampled.get(TAIL).copied();
    let high = resampled.len().checked_sub(TAIL + 1).and_then(|it| resampled.get(it)).copied();
    let interval = low.zip(high).map(|(low, high)| Interval { low, high });
    Some(Summary { mean, interval, n })
}

#[cfg(test)]
mod tests;
