//! Which requirements of a document the tasks of a plan cover.
//!
//! A requirement is covered by the task that has its words, all of them one after the other or
//! most of those that tell it from other requirements. No model is asked, so the same document and
//! the same tasks always have the same answer. Start at [`coverage`].

use std::collections::{HashMap, HashSet};

use super::words::words;
use crate::{prd::Prd, task::Task};

/// What this much of a requirement's words, by weight, makes it covered.
const COVERED: f64 = 0.6;

/// What of a requirement a task has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// The task, as an index into what was searched.
    pub task: usize,
    pub kind: MatchKind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MatchKind {
    /// The requirement stands there word for word.
    Verbatim,
    /// Of the requirement's words, rare ones counting more, this share: above 0, up to 1.
    Words(f64),
}

/// A requirement and the tasks that have something of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Requirement {
    /// Its index in [`Prd::units`].
    pub unit: usize,
    /// The best first; no task that has less than half of what the best one has.
    pub matches: Vec<Match>,
}

impl Requirement {
    /// Whether some task has enough of it.
    pub fn is_covered(&self) -> bool {
        self.matches.first().is_some_and(|it| it.kind.is_enough())
    }

    /// The tasks that cover it.
    pub fn covering(&self) -> impl Iterator<Item = &Match> {
        self.matches.iter().filter(|it| it.kind.is_enough())
    }
}

impl MatchKind {
    /// From 0 to 1.
    pub fn score(self) -> f64 {
        match self {
            Self::Verbatim => 1.0,
            Self::Words(share) => share,
        }
    }

    fn is_enough(self) -> bool {
        self.score() >= COVERED
    }
}

/// Looks each requirement of the document up in what the tasks say: see [`text_of`].
pub fn coverage(prd: &Prd, tasks: &[String]) -> Vec<Requirement> {
    let flat: Vec<String> = tasks.iter().map(|it| flatten(it)).collect();
    let known: Vec<HashSet<String>> = tasks.iter().map(|it| words(it).collect()).collect();
    let wanted: Vec<(usize, HashSet<String>)> =
        prd.requirements().map(|(unit, it)| (unit, words(&it.text).collect())).collect();
    let weights = weights(&wanted);
    let requirement = |(unit, wanted): &(usize, HashSet<String>)| {
        let text = prd.units.get(*unit).map(|it| flatten(&it.text)).unwrap_or_default();
        let matches = flat.iter().zip(&known).enumerate().filter_map(|(task, (flat, known))| {
            let kind = if !text.is_empty() && flat.contains(&text) {
                MatchKind::Verbatim
            } else {
                MatchKind::Words(share(wanted, known, &weights))
            };
            (kind.score() > 0.0).then_some(Match { task, kind })
        });
        Requirement { unit: *unit, matches: best(matches.collect()) }
    };
    wanted.iter().map(requirement).collect()
}

/// All that a task says, with its subtasks.
pub fn text_of(task: &Task) -> String {
    let own = |it: &Task| {
        [
            it.title(),
            it.description(),
            it.details().unwrap_or_default(),
            it.test_strategy().unwrap_or_default(),
        ]
        .join("\n")
    };
    std::iter::once(task).chain(task.subtasks()).map(own).collect::<Vec<_>>().join("\n")
}

/// A word says the more about a requirement, the fewer others have it.
fn weights(wanted: &[(usize, HashSet<String>)]) -> HashMap<&str, f64> {
    let mut count: HashMap<&str, usize> = HashMap::new();
    for word in wanted.iter().flat_map(|it| &it.1) {
        *count.entry(word).or_default() += 1;
    }
    let rarity = |with_word| (1.0 + as_float(wanted.len()) / as_float(with_word)).ln();
    count.into_iter().map(|(word, with_word)| (word, rarity(with_word))).collect()
}

fn share(wanted: &HashSet<String>, known: &HashSet<String>, weights: &HashMap<&str, f64>) -> f64 {
    let weight = |word: &String| weights.get(word.as_str()).copied().unwrap_or_default();
    // In a fixed order, because sums of fractions depend on theirs.
    let mut words: Vec<&String> = wanted.iter().collect();
    words.sort();
    let all: f64 = words.iter().map(|it| weight(it)).sum();
    let found: f64 = words.iter().filter(|it| known.contains(**it)).map(|it| weight(it)).sum();
    if all > 0.0 { found / all } else { 0.0 }
}

fn best(mut matches: Vec<Match>) -> Vec<Match> {
    // A stable sort: of equals, the first in the list comes first.
    matches.sort_by(|one, other| other.kind.score().total_cmp(&one.kind.score()));
    let highest = matches.first().map_or(0.0, |it| it.kind.score());
    matches.retain(|it| it.kind.score() * 2.0 >= highest);
    matches
}

/// Lower case, and one space between words.
fn flatten(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn as_float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests;
