//! Where a piece of a document may be cut.
//!
//! A piece is a range of the document's requirements. It is cut where the outermost of its chapters
//! end, and where it has none, into about equal parts with as little in common as possible. Cuts
//! depend on the piece alone, so that a change in one chapter moves no cut of another. Start at
//! [`Division::cuts`].

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use crate::{
    plan::{
        titles::{TITLE_MAX, of_heading, of_requirement},
        words,
    },
    prd::Prd,
};

/// Of more requirements than this nobody is asked whether they are one piece of work.
pub const ASKED_MAX: usize = 7;

/// More children than this are bundled.
pub const CHILDREN_MAX: usize = 8;

/// Between how many cuts a model may choose.
pub const CHOICES_MAX: usize = 3;

/// About as many requirements are in a part of what has no chapters.
const PART: usize = 5;

/// The requirements of a document, as what is divided.
#[derive(Debug)]
pub struct Division<'a> {
    prd: &'a Prd,
    /// Indices in [`Prd::units`].
    units: Vec<usize>,
    /// Between each requirement and the next.
    gaps: Vec<Gap>,
    /// The requirements of each section and the sections in it.
    sections: HashMap<usize, Range<usize>>,
}

/// What lies between two requirements.
#[derive(Debug, Clone, Copy)]
struct Gap {
    /// How many sections both are in, when they are not in the same; fewer make a stronger cut.
    common: Option<usize>,
    /// Which share of their words is the same.
    shared: f64,
}

/// The pieces between `cuts`; nothing unless there are at least two, and none of them is empty.
pub fn partition(range: &Range<usize>, cuts: &[usize]) -> Option<Vec<Range<usize>>> {
    let mut start = range.start;
    let mut pieces = Vec::with_capacity(cuts.len() + 1);
    for end in cuts.iter().copied().chain([range.end]) {
        if end <= start || end > range.end {
            return None;
        }
        pieces.push(start..end);
        start = end;
    }
    (pieces.len() > 1).then_some(pieces)
}

impl<'a> Division<'a> {
    pub fn new(prd: &'a Prd) -> Self {
        let units: Vec<usize> = prd.requirements().map(|it| it.0).collect();
        let mut division = Self { prd, units, gaps: Vec::new(), sections: HashMap::new() };
        let mut before: Option<(Vec<usize>, HashSet<String>)> = None;
        for position in 0..division.units.len() {
            let lineage = division.lineage(position);
            let said: HashSet<String> = words(division.text(position)).collect();
            if let Some((above, others)) = &before {
                division.gaps.push(Gap::between(above, &lineage, others, &said));
            }
            for section in &lineage {
                let place = division.sections.entry(*section).or_insert(position..position);
                place.end = position + 1;
            }
            before = Some((lineage, said));
        }
        division
    }

