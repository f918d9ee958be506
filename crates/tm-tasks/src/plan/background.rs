//! What a document says about its product beside the work: what it is, for whom and why, and what
//! it is built with.
//!
//! Each task is written with its own requirements in view, so the others need not be read for it: a
//! processor would read a long document for half a minute, and no plan was better for it by any
//! metric (`docs/evaluation.md`).

use std::fmt::Write as _;

use crate::prd::{Prd, Section, Unit, UnitKind, phrases::Tells};

/// The least that a unit's words can be cut to, in characters.
const WORDS_MIN: usize = 28;

/// Writes it in about `budget` characters, long paragraphs and long chapters shortened evenly.
pub fn background(prd: &Prd, budget: usize) -> String {
    let units: Vec<&Unit> = prd.units.iter().filter(|it| is_background(prd, it)).collect();
    let whole = write(prd, &units, usize::MAX);
    if whole.chars().count() <= budget {
        return whole;
    }
    let mut text = write(prd, &units, budget / units.len().max(1));
    // So many chapters that their headings alone are too long: the last ones are left out.
    if let Some((end, _)) = text.char_indices().nth(budget + budget / 2) {
        text.truncate(text.get(..end).and_then(|it| it.rfind('\n')).map_or(0, |it| it + 1));
    }
    text
}

fn is_background(prd: &Prd, unit: &Unit) -> bool {
    let names = |title: &&str| Tells::BuiltWith.in_heading(title).is_some();
    match unit.kind {
        UnitKind::Context => true,
        UnitKind::Requirement => prd.path(unit.section).iter().any(names),
        UnitKind::Excluded => false,
    }
}

/// The number bounds the share of each unit, in characters.
fn write(prd: &Prd, units: &[&Unit], share: usize) -> String {
    let mut text = String::new();
    if !prd.title.is_empty() {
        // Writing to a string cannot fail.
        _ = writeln!(text, "# {}", cut(&prd.title, 80));
    }
    let mut headed = None;
    // The shares of a chapter's units that no line was written for yet.
    let mut saved = usize::MAX;
    for unit in units {
        let starts = headed != Some(unit.section);
        saved = if starts { WORDS_MIN } else { saved.saturating_add(share) };
        if saved < WORDS_MIN {
            continue;
        }
        saved -= WORDS_MIN;
        if starts {
            headings(&mut text, prd, headed, unit.section);
            headed = Some(unit.section);
        }
        text.push_str(&cut(&unit.text, share.max(WORDS_MIN)));
        text.push('\n');
    }
    text
}

/// The headings that are new since the last line; the title of the document is there already.
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
            && *title != prd.title
        {
            let marks = "#".repeat(usize::from((*level).max(1)));
            _ = writeln!(text, "{marks} {}", cut(title, 80));
        }
    }
}

/// The first `chars` characters, cut at a word.
fn cut(text: &str, chars: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(chars) else { return text.to_owned() };
    let head = text.get(..end).unwrap_or(text);
    // Where spaces are rare the last one may be far from the cut.
    let words = head.rsplit_once(' ').map(|it| it.0).filter(|it| it.len() * 2 > head.len());
    let head = words.unwrap_or(head);
    format!("{head}…")
}

#[cfg(test)]
mod tests;
