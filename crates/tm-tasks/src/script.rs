//! Scripts that do not part words by spaces, and what counts as a word or a sentence in them.

use std::iter;

/// Whether a character is of a script whose words are not parted, or, as in Korean, bent so that they
/// seldom meet.
pub fn is_unspaced(character: char) -> bool {
    matches!(character, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}')
}

/// A text up to each place where its script changes: `API接口` is `API` and `接口`.
pub fn runs(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    iter::from_fn(move || {
        let is_first = is_unspaced(rest.chars().next()?);
        let end = rest.find(|it| is_unspaced(it) != is_first).unwrap_or(rest.len());
        let run = rest.get(..end);
        rest = rest.get(end..).unwrap_or_default();
        run
    })
}

/// How many words a text has; two characters are about one where spaces do not part them.
pub fn count_words(text: &str) -> usize {
    let count =
        |run: &str| if run.starts_with(is_unspaced) { run.chars().count().div_ceil(2) } else { 1 };
    let says = |run: &&str| run.contains(char::is_alphanumeric);
    let of_piece = |piece| {
        let words: usize = runs(piece).filter(says).map(count).sum();
        // A sign that stands alone was always counted.
        words.max(1)
    };
    text.split_whitespace().map(of_piece).sum()
}

/// The sentences of a text, each with its end.
pub fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(['。', '！', '？']).flat_map(|it| it.split_inclusive(". "))
}

#[cfg(test)]
mod tests;
