//! Texts as models write them, made fit to be read.
//!
//! Small models number what they list, say things twice, and write until the grammar stops them.
//! What a text is about is not known here.

/// Words that a title cannot end with.
const DANGLING: &[&str] = &[
    "a", "an", "and", "as", "by", "for", "from", "in", "into", "of", "on", "or", "that", "the",
    "to", "with",
];

/// Without the full stop, the quotes and the number that models like to add, and without a last
/// word that the grammar cut after `longest` characters.
pub(crate) fn title(text: &str, longest: usize) -> String {
    let text = without_number(text.trim().trim_matches('"')).trim();
    let mut whole = match text.rsplit_once(' ') {
        Some((words, _)) if (longest - 1..=longest).contains(&text.chars().count()) => words,
        _ => text,
    };
    while let Some((words, last)) = whole.trim_end_matches([',', ' ']).rsplit_once(' ')
        && DANGLING.contains(&last)
    {
        whole = words;
    }
    whole.trim_end_matches(['.', ',', ':', ' ']).to_owned()
}

/// A text of sentences, each said once, without an unfinished one that the grammar cut.
pub(crate) fn sentences(text: &str, longest: usize) -> String {
    said_once(whole_sentences(text.trim(), longest))
}

/// `3. Search` and `3) Search` are `Search`; `3D view` is what it is.
fn without_number(text: &str) -> &str {
    let rest = text.trim_start_matches(|it: char| it.is_ascii_digit());
    let is_numbered = rest.len() < text.len();
    match rest.strip_prefix(['.', ')']).filter(|it| it.starts_with(' ')) {
        Some(title) if is_numbered => title,
        _ => text,
    }
}

/// A text that ran into the grammar's limit, without its unfinished last sentence.
fn whole_sentences(text: &str, longest: usize) -> &str {
    let length = text.chars().count();
    // What is longer was not written under the grammar.
    if !(longest.saturating_sub(2)..=longest).contains(&length)
        || text.ends_with(['.', '!', '?', ')', '`'])
    {
        return text;
    }
    match text.rfind(". ") {
        Some(end) if end > text.len() / 3 => text.get(..=end).unwrap_or(text),
        _ => text,
    }
}

/// Without the sentences that a small model says twice.
fn said_once(text: &str) -> String {
    let mut said: Vec<&str> = Vec::new();
    let pieces = text.split_inclusive(". ").filter(|it| {
        let sentence = it.trim().trim_end_matches('.');
        let repeats = sentence.len() > 20 && said.contains(&sentence);
        said.push(sentence);
        !repeats
    });
    pieces.collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests;
