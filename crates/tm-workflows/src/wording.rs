//! Texts as models write them, made fit to be read.
//!
//! Small models number what they list, say things twice, and write until the grammar stops them.
//! What a text is about is not known here.

use tm_tasks::script::{count_words, sentences as sentences_in};

/// Words that a title cannot end with.
const DANGLING: &[&str] = &[
    "a", "across", "an", "and", "as", "at", "by", "for", "from", "in", "into", "of", "on", "or",
    "that", "the", "through", "to", "using", "via", "with", "within",
];

/// What a sentence ends with.
const ENDED: [char; 8] = ['.', '!', '?', '。', '！', '？', ')', '`'];

/// A word of the model that would not fit any more is not begun, so that a text can end this many
/// characters before the limit.
const TOKEN_MAX: usize = 12;

/// What a title can be ended before when the grammar cut it.
const ENDS: &[&str] =
    &[", ", "; ", " and ", " with ", " for ", " using ", " from ", " (", " that "];

/// Without the full stop, the quotes and the number or code that models like to add, and without
/// the member of a list that the grammar cut after `longest` characters.
pub(crate) fn title(text: &str, longest: usize) -> String {
    let text = text.trim().trim_matches('"');
    let text = text.strip_prefix("Title:").unwrap_or(text).trim();
    let text = without_code(without_number(text).trim());
    let text = text.trim_start_matches([':', '|', '-', ',', ';', ' ']);
    let text = text.strip_prefix("To ").unwrap_or(text);
    let is_cut = (longest - 1..=longest).contains(&text.chars().count());
    let whole = without_dangling(closed(if is_cut { before_cut(text) } else { text }));
    capitalised(whole.trim_end_matches(['.', ',', ':', ';', ' ', '。', '，', '：', '；']))
}

/// With a capital first, unless the first word is a name such as `npm_run` or `main.py`.
fn capitalised(text: &str) -> String {
    let first = text.split_whitespace().next().unwrap_or_default();
    let mut characters = text.chars();
    match characters.next() {
        Some(letter) if first.chars().all(char::is_lowercase) => {
            letter.to_uppercase().chain(characters).collect()
        }
        _ => text.to_owned(),
    }
}

/// Without a bracket that the grammar left open.
fn closed(text: &str) -> &str {
    match text.rsplit_once('(') {
        Some((before, within)) if !within.contains(')') => before,
        _ => text,
    }
}

/// Without words at the end that lead on to others.
fn without_dangling(text: &str) -> &str {
    // A name that was begun and not ended.
    let is_open = text.matches('`').count() % 2 == 1;
    let mut whole = if is_open { text.trim_end_matches('`') } else { text };
    while let Some((words, last)) = whole.trim_end_matches([',', ' ']).rsplit_once(' ')
        && DANGLING.contains(&last)
    {
        whole = words;
    }
    whole
}

/// A cut text up to the last place where it can end, or at least without its last word.
fn before_cut(text: &str) -> &str {
    let end = ENDS.iter().filter_map(|it| text.rfind(it)).max();
    match end.and_then(|it| text.get(..it)) {
        Some(whole) if count_words(whole) >= 3 => whole,
        _ => {
            let end = text.rfind([' ', '，', '、', '；']).and_then(|it| text.get(..it));
            // Where spaces are rare the last one may be far from the cut.
            end.filter(|it| it.len() * 2 > text.len()).unwrap_or(text)
        }
    }
}

/// With a full stop, where no other sign ends it.
pub(crate) fn ended(text: &str) -> String {
    let text = text.trim_end_matches([' ', ',', ';', ':']);
    let stop = match text.chars().last() {
        Some('.' | '!' | '?' | '。' | '！' | '？') => "",
        Some('\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}') => "。",
        _ => ".",
    };
    format!("{text}{stop}")
}

/// A text of sentences, each said once, without an unfinished one that the grammar cut.
pub(crate) fn sentences(text: &str, longest: usize) -> String {
    said_once(whole_sentences(text.trim(), longest))
}

/// A sentence or two, without signs in front; of one that the grammar cut, what makes sense alone.
pub(crate) fn clause(text: &str, longest: usize) -> String {
    // Where the model loses its way in the middle of a character, nothing sensible follows.
    let readable = text.split_once(char::REPLACEMENT_CHARACTER).map(|it| before_cut(it.0));
    let text = readable.unwrap_or(text);
    let text = text.trim_start_matches([' ', ':', ',', ';', '-', '>', '。', '，', '：']);
    // A stop that nothing is before, and not that of `.NET`.
    let stopped =
        text.strip_prefix('.').filter(|it| !it.starts_with(|it: char| it.is_ascii_alphanumeric()));
    let whole = sentences(stopped.unwrap_or(text).trim_start(), longest);
    if is_cut(&whole, longest) { without_dangling(before_cut(&whole)).to_owned() } else { whole }
}

/// `3. Search` and `3) Search` are `Search`; `3D view` is what it is.
pub(crate) fn without_number(text: &str) -> &str {
    let rest = text.trim_start_matches(|it: char| it.is_ascii_digit());
    let is_numbered = rest.len() < text.len();
    match rest.strip_prefix(['.', ')']).filter(|it| it.starts_with(' ')) {
        Some(title) if is_numbered => title.trim_start(),
        _ => text,
    }
}

/// `FR-03 | Search` and `M1-T3: Search` are `Search`; `GPT-4 answers` and `CI: build it` stay.
fn without_code(text: &str) -> &str {
    let parted = text.split_once(['|', ':']).or_else(|| text.split_once(" - "));
    let Some((code, rest)) = parted else { return text };
    let is_code = code.starts_with(|it: char| it.is_ascii_uppercase())
        && code.contains(|it: char| it.is_ascii_digit())
        && !code.trim_end().contains(|it: char| it.is_lowercase() || it.is_whitespace());
    if is_code { rest.trim_start() } else { text }
}

/// Whether the grammar ended a text in the middle of a sentence. What is longer than it allows was
/// not written under it.
pub(crate) fn is_cut(text: &str, longest: usize) -> bool {
    let near_limit = longest.saturating_sub(TOKEN_MAX)..=longest;
    near_limit.contains(&text.chars().count()) && !text.ends_with(ENDED)
}

/// A text that ran into the grammar's limit, without its unfinished last sentence.
fn whole_sentences(text: &str, longest: usize) -> &str {
    if !is_cut(text, longest) {
        return text;
    }
    let last = sentences_in(text).last().unwrap_or_default();
    let whole = text.get(..text.len() - last.len()).unwrap_or_default().trim_end();
    if whole.len() > text.len() / 3 { whole } else { text }
}

/// Without the sentences that a small model says twice.
fn said_once(text: &str) -> String {
    let mut said: Vec<&str> = Vec::new();
    let pieces = sentences_in(text).filter(|it| {
        let sentence = it.trim().trim_end_matches(['.', '。']);
        let repeats = sentence.len() > 20 && said.contains(&sentence);
        said.push(sentence);
        !repeats
    });
    pieces.collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests;
