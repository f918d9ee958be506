//! What a plan has of its document: requirements, names, and nothing that is not there.
//!
//! Looked up by words. Of a document in another language than the plan's this says nothing, and
//! callers do not ask.

use std::collections::{BTreeMap, BTreeSet};

use tm_tasks::{
    plan::coverage::{MatchKind, coverage},
    prd::{Prd, Unit},
};

use super::said::{Said, as_float, portion, share, statements, term_set};

/// The share of a requirement's words, rare ones counting more, that a task must have in one place:
/// words of the right document in no order are everywhere and nowhere.
const COVERED: f64 = 0.6;

/// The share of a statement's words that the document must have in one place.
const GROUNDED: f64 = 0.5;

/// How many words one place has, and after how many the next one begins.
const PLACE: usize = 50;
const STEP: usize = 25;

/// A requirement and where a plan has most of it.
struct Found<'a> {
    unit: &'a Unit,
    is_covered: bool,
    /// The words around it; all of its task's where it stands there word for word.
    place: String,
}

/// The share of the document's requirements that some task covers, with the words in one place.
pub(super) fn requirements(prd: &Prd, plan: &[Said]) -> Option<f64> {
    let found = find(prd, plan);
    let covered = found.iter().filter(|it| it.is_covered).count();
    (!found.is_empty()).then(|| portion(covered, found.len()))
}

/// The share of names and numbers in requirements that stand where the plan has most of the
/// requirement. Nothing for a document without any.
pub(super) fn specificity(prd: &Prd, plan: &[Said]) -> Option<f64> {
    let (mut all, mut survived) = (0, 0);
    for Found { unit, place, .. } in find(prd, plan) {
        let names = names(&unit.text);
        all += names.len();
        survived += names.iter().filter(|it| place.contains(**it)).count();
    }
    (all > 0).then(|| portion(survived, all))
}

/// The share of a plan's words that are in statements which have half of them in one place of the
/// document. What a plan adds of its own has no source, useful as it may be.
pub(super) fn grounding(prd: &Prd, plan: &[Said]) -> f64 {
    let sources: Vec<BTreeSet<String>> = places(&text(prd)).iter().map(|it| term_set(it)).collect();
    let (mut all, mut grounded) = (0, 0);
    for said in plan {
        let text = [said.title.as_str(), &said.body()].join("\n");
        for statement in statements(&text) {
            let terms = term_set(statement);
            all += terms.len();
            if sources.iter().any(|it| share(&terms, it) >= GROUNDED) {
                grounded += terms.len();
            }
        }
    }
    portion(grounded, all)
}

/// Looks each requirement up in the tasks that have most of its words.
fn find<'a>(prd: &'a Prd, plan: &[Said]) -> Vec<Found<'a>> {
    let texts: Vec<String> = plan.iter().map(Said::whole).collect();
    let places: Vec<Vec<(String, BTreeSet<String>)>> = texts
        .iter()
        .map(|text| places(text).into_iter().map(|it| (it.clone(), term_set(&it))).collect())
        .collect();
    let rarity = Rarity::among(prd);
    let found = coverage(prd, &texts).into_iter().filter_map(|requirement| {
        let unit = prd.units.get(requirement.unit)?;
        let is_covered = requirement.is_covered();
        let best = requirement.matches.first();
        if let Some(best) = best.filter(|it| it.kind == MatchKind::Verbatim) {
            let place = texts.get(best.task).cloned().unwrap_or_default();
            return Some(Found { unit, is_covered, place });
        }
        let terms = term_set(&unit.text);
        let around = best.and_then(|it| places.get(it.task)).into_iter().flatten();
        let around = around.map(|it| (rarity.share(&terms, &it.1), &it.0));
        let (together, place) = around
            .max_by(|one, other| one.0.total_cmp(&other.0))
            .map_or((0.0, String::new()), |it| (it.0, it.1.clone()));
        Some(Found { unit, is_covered: is_covered && together >= COVERED, place })
    });
    found.collect()
}

/// How much a word says about a requirement: the more, the fewer of them have it.
struct Rarity(BTreeMap<String, f64>);

impl Rarity {
    fn among(prd: &Prd) -> Self {
        let mut having: BTreeMap<String, usize> = BTreeMap::new();
        for term in prd.requirements().flat_map(|it| term_set(&it.1.text)) {
            *having.entry(term).or_default() += 1;
        }
        let all = as_float(prd.requirements().count());
        Self(having.into_iter().map(|(term, it)| (term, (1.0 + all / as_float(it)).ln())).collect())
    }

    /// The share of the terms of a requirement that `whole` has, too.
    fn share(&self, terms: &BTreeSet<String>, whole: &BTreeSet<String>) -> f64 {
        let weight = |it: &String| self.0.get(it).copied().unwrap_or_default();
        let all: f64 = terms.iter().map(weight).sum();
        let found: f64 = terms.intersection(whole).map(weight).sum();
        if all > 0.0 { found / all } else { 0.0 }
    }
}

/// A text in overlapping pieces.
fn places(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let last = words.len().saturating_sub(PLACE).div_ceil(STEP);
    let place = |at: usize| words.iter().skip(at * STEP).take(PLACE).copied();
    (0..=last).map(|it| place(it).collect::<Vec<_>>().join(" ")).collect()
}

/// What the document says, headings included.
fn text(prd: &Prd) -> String {
    let mut headed = None;
    let mut text = String::new();
    for unit in &prd.units {
        if headed != Some(unit.section) {
            headed = Some(unit.section);
            text.push_str(prd.path(unit.section).last().copied().unwrap_or_default());
            text.push('\n');
        }
        text.push_str(&unit.text);
        text.push('\n');
    }
    text
}

/// What must be spelled as it is: numbers, `net/http`, `OpenAPI`, and words that are capitalised
/// within a sentence.
fn names(text: &str) -> BTreeSet<&str> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let capitalised = words.iter().filter(|it| it.starts_with(char::is_uppercase)).count();
    // In A Heading Every Word Is.
    let is_sentence = capitalised * 2 <= words.len();
    let mut begins = true;
    let mut names = BTreeSet::new();
    for word in words {
        let bare = word.trim_matches(|it: char| !it.is_alphanumeric());
        let is_name = is_technical(bare)
            || (is_sentence && !begins && bare.len() > 1 && bare.starts_with(char::is_uppercase));
        if is_name {
            names.insert(bare);
        }
        begins = word.ends_with(['.', ':', '!', '?', '-', '–', '—']) && word.len() > 1;
    }
    names
}

fn is_technical(word: &str) -> bool {
    let inner = word.chars().skip(1);
    word.chars().any(|it| it.is_ascii_digit())
        || inner.clone().any(char::is_uppercase)
        || inner.clone().any(|it| matches!(it, '_' | '/' | '.' | '@'))
}

#[cfg(test)]
mod tests;
