//! Whether a sentence is said by the notes that it cites: decided by code, not by a model.
//!
//! A claim is supported when the notes have most of its words, every number in it, and as many
//! negations. That is strict with what is said in quite other words: such a sentence is left out,
//! and an answer that is left with none quotes its notes. Start at `check`.

use serde::{Deserialize, Serialize};
use tm_knowledge::terms;

use super::passages::{content, share};

/// A sentence of the model's.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sentence {
    pub(super) text: String,
    /// Numbers of notes, from 1. What is no number of a note is ignored.
    pub(super) notes: Vec<usize>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    pub text: String,
    /// Numbers of the citations that say so.
    pub citations: Vec<usize>,
    /// How many of its words are in what it cites.
    pub support: f64,
    pub verdict: Verdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// What it cites says so.
    Supported,
    /// What it cites does not say so, but another note does, which is cited now.
    Moved,
    /// Nothing cited says so. It is not in the answer.
    Unsupported,
    /// A note, word for word.
    Quoted,
}

/// What a sentence needs at least.
const ENOUGH: f64 = 0.6;

const NEGATIONS: &[&str] = &["not", "no", "never", "none", "without", "cannot", "neither", "nor"];

/// Finds the notes that say what a sentence says. `notes` are their texts with their titles.
pub(super) fn check(sentence: &Sentence, notes: &[String]) -> (Vec<usize>, f64, Verdict) {
    let note = |number: &usize| notes.get(number.checked_sub(1)?).map(String::as_str);
    let mut cited: Vec<usize> =
        sentence.notes.iter().copied().filter(|it| note(it).is_some()).collect();
    cited.dedup();
    let together: Vec<&str> = cited.iter().filter_map(note).collect();
    let support_together = support(&sentence.text, &together.join("\n"));
    if support_together >= ENOUGH {
        // A note that adds nothing is no source of it.
        let alone = |it: &usize| support(&sentence.text, note(it).unwrap_or_default());
        if let Some(best) = cited.iter().copied().find(|it| alone(it) >= support_together) {
            cited.retain(|it| *it == best || alone(it) >= ENOUGH);
        }
        return (cited, support_together, Verdict::Supported);
    }
    let all =
        (1..=notes.len()).map(|it| (it, support(&sentence.text, note(&it).unwrap_or_default())));
    match all.max_by(|one, other| one.1.total_cmp(&other.1)) {
        Some((best, support)) if support >= ENOUGH => (vec![best], support, Verdict::Moved),
        _ => (Vec::new(), support_together, Verdict::Unsupported),
    }
}

/// How much of a sentence is in a text: 1 is every word, 0 is a number or a place on the web that
/// is not there, or a negation on one side only.
pub(crate) fn support(sentence: &str, text: &str) -> f64 {
    let (claimed, said) = (content(sentence), content(text));
    let has_number = |it: &String| it.chars().any(char::is_numeric);
    let is_invented = claimed.iter().any(|it| has_number(it) && !said.contains(it));
    let links = |text: &str| text.contains("://") || text.contains("www.");
    let is_negated = |text: &str| terms::words(text).any(|it| NEGATIONS.contains(&it.as_str()));
    if claimed.is_empty()
        || is_invented
        || links(sentence)
        || is_negated(sentence) && !is_negated(text)
    {
        return 0.0;
    }
    share(claimed.iter().filter(|it| said.contains(*it)).count(), claimed.len())
}

#[cfg(test)]
mod tests;
