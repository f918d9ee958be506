//! The words of a title as plans compare them: lower case, without endings and filler.

use std::collections::HashSet;

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
    text.split(|it: char| !it.is_alphanumeric())
        .filter(|it| !it.is_empty())
        .map(|it| stem(&it.to_lowercase()))
        .filter(|it| !FILLER.contains(&it.as_str()))
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