    pub fn prd(&self) -> &'a Prd {
        self.prd
    }

    /// All requirements.
    pub fn whole(&self) -> Range<usize> {
        0..self.units.len()
    }

    /// The index in [`Prd::units`] of each requirement of a piece.
    pub fn units(&self, range: &Range<usize>) -> &[usize] {
        self.units.get(range.clone()).unwrap_or_default()
    }

    /// What a requirement says.
    pub fn text(&self, position: usize) -> &'a str {
        let unit = self.units.get(position).and_then(|it| self.prd.units.get(*it));
        unit.map_or("", |it| it.text.as_str())
    }

    /// Where a large piece is cut: positions of the requirements that begin its second and later
    /// parts.
    pub fn cuts(&self, range: &Range<usize>) -> Vec<usize> {
        let outermost = self.gaps_in(range).filter_map(|it| it.1.common).min();
        let Some(outermost) = outermost else { return self.even_cuts(range) };
        let chapters: Vec<usize> = self
            .gaps_in(range)
            .filter(|it| it.1.common == Some(outermost))
            .map(|it| it.0)
            .collect();
        let parts = chapters.len() + 1;
        if parts <= CHILDREN_MAX {
            return chapters;
        }
        let bundles = 1..CHILDREN_MAX;
        let first = |it: usize| chapters.get((it * parts / CHILDREN_MAX).saturating_sub(1));
        bundles.filter_map(|it| first(it).copied()).collect()
    }

    /// The best places to cut a small piece in two, in the order of the document: where chapters
    /// end, or where the least is shared if it has none.
    pub fn choices(&self, range: &Range<usize>) -> Vec<usize> {
        let has_chapters = self.gaps_in(range).any(|it| it.1.common.is_some());
        let mut gaps: Vec<(usize, Gap)> =
            self.gaps_in(range).filter(|it| it.1.common.is_some() == has_chapters).collect();
        gaps.sort_by(|(_, one), (_, other)| {
            one.common.cmp(&other.common).then(one.shared.total_cmp(&other.shared))
        });
        let mut choices: Vec<usize> = gaps.into_iter().take(CHOICES_MAX).map(|it| it.0).collect();
        choices.sort_unstable();
        choices
    }

    /// The section that a piece is all of.
    fn section(&self, range: &Range<usize>) -> Option<usize> {
        let (first, last) = (self.lineage(range.start), self.lineage(range.end.checked_sub(1)?));
        let common = first.iter().zip(&last).take_while(|(one, other)| one == other);
        let (section, _) = common.last()?;
        (self.sections.get(section)? == range).then_some(*section)
    }

    /// A title for a piece, out of the document's own words.
    pub fn name(&self, range: &Range<usize>) -> String {
        if range.len() == 1 {
            return of_requirement(self.text(range.start));
        }
        if let Some(section) = self.section(range).filter(|it| self.title(*it).is_some()) {
            return self.called(section);
        }
        let innermost = |position| self.lineage(position).last().and_then(|it| self.title(*it));
        match (innermost(range.start), innermost(range.end.saturating_sub(1))) {
            (Some(first), Some(last)) if first != last => {
                let (first, last) = (of_heading(first), of_heading(last));
                let both = format!("{first} – {last}");
                if both.chars().count() <= TITLE_MAX { both } else { first }
            }
            _ => of_requirement(self.text(range.start)),
        }
    }

    /// A section's heading, after the one above it where several sections have the same.
    fn called(&self, section: usize) -> String {
        let sections = &self.prd.sections;
        let title = self.title(section);
        let own = of_heading(title.unwrap_or_default());
        let same = sections.iter().filter(|it| Some(it.title.as_str()) == title).count();
        let above = sections.get(section).and_then(|it| it.parent).and_then(|it| self.title(it));
        // What the whole document is called is over all of them.
        let above = above.filter(|it| same > 1 && *it != self.prd.title);
        let both = above.map(|it| format!("{}: {own}", of_heading(it)));
        both.filter(|it| it.chars().count() <= TITLE_MAX).unwrap_or(own)
    }

    /// The sections from the outermost to that of a requirement.
    pub(super) fn lineage(&self, position: usize) -> Vec<usize> {
        let unit = self.units.get(position).and_then(|it| self.prd.units.get(*it));
        let mut at = unit.map(|it| it.section);
        let mut lineage = Vec::new();
        while let Some(section) = at {
            lineage.push(section);
            at = self.prd.sections.get(section).and_then(|it| it.parent);
        }
        lineage.reverse();
        lineage
    }

    fn title(&self, section: usize) -> Option<&'a str> {
        let title = self.prd.sections.get(section).map(|it| it.title.as_str());
        title.filter(|it| !it.is_empty())
    }

    /// What may be cut in a piece, each with the position that comes after it.
    fn gaps_in(&self, range: &Range<usize>) -> impl Iterator<Item = (usize, Gap)> {
        let inside = range.start..range.end.saturating_sub(1);
        let gaps = self.gaps.get(inside).unwrap_or_default().iter().copied();
        gaps.zip(range.start + 1..).map(|(gap, position)| (position, gap))
    }

    /// About equal parts, each ending within one requirement of that where the least is shared.
    fn even_cuts(&self, range: &Range<usize>) -> Vec<usize> {
        let parts = range.len().div_ceil(PART).clamp(2, CHILDREN_MAX);
        let mut cuts: Vec<usize> = Vec::with_capacity(parts);
        for part in 1..parts {
            let even = range.start + part * range.len() / parts;
            let after = cuts.last().copied().unwrap_or(range.start);
            let near = self.gaps_in(range).filter(|it| it.0.abs_diff(even) <= 1 && it.0 > after);
            let best = near.min_by(|one, other| one.1.shared.total_cmp(&other.1.shared));
            cuts.extend(best.map(|it| it.0));
        }
        cuts
    }
}

impl Gap {
    fn between(
        above: &[usize],
        below: &[usize],
        said: &HashSet<String>,
        says: &HashSet<String>,
    ) -> Self {
        let common = above.iter().zip(below).take_while(|(one, other)| one == other).count();
        let shorter = said.len().min(says.len()).max(1);
        let shared = as_float(said.intersection(says).count()) / as_float(shorter);
        Self { common: (above != below).then_some(common), shared }
    }
}

fn as_float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests;
