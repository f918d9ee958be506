//! The JSON document in what a model wrote.
//!
//! Models put documents in fences, talk before and after them, and leave commas where none belong.
//! All of that can be taken away without adding a word; a document that is cut off cannot be
//! mended like that, and is not.

use std::borrow::Cow;

use serde_json::Value;

/// Reads the document in `text`, and how it is written there; the longest one, when there are
/// several.
///
/// # Errors
/// What is wrong with the text as JSON, in words for the model.
pub(super) fn document(text: &str) -> Result<(Value, Cow<'_, str>), String> {
    let text = text.trim().trim_start_matches('\u{feff}');
    let error = match serde_json::from_str(text) {
        Ok(value) => return Ok((value, text.into())),
        Err(error) => error,
    };
    // Some templates open the thoughts themselves, so that the answer only closes them.
    let answer = text.rsplit_once("</think>").map_or(text, |(_, answer)| answer);
    let starts = answer.char_indices().filter(|(_, it)| matches!(it, '{' | '[')).map(|(at, _)| at);
    let mut end = 0;
    let mut found: Option<(Value, Cow<'_, str>)> = None;
    for start in starts.take(STARTS_MOST) {
        let Some(candidate) = answer.get(start..).and_then(balanced) else { continue };
        let Some(read) = read(candidate) else { continue };
        // The longest one: `[1]` may be a footnote. What is inside of another is shorter.
        let is_longer = found.as_ref().is_none_or(|(_, longest)| candidate.len() > longest.len());
        if start >= end && is_longer {
            end = start + candidate.len();
            found = Some(read);
        }
    }
    found.ok_or_else(|| format!("it is not valid JSON ({error})"))
}

fn read(candidate: &str) -> Option<(Value, Cow<'_, str>)> {
    if let Ok(value) = serde_json::from_str(candidate) {
        return Some((value, candidate.into()));
    }
    let clean = without_stray_marks(candidate);
    Some((serde_json::from_str(&clean).ok()?, clean.into()))
}

/// Prose has few brackets; what has many is looked through no further.
const STARTS_MOST: usize = 16;

/// From an opening bracket to the one that closes it.
fn balanced(text: &str) -> Option<&str> {
    let mut depth = 0_u32;
    let mut inside = Inside::default();
    for (at, character) in text.char_indices() {
        if inside.is_text(character) {
            continue;
        }
        match character {
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return text.get(..at + character.len_utf8());
        }
    }
    None
}

/// The document without commas that nothing follows, and with the line breaks in its texts written
/// as JSON has them.
fn without_stray_marks(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut inside = Inside::default();
    for character in text.chars() {
        if inside.is_text(character) {
            match character {
                '\n' => clean.push_str("\\n"),
                '\r' => clean.push_str("\\r"),
                '\t' => clean.push_str("\\t"),
                _ => clean.push(character),
            }
            continue;
        }
        if matches!(character, '}' | ']') {
            let kept = clean.trim_end();
            if let Some(kept) = kept.strip_suffix(',') {
                clean.truncate(kept.len());
            }
        }
        clean.push(character);
    }
    clean
}

/// Whether one is in a text of a document.
#[derive(Debug, Default)]
struct Inside {
    text: bool,
    escape: bool,
}

impl Inside {
    /// Goes on by one character, and says whether it is part of a text; quotes are none.
    fn is_text(&mut self, character: char) -> bool {
        if !self.text {
            self.text = character == '"';
            return false;
        }
        match character {
            _ if self.escape => self.escape = false,
            '\\' => self.escape = true,
            '"' => {
                self.text = false;
                return false;
            }
            _ => {}
        }
        true
    }
}

#[cfg(test)]
mod tests;
