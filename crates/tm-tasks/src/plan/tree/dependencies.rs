//! Which leaf of a tree waits for which.
//!
//! A leaf waits for what its requirements refer to ("see Accounts", "as described in section 3.2"),
//! and for the earlier leaves it shares most words with. References may lead forward, so they could
//! close circles; a dependency that would is left out, and told. Start at [`dependencies`].

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    ops::Range,
};

use super::division::Division;
use crate::plan::{
    affinity::wait_for_related,
    assemble::{Draft, without_detours},
};

/// Words that what is referred to comes after.
const REFERRING: &[&str] = &[
    "see",
    "section",
    "chapter",
    "described in",
    "defined in",
    "specified in",
    "depends on",
    "according to",
];

/// The longest of these with an article, in words.
const REFERRING_WORDS: usize = 3;

/// The longest heading that is looked for, in words.
const HEADING_WORDS: usize = 8;

/// What is known of a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    pub title: String,
    /// Its requirements, as positions in the [`Division`].
    pub positions: Range<usize>,
}

/// Who waits for whom, as positions of leaves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dependencies {
    /// For each leaf those to be done before it, ascending.
    pub after: Vec<Vec<usize>>,
    /// Pairs that would have closed a circle: the leaf, and what it would have waited for.
    pub dropped: Vec<(usize, usize, Kind)>,
}

/// Where a dependency comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Reference,
    Words,
}

/// What the leaves, in the order of the document, wait for.
pub fn dependencies(division: &Division<'_>, leaves: &[Leaf]) -> Dependencies {
    let mut edges = Edges { after: vec![BTreeSet::new(); leaves.len()], ..Edges::default() };
    for (from, to) in references(division, leaves) {
        edges.add(from, to, Kind::Reference);
    }
    for (from, draft) in related(division, leaves).iter().enumerate() {
        for to in &draft.after {
            edges.add(from, *to, Kind::Words);
        }
    }
    let after = edges.after.into_iter().map(|it| it.into_iter().collect()).collect();
    Dependencies { after, dropped: edges.dropped }
}

/// Positions in an order in which each comes after all it waits for, otherwise as they are. Of a
/// circle, which no tree of ours has, the first comes first.
pub fn in_order(after: &[Vec<usize>]) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::with_capacity(after.len());
    let mut is_done = vec![false; after.len()];
    while order.len() < after.len() {
        let open = || (0..after.len()).filter(|it| is_done.get(*it) == Some(&false));
        let waits = |it: usize| after.get(it).into_iter().flatten();
        let is_ready = |it: &usize| waits(*it).all(|it| is_done.get(*it) != Some(&false));
        let Some(next) = open().find(is_ready).or_else(|| open().next()) else { break };
        if let Some(done) = is_done.get_mut(next) {
            *done = true;
        }
        order.push(next);
    }
    order
}

#[derive(Default)]
struct Edges {
    after: Vec<BTreeSet<usize>>,
    /// Whether some leaf waits for a later one: without any there are no circles.
    leads_forward: bool,
    dropped: Vec<(usize, usize, Kind)>,
}

impl Edges {
    fn add(&mut self, from: usize, to: usize, kind: Kind) {
        let may_close = self.leads_forward || to > from;
        if from == to || may_close && self.reaches(to, from) {
            if from != to && !self.dropped.iter().any(|it| (it.0, it.1) == (from, to)) {
                self.dropped.push((from, to, kind));
            }
            return;
        }
        self.leads_forward |= to > from;
        if let Some(after) = self.after.get_mut(from) {
            after.insert(to);
        }
    }

    fn reaches(&self, from: usize, to: usize) -> bool {
        let mut seen = HashSet::from([from]);
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            if at == to {
                return true;
            }
            let next = self.after.get(at).into_iter().flatten().copied();
            open.extend(next.filter(|it| seen.insert(*it)));
        }
        false
    }
}

fn related(division: &Division<'_>, leaves: &[Leaf]) -> Vec<Draft> {
    let draft = |leaf: &Leaf| {
        let texts: Vec<&str> = leaf.positions.clone().map(|it| division.text(it)).collect();
        Draft { title: leaf.title.clone(), details: texts.join("\n"), ..Draft::default() }
    };
    let mut drafts: Vec<Draft> = leaves.iter().map(draft).collect();
    wait_for_related(&mut drafts);
    without_detours(&mut drafts);
    drafts
}

/// Pairs of a leaf and the first leaf of the section that it refers to.
fn references(division: &Division<'_>, leaves: &[Leaf]) -> Vec<(usize, usize)> {
    let headings = headings(division);
    let mut first_in: HashMap<usize, usize> = HashMap::new();
    let lineages: Vec<BTreeSet<usize>> = leaves
        .iter()
        .map(|leaf| leaf.positions.clone().flat_map(|it| division.lineage(it)).collect())
        .collect();
    for (at, lineage) in lineages.iter().enumerate() {
        for section in lineage {
            first_in.entry(*section).or_insert(at);
        }
    }
    let mut pairs = Vec::new();
    for (from, (leaf, own)) in leaves.iter().zip(&lineages).enumerate() {
        for position in leaf.positions.clone() {
            for section in referred(division.text(position), &headings) {
                // A chapter that the leaf is part of says nothing about who comes first.
                if let Some(to) = first_in.get(&section).filter(|_| !own.contains(&section)) {
                    pairs.push((from, *to));
                }
            }
        }
    }
    pairs
}

/// What a section can be called by: its title, and its number. A name of several sections is
/// nobody's.
fn headings(division: &Division<'_>) -> HashMap<String, Option<usize>> {
    let mut headings: HashMap<String, Option<usize>> = HashMap::new();
    for (at, section) in division.prd().sections.iter().enumerate() {
        let words = words(&section.title);
        let (number, title) = match words.split_first() {
            Some((first, rest)) if is_number(first) => (Some(first.clone()), rest),
            _ => (None, words.as_slice()),
        };
        let title = title.join(" ");
        let names = number.into_iter().chain((title.len() > 3).then_some(title));
        for name in names {
            headings.entry(name).and_modify(|it| *it = None).or_insert(Some(at));
        }
    }
    headings
}

/// The sections that a text refers to.
fn referred(text: &str, headings: &HashMap<String, Option<usize>>) -> Vec<usize> {
    let words = words(text);
    let mut found = Vec::new();
    for start in 0..words.len() {
        let before = words.get(start.saturating_sub(REFERRING_WORDS)..start);
        let before = before.unwrap_or_default().join(" ");
        let before = before.strip_suffix(" the").unwrap_or(&before);
        let is_referred = REFERRING.iter().any(|it| {
            before.strip_suffix(it).is_some_and(|rest| rest.is_empty() || rest.ends_with(' '))
        });
        if !is_referred {
            continue;
        }
        let rest = words.get(start..).unwrap_or_default();
        let longest = rest.len().min(HEADING_WORDS);
        let mut names = (1..=longest).rev().filter_map(|it| rest.get(..it)).map(|it| it.join(" "));
        let section = names.find_map(|it| headings.get(&it));
        found.extend(section.copied().flatten());
    }
    found
}

/// `3.2` and `3`.
fn is_number(word: &str) -> bool {
    word.starts_with(|it: char| it.is_ascii_digit())
        && word.chars().all(|it| it.is_ascii_digit() || it == '.')
}

/// Lower case, without what stands around words.
fn words(text: &str) -> Vec<String> {
    let bare = |it: &str| it.trim_matches(|it: char| !it.is_alphanumeric()).to_lowercase();
    text.split_whitespace().map(bare).filter(|it| !it.is_empty()).collect()
}

#[cfg(test)]
mod tests;
