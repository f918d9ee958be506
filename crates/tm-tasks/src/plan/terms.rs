//! How alike texts are by the terms they share, rare ones counting more.
//!
//! Term frequency, damped, times inverse document frequency over the texts that are compared.
//! Start at [`count`] and [`weigh`].

use std::collections::BTreeMap;

use super::words::words;
use crate::script::is_unspaced;

/// How often a text has each term.
pub type Counts = BTreeMap<String, u32>;

/// How much each term says about a text. In a fixed order, because sums of fractions depend on
/// theirs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Weights(BTreeMap<String, f64>);

/// The terms of a text, in its order: its words without the short ones, which seldom say what it is about.
pub fn terms(text: &str) -> impl Iterator<Item = String> {
    words(text).filter(|it| match it.chars().count() {
        1 => false,
        2 => it.starts_with(is_unspaced),
        _ => true,
    })
}

/// How often texts have each term, together.
pub fn count<'a>(texts: impl IntoIterator<Item = &'a str>) -> Counts {
    let mut counts = Counts::new();
    for term in texts.into_iter().flat_map(terms) {
        *counts.entry(term).or_default() += 1;
    }
    counts
}

/// Weighs the terms of each text among all of them.
pub fn weigh(texts: &[Counts]) -> Vec<Weights> {
    let mut texts_with: BTreeMap<&str, u32> = BTreeMap::new();
    for term in texts.iter().flat_map(BTreeMap::keys) {
        *texts_with.entry(term).or_default() += 1;
    }
    let all = f64::from(u32::try_from(texts.len()).unwrap_or(u32::MAX));
    let rarity = |term: &str| {
        let with = f64::from(texts_with.get(term).copied().unwrap_or(1));
        // What every text says tells none of them from another.
        if with < all || all < 3.0 { (1.0 + all / with).ln() } else { 0.0 }
    };
    let weigh = |(term, count): (&String, &u32)| {
        (term.clone(), (1.0 + f64::from(*count).ln()) * rarity(term))
    };
    texts.iter().map(|it| Weights(it.iter().map(weigh).collect())).collect()
}

impl Weights {
    /// Each term and what it says about the text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(term, weight)| (term.as_str(), *weight))
    }

    /// The root of the sum of the squares.
    pub fn length(&self) -> f64 {
        self.0.values().map(|it| it * it).sum::<f64>().sqrt()
    }

    /// From 0, nothing in common, to 1, the same terms in the same shares.
    pub fn cosine(&self, other: &Self) -> f64 {
        let shared: f64 =
            self.0.iter().filter_map(|(term, it)| other.0.get(term).map(|its| it * its)).sum();
        let lengths = self.length() * other.length();
        if lengths > 0.0 { shared / lengths } else { 0.0 }
    }
}
