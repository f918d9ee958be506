//! A document of any size in the words that a small model can read at once.
//!
//! Small documents pass whole. Larger ones are shortened evenly: what only explains, the tails of
//! long requirements, and the last ones of long parts. Every part stays visible.

use std::fmt::Write as _;

use super::parts::Part;
use crate::prd::{Prd, Section, Unit, UnitKind};

/// The least that a unit's words can be cut to, in characters.
const WORDS_MIN: usize = 28;

/// Writes the document in about `budget` characters, with a mark where each part begins; longer
/// only when its headings alone are.
pub fn digest(prd: &Prd, parts: &[Part], budget: usize) -> String {
    let whole = write(prd, parts, usize::MAX, usize::MAX);
    if whole.chars().count() <= budget {
        return whole;
    }
    // What only explains gets a quarter; the parts share the rest.
    let context = prd.units.iter().filter(|it| it.kind == UnitKind::Context).count();
    let part_chars = budget * 5 / 8 / parts.len().max(1);
    write(prd, parts, part_chars, budget / 4 / context.max(1))
}

/// `part_chars` bounds a part's words, `context_chars` those of each unit that only explains.
fn write(prd: &Prd, parts: &[Part], part_chars: usize, context_chars: usize) -> String {
    let mut text = String::new();
    let mut headed = None;
    let mut parts_left = parts.iter().enumerate().peekable();
    let mut lines = Lines { per_unit: 0, left: 0 };
    // What only explains comes first: between two parts it would be taken for the one above it.
    let explains = |it: &(usize, &Unit)| it.1.kind == UnitKind::Context;
    let context = prd.units.iter().enumerate().filter(explains);
    for (index, unit) in context.chain(prd.requirements()) {
        let starting = parts_left.next_if(|(_, part)| part.units.first() == Some(&index));
        if let Some((_, part)) = starting {
            lines = Lines::of(part, part_chars);
        }
        let line = match unit.kind {
            UnitKind::Context if context_chars < WORDS_MIN => continue,
            UnitKind::Context => cut(&unit.text, context_chars),
            UnitKind::Excluded => continue,
            UnitKind::Requirement if lines.left == 0 => continue,
            UnitKind::Requirement => {
                lines.left -= 1;
                format!("- {}", cut(&unit.text, lines.per_unit))
            }
        };
        if headed != Some(unit.section) {
            headings(&mut text, prd, headed, unit.section);
            headed = Some(unit.section);
        }
        if let Some((number, _)) = starting {
            // Writing to a string cannot fail.
            _ = writeln!(text, "[Part {}]", number + 1);
        }
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// How much of a part is shown: its first units, cut to about the same length.
struct Lines {
    per_unit: usize,
    left: usize,
}

impl Lines {
    fn of(part: &Part, chars: usize) -> Self {
        let per_unit = (chars / part.units.len().max(1)).max(WORDS_MIN);
        Self { per_unit, left: (chars / per_unit).max(1) }
    }
}

/// The headings that are new since the last line.
fn headings(text: &mut String, prd: &Prd, before: Option<usize>, section: usize) {
    let lineage = |mut at: Option<usize>| {
        let mut line = Vec::new();
        while let Some(index) = at {
            line.push(index);
            at = prd.sections.get(index).and_then(|it| it.parent);
        }
        line
    };
    let known = lineage(before);
    for index in lineage(Some(section)).into_iter().rev().filter(|it| !known.contains(it)) {
        if let Some(Section { title, level, .. }) = prd.sections.get(index)
            && !title.is_empty()
        {
            let marks = "#".repeat(usize::from((*level).max(1)));
            // Writing to a string cannot fail.
            _ = writeln!(text, "{marks} {}", cut(title, 80));
        }
    }
}

/// The first `chars` characters, cut at a word.
fn cut(text: &str, chars: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(chars) else { return text.to_owned() };
    let head = text.get(..end).unwrap_or(text);
    let head = head.rsplit_once(' ').map_or(head, |(words, _)| words);
    format!("{head}…")
}

#[cfg(test)]
mod tests;
