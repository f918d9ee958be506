//! Notes in the details of a task: blocks with the moment at which they were added.
//!
//! What was noted is history: it is added to and never rewritten.

use serde_json::json;

use crate::{
    task::Task,
    timestamp::{Timestamp, iso_millis},
};

const OPENING: &str = "<info added on ";
const CLOSING: &str = "</info added on ";

/// Adds a note at the end of a task's details.
pub fn add_note(task: &mut Task, note: &str, now: Timestamp) {
    let moment = iso_millis(now);
    let block = format!("{OPENING}{moment}>\n{}\n{CLOSING}{moment}>", note.trim());
    let details = task.details().unwrap_or_default();
    let details = if details.is_empty() { block } else { format!("{details}\n{block}") };
    task.set("details", &json!(details));
}

/// Details without their notes, and the notes, each a whole block.
pub fn split_notes(details: &str) -> (String, Vec<&str>) {
    let mut text = String::new();
    let mut notes = Vec::new();
    let mut rest = details;
    while let Some((before, note, after)) = next_note(rest) {
        text.push_str(before.strip_suffix('\n').unwrap_or(before));
        notes.push(note);
        rest = after;
    }
    text.push_str(rest);
    (text, notes)
}

/// Details and their notes together again.
pub fn with_notes(details: &str, notes: &[&str]) -> String {
    let lines = [details].into_iter().chain(notes.iter().copied()).filter(|it| !it.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

/// The first block that is closed, and what is around it.
fn next_note(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find(OPENING)?;
    let closing = start + text.get(start..)?.find(CLOSING)?;
    let end = closing + text.get(closing..)?.find('>')? + 1;
    Some((text.get(..start)?, text.get(start..end)?, text.get(end..)?))
}

#[cfg(test)]
mod tests;
