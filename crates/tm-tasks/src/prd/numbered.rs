//! Headings of plain text: lines such as `2.1 Leave types` or `B. Design` where a document has no
//! marks of its own. A numbered line is a heading when it is short, is no sentence, and the line
//! above or below it is not the next number, which would make it a list.

use std::{borrow::Cow, collections::HashMap};

/// Longer lines are sentences, in characters.
const HEADING_CHARS: usize = 80;

/// The text with a mark of Markdown in place of each number, byte for byte as long, and how deep
/// the heading at each of these places is.
pub(super) fn marked(text: &str) -> (Cow<'_, str>, HashMap<usize, u8>) {
    let has_marks = text.lines().filter(|it| it.starts_with('#')).nth(1).is_some();
    if has_marks {
        return (Cow::Borrowed(text), HashMap::new());
    }
    let lines: Vec<Line> = lines(text).collect();
    let is_heading = |at: &usize| {
        let number = |at: Option<usize>| at.and_then(|it| lines.get(it)).map(|it| &it.number);
        let Some(line) = lines.get(*at) else { return false };
        let Some(own) = &line.number else { return false };
        let is_next = |one: &Number, other: &Number| one.next() == *other;
        let listed = matches!(number(at.checked_sub(1)), Some(Some(it)) if is_next(it, own))
            || matches!(number(at.checked_add(1)), Some(Some(it)) if is_next(own, it));
        line.is_title && !listed
    };
    let headings = (0..lines.len()).filter(is_heading).filter_map(|it| lines.get(it));
    let mut marked = text.to_owned();
    let mut levels = HashMap::new();
    for line in headings {
        let Some(number) = &line.number else { continue };
        let mark = format!("#{}", " ".repeat(number.bytes.saturating_sub(1)));
        marked.replace_range(line.start..line.start + number.bytes, &mark);
        levels.insert(line.start, number.depth());
    }
    (Cow::Owned(marked), levels)
}

/// A line that is not blank.
struct Line {
    /// In bytes of the text.
    start: usize,
    number: Option<Number>,
    /// Whether it is short enough and no sentence.
    is_title: bool,
}

/// `2.1.` is [2, 1]; a letter counts as a chapter of the third rank.
#[derive(PartialEq)]
struct Number {
    parts: Vec<u32>,
    is_letter: bool,
    /// With what stands before it, such as a symbol.
    bytes: usize,
}

impl Number {
    fn of(line: &str) -> Option<Self> {
        let start = line.find(|it: char| it.is_ascii_alphanumeric())?;
        let before = line.get(..start)?;
        // Marks of lists and quotes are not there for ornament.
        if before.chars().count() > 4 || before.contains(['-', '*', '+', '#', '>', '|', '(', '[']) {
            return None;
        }
        let (number, _) = line.get(start..)?.split_once([' ', '\t'])?;
        let bytes = start + number.len();
        let digits = number.trim_end_matches(['.', ')']);
        let is_marked = digits.len() < number.len();
        let mut letters = digits.chars();
        if let (Some(letter @ 'A'..='Z'), None, true) = (letters.next(), letters.next(), is_marked)
        {
            let parts = vec![u32::from(letter)];
            return Some(Self { parts, is_letter: true, bytes });
        }
        let parts: Vec<u32> = digits.split('.').map(|it| it.parse().ok()).collect::<Option<_>>()?;
        let is_number = is_marked || parts.len() > 1;
        let is_chapter = is_number && parts.iter().all(|it| *it < 100) && parts.len() <= 4;
        is_chapter.then_some(Self { parts, is_letter: false, bytes })
    }

    fn next(&self) -> Self {
        let mut parts = self.parts.clone();
        if let Some(last) = parts.last_mut() {
            *last += 1;
        }
        Self { parts, ..*self }
    }

    /// One below the title of the document.
    fn depth(&self) -> u8 {
        let rank = if self.is_letter { 2 } else { self.parts.len() };
        u8::try_from(rank + 1).unwrap_or(6)
    }
}

fn lines(text: &str) -> impl Iterator<Item = Line> {
    let mut at = 0;
    let lines = text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line)
    });
    lines.filter(|it| !it.1.trim().is_empty()).map(|(start, line)| {
        let title = line.trim_end();
        let is_sentence =
            title.ends_with([';', ':', ',', '.', '?', '!']) && !title.ends_with("...");
        let is_title = title.chars().count() <= HEADING_CHARS && !is_sentence;
        Line { start, number: Number::of(line), is_title }
    })
}

#[cfg(test)]
mod tests;
