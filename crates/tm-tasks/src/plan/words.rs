//! The words of a title as plans compare them: lower case, without endings and filler.
//!
//! Chinese, Japanese and Korean do not part words, or bend them so that they seldom meet: their words
//! are here every two characters that stand together.

use std::collections::HashSet;

use crate::script::{is_unspaced, runs};

/// Words that say nothing about what a task is about.
const FILLER: &[&str] = &[
    "a",
    "an",
    "and",
    "for",
    "from",
    "in",
    "into",
    "of",
    "on",
    "or",
    "the",
    "to",
    "with",
    "implement",
    "create",
    "add",
    "build",
    "develop",
    "support",
    "provide",
    "ensure",
    "set",
    "up",
    "new",
];

/// Whether two titles name the same work: nearly the same words, in whatever order.
pub fn alike(one: &str, other: &str) -> bool {
    let one: HashSet<String> = words(one).collect();
    let other: HashSet<String> = words(other).collect();
    let shared = one.intersection(&other).count();
    let all = one.union(&other).count();
    // Three of four words in common, as in "Add search" and "Implement searching".
    all == 0 || shared * 4 >= all * 3
}

/// What a text says, word by word.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|it: char| !it.is_alphanumeric()).flat_map(runs).flat_map(|run| {
        if run.starts_with(is_unspaced) {
            pairs(run)
        } else {
            let word = stem(&run.to_lowercase());
            if FILLER.contains(&word.as_str()) { Vec::new() } else { vec![word] }
        }
    })
}

/// Every two characters that stand together, or the only one.
fn pairs(run: &str) -> Vec<String> {
    let characters: Vec<char> = run.chars().collect();
    if characters.len() == 1 {
        return vec![run.to_owned()];
    }
    characters.windows(2).map(|it| it.iter().collect()).collect()
}

/// Cuts the commonest English endings, so that "searches" meets "search". Words of other
/// languages and short ones stay as they are.
fn stem(word: &str) -> String {
    for ending in ["ations", "ation", "ings", "ing", "ies", "es", "ed", "s", "y"] {
        if let Some(start) = word.strip_suffix(ending)
            && start.chars().count() >= 4
        {
            return start.to_owned();
        }
    }
    word.to_owned()
}

#[cfg(test)]
mod tests;
