//! Passages in sentences: what a note is, and whether a passage is about a question at all.
//!
//! A sentence is a range of bytes, so a note is a quotation by construction.

use std::{collections::HashSet, ops::Range};

use tm_knowledge::{read::Kind, terms};

/// Shorter ones say nothing on their own.
const FEWEST_WORDS: usize = 3;

/// Longer ones are code or tables, and are cut between lines.
const LONGEST: usize = 600;

/// `12.`
const NUMBER_LONGEST: usize = 3;

/// Words of questions that no answer has.
const ASKING: &[&str] = &[
    "what", "which", "who", "whom", "whose", "when", "where", "why", "how", "do", "does", "did",
    "can", "could", "should", "would", "shall", "must", "we", "our", "you", "your", "my", "me",
    "i", "have", "has", "had", "much", "many", "long", "use", "used", "there", "any", "from",
    "than", "its", "about", "were", "been",
];

/// The sentences of a passage, or the blocks of code.
pub(super) fn sentences(kind: Kind, text: &str) -> Vec<Range<usize>> {
    let mut sentences = Vec::new();
    let mut start = 0;
    let mut position = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        let is_code = kind == Kind::Code;
        let begins = !is_code
            && (trimmed.starts_with(['#', '|', '>', '-', '*', '+'])
                || trimmed.split_once(['.', ')']).is_some_and(|(number, _)| {
                    !number.is_empty() && number.bytes().all(|it| it.is_ascii_digit())
                }));
        if trimmed.is_empty() || begins || position - start > LONGEST {
            sentences.push(start..position);
            start = position;
        }
        if !is_code {
            for (at, end) in line.match_indices([' ', '\n', '。', '！', '？']) {
                let is_space = end.trim().is_empty();
                let ends =
                    !is_space || line.get(..at).is_some_and(|it| it.ends_with(['.', '!', '?']));
                // The number of a list's item is no sentence.
                if ends && position + at > start + NUMBER_LONGEST {
                    let next = position + at + end.len();
                    sentences.push(start..if is_space { position + at } else { next });
                    start = next;
                }
            }
        }
        position += line.len();
        if !is_code && trimmed.starts_with('#') {
            // A heading is nobody's claim.
            start = position;
        }
    }
    sentences.push(start..text.len());
    let trimmed = sentences.into_iter().filter_map(|span| {
        let piece = text.get(span.clone())?;
        let start = span.start + (piece.len() - piece.trim_start().len());
        Some(start..start + piece.trim().len())
    });
    let says = |it: &Range<usize>| {
        text.get(it.clone()).is_some_and(|it| terms::words(it).count() >= FEWEST_WORDS)
    };
    trimmed.filter(says).collect()
}

/// The words of a question that an answer would have.
pub(super) fn asked_for(question: &str) -> HashSet<String> {
    content(question).into_iter().filter(|it| !ASKING.contains(&it.as_str())).collect()
}

/// How many of these words a text has: 1 is all of them. A question without any is about anything.
pub(super) fn coverage(asked: &HashSet<String>, text: &str) -> f64 {
    if asked.is_empty() {
        return 1.0;
    }
    let has = content(text);
    share(asked.iter().filter(|it| has.contains(*it)).count(), asked.len())
}

/// The words of a text that say something, without their endings.
pub(super) fn content(text: &str) -> HashSet<String> {
    let words = terms::words(text).filter(|it| !terms::is_empty_word(it));
    let words = words.filter(|it| it.chars().count() > 1 || it.chars().all(char::is_numeric));
    words.map(|it| stem(&it)).collect()
}

/// Enough to find `stored` in `storing`. Both sides are treated alike, so it need not be a word.
fn stem(word: &str) -> String {
    if ASKING.contains(&word) || word.chars().any(char::is_numeric) {
        return word.to_owned();
    }
    let endings = [
        "ations", "ation", "ingly", "ings", "ing", "edly", "ies", "ied", "ed", "es", "s", "ly",
        "e", "y",
    ];
    let stems = endings.iter().filter_map(|it| word.strip_suffix(it));
    stems.into_iter().find(|it| it.chars().count() >= 3).unwrap_or(word).to_owned()
}

/// A text that was written in several lines.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A part of a whole.
pub(crate) fn share(part: usize, whole: usize) -> f64 {
    let count = |it: usize| f64::from(u32::try_from(it).unwrap_or(u32::MAX));
    if whole == 0 { 0.0 } else { count(part) / count(whole) }
}

#[cfg(test)]
mod tests;
