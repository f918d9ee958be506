//! Words: those of a question that are worth looking for, and those inside of names in code.
//!
//! Start at [`of_question`].

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
    let words = text.split(|it: char| !it.is_alphanumeric()).filter(|it| !it.is_empty());
    words.map(str::to_lowercase)
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
