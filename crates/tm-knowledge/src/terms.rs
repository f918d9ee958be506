//! Words: those of a question that are worth looking for, and those inside of names in code.
//!
//! Chinese and Japanese do not part their words, and Korean bends them so that they seldom meet. Their
//! words are here every two characters that stand together, as Lucene's `CJKAnalyzer` has them.
//! Start at [`of_question`].

use std::borrow::Cow;

/// Words that are in every text: the list that Lucene has for English.
const EMPTY: &[&str] = &[
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it",
    "no", "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these",
    "they", "this", "to", "was", "will", "with",
];

/// Longer questions are looked for by their first words.
const MOST: usize = 64;

/// All words of a text in lower case, in their order.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    let text = parted(text);
    let words = text.split(|it: char| !it.is_alphanumeric()).filter(|it| !it.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().into_iter()
}

/// A text with spaces between its words where it had none: of `API文档集` that is `API 文档 档集`.
pub fn parted(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unspaced) {
        return Cow::Borrowed(text);
    }
    let mut parted = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while let Some(start) = rest.find(is_unspaced) {
        let (spaced, run) = rest.split_at(start);
        let (run, after) = run.split_at(run.find(|it| !is_unspaced(it)).unwrap_or(run.len()));
        parted.push_str(spaced);
        for (at, first) in run.char_indices() {
            let second = run.get(at + first.len_utf8()..).and_then(|it| it.chars().next());
            if second.is_some() || at == 0 {
                parted.push(' ');
                parted.extend([Some(first), second].into_iter().flatten());
            }
        }
        parted.push(' ');
        rest = after;
    }
    parted.push_str(rest);
    Cow::Owned(parted)
}

/// Whether a character is of a script whose words are not parted, or bent.
fn is_unspaced(character: char) -> bool {
    matches!(
        character,
        '\u{3005}'..='\u{3007}'
            | '\u{3040}'..='\u{30ff}'
            | '\u{3400}'..='\u{9fff}'
            | '\u{ac00}'..='\u{d7af}'
            | '\u{20000}'..='\u{3ffff}'
    ) && character.is_alphanumeric()
}

/// The words to look for. A question of nothing but empty words is looked for by those.
pub fn of_question(text: &str) -> Vec<String> {
    let all: Vec<String> = words(text).take(MOST).collect();
    let full: Vec<String> =
        all.iter().filter(|it| !EMPTY.contains(&it.as_str())).cloned().collect();
    if full.is_empty() { all } else { full }
}

/// Whether a word says nothing on its own.
pub fn is_empty_word(word: &str) -> bool {
    EMPTY.contains(&word)
}

/// The parts of names such as `readFile`, which are looked for as `read` and `file`.
pub fn parts_of_names(code: &str) -> String {
    let mut parts = String::new();
    for name in code.split(|it: char| !it.is_alphanumeric()) {
        let mut was_lower = false;
        let humps: Vec<usize> = name
            .char_indices()
            .filter_map(|(at, it)| {
                let is_hump = it.is_uppercase() && was_lower;
                was_lower = it.is_lowercase();
                is_hump.then_some(at)
            })
            .collect();
        let starts = std::iter::once(0).chain(humps.iter().copied());
        let ends = humps.iter().copied().chain([name.len()]);
        if !humps.is_empty() {
            for (start, end) in starts.zip(ends) {
                parts.push(' ');
                parts.push_str(name.get(start..end).unwrap_or_default());
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests;
