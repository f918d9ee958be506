//! A document of any size in the words that a small model can read at once.
//!
//! Small documents pass whole. Larger ones are shortened evenly: what only explains, the tails of
//! long requirements, and the last ones of long chapters. Every chapter stays visible.

use std::fmt::Write as _;

use crate::prd::{Prd, Section, Unit, UnitKind};

/// The least that a unit's words can be cut to, in characters.
const WORDS_MIN: usize = 28;

/// Writes the document in about `budget` characters; longer only when its chapters are very many.
pub fn digest(prd: &Prd, budget: usize) -> String {
    let whole = write(prd, usize::MAX, usize::MAX);
    if whole.chars().count() <= budget {
        return whole;
    }
    // What only explains gets a quarter; the requirements share the rest.
    let context = prd.units.iter().filter(|it| it.kind == UnitKind::Context).count();
    let requirements = prd.requirements().count();
    write(prd, budget * 5 / 8 / requirements.max(1), budget / 4 / context.max(1))
}

/// The numbers bound the share of each requirement and the words of each unit that only explains,
/// in characters.
fn write(prd: &Prd, share: usize, context_chars: usize) -> String {
    let mut text = String::new();
    let mut headed = None;
    // The shares of a chapter's requirements that no line was written for yet.
    let mut saved = usize::MAX;
    // What only explains comes first: between requirements it would be taken for one of them.
    let explains = |it: &&Unit| it.kind == UnitKind::Context;
    let context = prd.units.iter().filter(explains);
    for unit in context.chain(prd.requirements().map(|it| it.1)) {
        let starts = headed != Some(unit.section);
        let line = match unit.kind {
            UnitKind::Context if context_chars < WORDS_MIN => continue,
            UnitKind::Context => cut(&unit.text, context_chars),
            UnitKind::Excluded => continue,
            UnitKind::Requirement => {
                saved = if starts { WORDS_MIN } else { saved.saturating_add(share) };
                if saved < WORDS_MIN {
                    continue;
                }
                saved -= WORDS_MIN;
                format!("- {}", cut(&unit.text, share.max(WORDS_MIN)))
            }
        };
        if starts {
            headings(&mut text, prd, headed, unit.section);
            headed = Some(unit.section);
        }
        text.push_str(&line);
        text.push('\n');
    }
    text
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
